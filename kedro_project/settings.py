"""Kedro's settings of this project (https://docs.kedro.org/en/stable/configure/project_setup/).

Nothing is told to anybody: the plug-in for telemetry that comes with Kedro is not loaded.
"""

DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)
CONF_SOURCE = "kedro_project/conf"
