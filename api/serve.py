"""`python -m api.serve`: the API and dashboard as a process, on the address of TENPO_API_URL."""

from __future__ import annotations

from api.app import create_app
from tenpo import serving
from tenpo.settings import Settings


def serve(settings: Settings) -> None:
    """Serve until told to stop.

    Raises:
        ConfigError: the datamart has no address.
    """
    serving.serve(settings, settings.api_url, 8080, create_app, drain_s=5, proxy_headers=False)


if __name__ == "__main__":
    serving.run(serve)
