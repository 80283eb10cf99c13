"""`python -m video_analyzer.serving.serve`: the service as a process."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

import cv2
import uvicorn

from tenpo.cli.failure import report_failure
from tenpo.errors import TenpoError
from tenpo.settings import Settings, get_settings
from tenpo.telemetry import configure_logging
from video_analyzer.detect import make_detector
from video_analyzer.serving.app import STILL_DETECTOR, create_app

#: Connections at once; further ones are answered 503 before anything of them is read.
_MAX_CONNECTIONS = 1_024


def serve(settings: Settings) -> None:
    """Serve on the address of TENPO_VIDEO_URL until told to stop.

    Raises:
        ServiceError: the weights cannot be fetched.
    """
    make_detector(STILL_DETECTOR, settings)  # what is missing is told now, not to a caller
    cv2.setNumThreads(1)  # stills are looked at side by side already
    uvicorn.run(
        create_app(settings),
        host=settings.bind_host,
        port=urlsplit(settings.video_url).port or 8084,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=10,
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
