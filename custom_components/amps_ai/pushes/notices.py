"""Notices: commands that failed after their call, where the person looks."""

from typing import Final

from homeassistant.components import persistent_notification
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.hass_dict import HassKey

from ..account import AmpsAccount
from ..api import Device
from ..common.const import CONF_NOTIFY_FAILURES, DOMAIN
from ..common.words import said, told

# By entry: of which devices a failure is told. It outlives the entry's end: what
# was to be sent then is told after it, and a reload takes back nothing unread.
_OPEN: Final[HassKey[dict[str, set[str]]]] = HassKey(f"{DOMAIN}_notices")


class Notices:
    """Tell of a device's failure until one of its commands works."""

    def __init__(self, account: AmpsAccount) -> None:
        """Go on with what is told."""
        self._account = account
        self._open = account.hass.data.setdefault(_OPEN, {}).setdefault(
            account.entry.entry_id, set()
        )

    @callback
    def async_failed(self, device: Device, what: str, err: HomeAssistantError) -> None:
        """Tell that something did not work; the newest failure of a device stands."""
        account = self._account
        entry = account.entry
        if account.hass.config_entries.async_get_entry(entry.entry_id) is None:
            # Removed meanwhile, with all that was told of it.
            return
        if not entry.options.get(CONF_NOTIFY_FAILURES, True):
            return
        self._open.add(device.id)
        persistent_notification.async_create(
            account.hass,
            told(account.hass, err),
            said(
                account.hass,
                "common.did_not_work",
                device=account.async_spoken_name(device),
                command=what,
            ),
            _id(device.id),
        )

    @callback
    def async_dismiss(self, device_id: str) -> None:
        """Take it back: a command of the device worked, or the device is gone."""
        if device_id in self._open:
            self._open.remove(device_id)
            persistent_notification.async_dismiss(self._account.hass, _id(device_id))


@callback
def async_remove(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Take back all that was told of an entry that goes."""
    for device_id in hass.data.get(_OPEN, {}).pop(entry.entry_id, ()):
        persistent_notification.async_dismiss(hass, _id(device_id))


def _id(device_id: str) -> str:
    return f"{DOMAIN}_failed_{device_id}"
