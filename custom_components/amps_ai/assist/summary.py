"""The energy summary: what the exposed entities show, and how old it is."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, override

from homeassistant.components.climate import (
    ATTR_CURRENT_TEMPERATURE,
    ATTR_HVAC_ACTION,
    ATTR_PRESET_MODE,
    ATTR_TARGET_TEMP_HIGH,
    ATTR_TARGET_TEMP_LOW,
)
from homeassistant.components.sensor import async_rounded_state
from homeassistant.const import (
    ATTR_TEMPERATURE,
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import (
    area_registry as ar,
    config_validation as cv,
    entity_registry as er,
    intent,
    llm,
)
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from ..api import Device, DeviceType
from ..common.const import DOMAIN
from ..common.names import vendor_name
from ..entities.plan import is_of_plan
from .exposed import Exposed, async_exposed, failed

ENERGY_SUMMARY: Final = f"{DOMAIN}__energy_summary"

# Entities that tell nothing of the device, or what is told of it anyway.
_SILENT_PLATFORMS: Final = frozenset(
    {Platform.BUTTON, Platform.CALENDAR, Platform.EVENT}
)
_SILENT_KEYS: Final = frozenset({"sync", "last_pulled"})
# Keys of entities, where they do not say what is meant.
_READINGS: Final = MappingProxyType(
    {
        "charge": "charging",
        "connected": "plugged_in",
        "last_action": "last_command",
        "level": "battery_level",
        "plugged": "plugged_in",
    }
)
_CLIMATE_TEMPERATURES: Final = MappingProxyType(
    {
        "current_temperature": ATTR_CURRENT_TEMPERATURE,
        "target_temperature": ATTR_TEMPERATURE,
        "target_temperature_low": ATTR_TARGET_TEMP_LOW,
        "target_temperature_high": ATTR_TARGET_TEMP_HIGH,
    }
)
_CLIMATE_WORDS: Final = MappingProxyType(
    {"action": ATTR_HVAC_ACTION, "preset": ATTR_PRESET_MODE}
)

# Of more devices than this, no model could make anything.
_MOST_TOLD: Final = 30

SUMMARY_PROMPT: Final = (
    f"Use {ENERGY_SUMMARY} for questions about home batteries, EV chargers,"
    " thermostats, solar inverters and cars of Amps AI: whether the car is plugged"
    " in or charging, what the sun makes, how full a battery is, and how old a"
    " reading is."
)


class EnergySummaryTool(llm.Tool):
    """Tell what the exposed entities of the devices show, and how old it is."""

    name = ENERGY_SUMMARY
    title = "Energy summary"
    description = (
        "Tells what the home batteries, EV chargers, thermostats, solar inverters and"
        " cars of Amps AI do and measure, in the user's units: battery level, power,"
        " plugged in, charging, setpoints. A battery's power is positive while it"
        " discharges and negative while it charges; a car's is positive while it"
        " charges. A charger and the car at it show the same power: count it once."
        " `captured` and `minutes_old` tell when the readings of a device were taken;"
        " where `reached` is false they are the last known ones."
    )
    integration = DOMAIN
    annotations = llm.ToolAnnotations(
        read_only=True, destructive=False, idempotent=True, open_world=False
    )
    parameters = vol.Schema(
        {
            vol.Optional("type", description="Only devices of this type."): vol.In(
                [item.value for item in DeviceType]
            ),
            vol.Optional(
                "name", description="Only devices with these words in a name."
            ): cv.string,
            vol.Optional("area", description="Only devices in this area."): cv.string,
        }
    )

    @override
    async def async_call(
        self,
        hass: HomeAssistant,
        tool_input: llm.ToolInput,
        llm_context: llm.LLMContext,
    ) -> llm.ToolResult:
        """Tell of the devices that fit the question."""
        wanted = self.parameters(tool_input.tool_args)
        fitting = await async_exposed(
            hass, llm_context, lambda item: _fits(hass, item, wanted)
        )
        if not fitting:
            return failed("No exposed device of Amps AI fits this.")
        told: list[Any] = []
        for item in fitting[:_MOST_TOLD]:
            told.append(_summary(hass, item))
            await asyncio.sleep(0)
        result: JsonObjectType = {"devices": told}
        if (more := len(fitting) - len(told)) > 0:
            result["not_told"] = (
                f"{more} more devices. Ask for a type, a name or an area."
            )
        return llm.ToolResult(data=result)


def _areas(hass: HomeAssistant, item: Exposed) -> list[ar.AreaEntry]:
    """Return where the exposed entities of a device are."""
    registry = ar.async_get(hass)
    ids = {entity.area_id or item.registered.area_id for entity, _ in item.entities}
    areas = [registry.async_get_area(area_id) for area_id in ids if area_id]
    return sorted((area for area in areas if area), key=lambda area: area.name)


def _fits(hass: HomeAssistant, item: Exposed, wanted: Mapping[str, str]) -> bool:
    """Tell whether a device is asked for."""
    if wanted.get("type", item.device.type) != item.device.type:
        return False
    words = set(wanted.get("name", "").casefold().split())
    if not any(
        words <= set(called.casefold().split())
        for called in (
            item.name,
            *(
                alias
                for entity, state in item.entities
                for alias in intent.async_get_entity_aliases(hass, entity, state=state)
            ),
        )
    ):
        return False
    place = wanted.get("area", "").strip().casefold()
    return not place or any(
        place == called.casefold()
        for area in _areas(hass, item)
        for called in (area.name, *area.aliases)
    )


def _summary(hass: HomeAssistant, item: Exposed) -> JsonObjectType:
    """Tell what the exposed entities of a device show."""
    device = item.device
    summary: JsonObjectType = {
        "name": item.name,
        "type": device.type.value,
        "available": item.coordinator.async_is_usable(device.id),
    }
    if vendor := vendor_name(device.vendor):
        summary["manufacturer"] = vendor
    if areas := _areas(hass, item):
        summary["area"] = ", ".join(area.name for area in areas)
    if (captured := device.sync.last_pulled_at) is not None:
        age = item.coordinator.account.clock.age(captured)
        summary["captured"] = dt_util.as_local(captured).isoformat(timespec="seconds")
        summary["minutes_old"] = max(0, age // timedelta(minutes=1))
    if device.sync.available is not None:
        summary["reached"] = device.sync.available
    summary["readings"] = [
        {"reading": reading, "names": names, "value": value}
        for entity, state in item.entities
        for names in (
            ", ".join(intent.async_get_entity_aliases(hass, entity, state=state)),
        )
        for reading, value in _readings(hass, device, entity, state)
    ]
    return summary


def _readings(
    hass: HomeAssistant, device: Device, entity: er.RegistryEntry, state: State
) -> Iterator[tuple[str, bool | str | None]]:
    """Return what an entity shows, as a person sees it."""
    key = entity.unique_id.removeprefix(f"{device.id}_")
    if entity.domain in _SILENT_PLATFORMS or key in _SILENT_KEYS or is_of_plan(entity):
        return
    told = state.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)
    if entity.domain == Platform.CLIMATE:
        yield "mode", state.state if told else None
        unit = hass.config.units.temperature_unit
        for reading, attribute in _CLIMATE_TEMPERATURES.items():
            if (temperature := state.attributes.get(attribute)) is not None:
                yield reading, f"{temperature} {unit}"
        for reading, attribute in _CLIMATE_WORDS.items():
            if (word := state.attributes.get(attribute)) is not None:
                yield reading, str(word)
        return
    value: bool | str | None = None
    if told and entity.domain in (Platform.BINARY_SENSOR, Platform.SWITCH):
        value = state.state == STATE_ON
    elif told:
        value = (
            async_rounded_state(hass, entity.entity_id, state)
            if entity.domain == Platform.SENSOR
            else state.state
        )
        if measured_in := state.attributes.get(ATTR_UNIT_OF_MEASUREMENT):
            value = f"{value} {measured_in}"
    yield _READINGS.get(key, key), value
