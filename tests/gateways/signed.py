"""Webhooks as their vendors sign them. No test of its own."""

from __future__ import annotations

import base64
import hashlib
import hmac

from tenpo.keys import TenantKeys
from tenpo.masters import Webhook
from tenpo.webhook_secrets import Fetching, seal_webhook
from tests.gateways.payloads import ROOT, TENANT

SECRETS = {
    "square": "sq-signing-key", "shopify": "shopify-client-secret", "smaregi": "sm-header",
}  # fmt: skip
#: What fetches what webhooks name.
TOKENS = {"square": Fetching("sq-access-token"), "smaregi": Fetching("sm-id:sm-secret", "sb_1")}
URL = "https://hooks.example.com/v1/hooks/acme/square"


def webhook_secrets() -> list[Webhook]:
    """What the tenant keeps."""
    keys = TenantKeys(ROOT, TENANT)
    return [
        seal_webhook(keys, "square", SECRETS["square"], URL, fetching=TOKENS["square"]),
        seal_webhook(keys, "shopify", SECRETS["shopify"], store_id="soho"),
        seal_webhook(keys, "smaregi", SECRETS["smaregi"], fetching=TOKENS["smaregi"]),
    ]


def signature(secret: str, signed: bytes) -> str:
    """HMAC-SHA-256 in base64, as both vendors state it."""
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
