"""A process that appends one load, for tests that kill it: `append_once LOAD`."""

from __future__ import annotations

import sys

from tenpo.contracts import SALE_LINE
from tenpo.settings import get_settings
from tenpo.warehouse import append, connect
from tests.kernel.warehouse.sales import Receipt

if __name__ == "__main__":
    with connect(get_settings()) as warehouse:
        append(warehouse, SALE_LINE, SALE_LINE.table(Receipt("a").rows(sys.argv[1])))
