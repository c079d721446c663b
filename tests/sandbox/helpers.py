"""A small client for the sandbox's own tests."""

from typing import Any

from aiohttp import ClientSession

from sandbox import TEST_KEY

START = "2026-06-01T10:00:00Z"
BATTERY = "/battery/device_battery_001"
CHARGER = "/ev-charger/device_ev_001"
HVAC = "/hvac/device_hvac_001"
SOLAR = "/solar-inverter/device_inverter_001"
VEHICLE = "/vehicle/device_vehicle_001"

type Json = dict[str, Any]


def quantity(value: float, unit: str) -> Json:
    """Return a value with its unit."""
    return {"value": value, "unit": unit}


class Api:
    """Ask the sandbox, and expect a status."""

    def __init__(self, session: ClientSession, url: str) -> None:
        """Ask the sandbox at an address."""
        self.session = session
        self.url = url

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        status: int = 200,
        key: str | None = TEST_KEY,
    ) -> Any:
        """Return the whole body of an answer."""
        headers = {} if key is None else {"x-api-key": key}
        async with self.session.request(
            method, self.url + path, json=body, headers=headers
        ) as response:
            answer = await response.json()
            assert response.status == status, answer
            return answer

    async def get(self, path: str, *, key: str = TEST_KEY) -> Any:
        """Return the data of a read or a list."""
        return (await self.ask("GET", path, key=key))["data"]

    async def items(self, path: str, *, key: str = TEST_KEY) -> Any:
        """Return the items of a list."""
        return (await self.get(path, key=key))["items"]

    async def state(self, path: str, *, key: str = TEST_KEY) -> Any:
        """Return the state of a single read."""
        return (await self.get(path, key=key))["state"]

    async def push(
        self,
        path: str,
        command: str,
        *,
        key: str = TEST_KEY,
        on_conflict: str | None = None,
        start: str | None = None,
        end: str | None = None,
        status: int = 202,
        **parameters: Json,
    ) -> Any:
        """Push a command; return the action, or the error."""
        action: Json = {"command": command}
        if parameters:
            action["parameters"] = parameters
        if start is not None:
            action["start"] = start
        if end is not None:
            action["end"] = end
        body: Json = {"action": action}
        if on_conflict is not None:
            body["onConflict"] = on_conflict
        answer = await self.ask("POST", path, body, status=status, key=key)
        return answer["data"] if status == 202 else answer["error"]

    async def error(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        status: int,
        code: str,
        key: str | None = TEST_KEY,
    ) -> Any:
        """Return the error of an answer that must be one."""
        answer = await self.ask(method, path, body, status=status, key=key)
        assert answer["success"] is False
        assert answer["error"]["code"] == code
        assert answer["meta"]["path"] == path.partition("?")[0]
        return answer["error"]
