"""The shops of the simulated chain: where they are, how big, what registers and counters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tenpo.masters import Device, Store, StoreCode

CHAIN_NAME = "こもれび商店"
MAX_STORES = 500

#: Slug, name, and whether it lives from commuters (busy on weekdays) or from families.
_PLACES = (
    ("shinjuku", "新宿", True), ("kichijoji", "吉祥寺", False), ("shibuya", "渋谷", True),
    ("omiya", "大宮", True), ("tachikawa", "立川", False), ("chiba", "千葉", False),
    ("yokohama", "横浜西口", True), ("machida", "町田", False), ("ikebukuro", "池袋", True),
    ("kashiwa", "柏の葉", False), ("ueno", "上野", True), ("futako", "二子玉川", False),
    ("umeda", "梅田", True), ("tennoji", "天王寺", False), ("kyoto", "京都河原町", True),
    ("kobe", "神戸三宮", True), ("nagoya", "名古屋栄", True), ("sapporo", "札幌大通", True),
    ("sendai", "仙台一番町", True), ("hiroshima", "広島紙屋町", True),
    ("tenjin", "福岡天神", True), ("kanazawa", "金沢片町", False),
    ("niigata", "新潟万代", False), ("naha", "那覇国際通り", False),
)  # fmt: skip

LATE_HOURS = ("10:00", "26:00")
_HOURS = {True: ("10:00", "21:00"), False: ("09:30", "20:00")}


@dataclass(frozen=True, slots=True)
class Counter:
    """A people counter over one entrance.

    Args:
        device: its master.
        mac: as in its payloads.
        share: part of the shop's visitors that use this entrance.
        by_mqtt: publishes over MQTT; else posts over HTTP.
        hourly: sends an hour's intervals together; else each as it ends.
    """

    device: Device
    mac: str
    share: float
    by_mqtt: bool
    hourly: bool


@dataclass(frozen=True, slots=True)
class Shop:
    """One shop.

    Args:
        index: position in the chain.
        store: its master.
        vendor: whose registers it has.
        code: what that vendor calls it.
        commuters: busy on weekdays rather than at weekends.
        visitors: people on an average day.
        conversion: part of them that buys.
        registers: number of registers.
        hourly: whether the registers send every hour (vendor B only), else once a day.
        counters: its people counters.
    """

    index: int
    store: Store
    vendor: Literal["posa", "posb"]
    code: str
    commuters: bool
    visitors: float
    conversion: float
    registers: int
    hourly: bool
    counters: tuple[Counter, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """The shops and, from them, the masters a tenant needs."""

    shops: tuple[Shop, ...]

    @property
    def stores(self) -> list[Store]:
        """Store masters."""
        return [shop.store for shop in self.shops]

    @property
    def store_codes(self) -> list[StoreCode]:
        """Vendor B's codes; vendor A's arrive as a file of its own."""
        return [
            StoreCode(source="posb", code=shop.code, store_id=shop.store.store_id)
            for shop in self.shops
            if shop.vendor == "posb"
        ]

    @property
    def devices(self) -> list[Device]:
        """Device masters."""
        counters = [counter.device for shop in self.shops for counter in shop.counters]
        return [*counters, self.camera]

    @property
    def camera(self) -> Device:
        """The one camera, in the first shop."""
        store_id = self.shops[0].store.store_id
        return Device(
            device_id=f"{store_id}-door", store_id=store_id, source="video", role="camera"
        )


def make_chain(seed: int, stores: int) -> Chain:
    """The chain of a seed. A longer chain begins with the shops of a shorter one."""
    return Chain(tuple(_shop(seed, index) for index in range(stores)))


def _shop(seed: int, index: int) -> Shop:
    rng = np.random.default_rng([seed, index, 0])
    place, label, commuters = _PLACES[index % len(_PLACES)]
    branch = index // len(_PLACES)
    suffix, ordinal = (f"-{branch + 1}", f"第{branch + 1}") if branch else ("", "")
    late = index % len(_PLACES) == 0
    posa = index % 2 == 0
    size = float(rng.lognormal(0, 0.3))
    store = Store(
        store_id=f"{place}{suffix}",
        name=f"{CHAIN_NAME} {label}{ordinal}店",
        timezone="Asia/Tokyo",
        currency="JPY",
        day_cutover="05:00" if late else "00:00",
        opening_hours=(LATE_HOURS if late else _HOURS[commuters],),
        industry="variety",
        sales_area_m2=round(180 * size),
    )
    return Shop(
        index=index,
        store=store,
        vendor="posa" if posa else "posb",
        code=f"{index + 1:04d}" if posa else f"B{index + 1:03d}",
        commuters=commuters,
        visitors=620 * size,
        conversion=float(rng.uniform(0.24, 0.42)),
        registers=2 + int(size > 1),
        hourly=index % 4 == 1,
        counters=_counters(rng, store.store_id, index),
    )


def _counters(rng: np.random.Generator, store_id: str, index: int) -> tuple[Counter, ...]:
    doors = ("main", "side")[: 1 + index % 2]
    share = float(rng.uniform(0.6, 0.8)) if len(doors) == 2 else 1.0
    return tuple(
        Counter(
            device=Device(
                device_id=f"6384E161{index + 1:04d}{door + 1:04d}",
                store_id=store_id,
                source="milesight",
                entrance=entrance,
            ),
            mac=f"24:E1:24:{index // 256:02X}:{index % 256:02X}:{door + 1:02X}",
            share=share if door == 0 else 1 - share,
            by_mqtt=(index + door) % 3 == 2,
            hourly=index % 6 != 2,
        )
        for door, entrance in enumerate(doors)
    )
