"""The fields of the actions, and what may be in them."""

from datetime import timedelta
from math import inf
from typing import Any, Final

from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..api import ActionState
from ..api.vocabulary import Commands, Strategy

ATTR_ACTION_ID: Final = "action_id"
ATTR_COMMAND: Final = "command"
ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
ATTR_COOL_SETPOINT: Final = "cool_setpoint"
ATTR_DATE: Final = "date"
ATTR_DELAY: Final = "delay"
ATTR_DEVICE_ID: Final = "device_id"
ATTR_DURATION: Final = "duration"
ATTR_END: Final = "end"
ATTR_HEAT_SETPOINT: Final = "heat_setpoint"
ATTR_LIMIT: Final = "limit"
ATTR_MODE: Final = "mode"
ATTR_ON_CONFLICT: Final = "on_conflict"
ATTR_PARAMETERS: Final = "parameters"
ATTR_PLAN: Final = "plan"
ATTR_POWER: Final = "power"
ATTR_RESERVE: Final = "reserve"
ATTR_SETTINGS: Final = "settings"
ATTR_START: Final = "start"
ATTR_STATE: Final = "state"
ATTR_TARGET: Final = "target"
ATTR_WAIT: Final = "wait"

_MOST_ACTIONS: Final = 500


def _span(value: Any) -> timedelta:
    """Validate a span of time; one that nothing can hold is none."""
    try:
        span: timedelta = cv.positive_time_period(value)
    except OverflowError as err:
        raise vol.Invalid("Expected a shorter time") from err
    return span


def _amount(value: Any) -> float:
    """Validate a number; one that is too great is refused in words later."""
    try:
        amount: float = vol.Coerce(float)(value)
    except OverflowError:
        return inf if value > 0 else -inf
    return amount


def _first(value: list[str]) -> str:
    """Return what is alone in a list."""
    return value[0]


# Selectors and templates make a list of one device as well.
_DEVICE_IDS: Final = vol.All(cv.ensure_list, [cv.string], vol.Length(min=1))
_DEVICES: Final = {vol.Required(ATTR_DEVICE_ID): _DEVICE_IDS}
_EITHER: Final = {
    vol.Exclusive(ATTR_DEVICE_ID, "whose"): vol.All(
        _DEVICE_IDS, vol.Length(max=1), _first
    ),
    vol.Exclusive(ATTR_CONFIG_ENTRY_ID, "whose"): cv.string,
}
_TIMES: Final = {
    vol.Exclusive(ATTR_START, "begin"): cv.datetime,
    vol.Exclusive(ATTR_DELAY, "begin"): _span,
    vol.Exclusive(ATTR_END, "finish"): cv.datetime,
    vol.Exclusive(ATTR_DURATION, "finish"): _span,
    vol.Optional(ATTR_ON_CONFLICT): vol.In([item.value for item in Strategy]),
    vol.Optional(ATTR_WAIT, default=True): cv.boolean,
}
_QUANTITY: Final = vol.Any(
    _amount,
    vol.Schema({vol.Required("value"): _amount, vol.Optional("unit"): cv.string}),
)
_LEVELS: Final = {
    vol.Optional(name): _amount for name in (ATTR_TARGET, ATTR_POWER, ATTR_RESERVE)
}

SEND_COMMAND: Final = vol.Schema(
    {
        **_DEVICES,
        **_TIMES,
        vol.Required(ATTR_COMMAND): cv.string,
        vol.Optional(ATTR_PARAMETERS, default=dict): {cv.string: _QUANTITY},
    }
)
CHARGE: Final = vol.Schema({**_DEVICES, **_TIMES, **_LEVELS})
HOLD_TEMPERATURE: Final = vol.Schema(
    {
        **_DEVICES,
        **_TIMES,
        vol.Required(ATTR_MODE): vol.In(
            [Commands.HEAT.value, Commands.COOL.value, Commands.AUTO.value]
        ),
        vol.Optional(ATTR_TARGET): _amount,
        vol.Optional(ATTR_HEAT_SETPOINT): _amount,
        vol.Optional(ATTR_COOL_SETPOINT): _amount,
    }
)
UPDATE_SETTINGS: Final = vol.Schema(
    {
        **_DEVICES,
        vol.Required(ATTR_SETTINGS): vol.All({cv.string: _amount}, vol.Length(min=1)),
    }
)
ONE_ACTION: Final = vol.Schema({**_EITHER, vol.Required(ATTR_ACTION_ID): cv.string})
LIST_ACTIONS: Final = vol.Schema(
    {
        **_EITHER,
        vol.Optional(ATTR_STATE): vol.In([state.value for state in ActionState]),
        vol.Optional(ATTR_LIMIT, default=50): vol.All(
            _amount, vol.Range(min=1, max=_MOST_ACTIONS), vol.Coerce(int)
        ),
    }
)
LIST_PLANS: Final = vol.Schema(_EITHER)
SKIP_PLAN: Final = vol.Schema(
    {
        **_EITHER,
        vol.Required(ATTR_PLAN): cv.string,
        vol.Optional(ATTR_DATE): cv.date,
    }
)
