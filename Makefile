# Everything behind these commands is in tools/; the README explains them.
# The system's own Python, where it is new enough: one that was built without optimisation takes a third longer.
SYSTEM := $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.version_info < (3, 11) or print(sys.executable)' 2>/dev/null)
PYTHON ?= $(or $(SYSTEM),python3)

.PHONY: run test proof chaos bench pictures

run:
	@exec $(PYTHON) tools/prepare.py run

test:
	@exec $(PYTHON) tools/prepare.py test

proof:
	@exec $(PYTHON) tools/prepare.py proof

chaos:
	@ONLY=M1,M2,M3,M6 exec $(PYTHON) tools/prepare.py proof

bench:
	@exec $(PYTHON) tools/prepare.py bench

pictures:
	@exec $(PYTHON) tools/prepare.py pictures

# After a change of dependencies in pyproject.toml; needs uv. Universal, because Python 3.11.2 needs more than 3.11.3.
LOCK = uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet
.PHONY: lock
lock:
	$(LOCK) -o requirements.txt
	$(LOCK) --group test -o requirements-test.txt
	echo uv | $(subst pyproject.toml,-,$(LOCK)) -o tools/requirements-uv.txt
