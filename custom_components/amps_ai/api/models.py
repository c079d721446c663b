"""What Amps AI says of devices and actions, as values.

Everything is presence-based: a field, command or setting that a device does
not have is absent. All values are tolerant: an unknown field is kept in `raw`
and otherwise ignored, and a field of the wrong kind counts as null. Only a
device that cannot be told apart from others (no object, no id) is malformed.

Models are frozen and compare by content. Reading a reply again hands out the
very objects of the last time for whatever did not change, so that an `is`
tells what did.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
import marshal
from operator import attrgetter
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self

from mashumaro import DataClassDictMixin, field_options
from mashumaro.config import BaseConfig
import orjson

from .vocabulary import FINAL_STATES, SETTING_UNITS, DeviceType

type Json = dict[str, Any]
# Of a device's body: all but these two, the sync, and the state.
type _Prints = tuple[bytes | None, bytes | None, bytes | None]

# Beyond this, a number is no amount of anything.
MOST: Final = 1e15
# Years that a time can be in; further out, no other zone could say it.
_YEARS: Final = range(1971, 9000)
_LONGEST_ID: Final = 255
# No reply nests deeper; what goes through a body is not made for much more.
_DEEPEST: Final = 32
_NESTING: Final = (dict, list)

# A battery of more than this many kWh is a reply that speaks in Wh.
_MOST_KWH: Final = 1000


class MalformedError(ValueError):
    """A device or action that cannot be told apart from others."""


def number(value: object) -> float | None:
    """Return an amount as it is, anything else as None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # What is no number is in no range.
    return value if -MOST <= value <= MOST else None


def text(value: object) -> str | None:
    """Return a text that says something, anything else as None."""
    return value if isinstance(value, str) and value else None


def identifier(value: object) -> str | None:
    """Return an id that a request can be made with, anything else as None."""
    found = text(value)
    if found is None or found in {".", ".."} or len(found) > _LONGEST_ID:
        return None
    return found if found.isprintable() else None


def flag(value: object) -> bool | None:
    """Return a truth value, anything else as None."""
    return value if isinstance(value, bool) else None


def instant(value: object) -> datetime | None:
    """Return a time of the API, which is in UTC, as an aware datetime."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    if parsed.year not in _YEARS:
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed


def mapping(value: object) -> Json | None:
    """Return an object, anything else as None."""
    return value if isinstance(value, dict) else None


def words(value: object) -> tuple[str, ...]:
    """Return the texts of a list."""
    if not isinstance(value, list):
        return ()
    return tuple(word for word in value if isinstance(word, str) and word)


def _kwh(value: object) -> float | None:
    amount = number(value)
    return amount / 1000 if amount is not None and amount > _MOST_KWH else amount


def key(name: str, deserialize: Callable[[object], Any] | None = None) -> Any:
    """Declare a field by its name in the API; absent reads as None."""
    return field(
        default=None, metadata=field_options(alias=name, deserialize=deserialize)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model(DataClassDictMixin):
    """Read an object of the API, field by field, without ever refusing one."""

    class Config(BaseConfig):
        """Wrong kinds read as null."""

        serialization_strategy = {
            float: {"deserialize": number},
            str: {"deserialize": text},
            bool: {"deserialize": flag},
            datetime: {"deserialize": instant},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported(_Model):
    """An object whose fields are there or not, each for itself."""

    NAMES: ClassVar[Mapping[str, str]] = MappingProxyType({})

    # No field of the API's is read into this one.
    raw: Json = field(
        default_factory=dict,
        compare=False,
        repr=False,
        metadata=field_options(alias="", deserialize=lambda _: {}),
    )

    def has(self, name: str) -> bool:
        """Tell whether this field is reported, even as null."""
        return self.NAMES[name] in self.raw

    def changes(self, other: Self) -> frozenset[str] | None:
        """Return the fields that another one has otherwise.

        None where not even the same fields are there.
        """
        if self.raw.keys() != other.raw.keys():
            return None
        values = _VALUES[type(self)]
        mine, theirs = values(self), values(other)
        if mine == theirs:
            return frozenset()
        return frozenset(
            name
            for name, value, another in zip(self.NAMES, mine, theirs, strict=True)
            if value != another
        )

    @classmethod
    def from_raw(cls, raw: Json) -> Self:
        """Read a reported object, and keep what was reported."""
        reported = cls.from_dict(raw)
        object.__setattr__(reported, "raw", raw)
        return reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync(Reported):
    """How fresh a device's state is."""

    available: bool | None = key("available")
    last_pulled_at: datetime | None = key("lastPulledAt")

    def is_like(self, other: Self) -> bool:
        """Tell whether another one differs in nothing but its time."""
        return self.raw.keys() == other.raw.keys() and self.available == other.available


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(_Model):
    """What a command takes: a unit and the bounds of the value."""

    unit: str | None = key("unit")
    min: float | None = key("min")
    max: float | None = key("max")


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
            parameters=_each(raw.get("parameters"), Parameter.from_dict) or {},
            execution=words(execution) if isinstance(execution, list) else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(_Model):
    """A lasting value of a device; `value` is a number or a truth value."""

    unit: str | None = key("unit")
    min: float | None = key("min")
    max: float | None = key("max")
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State(Reported):
    """What a device measures and does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryState(State):
    """A battery: level and discharge limit in %, capacity in kWh.

    `charge_rate` is in kW and negative while discharging.
    """

    status: str | None = key("status")
    level: float | None = key("level")
    capacity: float | None = key("capacity", _kwh)
    charge_rate: float | None = key("chargeRate")
    discharge_limit: float | None = key("dischargeLimit")
    current_mode: str | None = key("currentMode")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvChargerState(State):
    """An EV charger: powers in kW, current in A."""

    status: str | None = key("status")
    is_connected: bool | None = key("isConnected")
    is_charging: bool | None = key("isCharging")
    current_power: float | None = key("currentPower")
    max_current: float | None = key("maxCurrent")
    power_rate_limit: float | None = key("powerRateLimit")


@dataclass(frozen=True, slots=True, kw_only=True)
class HvacState(State):
    """A thermostat: temperatures in °C."""

    temperature: float | None = key("temperature")
    active: bool | None = key("active")
    heat_setpoint: float | None = key("heatSetpoint")
    cool_setpoint: float | None = key("coolSetpoint")
    hold_type: str | None = key("holdType")
    mode: str | None = key("mode")


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarInverterState(State):
    """A solar inverter: power in kW, energy over its life in kWh."""

    status: str | None = key("status")
    current_power: float | None = key("currentPower")
    producing: bool | None = key("producing")
    energy_total: float | None = key("energyTotal")


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleState(State):
    """A vehicle: % of charge, kWh, kW, minutes and A.

    The unit of `range` is not documented; the documented examples fit miles.
    """

    battery_level: float | None = key("batteryLevel")
    range: float | None = key("range")
    plugged: bool | None = key("plugged")
    charging: bool | None = key("charging")
    fully_charged: bool | None = key("fullyCharged")
    battery_capacity: float | None = key("batteryCapacity", _kwh)
    charge_limit: float | None = key("chargeLimit")
    charge_rate: float | None = key("chargeRate")
    charge_time_remaining: float | None = key("chargeTimeRemaining")
    max_current: float | None = key("maxCurrent")


STATES: Final[Mapping[DeviceType, type[State]]] = MappingProxyType(
    {
        DeviceType.BATTERY: BatteryState,
        DeviceType.EV_CHARGER: EvChargerState,
        DeviceType.HVAC: HvacState,
        DeviceType.SOLAR_INVERTER: SolarInverterState,
        DeviceType.VEHICLE: VehicleState,
    }
)

_REPORTED: tuple[type[Reported], ...] = (Sync, *STATES.values())
for _reported in _REPORTED:
    _reported.NAMES = MappingProxyType(
        {
            item.name: item.metadata["alias"]
            for item in fields(_reported)
            if item.name != "raw"
        }
    )
# What takes all these fields of an object, in their order.
_VALUES: Final = {_reported: attrgetter(*_reported.NAMES) for _reported in _REPORTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(_Model):
    """A pushed command and what became of it, in either generation's words."""

    id: str
    device_id: str | None = key("deviceId")
    device_type: str | None = key("deviceType")
    command: str | None = key("command")
    parameters: Json | None = key("parameters", mapping)
    state: str | None = key("state")
    result: Json | None = key("result", mapping)
    error_code: str | None = key("errorCode")
    error_message: str | None = key("errorMessage")
    created_at: datetime | None = key("createdAt")
    updated_at: datetime | None = key("updatedAt")
    acknowledged_at: datetime | None = key("acknowledgedAt")
    completed_at: datetime | None = key("completedAt")
    start: datetime | None = key("start")
    end: datetime | None = key("end")

    def filled_from(self, known: Self) -> Self:
        """Return the action with what it does not tell as it was known."""
        return replace(
            known,
            **{
                item.name: value
                for item in fields(self)
                if (value := getattr(self, item.name)) is not None
            },
        )

    def as_record(self) -> Json:
        """Return the action in the API's words, with times in ISO format."""
        return {
            item.metadata.get("alias", item.name): (
                value.isoformat() if isinstance(value, datetime) else value
            )
            for item in fields(self)
            for value in (getattr(self, item.name),)
        }

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more will become of this action."""
        return self.state in FINAL_STATES

    @classmethod
    def from_raw(cls, raw: object) -> Self:
        """Read an action; the older generation's names are carried over.

        Raises MalformedError where there is no id to know it by.
        """
        if (found := mapping(raw)) is None:
            raise MalformedError("an action is not an object")
        if _is_too_deep(found):
            raise MalformedError("an action is nested too deeply")
        if text(found.get("id")) is None:
            found = {**found, "id": found.get("actionId")}
        if identifier(found["id"]) is None:
            raise MalformedError("an action has no id")
        if (error := mapping(found.get("error"))) is not None:
            found = _filled(
                found,
                {"errorCode": error.get("code"), "errorMessage": error.get("message")},
            )
        found = _filled(found, {"completedAt": found.get("failedAt")})
        kind = text(found.get("type")) or text(found.get("actionType"))
        if kind is not None and text(found.get("command")) is None:
            found = _filled(found, _older_kind(kind, mapping(found.get("parameters"))))
        return cls.from_dict(found)


def _filled(found: Json, other: Json) -> Json:
    """Return an object with what it lacks, or has as null, filled in."""
    return found | {
        name: value for name, value in other.items() if found.get(name) is None
    }


# How the older generation named what is now a command.
_OLDER_COMMANDS: Final = MappingProxyType(
    {"start_charging": "charge", "stop_charging": "idle", "off": "idle"}
)


def _older_kind(kind: str, parameters: Json | None) -> Json:
    """Return device type and command of an older `type`, as `ev-charger:…`."""
    device_type, _, command = kind.rpartition(":")
    mode = text((parameters or {}).get("mode"))
    command = mode or command
    named: Json = {"command": _OLDER_COMMANDS.get(command, command)}
    if device_type:
        named["deviceType"] = device_type.replace("-", "_")
    return named


# No slots: a newer reading takes over at once all that it does not change.
@dataclass(frozen=True, kw_only=True)
class Device:
    """A device as last told.

    `commands` is None where no reply had a command map: before the first
    single read that says nothing, after it the device is of the older
    generation (`is_older`). `settings` is None until a reply had some.
    """

    id: str
    type: DeviceType
    vendor: str | None
    model: str | None
    sync: Sync
    state: State
    commands: Mapping[str, Command] | None
    settings: Mapping[str, Setting] | None
    conflict_strategies: tuple[str, ...]
    last_action: Action | None
    # Seen by a single read, which tells all that there is.
    detailed: bool
    # What was told and could not be read, so that it says nothing of a loss.
    unread: frozenset[str] = frozenset()
    source: str | None = field(compare=False)
    raw: Json = field(compare=False, repr=False)
    # Of the body: what the next one is compared with.
    prints: _Prints = field(default=(None, None, None), compare=False, repr=False)

    @property
    def is_older(self) -> bool:
        """Tell whether the device speaks the older generation of the API."""
        return self.detailed and self.commands is None

    def changes(self, other: Self) -> frozenset[str] | None:
        """Return the fields of the state that another reading has otherwise.

        None where more differs than the state and the time of the reading.
        """
        if self.sync is not other.sync and not self.sync.is_like(other.sync):
            return None
        if self.prints[0] is None or self.prints[0] is not other.prints[0]:
            if _LASTING(self) != _LASTING(other):
                return None
        if self.state is other.state:
            return frozenset()
        return self.state.changes(other.state)

    @classmethod
    def from_raw(
        cls,
        device_type: DeviceType,
        raw: object,
        *,
        known: Self | None = None,
        detailed: bool = False,
    ) -> Self:
        """Read a device, given what was known of it.

        What a list leaves out (commands, settings) is kept as known; what a
        single read (`detailed`) leaves out, the device does not have.
        Raises MalformedError where there is no object or no id.
        """
        comparable = known is not None and detailed <= known.detailed
        if known is not None and comparable and known.raw is raw:
            return known
        if (found := mapping(raw)) is None:
            raise MalformedError("a device is not an object")
        if known is not None and not detailed and _is_captured_again(known.raw, found):
            rest, _, state = known.prints
            return known.read_again(found, (rest, None, state))
        prints = _prints(found)
        if known is not None and comparable and prints[0] == known.prints[0]:
            if None not in prints and prints == known.prints:
                return known.told_by(found)
            if not detailed and prints[0] is not None:
                return known.read_again(found, prints)
        if _is_too_deep(found):
            raise MalformedError("a device is nested too deeply")
        if known is not None and comparable and _same(known.raw, found):
            return known.told_by(found)
        if (device_id := identifier(found.get("id"))) is None:
            raise MalformedError("a device has no id")
        if known is not None and known.id != device_id:
            known = None
        metadata = mapping(found.get("metadata")) or {}

        def part[PartT](
            name: str, old: PartT, read: Callable[[object], PartT]
        ) -> PartT:
            value = found.get(name)
            if known is not None and name in known.raw:
                if _same(known.raw[name], value):
                    return old
            return read(value)

        commands = part(
            "commands",
            known.commands if known else None,
            lambda value: _each(value, Command.from_raw),
        )
        settings = part(
            "settings",
            known.settings if known else None,
            lambda value: _settings(device_type, value),
        )
        # What cannot be read says nothing of what the device has lost.
        if known is not None and commands is None:
            if not detailed or found.get("commands") is not None:
                commands = known.commands
        if known is not None and settings is None:
            if not detailed or found.get("settings") is not None:
                settings = known.settings
        if known is not None and not detailed and known.settings and settings:
            # A list can leave out some settings, or all.
            settings = {**known.settings, **settings}
        if detailed:
            settings = settings or {}
            # A map that cannot be read is none of the older generation's.
            if commands is None and "commands" in found:
                commands = {}
        if known is not None:
            commands = known.commands if commands == known.commands else commands
            settings = known.settings if settings == known.settings else settings
        return cls(
            id=device_id,
            type=device_type,
            vendor=text(found.get("vendor")),
            model=text(metadata.get("model")),
            sync=part("sync", known.sync if known else Sync(), _sync),
            state=part(
                "state",
                known.state if known else State(),
                lambda value: _state(device_type, value),
            ),
            commands=commands,
            settings=settings,
            conflict_strategies=words(found.get("conflictStrategies")),
            last_action=part(
                "lastAction", known.last_action if known else None, _last_action
            ),
            detailed=detailed or (known is not None and known.detailed),
            unread=frozenset(
                name
                for name in ("commands", "settings")
                if (
                    not _is_readable(found[name])
                    if found.get(name) is not None
                    else not detailed and known is not None and name in known.unread
                )
            ),
            source=text(metadata.get("source")),
            raw=found,
            prints=prints,
        )

    def told_by(self, raw: Json) -> Self:
        """Return the device as told by another body that says the same.

        It is kept, as the next body will be made of its parts.
        """
        vars(self)["raw"] = raw
        return self

    def read_again(self, raw: Json, prints: _Prints) -> Self:
        """Return the device with the sync and the state of a newer body.

        Nothing else of that body may differ. Raises MalformedError where the
        state is none.
        """
        _, sync, state = prints
        rest, known_sync, known_state = self.prints
        again = object.__new__(type(self))
        # The print that is the same object tells `changes` that nothing else did.
        vars(again).update(vars(self), raw=raw, prints=(rest, sync, state))
        if sync is None or sync != known_sync:
            vars(again)["sync"] = _sync(raw.get("sync"))
        if state is None or state != known_state:
            vars(again)["state"] = _state(self.type, raw.get("state"))
        return again


# What of a device is the same from reading to reading.
_LASTING: Final = attrgetter(
    "commands",
    "settings",
    "last_action",
    "detailed",
    "unread",
    "vendor",
    "model",
    "conflict_strategies",
)


def _sync(value: object) -> Sync:
    return Sync.from_raw(_shallow(value) or {})


def _state(device_type: DeviceType, value: object) -> State:
    state = _shallow(value)
    if value is not None and state is None:
        raise MalformedError("a device's state is not an object")
    return STATES[device_type].from_raw(state or {})


def _shallow(value: object) -> Json | None:
    """Return an object as it is, anything else as None."""
    if (found := mapping(value)) is not None and _is_too_deep(found):
        raise MalformedError("a device is nested too deeply")
    return found


def _is_too_deep(value: Json) -> bool:
    """Tell whether objects and lists are nested deeper than in any reply."""
    level = [item for item in value.values() if isinstance(item, _NESTING)]
    for _ in range(_DEEPEST - 1):
        if not level:
            return False
        level = [
            item
            for outer in level
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, _NESTING)
        ]
    return bool(level)


def _print(value: Any) -> bytes | None:
    """Return what tells a JSON value from any other; None where it is none.

    To Python `true` equals 1, to the API it does not. Not as JSON: what
    writes that must not be given what nests deeply, and nobody has looked yet.
    """
    try:
        # The last version that knows no references, only values.
        return marshal.dumps(value, 2)
    except ValueError:
        return None


def _prints(body: Json) -> _Prints:
    """Return what tells the parts of a device's body from any others."""
    rest = body.copy()
    sync, state = rest.pop("sync", None), rest.pop("state", None)
    return _print(rest), _print(sync), _print(state)


def _is_captured_again(old: Json, new: Json) -> bool:
    """Tell whether a body is made of another's very parts, but for its sync."""
    for name, value in old.items():
        if new.get(name) is not value and name != "sync":
            return False
    return old.keys() == new.keys()


def _same(old: object, new: object) -> bool:
    """Tell whether two values of bodies say the same, in whatever order."""
    return old == new and _sorted(old) == _sorted(new)


def _sorted(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _is_readable(value: object) -> bool:
    """Tell whether a map of commands or settings can be read as a whole."""
    return isinstance(value, dict) and all(
        isinstance(item, dict) for item in value.values()
    )


def _settings(device_type: DeviceType, value: object) -> dict[str, Setting] | None:
    """Read settings; one without a unit has the documented one."""
    settings = _each(value, Setting.from_dict)
    for name, unit in SETTING_UNITS.get(device_type, {}).items():
        if settings and (setting := settings.get(name)) and setting.unit is None:
            settings[name] = replace(setting, unit=unit)
    return settings


def _last_action(value: object) -> Action | None:
    try:
        return Action.from_raw(value)
    except MalformedError:
        return None


def _each[ItemT](
    value: object, read: Callable[[Json], ItemT]
) -> dict[str, ItemT] | None:
    """Read the objects of a map, leaving out what is none."""
    if not isinstance(value, dict):
        return None
    return {name: read(item) for name, item in value.items() if isinstance(item, dict)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All devices of a type, as far as they could be read.

    `complete` is False where the pages did not add up, so that a missing
    device proves nothing. `malformed` says what was skipped and why.
    """

    devices: Mapping[str, Device]
    complete: bool
    malformed: tuple[str, ...]
