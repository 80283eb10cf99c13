"""`tenpo video-bulk`: count in the recordings of many cameras at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenpo.errors import IntegrityError


def video_bulk(
    cameras: Annotated[list[Path], typer.Argument(help="The cameras' YAML files.")],
    out: Annotated[str, typer.Option(help="Folder, or gs://…, for the events.")],
    beam: Annotated[list[str] | None, typer.Option("--beam", help="A further Beam option.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Count in the recorded chunks of many cameras that have not been looked at.

    Exit 6 where a chunk or a camera was rejected. Example: tenpo video-bulk cameras/*.yaml --out e
    """
    import orjson

    from beam_jobs.video_bulk.job import count_chunks, local_url
    from tenpo.settings import get_settings
    from video_analyzer.camera import load_camera

    place = out if "://" in out else local_url(Path(out))
    report = count_chunks(get_settings(), [load_camera(one) for one in cameras], place, beam or ())
    if as_json:
        told = {"counted": report.counted, "rejected": report.rejected}
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        events = sum(int(one["events"]) for one in report.counted)
        typer.echo(f"{len(report.counted):,} chunks, {events:,} events in {out}")
    for one in report.rejected:
        typer.echo(f"{one['camera']} {one['chunk']}: {one['reason']}", err=True)
    if report.rejected:
        raise IntegrityError(
            f"{len(report.rejected)} chunks or cameras were rejected",
            where=out,
            remedy="What was counted is written; see the lines above.",
        )
