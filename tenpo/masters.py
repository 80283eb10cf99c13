"""Masters: tenants, stores, the vendors' store codes, devices and their tokens.

They live in the lake, append-only: each origin (the console, a vendor's file)
writes whole lists of its own, and the newest object of each origin counts. So
gateways need no database to know whom they may trust, and every change is kept.
Ingest carries them on to the warehouse and the datamart.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tenpo.clock import StoreClock, parse_clock, zone
from tenpo.errors import ConfigError, InputError, UnknownReference
from tenpo.identifiers import checked_name, is_name, micros
from tenpo.lake import Lake

Kind = Literal["tenant", "store", "store_code", "device", "token", "webhook"]
CONSOLE = "console"
#: So far back may a store look for who comes back.
MAX_RETURN_DAYS = 90


def _timezone(name: str) -> str:
    try:
        return zone(name).key
    except ConfigError as error:
        raise ValueError(str(error)) from error  # so that the model names the key, too


def _clock(text: str) -> str:
    try:
        parse_clock(text)
    except InputError as error:
        raise ValueError(str(error)) from error
    return text


def _one_or_seven(hours: tuple[object, ...]) -> tuple[object, ...]:
    if len(hours) not in (0, 1, 7):
        raise ValueError("give one pair of opening hours, or seven from Monday on")
    return hours


ClockText = Annotated[str, AfterValidator(_clock)]
Hours = tuple[ClockText, ClockText]


class Master(BaseModel):
    """A master row: unknown keys are an error, so that a typing mistake is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Tenant(Master):
    """A retailer. `calendar` says what its weeks and months are (`tenpo.kpi.calendar`).

    `shares_benchmarks`: its stores are part of what is released of industries, and its readers see
    that (docs/adr/0022-benchmarks.md).
    """

    tenant_id: str
    name: str
    calendar: Literal["iso", "retail_454"] = "iso"
    shares_benchmarks: bool = False


class Store(Master):
    """A store: where and when it trades.

    `opening_hours` has one pair for all days or seven, Monday first; `null` is closed, and
    none at all means open around the clock.
    """

    store_id: str
    name: str
    timezone: Annotated[str, AfterValidator(_timezone)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    day_cutover: ClockText = "00:00"
    opening_hours: Annotated[tuple[Hours | None, ...], AfterValidator(_one_or_seven)] = ()
    tax_rounding: Literal["floor", "half_up", "half_even"] = "floor"
    industry: str | None = None
    sales_area_m2: float | None = Field(default=None, gt=0)
    opened_on: date | None = None
    has_faces: bool = False
    min_visit_s: int = Field(default=0, ge=0, description="shorter visits are left out")
    return_days: int = Field(
        default=30,
        ge=1,
        le=MAX_RETURN_DAYS,
        description="who was seen within so many dates before comes back",
    )
    retention_days: int = Field(default=30, ge=1)

    @model_validator(mode="after")
    def _opening_lies_within_the_business_date(self) -> Store:
        cutover = parse_clock(self.day_cutover)
        for opens, closes in filter(None, self.opening_hours):
            start, end = parse_clock(opens), parse_clock(closes)
            if not cutover <= start < end <= cutover + timedelta(hours=24):
                raise ValueError(
                    f"opening hours {opens}-{closes} do not lie within the business date, which "
                    f"begins at {self.day_cutover}: set day_cutover to an hour when it is closed"
                )
        return self

    @property
    def clock(self) -> StoreClock:
        """The store's clock."""
        return StoreClock(self.timezone, int(parse_clock(self.day_cutover).total_seconds()))

    def open_between(self, day: date) -> tuple[datetime, datetime] | None:
        """Opening and closing (UTC) of a business date; None where it is closed."""
        if not self.opening_hours:
            start_s = timedelta(seconds=self.clock.day_cutover_s)
            return self.clock.at(day, start_s), self.clock.at(day + timedelta(days=1), start_s)
        hours = self.opening_hours[day.weekday() % len(self.opening_hours)]
        if hours is None:
            return None
        start, end = (self.clock.at(day, parse_clock(text)) for text in hours)
        return start, end


class StoreCode(Master):
    """What a vendor calls a store, while it does."""

    source: str
    code: str
    store_id: str
    valid_from: date | None = None
    valid_to: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the code meant this store on that day (ends included)."""
        after = self.valid_from is None or self.valid_from <= day
        return after and (self.valid_to is None or day <= self.valid_to)


class Device(Master):
    """A people counter or camera."""

    device_id: str
    store_id: str
    source: str
    entrance: str = "main"
    role: Literal["door", "pass", "zone", "camera"] = "door"
    interval_s: int = Field(default=900, ge=1, description="expected reporting interval")
    model: str | None = Field(default=None, description="which device it is, e.g. vs133")


class Token(Master):
    """A token, by its SHA-256. Without a store it speaks for the whole tenant.

    `read` is for the API; `send` for gateways; `features` for the faces of people, where one
    store's token is its device's. `valid_until` ends one that was rotated;
    `rate_per_s` bounds what it may send a second, where the platform's own bound does not fit.
    """

    name: str
    sha256: str
    scope: Literal["send", "read", "features"] = "send"
    store_id: str | None = None
    revoked: bool = False
    valid_until: datetime | None = None
    rate_per_s: float | None = Field(default=None, ge=0)

    def is_valid(self, now: datetime | None = None) -> bool:
        """Whether it opens anything, at a moment."""
        alive = self.valid_until is None or (now or datetime.now(UTC)) < self.valid_until
        return alive and not self.revoked


class Webhook(Master):
    """What a vendor signs its webhooks with, sealed with the tenant's key.

    `url` is the address that the vendor was given, where it signs that, too; `store_id` the
    store of payloads that name none. Where webhooks only name what they are about,
    `token_sealed` opens the vendor's API, and `account` is the tenant's name there.
    """

    vendor: str
    sealed: Annotated[str, Field(repr=False)]
    url: str | None = None
    store_id: str | None = None
    token_sealed: Annotated[str, Field(repr=False)] = ""
    account: str | None = None
    revoked: bool = False


_MODELS: dict[str, type[Master]] = {
    "tenant": Tenant,
    "store": Store,
    "store_code": StoreCode,
    "device": Device,
    "token": Token,
    "webhook": Webhook,
}


class TenantMasters(BaseModel):
    """All masters of one tenant, merged over their origins; the console's rows win.

    `objects` names the lake's objects that they were merged from.
    """

    tenant_id: str
    objects: tuple[str, ...] = ()
    tenant: list[Tenant] = []
    store: list[Store] = []
    store_code: list[StoreCode] = []
    device: list[Device] = []
    token: list[Token] = []
    webhook: list[Webhook] = []

    @property
    def calendar(self) -> Literal["iso", "retail_454"]:
        """What the tenant's weeks and months are."""
        return self.tenant[-1].calendar if self.tenant else "iso"

    @property
    def shares_benchmarks(self) -> bool:
        """Whether the tenant gives to benchmarks of industries, and may read them."""
        return bool(self.tenant) and self.tenant[-1].shares_benchmarks

    @cached_property
    def stores(self) -> dict[str, Store]:
        """Stores by id."""
        return {row.store_id: row for row in self.store}

    @cached_property
    def devices(self) -> dict[str, Device]:
        """Devices by id."""
        return {row.device_id: row for row in self.device}

    @cached_property
    def tokens(self) -> dict[str, Token]:
        """Tokens by digest: of equal ones the last, as it is said last.

        Who can time the look-up learns about digests, and nothing of a secret from them.
        """
        return {row.sha256: row for row in self.token}

    def webhook_of(self, vendor: str) -> Webhook | None:
        """How webhooks of a vendor are taken; None where they are not."""
        found = (row for row in self.webhook if row.vendor == vendor and not row.revoked)
        return next(found, None)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy whose dictionaries are made anew from its own rows."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("stores", "devices", "tokens"):
            copied.__dict__.pop(name, None)
        return copied

    def store_for(self, source: str, code: str, day: date) -> str | None:
        """The store a vendor's code meant on a day; a store's own id is always known."""
        for row in self.store_code:
            if row.source == source and row.code == code and row.covers(day):
                return row.store_id
        return code if code in self.stores else None


def token_digest(secret: str) -> str:
    """What is kept of a token."""
    return sha256(secret.encode()).hexdigest()


class MasterBook:
    """Masters of all tenants, read from the lake and kept for a moment.

    Args:
        lake: where they lie.
        max_age_s: how long a tenant's masters are served from memory.
    """

    def __init__(self, lake: Lake, max_age_s: float = 2.0) -> None:
        self._lake = lake
        self._max_age_s = max_age_s
        self._kept: dict[str, tuple[float, tuple[str, ...], TenantMasters]] = {}

    def tenants(self) -> list[str]:
        """Ids of all tenants."""
        return self._lake.folders("master")

    def kept(self, tenant_id: str) -> TenantMasters | None:
        """The masters of one tenant where memory has them; never touches the lake."""
        kept = self._kept.get(tenant_id)
        fresh = kept is not None and time.monotonic() - kept[0] < self._max_age_s
        return kept[2] if kept is not None and fresh else None

    def knows(self, tenant_id: str) -> bool:
        """Whether masters of the tenant were ever read here; never touches the lake."""
        return tenant_id in self._kept

    def get(self, tenant_id: str) -> TenantMasters:
        """The masters of one tenant.

        Raises:
            UnknownReference: there is no such tenant.
            ConfigError: a master cannot be read; names the object and the key.
        """
        fresh = self.kept(tenant_id)
        if fresh is not None:
            return fresh
        if not is_name(tenant_id):
            raise _no_tenant(tenant_id)
        kept, now = self._kept.get(tenant_id), time.monotonic()
        newest = _newest(self._lake.names(f"master/{tenant_id}"))
        if not newest:
            raise _no_tenant(tenant_id)
        masters = kept[2] if kept and kept[1] == newest else self._load(tenant_id, newest)
        self._kept[tenant_id] = (now, newest, masters)
        return masters

    def at(self, tenant_id: str, objects: Sequence[str]) -> TenantMasters:
        """The masters as they were, by the objects that `TenantMasters.objects` named."""
        kept = self.kept(tenant_id)
        unchanged = kept is not None and kept.objects == tuple(objects)
        return kept if kept is not None and unchanged else self._load(tenant_id, objects)

    def put(
        self, tenant_id: str, kind: Kind, rows: Sequence[Master], origin: str = CONSOLE
    ) -> None:
        """Replace one origin's list of one kind."""
        checked_name("tenant", tenant_id)
        stamp = micros(datetime.now(UTC))
        body = orjson.dumps([row.model_dump(mode="json") for row in rows])
        name = f"master/{tenant_id}/{kind}/{checked_name('origin', origin)}/{stamp:020d}.json"
        self._lake.put(name, body)
        self._kept.pop(tenant_id, None)

    def own(self, tenant_id: str, kind: Kind, origin: str = CONSOLE) -> list[Master]:
        """One origin's own list of one kind; empty where it has none."""
        names = self._lake.names(f"master/{tenant_id}/{kind}/{origin}")
        return list(self._rows(names[-1])) if names else []

    def _load(self, tenant_id: str, names: Sequence[str]) -> TenantMasters:
        merged: dict[str, dict[tuple[object, ...], Master]] = {kind: {} for kind in _MODELS}
        for name in sorted(names, key=lambda n: (n.split("/")[3] == CONSOLE, n)):
            kind = name.split("/")[2]
            for row in self._rows(name):
                merged[kind][_key(row)] = row
        lists = {kind: list(rows.values()) for kind, rows in merged.items()}
        known = {"tenant_id": tenant_id, "objects": tuple(names)}
        return TenantMasters.model_validate({**known, **lists})

    def _rows(self, name: str) -> Iterable[Master]:
        model = _MODELS[name.split("/")[2]]
        try:
            return [model.model_validate(row) for row in orjson.loads(self._lake.get(name))]
        except (ValidationError, orjson.JSONDecodeError) as error:
            raise ConfigError(f"the master cannot be read: {error}", where=name) from error


def _newest(names: Iterable[str]) -> tuple[str, ...]:
    """The last object of each kind and origin."""
    by_origin = {tuple(name.split("/")[2:4]): name for name in sorted(names)}
    return tuple(sorted(by_origin.values()))


def _key(row: Master) -> tuple[object, ...]:
    match row:
        case Store():
            return (row.store_id,)
        case StoreCode():
            return (row.source, row.code, row.valid_from)
        case Device():
            return (row.device_id,)
        case Token():
            return (row.name,)
        case Webhook():
            return (row.vendor,)
        case _:
            return ()


def _no_tenant(tenant_id: str) -> UnknownReference:
    return UnknownReference(
        f"there is no tenant {tenant_id[:63]!r}",
        remedy="Create it with: tenpo tenant create NAME --stores FILE",
    )
