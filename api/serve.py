"""`python -m api.serve`: the API and dashboard as a process, on the address of TENPO_API_URL."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

import uvicorn

from api.app import create_app
from tenpo import collector
from tenpo.cli.failure import report_failure
from tenpo.errors import TenpoError
from tenpo.settings import get_settings
from tenpo.telemetry import configure_logging


def main() -> None:
    """Serve until told to stop.

    Uvicorn's access log stays off: it would write the token of `/login?token=…` to disk.
    """
    collector.rest()
    try:
        settings = get_settings()
        configure_logging(settings)
        app = create_app(settings)
    except TenpoError as error:
        sys.exit(report_failure(error, debug=False))
    collector.keep()
    address = urlsplit(settings.api_url)
    uvicorn.run(
        app,
        host=settings.bind_host,
        port=address.port or 8080,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
