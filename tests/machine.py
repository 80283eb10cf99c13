"""A small machine of its own: a data folder, the stack in it, and the `tenpo` command."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tenpo.cli.main import main
from tenpo.settings import Settings, get_settings
from tenpo.stack.leftovers import is_alive, marked, marker
from tenpo.stack.processes import NAMES

ROOT = Path(__file__).parents[1]
TENPO = Path(sys.executable).with_name("tenpo")
PORTS = ("API", "GATEWAY", "AIRFLOW", "BIGQUERY", "BIGQUERY_GRPC", "MQTT")


def free_ports() -> dict[str, str]:
    """Ports of its own for a machine, so that a running stack is left alone."""
    with_sockets = []
    for _ in PORTS:
        one = socket.socket()
        one.bind(("127.0.0.1", 0))
        with_sockets.append(one)
    ports = {}
    for name, one in zip(PORTS, with_sockets, strict=True):
        with closing(one):
            ports[f"TENPO_PORTS__{name}"] = str(one.getsockname()[1])
    return ports


@dataclass(frozen=True)
class Machine:
    """One data folder.

    Args:
        home: `TENPO_HOME`.
        env: further environment of every command.
        services: those that it has.
    """

    home: Path
    env: dict[str, str]
    services: tuple[str, ...] = NAMES

    def up(self, cwd: Path = ROOT) -> list[str]:
        """Bring its services up; which of them were started for that."""
        done = self.run("up", "--only", ",".join(self.services), "--json", cwd=cwd)
        answer = json.loads(done.stdout)
        states = {row["name"]: row["state"] for row in answer["services"]}
        assert [states[name] for name in self.services] == ["healthy"] * len(self.services)
        return sorted(answer["started"])

    def down(self) -> None:
        """Stop everything; nothing is left."""
        self.run("down")
        assert self.left() == []

    def left(self) -> list[int]:
        """Pids of this machine's processes that live."""
        return [pid for pid in marked(marker(self.home, "")) if is_alive(pid)]

    def addresses(self) -> dict[str, Any]:
        """Where its services are."""
        found: dict[str, Any] = json.loads((self.home / "stack.json").read_text())
        return found

    def run(
        self,
        *args: str,
        check: bool = True,
        timeout: float = 280,
        cwd: Path = ROOT,
        **env: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run `tenpo …` to its end."""
        result = subprocess.run(
            [str(TENPO), *args],
            env=self.environment(**env),
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and result.returncode:
            raise AssertionError(
                f"tenpo {' '.join(args)} ended with {result.returncode}\n"
                f"{result.stdout[-3000:]}\n{result.stderr[-6000:]}"
            )
        return result

    def here(self, *args: str, check: bool = True, **env: str) -> str:
        """Run `tenpo …` in this process, where all is imported already; what it printed."""
        printed, told = io.StringIO(), io.StringIO()
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        get_settings.cache_clear()
        try:
            with (
                patch.dict(os.environ, self.environment(**env), clear=True),
                redirect_stdout(printed),
                redirect_stderr(told),
            ):
                main(list(args))
        except SystemExit as end:
            if end.code and check:
                raise AssertionError(
                    f"tenpo {' '.join(args)} ended with {end.code}\n"
                    f"{printed.getvalue()[-3000:]}\n{told.getvalue()[-6000:]}"
                ) from end
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
            get_settings.cache_clear()
        return printed.getvalue()

    def start(self, *args: str, log: Path, **env: str) -> subprocess.Popen[bytes]:
        """Start `tenpo …` and leave it running."""
        with log.open("ab") as output:
            return subprocess.Popen(
                [str(TENPO), *args],
                env=self.environment(**env),
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )

    def json(self, *args: str, check: bool = True) -> Any:
        """The JSON answer of `tenpo … --json`."""
        return json.loads(self.here(*args, "--json", check=check))

    def environment(self, **env: str) -> dict[str, str]:
        """The environment of this machine's processes: nothing of the tester's own Tenpo."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("TENPO_")}
        return clean | {"TENPO_HOME": str(self.home)} | self.env | env

    def settings(self) -> Settings:
        """The settings as this machine's processes see them."""
        with patch.dict(os.environ, self.environment(), clear=True):
            return Settings()

    def pid(self, name: str) -> int:
        """Process id of a service of the stack, or of the supervisor."""
        if name == "supervisord":
            return int((self.home / "run" / "supervisord.pid").read_text("ascii"))
        services = self.json("status")["services"]
        return int(next(row["pid"] for row in services if row["name"] == name))

    def kill(self, name: str) -> None:
        """`kill -9` a service."""
        os.kill(self.pid(name), signal.SIGKILL)

    def job_pids(self, *words: str) -> list[int]:
        """Processes of this machine whose command line ends in `tenpo.cli WORDS…`."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with suppress(OSError):
                    command = (folder / "cmdline").read_bytes().decode().split("\0")
                    env = (folder / "environ").read_bytes().decode().split("\0")
                    ours = f"TENPO_HOME={self.home}" in env
                    if ours and "tenpo.cli" in command and set(words) <= set(command):
                        found.append(int(folder.name))
        return found
