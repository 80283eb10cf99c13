"""`tenpo send` and `tenpo normalize`: files to the gateway, or through it without one.

Both leave with exit code 3 when any record or file was rejected: everything else
has landed, and the answer lists what has not.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateways.cli.outcome import Outcome
    from gateways.cli.sending import Sender
    from gateways.normalize.adapter import Adapter
    from tenpo.cli.progress import Advance


class KindArgument(StrEnum):
    """What the files hold."""

    POS = "pos"
    IOT = "iot"


Files = Annotated[
    list[Path], typer.Argument(help="Payloads of one form.", exists=True, dir_okay=False)
]
Vendor = Annotated[str | None, typer.Option(help="Vendor whose form it is, see GET /v1/vendors.")]
SpecFile = Annotated[
    Path | None, typer.Option("--spec", help="YAML spec of a CSV form.", exists=True)
]
StoreOption = Annotated[
    str | None, typer.Option(help="Store of payloads that name none themselves.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def send(
    kind: Annotated[KindArgument, typer.Argument(help="pos for sales, iot for counts.")],
    files: Files,
    tenant: Annotated[str, typer.Option(help="Tenant the data belongs to.")],
    vendor: Vendor = None,
    spec: SpecFile = None,
    store: StoreOption = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="TENPO_TOKEN", help="Token; else the local stack's own is used."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send files through the gateway, again until it has them; exit 3 when any is rejected.

    Waits for large files, which are read after the gateway has taken them. Files go one
    after the other, so that a later correction stays the later one. If the gateway stays away,
    what became of the files so far is told before the error.

    Example: tenpo send pos sales/*.csv --spec specs/uci_online_retail.yaml --tenant uci

    Vendor A's store master: tenpo send pos stores.csv --vendor posa/stores --tenant chain
    """
    from gateways.cli.outcome import Outcome
    from gateways.cli.sending import Sender, open_client
    from tenpo.cli.progress import progress
    from tenpo.errors import TenpoError
    from tenpo.settings import read_settings

    outcome = Outcome()
    with open_client(read_settings().gateway_url) as client:
        secret = token or _local_token(tenant)
        sender = Sender(client, tenant, secret, store, lambda: read_settings().gateway_url)
        path = _path(sender, kind, vendor, spec)
        try:
            with progress("Sending", len(files), unit="files") as advance:
                _send_each(sender, path, files, outcome, advance)
        except TenpoError as error:
            outcome.stop(error, unsent=len(files) - len(outcome.files))
            outcome.show(as_json=as_json)
            raise
    outcome.report(as_json=as_json)


def _send_each(
    sender: Sender, path: str, files: list[Path], outcome: Outcome, advance: Advance
) -> None:
    from tenpo.errors import InputError

    for file in files:
        waits = partial(_show_wait, advance, file.name)
        try:
            outcome.add(str(file), sender.post(path, file.read_bytes(), waits))
        except InputError as error:
            outcome.refuse(str(file), error)
        advance(detail=file.name)


def normalize(
    kind: Annotated[KindArgument, typer.Argument(help="pos for sales, iot for counts.")],
    files: Files,
    out: Annotated[Path, typer.Option(help="Folder for canonical Parquet and rejections.")],
    vendor: Vendor = None,
    spec: SpecFile = None,
    stores: Annotated[
        Path | None, typer.Option(help="Stores, codes and devices as YAML.", exists=True)
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Tenant; without --stores its masters in the lake.")
    ] = None,
    store: StoreOption = None,
    as_json: AsJson = False,
) -> None:
    """Turn files into canonical Parquet and rejections, without any service; exit 3 on rejections.

    Example: tenpo normalize pos sales.csv --spec my.yaml --stores stores.yaml --out /tmp/out
    """
    from gateways.cli.offline import masters_of, normalize_files
    from gateways.cli.outcome import Outcome
    from tenpo.cli.progress import progress
    from tenpo.errors import InputError
    from tenpo.settings import get_settings

    settings = get_settings()
    adapter = _adapter(kind, vendor, spec)
    masters = masters_of(settings, tenant, stores)
    outcome = Outcome()
    done = normalize_files(files, adapter, masters, settings.root_secret(), store, out)
    with progress("Normalising", len(files), unit="files") as advance:
        for file, result in done:
            if isinstance(result, InputError):
                outcome.refuse(str(file), result)
            else:
                outcome.add(str(file), result)
            advance(detail=file.name)
    outcome.report(as_json=as_json)


def _show_wait(advance: Advance, name: str, state: str) -> None:
    advance(0, detail=f"{name} ({state})")


def _path(sender: Sender, kind: KindArgument, vendor: str | None, spec: Path | None) -> str:
    """The gateway's path for these files; a spec is put there first."""
    from gateways.declarative.choose import load_adapter

    _check_form(vendor, spec)
    if spec is None:
        return f"/v1/{kind.value}/{vendor}"
    adapter = load_adapter(spec)
    sender.put(f"/v1/specs/{adapter.name}", adapter.body)
    return f"/v1/{kind.value}/spec/{adapter.name}"


def _adapter(kind: KindArgument, vendor: str | None, spec: Path | None) -> Adapter:
    from gateways.declarative.choose import load_adapter
    from gateways.registry import adapter_for

    _check_form(vendor, spec)
    if spec is None:
        return adapter_for(kind.value, vendor or "")
    return load_adapter(spec)


def _check_form(vendor: str | None, spec: Path | None) -> None:
    from tenpo.errors import ConfigError

    if (vendor is None) == (spec is None):
        raise ConfigError(
            "the form of the files is not told once",
            where="--vendor, --spec",
            remedy="Give --vendor NAME or --spec FILE, one of them.",
        )


def _local_token(tenant: str) -> str:
    """The local stack's own token of a tenant, kept when the tenant was created."""
    from tenpo.errors import AuthError
    from tenpo.identifiers import checked_name
    from tenpo.settings import get_settings

    path = get_settings().home / "secrets" / f"token-{checked_name('tenant', tenant)}"
    try:
        return path.read_text("ascii").strip()
    except OSError as error:
        raise AuthError(
            "no token is given and this machine keeps none",
            where=str(path),
            remedy="Give --token or TENPO_TOKEN, or create the tenant: tenpo tenant create NAME",
        ) from error
