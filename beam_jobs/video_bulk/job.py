"""Running the pipeline: cameras from their files, and a report of every chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import orjson

from beam_jobs.options import pipeline_options
from beam_jobs.video_bulk.transforms import COUNTED, REJECTED, CountChunks, Make
from tenpo.errors import InputError
from tenpo.lake import Lake
from tenpo.settings import Settings
from video_analyzer.camera import Camera
from video_analyzer.detect import make_detector

_REPORT = "report"


@dataclass(frozen=True)
class Report:
    """Every chunk that was looked at, and everything that was not; each by camera and chunk."""

    counted: list[dict[str, Any]]
    rejected: list[dict[str, Any]]


def count_chunks(
    settings: Settings,
    cameras: Sequence[Camera],
    out: str,
    runner_args: Sequence[str] = (),
    make: Make = make_detector,
) -> Report:
    """Count in the open chunks of all cameras.

    Run it again after a failure: chunks that are done are not looked at again.

    Args:
        settings: the process's settings.
        cameras: each once.
        out: URL of a folder; a camera's events are JSON lists below tenant, store and camera.
        runner_args: further options of Beam.
        make: a detector by name.

    Raises:
        InputError: a camera is given twice: two workers would count the same chunks.
    """
    names = [(one.tenant_id, one.store_id, one.camera_id) for one in cameras]
    if len(set(names)) < len(names):
        raise InputError("a camera is given twice", where="cameras", remedy="Give each once.")
    reports = Lake(out)
    for part in (COUNTED, REJECTED):
        for name in reports.names(f"{_REPORT}/{part}"):
            reports.delete(name)
    with beam.Pipeline(options=pipeline_options(settings, "video-bulk", runner_args)) as pipeline:
        found = pipeline | "Cameras" >> beam.Create(cameras) | CountChunks(settings, out, make)
        for part, rows in found.items():
            _ = rows | f"Note {part}" >> beam.ParDo(_NoteFn(out, part))
    return Report(*(_noted(reports, part) for part in (COUNTED, REJECTED)))


class _NoteFn(beam.DoFn):
    """Write what became of a chunk, under its name: noted twice it is noted once."""

    def __init__(self, out: str, part: str) -> None:
        self.out, self.part = out, part

    def setup(self) -> None:
        self.lake = Lake(self.out)

    def process(self, row: Any) -> None:
        name = f"{_REPORT}/{self.part}/{row.camera}/{row.chunk or 'camera'}.json"
        self.lake.put(name, orjson.dumps(asdict(row)))


def _noted(lake: Lake, part: str) -> list[dict[str, Any]]:
    return [orjson.loads(lake.get(name)) for name in sorted(lake.names(f"{_REPORT}/{part}"))]


def local_url(folder: Path) -> str:
    """The URL of a folder."""
    return f"file://{folder.absolute()}"
