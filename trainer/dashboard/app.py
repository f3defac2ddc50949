"""The page's server: what it answers to which request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from shared.errors import InklingError
from shared.weights import TrainedNetwork
from trainer.broker_settings import BrokerSettings
from trainer.dashboard.aim import Aim
from trainer.dashboard.devices import Devices
from trainer.dashboard.errors import BadRequestError
from trainer.dashboard.guard import Guard
from trainer.dashboard.listener import Listener
from trainer.dashboard.live import Live
from trainer.dashboard.reader import LARGEST_DRAWING, Reader, draw_example

PAGE = Path(__file__).parent / "page"

# No request of the page is larger.
LARGEST_BODY = LARGEST_DRAWING**2


def make_app(
    settings: BrokerSettings, trained: TrainedNetwork, *, hosts: frozenset[str], token: str | None
) -> Starlette:
    """Make the server of the page.

    Parameters
    ----------
    settings : where the broker is
    trained : the network that reads drawings
    hosts, token : whom it answers, see `Guard`
    """
    devices = Devices()
    live = Live(devices, settings.where)
    aim = Aim(settings)
    reader = Reader(trained)
    live.tell("network", reader.describe())

    @asynccontextmanager
    async def listen(_app: Starlette) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        listener = Listener(settings, lambda words, problem: _call_soon(loop, live.note, words, problem))
        listener.start()
        yield
        await asyncio.to_thread(listener.stop)

    async def show_page(_request: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    async def attend(socket: WebSocket) -> None:
        await live.attend(socket, aim.attend)

    async def read_drawing(request: Request) -> Response:
        return JSONResponse(reader.read_drawing(await read_body(request)))

    async def read_image(request: Request) -> Response:
        return JSONResponse(reader.read_image(await read_body(request)))

    async def show_example(request: Request) -> Response:
        seed = request.query_params.get("seed", "0")
        if not (seed.isascii() and seed.isdigit() and len(seed) < 10):
            raise BadRequestError("seed must be a number")
        return JSONResponse({"image": draw_example(request.path_params["digit"] % 10, int(seed))})

    def show_inside(_request: Request) -> Response:
        return JSONResponse(reader.inside)

    routes: list[BaseRoute] = [
        Route("/", show_page),
        WebSocketRoute("/live", attend),
        Route("/read/drawing", answer(read_drawing), methods=["POST"]),
        Route("/read/image", answer(read_image), methods=["POST"]),
        Route("/example/{digit:int}", answer(show_example)),
        Route("/inside", show_inside),
        Mount("/page", StaticFiles(directory=PAGE)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, hosts=hosts, token=token)], lifespan=listen)


def answer(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Let what goes wrong be told to the page, in a sentence."""

    async def respond(request: Request) -> Response:
        try:
            return await endpoint(request)
        except InklingError as error:
            return JSONResponse({"error": str(error)}, 400 if isinstance(error, BadRequestError) else 409)

    return respond


async def read_body(request: Request, largest: int = LARGEST_BODY) -> bytes:
    """Read what a request brings.

    Raises
    ------
    BadRequestError : if it is too much
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise BadRequestError(f"more than {largest} bytes")
    return bytes(body)


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[..., Any], *arguments: Any) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call, *arguments)
