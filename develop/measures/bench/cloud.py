"""The sandbox in a process of its own, and how its devices change."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from develop.bare_core import HOST, free_port
from develop.children import Child

_PATIENCE: Final = 60
_AT_A_TIME: Final = 8

type Json = dict[str, Any]


class CloudError(Exception):
    """What kept the sandbox from serving."""


def _battery(turn: int, number: int) -> Json:
    return {
        "status": ("charging", "discharging")[turn % 2],
        "level": 20 + (number + 3 * turn) % 70 + 0.5,
        "capacity": 10 + turn % 9 / 10,
        "chargeRate": (1 - turn % 2 * 2) * (1 + (number + turn) % 30 / 10),
        "dischargeLimit": 10 + turn % 9,
        "currentMode": ("charge", "discharge")[turn % 2],
    }


def _ev_charger(turn: int, number: int) -> Json:
    on = turn % 2 == 0
    return {
        "status": "charging" if on else "available",
        "isConnected": on,
        "isCharging": on,
        "currentPower": 3 + (number + turn) % 40 / 10 if on else 0,
        "maxCurrent": 6 + turn % 9,
        "powerRateLimit": 5 + turn % 9 / 2,
    }


def _hvac(turn: int, number: int) -> Json:
    on = turn % 2 == 0
    return {
        "temperature": 18 + (number + turn) % 40 / 10,
        "active": on,
        "heatSetpoint": 19 + turn % 4 / 2,
        "coolSetpoint": 24 + turn % 4 / 2,
        "holdType": "permanent" if on else "follow_schedule",
        "mode": "auto" if on else "heat",
    }


def _solar_inverter(turn: int, number: int) -> Json:
    on = turn % 2 == 0
    return {
        "status": "producing" if on else "idle",
        "currentPower": 1 + (number + turn) % 40 / 10 if on else 0,
        "producing": on,
        "energyTotal": 1000 + number + turn / 4,
    }


def _vehicle(turn: int, number: int) -> Json:
    on = turn % 2 == 0
    return {
        "batteryLevel": 20 + (number + 3 * turn) % 70,
        "range": 80 + (number + 3 * turn) % 150,
        "plugged": on,
        "charging": on,
        "fullyCharged": not on,
        "batteryCapacity": 70 + turn % 9 / 10,
        "chargeLimit": 80 + turn % 9,
        "chargeRate": 3 + (number + turn) % 40 / 10 if on else 0,
        "chargeTimeRemaining": 30 + turn % 90,
        "maxCurrent": 6 + turn % 9,
    }


_STATES: Final[dict[str, Callable[[int, int], Json]]] = {
    "battery": _battery,
    "ev_charger": _ev_charger,
    "hvac": _hvac,
    "solar_inverter": _solar_inverter,
    "vehicle": _vehicle,
}


class Cloud:
    """A sandbox that runs, by its control routes."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        """Know where it is."""
        self.url = url
        self._session = session
        self._devices: list[Json] = []
        # How often each device changed: every time, everything is another.
        self._turns: list[int] = []

    async def _control(self, method: str, path: str, body: Json | None = None) -> Any:
        async with self._session.request(
            method, f"{self.url}/_sandbox{path}", json=body
        ) as response:
            answer = await response.json()
            if response.status >= 400:
                raise CloudError(f"{method} {path}: {answer}")
            return answer

    async def load(self) -> None:
        """Learn which devices there are."""
        self._devices = (await self._control("GET", "/devices"))["items"]
        self._turns = [0] * len(self._devices)

    async def requests(self) -> int:
        """Return how many requests the API had so far."""
        overview = await self._control("GET", "")
        total: int = overview["requests"]
        return total

    async def _patch(self, changes: list[tuple[str, Json]]) -> None:
        """Change devices, some at a time."""
        slots = asyncio.Semaphore(_AT_A_TIME)

        async def _one(device_id: str, body: Json) -> None:
            async with slots:
                await self._control("PATCH", f"/devices/{device_id}", body)

        await asyncio.gather(*(_one(*change) for change in changes))

    def _next_state(self, number: int) -> Json:
        self._turns[number] += 1
        kind = self._devices[number]["deviceType"]
        return _STATES[kind](self._turns[number], number)

    async def change(self, kind: str) -> None:
        """Let happen, before a poll, what it is to find."""
        if kind == "unchanged":
            return
        numbers = list(range(len(self._devices)))
        if kind == "one":
            # A battery, which has the most entities.
            numbers = [
                number
                for number in numbers
                if self._devices[number]["deviceType"] == "battery"
            ][:1]
        await self._patch(
            [
                (
                    self._devices[number]["id"],
                    # The state is held by hand: a capture moves nothing else.
                    {"capture": True}
                    if kind == "moved"
                    else {"capture": True, "state": self._next_state(number)},
                )
                for number in numbers
            ]
        )

    async def settings_in_lists(self, *, told: bool) -> None:
        """Have the lists tell settings, so that set-up needs no single read."""
        await self._patch(
            [
                (
                    device["id"],
                    {"body": {"settings": device["settings"]} if told else {}},
                )
                for device in self._devices
                if device["settings"]
            ]
        )


@asynccontextmanager
async def cloud_of(devices: int, folder: Path) -> AsyncGenerator[Cloud]:
    """Run a sandbox with so many devices, of all five types in turn."""
    port = free_port()
    child = await Child.start(
        "sandbox",
        [
            *("-m", "sandbox", "--home", "big", "--no-log"),
            *("--devices", str(devices), "--port", str(port)),
        ],
        folder / "sandbox.log",
    )
    try:
        async with aiohttp.ClientSession() as session:
            cloud = Cloud(f"http://{HOST}:{port}", session)
            await _wait(cloud, child)
            yield cloud
    finally:
        await child.stop(5)


async def _wait(cloud: Cloud, child: Child) -> None:
    """Wait until the sandbox answers."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            if not child.running:
                raise CloudError("\n".join(child.last_lines()))
            try:
                await cloud.load()
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
            else:
                return
