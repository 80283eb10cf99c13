"""Tenants: creating one with its masters and tokens, listing them for Airflow.

A token's secret is shown when it is made and kept on this machine for the local
stack (`<home>/secrets`); the lake only has its SHA-256. Not for checking tokens:
that is the gateways' and the API's work.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, cast

import orjson

from tenpo.errors import UnknownReference
from tenpo.identifiers import checked_name
from tenpo.kpi.calendar import Calendar
from tenpo.lake import Lake
from tenpo.masters import (
    Device,
    Kind,
    Master,
    MasterBook,
    Store,
    StoreCode,
    Tenant,
    Token,
    token_digest,
)
from tenpo.settings import Settings

Scope = Literal["send", "read", "features"]
#: Ends the name of a token that works on for its grace; no scope or store has it in its name.
_FORMER = "~former"
_FILES: dict[Scope, str] = {"send": "token", "read": "read-token", "features": "features-token"}
#: Every tenant has these; one for faces is issued where somebody asks for it.
_EVERYBODYS: tuple[Scope, ...] = ("send", "read")


@dataclass(frozen=True, slots=True)
class TenantTokens:
    """The tokens that speak for a whole tenant.

    Args:
        tenant_id: the tenant.
        send: for gateways.
        read: for the API.
        new: which of them were made just now and not seen by anybody yet.
    """

    tenant_id: str
    send: str = field(repr=False)
    read: str = field(repr=False)
    new: tuple[Scope, ...] = ()


def create_tenant(
    settings: Settings,
    tenant_id: str,
    name: str,
    stores: Sequence[Store] = (),
    store_codes: Sequence[StoreCode] = (),
    devices: Sequence[Device] = (),
    calendar: Calendar | None = None,
) -> TenantTokens:
    """Make a tenant, or bring its masters up to date; its tokens stay as they are.

    Args:
        settings: where the lake and the secrets are.
        tenant_id: lower-case name, safe in paths.
        name: the retailer's name for people.
        stores: all its stores; none leaves the ones it has.
        store_codes: likewise.
        devices: likewise.
        calendar: what its weeks and months are; none leaves what it has, ISO at first.
    """
    checked_name("tenant", tenant_id)
    book = MasterBook(Lake(settings.lake_url))
    lists: tuple[tuple[Kind, Sequence[Master]], ...] = (
        ("store", stores),
        ("store_code", store_codes),
        ("device", devices),
    )
    for kind, rows in lists:
        if rows:
            _put_changed(book, tenant_id, kind, rows)
    tokens = _keep_tokens(settings, book, tenant_id)
    former = _own_row(book, tenant_id) or Tenant(tenant_id=tenant_id, name=name)
    held = former.model_copy(update={"name": name, "calendar": calendar or former.calendar})
    _put_changed(book, tenant_id, "tenant", [held])
    list_for_airflow(settings)
    return tokens


def share_benchmarks(settings: Settings, tenant_id: str, *, shares: bool) -> None:
    """Let a tenant's stores be part of benchmarks of industries, and its readers see them, or not.

    Raises:
        UnknownReference: no such tenant.
    """
    book = MasterBook(Lake(settings.lake_url))
    masters = book.get(tenant_id)
    former = masters.tenant[-1] if masters.tenant else Tenant(tenant_id=tenant_id, name=tenant_id)
    row = former.model_copy(update={"shares_benchmarks": shares})
    _put_changed(book, tenant_id, "tenant", [row])


def issue_token(
    settings: Settings,
    tenant_id: str,
    scope: Scope,
    store_id: str | None = None,
    *,
    grace: timedelta = timedelta(0),
    rate_per_s: float | None = None,
) -> str:
    """A new token in place of the one of the same scope and store, if any.

    Args:
        settings: where the lake and the secrets are.
        tenant_id: the tenant.
        scope: what it is for.
        store_id: the only store it speaks for; none means all.
        grace: how long the former one works on; an even older one stops at once.
        rate_per_s: payloads a second that it may send; none keeps the former one's.

    Raises:
        UnknownReference: no such tenant or store.
    """
    book = MasterBook(Lake(settings.lake_url))
    masters = book.get(tenant_id)
    if store_id is not None and store_id not in masters.stores:
        raise UnknownReference(
            f"{tenant_id} has no store {store_id!r}",
            remedy=f"Its stores are: {', '.join(masters.stores) or 'none'}.",
        )
    name = _token_name(scope, store_id)
    former = next((token for token in _tokens(book, tenant_id) if token.name == name), None)
    secret = secrets.token_hex(32)
    row = _token_row(scope, store_id, secret)
    if rate_per_s is not None or former is not None:
        rate = rate_per_s if former is None or rate_per_s is not None else former.rate_per_s
        row = row.model_copy(update={"rate_per_s": rate})
    rows = [row]
    if former is not None and former.is_valid() and grace > timedelta(0):
        ends = {"name": f"{name}{_FORMER}", "valid_until": datetime.now(UTC) + grace}
        rows.append(former.model_copy(update=ends))
    if store_id is None:
        _write_secret(_secret_file(settings, tenant_id, scope), secret)
    _put_tokens(book, tenant_id, name, rows)
    return secret


def revoke_token(
    settings: Settings, tenant_id: str, scope: Scope, store_id: str | None = None
) -> None:
    """Make a token worthless within seconds, its former one too, and forget its secret here.

    Raises:
        UnknownReference: no such tenant, or it has no such token.
    """
    book = MasterBook(Lake(settings.lake_url))
    name = _token_name(scope, store_id)
    row = next((token for token in book.get(tenant_id).token if token.name == name), None)
    if row is None:
        raise UnknownReference(
            f"{tenant_id} has no token {name!r}",
            remedy="See what there is with: tenpo tenant list --json",
        )
    _put_tokens(book, tenant_id, name, [row.model_copy(update={"revoked": True})])
    if store_id is None:
        _secret_file(settings, tenant_id, scope).unlink(missing_ok=True)


def list_for_airflow(settings: Settings) -> list[str]:
    """Write the tenants' ids where Airflow's DAG files read them, whole or not at all."""
    tenants = MasterBook(Lake(settings.lake_url)).tenants()
    path = settings.home / "airflow" / "tenants.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, orjson.dumps(tenants))
    return tenants


def _put_changed(book: MasterBook, tenant_id: str, kind: Kind, rows: Sequence[Master]) -> None:
    if book.own(tenant_id, kind) != list(rows):
        book.put(tenant_id, kind, rows)


def _keep_tokens(settings: Settings, book: MasterBook, tenant_id: str) -> TenantTokens:
    """The tokens kept here where they still open the door, new ones where not."""
    known = {row.sha256 for row in _tokens(book, tenant_id) if row.is_valid()}
    kept: dict[Scope, str] = {}
    new: list[Scope] = []
    for scope in _EVERYBODYS:
        path = _secret_file(settings, tenant_id, scope)
        secret = path.read_text("ascii").strip() if path.exists() else ""
        if token_digest(secret) not in known:
            secret = secrets.token_hex(32)
            _write_secret(path, secret)
            row = _token_row(scope, None, secret)
            _put_tokens(book, tenant_id, row.name, [row])
            new.append(scope)
        kept[scope] = secret
    return TenantTokens(tenant_id, kept["send"], kept["read"], tuple(new))


def _own_row(book: MasterBook, tenant_id: str) -> Tenant | None:
    own = [row for row in book.own(tenant_id, "tenant") if isinstance(row, Tenant)]
    return own[-1] if own else None


def _tokens(book: MasterBook, tenant_id: str) -> list[Token]:
    return cast("list[Token]", book.own(tenant_id, "token"))


def _put_tokens(book: MasterBook, tenant_id: str, name: str, rows: Sequence[Token]) -> None:
    """Replace the token of a name, and its former one, by others."""
    replaced = (name, f"{name}{_FORMER}")
    others = [token for token in _tokens(book, tenant_id) if token.name not in replaced]
    book.put(tenant_id, "token", [*others, *rows])


def _token_row(scope: Scope, store_id: str | None, secret: str) -> Token:
    return Token(
        name=_token_name(scope, store_id),
        sha256=token_digest(secret),
        scope=scope,
        store_id=store_id,
    )


def _token_name(scope: Scope, store_id: str | None) -> str:
    return scope if store_id is None else f"{scope}-{store_id}"


def _secret_file(settings: Settings, tenant_id: str, scope: Scope) -> Path:
    return settings.home / "secrets" / f"{_FILES[scope]}-{tenant_id}"


def _write_secret(path: Path, secret: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _replace(path, secret.encode())


def _replace(path: Path, data: bytes) -> None:
    """Write a file of the owner's alone, durably, in place of what was there."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
