"""Normalising files without any service, as the gateway would do it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from gateways.intake.answer import answer
from gateways.intake.canonical import parquet
from gateways.normalize.adapter import Adapter
from gateways.normalize.context import Context, ReceivingClock
from tenpo.contracts import EVENTS
from tenpo.errors import ConfigError, InputError
from tenpo.keys import TenantKeys
from tenpo.lake import Lake
from tenpo.masters import MasterBook, TenantMasters
from tenpo.masters_file import load_masters_file
from tenpo.settings import Settings

OFFLINE_TENANT = "offline"


def masters_of(settings: Settings, tenant: str | None, stores: Path | None) -> TenantMasters:
    """Masters from a file, or those of a tenant in the lake.

    Raises:
        ConfigError: neither is given.
    """
    if stores is not None:
        rows: dict[str, Any] = {
            str(kind): found for kind, found in load_masters_file(stores).items()
        }
        return TenantMasters(tenant_id=tenant or OFFLINE_TENANT, **rows)
    if tenant is not None:
        return MasterBook(Lake(settings.lake_url)).get(tenant)
    raise ConfigError(
        "without stores no record has a place", remedy="Give --stores FILE or --tenant NAME."
    )


def normalize_files(
    files: list[Path], adapter: Adapter, masters: TenantMasters, root: bytes, store: str | None,
    out: Path,
) -> Iterator[tuple[Path, dict[str, Any] | InputError]]:  # fmt: skip
    """Normalise files one by one into `<out>/<file>.<event>.parquet`.

    Rejections are written as JSON too, for people; what an earlier run wrote of the same file
    is replaced. Yields what became of each file, with its rejections counted by reason.

    Raises:
        InputError: two files would be written under one name; nothing was read.
    """
    _check_names(files)
    out.mkdir(parents=True, exist_ok=True)
    keys, clock = TenantKeys(root, masters.tenant_id), ReceivingClock()
    for file in files:
        context = Context(masters, keys, clock.now(), store)
        try:
            normalized = adapter.normalize(_bytes_of(file), context)
        except InputError as error:
            _forget(out, file.name)
            yield file, error
            continue
        _forget(out, file.name)
        told = answer(str(file), normalized.results[0])
        told_all = answer(str(file), normalized.results[0], limit=None)["rejections"]
        told["reasons"] = dict(Counter(one["reason_code"] for one in told_all))
        for event, table in normalized.events.items():
            if table.num_rows:
                (out / f"{file.name}.{event}.parquet").write_bytes(parquet(table))
        if normalized.rejected:
            listed = orjson.dumps(told_all, option=orjson.OPT_INDENT_2)
            (out / f"{file.name}.rejection.json").write_bytes(listed)
        yield file, told


def _check_names(files: list[Path]) -> None:
    first: dict[str, Path] = {}
    for file in files:
        other = first.setdefault(file.name, file)
        if other is not file:
            raise InputError(
                f"two files would be written as {file.name}",
                where=f"{other}, {file}",
                remedy="Normalise them one at a time, each with an --out of its own.",
            )


def _forget(out: Path, name: str) -> None:
    """Remove what an earlier run wrote of a file of this name."""
    for ending in (*(f"{event}.parquet" for event in EVENTS), "rejection.json"):
        (out / f"{name}.{ending}").unlink(missing_ok=True)


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(
            f"the file cannot be read: {error.strerror}", where=str(file), remedy="Give its path."
        ) from error
