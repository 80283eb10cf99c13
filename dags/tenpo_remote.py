"""The same command lines elsewhere: a Kubernetes pod, a Dataflow Flex template.

Imported only where `TENPO_TASK_RUNTIME` asks for it: the providers take seconds to load.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.google.cloud.operators.dataflow import DataflowStartFlexTemplateOperator
from tenpo_task import without_empty


def kubernetes_task(task_id: str, args: list[str], **options: Any) -> TenpoPod:
    """A pod of the platform's image; `TENPO_IMAGE` names it, the config map its settings."""
    from kubernetes.client import models as k8s

    settings = os.environ.get("TENPO_CONFIG_MAP", "tenpo")
    return TenpoPod(
        task_id=task_id,
        name=task_id.replace("_", "-"),
        namespace=os.environ.get("TENPO_NAMESPACE", "tenpo"),
        image=os.environ["TENPO_IMAGE"],
        cmds=["tenpo"],
        arguments=args,
        env_from=[
            k8s.V1EnvFromSource(config_map_ref=k8s.V1ConfigMapEnvSource(name=settings)),
            k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name=settings)),
        ],
        on_finish_action="delete_pod",
        **options,
    )


def dataflow_task(task_id: str, args: list[str], **options: Any) -> TenpoFlexTemplate:
    """A launch of the Flex template at `TENPO_FLEX_TEMPLATE`, whose launcher runs the command."""
    return TenpoFlexTemplate(
        task_id=task_id,
        args=args,
        project_id=os.environ["TENPO_PROJECT"],
        location=os.environ.get("TENPO_LOCATION", "asia-northeast1"),
        wait_until_finished=True,
        body={
            "launchParameter": {
                "jobName": task_id.replace("_", "-"),
                "containerSpecGcsPath": os.environ["TENPO_FLEX_TEMPLATE"],
            }
        },
        **options,
    )


class TenpoPod(KubernetesPodOperator):
    """A pod whose empty arguments are left out once the templates are rendered."""

    def command_line(self) -> list[str]:
        """What a person would type."""
        return [*self.cmds, *without_empty(self.arguments)]

    def execute(self, context: Any) -> Any:
        """Run the pod and wait for it."""
        self.arguments = without_empty(self.arguments)
        return super().execute(context)


class TenpoFlexTemplate(DataflowStartFlexTemplateOperator):
    """A Flex template launch that carries the command's arguments as one JSON parameter."""

    template_fields: Sequence[str] = (*DataflowStartFlexTemplateOperator.template_fields, "args")

    def __init__(self, *, args: list[str], **options: Any) -> None:
        super().__init__(**options)
        self.args = args

    def command_line(self) -> list[str]:
        """What the launcher will run."""
        parameters = self.launch_body()["launchParameter"]["parameters"]
        return ["tenpo", *json.loads(parameters["tenpo_args"])]

    def launch_body(self) -> dict[str, Any]:
        """The request to Dataflow."""
        launch = self.body["launchParameter"]
        parameters = {"tenpo_args": json.dumps(without_empty(self.args))}
        return {"launchParameter": launch | {"parameters": parameters}}

    def execute(self, context: Any) -> Any:
        """Launch the job and wait for it."""
        self.body = self.launch_body()
        return super().execute(context)
