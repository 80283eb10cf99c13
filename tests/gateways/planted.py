"""A payload of every adapter with a name, a mail and card digits of its own. No test of its own.

They stand where the vendor has room for them, and in fields that nobody asked for. The same
three are in no other adapter's payload, so what is found tells who let it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateways.iot.visits import Visits
from tests.gateways.payloads import MASTERS, Recorded, recorded
from tests.gateways.recordings import recording

#: Room for a person in the formats of vendors of JSON: field to place in `Planted.values`.
ROOM: dict[str, dict[str, int]] = {
    "posb": {"clerk": 0, "customer_id": 1},
    "square": {"note": 0, "customer_id": 1, "pan": 2},
    "shopify": {"first_name": 0, "email": 1, "note": 2},
    "smaregi": {"staffName": 0, "customerId": 1, "staffId": 2},
    "milesight": {"line_name": 0, "device_mac": 1},
    "lorawan": {"gateway_id": 0, "correlation_ids": 1},
    "xovis": {"element-name": 0, "timezone": 1},
    "axis": {"name": 0, "timeZone": 1},
    "terabee": {"username": 0, "password": 1},
    "vivotek": {"TimeZone": 0},
    "video": {},
}
#: What the files hold where a person stands, by its place in `Planted.values`.
TEXTS: dict[str, tuple[str, str, str]] = {
    "posa": ("山田太郎", "C-90817263", "クーポン"),
    "poslog": ("Erika Mustermann", "OP-77 Tanaka", "LOYAL-5550001"),
    "hikvision": ("Camera 01", "192.168.1.64", "HTTP"),
}
CODECS = {"posa": "cp932", "till": "cp1252"}


@dataclass(frozen=True)
class Planted:
    """A good payload of an adapter, and the personal values in it."""

    recorded: Recorded
    body: bytes
    values: tuple[str, str, str]
    codec: str = "utf-8"


def planted() -> dict[str, Planted]:
    """Every adapter's, those of specs included."""
    video = Recorded(Visits(), recording("video", "visits.json"), 0)
    found = {}
    for number, (name, one) in enumerate({**recorded(), "video": video}.items()):
        codec = CODECS.get(name, "utf-8")
        person = "Käthe Müller" if codec == "cp1252" else "山田花子"
        values = (f"{person} {name}", f"{name}@planted.example", f"40000012345{number:05d}")
        body = _MAKERS.get(name, _json)(name, one.body.decode(codec), values)
        found[name] = Planted(one, body.encode(codec), values, codec)
    return found


def misplaced(sent: Recorded, value: str, codec: str = "utf-8") -> bytes:
    """A payload in whose columns of stores and devices a personal value stands."""
    source, text = sent.adapter.name, sent.body.decode(codec)
    own = {row.code for row in MASTERS.store_code if row.source == source}
    known = own | set(MASTERS.stores) | set(MASTERS.devices)
    if text.lstrip()[0] in "{[":
        return orjson.dumps(_replaced(orjson.loads(text), {one.lower() for one in known}, value))
    codes = "|".join(re.escape(one) for one in sorted(known, key=len, reverse=True))
    text = re.sub(rf"(?<![\w.:-])({codes})(?![\w.:-])", value, text, flags=re.IGNORECASE)
    return text.encode(codec)


def _replaced(document: Any, known: Container[str], value: str) -> Any:
    if isinstance(document, list):
        return [_replaced(one, known, value) for one in document]
    if isinstance(document, Mapping):
        return {key: _replaced(one, known, value) for key, one in document.items()}
    return value if str(document).lower() in known else document


Values = tuple[str, str, str]


def _json(name: str, text: str, values: Values) -> str:
    """Into the vendor's own fields, and into three more of every object."""

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(one) for one in value]
        if not isinstance(value, Mapping):
            return value
        room = ROOM[name]
        own = {k: values[room[k]] if k in room else filled(v) for k, v in value.items()}
        return own | dict(zip(("contact", "mail", "card_number"), values, strict=True))

    return orjson.dumps(filled(orjson.loads(text))).decode()


def _xml(name: str, text: str, values: Values) -> str:
    """In place of what stands there, and in an element beside."""
    for known, value in zip(TEXTS[name], values, strict=True):
        text = text.replace(known, value)
    start, end, rest = text.rpartition("</")
    return f"{start}<Contact><Name>{values[0]}</Name>{values[1]} {values[2]}</Contact>{end}{rest}"


def _posa(name: str, text: str, values: Values) -> str:
    for known, value in zip(TEXTS[name], values, strict=True):
        text = text.replace(known, value)
    return text


def _till(name: str, text: str, values: Values) -> str:
    """One customer a line."""
    del name
    first, second, third = text.rstrip("\n").split("\n")[1:]
    plain = [line.removesuffix("Mr Smith") for line in (first, second, third)]
    lines = [line + value for line, value in zip(plain, values, strict=True)]
    return "\n".join([text.split("\n")[0], *lines, ""])


def _door(name: str, text: str, values: Values) -> str:
    """The format has no room for anybody: a line that is none."""
    del name
    return text.rstrip("\n") + "\n" + ",".join(values) + "\n"


_MAKERS: dict[str, Callable[[str, str, Values], str]] = {
    "posa": _posa,
    "poslog": _xml,
    "hikvision": _xml,
    "till": _till,
    "door": _door,
}
