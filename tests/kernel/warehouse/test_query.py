"""Parameters keep their types, jobs say who they are, failures are ours."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from google.api_core import exceptions as google

from tenpo.errors import AuthError, ConfigError, InputError, TenpoError, WarehouseError
from tenpo.settings import Settings
from tenpo.warehouse import Job, Typed, Warehouse, connect, execute, query, query_large
from tenpo.warehouse.failure import mapped_errors
from tests.kernel.warehouse.sales import job

VALUES: list[object] = [
    'it\'s 東京 "quoted"; --',
    -7,
    1.5,
    True,
    Decimal("12345678901234567890.123456789"),
    date(2026, 3, 29),
    datetime(2026, 3, 29, 1, 2, 3, 456789, tzinfo=UTC),
    ["a", "b"],
    [1, 2, 3],
]

UNTYPED: tuple[object, ...] = (None, [], b"bytes", datetime(2026, 3, 29), object())  # noqa: DTZ001


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_a_parameter_comes_back_as_it_went(warehouse: Warehouse, value: object) -> None:
    found = query(warehouse, "SELECT @value AS value", {"value": value}, job=job("x"))
    assert found.to_pylist() == [{"value": value}]


def test_null_and_nothing_need_a_type(warehouse: Warehouse) -> None:
    found = query(
        warehouse,
        "SELECT @none IS NULL AS is_null, 'a' IN UNNEST(@empty) AS is_in",
        {"none": Typed("INT64", None), "empty": Typed("STRING", [])},
        job=job("x"),
    )
    assert found.to_pylist() == [{"is_null": True, "is_in": False}]


@pytest.mark.parametrize("value", UNTYPED, ids=lambda value: type(value).__name__)
def test_values_without_a_type_are_refused(warehouse: Warehouse, value: object) -> None:
    with pytest.raises(InputError, match="@value"):
        query(warehouse, "SELECT @value", {"value": value}, job=job("x"))


def test_large_answers_come_whole_and_leave_nothing(warehouse: Warehouse) -> None:
    sql = (
        "SELECT n, REPEAT(CAST(n AS STRING), 60) AS text, @price AS price "
        "FROM UNNEST(GENERATE_ARRAY(1, @count)) AS n"
    )
    params = {"count": 200_000, "price": Decimal("1.000000001")}
    found = query_large(warehouse, sql, params, job=job("x"))
    assert found.num_rows == 200_000
    assert sorted(found.column("n").to_pylist()) == list(range(1, 200_001))
    assert set(found.column("price").to_pylist()) == {Decimal("1.000000001")}
    left = [t.table_id for t in warehouse.client.list_tables(warehouse.dataset("staging"))]
    assert [name for name in left if name.startswith("answer")] == []


def test_a_wrong_statement_is_the_askers_fault(warehouse: Warehouse) -> None:
    with pytest.raises(InputError, match="refuses the statement"):
        query(warehouse, "SELECT nothing FROM nowhere GROUP", job=job("x"))


def test_a_missing_table_is_named(warehouse: Warehouse) -> None:
    name = warehouse.table("mart", "nothing")
    with pytest.raises(ConfigError, match="nothing"):
        query(warehouse, f"SELECT 1 FROM `{name}`", job=job("x"))  # noqa: S608


@pytest.mark.parametrize(
    ("raised", "ours"),
    [
        (google.Forbidden, AuthError),
        (google.NotFound, ConfigError),
        (google.BadRequest, InputError),
        (google.ServiceUnavailable, WarehouseError),
        (google.TooManyRequests, WarehouseError),
        (ConnectionResetError, WarehouseError),
    ],
)
def test_failures_become_ours(raised: type[Exception], ours: type[TenpoError]) -> None:
    with pytest.raises(ours) as caught, mapped_errors("here"):
        raise raised("no")
    assert caught.value.where == "here"
    assert caught.value.remedy


def test_a_job_that_a_restarted_server_forgot_is_tried_again() -> None:
    with pytest.raises(WarehouseError, match="lost the job"), mapped_errors("here"):
        raise google.NotFound("Not found: Job p:tenpo-x-0")


class Recorder:
    """Stands before the real client: notes what is asked, and says ids are taken if told to."""

    def __init__(self, client: Any, taken: int = 0) -> None:
        self._client = client
        self._taken = taken
        self.asked: list[tuple[str, Any]] = []

    def query(self, sql: str, *, job_id: str, job_config: Any, **rest: Any) -> Any:
        self.asked.append((job_id, job_config))
        if len(self.asked) <= self._taken:
            self._client.query("SELECT 1", job_id=job_id, job_retry=None).result()
            raise google.Conflict("Already Exists: Job")
        return self._client.query(sql, job_id=job_id, job_config=job_config, **rest)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


@contextmanager
def recorded(settings: Settings, taken: int = 0) -> Iterator[tuple[Warehouse, Recorder]]:
    with connect(settings) as warehouse:
        recorder = Recorder(warehouse.client, taken)
        warehouse.__dict__["client"] = recorder
        yield warehouse, recorder


def test_every_job_has_id_labels_and_a_bound(warehouse: Warehouse) -> None:
    work = Job("aggregate", "run 1/2", "acme").step("sales")
    settings = warehouse.settings.model_copy(update={"maximum_bytes_billed": 12_345})
    with recorded(settings) as (asked, recorder):
        query(asked, "SELECT @a", {"a": 1}, job=work)
        query(asked, "SELECT @a", {"a": 1}, job=work)
        query(asked, "SELECT @a", {"a": 2}, job=work)
        execute(asked, "SELECT 1", job=work)
    ids = [job_id for job_id, _ in recorder.asked]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert ids[0].startswith("tenpo-aggregate-run_1_2-sales-")
    for _, config in recorder.asked:
        assert config.labels == {"app": "tenpo", "job": "aggregate", "tenant": "acme"}
        assert config.maximum_bytes_billed == 12_345
        assert config.use_query_cache is False


def test_a_taken_id_gets_the_next_suffix(warehouse: Warehouse) -> None:
    with recorded(warehouse.settings, taken=2) as (asked, recorder):
        found = query(asked, "SELECT 7 AS n", job=Job("x", secrets.token_hex(4)))
    assert found.to_pylist() == [{"n": 7}]
    assert [job_id[-2:] for job_id, _ in recorder.asked] == ["-0", "-1", "-2"]


def test_ids_that_are_all_taken_are_an_error(warehouse: Warehouse) -> None:
    with (
        recorded(warehouse.settings, taken=1_000) as (asked, _),
        pytest.raises(WarehouseError, match="run_id of its own"),
    ):
        query(asked, "SELECT 7 AS n", job=Job("x", secrets.token_hex(4)))


def test_a_statement_about_other_temporary_tables_is_told_apart(warehouse: Warehouse) -> None:
    """The local server knows statements again but for the names of such tables."""
    made = {
        "numbers_of_run_one": "SELECT NUMERIC '1.10' AS n UNION ALL SELECT NUMERIC '1.20'",
        "numbers_of_run_two": "SELECT NUMERIC '7.5' AS n",
        "floats_of_run_three": "SELECT 0.5 AS n",
    }
    found = []
    for name, rows in made.items():
        table = f"`{warehouse.table('staging', name)}`"
        execute(warehouse, f"CREATE TABLE {table} AS {rows}", job=job("x"))
        sql = f"SELECT AVG(n) AS mean, MAX({name}.n) AS top FROM {table} AS {name}"  # noqa: S608
        found += query(warehouse, sql, job=job("x")).to_pylist()
        execute(warehouse, f"DROP TABLE {table}", job=job("x"))
    assert found == [
        {"mean": Decimal("1.15"), "top": Decimal("1.2")},
        {"mean": Decimal("7.5"), "top": Decimal("7.5")},
        {"mean": 0.5, "top": 0.5},
    ]
    gone = warehouse.table("staging", "numbers_of_run_one")
    with pytest.raises(ConfigError, match="numbers_of_run_one"):
        query(warehouse, f"SELECT AVG(n) AS mean FROM `{gone}`", job=job("x"))  # noqa: S608
