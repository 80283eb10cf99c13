"""`tenpo sql` answers exactly, in three forms, and changes nothing."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import pytest

from tenpo.commands.sql import check_is_query
from tenpo.errors import InputError
from tests.conftest import BigQueryServer

SQL = """SELECT NUMERIC '3706827.641' AS net, '東京, "本店"' AS name, NULL AS nothing,
  TIMESTAMP '2026-03-29 01:02:03+00' AS at, DATE '2026-03-29' AS day, B'ab' AS bytes"""


def ask(server: BigQueryServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tenpo.cli", "sql", *arguments],
        env=os.environ
        | {
            "TENPO_BIGQUERY_ENDPOINT": server.endpoint,
            "TENPO_BIGQUERY_GRPC_ENDPOINT": server.grpc_endpoint,
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_json_is_one_document(bigquery_server: BigQueryServer) -> None:
    done = ask(bigquery_server, "--json", SQL)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert row == {
        "net": "3706827.641000000", "name": '東京, "本店"', "nothing": None,
        "at": "2026-03-29T01:02:03+00:00", "day": "2026-03-29", "bytes": "YWI=",
    }  # fmt: skip


def test_csv_can_be_read_back(bigquery_server: BigQueryServer) -> None:
    done = ask(bigquery_server, "--csv", SQL)
    header, row = csv.reader(io.StringIO(done.stdout))
    assert header == ["net", "name", "nothing", "at", "day", "bytes"]
    assert row == [
        "3706827.641",
        '東京, "本店"',
        "",
        "2026-03-29T01:02:03+00:00",
        "2026-03-29",
        "YWI=",
    ]


def test_a_table_for_people(bigquery_server: BigQueryServer) -> None:
    done = ask(bigquery_server, SQL)
    assert "3706827.641" in done.stdout
    assert "本店" in done.stdout
    assert "1 row" in done.stderr


def test_a_wrong_statement_says_what_and_what_to_do(bigquery_server: BigQueryServer) -> None:
    done = ask(bigquery_server, "SELECT nothing FROM UNNEST([1]) AS n")
    assert done.returncode == InputError.exit_code
    assert "nothing" in done.stderr
    assert "remedy" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM dwh.sale_line WHERE TRUE",
        "DROP TABLE dwh.sale_line",
        "SELECT 1; DROP TABLE dwh.sale_line",
        "CREATE TABLE mart.x AS SELECT 1",
        "MERGE a USING b ON FALSE WHEN NOT MATCHED THEN INSERT ROW",
        "EXECUTE IMMEDIATE 'DROP TABLE x'",
        "BEGIN SELECT 1; END",
        "SELECT (",
        "",
    ],
)
def test_only_one_query_is_run(statement: str) -> None:
    with pytest.raises(InputError):
        check_is_query(statement)


@pytest.mark.parametrize("statement", ["SELECT 1", "WITH a AS (SELECT 1) SELECT * FROM a;",
                                       "(SELECT 1) UNION ALL SELECT 2"])  # fmt: skip
def test_queries_are(statement: str) -> None:
    check_is_query(statement)


@pytest.mark.parametrize("table", ["dwh.sale_line", "x_dwh.sale_line", "`p.x_dwh.sale_line`"])
def test_a_query_states_its_partitions(table: str) -> None:
    whole = "SELECT COUNT(*) FROM TABLE_NAME WHERE tenant_id = 'a'".replace("TABLE_NAME", table)
    with pytest.raises(InputError, match="partitions") as caught:
        check_is_query(whole, "x_")
    assert "business_date >=" in caught.value.remedy
    check_is_query(f"{whole} AND (business_date = '2026-01-01')", "x_")


def test_files_of_the_machine_are_out_of_reach(bigquery_server: BigQueryServer) -> None:
    done = ask(bigquery_server, "SELECT content FROM read_text('/etc/hostname')")
    assert done.returncode != 0
    assert "disabled" in done.stderr
