"""A service of ours as a process: its settings, its log, its errors, and uvicorn.

Not for what a service answers: that is its application's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tenpo import collector
from tenpo.cli.failure import report_failure
from tenpo.errors import TenpoError
from tenpo.settings import Settings, get_settings
from tenpo.telemetry import configure_logging


def serve(
    settings: Settings,
    url: str,
    port: int,
    make_app: Callable[[Settings], Any],
    *,
    drain_s: int,
    **options: Any,
) -> None:
    """Serve until told to stop; requests in flight are finished first.

    Uvicorn's access log stays off: it would write secrets in addresses to disk.

    Args:
        settings: what the application is made of.
        url: the service's address, whose port is listened on.
        port: where the address has none, as behind a proxy.
        make_app: makes the ASGI application.
        drain_s: how long to wait for requests in flight.
        options: more of uvicorn's.
    """
    import uvicorn

    collector.rest()
    app = make_app(settings)
    collector.keep()
    fixed: dict[str, Any] = {"log_config": None, "access_log": False, "server_header": False}
    uvicorn.run(
        app,
        host=settings.bind_host,
        port=urlsplit(url).port or port,
        timeout_graceful_shutdown=drain_s,
        **fixed | options,
    )


def run(service: Callable[[Settings], None]) -> None:
    """A process's `main`: serve by the settings of the environment; an error is told in words."""
    try:
        settings = get_settings()
        configure_logging(settings)
        service(settings)
    except TenpoError as error:
        sys.exit(report_failure(error, debug=False))
