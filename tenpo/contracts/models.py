"""What the models publish: clusters, targets and forecasts of a tenant's chains, run by run.

A *chain* is a tenant's stores of one currency. `mart` keeps every run's rows; those of runs that
`mart.publication` names count, and of them the newest run. The datamart holds that run alone.
"""

from __future__ import annotations

from tenpo.contracts.contract import Contract
from tenpo.contracts.events import STORE, TENANT
from tenpo.contracts.field import Field, Type

_AS_OF = Field("as_of_date", Type.DATE, "Last business date that the run knew.", required=True)
_RUN = Field("run_id", Type.STRING, "The run that wrote it; visible once published.", required=True)
_CURRENCY = Field("currency", Type.STRING, "ISO 4217 code; names the chain.", required=True)
_DATE = Field("business_date", Type.DATE, "The day to come.", required=True)
_BAND = (
    Field("measure", Type.STRING, "What is expected.", required=True,
          one_of=("sales", "footfall", "customers")),
    Field("value", Type.NUMERIC, "The median: as likely to be missed as passed.", required=True),
    Field("low", Type.NUMERIC, "Lower end of the prediction interval.", required=True),
    Field("high", Type.NUMERIC, "Upper end of the prediction interval.", required=True),
)  # fmt: skip


def _published(name: str, grain: str, *fields: Field) -> Contract:
    return Contract(
        name=name,
        dataset="mart",
        grain=grain,
        fields=(_AS_OF, TENANT, *fields, _RUN),
        partition_by="as_of_date",
        cluster_by=("tenant_id",),
    )


STORE_CLUSTER = _published(
    "store_cluster",
    "One store in one run of the models: its cluster, or why it has none.",
    STORE,
    _CURRENCY,
    Field("cluster_id", Type.STRING, "The cluster; ids stay the same from run to run."),
    Field("traits", Type.STRING, "What the cluster is like: codes, the most telling first."),
    Field("map_x", Type.FLOAT64, "Place on the map of stores; near means alike."),
    Field("map_y", Type.FLOAT64, "Place on the map of stores."),
    Field("left_out", Type.STRING, "Why the store has no cluster and no targets."),
)

STORE_TARGET = _published(
    "store_target",
    "One factor of one store's sales in one run of the models: what is, and what peers reach.",
    STORE,
    _CURRENCY,
    Field("factor", Type.STRING, "Part of sales: footfall, conversion and atv multiply.",
          required=True, one_of=("footfall", "conversion", "customers", "atv", "sales")),
    Field("level", Type.NUMERIC, "What the store reaches: a day's people or amount, a ratio.",
          required=True),
    Field("attainable", Type.NUMERIC, "What it could reach, never below its level.",
          required=True),
    Field("low", Type.NUMERIC, "Lower end of the interval of attainable.", required=True),
    Field("high", Type.NUMERIC, "Upper end of it.", required=True),
    Field("headroom_amount", Type.NUMERIC, "What reaching it is worth a month; null without sales.",
          "currency"),
    Field("low_amount", Type.NUMERIC, "Lower end of the interval of headroom_amount.", "currency"),
    Field("high_amount", Type.NUMERIC, "Upper end of it.", "currency"),
    Field("basis", Type.STRING, "What it is measured against.", required=True,
          one_of=("cluster peers", "own best weeks")),
    Field("is_first", Type.BOOL, "Whether it is the factor to work on first.", required=True),
)  # fmt: skip

STORE_FORECAST = _published(
    "store_forecast",
    "One measure of one store on one day to come, as one run of the models expects it.",
    STORE,
    _CURRENCY,
    _DATE,
    *_BAND,
    Field("target", Type.NUMERIC, "What the day asks for: the forecast and some of the head-room."),
    Field("is_cold", Type.BOOL, "Nothing was known of the store: its peers speak for it.",
          required=True),
)  # fmt: skip

CHAIN_FORECAST = _published(
    "chain_forecast",
    "One measure of a whole chain on one day to come, as one run of the models expects it.",
    _CURRENCY,
    _DATE,
    *_BAND,
)

MODEL_RUN = _published(
    "model_run",
    "One run of the models over one chain: what it was made from, so that it can be repeated.",
    _CURRENCY,
    Field("first_date", Type.DATE, "First business date that the run knew.", required=True),
    Field("store_count", Type.INT64, "Stores of the chain.", "stores", required=True),
    Field("cluster_count", Type.INT64, "Clusters found.", "clusters", required=True),
    Field("silhouette", Type.FLOAT64, "How well clusters part, -1 to 1; null for one cluster."),
    Field("stability", Type.FLOAT64, "How alike clusters come out without some stores, 0 to 1.",
          required=True),
    Field("seed", Type.INT64, "The same seed and data give the same results.", required=True),
    Field("data_fingerprint", Type.STRING, "Hash of everything that was learnt from.",
          required=True),
    Field("parameters", Type.STRING, "The pipelines' parameters, as JSON.", required=True),
    Field("versions", Type.STRING, "Versions of the libraries, as JSON.", required=True),
    Field("notes", Type.STRING, "What a reader should know of the results: a JSON list.",
          required=True),
    Field("started_at", Type.TIMESTAMP, "When the run began.", required=True),
)  # fmt: skip

#: In the order of the models' way.
MODEL_TABLES: tuple[Contract, ...] = (
    MODEL_RUN, STORE_CLUSTER, STORE_TARGET, STORE_FORECAST, CHAIN_FORECAST,
)  # fmt: skip
