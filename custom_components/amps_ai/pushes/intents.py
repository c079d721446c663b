"""Intents: what controls show until a reading can know of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.core import HassJob, callback
from homeassistant.helpers.event import async_call_later

from ..api import Device
from ..readings import Watch
from ..readings.captures import EXPEDITED_TTL
from .lane import Intent, Lanes

# How long after its end a reading is waited for that can know of an action.
SETTLE: Final = timedelta(minutes=3)


class Intents:
    """Let controls show what was asked of them, with an exit."""

    def __init__(self, lanes: Lanes) -> None:
        """Begin with nothing asked."""
        self._lanes = lanes

    @callback
    def async_shown(self, device: Device, control: str) -> Device:
        """Return a device as a control shows it: as read, or as asked for."""
        lane = self._lanes.get(device.id)
        if lane is None or (intent := lane.intents.get(control)) is None:
            return device
        return replace(device, state=replace(device.state, **intent.changes))

    @callback
    def async_intended(self, device_id: str, control: str, name: str) -> Any:
        """Return what a control was asked for and not yet read, or None."""
        lane = self._lanes.get(device_id)
        if lane is None or (intent := lane.intents.get(control)) is None:
            return None
        return intent.changes.get(name)

    @callback
    def async_begin(self, device: Device, intent: Intent) -> None:
        """Let a control show what was asked of it."""
        lane = self._lanes.of(device.id)
        previous = intent.previous = lane.intents.get(intent.control)
        if previous is not None and previous.command == intent.command:
            # What was asked for before and not read yet, goes on to be shown;
            # another command takes it back.
            intent.changes = {**previous.changes, **intent.changes}
        lane.intents[intent.control] = intent
        self._lanes.coordinator(device).async_tell(device.id)

    @callback
    def async_end(self, device: Device, intent: Intent) -> None:
        """Let a control show what was read again."""
        for stop in intent.stop:
            stop()
        intent.stop.clear()
        intent.over = True
        lane = self._lanes.of(device.id)
        if lane.intents.get(intent.control) is intent:
            previous = intent.previous
            while previous is not None and previous.over:
                previous = previous.previous
            if previous is None:
                del lane.intents[intent.control]
            else:
                lane.intents[intent.control] = previous
            self._lanes.coordinator(device).async_tell(device.id)

    @callback
    def async_await_reading(
        self, device: Device, intent: Intent, since: datetime | None
    ) -> bool:
        """End an intent with the first reading that can know of it.

        `completed` means accepted, not done, and even an expedited read can
        come from a cache of a minute: a reading counts if it was captured
        later. Three minutes on, whatever was read counts. Returns whether
        there is anything to wait for.
        """
        if self._lanes.of(device.id).intents.get(intent.control) is not intent:
            # A newer one is shown; this one can come to nothing any more.
            self.async_end(device, intent)
            return False
        # What is under way now has made what was before it history.
        while (previous := intent.previous) is not None:
            intent.previous = previous.previous
            self.async_end(device, previous)
        ended = since or self._lanes.account.clock.now()
        coordinator = self._lanes.coordinator(device)

        @callback
        def _check() -> None:
            pulled = coordinator.async_pulled_at(
                device.id, single=intent.command is None
            )
            if pulled is not None and pulled > ended:
                self.async_end(device, intent)

        @callback
        def _over(_now: datetime) -> None:
            self.async_end(device, intent)

        @callback
        def _again(_now: datetime) -> None:
            self._lanes.async_read_soon(device)

        hass = self._lanes.hass
        intent.stop += [
            coordinator.async_add_listener(_check, Watch(device.id, readings=True)),
            async_call_later(hass, SETTLE, HassJob(_over, cancel_on_shutdown=True)),
            async_call_later(
                hass,
                EXPEDITED_TTL + timedelta(seconds=1),
                HassJob(_again, cancel_on_shutdown=True),
            ),
        ]
        return True
