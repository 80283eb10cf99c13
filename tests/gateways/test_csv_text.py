"""CSV bytes as columns: encodings, blocks, lines that do not fit."""

from __future__ import annotations

import codecs

import pytest

from gateways.formats import csv_text
from gateways.formats.csv_text import CsvFormat, read_csv
from tenpo.errors import PayloadError


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp932", "euc_jp", "iso2022_jp"]
)
def test_any_codec_is_read_piece_by_piece(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_text, "_PIECE", 3)  # every character straddles pieces
    body = "店,数\n渋谷,1\n銀座,2\n".encode(encoding)
    found = read_csv(body, CsvFormat(encoding=encoding), ["店", "数"])
    assert found.columns["店"].to_pylist() == ["渋谷", "銀座"]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    found = read_csv(codecs.BOM_UTF8 + b"a,b\n1,2\n", CsvFormat(), ["a"])
    assert found.columns["a"].to_pylist() == ["1"]


def test_what_cannot_be_decoded_is_named_by_line_and_byte() -> None:
    with pytest.raises(PayloadError) as caught:
        read_csv("店\n渋谷\n".encode("cp932") + b"\x82", CsvFormat(encoding="cp932"), ["店"])
    assert caught.value.where == "line 3, byte 8"


def test_lines_that_do_not_fit_keep_their_numbers_across_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [f"x,{n}" if n % 700 else "x,y,z" for n in range(1, 20_001)]
    body = "\r\n".join(["a,b", *rows]).encode()
    monkeypatch.setattr(csv_text, "_BLOCK", 1 << 14)
    found = read_csv(body, CsvFormat(), ["b"])
    bad = [one.position for one in found.faults.rejected(1)[0]]
    assert bad == [str(n) for n in range(700, 20_001, 700)]
    assert found.faults.positions.to_pylist() == found.columns["b"].to_pylist()


def test_a_line_longer_than_a_block_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_text, "_BLOCK", 1 << 12)
    long = "y\n" * (1 << 14)
    found = read_csv(f'a,b\n1,"{long}"\n2,\n\n'.encode(), CsvFormat(), ["a", "b"])
    assert found.columns["a"].to_pylist() == ["1", "2"]
    assert found.columns["b"].to_pylist() == [long, ""]
    assert found.blank_lines == 1


def rows(text: str, form: CsvFormat = CsvFormat()) -> list[str | None]:  # noqa: B008 - frozen
    found: list[str | None] = read_csv(text.encode(), form, ["b"]).columns["b"].to_pylist()
    return found


def test_a_quote_within_a_value_is_no_quoting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rows('a,b\n1,5" pipe\n2,"x, ""y"""\n\n3,6" pipe\n') == ['5" pipe', 'x, "y"', '6" pipe']
    assert read_csv(b'a,b\n1,5" pipe\n\n2,"\n\n"\n', CsvFormat(), ["b"]).blank_lines == 1
    monkeypatch.setattr(csv_text, "_BLOCK", 1 << 12)
    assert rows("a,b\n" + '1,5" pipe\n2,"in\nch"\n' * 2_000) == ['5" pipe', "in\nch"] * 2_000


def test_quotes_before_the_header_mean_nothing() -> None:
    form = CsvFormat(skip_lines=2)
    assert rows('Report for "A\r\n"B\r\na,b\r\n1,"2"\r\n', form) == ["2"]
    assert read_csv(b'"A\n\na,b\n1,2\n\n', form, ["b"]).blank_lines == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a,b\n1,"2\n3,4\n', 2),
        ('a,b\n1,5" pipe\n2,"cut off', 3),  # two quotes, and yet one is open
        ('a,b\n1,"2""\n', 2),
        ('"', 1),
    ],
)
def test_a_value_that_nothing_closes_refuses_the_file(text: str, line: int) -> None:
    with pytest.raises(PayloadError, match="has no end") as caught:
        rows(text)
    assert caught.value.where == f"line {line}"
