"""Binary sensors: what devices do or are."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import Device, DeviceType
from .api.models import flag
from .api.vocabulary import BatteryStatus, Settings, understand
from .entities import AmpsEntity, AmpsEntityDescription, Table, async_setup_entities
from .runtime import AmpsConfigEntry

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AmpsBinarySensorDescription(AmpsEntityDescription, BinarySensorEntityDescription):
    """A binary sensor.

    Its state is the field of the state that it reads, or what `is_on_fn`
    makes of the whole device.
    """

    is_on_fn: Callable[[Device], bool | None] | None = None


def _flag(
    key: str, reads: str, device_class: BinarySensorDeviceClass | None = None
) -> AmpsBinarySensorDescription:
    """Describe a flag: named by its device class, else by its key."""
    return AmpsBinarySensorDescription(
        key=key,
        reads=reads,
        device_class=device_class,
        translation_key=None if device_class else key,
    )


def _is_charging(device: Device) -> bool | None:
    """Tell by the status, or by the power where the status is no known word."""
    state: Any = device.state
    if (status := understand(BatteryStatus, state.status)) is not None:
        return status is BatteryStatus.CHARGING
    return None if state.charge_rate is None else state.charge_rate > 0


def _scheduler_enabled(device: Device) -> bool | None:
    setting = (device.settings or {}).get(Settings.SCHEDULER_ENABLED)
    told = setting is not None and "settings" not in device.left_out
    return flag(setting.value) if setting and told else None


SYNC: Final = AmpsBinarySensorDescription(
    key="sync",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
    reads="available",
    part="sync",
)

BINARY_SENSORS: Final[Table[AmpsBinarySensorDescription]] = MappingProxyType(
    {
        DeviceType.BATTERY: (
            SYNC,
            AmpsBinarySensorDescription(
                key="charging",
                device_class=BinarySensorDeviceClass.BATTERY_CHARGING,
                reads=("status", "charge_rate"),
                is_on_fn=_is_charging,
            ),
            AmpsBinarySensorDescription(
                key=Settings.SCHEDULER_ENABLED,
                translation_key="scheduler_enabled",
                entity_category=EntityCategory.DIAGNOSTIC,
                exists_fn=lambda device: (
                    Settings.SCHEDULER_ENABLED in (device.settings or {})
                ),
                is_on_fn=_scheduler_enabled,
                shows=(),
            ),
        ),
        DeviceType.EV_CHARGER: (
            SYNC,
            _flag("connected", "is_connected", BinarySensorDeviceClass.PLUG),
            _flag("charging", "is_charging", BinarySensorDeviceClass.BATTERY_CHARGING),
        ),
        DeviceType.HVAC: (SYNC,),
        DeviceType.SOLAR_INVERTER: (SYNC, _flag("producing", "producing")),
        DeviceType.VEHICLE: (
            SYNC,
            _flag("plugged", "plugged", BinarySensorDeviceClass.PLUG),
            _flag("charging", "charging", BinarySensorDeviceClass.BATTERY_CHARGING),
            _flag("fully_charged", "fully_charged"),
        ),
    }
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of the devices."""
    await async_setup_entities(
        entry, async_add_entities, BINARY_SENSORS, AmpsBinarySensor
    )


class AmpsBinarySensor(AmpsEntity, BinarySensorEntity):
    """Something that a device does or does not."""

    entity_description: AmpsBinarySensorDescription

    # As in `AmpsEntity`: what is the same for all stands here once.
    capability_attributes = None
    extra_state_attributes = None
    supported_features = None
    unit_of_measurement = None

    @property
    @override
    def is_on(self) -> bool | None:
        """Return what is reported; unknown where nothing is."""
        is_on_fn = self.entity_description.is_on_fn
        if is_on_fn is not None:
            return is_on_fn(self.device)
        value: bool | None = self.reported
        return value
