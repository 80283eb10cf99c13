"""Logs: one form for ours and the libraries', UTC, on stderr."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog

from tenpo.settings import Settings
from tenpo.telemetry import configure_logging, get_logger


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_json_lines_carry_time_level_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_json=True))
    get_logger("tenpo.test").info("objects loaded", count=3)
    logging.getLogger("some.library").warning("slow %s", "disk")
    out, err = capsys.readouterr()
    assert out == ""
    ours, theirs = (json.loads(line) for line in err.splitlines())
    assert ours["event"] == "objects loaded"
    assert ours["count"] == 3
    assert ours["logger"] == "tenpo.test"
    assert datetime.fromisoformat(ours["timestamp"]).utcoffset() == datetime.now(UTC).utcoffset()
    assert theirs["event"] == "slow disk"
    assert theirs["level"] == "warning"


def test_errors_keep_their_traceback_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_json=True))
    try:
        raise OSError("no disk")
    except OSError:
        get_logger("tenpo.test").exception("failed")
    line = json.loads(capsys.readouterr().err)
    assert "no disk" in json.dumps(line["exception"])


def test_level_holds_and_debug_overrules_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_level="WARNING"))
    get_logger("tenpo.quiet").info("unheard")
    assert "unheard" not in capsys.readouterr().err
    configure_logging(Settings(log_level="WARNING"), debug=True)
    get_logger("tenpo.loud").debug("heard")
    assert "heard" in capsys.readouterr().err


def test_no_colours_away_from_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    get_logger("tenpo.plain").warning("plain", key="value")
    assert "\x1b[" not in capsys.readouterr().err


def test_a_senders_words_stay_in_their_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    forged = "d1\n2026 [info] all is well\x1b[2J"
    get_logger("tenpo.test").warning("refused", device=forged, topic="a\x1b[2J\x85", store="銀座")
    logging.getLogger("some.library").warning("%s", "\x1b[2J")
    ours, theirs = capsys.readouterr().err.splitlines()
    assert "all is well" in ours
    assert r"topic=a\x1b[2J\x85" in ours
    assert "store=銀座" in ours
    assert r"\x1b[2J" in theirs
    assert "\x1b" not in ours + theirs
