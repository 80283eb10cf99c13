"""Show what became of large deliveries; try failed ones again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenpo.receipts import State

if TYPE_CHECKING:
    from tenpo.receipts import Accepted, Receipt, ReceiptBook
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
    receipt: Annotated[str | None, typer.Argument(help="The receipt's id.")] = None,
    tenant: Tenant = None,
    every: Annotated[bool, typer.Option("--all", help="Every one that failed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let failed deliveries be worked on again.

    Example: tenpo receipts retry 00001793527200000000-1f0a9c3e

    Example: tenpo receipts retry --all --tenant acme
    """
    from tenpo.errors import InputError
    from tenpo.settings import get_settings

    if (receipt is None) is not every:
        raise InputError(
            "it is not said what to try again",
            where="tenpo receipts retry",
            remedy="Give one receipt's id, or --all.",
        )
    book, tenants = _book(get_settings(), tenant)
    again = _retry_failed(book, tenants) if receipt is None else [_retry(book, tenants, receipt)]
    if as_json:
        rows = [{"tenant": one.tenant_id, "receipt": one.receipt, "round": one.round}
                for one in again]  # fmt: skip
        _print_json({"retried": rows} if every else rows[0])
        return
    for one in again:
        typer.echo(f"{one.receipt} of {one.tenant_id} is queued again.")
    if not again:
        typer.echo("None has failed.")


def _retry(book: ReceiptBook, tenants: list[str], receipt: str) -> Accepted:
    from tenpo.errors import UnknownReference

    for name in tenants:
        try:
            return book.retry(name, receipt)
        except UnknownReference:
            continue
    raise UnknownReference(
        "there is no such receipt", where=receipt, remedy="List them with: tenpo receipts"
    )


def _retry_failed(book: ReceiptBook, tenants: list[str]) -> list[Accepted]:
    from tenpo.receipts import Settled

    failed = [
        found
        for name in tenants
        for found in list(book.newest(name))
        if isinstance(found, Settled) and found.state == "failed"
    ]
    return [book.retry(one.accepted_as.tenant_id, one.accepted_as.receipt) for one in failed]


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
