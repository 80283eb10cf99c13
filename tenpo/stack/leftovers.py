"""Finding and ending processes that outlived the one that should have ended them.

Every process of a stack carries `TENPO_STACK_PROCESS=<home>|<name>` in its environment
and so do its descendants, whatever session or process group they have moved to.
Standard library only: the launcher uses it before every start.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARKER = "TENPO_STACK_PROCESS"


def marker(home: Path, name: str) -> str:
    """The value that marks a process of the stack in `home`."""
    return f"{home}|{name}"


def marked(prefix: str) -> Iterator[int]:
    """Pids whose marker starts with the prefix; ourselves and our ancestors excepted."""
    wanted = os.fsencode(f"{MARKER}={prefix}")
    spared = _lineage()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) in spared:
            continue
        with suppress(OSError):  # ended meanwhile, or somebody else's
            variables = (folder / "environ").read_bytes().split(b"\0")
            if any(variable.startswith(wanted) for variable in variables):
                yield int(folder.name)


def kill_marked(prefix: str, *, grace_s: float = 0.0) -> list[int]:
    """End all marked processes, kindly during `grace_s`, then not; returns their pids."""
    found = list(marked(prefix))
    if grace_s > 0:
        _signal_all(found, signal.SIGTERM)
        wait_gone(found, grace_s)
    while rest := [pid for pid in marked(prefix) if is_alive(pid)]:
        _signal_all(rest, signal.SIGKILL)
        if not wait_gone(rest, 5.0):
            break
        found += [pid for pid in rest if pid not in found]
    return found


def wait_gone(pids: list[int], timeout_s: float) -> bool:
    """Wait until none of the pids is alive; False when time is up."""
    deadline = time.monotonic() + timeout_s
    while any(is_alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_alive(pid: int) -> bool:
    """Whether the process exists and is more than an entry waiting for its parent."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def _signal_all(pids: list[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _lineage() -> set[int]:
    """This process and all above it."""
    found = {os.getpid()}
    pid = os.getppid()
    while pid > 1 and pid not in found:
        found.add(pid)
        try:
            stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
        except OSError:
            break
        pid = int(stat.rpartition(")")[2].split()[1])
    return found
