"""Judging, deciding and telling, with figures worked out by hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine

from kedro_project.pipelines.forecast.nodes import Forecast
from kedro_project.pipelines.judge.nodes import compared
from kedro_project.registry.decision import decide
from kedro_project.registry.notify import tell
from kedro_project.registry.recipe import recipe_of
from tenpo.datamart import model_event, transaction
from tenpo.settings import Settings
from tests.kedro_project.chain import sales_panel
from tests.kedro_project.small import small

KNOWN, AHEAD = 40, 7


def _forecast(value: float, stores: tuple[str, ...], first: pd.Timestamp) -> Forecast:
    shape = (AHEAD, len(stores))
    full = np.full(shape, value)
    return Forecast(
        "sales", pd.date_range(first, periods=AHEAD), stores, full, full - 5, full + 5, (),
        full.sum(axis=1), full.sum(axis=1),
    )  # fmt: skip


def test_both_are_scored_on_what_both_foretold() -> None:
    """Days of 100: one says 110 and has a store more, the other 104 within its band."""
    values = np.full((KNOWN + AHEAD, 3), 100.0)
    values[KNOWN, 0] = np.nan  # unknown: nobody is scored by it
    values[KNOWN:, 2] = 500.0
    panel = sales_panel(values)
    fold, first = f"{panel.dates[KNOWN - 1]:%Y-%m-%d}", panel.dates[KNOWN]
    one = {fold: {"sales": _forecast(110.0, panel.stores, first)}}
    other = {fold: {"sales": _forecast(104.0, panel.stores[:2], first)}}
    found = compared(panel, one, other | {"2001-01-01": {}})
    assert found["folds"] == [fold]
    counted = 2 * AHEAD - 1
    assert found["challenger"] == {"sales": {"wape": 0.1, "coverage": 0.0, "store_days": counted}}
    assert found["champion_scores"]["sales"] == {
        "wape": 0.04, "coverage": 1.0, "store_days": counted,
    }  # fmt: skip


def _verdict(ours: float, theirs: float) -> dict[str, Any]:
    def scores(wape: float) -> dict[str, Any]:
        return {"sales": {"wape": wape, "coverage": 0.8, "store_days": 9}}

    return {
        "kind": "recorded", "champion": "c", "challenger": scores(ours),
        "champion_scores": scores(theirs),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs", "margin", "is_promoted"),
    [
        (0.09, 0.10, 0.0, True),
        (0.11, 0.10, 0.0, False),
        (0.10, 0.10, 0.0, True),
        (0.10, 0.10, 0.05, True),  # says the same: only its data is newer
        (0.098, 0.10, 0.05, False),
        (0.095, 0.10, 0.05, True),
        (0.103, 0.10, -0.05, True),
    ],
)
def test_a_challenger_must_err_less_by_the_margin(
    ours: float, theirs: float, margin: float, *, is_promoted: bool
) -> None:
    assert decide([_verdict(ours, theirs)], margin).is_promoted == is_promoted


def test_chains_decide_together_and_the_unmet_have_no_say() -> None:
    verdicts = [_verdict(0.08, 0.10), _verdict(0.21, 0.20), {"kind": "no_common_days"}]
    found = decide(verdicts, 0.0)
    assert found.is_promoted
    assert found.reason == "WAPE 0.1450 against 0.1500 of champion c on the same folds"
    assert decide([{"kind": "first"}], 0.5).reason == "the first run"


def test_a_recipe_is_code_and_what_figures_depend_on() -> None:
    own, other = small(horizon=7), small(horizon=7)
    other["folds"] = 3
    other["forecast"]["training"]["threads"] = 2
    assert recipe_of("a", own) == recipe_of("a", other) != recipe_of("b", own)
    other["targets"]["quantile"] = 0.8
    assert recipe_of("a", own) != recipe_of("a", other)


class _Channel(BaseHTTPRequestHandler):
    """A chat channel that answers with what `answers` holds, then with 200."""

    answers: list[int]
    heard: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.heard.append(json.loads(body)["text"])
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def channel() -> Iterator[tuple[str, type[_Channel]]]:
    own = type("Own", (_Channel,), {"answers": [], "heard": []})
    server = HTTPServer(("127.0.0.1", 0), own)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", own
    server.shutdown()
    server.server_close()


def test_changes_are_told_once_in_order_and_later_where_nobody_listens(
    datamart: Engine, datamart_dsn: str, tmp_path: Path, channel: tuple[str, type[_Channel]]
) -> None:
    url, heard = channel
    settings = Settings(home=tmp_path, datamart_dsn=datamart_dsn, models_webhook_url=url)
    with transaction(datamart) as connection:
        model_event.happened(connection, "told", "r1", "begun")
        model_event.happened(connection, "told", "r1", "failed", "BigQuery does not answer")
        model_event.happened(connection, "other", "r2", "begun")
    waited: list[float] = []
    heard.answers[:] = [503, 503, 503]
    assert tell(settings, "told", waited.append) == 0
    assert waited == [0.5, 1.0]
    heard.answers[:] = [503, 200, 302]
    assert tell(settings, "told", waited.append) == 1
    assert tell(settings, "told", waited.append) == 1
    assert tell(settings, "told", waited.append) == 0
    assert [text.split(" (")[0] for text in heard.heard] == [
        "Tenpo models, told: run r1 is begun",
        "Tenpo models, told: run r1 is failed: BigQuery does not answer",
    ]
    nobody = settings.model_copy(update={"models_webhook_url": None})
    assert tell(nobody, "other") == 0
