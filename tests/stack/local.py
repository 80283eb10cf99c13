"""A local stack of a test's own, driven by the command line like a person would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tenpo.stack.leftovers import is_alive, marked, marker


class LocalStack:
    """A stack of its own, driven by the command line."""

    def __init__(self, home: Path, wanted: tuple[str, ...], first_port: int) -> None:
        self.home = home
        self.wanted = wanted
        names = ("API", "GATEWAY", "AIRFLOW", "BIGQUERY", "BIGQUERY_GRPC", "MQTT")
        ports = {f"TENPO_PORTS__{n}": str(first_port + 10 * i) for i, n in enumerate(names)}
        self.env = os.environ | ports | {"TENPO_HOME": str(home)}

    def tenpo(self, *arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "tenpo.cli", *arguments, "--json"],
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)

    def up(self) -> list[str]:
        answer = self.tenpo("up", "--only", ",".join(self.wanted))
        states = {row["name"]: row["state"] for row in answer["services"]}
        assert [states[name] for name in self.wanted] == ["healthy"] * len(self.wanted)
        return sorted(answer["started"])

    def pid(self, name: str) -> int:
        if name == "supervisord":
            return int((self.home / "run" / "supervisord.pid").read_text())
        services = self.tenpo("status")["services"]
        return next(int(row["pid"]) for row in services if row["name"] == name)

    def addresses(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.home / "stack.json").read_text())
        return found

    def left(self) -> list[int]:
        return [pid for pid in marked(marker(self.home, "")) if is_alive(pid)]
