"""What a language model may know of the devices, and may send to them.

Reading goes along with Assist, as far as the person exposed entities to it.
Sending is an LLM API of its own: no conversation agent has it until a person
chooses it in the settings of that agent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from homeassistant.components.homeassistant import async_should_expose
from homeassistant.components.llm import LLMTools
from homeassistant.components.sensor import async_rounded_state
from homeassistant.const import (
    ATTR_TEMPERATURE,
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
    UnitOfTemperature,
)
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    area_registry as ar,
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
    intent,
    llm,
)
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType
from homeassistant.util.unit_conversion import TemperatureConverter
import voluptuous as vol

from .account import AmpsConfigEntry
from .api import Device, DeviceType, Parameter, capabilities
from .api.commands import in_order
from .api.vocabulary import Units
from .const import DOMAIN
from .coordinator import AmpsCoordinator
from .names import vendor_name

COMMANDS_API_ID: Final = f"{DOMAIN}_commands"
COMMANDS_API_NAME: Final = "Amps AI commands"
ENERGY_SUMMARY: Final = f"{DOMAIN}__energy_summary"
SEND_COMMAND: Final = f"{DOMAIN}__send_command"

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
# Whoever may speak to one of these may steer its device.
_CONTROLS: Final = frozenset({Platform.CLIMATE, Platform.SELECT, Platform.SWITCH})

_SUMMARY_PROMPT: Final = (
    f"Use {ENERGY_SUMMARY} for questions about home batteries, EV chargers,"
    " thermostats, solar inverters and cars of Amps AI: whether the car is plugged"
    " in or charging, what the sun makes, how full a battery is, and how old a"
    " reading is."
)
_COMMANDS_PROMPT: Final = (
    f"{SEND_COMMAND} makes real devices act. Use it only when the user asks for it,"
    " and for what the devices take:\n"
)
_TIME_FIELDS: Final = ("start", "end")


@callback
def async_get_tools(
    hass: HomeAssistant, llm_context: llm.LLMContext, api_id: str
) -> LLMTools | None:
    """Return the summary, where Assist may know of any device."""
    if api_id != llm.LLM_API_ASSIST:
        return None
    if next(_exposed(hass, llm_context), None) is None:
        return None
    return LLMTools(tools=[EnergySummaryTool()], prompt=_SUMMARY_PROMPT)


@callback
def async_register_commands_api(hass: HomeAssistant) -> None:
    """Let a person give the sending of commands to a conversation agent."""
    llm.async_register_api(hass, CommandsAPI(hass))


# What is exposed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exposed:
    """A device that an assistant may know of, by these of its entities."""

    coordinator: AmpsCoordinator
    device: Device
    registered: dr.DeviceEntry
    entities: tuple[tuple[er.RegistryEntry, State], ...]

    @property
    def name(self) -> str:
        """Return what the person calls the device."""
        return self.coordinator.account.async_spoken_name(self.device)

    @property
    def is_steerable(self) -> bool:
        """Tell whether a control of the device is exposed."""
        return bool(capabilities(self.device)) and any(
            entity.domain in _CONTROLS for entity, _ in self.entities
        )


@callback
def _exposed(hass: HomeAssistant, llm_context: llm.LLMContext) -> Iterator[_Exposed]:
    """Return the devices that an assistant may know of."""
    assistant = llm_context.assistant
    if not assistant:
        return
    entities = er.async_get(hass)
    entries: list[AmpsConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        by_device: dict[str, list[tuple[er.RegistryEntry, State]]] = {}
        for entity in er.async_entries_for_config_entry(entities, entry.entry_id):
            state = hass.states.get(entity.entity_id)
            if entity.device_id is None or state is None:
                continue
            if async_should_expose(hass, assistant, entity.entity_id):
                by_device.setdefault(entity.device_id, []).append((entity, state))
        for coordinator in entry.runtime_data.coordinators.values():
            for device in coordinator.data.values():
                registered = coordinator.account.async_registered(device.id)
                if registered is not None and registered.id in by_device:
                    yield _Exposed(
                        coordinator=coordinator,
                        device=device,
                        registered=registered,
                        entities=tuple(by_device[registered.id]),
                    )


# Reading


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
        found: list[Any] = [
            _summary(hass, item)
            for item in _exposed(hass, llm_context)
            if _fits(hass, item, wanted)
        ]
        if not found:
            return _failed("No exposed device of Amps AI fits this.")
        return llm.ToolResult(data={"devices": found})


def _areas(hass: HomeAssistant, item: _Exposed) -> list[ar.AreaEntry]:
    """Return where the exposed entities of a device are."""
    registry = ar.async_get(hass)
    ids = {entity.area_id or item.registered.area_id for entity, _ in item.entities}
    areas = [registry.async_get_area(area_id) for area_id in ids if area_id]
    return sorted((area for area in areas if area), key=lambda area: area.name)


def _fits(hass: HomeAssistant, item: _Exposed, wanted: Mapping[str, str]) -> bool:
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


def _summary(hass: HomeAssistant, item: _Exposed) -> JsonObjectType:
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
        age = item.coordinator.account.client.now() - captured
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
    if entity.domain in _SILENT_PLATFORMS or key in _SILENT_KEYS:
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


# Sending


class CommandsAPI(llm.API):
    """What a person gives to an agent that may send commands."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Name the API as the settings of an agent show it."""
        super().__init__(hass=hass, id=COMMANDS_API_ID, name=COMMANDS_API_NAME)

    @override
    async def async_get_api_instance(
        self, llm_context: llm.LLMContext
    ) -> llm.APIInstance:
        """Offer the sending of commands, where a control is exposed."""
        devices = _steerable(self.hass, llm_context)
        return llm.APIInstance(
            api=self,
            api_prompt=_COMMANDS_PROMPT + _abilities(self.hass, devices)
            if devices
            else "",
            llm_context=llm_context,
            tools=[SendCommandTool(self.hass, devices)] if devices else [],
            custom_serializer=llm.selector_serializer,
        )


def _steerable(
    hass: HomeAssistant, llm_context: llm.LLMContext
) -> dict[str, list[_Exposed]]:
    """Return the devices that an assistant may steer, by their names."""
    devices: dict[str, list[_Exposed]] = {}
    for item in _exposed(hass, llm_context):
        if item.is_steerable:
            devices.setdefault(item.name, []).append(item)
    return devices


def _takes(hass: HomeAssistant, name: str, parameter: Parameter) -> str:
    """Say what a parameter takes, in the person's units."""
    unit = parameter.unit or ""
    bounds = [bound for bound in (parameter.min, parameter.max) if bound is not None]
    if parameter.unit == Units.CELSIUS:
        unit = hass.config.units.temperature_unit
        bounds = [
            TemperatureConverter.convert(bound, UnitOfTemperature.CELSIUS, unit)
            for bound in bounds
        ]
    said = [f"{bound:g}" for bound in bounds]
    return f"{name} ({' '.join((' to '.join(said), unit)).strip()})"


def _abilities(hass: HomeAssistant, devices: Mapping[str, list[_Exposed]]) -> str:
    """Say what the devices take, one a line."""
    lines = []
    for name, items in sorted(devices.items()):
        for item in items:
            commands = capabilities(item.device)
            said = "; ".join(
                " ".join(
                    (
                        command,
                        ", ".join(
                            _takes(hass, parameter, what)
                            for parameter, what in commands[command].parameters.items()
                        ),
                    )
                ).strip()
                for command in in_order(commands)
            )
            lines.append(f"- {name} ({item.device.type.value}): {said}")
    return "\n".join(lines)


class SendCommandTool(llm.Tool):
    """Send a command by the action `amps_ai.send_command`, with all its checks."""

    name = SEND_COMMAND
    title = "Send command"
    description = (
        "Makes a battery, EV charger or thermostat of Amps AI act: now, or from"
        " `start` (and until `end`) in local time. What the device cannot do is"
        " refused with the reason. The reply's state says what became of it so far:"
        " scheduled, acknowledged (under way) or completed."
    )
    integration = DOMAIN
    annotations = llm.ToolAnnotations(
        read_only=False, destructive=True, idempotent=False, open_world=True
    )

    def __init__(
        self, hass: HomeAssistant, devices: Mapping[str, list[_Exposed]]
    ) -> None:
        """Name the devices, the commands and the parameters that there are."""
        commands: dict[str, None] = {}
        parameters: dict[str, dict[str, None]] = {}
        for items in devices.values():
            for item in items:
                for name, command in capabilities(item.device).items():
                    commands[name] = None
                    for parameter, what in command.parameters.items():
                        unit = what.unit or ""
                        if unit == Units.CELSIUS:
                            unit = hass.config.units.temperature_unit
                        parameters.setdefault(parameter, {})[unit] = None
        self.parameters = vol.Schema(
            {
                vol.Required("device"): vol.In(sorted(devices)),
                vol.Required("command"): vol.In(in_order(commands)),
                **(
                    {
                        vol.Optional("parameters"): vol.Schema(
                            {
                                vol.Optional(
                                    name, description=f"In {', '.join(units)}."
                                ): vol.Coerce(float)
                                for name, units in sorted(parameters.items())
                            }
                        )
                    }
                    if parameters
                    else {}
                ),
                vol.Optional(
                    "start", description="Local time, YYYY-MM-DD HH:MM."
                ): cv.string,
                vol.Optional(
                    "end", description="Local time, YYYY-MM-DD HH:MM; needs a start."
                ): cv.string,
            }
        )

    @override
    async def async_call(
        self,
        hass: HomeAssistant,
        tool_input: llm.ToolInput,
        llm_context: llm.LLMContext,
    ) -> llm.ToolResult:
        """Send the command, if the device is exposed still."""
        wanted = self.parameters(tool_input.tool_args)
        name = wanted["device"]
        items = _steerable(hass, llm_context).get(name, [])
        if not items:
            return _failed(f"{name} is not exposed.")
        if len(items) > 1:
            return _failed(f"More than one device is called {name}. Rename one.")
        item = items[0]
        try:
            response = await hass.services.async_call(
                DOMAIN,
                "send_command",
                {
                    "device_id": item.registered.id,
                    "command": wanted["command"],
                    "parameters": _in_api_units(
                        hass,
                        item.device,
                        wanted["command"],
                        wanted.get("parameters", {}),
                    ),
                    **{
                        field: wanted[field]
                        for field in _TIME_FIELDS
                        if field in wanted
                    },
                },
                blocking=True,
                context=llm_context.context,
                return_response=True,
            )
        except (HomeAssistantError, vol.Invalid) as err:
            return _failed(str(err))
        record: Any = (response or {}).get("action", {})
        result: JsonObjectType = {"device": name}
        for field in ("command", "state"):
            result[field] = record[field]
        for field in _TIME_FIELDS:
            if at := dt_util.parse_datetime(record[field] or ""):
                result[field] = dt_util.as_local(at).isoformat(timespec="minutes")
        return llm.ToolResult(data=result)


def _in_api_units(
    hass: HomeAssistant, device: Device, command: str, values: Mapping[str, float]
) -> dict[str, float]:
    """Turn temperatures in the person's unit into those that the API takes."""
    taken = capabilities(device).get(command)
    unit = hass.config.units.temperature_unit
    return {
        name: round(
            TemperatureConverter.convert(value, unit, UnitOfTemperature.CELSIUS), 1
        )
        if taken
        and (parameter := taken.parameters.get(name))
        and parameter.unit == Units.CELSIUS
        else value
        for name, value in values.items()
    }


def _failed(why: str) -> llm.ToolResult:
    return llm.ToolResult(data={"error": why}, error=True)
