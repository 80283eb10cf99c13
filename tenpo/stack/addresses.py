"""The addresses of the running stack: written by `tenpo up`, read through the settings."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tenpo.settings import Settings, local_secret
from tenpo.stack.files import write_private
from tenpo.stack.layout import Layout
from tenpo.stack.ports import HOST

DATAMART = "tenpo"
AIRFLOW_DATABASE = "airflow"
MQTT_USER = "tenpo"


def postgres_dsn(layout: Layout, database: str) -> str:
    """The DSN of one database of the local PostgreSQL: through its Unix socket only."""
    return f"postgresql://postgres@/{database}?host={layout.postgres_socket}"


def addresses(settings: Settings, layout: Layout, ports: dict[str, int]) -> dict[str, object]:
    """What `stack.json` says; the keys are the names of `Settings` fields."""
    password = local_secret(settings.home, "mqtt_password")
    return {
        "api_url": f"http://{HOST}:{ports['api']}",
        "gateway_url": f"http://{HOST}:{ports['gateway']}",
        "airflow_url": f"http://{HOST}:{ports['airflow']}",
        "mqtt_url": f"mqtt://{MQTT_USER}:{password}@{HOST}:{ports['mqtt']}",
        "bigquery_endpoint": f"http://{HOST}:{ports['bigquery']}",
        "bigquery_grpc_endpoint": f"{HOST}:{ports['bigquery_grpc']}",
        "datamart_dsn": postgres_dsn(layout, DATAMART),
        "stack_ports": ports,
    }


def write_addresses(layout: Layout, values: dict[str, object]) -> str:
    """Write `stack.json`; returns a digest that changes with the addresses."""
    text = json.dumps(values, indent=2, sort_keys=True) + "\n"
    write_private(layout.addresses_file, text)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_ports(layout: Layout) -> dict[str, int]:
    """The ports of the last start; empty when there was none or the file is unreadable."""
    return _ports_of(layout.addresses_file)


def _ports_of(path: Path) -> dict[str, int]:
    try:
        found = json.loads(path.read_text("utf-8")).get("stack_ports", {})
    except (OSError, ValueError, AttributeError):
        return {}
    return {str(name): int(port) for name, port in found.items()}
