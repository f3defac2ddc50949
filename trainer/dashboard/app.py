"""The page's server: what it answers to which request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from shared.errors import InklingError
from shared.weights import TrainedNetwork
from trainer.broker_settings import BrokerSettings
from trainer.dashboard.aim import Aim
from trainer.dashboard.courier import ACTS, Courier
from trainer.dashboard.devices import Devices
from trainer.dashboard.errors import BadRequestError
from trainer.dashboard.guard import Guard
from trainer.dashboard.keeper import Keeper
from trainer.dashboard.listener import Listener
from trainer.dashboard.live import Live
from trainer.dashboard.reader import LARGEST_DRAWING, Reader, draw_example
from trainer.dashboard.requests import answer, read_body, read_names, read_number, read_object
from trainer.dashboard.shelf import Shelf, read_label
from trainer.dashboard.workshop import Workshop
from trainer.words import Nonsense, Word

T = TypeVar("T")

PAGE = Path(__file__).parent / "page"


@dataclass(frozen=True)
class Settings:
    """What the page is served with.

    Attributes
    ----------
    broker : where the broker is
    trained : the network that reads drawings
    library : where own digits are kept
    collect : whether to put into it what is heard
    weights : the file of `trained`; None for the weights that ship with Inkling
    data_directory : where MNIST is, if not where it usually is
    signing_key : the file of the key that deliveries are signed with, if not where it usually is
    """

    broker: BrokerSettings
    trained: TrainedNetwork
    library: Path
    collect: bool = True
    weights: Path | None = None
    data_directory: Path | None = None
    signing_key: Path | None = None


def make_app(settings: Settings, *, hosts: frozenset[str], token: str | None) -> Starlette:
    """Make the server of the page; `hosts` and `token` say whom it answers, see `Guard`."""
    server = Server(settings)
    return Starlette(
        routes=server.routes,
        middleware=[Middleware(Guard, hosts=hosts, token=token)],
        lifespan=lambda _app: server.work(),
    )


class Server:
    """All that the page can ask, and what goes on while it is served."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._devices = Devices()
        self._live = Live(self._devices, settings.broker.where)
        self._aim = Aim(settings.broker)
        self._reader = Reader(settings.trained)
        self._shelf = Shelf(settings.library, lambda fact: self._tell("library", fact))
        self._workshop = Workshop(
            settings.library,
            settings.data_directory,
            settings.weights,
            lambda fact: self._live.tell("retraining", fact),
        )
        self._courier = Courier(
            settings.broker, settings.signing_key, lambda fact: self._tell("delivery", fact)
        )
        # A library is open in one thread.
        self._desk = ThreadPoolExecutor(1, "library")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._live.tell("network", self._reader.describe())

    @property
    def routes(self) -> list[BaseRoute]:
        """What it answers to."""
        return [
            Route("/", self._show_page),
            WebSocketRoute("/live", self._attend),
            Route("/read/drawing", answer(self._read_drawing), methods=["POST"]),
            Route("/read/image", answer(self._read_image), methods=["POST"]),
            Route("/example/{digit:int}", answer(self._draw_example)),
            Route("/inside", answer(self._look_inside)),
            Route("/digits", answer(self._show_digits)),
            Route("/label", answer(self._label), methods=["POST"]),
            Route("/correct", answer(self._correct), methods=["POST"]),
            Route("/undo", answer(self._undo), methods=["POST"]),
            Route("/weights", answer(self._list_weights)),
            Route("/network", answer(self._change_network), methods=["POST"]),
            Route("/retrain", answer(self._retrain), methods=["POST"]),
            Route("/stop", answer(self._stop), methods=["POST"]),
            Route("/deliver", answer(self._deliver), methods=["POST"]),
            Mount("/page", StaticFiles(directory=PAGE)),
        ]

    @asynccontextmanager
    async def work(self) -> AsyncIterator[None]:
        """Listen, and keep what is heard, within the block."""
        self._loop = asyncio.get_running_loop()
        keeper = Keeper(
            lambda words: self._desk.submit(self._shelf.keep, words).result(),
            lambda problem: self._tell("keeping", problem),
        )

        def note(words: Sequence[Word | Nonsense], problem: str | None) -> None:
            self._call(self._live.note, words, problem)
            if self._settings.collect:
                keeper.take(words)

        listener = Listener(self._settings.broker, note)
        problem = None
        try:
            self._live.tell("library", await self._ask_library(self._shelf.count))
        except (InklingError, OSError) as error:
            problem = str(error)
            self._live.tell("keeping", problem)
        keeper.start(problem)
        listener.start()
        yield
        await self._workshop.close()
        await asyncio.to_thread(listener.stop)
        await asyncio.to_thread(keeper.stop)
        await self._ask_library(self._shelf.close)
        self._desk.shutdown()

    def _call(self, call: Callable[..., object], *arguments: Any) -> None:
        """Have something done in the server's thread; in any thread."""
        assert self._loop is not None
        with suppress(RuntimeError):  # the server has ended
            self._loop.call_soon_threadsafe(call, *arguments)

    def _tell(self, name: str, fact: Any) -> None:
        """Tell all pages something; in any thread."""
        self._call(self._live.tell, name, fact)

    async def _ask_library(self, ask: Callable[..., T], *arguments: Any) -> T:
        """Have something done with the library, in its thread."""
        assert self._loop is not None
        return await self._loop.run_in_executor(self._desk, ask, *arguments)

    async def _show_page(self, _request: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    async def _attend(self, socket: WebSocket) -> None:
        await self._live.attend(socket, self._aim.attend)

    async def _read_drawing(self, request: Request) -> dict[str, Any]:
        return self._reader.read_drawing(await read_body(request, LARGEST_DRAWING**2))

    async def _read_image(self, request: Request) -> dict[str, Any]:
        return self._reader.read_image(await read_body(request))

    async def _draw_example(self, request: Request) -> dict[str, Any]:
        seed = request.query_params.get("seed", "0")
        if not (seed.isascii() and seed.isdigit() and len(seed) < 10):
            raise BadRequestError("seed must be a number")
        return {"image": draw_example(request.path_params["digit"] % 10, int(seed))}

    async def _look_inside(self, _request: Request) -> dict[str, Any]:
        return await asyncio.to_thread(lambda: self._reader.inside)

    async def _show_digits(self, request: Request) -> dict[str, Any]:
        return await self._ask_library(self._shelf.show, dict(request.query_params))

    async def _label(self, request: Request) -> dict[str, Any]:
        content = await read_object(request)
        number, label = read_number(content, "number"), read_label(content.get("label"))
        return await self._ask_library(self._shelf.label, number, label)

    async def _correct(self, request: Request) -> dict[str, Any]:
        content = await read_object(request)
        device, label = str(content.get("device")), read_label(content.get("label"))
        seen = self._devices.find_seen(device, read_number(content, "seen"))
        if seen is None:
            raise BadRequestError("that was too long ago: find it in the library")
        return await self._ask_library(self._shelf.correct, device, seen, label)

    async def _undo(self, request: Request) -> dict[str, Any]:
        content = await read_object(request)
        return await self._ask_library(self._shelf.undo, read_number(content, "change"))

    async def _list_weights(self, _request: Request) -> dict[str, Any]:
        offers = await asyncio.to_thread(self._workshop.list_offers)
        return {"weights": [offer.describe() for offer in offers]}

    async def _change_network(self, request: Request) -> dict[str, Any]:
        """Let other weights read drawings."""
        content = await read_object(request)
        offer = await asyncio.to_thread(self._workshop.find_offer, content.get("weights"))
        self._reader = Reader(offer.trained)
        self._live.tell("network", self._reader.describe())
        return self._reader.describe()

    async def _retrain(self, request: Request) -> dict[str, Any]:
        content = await read_object(request)
        offer = await asyncio.to_thread(self._workshop.find_offer, content.get("weights"))
        await self._workshop.begin(
            offer.path,
            epochs=read_number(content, "epochs"),
            no_digits=read_number(content, "no_digits"),
            seed=read_number(content, "seed"),
            force=content.get("force") is True,
        )
        return {}

    async def _stop(self, _request: Request) -> dict[str, Any]:
        self._workshop.stop()
        return {}

    async def _deliver(self, request: Request) -> dict[str, Any]:
        content = await read_object(request)
        act = ACTS.get(str(content.get("act")))
        devices = read_names(content, "devices")
        if act is None:
            raise BadRequestError("no such order")
        if act == "run":
            offer = await asyncio.to_thread(self._workshop.find_offer, content.get("weights"))
            weights, name = await asyncio.to_thread(offer.path.read_bytes), offer.name
        else:
            weights, name = b"", ""
        self._courier.begin(act, devices, weights, name)
        return {}
