"""`tenpo features-reembed`: a new model of faces learns whom the former one knew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenpo.errors import IntegrityError


def reembed(
    cameras: Annotated[list[Path], typer.Argument(help="The cameras' YAML files.")],
    former: Annotated[str, typer.Option("--from", help="Label of the model that goes.")],
    model: Annotated[str, typer.Option("--to", help="Label of the one that comes.")],
    beam: Annotated[list[str] | None, typer.Option("--beam", help="A further Beam option.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Look into recorded chunks for those whom the new model of faces does not know yet.

    `tenpo features succession` says how far it is. Exit 6 where a chunk or camera was rejected.
    Example: tenpo features-reembed cameras/*.yaml --from dlib_resnet-1 --to dlib_resnet-2
    """
    import orjson

    from beam_jobs.reembed.job import reembed as run
    from tenpo.settings import get_settings
    from video_analyzer.camera import load_camera
    from video_analyzer.faces.extractors import checked_extractor

    for label in (former, model):
        checked_extractor(label)  # here, not in some worker
    report = run(get_settings(), [load_camera(one) for one in cameras], former, model, beam or ())
    before, after = report.before.waiting, report.after.waiting
    if as_json:
        told = {
            "waiting_before": before, "waiting": after, "persons": report.after.persons,
            "looked": report.looked, "rejected": report.rejected,
        }  # fmt: skip
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo(
            f"{before - after:,} of {before:,} persons who waited were found in "
            f"{len(report.looked):,} chunks; {after:,} wait until they are met again"
        )
    for one in report.rejected:
        typer.echo(f"{one['camera']} {one['chunk']}: {one['reason']}", err=True)
    if report.rejected:
        raise IntegrityError(
            f"{len(report.rejected)} chunks or cameras were rejected",
            where="cameras",
            remedy="What was taken over stays; see the lines above, then run it again.",
        )
