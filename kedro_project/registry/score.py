"""Past forecasts beside the truth, once it has come: how far off they were, by what is asked.

Every published run's forecasts stay in mart; nothing else is kept for this. Sums are added before
they are divided, so a large store counts for more. Not for runs before they are published
(`judge`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from tenpo.settings import Settings
from tenpo.warehouse import Job, connect, load_sql, query

PACKAGE = "kedro_project.registry.sql"
_LONGEST_AHEAD = 366  # days: the longest horizon that is forecast
_SUMS = ("days", "error", "happened", "inside")


@dataclass(frozen=True)
class Score:
    """How past forecasts of one measure did.

    Args:
        currency: of the chain.
        measure: `sales`, `footfall` or `customers`.
        of: the store, the week ahead or the run; empty for all.
        days: store-days that were foretold and came; one counts for each run that foretold it.
        wape: sum of errors over the sum of figures; None where that is 0.
        coverage: share of days within their interval.
    """

    currency: str
    measure: str
    of: str
    days: int
    wape: float | None
    coverage: float


def past_forecasts(
    settings: Settings, tenant_id: str, span: tuple[date, date], min_coverage: float
) -> pa.Table:
    """Sums of errors by run, store, currency, measure and week ahead.

    Args:
        settings: the process's settings.
        tenant_id: whose.
        span: first and last business date that came.
        min_coverage: share of the open time that counters must cover for a day's footfall.

    Raises:
        ServiceError: the warehouse does not answer.
    """
    first, last = span
    today = datetime.now(UTC).date()
    params = {
        "tenant": tenant_id, "date_from": first, "date_to": last,
        "as_of_from": first - timedelta(days=_LONGEST_AHEAD), "min_coverage": min_coverage,
        "published_from": date(2020, 1, 1), "published_to": today + timedelta(days=1),
    }  # fmt: skip
    with connect(settings) as warehouse:
        sql = load_sql(warehouse, PACKAGE, "forecast_score")
        job = Job("models", f"score-{datetime.now(UTC):%Y%m%dT%H%M%S%f}", tenant_id)
        return query(warehouse, sql, params, job=job)


def scores(rows: pa.Table, by: str = "") -> Sequence[Score]:
    """Scores, by currency, measure and what is asked.

    Args:
        rows: of `past_forecasts`.
        by: `store_id`, `week` or `run_id`; empty for all together.
    """
    keys = ["currency", "measure", *([by] if by else [])]
    grouped = rows.group_by(keys).aggregate([(name, "sum") for name in _SUMS])
    ordered = grouped.sort_by([(key, "ascending") for key in keys])
    return [
        Score(
            currency=row["currency"],
            measure=row["measure"],
            of=str(row[by]) if by else "",
            days=row["days_sum"],
            wape=round(float(row["error_sum"] / row["happened_sum"]), 6)
            if row["happened_sum"]
            else None,
            coverage=round(row["inside_sum"] / row["days_sum"], 6),
        )
        for row in ordered.to_pylist()
    ]


def sentence(score: Score, weeks: int) -> str:
    """A score as a person says it."""
    if score.wape is None:
        return f"The last {weeks} weeks' {score.measure} ({score.currency}): nothing came"
    return (
        f"The last {weeks} weeks' forecasts of {score.measure} ({score.currency}) were off by "
        f"{score.wape:.0%}; {score.coverage:.0%} of {score.days:,} store-days lay within their "
        "interval"
    )
