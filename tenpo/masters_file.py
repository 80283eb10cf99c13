"""A tenant's masters as one YAML file: stores, the vendors' store codes, devices.

    stores:
      - {store_id: tokyo-1, name: Tokyo 1, timezone: Asia/Tokyo, currency: JPY}
    store_codes:
      - {source: posa, code: "0001", store_id: tokyo-1}
    devices:
      - {device_id: 6384E16179950009, store_id: tokyo-1, source: milesight}

The keys of each row are the fields of `tenpo.masters`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tenpo.errors import ConfigError
from tenpo.located_yaml import LocatedYaml
from tenpo.masters import Device, Kind, Master, Store, StoreCode

_SECTIONS: dict[str, tuple[Kind, type[Master]]] = {
    "stores": ("store", Store),
    "store_codes": ("store_code", StoreCode),
    "devices": ("device", Device),
}
#: Sources of counts whose bytes leave out how long they took.
_SILENT_OF_INTERVALS = ("lorawan",)


def load_masters_file(path: Path) -> dict[Kind, list[Master]]:
    """The masters of one file, by kind; a section that is absent gives no kind.

    Raises:
        ConfigError: the file is not there, or a row is wrong; names line and key.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the masters cannot be read: {error}", where=str(path), remedy="Give a YAML file."
        ) from error
    return parse_masters(text, path.name)


def parse_masters(text: str, name: str) -> dict[Kind, list[Master]]:
    """As `load_masters_file`, of text already read."""
    document = LocatedYaml(text, name)
    if not isinstance(document.value, dict):
        raise ConfigError("the file has no sections", where=name, remedy="Start with `stores:`.")
    masters: dict[Kind, list[Master]] = {}
    for section, rows in document.value.items():
        if section not in _SECTIONS:
            raise ConfigError(
                f"there is no section {section}",
                where=document.where((section,)),
                remedy=f"Use {', '.join(_SECTIONS)}.",
            )
        kind, model = _SECTIONS[section]
        masters[kind] = _rows(document, section, rows, model)
    _check_references(document, masters)
    return masters


def without_interval(devices: Iterable[Master]) -> list[Device]:
    """Counters whose bytes do not say how long their counts took, and whose row does not either.

    Their `interval_s` is a guess, and with it the beginning of their counts.
    """
    return [
        row
        for row in devices
        if isinstance(row, Device)
        and row.source in _SILENT_OF_INTERVALS
        and "interval_s" not in row.model_fields_set
    ]


def _rows(document: LocatedYaml, section: str, rows: object, model: type[Master]) -> list[Master]:
    if not isinstance(rows, list):
        raise ConfigError(
            f"{section} is no list",
            where=document.where((section,)),
            remedy="Write one row a line, each beginning with a dash.",
        )
    return [document.model(model, (section, n), row or {}) for n, row in enumerate(rows)]


def _check_references(document: LocatedYaml, masters: dict[Kind, list[Master]]) -> None:
    """Stores must be named once, and named stores must be there."""
    stores = [row.store_id for row in masters.get("store", []) if isinstance(row, Store)]
    for n, store_id in enumerate(stores):
        if store_id in stores[:n]:
            raise ConfigError(
                f"the store {store_id} comes twice",
                where=document.where(("stores", n, "store_id")),
                remedy="Give each store its own store_id.",
            )
    if not stores:
        return
    for section, (kind, _) in _SECTIONS.items():
        for n, row in enumerate(masters.get(kind, [])):
            if getattr(row, "store_id", None) not in stores:
                raise ConfigError(
                    "no such store in this file",
                    where=document.where((section, n, "store_id")),
                    remedy="Use the store_id of a row under stores.",
                )
