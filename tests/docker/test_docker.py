"""Dockerfiles are linted and the compose file is checked against its schema; neither is built."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tenpo.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
READ_BY_NAME = re.compile(r"environ(?:\.get\(|\[)\s*\"(TENPO_[A-Z_]+)\"")
DOCKERFILES = sorted(DOCKER.glob("*.Dockerfile"))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_there_is_an_image_for_each_environment() -> None:
    assert [path.stem for path in DOCKERFILES] == ["airflow", "bigquery", "platform", "worker"]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_hadolint_finds_nothing(path: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    result = run(str(hadolint), "--config", str(DOCKER / "hadolint.yaml"), str(path))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "path", [path for path in DOCKERFILES if path.stem != "worker"], ids=lambda path: path.stem
)
def test_every_copied_path_exists(path: Path) -> None:
    copies = [
        line.split()[1:-1]
        for line in path.read_text("utf-8").splitlines()
        if line.startswith("COPY ") and "--from" not in line
    ]
    assert copies
    for source in (source for copy in copies for source in copy):
        assert (ROOT / source).exists(), source


def test_the_platforms_image_holds_every_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = project["tool"]["setuptools"]["packages"]["find"]["include"]
    lines = (DOCKER / "platform.Dockerfile").read_text("utf-8").splitlines()
    for package in (name.rstrip("*") for name in packages):
        assert f"COPY {package} {package}" in lines


def test_workers_have_the_beam_of_the_lock() -> None:
    lock = (ROOT / "locks" / "platform.txt").read_text("utf-8").splitlines()
    (version,) = (line.split()[0].partition("==")[2] for line in lock
                  if line.startswith("apache-beam=="))  # fmt: skip
    lines = (DOCKER / "worker.Dockerfile").read_text("utf-8").splitlines()
    assert f"ARG BEAM_IMAGE=apache/beam_python3.11_sdk:{version}" in lines


def test_the_broker_takes_the_networks_clients(tmp_path: Path) -> None:
    broker = shutil.which("mosquitto")
    if broker is None:
        pytest.skip("there is no mosquitto")
    compose = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
    (target,) = (one["target"] for one in compose["services"]["mqtt"]["configs"])
    assert target == "/mosquitto/config/mosquitto.conf"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    lines = compose["configs"]["mosquitto"]["content"]
    lines = lines.replace("listener 1883", f"listener {port}")
    settings, log = tmp_path / "mosquitto.conf", tmp_path / "log"
    settings.write_text(lines.replace("/mosquitto/data/", f"{tmp_path}/"))
    with log.open("wb") as out:
        process = subprocess.Popen([broker, "-c", str(settings)], stderr=out)
    try:
        client = Client(CallbackAPIVersion.VERSION2)
        for _ in range(200):
            with suppress(ConnectionRefusedError):
                client.connect("127.0.0.1", port)
                break
            time.sleep(0.1)
        assert client.is_connected() or client.loop(5) == 0
    finally:
        process.kill()
        process.wait(30)
    said = log.read_text()
    assert f"Opening ipv4 listen socket on port {port}" in said
    assert "Error" not in said


def test_compose_is_valid() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    schema = ("--builtin-schema", "vendor.compose-spec")
    result = run(str(checker), *schema, str(DOCKER / "compose.yaml"))
    assert result.returncode == 0, result.stdout + result.stderr


def settings_read() -> set[str]:
    """Names of the environment that a process of the platform reads, or a DAG by itself."""
    named = {f"TENPO_{name.upper()}" for name in Settings.model_fields}
    sources = [path.read_text("utf-8") for path in (ROOT / "dags").glob("*.py")]
    return named.union(*(READ_BY_NAME.findall(source) for source in sources))


def test_compose_sets_only_what_is_read() -> None:
    services = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))["services"]
    told = {name for one in services.values() for name in one.get("environment", {})
            if name.startswith("TENPO_")}  # fmt: skip
    assert told >= {"TENPO_BIGQUERY_ENDPOINT", "TENPO_TENANTS_FILE"}
    assert told - settings_read() == set()


def test_no_service_is_published_beyond_loopback() -> None:
    services = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_secret_has_a_default() -> None:
    text = (DOCKER / "compose.yaml").read_text("utf-8")
    names = [
        line.split("=")[0] for line in (DOCKER / "example.env").read_text("utf-8").splitlines()
    ]
    secrets = [name for name in names if name and not name.startswith("#")]
    assert secrets
    for name in secrets:
        assert f"${{{name}:?" in text, name
        assert f"${{{name}:-" not in text, name
