"""Create and list tenants, issue and revoke their tokens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from tenpo.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenpo.kpi.calendar import Calendar
    from tenpo.masters import Device, Master, Store, StoreCode, TenantMasters
    from tenpo.tenants import Scope

tenant = typer.Typer(no_args_is_help=True, help=__doc__)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Name = Annotated[str, typer.Argument(help="The tenant: lower-case letters, digits, '_', '-'.")]


@tenant.command()
def create(
    name: Name,
    stores: Annotated[
        Path | None, typer.Option(help="YAML file of stores, store codes and devices.")
    ] = None,
    label: Annotated[str, typer.Option(help="The retailer's name for people.")] = "",
    calendar: Annotated[
        str, typer.Option(help="Weeks and months: iso or retail_454; it stays as it was.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Create a tenant, or bring its masters up to date; its tokens stay as they are.

    Example: tenpo tenant create acme --stores stores.yaml
    """
    from tenpo.masters_file import load_masters_file
    from tenpo.settings import get_settings
    from tenpo.tenants import create_tenant

    if calendar not in ("", "iso", "retail_454"):
        raise InputError(
            f"{calendar!r} is no calendar", where="--calendar", remedy="Use iso or retail_454."
        )
    settings = get_settings()
    masters = load_masters_file(stores) if stores else {}
    tokens = create_tenant(
        settings,
        name,
        label or _label(name),
        cast("list[Store]", masters.get("store", [])),
        cast("list[StoreCode]", masters.get("store_code", [])),
        cast("list[Device]", masters.get("device", [])),
        cast("Calendar", calendar or None),
    )
    _warn_of_guesses(masters.get("device", []))
    made = {scope: getattr(tokens, scope) for scope in tokens.new}
    folder = settings.home / "secrets"
    if as_json:
        _print_json({"tenant": name, "new_tokens": made, "kept_in": str(folder)})
        return
    typer.echo(f"The tenant {name} is ready. Its tokens are kept in {folder}.")
    for scope, secret in made.items():
        typer.echo(f"{scope:>5} token, shown this once: {secret}")


def _warn_of_guesses(devices: Sequence[Master]) -> None:
    """Name the counters whose counts would be dated by an interval that nobody stated."""
    from tenpo.masters_file import without_interval

    for device in without_interval(devices):
        typer.echo(
            f"The device {device.device_id} has no interval_s: each of its counts is taken to be "
            f"of {device.interval_s} s. Name the reporting interval that the device is set to in "
            "the stores file, and run this again.",
            err=True,
        )


@tenant.command(name="list")
def list_tenants(as_json: AsJson = False) -> None:
    """List tenants with their stores, devices and tokens (never a token's secret).

    Example: tenpo tenant list
    """
    from tenpo.lake import Lake
    from tenpo.masters import MasterBook
    from tenpo.settings import get_settings

    book = MasterBook(Lake(get_settings().lake_url))
    rows = [_described(book.get(tenant_id)) for tenant_id in book.tenants()]
    if as_json:
        _print_json({"tenants": rows})
        return
    if not rows:
        typer.echo("There is no tenant yet. Create one with: tenpo tenant create NAME")
    for row in rows:
        typer.echo(
            f"{row['tenant']}  {row['name']}  {len(row['stores'])} stores, "
            f"{row['devices']} devices, {len(row['tokens'])} tokens"
        )


@tenant.command()
def token(
    name: Name,
    store: Annotated[str | None, typer.Option(help="Only for this store.")] = None,
    scope: Annotated[
        str, typer.Option(help="send (gateways), read (API) or features (faces).")
    ] = "send",
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Make the token worthless instead.")
    ] = False,
    grace_h: Annotated[
        float, typer.Option(help="Rotate: the former token works on for so many hours.", min=0)
    ] = 0,
    rate: Annotated[
        float | None, typer.Option(help="Payloads a second it may send; 0: no limit.", min=0)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Issue a token; the former one of the same scope and store stops working.

    Example: tenpo tenant token acme --store tokyo-1 --scope send

    Rotate without a gap: tenpo tenant token acme --store tokyo-1 --grace-h 24
    """
    from datetime import timedelta

    from tenpo.settings import get_settings
    from tenpo.tenants import Scope, issue_token, revoke_token

    if scope not in get_args(Scope):
        known = ", ".join(get_args(Scope))
        raise InputError(f"{scope!r} is no scope", where="--scope", remedy=f"Use one of {known}.")
    wanted = cast("Scope", scope)
    if revoke:
        revoke_token(get_settings(), name, wanted, store)
        answer: dict[str, Any] = {"tenant": name, "scope": scope, "store": store, "revoked": True}
        text = f"The {scope} token of {store or name} is revoked."
    else:
        secret = issue_token(
            get_settings(), name, wanted, store, grace=timedelta(hours=grace_h), rate_per_s=rate
        )
        answer = {"tenant": name, "scope": scope, "store": store, "token": secret}
        text = f"{scope} token, shown this once: {secret}"
    if as_json:
        _print_json(answer)
    else:
        typer.echo(text)


@tenant.command()
def benchmark(
    name: Name,
    join: Annotated[
        bool | None,
        typer.Option("--join/--leave", help="Give figures to benchmarks and read them, or not."),
    ] = None,
) -> None:
    """Take part in benchmarks of industries, or leave them; off at first.

    Of those who take part, rounded quartiles of five stores or more of three retailers or more are
    released, nobody's own figures. Leaving acts at once; what was released stays.

    Example: tenpo tenant benchmark acme --join
    """
    from tenpo.settings import get_settings
    from tenpo.tenants import share_benchmarks

    if join is None:
        raise InputError(
            "nothing is asked for", where="--join, --leave", remedy="Give one of the two."
        )
    share_benchmarks(get_settings(), name, shares=join)
    typer.echo(
        f"{name} takes part in benchmarks: from the next release on."
        if join
        else f"{name} takes no part in benchmarks, and sees none."
    )


@tenant.command()
def webhook(
    name: Name,
    vendor: Annotated[str, typer.Argument(help="Vendor that signs, e.g. shopify.")],
    secret_file: Annotated[
        Path | None, typer.Option(help="File with the secret that the vendor shows.", exists=True)
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Address given to the vendor; Square signs it, too.")
    ] = None,
    store: Annotated[str | None, typer.Option(help="Store of payloads that name none.")] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with what fetches the orders that webhooks name: Square's access token, "
            "Smaregi's CLIENT_ID:SECRET.",
            exists=True,
        ),
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="The tenant at the vendor: Smaregi's contract.")
    ] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take no more of its webhooks.")] = False,
) -> None:
    """Keep the secret a vendor signs webhooks with, sealed; an earlier one stops working.

    Example: tenpo tenant webhook acme shopify --secret-file secret.txt --store online
    """
    from tenpo.settings import get_settings
    from tenpo.webhook_secrets import Fetching, keep_webhook, revoke_webhook

    if revoke:
        revoke_webhook(get_settings(), name, vendor)
        typer.echo(f"Webhooks of {vendor} for {name} are refused from now on.")
        return
    if secret_file is None:
        raise InputError(
            "no secret is given", where="--secret-file", remedy="Name a file that holds it alone."
        )
    secret = secret_file.read_text("utf-8").strip()
    token = token_file.read_text("utf-8").strip() if token_file is not None else None
    fetching = Fetching(token, account) if token is not None else None
    keep_webhook(get_settings(), name, vendor, secret, url, store, fetching)
    typer.echo(f"Webhooks of {vendor} are taken at POST /v1/hooks/{name}/{vendor}.")


def _label(tenant_id: str) -> str:
    """The name the tenant has, else its id."""
    from tenpo.errors import UnknownReference
    from tenpo.lake import Lake
    from tenpo.masters import MasterBook
    from tenpo.settings import get_settings

    try:
        known = MasterBook(Lake(get_settings().lake_url)).get(tenant_id).tenant
    except UnknownReference:
        return tenant_id
    return known[0].name if known else tenant_id


def _described(masters: TenantMasters) -> dict[str, Any]:
    return {
        "tenant": masters.tenant_id,
        "name": masters.tenant[0].name if masters.tenant else masters.tenant_id,
        "stores": list(masters.stores),
        "shares_benchmarks": masters.shares_benchmarks,
        "devices": len(masters.device),
        "tokens": [
            {
                "name": t.name,
                "scope": t.scope,
                "store": t.store_id,
                "revoked": t.revoked,
                "valid_until": t.valid_until.isoformat() if t.valid_until else None,
            }
            for t in masters.token
        ],
    }


def _print_json(document: dict[str, Any]) -> None:
    import orjson

    typer.echo(orjson.dumps(document).decode())
