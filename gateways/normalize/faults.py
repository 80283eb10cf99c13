"""Rejections: why a record was not accepted, and how its sender mends that.

Not for whole payloads that cannot be read at all: those raise `PayloadError`.
A message never holds the value of a field; it names the field, and a store's or
device's code alone, because that is what has to be registered. Columns get shifted, and then
a person stands where the code should: what does not look like a code is told by its length.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

#: What stores and devices are called: short and without spaces; or a MAC address.
_CODE = re.compile(r"[A-Za-z0-9._-]{1,40}|([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")
#: As many digits as a card's number has, however they are written.
_CARD = re.compile(r"([0-9][._-]*){13}")
#: Of a LoRaWAN device; a card's number has no letter.
_EUI64 = re.compile(r"(?=.*[A-Fa-f])[0-9A-Fa-f]{16}")


class Reason(StrEnum):
    """Why a record was rejected."""

    AMBIGUOUS_TIME = "ambiguous_time"
    BAD_COLUMNS = "bad_columns"
    BAD_JSON = "bad_json"
    BAD_NUMBER = "bad_number"
    BAD_TIME = "bad_time"
    BAD_VALUE = "bad_value"
    CLOCK_BEHIND = "clock_behind"
    CURRENCY_MISMATCH = "currency_mismatch"
    FUTURE_DATE = "future_date"
    IMPLAUSIBLE_COUNT = "implausible_count"
    INTERVAL_TOO_LONG = "interval_too_long"
    MISSING_FIELD = "missing_field"
    NEGATIVE_COUNT = "negative_count"
    NEGATIVE_PRICE = "negative_price"
    POSITIVE_RETURN = "positive_return"
    STORE_NOT_ALLOWED = "store_not_allowed"
    TOO_LONG = "too_long"
    TOTAL_MISMATCH = "total_mismatch"
    UNKNOWN_DEVICE = "unknown_device"
    UNKNOWN_MODEL = "unknown_model"
    UNKNOWN_STORE = "unknown_store"
    UNREADABLE_PAYLOAD = "unreadable_payload"
    WRONG_SIGN = "wrong_sign"


_MESSAGES: dict[Reason, str] = {
    Reason.AMBIGUOUS_TIME: "The clock shows this time twice on that day, and nothing tells which "
    "is meant. Send times with their offset, or have the device tell whether it is summer time.",
    Reason.BAD_COLUMNS: "The line has another number of columns than the header. "
    "Send it again whole, and quote values that hold the delimiter.",
    Reason.BAD_JSON: "The line is no JSON object. Send one object a line, as UTF-8.",
    Reason.BAD_NUMBER: "Not a number of at most 14 digits and 9 decimals. "
    "Send digits, a point and an optional leading minus only.",
    Reason.BAD_TIME: "Not a date and time of the agreed format. Correct the value or the format.",
    Reason.BAD_VALUE: "Not one of the agreed values. Send one of the documented values.",
    Reason.CLOCK_BEHIND: "The device's clock is more than 400 days behind, or was never set. "
    "Set it, best by NTP. Of a counter that sends running totals, the next reading with the right "
    "time has these people.",
    Reason.CURRENCY_MISMATCH: "Not the store's currency, and amounts of two are never added. "
    "Correct the payload, or the currency in the store's master.",
    Reason.FUTURE_DATE: "More than a day in the future. Set the sender's clock and send it again.",
    Reason.IMPLAUSIBLE_COUNT: "More than a million people in one interval. The counter's memory "
    "may be damaged: look at the device. The count of that time is not known.",
    Reason.INTERVAL_TOO_LONG: "Longer than a day, so that nothing tells when people came. A clock "
    "that is set within an interval looks so. Send intervals of an hour or less.",
    Reason.MISSING_FIELD: "The field is empty or absent. Fill it in and send the document again.",
    Reason.NEGATIVE_COUNT: "A count of people is below zero. Check the device and send it again.",
    Reason.NEGATIVE_PRICE: "The unit price is below zero. "
    "Send a return as a negative quantity, a discount as a discount line.",
    Reason.POSITIVE_RETURN: "A return comes out above zero and would count as a sale. "
    "Give its figures the sign that the format has for returns, or name its columns under "
    "'negate' of the spec.",
    Reason.STORE_NOT_ALLOWED: "The token may not send for this store. Use the store's own token.",
    Reason.TOTAL_MISMATCH: "The document's own total is not what its lines come to, by more than "
    "rounding. The lines are taken, and the rest is an adjustment of category 'unexplained'. "
    "Look for a discount, tax or fee that is in the total alone, and send the document again.",
    Reason.TOO_LONG: "Longer than 256 characters. Shorten it and send the document again.",
    Reason.UNKNOWN_DEVICE: "No such device is registered. "
    "Add it to the stores file and run: tenpo tenant create TENANT --stores FILE",
    Reason.UNKNOWN_MODEL: "Which model this device is, and so how its bytes are to be read, is not "
    "known. Name its model in the stores file (see docs/adapters.md) and run: "
    "tenpo tenant create TENANT --stores FILE",
    Reason.UNKNOWN_STORE: "No store has this code on that day. "
    "Send the vendor's store master, or add the code to the stores file and run: "
    "tenpo tenant create TENANT --stores FILE",
    Reason.UNREADABLE_PAYLOAD: "The payload cannot be read at all.",
    Reason.WRONG_SIGN: "It has another sign than the rest of its line, which would count wrong. "
    "Give quantity, amount and tax of a line one sign, or name what lacks its minus under 'negate' "
    "of the spec.",
}


@dataclass(frozen=True, slots=True)
class Rejected:
    """One rejected record."""

    position: str
    reason: Reason
    field: str
    message: str
    row: int | None = None
    delivery: int = 0


class Faults:
    """The rejections of deliveries read together: at most one a record, the first one found.

    Args:
        positions: where in its payload each row came from, as its sender would say it;
            texts, or a column of them.
        deliveries: which delivery each row came with, from 0; without it there is one.
    """

    def __init__(
        self, positions: Sequence[str] | pa.Array[Any], deliveries: Places | None = None
    ) -> None:
        self.positions: pa.Array[Any] = pa.array(positions, pa.string())
        self.deliveries: Places = (
            np.zeros(len(positions), dtype=np.int64) if deliveries is None else deliveries
        )
        self.bad: Mask = np.zeros(len(positions), dtype=np.bool_)
        self._found: list[Rejected] = []

    def kept(self, mask: Mask) -> Faults:
        """The same for some of the rows, before any row was judged."""
        left = Faults(self.positions.filter(pa.array(mask)), self.deliveries[mask])
        left._found = [one for one in self._found if one.row is None]
        return left

    def rejected(self, deliveries: int) -> list[list[Rejected]]:
        """The rejections of each of so many deliveries, rows in their order first."""
        found: list[list[Rejected]] = [[] for _ in range(deliveries)]
        for one in sorted(self._found, key=lambda r: (r.row is None, r.row or 0)):
            found[one.delivery].append(one)
        return found

    def received(self, deliveries: int) -> list[int]:
        """Records of each of so many deliveries: rows, and those that never became rows."""
        counts: list[int] = np.bincount(self.deliveries, minlength=deliveries).tolist()
        for one in self._found:
            counts[one.delivery] += one.row is None
        return counts

    def mark(
        self, mask: Mask, reason: Reason, field: str, codes: Sequence[str | None] | None = None,
        known: Container[str] = (),
    ) -> None:  # fmt: skip
        """Reject the rows of a mask that are still good.

        Args:
            mask: one flag a row.
            reason: why.
            field: the field at fault, in the vendor's own name.
            codes: the store or device code of each row, to be named in the message.
            known: codes of the masters, which are named whatever they look like.
        """
        if not mask.any():
            return
        for row in np.flatnonzero(mask & ~self.bad).tolist():
            told = message(reason, codes[row] if codes is not None else None, known)
            place = int(self.deliveries[row])
            self._found.append(
                Rejected(self.positions[row].as_py(), reason, field, told, row, place)
            )
        self.bad |= mask

    def add(
        self, position: str, reason: Reason, field: str, code: str | None = None,
        *, delivery: int = 0,
    ) -> None:  # fmt: skip
        """Reject a record that did not become a row."""
        told = message(reason, code)
        self._found.append(Rejected(position, reason, field, told, delivery=delivery))


def message(reason: Reason, code: str | None = None, known: Container[str] = ()) -> str:
    """What was wrong and how to mend it; for `code` and `known` see `Faults.mark`."""
    text = _MESSAGES[reason]
    if not code:
        return text
    shown = code in known or _is_code(code)
    return f"{code[:40]!r}: {text}" if shown else f"A value of {len(code)} characters: {text}"


def _is_code(text: str) -> bool:
    if _CODE.fullmatch(text) is None:
        return False
    return _CARD.search(text) is None or _EUI64.fullmatch(text) is not None
