"""A process with a real Home Assistant and one integration in it, on order.

It reads orders from its input, one a line, and answers each on its output.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
import cProfile
import gc
import io
import json
import logging
import os
from pathlib import Path
import pstats
import sys
from tempfile import TemporaryDirectory
import time
import tracemalloc
from types import MappingProxyType
from typing import Any, Final

from homeassistant import runner
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    registry as registries,
)
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
import orjson

from develop import ROOT, bare_core
from sandbox import TEST_KEY
from sandbox.kinds import KINDS

from .measure import Meter, swept

NOBODY: Final = "user_nobody"
_PAGE: Final = 50
_KEYS: Final = MappingProxyType({"amps_ai": "amps_ai", "floor": "amps_floor"})
# Estimated energies add at every capture.
_ESTIMATE: Final = ("energy_charged", "energy_discharged", "energy_delivered")
_PROFILE_LINES: Final = 45

type Json = dict[str, Any]


class SubjectError(Exception):
    """What kept the subject from being measured."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m develop.measures.bench.subject")
    parser.add_argument("subject", choices=sorted(_KEYS))
    parser.add_argument("url")
    parser.add_argument("plan", type=Path)
    parser.add_argument("--trace", action="store_true")
    return parser.parse_args()


async def _start(folder: Path) -> HomeAssistant:
    """Start a Home Assistant with no more than the integration needs."""
    components = folder / "custom_components"
    components.mkdir()
    # The integration itself is found in the project's own folder of that name.
    (components / "amps_floor").symlink_to(Path(__file__).parent / "floor")
    sys.path.insert(0, str(folder))
    return await bare_core.start(folder, "Bench", ("webhook", "repairs"))


class Subject:
    """One integration in a Home Assistant, and what can be ordered of it."""

    def __init__(
        self, hass: HomeAssistant, meter: Meter, arguments: argparse.Namespace
    ) -> None:
        """Take what is needed; nothing is set up yet."""
        self.hass = hass
        self.meter = meter
        self.domain = _KEYS[arguments.subject]
        self.url: str = arguments.url
        self.plan: Path = arguments.plan
        self.entry = self._entry(None)

        @callback
        def _changed(_event: Event[EventStateChangedData]) -> None:
            meter.state_changes += 1

        hass.bus.async_listen(EVENT_STATE_CHANGED, _changed)

    def _entry(self, user_id: str | None) -> ConfigEntry[Any]:
        """Return an entry as the flow makes it."""
        data: Json = {"api_key": TEST_KEY, "app_id": "app_demo"}
        if self.domain == "amps_floor":
            data |= {"url": self.url, "plan": str(self.plan), "user_id": user_id}
        elif user_id is not None:
            data["user_id"] = user_id
        return ConfigEntry(
            domain=self.domain,
            title="Bench",
            unique_id=f"sandbox:app_demo:{user_id or '*'}",
            data=data,
            options={},
            version=1,
            minor_version=1,
            source="user",
            discovery_keys=MappingProxyType({}),
            subentries_data=None,
        )

    @property
    def coordinators(self) -> list[DataUpdateCoordinator[Any]]:
        """Return the coordinators of the entry, one for each type."""
        return list(self.entry.runtime_data.coordinators.values())

    # What can be ordered

    async def warm_up(self) -> Json:
        """Import and translate everything, with an entry that has no device."""
        entry = self._entry(NOBODY)
        await self.hass.config_entries.async_add(entry)
        if entry.state is not ConfigEntryState.LOADED:
            raise SubjectError(f"{self.domain} does not load: {entry.reason}")
        await self.hass.config_entries.async_remove(entry.entry_id)
        await self.meter.work(self._nothing)
        return {}

    async def set_up(self, how: str) -> Json:
        """Set the entry up: for the first time, else as after a restart."""
        if self.entry.entry_id in {
            entry.entry_id for entry in self.hass.config_entries.async_entries()
        }:
            result = await self._measured(how, self._set_up_again)
        else:
            result = await self._measured(how, self._add)
        if self.entry.state is not ConfigEntryState.LOADED:
            raise SubjectError(f"{self.domain} does not load: {self.entry.reason}")
        return result

    async def unload(self, how: str) -> Json:
        """Unload the entry."""
        return await self._measured(how, self._unload)

    async def poll(self, how: str) -> Json:
        """Refresh all types, as the interval does."""
        result = await self._measured(how, self._poll)
        for coordinator in self.coordinators:
            if not coordinator.last_update_success:
                raise SubjectError(f"A poll failed: {coordinator.last_exception}")
        return result

    async def fetch(self, how: str) -> Json:
        """Ask for the lists and read their JSON: what nobody can do without."""
        return await self._measured(how, self._fetch)

    async def wait(self, seconds: float) -> Json:
        """Let time pass, with all that happens by itself."""
        return await self._measured("cpu", lambda: asyncio.sleep(seconds))

    async def memory(self) -> Json:
        """Return what is held."""
        for _ in range(3):
            gc.collect()
        return {
            "bytes": tracemalloc.get_traced_memory()[0],
            "blocks": sys.getallocatedblocks(),
        }

    async def entities(self) -> Json:
        """Return the enabled entities by device, and how many there are in all."""
        devices = dr.async_get(self.hass)
        plan: dict[str, list[str]] = {}
        count = 0
        for item in er.async_entries_for_config_entry(
            er.async_get(self.hass), self.entry.entry_id
        ):
            if item.disabled_by is not None:
                continue
            count += 1
            device = devices.async_get(item.device_id) if item.device_id else None
            for domain, device_id in device.identifiers if device else ():
                if domain == self.domain and item.unique_id.startswith(device_id):
                    key = item.unique_id.removeprefix(f"{device_id}_")
                    plan.setdefault(device_id, []).append(key)
        plan.pop(self.entry.entry_id, None)
        return {"count": count, "plan": plan}

    async def no_estimates(self) -> Json:
        """Switch the estimated energies off."""
        registry = er.async_get(self.hass)
        count = 0
        for item in er.async_entries_for_config_entry(registry, self.entry.entry_id):
            if item.unique_id.endswith(_ESTIMATE) and item.disabled_by is None:
                registry.async_update_entity(
                    item.entity_id, disabled_by=er.RegistryEntryDisabler.USER
                )
                count += 1
        await self.meter.work(self._nothing)
        return {"count": count}

    # How it is done

    async def _measured(self, how: str, begin: Callable[[], Awaitable[object]]) -> Json:
        match how:
            case "cpu":
                with swept():
                    return (await self.meter.work(begin)).as_json()
            case "holds":
                with swept():
                    return (await self.meter.holds(begin)).as_json()
            case _:
                return {"text": await self._profile(how, begin)}

    async def _profile(self, by: str, begin: Callable[[], Awaitable[object]]) -> str:
        profiler = cProfile.Profile(time.process_time)
        with swept():
            profiler.enable()
            try:
                await self.meter.work(begin)
            finally:
                profiler.disable()
        text = io.StringIO()
        stats = pstats.Stats(profiler, stream=text)
        stats.sort_stats(by).print_stats(_PROFILE_LINES)
        return text.getvalue().replace(f"{ROOT}/", "")

    async def _nothing(self) -> None:
        """Only wait."""

    async def _add(self) -> None:
        await self.hass.config_entries.async_add(self.entry)

    async def _set_up_again(self) -> None:
        await self.hass.config_entries.async_setup(self.entry.entry_id)

    async def _unload(self) -> None:
        if not await self.hass.config_entries.async_unload(self.entry.entry_id):
            raise SubjectError(f"{self.domain} does not unload")

    async def _poll(self) -> None:
        await asyncio.gather(*(item.async_refresh() for item in self.coordinators))

    async def _fetch(self) -> None:
        await asyncio.gather(*(self._fetch_type(kind.path) for kind in KINDS))

    async def _fetch_type(self, path: str) -> None:
        session = async_get_clientsession(self.hass)
        offset = 0
        while True:
            async with session.get(
                f"{self.url}/{path}",
                params={"offset": str(offset), "limit": str(_PAGE)},
                headers={"x-api-key": TEST_KEY},
            ) as response:
                data = orjson.loads(await response.read())["data"]
            if not data["pagination"]["hasMore"]:
                return
            offset += _PAGE


async def _run(arguments: argparse.Namespace, folder: Path) -> None:
    """Follow orders until there are no more."""
    loop = asyncio.get_running_loop()
    meter = Meter(loop)
    hass = await _start(folder)
    subject = Subject(hass, meter, arguments)
    # The registries' writing to disk is the core's, and falls into any window.
    registries.SAVE_DELAY = 86400
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        method = getattr(subject, order.pop("do"))
        try:
            answer = await method(**order)
        except SubjectError as err:
            answer = {"error": str(err)}
        print(json.dumps(answer), flush=True)
    await hass.async_stop(force=True)


def main() -> int:
    """Run it; return the exit status."""
    arguments = _arguments()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    if arguments.trace:
        tracemalloc.start()
    os.environ["AMPS_AI_API_URL"] = arguments.url
    os.environ["AMPS_AI_LINK_URL"] = f"{arguments.url}/link"
    loop = runner.create_event_loop()
    asyncio.set_event_loop(loop)
    with TemporaryDirectory(prefix="bench-") as folder:
        loop.run_until_complete(_run(arguments, Path(folder)))
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
