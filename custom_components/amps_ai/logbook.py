"""Logbook: what became of commands and plans, in a sentence."""

from collections.abc import Callable
from typing import Any, Final

from homeassistant.components.logbook import LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .api import ActionState
from .common.const import DOMAIN, EVENT_ACTION, STATE_MISSED

_SAID: Final[dict[str, str]] = {
    ActionState.COMPLETED: "completed",
    ActionState.FAILED: "failed",
    ActionState.CANCELLED: "was cancelled",
}


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, Any]]], None],
) -> None:
    """Describe the end of an action."""

    @callback
    def _describe(event: Event) -> dict[str, Any]:
        data = event.data
        device = dr.async_get(hass).async_get(data.get("device_id") or "")
        state = str(data.get("state"))
        plan = data.get("plan")
        if state == STATE_MISSED:
            message = f"plan {plan} was missed: command {data.get('command')}"
        else:
            message = f"command {data.get('command')} {_SAID.get(state, state)}"
            if plan is not None:
                message = f"{message}, for the plan {plan}"
        if error := data.get("error"):
            message = f"{message}: {error}"
        return {
            LOGBOOK_ENTRY_NAME: (device and (device.name_by_user or device.name))
            or "Amps AI",
            LOGBOOK_ENTRY_MESSAGE: message,
        }

    async_describe_event(DOMAIN, EVENT_ACTION, _describe)
