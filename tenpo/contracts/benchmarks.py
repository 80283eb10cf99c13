"""What is released of many tenants together: benchmarks of industries.

How they come about and what protects retailers is in docs/adr/0022-benchmarks.md. A group is an
industry, within it a currency, within it a size; an empty name means all of them
that have no group of their own. Rows count once `mart.publication` names their run, under the
tenant `*`.
"""

from __future__ import annotations

from tenpo.contracts.contract import Contract
from tenpo.contracts.events import TENANT
from tenpo.contracts.field import Field, Type

#: Stands where a tenant's id does, for what belongs to the whole platform; no tenant has this id.
EVERYBODY = "*"

_PERIOD = (
    Field("period_from", Type.DATE, "First business date of the period.", required=True),
    Field("grain", Type.STRING, "ISO week or calendar month.", required=True,
          one_of=("week", "month")),
)  # fmt: skip
_GROUP = (
    Field("industry", Type.STRING, "As the store masters say, in lower case.", required=True),
    Field("currency", Type.STRING, "ISO 4217 code; empty: several.", required=True),
    Field("size_band", Type.STRING, "Sales floor: below 250 m², below 1,000 m², above; empty: "
          "several, or not known.", required=True, one_of=("", "small", "medium", "large")),
    Field("kpi", Type.STRING, "The KPI.", required=True),
)  # fmt: skip
_RUN = Field("run_id", Type.STRING, "The run that wrote it; visible once published.", required=True)


def _released(name: str, grain: str, *fields: Field) -> Contract:
    return Contract(
        name=name,
        dataset="mart",
        grain=grain,
        fields=(*_PERIOD, *fields, _RUN),
        partition_by="period_from",
    )


BENCHMARK_RELEASE = _released(
    "benchmark_release",
    "One period of which benchmarks were released. It is released once.",
    Field("period_to", Type.DATE, "Last business date of the period.", required=True),
    Field("released_at", Type.TIMESTAMP, "When.", required=True),
    Field("tenant_count", Type.INT64, "Tenants that took part.", "tenants", required=True),
    Field("figure_count", Type.INT64, "Groups and KPIs that were released.", required=True),
    Field("hidden_count", Type.INT64, "Groups and KPIs that were hidden.", required=True),
)

BENCHMARK = _released(
    "benchmark",
    "One KPI of one group of stores of several tenants in one period: rounded quartiles.",
    *_GROUP,
    Field("period", Type.STRING, "Its name, as 2026-W47 or 2026-11.", required=True),
    Field("period_to", Type.DATE, "Last business date of the period.", required=True),
    Field("low", Type.NUMERIC, "First quartile of the stores, two significant digits.",
          required=True),
    Field("median", Type.NUMERIC, "Median of the stores, two significant digits.", required=True),
    Field("high", Type.NUMERIC, "Third quartile of the stores, two significant digits.",
          required=True),
    Field("store_count_min", Type.INT64, "It rests on at least so many stores: 5, 10, 20, …",
          "stores", required=True),
    Field("definition_version", Type.INT64, "Version of the KPI definitions.", required=True),
)  # fmt: skip

BENCHMARK_CONTRIBUTOR = _released(
    "benchmark_contributor",
    "One tenant's part of one released figure. For the job and for audits, never for readers.",
    *_GROUP,
    TENANT,
    Field("store_count", Type.INT64, "Its stores in the group.", "stores", required=True),
)

BENCHMARK_TABLES: tuple[Contract, ...] = (BENCHMARK_RELEASE, BENCHMARK, BENCHMARK_CONTRIBUTOR)
