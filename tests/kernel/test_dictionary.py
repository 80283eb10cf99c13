"""The committed dictionary is what the definitions say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenpo import dictionary

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("name", "text"), [("tables.md", dictionary.tables()), ("kpis.md", dictionary.kpis())]
)
def test_the_committed_dictionary_is_fresh(name: str, text: str) -> None:
    assert len(text) > 1000
    assert (DOCS / name).read_text("utf-8") == text, "write it anew: make docs"
