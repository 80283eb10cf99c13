"""KPI definitions: one executable definition each, used wherever a KPI is shown.

Mart and datamart hold *measures*, which add up over hours, days and stores. A
*KPI* is a measure or a quotient of two, computed after summing, never averaged.
"""

from tenpo.kpi.definitions import DEFINITION_VERSION, KPIS, ZONE_KPIS, Kpi, evaluate
from tenpo.kpi.measures import (
    KPI_STORE_DAY,
    KPI_STORE_HOUR,
    KPI_ZONE_HOUR,
    MEASURES,
    PUBLICATION,
    ZONE_MEASURES,
    Measure,
)

__all__ = [
    "DEFINITION_VERSION",
    "KPIS",
    "KPI_STORE_DAY",
    "KPI_STORE_HOUR",
    "KPI_ZONE_HOUR",
    "MEASURES",
    "PUBLICATION",
    "ZONE_KPIS",
    "ZONE_MEASURES",
    "Kpi",
    "Measure",
    "evaluate",
]
