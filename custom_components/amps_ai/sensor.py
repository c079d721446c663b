"""Sensors: what devices measure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, override

from homeassistant.components.sensor import (
    ATTR_STATE_CLASS,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    PERCENTAGE,
    EntityCategory,
    UnitOfElectricCurrent,
    UnitOfEnergy,
    UnitOfLength,
    UnitOfPower,
    UnitOfTemperature,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from .api import Action, ActionState, Device, DeviceType, temperature_unit
from .api.vocabulary import (
    STEERABLE,
    BatteryStatus,
    EvChargerStatus,
    SolarInverterStatus,
    understand,
)
from .common.const import ATTR_REPORTED_STATUS
from .common.units import TEMPERATURE_UNITS
from .entities import Table, action_attributes, async_setup_entities, takes_commands
from .entities.counters import AmpsLifetimeSensor, AmpsMeter, AmpsMeterDescription
from .entities.energy_meter import battery_content, battery_power, charger_power
from .entities.measuring import AmpsPlainSensorDescription, AmpsSensorEntity, plain
from .entities.plan import NEXT, AmpsPlanEntity, async_setup_plan_entities
from .runtime import AmpsConfigEntry

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AmpsSensorDescription(AmpsPlainSensorDescription):
    """A sensor over a field of the state.

    `convert` turns the reported value into the shown one; `words` is the
    vocabulary of an enum; `decimals`, how exactly a number is measured;
    `unit_of` finds the unit of a device that chooses it.
    """

    convert: Callable[[Any], StateType] | None = None
    unit_of: Callable[[Device], str] | None = None
    words: type[StrEnum] | None = None
    decimals: int | None = None


def _status(words: type[StrEnum]) -> AmpsSensorDescription:
    return AmpsSensorDescription(
        key="status",
        translation_key="status",
        reads="status",
        device_class=SensorDeviceClass.ENUM,
        options=[word.value for word in words],
        words=words,
    )


def _power(
    reads: str, convert: Callable[[Any], StateType] | None = None
) -> AmpsSensorDescription:
    return AmpsSensorDescription(
        key="power",
        reads=reads,
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.KILO_WATT,
        suggested_display_precision=2,
        decimals=3,
        convert=convert,
    )


def _level(key: str, reads: str) -> AmpsSensorDescription:
    return AmpsSensorDescription(
        key=key,
        reads=reads,
        device_class=SensorDeviceClass.BATTERY,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        decimals=0,
    )


def _capacity(key: str, reads: str) -> AmpsSensorDescription:
    return AmpsSensorDescription(
        key=key,
        translation_key=key,
        reads=reads,
        device_class=SensorDeviceClass.ENERGY_STORAGE,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        entity_category=EntityCategory.DIAGNOSTIC,
        suggested_display_precision=1,
    )


def _percent(key: str, reads: str, **more: Any) -> AmpsSensorDescription:
    return AmpsSensorDescription(
        key=key,
        translation_key=key,
        reads=reads,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        **more,
    )


def _max_current() -> AmpsSensorDescription:
    return AmpsSensorDescription(
        key="max_current",
        translation_key="max_current",
        reads="max_current",
        device_class=SensorDeviceClass.CURRENT,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        entity_category=EntityCategory.DIAGNOSTIC,
        suggested_display_precision=0,
    )


def _meter(
    key: str,
    reads: str,
    power: Callable[[Any], float | None],
    sign: int = 1,
    content: Callable[[Any], float | None] | None = None,
    **more: Any,
) -> AmpsMeterDescription:
    def _signed(value: float | None) -> float | None:
        return None if value is None else sign * value

    def _power(state: Any) -> float | None:
        flows = _signed(power(state))
        return None if flows is None else max(flows, 0)

    return AmpsMeterDescription(
        key=key,
        translation_key=key,
        reads=reads,
        suggested_display_precision=2,
        power=_power,
        content=None if content is None else lambda state: _signed(content(state)),
        **more,
    )


def _discharging_is_positive(charge_rate: float) -> float:
    """Turn the sign, as Home Assistant's Energy dashboard has it; 0 is never -0."""
    return -charge_rate if charge_rate else 0


SENSORS: Final[Table[AmpsSensorDescription]] = MappingProxyType(
    {
        DeviceType.BATTERY: (
            _level("level", "level"),
            _power("charge_rate", _discharging_is_positive),
            _status(BatteryStatus),
            _capacity("capacity", "capacity"),
            _percent(
                "discharge_limit",
                "discharge_limit",
                entity_category=EntityCategory.DIAGNOSTIC,
            ),
        ),
        DeviceType.EV_CHARGER: (
            _status(EvChargerStatus),
            _power("current_power"),
            _max_current(),
            AmpsSensorDescription(
                key="power_limit",
                translation_key="power_limit",
                reads="power_rate_limit",
                device_class=SensorDeviceClass.POWER,
                native_unit_of_measurement=UnitOfPower.KILO_WATT,
                entity_category=EntityCategory.DIAGNOSTIC,
                suggested_display_precision=1,
            ),
        ),
        DeviceType.HVAC: (
            AmpsSensorDescription(
                key="temperature",
                translation_key="temperature",
                reads="temperature",
                device_class=SensorDeviceClass.TEMPERATURE,
                state_class=SensorStateClass.MEASUREMENT,
                native_unit_of_measurement=UnitOfTemperature.CELSIUS,
                unit_of=lambda device: TEMPERATURE_UNITS[temperature_unit(device)],
                suggested_display_precision=1,
            ),
        ),
        DeviceType.SOLAR_INVERTER: (
            _power("current_power"),
            _status(SolarInverterStatus),
        ),
        DeviceType.VEHICLE: (
            _level("battery_level", "battery_level"),
            AmpsSensorDescription(
                key="range",
                translation_key="range",
                reads="range",
                device_class=SensorDeviceClass.DISTANCE,
                # No state class: over hours and years, the level says it all.
                # Not documented; the documented examples fit nothing else.
                native_unit_of_measurement=UnitOfLength.MILES,
                suggested_display_precision=0,
                decimals=0,
            ),
            _power("charge_rate"),
            _percent("charge_limit", "charge_limit"),
            AmpsSensorDescription(
                key="charge_time_remaining",
                translation_key="charge_time_remaining",
                reads="charge_time_remaining",
                device_class=SensorDeviceClass.DURATION,
                native_unit_of_measurement=UnitOfTime.MINUTES,
                suggested_display_precision=0,
            ),
            _capacity("battery_capacity", "battery_capacity"),
            _max_current(),
        ),
    }
)

# The API tells energy of solar inverters only.
METERS: Final[Table[AmpsMeterDescription]] = MappingProxyType(
    {
        DeviceType.BATTERY: (
            _meter(
                "energy_charged",
                "charge_rate",
                battery_power,
                content=battery_content,
            ),
            _meter(
                "energy_discharged",
                "charge_rate",
                battery_power,
                -1,
                content=battery_content,
            ),
        ),
        DeviceType.EV_CHARGER: (
            _meter("energy_delivered", "current_power", charger_power, bridges=True),
        ),
    }
)

LIFETIMES: Final[Table[AmpsSensorDescription]] = MappingProxyType(
    {
        DeviceType.SOLAR_INVERTER: (
            AmpsSensorDescription(
                key="energy_total",
                translation_key="energy_total",
                reads="energy_total",
                suggested_display_precision=1,
            ),
        ),
    }
)

READINGS: Final[Table[AmpsPlainSensorDescription]] = MappingProxyType(
    dict.fromkeys(
        DeviceType,
        (
            AmpsPlainSensorDescription(
                key="last_pulled",
                translation_key="last_pulled",
                entity_category=EntityCategory.DIAGNOSTIC,
                entity_registry_enabled_default=False,
                reads="last_pulled_at",
                part="sync",
            ),
        ),
    )
)

LAST_ACTIONS: Final[Table[AmpsPlainSensorDescription]] = MappingProxyType(
    {
        device_type: (
            AmpsPlainSensorDescription(
                key="last_action",
                translation_key="last_action",
                entity_category=EntityCategory.DIAGNOSTIC,
                exists_fn=takes_commands,
                shows=(),
            ),
        )
        for device_type in sorted(STEERABLE)
    }
)

NEXT_SENSOR: Final = SensorEntityDescription(
    key=NEXT, translation_key=NEXT, device_class=SensorDeviceClass.TIMESTAMP
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of the devices."""
    await async_setup_entities(entry, async_add_entities, SENSORS, AmpsSensor)
    await async_setup_entities(entry, async_add_entities, METERS, AmpsMeter)
    await async_setup_entities(entry, async_add_entities, LIFETIMES, AmpsLifetimeSensor)
    await async_setup_entities(entry, async_add_entities, READINGS, AmpsReadingSensor)
    await async_setup_entities(
        entry, async_add_entities, LAST_ACTIONS, AmpsLastActionSensor
    )
    async_setup_plan_entities(
        hass,
        entry,
        async_add_entities,
        lambda plans, plan, device: AmpsNextSensor(plans, plan, device, NEXT_SENSOR),
    )


class AmpsSensor(AmpsSensorEntity):
    """A value that a device reports."""

    entity_description: AmpsSensorDescription

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        """Return the unit, as the device has it where that is its choice."""
        description = self.entity_description
        if description.unit_of is None:
            return description.native_unit_of_measurement
        return description.unit_of(self.device)

    @property
    @override
    def native_value(self) -> StateType:
        """Return the reported value; a word that nobody knows is unknown."""
        value: Any = self.reported
        description = self.entity_description
        if value is None:
            return None
        if description.words is not None:
            return understand(description.words, value)
        if description.convert is not None:
            value = description.convert(value)
        decimals = description.decimals
        shown: StateType = value if decimals is None else plain(value, decimals)
        return shown

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return the word as reported, where it is not a known one."""
        words = self.entity_description.words
        if words is None or self.reported is None:
            return None
        if understand(words, self.reported) is not None:
            return None
        return {ATTR_REPORTED_STATUS: self.reported}


class AmpsReadingSensor(AmpsSensorEntity):
    """When a device was last captured."""

    _attr_device_class = SensorDeviceClass.TIMESTAMP
    _follows_readings = True

    @property
    @override
    def native_value(self) -> datetime | None:
        """Return when the shown state was captured."""
        captured: datetime | None = self.reported
        return captured


class AmpsLastActionSensor(AmpsSensorEntity):
    """What became of the newest command, whoever sent it."""

    _attr_device_class = SensorDeviceClass.ENUM
    options = [state.value for state in ActionState]

    @property
    def _action(self) -> Action | None:
        return self.pushes.follower.async_latest(self.device)

    @property
    @override
    def native_value(self) -> StateType:
        """Return the state of the newest action."""
        action = self._action
        return understand(ActionState, action.state) if action else None

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Return what was asked, under which id, and what went wrong."""
        # Home Assistant keeps sensors that name one out of Activity. What became
        # of a command stands there in a sentence: see `logbook`.
        attributes: dict[str, Any] = {ATTR_STATE_CLASS: None}
        if (action := self._action) is None:
            return attributes
        attributes |= action_attributes(action)
        if action.state is not None and understand(ActionState, action.state) is None:
            attributes[ATTR_REPORTED_STATUS] = action.state
        return attributes


class AmpsNextSensor(AmpsPlanEntity, SensorEntity):
    """When a plan begins next."""

    @property
    @override
    def native_value(self) -> datetime | None:
        """Return the next time, None while it is off or over."""
        coming = self.plans.coming(self.plan)
        return coming.start if coming else None

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Return how the plan fares."""
        return {"status": self.plans.status(self.plan)}
