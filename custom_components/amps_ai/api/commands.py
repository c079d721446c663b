"""What may be sent to a device, and how it is said, in both generations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from .device import Device
from .features import Command, Parameter, Setting
from .values import MOST, Json, number
from .vocabulary import (
    READ_ONLY_SETTINGS,
    SETTING_BOUNDS,
    Commands,
    DeviceType,
    Execution,
    HvacMode,
    Parameters,
    Settings,
    Units,
)

# Wall-clock time at the plant: no zone, no offset.
PLANT_TIME: Final = "%Y-%m-%dT%H:%M:%S"
# How far ahead the API plans.
FARTHEST: Final = timedelta(days=30)


class RequestRefusedError(ValueError):
    """The device's capabilities forbid this; nothing was sent.

    `reason` names the case, `context` what to say of it: the words that
    would work, as text.
    """

    def __init__(self, reason: str, **context: str) -> None:
        """Keep the reason and its context."""
        super().__init__(f"{reason}: {context}")
        self.reason = reason
        self.context = context


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number with its unit; no unit means the one that the device takes."""

    value: float
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A command with all that goes along.

    `start` and `end` are wall-clock times at the plant (naive) or, for
    `start`, a relative duration as `30m`, `1.5h`.
    """

    command: str
    parameters: Mapping[str, Quantity] = field(default_factory=dict)
    start: datetime | str | None = None
    end: datetime | None = None
    on_conflict: str | None = None

    @property
    def execution(self) -> Execution:
        """Return when this is to be carried out."""
        if self.start is None:
            return Execution.IMMEDIATE
        return Execution.SCHEDULED if self.end is None else Execution.WINDOWED


def _celsius() -> Parameter:
    return Parameter(unit=Units.CELSIUS, min=10, max=35)


# What devices of the older generation take, which have no command map.
OLDER_COMMANDS: Final[Mapping[DeviceType, Mapping[str, Command]]] = MappingProxyType(
    {
        DeviceType.EV_CHARGER: {
            name: Command(parameters={}, execution=(Execution.IMMEDIATE,))
            for name in (Commands.CHARGE, Commands.IDLE)
        },
        DeviceType.HVAC: {
            name: Command(
                parameters={item: _celsius() for item in parameters},
                execution=(Execution.IMMEDIATE,),
            )
            for name, parameters in {
                Commands.HEAT: (Parameters.TARGET,),
                Commands.COOL: (Parameters.TARGET,),
                Commands.IDLE: (),
                Commands.AUTO: (Parameters.HEAT_SETPOINT, Parameters.COOL_SETPOINT),
                Commands.FOLLOW_SCHEDULE: (),
            }.items()
        },
    }
)

# The power cap of chargers that have no setting for it.
_POWER_CAP: Final = Command(
    parameters={
        Parameters.MAX_POWER: Parameter(
            unit=Units.KW,
            min=SETTING_BOUNDS[Units.KW][0],
            max=SETTING_BOUNDS[Units.KW][1],
        )
    },
    execution=(Execution.IMMEDIATE,),
)


_NO_COMMANDS: Final[Mapping[str, Command]] = MappingProxyType({})


def capabilities(device: Device) -> Mapping[str, Command]:
    """Return the commands that a device takes, of either generation."""
    if device.commands is not None:
        return device.commands
    if device.is_older:
        return OLDER_COMMANDS.get(device.type, _NO_COMMANDS)
    return _NO_COMMANDS


def temperature_unit(device: Device) -> Units:
    """Return the unit that a thermostat speaks; °C where it does not say."""
    for command in capabilities(device).values():
        for parameter in command.parameters.values():
            if parameter.unit == Units.FAHRENHEIT:
                return Units.FAHRENHEIT
    return Units.CELSIUS


def at_once(device: Device) -> Mapping[str, Command]:
    """Return the commands that a device takes for now, without an end."""
    return {
        name: command
        for name, command in capabilities(device).items()
        if command.execution is None or Execution.IMMEDIATE in command.execution
    }


def takes_power_cap_command(device: Device) -> bool:
    """Tell whether a charger's power cap is a command and not a setting."""
    if device.type is not DeviceType.EV_CHARGER or not device.detailed:
        return False
    if Settings.MAX_CHARGE_RATE in (device.settings or {}):
        return False
    return device.is_older or device.state.has("power_rate_limit")


def in_order(names: Mapping[str, Any]) -> list[str]:
    """Return names of commands in the vocabulary's order, unknown ones last."""
    order = list(Commands)
    known = [name.value for name in order if name in names]
    return known + sorted(name for name in names if name not in known)


def _say(names: Mapping[str, Any] | tuple[str, ...]) -> str:
    return ", ".join(names) or "-"


def _amount(value: float | None) -> str:
    try:
        return "-" if value is None else f"{value:g}"
    except OverflowError:
        return "a number without end"


def _check_bounds(
    reason: str,
    name: str,
    value: float,
    low: float | None,
    high: float | None,
    unit: str,
) -> None:
    too_low = low is not None and value < low
    too_high = high is not None and value > high
    if too_low or too_high or number(value) is None or abs(value) > MOST:
        raise RequestRefusedError(
            reason,
            name=name,
            value=_amount(value),
            min=_amount(low),
            max=_amount(high),
            unit=unit,
        )


def check_push(device: Device, push: Push) -> Push:
    """Refuse what the device cannot do; return the push with units filled in.

    Raises RequestRefusedError with one of the reasons `not_steerable`,
    `command_not_supported`, `execution_not_supported`, `strategy_not_supported`,
    `parameter_not_supported`, `parameter_missing`, `unit_not_supported`,
    `parameter_out_of_range`.
    """
    available = capabilities(device)
    if takes_power_cap_command(device):
        available = {**available, Commands.SET_MAX_POWER: _POWER_CAP}
    if not available:
        raise RequestRefusedError("not_steerable")
    if (command := available.get(push.command)) is None:
        raise RequestRefusedError(
            "command_not_supported",
            command=push.command,
            supported=_say(tuple(in_order(available))),
        )
    if command.execution is not None and push.execution not in command.execution:
        raise RequestRefusedError(
            "execution_not_supported",
            command=push.command,
            execution=push.execution.value,
            supported=_say(command.execution),
        )
    if command is _POWER_CAP and not push.parameters:
        raise RequestRefusedError(
            "parameter_missing", command=push.command, name=Parameters.MAX_POWER
        )
    strategies = device.conflict_strategies
    if push.on_conflict is not None and strategies:
        if push.on_conflict not in strategies:
            raise RequestRefusedError(
                "strategy_not_supported",
                strategy=push.on_conflict,
                supported=_say(strategies),
            )
    filled: dict[str, Quantity] = {}
    for name, quantity in push.parameters.items():
        if (parameter := command.parameters.get(name)) is None:
            raise RequestRefusedError(
                "parameter_not_supported",
                command=push.command,
                name=name,
                supported=_say(command.parameters),
            )
        unit = quantity.unit or parameter.unit
        if parameter.unit is not None and unit != parameter.unit:
            raise RequestRefusedError(
                "unit_not_supported",
                name=name,
                unit=str(unit),
                supported=parameter.unit,
            )
        _check_bounds(
            "parameter_out_of_range",
            name,
            quantity.value,
            parameter.min,
            parameter.max,
            unit or "",
        )
        filled[name] = Quantity(value=quantity.value, unit=unit)
    return Push(
        command=push.command,
        parameters=filled,
        start=push.start,
        end=push.end,
        on_conflict=push.on_conflict,
    )


def push_body(device: Device, push: Push) -> Json:
    """Return the body that says this push to this device."""
    if push.command == Commands.SET_MAX_POWER or device.is_older:
        body = _older_body(device, push)
    else:
        body = {"action": _action(push)}
    if push.on_conflict is not None:
        body["onConflict"] = push.on_conflict
    return body


def _action(push: Push) -> Json:
    action: Json = {"command": push.command}
    if push.parameters:
        action["parameters"] = {
            str(name): {"value": quantity.value, "unit": quantity.unit}
            for name, quantity in push.parameters.items()
        }
    if push.start is not None:
        action["start"] = (
            push.start
            if isinstance(push.start, str)
            else push.start.strftime(PLANT_TIME)
        )
    if push.end is not None:
        action["end"] = push.end.strftime(PLANT_TIME)
    return action


def _older_body(device: Device, push: Push) -> Json:
    values = {str(name): quantity.value for name, quantity in push.parameters.items()}
    if push.command == Commands.SET_MAX_POWER:
        return {"action": "set_max_power", **values}
    if device.type is DeviceType.EV_CHARGER:
        started = push.command == Commands.CHARGE
        return {"action": "start_charging" if started else "stop_charging"}
    if push.command == Commands.FOLLOW_SCHEDULE:
        return {"action": "follow_schedule"}
    mode = HvacMode.OFF if push.command == Commands.IDLE else HvacMode(push.command)
    # The older body has no single target: each mode has its own setpoint.
    if (target := values.pop(Parameters.TARGET, None)) is not None:
        values[
            str(
                Parameters.HEAT_SETPOINT
                if mode is HvacMode.HEAT
                else Parameters.COOL_SETPOINT
            )
        ] = target
    return {"action": "set_permanent_hold", "mode": mode.value, **values}


def setting_bounds(setting: Setting) -> tuple[float, float | None]:
    """Return the least and the most that a setting takes.

    The device's own bounds, else the documented ones of its unit; the most
    is None where nothing bounds it.
    """
    low, high = SETTING_BOUNDS.get(setting.unit or "", (0, None))
    return (
        low if setting.min is None else setting.min,
        high if setting.max is None else setting.max,
    )


def settings_body(device: Device, values: Mapping[str, float]) -> Json:
    """Return the body that writes settings, refusing what cannot work.

    Raises RequestRefusedError with one of the reasons
    `setting_not_supported`, `setting_read_only`, `setting_out_of_range`.
    """
    known = device.settings or {}
    body: Json = {}
    for name, value in values.items():
        if (setting := known.get(name)) is None:
            raise RequestRefusedError(
                "setting_not_supported",
                name=name,
                supported=_say(
                    tuple(item for item in known if item not in READ_ONLY_SETTINGS)
                ),
            )
        if name in READ_ONLY_SETTINGS or isinstance(setting.value, bool):
            raise RequestRefusedError("setting_read_only", name=name)
        low, high = setting_bounds(setting)
        _check_bounds(
            "setting_out_of_range", name, value, low, high, setting.unit or ""
        )
        body[str(name)] = {"value": value, "unit": setting.unit}
    return body
