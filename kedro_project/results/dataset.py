"""Kedro datasets of the platform: mart and the lake on one side, mart and the datamart after.

They take the run's id, or a key of it, and find everything else in its record and the settings.
"""

from __future__ import annotations

from typing import Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from kedro_project.chain import ChainData, previous_clusters, read_chain
from kedro_project.pipelines.judge.nodes import Champion
from kedro_project.registry.promotion import decision_of
from kedro_project.results.codec import from_bytes, to_bytes
from kedro_project.results.publish import publish, shown_run
from kedro_project.results.record import RunRecord, Shelf
from kedro_project.results.rows import ChainResults, Tables
from kedro_project.results.stored import stored_results
from tenpo.errors import InputError
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.settings import get_settings
from tenpo.warehouse import Job, connect


class _OfRun(AbstractDataset[Any, Any]):
    """Something of one run.

    Args:
        tenant: whose.
        run: the id of the run; a key may come to mean another one.
        currency: of which chain; none for the whole run.
        name: of the result.
        metadata: for Kedro's tools; not looked at.
    """

    def __init__(
        self,
        tenant: str,
        run: str,
        currency: str = "",
        name: str = "",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.tenant, self.run, self.currency, self.name = tenant, run, currency, name
        self.metadata = metadata

    @property
    def _lake(self) -> Lake:
        return Lake(get_settings().lake_url)

    def _record(self) -> RunRecord:
        return Shelf(self._lake, self.tenant).find(self.run)

    def _shelf(self, currency: str = "") -> Shelf:
        own = currency or self.currency
        return Shelf(self._lake, self.tenant).of(self._record(), own)

    def _describe(self) -> dict[str, Any]:
        return {"tenant": self.tenant, "run": self.run, "currency": self.currency,
                "name": self.name}  # fmt: skip


class StoreDays(_OfRun):
    """A chain's published store-days in mart."""

    def load(self) -> ChainData:
        """Read them."""
        record, settings = self._record(), get_settings()
        masters = MasterBook(self._lake).get(self.tenant)
        with connect(settings) as warehouse:
            return read_chain(
                warehouse, masters, self.currency, (record.first, record.as_of), _job(record)
            )

    def save(self, data: object) -> NoReturn:
        """Refuse: aggregation alone writes them."""
        del data
        raise DatasetError("published store-days are only read")


class PreviousClusters(_OfRun):
    """The chain's clusters of the run before, which give their ids; as a run has once read them."""

    def load(self) -> pd.Series:
        """Read them from mart the first time, and from the run's own shelf ever after."""
        shelf, record = self._shelf(), self._record()
        if not shelf.has("previous_clusters"):
            with connect(get_settings()) as warehouse:
                found = previous_clusters(
                    warehouse, self.tenant, self.currency, record.as_of, _job(record)
                )
            shelf.put("previous_clusters", to_bytes(found))
        held: pd.Series = from_bytes(shelf.get("previous_clusters"))
        return held

    def save(self, data: object) -> NoReturn:
        """Refuse: publishing writes them."""
        del data
        raise DatasetError("clusters are published by the pipeline publish")


class StoredResult(_OfRun):
    """A result of a pipeline in the lake."""

    def load(self) -> Any:
        """The newest."""
        return from_bytes(self._shelf().get(self.name))

    def save(self, data: Any) -> None:
        """Store it; what was there counts no more."""
        self._shelf().put(self.name, to_bytes(data))

    def _exists(self) -> bool:
        return self._shelf().has(self.name)


class TheChampion(_OfRun):
    """The run that readers see, and its trial of this chain; None before the first."""

    def load(self) -> Champion | None:
        """Ask the datamart who it is, and its shelf what it said."""
        run_id = shown_run(get_settings(), self.tenant)
        if run_id is None:
            return None
        shelf = Shelf(self._lake, self.tenant)
        record = shelf.record(run_id)
        own = shelf.of(record, self.currency)
        return Champion(record, from_bytes(own.get("trial")) if own.has("trial") else {})

    def save(self, data: object) -> NoReturn:
        """Refuse: publishing makes a champion."""
        del data
        raise DatasetError("a champion is made by publishing")


class RunResults(_OfRun):
    """The results of all chains of a run."""

    def load(self) -> list[ChainResults]:
        """Read them from the lake."""
        return stored_results(self._lake, self._record())

    def save(self, data: object) -> NoReturn:
        """Refuse: each pipeline stores its own."""
        del data
        raise DatasetError("results are stored one by one")


class TheRun(_OfRun):
    """The run's record."""

    def load(self) -> RunRecord:
        """Read it."""
        return self._record()

    def save(self, data: object) -> NoReturn:
        """Refuse: it is written when the run begins."""
        del data
        raise DatasetError("the record is written when the run begins")


class Reports(_OfRun):
    """Pages with pictures, one a chain, in the lake."""

    def load(self) -> dict[str, str]:
        """The pages by currency."""
        return {c: self._shelf(c).get("report").decode() for c in self._record().currencies}

    def save(self, data: dict[str, str]) -> None:
        """Store them."""
        for currency, page in data.items():
            self._shelf(currency).put("report", page.encode(), "html")


class Publication(_OfRun):
    """What readers see: mart and, in one transaction, the datamart."""

    def load(self) -> NoReturn:
        """Refuse: readers ask the API or mart."""
        raise DatasetError("what is published is read through the API or mart")

    def save(self, data: Tables) -> None:
        """Publish a run whose verdict allows it.

        Raises:
            InputError: the champion stays.
        """
        settings, record = get_settings(), self._record()
        decision = decision_of(settings, record)
        if not decision.is_promoted:
            raise InputError(
                f"the champion stays: {decision.reason}",
                where=f"{record.tenant_id}, run {record.run_id}",
                remedy="tenpo models promote shows the run all the same.",
            )
        publish(settings, record, data, decision.reason)


def _job(record: RunRecord) -> Job:
    return Job("models", record.run_id, record.tenant_id)
