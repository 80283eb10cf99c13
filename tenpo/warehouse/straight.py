"""Documents that are not contested: unknown to the index, and each line loaded once.

Nearly all documents are of this kind. Nothing has to be compared: the lines of their newest
sendings go from raw to dwh, and every store-day that they come to has changed.
"""

from __future__ import annotations

from typing import Any

from tenpo.warehouse.conforming import Conforming, changed_spans


class Straight:
    """The straight documents of one conforming; `tenpo.warehouse.conform` has the order.

    Args:
        work: of which sendings and what goes aside are staged.
    """

    def __init__(self, work: Conforming) -> None:
        self._work = work
        self.summary: list[dict[str, Any]] = work.rows("straight_summary")

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return int(self.summary[0]["document_count"]) if self.summary else 0

    @property
    def are_all(self) -> bool:
        """Whether no document is contested."""
        return bool(self.summary) and not self.summary[0]["contested_count"]

    def announce(self) -> None:
        """Tell the index where lines are about to appear."""
        if self.summary:
            self._work.change("straight_announce", self._work.index)

    def write(self) -> None:
        """Bring the lines into dwh."""
        work = self._work
        columns = work.contract.names
        derived = [name for name in columns if name not in work.raw.names]
        selected = [f"moment.{n}" if n in derived else f"line.{n}" for n in columns]
        for number, span in enumerate(changed_spans(self.summary)):
            work.change(
                "straight_insert", {**work.picked, **span}, f"-{number}",
                target=work.contract, raw_table=work.raw, selected=selected,
                columns=columns, values=[f"s.{n}" for n in columns],
            )  # fmt: skip

    def settle(self) -> None:
        """Tell the index that dwh holds them."""
        if self.summary:
            self._work.change("straight_settle", self._work.index)
