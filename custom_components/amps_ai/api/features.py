"""What a device takes: commands with their parameters, and settings."""

from collections.abc import Callable, Mapping
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


def _shared[*AboutTs, ReadT](
    read: Callable[[object, *AboutTs], ReadT],
) -> Callable[[object, *AboutTs], ReadT]:
    """Read once what devices of one kind are told alike, and let them share it."""

    @lru_cache(maxsize=_KEPT)
    def _read_once(told: bytes, *about: *AboutTs) -> ReadT:
        return read(marshal.loads(told), *about)

    def _read(value: object, *about: *AboutTs) -> ReadT:
        told = printed(value)
        if told is None or len(told) > _LONGEST_KEPT:
            return read(value, *about)
        return _read_once(told, *about)

    return _read


@_shared
def read_commands(value: object) -> Mapping[str, Command] | None:
    """Read a command map."""
    return each(value, Command.from_raw)


@_shared
def read_settings(
    value: object, device_type: DeviceType
) -> Mapping[str, Setting] | None:
    """Read settings; one without a unit has the documented one."""
    settings = each(value, Setting.from_dict)
    for name, unit in SETTING_UNITS.get(device_type, {}).items():
        if settings and (setting := settings.get(name)) and setting.unit is None:
            settings[name] = replace(setting, unit=unit)
    return settings
