"""What a gateway counts, for Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/.

Labels are bounded: tenants are those with masters, sources the vendors known here (all specs
are `spec`), reasons an enumeration. Counts are of this process since it started; the load
ledger has the ones that must add up.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gateways.normalize.adapter import Kind
from gateways.normalize.normalized import Result
from gateways.registry import vendors
from tenpo.receipts import Settled

SPEC = "spec"
_BY_SOURCE = ("tenant", "kind", "source")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_BYTES = (1e3, 1e4, 1e5, 1e6, 1e7, 1e8)


class Metrics:
    """The metrics of one gateway, in a registry of their own.

    A payload is counted in a few microseconds: looking a counter up by its labels costs more
    than counting, so what was looked up is kept.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._records = [
            Counter(f"tenpo_records_{name}", f"Records {name}.", _BY_SOURCE, registry=registry)
            for name in ("received", "accepted", "ignored")
        ]
        self._rejected = Counter(
            "tenpo_records_rejected", "Records rejected.", (*_BY_SOURCE, "reason"),
            registry=registry,
        )  # fmt: skip
        commit = Histogram(
            "tenpo_commit_seconds", "From a payload's arrival until it is durable.", ("kind",),
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        size = Histogram(
            "tenpo_payload_bytes", "Size of payloads that are durable.", ("kind",),
            buckets=_BYTES, registry=registry,
        )  # fmt: skip
        self._of_kind = {kind: (commit.labels(kind), size.labels(kind)) for kind in get_args(Kind)}
        self._of_source: dict[tuple[str, str, str], tuple[Counter, Counter, Counter]] = {}
        self._settled = Counter(
            "tenpo_receipts_settled", "Large payloads worked on, by outcome.", ("tenant", "state"),
            registry=registry,
        )  # fmt: skip
        self._refused_messages = Counter(
            "tenpo_mqtt_refused", "Messages acknowledged and not kept.", registry=registry
        )

    def watch(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Show a value that is asked for at each scrape."""
        Gauge(f"tenpo_{name}", meaning, registry=self.registry).set_function(read)

    def committed(self, kind: str, size_bytes: int, began: float) -> None:
        """Count one payload that is durable, and the time since `began`, of `time.perf_counter`."""
        commit, size = self._of_kind[kind]
        commit.observe(time.perf_counter() - began)
        size.observe(size_bytes)

    def count(self, tenant: str, kind: str, source: str, result: Result) -> None:
        """Count the records of one payload."""
        labels = (tenant, kind, source if source in vendors() else SPEC)
        received, accepted, ignored = self._of_source.get(labels) or self._look_up(labels)
        received.inc(result.received)
        accepted.inc(result.accepted)
        if result.ignored:
            ignored.inc(result.ignored)
        if result.rejected:
            self._count_rejected(labels, result)

    def _count_rejected(self, labels: tuple[str, str, str], result: Result) -> None:
        for reason, number in Tally(one.reason for one in result.rejected).items():
            self._rejected.labels(*labels, str(reason)).inc(number)

    def _look_up(self, labels: tuple[str, str, str]) -> tuple[Counter, Counter, Counter]:
        received, accepted, ignored = (one.labels(*labels) for one in self._records)
        self._of_source[labels] = found = (received, accepted, ignored)
        return found

    def count_settled(self, settled: Settled, result: Result | None) -> None:
        """Count one large payload, and its records where it could be read."""
        job = settled.accepted_as
        self._settled.labels(job.tenant_id, settled.state).inc()
        if result is not None:
            self.count(job.tenant_id, job.kind, job.source, result)

    def count_refused_message(self) -> None:
        """Count one MQTT message that nobody could take, which the broker is to forget."""
        self._refused_messages.inc()

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self.registry)


def age_s(receipt_object: str | None) -> float:
    """Seconds since the delivery of a job was received, by the job's name; 0 for none."""
    if receipt_object is None:
        return 0.0
    stamp = receipt_object.rpartition("/")[2][:20]
    if not stamp.isdigit():
        return 0.0
    received_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(stamp[4:]))
    return max((datetime.now(UTC) - received_at).total_seconds(), 0.0)
