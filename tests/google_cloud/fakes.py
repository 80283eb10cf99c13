"""Fixtures: Cloud Storage (fake-gcs-server) and Pub/Sub (Google's pstest), on loopback.

The one notifies the other of each finalised object, as a bucket does. They are built by
`make google`; without them the tests are skipped by name.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

FAKES = Path(__file__).parents[2] / ".venvs" / "google"
PROJECT = "tenpo-test"
TOPIC = "objects"
BUCKET = "tenpo-lake"


@dataclass(frozen=True)
class GoogleCloud:
    """The running stand-ins.

    Args:
        storage: `http://host:port` of Cloud Storage.
        pubsub: `host:port` of Pub/Sub.
    """

    storage: str
    pubsub: str

    @property
    def environment(self) -> dict[str, str]:
        """What makes Google's clients use them."""
        return {
            "STORAGE_EMULATOR_HOST": self.storage,
            "PUBSUB_EMULATOR_HOST": self.pubsub,
            "GOOGLE_CLOUD_PROJECT": PROJECT,
        }

    def subscription(self, name: str) -> str:
        """A new subscription to the bucket's notifications, as `TENPO_HINTS_URL` names it."""
        from google.cloud.pubsub_v1 import SubscriberClient

        path = f"projects/{PROJECT}/subscriptions/{name}"
        with SubscriberClient() as client:
            client.create_subscription(name=path, topic=f"projects/{PROJECT}/topics/{TOPIC}")
        return f"pubsub://{path}"


@pytest.fixture(scope="session")
def google_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleCloud]:
    """Both stand-ins, with a bucket that notifies a topic; Google's clients are pointed at them."""
    if not (FAKES / "fake-gcs-server").exists() or not (FAKES / "fake-pubsub").exists():
        pytest.skip("the stand-ins of Cloud Storage and Pub/Sub are absent: run `make google`")
    folder = tmp_path_factory.mktemp("google")
    storage, pubsub = _free_port(), _free_port()
    made = GoogleCloud(f"http://127.0.0.1:{storage}", f"127.0.0.1:{pubsub}")
    patch = pytest.MonkeyPatch()
    for name, value in made.environment.items():
        patch.setenv(name, value)
    processes = [_start(folder, "fake-pubsub", made.pubsub)]
    try:
        _await_port(pubsub)
        _create_topic()
        processes.append(
            _start(
                folder,
                "fake-gcs-server",
                *("-scheme", "http", "-host", "127.0.0.1", "-port", str(storage)),
                *("-backend", "memory", "-public-host", f"127.0.0.1:{storage}"),
                *("-external-url", made.storage, "-event.bucket", BUCKET),
                *("-event.pubsub-project-id", PROJECT, "-event.pubsub-topic", TOPIC),
            )
        )
        _await_port(storage)
        httpx.post(f"{made.storage}/storage/v1/b", json={"name": BUCKET}).raise_for_status()
        yield made
    finally:
        for process in processes:
            process.terminate()
            process.wait(timeout=20)
        patch.undo()


def _start(folder: Path, program: str, *arguments: str) -> subprocess.Popen[bytes]:
    with (folder / f"{program}.log").open("wb") as log:
        return subprocess.Popen([FAKES / program, *arguments], stdout=log, stderr=log)


def _create_topic() -> None:
    from google.cloud.pubsub_v1 import PublisherClient

    PublisherClient().create_topic(name=f"projects/{PROJECT}/topics/{TOPIC}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
