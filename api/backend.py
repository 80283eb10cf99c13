"""What a running API holds: settings, database, tokens, sessions. Made once by `api.app`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from api.session import Sessions
from api.tokens import ReadTokens
from tenpo.datamart import connect, snapshot
from tenpo.errors import ConfigError, DatamartError
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.receipts import ReceiptBook
from tenpo.settings import Settings
from tenpo.telemetry import get_logger

STATEMENT_TIMEOUT_MS = 15_000
POOL_SIZE = 8

log = get_logger(__name__)


@dataclass(frozen=True)
class Backend:
    """Everything the routes need."""

    settings: Settings
    engine: Engine
    book: MasterBook
    tokens: ReadTokens
    sessions: Sessions
    receipts: ReceiptBook

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
        lake = Lake(settings.lake_url)
        book = MasterBook(lake)
        sessions = Sessions(settings.root_secret())
        engine = connect(settings, pool_size=POOL_SIZE)
        return cls(settings, engine, book, ReadTokens(book), sessions, ReceiptBook(lake))

    @contextmanager
    def datamart(self) -> Iterator[Connection]:
        """A read-only transaction that sees one moment.

        Raises:
            DatamartError: PostgreSQL does not answer, is too slow, or has no tables yet. What it
                said goes to the log alone: an answer must not tell strangers where it runs.
        """
        try:
            with snapshot(self.engine) as connection:
                connection.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}"))
                yield connection
        except (ConfigError, DatamartError) as error:
            log.error("datamart_failed", error=str(error))
            raise _told(error) from error


def _told(error: ConfigError | DatamartError) -> DatamartError:
    if isinstance(error, ConfigError):
        return DatamartError(
            "the datamart has no tables yet", remedy="Run `tenpo up`, which makes them."
        )
    cause = error.__cause__
    if isinstance(cause, DBAPIError) and isinstance(cause.orig, psycopg.errors.QueryCanceled):
        return DatamartError(
            "the datamart took too long", remedy="Ask for fewer days or a coarser grain."
        )
    return DatamartError(
        "the datamart does not answer",
        remedy="Try again in a moment; `tenpo status` shows whether PostgreSQL runs.",
    )
