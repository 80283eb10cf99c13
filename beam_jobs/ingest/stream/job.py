"""`tenpo ingest --streaming`: the pipeline without an end, and where its hints come from.

https://beam.apache.org/documentation/runners/dataflow/
https://beam.apache.org/documentation/runners/flink/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from apache_beam.io.gcp.pubsub import ReadFromPubSub
from apache_beam.options.pipeline_options import StandardOptions
from apache_beam.transforms.periodicsequence import PeriodicImpulse
from apache_beam.utils.timestamp import Timestamp

from beam_jobs.ingest.due import OVERDUE
from beam_jobs.ingest.stream.transforms import AnnounceFn, TakeIn
from beam_jobs.options import is_dataflow, pipeline_options
from tenpo.errors import InputError
from tenpo.settings import Settings

#: Runners whose pipelines have no end only in name: they wait for all of a source.
BOUNDED = ("FnApiRunner", "DirectRunner", "BundleBasedDirectRunner", "SwitchingDirectRunner")

PUBSUB = "pubsub://"


class Hints(beam.PTransform[Any, Any]):
    """When to look: at each tick; on Dataflow also when the bucket tells of an object.

    Other runners read Pub/Sub by Java's transform only; a tick finds what it would tell.

    Args:
        settings: `follow_interval_s` between ticks, `hints_url` of the subscription.
        has_pubsub: whether the runner reads Pub/Sub.
    """

    def __init__(self, settings: Settings, *, has_pubsub: bool) -> None:
        super().__init__()
        self.settings = settings
        self.has_pubsub = has_pubsub and settings.hints_url.startswith(PUBSUB)

    def expand(self, pipeline: Any) -> Any:
        """Ticks, and notifications where there are."""
        ticks = pipeline | "Ticks" >> PeriodicImpulse(
            Timestamp.now(), fire_interval=self.settings.follow_interval_s
        )
        if not self.has_pubsub:
            return ticks
        name = self.settings.hints_url.removeprefix(PUBSUB)
        told = pipeline | "Notifications" >> ReadFromPubSub(subscription=name)
        return (ticks, told) | beam.Flatten()


def stream(settings: Settings, runner_args: Sequence[str]) -> None:
    """Run ingest until this process is told to stop; on Dataflow start it there and return.

    Args:
        settings: the process's and the workers' settings.
        runner_args: further Beam options; a runner that streams among them.

    Raises:
        InputError: the runner does not stream, or its options cannot be used.
    """
    options = pipeline_options(settings, "ingest-stream", [*runner_args, "--streaming"])
    runner = options.view_as(StandardOptions).runner
    if runner.rpartition(".")[2] in BOUNDED:
        raise InputError(
            f"{runner} ends only when its sources do",
            where="--streaming",
            remedy="Name one that streams, e.g. --beam=--runner=DataflowRunner; on one machine "
            "--follow does the same.",
        )
    pipeline = beam.Pipeline(options=options)
    hints = Hints(settings, has_pubsub=is_dataflow(options))
    own = settings.without_secrets()
    tenants = pipeline | "Hints" >> hints | "Take in" >> TakeIn(own, OVERDUE)
    _ = tenants | "Tell Airflow" >> beam.ParDo(AnnounceFn(own))
    running = pipeline.run()
    if is_dataflow(options):
        return
    try:
        running.wait_until_finish()
    except KeyboardInterrupt:
        running.cancel()
