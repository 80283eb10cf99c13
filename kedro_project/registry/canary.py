"""A challenger on trial: a share of the stores sees its forecasts, until somebody decides.

Only the forecasts of stores, with the targets of their days, are tried: clusters and head-room
compare stores with each other and stay the champion's, as does the forecast of a whole chain.
A new champion, whichever it is, ends the trial.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from kedro_project.registry.score import Score, past_forecasts, scores
from kedro_project.results.publish import shown_run
from kedro_project.results.record import Shelf
from kedro_project.results.rows import published_tables
from kedro_project.results.stored import stored_results
from kedro_project.results.trial import end_trial, try_with
from tenpo.contracts.models import STORE_FORECAST
from tenpo.datamart import connect, model_results, transaction
from tenpo.datamart.model_results import Canary
from tenpo.errors import InputError
from tenpo.lake import Lake
from tenpo.settings import Settings

LARGEST_SHARE = 0.5


def begin(settings: Settings, tenant_id: str, run_id: str, share: float) -> Canary:
    """Try a run with a share of the stores of each currency, at least one and never all.

    Raises:
        InputError: no such share or run, it is champion, another is tried, or no chain has two
            stores.
        ServiceError: a service does not answer; do it again.
    """
    if not 0 < share <= LARGEST_SHARE:
        raise InputError(
            f"a share of {share:g} cannot be tried", where="--share",
            remedy=f"Give a number above 0, up to {LARGEST_SHARE}.",
        )  # fmt: skip
    champion = shown_run(settings, tenant_id)
    if champion is None or champion == run_id:
        raise InputError(
            "a run is tried beside a champion", where=f"{tenant_id}, run {run_id}",
            remedy="Choose a challenger from: tenpo models runs.",
        )  # fmt: skip
    lake = Lake(settings.lake_url)
    record = Shelf(lake, tenant_id).record(run_id)
    tables = published_tables(stored_results(lake, record), record)
    stores = chosen(tables[STORE_FORECAST.name], run_id, share)
    if not stores:
        raise InputError(
            "no chain has two stores with forecasts", where=f"{tenant_id}, run {run_id}",
            remedy="With one store there is nothing to compare: promote the run, or leave it.",
        )  # fmt: skip
    try_with(settings, record, tables, stores, champion)
    return Canary(run_id, stores)


def chosen(forecasts: pa.Table, run_id: str, share: float) -> tuple[str, ...]:
    """The stores that try a run: by chance, and the same whenever it is asked again.

    Args:
        forecasts: rows of `STORE_FORECAST`.
        run_id: the run; another run is tried with other stores.
        share: of the stores of each currency.
    """

    def lot(store_id: str) -> bytes:
        return blake2b(store_id.encode(), key=run_id.encode()[:64], digest_size=8).digest()

    found: list[str] = []
    for currency in pc.unique(forecasts["currency"]).to_pylist():
        own = forecasts.filter(pc.equal(forecasts["currency"], currency))
        stores = sorted(pc.unique(own["store_id"]).to_pylist(), key=lot)
        found += stores[: min(math.ceil(share * len(stores)), len(stores) - 1)]
    return tuple(sorted(found))


def stop(settings: Settings, tenant_id: str) -> Canary:
    """End the trial: all readers see the champion again.

    Raises:
        InputError: nothing is tried.
        ServiceError: a service does not answer; do it again.
    """
    champion = shown_run(settings, tenant_id)
    tried = None
    if champion is not None:
        lake = Lake(settings.lake_url)
        record = Shelf(lake, tenant_id).record(champion)
        tables = published_tables(stored_results(lake, record), record)
        tried = end_trial(settings, record, tables)
    return tried or _nothing_tried(tenant_id)


def tried_run(settings: Settings, tenant_id: str) -> Canary:
    """The run that is tried, and with which stores.

    Raises:
        InputError: none is.
    """
    engine = connect(settings)
    try:
        with transaction(engine) as connection:
            tried = model_results.canary(connection, tenant_id)
    finally:
        engine.dispose()
    return tried or _nothing_tried(tenant_id)


def standing(settings: Settings, tenant_id: str, min_coverage: float) -> Sequence[Score]:
    """How the run that is tried and the champion did with those stores, on days that both foretold.

    Args:
        settings: the process's settings.
        tenant_id: whose.
        min_coverage: as of `past_forecasts`.

    Raises:
        InputError: nothing is tried.
        ServiceError: the warehouse does not answer.
    """
    tried = tried_run(settings, tenant_id)
    runs = [tried.run_id, shown_run(settings, tenant_id)]
    shelf = Shelf(Lake(settings.lake_url), tenant_id)
    known = max(shelf.record(one).as_of for one in runs if one)
    span = (known + timedelta(days=1), datetime.now(UTC).date())
    if span[0] > span[1]:
        return ()
    rows = past_forecasts(settings, tenant_id, span, min_coverage)
    for name, wanted in (("run_id", runs), ("store_id", tried.stores)):
        rows = rows.filter(pc.is_in(rows[name], pa.array(wanted, pa.string())))
    return scores(rows, "run_id")


def _nothing_tried(tenant_id: str) -> NoReturn:
    raise InputError(
        "no run is tried", where=tenant_id, remedy="Begin with: tenpo models canary RUN --share 0.2"
    )
