"""Running the models on the platform's own data: a tenant, its chains, its run.

The pipelines of one run may run in one process or in one each: what they hand over lies in the
lake, and the run's record says what they agree on.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from kedro_project.chain.read import chains, last_whole_day
from kedro_project.execution import run_on
from kedro_project.pipelines import chain, clustering, features, forecast, judge, publish, targets
from kedro_project.registry.decision import Decision
from kedro_project.registry.facts import keep_facts
from kedro_project.registry.notify import tell
from kedro_project.registry.promotion import decision_of
from kedro_project.registry.tracking import track
from kedro_project.results import publish as publishing
from kedro_project.results.record import NEWEST, RunRecord, Shelf
from tenpo.errors import ChampionChanged, InputError
from tenpo.lake import Lake
from tenpo.masters import MasterBook, TenantMasters
from tenpo.settings import Settings
from tenpo.warehouse import Job, connect

#: What one task of Airflow runs, in order. The first begins a run.
PIPELINES: dict[str, Callable[[], Pipeline]] = {
    "features": lambda: chain.create_pipeline() + features.create_pipeline(),
    "clustering": clustering.create_pipeline,
    "forecast": forecast.create_pipeline,
    "targets": targets.create_pipeline,
    "judge": judge.create_pipeline,
    "publish": publish.create_pipeline,
}
_MEETINGS = 3  # champions that a run meets at most, where others of its tenant are published
_OF_RUN = ("publish",)  # the others are run chain by chain
_CONF = Path(__file__).parent / "conf"


@dataclass(frozen=True)
class Wish:
    """What to run.

    Args:
        tenant_id: for whom.
        pipelines: some of `PIPELINES`, in their order.
        key: what the caller knows the run by, or its id.
        as_of: last business date to be known; none means the last whole day with figures.
        is_dry: `publish` is left out on purpose; it may follow later.
    """

    tenant_id: str
    pipelines: Sequence[str]
    key: str = NEWEST
    as_of: date | None = None
    is_dry: bool = False


def run_models(
    settings: Settings, wish: Wish, parameters: dict[str, Any], told: Callable[[str], None]
) -> RunRecord | None:
    """Run pipelines of a tenant.

    Args:
        settings: the process's settings, which the catalog's datasets read, too.
        wish: what to run.
        parameters: of all pipelines, as in `conf/base`; kept in the record of a new run.
        told: called with each step's name before it is done.

    Returns:
        The run; None where the tenant has no figures yet.

    Raises:
        UnknownReference: there is no such tenant.
        InputError: a later pipeline is wanted and no run has begun, or a newer run is published.
        ServiceError: something does not answer; do it again.
    """
    shelf = Shelf(Lake(settings.lake_url), wish.tenant_id)
    masters = MasterBook(shelf.lake).get(wish.tenant_id)
    record: RunRecord | None
    if "features" in wish.pipelines:
        record = _new(settings, masters, wish, parameters)
        if record is None:
            return None
        if "publish" in wish.pipelines:
            publishing.refuse_older(settings, record)
        publishing.begin(settings, record)
        shelf.keep(record, wish.key)
    else:
        record = shelf.find(wish.key)
    try:
        for name in wish.pipelines:
            if name == "publish":
                _end(settings, record, told)
            else:
                run_pipeline(name, PIPELINES[name](), record, told)
        if wish.is_dry:
            publishing.rest(settings, record, "kept", "dry run")
    except Exception as error:  # whatever it is: the run's record says that it failed
        publishing.fail(settings, record, error)
        raise
    finally:
        tell(settings, wish.tenant_id)
    return record


def _end(settings: Settings, record: RunRecord, told: Callable[[str], None]) -> None:
    """Publish or keep a run; judge it again where another was published meanwhile."""
    for _ in range(_MEETINGS - 1):
        try:
            decision = _published_or_kept(settings, record, told)
            break
        except ChampionChanged:
            run_pipeline("judge", PIPELINES["judge"](), record, told)
    else:
        decision = _published_or_kept(settings, record, told)
    track(settings, record, keep_facts(Lake(settings.lake_url), record), decision)


def _published_or_kept(
    settings: Settings, record: RunRecord, told: Callable[[str], None]
) -> Decision:
    """Publish a run whose verdict allows it; of any other keep the pages and the reason."""
    decision = decision_of(settings, record)
    ended = publish.create_pipeline()
    if decision.is_promoted:
        run_pipeline("publish", ended, record, told)
    else:
        run_pipeline("publish", ended.only_nodes("reports"), record, told)
        publishing.rest(settings, record, "challenger", decision.reason)
        told(f"{record.tenant_id}: the champion stays: {decision.reason}")
    return decision


def _new(
    settings: Settings, masters: TenantMasters, wish: Wish, parameters: dict[str, Any]
) -> RunRecord | None:
    """A run of what is known now; None where there is nothing."""
    now = datetime.now(UTC)
    until = min(wish.as_of or date.max, last_whole_day(masters, now))
    with connect(settings) as warehouse:
        job = Job("models", f"begin-{now:%Y%m%dT%H%M%S%f}", wish.tenant_id)
        found = chains(warehouse, wish.tenant_id, until, job)
    traded = {store.currency for store in masters.store}
    found = [one for one in found if one.currency in traded]
    if not found:
        return None
    as_of = max(one.last_date for one in found)
    history = timedelta(days=int(parameters["chain"]["history_days"]) - 1)
    first = max(min(one.first_date for one in found), as_of - history)
    currencies = tuple(one.currency for one in found if one.last_date >= first)
    return RunRecord.new(wish.tenant_id, (first, as_of), currencies, parameters)


def run_pipeline(
    name: str, pipeline: Pipeline, record: RunRecord, told: Callable[[str], None]
) -> None:
    """Run one pipeline of a run, chain by chain where it is one of chains.

    Args:
        name: one of `PIPELINES`.
        pipeline: it, or some of its nodes.
        record: the run.
        told: called with each step's name before it is done.
    """
    for currency in ("",) if name in _OF_RUN else record.currencies:
        told(f"{record.tenant_id}: {name} {currency}".rstrip())
        run_on(pipeline, _catalog(record, currency), record.parameters)


def _catalog(record: RunRecord, currency: str) -> DataCatalog:
    """The catalog of `conf/platform` for one chain."""
    given = {"tenant": record.tenant_id, "run": record.run_id, "currency": currency}
    with warnings.catch_warnings():  # Kedro 1.7 calls what OmegaConf 2.4 has renamed
        warnings.filterwarnings("ignore", "register_new_resolver", UserWarning)
        loader = OmegaConfigLoader(
            str(_CONF), base_env="base", default_run_env="platform", runtime_params=given
        )
        return DataCatalog.from_config(loader["catalog"])


def checked_pipelines(name: str | None) -> tuple[str, ...]:
    """One pipeline, or all.

    Raises:
        InputError: there is no such pipeline.
    """
    if name is None:
        return tuple(PIPELINES)
    if name not in PIPELINES:
        raise InputError(
            f"there is no pipeline {name[:40]!r}",
            where="--pipeline",
            remedy=f"Choose from: {', '.join(PIPELINES)}.",
        )
    return (name,)
