"""`tenpo migrate`: bring the datamart's and the warehouse's tables up to date."""

from __future__ import annotations

from typing import Annotated

import typer


def migrate(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Create or update the tables of datamart and warehouse; safe to run again.

    `tenpo up` does it by itself; in production run it before a new version starts.

    Example: tenpo migrate
    """
    import json

    from tenpo.cli.progress import step
    from tenpo.datamart import upgrade
    from tenpo.settings import get_settings
    from tenpo.warehouse import connect, ensure_tables

    settings = get_settings()
    with step("Datamart"):
        upgrade(settings.datamart_dsn)
    with step("Warehouse"), connect(settings) as warehouse:
        ensure_tables(warehouse)
    if as_json:
        typer.echo(json.dumps({"datamart": "current", "warehouse": "current"}))
