"""The one error tree. Every error says what was wrong, where, and how to mend it.

    TenpoError
    ├── ConfigError            settings, specs and masters that cannot be used (exit 2)
    ├── InputError             bytes or arguments from outside that cannot be used (exit 3)
    │   ├── PayloadError       a whole payload is unreadable (HTTP 400)
    │   ├── SenderStalled      a body whose rest does not come (HTTP 408)
    │   ├── PayloadTooLarge    a payload above the limit (HTTP 413)
    │   ├── UnsupportedEncoding  a payload compressed in an unknown way (HTTP 415)
    │   └── UnknownReference   a tenant, store, vendor or spec that does not exist (HTTP 404)
    ├── AuthError              a token that is missing, wrong or not allowed here (HTTP 401 or 403)
    ├── ServiceError           something we depend on does not answer; retry (exit 4)
    │   ├── LakeError
    │   ├── WarehouseError
    │   ├── DatamartError
    │   ├── Overloaded         more comes in than can be held at once (HTTP 503)
    │   ├── RateLimited        a token sends faster than it may (HTTP 429)
    │   ├── VendorError        a vendor's API does not answer, or refuses
    │   └── StackError         a process of the local stack
    ├── LeaseLost              a successor has taken over; stop, write nothing (exit 5)
    │   └── ChampionChanged    another run of the models was published meanwhile
    └── IntegrityError         counts or checksums that do not reconcile; never retried (exit 6)

A rejected record is not an error: it is a `Rejection` row (`tenpo.contracts`).
"""

from __future__ import annotations

from typing import ClassVar


class TenpoError(Exception):
    """Root of all our errors.

    Args:
        what: what went wrong, one sentence without a full stop.
        where: file, line, key, url or id at fault.
        remedy: what to do about it, one sentence.
    """

    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(what)  # alone, so that an error can be pickled between processes

    def __str__(self) -> str:
        text = self.what
        if self.where:
            text += f" ({self.where})"
        if self.remedy:
            text += f". {self.remedy}"
        return text


class ConfigError(TenpoError):
    """Settings, a spec or a master cannot be used."""

    exit_code = 2


class InputError(TenpoError):
    """Something given from outside cannot be used."""

    exit_code = 3
    http_status = 422


class PayloadError(InputError):
    """A whole payload is unreadable: encoding, syntax or missing columns."""

    http_status = 400


class SenderStalled(InputError):
    """The rest of a body does not come."""

    http_status = 408


class PayloadTooLarge(InputError):
    """A payload is above the limit of the intake."""

    http_status = 413


class UnsupportedEncoding(InputError):
    """A payload is compressed in a way that is not read."""

    http_status = 415


class UnknownReference(InputError):
    """A tenant, store, vendor, device or spec does not exist."""

    http_status = 404


class AuthError(TenpoError):
    """A token is missing or wrong (401), or not allowed for this object (403)."""

    http_status = 401

    def __init__(
        self, what: str, *, where: str = "", remedy: str = "", forbidden: bool = False
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.status = 403 if forbidden else 401


class ServiceError(TenpoError):
    """A service we depend on does not answer. Trying again later is right."""

    retryable = True
    exit_code = 4
    http_status = 503


class Overloaded(ServiceError):
    """More comes in than can be held at once; nothing of this was taken."""


class RateLimited(ServiceError):
    """A token sends too fast (429). Trying again after `retry_after_s` is right."""

    http_status = 429

    def __init__(
        self, what: str, *, where: str = "", remedy: str = "", retry_after_s: float = 1
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.retry_after_s = retry_after_s


class LakeError(ServiceError):
    """The object lake does not answer or refuses."""


class WarehouseError(ServiceError):
    """BigQuery, or the server that stands for it, does not answer or refuses."""


class DatamartError(ServiceError):
    """PostgreSQL does not answer or refuses."""


class VendorError(ServiceError):
    """A vendor's API does not answer, refuses, or asks to be left alone for `retry_after_s`."""

    def __init__(
        self, what: str, *, where: str = "", remedy: str = "", retry_after_s: float = 0
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.retry_after_s = retry_after_s


class StackError(ServiceError):
    """A process of the local stack cannot be started, reached or stopped."""


class LeaseLost(TenpoError):
    """Another job holds the lease now: this one must stop without writing."""

    exit_code = 5
    http_status = 409


class ChampionChanged(LeaseLost):
    """Another run of the models was published since this one met the champion; do it again."""


class IntegrityError(TenpoError):
    """Counts or checksums do not reconcile. Nothing is published; a person must look."""

    exit_code = 6
