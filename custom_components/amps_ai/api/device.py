"""A device as last told: its reply, and what was known of it before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from typing import Final, Self

import orjson

from .actions import Action
from .features import Command, Setting, read_commands, read_settings
from .states import STATES, State, Sync
from .values import (
    Json,
    MalformedError,
    identifier,
    is_too_deep,
    mapping,
    printed,
    text,
    told,
    words,
)
from .vocabulary import STEERABLE, DeviceType

# Of a device's body: all but these two, the sync, and the state.
type _Prints = tuple[bytes | None, bytes | None, bytes | None]


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
    # What the last single read did not tell at all; it is kept as it was known.
    left_out: frozenset[str] = frozenset()
    # Whether the last single read told all that such a device tells, and lately.
    is_whole: bool = False
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

        What a reply leaves out is kept as known: one reading proves no loss, and
        the generation of a device changes only by telling.
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
        if is_too_deep(found):
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

        commands = part("commands", known.commands if known else None, read_commands)
        settings = part(
            "settings",
            known.settings if known else None,
            lambda value: read_settings(value, device_type),
        )
        if known is not None:
            commands = known.commands if commands is None else commands
            settings = known.settings if settings is None else settings
        if known is not None and not detailed and known.settings and settings:
            # A list can leave out some settings, or all.
            settings = {**known.settings, **settings}
        left_out = frozenset(
            name
            for name, kept in (("commands", commands), ("settings", settings))
            if found.get(name) is None
            and (kept if detailed else known is not None and name in known.left_out)
        )
        if detailed:
            settings = settings or {}
            # What cannot be read, or tells other things that are new, is none of
            # the older generation's.
            if commands is None and not _NEWER.isdisjoint(found):
                commands = {}
        if known is not None:
            commands = known.commands if commands == known.commands else commands
            settings = known.settings if settings == known.settings else settings
        return cls(
            id=device_id,
            type=device_type,
            vendor=told(found.get("vendor")) or (known.vendor if known else None),
            model=told(metadata.get("model")) or (known.model if known else None),
            sync=part("sync", known.sync if known else Sync(), _sync),
            state=part(
                "state",
                known.state if known else State(),
                lambda value: _state(device_type, value),
            ),
            commands=commands,
            settings=settings,
            conflict_strategies=(
                known.conflict_strategies
                if known is not None and "conflictStrategies" not in found
                else words(found.get("conflictStrategies"))
            ),
            last_action=(
                known.last_action
                if known is not None and "lastAction" not in found
                else part(
                    "lastAction", known.last_action if known else None, _last_action
                )
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
            left_out=left_out,
            is_whole=(
                _is_whole(device_type, found)
                if detailed
                else known is not None and known.is_whole
            ),
            source=text(metadata.get("source")),
            raw=found,
            prints=prints,
        )

    def captured_by(self, now: datetime) -> Self:
        """Return the device as captured now: a capture cannot be later."""
        return replace(self, sync=replace(self.sync, last_pulled_at=now))

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
            vars(again)["sync"] = _sync(_shallow(raw.get("sync")))
        if state is None or state != known_state:
            vars(again)["state"] = _state(self.type, _shallow(raw.get("state")))
        return again


# What of a device is the same from reading to reading.
_LASTING: Final = attrgetter(
    "commands",
    "settings",
    "last_action",
    "detailed",
    "unread",
    "left_out",
    "is_whole",
    "vendor",
    "model",
    "conflict_strategies",
)


# What only newer bodies have.
_NEWER: Final = frozenset(
    {"commands", "conflictStrategies", "currentSchedule", "lastAction", "settings"}
)


def _is_whole(device_type: DeviceType, found: Json) -> bool:
    """Tell whether a single read told all that such a device tells, and lately."""
    metadata, sync = mapping(found.get("metadata")), mapping(found.get("sync"))
    return (
        isinstance(found.get("state"), dict)
        and (metadata or {}).get("source") != "fallback"
        and (sync or {}).get("available") is not False
        and (device_type not in STEERABLE or "commands" in found)
    )


def _sync(value: object) -> Sync:
    return Sync.from_raw(mapping(value) or {})


def _state(device_type: DeviceType, value: object) -> State:
    state = mapping(value)
    if value is not None and state is None:
        raise MalformedError("a device's state is not an object")
    return STATES[device_type].from_raw(state or {})


def _shallow(value: object) -> object:
    """Return a part of a body as it is, once somebody has looked how deep it is."""
    if (found := mapping(value)) is not None and is_too_deep(found):
        raise MalformedError("a device is nested too deeply")
    return value


def _prints(body: Json) -> _Prints:
    """Return what tells the parts of a device's body from any others."""
    rest = body.copy()
    sync, state = rest.pop("sync", None), rest.pop("state", None)
    return printed(rest), printed(sync), printed(state)


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


def _last_action(value: object) -> Action | None:
    try:
        return Action.from_raw(value)
    except MalformedError:
        return None
