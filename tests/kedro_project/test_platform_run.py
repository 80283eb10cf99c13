"""`tenpo models run` over a real warehouse and datamart: what is published, how, and to whom."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from kedro_project import platform_run
from kedro_project.chain import previous_clusters
from kedro_project.commands import models
from kedro_project.registry.compare import compare
from kedro_project.registry.decision import Decision
from kedro_project.registry.facts import kept_facts
from kedro_project.registry.promotion import promote
from kedro_project.registry.repeat import repeat
from kedro_project.registry.score import past_forecasts, scores
from kedro_project.registry.tracking import track
from kedro_project.results import publish
from kedro_project.results.codec import from_bytes, to_bytes
from kedro_project.results.history import events_of, roll_back, runs_of
from kedro_project.results.record import RunRecord, Shelf
from tenpo.contracts import MODEL_TABLES
from tenpo.contracts.models import STORE_CLUSTER
from tenpo.errors import InputError, IntegrityError, ServiceError
from tenpo.kpi import PUBLICATION
from tenpo.lake import Lake
from tenpo.publication import announce_published
from tenpo.warehouse import Job, append, query
from tests.kedro_project import mart_world
from tests.kedro_project.mart_world import EURO, LAST, UNCOUNTED, YEN, YOUNG
from tests.kedro_project.platform import ALL, HORIZON, Platform
from tests.kedro_project.small import small

AIRFLOW = "scheduled__2026-09-07T00:00:00+00:00"


PARAMETERS = small(horizon=HORIZON)


@pytest.fixture(scope="module")
def published(platform: Platform) -> Platform:
    platform.run(as_of=LAST - timedelta(days=7))
    platform.run("zeta")
    platform.run(as_of=LAST)
    return platform


def test_the_stores_fall_into_their_two_kinds(published: Platform) -> None:
    rows = {row["store_id"]: row for row in published.rows("store_cluster")}
    assert set(rows) == {*YEN, *EURO}
    kinds = [{rows[s]["cluster_id"] for s in YEN[n:10:2]} for n in (0, 1)]
    assert [len(kind) for kind in kinds] == [1, 1]
    assert kinds[0] != kinds[1]
    assert rows["s00"]["traits"].startswith("weekend_high")
    assert "5 known trading days" in rows[YOUNG]["left_out"]
    assert rows[YOUNG]["cluster_id"] is None
    assert {rows[store]["currency"] for store in EURO} == {"EUR"}


def test_the_weak_store_is_told_its_worth(published: Platform) -> None:
    targets = {(r["store_id"], r["factor"]): r for r in published.rows("store_target")}
    weak = targets["s00", "conversion"]
    assert weak["is_first"]
    assert weak["level"] == pytest.approx(Decimal("0.15"), abs=Decimal("0.002"))
    assert weak["attainable"] == pytest.approx(Decimal("0.25"), abs=Decimal("0.002"))
    # Two thirds more sales: its visitors, 0.15 of whom pay 1,000, for a month of 30.4 days.
    monthly = 400 * sum(mart_world.WEEKENDS) / 7 * 0.15 * 1_000 * 30.4
    assert float(weak["headroom_amount"]) == pytest.approx(monthly * 2 / 3, rel=0.03)
    assert weak["low_amount"] <= weak["headroom_amount"] <= weak["high_amount"]


def test_every_store_is_forecast_and_the_chain_with_its_band(published: Platform) -> None:
    rows = published.rows("store_forecast")
    assert len(rows) == (len(YEN) + len(EURO)) * HORIZON * 2
    assert min(row["business_date"] for row in rows) == LAST + timedelta(days=1)
    assert all(0 <= row["low"] <= row["value"] <= row["high"] for row in rows)
    young = [row for row in rows if row["store_id"] == YOUNG]
    assert all(row["target"] is None for row in young)
    total = {(r["business_date"], r["currency"]): r for r in published.rows("chain_forecast")
             if r["measure"] == "sales"}  # fmt: skip
    day = LAST + timedelta(days=3)
    parts = [r["value"] for r in rows if r["measure"] == "sales" and r["business_date"] == day
             and r["currency"] == "JPY"]  # fmt: skip
    assert float(total[day, "JPY"]["value"]) == pytest.approx(float(sum(parts)), rel=1e-6)
    assert total[day, "JPY"]["low"] < total[day, "JPY"]["value"] < total[day, "JPY"]["high"]


def test_only_published_figures_are_learnt_from(published: Platform) -> None:
    """A run that was never published says a thousand million a day."""
    largest = max(row["value"] for row in published.rows("store_forecast"))
    assert largest < 10**6


def test_the_run_is_recorded(published: Platform) -> None:
    before = {r["currency"]: r for r in published.rows("model_run")}
    assert set(before) == {"JPY", "EUR"}
    record = before["JPY"]
    assert json.loads(record["parameters"]) == json.loads(json.dumps(PARAMETERS))
    assert json.loads(record["versions"]).keys() >= {"tenpo", "lightgbm", "scikit-learn"}
    assert record["cluster_count"] == 2
    codes = {note["code"]: note["count"] for note in json.loads(record["notes"])}
    assert codes == {"no_year": 98, "uncovered_days": 1}


def _comparable(rows: list[dict[str, Any]]) -> set[str]:
    assert rows
    return {str({k: v for k, v in r.items() if k not in ("run_id", "started_at")}) for r in rows}


def test_an_earlier_day_is_not_published_over_a_later_one(published: Platform) -> None:
    with pytest.raises(InputError, match="is published"):
        published.run(as_of=LAST - timedelta(days=7))
    assert {row["as_of_date"] for row in published.rows("model_run")} == {LAST}


def test_ids_of_clusters_come_from_the_run_before(published: Platform) -> None:
    job = Job("test", "ids", "acme")
    sql = f"""
        SELECT DISTINCT as_of_date, store_id, cluster_id
        FROM `{published.warehouse.table("mart", "store_cluster")}`
        WHERE as_of_date BETWEEN '2026-01-01' AND '2026-12-31' AND tenant_id = 'acme'
    """  # noqa: S608
    by_day: dict[Any, dict[str, str]] = {}
    for row in query(published.warehouse, sql, job=job).to_pylist():
        by_day.setdefault(row["as_of_date"], {})[row["store_id"]] = row["cluster_id"]
    assert len(by_day) == 2
    first, second = by_day.values()
    assert first == second


def test_tenants_do_not_touch_each_other(published: Platform) -> None:
    assert {row["store_id"] for row in published.rows("store_cluster", "zeta")} == {"kiosk"}
    (record,) = published.rows("model_run", "zeta")
    codes = {note["code"] for note in json.loads(record["notes"])}
    assert "few_stores" in codes
    (cluster,) = published.rows("store_cluster", "zeta")
    assert (cluster["cluster_id"], cluster["traits"]) == ("c1", "all_stores")


def test_a_tenant_without_figures_is_left_in_peace(platform: Platform) -> None:
    assert platform.run("empty") is None
    assert platform.rows("run", "empty") == []


def test_pipelines_one_by_one_repeat_the_run(published: Platform) -> None:
    """As Airflow starts them; the same data and seed give the same results."""
    held = {table.name: published.rows(table.name) for table in MODEL_TABLES}
    with pytest.raises(InputError, match="no such run"):
        published.run(pipelines=("clustering",), key="scheduled__2026-09-07")
    for name in ALL:
        record = published.run(pipelines=(name,), key=AIRFLOW, as_of=LAST)
        if name != "publish":
            assert published.rows("model_run") == held["model_run"]
    assert {row["run_id"] for row in published.rows("model_run")} == {record.run_id}
    for table, rows in held.items():
        assert _comparable(published.rows(table)) == _comparable(rows)
    page = Shelf(Lake(published.settings.lake_url), "acme").of(record, "JPY").get("report")
    assert b"Map of stores" in page
    assert UNCOUNTED.encode() in page


def test_publishing_twice_adds_nothing(published: Platform) -> None:
    before = _mart_rows(published)
    published.run(pipelines=("publish",), key=AIRFLOW)
    assert _mart_rows(published) == before > 0


def test_a_shown_run_is_published_whatever_was_noted_of_it(published: Platform) -> None:
    (shown,) = {row["run_id"] for row in published.rows("model_run")}
    with published.engine.begin() as connection:
        connection.execute(
            text("UPDATE run SET state = 'failed', published_at = NULL WHERE run_id = :run"),
            {"run": shown},
        )
    published.run(pipelines=("publish",), key=AIRFLOW)
    published.run(pipelines=(), key=AIRFLOW, is_dry=True)
    again = next(one for one in runs_of(published.settings, "acme")[1] if one.run_id == shown)
    assert again.state == "published"
    assert again.published_at is not None


def test_a_run_keeps_to_its_own_shelf_while_another_begins(
    published: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key `newest` comes to mean the other; neither the record nor the shelf does."""
    shelf = Shelf(Lake(published.settings.lake_url), "acme")
    mine = shelf.find(AIRFLOW)
    shelf.keep(mine, "by-hand")
    seen: list[str] = []

    def begin_another(_: Any, catalog: Any, __: Any) -> None:
        seen.append(catalog.load("run_record").run_id)
        other = RunRecord.new("acme", (mine.first, mine.as_of), mine.currencies, {})
        shelf.keep(other, "by-hand")

    with monkeypatch.context() as patch:
        patch.setattr(platform_run, "run_on", begin_another)
        published.run(pipelines=("clustering", "forecast"), key="by-hand")
    assert seen == [mine.run_id] * 4
    assert shelf.find(mine.run_id) == mine
    shelf.keep(mine, AIRFLOW)


def test_killed_between_mart_and_datamart_it_never_was_and_can_go_on(
    published: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(place: str) -> None:
        if place == "models.after_mart":
            raise KeyboardInterrupt

    before = {table.name: published.rows(table.name) for table in MODEL_TABLES}
    with monkeypatch.context() as patch:
        patch.setattr(publish, "failpoint", die)
        with pytest.raises(KeyboardInterrupt):
            published.run(key="killed", as_of=LAST)
    assert {name: published.rows(name) for name in before} == before
    told: list[str] = []

    def mart_is_gone(*given: Any) -> None:
        told.append(given[2])
        if len(told) > 1:
            raise ServiceError("BigQuery does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(publish, "announce_published", mart_is_gone)
        record = published.run(pipelines=("publish",), key="killed")
    assert {row["run_id"] for row in published.rows("model_run")} == {record.run_id}
    announce_published(published.engine, published.warehouse, "acme")  # as the next run does
    # Its rows are in mart twice now; who reads them takes equal ones once.
    job = Job("test", "previous", "acme")
    after = LAST + timedelta(days=7)
    found = previous_clusters(published.warehouse, "acme", "JPY", after, job)
    shown = {r["store_id"]: r["cluster_id"] for r in published.rows("store_cluster")
             if r["currency"] == "JPY" and r["cluster_id"]}  # fmt: skip
    assert found.to_dict() == shown
    assert found.index.is_unique


def test_what_is_no_number_is_not_published(published: Platform) -> None:
    shelf = Shelf(Lake(published.settings.lake_url), "acme")
    own = shelf.of(shelf.find(AIRFLOW), "JPY")
    sound = own.get("forecasts")
    spoilt = from_bytes(sound)
    spoilt["sales"].value[0, 0] = np.nan
    own.put("forecasts", to_bytes(spoilt))
    before = published.rows("store_forecast")
    with pytest.raises(IntegrityError, match="no number"):
        published.run(pipelines=("publish",), key=AIRFLOW)
    assert published.rows("store_forecast") == before
    own.put("forecasts", sound)


def test_a_failure_is_recorded(published: Platform) -> None:
    record = published.run(pipelines=("features",), key="again", as_of=LAST)
    with pytest.raises(IntegrityError, match="has no cluster"):
        published.run(pipelines=("forecast",), key="again")
    state = {row["run_id"]: row for row in published.rows("run")}[record.run_id]
    assert (state["state"], state["published_at"]) == ("failed", None)
    assert "has no cluster" in state["note"]
    shown = {row["run_id"] for row in published.rows("model_run")}
    assert record.run_id not in shown


def test_readers_can_be_given_an_earlier_run_again(published: Platform) -> None:
    past = runs_of(published.settings, "acme")[1]
    before = {row["run_id"] for row in published.rows("model_run")}
    record = roll_back(published.settings, "acme", None)
    assert {row["run_id"] for row in published.rows("model_run")} == {record.run_id} != before
    assert runs_of(published.settings, "acme")[0] == record.run_id
    assert len(published.rows("store_cluster")) == len(YEN) + len(EURO)
    failed = next(one.run_id for one in past if one.state == "failed" and not one.published_at)
    with pytest.raises(InputError, match="no such published run"):
        roll_back(published.settings, "acme", failed)
    with pytest.raises(InputError, match="no earlier published run"):
        roll_back(published.settings, "empty", None)


def test_going_back_twice_does_not_lead_forward(published: Platform) -> None:
    starts = {one.run_id: one.started_at for one in runs_of(published.settings, "acme")[1]}
    shown = runs_of(published.settings, "acme")[0]
    assert shown is not None
    again = roll_back(published.settings, "acme", None).run_id
    assert starts[again] < starts[shown]
    roll_back(published.settings, "acme", shown)


def test_ids_of_clusters_go_on_from_the_run_that_was_shown_again(platform: Platform) -> None:
    """The later run was bad, so the earlier one was published once more after it."""
    moment = datetime(2026, 9, 1, tzinfo=UTC)
    rows = [
        {
            "tenant_id": "back", "as_of_date": LAST - timedelta(days=days), "currency": "JPY",
            "run_id": name, "store_id": "s", "cluster_id": name,
        }
        for name, days in (("good", 14), ("bad", 7))
    ]  # fmt: skip
    told = [
        {"run_id": name, "tenant_id": "back", "published_at": moment + timedelta(days=days)}
        for name, days in (("good", 0), ("bad", 7), ("good", 8))
    ]
    append(platform.warehouse, STORE_CLUSTER, STORE_CLUSTER.table(rows))
    append(platform.warehouse, PUBLICATION, PUBLICATION.table(told))
    found = previous_clusters(platform.warehouse, "back", "JPY", LAST, Job("test", "b", "back"))
    assert found.to_dict() == {"s": "good"}


def test_a_dry_run_publishes_nothing_and_says_so(published: Platform) -> None:
    shown = published.rows("model_run")
    record = published.run("zeta", pipelines=ALL[:-1], is_dry=True)
    assert published.rows("model_run") == shown
    (newest, *_) = runs_of(published.settings, "zeta")[1]
    assert (newest.run_id, newest.state, newest.note) == (
        record.run_id, "nothing_to_do", "dry run",
    )  # fmt: skip


def test_a_challenger_stays_one_until_somebody_promotes_it(published: Platform) -> None:
    (champion,) = published.rows("model_run", "zeta")
    challenger = published.run("zeta", coverage=0.05, margin=0.9)
    assert published.rows("model_run", "zeta") == [champion]
    (newest, *_) = runs_of(published.settings, "zeta")[1]
    assert (newest.run_id, newest.state) == (challenger.run_id, "nothing_to_do")
    assert f"of champion {champion['run_id']} on the same folds" in newest.note
    assert newest.note.endswith("asked for 90.0% less")
    page = Shelf(Lake(published.settings.lake_url), "zeta").of(challenger, "JPY").get("report")
    assert b"Map of stores" in page
    promote(published.settings, "zeta", challenger.run_id)
    assert [row["run_id"] for row in published.rows("model_run", "zeta")] == [challenger.run_id]
    roll_back(published.settings, "zeta", champion["run_id"])
    assert published.rows("model_run", "zeta") == [champion]
    states = [one.state for one in events_of(published.settings, "zeta", challenger.run_id)]
    assert states == ["begun", "challenger", "champion"]
    last = events_of(published.settings, "zeta")[-1]
    assert (last.run_id, last.note) == (
        champion["run_id"], f"shown again in place of {challenger.run_id}",
    )  # fmt: skip


def test_a_run_meets_the_champion_of_now_not_the_one_it_was_judged_beside(
    published: Platform,
) -> None:
    """As where somebody starts a run by hand while Airflow's is under way."""
    slow = published.run("zeta", pipelines=ALL[:-1], key="slow")
    quick = published.run("zeta")
    assert [row["run_id"] for row in published.rows("model_run", "zeta")] == [quick.run_id]
    published.run("zeta", pipelines=("publish",), key="slow")
    assert [row["run_id"] for row in published.rows("model_run", "zeta")] == [slow.run_id]
    verdict = Shelf(Lake(published.settings.lake_url), "zeta").of(slow, "JPY").get("verdict")
    assert from_bytes(verdict)["champion"] == quick.run_id


def test_a_challenger_that_may_be_worse_is_promoted_with_the_figures(published: Platform) -> None:
    better = published.run("zeta", coverage=0.3, margin=-1.0)
    assert [row["run_id"] for row in published.rows("model_run", "zeta")] == [better.run_id]
    (_, came) = events_of(published.settings, "zeta", better.run_id)
    assert (came.state, came.note[:5]) == ("champion", "WAPE ")


def test_a_run_comes_out_the_same_from_its_record(published: Platform) -> None:
    (shown,) = published.rows("model_run", "zeta")
    lake = Lake(published.settings.lake_url)
    found = repeat(published.settings, "zeta", shown["run_id"], lambda _: None)
    assert (found.is_same, found.is_same_code) == (True, True)
    assert published.rows("model_run", "zeta") == [shown]
    facts = kept_facts(lake, found.record)
    (chain,) = facts["chains"]
    assert chain["data_fingerprint"] == shown["data_fingerprint"]
    assert (chain["stores"], chain["known"]["sales"]) == (1, mart_world.DAYS)
    document = compare(published.settings, "zeta", shown["run_id"], found.record.run_id)
    assert document["differs"] == []
    earlier = next(
        one.run_id for one in events_of(published.settings, "zeta") if one.state == "challenger"
    )
    document = compare(published.settings, "zeta", earlier, shown["run_id"])
    assert document["differs"] == ["results_fingerprint", "parameters.forecast.coverage"]
    (scores,) = document["scores"].values()
    assert scores["folds"] == [f"{LAST - timedelta(days=HORIZON)}"]
    assert {one["sales"]["store_days"] for one in scores["of"].values()} == {HORIZON}


def test_a_copy_in_mlflow_has_what_the_run_was_made_from(
    published: Platform, tmp_path: Path
) -> None:
    from mlflow.tracking import MlflowClient

    url = f"sqlite:///{tmp_path}/mlflow.db"
    record = Shelf(Lake(published.settings.lake_url), "zeta").find("newest")
    facts = kept_facts(Lake(published.settings.lake_url), record)
    settings = published.settings.model_copy(update={"mlflow_url": url})
    made = track(settings, record, facts, Decision(is_promoted=False, reason="for a test"))
    assert made is not None
    client = MlflowClient(tracking_uri=url)
    copy = client.get_run(made)
    assert copy.data.params["forecast.coverage"] == "0.3"
    assert copy.data.tags["tenpo.became"] == "challenger"
    assert copy.data.metrics["JPY.stores"] == 1
    assert {one.path for one in client.list_artifacts(made)} == {"facts.json", "JPY.html"}
    away = published.settings.model_copy(update={"mlflow_url": "http://127.0.0.1:9"})
    assert track(away, record, facts, Decision(is_promoted=True, reason="")) is None


def test_past_forecasts_are_scored_with_what_came(published: Platform) -> None:
    """Of the first run, whose next seven days are in the world; added up here day by day."""
    span = (LAST - timedelta(days=6), LAST)
    rows = past_forecasts(published.settings, "acme", span, 0.9)
    found = {(one.currency, one.measure): one for one in scores(rows)}
    known = 7 * (len(YEN) - 1)  # the youngest shop had not traded yet, so nothing was said of it
    assert {key: one.days for key, one in found.items()} == {
        ("EUR", "sales"): 14, ("EUR", "footfall"): 14,
        ("JPY", "sales"): known, ("JPY", "footfall"): known - 1,  # of one nobody saw the whole day
    }  # fmt: skip
    came = {
        (row["store_id"], row["business_date"]): row["net_sales_amount"]
        for row in mart_world.figures("acme", "JPY", YEN)
    }
    sql = f"""
        SELECT DISTINCT store_id, business_date, value, low, high
        FROM `{published.warehouse.table("mart", "store_forecast")}`
        WHERE as_of_date = '{LAST - timedelta(days=7)}' AND tenant_id = 'acme'
          AND currency = 'JPY' AND measure = 'sales' AND business_date <= '{LAST}'
    """  # noqa: S608
    said = [
        (came[row["store_id"], row["business_date"]], row)
        for row in query(published.warehouse, sql, job=Job("test", "said", "acme")).to_pylist()
        if (row["store_id"], row["business_date"]) in came
    ]
    wape = sum(abs(row["value"] - truth) for truth, row in said) / sum(truth for truth, _ in said)
    inside = sum(row["low"] <= truth <= row["high"] for truth, row in said)
    yen = found["JPY", "sales"]
    assert (yen.wape, yen.coverage) == (round(float(wape), 6), round(inside / len(said), 6))
    assert 0 < float(wape) < 0.5
    assert {(one.of, one.measure) for one in scores(rows, "week")} == {
        ("1", "sales"), ("1", "footfall"),
    }  # fmt: skip
    assert {one.of for one in scores(rows, "store_id")} == {*YEN, *EURO} - {YOUNG}
    assert past_forecasts(published.settings, "empty", span, 0.9).num_rows == 0


def test_commands_say_what_became_of_runs(published: Platform) -> None:
    def said(*words: str) -> str:
        done = CliRunner().invoke(models, [*words, "--tenant", "zeta"], catch_exceptions=False)
        return done.stdout

    (shown,) = {row["run_id"] for row in published.rows("model_run", "zeta")}
    lines = said("runs").splitlines()
    (own,) = [line for line in lines if line.startswith(f"* {shown}  champion")]
    assert "WAPE" in own
    assert {line.split()[1] for line in lines if line[0] == " "} >= {"retired", "kept"}
    assert f"{shown}  begun" in said("history", "--run", shown)
    (other,) = {line.split()[0] for line in lines if " challenger " in line or "by hand" in line}
    compared = said("compare", other, shown)
    assert "differs: results_fingerprint, parameters.forecast.coverage" in compared
    assert compared.count("14 store-days") == 4
    assert f"run {other}, as of {LAST}, is champion" in said("promote", other)
    assert f"run {shown}, as of {LAST}, is shown again" in said("rollback", "--run", shown)
    assert "no day of the last 1 weeks was foretold" in said("score", "--weeks", "1")
    with pytest.raises(InputError, match="no grain"):
        said("score", "--by", "moon")


def test_the_history_cannot_be_changed(published: Platform) -> None:
    for statement in ("UPDATE model_event SET note = ''", "DELETE FROM model_event"):
        with (
            pytest.raises(DBAPIError, match="append-only"),
            published.engine.begin() as connection,
        ):
            connection.execute(text(statement))


def _mart_rows(platform: Platform) -> int:
    table = platform.warehouse.table("mart", "store_forecast")
    sql = f"SELECT COUNT(*) AS n FROM `{table}` WHERE as_of_date > '2026-01-01'"  # noqa: S608
    return int(query(platform.warehouse, sql, job=Job("test", "count", "acme"))["n"][0].as_py())
