"""Leftovers: devices in the registry that went while nobody looked.

A device that goes while the entry runs is seen to go by its coordinator. Of
one that went while Home Assistant was off, the registry does not even tell
the type: it is removed once no list has it and no type knows it.
"""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_track_time_interval

from .account import AmpsConfigEntry
from .api import AmpsDeviceNotFoundError, AmpsError
from .const import DOMAIN, LOGGER, SCAN_INTERVAL_EMPTY

# A type without a device is listed as seldom as this.
_INTERVAL: Final = SCAN_INTERVAL_EMPTY + timedelta(minutes=1)
# A device has to be missing from so many lists in a row, all of them complete.
_LISTS: Final = 2


def _leftovers(hass: HomeAssistant, entry: AmpsConfigEntry) -> list[str]:
    """Return the registered devices that no list has."""
    return [
        device_id
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
        for domain, device_id in device.identifiers
        if domain == DOMAIN
        and device_id != entry.entry_id
        and entry.runtime_data.find(device_id) is None
    ]


@callback
def async_watch_leftovers(hass: HomeAssistant, entry: AmpsConfigEntry) -> None:
    """Look now and then whether there are leftovers, until there are none."""
    if not _leftovers(hass, entry):
        return

    async def _async_look(found: list[str]) -> None:
        for device_id in found:
            await _async_remove_if_gone(entry, device_id)

    @callback
    def _look(_now: datetime) -> None:
        if not (found := _leftovers(hass, entry)):
            stop()
            return
        entry.async_create_background_task(
            hass, _async_look(found), name="Amps AI leftovers"
        )

    stop = async_track_time_interval(
        hass, _look, _INTERVAL, name="Amps AI leftovers", cancel_on_shutdown=True
    )
    entry.async_on_unload(stop)


async def _async_remove_if_gone(entry: AmpsConfigEntry, device_id: str) -> None:
    """Remove a device that no list has and no type knows."""
    runtime = entry.runtime_data
    account = runtime.account
    coordinators = runtime.coordinators.values()
    if account.limits.remaining or any(
        coordinator.complete_lists < _LISTS for coordinator in coordinators
    ):
        return
    for coordinator in coordinators:
        try:
            await account.client.async_get_device(coordinator.device_type, device_id)
        except AmpsDeviceNotFoundError as err:
            if err.is_final:
                continue
            return
        except AmpsError as err:
            account.limits.refused(err)
            LOGGER.debug("Looking for %s failed: %s", device_id, err)
            return
        # It is there, and somebody else's: a person can remove it by hand.
        return
    if runtime.find(device_id) is None:
        LOGGER.info("Removing %s, which the account does not have any more", device_id)
        account.async_remove_device(device_id)
