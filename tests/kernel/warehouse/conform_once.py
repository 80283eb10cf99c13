"""A process that conforms one load, for tests that kill it: `conform_once TENANT LOAD EVENT`."""

from __future__ import annotations

import sys

from tenpo.settings import get_settings
from tenpo.warehouse import connect
from tests.kernel.warehouse.sales import Till

if __name__ == "__main__":
    with connect(get_settings()) as warehouse:
        Till(warehouse, sys.argv[1]).conform(sys.argv[2], event=sys.argv[3])
