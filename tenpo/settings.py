"""Typed settings: one class, read once, the same in every process.

Precedence, highest first: environment (`TENPO_*`), the settings file
(`TENPO_SETTINGS_FILE`, else `tenpo.toml` in the working folder), the running
local stack's own addresses (`<home>/stack.json`, written by `tenpo up`), defaults.

Not for per-tenant facts: those are masters (`tenpo.masters`).
"""

from __future__ import annotations

import os
import secrets
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    JsonConfigSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from tenpo.errors import ConfigError

Port = Annotated[int, Field(ge=1, le=65535)]


def default_home() -> Path:
    """The folder that holds all state of the local stack; deleting it forgets everything."""
    return Path(os.environ.get("TENPO_HOME", ".tenpo")).absolute()


class Ports(BaseModel):
    """Preferred loopback ports. `tenpo up` takes the next free one and says so."""

    api: Port = 8080
    gateway: Port = 8081
    airflow: Port = 8082
    bigquery: Port = 9050
    bigquery_grpc: Port = 9060
    mqtt: Port = 1883


class Settings(BaseSettings):
    """Everything a process needs to know about where it runs."""

    model_config = SettingsConfigDict(
        env_prefix="TENPO_", env_nested_delimiter="__", extra="ignore", frozen=True
    )

    environment: Literal["local", "production"] = "local"
    home: Path = Field(default_factory=default_home, description="state of the local stack")
    ports: Ports = Field(default_factory=Ports)
    log_level: str = "INFO"
    log_json: bool = False

    # secrets ---------------------------------------------------------------
    secret_key: SecretStr | None = Field(
        default=None, description="root of the per-tenant keys; 32 bytes, hex"
    )

    metrics_token: SecretStr | None = Field(
        default=None, description="shown by who reads a gateway's /metrics; none: closed"
    )

    # lake ------------------------------------------------------------------
    lake_url: str = Field(default="", description="file:///… or gs://bucket/prefix")
    hints_url: str = Field(
        default="",
        description="pubsub://projects/P/subscriptions/S of the bucket's notifications;"
        " none means the datamart's LISTEN/NOTIFY",
    )

    # warehouse -------------------------------------------------------------
    project: str = Field(default="tenpo-local", description="Google Cloud project")
    location: str = "asia-northeast1"
    dataset_prefix: str = Field(default="", description="put before raw, dwh and mart")
    bigquery_endpoint: str | None = Field(
        default=None,
        validation_alias=AliasChoices("TENPO_BIGQUERY_ENDPOINT", "bigquery_endpoint"),
        description="http://host:port of a compatible server; none means BigQuery itself",
    )
    bigquery_grpc_endpoint: str | None = Field(
        default=None, description="host:port of its Storage API"
    )
    maximum_bytes_billed: int = 100 * 1024**3
    price_scan_tib: float = Field(
        default=6.25, ge=0, description="USD a TiB read on demand; another region has its own"
    )
    price_storage_gib_month: float = Field(
        default=0.02, ge=0, description="USD a GiB and month of active logical storage"
    )
    price_as_of: date = Field(default=date(2026, 6, 1), description="the day of these prices")

    # datamart --------------------------------------------------------------
    datamart_dsn: str = Field(default="", description="postgresql://… of the datamart")

    # addresses of the services ---------------------------------------------
    bind_host: str = Field(
        default="127.0.0.1", description="where services listen; 0.0.0.0 in a container"
    )
    api_url: str = "http://127.0.0.1:8080"
    gateway_url: str = "http://127.0.0.1:8081"
    airflow_url: str = "http://127.0.0.1:8082"
    features_url: str = "http://127.0.0.1:8083"
    video_url: str = "http://127.0.0.1:8084"
    mqtt_url: str = "mqtt://127.0.0.1:1883"
    airflow_username: str = "admin"
    airflow_password: SecretStr | None = Field(
        default=None, description="none means the local stack's generated one"
    )

    # intake ----------------------------------------------------------------
    max_body_bytes: int = 128 * 1024**2
    max_bodies_bytes: int = Field(
        default=512 * 1024**2, description="of all bodies in a gateway's memory at once"
    )
    body_idle_s: float = Field(
        default=30.0, gt=0, description="longest wait for the next piece of a body"
    )
    body_total_s: float = Field(
        default=1800.0, gt=0, description="longest wait for a whole body, however it comes"
    )
    large_body_bytes: int = Field(
        default=1024**2, ge=0, description="above it a payload is answered 202 and worked on later"
    )
    drop_url: str = Field(default="", description="watched folder or bucket; none: not watched")
    drop_interval_s: float = Field(default=5.0, gt=0, description="between looks into it")
    drop_settle_s: float = Field(
        default=60.0, ge=0, description="without a marker a file is whole once unchanged so long"
    )
    drop_watch_s: float = Field(
        default=900.0, ge=0, description="a file that was taken is looked at so long for changes"
    )
    drop_markers_only: bool = Field(
        default=False, description="take a file only once its marker FILE.done lies beside it"
    )
    store_rate_per_s: float = Field(
        default=50.0, ge=0, description="payloads a second of a token of one store; 0: no limit"
    )
    hook_rate_per_s: float = Field(
        default=50.0, ge=0, description="webhooks a second of a tenant and vendor; 0: no limit"
    )
    rate_burst: int = Field(default=500, ge=1, description="payloads at once before that")
    work_interval_s: float = Field(default=2.0, gt=0, description="between looks for such work")
    work_attempts: int = Field(default=6, ge=1, description="tries before it counts as failed")
    work_backoff_s: float = Field(
        default=5.0, gt=0, description="rest after the first failed try; three times as long each"
    )
    fetch_attempts: int = Field(
        default=60, ge=1, description="tries to fetch what a webhook names; about 14 hours"
    )
    square_api_url: str = "https://connect.squareup.com"
    smaregi_api_url: str = "https://api.smaregi.jp"
    smaregi_id_url: str = "https://id.smaregi.jp"
    commit_interval_s: float = Field(default=0.005, gt=0, le=1)

    # video -----------------------------------------------------------------
    models_dir: Path = Field(default=Path(), description="fetched weights; none: <home>/models")
    models_seed: Path | None = Field(
        default=None, description="folder with files of weights, where the network is closed"
    )
    models_file: Path | None = Field(
        default=None, description="weights of one's own, beside video_analyzer/detect/models.yaml"
    )
    features_token: SecretStr | None = Field(
        default=None, description="of scope features, for a camera of a store with faces"
    )
    features_tokens: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="of scope features, one of each whole tenant, for jobs that ask the service",
    )
    features_new_per_hour: int = Field(
        default=5_000, ge=1, description="persons that a store may meet for the first time"
    )

    # jobs ------------------------------------------------------------------
    beam_runner: str = "FnApiRunner"
    task_runtime: Literal["process", "kubernetes", "dataflow"] = "process"
    dags_dir: Path | None = Field(default=None, description="DAGs of the local Airflow")
    follow_interval_s: float = Field(default=2.0, gt=0)
    lease_s: float = Field(default=60.0, gt=0)

    # models ----------------------------------------------------------------
    models_margin: float = Field(
        default=0.0, ge=-1, lt=1,
        description="share by which a challenger's error must be below the champion's;"
        " below 0 it may be that much worse",
    )  # fmt: skip
    models_webhook_url: SecretStr | None = Field(
        default=None, description="a chat channel's webhook, told what becomes of runs"
    )
    mlflow_url: str = Field(
        default="",
        description="MLflow's tracking store that runs are copied to, sqlite:///…,"
        " postgresql://… or http(s)://…; none: not copied",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file over the running stack."""
        del dotenv_settings, file_secret_settings
        file = Path(os.environ.get("TENPO_SETTINGS_FILE", "tenpo.toml"))
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(settings_cls, toml_file=file),
            JsonConfigSettingsSource(settings_cls, json_file=default_home() / "stack.json"),
        )

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, values: dict[str, object]) -> dict[str, object]:
        home = Path(str(values.get("home") or default_home())).absolute()
        values["home"] = home
        values["lake_url"] = values.get("lake_url") or f"file://{home}/lake"
        values["models_dir"] = values.get("models_dir") or home / "models"
        return values

    @model_validator(mode="after")
    def _largest_body_fits(self) -> Settings:
        if self.max_bodies_bytes < 2 * self.max_body_bytes:
            raise ValueError(
                "TENPO_MAX_BODIES_BYTES must be twice TENPO_MAX_BODY_BYTES or more: no tenant "
                "may hold more than it leaves to others"
            )
        return self

    @model_validator(mode="after")
    def _production_has_no_defaults(self) -> Settings:
        if self.environment != "production":
            return self
        missing = [name for name in ("secret_key", "datamart_dsn") if not getattr(self, name)]
        if self.lake_url.startswith("file:"):
            missing.append("lake_url")
        if self.project == "tenpo-local":
            missing.append("project")
        if self.bigquery_endpoint:
            raise ValueError("bigquery_endpoint must not be set in production")
        if missing:
            names = ", ".join(f"TENPO_{name.upper()}" for name in missing)
            raise ValueError(f"production has no defaults for {names}: set them")
        if len(self.root_secret()) < 32:
            raise ValueError("TENPO_SECRET_KEY needs at least 32 bytes (64 hex digits)")
        return self

    @property
    def run_dir(self) -> Path:
        """Sockets, pid files and the supervisor's own files."""
        return self.home / "run"

    @property
    def log_dir(self) -> Path:
        """One log file a process."""
        return self.home / "logs"

    def without_secrets(self) -> Settings:
        """For workers elsewhere that only move canonical rows: no key, no token but Airflow's.

        They travel with the pipeline, and lie in its staging folder.
        """
        secret = ("secret_key", "metrics_token", "features_token", "models_webhook_url")
        return self.model_copy(update={**dict.fromkeys(secret), "features_tokens": {}})

    def metrics_secret(self) -> str:
        """What opens `/metrics`: locally made once, in production given; empty keeps it closed."""
        if self.metrics_token is not None:
            return self.metrics_token.get_secret_value()
        return "" if self.environment == "production" else local_secret(self.home, "metrics_token")

    def root_secret(self) -> bytes:
        """The root of all per-tenant keys.

        Locally it is made once and kept in `<home>/secrets/secret_key`; in
        production it comes from `TENPO_SECRET_KEY` alone.
        """
        if self.secret_key is not None:
            try:
                return bytes.fromhex(self.secret_key.get_secret_value())
            except ValueError as error:
                raise ConfigError(
                    "the secret key is not hexadecimal",
                    where="TENPO_SECRET_KEY",
                    remedy="Make one with: openssl rand -hex 32",
                ) from error
        return bytes.fromhex(local_secret(self.home, "secret_key"))


def local_secret(home: Path, name: str) -> str:
    """A random secret of the local stack, made on first use, readable by the owner alone.

    Two processes may ask at once: the one that links the file first wins.
    """
    path = home / "secrets" / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = path.with_name(f".{name}.{secrets.token_hex(4)}")
        with draft.open("x", encoding="ascii") as file:
            draft.chmod(0o600)
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text("ascii").strip()


@cache
def get_settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        ConfigError: as `read_settings`.
    """
    return read_settings()


def read_settings() -> Settings:
    """The settings as they are now: a local stack that was started again may be elsewhere.

    Raises:
        ConfigError: a value is missing or of the wrong form, named one by one.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors()
        )
        raise ConfigError(
            f"the settings cannot be used: {problems}",
            where="TENPO_* or tenpo.toml",
            remedy="Correct the named keys; `tenpo doctor` shows the values in force.",
        ) from error
