"""Words: what stands in a sentence, in the language of the house.

Home Assistant keeps the texts of a loaded integration at hand, in its own
language and in English: nothing is loaded here, and nothing blocks.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import async_get_cached_translations
from homeassistant.util import dt as dt_util

from ..api import (
    ActionState,
    AmpsConflictError,
    AmpsDeviceCredentialsError,
    AmpsDeviceNotFoundError,
    AmpsDeviceOfflineError,
    AmpsError,
    AmpsManufacturerError,
    AmpsServerError,
    DeviceType,
)
from ..api.errors import COMMAND_NOT_SUPPORTED, Scope, error_type
from ..api.models import mapping, number
from ..api.values import told as shortened
from ..api.vocabulary import SCHEDULER_ACTIVE, Parameters, Settings
from .const import DOMAIN
from .names import plain_text, without_markup
from .units import UNITS

_ENGLISH: Final = "en"
# How numbers are written, in the languages that there are texts of.
_DECIMAL_COMMA: Final = frozenset({"de", "es", "fr", "it", "nl"})
_SPACED_PERCENT: Final = frozenset({"de", "es", "fr"})
# Where the names of parameters stand; an action's fields are called so too.
_PARAMETERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Parameters.TARGET: "services.charge.fields.target.name",
        Parameters.POWER: "services.charge.fields.power.name",
        Parameters.RESERVE: "services.charge.fields.reserve.name",
        Parameters.HEAT_SETPOINT: "services.hold_temperature.fields.heat_setpoint.name",
        Parameters.COOL_SETPOINT: "services.hold_temperature.fields.cool_setpoint.name",
        Parameters.MAX_POWER: "entity.number.max_power.name",
    }
)
# Why a command failed, by the kind of its code; the most special one first.
_REASONS: Final[tuple[tuple[type[AmpsError], str], ...]] = (
    (AmpsDeviceCredentialsError, "reason_credentials"),
    (AmpsDeviceNotFoundError, "reason_not_found"),
    (AmpsDeviceOfflineError, "reason_offline"),
    (AmpsManufacturerError, "reason_manufacturer"),
    (AmpsConflictError, "reason_conflict"),
    (AmpsServerError, "reason_server"),
)


@callback
def _text(hass: HomeAssistant | None, way: str) -> str | None:
    """Return a text of the translations, or None where there is none."""
    if hass is None:
        return None
    category = way.partition(".")[0]
    for language in (hass.config.language, _ENGLISH):
        texts = async_get_cached_translations(hass, language, category, DOMAIN)
        if text := texts.get(f"component.{DOMAIN}.{way}"):
            return text
    return None


@callback
def said(hass: HomeAssistant | None, way: str, **placeholders: str) -> str:
    """Return a text of the translations, filled in."""
    text = _text(hass, way)
    return way if text is None else text.format(**placeholders)


@callback
def told(hass: HomeAssistant | None, err: HomeAssistantError) -> str:
    """Return what an error says, for where Markdown is rendered."""
    if err.translation_domain != DOMAIN or err.translation_key is None:
        return without_markup(str(err))
    placeholders = err.translation_placeholders or {}
    return said(
        hass,
        f"exceptions.{err.translation_key}.message",
        **{name: without_markup(value) for name, value in placeholders.items()},
    )


@callback
def command_name(
    hass: HomeAssistant | None, command: str | None, device_type: str | None = None
) -> str:
    """Return what people call a command; of the same one, not for each device.

    A battery's are called as its select has them.
    """
    if command is None:
        return "-"
    key = command.replace(".", "_")
    for way in (
        f"common.command_{device_type}_{key}",
        f"entity.select.mode.state.{key}",
        f"common.command_{key}",
    ):
        if text := _text(hass, way):
            return text
    return plain_text(command)


@callback
def parameter_name(hass: HomeAssistant | None, name: str | None) -> str:
    """Return what people call a parameter: as the field of an action is called."""
    way = _PARAMETERS.get(name or "")
    text = _text(hass, way) if way else None
    return text or plain_text((name or "-").replace("_", " "))


@callback
def setting_name(
    hass: HomeAssistant | None, setting: str, device_type: str | None = None
) -> str:
    """Return what people call a setting: as its entity is called."""
    key = setting
    if device_type == DeviceType.EV_CHARGER and setting == Settings.MAX_CHARGE_RATE:
        key = "max_power"
    for platform in ("number", "binary_sensor"):
        if text := _text(hass, f"entity.{platform}.{key}.name"):
            return text
    return plain_text(setting)


@callback
def field_name(hass: HomeAssistant | None, field: str) -> str:
    """Return what a field of an action is called."""
    for service in ("send_command", "hold_temperature"):
        if text := _text(hass, f"services.{service}.fields.{field}.name"):
            return text
    return field


@callback
def reason_of(hass: HomeAssistant | None, code: str) -> str | None:
    """Return why a command failed, for codes that have words."""
    if code == SCHEDULER_ACTIVE:
        return _text(hass, "common.reason_scheduler")
    if code == COMMAND_NOT_SUPPORTED:
        return _text(hass, "common.reason_not_open_yet")
    kind = error_type(Scope.DEVICE, 0, code)
    for known, key in _REASONS:
        if issubclass(kind, known):
            return _text(hass, f"common.{key}")
    return None


@callback
def _reason(hass: HomeAssistant, code: str) -> str:
    return reason_of(hass, code) or plain_text(code).replace("_", " ").lower()


@callback
def plan_missed(
    hass: HomeAssistant,
    plan: str | None,
    command: str | None,
    error: str | None,
    device_type: str | None,
) -> str:
    """Say that a plan was not carried out."""
    name = command_name(hass, command, device_type)
    if not error:
        return said(hass, "common.plan_missed", plan=plan or "-", command=name)
    return said(
        hass,
        "common.plan_missed_because",
        plan=plan or "-",
        command=name,
        reason=_reason(hass, error),
    )


@callback
def ended(
    hass: HomeAssistant,
    command: str | None,
    state: str,
    error: str | None,
    device_type: str | None,
) -> str:
    """Say what became of a command."""
    key = (command or "").replace(".", "_")
    done = f"common.done_{device_type}_{key}"
    if state == ActionState.COMPLETED and (text := _text(hass, done)):
        return text
    name = command_name(hass, command, device_type)
    if state == ActionState.FAILED and error:
        reason = _reason(hass, error)
        return said(hass, "common.failed_because", command=name, reason=reason)
    text = _text(hass, f"selector.action_state.options.{state}") or plain_text(state)
    return said(hass, "common.ended", command=name, state=text)


# Numbers and times


@callback
def _language(hass: HomeAssistant | None) -> str:
    """Return the language of the house, without its region."""
    return _ENGLISH if hass is None else hass.config.language.partition("-")[0]


def unit_symbol(unit: str | None) -> str:
    """Return a unit of the API as people write it."""
    return UNITS.get(unit or "", unit or "")


@callback
def decimal(hass: HomeAssistant | None, digits: str) -> str:
    """Return a number as the language writes it."""
    return digits.replace(".", ",") if _language(hass) in _DECIMAL_COMMA else digits


@callback
def amount(hass: HomeAssistant, value: float, unit: str | None) -> str:
    """Return a number and its unit as the language writes them."""
    symbol = unit_symbol(unit)
    digits = decimal(hass, f"{value:g}")
    if symbol == "%" and _language(hass) not in _SPACED_PERCENT:
        return f"{digits}%"
    return f"{digits} {symbol}".strip()


@callback
def parameters_said(
    hass: HomeAssistant, parameters: Mapping[str, Any] | None
) -> str | None:
    """Return the parameters of a command in one line, None where there are none."""
    said_all = ", ".join(
        f"{parameter_name(hass, name)}: {amount(hass, value, found.get('unit'))}"
        for name, raw in (parameters or {}).items()
        if (found := mapping(raw)) is not None
        and (value := number(found.get("value"))) is not None
    )
    return shortened(said_all)


@callback
def moment(hass: HomeAssistant, at: datetime) -> str:
    """Return a time, with its day, as the language writes it."""
    local = at if at.tzinfo is None else dt_util.as_local(at)
    return said(
        hass,
        "common.moment",
        day=str(local.day),
        month=said(hass, "common.part_months").split()[local.month - 1],
        year=str(local.year),
        time=local.strftime("%H:%M"),
    )


@callback
def span(hass: HomeAssistant, start: datetime, end: datetime | None) -> str:
    """Return from when to when; the day once, where it is the same."""
    if end is None:
        return moment(hass, start)
    last = dt_util.as_local(end)
    same = dt_util.as_local(start).date() == last.date()
    until = last.strftime("%H:%M") if same else moment(hass, end)
    return f"{moment(hass, start)} – {until}"


# What an error names


def _listed(names: str, say: Callable[[str], str]) -> str:
    return ", ".join(say(name) for name in names.split(", "))


@callback
def context_said(
    hass: HomeAssistant | None,
    reason: str,
    context: Mapping[str, str],
    device_type: str | None,
) -> dict[str, str]:
    """Return what goes into the words of a refusal, as people say it."""

    def _command(name: str) -> str:
        return command_name(hass, name, device_type)

    def _setting(name: str) -> str:
        return setting_name(hass, name, device_type)

    def _parameter(name: str) -> str:
        return parameter_name(hass, name)

    def _execution(name: str) -> str:
        return _text(hass, f"common.part_{name}") or name

    def _strategy(name: str) -> str:
        return _text(hass, f"selector.on_conflict.options.{name}") or plain_text(name)

    def _field(name: str) -> str:
        return field_name(hass, name)

    say: dict[str, Callable[[str], str]] = {
        "command": _command,
        "execution": _execution,
        "field": _field,
        "fields": _field,
        "mode": _command,
        "name": _setting if reason.startswith("setting") else _parameter,
        "strategies": _strategy,
        "strategy": _strategy,
        "unit": unit_symbol,
        "supported": {
            "command_not_supported": _command,
            "execution_not_supported": _execution,
            "parameter_not_supported": _parameter,
            "setting_not_supported": _setting,
            "strategy_not_supported": _strategy,
            "unit_not_supported": unit_symbol,
        }.get(reason, plain_text),
        **dict.fromkeys(("value", "min", "max"), lambda digits: decimal(hass, digits)),
    }
    return {
        name: _listed(value, say[name]) if name in say else value
        for name, value in context.items()
    }
