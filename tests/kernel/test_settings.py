"""Settings: where they come from, and what production refuses."""

from __future__ import annotations

import pickle
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tenpo.errors import ConfigError
from tenpo.settings import Settings, get_settings, local_secret

PRODUCTION = {
    "TENPO_ENVIRONMENT": "production",
    "TENPO_SECRET_KEY": "ab" * 32,
    "TENPO_DATAMART_DSN": "postgresql://u@db/tenpo",
    "TENPO_LAKE_URL": "gs://bucket/lake",
    "TENPO_PROJECT": "our-project",
}


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home, and none of the developer's own settings."""
    import os

    for name in [name for name in os.environ if name.startswith("TENPO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TENPO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def _production(monkeypatch: pytest.MonkeyPatch, **change: str | None) -> Settings:
    for name, value in (PRODUCTION | change).items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    return get_settings()


def test_defaults_need_nothing(clean: Path) -> None:
    settings = get_settings()
    assert settings.home == clean / "home"
    assert settings.lake_url == f"file://{clean}/home/lake"
    assert len(settings.root_secret()) == 32


def test_environment_wins_over_file_over_running_stack(
    clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean / "home").mkdir()
    stack = {"api_url": "http://stack", "gateway_url": "http://stack", "mqtt_url": "mqtt://stack"}
    (clean / "home" / "stack.json").write_bytes(orjson.dumps(stack))
    (clean / "tenpo.toml").write_text('api_url = "http://file"\ngateway_url = "http://file"\n')
    monkeypatch.setenv("TENPO_API_URL", "http://environment")
    settings = get_settings()
    assert (settings.api_url, settings.gateway_url, settings.mqtt_url) == (
        "http://environment", "http://file", "mqtt://stack",
    )  # fmt: skip


def test_nested_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENPO_PORTS__API", "9999")
    assert get_settings().ports.api == 9999


def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENPO_LEASE_S", "-1")
    monkeypatch.setenv("TENPO_PORTS__MQTT", "70000")
    with pytest.raises(ConfigError, match=r"lease_s") as caught:
        get_settings()
    assert "ports.mqtt" in caught.value.what


def test_production_starts_when_everything_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _production(monkeypatch).root_secret() == bytes.fromhex("ab" * 32)


@pytest.mark.parametrize("name", [name for name in PRODUCTION if name != "TENPO_ENVIRONMENT"])
def test_production_refuses_defaults(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=name):
        _production(monkeypatch, **{name: None})


def test_production_makes_no_secret_of_its_own(
    clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError):
        _production(monkeypatch, TENPO_SECRET_KEY=None)
    assert not (clean / "home" / "secrets").exists()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TENPO_SECRET_KEY", "ab" * 16, "at least 32 bytes"),
        ("TENPO_SECRET_KEY", "not hexadecimal", "hexadecimal"),
        ("TENPO_LAKE_URL", "file:///tmp/lake", "TENPO_LAKE_URL"),
        ("TENPO_BIGQUERY_ENDPOINT", "http://127.0.0.1:9050", "bigquery_endpoint"),
    ],
)
def test_production_refuses_what_is_weak_or_local(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=said):
        _production(monkeypatch, **{name: value})


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "abab" not in repr(_production(monkeypatch))


def test_a_local_secret_is_made_once_for_its_owner_alone(clean: Path) -> None:
    found: set[str] = set()
    threads = [
        threading.Thread(target=lambda: found.add(local_secret(clean, "x"))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1
    assert local_secret(clean, "y") not in found
    assert stat.S_IMODE((clean / "secrets" / "x").stat().st_mode) == 0o600
    assert sorted(path.name for path in (clean / "secrets").iterdir()) == ["x", "y"]


def test_workers_elsewhere_get_no_secret_that_they_do_not_need() -> None:
    told = {"secret_key": "ab" * 32, "metrics_token": "m-secret", "features_token": "f-secret",
            "models_webhook_url": "w-secret"}  # fmt: skip
    made = Settings(**told, features_tokens={"demo": "t-secret"}, lake_url="gs://lake")  # type: ignore[arg-type]
    sent = pickle.dumps(made.without_secrets())
    assert b"gs://lake" in sent
    assert [name for name in (*told.values(), "t-secret") if name.encode() in sent] == []
