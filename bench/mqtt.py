"""Messages a second over MQTT, and that none is lost when broker and gateway fall over.

`python -m bench.mqtt` publishes 2,000 one-event reports a second for 60 s to Mosquitto with
persistence; after a third of the time the broker is restarted, after two thirds the gateway
is killed (`kill -9`) and started again. Publishers send again what was not acknowledged. Then
what is in the lake is compared with what was published, event by event.

`--broker bundled --rate 0 --calm` finds the rate that the local stack's own broker holds: as
fast as it acknowledges, nothing restarted.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as paho
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from paho.mqtt.enums import CallbackAPIVersion

from bench.brokers import Broker, bundled, mosquitto
from bench.own_gateway import DEVICE, TENANT, OwnGateway, cpu_s
from bench.payloads import FIRST, report

TOPIC = f"tenpo/{TENANT}/iot/milesight/{DEVICE}"
PUBLISHERS = 4
WINDOW = 250
TICK_S = 0.02
PATIENCE_S = 180.0


@dataclass(frozen=True)
class Counts:
    """What lies in the lake.

    Args:
        rows: canonical rows.
        events: different event ids among them.
        numbers: which of the published reports they are of.
    """

    rows: int
    events: int
    numbers: set[int]


class Publisher:
    """A device that keeps what was not acknowledged, and sends it again."""

    def __init__(self, broker: Broker, name: str) -> None:
        url = urlsplit(broker.url)
        self._client = paho.Client(CallbackAPIVersion.VERSION2, name, clean_session=False)
        self._client.username_pw_set(url.username, url.password)
        self._client.max_inflight_messages_set(WINDOW)
        self._client.reconnect_delay_set(1, 2)
        self._client.on_publish = self._on_publish
        self._open = threading.BoundedSemaphore(WINDOW)
        self._lock = threading.Lock()
        self.acknowledged = 0
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def publish(self, number: int, *, wait: bool) -> None:
        """Hand one report over; `wait` for a place among those under way."""
        if wait:
            self._open.acquire()
        self._client.publish(TOPIC, report(number), qos=1)

    def _on_publish(self, *_: object) -> None:
        with self._lock:
            self.acknowledged += 1
        try:
            self._open.release()
        except ValueError:
            return  # on schedule nobody waits for a place

    def stop(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        broker = (mosquitto if options.broker == "mosquitto" else bundled)(home)
        broker.start()
        gateway = OwnGateway(home, broker.url)
        gateway.register()
        gateway.start()
        try:
            _measure(broker, gateway, options)
        finally:
            gateway.end()
            broker.end()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", choices=["mosquitto", "bundled"], default="mosquitto")
    parser.add_argument("--rate", type=float, default=2_000, help="0: as fast as acknowledged")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--calm", action="store_true", help="restart and kill nothing")
    return parser.parse_args()


def _measure(broker: Broker, gateway: OwnGateway, options: argparse.Namespace) -> None:
    time.sleep(2)  # the gateway subscribes
    publishers = [Publisher(broker, f"device-{n}") for n in range(PUBLISHERS)]
    troubles = threading.Thread(target=_trouble, args=(broker, gateway, options.seconds))
    begun, cpu = time.monotonic(), cpu_s(gateway.process.pid) if gateway.process else 0.0
    if not options.calm:
        troubles.start()
    numbers = _paced(options.rate, options.seconds) if options.rate else _until(options.seconds)
    published = 0
    for number in numbers:
        publishers[number % PUBLISHERS].publish(number, wait=not options.rate)
        published += 1
    offered_s = time.monotonic() - begun
    if not options.calm:
        troubles.join()
    found = _settled(gateway, publishers, published)
    took_s = time.monotonic() - begun
    acknowledged = sum(one.acknowledged for one in publishers)
    for publisher in publishers:
        publisher.stop()
    lost = set(range(published)) - found.numbers
    print(f"published {published:,} in {offered_s:.1f} s, acknowledged {acknowledged:,}")
    print(f"in the lake after {took_s:.1f} s: {found.events:,} events in {found.rows:,} rows "
          f"({found.rows - found.events:,} came again), {len(lost):,} lost")  # fmt: skip
    rate = f"{published / took_s:,.0f} messages/s from the first to all of them durable"
    if options.calm and gateway.process is not None:
        used = cpu_s(gateway.process.pid) - cpu
        rate += f"; {1e6 * used / published:.0f} us cpu of the gateway a message"
    print(rate)
    if lost:
        raise SystemExit(1)


def _trouble(broker: Broker, gateway: OwnGateway, seconds: float) -> None:
    time.sleep(seconds / 3)
    broker.end()
    broker.start()
    print(f"broker restarted after {seconds / 3:.0f} s", flush=True)
    time.sleep(seconds / 3)
    gateway.end(signal.SIGKILL)
    gateway.start()
    print("gateway killed and started again", flush=True)


def _paced(rate: float, seconds: float) -> Iterator[int]:
    """Numbers on schedule."""
    begun, number = time.monotonic(), 0
    while number < rate * seconds:
        due = min(int((time.monotonic() - begun) * rate), int(rate * seconds))
        yield from range(number, due)
        number = max(number, due)
        time.sleep(TICK_S)


def _until(seconds: float) -> Iterator[int]:
    """Numbers until the time is over."""
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        yield number
        number += 1


def _settled(gateway: OwnGateway, publishers: list[Publisher], published: int) -> Counts:
    """Wait until everything is acknowledged and in the lake, or patience ends."""
    end = time.monotonic() + PATIENCE_S
    while sum(one.acknowledged for one in publishers) < published and time.monotonic() < end:
        time.sleep(0.1)
    found = _counts(gateway)
    while found.events < published and time.monotonic() < end:
        time.sleep(1)
        found = _counts(gateway)
    return found


def _counts(gateway: OwnGateway) -> Counts:
    names = gateway.lake.names(f"canonical/{TENANT}/count_interval")
    columns = ["event_id", "occurred_at"]
    tables = [pq.ParquetFile(gateway.lake.path(name)).read(columns) for name in names]
    if not tables:
        return Counts(0, 0, set())
    table = pa.concat_tables(tables)
    minute = timedelta(minutes=1)
    moments: list[datetime] = pc.unique(table["occurred_at"]).to_pylist()
    numbers = {(moment.astimezone(UTC) - FIRST) // minute for moment in moments}
    return Counts(table.num_rows, pc.count_distinct(table["event_id"]).as_py(), numbers)


if __name__ == "__main__":
    main()
