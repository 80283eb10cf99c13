"""The demo's last step: the models learn from what has come through, and say what they found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tenpo.datamart import connect, model_read, transaction
from tenpo.errors import ServiceError
from tenpo.model_words import note_words
from tenpo.settings import Settings

_WEEK = 7


@dataclass(frozen=True)
class Found:
    """What the models say of a tenant.

    Args:
        tenant_id: the tenant.
        clusters: how many.
        targets: the factor to work on first of each store, the largest head-room first.
        forecast: of each measure and currency the next seven days: low, value and high a day.
        notes: what to know of it, in English.
    """

    tenant_id: str
    clusters: int
    targets: Sequence[Mapping[Any, Any]]
    forecast: Mapping[tuple[str, str], float]
    notes: Sequence[str]

    @property
    def document(self) -> dict[str, object]:
        """For machines."""
        return {
            "clusters": self.clusters,
            "targets": len(self.targets),
            "next_seven_days": {
                f"{measure} {currency}": round(value)
                for (measure, currency), value in self.forecast.items()
            },
            "notes": list(self.notes),
        }


def run_models(tenants: Sequence[str]) -> None:
    """Run the models of tenants, as their weekly DAG does.

    Raises:
        ServiceError: the command failed.
    """
    asked = [part for tenant in tenants for part in ("--tenant", tenant)]
    command = [sys.executable, "-m", "tenpo.cli", "models", "run", *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServiceError(
            f"the models failed: {done.stderr.strip().splitlines()[-1:]}",
            where=", ".join(tenants),
            remedy="Run `tenpo models run` by hand.",
        )


def found(settings: Settings, tenant_id: str) -> Found:
    """What is published of a tenant."""
    engine = connect(settings)
    try:
        with transaction(engine) as connection:
            runs = model_read.runs(connection, tenant_id)
            targets = model_read.targets(connection, tenant_id)
            days = model_read.chain_forecasts(connection, tenant_id)
    finally:
        engine.dispose()
    week: dict[tuple[str, str], float] = {}
    first = min((day["business_date"] for day in days), default=None)
    for day in days:
        if first is not None and (day["business_date"] - first).days < _WEEK:
            key = (day["measure"], day["currency"])
            week[key] = week.get(key, 0.0) + float(day["value"])
    notes = [note_words(note)[0] for run in runs for note in orjson.loads(run["notes"])]
    return Found(
        tenant_id,
        sum(run["cluster_count"] for run in runs),
        [row for row in targets if row["is_first"]],
        week,
        notes,
    )


def sentence(target: Mapping[Any, Any]) -> str:
    """One line of English: what is, what is attainable, what that is worth."""
    who = "stores like it" if target["basis"] == "cluster peers" else "its best weeks"
    level, reach = (_figure(target, name) for name in ("level", "attainable"))
    text = f"{target['factor']} {level}, {who} {reach}"
    if target["headroom_amount"] is None:
        return text
    return f"{text}: worth {target['headroom_amount']:,.0f} {target['currency']} a month"


def _figure(target: Mapping[Any, Any], name: str) -> str:
    value = target[name]
    return f"{100 * value:.1f} %" if target["factor"] == "conversion" else f"{value:,.0f}"
