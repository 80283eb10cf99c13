"""`tenpo kpi`: the same numbers as the API's."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tenpo.commands.kpi import _outlook, kpi
from tenpo.datamart.standing import Standing
from tenpo.errors import InputError
from tenpo.settings import get_settings
from tests.api.conftest import bearer

ASKED = {"from": "2026-10-25", "to": "2026-10-25", "grain": "hour", "by": "store"}
OPTIONS = [word for key, value in ASKED.items() for word in (f"--{key}", value)]


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tenpo.cli", "kpi", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_json_equals_the_api(client: TestClient, environment: dict[str, str]) -> None:
    done = run(environment, "--tenant", "globe", *OPTIONS, "--json")
    assert done.returncode == 0, done.stderr
    answer = client.get("/v1/kpis", params=ASKED, headers=bearer("globe")).json()
    assert len(answer["rows"]) == 25 + 25 + 24 + 24
    assert json.loads(done.stdout) == answer


def test_csv_equals_the_api(client: TestClient, environment: dict[str, str]) -> None:
    done = run(environment, "--tenant", "globe", *OPTIONS, "--csv", "--kpi", "footfall")
    asked = {**ASKED, "format": "csv", "kpi": "footfall"}
    answer = client.get("/v1/kpis", params=asked, headers=bearer("globe"))
    assert done.stdout.splitlines() == answer.text.splitlines()


def test_the_table_is_for_people(environment: dict[str, str]) -> None:
    day = ("--from", "2026-10-25", "--to", "2026-10-25")
    done = run(environment, "--tenant", "globe", *day, "--grain", "total", "--by", "store")
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "252.50" in lines["london"]
    assert "24,000 " in lines["tokyo"]
    assert "—" in lines["osaka"]


def test_a_narrow_terminal_cuts_no_figure(environment: dict[str, str]) -> None:
    narrow = environment | {"COLUMNS": "80"}
    done = run(narrow, "--tenant", "hinode", "--from", "2026-11-14", "--to", "2026-11-20")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 8
    assert "…" not in done.stdout


def test_where_nothing_is_the_command_says_where_there_is(environment: dict[str, str]) -> None:
    done = run(environment, "--tenant", "globe", "--from", "2001-01-01", "--to", "2001-01-02")
    assert done.returncode == 0, done.stderr
    assert "No figures of globe" in done.stdout
    assert "There are figures from 2026-10-2" in done.stdout.replace("\n", " ")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Standing(None, None, 0), "Nothing was computed yet"),
        (Standing(None, None, 1200), "1,200 store-days are being computed"),
    ],
)
def test_an_empty_answer_says_what_to_expect(found: Standing, said: str) -> None:
    assert said in _outlook(found)


def test_a_refusal_has_its_own_exit_code(environment: dict[str, str]) -> None:
    done = run(environment, "--tenant", "nobody", "--from", "2026-10-25", "--to", "2026-10-25")
    assert (done.returncode, done.stdout) == (3, "")
    assert "no tenant 'nobody'" in done.stderr
    assert "remedy:" in done.stderr


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"store": ["ginza"]}, "no store 'ginza'"),
        ({"grain": "year"}, "'year' is no grain"),
        ({"by": "region"}, "'region' is no by"),
        ({"name": ["profit"]}, "no KPI 'profit'"),
        ({"as_json": True, "as_csv": True}, "exclude each other"),
    ],
)
def test_what_does_not_exist_is_named_with_a_remedy(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any], said: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    day = datetime(2026, 10, 25, tzinfo=UTC)
    try:
        with pytest.raises(InputError, match=said) as caught:
            kpi("globe", day, day, **wrong)
    finally:
        get_settings.cache_clear()
    assert caught.value.remedy
