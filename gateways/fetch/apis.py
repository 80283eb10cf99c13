"""The vendors whose webhooks only name what they are about."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from gateways.fetch.api import VendorApi
from gateways.fetch.calls import TIMEOUT, Calls, Login
from gateways.fetch.smaregi import SmaregiApi
from gateways.fetch.square import SquareApi
from tenpo.errors import VendorError
from tenpo.keys import TenantKeys
from tenpo.masters import TenantMasters
from tenpo.receipts import Accepted
from tenpo.settings import Settings
from tenpo.webhook_secrets import open_token


class VendorApis:
    """All of them, by vendor.

    Args:
        settings: where they are.
    """

    def __init__(self, settings: Settings) -> None:
        apis: list[VendorApi] = [
            SquareApi(settings.square_api_url),
            SmaregiApi(settings.smaregi_api_url, settings.smaregi_id_url),
        ]
        self._apis: Mapping[str, VendorApi] = {one.name: one for one in apis}
        self._limit = settings.max_body_bytes

    def named(self, masters: TenantMasters, vendor: str, body: bytes) -> tuple[str, ...]:
        """What a genuine webhook names; nothing where the tenant has no token to fetch it with."""
        api, row = self._apis.get(vendor), masters.webhook_of(vendor)
        if api is None or row is None or not row.token_sealed:
            return ()
        return api.named(body, row.account)

    def fetch(self, masters: TenantMasters, keys: TenantKeys, job: Accepted) -> bytes:
        """The documents of a job, as one payload. Blocks.

        Raises:
            VendorError: not now.
        """
        row = masters.webhook_of(job.source)
        if row is None or not row.token_sealed:
            raise VendorError(
                "there is no token to fetch with any more", where=job.source,
                remedy="Keep one with: tenpo tenant webhook TENANT VENDOR --token-file FILE …",
            )  # fmt: skip
        login = Login(open_token(keys, row).decode(), row.account)
        with httpx.Client(timeout=TIMEOUT) as client:
            return self._apis[job.source].fetch(Calls(client, self._limit), job.fetch, login)
