"""The pages: dashboard, sign-in, sign-out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates

from api import languages, session
from api.assets import PLOTLY_VERSION, static_version
from api.backend import Backend
from api.dependencies import MaybeReader, TheBackend
from tenpo import __version__

router = APIRouter(include_in_schema=False)
_templates = Jinja2Templates(Path(__file__).parent.parent / "templates")
_YEAR_S = 365 * 86_400


@router.get("/")
def get_dashboard(request: Request, reader: MaybeReader) -> Response:
    """The dashboard, or the sign-in page for a stranger."""
    if reader is None:
        return RedirectResponse("/login", 303)
    return _page(request, "dashboard.html", {"reader": reader})


@router.get("/login")
def get_login(request: Request, backend: TheBackend, token: str | None = None) -> Response:
    """The sign-in page; with a token, sign in at once."""
    if token is None:
        return _page(request, "login.html", {"failed": False})
    return _sign_in(request, backend, token)


@router.post("/login")
def post_login(
    request: Request, backend: TheBackend, token: Annotated[str, Form(max_length=512)] = ""
) -> Response:
    """Sign in from the page's form."""
    return _sign_in(request, backend, token.strip())


@router.post("/logout")
def post_logout() -> Response:
    """Forget the session."""
    response = RedirectResponse("/login", 303)
    response.delete_cookie(session.COOKIE, httponly=True, samesite="strict")
    return response


def _sign_in(request: Request, backend: Backend, token: str) -> Response:
    reader = backend.tokens.by_secret(token)
    if reader is None:
        return _page(request, "login.html", {"failed": True}, status=401)
    if request.headers.get("sec-fetch-site") == "cross-site":
        # A strict cookie is not sent along a redirect that began on somebody else's page.
        response = _page(request, "opening.html", {})
    else:
        response = RedirectResponse("/", 303)
    production = backend.settings.environment == "production"
    response.set_cookie(
        session.COOKIE,
        backend.sessions.issue(reader.digest),
        max_age=session.LIFETIME_S,
        httponly=True,
        samesite="strict",
        secure=production or request.url.scheme == "https",
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(
    request: Request, template: str, context: dict[str, object], status: int = 200
) -> Response:
    language = languages.chosen(request)
    texts = languages.texts(language)
    shared = {
        "lang": language,
        "t": texts,
        "texts_json": orjson.dumps(texts).decode().replace("<", "\\u003c"),
        "static": f"/static/{static_version()}",
        "plotly_version": PLOTLY_VERSION,
        "version": __version__,
    }
    response = _templates.TemplateResponse(request, template, shared | context, status)
    response.headers["Cache-Control"] = "no-store"
    if request.query_params.get("lang") == language:
        response.set_cookie(
            languages.COOKIE, language, max_age=_YEAR_S, samesite="lax", httponly=True
        )
    return response
