"""`tenpo video`: count people in videos, and measure how well that goes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenpo.errors import InputError
from video_analyzer.moments import aware
from video_analyzer.record.commands import bulk, expire, run

if TYPE_CHECKING:
    from video_analyzer.analysis import Analysis
    from video_analyzer.offline import Report

video = typer.Typer(no_args_is_help=True, help=__doc__)

for command in (run, bulk, expire):
    video.command()(command)

CameraFile = Annotated[Path, typer.Option("--camera", help="The camera's YAML file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


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
    mot: Annotated[Path | None, typer.Option(help="Also write tracks in MOT format.")] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Find the visits in a file of video.

    Example: tenpo video analyze door.mp4 --camera door.yaml --out visits.json
    """
    from tenpo.durable import write_files
    from tenpo.settings import get_settings
    from video_analyzer.camera import load_camera
    from video_analyzer.evaluate.mot import mot_lines, write_mot
    from video_analyzer.events import as_json as listed
    from video_analyzer.events import as_table
    from video_analyzer.identity.wiring import onlookers
    from video_analyzer.offline import analyze_file

    suffix = out.suffix.lower()
    if suffix not in (".json", ".parquet"):
        raise InputError("the kind of file is unknown", where="--out", remedy="Use .json.")
    begins, loaded = aware(start), load_camera(camera)
    detector, recogniser = onlookers(loaded, get_settings())
    tracks: list[str] = []

    def watch(number: int, analysis: Analysis) -> None:
        if mot is not None:
            tracks.extend(mot_lines(number, analysis.seen, loaded))

    events, report = analyze_file(
        file, loaded, detector, begins, watch=watch, recogniser=recogniser
    )
    if suffix == ".json":
        data = listed(events, loaded)
    else:
        data = _parquet(as_table(events, loaded, datetime.now(UTC)))
    write_files([(out, data)])
    if mot is not None:
        write_mot(mot, tracks)
    _tell(report, as_json)


@video.command()
def serve() -> None:
    """Count people in stills and clips over HTTP, on the address of TENPO_VIDEO_URL.

    Example: TENPO_VIDEO_URL=http://127.0.0.1:8084 tenpo video serve
    """
    from video_analyzer.serving.serve import main

    main()


@video.command()
def draw(
    file: Annotated[Path, typer.Argument(help="A video of the camera.")],
    camera: CameraFile,
    out: Annotated[Path, typer.Option(help="A PNG file. It shows people: delete it afterwards.")],
    second: Annotated[int, typer.Option(min=0, help="Of the video.")] = 0,
) -> None:
    """Draw a camera's lines and zones on a still of its video.

    Example: tenpo video draw door.mp4 --camera door.yaml --out door.png
    """
    from tenpo.durable import write_files
    from video_analyzer.camera import load_camera
    from video_analyzer.draw import as_png, still_of

    write_files([(out, as_png(still_of(file, load_camera(camera), second)))])


@video.command()
def evaluate(
    truth: Annotated[Path, typer.Option(help="MOT file of the truth, or CSV of crossings.")],
    tracks: Annotated[Path | None, typer.Option(help="MOT file of `analyze --mot`.")] = None,
    events: Annotated[Path | None, typer.Option(help="JSON file of `analyze --out`.")] = None,
    start: Annotated[str | None, typer.Option(help="As given to analyze; with --events.")] = None,
    column: Annotated[str, typer.Option(help="Column with seconds into the video.")] = "at_s",
    line: Annotated[str, typer.Option(help="Line of rows without `zone_id`.")] = "door",
    kind: Annotated[str, typer.Option(help="Kind of rows without `kind`.")] = "enter",
    within: Annotated[float, typer.Option(help="Seconds that a pair may differ.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Compare tracks (MOTA, IDF1, HOTA) or crossings with ground truth.

    Example: tenpo video evaluate --truth gt.txt --tracks tracks.txt
    Example: tenpo video evaluate --truth seen.csv --events visits.json --start 2026-11-02T10:00Z
    """
    if (tracks is None) == (events is None):
        raise InputError(
            "there is nothing to compare, or too much",
            where="--tracks, --events",
            remedy="Give one of them.",
        )
    if tracks is not None:
        found = _tracks_compared(truth, tracks)
    elif events is not None:
        found = _crossings_compared(truth, events, aware(start), (column, line, kind), within)
    _show(found, as_json)


def _tracks_compared(truth: Path, tracks: Path) -> list[dict[str, Any]]:
    from video_analyzer.evaluate.mot import mot_scores

    return [asdict(mot_scores(truth, tracks))]


def _crossings_compared(
    truth: Path, events: Path, start: datetime | None, named: tuple[str, str, str], within: float
) -> list[dict[str, Any]]:
    from video_analyzer.evaluate.crossings import line_errors, read_counted, read_truth

    if start is None:
        raise InputError(
            "the video's beginning is not known", where="--start", remedy="As given to analyze."
        )
    errors = line_errors(read_truth(truth, *named), read_counted(events, start), within)
    return [asdict(one) for one in errors]


def _show(rows: list[dict[str, Any]], as_json: bool) -> None:
    import orjson

    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    for row in rows:
        typer.echo("  ".join(f"{name} {_short(value)}" for name, value in row.items()))


def _short(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "none" if value is None else str(value)


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


def _parquet(table: Any) -> bytes:
    import io

    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
