"""What a device takes: commands with their parameters, and settings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
import marshal
from typing import Any, Final, Self

from .reported import Model, key
from .values import Json, as_it_is, each, number, printed, word, words
from .vocabulary import SETTING_UNITS, DeviceType

# So many maps are kept for those who are told the same, each of so many bytes.
_KEPT: Final = 128
_LONGEST_KEPT: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Model):
    """What a command takes: a unit and the bounds of the value."""

    unit: str | None = key("unit", word)
    min: float | None = key("min", number)
    max: float | None = key("max", number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that a device takes.

    `execution` holds `immediate`, `scheduled` and `windowed` as the device
    has them; None where the device does not say, which restricts nothing.
    """

    parameters: Mapping[str, Parameter]
    execution: tuple[str, ...] | None

    @classmethod
    def from_raw(cls, raw: Json) -> Self:
        """Read one entry of a command map."""
        execution = raw.get("execution")
        return cls(
            parameters=each(raw.get("parameters"), Parameter.from_dict) or {},
            execution=words(execution) if isinstance(execution, list) else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Model):
    """A lasting value of a device; `value` is a number or a truth value."""

    unit: str | None = key("unit", word)
    min: float | None = key("min", number)
    max: float | None = key("max", number)
    value: Any = key("value", as_it_is)


def read_commands(value: object) -> Mapping[str, Command] | None:
    """Read a command map. Devices of one kind have the same, and share it."""
    told = printed(value)
    if told is None or len(told) > _LONGEST_KEPT:
        return each(value, Command.from_raw)
    return _read_commands(told)


@lru_cache(maxsize=_KEPT)
def _read_commands(told: bytes) -> Mapping[str, Command] | None:
    return each(marshal.loads(told), Command.from_raw)


def read_settings(
    device_type: DeviceType, value: object
) -> Mapping[str, Setting] | None:
    """Read settings; those that say the same are shared as well."""
    told = printed(value)
    if told is None or len(told) > _LONGEST_KEPT:
        return _settings(device_type, value)
    return _read_settings(device_type, told)


@lru_cache(maxsize=_KEPT)
def _read_settings(
    device_type: DeviceType, told: bytes
) -> Mapping[str, Setting] | None:
    return _settings(device_type, marshal.loads(told))


def _settings(device_type: DeviceType, value: object) -> Mapping[str, Setting] | None:
    """Read settings; one without a unit has the documented one."""
    settings = each(value, Setting.from_dict)
    for name, unit in SETTING_UNITS.get(device_type, {}).items():
        if settings and (setting := settings.get(name)) and setting.unit is None:
            settings[name] = replace(setting, unit=unit)
    return settings
