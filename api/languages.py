"""The page's languages and texts. KPI names come from the definitions, not from here."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, get_args

import orjson
from fastapi import Request

Language = Literal["en", "ja"]
COOKIE = "tenpo_lang"

_FOLDER = Path(__file__).parent / "texts"


@cache
def texts(language: Language) -> dict[str, str]:
    """All texts of the page in a language."""
    loaded: dict[str, str] = orjson.loads((_FOLDER / f"{language}.json").read_bytes())
    return loaded


def chosen(request: Request) -> Language:
    """`?lang=`, else the language chosen before, else what the browser prefers, else English."""
    for wish in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if wish in get_args(Language):
            return wish  # type: ignore[return-value]  # mypy does not narrow by membership
    header = request.headers.get("accept-language", "")
    for part in header.split(","):
        tag = part.split(";")[0].strip().lower()[:2]
        if tag in get_args(Language):
            return tag  # type: ignore[return-value]
    return "en"
