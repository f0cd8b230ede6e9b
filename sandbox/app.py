"""The web application: which address answers what."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.routing import Route

from sandbox import api, control, inspecting, listeners, pages
from sandbox.operations import OPERATIONS
from sandbox.program import Sandbox

log = logging.getLogger("sandbox")

ANY_METHOD = ["GET", "POST", "DELETE", "PUT", "PATCH"]


def build(sandbox: Sandbox) -> Starlette:
    calls = [
        Route(one.path, api.endpoint(sandbox, one), methods=[one.method])
        for one in OPERATIONS
    ]
    return Starlette(
        routes=[
            *calls,
            Route("/v1/{path:path}", api.preflight, methods=["OPTIONS"]),
            *pages.routes(sandbox),
            *inspecting.routes(sandbox),
            *control.routes(sandbox),
            listeners.route(sandbox.listeners, sandbox.deliveries.wake),
            Route("/{path:path}", api.unknown_path, methods=ANY_METHOD),
        ],
        lifespan=_lifespan(sandbox),
    )


def _lifespan(
    sandbox: Sandbox,
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        running = asyncio.create_task(sandbox.run())
        running.add_done_callback(_end_if_broken)
        yield
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    return lifespan


def _end_if_broken(running: asyncio.Task[None]) -> None:
    """A sandbox that no longer delivers must not look alive."""
    if not running.cancelled() and (error := running.exception()):
        log.critical("The sandbox broke", exc_info=error)
        os.kill(os.getpid(), signal.SIGTERM)
