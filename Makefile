# Everything behind these commands is in tools/; the README explains them.
PYTHON ?= python3

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
