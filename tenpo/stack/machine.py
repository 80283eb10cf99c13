"""What the machine must offer, looked at one by one.

Each function returns what it found or raises a `TenpoError` that says how to mend it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path

from tenpo.errors import StackError
from tenpo.stack.layout import Environments, repository

OLDEST, TOO_NEW = (3, 11), (3, 14)
NEEDED_DISK = 2 * 1024**3
NEEDED_MEMORY = 3 * 1024**3
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "headless_shell")
LOCKS = {"platform": "platform.txt", "bigquery": "bigquery.txt", "airflow": "airflow.txt"}

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)\s*(?:\\|$)", re.MULTILINE)


def python_version() -> str:
    """The interpreter is one that the locks were made for."""
    found = sys.version_info[:2]
    text = ".".join(map(str, sys.version_info[:3]))
    if not OLDEST <= found < TOO_NEW:
        raise StackError(
            f"Python {text} is not supported",
            where=sys.executable,
            remedy="Install Python 3.11 and make the environments again: make clean setup",
        )
    return f"{text} ({sys.executable})"


def environment_matches_lock(name: str) -> str:
    """Everything in the lock is installed in the version it says."""
    environments = Environments.found()
    environments.python(name)
    lock = repository() / "locks" / LOCKS[name]
    if not lock.exists():
        return "present; no lock file here to compare with"
    folder: Path = getattr(environments, name)
    sites = [str(path) for path in folder.glob("lib/python*/site-packages")]
    installed = {_plain(d.name): d.version for d in distributions(path=sites)}
    pins = _PIN.findall(lock.read_text("utf-8"))
    off = [f"{n} {v}" for n, v in pins if installed.get(_plain(n)) != v]
    if off:
        raise StackError(
            f"{len(off)} of {len(pins)} packages differ from the lock, as {', '.join(off[:3])}",
            where=str(folder),
            remedy="Bring it in line with: make setup",
        )
    return f"{len(pins)} packages as locked"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def writable_home(home: Path) -> str:
    """Files can be made in the home folder, or in the first folder above that exists."""
    folder = next(path for path in (home, *home.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            return str(home)
    except OSError as error:
        raise StackError(
            f"nothing can be written here: {error.strerror}",
            where=str(folder),
            remedy="Give yourself the right to write, or choose another folder with TENPO_HOME.",
        ) from error


def disk_space(home: Path) -> str:
    """There is room for the demo and some days more."""
    folder = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if free < NEEDED_DISK:
        raise StackError(
            f"only {free / 1024**3:.1f} GiB are free, {NEEDED_DISK / 1024**3:.0f} are needed",
            where=str(folder),
            remedy="Make room, or choose another folder with TENPO_HOME.",
        )
    return f"{free / 1024**3:.1f} GiB free"


def memory() -> str:
    """The stack takes about 2 GiB, a job 1 more."""
    text = Path("/proc/meminfo").read_text("ascii")
    free = 1024 * int(re.findall(r"^MemAvailable:\s+(\d+)", text, re.MULTILINE)[0])
    if free < NEEDED_MEMORY:
        raise StackError(
            f"only {free / 1024**3:.1f} GiB of memory are free",
            remedy="Close other programs, or start less: tenpo up --no-follow",
        )
    return f"{free / 1024**3:.1f} GiB free"


def chromium() -> str:
    """A browser for the browser test; nothing else needs one."""
    chosen = os.environ.get("TENPO_CHROMIUM")
    found = chosen or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None or not os.access(found, os.X_OK):
        raise StackError(
            "no Chromium: the browser test is skipped" if not chosen else "it cannot be run",
            where=chosen or "",
            remedy="Install Debian's package chromium, or name a browser with TENPO_CHROMIUM.",
        )
    return found
