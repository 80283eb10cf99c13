"""Static files: our own by content hash, plotly.js from the installed package. Nothing is copied.

An address names the content (`?v=…`), so browsers may keep it for ever.
"""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

import plotly
from fastapi import APIRouter, Request, Response
from fastapi.staticfiles import StaticFiles

IMMUTABLE = "public, max-age=31536000, immutable"
STATIC = Path(__file__).parent / "static"
PLOTLY_VERSION = version("plotly")

router = APIRouter(include_in_schema=False)


@cache
def static_version() -> str:
    """A hash over all our static files: modules import each other by relative address."""
    state = blake2b(digest_size=6)
    for path in sorted(STATIC.rglob("*.*")):
        state.update(path.name.encode() + path.read_bytes())
    return state.hexdigest()


class VersionedFiles(StaticFiles):
    """Our static files below a versioned folder, to be kept for ever."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """The file with our caching."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = IMMUTABLE
        return response


@cache
def _plotly_source() -> bytes:
    return (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes()


@cache
def _plotly_gzip() -> bytes:
    return gzip.compress(_plotly_source(), compresslevel=6, mtime=0)


@router.get(f"/assets/plotly-{PLOTLY_VERSION}.min.js")
def get_plotly(request: Request) -> Response:
    """plotly.js (MIT) as the plotly package ships it, compressed once a process."""
    headers = {"Cache-Control": IMMUTABLE, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(_plotly_source(), media_type="text/javascript", headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(_plotly_gzip(), media_type="text/javascript", headers=headers)
