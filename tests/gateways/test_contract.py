"""What holds for every adapter, specs included: the conformance kit over all of them.

`TENPO_MUTATIONS=10000` reads so many damaged payloads of each.
"""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from gateways.conformance.corpus import Expected, Payload, Subject
from gateways.conformance.examine import examine
from gateways.conformance.mutate import PLANTED, mutated
from gateways.context import Context
from gateways.json_adapter import Rows
from gateways.normalized import Normalized
from gateways.pos.posb import PosB
from gateways.records import Records
from gateways.registry import ADAPTERS, vendors
from tenpo.cli.main import app
from tenpo.errors import PayloadError
from tests.gateways.payloads import (
    MASTERS,
    PERSONAL,
    POSB,
    RECEIVED_AT,
    SALES_CSV,
    SALES_SPEC,
    Recorded,
    recorded,
)

ALL = recorded()
MUTATIONS = int(os.environ.get("TENPO_MUTATIONS", "100"))
SALES_ONLY = "net + tax = gross"


def subject(one: Recorded) -> Subject:
    expected = Expected(accepted=one.records, rejected=0, personal=PERSONAL)
    payload = Payload(one.adapter.name, one.body, expected)
    return Subject(one.adapter, [payload], MASTERS, RECEIVED_AT)


def test_there_are_adapters_and_each_has_a_recorded_payload() -> None:
    assert len(ADAPTERS) >= 3
    assert set(vendors()) < set(ALL)
    assert {one.adapter.kind for one in ALL.values()} == {"pos", "iot"}


@pytest.mark.parametrize("name", ALL)
def test_every_adapter_conforms(name: str) -> None:
    card = examine(subject(ALL[name]), MUTATIONS)
    assert [one for one in card.findings if one.status == "failed"] == []
    checked = {one.check for one in card.findings if one.status == "passed"}
    assert len(checked) >= 10
    assert (SALES_ONLY in checked) is (ALL[name].adapter.kind == "pos")


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


@pytest.mark.parametrize(
    ("adapter", "check"),
    [
        (Crashing, "damage does no harm"),
        (Telling, "rejections say why"),
        (Forgetful, "the vendor's own totals"),
        (Restless, "twice is once"),
        (Skewed, "net + tax = gross"),
        (Haunted, "corrections leave no ghosts"),
    ],
)
def test_a_broken_adapter_fails_the_check_that_is_meant_for_it(
    adapter: type[PosB], check: str
) -> None:
    card = examine(subject(Recorded(adapter(), POSB, 4)), 120)
    assert not card.passed
    assert check in [one.check for one in card.findings if one.status == "failed"]


def test_damage_is_the_same_each_time_and_differs_by_number() -> None:
    made = [mutated(POSB, number) for number in range(50)]
    assert made == [mutated(POSB, number) for number in range(50)]
    assert len(set(made)) > 40


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


def test_a_card_for_people_machines_and_the_vendor(corpus: Path) -> None:
    # Two lines of 2 x 1200.50 and a return of 12, as the file says.
    stated = 'accepted: 3\nsums: {gross_amount: "4790.00"}\npersonal: [Mr Smith]\n'
    (corpus / "sales.csv.expected.yaml").write_text(stated, "utf-8")
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
    (corpus / "sales.csv.expected.yaml").write_text('sums: {gross_amount: "1"}\n', "utf-8")
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
