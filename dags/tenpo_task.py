"""The one way a DAG starts work: `tenpo_task(task_id, args)` runs `tenpo ARGS…`.

`TENPO_TASK_RUNTIME` decides where: `process` on this machine, `kubernetes` in a pod,
`dataflow` as a Flex template. The command line is the same everywhere.

The exit code decides what happens next (the error tree in `tenpo/errors.py`):
settings, input and integrity errors fail at once, because trying again changes
nothing; a lost lease is a skip, because the successor does the work; anything else
is tried again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, ClassVar

from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

NEVER_AGAIN = {2: "settings", 3: "input", 6: "integrity"}
LEASE_LOST = 5


def tenpo_task(task_id: str, args: Sequence[str], **options: Any) -> BaseOperator:
    """The operator that runs `tenpo ARGS…` in the runtime of this deployment.

    Args:
        task_id: unique in the DAG.
        args: arguments, Jinja allowed; those that render empty are left out.
        options: of every operator, as `outlets` or `execution_timeout`.
    """
    runtime = os.environ.get("TENPO_TASK_RUNTIME", "process")
    if runtime == "process":
        return TenpoProcess(task_id=task_id, args=list(args), **options)
    if runtime == "kubernetes":
        from tenpo_remote import kubernetes_task

        return kubernetes_task(task_id, list(args), **options)
    if runtime == "dataflow":
        from tenpo_remote import dataflow_task

        return dataflow_task(task_id, list(args), **options)
    raise ValueError(
        f"TENPO_TASK_RUNTIME={runtime!r}: must be 'process', 'kubernetes' or 'dataflow'"
    )


def without_empty(args: Sequence[str]) -> list[str]:
    """The arguments that are there once templates are rendered."""
    return [arg for arg in args if arg.strip()]


class TenpoProcess(BaseOperator):
    """Runs the command as a child that dies with this task, whatever kills it."""

    template_fields: Sequence[str] = ("args",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"args": "json"}
    ui_color = "#dfeee2"

    def __init__(self, *, args: list[str], **options: Any) -> None:
        super().__init__(**options)
        self.args = args
        self._hook: SubprocessHook | None = None

    def command_line(self) -> list[str]:
        """What a person would type."""
        return ["tenpo", *without_empty(self.args)]

    def execute(self, context: Any) -> None:
        """Run it, its output going to the task's log."""
        python = os.environ["TENPO_PYTHON"]
        launcher = [python, "-m", "tenpo.stack.child", "--parent", str(os.getpid()), "--"]
        self._hook = SubprocessHook()
        done = self._hook.run_command(
            [*launcher, python, "-m", "tenpo.cli", *self.command_line()[1:]],
            env=platform_environment(),
        )
        judge(done.exit_code, json.dumps(self.command_line()))

    def on_kill(self) -> None:
        """Stopped from the UI or by its timeout: let it leave a clean state."""
        if self._hook is not None:
            self._hook.send_sigterm()


def platform_environment() -> dict[str, str]:
    """Our environment without Airflow's own settings, which hold its secrets."""
    kept = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("AIRFLOW", "__AIRFLOW", "_AIRFLOW"))
    }
    return kept | {"PYTHONUNBUFFERED": "1"}


def judge(exit_code: int, command: str) -> None:
    """Turn an exit code into what Airflow shall do."""
    if exit_code == 0:
        return
    if exit_code == LEASE_LOST:
        raise AirflowSkipException(f"{command}: another run holds the lease and does the work")
    if exit_code in NEVER_AGAIN:
        kind = NEVER_AGAIN[exit_code]
        raise AirflowFailException(
            f"{command}: {kind} error (exit {exit_code}); not retried. "
            "The log above says where it is and how to mend it; then clear this task."
        )
    raise AirflowException(f"{command}: exit {exit_code}; will be tried again")
