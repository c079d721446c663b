"""The words of the API: commands, settings, parameters and states.

What the documentation names stands here, with the words that manufacturers
use for the same. Words that nobody knows yet pass through as they are.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
import re
from types import MappingProxyType
from typing import Final


class DeviceType(StrEnum):
    """The types of device, named as in the API's `deviceType`."""

    BATTERY = "battery"
    EV_CHARGER = "ev_charger"
    HVAC = "hvac"
    SOLAR_INVERTER = "solar_inverter"
    VEHICLE = "vehicle"

    @property
    def path(self) -> str:
        """Return the first part of this type's routes."""
        return self.value.replace("_", "-")


class ActionState(StrEnum):
    """The states in an action's life."""

    SCHEDULED = "scheduled"
    ACKNOWLEDGED = "acknowledged"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL_STATES: Final = frozenset(
    {ActionState.COMPLETED, ActionState.FAILED, ActionState.CANCELLED}
)


# What can be steered, and what has settings; the others are read only.
STEERABLE: Final = frozenset(
    {DeviceType.BATTERY, DeviceType.EV_CHARGER, DeviceType.HVAC}
)
WITH_SETTINGS: Final = frozenset({DeviceType.BATTERY, DeviceType.EV_CHARGER})
# What live accounts can steer today; the sandbox takes commands for all.
LIVE_CONTROL: Final = frozenset({DeviceType.BATTERY})


class Commands(StrEnum):
    """Commands, in the order in which people should meet them."""

    CHARGE = "charge"
    DISCHARGE = "discharge"
    IDLE = "idle"
    AUTO_BALANCED = "auto.balanced"
    AUTO_RESERVE = "auto.reserve"
    AUTO_EXPORT = "auto.export"
    HEAT = "heat"
    COOL = "cool"
    AUTO = "auto"
    FOLLOW_SCHEDULE = "follow_schedule"
    # Of the older generation alone; now a setting.
    SET_MAX_POWER = "set_max_power"


# Where no dot can stand, an underscore does.
_UNDOTTED: Final = MappingProxyType({item.replace(".", "_"): item for item in Commands})


def command_of(key: str) -> str:
    """Return the command of a key in a form, which has no dots."""
    return _UNDOTTED.get(key, key)


class Parameters(StrEnum):
    """Parameters of commands."""

    TARGET = "target"
    POWER = "power"
    RESERVE = "reserve"
    HEAT_SETPOINT = "heatSetpoint"
    COOL_SETPOINT = "coolSetpoint"
    MAX_POWER = "maxPower"


_UNHUMPED: Final = MappingProxyType(
    {
        "heat_setpoint": Parameters.HEAT_SETPOINT,
        "cool_setpoint": Parameters.COOL_SETPOINT,
        "max_power": Parameters.MAX_POWER,
    }
)


def parameter_of(key: str) -> str:
    """Return the parameter of a key in a form, which has no capitals."""
    return _UNHUMPED.get(key, key)


class Settings(StrEnum):
    """Settings: lasting values of a device."""

    SAFETY_RESERVE = "safety_reserve"
    DISCHARGE_FLOOR = "discharge_floor"
    CHARGE_CEILING = "charge_ceiling"
    EXPORT_LIMIT = "export_limit"
    MAX_CHARGE_RATE = "max_charge_rate"
    MAX_DISCHARGE_RATE = "max_discharge_rate"
    SCHEDULER_ENABLED = "scheduler_enabled"


# The API shows this one and takes no value for it.
READ_ONLY_SETTINGS: Final = frozenset({Settings.SCHEDULER_ENABLED})


class Units(StrEnum):
    """Units of parameters and settings."""

    PERCENT = "percent"
    KW = "kw"
    WATTS = "watts"
    KWH = "kwh"
    AMPS = "amps"
    VOLTS = "volts"
    HOURS = "hours"
    MINUTES = "minutes"
    CELSIUS = "celsius"
    FAHRENHEIT = "fahrenheit"


class Execution(StrEnum):
    """When a command is carried out."""

    IMMEDIATE = "immediate"
    SCHEDULED = "scheduled"
    WINDOWED = "windowed"


class Strategy(StrEnum):
    """What to do about an action in the way."""

    CANCEL_AND_REPLACE = "cancel_and_replace"
    QUEUE_AFTER = "queue_after"


# How an action fails while the manufacturer's own schedule is in the way.
SCHEDULER_ACTIVE: Final = "SCHEDULER_ACTIVE"


class HvacMode(StrEnum):
    """Modes of a thermostat."""

    HEAT = "heat"
    COOL = "cool"
    AUTO = "auto"
    OFF = "off"


class HoldType(StrEnum):
    """What a thermostat goes by."""

    FOLLOW_SCHEDULE = "follow_schedule"
    PERMANENT = "permanent"


class BatteryStatus(StrEnum):
    """What a battery is doing."""

    CHARGING = "charging"
    DISCHARGING = "discharging"
    IDLE = "idle"
    STANDBY = "standby"
    FAULT = "fault"


class EvChargerStatus(StrEnum):
    """What an EV charger is doing."""

    AVAILABLE = "available"
    CONNECTED = "connected"
    CHARGING = "charging"
    PAUSED = "paused"
    FINISHED = "finished"
    RESERVED = "reserved"
    OUT_OF_SERVICE = "out_of_service"
    FAULT = "fault"


class SolarInverterStatus(StrEnum):
    """What a solar inverter is doing."""

    PRODUCING = "producing"
    IDLE = "idle"
    STANDBY = "standby"
    OFF = "off"
    FAULT = "fault"


_FAULTS: Final = ("fault", "faulted", "error", "failure", "alarm")

_SYNONYMS: Final[Mapping[type[StrEnum], Mapping[str, StrEnum]]] = MappingProxyType(
    {
        BatteryStatus: {
            "charge": BatteryStatus.CHARGING,
            "discharge": BatteryStatus.DISCHARGING,
            "full": BatteryStatus.IDLE,
            "sleep": BatteryStatus.STANDBY,
            "sleeping": BatteryStatus.STANDBY,
            **dict.fromkeys(_FAULTS, BatteryStatus.FAULT),
        },
        EvChargerStatus: {
            "ready": EvChargerStatus.AVAILABLE,
            "disconnected": EvChargerStatus.AVAILABLE,
            "not_connected": EvChargerStatus.AVAILABLE,
            "unplugged": EvChargerStatus.AVAILABLE,
            "plugged": EvChargerStatus.CONNECTED,
            "plugged_in": EvChargerStatus.CONNECTED,
            "occupied": EvChargerStatus.CONNECTED,
            "preparing": EvChargerStatus.CONNECTED,
            "awaiting_start": EvChargerStatus.CONNECTED,
            "suspended": EvChargerStatus.PAUSED,
            "suspended_ev": EvChargerStatus.PAUSED,
            "suspended_evse": EvChargerStatus.PAUSED,
            "stopped": EvChargerStatus.PAUSED,
            "finishing": EvChargerStatus.FINISHED,
            "complete": EvChargerStatus.FINISHED,
            "completed": EvChargerStatus.FINISHED,
            "charged": EvChargerStatus.FINISHED,
            "unavailable": EvChargerStatus.OUT_OF_SERVICE,
            "inoperative": EvChargerStatus.OUT_OF_SERVICE,
            **dict.fromkeys(_FAULTS, EvChargerStatus.FAULT),
        },
        SolarInverterStatus: {
            "generating": SolarInverterStatus.PRODUCING,
            "on": SolarInverterStatus.PRODUCING,
            "on_grid": SolarInverterStatus.PRODUCING,
            "not_producing": SolarInverterStatus.IDLE,
            "waiting": SolarInverterStatus.IDLE,
            "sleep": SolarInverterStatus.STANDBY,
            "sleeping": SolarInverterStatus.STANDBY,
            "night": SolarInverterStatus.STANDBY,
            **dict.fromkeys(_FAULTS, SolarInverterStatus.FAULT),
        },
        HvacMode: {
            "heating": HvacMode.HEAT,
            "cooling": HvacMode.COOL,
            "heat_cool": HvacMode.AUTO,
            "idle": HvacMode.OFF,
        },
        HoldType: {"schedule": HoldType.FOLLOW_SCHEDULE, "hold": HoldType.PERMANENT},
    }
)

_WORD_BREAK: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s\-]+")


def understand[WordT: StrEnum](kind: type[WordT], word: str | None) -> WordT | None:
    """Return what a reported word means, or None where it is not known.

    Spelling does not matter: `SuspendedEV`, `suspended-ev` and
    `suspended_ev` are one word.
    """
    found = None if word is None else _meaning(kind, word)
    return found if isinstance(found, kind) else None


@lru_cache(maxsize=512)
def _meaning(kind: type[StrEnum], word: str) -> StrEnum | None:
    for spelling in (word, _WORD_BREAK.sub("_", word.strip()).lower()):
        if spelling in kind:
            return kind(spelling)
    return _SYNONYMS.get(kind, {}).get(spelling)


# The documented bounds of settings, for devices that do not say their own.
SETTING_BOUNDS: Final[Mapping[str, tuple[float, float | None]]] = MappingProxyType(
    {
        Units.PERCENT: (0, 100),
        Units.WATTS: (0, None),
        Units.AMPS: (0, 1000),
        Units.KW: (0, 50),
    }
)

# The documented units of settings, for devices that do not say their own.
SETTING_UNITS: Final[Mapping[DeviceType, Mapping[str, Units]]] = MappingProxyType(
    {
        DeviceType.BATTERY: {
            Settings.SAFETY_RESERVE: Units.PERCENT,
            Settings.DISCHARGE_FLOOR: Units.PERCENT,
            Settings.CHARGE_CEILING: Units.PERCENT,
            Settings.EXPORT_LIMIT: Units.WATTS,
            Settings.MAX_CHARGE_RATE: Units.AMPS,
            Settings.MAX_DISCHARGE_RATE: Units.AMPS,
        },
        DeviceType.EV_CHARGER: {Settings.MAX_CHARGE_RATE: Units.KW},
    }
)
