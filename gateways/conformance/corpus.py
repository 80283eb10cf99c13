"""Recorded payloads to replay, and what is known about them.

A corpus is a folder: payloads of one adapter as they were sent, `stores.yaml` with stores, codes
and devices, and `expected.yaml` with what is known, where it is:

    received_at: 2026-11-02T03:00:00Z   # when they are taken to have arrived; else now
    no_occasion:
      net + tax = gross: it counts people, no money   # why a check of the card is not made
    payloads:
      order.json:
        accepted: 4
        sums: {gross_amount: "1850", in_count: "16"}
        personal: [Mr Smith]            # values that must not get out
      order-corrected.json:
        replaces: order.json            # a newer version of its documents
      clock-changes.json:
        moments: [2026-10-25T00:30:00Z] # of all its events
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict

from gateways.normalize.adapter import Adapter
from gateways.normalize.context import Context
from gateways.normalize.normalized import Normalized
from tenpo.errors import ConfigError
from tenpo.keys import TenantKeys
from tenpo.located_yaml import LocatedYaml
from tenpo.masters import TenantMasters
from tenpo.masters_file import load_masters_file

STORES, EXPECTED = "stores.yaml", "expected.yaml"
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
    moments: tuple[AwareDatetime, ...] | None = None
    replaces: str | None = None
    personal: tuple[str, ...] = ()


class Statement(BaseModel):
    """What is known of a whole corpus; payloads by the names of their files, checks by theirs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    received_at: AwareDatetime | None = None
    no_occasion: dict[str, str] = {}
    payloads: dict[str, Expected] = {}


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
        no_occasion: why a check is not made, by its name, where the format gives no occasion.
    """

    adapter: Adapter
    payloads: Sequence[Payload]
    masters: TenantMasters
    received_at: datetime
    store_hint: str | None = None
    no_occasion: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def results(self) -> list[tuple[Payload, Normalized]]:
        """What each payload comes to when it is sent first.

        Raises:
            PayloadError: one cannot be read as a whole.
        """
        return [(one, self.adapter.normalize(one.body, self.context())) for one in self.payloads]

    def context(self, later: int = 0, masters: TenantMasters | None = None) -> Context:
        """A delivery, so many microseconds after the first."""
        return self.arriving(self.received_at + timedelta(microseconds=later), masters)

    def arriving(self, moment: datetime, masters: TenantMasters | None = None) -> Context:
        """A delivery at another moment."""
        used = masters or self.masters
        return Context(used, TenantKeys(_ROOT, used.tenant_id), moment, self.store_hint)

    def zone(self, row: dict[str, Any]) -> ZoneInfo:
        """The clock of an event's store."""
        return ZoneInfo(self.masters.stores[row["store_id"]].timezone)


def load_corpus(adapter: Adapter, folder: Path, store_hint: str | None = None) -> Subject:
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
        if path.is_file() and path.name not in (STORES, EXPECTED)
    )  # fmt: skip
    if not files:
        raise ConfigError(
            "the corpus has no payload", where=str(folder), remedy="Put recorded payloads there."
        )
    known = _statement(folder / EXPECTED, {path.name for path in files})
    payloads = [
        Payload(path.name, path.read_bytes(), known.payloads.get(path.name, Expected()))
        for path in files
    ]
    masters = TenantMasters(tenant_id=TENANT, **rows)
    received_at = known.received_at or datetime.now(UTC)
    return Subject(adapter, payloads, masters, received_at, store_hint, known.no_occasion)


def _statement(path: Path, names: set[str]) -> Statement:
    if not path.is_file():
        return Statement()
    document = LocatedYaml(path.read_text("utf-8-sig"), path.name)
    found = document.model(Statement)
    for name, expected in found.payloads.items():
        for key, told in ((name, ()), (expected.replaces, ("replaces",))):
            if key is not None and key not in names:
                raise ConfigError(
                    "there is no payload of that name",
                    where=document.where(("payloads", name, *told)),
                    remedy="Name a file of this folder.",
                )
    return found
