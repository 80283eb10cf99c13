"""The data dictionary, written from the contracts and KPI definitions themselves.

`python -m tenpo.dictionary docs` writes `docs/tables.md` and `docs/kpis.md`; a test
holds the committed files to what this module says.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tenpo.benchmark import COMPARED
from tenpo.contracts import BENCHMARK_TABLES, CONFORMED, EVENTS, MODEL_TABLES
from tenpo.contracts.derived import READING_INTERVAL
from tenpo.contracts.persons import PERSON, VISIT_EVENT_CURRENT
from tenpo.kpi import (
    DEFINITION_VERSION,
    KPI_STORE_DAY,
    KPI_STORE_HOUR,
    KPI_ZONE_HOUR,
    KPIS,
    MEASURES,
    PUBLICATION,
    ZONE_KPIS,
    ZONE_MEASURES,
    Kpi,
    Measure,
)
from tenpo.kpi.busy import PATTERNS, Pattern

_TABLES = """# Tables

Written from the contracts in `tenpo/contracts` and `tenpo/kpi`; do not edit. `raw` is
append-only (but that erased persons leave it) and partitioned by the date of ingestion; `dwh`
and `mart` by the store's business date, the models' tables by the last date a run knew, those of
benchmarks by the first date of a period. Every query needs a condition on the partition column.
"""

_KPIS = """# KPIs

Written from `tenpo/kpi`; do not edit. Definition version {version}.

A KPI is a sum or a quotient of two sums: over longer periods or several stores the
measures are summed first and divided last; few are a maximum or a median, and say so.
A quotient with nothing below is null.
Amounts of different currencies are never added. Null means unknown, not zero.
"""

_YOY = """## A year before

`yoy_ratio` of any KPI is its value over its value on the aligned days a year before: 364 days
back, so that weekdays meet, in ISO weeks and the 4-5-4 calendar alike; calendar months meet the
same month. It is of same stores: those that were open for the whole base period and still were at
the end of the range (`compare=year` of [the API](api.md#get-v1kpis))."""

_BENCHMARKS = """
## Benchmarks

Compared between stores, from each store's own sums:
{kpis}.
A store's figure counts where at least 70 % of the dates have figures and, of what counters tell,
80 % of the opening time was covered.
Within a tenant a store is held against its cluster, across tenants against its industry
([ADR 22](adr/0022-benchmarks.md)).
"""


def tables() -> str:
    """`docs/tables.md`."""
    derived = [PERSON, VISIT_EVENT_CURRENT, READING_INTERVAL]
    marts = [KPI_STORE_HOUR, KPI_STORE_DAY, KPI_ZONE_HOUR, PUBLICATION]
    marts += [*MODEL_TABLES, *BENCHMARK_TABLES]
    contracts = [*EVENTS.values(), *CONFORMED.values(), *derived, *marts]
    return "\n".join([_TABLES, *(contract.markdown() for contract in contracts)])


def kpis() -> str:
    """`docs/kpis.md`."""
    lines = [_KPIS.format(version=DEFINITION_VERSION), *_defined(KPIS.values())]
    lines += ["", "## Measures", "", *_measured(MEASURES)]
    lines += ["", "## Zones", "", *_defined(ZONE_KPIS.values()), "", *_measured(ZONE_MEASURES)]
    lines += ["", "## Busy hours", "", *_defined(PATTERNS.values())]
    lines += ["", _YOY]
    lines += [_BENCHMARKS.format(kpis=", ".join(f"`{name}`" for name in COMPARED)).rstrip()]
    return "\n".join(lines) + "\n"


def _defined(found: Iterable[Kpi | Pattern]) -> Iterator[str]:
    yield from ("| KPI | formula | unit | meaning | 日本語 |", "|---|---|---|---|---|")
    for k in found:
        words = f"{k.meaning[0]} | {k.label[1]}:{k.meaning[1]}"
        yield f"| `{k.name}` {k.label[0]} | {k.formula} | {k.unit} | {words} |"


def _measured(found: Iterable[Measure]) -> Iterator[str]:
    yield from ("| measure | type | unit | meaning |", "|---|---|---|---|")
    for m in found:
        yield f"| `{m.name}` | {m.type.bigquery} | {m.unit} | {m.meaning} |"


def write(folder: Path) -> None:
    """Write both files."""
    (folder / "tables.md").write_text(tables(), "utf-8")
    (folder / "kpis.md").write_text(kpis(), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
