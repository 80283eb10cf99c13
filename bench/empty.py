"""The yardstick of the intake: an endpoint that does nothing, as one writes it with FastAPI.

Served with the same server and event loop as the gateway, in a process of its own, and sent
the same requests, body and all; it answers with a constant.
"""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI


def create_app() -> FastAPI:
    """The application."""
    app = FastAPI()

    @app.post("/empty")
    async def empty() -> dict[str, int]:
        return {"accepted": 1}

    return app


if __name__ == "__main__":
    uvicorn.run(
        create_app(), host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False
    )
