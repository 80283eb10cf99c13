"""Clips as jobs: a camera first, then its clip, then a state that can be asked for.

Jobs lie in memory, and a clip until it has been looked at; nothing is written. After a restart
they are unknown and are sent again: the same clip gives the same events. A tenant has so many at
once; who is through is forgotten after an hour.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from tenpo.errors import InputError, RateLimited, TenpoError, UnknownReference
from tenpo.telemetry import get_logger
from video_analyzer.analysis import Analysis, in_order
from video_analyzer.camera import Camera
from video_analyzer.detect.detection import Detector
from video_analyzer.events import VisitEvent, as_json
from video_analyzer.offline import order_of
from video_analyzer.source.frames import FrameSource
from video_analyzer.source.wire import Outcome

log = get_logger(__name__)

State = Literal["waiting", "queued", "running", "done", "failed"]
MAX_OF_TENANT = 16
MAX_CLIP_BYTES = 64 * 1024**2
#: Of clips that wait, all tenants together.
MAX_QUEUED_BYTES = 512 * 1024**2
_LONGEST_S = 600.0
_KEPT_S = 3600.0


@dataclass
class Job:
    """One clip of one camera.

    Args:
        job_id: its name.
        camera: what took it.
        start_us: when the clip begins, microseconds since 1970.
        state: how far it is; `waiting` is for the clip.
        reason: why it failed, or what was wrong with the clip.
        events: what was found; None until it is done.
    """

    job_id: str
    camera: Camera
    start_us: int
    state: State = "waiting"
    reason: str = ""
    events: list[dict[str, Any]] | None = None
    clip: bytes = field(default=b"", repr=False)
    touched_s: float = field(default_factory=time.monotonic)


class Jobs:
    """The jobs of all tenants; one clip is looked at at a time.

    Args:
        make: the detector that a camera names.
    """

    def __init__(self, make: Callable[[str], Detector]) -> None:
        self._make = make
        self._jobs: dict[tuple[str, str], Job] = {}
        self._queued: list[Job] = []  # those whose clips lie in memory, forgotten ones too
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="clip")

    def add(self, camera: Camera, start_us: int) -> Job:
        """A new job that waits for its clip.

        Raises:
            RateLimited: the tenant has too many.
        """
        with self._lock:
            self._forget()
            tenants = [one for tenant, one in self._jobs if tenant == camera.tenant_id]
            if len(tenants) >= MAX_OF_TENANT:
                raise RateLimited(
                    f"the tenant has {MAX_OF_TENANT} jobs", where="jobs",
                    remedy="Read the results of those that are done and delete them.",
                )  # fmt: skip
            job = Job(secrets.token_hex(8), camera, start_us)
            self._jobs[camera.tenant_id, job.job_id] = job
        return job

    def get(self, tenant_id: str, job_id: str) -> Job:
        """A job of a tenant.

        Raises:
            UnknownReference: it has none of this name.
        """
        found = self._jobs.get((tenant_id, job_id))
        if found is None:
            raise UnknownReference(
                "there is no such job", where="job", remedy="Send it again: the service forgot it."
            )
        return found

    def put(self, job: Job, clip: bytes) -> None:
        """Give a job its clip; it is queued.

        Raises:
            InputError: it has one, or this is none.
            RateLimited: too much waits already.
        """
        with self._lock:
            if job.state != "waiting" or not clip:
                raise InputError(
                    "the job has its clip already, or the clip is empty",
                    where="clip",
                    remedy="Make another job for another clip.",
                )
            if sum(len(one.clip) for one in self._queued) + len(clip) > MAX_QUEUED_BYTES:
                raise RateLimited("too many clips wait", where="clip", remedy="Send it later.")
            job.clip, job.state = clip, "queued"
            self._queued.append(job)
        self._thread.submit(self._work, job)

    def delete(self, tenant_id: str, job_id: str) -> None:
        """Forget a job; one that runs is finished and forgotten."""
        with self._lock:
            self._jobs.pop((tenant_id, self.get(tenant_id, job_id).job_id))

    def _forget(self) -> None:
        oldest = time.monotonic() - _KEPT_S
        for key, job in list(self._jobs.items()):
            if job.state != "running" and job.touched_s < oldest:
                del self._jobs[key]

    def _work(self, job: Job) -> None:
        job.state = "running"
        try:
            events, outcome = _looked(job, self._make(job.camera.detector))
        except TenpoError as error:
            job.state, job.reason = "failed", error.what
        except Exception as error:  # of any model: the next job is another one
            log.error("job_failed", job=job.job_id, reason=type(error).__name__)
            job.state, job.reason = "failed", "the model failed"
        else:
            job.events, job.reason = orjson.loads(as_json(events, job.camera)), outcome.reason
            job.state = "done" if outcome.shown_count else "failed"
        finally:
            with self._lock:
                self._queued.remove(job)
                job.clip, job.touched_s = b"", time.monotonic()

    def close(self) -> None:
        """Finish the clip under way."""
        self._thread.shutdown(cancel_futures=True)


def _looked(job: Job, detector: Detector) -> tuple[list[VisitEvent], Outcome]:
    analysis = Analysis(job.camera, detector)
    order = order_of("", job.camera, detector, job.start_us)
    order = order.model_copy(update={"max_duration_s": _LONGEST_S})
    with FrameSource(order, content=job.clip) as source:
        events = analysis.look_all(source)
    outcome = source.outcome or Outcome(state="died", reason="it was not read")
    return in_order(events + analysis.finish()), outcome
