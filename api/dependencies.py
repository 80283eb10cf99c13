"""Dependency aliases of the routes: who asks, and what with."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.backend import Backend
from api.session import COOKIE
from api.tokens import Reader
from tenpo.errors import AuthError, InputError, UnknownReference

_bearer = HTTPBearer(auto_error=False, description="A token of scope `read` of the tenant.")


def backend_of(request: Request) -> Backend:
    """The backend that `api.app` made."""
    return cast(Backend, request.app.state.backend)


TheBackend = Annotated[Backend, Depends(backend_of)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


def maybe_reader(request: Request, backend: TheBackend, bearer: Bearer) -> Reader | None:
    """Who asks, by token or by session; None for a stranger."""
    if bearer is not None:
        return backend.tokens.by_secret(bearer.credentials)
    digest = backend.sessions.digest(request.cookies.get(COOKIE, ""))
    return None if digest is None else backend.tokens.by_digest(digest)


MaybeReader = Annotated[Reader | None, Depends(maybe_reader)]


def known_reader(reader: MaybeReader) -> Reader:
    """Who asks.

    Raises:
        AuthError: no token, or one that is unknown, revoked or not for reading.
    """
    if reader is None:
        raise AuthError(
            "a read token is needed",
            where="Authorization",
            remedy="Send `Authorization: Bearer TOKEN` (scope read), or sign in at /login.",
        )
    return reader


TheReader = Annotated[Reader, Depends(known_reader)]


def allowed_stores(reader: Reader, asked: tuple[str, ...], known: set[str]) -> tuple[str, ...]:
    """The stores a query may touch; empty means all of the tenant's.

    Raises:
        UnknownReference: a store asked for is not the reader's. Another tenant's store and one
            that does not exist are told apart by nobody.
    """
    mine = known if reader.store_id is None else known & {reader.store_id}
    strange = [store_id for store_id in asked if store_id not in mine]
    if strange:
        raise UnknownReference(
            f"there is no store {', '.join(map(repr, strange))}",
            where="store",
            remedy="GET /v1/stores lists the stores this token may see.",
        )
    if asked:
        return asked
    return () if reader.store_id is None else (reader.store_id,)


async def known_parameters_only(request: Request) -> None:
    """Nothing, unless the address carries a parameter that its route does not have.

    Asynchronous, since FastAPI cannot make its document in two threads at once.

    Raises:
        InputError: it does; a typo would otherwise answer another question than was asked.
    """
    operation = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    known = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    strange = sorted(set(request.query_params) - known)
    if strange:
        raise InputError(
            f"there is no parameter {', '.join(map(repr, strange))}",
            where=", ".join(strange),
            remedy="Correct the name; /openapi.json describes each parameter.",
        )
