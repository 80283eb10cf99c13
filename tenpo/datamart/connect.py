"""The one factory of connections to PostgreSQL, and its errors as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import IntegrityError as ConstraintBroken
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tenpo.errors import ConfigError, DatamartError, IntegrityError, TenpoError
from tenpo.settings import Settings

CONNECT_TIMEOUT_S = 5
_DOWN = "Check that PostgreSQL runs (`tenpo status`), then try again."
_WHERE = "TENPO_DATAMART_DSN"


def connect(settings: Settings, *, pool_size: int = 5) -> Engine:
    """A pool of connections. Nothing is contacted before the first use.

    Args:
        settings: give the DSN.
        pool_size: connections kept open at most.

    Raises:
        ConfigError: there is no DSN, or it cannot be read.
    """
    return create_engine(
        datamart_url(settings.datamart_dsn),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
        pool_pre_ping=True,  # a restarted PostgreSQL leaves dead connections in the pool
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "tenpo"},
    )


def datamart_url(dsn: str) -> URL:
    """The DSN as SQLAlchemy's URL with our driver.

    Raises:
        ConfigError: there is no DSN, or it cannot be read.
    """
    if not dsn:
        raise ConfigError(
            "the datamart has no address",
            where=_WHERE,
            remedy="Start the local stack with `tenpo up`, or set it to postgresql://….",
        )
    try:
        return make_url(dsn).set(drivername="postgresql+psycopg")
    except ArgumentError as error:
        raise ConfigError(
            "the datamart's address cannot be read",
            where=_WHERE,
            remedy="Write postgresql://user:password@host:port/database.",
        ) from error


def libpq_dsn(dsn: str) -> str:
    """The DSN as psycopg itself reads it.

    Raises:
        ConfigError: as `datamart_url`.
    """
    url = datamart_url(dsn).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction: committed at the end of the block, undone by any error.

    Raises:
        DatamartError: PostgreSQL does not answer or refuses.
        ConfigError: its tables are missing.
        IntegrityError: a constraint is broken.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except (DBAPIError, PoolTimeout, psycopg.Error) as error:
        raise mapped(error) from error


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction for reading: all of its queries see the datamart at one moment.

    An answer is put together from several queries, and a run may be published between them.

    Raises:
        DatamartError: PostgreSQL does not answer or refuses.
        ConfigError: its tables are missing.
    """
    with transaction(engine) as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        yield connection


def mapped(error: DBAPIError | PoolTimeout | psycopg.Error) -> TenpoError:
    """A database error as one of our tree."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    said = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    if isinstance(cause, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return ConfigError(
            f"the datamart's tables are missing or old: {said}",
            where=_WHERE,
            remedy="Run `tenpo up`, which makes and migrates them.",
        )
    if isinstance(error, ConstraintBroken) or isinstance(cause, psycopg.IntegrityError):
        return IntegrityError(f"the datamart refuses the rows: {said}")
    return DatamartError(f"PostgreSQL does not answer: {said}", remedy=_DOWN)
