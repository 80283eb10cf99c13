"""What the service counts, for Prometheus; labels are tenants, stores, calls, HTTP statuses."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30)


class Metrics:
    """The metrics of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.calls = Counter(
            "tenpo_features_calls", "Calls answered.", ("tenant", "call", "status"),
            registry=registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "tenpo_features_seconds", "From a call's start to its answer.", ("call",),
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.running = Gauge(
            "tenpo_features_running", "Calls under way.", ("tenant",), registry=registry
        )
        self.newcomers = Counter(
            "tenpo_features_new_persons", "New persons that were made, or refused as too many.",
            ("tenant", "store", "outcome"), registry=registry,
        )  # fmt: skip

    def text(self) -> bytes:
        """As Prometheus scrapes them."""
        return generate_latest(self.registry)
