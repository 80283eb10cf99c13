"""Airflow's settings for one machine: small, quick to react, quick to notice a death.

Production sets its own in the chart or in Composer; nothing here is read there.
Option names: https://airflow.apache.org/docs/apache-airflow/3.3.2/configurations-ref.html
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from tenpo.settings import Settings, local_secret
from tenpo.stack.addresses import AIRFLOW_DATABASE
from tenpo.stack.files import write_private
from tenpo.stack.layout import Layout, repository
from tenpo.stack.ports import HOST

ADMIN = "admin"


def airflow_env(settings: Settings, layout: Layout, port: int) -> dict[str, str]:
    """The environment of every Airflow process of the local stack."""
    dags = settings.dags_dir or repository() / "dags"
    sections = {
        "core": _core(settings, layout, port, dags),
        "database": _database(layout),
        "scheduler": _scheduler(),
        "dag_processor": _dag_processor(),
        "api": {
            "host": HOST,
            "port": str(port),
            "base_url": f"http://{HOST}:{port}",
            "workers": "1",
            "secret_key": local_secret(settings.home, "airflow_session_key"),
            "instance_name": "Tenpo",
        },
        "api_auth": {"jwt_secret": local_secret(settings.home, "airflow_jwt_key")},
        "execution_api": {"jwt_expiration_time": "3600"},
        "workers": {
            # A task outlives a restart of the API server (up to 20 s on busy cores) and
            # gives up when the scheduler gives it up: then there are not two of it for long.
            "min_heartbeat_interval": "2",
            "max_failed_heartbeats": "15",
        },
        "logging": {
            "base_log_folder": str(layout.logs / "airflow-tasks"),
            "dag_processor_child_process_log_directory": str(layout.logs / "airflow-dags"),
            "colored_console_log": "False",
            "logging_level": settings.log_level,
        },
    }
    env = {
        f"AIRFLOW__{section.upper()}__{key.upper()}": value
        for section, options in sections.items()
        for key, value in options.items()
    }
    return env | {
        "AIRFLOW_HOME": str(layout.airflow_home),
        # Titles must not overwrite the environment, by which leftovers are found.
        "SPT_NOENV": "1",
        "PYTHONWARNINGS": "ignore::DeprecationWarning",
    }


def _core(settings: Settings, layout: Layout, port: int, dags: Path) -> dict[str, str]:
    return {
        "dags_folder": str(dags),
        "executor": "LocalExecutor",
        "parallelism": "2",
        "load_examples": "False",
        "dags_are_paused_at_creation": "False",
        "fernet_key": _fernet_key(settings),
        "execution_api_server_url": f"http://{HOST}:{port}/execution/",
        "simple_auth_manager_users": f"{ADMIN}:admin",
        "simple_auth_manager_passwords_file": str(passwords_file(settings)),
        # A changed list of tenants shows within seconds.
        "min_serialized_dag_update_interval": "5",
        "killed_task_cleanup_time": "10",
    }


def _database(layout: Layout) -> dict[str, str]:
    where = f"@/{AIRFLOW_DATABASE}?host={layout.postgres_socket}"
    return {
        "sql_alchemy_conn": f"postgresql+psycopg2://postgres{where}",
        "sql_alchemy_conn_async": f"postgresql+asyncpg://postgres{where}",
        "sql_alchemy_pool_size": "3",
    }


def _scheduler() -> dict[str, str]:
    return {
        "scheduler_idle_sleep_time": "0.5",
        "scheduler_heartbeat_sec": "1",
        "job_heartbeat_sec": "2",
        # After kill -9: the old scheduler counts as dead after 10 s, a lost task after 30 s.
        "scheduler_health_check_threshold": "10",
        "orphaned_tasks_check_interval": "5",
        "task_instance_heartbeat_timeout": "30",
        "task_instance_heartbeat_timeout_detection_interval": "3",
        "task_queued_timeout": "60",
        "task_queued_timeout_check_interval": "10",
        "parsing_cleanup_interval": "30",
    }


def _dag_processor() -> dict[str, str]:
    return {
        "parsing_processes": "1",
        "min_file_process_interval": "5",
        "refresh_interval": "10",
        "bundle_refresh_check_interval": "5",
        "print_stats_interval": "0",
    }


def _fernet_key(settings: Settings) -> str:
    secret = bytes.fromhex(local_secret(settings.home, "airflow_fernet_key"))
    return base64.urlsafe_b64encode(hashlib.sha256(secret).digest()).decode()


def passwords_file(settings: Settings) -> Path:
    """Where Airflow's login looks up the generated password."""
    return settings.home / "secrets" / "airflow_passwords.json"


def admin_password(settings: Settings) -> str:
    """The generated password of Airflow's user `admin`."""
    return local_secret(settings.home, "airflow_admin_password")[:20]


def write_passwords(settings: Settings) -> None:
    """Give Airflow the password before its first start, or it would make up its own."""
    write_private(passwords_file(settings), json.dumps({ADMIN: admin_password(settings)}))
