"""`tenpo spec`: schema, check, guess."""

from __future__ import annotations

from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import orjson
import pytest
import yaml
from typer.testing import CliRunner

from gateways.declarative.adapter import DeclarativeAdapter
from gateways.declarative.guess import draft
from gateways.declarative.load import parse_spec
from tenpo.cli.main import app
from tenpo.errors import PayloadError
from tests.gateways.payloads import COUNTS_SPEC, SALES_CSV, SALES_SPEC, context
from tests.gateways.real_data import REPOSITORY


def run(*arguments: str) -> tuple[int, str]:
    told = CliRunner().invoke(app, ["spec", *arguments])
    return told.exit_code, told.stdout


def texts(path: Path) -> object:
    """The file as the loader sees it, all plain values text but true, false and null."""
    loader = yaml.BaseLoader
    found = yaml.load(path.read_text("utf-8"), Loader=loader)  # noqa: S506 - makes text only
    return orjson.loads(
        orjson.dumps(found).replace(b'"false"', b"false").replace(b'"null"', b"null")
    )


def test_the_schema_takes_the_shipped_specs_and_refuses_unknown_keys(tmp_path: Path) -> None:
    code, told = run("schema")
    schema = jsonschema.Draft202012Validator(orjson.loads(told))
    assert code == 0
    shipped = [p for p in (REPOSITORY / "specs").glob("*.yaml") if ".stores" not in p.name]
    assert len(shipped) >= 2
    wrong = tmp_path / "wrong.yaml"
    for path in shipped:
        wrong.write_text(path.read_text("utf-8") + "negatte: []\n", "utf-8")
        assert "negatte" in "".join(error.message for error in schema.iter_errors(texts(wrong)))


def test_check_tells_what_a_spec_makes(tmp_path: Path) -> None:
    path = tmp_path / "till.yaml"
    path.write_bytes(SALES_SPEC)
    code, told = run("check", str(path), "--json")
    assert (code, orjson.loads(told)["event"]) == (0, "sale_line")
    path.write_bytes(COUNTS_SPEC.replace(b"interval_s", b"intervall_s"))
    assert run("check", str(path))[0] != 0


def test_a_draft_reads_its_sample_once_the_todos_are_done() -> None:
    text = draft(SALES_CSV, "till")
    assert "TODO" in text
    spec = parse_spec(text.encode(), "draft")
    # The bytes of this one name fit both: the doubt is told.
    assert "encoding: cp932" in text
    assert "TODO: or cp1252" in text
    assert spec.file.delimiter == ";"
    assert spec.time.formats[0].endswith(" %H:%M")
    assert spec.columns["quantity"] == "Pieces"
    assert spec.numbers.thousands == ","
    mended = text.replace("cp932", "cp1252").replace(spec.time.formats[0], "%d/%m/%Y %H:%M")
    result = DeclarativeAdapter.of(mended.encode(), "till").normalize(SALES_CSV, context())
    assert (result.received, result.accepted) == (3, 3)


@pytest.mark.parametrize(
    ("body", "encoding", "delimiter", "header"),
    [
        ("レシート番号\t数量\t日付\nA1\t2\t2026/11/01\n".encode("cp932"), "cp932", "\t", True),
        ("\ufeffreceipt,qty,day\nA1,2,2026-11-01\n".encode(), "utf-8-sig", ",", True),
        ("receipt|qty|day\nA1|2|2026-11-01\n".encode("utf-16"), "utf-16", "|", True),
        (b"A1,2,2026-11-01\nA2,1,2026-11-02\n", "utf-8-sig", ",", False),
    ],
)
def test_what_is_seen_of_a_sample(body: bytes, encoding: str, delimiter: str, header: bool) -> None:
    spec = parse_spec(draft(body, "draft").encode(), "draft")
    assert (spec.file.encoding, spec.file.delimiter, spec.file.header) == (
        encoding, delimiter, header,
    )  # fmt: skip


def test_nothing_is_guessed_of_nothing() -> None:
    with pytest.raises(PayloadError, match="no lines"):
        draft(b"\n\n", "draft")


def test_a_header_alone_is_noted(tmp_path: Path) -> None:
    path, spec, stores = (tmp_path / name for name in ("empty.csv", "till.yaml", "stores.yaml"))
    path.write_bytes(SALES_CSV.split(b"\n")[0] + b"\n")
    spec.write_bytes(SALES_SPEC)
    stores.write_text(
        "stores: [{store_id: soho, name: S, timezone: UTC, currency: GBP}]\n", "utf-8"
    )
    command = ["normalize", "pos", str(path), "--spec", str(spec), "--stores", str(stores),
               "--out", str(tmp_path / "out")]  # fmt: skip
    told = CliRunner().invoke(app, [*command, "--json"])
    assert told.exit_code == 0
    assert "no records" in orjson.loads(told.stdout)["files"][0]["note"]
    assert "no records" in CliRunner().invoke(app, command).stdout
