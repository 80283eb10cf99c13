"""The one factory of BigQuery clients. Only here do BigQuery and its stand-in differ.

The client libraries are the real ones everywhere. Against a compatible server the
REST client gets its address, the Storage clients (which ignore
`BIGQUERY_EMULATOR_HOST`) an insecure channel, and all three anonymous credentials.
"""

from __future__ import annotations

from functools import cached_property
from types import TracebackType

import grpc
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryReadClient, BigQueryWriteClient
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import (
    BigQueryReadGrpcTransport,
)
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import (
    BigQueryWriteGrpcTransport,
)

from tenpo.errors import ConfigError
from tenpo.settings import Settings
from tenpo.warehouse.failure import mapped_errors

_CHANNEL = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Warehouse:
    """Clients and names of one warehouse. Make it with `connect`; close it, or use `with`.

    Args:
        settings: project, location, dataset prefix, endpoints, the bound on billed bytes.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.project = settings.project
        self._channel: grpc.Channel | None = None

    def dataset(self, name: str) -> str:
        """`project.dataset` of `raw`, `dwh`, `mart` or `staging`, prefix included."""
        return f"{self.project}.{self.settings.dataset_prefix}{name}"

    def table(self, dataset: str, name: str) -> str:
        """`project.dataset.table`."""
        return f"{self.dataset(dataset)}.{name}"

    @cached_property
    def client(self) -> bigquery.Client:
        """The client of jobs and tables."""
        endpoint = self.settings.bigquery_endpoint
        with mapped_errors("connecting"):
            if endpoint is None:
                return bigquery.Client(project=self.project, location=self.settings.location)
            return bigquery.Client(
                project=self.project,
                location=self.settings.location,
                credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
                client_options=ClientOptions(api_endpoint=endpoint),
            )

    @cached_property
    def reader(self) -> BigQueryReadClient:
        """The client of the Storage Read API."""
        if self.settings.bigquery_endpoint is None:
            return BigQueryReadClient()  # type: ignore[no-untyped-call]
        transport = BigQueryReadGrpcTransport(channel=self._insecure())
        return BigQueryReadClient(transport=transport)  # type: ignore[no-untyped-call]

    @cached_property
    def writer(self) -> BigQueryWriteClient:
        """The client of the Storage Write API."""
        if self.settings.bigquery_endpoint is None:
            return BigQueryWriteClient()  # type: ignore[no-untyped-call]
        transport = BigQueryWriteGrpcTransport(channel=self._insecure())
        return BigQueryWriteClient(transport=transport)  # type: ignore[no-untyped-call]

    def _insecure(self) -> grpc.Channel:
        endpoint = self.settings.bigquery_grpc_endpoint
        if not endpoint:
            raise ConfigError(
                "the compatible server's Storage API has no address",
                where="TENPO_BIGQUERY_GRPC_ENDPOINT",
                remedy="Set it to host:port beside TENPO_BIGQUERY_ENDPOINT, or run `tenpo up`.",
            )
        if self._channel is None:
            self._channel = grpc.insecure_channel(endpoint, options=_CHANNEL)
        return self._channel

    def close(self) -> None:
        """Close every connection that was opened."""
        opened = self.__dict__
        if "client" in opened:
            opened.pop("client").close()
        for name in ("reader", "writer"):
            if name in opened:
                opened.pop(name).transport.close()
        self._channel = None

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def connect(settings: Settings) -> Warehouse:
    """The warehouse that the settings name. Nothing is contacted before the first use."""
    return Warehouse(settings)
