"""Silence: whether webhooks come, so that little has to be asked for."""

from collections import deque
from datetime import datetime
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, HassJob, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_call_later

from ..api import ActionState
from ..common.const import EVENT_ACTION

# Webhooks have fallen silent if one did not tell an end so long after it.
SILENCE: Final = 60


class Silence:
    """Listen for what a webhook should have told."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Begin with silence."""
        self._hass = hass
        self._entry = entry
        self._begun = False
        # Whether webhooks come, and on time.
        self.works = False
        # The actions whose end was told, and those whose should be soon.
        self._told: deque[str] = deque(maxlen=500)
        self._overdue: dict[str, CALLBACK_TYPE] = {}

    def __len__(self) -> int:
        """Return how many ends a webhook should tell soon."""
        return len(self._overdue)

    @callback
    def async_begin(self, works: bool) -> None:
        """Listen to the ends of actions."""
        self._begun = True
        self.works = works
        self._entry.async_on_unload(
            self._hass.bus.async_listen(EVENT_ACTION, self._action_ended)
        )

    @callback
    def async_stop(self) -> None:
        """Expect nothing any more."""
        self._begun = False
        for stop in self._overdue.values():
            stop()
        self._overdue.clear()

    @callback
    def async_heard(self) -> None:
        """Take note of a genuine delivery."""
        self.works = self.works or self._begun

    @callback
    def async_told(self, action_id: str) -> None:
        """Take note that a webhook told the end of an action."""
        self._told.append(action_id)
        if (stop := self._overdue.pop(action_id, None)) is not None:
            stop()

    @callback
    def _action_ended(self, event: Event) -> None:
        """Expect a webhook for an end that was found by asking."""
        # A person can fire it by hand, with whatever comes to mind.
        action_id = event.data.get("action_id")
        if (
            not isinstance(action_id, str)
            or event.data.get("state")
            not in (ActionState.COMPLETED, ActionState.FAILED)
            or action_id in self._told
            or not self._is_own(event.data.get("device_id"))
        ):
            return

        @callback
        def _silent(_now: datetime) -> None:
            self._overdue.pop(action_id, None)
            self.works = False

        self._overdue[action_id] = async_call_later(
            self._hass, SILENCE, HassJob(_silent, cancel_on_shutdown=True)
        )

    def _is_own(self, device_id: object) -> bool:
        """Tell whether a device of Home Assistant's is one of this entry."""
        if not isinstance(device_id, str):
            return False
        device = dr.async_get(self._hass).async_get(device_id)
        return device is not None and device.config_entry_id == self._entry.entry_id
