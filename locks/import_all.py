"""Imports every module of the packages named, so that Python keeps what it compiles of them.

A module that cannot be imported here, or would begin to work, is passed over.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import sys


def main() -> None:
    """Import them."""
    for package in map(importlib.import_module, sys.argv[1:]):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith((".__main__", ".bigquery_server")):
                with contextlib.suppress(Exception):
                    importlib.import_module(module.name)


if __name__ == "__main__":
    main()
