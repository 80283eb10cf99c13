"""`tenpo video run`, `bulk` and `expire`: cameras that are recorded, and their recordings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from video_analyzer.camera import Camera
    from video_analyzer.detect import Detector
    from video_analyzer.recognition import Recogniser
    from video_analyzer.record.shelf import ChunkShelf
    from video_analyzer.source.wire import Order

CameraFile = Annotated[Path, typer.Option("--camera", help="The camera's YAML file.")]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder for files of events.")]


def run(
    camera: CameraFile,
    source: Annotated[
        str, typer.Option(envvar="TENPO_VIDEO_SOURCE", help="rtsp://…, http://… or a file. An "
                          "address with a password belongs into the variable.")
    ],
    out: OutFolder,
    start: Annotated[str | None, typer.Option(help="When a file begins.")] = None,
    chunk_s: Annotated[float, typer.Option(min=1, max=3600, help="Least length of a chunk.")] = 300,
    for_s: Annotated[float | None, typer.Option(help="End after so many seconds.")] = None,
    spool_gb: Annotated[
        float, typer.Option(min=1, help="Gigabytes of chunks that may wait for the lake.")
    ] = 20,
    counts: Annotated[
        Path | None, typer.Option(help="Folder for in and out of each quarter of an hour.")
    ] = None,
) -> None:  # fmt: skip
    """Record a camera and count in it, at once.

    Example: tenpo video run --camera door.yaml --source rtsp://10.0.0.5/stream --out events/
    """
    from tenpo.cli.progress import progress
    from tenpo.settings import get_settings
    from video_analyzer.analysis import Analysis
    from video_analyzer.detect.newest import Newest
    from video_analyzer.record.live import Live
    from video_analyzer.record.outbox import CountsBox, Outbox
    from video_analyzer.record.spool import Spool

    loaded, detector, recogniser, shelf = _prepared(camera)
    order = _order(source, start, loaded, detector, chunk_s)
    analysis, outbox = Analysis(loaded, detector, recogniser), Outbox(out, loaded)
    spool = Spool(_spool_of(loaded), shelf, round(spool_gb * 1e9))
    newest = Newest(loaded, get_settings(), detector)
    running = Live(order, analysis, spool, newest=newest)
    tallied = None if counts is None else CountsBox(counts, loaded)
    try:
        with progress("Looking", unit="pictures") as advance:
            for events in running.events(_until(for_s)):
                outbox.add(events)
                if tallied is not None and analysis.last_us is not None:
                    tallied.take(analysis.last_us, events)
                advance()
    finally:
        left = analysis.finish()  # nothing, unless this was broken off
        outbox.add(left)
        outbox.flush()
        if tallied is not None:
            tallied.finish(left)
    typer.echo(f"{outbox.count:,} events in {out}")


def bulk(
    camera: CameraFile,
    out: OutFolder,
    finish: Annotated[
        bool, typer.Option("--finish", help="End open tracks: no further chunk will come.")
    ] = False,
    again: Annotated[
        list[str] | None, typer.Option(help="A chunk to look at once more, by its name.")
    ] = None,
    skip: Annotated[list[str] | None, typer.Option(help="A chunk to give up, by its name.")] = None,
) -> None:
    """Count in the recorded chunks of a camera that have not been looked at.

    Example: tenpo video bulk --camera door.yaml --out events/
    """
    from video_analyzer.record.bulk import Bulk, ChunkResult
    from video_analyzer.record.outbox import Outbox

    loaded, detector, recogniser, shelf = _prepared(camera)
    outbox, count = Outbox(out, loaded), 0

    def keep(result: ChunkResult) -> None:
        outbox.add(result.events)
        outbox.flush()

    if loaded.detector == "motion":
        typer.echo("motion learns its background anew: send no events of `run` beside", err=True)
    job = Bulk(shelf, loaded, detector, keep, recogniser)
    for result in job.run(again or (), skip or ()):
        count += 1
        if result.notice:
            typer.echo(f"{result.chunk}: {result.notice}", err=True)
        if result.outcome.state != "complete":
            reason = result.outcome.reason
            typer.echo(f"{result.chunk} is {result.outcome.state}: {reason}", err=True)
    if finish:
        outbox.add(job.finished())
        outbox.flush()
    typer.echo(f"{count:,} chunks, {outbox.count:,} events in {out}")


def expire(
    camera: CameraFile,
    days: Annotated[
        float | None,
        typer.Option(min=0, help="Older than this goes; else than the store's retention_days."),
    ] = None,
) -> None:
    """Delete recorded chunks whose time is over, and what was found in them. Run it every night.

    Example: tenpo video expire --camera door.yaml --days 7
    """
    from video_analyzer.record.spool import Spool

    loaded, shelf = _shelf(camera)
    if days is None:
        days = _retention_days(loaded)
    before = datetime.now(UTC) - timedelta(days=days)
    gone = shelf.expire(before) + Spool(_spool_of(loaded), shelf).expire(before)
    typer.echo(f"{len(gone):,} chunks deleted")


def _retention_days(camera: Camera) -> int:
    """Of the camera's store.

    Raises:
        UnknownReference: the tenant has no such store.
    """
    from tenpo.errors import UnknownReference
    from tenpo.lake import Lake
    from tenpo.masters import MasterBook
    from tenpo.settings import get_settings

    stores = MasterBook(Lake(get_settings().lake_url)).get(camera.tenant_id).stores
    if camera.store_id not in stores:
        raise UnknownReference(
            f"there is no store {camera.store_id!r}",
            where="store_id",
            remedy="Mend the camera's file, or give --days.",
        )
    return stores[camera.store_id].retention_days


def _prepared(path: Path) -> tuple[Camera, Detector, Recogniser | None, ChunkShelf]:
    from tenpo.settings import get_settings
    from video_analyzer.identity.wiring import onlookers

    camera, shelf = _shelf(path)
    return camera, *onlookers(camera, get_settings()), shelf


def _shelf(path: Path) -> tuple[Camera, ChunkShelf]:
    from tenpo.lake import Lake
    from tenpo.settings import get_settings
    from video_analyzer.camera import load_camera
    from video_analyzer.record.shelf import ChunkShelf

    settings, camera = get_settings(), load_camera(path)
    return camera, ChunkShelf(Lake(settings.lake_url), settings.root_secret(), camera)


def _order(
    source: str, start: str | None, camera: Camera, detector: Detector, chunk_s: float
) -> Order:
    from tenpo.identifiers import micros
    from video_analyzer.moments import aware
    from video_analyzer.offline import order_of
    from video_analyzer.source.wire import TapeOrder

    is_live, begins = "://" in source, aware(start)
    place = source if is_live else Path(source)
    order = order_of(place, camera, detector, None if begins is None else micros(begins))
    tape = TapeOrder(folder=str(_spool_of(camera)), chunk_s=chunk_s)
    return order.model_copy(update={"is_live": is_live, "tape": tape})


def _spool_of(camera: Camera) -> Path:
    from tenpo.settings import get_settings

    home = get_settings().home
    return home / "video" / camera.tenant_id / camera.store_id / camera.camera_id


def _until(for_s: float | None) -> Callable[[], bool]:
    """True until the time is over, or SIGTERM asks to end."""
    import signal
    import time

    end = None if for_s is None else time.monotonic() + for_s
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    return lambda: not asked and (end is None or time.monotonic() < end)
