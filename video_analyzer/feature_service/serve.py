"""`python -m video_analyzer.feature_service.serve`: the service as a process."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

import uvicorn

from tenpo import collector
from tenpo.cli.failure import report_failure
from tenpo.errors import TenpoError
from tenpo.settings import Settings, get_settings
from tenpo.telemetry import configure_logging
from video_analyzer.feature_service.app import create_app

#: A thread that merges must not hold up one that answers for Python's usual 5 ms.
_SWITCH_INTERVAL_S = 0.0005
_DRAIN_S = 10
#: Connections at once; further ones are answered 503 before anything of them is read.
_MAX_CONNECTIONS = 1_024


def serve(settings: Settings) -> None:
    """Serve on the address of TENPO_FEATURES_URL until told to stop."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    collector.rest()
    app = create_app(settings)
    collector.keep()
    uvicorn.run(
        app,
        host=settings.bind_host,
        port=urlsplit(settings.features_url).port or 8083,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=_DRAIN_S,
    )


def main() -> None:
    """Serve by the settings of the environment."""
    try:
        settings = get_settings()
        configure_logging(settings)
        serve(settings)
    except TenpoError as error:
        sys.exit(report_failure(error, debug=False))


if __name__ == "__main__":
    main()
