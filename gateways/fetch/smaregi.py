"""Smaregi: transactions that webhooks name, by the platform API.

A webhook `pos:transactions` holds the contract and the ids of transactions. The app's client id
and secret (kept as `ID:SECRET`) buy an access token of the contract for an hour; it is bought anew
for each job. Versions are the transaction's `updDateTime`.

https://developers.smaregi.dev/platform-api-reference/common
https://developers.smaregi.dev/platform-api-reference/start-guide/get-access-token
https://developers.smaregi.dev/platform-api-reference/apis/pos/operations/gettransactions
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gateways.fetch.api import VendorApi, is_id
from gateways.fetch.calls import Calls, Login, together
from tenpo.errors import VendorError

EVENT, SCOPE = "pos:transactions", "pos.transactions:read"


class SmaregiApi(VendorApi):
    """Smaregi's platform API.

    Args:
        url: where it is.
        id_url: where access tokens are had.
    """

    name = "smaregi"

    def __init__(self, url: str, id_url: str) -> None:
        self._url, self._id_url = url.rstrip("/"), id_url.rstrip("/")

    def ids(self, event: dict[str, Any], account: str | None) -> Iterable[Any]:
        """The transactions of an event of the tenant's own contract."""
        found = event.get("transactionHeadIds")
        own = event.get("event") == EVENT and event.get("contractId") == account
        return found if own and isinstance(found, list) else []

    def fetch(self, calls: Calls, ids: Sequence[str], login: Login) -> bytes:
        """The transactions of some ids, with their details."""
        account = login.account
        if not is_id(account):
            raise VendorError(
                "the contract is not known", where="smaregi",
                remedy="Name it with: tenpo tenant webhook TENANT smaregi --account CONTRACT …",
            )  # fmt: skip
        headers = {"Authorization": f"Bearer {self._access_token(calls, login)}"}
        place = f"{self._url}/{account}/pos/transactions"
        asked = {"headers": headers, "params": {"with_details": "all"}}
        return together([calls.call("GET", f"{place}/{one}", **asked) for one in ids])

    def _access_token(self, calls: Calls, login: Login) -> str:
        client_id, _, secret = login.token.partition(":")
        reply = calls.call(
            "POST", f"{self._id_url}/app/{login.account}/token", auth=(client_id, secret),
            data={"grant_type": "client_credentials", "scope": SCOPE},
        )  # fmt: skip
        token = reply.document.get("access_token") if isinstance(reply.document, dict) else None
        if not isinstance(token, str):
            raise VendorError("the vendor gave no access token", where=self._id_url)
        return token
