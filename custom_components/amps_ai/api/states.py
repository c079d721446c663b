"""What each type of device measures and does, and how fresh that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, Self

from .reported import Reported, key
from .values import flag, instant, number, word
from .vocabulary import DeviceType

# A battery of more than this many kWh is a reply that speaks in Wh.
_MOST_KWH: Final = 1000
# No home has more; a reply of more is in watts, or no measurement.
_MOST_KW: Final = 100


def _kw(value: object) -> float | None:
    amount = number(value)
    return amount if amount is not None and abs(amount) <= _MOST_KW else None


def _kwh(value: object) -> float | None:
    amount = number(value)
    return amount / 1000 if amount is not None and amount > _MOST_KWH else amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync(Reported):
    """How fresh a device's state is."""

    available: bool | None = key("available", flag)
    last_pulled_at: datetime | None = key("lastPulledAt", instant)

    def is_like(self, other: Self) -> bool:
        """Tell whether another one differs in nothing but its time."""
        return self.raw.keys() == other.raw.keys() and self.available == other.available


@dataclass(frozen=True, slots=True, kw_only=True)
class State(Reported):
    """What a device measures and does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryState(State):
    """A battery: level and discharge limit in %, capacity in kWh.

    `charge_rate` is in kW and negative while discharging.
    """

    status: str | None = key("status", word)
    level: float | None = key("level", number)
    capacity: float | None = key("capacity", _kwh)
    charge_rate: float | None = key("chargeRate", _kw)
    discharge_limit: float | None = key("dischargeLimit", number)
    current_mode: str | None = key("currentMode", word)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvChargerState(State):
    """An EV charger: powers in kW, current in A."""

    status: str | None = key("status", word)
    is_connected: bool | None = key("isConnected", flag)
    is_charging: bool | None = key("isCharging", flag)
    current_power: float | None = key("currentPower", _kw)
    max_current: float | None = key("maxCurrent", number)
    power_rate_limit: float | None = key("powerRateLimit", number)


@dataclass(frozen=True, slots=True, kw_only=True)
class HvacState(State):
    """A thermostat: temperatures in °C."""

    temperature: float | None = key("temperature", number)
    active: bool | None = key("active", flag)
    heat_setpoint: float | None = key("heatSetpoint", number)
    cool_setpoint: float | None = key("coolSetpoint", number)
    hold_type: str | None = key("holdType", word)
    mode: str | None = key("mode", word)


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarInverterState(State):
    """A solar inverter: power in kW, energy over its life in kWh."""

    status: str | None = key("status", word)
    current_power: float | None = key("currentPower", _kw)
    producing: bool | None = key("producing", flag)
    energy_total: float | None = key("energyTotal", number)


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleState(State):
    """A vehicle: % of charge, kWh, kW, minutes and A.

    The unit of `range` is not documented; the documented examples fit miles.
    """

    battery_level: float | None = key("batteryLevel", number)
    range: float | None = key("range", number)
    plugged: bool | None = key("plugged", flag)
    charging: bool | None = key("charging", flag)
    fully_charged: bool | None = key("fullyCharged", flag)
    battery_capacity: float | None = key("batteryCapacity", _kwh)
    charge_limit: float | None = key("chargeLimit", number)
    charge_rate: float | None = key("chargeRate", _kw)
    charge_time_remaining: float | None = key("chargeTimeRemaining", number)
    max_current: float | None = key("maxCurrent", number)


STATES: Final[Mapping[DeviceType, type[State]]] = MappingProxyType(
    {
        DeviceType.BATTERY: BatteryState,
        DeviceType.EV_CHARGER: EvChargerState,
        DeviceType.HVAC: HvacState,
        DeviceType.SOLAR_INVERTER: SolarInverterState,
        DeviceType.VEHICLE: VehicleState,
    }
)
