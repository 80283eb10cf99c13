"""A copy of a run in MLflow, for those who look at runs there; off unless `mlflow_url` is set.

MLflow decides nothing: who is champion is the datamart's word alone (`docs/adr/0014`), and the tag
`tenpo.became` is what it said when the run ended. Only the client is used, and MLflow's own store
behind it (https://mlflow.org/docs/latest/ml/tracking/tracking-api/). Importing it takes seconds:
it happens here, when it is needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy.exc import SQLAlchemyError

from kedro_project.registry.decision import Decision
from kedro_project.registry.facts import flat
from kedro_project.results.record import RunRecord, Shelf
from tenpo.lake import Lake
from tenpo.settings import Settings
from tenpo.telemetry import get_logger

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
          "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}  # fmt: skip
_LONGEST = 500  # of a parameter's value; MLflow refuses longer ones
log = get_logger(__name__)


def track(
    settings: Settings, record: RunRecord, facts: Mapping[str, Any], decision: Decision
) -> str | None:
    """Copy a run that has ended; a registry that is away fails no run.

    Args:
        settings: `mlflow_url`; without one nothing is copied.
        record: the run.
        facts: as `keep_facts` gives them.
        decision: what became of it.

    Returns:
        MLflow's id of the copy; None where there is none.
    """
    if not settings.mlflow_url:
        return None
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    try:
        return _copy(MlflowClient(tracking_uri=settings.mlflow_url), settings, record, facts,
                     decision)  # fmt: skip
    except (MlflowException, SQLAlchemyError, OSError) as error:
        log.warning("the run is not copied to MLflow", tenant=record.tenant_id,
                    run_id=record.run_id, error=type(error).__name__)  # fmt: skip
        return None


def _copy(
    client: MlflowClient, settings: Settings, record: RunRecord, facts: Mapping[str, Any],
    decision: Decision,
) -> str:  # fmt: skip
    experiment = _experiment(client, settings, record.tenant_id)
    began = int(record.started_at.timestamp() * 1000)
    tags = {
        "mlflow.runName": record.run_id, "tenpo.code": record.code,
        "tenpo.tenant": record.tenant_id, "tenpo.as_of": f"{record.as_of}",
        "tenpo.recipe": record.recipe, "tenpo.became":
            "champion" if decision.is_promoted else "challenger",
        "tenpo.reason": decision.reason,
    }  # fmt: skip
    made: str = client.create_run(experiment, start_time=began, tags=tags).info.run_id
    for name, value in flat(record.parameters):
        client.log_param(made, name, str(value)[:_LONGEST])
    for name, number in _metrics(facts):
        client.log_metric(made, name, number)
    text = orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()
    client.log_text(made, text, "facts.json")
    shelf = Shelf(Lake(settings.lake_url), record.tenant_id)
    for currency in record.currencies:
        page = shelf.of(record, currency).get("report").decode()
        client.log_text(made, page, f"{currency}.html")
    client.set_terminated(made)
    return made


def _experiment(client: MlflowClient, settings: Settings, tenant_id: str) -> str:
    """One a tenant; files lie in the lake, unless a server keeps them."""
    name = f"tenpo/{tenant_id}"
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    is_served = settings.mlflow_url.startswith("http")
    place = None if is_served else f"{settings.lake_url}/artifact/{tenant_id}/mlflow"
    return str(client.create_experiment(name, artifact_location=place))


def _metrics(facts: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for chain in facts["chains"]:
        scores = (chain["verdict"] or {}).get("challenger", {})
        yield f"{chain['currency']}.stores", float(chain["stores"])
        for measure, score in scores.items():
            for name, value in score.items():
                yield f"{chain['currency']}.{measure}.{name}", float(value)
