"""`python -m video_analyzer.serving.serve`: the service as a process."""

from __future__ import annotations

import cv2

from tenpo import serving
from tenpo.settings import Settings
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
    serving.serve(
        settings,
        settings.video_url,
        8084,
        create_app,
        drain_s=10,
        proxy_headers=False,
        limit_concurrency=_MAX_CONNECTIONS,
    )


def main() -> None:
    """Serve by the settings of the environment."""
    serving.run(serve)


if __name__ == "__main__":
    main()
