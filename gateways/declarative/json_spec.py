"""The model of a spec of JSON: where a push of counts keeps device, times and counts.

For counters that push JSON, one push a document or many. CSV has a model of its own
(`gateways.declarative.spec`); how this one is carried out is `gateways.declarative.json_mapping`.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gateways.declarative.checks import check_format
from gateways.declarative.json_path import JsonPath, parse_path
from gateways.declarative.parts import Part, spec_name
from tenpo.located_yaml import AtKeyError


def _path(text: str) -> str:
    parsed = parse_path(text)
    if any(step.each for step in parsed.steps):
        raise ValueError(f"{text!r}: only records may hold []")
    return text


def _records(text: str) -> str:
    if parse_path(text).up != 0:
        raise ValueError(f"{text!r}: records start at the root")
    return text


def _counted(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


PathText = Annotated[str, AfterValidator(_path)]
ColumnName = Literal["device_id", "line_id", "version"]
ConstantName = Literal["device_id", "line_id"]
CountName = Literal["in", "out", "pass", "staff_in", "staff_out", "child_in", "group_in"]


class JsonForm(Part):
    """Which objects of a payload are records: all of some list, but for those that `only` bars."""

    records: Annotated[str, AfterValidator(_records)] | None = None
    only: dict[PathText, tuple[str, ...]] = Field(default_factory=dict)


class JsonCount(Part):
    """Where a count stands, and which records have it: all, or those whose members say so."""

    path: PathText
    when: dict[PathText, tuple[str, ...]] = Field(default_factory=dict)


class JsonTime(Part):
    """When it was: ISO 8601 unless formats or `unix` say otherwise.

    An interval has two of start, end and `interval_s`; a reading has `at`, or is as of its
    receiving. A time without offset is the store's own.
    """

    start: PathText | None = None
    end: PathText | None = None
    at: PathText | None = None
    received: bool = False
    unix: Literal["s", "ms"] | None = None
    formats: tuple[str, ...] = ()


class JsonSpec(Part):
    """One form of JSON of one kind of counter."""

    name: Annotated[str, AfterValidator(spec_name)]
    event: Literal["count_interval", "count_reading"]
    description: str = ""
    form: JsonForm = Field(alias="json")
    columns: dict[ColumnName, PathText] = Field(default_factory=dict)
    constants: dict[ConstantName, str] = Field(default_factory=dict)
    document: tuple[PathText, ...] = ()
    time: JsonTime
    interval_s: int | None = Field(default=None, ge=1, le=86_400)
    counts: dict[CountName, Annotated[JsonCount, BeforeValidator(_counted)]] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_what_its_event_needs(self) -> JsonSpec:
        if "device_id" not in {*self.columns, *self.constants}:
            raise ValueError("device_id is missing: map it in columns, or name it in constants")
        self._check_times()
        if self.event == "count_reading" and not {"in"} <= set(self.counts) <= {"in", "out"}:
            raise AtKeyError(("counts",), "count_reading has in, and out if there is any")
        return self

    def _check_times(self) -> None:
        time = self.time
        if time.formats and time.unix:
            raise AtKeyError(("time", "unix"), "give formats or unix, one of them")
        for pattern in time.formats:
            check_format(pattern)
        if self.event == "count_reading":
            if bool(time.at) == time.received or time.start or time.end:
                raise AtKeyError(("time",), "count_reading has at, or received: true")
        elif time.at or time.received:
            raise AtKeyError(("time",), "count_interval has start and end")
        elif sum(map(bool, (time.start, time.end, self.interval_s))) != 2:
            raise AtKeyError(("time",), "give two of time.start, time.end and interval_s")

    @model_validator(mode="after")
    def _paths_stay_inside(self) -> JsonSpec:
        around = sum(step.each for step in self.parsed(self.form.records).steps)
        for key, text in self._paths():
            if (self.parsed(text).up or 0) > around:
                raise AtKeyError(key, f"{text!r}: so many objects are not around a record")
        return self

    def _paths(self) -> list[tuple[tuple[str, ...], str]]:
        """Every path with the key it stands under."""
        time = {"start": self.time.start, "end": self.time.end, "at": self.time.at}
        found: list[tuple[tuple[str, ...], str]]
        found = [(("time", key), path) for key, path in time.items() if path]
        found += [(("columns", key), path) for key, path in self.columns.items()]
        found += [(("document",), path) for path in self.document]
        found += [(("json", "only"), path) for path in self.form.only]
        for name, count in self.counts.items():
            found += [(("counts", name), path) for path in (count.path, *count.when)]
        return found

    def parsed(self, text: str | None) -> JsonPath:
        """A path of this spec; an empty one without text."""
        return self._parsed[text] if text else JsonPath(())

    @cached_property
    def _parsed(self) -> dict[str, JsonPath]:
        texts = [text for _, text in self._paths()]
        texts += [self.form.records] if self.form.records else []
        return {text: parse_path(text) for text in texts}
