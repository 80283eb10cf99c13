"""Contested documents: known to the index, or of which a line was loaded more than once.

Of each the highest version is found, its lines replace all that dwh has of the document, and
what changes where is told by comparing with dwh. Not for the many others:
`tenpo.warehouse.straight`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tenpo.store_day import StoreDay
from tenpo.warehouse.conforming import Conforming, changed_spans


class Contested:
    """The contested documents of one conforming; `tenpo.warehouse.conform` has the order.

    Args:
        work: of which sendings and what goes aside are staged.
        again: whether they win over an equal version too.
    """

    def __init__(self, work: Conforming, *, again: bool) -> None:
        self._work = work
        work.stage("lines", "contested_lines", work.picked, raw_table=work.raw)
        work.stage("documents", "contested_documents", {**work.index, "again": again})
        extent = work.rows("contested_extent")[0]
        self.documents: int = extent["written"]
        self.unchanged: int = extent["kept"]
        self.span: tuple[datetime, datetime] = extent["first_at"], extent["last_at"]
        self.summary: list[dict[str, Any]] = work.rows("contested_summary")

    def changed(self) -> set[StoreDay]:
        """The store-days on which something else will be than is; ask before replacing."""
        found = {store_day(row) for row in self.summary if row["changed"]}
        doubtful = [row for row in self.summary if row["doubtful"] and not row["changed"]]
        work = self._work
        for number, span in enumerate(changed_spans(doubtful)):
            rows = work.rows(
                "contested_differing", span, f"-{number}",
                dwh_table=work.contract,
                staged_content=[f"staged.{name}" for name in work.content],
                held_content=[f"held.{name}" for name in work.content],
            )  # fmt: skip
            found |= {store_day(row) for row in rows}
        return found

    def announce(self) -> None:
        """Tell the index where lines are about to appear."""
        if self.summary:
            self._work.change("contested_announce", self._work.index)

    def write(self) -> None:
        """Bring the lines of those that win into dwh, in place of what was there."""
        work = self._work
        columns = work.contract.names
        for number, span in enumerate(changed_spans(self.summary)):
            work.change(
                "contested_replace", span, f"-{number}",
                target=work.contract, columns=columns, values=[f"s.{n}" for n in columns],
            )  # fmt: skip

    def settle(self) -> None:
        """Tell the index what dwh holds of them."""
        if self.summary:
            self._work.change("contested_settle", self._work.index)


def store_day(row: dict[str, Any]) -> StoreDay:
    """The store-day of a summary's row."""
    return StoreDay(row["tenant_id"], row["store_id"], row["business_date"])
