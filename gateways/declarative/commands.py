"""Check a spec, draft one from a sample, print its schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

spec = typer.Typer(no_args_is_help=True, help=__doc__)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@spec.command()
def schema() -> None:
    """Print the JSON Schema of specs, for editors that complete and check YAML.

    Example: tenpo spec schema > tenpo-spec.schema.json
    """
    import orjson

    from gateways.declarative.json_spec import JsonSpec
    from gateways.declarative.spec import Spec

    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tenpo spec",
        "if": {"required": ["json"]},
        "then": {"$ref": "#/$defs/JsonSpec"},
        "else": {"$ref": "#/$defs/Spec"},
        "$defs": {},
    }
    for model in (Spec, JsonSpec):
        made = model.model_json_schema(ref_template=f"#/$defs/{model.__name__}/$defs/{{model}}")
        found["$defs"] |= {model.__name__: made}  # type: ignore[operator]
    typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


@spec.command()
def check(
    file: Annotated[Path, typer.Argument(help="The spec.", exists=True, dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Load a spec; exit 2 with line and key of what is wrong.

    Example: tenpo spec check till.yaml
    """
    import orjson

    from gateways.declarative.adapter import DeclarativeAdapter
    from gateways.declarative.choose import load_adapter

    adapter = load_adapter(file)
    told = {"name": adapter.name, "event": adapter.spec.event, "version": adapter.version}
    if isinstance(adapter, DeclarativeAdapter) and (unknown := adapter.spec.unknown_amounts):
        told["warning"] = (
            f"{unknown} will not be known, and are in no figure: say under tax whether prices "
            "are included, excluded or none, and the rate"
        )
    if as_json:
        typer.echo(orjson.dumps(told).decode())
        return
    typer.echo(f"{file}: {told['name']} makes {told['event']}, version {told['version']}")
    if "warning" in told:
        typer.echo(told["warning"], err=True)


@spec.command()
def guess(
    file: Annotated[Path, typer.Argument(help="A CSV of sales.", exists=True, dir_okay=False)],
    name: Annotated[str, typer.Option(help="What the spec is to be called.")] = "draft",
) -> None:
    """Draft a spec of sales from a sample; what could not be seen says TODO.

    Example: tenpo spec guess sales.csv --name till > till.yaml
    """
    from gateways.declarative.guess import draft
    from tenpo.identifiers import checked_name

    typer.echo(draft(file.read_bytes(), checked_name("spec", name)), nl=False)
