"""GET /metrics, for whoever shows the operator's token: the numbers name every tenant."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from gateways.intake.metrics import age_s
from gateways.intake.parcels import Intake
from gateways.mqtt import MqttIntake
from tenpo.operators_token import require_operator
from tenpo.settings import Settings


def add_metrics_route(app: FastAPI, settings: Settings, intake: Intake) -> None:
    """Add the address to a gateway, and the values that are asked for at each scrape."""
    metrics, worker, fetcher = intake.metrics, intake.worker, intake.fetcher
    secret = settings.metrics_secret()

    def mqtt_connected() -> float:
        mqtt: MqttIntake | None = app.state.mqtt
        return float(mqtt is not None and mqtt.connected)

    metrics.watch("jobs_open", "Large payloads not settled yet.", lambda: len(worker.open))
    metrics.watch("jobs_running", "Of these, worked on here now.",
                  lambda: len(worker.under_way) + len(fetcher.under_way))  # fmt: skip
    metrics.watch(
        "jobs_oldest_seconds", "Age of the oldest of them.",
        lambda: age_s(next(iter(worker.open), None)),
    )  # fmt: skip
    metrics.watch("bodies_bytes", "Bodies in memory.", lambda: intake.held_bodies.total)
    metrics.watch("mqtt_connected", "1 while the broker answers.", mqtt_connected)
    metrics.watch("workroom_children", "Children that open files.",
                  lambda: intake.workroom.children)  # fmt: skip

    @app.get("/metrics", include_in_schema=False)
    async def read_metrics(request: Request) -> Response:
        """The metrics as Prometheus scrapes them."""
        require_operator(secret, request.headers.get("authorization"))
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
