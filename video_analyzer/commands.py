"""`tenpo video`: count people in videos, and measure how well that goes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenpo.errors import InputError

if TYPE_CHECKING:
    from video_analyzer.offline import Report

video = typer.Typer(no_args_is_help=True, help=__doc__)

CameraFile = Annotated[Path, typer.Option("--camera", help="The camera's YAML file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@video.callback()
def verbs() -> None:
    """Count people in videos, and measure how well that goes."""


@video.command()
def analyze(
    file: Annotated[Path, typer.Argument(help="A video: MP4, MOV, MKV, WebM, MPEG-TS, AVI, NUT.")],
    camera: CameraFile,
    out: Annotated[Path, typer.Option(help="Events: .json for a gateway, or .parquet.")],
    start: Annotated[
        str | None,
        typer.Option(help="When the file begins, e.g. 2026-11-02T10:00:00+09:00; "
                     "else the file's own creation time."),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Find the visits in a file of video.

    Example: tenpo video analyze door.mp4 --camera door.yaml --out visits.json
    """
    from tenpo.durable import write_files
    from tenpo.settings import get_settings
    from video_analyzer.camera import load_camera
    from video_analyzer.detect import make_detector
    from video_analyzer.events import as_json as listed
    from video_analyzer.events import as_table
    from video_analyzer.offline import analyze_file

    suffix = out.suffix.lower()
    if suffix not in (".json", ".parquet"):
        raise InputError("the kind of file is unknown", where="--out", remedy="Use .json.")
    begins, loaded = _moment(start), load_camera(camera)
    detector = make_detector(loaded.detector, get_settings())
    events, report = analyze_file(file, loaded, detector, begins)
    if suffix == ".json":
        data = listed(events, loaded)
    else:
        data = _parquet(as_table(events, loaded, datetime.now(UTC)))
    write_files([(out, data)])
    _tell(report, as_json)


def _tell(report: Report, as_json: bool) -> None:
    import orjson

    if as_json:
        typer.echo(orjson.dumps(report.as_dict(), option=orjson.OPT_INDENT_2).decode())
        return
    kinds = ", ".join(f"{count} {kind}" for kind, count in report.events.items()) or "no events"
    typer.echo(f"{kinds}; {report.track_count} people by {report.detector}")
    if report.still_count:
        typer.echo(f"{report.still_count} tracks never moved and were left out")
    if report.state != "complete":
        typer.echo(f"the file is {report.state}: {report.reason}", err=True)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InputError(
            "that is no time with an offset",
            where="--start",
            remedy="Write it as 2026-11-02T10:00:00+09:00.",
        )
    return found.astimezone(UTC)


def _parquet(table: Any) -> bytes:
    import io

    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
