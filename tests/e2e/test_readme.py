"""The README's own example does what the README says."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq

from tests.machine import ROOT, Machine

README = (ROOT / "README.md").read_text("utf-8")


def block(language: str, first: str) -> str:
    """The fenced block of a language that begins with a line."""
    for found in re.finditer(rf"^( *)```{language}\n(.*?)^ *```", README, re.M | re.S):
        lines = [line.removeprefix(found[1]) for line in found[2].splitlines()]
        if lines[0] == first:
            return "\n".join(lines) + "\n"
    raise AssertionError(f"README.md has no {language} block that begins with {first!r}")


def test_own_csv_in_five_minutes(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(
        block("csv", "shop;receipt;time;article;qty;total;vat"), "utf-8"
    )
    (tmp_path / "stores.yaml").write_text(block("yaml", "stores:"), "utf-8")
    (tmp_path / "myshop.yaml").write_text(block("yaml", "name: myshop"), "utf-8")
    machine = Machine(tmp_path / "home", {})
    answer = machine.json(
        "normalize", "pos", str(tmp_path / "sales.csv"), "--spec", str(tmp_path / "myshop.yaml"),
        "--stores", str(tmp_path / "stores.yaml"), "--out", str(tmp_path / "out"),
    )  # fmt: skip
    totals = answer["totals"]
    assert (totals["accepted"], totals["rejected"]) == (3, 0)
    (file,) = (tmp_path / "out").rglob("*sale_line*.parquet")
    rows = pq.read_table(file).to_pylist()
    assert [row["kind"] for row in rows] == ["sale", "sale", "return"]
    assert [str(row["gross_amount"].normalize()) for row in rows] == ["19.98", "3.49", "-9.99"]
    assert {row["store_id"] for row in rows} == {"berlin"}


def test_the_first_two_commands_are_demo_and_test() -> None:
    commands = re.findall(r"^\$ (make \w+)", README, re.M)
    assert commands[:2] == ["make demo", "make test"]


def test_every_linked_file_exists() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
