"""Home Assistant as a person meets it: logging in, adding the integration."""

import asyncio
from collections.abc import Mapping
import contextlib
from http import HTTPStatus
from typing import Any, Final, Self

import aiohttp

_FLOWS: Final = "/api/config/config_entries/flow"
_ENTRIES: Final = "/api/config/config_entries/entry"


class DoorError(Exception):
    """Home Assistant did not do what it was asked for."""


class FrontDoor:
    """A short visit to Home Assistant's own HTTP interface."""

    def __init__(self, url: str) -> None:
        """Prepare a visit."""
        self.url = url
        self._session = aiohttp.ClientSession(
            base_url=url, timeout=aiohttp.ClientTimeout(total=60)
        )
        self._refresh_token = ""

    async def __aenter__(self) -> Self:
        """Begin the visit."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the visit, and leave no log-in behind."""
        if self._refresh_token:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                await self._session.post(
                    "/auth/revoke", data={"token": self._refresh_token}
                )
        await self._session.close()

    async def answers(self) -> bool:
        """Tell whether Home Assistant has begun to answer."""
        try:
            async with self._session.get("/manifest.json") as response:
                return response.status == HTTPStatus.OK
        except aiohttp.ClientError, TimeoutError:
            return False

    async def log_in(self) -> None:
        """Log in, as the front end does: nothing is asked."""
        client = {"client_id": f"{self.url}/"}
        flow = await self._json(
            "/auth/login_flow",
            {
                **client,
                "handler": ["trusted_networks", None],
                "redirect_uri": f"{self.url}/",
            },
        )
        if flow.get("type") != "create_entry":
            raise DoorError("Home Assistant asks for a log-in")
        async with self._session.post(
            "/auth/token",
            data={
                **client,
                "grant_type": "authorization_code",
                "code": flow["result"],
            },
        ) as response:
            tokens = await response.json()
        self._refresh_token = tokens["refresh_token"]
        self._session.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    async def state(self) -> str:
        """Return how far Home Assistant has come: `RUNNING` at the end."""
        state: str = (await self._json("/api/config"))["state"]
        return state

    async def entry(self, domain: str) -> dict[str, Any] | None:
        """Return the first entry of an integration."""
        entries = await self._json(f"{_ENTRIES}?domain={domain}")
        return entries[0] if entries else None

    async def entry_loaded(self, domain: str, patience: float) -> bool:
        """Wait until the entry of an integration is set up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while (entry := await self.entry(domain)) is not None:
                    if entry["state"] == "loaded":
                        return True
                    await asyncio.sleep(0.2)
        return False

    async def add(self, domain: str, answer: Mapping[str, str]) -> None:
        """Add an integration through its own dialog."""
        step = await self._json(_FLOWS, {"handler": domain})
        answers: dict[str, dict[str, str]] = {
            "user": dict(answer),
            # A home without devices, and one with very many, ask once more.
            "no_devices": {"next_step_id": "go_on"},
            "large_account": {},
        }
        for _ in range(3):
            if step["type"] == "create_entry":
                return
            given = answers.get(step.get("step_id", ""))
            if given is None or step.get("errors"):
                break
            step = await self._json(f"{_FLOWS}/{step['flow_id']}", given)
        if step["type"] != "create_entry":
            why = step.get("errors") or step.get("reason") or step.get("step_id")
            raise DoorError(f"The integration could not be added: {why}")

    async def call(self, domain: str, service: str, **data: Any) -> None:
        """Perform an action, and wait for its end."""
        await self._json(f"/api/services/{domain}/{service}", data)

    async def _json(self, path: str, body: Any = None) -> Any:
        """Ask for something, and return what came."""
        method = "GET" if body is None else "POST"
        async with self._session.request(method, path, json=body) as response:
            if response.status >= HTTPStatus.BAD_REQUEST:
                text = (await response.text())[:200]
                raise DoorError(f"{method} {path}: {response.status} {text}")
            return await response.json()
