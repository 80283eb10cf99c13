"""Processes die with their parent: real ones, really killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tenpo.stack.child import PARENT_IS_GONE
from tenpo.stack.leftovers import MARKER, is_alive, kill_marked, marked, wait_gone

LAUNCHER = [sys.executable, "-m", "tenpo.stack.child"]
PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([*sys.argv[1:], "--parent", str(os.getpid()), "--", "sleep", "600"])
print(child.pid, flush=True)
time.sleep(600)
"""


def _wait_until_it_sleeps(pid: int) -> None:
    deadline = time.monotonic() + 30
    while not Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _sleeping_child(*options: str) -> tuple[subprocess.Popen[str], int]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *LAUNCHER, *options], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    _wait_until_it_sleeps(child)
    return parent, child


def test_child_dies_when_its_parent_is_killed() -> None:
    parent, child = _sleeping_child()
    parent.kill()
    parent.wait()
    assert wait_gone([child], 20)


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the user needs root")
def test_child_that_changed_its_user_dies_with_its_parent_too() -> None:
    parent, child = _sleeping_child("--user", "nobody")
    assert "\nUid:\t0\t" not in Path(f"/proc/{child}/status").read_text()
    parent.kill()
    parent.wait()
    assert wait_gone([child], 20)


def test_child_does_not_start_when_the_parent_is_already_gone() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    done = subprocess.run([*LAUNCHER, "--parent", str(gone.pid), "--", "echo", "ran"],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == PARENT_IS_GONE
    assert done.stdout == ""
    assert "gone" in done.stderr


def test_launch_file_sets_the_environment_and_ends_what_a_predecessor_left(tmp_path: Path) -> None:
    value = f"{tmp_path}|thing"
    orphan = subprocess.Popen(
        ["sleep", "600"], env=os.environ | {MARKER: value}, start_new_session=True
    )
    launch = tmp_path / "thing.json"
    env = {MARKER: value, "SAID": "by the launch file"}
    command = ["sh", "-c", "echo $SAID $TENPO_SECRET_OF_OTHERS"]
    launch.write_text(
        json.dumps({"command": command, "env": env, "user": None, "death_signal": 15})
    )
    pidfile = tmp_path / "pid"
    pidfile.write_text(str(os.getpid()))
    done = subprocess.run(
        [*LAUNCHER, "--launch", str(launch), "--parent-pidfile", str(pidfile)],
        env=os.environ | {"TENPO_SECRET_OF_OTHERS": "leaks"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "by the launch file\n"
    assert orphan.wait(20) == -signal.SIGKILL


def test_marked_processes_are_found_in_other_sessions_and_only_they(tmp_path: Path) -> None:
    home = f"{tmp_path}|"
    mine = subprocess.Popen(
        ["sh", "-c", "setsid sleep 600 & wait"], env=os.environ | {MARKER: home + "a"}
    )
    other = subprocess.Popen(["sleep", "600"], env=os.environ | {MARKER: f"{tmp_path}-2|a"})
    try:
        deadline = time.monotonic() + 20
        while len(found := list(marked(home))) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert mine.pid in found
        assert other.pid not in found
        assert set(kill_marked(home, grace_s=0.2)) >= set(found)
        assert not any(is_alive(pid) for pid in found)
        assert is_alive(other.pid)
    finally:
        other.kill()
        other.wait()
        mine.wait()
