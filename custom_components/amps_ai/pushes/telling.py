"""Telling: everybody hears of the end of an action, once."""

from collections.abc import Callable

from homeassistant.core import CALLBACK_TYPE, Context, callback

from ..api import Action, ActionState, AmpsDeviceCredentialsError, Device
from ..api.errors import Scope, error_type
from ..api.vocabulary import SCHEDULER_ACTIVE
from ..common import issues
from ..common.const import EVENT_ACTION
from ..common.errors import action_error
from ..common.words import command_name
from .lane import Lane, Lanes
from .notices import Notices


class Teller:
    """Tell of the ends of actions, and open what a person has to decide."""

    def __init__(self, lanes: Lanes, notices: Notices) -> None:
        """Begin with nothing told."""
        self._lanes = lanes
        self._notices = notices
        # Tells the name of the plan that an action stands for.
        self.plan_of: Callable[[str], str | None] = lambda _action_id: None

    @callback
    def async_listen(
        self, device_id: str, listener: Callable[[Action], None]
    ) -> CALLBACK_TYPE:
        """Hear of the end of every action of a device."""
        return self._lanes.listeners(device_id).async_add(listener)

    @callback
    def async_told_in(self, device_id: str) -> Context:
        """Return the context of the newest end of a device's actions."""
        return self._lanes.of(device_id).told_in

    @callback
    def async_tell(self, device: Device, action: Action) -> None:
        """Tell everybody of the end of an action, once."""
        lane = self._lanes.of(device.id)
        if not lane.ends.async_tell(action):
            return
        entry = self._lanes.account.async_registered(device.id)
        told = {
            "device_id": entry.id if entry else None,
            "action_id": action.id,
            "command": action.command,
            "state": action.state,
            "error": action.error_code,
        }
        if (plan := self.plan_of(action.id)) is not None:
            told["plan"] = plan
        lane.told_in = Context()
        self._lanes.hass.bus.async_fire(EVENT_ACTION, told, context=lane.told_in)
        self._lanes.listeners(device.id).async_call(action)
        self._notify(device, lane, action)

    def _notify(self, device: Device, lane: Lane, action: Action) -> None:
        """Tell of a failure that no call raises, or take the last one back."""
        unheard = action.id in lane.unheard
        if unheard:
            lane.unheard.remove(action.id)
        account = self._lanes.account
        if action.state == ActionState.COMPLETED:
            self._notices.async_dismiss(device.id)
        elif unheard and action.state == ActionState.FAILED:
            self._notices.async_failed(
                device,
                command_name(account.hass, action.command, device.type),
                action_error(action, account.async_spoken_name(device)),
            )

    @callback
    def async_mend(self, device: Device, action: Action) -> None:
        """Open a repair where a person has to decide, or take it back."""
        if action.state == ActionState.COMPLETED:
            issues.async_scheduler_cleared(self._lanes.hass, device.id)
        elif action.error_code == SCHEDULER_ACTIVE:
            account = self._lanes.account
            issues.async_scheduler_active(
                account.hass,
                account.entry,
                device,
                account.async_spoken_name(device),
                action,
            )
        elif action.error_code is not None:
            kind = error_type(Scope.DEVICE, 0, action.error_code)
            if issubclass(kind, AmpsDeviceCredentialsError):
                error = kind("the action failed", code=action.error_code)
                self._lanes.coordinator(device).async_take_error(device, error)
