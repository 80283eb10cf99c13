"""Structured logs: one configuration for every process, UTC timestamps, no print.

People read coloured lines on a terminal, machines read one JSON object a line
(`TENPO_LOG_JSON=true`). Both go to stderr: stdout belongs to a command's answer.

Not for progress bars (`tenpo.cli.progress`) nor for business counts, which live
in the load ledger.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, cast

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, Processor

    from tenpo.settings import Settings

#: Control characters of ASCII and Latin-1 but the end of a line, which fields are quoted for.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def configure_logging(settings: Settings, *, debug: bool = False) -> None:
    """Send our logs and those of the libraries through the same chain to stderr.

    Args:
        settings: give the level and the form.
        debug: overrules the level for this process alone, children not included.
    """
    named = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    level = logging.DEBUG if debug else named
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderer(json_lines=settings.log_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "urllib3", "google", "apache_beam", "alembic", "faiss"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))


def _renderer(*, json_lines: bool) -> list[Processor]:
    """Tracebacks never show local variables: those hold payloads and secrets."""
    if json_lines:
        transformer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        render = structlog.processors.ExceptionRenderer(transformer)
        return [render, structlog.processors.JSONRenderer()]
    plain = structlog.dev.plain_traceback
    console = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    return [_visible, console]


def _visible(_logger: object, _method: str, entry: EventDict) -> EventDict:
    """Show control characters as escapes: a field may hold a sender's words.

    Messages and tracebacks keep their lines.
    """
    return {
        name: _CONTROL.sub(lambda found: ascii(found[0])[1:-1], value)
        if isinstance(value, str) and name not in ("exception", "stack")
        else value
        for name, value in entry.items()
    }


def get_logger(name: str) -> FilteringBoundLogger:
    """Give a module its logger.

    Example: `log = get_logger(__name__)`, then `log.info("objects loaded", count=3)`.
    """
    return cast("FilteringBoundLogger", structlog.stdlib.get_logger(name))
