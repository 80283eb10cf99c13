"""The calls: a still, and jobs of clips; for the store's device, or a person of the tenant."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict

from tenpo.errors import AuthError, InputError
from tenpo.identifiers import micros
from video_analyzer.camera import Camera
from video_analyzer.feature_service.access import Caller
from video_analyzer.serving.jobs import Job, Jobs, State
from video_analyzer.serving.pool import Pool
from video_analyzer.serving.still import StillAnswer

router = APIRouter(prefix="/v1")


class JobBody(BaseModel):
    """A clip to come: the camera that took it, as its file says, and when it begins."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    camera: Camera
    start: AwareDatetime


class JobAnswer(BaseModel):
    """How far a job is."""

    job: str
    state: State
    reason: str = ""
    events: list[dict[str, Any]] | None = None

    @classmethod
    def of(cls, job: Job) -> JobAnswer:
        """The answer for one job."""
        return cls(job=job.job_id, state=job.state, reason=job.reason, events=job.events)


async def _caller(request: Request) -> Caller:
    found: Caller = request.state.caller  # by `bounds`, before the body was read
    return found


Anybody = Annotated[Caller, Depends(_caller)]


def _jobs(request: Request) -> Jobs:
    found: Jobs = request.app.state.jobs
    return found


Working = Annotated[Jobs, Depends(_jobs)]


@router.post("/still")
async def still(request: Request, caller: Anybody) -> StillAnswer:
    """The people in a picture: the body is a JPEG, PNG or WebP."""
    del caller
    pool: Pool = request.app.state.pool
    return await pool.look(await request.body())


@router.post("/jobs", status_code=202)
async def make_job(body: JobBody, caller: Anybody, jobs: Working) -> JobAnswer:
    """Announce a clip; send it with `PUT /v1/jobs/JOB/clip`."""
    camera = body.camera
    if camera.tenant_id != caller.tenant_id or caller.store_id not in (None, camera.store_id):
        raise AuthError(
            "the camera is another tenant's or store's",
            where="camera",
            remedy="Use a token of its own.",
            forbidden=True,
        )
    if camera.faces:
        raise InputError(
            "cameras with faces are not for this service",
            where="camera.faces",
            remedy="Use tenpo video analyze, run or bulk.",
        )
    return JobAnswer.of(jobs.add(camera, micros(body.start)))


@router.put("/jobs/{job_id}/clip", status_code=202)
async def put_clip(job_id: str, request: Request, caller: Anybody, jobs: Working) -> JobAnswer:
    """The clip of a job: the body is the video."""
    job = _own(jobs, caller, job_id)
    jobs.put(job, await request.body())
    return JobAnswer.of(job)


@router.get("/jobs/{job_id}")
async def read_job(job_id: str, caller: Anybody, jobs: Working) -> JobAnswer:
    """How far it is; its events once it is done."""
    return JobAnswer.of(_own(jobs, caller, job_id))


@router.delete("/jobs/{job_id}", status_code=204)
async def delete_job(job_id: str, caller: Anybody, jobs: Working) -> None:
    """Forget a job and what was found."""
    jobs.delete(caller.tenant_id, _own(jobs, caller, job_id).job_id)


def _own(jobs: Jobs, caller: Caller, job_id: str) -> Job:
    job = jobs.get(caller.tenant_id, job_id)
    if caller.store_id not in (None, job.camera.store_id):
        raise AuthError(
            "the job is another store's", where="job", remedy="Use its token.", forbidden=True
        )
    return job
