"""`tenpo conformance`: an adapter's score card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateways.conformance.card import ScoreCard
    from gateways.normalize.adapter import Adapter

FAILED_EXIT_CODE = 1


def conformance(
    vendor: Annotated[str | None, typer.Option(help="Vendor whose adapter is examined.")] = None,
    spec: Annotated[
        Path | None, typer.Option(help="YAML spec that is examined.", exists=True)
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(
            help="Folder of recorded payloads with stores.yaml; left out: what comes with Tenpo.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    mutations: Annotated[int, typer.Option(help="Damaged payloads to read.", min=0)] = 1_000,
    store: Annotated[str | None, typer.Option(help="Store of payloads that name none.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the card as a page, too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Replay recorded payloads through an adapter and print its score card; exit 1 if it fails.

    Example: tenpo conformance --vendor square
    Example: tenpo conformance --spec till.yaml --corpus recorded/ --html card.html
    """  # fmt: skip
    import orjson

    from gateways.conformance.corpus import load_corpus
    from gateways.conformance.examine import examine
    from gateways.conformance.shipped import corpus_of

    adapter = _adapter(vendor, spec)
    card = examine(load_corpus(adapter, corpus or corpus_of(adapter.name), store), mutations)
    if html is not None:
        html.write_text(card.html(), "utf-8")
    if as_json:
        typer.echo(orjson.dumps(card.document(), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(card)
    if not card.passed:
        raise typer.Exit(FAILED_EXIT_CODE)


def _adapter(vendor: str | None, spec: Path | None) -> Adapter:
    from gateways.declarative.choose import load_adapter
    from gateways.registry import vendors
    from tenpo.errors import ConfigError

    if (vendor is None) == (spec is None):
        raise ConfigError(
            "what to examine is not told once",
            where="--vendor, --spec",
            remedy="Give --vendor NAME or --spec FILE, one of them.",
        )
    if spec is not None:
        return load_adapter(spec)
    found = vendors().get(vendor or "")
    if found is None:
        raise ConfigError(
            "there is no vendor of that name", where="--vendor",
            remedy=f"Use one of {', '.join(vendors())}.",
        )  # fmt: skip
    return found


def _print(card: ScoreCard) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("check", "result", "seen", title=f"{card.adapter}, version {card.version}")
    colours = {"passed": "green", "failed": "red", "not checked": "dim"}
    for one in card.findings:
        table.add_row(one.check, f"[{colours[one.status]}]{one.status}[/]", one.detail)
    console = Console()
    console.print(table)
    console.print("It conforms." if card.passed else "It does not conform yet.")
