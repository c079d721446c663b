"""Ends: how the actions of devices ended, as far as it was told."""

from dataclasses import dataclass, field
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..api import Action, ActionState
from ..api.models import identifiers, mapping, text
from ..common.memory import Memory, async_remove as async_remove_memory

_MEMORY: Final = "ends"

# So many are remembered for each device.
_MOST: Final = 50


def _remember[V](known: dict[str, V], key: str, value: V) -> None:
    """Add what is newest, at the cost of what is oldest."""
    known[key] = value
    if len(known) > _MOST:
        del known[next(iter(known))]


@dataclass(slots=True, eq=False, repr=False)
class DeviceEnds:
    """What is known of the ends of a device's actions."""

    # Those that were told, so that none is told twice, and those to tell.
    told: dict[str, str | None] = field(default_factory=dict)
    open: dict[str, None] = field(default_factory=dict)

    changed: CALLBACK_TYPE = lambda: None

    @callback
    def async_renew(self, action: Action) -> None:
        """Remember that the end of an action is to be told, whatever was told."""
        self.told.pop(action.id, None)
        self.async_follow(action)

    @callback
    def async_follow(self, action: Action) -> None:
        """Remember that the end of an action is to be told."""
        if action.id not in self.open:
            _remember(self.open, action.id, None)
            self.changed()

    @callback
    def async_tell(self, action: Action) -> bool:
        """Remember that an end is told; tell whether it was not before."""
        self.open.pop(action.id, None)
        if action.id in self.told:
            return False
        _remember(self.told, action.id, action.state)
        self.changed()
        return True

    @callback
    def async_lose(self, action_id: str) -> None:
        """Remember that an end can never be told: nobody knows the action."""
        self.open.pop(action_id, None)
        self.changed()

    def came_to_nothing(self, action: Action) -> bool:
        """Tell whether an action is known to have failed or been cancelled."""
        state = self.told.get(action.id)
        return state is not None and state != ActionState.COMPLETED


class Ends:
    """What is known of the ends of an account's actions, over restarts too."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Begin with nothing known."""
        self._devices: dict[str, DeviceEnds] = {}
        self._memory = Memory(hass, entry, _MEMORY, self._data)

    async def async_load(self) -> None:
        """Remember what earlier runs knew."""
        stored = mapping((await self._memory.async_load()).get("ends")) or {}
        for device_id, item in stored.items():
            known = self.of(device_id)
            found = mapping(item) or {}
            known.open |= dict.fromkeys(identifiers(found.get("open")))
            for action_id, state in (mapping(found.get("told")) or {}).items():
                known.told[action_id] = text(state)

    async def async_stop(self) -> None:
        """Write what is not written yet."""
        await self._memory.async_save_now()

    def of(self, device_id: str) -> DeviceEnds:
        """Return what is known of a device's."""
        if (known := self._devices.get(device_id)) is None:
            known = self._devices[device_id] = DeviceEnds(
                changed=self._memory.async_save
            )
        return known

    def __contains__(self, device_id: str) -> bool:
        """Tell whether anything is known of a device's."""
        return device_id in self._devices

    @callback
    def async_forget(self, device_id: str) -> None:
        """Forget a device that is gone."""
        if self._devices.pop(device_id, None) is not None:
            self._memory.async_save()

    @callback
    def _data(self) -> dict[str, Any]:
        return {
            "ends": {
                device_id: {"open": list(known.open), "told": known.told}
                for device_id, known in self._devices.items()
                if known.open or known.told
            }
        }


async def async_remove(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove what an entry that goes leaves behind."""
    await async_remove_memory(hass, entry, _MEMORY)
