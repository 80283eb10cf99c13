"""A period's benchmarks from its stores' sums: pure, rows in and rows out.

The order of the work: figures of stores, groups that may be told of, quartiles. Not for
reading or writing (`job`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from beam_jobs.benchmark.estimate import at_least, estimated
from beam_jobs.benchmark.privacy import Figure, Parts, Pool, pools
from tenpo.benchmark import COMPARED, Group, Quartiles, figure_of
from tenpo.kpi import KPIS
from tenpo.kpi.calendar import Period, PeriodGrain

Row = Mapping[str, Any]
Stores = Mapping[tuple[str, str], Group]


@dataclass(frozen=True, slots=True)
class Told:
    """One KPI of one group: its quartiles, or why they are hidden."""

    kpi: str
    pool: Pool
    quartiles: Quartiles | None

    @property
    def why_hidden(self) -> str | None:
        """`few` stores or tenants, `held` after a change, or all `alike`; None where it is told."""
        return self.pool.hidden or (None if self.quartiles else "alike")


@dataclass(frozen=True)
class Release:
    """What one period tells.

    Args:
        grain: week or month.
        period: which.
        told: every group and KPI, the hidden ones too.
        tenants: how many took part.
        version: of the KPI definitions.
    """

    grain: PeriodGrain
    period: Period
    told: Sequence[Told]
    tenants: int
    version: int

    @property
    def hidden(self) -> int:
        """How many groups and KPIs are hidden."""
        return sum(1 for one in self.told if one.why_hidden)

    def figures(self) -> Iterator[dict[str, Any]]:
        """Rows of `BENCHMARK`, but for their run."""
        for one in self._shown():
            yield self._key(one) | {
                "period": self.period.name,
                "period_to": self.period.last,
                "low": one.quartiles.low if one.quartiles else None,
                "median": one.quartiles.median if one.quartiles else None,
                "high": one.quartiles.high if one.quartiles else None,
                "store_count_min": at_least(len(one.pool.figures)),
                "definition_version": self.version,
            }

    def contributors(self) -> Iterator[dict[str, Any]]:
        """Rows of `BENCHMARK_CONTRIBUTOR`, but for their run."""
        for one in self._shown():
            parts = Counter(figure.tenant_id for figure in one.pool.figures)
            for tenant_id, stores in parts.items():
                yield self._key(one) | {"tenant_id": tenant_id, "store_count": stores}

    def _shown(self) -> Iterator[Told]:
        return (one for one in self.told if one.why_hidden is None)

    def _key(self, one: Told) -> dict[str, Any]:
        group = one.pool.group
        return {
            "period_from": self.period.first, "grain": self.grain, "industry": group.industry,
            "currency": group.currency, "size_band": group.size_band, "kpi": one.kpi,
        }  # fmt: skip


def compose(
    grain: PeriodGrain,
    period: Period,
    sums: Sequence[Row],
    stores: Stores,
    before: Mapping[str, Mapping[Group, Parts]],
) -> Release:
    """The benchmarks of a period.

    Args:
        grain: week or month.
        period: which.
        sums: rows of `store_sums.sql`.
        stores: group of each store that takes part, by tenant and store.
        before: by KPI, who was in a group when it was last released, not long ago.
    """
    version = _commonest(sums)
    days = (period.last - period.first).days + 1
    grouped = [
        (row, group)
        for row in sums
        if row["first_version"] == row["last_version"] == version
        and (group := _group(row, stores)) is not None
    ]
    told = [
        Told(kpi, pool, None if pool.hidden else estimated([one.value for one in pool.figures]))
        for kpi in COMPARED
        for pool in pools(
            list(_figures(kpi, grouped, days)),
            before.get(kpi, {}),
            over_currencies=KPIS[kpi].unit != "currency",
        )
    ]
    return Release(grain, period, told, len({row["tenant_id"] for row, _ in grouped}), version)


def _figures(kpi: str, rows: Sequence[tuple[Row, Group]], days: int) -> Iterator[Figure]:
    for row, group in rows:
        value = figure_of(kpi, row, row["day_count"], days)
        if value is not None:
            yield Figure(row["tenant_id"], row["store_id"], group, value)


def _group(row: Row, stores: Stores) -> Group | None:
    """The group of a row's store; None where the row is of another currency than the store's."""
    group = stores.get((row["tenant_id"], row["store_id"]))
    return group if group is not None and group.currency == row["currency"] else None


def _commonest(sums: Sequence[Row]) -> int:
    """The version that most stores' figures have, of several the newest: versions do not mix."""
    tally = Counter(row["last_version"] for row in sums)
    return max(tally, key=lambda version: (tally[version], version), default=0)
