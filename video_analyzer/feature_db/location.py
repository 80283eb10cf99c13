"""Where commands find a tenant's features: in the files here, or at the service that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported where used: the command line is to answer at once
    from tenpo.masters import MasterBook
    from video_analyzer.feature_db import FeatureDatabase
    from video_analyzer.feature_db.publish import Moved
    from video_analyzer.feature_service.client import FeatureClient

#: An erasure or a night's work at the service, and a little more.
_LONG_S = 1_000.0


def database() -> FeatureDatabase:
    """The features of all tenants in the files here.

    Raises:
        ConfigError: there is no root secret.
    """
    from tenpo.settings import get_settings
    from video_analyzer.feature_db import FeatureDatabase

    settings = get_settings()
    return FeatureDatabase(settings.home / "features", settings.root_secret())


def service(tenant: str) -> FeatureClient | None:
    """The service, where there is a token of the tenant for it; else the files here are meant."""
    from tenpo.settings import get_settings
    from video_analyzer.feature_service.client import FeatureClient

    settings = get_settings()
    token = settings.features_tokens.get(tenant)
    if token is None:
        return None
    secret = token.get_secret_value()
    return FeatureClient(settings.features_url, tenant, secret, timeout_s=_LONG_S)


def who_moved(tenant: str) -> Moved:
    """Who is whom: from the service where there is a token for it, else from the files here."""
    from video_analyzer.feature_db.publish import of_folder

    client = service(tenant)
    if client is None:
        return of_folder(database(), tenant)

    def ask() -> Mapping[str, str] | None:
        with client:
            return client.moved()

    return ask


def book() -> MasterBook:
    """The masters of all tenants."""
    from tenpo.lake import Lake
    from tenpo.masters import MasterBook
    from tenpo.settings import get_settings

    return MasterBook(Lake(get_settings().lake_url))
