"""Launcher: becomes the given program, in such a way that it dies with its parent.

`python -m tenpo.stack.child --launch FILE --parent-pidfile PIDFILE` is what supervisord
starts; `python -m tenpo.stack.child --parent PID -- PROGRAM ARG…` is for a single job.

The kernel sends the death signal when the *thread* that started us ends, and forgets
it when we change user; so it is asked for last, right before exec, and the parent is
checked afterwards: it may have died before we asked (prctl(2), PR_SET_PDEATHSIG).
Linux only. Imports the standard library alone: it is on the way of every task.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import pwd
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tenpo.stack.leftovers import MARKER, kill_marked

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522

PARENT_IS_GONE = 75  # EX_TEMPFAIL


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and never return."""
    parser = argparse.ArgumentParser(prog="tenpo.stack.child")
    parser.add_argument("--launch", type=Path, help="launch file of a stack process")
    parser.add_argument("--parent-pidfile", type=Path, help="who must be our parent")
    parser.add_argument("--parent", type=int, help="pid that must be our parent")
    parser.add_argument("--signal", type=int, default=signal.SIGKILL, help="death signal")
    parser.add_argument("--user", help="run as this user; needs root")
    parser.add_argument("command", nargs="*")
    given = parser.parse_args(arguments)
    if given.launch:
        _launch(json.loads(given.launch.read_text("utf-8")), int(given.parent_pidfile.read_text()))
    _become(given.command, dict(os.environ), given.user, given.signal, given.parent)


def _launch(process: dict[str, object], parent: int) -> None:
    extra = process["env"]
    command = process["command"]
    user = process["user"]
    if not isinstance(extra, dict) or not isinstance(command, list):
        sys.exit("tenpo.stack.child: the launch file is broken; run `tenpo up` again")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TENPO_", "AIRFLOW"))}
    kill_marked(str(extra[MARKER]))  # what a predecessor that died left running
    _become(
        [str(word) for word in command],
        inherited | extra,
        user if isinstance(user, str) else None,
        int(str(process["death_signal"])),
        parent,
    )


def _become(
    command: list[str], env: dict[str, str], user: str | None, death_signal: int, parent: int | None
) -> None:
    if user and os.geteuid() == 0:
        change_user(user)
        env = env | {"USER": user, "LOGNAME": user}
    die_with_parent(death_signal, parent)
    os.execvpe(command[0], command, env)  # noqa: S606  # becoming the program is the point


def die_with_parent(death_signal: int, parent: int | None) -> None:
    """Ask the kernel for the signal; leave at once if the parent is already gone."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if parent is not None and os.getppid() != parent:
        print(f"the parent {parent} is gone: not starting", file=sys.stderr)
        os._exit(PARENT_IS_GONE)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapabilitySet(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def change_user(name: str) -> None:
    """Become an ordinary user who may still pass the folders on the way to our files.

    A checkout below /root is closed to others. Opening those folders would change the
    owner's machine; keeping CAP_DAC_OVERRIDE (an ambient capability) changes nothing.
    Where a container withholds it, the user's ordinary permissions must do.
    """
    entry = pwd.getpwnam(name)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([entry.pw_gid])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    header = _CapabilityHeader(CAPABILITY_VERSION_3, 0)
    bits = 1 << CAP_DAC_OVERRIDE
    sets = (_CapabilitySet * 2)(_CapabilitySet(bits, bits, bits), _CapabilitySet(0, 0, 0))
    if libc.capset(ctypes.byref(header), ctypes.byref(sets)) == 0:
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


if __name__ == "__main__":
    main()
