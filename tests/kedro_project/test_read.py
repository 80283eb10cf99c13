"""Panel files: what is taken, and that a refusal names file, line, column, key and remedy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kedro_project.panel import ReadPanel, read_mapping, read_panel
from tenpo.errors import ConfigError, InputError

MAPPING = "store: Store\ndate: Day\nsales: Sales\n"
HEAD = "Store,Day,Sales,Open,Holiday,Kind\n"


def read(tmp_path: Path, body: str, mapping: str = MAPPING, head: str = HEAD) -> ReadPanel:
    (tmp_path / "panel.csv").write_text(head + body, "utf-8")
    (tmp_path / "mapping.yaml").write_text(mapping, "utf-8")
    return read_panel(tmp_path / "panel.csv", read_mapping(tmp_path / "mapping.yaml"))


def test_lines_in_any_order_become_days_by_stores(tmp_path: Path) -> None:
    body = "b,2024-01-03,30,1,0,x\na,2024-01-01,10.5,1,0,y\nb,2024-01-01,,0,a,x\n"
    mapping = MAPPING + "open: Open\nholidays: Holiday\nattributes: Kind\n"
    panel = read(tmp_path, body, mapping).panel
    assert panel.stores == ("a", "b")
    assert [f"{day:%m-%d}" for day in panel.dates] == ["01-01", "01-02", "01-03"]
    np.testing.assert_array_equal(
        panel.measures["sales"], [[10.5, np.nan], [np.nan, np.nan], [np.nan, 30]]
    )
    assert panel.planned is not None
    assert panel.planned.tolist() == [[True, False], [True, True], [True, True]]
    assert panel.inputs["Holiday"].tolist() == [[0, 1], [0, 0], [0, 0]]
    assert panel.attributes["Kind"].to_dict() == {"a": "y", "b": "x"}


def test_every_store_day_is_accounted_for(tmp_path: Path) -> None:
    body = "a,2024-01-01,10,1,0,x\na,2024-01-04,-5,1,0,x\nb,2024-01-02,7,1,0,x\n"
    done = read(tmp_path, body)
    found = {finding.code: finding.count for finding in done.findings}
    assert found == {"missing_days": 2 * 4 - 3, "negative_sales": 1}
    assert done.lines == 3
    assert int(np.isfinite(done.panel.measures["sales"]).sum()) == 3 - 1


@pytest.mark.parametrize(
    ("body", "where", "what"),
    [
        ("a,2024-01-01,1,,,\na,2024-01-02,zwölf,,,\n", "line 3, column Sales", "no number"),
        ("a,2024-01-01,inf,,,\n", "line 2, column Sales", "no number"),
        ("a,01.02.2024,1,,,\n", "line 2, column Day", "no date"),
        ("a,2024-01-01,1,,,\n,2024-01-02,1,,,\n", "line 3, column Store", "missing"),
        ("a,2024-01-01,1,,,\na,2024-01-01,2,,,\n", "line 3, column Store", "came before"),
        ("a,2024-01-01,1,,,\nb,2024-01-01\n", "line 3", "2 columns where 6"),
        ("", "panel.csv", "no lines"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, body: str, where: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, body)
    assert where in caught.value.where
    assert what in caught.value.what
    assert caught.value.remedy
    assert "zwölf" not in str(caught.value)


@pytest.mark.parametrize(
    ("mapping", "where", "what"),
    [
        ("store: Store\ndate: Day\nsales: Umsatz\n", "mapping.yaml, line 3, key sales", "Umsatz"),
        ("store: Store\ndate: Day\n", "mapping.yaml", "at least one of"),
        (MAPPING + "promotion: X\n", "mapping.yaml, line 4, key promotion", "Extra inputs"),
        (MAPPING + "size: Area\n", "mapping.yaml, line 4, key size", "attributes"),
        (MAPPING + "customers: Sales\n", "mapping.yaml", "mapped twice"),
    ],
)
def test_a_bad_key_is_named(tmp_path: Path, mapping: str, where: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "a,2024-01-01,1,,,\n", mapping)
    assert where in str(caught.value)
    assert what in caught.value.what


def test_more_bad_lines_are_counted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="so are 2 more lines"):
        read(tmp_path, "".join(f"a,2024-01-0{n},x,,,\n" for n in (1, 2, 3)))


def test_dates_far_apart_are_refused_before_memory_is_spent(tmp_path: Path) -> None:
    body = "".join(f"s{n},{year}-01-01,1,,,\n" for n in range(300) for year in (1700, 2200))
    with pytest.raises(InputError, match="too many"):
        read(tmp_path, body)


def test_decimal_commas_and_other_delimiters(tmp_path: Path) -> None:
    mapping = MAPPING + 'delimiter: ";"\ndecimal: ","\ndate_format: "%d.%m.%Y"\n'
    panel = read(tmp_path, "a;31.01.2024;1.234,5\n", mapping, "Store;Day;Sales\n").panel
    assert panel.measures["sales"].tolist() == [[1234.5]]
    assert f"{panel.dates[0]:%Y-%m-%d}" == "2024-01-31"
