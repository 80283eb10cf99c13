"""A small machine of its own: a data folder, the stack in it, and the `tenpo` command."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tenpo.cli.main import main
from tenpo.settings import Settings, get_settings

ROOT = Path(__file__).parents[2]
TENPO = Path(sys.executable).with_name("tenpo")


@dataclass(frozen=True)
class Machine:
    """One data folder.

    Args:
        home: `TENPO_HOME`.
        env: further environment of every command.
    """

    home: Path
    env: dict[str, str]

    def run(
        self, *args: str, check: bool = True, timeout: float = 280, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `tenpo …` to its end."""
        result = subprocess.run(
            [str(TENPO), *args],
            env=self.environment(**env),
            cwd=ROOT,
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

    def here(self, *args: str, **env: str) -> str:
        """Run `tenpo …` in this process, where Beam is imported already; what it printed."""
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
            if end.code:
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

    def json(self, *args: str) -> Any:
        """The JSON answer of `tenpo … --json`."""
        return json.loads(self.here(*args, "--json"))

    def environment(self, **env: str) -> dict[str, str]:
        """The environment of this machine's processes: nothing of the tester's own Tenpo."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("TENPO_")}
        return clean | {"TENPO_HOME": str(self.home)} | self.env | env

    def settings(self) -> Settings:
        """The settings as this machine's processes see them."""
        with patch.dict(os.environ, self.environment(), clear=True):
            return Settings()

    def pid(self, name: str) -> int:
        """Process id of a service of the stack."""
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
