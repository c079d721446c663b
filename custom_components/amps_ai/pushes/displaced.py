"""Displaced: planned actions that made way for a newer one."""

from collections.abc import Callable
from datetime import datetime

from homeassistant.core import CALLBACK_TYPE, HassJob, callback
from homeassistant.helpers.event import async_call_later

from ..account import AmpsAccount
from ..api import Action, Device
from ..common import issues
from ..readings import Coordinators


class Displaced:
    """Warn of planned actions that made way, until their time is over."""

    def __init__(self, account: AmpsAccount, coordinators: Coordinators) -> None:
        """Begin with no warning."""
        self._account = account
        self._coordinators = coordinators
        # Tells whether an action is planned again by itself.
        self.comes_back: Callable[[str], bool] = lambda _action_id: False
        # What takes the warnings back, by action.
        self._timers: dict[str, CALLBACK_TYPE] = {}

    def __len__(self) -> int:
        """Return how many warnings stand."""
        return len(self._timers)

    @callback
    def async_take_up(self) -> None:
        """Watch over what is open from before a reload."""
        for action_id, until in issues.displaced(
            self._account.hass, self._account.entry
        ).items():
            self._end_at(action_id, until)
        self._account.async_on_removed(self._forget_removed)

    @callback
    def async_warn(self, device: Device, action: Action) -> None:
        """Warn that an action made way, unless its time is over or it comes back."""
        if self.comes_back(action.id):
            return
        until = action.end or action.start
        if until is None or until <= self._account.clock.now():
            return
        issues.async_displaced(
            self._account.hass,
            self._account.entry,
            device.id,
            self._account.async_spoken_name(device),
            action,
            until,
        )
        self._end_at(action.id, until)

    @callback
    def _end_at(self, action_id: str, until: datetime) -> None:
        """Take back a warning once the action's time is over."""

        @callback
        def _over(_now: datetime) -> None:
            del self._timers[action_id]
            issues.async_displaced_over(self._account.hass, action_id)

        if (stop := self._timers.get(action_id)) is not None:
            stop()
        # By the API's clock, which its times are given in.
        self._timers[action_id] = async_call_later(
            self._account.hass,
            self._account.clock.seconds_until(until),
            HassJob(_over, cancel_on_shutdown=True),
        )

    @callback
    def _forget_removed(self) -> None:
        """Close what is open for devices that nobody has any more."""
        hass, entry = self._account.hass, self._account.entry
        issues.async_forget_devices(
            hass,
            entry,
            lambda device_id: (
                self._coordinators.has(device_id)
                or self._account.async_registered(device_id) is not None
            ),
        )
        for action_id in self._timers.keys() - issues.displaced(hass, entry).keys():
            self._timers.pop(action_id)()

    @callback
    def async_stop(self) -> None:
        """Stop the timers; the warnings stay."""
        for stop in self._timers.values():
            stop()
