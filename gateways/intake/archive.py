"""The raw archive: payloads as received, many in one sealed object.

An object holds the deliveries of one group commit of one tenant and kind. Replay
opens it with the tenant's key and hands each body to the adapter that is named.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from gateways.normalize.adapter import Kind
from tenpo.keys import TenantKeys
from tenpo.lake import Lake

_SCHEMA = pa.schema(
    [
        pa.field("position", pa.int64(), nullable=False),
        pa.field("received_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("adapter_version", pa.string(), nullable=False),
        pa.field("spec_object", pa.string()),
        pa.field("store_hint", pa.string()),
        pa.field("allowed_store", pa.string()),
        pa.field("content_type", pa.string(), nullable=False),
        pa.field("body", pa.large_binary(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Delivery:
    """One payload as it came, with what replay needs to read it the same way."""

    received_at: datetime
    source: str
    adapter_version: str
    content_type: str
    body: bytes
    spec_object: str | None = None
    store_hint: str | None = None
    allowed_store: str | None = None


#: Media types of bodies that were kept as they came, because they could not be opened.
UNOPENED = frozenset({"application/gzip", "application/zstd", "multipart/form-data"})
_TOLD = [field.name for field in fields(Delivery)]


def raw_name(tenant_id: str, kind: Kind, stem: str) -> str:
    """The object's name; `stem` is `<date>/<stamp>-<worker>`."""
    return f"raw/{tenant_id}/{kind}/{stem}.sealed"


def sealed_archive(keys: TenantKeys, name: str, deliveries: Sequence[Delivery]) -> bytes:
    """The bytes of one object that holds deliveries; positions count from 1."""
    told = {field: [getattr(one, field) for one in deliveries] for field in _TOLD}
    told["position"] = list(range(1, len(deliveries) + 1))
    columns = [pa.array(told[field.name], field.type) for field in _SCHEMA]
    plain = io.BytesIO()
    pq.write_table(
        pa.table(columns, schema=_SCHEMA),
        plain,
        compression={"body": "zstd"},
        use_dictionary=["source", "content_type"],
        write_statistics=False,
    )
    return keys.seal(plain.getvalue(), name)


def write_archive(lake: Lake, keys: TenantKeys, name: str, deliveries: Sequence[Delivery]) -> None:
    """Seal deliveries into one object of the lake; positions count from 1."""
    lake.put(name, sealed_archive(keys, name, deliveries))


def read_archive(lake: Lake, keys: TenantKeys, name: str) -> list[Delivery]:
    """The deliveries of one object, in their order.

    Raises:
        IntegrityError: not sealed with this tenant's key, or damaged.
    """
    plain = keys.open(lake.get(name), name)
    rows = pq.read_table(io.BytesIO(plain)).select(_TOLD).to_pylist()
    return [Delivery(**row) for row in rows]
