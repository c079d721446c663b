"""Logbook: what became of commands and plans, in a sentence."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from homeassistant.components.logbook import (
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .api import ActionState
from .api.models import text
from .common.const import DOMAIN, EVENT_ACTION, STATE_MISSED
from .common.names import given_name
from .common.words import ended, plan_missed, said
from .runtime import async_device_of

_ICONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ActionState.COMPLETED: "mdi:send-check",
        ActionState.FAILED: "mdi:alert-circle",
        ActionState.CANCELLED: "mdi:cancel",
        STATE_MISSED: "mdi:calendar-remove",
    }
)
_OTHER_ICON: Final = "mdi:send"


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, Any]]], None],
) -> None:
    """Describe the end of an action."""

    @callback
    def _describe(event: Event) -> dict[str, Any]:
        data = event.data
        registered = dr.async_get(hass).async_get(data.get("device_id") or "")
        device = async_device_of(hass, registered) if registered else None
        state = str(data.get("state"))
        kind = device.type if device else None
        command, error = text(data.get("command")), text(data.get("error"))
        plan = text(data.get("plan"))
        if state == STATE_MISSED:
            message = plan_missed(hass, plan, command, error, kind)
        else:
            message = ended(hass, command, state, error, kind)
            if plan is not None:
                message = said(hass, "common.of_plan", what=message, plan=plan)
        return {
            LOGBOOK_ENTRY_NAME: given_name(registered) or "Amps AI",
            LOGBOOK_ENTRY_MESSAGE: message,
            LOGBOOK_ENTRY_ICON: _ICONS.get(state, _OTHER_ICON),
        }

    async_describe_event(DOMAIN, EVENT_ACTION, _describe)
