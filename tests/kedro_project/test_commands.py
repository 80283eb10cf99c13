"""`tenpo models backtest`, from file to JSON and report, and how Kedro finds the project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import orjson
import pandas as pd
import pytest
from typer.testing import CliRunner

from kedro_project import platform_run, settings
from kedro_project.commands import models
from kedro_project.pipeline_registry import register_pipelines
from kedro_project.platform_run import Wish
from tenpo import telemetry
from tenpo.errors import InputError, ServiceError
from tests.kedro_project.chain import sales_panel, weekly_sales

PRODUCT_INPUTS = {"store_days", "previous_clusters", "run_results", "run_record", "champion"}
METHODS = {"model", "seasonal_naive", "last_year", "cluster_mean"}


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    panel = sales_panel(weekly_sales(90, 5))
    lines = pd.DataFrame(panel.measures["sales"], panel.dates, list(panel.stores))
    long = lines.rename_axis("day").reset_index().melt(id_vars="day", var_name="shop")
    long.to_csv(tmp_path / "panel.csv", index=False)
    (tmp_path / "map.yaml").write_text("store: shop\ndate: day\nsales: value\n", "utf-8")
    return [
        "backtest", "--panel", str(tmp_path / "panel.csv"), "--mapping", str(tmp_path / "map.yaml"),
        "--report", str(tmp_path / "out" / "report.html"), "--horizon", "14", "--folds", "2",
    ]  # fmt: skip


def test_backtest_prints_json_and_writes_a_page_without_network(
    files: list[str], tmp_path: Path
) -> None:
    done = CliRunner().invoke(models, [*files, "--json"], catch_exceptions=False)
    document = orjson.loads(done.stdout)
    assert document["panel"]["lines"] == 90 * 5
    assert [fold["from"] for fold in document["folds"]] == ["2024-03-03", "2024-03-17"]
    assert set(document["forecast"]["sales"]) == METHODS
    model = document["forecast"]["sales"]["model"]
    assert set(model) == {"wape", "rmspe", "mase", "coverage", "interval_width"}
    assert 0 < model["wape"] < 0.2, "noise of 5 % around a plain week"
    assert {"silhouette", "stability", "count"} <= set(document["clusters"])
    assert document["clusters"]["count"] == 1
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Map of stores" in page
    assert page.count('class="plotly-graph-div"') == 4
    assert not re.search(r"""<(script|link|img|iframe)[^>]+(src|href)=""", page)


def test_backtest_prints_tables(files: list[str]) -> None:
    done = CliRunner().invoke(models, files, catch_exceptions=False)
    assert "last week again" in done.stdout
    assert "Report:" in done.stdout


def test_numbers_out_of_range_name_their_option(files: list[str]) -> None:
    with pytest.raises(InputError, match="--folds"):
        CliRunner().invoke(models, [*files, "--folds", "0"], catch_exceptions=False)


def test_one_tenants_failure_leaves_the_others_their_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_models(_: object, wish: Wish, *__: object) -> None:
        if wish.tenant_id == "down":
            raise ServiceError("BigQuery does not answer")
        if wish.tenant_id == "wrong":
            raise InputError("a run that knew more is published")

    monkeypatch.setenv("TENPO_HOME", str(tmp_path))
    monkeypatch.setattr(platform_run, "run_models", run_models)
    monkeypatch.setattr(telemetry, "configure_logging", lambda _: None)
    names = [part for name in ("down", "wrong", "sound") for part in ("--tenant", name)]
    done = CliRunner().invoke(models, ["run", *names])
    assert done.exit_code == ServiceError.exit_code
    assert "sound: no figures yet" in done.stdout
    with pytest.raises(ServiceError):
        CliRunner().invoke(models, ["run", "--tenant", "down"], catch_exceptions=False)


def test_pipelines_are_wired() -> None:
    found = register_pipelines()
    assert set(found) == {
        "features", "clustering", "forecast", "targets", "backtest", "__default__",
        "chain", "judge", "publish", "product",
    }  # fmt: skip
    assert {name for name in found["__default__"].inputs() if not name.startswith("params:")} == {
        "panel", "previous_clusters",
    }  # fmt: skip
    assert (
        not found["product"].inputs()
        - PRODUCT_INPUTS
        - {name for name in found["product"].inputs() if name.startswith("params:")}
    )


def test_nobody_is_told_that_it_runs() -> None:
    assert "kedro-telemetry" in settings.DISABLE_HOOKS_FOR_PLUGINS
    assert os.environ["KEDRO_DISABLE_TELEMETRY"]


def test_the_kernel_loads_no_model_library() -> None:
    heavy = "kedro", "lightgbm", "mlflow", "sklearn", "scipy"
    code = (
        "import sys, tenpo, tenpo.cli.main, tenpo.settings, kedro_project.commands;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
