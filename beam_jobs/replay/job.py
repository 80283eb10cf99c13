"""One replay of one tenant's raw archive, from the plan to the sum of what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import apache_beam as beam
import orjson

from beam_jobs.options import pipeline_options
from beam_jobs.replay.plan import Request, raw_objects
from beam_jobs.replay.transforms import ReplayRaw
from tenpo.datamart.hints import announce
from tenpo.identifiers import micros
from tenpo.lake import Lake
from tenpo.settings import Settings
from tenpo.telemetry import get_logger

log = get_logger(__name__)


@dataclass
class Outcome:
    """What a replay did.

    Args:
        tenant_id: whose archive.
        report: folder of the lake that says it object by object.
        raw_objects: how many were opened.
        deliveries: how many payloads were read again.
        changed: documents by event that are new or otherwise.
        retracted: documents by event that come out no more.
        same: documents that are as they were.
        rejected: records that are rejected now and were not before.
        failed: raw objects that could not be read, and why.
    """

    tenant_id: str
    report: str
    raw_objects: int = 0
    deliveries: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    retracted: Counter[str] = field(default_factory=Counter)
    same: int = 0
    rejected: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, one: dict[str, Any]) -> None:
        """Add what became of one raw object."""
        self.raw_objects += 1
        if one["failure"]:
            self.failed[one["raw_object"]] = one["failure"]
        self.deliveries += one["deliveries"]
        self.changed.update(one["changed"])
        self.retracted.update(one["retracted"])
        self.same += one["same"]
        self.rejected += one["rejected"]


def replay(settings: Settings, request: Request, runner_args: Sequence[str] = ()) -> Outcome:
    """Read raw objects again and write what comes out otherwise; ingest takes that in.

    Killed at any moment and run again it does what is left: what was written already
    comes out as it is held.

    Args:
        settings: the process's settings.
        request: what is replayed.
        runner_args: further Beam options.

    Raises:
        LakeError: the lake does not answer; run it again.
    """
    lake = Lake(settings.lake_url)
    stamp = f"{micros(datetime.now(UTC)):020d}"
    folder = f"artifact/{request.tenant_id}/replay/{stamp}"
    objects = raw_objects(lake, request)
    options = pipeline_options(settings, "replay", runner_args)
    with beam.Pipeline(options=options) as pipeline:
        _ = (
            pipeline
            | "Raw objects" >> beam.Create(objects)
            | "Replay" >> ReplayRaw(settings, request, stamp, folder)
        )
    outcome = _summed(request.tenant_id, folder, lake.get_many(lake.names(folder)))
    log.info("replayed", tenant=request.tenant_id, report=folder, objects=outcome.raw_objects)
    if not request.dry_run:
        announce([folder])
    return outcome


def _summed(tenant_id: str, folder: str, reports: Iterable[bytes]) -> Outcome:
    outcome = Outcome(tenant_id, folder)
    for report in reports:
        outcome.add(orjson.loads(report))
    return outcome
