"""How an answer is sent, and how a fault on order spoils it."""

import asyncio
from email.utils import formatdate
from random import Random
from typing import Any, Final

from aiohttp import web
import orjson

from .clock import Clock, ticks
from .doors import json_answer
from .errors import ApiError
from .faults import Fault
from .journal import RequestRecord
from .values import Json, iso

ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


class Envelopes:
    """What is put around every answer of the API."""

    def __init__(self, clock: Clock, random: Random) -> None:
        """Begin to count requests."""
        self._clock = clock
        self._random = random
        self._count = 0

    def success(
        self, data: Any, environment: str, began: float, shift: float = 0.0
    ) -> Json:
        """Return the envelope of a success, by a clock that may be off."""
        meta = self._meta(began, shift, environment=environment)
        return {"success": True, "data": data, "meta": meta}

    def failure(
        self, error: ApiError, path: str, began: float, shift: float = 0.0
    ) -> Json:
        """Return the envelope of a failure, by a clock that may be off."""
        meta = self._meta(began, shift, path=path)
        return {"success": False, "error": error.body(), "meta": meta}

    def date(self, shift: float) -> dict[str, str]:
        """Return the header that says what time it is."""
        return {"Date": formatdate(self._clock.time() + shift, usegmt=True)}

    def _meta(self, began: float, shift: float, **more: str) -> Json:
        """Return the `meta` of an envelope."""
        self._count += 1
        token = "".join(self._random.choices(ALPHABET, k=8))
        return {
            "requestId": f"req_{token}{self._count}",
            **more,
            "timestamp": iso(self._clock.time() + shift),
            "latencyMs": int((ticks() - began) * 1000),
        }


async def by_order(
    request: web.Request,
    fault: Fault,
    record: RequestRecord,
    envelopes: Envelopes,
    began: float,
    shift: float,
    stopping: asyncio.Event,
) -> web.StreamResponse:
    """Answer as a fault has it."""
    if fault.kind == "hang":
        await stopping.wait()
    if fault.kind in ("drop", "hang"):
        return hang_up(request)
    status = fault.answer_status
    record.status = status
    headers = envelopes.date(shift) | fault_headers(fault)
    if fault.kind in ("empty", "redirect"):
        return web.Response(status=status, headers=headers)
    if fault.kind == "html":
        return web.Response(
            status=status,
            text="<html><body><h1>Bad gateway</h1></body></html>",
            content_type="text/html",
            headers=headers,
        )
    if fault.kind == "json":
        return json_answer(fault.body, status, headers)
    record.code = fault.code or "INTERNAL_ERROR"
    error = ApiError(record.code, fault.text, fault.details)
    body = envelopes.failure(error, record.path, began, shift)
    return json_answer(body, status, headers)


async def send(
    request: web.Request,
    status: int,
    body: Any,
    fault: Fault | None,
    headers: dict[str, str] | None,
) -> web.StreamResponse:
    """Send an answer, cut where a fault has it so."""
    if fault is None or fault.kind not in ("cut", "cut_transfer"):
        return json_answer(body, status, headers)
    whole = orjson.dumps(body)
    half = whole[: len(whole) // 2]
    if fault.kind == "cut":
        return web.Response(status=status, body=half, content_type="application/json")
    response = web.StreamResponse(status=status, headers=headers)
    response.content_type = "application/json"
    response.content_length = len(whole)
    await response.prepare(request)
    await response.write(half)
    if request.transport is not None:
        request.transport.close()
    return response


def hang_up(request: web.Request) -> web.Response:
    """Close the connection; the answer goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def fault_headers(fault: Fault) -> dict[str, str]:
    """Return the headers that a fault has in its answer."""
    headers = {}
    if fault.retry_after is not None:
        headers["Retry-After"] = f"{fault.retry_after:g}"
    if fault.location is not None or fault.kind == "redirect":
        headers["Location"] = fault.location or "/elsewhere"
    return headers
