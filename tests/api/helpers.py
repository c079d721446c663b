"""What the tests of the API client share: documented bodies, and a server that lies."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
from pathlib import Path
from typing import Any

from aiohttp import web

from custom_components.amps_ai.api import Device, DeviceType, State

type Json = dict[str, Any]
type Answer = Callable[[web.Request], web.StreamResponse]

FIXTURES = Path(__file__).parent.parent / "fixtures"


def documented(name: str) -> Any:
    """Return a documented body, whole."""
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def documented_data(name: str) -> Any:
    """Return what a documented body carries, enveloped or bare."""
    body = documented(name)
    return body["data"] if "success" in body else body


def listed(name: str, index: int = 0) -> Json:
    """Return a device of a documented list."""
    item: Json = documented_data(name)["items"][index]
    return item


def fields_of(kind: type[State]) -> dict[str, str]:
    """Return the fields of a state by the names the API has for them."""
    return dict(kind.names())


def read(device_type: DeviceType, raw: object, *, detailed: bool = True) -> Device:
    """Read a device as a single read gives it."""
    return Device.from_raw(device_type, raw, detailed=detailed)


def battery(**parts: Any) -> Device:
    """Return the documented battery, with some parts replaced."""
    return read(DeviceType.BATTERY, {**documented_data("battery-read"), **parts})


def charger(**parts: Any) -> Device:
    """Return the documented charger, with some parts replaced."""
    return read(DeviceType.EV_CHARGER, {**documented_data("ev-charger-read"), **parts})


def thermostat(**parts: Any) -> Device:
    """Return the documented thermostat, with some parts replaced."""
    return read(DeviceType.HVAC, {**listed("hvac-list"), **parts})


def older(device_type: DeviceType, **state: Any) -> Device:
    """Return a device of the older generation: no command map, no settings."""
    return read(device_type, {"id": "dev_older", "state": state})


def page(items: list[Any], *, total: int | None = None, more: bool = False) -> Json:
    """Return the reply of a list."""
    pagination: Json = {"limit": 50, "offset": 0, "hasMore": more}
    if total is not None:
        pagination["total"] = total
    return {"success": True, "data": {"items": items, "pagination": pagination}}


@dataclass
class Elsewhere:
    """A server of our own, which answers as a test wants."""

    url: str = ""
    requests: list[web.Request] = field(default_factory=list)


@asynccontextmanager
async def serve(answer: Answer) -> AsyncGenerator[Elsewhere]:
    """Run a server that gives every request the same treatment."""
    elsewhere = Elsewhere()

    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        elsewhere.requests.append(request)
        return answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        elsewhere.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield elsewhere
    finally:
        await runner.cleanup()
