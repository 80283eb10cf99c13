"""`tenpo explain`: why a figure is what it is, and why it changed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenpo.commands.kpi import masters_of, moment_of

if TYPE_CHECKING:
    from tenpo.datamart.explain import ExplainQuery, Explanation
    from tenpo.warehouse.sources import Sources


def explain(
    name: Annotated[str, typer.Argument(metavar="KPI", help="The KPI, as `tenpo kpi` names it.")],
    tenant: Annotated[str, typer.Option(help="The tenant.")],
    store: Annotated[str, typer.Option(help="The store.")],
    date: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The business date.")],
    hour: Annotated[
        int | None, typer.Option(min=0, max=47, help="Only this hour of the business date's clock.")
    ] = None,
    as_of: Annotated[
        str, typer.Option(help="As everybody read it then: 2026-11-20T09:00:00+09:00.")
    ] = "",
    sources: Annotated[
        bool, typer.Option(help="Ask the warehouse for the payloads behind it.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Explain a KPI of a store and day: inputs, coverage, revisions, payloads.

    Example: tenpo explain conversion_ratio --tenant demo --store tokyo-1 --date 2026-11-20
    """
    from tenpo.datamart.explain import ExplainQuery

    masters_of(tenant, [store])
    day = date.date()
    query = ExplainQuery(tenant, name, day, day, (store,), hour, moment_of(as_of))
    found = _read(query)
    payloads = _sources(query) if sources else None
    if as_json:
        _print_json(found, payloads)
    else:
        _print_text(found, payloads)


def _read(query: ExplainQuery) -> Explanation:
    from tenpo.datamart import connect, snapshot
    from tenpo.datamart.explain import read_explanation
    from tenpo.settings import get_settings

    engine = connect(get_settings())
    try:
        with snapshot(engine) as connection:
            return read_explanation(connection, query)
    finally:
        engine.dispose()


def _sources(query: ExplainQuery) -> Sources:
    from tenpo.settings import get_settings
    from tenpo.warehouse import connect
    from tenpo.warehouse.sources import store_day_sources

    with connect(get_settings()) as warehouse:
        return store_day_sources(
            warehouse, query.tenant_id, query.stores[0], query.first, query.definition,
            query.local_hour,
        )  # fmt: skip


def _print_json(found: Explanation, payloads: Sources | None) -> None:
    import orjson

    from tenpo.datamart.explain_words import in_words

    document: dict[str, Any] = found.as_document()
    document["words"] = {"en": in_words(found, "en"), "ja": in_words(found, "ja")}
    document["sources"] = payloads and payloads.as_document()
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def _print_text(found: Explanation, payloads: Sources | None) -> None:
    from tenpo.datamart.explain_words import in_words

    query = found.query
    if not found.figures:
        typer.echo(f"There is no figure of {query.stores[0]} on {query.first}.")
        return
    for sentence in in_words(found, "en"):
        typer.echo(sentence)
    if payloads is None:
        return
    typer.echo(f"It rests on {payloads.object_count:,} payload objects:")
    for each in payloads.objects:
        typer.echo(
            f"  {each.received_at:%Y-%m-%d %H:%M:%S}  {each.source:12}  {each.event}"
            f"  {each.line_count:,} lines  {each.source_object}"
        )
    hidden = payloads.object_count - len(payloads.objects)
    if hidden > 0:
        typer.echo(f"  and {hidden:,} older ones.")
