"""Errors as HTTP answers: what, where, remedy; never a value that was sent."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from tenpo.errors import AuthError, RateLimited, TenpoError
from tenpo.telemetry import get_logger

log = get_logger(__name__)


def install(app: FastAPI) -> None:
    """Answer every error alike."""
    app.exception_handler(TenpoError)(answer_of_ours)
    app.exception_handler(RequestValidationError)(_of_body)
    app.exception_handler(HTTPException)(_of_http)
    app.exception_handler(Exception)(_of_defect)


def answer_of_ours(request: Request, error: TenpoError) -> JSONResponse:
    """The answer of one of our own errors."""
    status = error.status if isinstance(error, AuthError) else error.http_status
    headers: dict[str, str] = {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    elif error.retryable:
        headers["Retry-After"] = "5"
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="tenpo"'
    if status >= 500:
        log.error("features_call_failed", path=request.url.path, error=str(error))
    return _answer(status, type(error).__name__, error.what, error.where, error.remedy, headers)


def _of_body(request: Request, error: RequestValidationError) -> JSONResponse:
    del request
    where = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors()[:5])
    what = "; ".join(sorted({fault["msg"] for fault in error.errors()}))
    return _answer(422, "InputError", what, where, "Correct the named fields; see /openapi.json.")


def _of_http(request: Request, error: HTTPException) -> JSONResponse:
    kind = "NotFound" if error.status_code == 404 else "HttpError"
    remedy = "/openapi.json lists the calls."
    return _answer(error.status_code, kind, str(error.detail), request.url.path, remedy)


def _of_defect(request: Request, error: Exception) -> JSONResponse:
    # The kind alone: the message of a foreign error may hold what was sent.
    log.error("defect", path=request.url.path, error=type(error).__name__)
    remedy = "Its log says when; please report it."
    return _answer(500, "Defect", "the service failed unexpectedly", request.url.path, remedy)


def _answer(
    status: int, error: str, what: str, where: str, remedy: str,
    headers: dict[str, str] | None = None,
) -> JSONResponse:  # fmt: skip
    body = {"error": error, "what": what, "where": where, "remedy": remedy}
    return JSONResponse(body, status, headers={"Cache-Control": "no-store", **(headers or {})})
