"""Leftovers: devices in the registry that went while nobody looked.

A device that goes while the entry runs is seen to go by its coordinator. Of
one that went while Home Assistant was off, the registry does not even tell
the type: it is removed once no list has it and no type knows it.
"""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_track_time_interval

from ..account import AmpsAccount
from ..api import AmpsDeviceNotFoundError, AmpsError
from ..api.clock import Countdown
from ..common.const import DOMAIN, LOGGER, SCAN_INTERVAL_EMPTY
from .coordinators import Coordinators

# A type without a device is listed as seldom as this.
_INTERVAL: Final = SCAN_INTERVAL_EMPTY + timedelta(minutes=1)
# In a round, each has its turn so long after the one before it.
_TURN: Final = timedelta(seconds=15)
# What answers is not looked for again before.
_THERE: Final = timedelta(days=1)
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
    if _leftovers(account, coordinators):
        account.entry.async_on_unload(_Search(account, coordinators).async_start())


class _Search:
    """Look for leftovers, one after the other: there may be hundreds."""

    def __init__(self, account: AmpsAccount, coordinators: Coordinators) -> None:
        """Begin with nothing to look for."""
        self._account = account
        self._coordinators = coordinators
        self._waiting: list[str] = []
        # Those that answered, which are not looked for again soon.
        self._there: dict[str, Countdown] = {}
        self._stops: list[CALLBACK_TYPE] = []

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Begin to look; returns how to end it."""
        hass = self._account.hass
        for job, interval in ((self._look, _INTERVAL), (self._next, _TURN)):
            self._stops.append(
                async_track_time_interval(
                    hass,
                    job,
                    interval,
                    name="Amps AI leftovers",
                    cancel_on_shutdown=True,
                )
            )
        return self._stop

    @callback
    def _stop(self) -> None:
        while self._stops:
            self._stops.pop()()

    @callback
    def _look(self, _now: datetime) -> None:
        """Begin a new round once the last one is over."""
        found = _leftovers(self._account, self._coordinators)
        if not found:
            self._stop()
        elif not self._waiting:
            self._waiting = [item for item in found if not self._there.get(item)]

    @callback
    def _next(self, _now: datetime) -> None:
        """Look for the next one, or for none while others have to be asked first."""
        if not self._waiting:
            return
        if not self._account.limits.is_open or any(
            coordinator.complete_lists < _LISTS
            for coordinator in self._coordinators.values()
        ):
            self._waiting.clear()
            return
        self._account.entry.async_create_background_task(
            self._account.hass,
            self._async_remove_if_gone(self._waiting.pop()),
            name="Amps AI leftovers",
        )

    async def _async_remove_if_gone(self, device_id: str) -> None:
        """Remove a device that no list has and no type knows."""
        account = self._account
        for coordinator in self._coordinators.values():
            try:
                await account.client.async_get_device(
                    coordinator.device_type, device_id
                )
            except AmpsDeviceNotFoundError as err:
                if err.is_final:
                    continue
                return
            except AmpsError as err:
                account.limits.refused(err)
                LOGGER.debug("Looking for %s failed: %s", device_id, err)
                return
            # It is there, and somebody else's: a person can remove it by hand.
            self._there[device_id] = Countdown(_THERE.total_seconds())
            return
        if not self._coordinators.has(device_id):
            LOGGER.info(
                "Removing %s, which the account does not have any more", device_id
            )
            account.async_remove_device(device_id)
