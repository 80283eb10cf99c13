"""When a call is tried again, and what the client libraries raise as errors of our own tree.

The libraries' own retries go on for ten minutes and more. Here a call is tried for as
long as a supervised restart takes; who wants more calls again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import requests
from google.api_core import exceptions as google
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.cloud.bigquery import DEFAULT_RETRY

from tenpo.errors import AuthError, ConfigError, InputError, TenpoError, WarehouseError

#: For the REST client.
RETRY: Retry = DEFAULT_RETRY.with_timeout(30.0)
#: For cleaning up, which is no reason to wait: staging tables expire.
SHORT_RETRY: Retry = DEFAULT_RETRY.with_timeout(3.0)
#: For the Storage clients.
STORAGE_RETRY = Retry(
    predicate=if_exception_type(google.ServiceUnavailable, google.ResourceExhausted),
    initial=0.1,
    maximum=5.0,
    timeout=30.0,
)

_DOWN = "Check that it runs (`tenpo status`), then try again."


@contextmanager
def mapped_errors(where: str) -> Iterator[None]:
    """Raise errors of Google's libraries as ours.

    Args:
        where: the job, table or act, for the message.
    """
    try:
        yield
    except (google.GoogleAPIError, GoogleAuthError, grpc.RpcError) as error:
        raise _mapped(error, where) from error
    except (requests.RequestException, ConnectionError, TimeoutError) as error:
        raise WarehouseError(
            f"BigQuery does not answer: {_first_line(error)}", where=where, remedy=_DOWN
        ) from error


def _mapped(error: Exception, where: str) -> TenpoError:
    text = _first_line(error)
    match error:
        case DefaultCredentialsError():
            return ConfigError(
                "there are no Google credentials",
                where=where,
                remedy="Run `gcloud auth application-default login`, or start the local stack.",
            )
        case google.NotFound() if "not found: job" in text.lower():
            # The compatible server forgets its jobs when it is restarted.
            return WarehouseError(f"BigQuery lost the job: {text}", where=where, remedy=_DOWN)
        case google.NotFound():
            return ConfigError(
                f"the warehouse lacks something: {text}",
                where=where,
                remedy="Make its tables with `tenpo up`, or correct the name.",
            )
        case google.Forbidden() | google.Unauthorized():
            return AuthError(
                f"BigQuery refuses access: {text}", where=where, forbidden=True,
                remedy="Give the service account BigQuery Data Editor and Job User.",
            )  # fmt: skip
        case google.BadRequest():
            return InputError(
                f"BigQuery refuses the statement: {text}", where=where, remedy="Correct it."
            )
    return WarehouseError(f"BigQuery failed: {text}", where=where, remedy=_DOWN)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:400]
