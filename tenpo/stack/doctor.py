"""`tenpo doctor`: what is wrong on this machine, and how to mend it. Changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from tenpo.datamart import connect, ledger, transaction
from tenpo.errors import ConfigError, IntegrityError, TenpoError
from tenpo.settings import Settings, get_settings
from tenpo.stack.layout import Layout
from tenpo.stack.logs import last_lines
from tenpo.stack.machine import (
    chromium,
    disk_space,
    environment_matches_lock,
    memory,
    python_version,
    writable_home,
)
from tenpo.stack.ports import OWNER, is_free
from tenpo.stack.state import ServiceState, service_states, wanted_names

# user:HERE@host of a URL; password=HERE of a DSN.
_PASSWORDS = re.compile(r"((?<=://)[^:/@\s]*:)[^@/\s]+(?=@)|(\bpassword=)[^&\s]+")
#: How many damaged objects are named.
_SHOWN = 5
Verdict = Literal["ok", "optional", "wrong"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        verdict: `optional` is worth knowing but no fault.
        finding: what was found, with values.
        remedy: what to do; empty when there is nothing to do.
    """

    name: str
    verdict: Verdict
    finding: str
    remedy: str = ""


@dataclass(frozen=True)
class Report:
    """All checks, in the order in which to mend."""

    checks: list[Check]
    settings: dict[str, object]

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return all(check.verdict != "wrong" for check in self.checks)

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        checks = [asdict(check) for check in self.checks]
        return {"well": self.is_well, "checks": checks, "settings": self.settings}


def examine() -> Report:
    """Look at everything that can be looked at; a broken part hides no other."""
    checks = [_looked("python", python_version)]
    for name in ("platform", "bigquery", "airflow"):
        checks.append(_looked(f"environment {name}", partial(environment_matches_lock, name)))
    try:
        settings = get_settings()
    except ConfigError as error:
        checks.append(Check("settings", "wrong", error.what, error.remedy))
        return Report(checks, {})
    shown = settings_in_force(settings)
    checks += [
        Check("settings", "ok", _not_default(settings, shown)),
        _looked("home", lambda: writable_home(settings.home)),
        _looked("disk", lambda: disk_space(settings.home)),
        _looked("memory", memory, verdict="optional"),
        _looked("chromium", chromium, verdict="optional"),
        *_services(settings),
    ]
    return Report(checks, shown)


def settings_in_force(settings: Settings) -> dict[str, object]:
    """The settings as they are used here, secrets masked."""
    values = settings.model_dump(mode="json")
    return {name: _masked(value) for name, value in values.items()}


def _not_default(settings: Settings, shown: dict[str, object]) -> str:
    fields = type(settings).model_fields
    given = [
        f"{name} = {shown[name]}"
        for name, field in fields.items()
        if field.default_factory is None and getattr(settings, name) != field.default
    ]
    lines = "".join(f"\n       {line}" for line in given)
    return f"for {settings.environment}; all values with --json; other than the default:{lines}"


def _masked(value: object) -> object:
    """Passwords in URLs and DSNs; `SecretStr` masks itself."""
    if not isinstance(value, str):
        return value
    return _PASSWORDS.sub(r"\1\2****", value)


def _looked(name: str, look: Callable[[], str], verdict: Verdict = "wrong") -> Check:
    """A check that answers what it found, or raises what is wrong and how to mend it."""
    try:
        return Check(name, "ok", look())
    except TenpoError as error:
        where = f" ({error.where})" if error.where else ""
        return Check(name, verdict, error.what + where, error.remedy)


def _services(settings: Settings) -> Iterator[Check]:
    layout = Layout(settings.home)
    wanted = wanted_names(layout)
    try:
        states = {state.name: state for state in service_states(settings)}
    except TenpoError as error:
        yield Check("services", "wrong", error.what, error.remedy)
        return
    if not wanted:
        yield Check("services", "optional", "the stack is not started", "Start it with: tenpo up")
    for name in wanted:
        yield _service(states[name])
    if settings.datamart_dsn and states["postgres"].state == "healthy":
        yield _looked("lake objects", partial(_readable_objects, settings))
    yield from _ports(settings, states)


def _service(state: ServiceState) -> Check:
    if state.state == "healthy":
        return Check(state.name, "ok", f"healthy, pid {state.pid} {state.address}".rstrip())
    tail = last_lines(Path(state.log), 5)
    finding = f"{state.state}; the end of {state.log}:\n{tail}" if tail else state.state
    return Check(state.name, "wrong", finding, "Mend what the log says, then run: tenpo up")


def _readable_objects(settings: Settings) -> str:
    """Objects of the lake that ingest had to set aside."""
    engine = connect(settings, pool_size=1)
    try:
        with transaction(engine) as connection:
            damaged = ledger.damaged(connection)
    finally:
        engine.dispose()
    if damaged:
        first = [*damaged.items()][:_SHOWN]
        lines = "".join(f"\n       {name}: {reason}" for name, reason in first)
        raise IntegrityError(
            f"ingest set {len(damaged):,} damaged objects aside, the first ones:{lines}",
            remedy=ledger.DAMAGE_REMEDY,
        )
    return "ingest could read all it was given"


def _ports(settings: Settings, states: dict[str, ServiceState]) -> Iterator[Check]:
    for name, port in settings.ports.model_dump().items():
        if states[OWNER[name]].pid or is_free(port):
            continue
        yield Check(
            f"port {port}",
            "optional",
            f"taken by another program; {OWNER[name]} will take the next free one",
            f"For a fixed one set TENPO_PORTS__{name.upper()}.",
        )
