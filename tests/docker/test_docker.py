"""Dockerfiles are linted and the compose file is checked against its schema; neither is built."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
DOCKERFILES = sorted(DOCKER.glob("*.Dockerfile"))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_there_is_an_image_for_each_environment() -> None:
    assert [path.stem for path in DOCKERFILES] == ["airflow", "bigquery", "platform"]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_hadolint_finds_nothing(path: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    result = run(str(hadolint), "--config", str(DOCKER / "hadolint.yaml"), str(path))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_every_copied_path_exists(path: Path) -> None:
    copies = [
        line.split()[1:-1]
        for line in path.read_text("utf-8").splitlines()
        if line.startswith("COPY ") and "--from" not in line
    ]
    assert copies
    for source in (source for copy in copies for source in copy):
        assert (ROOT / source).exists(), source


def test_compose_is_valid() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    schema = ("--builtin-schema", "vendor.compose-spec")
    result = run(str(checker), *schema, str(DOCKER / "compose.yaml"))
    assert result.returncode == 0, result.stdout + result.stderr


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
