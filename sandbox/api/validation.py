"""Whether a push or a setting is right for its device."""

from datetime import datetime
import re
from typing import Any, Final
from zoneinfo import ZoneInfo

from sandbox.devices import STRATEGIES, Device, Push
from sandbox.errors import ApiError
from sandbox.kinds import BATTERY, EV_CHARGER, Kind, is_older
from sandbox.values import Json, is_number, iso

# What the API has words for; anything else is no request at all (400).
COMMANDS: Final = frozenset(
    {
        "charge",
        "discharge",
        "idle",
        "auto.balanced",
        "auto.reserve",
        "auto.export",
        "heat",
        "cool",
        "auto",
        "follow_schedule",
    }
)
PARAMETERS: Final = frozenset(
    {"target", "power", "reserve", "heatSetpoint", "coolSetpoint"}
)
SETTINGS: Final = frozenset(
    {
        "safety_reserve",
        "discharge_floor",
        "charge_ceiling",
        "export_limit",
        "max_charge_rate",
        "max_discharge_rate",
        "scheduler_enabled",
    }
)
UNITS: Final = frozenset(
    {
        "percent",
        "kw",
        "watts",
        "kwh",
        "amps",
        "volts",
        "hours",
        "minutes",
        "celsius",
        "fahrenheit",
    }
)
WALL_CLOCK: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)([mh])")
DAYS_AHEAD: Final = 30
MOST_KW: Final = 50


def malformed(field: str, why: str) -> ApiError:
    """Return the error for a body that is not what it should be."""
    return ApiError("VALIDATION_ERROR", f"`{field}` {why}.", {"field": field})


def check_push(device: Device, body: Any, now: float, *, offsets: bool) -> Push:
    """Return the push that a body asks for; before, times carried offsets."""
    if not isinstance(body, dict):
        raise malformed("body", "must be an object")
    action = body.get("action")
    on_conflict = body.get("onConflict")
    if on_conflict is not None:
        _check_strategy(device, on_conflict)
    if isinstance(action, str):
        return _check_older(device, action, body, on_conflict, now)
    if not isinstance(action, dict) or not isinstance(action.get("command"), str):
        raise malformed("action.command", "must be a string")
    if unknown := set(body) - {"action", "onConflict"}:
        raise malformed(min(unknown), "is not known here")
    if unknown := set(action) - {"command", "parameters", "start", "end"}:
        raise malformed(f"action.{min(unknown)}", "is not known here")
    return _check_command(device, action, on_conflict, now, offsets=offsets)


def _check_strategy(device: Device, strategy: Any) -> None:
    """Refuse a strategy that is none, or that the device does not take."""
    taken = device.taken_strategies
    if strategy in taken:
        return
    if strategy not in STRATEGIES:
        raise malformed("onConflict", f"must be one of {', '.join(STRATEGIES)}")
    raise ApiError(
        "STRATEGY_NOT_SUPPORTED",
        f"Conflict strategy `{strategy}` is not supported by this device.",
        {"strategy": strategy, "supportedStrategies": taken},
    )


def _check_command(
    device: Device,
    action: Json,
    on_conflict: str | None,
    now: float,
    *,
    offsets: bool,
) -> Push:
    """Check a command against the capability map."""
    name = action["command"]
    commands = device.commands
    if is_older(device.generation) or commands is None:
        raise _unknown_command(name, older_commands(device.kind))
    capability = commands.get(name)
    if capability is None:
        if name not in COMMANDS:
            raise malformed("action.command", "is no command")
        raise _unknown_command(name, list(commands))
    parameters = action.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise malformed("action.parameters", "must be an object")
    values = _check_parameters(name, parameters or {}, capability["parameters"])
    heat, cool = values.get("heatSetpoint"), values.get("coolSetpoint")
    if heat is not None and cool is not None and heat > cool:
        raise _out_of_range(
            "heatSetpoint",
            heat,
            None,
            cool,
            capability["parameters"]["heatSetpoint"]["unit"],
        )
    start, end = action.get("start"), action.get("end")
    execution = "immediate"
    if start is not None or end is not None:
        execution = "scheduled" if end is None else "windowed"
    if execution not in capability["execution"]:
        raise ApiError(
            "EXECUTION_NOT_SUPPORTED",
            f"Command `{name}` does not support {execution} execution.",
            {
                "command": name,
                "requestedExecution": execution,
                "supportedExecution": capability["execution"],
            },
        )
    begins, ends = _check_times(device, start, end, now, older=offsets)
    return Push(
        command=name,
        parameters=parameters,
        values=values,
        start=begins,
        end=ends,
        on_conflict=on_conflict,
    )


def _check_parameters(name: str, given: Json, known: Json) -> dict[str, float]:
    """Return the values of the parameters, each within its bounds."""
    values = {}
    if unknown := [key for key in given if key not in known]:
        if strange := [key for key in unknown if key not in PARAMETERS]:
            raise malformed(f"action.parameters.{strange[0]}", "is no parameter")
        raise ApiError(
            "UNSUPPORTED_PARAMETER",
            f"Command `{name}` does not support parameter `{unknown[0]}`.",
            {
                "unsupportedParameters": unknown,
                "deviceCapabilities": {"supportedParameters": list(known)},
            },
        )
    for key, quantity in given.items():
        bounds = known[key]
        value = _check_quantity(f"action.parameters.{key}", key, quantity, bounds)
        low, high = bounds.get("min"), bounds.get("max")
        if _outside(value, low, high):
            raise _out_of_range(key, value, low, high, bounds["unit"])
        values[key] = value
    return values


def _check_quantity(field: str, name: str, quantity: Any, known: Json) -> float:
    """Return the value of a quantity in the unit the device takes."""
    if not isinstance(quantity, dict) or not is_number(quantity.get("value")):
        raise malformed(field, "must be an object with a numeric value and a unit")
    unit = quantity.get("unit")
    if not isinstance(unit, str):
        raise malformed(f"{field}.unit", "must be a string")
    if unit not in UNITS and unit != known["unit"]:
        raise malformed(f"{field}.unit", "is no unit")
    if unit != known["unit"]:
        raise ApiError(
            "UNSUPPORTED_UNIT",
            f"Parameter `{name}` unit `{unit}` is not supported. "
            f"Expected `{known['unit']}`.",
            {
                "parameter": name,
                "providedUnit": unit,
                "supportedUnits": [known["unit"]],
            },
        )
    return quantity["value"]  # type: ignore[no-any-return]


def _outside(value: float, low: float | None, high: float | None) -> bool:
    """Whether a value is beyond its bounds."""
    return (low is not None and value < low) or (high is not None and value > high)


def _out_of_range(
    name: str,
    value: float,
    low: float | None,
    high: float | None,
    unit: str = "celsius",
) -> ApiError:
    """Return the error for a parameter beyond its bounds."""
    return ApiError(
        "PARAMETER_OUT_OF_RANGE",
        f"Parameter `{name}` is out of range.",
        {"parameter": name, "value": value, "unit": unit, "min": low, "max": high},
    )


def _unknown_command(name: str, supported: list[str]) -> ApiError:
    """Return the error for a command that the device does not take."""
    return ApiError(
        "COMMAND_NOT_SUPPORTED",
        f"Command `{name}` is not supported by this device.",
        {"deviceCapabilities": {"supportedActions": supported}},
    )


def _check_times(
    device: Device, start: Any, end: Any, now: float, *, older: bool
) -> tuple[float | None, float | None]:
    """Return when a push begins and ends; times are those of the plant."""
    if start is None:
        if end is not None:
            raise ApiError("INVALID_TIME_WINDOW", "`end` needs a `start`.")
        return None, None
    begins = _moment(device, "action.start", start, now, older=older, relative=True)
    if begins < now:
        raise ApiError(
            "START_IN_PAST",
            "`start` must be in the future.",
            {"start": iso(begins), "now": iso(now)},
        )
    if begins > now + DAYS_AHEAD * 86400:
        raise ApiError(
            "START_OUT_OF_RANGE",
            f"`start` must be within {DAYS_AHEAD} days.",
            {"start": iso(begins), "maxDaysAhead": DAYS_AHEAD},
        )
    if end is None:
        return begins, None
    ends = _moment(device, "action.end", end, now, older=older, relative=False)
    if ends <= begins:
        raise ApiError(
            "INVALID_TIME_WINDOW",
            "`end` must be after `start`.",
            {"start": iso(begins), "end": iso(ends)},
        )
    return begins, ends


def _moment(
    device: Device, field: str, given: Any, now: float, *, older: bool, relative: bool
) -> float:
    """Return the moment that a `start` or an `end` names."""
    if not isinstance(given, str):
        raise malformed(field, "must be a string")
    if relative and (duration := DURATION.fullmatch(given)):
        seconds = 60 if duration[2] == "m" else 3600
        return now + float(duration[1]) * seconds
    if not older and not WALL_CLOCK.fullmatch(given):
        raise malformed(
            field, "must be wall-clock time at the plant, YYYY-MM-DDTHH:MM:SS"
        )
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as err:
        raise malformed(field, "is no time") from err
    if older and moment.tzinfo is None:
        raise malformed(field, "must carry an offset")
    if moment.tzinfo is None:
        zone = device.time_zone or device.home.time_zone
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.timestamp()


def older_commands(kind: Kind) -> list[str]:
    """Return the words of the older bodies that a type takes."""
    if kind is EV_CHARGER:
        return ["start_charging", "stop_charging", "set_max_power"]
    if kind is BATTERY:
        return ["set_operation_mode"]
    return ["set_permanent_hold", "follow_schedule"]


def _check_older(
    device: Device, name: str, body: Json, on_conflict: str | None, now: float
) -> Push:
    """Check a body of the older form."""
    cap = name == "set_max_power" and device.kind is EV_CHARGER
    if not is_older(device.generation) and device.commands is not None and not cap:
        raise _unknown_command(name, list(device.commands or {}))
    if name not in older_commands(device.kind):
        raise _unknown_command(name, older_commands(device.kind))
    start = body.get("start")
    begins = None
    if start is not None:
        older = is_older(device.generation)
        begins = _check_times(device, start, None, now, older=older)[0]
    parameters = {
        key: value
        for key, value in body.items()
        if key not in ("action", "onConflict", "start")
    }
    command, values = _older_meaning(device, name, parameters)
    return Push(
        command=command,
        parameters=parameters or None,
        values=values,
        start=begins,
        on_conflict=on_conflict,
        older=name,
        setting="max_charge_rate" if cap else None,
    )


def _older_meaning(
    device: Device, name: str, given: Json
) -> tuple[str, dict[str, float]]:
    """Return what an older body means in today's words."""
    match name:
        case "start_charging":
            return "charge", _older_values(given)
        case "stop_charging":
            return "idle", _older_values(given)
        case "set_max_power":
            values = _older_values(given, maxPower=(0, MOST_KW))
            return name, {"value": values["maxPower"]}
        case "follow_schedule":
            return name, _older_values(given)
        case "set_operation_mode":
            return _older_mode(device, given)
    mode = given.get("mode")
    bounds = (10.0, 35.0)
    rest = {key: value for key, value in given.items() if key != "mode"}
    needed = {
        "heat": {"heatSetpoint": bounds},
        "cool": {"coolSetpoint": bounds},
        "auto": {"heatSetpoint": bounds, "coolSetpoint": bounds},
        "off": {},
    }
    if not isinstance(mode, str) or mode not in needed:
        raise ApiError(
            "UNSUPPORTED_MODE",
            f"Mode `{mode}` is not supported by this device.",
            {"deviceCapabilities": {"supportedModes": list(needed)}},
        )
    # The setpoint that a mode does not use may be given all the same.
    allowed = needed[mode] | {key: bounds for key in needed["auto"] if key in rest}
    values = _older_values(rest, **allowed)
    if values.get("heatSetpoint", 0) > values.get("coolSetpoint", 99):
        raise _out_of_range(
            "heatSetpoint", values["heatSetpoint"], None, values["coolSetpoint"]
        )
    return ("idle" if mode == "off" else mode), values


def _older_mode(device: Device, given: Json) -> tuple[str, dict[str, float]]:
    """Return the command of a battery that an older body means."""
    mode = given.get("mode")
    commands = device.commands or {}
    if mode not in commands:
        raise ApiError(
            "UNSUPPORTED_MODE",
            f"Mode `{mode}` is not supported by this device.",
            {"deviceCapabilities": {"supportedModes": list(commands)}},
        )
    rest = {key: value for key, value in given.items() if key != "mode"}
    return mode, _check_parameters(mode, rest, commands[mode]["parameters"])


def _older_values(given: Json, **bounds: tuple[float, float]) -> dict[str, float]:
    """Return the plain numbers of an older body; all of them are needed."""
    if unknown := set(given) - set(bounds):
        raise malformed(min(unknown), "is not known here")
    values = {}
    for name, (low, high) in bounds.items():
        value = given.get(name)
        if not is_number(value) or value is None:
            raise malformed(name, "must be a number")
        if _outside(value, low, high):
            unit = "kw" if name == "maxPower" else "celsius"
            raise _out_of_range(name, value, low, high, unit)
        values[name] = value
    return values


def check_settings(device: Device, body: Any) -> dict[str, float]:
    """Return the settings that a body writes; one wrong one spoils them all."""
    if not isinstance(body, dict) or not body:
        raise malformed("body", "must be an object with at least one setting")
    values = {}
    known = {} if is_older(device.generation) else device.settings
    for name, quantity in body.items():
        if name not in known:
            if name not in SETTINGS:
                raise malformed(name, "is no setting")
            raise ApiError(
                "UNSUPPORTED_SETTING",
                f"Setting `{name}` is not supported by this device.",
                {"setting": name, "supportedSettings": list(known)},
            )
        if name in device.read_only:
            raise ApiError(
                "READ_ONLY_SETTING",
                f"Setting `{name}` cannot be written.",
                {"setting": name},
            )
        setting = known[name]
        value = _check_quantity(name, name, quantity, setting)
        low, high = setting.get("min"), setting.get("max")
        if _outside(value, low, high):
            raise ApiError(
                "SETTING_OUT_OF_RANGE",
                f"Setting `{name}` is out of range.",
                {
                    "setting": name,
                    "value": value,
                    "unit": setting["unit"],
                    "min": low,
                    "max": high,
                },
            )
        values[name] = value
    return values
