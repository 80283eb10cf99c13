"""Folders, sockets and the supervisor's configuration in awkward places."""

from __future__ import annotations

import stat
from configparser import RawConfigParser
from pathlib import Path

import pytest

from tenpo.stack.files import write_private
from tenpo.stack.layout import MAX_SOCKET_DIR, Layout
from tenpo.stack.process import Health, Process
from tenpo.stack.supervisor import configuration


def test_sockets_of_a_long_home_lie_elsewhere_and_are_short(tmp_path: Path) -> None:
    deep = Layout(tmp_path / ("d" * 60) / ("e" * 60))
    assert len(str(deep.sockets)) <= MAX_SOCKET_DIR
    assert deep.home not in deep.sockets.parents
    assert Layout(deep.home / "2").sockets != deep.sockets


def test_sockets_of_a_short_home_lie_in_it() -> None:
    home = Path("/x/home")
    assert home in Layout(home).sockets.parents


def test_data_and_secrets_are_closed_to_others(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "home")
    layout.lake.mkdir(parents=True, mode=0o755)  # as an earlier version left it
    layout.create()
    secret = (layout.run, layout.launch, layout.home / "secrets", layout.sockets)
    data = (layout.lake, layout.logs, layout.bigquery_data, layout.airflow_home, layout.mqtt_data)
    for folder in (*secret, *data):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    write_private(layout.addresses_file, "{}")
    assert stat.S_IMODE(layout.addresses_file.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["100% mine", "with space"])
def test_configuration_survives_awkward_paths(tmp_path: Path, name: str) -> None:
    layout = Layout(tmp_path / name)
    process = Process("thing", ("true",), Health("running"))
    parsed = RawConfigParser()
    parsed.read_string(configuration(layout, [process]))
    program = {key: value % {} for key, value in parsed["program:thing"].items()}
    assert program["directory"] == str(layout.home)
    assert f'"{layout.launch}/thing.json"' in program["command"]
    assert program["autorestart"] == "true"


def test_launch_file_is_rewritten_exactly_when_it_changes(tmp_path: Path) -> None:
    first = Process("thing", ("true",), Health("running"), env={"A": "1"})
    assert first.write_launch_file(tmp_path)
    assert not first.write_launch_file(tmp_path)
    assert Process("thing", ("true",), Health("running"), env={"A": "2"}).write_launch_file(
        tmp_path
    )
