"""Leftovers: devices in the registry that went while nobody looked.

A device that goes while the entry runs is seen to go by its coordinator. Of
one that went while Home Assistant was off, the registry does not even tell
the type: it is removed once no list has it and no type knows it.
"""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_track_time_interval

from ..account import AmpsAccount
from ..api import AmpsDeviceNotFoundError, AmpsError
from ..common.const import DOMAIN, LOGGER, SCAN_INTERVAL_EMPTY
from .coordinators import Coordinators

# A type without a device is listed as seldom as this.
_INTERVAL: Final = SCAN_INTERVAL_EMPTY + timedelta(minutes=1)
# A device has to be missing from so many lists in a row, all of them complete.
_LISTS: Final = 2


def _leftovers(account: AmpsAccount, coordinators: Coordinators) -> list[str]:
    """Return the registered devices that no list has."""
    own = account.entry.entry_id
    return [
        device_id
        for device in dr.async_entries_for_config_entry(dr.async_get(account.hass), own)
        for domain, device_id in device.identifiers
        if domain == DOMAIN and device_id != own and not coordinators.has(device_id)
    ]


@callback
def async_watch_leftovers(account: AmpsAccount, coordinators: Coordinators) -> None:
    """Look now and then whether there are leftovers, until there are none."""
    if not _leftovers(account, coordinators):
        return

    async def _async_look(found: list[str]) -> None:
        for device_id in found:
            await _async_remove_if_gone(account, coordinators, device_id)

    @callback
    def _look(_now: datetime) -> None:
        if not (found := _leftovers(account, coordinators)):
            stop()
            return
        account.entry.async_create_background_task(
            account.hass, _async_look(found), name="Amps AI leftovers"
        )

    stop = async_track_time_interval(
        account.hass,
        _look,
        _INTERVAL,
        name="Amps AI leftovers",
        cancel_on_shutdown=True,
    )
    account.entry.async_on_unload(stop)


async def _async_remove_if_gone(
    account: AmpsAccount, coordinators: Coordinators, device_id: str
) -> None:
    """Remove a device that no list has and no type knows."""
    if account.limits.remaining or any(
        coordinator.complete_lists < _LISTS for coordinator in coordinators.values()
    ):
        return
    for coordinator in coordinators.values():
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
    if not coordinators.has(device_id):
        LOGGER.info("Removing %s, which the account does not have any more", device_id)
        account.async_remove_device(device_id)
