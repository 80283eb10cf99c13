"""The `tenpo` command as a person or a script meets it: real processes, real exit codes."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tenpo import __version__
from tenpo.cli.failure import report_failure
from tenpo.cli.main import found_commands, main, one_line_help
from tenpo.errors import ConfigError, InputError, IntegrityError, StackError, TenpoError
from tenpo.settings import get_settings

TENPO = [sys.executable, "-m", "tenpo.cli"]
EXPECTED = {
    "up",
    "down",
    "status",
    "doctor",
    "ingest",
    "aggregate",
    "send",
    "normalize",
    "simulate",
    "demo",
    "kpi",
    "sql",
}


def run(*arguments: str, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TENPO, *arguments],
        env=os.environ | {"TENPO_HOME": str(home), "COLUMNS": "120"} | env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_every_command_with_one_line(tmp_path: Path) -> None:
    shown = run("--help", home=tmp_path).stdout
    assert set(found_commands()) >= EXPECTED
    for name, entry in found_commands().items():
        line = one_line_help(entry)
        assert line.endswith("."), f"{name}: its docstring needs one line of help"
        assert "not installed" not in line
        assert name in shown
        assert line[:40] in shown


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_help_of_every_command_has_an_example(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"tenpo {name}" in shown.split("Usage:")[1].partition("\n")[2]
    assert "--json" in shown


@pytest.mark.parametrize("arguments", [("--help",), ("status", "--json"), ("--version",)])
def test_light_commands_import_nothing_heavy(arguments: tuple[str, ...], tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from tenpo.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit:\n    pass\n"
        "print(sorted({n.partition('.')[0] for n in sys.modules}), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=os.environ | {"TENPO_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = done.stderr.splitlines()[-1]
    assert "'tenpo'" in imported
    for heavy in ("apache_beam", "pyarrow", "pandas", "fastapi", "grpc", "plotly"):
        assert f"'{heavy}'" not in imported


def test_version(tmp_path: Path) -> None:
    assert run("--version", home=tmp_path).stdout == f"tenpo {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["demo", "--end", "foo"], "foo"),
        (["simulate", "--tenant", "../x", "--no-send", "--stores", "1", "--days", "1"], "../x"),
    ],
)
def test_rubbish_is_refused_before_anything_is_written(
    arguments: list[str],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TENPO_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    get_settings.cache_clear()
    assert ended.value.code in (2, InputError.exit_code)
    assert named in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_wrong_usage_exits_2_and_names_the_word(tmp_path: Path) -> None:
    done = run("aggregat", home=tmp_path)
    assert done.returncode == 2
    assert "aggregat" in done.stderr
    assert done.stdout == ""


def test_our_errors_say_what_where_and_remedy(tmp_path: Path) -> None:
    done = run("up", "--only", "mysql", home=tmp_path)
    assert done.returncode == 3
    assert "no process mysql" in done.stderr
    assert "where: --only" in done.stderr
    assert "remedy: Choose from postgres" in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b[" not in done.stderr


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = run("--debug", "up", "--only", "mysql", home=tmp_path)
    assert done.returncode == 3
    assert "Traceback" in done.stderr


def test_unusable_settings_stop_a_command_but_not_help_or_doctor(tmp_path: Path) -> None:
    broken = {"TENPO_LEASE_S": "soon"}
    assert run("--help", home=tmp_path, **broken).returncode == 0
    stopped = run("status", home=tmp_path, **broken)
    assert stopped.returncode == ConfigError.exit_code
    assert "lease_s" in stopped.stderr
    examined = run("doctor", home=tmp_path, **broken)
    assert examined.returncode == 1
    assert "lease_s" in examined.stdout


@pytest.mark.parametrize("error", [ConfigError("x"), StackError("x"), IntegrityError("x")])
def test_exit_code_is_the_errors(error: TenpoError) -> None:
    assert report_failure(error, debug=False) == error.exit_code


def test_a_defect_exits_1_and_says_how_to_see_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_failure(KeyError("x"), debug=False) == 1
    assert "--debug" in capsys.readouterr().err


def _hear_ctrl_c() -> None:
    """As in a terminal: what a shell starts in the background is told to ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_ctrl_c_exits_130_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with (tmp_path / "run" / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another `tenpo up` at work: this one waits
        process = subprocess.Popen(
            [*TENPO, "up", "--only", "postgres"],
            env=os.environ | {"TENPO_HOME": str(tmp_path)},
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_hear_ctrl_c,
        )
        assert process.stderr is not None
        assert any("waiting for another" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
