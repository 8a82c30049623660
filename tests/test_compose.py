"""The production shape: docker-compose.yml's own commands under production settings; .env.example names everything."""

import os
import re
import secrets
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from tests.processes import ROOT, Process, free_port
from tests.servers import prepare

APPS = ("migrate", "web", "worker", "beat")
VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")


def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"\w+=", line))


def filled(text: str, values: dict[str, str]) -> str:
    """What docker compose makes of ${NAME}, ${NAME:-default}, ${NAME:?message} and $$."""

    def one(found: re.Match) -> str:
        name, kind, other = found.groups()
        if values.get(name):
            return values[name]
        assert kind == ":-", f"{name}: {other}"
        return other

    return VARIABLE.sub(one, text).replace("$$", "$")


@pytest.mark.sqlite
def test_every_service_restarts_and_is_watched_and_only_web_has_a_port():
    services = compose()["services"]
    assert sorted(services) == ["beat", "migrate", "postgres", "redis", "web", "worker"]
    lasting = {name: service for name, service in services.items() if name != "migrate"}
    assert {service["restart"] for service in lasting.values()} == {"unless-stopped"}
    assert [name for name, service in lasting.items() if "healthcheck" not in service] == []
    assert [name for name, service in services.items() if "ports" in service] == ["web"]
    named = {volume.split(":")[0] for service in services.values() for volume in service["volumes"]}
    assert named == set(compose()["volumes"])


@pytest.mark.sqlite
def test_web_worker_and_beat_begin_with_the_production_check():
    services = compose()["services"]
    begins = {name: services[name]["command"][2].split(" && ")[0] for name in ("web", "worker", "beat")}
    assert begins == dict.fromkeys(("web", "worker", "beat"), "python manage.py check_production")
    assert "python manage.py check_production &&" in (ROOT / "Dockerfile").read_text()


@pytest.mark.sqlite
def test_every_variable_read_anywhere_is_explained_in_the_example():
    code = [path for path in (ROOT / "stockport_hubs").rglob("*.py")] + list((ROOT / "tools").glob("*.py"))
    reads = re.compile(
        r"""env\.(?:text|required|flag|number|names|moment)\("(\w+)"|environ(?:\.get\(|\.setdefault\(|\[)"([A-Z_]+)"""
    )
    named = {a or b for path in code for a, b in reads.findall(path.read_text())}
    named |= {found[0] for found in VARIABLE.findall((ROOT / "docker-compose.yml").read_text())}
    from_elsewhere = {"PATH", "CI", "ONLY", "SEED", "PEOPLE"}  # the shell's, continuous integration's, make's own
    assert named - from_elsewhere == set(example())
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert [
        line for before, line in zip(lines, lines[1:], strict=False) if "=" in line[:25] and before[:1] != "#"
    ] == []


@pytest.fixture
def production(started, databases, redis_url, tmp_path):
    """`production("web")`: starts that service's command with its environment, on the throw-away servers."""
    database_url, port = databases.fresh(), free_port()
    values = {
        **example(),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "POSTGRES_PASSWORD": "unused",
        "EMAIL_URL": "smtp://127.0.0.1:2525",
    }

    def environment(service: dict) -> dict[str, str]:
        own = {name: filled(str(value), values) for name, value in service["environment"].items()}
        path = f"{prepare.PYTHON.parent}:{os.environ['PATH']}"
        here = {"PATH": path, "HOME": str(tmp_path), "HOSTNAME": socket.gethostname()}
        return {**own, **here, "DATABASE_URL": database_url, "REDIS_URL": redis_url}

    def start(name: str) -> Process:
        service = compose()["services"][name]
        words = [filled(word, values).replace("0.0.0.0:8000", f"127.0.0.1:{port}") for word in service["command"]]
        words = [word.replace("/tmp/beat", str(tmp_path / "beat")) for word in words]
        process = Process(words, log=tmp_path / f"{name}.log", env=environment(service))
        started.processes.append(process)
        return process

    def healthy(name: str) -> bool:
        time.sleep(1)  # asking is work: it starts a Python
        service = compose()["services"][name]
        kind, *words = service["healthcheck"]["test"]
        words = words if kind == "CMD" else ["sh", "-c", *words]
        words = [filled(w, values).replace(":8000", f":{port}").replace("find /tmp", f"find {tmp_path}") for w in words]
        return subprocess.run(words, env=environment(service), capture_output=True, cwd=ROOT).returncode == 0

    start.healthy = healthy  # type: ignore[attr-defined]
    start.url = f"http://127.0.0.1:{port}"  # type: ignore[attr-defined]
    start.environment = environment  # type: ignore[attr-defined]
    return start


@pytest.mark.postgres
def test_the_commands_of_the_compose_file_run_under_production_settings(production):
    collected = subprocess.run(
        [prepare.PYTHON, "manage.py", "collectstatic", "--noinput"],
        cwd=ROOT, env=production.environment(compose()["services"]["web"]), capture_output=True, text=True,
    )  # fmt: skip
    assert collected.returncode == 0, collected.stderr
    migrate = production("migrate")
    assert migrate.process.wait(120) == 0, migrate.text()
    processes = {name: production(name) for name in ("web", "worker", "beat")}
    for name, process in processes.items():
        process.wait_until(lambda name=name: production.healthy(name), seconds=60)
    answer = urllib.request.Request(f"{production.url}/accounts/login/", headers=via_proxy())
    with urllib.request.urlopen(answer) as page:
        html = page.read().decode()
    style = re.search(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', html)
    assert style, html
    with urllib.request.urlopen(urllib.request.Request(production.url + style[1], headers=via_proxy())) as sheet:
        assert sheet.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    for process in processes.values():
        process.send(signal.SIGTERM)
    assert {name: process.process.wait(20) for name, process in processes.items()} == dict.fromkeys(processes, 0)
    for name, process in processes.items():
        told, *lines = process.text().splitlines()
        assert told == "ready for production" and lines, name
        records = [line for line in lines if line.startswith(("{", "[", "INFO", "WARNING"))]  # not Python's warnings
        assert records and [line for line in records if not line.startswith('{"time": "')] == [], name
    assert '"GET accounts/login/ 200 ' in processes["web"].text()


def via_proxy() -> dict[str, str]:
    """The headers the HTTPS proxy adds."""
    return {"Host": example()["ALLOWED_HOSTS"], "X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}


@pytest.mark.sqlite
def test_dockerfile_copies_every_folder_the_site_runs_from():
    copied = re.findall(r"^COPY (?:--from=\S+ )?(\S+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    needed = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"} | {
        "templates",
        "static",
        "manage.py",
    }
    assert needed - set(map(str, map(Path, copied))) == set()


@pytest.mark.sqlite
def test_connections_on_which_nothing_is_said_hold_up_nobody(gunicorn_site, fresh_database):
    """A browser opens up to six before it has anything to ask; a phone that loses its way leaves some behind."""
    site = gunicorn_site(fresh_database)
    address = ("127.0.0.1", int(site.url.rpartition(":")[2]))
    with ExitStack() as silent:
        for _ in range(12):
            silent.enter_context(socket.create_connection(address))
        began = time.monotonic()
        assert site.healthy()
        assert time.monotonic() - began < 1
