"""`python -m gateways.serve`: the gateway as a process, HTTP and MQTT in one.

What it needs is imported when it serves, since the children that open files run this
module's top as well (multiprocessing's way to find `__main__`) and need none of it.
"""

from __future__ import annotations

_DRAIN_S = 10


def main() -> None:
    """Serve until told to stop; requests in flight are finished first."""
    from urllib.parse import urlsplit

    import uvicorn

    from gateways.intake.parcels import Intake
    from gateways.web.app import create_app
    from gateways.web.head import BoundedHead
    from tenpo import collector
    from tenpo.settings import get_settings
    from tenpo.telemetry import configure_logging

    collector.rest()
    settings = get_settings()
    configure_logging(settings)
    url = urlsplit(settings.gateway_url)
    app = create_app(settings, Intake(settings))
    collector.keep()
    uvicorn.run(
        app,
        host=settings.bind_host,
        port=url.port or 8081,
        http=BoundedHead,
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_DRAIN_S,
    )


if __name__ == "__main__":
    main()
