"""What a person would have done in the first evening: areas, energies, a plan."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from homeassistant.components.energy.data import (
    EnergyPreferencesUpdate,
    async_get_manager,
)
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import WEEKDAYS
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.util import dt as dt_util

from custom_components.amps_ai.api import DeviceType
from custom_components.amps_ai.api.vocabulary import Execution
from custom_components.amps_ai.plans.plan import SUBENTRY_TYPE, takes_plans
from custom_components.amps_ai.runtime import AmpsRuntimeData

AMPS: Final = "amps_ai"
# With more devices than these it is no home, but the houses of many.
MOST_DEVICES: Final = 20

# By what only such a device has: where it stands.
AREAS: Final = (
    ("select.mode", "Utility room", "mdi:washing-machine"),
    ("sensor.energy_delivered", "Garage", "mdi:garage"),
    ("sensor.range", "Garage", "mdi:garage"),
    ("climate.climate", "Living room", "mdi:sofa"),
    ("sensor.energy_total", "Roof", "mdi:home-roof"),
)


async def async_furnish(hass: HomeAssistant, *, bare: bool) -> None:
    """Do it; a person's own choices are left alone."""
    devices = dict(_devices(hass))
    many = len(devices) > MOST_DEVICES
    manager = await async_get_manager(hass)
    is_new = manager.data is None
    if is_new:
        await manager.async_update(
            EnergyPreferencesUpdate(energy_sources=[], device_consumption=[])
            if many
            else energy(hass)
        )
    if bare:
        return
    if is_new:
        _charge_by_night(hass)
    if not many:
        await _async_warm_tomorrow(hass, devices)
    # Last: entities that come later have the area in their ids.
    await hass.async_block_till_done()
    _place(hass, devices, many=many)


def _devices(hass: HomeAssistant) -> Iterator[tuple[str, dict[str, str]]]:
    """Return the devices, each with its entities by platform and key."""
    entities = er.async_get(hass)
    for entry in hass.config_entries.async_entries(AMPS):
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        ):
            ids = {identifier for domain, identifier in device.identifiers}
            found = {
                f"{entity.domain}.{entity.unique_id.removeprefix(f'{device_id}_')}": (
                    entity.entity_id
                )
                for device_id in ids
                for entity in er.async_entries_for_device(entities, device.id)
            }
            if entry.entry_id not in ids:
                yield device.id, found


def _place(
    hass: HomeAssistant, devices: dict[str, dict[str, str]], *, many: bool
) -> None:
    """Put each device into its area, or its house, unless it is in one."""
    areas, registry = ar.async_get(hass), dr.async_get(hass)
    for device_id, entities in devices.items():
        device = registry.async_get(device_id)
        if device is None or device.area_id is not None:
            continue
        room = next(((a, i) for key, a, i in AREAS if key in entities), None)
        if (place := _house(device) if many else room) is None:
            continue
        name, icon = place
        area = areas.async_get_area_by_name(name) or areas.async_create(name, icon=icon)
        registry.async_update_device(device_id, area_id=area.id)


def _house(device: dr.BaseDeviceEntry) -> tuple[str, str] | None:
    """Return the house of a device: those of one user are counted alike."""
    for domain, identifier in device.identifiers:
        count = identifier.rpartition("_")[2]
        if domain == AMPS and count.isdecimal():
            return f"House {int(count):02d}", "mdi:home"
    return None


def energy(hass: HomeAssistant) -> EnergyPreferencesUpdate:
    """Return what the Energy dashboard is to know, as docs/energy.md says it."""
    entities = er.async_get(hass)
    meter = {
        key: entities.async_get_entity_id("sensor", "demo_home", f"house_{key}")
        for key in ("grid", "imported", "exported", "house", "used")
    }
    sources: list[dict[str, Any]] = []
    loads: list[dict[str, Any]] = []
    if all(meter.values()):
        sources.append(
            {
                "type": "grid",
                "stat_energy_from": meter["imported"],
                "stat_energy_to": meter["exported"],
                "power_config": {"stat_rate": meter["grid"]},
                "stat_cost": None,
                "entity_energy_price": None,
                "number_energy_price": None,
                "stat_compensation": None,
                "entity_energy_price_export": None,
                "number_energy_price_export": None,
                "cost_adjustment_day": 0,
            }
        )
    for device_id, found in _devices(hass):
        device = dr.async_get(hass).async_get(device_id)
        more: dict[str, Any] = {}
        if device is not None and device.name is not None:
            more["name"] = device.name_by_user or device.name
        power = found.get("sensor.power")
        rate = {"stat_rate": power} if power else {}
        if total := found.get("sensor.energy_total"):
            sources.append(
                {
                    "type": "solar",
                    "stat_energy_from": total,
                    "config_entry_solar_forecast": None,
                }
                | rate
                | more
            )
        if charged := found.get("sensor.energy_charged"):
            battery: dict[str, Any] = {
                "type": "battery",
                "stat_energy_from": found["sensor.energy_discharged"],
                "stat_energy_to": charged,
            } | more
            if rate:
                # As it is: above 0 is what the battery gives.
                battery["power_config"] = rate
            if level := found.get("sensor.level"):
                battery["stat_soc"] = level
            if capacity := hass.states.get(found.get("sensor.capacity", "")):
                with suppress(ValueError):
                    battery["capacity"] = float(capacity.state)
            sources.append(battery)
        if delivered := found.get("sensor.energy_delivered"):
            loads.append({"stat_consumption": delivered} | rate | more)
    if all(meter.values()):
        # Last: the colour that is next to that of the sun is not the charger's then.
        loads.append(
            {
                "stat_consumption": meter["used"],
                "stat_rate": meter["house"],
                "name": "Rest",
            }
        )
    return EnergyPreferencesUpdate(
        energy_sources=sources,  # type: ignore[typeddict-item]
        device_consumption=loads,  # type: ignore[typeddict-item]
    )


def _charge_by_night(hass: HomeAssistant) -> None:
    """Plan that a battery charges each night, if one takes that."""
    for entry in hass.config_entries.async_loaded_entries(AMPS):
        runtime: AmpsRuntimeData = entry.runtime_data
        for device_id, device in runtime.coordinators[DeviceType.BATTERY].data.items():
            if Execution.WINDOWED in takes_plans(device).get("charge", ()):
                hass.config_entries.async_add_subentry(entry, _night(device_id))
                return


def _night(device_id: str) -> ConfigSubentry:
    return ConfigSubentry(
        data=MappingProxyType(
            {
                "device_id": device_id,
                "command": "charge",
                "parameters": {"target": {"value": 90.0, "unit": "percent"}},
                "weekdays": list(WEEKDAYS),
                "start": "23:00:00",
                "end": "05:00:00",
                "name": "Night charge",
            }
        ),
        subentry_type=SUBENTRY_TYPE,
        title="Night charge",
        unique_id=None,
    )


async def _async_warm_tomorrow(
    hass: HomeAssistant, devices: dict[str, dict[str, str]]
) -> None:
    """Have it warm tomorrow morning, unless that is planned already."""
    tomorrow = dt_util.start_of_local_day() + timedelta(days=1)
    for device_id, entities in devices.items():
        if "climate.climate" not in entities:
            continue
        listed = await hass.services.async_call(
            AMPS,
            "list_actions",
            {"device_id": device_id, "state": "scheduled"},
            blocking=True,
            return_response=True,
        )
        if (listed or {}).get("actions"):
            continue
        try:
            await hass.services.async_call(
                AMPS,
                "hold_temperature",
                {
                    "device_id": device_id,
                    "mode": "heat",
                    "target": 21.5,
                    "start": tomorrow + timedelta(hours=6, minutes=30),
                    "end": tomorrow + timedelta(hours=8),
                },
                blocking=True,
            )
        except HomeAssistantError:
            # One of an older kind plans nothing.
            continue
