"""The real gateway and broker as processes, to be killed; and a gateway that fails on purpose."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tenpo.settings import Settings, local_secret

START_S = 60


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Intake:
    """Broker and gateway on ports of their own."""

    settings: Settings
    ports: dict[str, int]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    def at(cls, home: Path) -> Intake:
        ports = {"gateway": free_port(), "mqtt": free_port()}
        password = local_secret(home, "mqtt_password")
        settings = Settings(
            home=home,
            gateway_url=f"http://127.0.0.1:{ports['gateway']}",
            mqtt_url=f"mqtt://tenpo:{password}@127.0.0.1:{ports['mqtt']}",
        )
        return cls(settings, ports)

    def start(self, name: str) -> None:
        module = {
            "gateway": ["gateways.serve"],
            "mqtt": ["tenpo.stack.mqtt_broker", str(self.ports["mqtt"])],
        }[name]
        environment = os.environ | {
            "TENPO_HOME": str(self.settings.home),
            "TENPO_GATEWAY_URL": self.settings.gateway_url,
            "TENPO_MQTT_URL": self.settings.mqtt_url,
        }
        with (self.settings.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *module], env=environment, stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            try:
                health = httpx.get(f"{self.settings.gateway_url}/health", trust_env=False).json()
            except httpx.TransportError:
                health = {}
            if health.get("mqtt") == "connected":
                return
            time.sleep(0.1)
        raise TimeoutError(f"see the logs in {self.settings.home}")

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(20)


@dataclass
class FailingGateway:
    """Answers as a gateway does, but every `fails_every`th request fails in its own way."""

    fails_every: int
    received: list[str] = field(default_factory=list)
    acknowledged: list[bytes] = field(default_factory=list)
    requests: int = 0
    refuse: bool = False

    async def take(self, request: Request) -> Response:
        body = await request.body()
        self.requests += 1
        self.received.append(request.url.path)
        if self.refuse:
            return JSONResponse({"error": "the file has no header"}, status_code=400)
        if self.requests % self.fails_every == 0:
            # Durable but not acknowledged, or simply not there: both must lead to a second try.
            status = (503, 429, 502)[self.requests // self.fails_every % 3]
            return JSONResponse({"error": "busy"}, status_code=status)
        self.acknowledged.append(body)
        counts = {"accepted": 1, "rejected": 0, "ignored": 0, "rejections": []}
        return JSONResponse({"receipt": f"x#{self.requests}", "received": 1} | counts)

    @property
    def times(self) -> Counter[bytes]:
        return Counter(self.acknowledged)

    @contextmanager
    def serving(self) -> Iterator[str]:
        app = Starlette(routes=[Route("/{path:path}", self.take, methods=["POST"])])
        port = free_port()
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()
