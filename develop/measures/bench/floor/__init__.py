"""The floor: the least that an integration over the same lists could be.

One plain coordinator for each device type, plain dictionaries, no tolerance, no
single reads, no commands. It is there to be measured beside the integration.
"""

from dataclasses import dataclass
from datetime import timedelta
import logging
from typing import Any, Final, override

import aiohttp
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
import orjson

LOGGER: Final = logging.getLogger(__name__)
DOMAIN: Final = "amps_floor"
PATHS: Final = ("battery", "ev-charger", "hvac", "solar-inverter", "vehicle")
PAGE_SIZE: Final = 50

type Body = dict[str, Any]
type FloorConfigEntry = ConfigEntry[FloorData]


@dataclass(frozen=True, kw_only=True)
class FloorData:
    """What belongs to an entry."""

    coordinators: dict[str, FloorCoordinator]


class FloorCoordinator(DataUpdateCoordinator[dict[str, Body]]):
    """Read a list; what compares equal is told to nobody."""

    config_entry: FloorConfigEntry

    def __init__(self, hass: HomeAssistant, entry: FloorConfigEntry, path: str) -> None:
        """Start with nothing."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=f"floor {path}",
            update_interval=timedelta(seconds=60),
            always_update=False,
        )
        self.path = path
        self._session = async_get_clientsession(hass)
        self._headers = {"x-api-key": entry.data["api_key"]}
        self._url = f"{entry.data['url']}/{path}"
        self._user_id = entry.data["user_id"]

    @override
    async def _async_update_data(self) -> dict[str, Body]:
        found: dict[str, Body] = {}
        offset = 0
        params = {"limit": str(PAGE_SIZE)}
        if self._user_id:
            params["userId"] = self._user_id
        while True:
            params["offset"] = str(offset)
            try:
                async with self._session.get(
                    self._url, params=params, headers=self._headers
                ) as response:
                    response.raise_for_status()
                    data = orjson.loads(await response.read())["data"]
            except aiohttp.ClientError as err:
                raise UpdateFailed(str(err)) from err
            for item in data["items"]:
                found[item["id"]] = item
            if not data["pagination"]["hasMore"]:
                return found
            offset += PAGE_SIZE


async def async_setup_entry(hass: HomeAssistant, entry: FloorConfigEntry) -> bool:
    """Read all lists, and add a sensor for each entity of the plan."""
    coordinators = {path: FloorCoordinator(hass, entry, path) for path in PATHS}
    for coordinator in coordinators.values():
        await coordinator.async_config_entry_first_refresh()
    entry.runtime_data = FloorData(coordinators=coordinators)
    await hass.config_entries.async_forward_entry_setups(entry, [Platform.SENSOR])
    return True


async def async_unload_entry(hass: HomeAssistant, entry: FloorConfigEntry) -> bool:
    """Unload the sensors."""
    return await hass.config_entries.async_unload_platforms(entry, [Platform.SENSOR])
