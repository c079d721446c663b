"""Memory: the small files in which an entry keeps what it knows."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store

from ..api.models import mapping
from .const import DOMAIN, LOGGER

_VERSION: Final = 1
# So many seconds after a change it is written.
_SOON: Final = 1


async def async_read(store: Store[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return what earlier runs have kept, nothing if that is no use."""
    try:
        return mapping(await store.async_load()) or {}
    except (HomeAssistantError, NotImplementedError) as err:
        # Of a newer release, say: the set-up goes on without.
        LOGGER.warning("What was kept as %s cannot be read: %s", name, err)
        return {}


class Memory:
    """A file of an entry; what of it cannot be read is as good as not there."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        name: str,
        data: Callable[[], dict[str, Any]],
    ) -> None:
        """Name the file; `data` tells what is to be in it."""
        self._name = name
        self._data = data
        self._store = Store[dict[str, Any]](
            hass,
            _VERSION,
            f"{DOMAIN}.{name}.{entry.entry_id}",
            private=True,
            atomic_writes=True,
        )
        self._unsaved = False
        self._writing = asyncio.Lock()

    async def async_load(self) -> dict[str, Any]:
        """Return what earlier runs have kept."""
        return await async_read(self._store, self._name)

    @callback
    def async_save(self) -> None:
        """Write soon."""
        self._unsaved = True
        self._store.async_delay_save(self._told, _SOON)

    async def async_save_now(self) -> None:
        """Write what is not written yet, in one go for all who wait for it."""
        async with self._writing:
            if self._unsaved:
                await self._store.async_save(self._told())

    async def async_remove(self) -> None:
        """Remove the file."""
        await self._store.async_remove()

    @callback
    def _told(self) -> dict[str, Any]:
        self._unsaved = False
        return self._data()


async def async_remove(hass: HomeAssistant, entry: ConfigEntry, name: str) -> None:
    """Remove a file of an entry that goes."""
    await Memory(hass, entry, name, dict).async_remove()
