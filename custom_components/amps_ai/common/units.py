"""Units: the API's as people write them, and the house's temperatures."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from homeassistant.const import (
    PERCENTAGE,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfTemperature,
    UnitOfTime,
)
from homeassistant.util.unit_conversion import TemperatureConverter

from ..api import Parameter
from ..api.vocabulary import Units

# The units that thermostats speak, as Home Assistant writes them.
TEMPERATURE_UNITS: Final[Mapping[str, UnitOfTemperature]] = MappingProxyType(
    {
        Units.CELSIUS: UnitOfTemperature.CELSIUS,
        Units.FAHRENHEIT: UnitOfTemperature.FAHRENHEIT,
    }
)
# All units of the API, as Home Assistant writes them.
UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **TEMPERATURE_UNITS,
        Units.PERCENT: PERCENTAGE,
        Units.WATTS: UnitOfPower.WATT,
        Units.KW: UnitOfPower.KILO_WATT,
        Units.KWH: UnitOfEnergy.KILO_WATT_HOUR,
        Units.AMPS: UnitOfElectricCurrent.AMPERE,
        Units.VOLTS: UnitOfElectricPotential.VOLT,
        Units.HOURS: UnitOfTime.HOURS,
        Units.MINUTES: UnitOfTime.MINUTES,
    }
)
# The decimals of what Home Assistant shows, and of what is said to a device.
DECIMALS: Final[Mapping[str, int]] = MappingProxyType(
    {UnitOfTemperature.CELSIUS: 1, UnitOfTemperature.FAHRENHEIT: 0}
)


def unit_of(parameter: Parameter | None) -> UnitOfTemperature | None:
    """Return the unit of a temperature, None for anything else."""
    return TEMPERATURE_UNITS.get((parameter and parameter.unit) or "")


def for_device(value: float, unit: str, parameter: Parameter | None) -> float:
    """Return what is given in the house's unit in the one that a device takes."""
    theirs = unit_of(parameter)
    if theirs is None or theirs == unit:
        return value
    return round(TemperatureConverter.convert(value, unit, theirs), DECIMALS[theirs])


def for_house(value: float, unit: str, parameter: Parameter) -> float:
    """Return what a device takes in the house's unit."""
    theirs = unit_of(parameter)
    if theirs is None:
        return value
    return round(TemperatureConverter.convert(value, theirs, unit), 1)


def converted(amount: str, theirs: str, unit: str) -> str:
    """Return a temperature of a sentence in another unit."""
    try:
        value = TemperatureConverter.convert(float(amount), theirs, unit)
    except ValueError:
        # It is not bounded, or no number at all.
        return amount
    return f"{round(value, DECIMALS[unit]):g}"
