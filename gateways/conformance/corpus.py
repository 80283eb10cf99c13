"""Recorded payloads to replay, and what is known about them.

A corpus is a folder: payloads of one adapter, `stores.yaml` with stores, codes and devices, and
beside a payload `NAME.expected.yaml` with the vendor's own totals, where they are known:

    accepted: 4
    sums: {gross_amount: "1850", in_count: "16"}
    personal: [Mr Smith]        # values that must not get out
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from gateways.adapter import Adapter
from gateways.context import Context
from tenpo.errors import ConfigError
from tenpo.keys import TenantKeys
from tenpo.located_yaml import LocatedYaml
from tenpo.masters import TenantMasters
from tenpo.masters_file import load_masters_file

STORES, EXPECTED = "stores.yaml", ".expected.yaml"
TENANT = "conformance"
#: Pseudonyms of a replay are nobody's: nothing of it is kept.
_ROOT = bytes(range(32))


class Expected(BaseModel):
    """What a payload must come to; what is not stated is not checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    received: int | None = None
    accepted: int | None = None
    rejected: int | None = None
    ignored: int | None = None
    sums: dict[str, Decimal] = {}
    personal: tuple[str, ...] = ()


@dataclass(frozen=True)
class Payload:
    """One recorded payload."""

    name: str
    body: bytes
    expected: Expected = field(default_factory=Expected)


@dataclass(frozen=True)
class Subject:
    """What is examined: an adapter with payloads, under masters that know their stores.

    Args:
        adapter: the adapter.
        payloads: at least one, each readable as a whole.
        masters: stores, codes and devices of the payloads.
        received_at: when they are taken to have arrived, after everything in them.
        store_hint: the store of payloads that name none.
    """

    adapter: Adapter
    payloads: Sequence[Payload]
    masters: TenantMasters
    received_at: datetime
    store_hint: str | None = None

    def context(self, later: int = 0, masters: TenantMasters | None = None) -> Context:
        """A delivery, so many microseconds after the first."""
        moment = self.received_at + timedelta(microseconds=later)
        used = masters or self.masters
        return Context(used, TenantKeys(_ROOT, used.tenant_id), moment, self.store_hint)


def load_corpus(adapter: Adapter, folder: Path, store_hint: str | None) -> Subject:
    """The payloads of a folder.

    Raises:
        ConfigError: no payload, no stores file, or a file that is wrong; names it.
    """
    if not (folder / STORES).is_file():
        raise ConfigError(
            "a corpus needs its stores",
            where=str(folder / STORES),
            remedy="Write the stores, codes and devices of its payloads there.",
        )
    rows: dict[str, Any] = {
        str(kind): found for kind, found in load_masters_file(folder / STORES).items()
    }
    files = sorted(
        path for path in folder.iterdir()
        if path.is_file() and path.name != STORES and not path.name.endswith(EXPECTED)
    )  # fmt: skip
    if not files:
        raise ConfigError(
            "the corpus has no payload", where=str(folder), remedy="Put recorded payloads there."
        )
    payloads = [Payload(path.name, path.read_bytes(), _expected(path)) for path in files]
    masters = TenantMasters(tenant_id=TENANT, **rows)
    return Subject(adapter, payloads, masters, datetime.now(UTC), store_hint)


def _expected(payload: Path) -> Expected:
    path = payload.with_name(payload.name + EXPECTED)
    if not path.is_file():
        return Expected()
    return LocatedYaml(path.read_text("utf-8-sig"), path.name).model(Expected)
