"""MQTT brokers to measure the gateway against: Mosquitto where it is installed, and our own.

Mosquitto: `apt-get install mosquitto` on Debian; settings: https://mosquitto.org/man/mosquitto-conf-5.html
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from bench.own_gateway import free_port, listens, started, wait_for
from tenpo.settings import local_secret
from tenpo.stack.addresses import MQTT_USER

# A client gets no more than 20 unacknowledged messages by default, and the gateway acknowledges
# whole groups: so few would be the limit. What waits for it must not be dropped either.
_MOSQUITTO = """listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 5
max_inflight_messages 1000
max_queued_messages 0
user root
"""


@dataclass
class Broker:
    """A broker process that can be ended and started again on the same state.

    Args:
        home: of the gateway that it serves.
        command: starts it.
        user: user and password for its address, with the @.
    """

    home: Path
    port: int
    command: list[str]
    user: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"mqtt://{self.user}127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        log = self.home / "broker.log"
        self.process = started(self.command, log, os.environ | self.environment)
        wait_for(self.process, log, lambda: listens(self.port))

    def end(self) -> None:
        """End it as an operator does; Mosquitto then writes its state to the disk."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)


def mosquitto(home: Path) -> Broker:
    """Mosquitto with persistence.

    Raises:
        SystemExit: it is not installed.
    """
    path = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if path is None:
        raise SystemExit(
            "not measured: there is no mosquitto here (Debian: apt-get install mosquitto)"
        )
    folder, port = home / "mosquitto", free_port()
    folder.mkdir(parents=True)
    settings = home / "mosquitto.conf"
    settings.write_text(_MOSQUITTO.format(port=port, folder=folder))
    return Broker(home, port, [path, "-c", str(settings)])


def bundled(home: Path) -> Broker:
    """The local stack's own broker."""
    port = free_port()
    command = [sys.executable, "-m", "tenpo.stack.mqtt_broker", str(port)]
    user = f"{MQTT_USER}:{local_secret(home, 'mqtt_password')}@"
    return Broker(home, port, command, user, {"TENPO_HOME": str(home)})
