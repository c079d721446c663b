"""Presence: which devices are there and answer, and which do not."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import callback

from ..account import AmpsAccount
from ..api import AmpsDeviceError, Device
from ..common.const import LOGGER


class Presence:
    """Keep what is wrong with the devices of one type."""

    def __init__(self, account: AmpsAccount) -> None:
        """Begin with nothing wrong."""
        self._account = account
        # Why a device cannot be used, and how many lists in a row left one out.
        self._unusable: dict[str, AmpsDeviceError] = {}
        self._missing: dict[str, int] = {}
        self._told: set[str] = set()

    def is_fine(self, device_id: str) -> bool:
        """Tell whether a device is there and answers."""
        return device_id not in self._missing and device_id not in self._unusable

    def is_missing(self, device_id: str) -> bool:
        """Tell whether the last complete list left out a device."""
        return device_id in self._missing

    def is_doubted(self, device_id: str) -> bool:
        """Tell whether the lists have left out a device more than once."""
        return self._missing.get(device_id, 0) > 1

    @property
    def doubted(self) -> tuple[str, ...]:
        """Return the devices that the lists have left out more than once."""
        return tuple(filter(self.is_doubted, self._missing))

    @callback
    def async_listed(self, device_id: str) -> bool:
        """Take note that a list has a device; tell whether that is news."""
        return self._missing.pop(device_id, None) is not None

    @callback
    def async_left_out(self, device_id: str) -> bool:
        """Take note that a list has not; tell whether that is news."""
        count = self._missing.get(device_id, 0)
        self._missing[device_id] = count + 1
        return not count

    @callback
    def async_failed(self, device_id: str, err: AmpsDeviceError) -> None:
        """Take note of why a device cannot be used."""
        self._unusable[device_id] = err

    @callback
    def async_answered(self, device_id: str) -> bool:
        """Take note that a device can be used; tell whether that is news."""
        return self._unusable.pop(device_id, None) is not None

    @callback
    def async_forget(self, device_id: str) -> None:
        """Forget a device that is gone."""
        self._missing.pop(device_id, None)
        self._unusable.pop(device_id, None)

    @callback
    def async_log(self, devices: Mapping[str, Device]) -> None:
        """Log once that a device cannot be used, and once that it can again."""
        gone = (self._missing.keys() | self._unusable.keys()) & devices.keys()
        for device_id in sorted(gone ^ self._told):
            if (device := devices.get(device_id)) is None:
                continue
            name = self._account.async_spoken_name(device)
            if device_id not in gone:
                LOGGER.info("%s is there again", name)
            elif (err := self._unusable.get(device_id)) is not None:
                LOGGER.info("%s cannot be used: %s", name, err)
            else:
                LOGGER.info("%s is not listed any more", name)
        self._told = gone

    def as_dict(self) -> dict[str, Any]:
        """Return the state, for diagnostics."""
        return {
            "missing": dict(self._missing),
            "unusable": {
                device_id: str(err) for device_id, err in self._unusable.items()
            },
        }
