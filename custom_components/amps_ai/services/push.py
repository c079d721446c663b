"""Actions that push a command, or write settings."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from homeassistant.core import ServiceCall, ServiceResponse

from ..api import DeviceType, Push, Quantity, capabilities
from ..api.vocabulary import Commands, Parameters, command_of, parameter_of
from ..common.errors import refusals_in, refused
from ..common.units import for_device
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
from .several import Answer, async_for_each
from .times import times_of
from .whose import Named

# How long an action (service) waits for the end of what it pushed.
WAIT: Final = 10


async def _async_push(
    call: ServiceCall,
    command: str,
    parameters: Mapping[str, Quantity],
    named: Named,
) -> Answer:
    """Push what a call says, and return the action that it became."""
    runtime = named.entry.runtime_data
    times = times_of(call.data, named.name, runtime.account.clock)
    action = await runtime.pushes.async_command(
        named.coordinator,
        named.device,
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
    parameters = {
        parameter_of(name): Quantity(value=value["value"], unit=value.get("unit"))
        if isinstance(value, dict)
        else Quantity(value=value)
        for name, value in call.data[ATTR_PARAMETERS].items()
    }
    return await async_for_each(
        call,
        partial(_async_push, call, command_of(call.data[ATTR_COMMAND]), parameters),
    )


async def async_charge(call: ServiceCall) -> ServiceResponse:
    """Have batteries or cars charged."""
    parameters = _quantities(call.data, _BATTERY_FIELDS)
    return await async_for_each(
        call,
        partial(_async_push, call, Commands.CHARGE, parameters),
        DeviceType.BATTERY,
        DeviceType.EV_CHARGER,
    )


async def async_discharge(call: ServiceCall) -> ServiceResponse:
    """Have batteries discharged."""
    parameters = _quantities(call.data, _BATTERY_FIELDS)
    return await async_for_each(
        call,
        partial(_async_push, call, Commands.DISCHARGE, parameters),
        DeviceType.BATTERY,
    )


async def async_hold_temperature(call: ServiceCall) -> ServiceResponse:
    """Hold a temperature, or a band, given in the house's unit."""
    return await async_for_each(call, partial(_async_hold, call), DeviceType.HVAC)


async def _async_hold(call: ServiceCall, named: Named) -> Answer:
    """Hold a temperature; what the mode does not take is refused."""
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
    quantities = _quantities(data, fields)
    unit = call.hass.config.units.temperature_unit
    # A mode that the thermostat lacks is refused as such further on.
    if (command := capabilities(named.device).get(mode)) is not None:
        if given != set(fields):
            raise refused(
                "hold_needs", named.name, mode=mode, fields=", ".join(sorted(fields))
            )
        if (
            mode == Commands.AUTO
            and data[ATTR_HEAT_SETPOINT] > data[ATTR_COOL_SETPOINT]
        ):
            raise refused("band_upside_down", named.name)
        quantities = {
            name: Quantity(
                value=for_device(quantity.value, unit, command.parameters.get(name))
            )
            for name, quantity in quantities.items()
        }
    with refusals_in(unit):
        return await _async_push(call, mode, quantities, named)


async def async_update_settings(call: ServiceCall) -> ServiceResponse:
    """Write settings of devices."""
    return await async_for_each(call, partial(_async_write, call.data[ATTR_SETTINGS]))


async def _async_write(values: Mapping[str, float], named: Named) -> Answer:
    updated = await named.entry.runtime_data.pushes.async_update_settings(
        named.coordinator, named.device, values
    )
    return {"updated": list(updated)}
