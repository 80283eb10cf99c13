"""What a run is made by: the models' code and the parameters that figures depend on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

_ROOM = Path(__file__).parent.parent
_SOURCES = ("chain", "panel", "pipelines")
_HOW = ("chain", "features", "clustering", "forecast", "targets")


@cache
def code_version() -> str:
    """A hash of the sources that figures depend on; the same in a checkout and in an image."""
    found = blake2b(digest_size=8)
    for folder in _SOURCES:
        for path in sorted((_ROOM / folder).rglob("*")):
            if path.suffix in (".py", ".sql"):
                found.update(path.relative_to(_ROOM).as_posix().encode() + b"\0")
                found.update(path.read_bytes())
    return found.hexdigest()


def recipe_of(code: str, parameters: Mapping[str, Any]) -> str:
    """A hash of code and parameters; runs that share it differ by their data alone."""
    how = {name: parameters[name] for name in _HOW if name in parameters}
    if "training" in how.get("forecast", {}):
        training = {k: v for k, v in how["forecast"]["training"].items() if k != "threads"}
        how["forecast"] = {**how["forecast"], "training": training}
    text = orjson.dumps([code, how], option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=8).hexdigest()
