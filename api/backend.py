"""What a running API holds: settings, database, tokens, sessions. Made once by `api.app`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import psycopg
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.session import Sessions
from api.tokens import ReadTokens
from tenpo.errors import ConfigError, DatamartError
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.settings import Settings

STATEMENT_TIMEOUT_MS = 15_000


def connect(settings):
    return create_engine(make_url(settings.datamart_dsn).set(drivername="postgresql+psycopg"))


@dataclass(frozen=True)
class Backend:
    """Everything the routes need."""

    settings: Settings
    engine: Engine
    book: MasterBook
    tokens: ReadTokens
    sessions: Sessions

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The backend of these settings. Connects later: the API may start before PostgreSQL.

        Raises:
            ConfigError: there is no datamart to read.
        """
        if not settings.datamart_dsn:
            raise ConfigError(
                "the API has no datamart to read",
                where="TENPO_DATAMART_DSN",
                remedy="Start the local stack with `tenpo up`, or set the address of PostgreSQL.",
            )
        book = MasterBook(Lake(settings.lake_url))
        sessions = Sessions(settings.root_secret())
        return cls(settings, connect(settings), book, ReadTokens(book), sessions)

    @contextmanager
    def datamart(self) -> Iterator[Connection]:
        """A read-only transaction.

        Raises:
            DatamartError: PostgreSQL does not answer, is too slow, or has no tables yet.
        """
        try:
            with self.engine.begin() as connection:
                connection.execute(text("SET TRANSACTION READ ONLY"))
                connection.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}"))
                yield connection
        except (DBAPIError, PoolTimeout) as error:
            raise _explained(error) from error


def _explained(error: DBAPIError | PoolTimeout) -> DatamartError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.errors.UndefinedTable):
        return DatamartError(
            "the datamart has no tables yet", remedy="Run `tenpo up`, which makes them."
        )
    if isinstance(cause, psycopg.errors.QueryCanceled):
        return DatamartError(
            "the datamart took too long", remedy="Ask for fewer days or a coarser grain."
        )
    if isinstance(error, OperationalError | PoolTimeout):
        return DatamartError(
            "the datamart does not answer",
            remedy="Try again in a moment; `tenpo status` shows whether PostgreSQL runs.",
        )
    return DatamartError(f"the datamart refuses: {cause}", remedy="See the API's log.")
