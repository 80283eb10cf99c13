"""Pipeline options: one place that says on what a pipeline runs, and refuses what cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    StandardOptions,
    WorkerOptions,
)

from tenpo.errors import InputError
from tenpo.settings import Settings

DATAFLOW = "DataflowRunner"
LOOPBACK = ("", "localhost", "127.0.0.1", "::1")


def pipeline_options(
    settings: Settings, job_name: str, extra: Sequence[str] = ()
) -> PipelineOptions:
    """Options of one job.

    The runner is always named: Beam's `DirectRunner` would first try to download
    another one. Further options (`--runner=FlinkRunner`, `--region=…`) win over ours.
    Dataflow's project and region come from the settings unless they are given.

    Args:
        settings: the process's settings.
        job_name: shown in the runner's UI.
        extra: options given on the command line.

    Raises:
        InputError: Dataflow could not run it, with everything that is missing.
    """
    base = [f"--runner={settings.beam_runner}", f"--job_name={job_name}"]
    if f"--runner={DATAFLOW}" in (*extra, base[0]):
        base += [f"--project={settings.project}", f"--region={settings.location}"]
    given = {item.split("=")[0] for item in extra}
    options = PipelineOptions([*(b for b in base if b.split("=")[0] not in given), *extra])
    if is_dataflow(options):
        _check_dataflow(settings, options)
    return options


def is_dataflow(options: PipelineOptions) -> bool:
    """Whether a job goes to Dataflow."""
    return str(options.view_as(StandardOptions).runner).rpartition(".")[2] == DATAFLOW


def _check_dataflow(settings: Settings, options: PipelineOptions) -> None:
    """Say all that is wrong at once.

    https://docs.cloud.google.com/dataflow/docs/reference/pipeline-options
    """
    wrong = [*_wrong_options(options), *_unreachable(settings)]
    if wrong:
        raise InputError(
            f"Dataflow cannot run this: {'; '.join(wrong)}",
            where="--beam",
            remedy="docs/runbook.md shows a whole command line.",
        )


def _wrong_options(options: PipelineOptions) -> Iterator[str]:
    """Beam drops what it does not know, so that a slip of the pen would go unseen."""
    known = options.get_all_options().keys()
    for name in sorted(options.get_all_options(retain_unknown_options=True).keys() - known):
        yield f"Beam has no option --{name}"
    folder = options.view_as(GoogleCloudOptions).temp_location
    if not str(folder or "").startswith("gs://"):
        yield "--temp_location=gs://… is missing"
    if not options.view_as(WorkerOptions).sdk_container_image:
        yield "--sdk_container_image=… is missing: workers need this project and its lock"


def _unreachable(settings: Settings) -> Iterator[str]:
    """What a worker in Google's network cannot come to."""
    if not settings.lake_url.startswith("gs://"):
        yield "TENPO_LAKE_URL is no bucket"
    if settings.bigquery_endpoint:
        yield "TENPO_BIGQUERY_ENDPOINT is a local server"
    if urlsplit(settings.datamart_dsn).hostname in (None, *LOOPBACK):
        yield "TENPO_DATAMART_DSN is on this machine"
