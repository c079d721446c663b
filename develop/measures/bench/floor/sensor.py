"""The floor's sensors: as many as the integration has entities, over the same data."""

import json
from pathlib import Path
from types import MappingProxyType
from typing import Final, override

from homeassistant.components.sensor import SensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from . import DOMAIN, FloorConfigEntry, FloorCoordinator

PARALLEL_UPDATES = 0

# From which field of the body an entity of the integration is fed: part and name.
type Source = tuple[str, str]

_BATTERY: Final[dict[str, str]] = {
    "level": "level",
    "power": "chargeRate",
    "status": "status",
    "capacity": "capacity",
    "discharge_limit": "dischargeLimit",
    "charging": "status",
    "energy_charged": "chargeRate",
    "energy_discharged": "chargeRate",
    "mode": "currentMode",
}
_EV_CHARGER: Final[dict[str, str]] = {
    "status": "status",
    "power": "currentPower",
    "max_current": "maxCurrent",
    "power_limit": "powerRateLimit",
    "connected": "isConnected",
    "charging": "isCharging",
    "charge": "isCharging",
    "energy_delivered": "currentPower",
}
_HVAC: Final[dict[str, str]] = {"climate": "temperature"}
_SOLAR_INVERTER: Final[dict[str, str]] = {
    "power": "currentPower",
    "energy_total": "energyTotal",
    "status": "status",
    "producing": "producing",
}
_VEHICLE: Final[dict[str, str]] = {
    "battery_level": "batteryLevel",
    "range": "range",
    "power": "chargeRate",
    "charge_limit": "chargeLimit",
    "charge_time_remaining": "chargeTimeRemaining",
    "battery_capacity": "batteryCapacity",
    "max_current": "maxCurrent",
    "plugged": "plugged",
    "charging": "charging",
    "fully_charged": "fullyCharged",
}
SOURCES: Final = MappingProxyType(
    {
        "battery": _BATTERY,
        "ev-charger": _EV_CHARGER,
        "hvac": _HVAC,
        "solar-inverter": _SOLAR_INVERTER,
        "vehicle": _VEHICLE,
    }
)


def source(path: str, key: str) -> Source:
    """Return what feeds an entity; what no reading moves has what stays the same."""
    if (name := SOURCES[path].get(key)) is not None:
        return "state", name
    if key == "sync":
        return "sync", "available"
    return "metadata", "model"


async def async_setup_entry(
    hass: HomeAssistant,
    entry: FloorConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of the plan."""
    text = await hass.async_add_executor_job(Path(entry.data["plan"]).read_text)
    plan: dict[str, list[str]] = json.loads(text)
    async_add_entities(
        FloorSensor(coordinator, device_id, key)
        for coordinator in entry.runtime_data.coordinators.values()
        for device_id in coordinator.data
        for key in plan[device_id]
    )


class FloorSensor(CoordinatorEntity[FloorCoordinator], SensorEntity):
    """A field of a device."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: FloorCoordinator, device_id: str, key: str) -> None:
        """Describe the sensor of a field."""
        super().__init__(coordinator)
        body = coordinator.data[device_id]
        self._device_id = device_id
        self._part, self._field = source(coordinator.path, key)
        self._attr_name = key.replace("_", " ").capitalize()
        self._attr_unique_id = f"{device_id}_{key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, device_id)},
            name=f"{body['metadata']['model']} {device_id}",
            manufacturer=body["vendor"],
            model=body["metadata"]["model"],
        )

    @property
    @override
    def native_value(self) -> StateType:
        """Return the field as it is."""
        body = self.coordinator.data[self._device_id]
        value: StateType = body[self._part][self._field]
        return value
