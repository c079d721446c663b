"""What all that answers over HTTP shares."""

from typing import Any

from aiohttp import web
import orjson


def came_from_elsewhere(request: web.Request) -> bool:
    """Whether a page of somebody else's sent a request."""
    origin = request.headers.get("Origin")
    return origin is not None and origin != f"{request.scheme}://{request.host}"


def json_answer(
    body: Any, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """Return an answer of JSON."""
    return web.Response(
        status=status,
        body=orjson.dumps(body),
        content_type="application/json",
        headers=headers,
    )
