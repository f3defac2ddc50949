"""`inkling-trainer dashboard`: a page in the browser that shows devices, the network and the library."""

from __future__ import annotations

import argparse
import os
import socket
from pathlib import Path

from trainer.commands.broker_options import add_broker, read_broker
from trainer.commands.library_options import add_library
from trainer.commands.options import Commands
from trainer.errors import BadSettingError
from trainer.reports import output

PORT = 7840
SHORTEST_TOKEN = 12
TOKEN_VARIABLE = "INKLING_DASHBOARD_TOKEN"

DESCRIPTION = """\
Serve a page that shows, live, what devices read and how they are, lets you draw a digit and look into the
network, label what was collected, retrain and deliver. Only this machine can open it; with --host others can,
with the link that is printed: the token in it lets them do all that you can do here. The link is not
encrypted on its way: use it in a network that you trust. Ctrl-C ends it."""


def add_parser(commands: Commands) -> None:
    """Add `dashboard` to the command line."""
    parser = commands.add_parser(
        "dashboard",
        help="a page in the browser: devices, drawing, inside the network, labelling, retraining",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port",
        type=int,
        default=PORT,
        help="where it is served (default: %(default)s; 0: any that is free)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="who may open it: 0.0.0.0 for the whole network (default: %(default)s, only this machine)",
    )
    parser.add_argument(
        "--token",
        default=os.environ.get(TOKEN_VARIABLE),
        help=f"let in only who has this (default: ${TOKEN_VARIABLE}; with --host one is made)",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="WEIGHTS",
        help="the network that reads drawings (default: the weights that ship with Inkling)",
    )
    parser.add_argument(
        "--no-collect",
        dest="collect",
        action="store_false",
        help="keep nothing of what is heard in the library but what is labelled (by default all is kept)",
    )
    parser.add_argument(
        "--signing-key",
        type=Path,
        metavar="FILE",
        help="the key that deliveries are signed with (default: where 'keygen' puts it)",
    )
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    add_library(parser)
    add_broker(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer dashboard`."""
    from shared.weights import load_weights
    from trainer.broker import Broker
    from trainer.library import find_library

    try:
        from trainer.dashboard.app import Settings, make_app
        from trainer.dashboard.guard import is_local, name_hosts
        from trainer.dashboard.serving import make_token, serve
    except ModuleNotFoundError as error:
        raise BadSettingError(
            f"the page needs {error.name}, which is not installed: pip install 'inkling-pi[trainer]'"
        ) from error

    token = options.token or (None if is_local(options.host) else make_token())
    if token is not None and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        raise BadSettingError(f"--token must have {SHORTEST_TOKEN} letters and digits or more")
    broker = read_broker(options)
    Broker(broker)  # what cannot be read is said now
    settings = Settings(
        broker,
        load_weights(options.weights),
        find_library(options.library, options.data_dir),
        collect=options.collect,
        weights=options.weights,
        data_directory=options.data_dir,
        signing_key=options.signing_key,
    )
    app = make_app(settings, hosts=name_hosts(options.host), token=token)
    with _listen(options.host, options.port) as listener:
        link = _write_link(listener, options.host, token)
        output.print(f"open {link}  (Ctrl-C ends)", soft_wrap=True, highlight=False)
        if options.open:
            import webbrowser

            webbrowser.open(link)
        serve(app, listener)
    return 0


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise BadSettingError(f"--port must be 0 to 65535, not {port}")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()  # who is quick with the link waits, and is not refused
    except OSError as error:
        raise BadSettingError(
            f"nothing can be served at {host}, port {port} ({error.strerror or error}): is another dashboard "
            "running? Choose another --port"
        ) from error
    return listener


def _write_link(listener: socket.socket, host: str, token: str | None) -> str:
    port = listener.getsockname()[1]
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host
    if ":" in name:
        name = f"[{name}]"
    return f"http://{name}:{port}/" + ("" if token is None else f"?token={token}")
