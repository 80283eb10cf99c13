"""`python -m gateways.serve`: the gateway as a process, HTTP and MQTT in one.

What it needs is imported when it serves, since the children that open files run this
module's top as well (multiprocessing's way to find `__main__`) and need none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenpo.settings import Settings


def serve(settings: Settings) -> None:
    """Serve on the address of TENPO_GATEWAY_URL until told to stop."""
    from gateways.intake.parcels import Intake
    from gateways.web.app import create_app
    from gateways.web.head import BoundedHead
    from tenpo import serving

    serving.serve(
        settings,
        settings.gateway_url,
        8081,
        lambda given: create_app(given, Intake(given)),
        drain_s=10,
        http=BoundedHead,
        ws="none",
    )


def main() -> None:
    """Serve by the settings of the environment."""
    from tenpo import serving

    serving.run(serve)


if __name__ == "__main__":
    main()
