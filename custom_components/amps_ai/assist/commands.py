"""Commands: what an assistant may send, where a person lets it."""

from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, llm
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from ..api import Command, Device, Parameter, capabilities
from ..api.commands import in_order
from ..common.const import DOMAIN
from ..common.errors import refusals_in
from ..common.names import plain_text
from ..common.units import for_device, for_house, unit_of
from .exposed import Exposed, async_exposed, failed
from .plans import SkipPlanTool, plans_of

COMMANDS_API_ID: Final = f"{DOMAIN}_commands"
COMMANDS_API_NAME: Final = "Amps AI commands"
SEND_COMMAND: Final = f"{DOMAIN}__send_command"

_COMMANDS_PROMPT: Final = (
    f"{SEND_COMMAND} makes real devices act. Use it only when the user asks for it,"
    " and for what the devices take:\n"
)
# More than this makes no prompt that a model could use.
_MOST_DEVICES: Final = 60
_MOST_COMMANDS: Final = 20
_TIME_FIELDS: Final = ("start", "end")


@callback
def async_register_commands_api(hass: HomeAssistant) -> None:
    """Let a person give the sending of commands to a conversation agent."""
    llm.async_register_api(hass, CommandsAPI(hass))


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
        devices = await _async_steerable(self.hass, llm_context)
        tools: list[llm.Tool] = [SendCommandTool(self.hass, devices)] if devices else []
        items = [item for same in devices.values() for item in same]
        if names := [plain_text(plan.name) for _, _, plan in plans_of(items)]:
            tools.append(SkipPlanTool(names))
        return llm.APIInstance(
            api=self,
            api_prompt=_COMMANDS_PROMPT + _abilities(self.hass, devices)
            if devices
            else "",
            llm_context=llm_context,
            tools=tools,
            custom_serializer=llm.selector_serializer,
        )


async def _async_steerable(
    hass: HomeAssistant, llm_context: llm.LLMContext
) -> dict[str, list[Exposed]]:
    """Return the devices that an assistant may steer, by their names."""
    devices: dict[str, list[Exposed]] = {}
    found = await async_exposed(hass, llm_context, lambda item: item.is_steerable)
    for item in found[:_MOST_DEVICES]:
        devices.setdefault(plain_text(item.name), []).append(item)
    return devices


def _commands(device: Device) -> dict[str, Command]:
    """Return the commands of a device that can be told of in a line each."""
    taken = capabilities(device)
    told = [name for name in in_order(taken) if plain_text(name) == name]
    return {name: taken[name] for name in told[:_MOST_COMMANDS]}


def _parameters(command: Command) -> dict[str, Parameter]:
    """Return the parameters of a command that can be told of."""
    told = [name for name in command.parameters if plain_text(name) == name]
    return {name: command.parameters[name] for name in told[:_MOST_COMMANDS]}


def _unit(hass: HomeAssistant, parameter: Parameter) -> str:
    """Return the unit that a person gives a parameter in."""
    if unit_of(parameter) is not None:
        return hass.config.units.temperature_unit
    return plain_text(parameter.unit or "")


def _takes(hass: HomeAssistant, name: str, parameter: Parameter) -> str:
    """Say what a parameter takes, in the person's units."""
    unit = _unit(hass, parameter)
    said = [
        f"{for_house(bound, unit, parameter):g}"
        for bound in (parameter.min, parameter.max)
        if bound is not None
    ]
    return f"{name} ({' '.join((' to '.join(said), unit)).strip()})"


def _abilities(hass: HomeAssistant, devices: Mapping[str, list[Exposed]]) -> str:
    """Say what the devices take, one a line."""
    lines = []
    for name, items in sorted(devices.items()):
        for item in items:
            commands = _commands(item.device)
            said = "; ".join(
                " ".join(
                    (
                        command,
                        ", ".join(
                            _takes(hass, parameter, what)
                            for parameter, what in _parameters(
                                commands[command]
                            ).items()
                        ),
                    )
                ).strip()
                for command in commands
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
        self, hass: HomeAssistant, devices: Mapping[str, list[Exposed]]
    ) -> None:
        """Name the devices, the commands and the parameters that there are."""
        commands: dict[str, None] = {}
        parameters: dict[str, dict[str, None]] = {}
        for items in devices.values():
            for item in items:
                for name, command in _commands(item.device).items():
                    commands[name] = None
                    for parameter, what in _parameters(command).items():
                        parameters.setdefault(parameter, {})[_unit(hass, what)] = None
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
                    "end",
                    description="Local time, YYYY-MM-DD HH:MM; without a start, from now on.",
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
        items = (await _async_steerable(hass, llm_context)).get(name, [])
        if not items:
            return failed(f"{name} is not exposed.")
        if len(items) > 1:
            return failed(f"More than one device is called {name}. Rename one.")
        item = items[0]
        unit = hass.config.units.temperature_unit
        command = capabilities(item.device).get(wanted["command"])
        taken = command.parameters if command else {}
        try:
            with refusals_in(unit):
                response = await hass.services.async_call(
                    DOMAIN,
                    "send_command",
                    {
                        "device_id": item.registered.id,
                        "command": wanted["command"],
                        "parameters": {
                            name: for_device(value, unit, taken.get(name))
                            for name, value in wanted.get("parameters", {}).items()
                        },
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
            return failed(str(err))
        record: Any = (response or {}).get("action", {})
        result: JsonObjectType = {"device": name}
        for field in ("command", "state"):
            result[field] = record[field]
        for field in _TIME_FIELDS:
            if at := dt_util.parse_datetime(record[field] or ""):
                result[field] = dt_util.as_local(at).isoformat(timespec="minutes")
        return llm.ToolResult(data=result)
