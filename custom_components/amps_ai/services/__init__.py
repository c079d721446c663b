"""Actions: everything that can be pushed, for automations and scripts."""

from homeassistant.core import HomeAssistant, SupportsResponse, callback

from ..common.const import DOMAIN
from . import plans, push, records
from .fields import (
    CHARGE,
    HOLD_TEMPERATURE,
    LIST_ACTIONS,
    LIST_PLANS,
    ONE_ACTION,
    SEND_COMMAND,
    SKIP_PLAN,
    UPDATE_SETTINGS,
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions, once for all entries."""
    for name, handler, schema in (
        ("send_command", push.async_send_command, SEND_COMMAND),
        ("charge", push.async_charge, CHARGE),
        ("discharge", push.async_discharge, CHARGE),
        ("hold_temperature", push.async_hold_temperature, HOLD_TEMPERATURE),
        ("update_settings", push.async_update_settings, UPDATE_SETTINGS),
        ("cancel_action", records.async_cancel_action, ONE_ACTION),
        ("skip_plan", plans.async_skip_plan, SKIP_PLAN),
    ):
        hass.services.async_register(
            DOMAIN,
            name,
            handler,
            schema=schema,
            supports_response=SupportsResponse.OPTIONAL,
        )
    for name, handler, schema in (
        ("get_action", records.async_get_action, ONE_ACTION),
        ("list_actions", records.async_list_actions, LIST_ACTIONS),
        ("list_plans", plans.async_list_plans, LIST_PLANS),
    ):
        hass.services.async_register(
            DOMAIN,
            name,
            handler,
            schema=schema,
            supports_response=SupportsResponse.ONLY,
        )
