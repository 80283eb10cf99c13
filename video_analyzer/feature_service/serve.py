"""`python -m video_analyzer.feature_service.serve`: the service as a process."""

from __future__ import annotations

import sys

from tenpo import serving
from tenpo.settings import Settings
from video_analyzer.feature_service.app import create_app

#: A thread that merges must not hold up one that answers for Python's usual 5 ms.
_SWITCH_INTERVAL_S = 0.0005
#: Connections at once; further ones are answered 503 before anything of them is read.
_MAX_CONNECTIONS = 1_024


def serve(settings: Settings) -> None:
    """Serve on the address of TENPO_FEATURES_URL until told to stop."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    serving.serve(
        settings,
        settings.features_url,
        8083,
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
