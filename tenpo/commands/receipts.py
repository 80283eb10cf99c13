"""Show what became of large deliveries; try failed ones again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenpo.receipts import State

if TYPE_CHECKING:
    from tenpo.receipts import Receipt, ReceiptBook
    from tenpo.settings import Settings

receipts = typer.Typer(invoke_without_command=True, help=__doc__)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Tenant = Annotated[str | None, typer.Option(help="Only this tenant's.")]


@receipts.callback()
def list_receipts(
    context: typer.Context,
    tenant: Tenant = None,
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many a tenant.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """Show what became of large deliveries, open ones first, then the newest.

    Example: tenpo receipts --tenant acme --state failed
    """
    if context.invoked_subcommand is not None:
        return
    from tenpo.receipt_view import newest
    from tenpo.settings import get_settings

    settings = get_settings()
    book, tenants = _book(settings, tenant)
    engine = _engine(settings)
    found = {name: newest(engine, book.newest(name), limit, state=state) for name in tenants}
    if as_json:
        rows = [{"tenant": name, **one.model_dump(mode="json")} for name in found
                for one in found[name]]  # fmt: skip
        _print_json({"receipts": rows})
        return
    for name, rows_of in found.items():
        for one in rows_of:
            typer.echo(_line(name, one))
    if not any(found.values()):
        typer.echo("There are none: payloads above TENPO_LARGE_BODY_BYTES get a receipt.")


@receipts.command()
def retry(
    receipt: Annotated[str, typer.Argument(help="The receipt's id.")],
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Let a failed delivery be worked on again.

    Example: tenpo receipts retry 00001793527200000000-1f0a9c3e
    """
    from tenpo.errors import UnknownReference
    from tenpo.settings import get_settings

    book, tenants = _book(get_settings(), tenant)
    for name in tenants:
        try:
            again = book.retry(name, receipt)
        except UnknownReference:
            continue
        if as_json:
            _print_json({"tenant": name, "receipt": receipt, "round": again.round})
        else:
            typer.echo(f"{receipt} of {name} is queued again.")
        return
    raise UnknownReference(
        "there is no such receipt", where=receipt, remedy="List them with: tenpo receipts"
    )


def _book(settings: Settings, tenant: str | None) -> tuple[ReceiptBook, list[str]]:
    """The receipts, and the tenants to look at."""
    from tenpo.lake import Lake
    from tenpo.masters import MasterBook
    from tenpo.receipts import ReceiptBook

    lake = Lake(settings.lake_url)
    masters = MasterBook(lake)
    if tenant is not None:
        masters.get(tenant)  # says so if there is no such tenant
    return ReceiptBook(lake), masters.tenants() if tenant is None else [tenant]


def _engine(settings: Settings) -> Any:
    from tenpo.datamart import connect

    return connect(settings, pool_size=1) if settings.datamart_dsn else None


def _line(tenant: str, one: Receipt) -> str:
    counts = f"{one.received:,} received, {one.accepted:,} accepted, {one.rejected:,} rejected"
    what = counts if one.state == "done" else f"{one.attempts or 0} tries"
    trouble = "" if one.error is None else f"  {one.error.error}. {one.error.remedy}"
    when = f"{one.received_at:%Y-%m-%d %H:%M:%S}"
    return f"{one.receipt}  {tenant}  {one.state:7}  {when} UTC  {one.source}  {what}{trouble}"


def _print_json(document: dict[str, Any]) -> None:
    import orjson

    typer.echo(orjson.dumps(document).decode())
