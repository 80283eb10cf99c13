"""Pipeline options: one place that says on what a pipeline runs."""

from __future__ import annotations

from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions

from tenpo.settings import Settings


def pipeline_options(
    settings: Settings, job_name: str, extra: Sequence[str] = ()
) -> PipelineOptions:
    """Options of one job.

    The runner is always named: Beam's `DirectRunner` would first try to download
    another one. Further options (`--runner=FlinkRunner`, `--region=…`) win over ours.

    Args:
        settings: the process's settings.
        job_name: shown in the runner's UI.
        extra: options given on the command line.
    """
    base = [f"--runner={settings.beam_runner}", f"--job_name={job_name}"]
    given = {item.split("=")[0] for item in extra}
    return PipelineOptions([*(b for b in base if b.split("=")[0] not in given), *extra])
