"""The data dictionary, written from the contracts and KPI definitions themselves.

`python -m tenpo.dictionary docs` writes `docs/tables.md` and `docs/kpis.md`; a test
holds the committed files to what this module says.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tenpo.contracts import CONFORMED, EVENTS, MODEL_TABLES
from tenpo.contracts.derived import READING_INTERVAL
from tenpo.contracts.persons import PERSON, VISIT_EVENT_CURRENT
from tenpo.kpi import DEFINITION_VERSION, KPI_STORE_DAY, KPI_STORE_HOUR, KPIS, MEASURES, PUBLICATION

_TABLES = """# Tables

Written from the contracts in `tenpo/contracts` and `tenpo/kpi`; do not edit. `raw` is
append-only (but that erased persons leave it) and partitioned by the date of ingestion; `dwh`
and `mart` by the store's business date, the models' tables by the last date a run knew. Every
query needs a condition on the partition column.
"""

_KPIS = """# KPIs

Written from `tenpo/kpi`; do not edit. Definition version {version}.

A KPI is a sum or a quotient of two sums: over longer periods or several stores the
measures are summed first and divided last. A quotient with nothing below is null.
Amounts of different currencies are never added. Null means unknown, not zero.
"""


def tables() -> str:
    """`docs/tables.md`."""
    derived = [PERSON, VISIT_EVENT_CURRENT, READING_INTERVAL]
    marts = [KPI_STORE_HOUR, KPI_STORE_DAY, PUBLICATION, *MODEL_TABLES]
    contracts = [*EVENTS.values(), *CONFORMED.values(), *derived, *marts]
    return "\n".join([_TABLES, *(contract.markdown() for contract in contracts)])


def kpis() -> str:
    """`docs/kpis.md`."""
    lines = [_KPIS.format(version=DEFINITION_VERSION)]
    lines += ["| KPI | formula | unit | meaning | 日本語 |", "|---|---|---|---|---|"]
    lines += [
        f"| `{k.name}` {k.label[0]} | {k.formula} | {k.unit} | {k.meaning[0]} | "
        f"{k.label[1]}:{k.meaning[1]} |"
        for k in KPIS.values()
    ]
    lines += ["", "## Measures", "", "| measure | type | unit | meaning |", "|---|---|---|---|"]
    lines += [f"| `{m.name}` | {m.type.bigquery} | {m.unit} | {m.meaning} |" for m in MEASURES]
    return "\n".join(lines) + "\n"


def write(folder: Path) -> None:
    """Write both files."""
    (folder / "tables.md").write_text(tables(), "utf-8")
    (folder / "kpis.md").write_text(kpis(), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
