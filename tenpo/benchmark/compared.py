"""Which KPIs of stores are compared, when a store's figure counts, and plain quartiles of them.

Only quotients whose both sides add up over dates: sums tell large stores from small ones, and sales
per area full weeks from others. Quartiles here are for stores of one tenant; across tenants they
are estimated otherwise (`beam_jobs.benchmark.estimate`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import quantiles

from tenpo.kpi import KPIS
from tenpo.kpi.definitions import Sum, quotient
from tenpo.kpi.measures import COUNTED

#: In the order of the dashboard.
COMPARED: tuple[str, ...] = (
    "capture_ratio", "conversion_ratio", "atv_amount", "upt", "aur_amount", "spv_amount",
    "return_ratio",
)  # fmt: skip
#: Fewer stores than this are no comparison.
FEWEST_STORES = 3
_LEAST_DAYS, _LEAST_COVERAGE = Decimal("0.7"), Decimal("0.8")
_PLACES = Decimal("0.000000001")


@dataclass(frozen=True, slots=True)
class Quartiles:
    """Half of the stores lie from `low` to `high`, a quarter of them below and above."""

    low: Decimal
    median: Decimal
    high: Decimal


def figure_of(
    kpi: str, sums: Mapping[str, Sum | None], day_count: int, days: int
) -> Decimal | None:
    """A store's KPI of a range as far as it may be compared with others'; None where not.

    Args:
        kpi: one of `COMPARED`.
        sums: of the store's measures.
        day_count: dates of the range that have figures; at least 70 % are asked for.
        days: dates of the range.
    """
    if day_count < _LEAST_DAYS * days:
        return None
    if COUNTED & set(KPIS[kpi].inputs):
        covered = quotient(sums.get("covered_s"), sums.get("expected_s"))
        if covered is None or covered < _LEAST_COVERAGE:
            return None
    value = KPIS[kpi].value(sums)
    return None if value is None else Decimal(value)


def quartiles(figures: Sequence[Decimal]) -> Quartiles | None:
    """Quartiles between the figures, as PERCENTILE_CONT and Excel give them; None of too few."""
    if len(figures) < FEWEST_STORES:
        return None
    return Quartiles(
        *(each.quantize(_PLACES) for each in quantiles(figures, n=4, method="inclusive"))
    )
