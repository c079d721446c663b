"""Actions that push a command, or write settings."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.core import ServiceCall, ServiceResponse

from ..api import DeviceType, Push, Quantity, capabilities
from ..api.vocabulary import Commands, Parameters
from ..common.errors import refused
from .fields import (
    ATTR_COMMAND,
    ATTR_COOL_SETPOINT,
    ATTR_HEAT_SETPOINT,
    ATTR_MODE,
    ATTR_ON_CONFLICT,
    ATTR_PARAMETERS,
    ATTR_POWER,
    ATTR_RESERVE,
    ATTR_SETTINGS,
    ATTR_TARGET,
    ATTR_WAIT,
)
from .permission import async_check
from .times import times_of
from .whose import device_of, require

# How long an action (service) waits for the end of what it pushed.
WAIT: Final = 10


async def _async_push(
    call: ServiceCall, command: str, parameters: Mapping[str, Quantity]
) -> ServiceResponse:
    """Push what a call says, and return the action that it became."""
    whose, coordinator, device = device_of(call)
    await async_check(call, whose.entry, whose.devices)
    times = times_of(call.data, whose.name, whose.entry.runtime_data.account.clock)
    action = await whose.entry.runtime_data.pushes.async_command(
        coordinator,
        device,
        Push(
            command=command,
            parameters=parameters,
            start=times.start,
            end=times.end,
            on_conflict=call.data.get(ATTR_ON_CONFLICT),
        ),
        wait=WAIT if call.data[ATTR_WAIT] else 0,
    )
    return {"action": action.as_record()}


def _quantities(
    data: Mapping[str, Any], names: Mapping[str, Parameters]
) -> dict[str, Quantity]:
    return {
        parameter: Quantity(value=data[field])
        for field, parameter in names.items()
        if field in data
    }


_BATTERY_FIELDS: Final = {
    ATTR_TARGET: Parameters.TARGET,
    ATTR_POWER: Parameters.POWER,
    ATTR_RESERVE: Parameters.RESERVE,
}


async def async_send_command(call: ServiceCall) -> ServiceResponse:
    """Push any command, also one that is not known today."""
    return await _async_push(
        call,
        call.data[ATTR_COMMAND],
        {
            name: Quantity(value=value["value"], unit=value.get("unit"))
            if isinstance(value, dict)
            else Quantity(value=value)
            for name, value in call.data[ATTR_PARAMETERS].items()
        },
    )


async def async_charge(call: ServiceCall) -> ServiceResponse:
    """Have a battery or a car charged."""
    require(call, DeviceType.BATTERY, DeviceType.EV_CHARGER)
    return await _async_push(
        call, Commands.CHARGE, _quantities(call.data, _BATTERY_FIELDS)
    )


async def async_discharge(call: ServiceCall) -> ServiceResponse:
    """Have a battery discharged."""
    require(call, DeviceType.BATTERY)
    return await _async_push(
        call, Commands.DISCHARGE, _quantities(call.data, _BATTERY_FIELDS)
    )


async def async_hold_temperature(call: ServiceCall) -> ServiceResponse:
    """Hold a temperature, or a band; what the mode does not take is refused."""
    whose, _, device = require(call, DeviceType.HVAC)
    data = call.data
    mode = data[ATTR_MODE]
    band = {
        ATTR_HEAT_SETPOINT: Parameters.HEAT_SETPOINT,
        ATTR_COOL_SETPOINT: Parameters.COOL_SETPOINT,
    }
    fields = band if mode == Commands.AUTO else {ATTR_TARGET: Parameters.TARGET}
    given = {
        field
        for field in (ATTR_TARGET, ATTR_HEAT_SETPOINT, ATTR_COOL_SETPOINT)
        if field in data
    }
    # A mode that the thermostat lacks is refused as such further on.
    if mode in capabilities(device):
        if given != set(fields):
            raise refused(
                "hold_needs", whose.name, mode=mode, fields=", ".join(sorted(fields))
            )
        if (
            mode == Commands.AUTO
            and data[ATTR_HEAT_SETPOINT] > data[ATTR_COOL_SETPOINT]
        ):
            raise refused("band_upside_down", whose.name)
    return await _async_push(call, mode, _quantities(data, fields))


async def async_update_settings(call: ServiceCall) -> ServiceResponse:
    """Write settings of a device."""
    whose, coordinator, device = device_of(call)
    await async_check(call, whose.entry, whose.devices)
    updated = await whose.entry.runtime_data.pushes.async_update_settings(
        coordinator, device, call.data[ATTR_SETTINGS]
    )
    return {"updated": list(updated)}
