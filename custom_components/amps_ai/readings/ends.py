"""Ends: how the actions of devices ended, as far as it was told."""

from dataclasses import dataclass, field
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..api import Action, ActionState
from ..common.const import DOMAIN

# So many are remembered for each device.
_MOST: Final = 50


def _remember[V](known: dict[str, V], key: str, value: V) -> None:
    """Add what is newest, at the cost of what is oldest."""
    known[key] = value
    if len(known) > _MOST:
        del known[next(iter(known))]


@dataclass(slots=True)
class DeviceEnds:
    """What is known of the ends of a device's actions."""

    # Those that were told, so that none is told twice, and those to tell.
    told: dict[str, str | None] = field(default_factory=dict)
    open: dict[str, None] = field(default_factory=dict)

    @callback
    def async_follow(self, action: Action) -> None:
        """Remember that the end of an action is to be told."""
        _remember(self.open, action.id, None)

    @callback
    def async_tell(self, action: Action) -> bool:
        """Remember that an end is told; tell whether it was not before."""
        self.open.pop(action.id, None)
        if action.id in self.told:
            return False
        _remember(self.told, action.id, action.state)
        return True

    def came_to_nothing(self, action: Action) -> bool:
        """Tell whether an action is known to have failed or been cancelled."""
        state = self.told.get(action.id)
        return state is not None and state != ActionState.COMPLETED


class Ends:
    """What is known of the ends of an account's actions, over a reload too."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Remember what was known before a reload."""
        self._devices = hass.data.setdefault(_ENDS, {}).setdefault(entry.entry_id, {})

    def of(self, device_id: str) -> DeviceEnds:
        """Return what is known of a device's."""
        return self._devices.setdefault(device_id, DeviceEnds())

    @callback
    def async_forget(self, device_id: str) -> None:
        """Forget a device that is gone."""
        self._devices.pop(device_id, None)


# By entry, and by device.
_ENDS: Final[HassKey[dict[str, dict[str, DeviceEnds]]]] = HassKey(f"{DOMAIN}_ends")


@callback
def async_remove(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove what an entry that goes leaves in memory."""
    hass.data.get(_ENDS, {}).pop(entry.entry_id, None)
