"""On what a pipeline runs, and what Dataflow would refuse only after minutes."""

from __future__ import annotations

import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions, StandardOptions

from beam_jobs.options import is_dataflow, pipeline_options
from tenpo.errors import InputError
from tenpo.settings import Settings

REMOTE = Settings(
    project="p", location="asia-northeast1", lake_url="gs://lake",
    datamart_dsn="postgresql://tenpo@10.0.0.3/tenpo",
)  # fmt: skip
ASKED = [
    "--runner=DataflowRunner", "--temp_location=gs://lake/temp", "--sdk_container_image=repo/tenpo",
]  # fmt: skip


def test_the_runner_is_the_setting_unless_one_is_given() -> None:
    ours = pipeline_options(Settings(), "job")
    assert ours.view_as(StandardOptions).runner == "FnApiRunner"
    other = pipeline_options(Settings(), "job", ["--runner=FlinkRunner", "--flink_master=[local]"])
    assert other.view_as(StandardOptions).runner == "FlinkRunner"
    assert not is_dataflow(other)


def test_dataflow_has_project_and_region_of_the_settings() -> None:
    more = ["--region=europe-west1", "--no_use_public_ips", "--max_num_workers=4", "--subnetwork=s"]
    options = pipeline_options(REMOTE, "ingest", [*ASKED, *more])
    google = options.view_as(GoogleCloudOptions)
    assert is_dataflow(options)
    assert (google.project, google.region, google.job_name) == ("p", "europe-west1", "ingest")
    by_setting = REMOTE.model_copy(update={"beam_runner": "DataflowRunner"})
    google = pipeline_options(by_setting, "ingest", ASKED[1:]).view_as(GoogleCloudOptions)
    assert google.region == "asia-northeast1"


@pytest.mark.parametrize(
    ("settings", "options", "told"),
    [
        ({}, ["--reigon=x"], "Beam has no option --reigon"),
        ({}, ["--temp_location=/tmp/x"], "--temp_location=gs://… is missing"),
        ({}, ["--sdk_container_image="], "--sdk_container_image=… is missing"),
        ({"lake_url": "file:///lake"}, [], "TENPO_LAKE_URL is no bucket"),
        ({"bigquery_endpoint": "http://127.0.0.1:1"}, [], "TENPO_BIGQUERY_ENDPOINT is a local"),
        ({"datamart_dsn": "postgresql:///x?host=/run"}, [], "TENPO_DATAMART_DSN is on this"),
        ({"datamart_dsn": "postgresql://u@localhost/x"}, [], "TENPO_DATAMART_DSN is on this"),
    ],
)
def test_what_dataflow_could_not_run_is_refused_at_once(
    settings: dict[str, str], options: list[str], told: str
) -> None:
    with pytest.raises(InputError) as refused:
        pipeline_options(REMOTE.model_copy(update=settings), "job", [*ASKED, *options])
    assert refused.value.what.startswith("Dataflow cannot run this: ")
    assert told in refused.value.what
    assert ";" not in refused.value.what
