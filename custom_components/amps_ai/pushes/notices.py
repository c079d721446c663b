"""Notices: commands that failed after their call, where the person looks."""

from homeassistant.components import persistent_notification
from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError

from ..account import AmpsAccount
from ..api import Device
from ..common.const import CONF_NOTIFY_FAILURES, DOMAIN
from ..common.words import said, told


class Notices:
    """Tell of a device's failure until one of its commands works."""

    def __init__(self, account: AmpsAccount) -> None:
        """Begin with nothing told."""
        self._account = account
        self._open: set[str] = set()

    @callback
    def async_failed(self, device: Device, what: str, err: HomeAssistantError) -> None:
        """Tell that something did not work; the newest failure of a device stands."""
        account = self._account
        if account.has_ended() or not account.entry.options.get(
            CONF_NOTIFY_FAILURES, True
        ):
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
    def async_stop(self) -> None:
        """Take all back: the entry ends."""
        for device_id in tuple(self._open):
            self.async_dismiss(device_id)


def _id(device_id: str) -> str:
    return f"{DOMAIN}_failed_{device_id}"
