"""What holds for every adapter, specs included: the conformance kit over all of them.

`TENPO_MUTATIONS=10000` reads so many damaged payloads of each.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner

from gateways.conformance.checks import order
from gateways.conformance.corpus import Expected, Payload, Subject, load_corpus
from gateways.conformance.examine import examine
from gateways.conformance.mutate import PLANTED, mutated
from gateways.conformance.shipped import corpus_of, shipped
from gateways.declarative.adapter import DeclarativeAdapter
from gateways.declarative.choose import load_adapter
from gateways.iot.terabee import Terabee
from gateways.normalize.context import Context
from gateways.normalize.faults import Faults
from gateways.normalize.json_adapter import JsonAdapter, Rows
from gateways.normalize.normalized import Normalized
from gateways.normalize.records import Records
from gateways.pos.posb import PosB
from gateways.pos.square import Square
from gateways.registry import ADAPTERS, vendors
from tenpo.cli.main import app
from tenpo.errors import ConfigError, PayloadError
from tests.gateways.payloads import (
    MASTERS,
    PERSONAL,
    POSB,
    RECEIVED_AT,
    SALES_CSV,
    SALES_SPEC,
    recorded,
)

SPECS = Path(__file__).parents[2] / "specs"
MUTATIONS = int(os.environ.get("TENPO_MUTATIONS", "100"))
#: Specs of the tests, with one payload each.
ALONE = {name: one for name, one in recorded().items() if name not in vendors()}
ALL = [*shipped(), *ALONE]
SALES_ONLY = "net + tax = gross"
CLOCK = "days of 23 and 25 hours"
#: What the one payload of these gives no occasion for; corpora state it themselves.
COUNTED = {CLOCK, SALES_ONLY, "lines explain totals"}
NO_OCCASION = {"till": {CLOCK}, "door": COUNTED, "vivotek": COUNTED}


def subject(name: str) -> Subject:
    if name in ALONE:
        one = ALONE[name]
        expected = Expected(accepted=one.records, rejected=0, personal=PERSONAL)
        return Subject(one.adapter, [Payload(name, one.body, expected)], MASTERS, RECEIVED_AT)
    adapter = vendors().get(name) or load_adapter(SPECS / f"{name}.yaml")
    return load_corpus(adapter, corpus_of(name))


def test_every_vendor_and_every_shipped_spec_has_a_corpus() -> None:
    specs = {path.stem for path in SPECS.glob("*.yaml") if not path.stem.endswith(".stores")}
    assert len(ADAPTERS) >= 3
    assert specs
    assert set(shipped()) == set(vendors()) | specs


@pytest.mark.parametrize("name", ALL)
def test_every_adapter_conforms(name: str) -> None:
    examined = subject(name)
    card = examine(examined, MUTATIONS)
    assert [one for one in card.findings if one.status == "failed"] == []
    unchecked = {one.check: one.detail for one in card.findings if one.status == "not checked"}
    if name in ALONE:
        assert set(unchecked) == NO_OCCASION[name]
    else:
        assert unchecked == examined.no_occasion  # nothing is left out without its reason


def test_a_reason_for_leaving_a_check_out_must_be_one() -> None:
    stated = replace(subject("square"), no_occasion={SALES_ONLY: "no money"})
    (failed,) = [one for one in examine(stated, 0).findings if one.status == "failed"]
    assert (failed.check, "no occasion" in failed.detail) == (SALES_ONLY, True)


@pytest.mark.parametrize("name", shipped())
def test_each_payload_of_a_corpus_states_what_it_comes_to(name: str) -> None:
    for one in subject(name).payloads:
        told = one.expected
        assert told.sums or told.received == 0, one.name
        assert all(value.encode() in one.body or value.encode("cp932") in one.body
                   for value in told.personal), one.name  # fmt: skip


@pytest.mark.parametrize("name", shipped())
def test_every_corpus_has_a_correction(name: str) -> None:
    assert [one for one in subject(name).payloads if one.expected.replaces]


class Crashing(PosB):
    """Breaks on a value that it does not expect."""

    def rows(self, body: bytes) -> Rows:
        return {} if PLANTED.encode() in body else super().rows(body)  # type: ignore[return-value]


class Telling(PosB):
    """Tells a value back."""

    def rows(self, body: bytes) -> Rows:
        if PLANTED.encode() in body:
            raise PayloadError(f"no receipt: {body!r}")
        return super().rows(body)


class Forgetful(PosB):
    """Drops a record silently."""

    def rows(self, body: bytes) -> Rows:
        found = super().rows(body)
        return Rows(found.values[1:], found.positions[1:], found.faults)


class Restless(PosB):
    """Names its lines otherwise each time."""

    def read(self, body: bytes, context: Context) -> Records:
        records = super().read(body, context)
        moments = [str(context.received_at)] * len(records)
        records.columns["line_key"] = records.columns["line_key"].from_pandas(moments)
        return records


class Skewed(PosB):
    """Taxes that do not add up."""

    def normalize(self, body: bytes, context: Context) -> Normalized:
        result = super().normalize(body, context)
        found = result.located["sale_line"]
        table = found.table
        place = table.schema.get_field_index("net_amount")
        shifted = table.set_column(place, table.schema.field(place), table["gross_amount"])
        result.located["sale_line"] = type(found)(shifted, found.deliveries)
        return result


class Haunted(PosB):
    """Counts the lines into the name of the receipt, so a shorter one is another."""

    def read(self, body: bytes, context: Context) -> Records:
        records = super().read(body, context)
        column = records.columns["document"]
        names = [f"{name}|{len(records)}" for name in column.to_pylist()]
        records.columns["document"] = column.from_pandas(names)
        return records


class Clockless(PosB):
    """Takes every clock for UTC."""

    def read(self, body: bytes, context: Context) -> Records:
        records = super().read(body, context)
        local = pc.assume_timezone(records.columns["local"], "UTC")
        records.columns["at"] = pc.coalesce(records.columns["at"], local)
        return records


class Discountless(Square):
    """Leaves the discount out, and makes the rest fit the order's total."""

    def rows(self, body: bytes) -> Rows:
        return super().rows(body.replace(b"total_discount_money", b"unknown"))


class Correcting(Terabee):
    """Puts the arrival in the place of a time that is after it, and says nothing."""

    def rows_under(self, body: bytes, context: Context) -> Rows:
        found = super().rows_under(body, context)
        now = context.received_at.isoformat()
        found.readings = [
            {**row, "occurred_at": min(row["occurred_at"], now)} for row in found.readings
        ]
        return found


class Renaming(Square):
    """Counts the lines into the name of the order, so a corrected one is another."""

    def records(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        last = {row["document"]: row["line_number"] for row in rows}
        named = [{**row, "document": f"{row['document']}|{last[row['document']]}"} for row in rows]
        return super().records(named, faults)


@pytest.mark.parametrize(
    ("adapter", "check"),
    [
        (Crashing(), "damage does no harm"),
        (Telling(), "rejections say why"),
        (Forgetful(), "the vendor's own totals"),
        (Restless(), "twice is once"),
        (Skewed(), "net + tax = gross"),
        (Haunted(), "corrections leave no ghosts"),
        (Renaming(), "corrections leave no ghosts"),
        (Discountless(), "lines explain totals"),
        (Clockless(), CLOCK),
        (Correcting(), "clocks that are off"),
    ],
)
def test_a_broken_adapter_fails_the_check_that_is_meant_for_it(
    adapter: JsonAdapter, check: str
) -> None:
    card = examine(load_corpus(adapter, corpus_of(adapter.name)), 60)
    assert not card.passed
    assert check in [one.check for one in card.findings if one.status == "failed"]


def test_damage_is_the_same_each_time_and_differs_by_number() -> None:
    made = [mutated(POSB, number) for number in range(50)]
    assert made == [mutated(POSB, number) for number in range(50)]
    assert len(set(made)) > 40


def test_damage_does_not_depend_on_what_was_damaged_before() -> None:
    small, numbers = b'{"a": [1]}', range(1_000)
    made = [mutated(small, number) for number in numbers]
    assert made[::-1] == [mutated(small, number) for number in reversed(numbers)]


STORES = """
stores:
  - {store_id: soho, name: Soho, timezone: Europe/London, currency: GBP}
store_codes:
  - {source: till, code: London Soho, store_id: soho}
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "stores.yaml").write_text(STORES, "utf-8")
    (folder / "sales.csv").write_bytes(SALES_CSV)
    (tmp_path / "till.yaml").write_bytes(SALES_SPEC)
    return folder


def state(corpus: Path, name: str, what: str) -> None:
    (corpus / "expected.yaml").write_text(f"payloads:\n  {name}: {{{what}}}\n", "utf-8")


def test_a_card_for_people_machines_and_the_vendor(corpus: Path) -> None:
    # Two lines of 2 x 1200.50 and a return of 12, as the file says.
    stated = 'accepted: 3, sums: {gross_amount: "4790.00"}, personal: [Mr Smith]'
    state(corpus, "sales.csv", stated)
    page = corpus.parent / "card.html"
    command = ["conformance", "--spec", str(corpus.parent / "till.yaml"), "--corpus", str(corpus),
               "--mutations", "50"]  # fmt: skip
    told = CliRunner().invoke(app, [*command, "--json", "--html", str(page)])
    card = orjson.loads(told.stdout)
    assert (told.exit_code, card["passed"], card["adapter"]) == (0, True, "till")
    assert "till conforms" in page.read_text("utf-8")
    assert "<script" not in page.read_text("utf-8")
    assert "It conforms." in CliRunner().invoke(app, command).stdout


def test_another_total_than_the_vendors_fails(corpus: Path) -> None:
    state(corpus, "sales.csv", 'sums: {gross_amount: "1"}')
    spec = str(corpus.parent / "till.yaml")
    command = ["conformance", "--spec", spec, "--corpus", str(corpus), "--mutations", "0"]
    told = CliRunner().invoke(app, command)
    assert told.exit_code == 1
    assert "does not conform yet" in told.stdout


def test_a_corpus_without_stores_is_refused(corpus: Path) -> None:
    (corpus / "stores.yaml").unlink()
    spec = str(corpus.parent / "till.yaml")
    told = CliRunner().invoke(app, ["conformance", "--spec", spec, "--corpus", str(corpus)])
    assert told.exit_code != 0


def test_without_a_folder_the_vendors_own_corpus_is_replayed() -> None:
    command = ["conformance", "--vendor", "terabee", "--mutations", "0", "--json"]
    card = orjson.loads(CliRunner().invoke(app, command).stdout)
    assert (card["passed"], card["payloads"]) == (True, 3)


def test_a_spec_of_ones_own_needs_a_corpus(corpus: Path) -> None:
    spec = str(corpus.parent / "till.yaml")
    told = CliRunner().invoke(app, ["conformance", "--spec", spec])
    assert isinstance(told.exception, ConfigError)
    assert told.exception.where == "--corpus"


@pytest.mark.parametrize(
    ("name", "what", "where"),
    [("other.csv", "accepted: 1", "payloads.other.csv"),
     ("sales.csv", "replaces: other.csv", "payloads.sales.csv.replaces")],
)  # fmt: skip
def test_a_statement_about_a_payload_that_is_not_there_is_refused(
    corpus: Path, name: str, what: str, where: str
) -> None:
    state(corpus, name, what)
    with pytest.raises(ConfigError, match="no payload") as caught:
        load_corpus(PosB(), corpus)
    assert f"line 2, key {where}" in caught.value.where


class Revived(DeclarativeAdapter):
    """Cancels by the time of arrival alone."""

    def read(self, body: bytes, context: Context) -> Records:
        """Without the versions that make cancellations final."""
        records = super().read(body, context)
        records.columns.pop("version", None)
        return records


@pytest.mark.parametrize(
    ("adapter", "status"), [(DeclarativeAdapter, "passed"), (Revived, "failed")]
)
def test_a_cancellation_conforms_where_it_is_final(
    adapter: type[DeclarativeAdapter], status: str
) -> None:
    rule = b"cancel: {document: [Shop, Member], when: {Type: {one_of: [C]}}}\n"
    sold, head = SALES_CSV, SALES_CSV.split(b"\n")[0] + b"\n"
    cancelled = head + b"London Soho;01/11/2026;10:30;9;C;;1;;1\n"
    payloads = [Payload("b-sold", sold), Payload("a-cancelled", cancelled)]
    examined = Subject(adapter.of(SALES_SPEC + rule, "till"), payloads, MASTERS, RECEIVED_AT)
    assert order(examined).status == status
