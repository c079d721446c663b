"""Refusals: what the API says of one, in words that a person reads."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from homeassistant.core import async_get_hass_or_none

from ..api.errors import COMMAND_NOT_SUPPORTED
from ..api.models import mapping, number, text, words
from ..api.vocabulary import SCHEDULER_ACTIVE, Execution
from .names import plain_text
from .units import UNITS
from .words import command_name, decimal, parameter_name

type _Words = tuple[str, dict[str, str]]

# More of a list, nobody reads.
_MOST_SAID: Final = 8

# Which of the ways to be carried out a command takes.
_EXECUTIONS: Final[Mapping[frozenset[str], str]] = {
    frozenset({Execution.IMMEDIATE}): "only_at_once",
    frozenset({Execution.SCHEDULED}): "only_with_start",
    frozenset({Execution.WINDOWED}): "window_needed",
    frozenset({Execution.IMMEDIATE, Execution.SCHEDULED}): "no_end",
    frozenset({Execution.IMMEDIATE, Execution.WINDOWED}): "end_needed",
    frozenset({Execution.SCHEDULED, Execution.WINDOWED}): "start_needed",
}
# Whose schedule of the manufacturer can stand in the way.
SCHEDULES: Final = ("owner", "third_party", "earlier")
# The same, by what the API's reason holds: its words are not documented.
_SCHEDULES: Final = {
    "third": "third_party",
    "owner": "owner",
    "earlier": "earlier",
    "previous": "earlier",
}


def whose_schedule(details: Mapping[str, Any]) -> str | None:
    """Return whose schedule stands in the way, where the API says it."""
    reason = _reason(details).lower()
    return next((kind for part, kind in _SCHEDULES.items() if part in reason), None)


def refusal(
    code: str | None, details: Mapping[str, Any], *, usual: str = "refused"
) -> _Words:
    """Return the key of what a person reads of a refusal, and its words.

    Where the details do not say how, the API's own code and message stand.
    """
    if (say := _BY_CODE.get(code or "")) is not None:
        if (said := say(details)) is not None:
            return said
    return _CODES.get(code or "", usual), {}


def in_words(reason: str, context: Mapping[str, str]) -> _Words:
    """Return what a person reads of what was refused here, before it was sent."""
    said = dict(context)
    if reason == "execution_not_supported":
        return _execution({"supportedExecution": said["supported"].split(", ")}) or (
            reason,
            said,
        )
    if reason.endswith("_out_of_range"):
        said["unit"] = UNITS.get(said["unit"], said["unit"])
    return reason, said


# Codes that deserve words of their own, wherever they come from.
_CODES: Final = {
    SCHEDULER_ACTIVE: "scheduler_active",
    # The device lists the command, and yet it is refused: not open yet.
    COMMAND_NOT_SUPPORTED: "not_open_yet",
    # It was checked against Home Assistant's clock: the plant's is another one.
    "START_IN_PAST": "start_in_past_there",
    "STRATEGY_NOT_SUPPORTED": "strategy_refused",
}


def _reason(details: Mapping[str, Any]) -> str:
    """Return the reason that details give, as people write it."""
    found = text(details.get("reason")) or text(
        (mapping(details.get("details")) or {}).get("reason")
    )
    return plain_text((found or "").replace("_", " "))


def _scheduler(details: Mapping[str, Any]) -> _Words | None:
    if (kind := whose_schedule(details)) is not None:
        return f"scheduler_active_{kind}", {}
    if reason := _reason(details):
        return "scheduler_active_because", {"reason": reason}
    return None


def _execution(details: Mapping[str, Any]) -> _Words | None:
    taken = frozenset(words(details.get("supportedExecution"))) & set(Execution)
    return (_EXECUTIONS[taken], {}) if taken in _EXECUTIONS else None


def _range(details: Mapping[str, Any]) -> _Words | None:
    low, high = number(details.get("min")), number(details.get("max"))
    unit = _unit(details.get("unit"))
    if low is not None and high is not None:
        bounds = f"{low:g} – {high:g}"
    elif low is not None:
        bounds = f"≥ {low:g}"
    elif high is not None:
        bounds = f"≤ {high:g}"
    else:
        return None
    return "refused_range", {
        "parameter": _parameter(details.get("parameter")),
        "bounds": f"{decimal(async_get_hass_or_none(), bounds)} {unit}".strip(),
    }


def _units(details: Mapping[str, Any]) -> _Words | None:
    if not (units := words(details.get("supportedUnits"))):
        return None
    return "refused_unit", {
        "parameter": _parameter(details.get("parameter")),
        "units": _listed([_unit(unit) for unit in units]),
    }


def _parameters(details: Mapping[str, Any]) -> _Words | None:
    if not (odd := words(details.get("unsupportedParameters"))):
        return None
    abilities = mapping(details.get("deviceCapabilities")) or {}
    taken = words(abilities.get("supportedParameters"))
    return "refused_parameters", {
        "parameters": _listed([_parameter(name) for name in odd]),
        "supported": _listed([_parameter(name) for name in taken]),
    }


def _commands(details: Mapping[str, Any]) -> _Words | None:
    abilities = mapping(details.get("deviceCapabilities")) or {}
    taken = words(abilities.get("supportedModes"))
    taken += words(abilities.get("supportedActions"))
    if not taken:
        return None
    return "refused_command", {"supported": _listed([_command(name) for name in taken])}


_BY_CODE: Final[Mapping[str, Callable[[Mapping[str, Any]], _Words | None]]] = {
    SCHEDULER_ACTIVE: _scheduler,
    COMMAND_NOT_SUPPORTED: _commands,
    "UNSUPPORTED_MODE": _commands,
    "DIRECT_ACTION_UNSUPPORTED": _commands,
    "EXECUTION_NOT_SUPPORTED": _execution,
    "PARAMETER_OUT_OF_RANGE": _range,
    "SETTING_OUT_OF_RANGE": _range,
    "UNSUPPORTED_PARAMETER": _parameters,
    "UNSUPPORTED_UNIT": _units,
}


def _listed(names: Sequence[str]) -> str:
    """Return names in a line, and not endless."""
    more = ["…"] if len(names) > _MOST_SAID else []
    return ", ".join([*names[:_MOST_SAID], *more]) or "-"


def _unit(unit: object) -> str:
    found = text(unit) or ""
    return UNITS.get(found) or plain_text(found)


def _parameter(name: object) -> str:
    return parameter_name(async_get_hass_or_none(), text(name))


def _command(name: str) -> str:
    return command_name(async_get_hass_or_none(), name).replace("_", " ")
