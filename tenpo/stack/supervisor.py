"""supervisord as the runner: its configuration, its start, and talking to it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from tenpo.errors import StackError
from tenpo.stack.files import write_private
from tenpo.stack.layout import Layout
from tenpo.stack.leftovers import MARKER, marker, wait_gone
from tenpo.stack.process import Process

NAME = "supervisord"
START_S = 15.0
STOP_S = 15  # after this, SIGKILL
LOG_BYTES = "20MB"


@dataclass(frozen=True)
class ProcessState:
    """What supervisord knows of one process.

    Attributes:
        state: `RUNNING`, `STARTING`, `BACKOFF`, `STOPPED`, `EXITED`, `FATAL`, ….
        pid: 0 when it does not run.
        uptime_s: 0 when it does not run.
        remark: supervisord's own words, as an exit status.
    """

    name: str
    state: str
    pid: int
    uptime_s: float
    remark: str


class Supervisor:
    """One supervisord, reached through its Unix socket."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._conf = layout.run / "supervisord.conf"

    def is_running(self) -> bool:
        """Whether it answers."""
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except StackError:
            return False

    def start(self, defined: Iterable[Process]) -> None:
        """Start it detached and wait until it answers. Starts none of the processes yet."""
        self.configure(defined)
        self._remove_stale()
        log = self._layout.logs / f"{NAME}.log"
        with log.open("ab") as output:
            daemon = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(self._conf)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._layout.home,
                env=os.environ | {MARKER: marker(self._layout.home, NAME)},
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S
        while not self.is_running():
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise StackError(
                    "the process supervisor does not start",
                    where=str(log),
                    remedy="Read the log, then try again.",
                )
            time.sleep(0.05)

    def configure(self, defined: Iterable[Process]) -> None:
        """Write the configuration."""
        write_private(self._conf, configuration(self._layout, defined))

    def reload(self, defined: Iterable[Process]) -> None:
        """Make a running supervisord know processes that were added since it started."""
        self.configure(defined)
        added, changed, removed = self._call("reloadConfig")[0]
        for name in removed + changed:
            with suppress(Fault):
                self.stop_process(name)
            self._call("removeProcessGroup", name)
        for name in added + changed:
            self._call("addProcessGroup", name)

    def states(self) -> dict[str, ProcessState]:
        """The processes it knows, by name."""
        found = {}
        for info in self._call("getAllProcessInfo"):
            up = info["now"] - info["start"] if info["pid"] else 0
            remark = info["description"] if not info["pid"] else info["spawnerr"]
            state = ProcessState(info["name"], info["statename"], info["pid"], up, remark)
            found[state.name] = state
        return found

    def start_process(self, name: str) -> None:
        """Ask for one process to be started; does not wait. A running one is left alone."""
        try:
            self._call("startProcess", name, False)
        except Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise StackError(
                    f"{name} cannot be started: {fault.faultString}",
                    where=str(self._layout.logs / f"{name}.log"),
                    remedy="Read the log; `tenpo doctor` names the usual causes.",
                ) from fault

    def stop_process(self, name: str) -> None:
        """Stop one process and wait until it has ended."""
        try:
            self._call("stopProcess", name, True)
        except Fault as fault:
            if "NOT_RUNNING" not in fault.faultString:
                raise

    def shut_down(self) -> None:
        """Stop supervisord, which stops what still runs."""
        pid = self.pid()
        with suppress(StackError):
            self._call("shutdown")
        if pid:
            wait_gone([pid], STOP_S + 5.0)

    def pid(self) -> int | None:
        """Its pid, when it answers."""
        try:
            return int(self._call("getPID"))
        except StackError:
            return None

    def _remove_stale(self) -> None:
        for path in (self._layout.supervisor_socket, self._layout.supervisor_pidfile):
            path.unlink(missing_ok=True)

    def _call(self, method: str, *arguments: Any) -> Any:
        socket = self._layout.supervisor_socket
        transport = SupervisorTransport(None, None, f"unix://{socket}")
        proxy = ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except Fault:
            raise
        except Exception as error:  # the transport raises whatever http.client does
            raise StackError(
                "the local stack is not running",
                where=str(socket),
                remedy="Start it with: tenpo up",
            ) from error
        finally:
            transport.close()


def configuration(layout: Layout, defined: Iterable[Process]) -> str:
    """The text of supervisord's configuration file (http://supervisord.org/configuration.html)."""
    sections = [
        "[supervisord]",
        "nodaemon=true",
        *(["user=root"] if os.geteuid() == 0 else []),
        f"logfile={_quoted(layout.logs / 'supervisord-events.log')}",
        f"logfile_maxbytes={LOG_BYTES}",
        "logfile_backups=1",
        f"pidfile={_quoted(layout.supervisor_pidfile)}",
        f"childlogdir={_quoted(layout.logs)}",
        "[unix_http_server]",
        f"file={_quoted(layout.supervisor_socket)}",
        "chmod=0600",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for process in defined:
        sections += _program(layout, process)
    return "\n".join(sections) + "\n"


def _program(layout: Layout, process: Process) -> list[str]:
    launcher = (
        f'"{sys.executable}" -m tenpo.stack.child'
        f' --launch "{layout.launch / process.name}.json"'
        f' --parent-pidfile "{layout.supervisor_pidfile}"'
    )
    return [
        f"[program:{process.name}]",
        f"command={_quoted(launcher)}",
        f"directory={_quoted(layout.home)}",
        "autostart=false",
        "autorestart=true",
        "startsecs=1",
        "startretries=5",
        f"stopsignal={process.stop_signal}",
        f"stopwaitsecs={STOP_S}",
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={_quoted(layout.logs / process.name)}.log",
        f"stdout_logfile_maxbytes={LOG_BYTES}",
        "stdout_logfile_backups=2",
    ]


def _quoted(text: str | Path) -> str:
    """Values escaped for supervisord, which expands %-expressions in them."""
    return str(text).replace("%", "%%")
