"""Every SQL file of the project is GoogleSQL, and reads partitioned tables by the partition."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from tenpo.contracts import CONFORMED, SALE_LINE, Contract
from tenpo.errors import ConfigError, InputError
from tenpo.kpi import KPI_STORE_DAY
from tenpo.settings import Settings
from tenpo.warehouse import Warehouse, connect, load_sql
from tenpo.warehouse.pruning import partition_columns, unpruned

ROOT = Path(__file__).parents[3]
SKIPPED = {".git", ".venv", ".venvs", "build", "dist", "node_modules"}
ROOMS = [room for room in ROOT.iterdir() if room.is_dir() and room.name not in SKIPPED]
FILES = sorted(path for room in ROOMS for path in room.rglob("*.sql"))
#: Names that stand for a table, and one table they may stand for.
AS_TABLE: dict[str, Contract] = {
    "raw_table": SALE_LINE,
    "dwh_table": CONFORMED["sale_line"],
    "target": CONFORMED["sale_line"],
    "table": KPI_STORE_DAY,
}


def rendered(text: str) -> str:
    """The file with some name for each of its names."""
    values = {name: f"`p.{name}`" for name in ("raw", "dwh", "mart", "staging")}
    for name in set(re.findall(r"\{(\w+)\}", text)) - values.keys():
        contract = AS_TABLE.get(name)
        is_whole = f"}}.{{{name}}}" not in text  # not the last part of {mart}.{table}
        values[name] = (
            f"`p.{contract.dataset}`.{contract.name}" if contract and is_whole
            else contract.name if contract
            else f"some_{name}"
        )  # fmt: skip
    return text.format(**values)


def test_there_are_files() -> None:
    assert len(FILES) > 15
    assert partition_columns()["raw", "raw_pos"] == "ingested_at"
    assert partition_columns()["dwh", "document"] == "bucket"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_parses_and_states_its_partitions(path: Path) -> None:
    (statement,) = sqlglot.parse(rendered(path.read_text("utf-8")), dialect="bigquery")
    assert statement is not None
    assert list(statement.find_all(exp.Table))
    if path.parent.name != "views":  # whoever reads a view states its partitions
        assert unpruned(statement) == []
    assert not list(statement.find_all(exp.Command))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM `p.dwh`.sale_line WHERE tenant_id = @t",
        "SELECT * FROM `p.dwh`.sale_line AS a JOIN x ON a.business_date = x.business_date",
        "SELECT * FROM `p.dwh`.sale_line WHERE business_date = some_other_column",
        "WITH a AS (SELECT * FROM `p.raw`.raw_pos) SELECT * FROM a WHERE ingested_at > @from",
        "MERGE `p.dwh`.document AS t USING s ON t.bucket = s.bucket WHEN MATCHED THEN DELETE",
        "UPDATE `p.dwh`.document AS t SET state = 'x' FROM s WHERE t.bucket = s.bucket",
        "INSERT INTO mine (a) SELECT store_id FROM `p.dwh`.sale_line",
        "SELECT * FROM dwh.sale_line WHERE business_date = '2026-01-01' OR store_id = 'a'",
        "SELECT * FROM `p.dwh`.visit_event_current WHERE tenant_id = @t",
        "UPDATE `p.dwh`.sale_line SET sku = NULL WHERE tenant_id = @t",
        "DELETE FROM `p.dwh`.sale_line WHERE tenant_id = @t",
        "SELECT * FROM (SELECT * FROM dwh.sale_line) WHERE business_date = '2026-01-01'",
    ],
)
def test_the_check_can_fail(sql: str) -> None:
    assert unpruned(sqlglot.parse_one(sql, dialect="bigquery"))


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO `p.dwh`.document (bucket) SELECT bucket FROM s",
        "INSERT INTO `p.dwh`.document SELECT * FROM s",
        "UPDATE `p.dwh`.document AS t SET state = 'x' FROM s WHERE t.bucket = 3 AND t.event = 'y'",
    ],
)
def test_what_is_written_to_is_told_from_what_is_read(sql: str) -> None:
    assert unpruned(sqlglot.parse_one(sql, dialect="bigquery")) == []


@pytest.fixture
def nowhere() -> Warehouse:
    return connect(Settings(project="p-1", dataset_prefix="x_"))


PACKAGE = "tenpo.warehouse.sql"


def test_names_are_filled_in(nowhere: Warehouse) -> None:
    sql = load_sql(nowhere, PACKAGE, "loads_present", raw_table=SALE_LINE)
    assert "FROM `p-1.x_raw`.raw_pos" in sql
    assert files(PACKAGE).joinpath("loads_present.sql").read_text("utf-8").count("@") == sql.count(
        "@"
    )


@pytest.mark.parametrize("name", ["a; DROP TABLE x", "a`", "a b", "", "1a", "a.b.c", "a--"])
def test_a_name_that_is_none_is_refused(nowhere: Warehouse, name: str) -> None:
    with pytest.raises(InputError, match="no identifier"):
        load_sql(nowhere, PACKAGE, "loads_present", raw_table=name)
    with pytest.raises(InputError, match="no identifier"):
        load_sql(nowhere, PACKAGE, "loads_present", raw_table=["a", name])


def test_a_missing_name_or_a_bad_dataset_is_a_config_error(nowhere: Warehouse) -> None:
    with pytest.raises(ConfigError, match="raw_table"):
        load_sql(nowhere, PACKAGE, "loads_present")
    bad = connect(Settings(project="p", dataset_prefix="x`; "))
    with pytest.raises(ConfigError, match="no dataset"):
        load_sql(bad, PACKAGE, "loads_present", raw_table="x")
