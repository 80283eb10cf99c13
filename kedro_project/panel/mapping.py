"""Which column of a panel file means what: a small YAML file, checked key by key.

    store: Store            # required
    date: Date              # required
    date_format: "%Y-%m-%d"
    sales: Sales            # at least one of sales, footfall, customers
    footfall: Visitors      # people who came in
    customers: Customers    # people who bought: receipts
    units: Units            # pieces sold
    open: Open              # 0 where the store was planned to be closed
    promo: Promo            # a column or a list of columns
    holidays: [StateHoliday, SchoolHoliday]
    attributes: [StoreType, SalesArea]
    size: SalesArea         # the attribute that tells a store's size

Not for the figures themselves (`read`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tenpo.errors import ConfigError
from tenpo.located_yaml import AtKeyError, LocatedYaml

_MAX_BYTES = 256 * 1024


def _listed(value: Any) -> Any:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


Column = Annotated[str, Field(min_length=1)]
Columns = Annotated[tuple[Column, ...], BeforeValidator(_listed)]


class Mapping(BaseModel):
    """The columns of a panel file by what they mean; unknown keys are an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    store: Column
    date: Column
    date_format: str = "%Y-%m-%d"
    sales: Column | None = None
    footfall: Column | None = None
    customers: Column | None = None
    units: Column | None = None
    open: Column | None = None
    promo: Columns = ()
    holidays: Columns = ()
    attributes: Columns = ()
    size: Column | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    decimal: Literal[".", ","] = "."
    encoding: str = "utf-8"

    @model_validator(mode="after")
    def _has_something_to_forecast(self) -> Mapping:
        if not (self.sales or self.footfall or self.customers):
            raise AtKeyError(("sales",), "map at least one of sales, footfall and customers")
        if self.size and self.size not in self.attributes:
            raise AtKeyError(("size",), "name a column that attributes lists, too")
        twice = sorted({name for name in self._names() if list(self._names()).count(name) > 1})
        if twice:
            raise AtKeyError(("store",), f"these columns are mapped twice: {', '.join(twice)}")
        return self

    def _names(self) -> Iterator[str]:
        return (name for _, name in self.keyed() if name)

    def keyed(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Each mapped column with the key that names it; `size` is one of the attributes."""
        for key in ("store", "date", "sales", "footfall", "customers", "units", "open"):
            if name := getattr(self, key):
                yield (key,), name
        for key in ("promo", "holidays", "attributes"):
            for n, name in enumerate(getattr(self, key)):
                yield (key, n), name


@dataclass(frozen=True)
class LocatedMapping:
    """A mapping with the places of its keys, for messages."""

    columns: Mapping
    source: LocatedYaml

    def where(self, *path: str | int) -> str:
        """File, line and key."""
        return self.source.where(path)


def read_mapping(path: Path) -> LocatedMapping:
    """The mapping of a file.

    Raises:
        ConfigError: it cannot be read, or a key is wrong; named with its line.
    """
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8") if len(raw) <= _MAX_BYTES else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "the mapping cannot be read", where=str(path), remedy="Give a YAML file in UTF-8."
        ) from error
    if len(raw) > _MAX_BYTES:
        raise ConfigError("the mapping is too large", where=str(path), remedy="Give the mapping.")
    source = LocatedYaml(text, path.name)
    return LocatedMapping(source.model(Mapping), source)
