"""A challenger on trial: who sees it, who does not, how it is judged, how it ends."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from kedro_project.commands import models
from kedro_project.registry import canary
from kedro_project.registry.promotion import promote
from kedro_project.results.history import events_of, roll_back, runs_of
from tenpo.contracts.models import STORE_FORECAST
from tenpo.errors import InputError
from tests.kedro_project.mart_world import EURO, LAST, YEN
from tests.kedro_project.platform import Platform

FIRST_DAY = LAST - timedelta(days=7)  # the last seven days of the world come after the runs


@pytest.fixture(scope="module")
def champion(platform: Platform) -> str:
    """The run that readers see."""
    made: str = platform.run(as_of=FIRST_DAY).run_id
    return made


@pytest.fixture(scope="module")
def challenger(platform: Platform, champion: str) -> str:
    """A run with narrow intervals that nobody sees yet."""
    made: str = platform.run(as_of=FIRST_DAY, coverage=0.05, margin=0.9).run_id
    assert runs_of(platform.settings, "acme")[0] == champion != made
    return made


def seen(platform: Platform) -> dict[str, set[str]]:
    """Whose forecasts the readers of each store see."""
    found: dict[str, set[str]] = {}
    for row in platform.rows("store_forecast"):
        found.setdefault(row["store_id"], set()).add(row["run_id"])
    return found


def exact(platform: Platform, *tables: str) -> list[Any]:
    return [platform.rows(table) for table in tables]


def test_some_stores_of_each_chain_see_it_and_the_others_do_not(
    platform: Platform, champion: str, challenger: str
) -> None:
    others = ("model_run", "store_cluster", "store_target", "chain_forecast")
    before, forecasts = exact(platform, *others), platform.rows("store_forecast")
    tried = canary.begin(platform.settings, "acme", challenger, 0.25)
    assert tried == canary.tried_run(platform.settings, "acme")
    assert len(set(tried.stores) & set(EURO)) == 1
    assert len(set(tried.stores) & set(YEN)) == 3  # of eleven that traded
    runs = seen(platform)
    assert {store for store, ids in runs.items() if ids == {challenger}} == set(tried.stores)
    assert {store for store, ids in runs.items() if ids == {champion}} == {*runs} - {*tried.stores}
    assert exact(platform, *others) == before
    assert canary.begin(platform.settings, "acme", challenger, 0.25) == tried  # a killed one, again
    assert seen(platform) == runs
    assert canary.stop(platform.settings, "acme") == tried
    assert platform.rows("store_forecast") == forecasts
    states = [one.state for one in events_of(platform.settings, "acme", challenger)]
    assert states == ["begun", "challenger", "canary", "canary", "challenger"]
    with pytest.raises(InputError, match="no run is tried"):
        canary.stop(platform.settings, "acme")


def test_both_are_measured_with_those_stores_alone(
    platform: Platform, champion: str, challenger: str
) -> None:
    tried = canary.begin(platform.settings, "acme", challenger, 0.25)
    found = {(one.of, one.currency, one.measure): one
             for one in canary.standing(platform.settings, "acme", 0.9)}  # fmt: skip
    assert {run for run, _, _ in found} == {champion, challenger}
    of_yen = 7 * len({*tried.stores} & {*YEN})
    for run in (champion, challenger):
        assert found[run, "JPY", "sales"].days == of_yen
        assert found[run, "EUR", "sales"].days == 7
    narrow, wide = (found[run, "JPY", "sales"].coverage for run in (challenger, champion))
    assert narrow < wide
    told = CliRunner().invoke(models, ["canary", "--tenant", "acme"])
    assert told.exit_code == 0, told.output
    assert f"champion  {champion}  sales" in told.output
    answer = json.loads(CliRunner().invoke(models, ["canary", "--tenant", "acme", "--json"]).output)
    assert (answer["run_id"], answer["stores"]) == (challenger, list(tried.stores))
    assert len(answer["scores"]) == len(found)


def test_what_was_only_tried_is_nothing_to_go_back_to(
    platform: Platform, champion: str, challenger: str
) -> None:
    with pytest.raises(InputError, match="no such published run"):
        roll_back(platform.settings, "acme", challenger)


def test_a_second_one_waits_and_promoting_ends_the_trial(
    platform: Platform, champion: str, challenger: str
) -> None:
    second = platform.run(as_of=FIRST_DAY, coverage=0.1, margin=0.9).run_id
    with pytest.raises(InputError, match=f"run {challenger} is tried already"):
        canary.begin(platform.settings, "acme", second, 0.25)
    promote(platform.settings, "acme", challenger)
    assert {run for runs in seen(platform).values() for run in runs} == {challenger}
    with pytest.raises(InputError, match="no run is tried"):
        canary.tried_run(platform.settings, "acme")
    assert roll_back(platform.settings, "acme", None).run_id == champion
    assert {run for runs in seen(platform).values() for run in runs} == {champion}


@pytest.mark.parametrize(("share", "what"), [(0.0, "a share of 0 "), (0.6, "a share of 0.6")])
def test_a_share_must_leave_stores_to_compare_with(
    platform: Platform, challenger: str, share: float, what: str
) -> None:
    with pytest.raises(InputError, match=what):
        canary.begin(platform.settings, "acme", challenger, share)


def test_a_champion_and_a_single_store_have_nothing_to_be_tried_beside(
    platform: Platform, champion: str
) -> None:
    with pytest.raises(InputError, match="beside a champion"):
        canary.begin(platform.settings, "acme", champion, 0.25)
    platform.run("zeta")
    alone = platform.run("zeta", coverage=0.05, margin=0.9).run_id
    with pytest.raises(InputError, match="no chain has two stores"):
        canary.begin(platform.settings, "zeta", alone, 0.25)


def test_stores_are_drawn_by_the_run_and_never_all_of_them() -> None:
    rows = [{"store_id": f"s{n}", "currency": "JPY"} for n in range(40)]
    table = STORE_FORECAST.table(rows).select(["store_id", "currency"])
    one, other = canary.chosen(table, "run-1", 0.2), canary.chosen(table, "run-2", 0.2)
    assert (len(one), len(other)) == (8, 8)
    assert one != other
    assert canary.chosen(table.slice(0, 1), "run-1", 0.2) == ()
    assert len(canary.chosen(table.slice(0, 2), "run-1", 0.01)) == 1
