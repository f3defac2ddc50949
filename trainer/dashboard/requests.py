"""Requests: what a page sends, read with care, and what goes wrong told to it in a sentence."""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from shared.errors import InklingError
from trainer.dashboard.errors import BadRequestError

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

# No request of the page is larger, but for drawings.
LARGEST_BODY = 64 * 1024


def answer(endpoint: Callable[[Request], Awaitable[Any]]) -> Endpoint:
    """Make an endpoint of what gives a JSON value, or raises what went wrong."""

    @functools.wraps(endpoint)
    async def respond(request: Request) -> Response:
        try:
            return JSONResponse(await endpoint(request))
        except (InklingError, OSError) as error:
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


async def read_object(request: Request) -> dict[str, Any]:
    """Read the JSON object that a request brings.

    Raises
    ------
    BadRequestError : if it is none
    """
    try:
        content = json.loads(await read_body(request))
    except (ValueError, RecursionError) as error:
        raise BadRequestError("not JSON") from error
    if not isinstance(content, dict):
        raise BadRequestError("not a JSON object")
    return content


def read_number(content: dict[str, Any], key: str) -> int:
    """Read a whole number, 0 or more.

    Raises
    ------
    BadRequestError : if it is none
    """
    value = content.get(key)
    if type(value) is not int or not 0 <= value < 2**53:
        raise BadRequestError(f"{key} must be a whole number")
    return value


def read_names(content: dict[str, Any], key: str) -> list[str]:
    """Read a list of text.

    Raises
    ------
    BadRequestError : if it is none
    """
    value = content.get(key)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadRequestError(f"{key} must be a list of names")
    return value
