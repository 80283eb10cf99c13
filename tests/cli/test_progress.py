"""Progress goes to stderr: a bar on a terminal, a plain line anywhere else."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tenpo.cli import progress as module
from tenpo.cli.progress import progress, step


def _console(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> io.StringIO:
    shown = io.StringIO()
    made = Console(file=shown, force_terminal=terminal, width=120, color_system=None)
    monkeypatch.setattr(module, "console", made)
    return shown


def test_it_speaks_on_stderr_only(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("Sending", 1, unit="files") as advance:
        advance()
    assert capsys.readouterr().out == ""
    assert module.console.stderr


def test_a_terminal_sees_a_bar_with_what_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _console(monkeypatch, terminal=True)
    with progress("Aggregating", 3, unit="tenants") as advance:
        advance(0, detail="acme")
        advance(2, detail="other")
    last = shown.getvalue().rpartition("Aggregating")[2]
    assert "2/3" in last
    assert "tenants" in last
    assert "other" in last


@pytest.mark.parametrize(("total", "counted"), [(3, "3 of 3 files"), (None, "3 files")])
def test_elsewhere_one_line_is_said_in_the_end(
    total: int | None, counted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = _console(monkeypatch, terminal=False)
    with progress("Sending", total, unit="files") as advance:
        advance(detail="a.csv")
        advance(2)
        assert shown.getvalue() == ""
    (line,) = shown.getvalue().splitlines()
    assert line.startswith(f"  Sending: {counted} (")
    assert "\x1b" not in line


def test_long_work_speaks_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _console(monkeypatch, terminal=False)
    monkeypatch.setattr(module, "PLAIN_EVERY_S", 0.0)
    with progress("Sending", 2, unit="files") as advance:
        advance()
        assert "1 of 2 files" in shown.getvalue()


def test_work_that_fails_is_not_said_to_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _console(monkeypatch, terminal=False)
    with pytest.raises(ValueError, match="x"), progress("Sending", 2, unit="files"):
        raise ValueError("x")
    with pytest.raises(ValueError, match="x"), step("Starting"):
        raise ValueError("x")
    assert shown.getvalue() == ""
    with step("Starting"):
        pass
    assert "✓ Starting" in shown.getvalue()
