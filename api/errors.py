"""Errors as HTTP answers: one body for all, saying what, where and how to mend it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from tenpo.errors import AuthError, TenpoError
from tenpo.telemetry import get_logger

log = get_logger(__name__)


class Problem(BaseModel):
    """The body of every answer that is not a success."""

    error: str = Field(examples=["InputError"], description="Kind of error, for machines.")
    what: str = Field(examples=["400 days are too many for grain hour"])
    where: str = Field(examples=["from, to"])
    remedy: str = Field(examples=["Ask for at most 100 days, or for a coarser grain."])


#: For the routes' OpenAPI documentation.
RESPONSES: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "The token is missing, unknown or revoked."},
    404: {"model": Problem, "description": "The token's tenant has no such store."},
    422: {"model": Problem, "description": "A parameter cannot be used."},
    503: {"model": Problem, "description": "The datamart does not answer; try again."},
}


def install(app: FastAPI) -> None:
    """Answer every error with a `Problem`."""
    app.exception_handler(TenpoError)(_of_ours)
    app.exception_handler(RequestValidationError)(_of_parameters)
    app.exception_handler(HTTPException)(_of_http)
    app.exception_handler(Exception)(_of_defect)


def _answer(status: int, problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return JSONResponse(problem.model_dump(), status, headers=kept)


def _of_ours(request: Request, error: TenpoError) -> JSONResponse:
    status = error.status if isinstance(error, AuthError) else error.http_status
    if status >= 500:
        log.error("request_failed", path=request.url.path, error=str(error))
    headers = {"Retry-After": "5"} if error.retryable else {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="tenpo"'
    kind = type(error).__name__
    problem = Problem(error=kind, what=error.what, where=error.where, remedy=error.remedy)
    return _answer(status, problem, headers)


def _of_parameters(request: Request, error: RequestValidationError) -> JSONResponse:
    del request
    faults = error.errors()
    problem = Problem(
        error="InputError",
        what="; ".join(f"{fault['loc'][-1]}: {fault['msg']}" for fault in faults),
        where=", ".join(".".join(map(str, fault["loc"])) for fault in faults),
        remedy="Correct the named parameters; /openapi.json describes each with an example.",
    )
    return _answer(422, problem)


def _of_http(request: Request, error: HTTPException) -> JSONResponse:
    problem = Problem(
        error="NotFound" if error.status_code == 404 else "HttpError",
        what=str(error.detail),
        where=request.url.path,
        remedy="/openapi.json lists the addresses and methods.",
    )
    return _answer(error.status_code, problem, dict(error.headers or {}))


def _of_defect(request: Request, error: Exception) -> JSONResponse:
    log.exception("defect", path=request.url.path, exc_info=error)
    problem = Problem(
        error="Defect",
        what="the API failed unexpectedly",
        where=request.url.path,
        remedy="Its log holds the traceback; please report it.",
    )
    return _answer(500, problem)
