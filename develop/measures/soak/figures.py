"""What is counted, and when it counts as growing."""

from annotationlib import Format, get_annotations
import asyncio
from collections import Counter, deque
from collections.abc import (
    Callable,
    Collection,
    Hashable,
    Iterator,
    Mapping,
    Sequence,
    Set as AbstractSet,
)
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
import gc
from itertools import pairwise
import logging
from pathlib import Path
import resource
from statistics import median
from sys import intern
import tracemalloc
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import ATTR_RESTORED, STATE_UNAVAILABLE
from homeassistant.helpers import (
    device_registry as dr,
    entity_platform,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.helpers.dispatcher import DATA_DISPATCHER
from homeassistant.helpers.entity import Entity

from custom_components.amps_ai.api import Command, Device
from custom_components.amps_ai.api.pages import PageMemory
from custom_components.amps_ai.api.reported import Model
from custom_components.amps_ai.common.const import DOMAIN
from custom_components.amps_ai.plans import Plan

from .house import House

PACKAGE: Final = "custom_components.amps_ai"
MEGABYTE: Final = 1024 * 1024
# Objects that fill up first, and have a bound of their own.
BOUNDED: Final = frozenset({"EnergyMeter", "Link", "_Lane"})
# Tasks of the soak's own.
OWN: Final = "soak"


def inside(owner: object, name: str) -> Any:
    """Return what an object keeps to itself, or None."""
    return getattr(owner, name, None)


# What is watched


def _module(kind: type) -> str:
    """Return where a class comes from; some say it in a way of their own."""
    module = kind.__module__
    return module if isinstance(module, str) else ""


def _attributes(item: object) -> Iterator[tuple[str, object]]:
    """Go through the attributes of an object, wherever they are kept.

    What Home Assistant's own classes keep is theirs, but for what is to be
    undone when an entity goes.
    """
    kind: type = type(item)
    theirs = _declared(kind) - {"_on_remove"}
    for name, value in vars(item).items() if hasattr(item, "__dict__") else ():
        if name not in theirs:
            yield name, value
    for base in kind.__mro__:
        for name in getattr(base, "__slots__", ()):
            if name != "__dict__" and hasattr(item, name):
                yield name, getattr(item, name)


@cache
def _declared(kind: Hashable) -> frozenset[str]:
    """Return the names that Home Assistant's entities declare."""
    assert isinstance(kind, type)
    return frozenset(
        name
        for base in kind.__mro__
        if issubclass(base, Entity) and _module(base).startswith("homeassistant.")
        for name in (*vars(base), *get_annotations(base, format=Format.STRING))
    )


def contents(root: object, name: str, seen: set[int]) -> Counter[str]:
    """Count what every container holds that the integration keeps.

    Containers of the same place in different devices are counted together,
    and nothing is counted that was `seen` before.
    """
    found: Counter[str] = Counter()
    waiting: list[tuple[str, object]] = [(name, root)]
    while waiting:
        path, item = waiting.pop()
        if id(item) in seen or isinstance(item, (str, bytes, int, float)):
            continue
        seen.add(id(item))
        within: Collection[object]
        if isinstance(item, Mapping):
            within = item.values()
        elif isinstance(item, tuple) and hasattr(item, "_fields"):
            # A value with names holds what it has; nothing gathers in it.
            waiting += [
                (_short(f"{path}.{field}"), getattr(item, field))
                for field in item._fields
            ]
            continue
        elif isinstance(item, (Sequence, AbstractSet, deque)):
            within = item
        elif isinstance(item, (asyncio.Lock, asyncio.Semaphore)):
            found[f"{path} waiting"] += len(inside(item, "_waiters") or ())
            continue
        elif isinstance(item, (PageMemory, Model, Command, Device, Plan)):
            # What a device, a page or a person told; nothing gathers there.
            continue
        elif _module(type(item)).startswith(PACKAGE):
            waiting += [
                (_short(f"{path}.{attribute}"), value)
                for attribute, value in _attributes(item)
            ]
            continue
        else:
            continue
        found[path] += len(within)
        waiting += [(_short(f"{path}[]"), value) for value in within]
    return found


def _short(path: str) -> str:
    """Return a path without what it says twice in a row."""
    parts = path.split(".")
    kept = [one for one, other in pairwise([*parts, ""]) if one != other]
    return ".".join(kept)


def _receivers(house: House) -> Iterator[object]:
    """Go through what receives webhooks, which runtime data does not hold."""
    for hook in house.hass.data.get("webhook", {}).values():
        if hook.domain == DOMAIN:
            yield inside(hook.handler, "__self__")


def _of_entry(
    house: House, name: str, entry: ConfigEntry, seen: set[int]
) -> Counter[str]:
    """Count what an entry and its entities hold."""
    found = contents(getattr(entry, "runtime_data", None), name, seen)
    for attribute in ("_on_unload", "_tasks", "_background_tasks", "update_listeners"):
        found[f"{name} entry.{attribute}"] = len(inside(entry, attribute) or ())
    for platform in entity_platform.async_get_platforms(house.hass, DOMAIN):
        if platform.config_entry is not entry:
            continue
        for entity in platform.entities.values():
            found += contents(entity, f"{name} {platform.domain}", seen)
    return found


def _listeners(entry: ConfigEntry) -> int:
    """Count who listens to the coordinators of an entry."""
    runtime = getattr(entry, "runtime_data", None)
    if runtime is None:
        return 0
    return sum(
        len(inside(coordinator, "_listeners"))
        + len(inside(coordinator, "_shape_listeners"))
        + sum(len(item.all) for item in inside(coordinator.news, "_watches").values())
        for coordinator in runtime.coordinators.values()
    )


def live_timers() -> Counter[str]:
    """Count the timers of the loop that are not cancelled, by what they call."""
    found: Counter[str] = Counter()
    for handle in inside(asyncio.get_running_loop(), "_scheduled"):
        if not handle.cancelled():
            call = inside(handle, "_callback")
            found[getattr(call, "__qualname__", type(call).__name__)] += 1
    return found


def tasks() -> Counter[str]:
    """Count the tasks that are not the soak's own, by what they run."""
    found: Counter[str] = Counter()
    for task in asyncio.all_tasks():
        if not task.get_name().startswith(OWN):
            found[getattr(task.get_coro(), "__qualname__", "?")] += 1
    return found


def own_objects() -> Counter[str]:
    """Count the living objects of the integration's classes.

    Those of an entry that was reloaded must be gone.
    """
    gc.collect()
    of_kind = Counter(map(type, gc.get_objects()))
    found: Counter[str] = Counter()
    for kind, number in of_kind.items():
        module = _module(kind)
        if module.startswith(PACKAGE) and not module.startswith(f"{PACKAGE}.api"):
            found[kind.__name__] += number
    return found


def connections(house: House) -> int:
    """Count the connections that are open at the sandbox."""
    runner = inside(house.sandbox, "_runner")
    server = runner.server if runner is not None else None
    return len(server.connections) if server is not None else 0


def _resident() -> float:
    """Return the memory that the process holds, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / MEGABYTE


def memory_by_line() -> Counter[str]:
    """Return the bytes that each line of code holds, where that is traced."""
    if not tracemalloc.is_tracing():
        return Counter()
    found: Counter[str] = Counter()
    for held in tracemalloc.take_snapshot().statistics("lineno"):
        (frame,) = held.traceback
        place = "/".join(Path(frame.filename).parts[-3:])
        found[f"{place}:{frame.lineno}"] += held.size
    return found


def memory(by_line: Mapping[str, int]) -> dict[str, float]:
    """Return how many megabytes are held, not counting what the soak is made of."""
    own = ("measures/soak/", "sandbox/", "tracemalloc.py")
    return {
        "memory, MB": sum(
            size
            for place, size in by_line.items()
            if not any(name in place for name in own)
        )
        / MEGABYTE,
        "memory of the integration, MB": sum(
            size for place, size in by_line.items() if "amps_ai/" in place
        )
        / MEGABYTE,
    }


def sample(house: House) -> dict[str, float]:
    """Count everything."""
    hass = house.hass
    objects = own_objects()
    figures: Counter[str] = Counter()
    seen: set[int] = set()
    for name, entry in house.entries.items():
        figures += _of_entry(house, name, entry, seen)
    for receiver in _receivers(house):
        figures += contents(receiver, "webhooks", seen)
    # There are many samples, with the same names in all of them.
    found: dict[str, float] = {
        intern(f"held: {name}"): n for name, n in figures.items()
    }
    entries = house.entries.values()
    registered = er.async_get(hass)
    found |= {
        "tasks": tasks().total(),
        "timers": live_timers().total(),
        "bus listeners": sum(hass.bus.async_listeners().values()),
        "dispatcher signals": sum(
            len(targets) for targets in hass.data.get(DATA_DISPATCHER, {}).values()
        ),
        "coordinator listeners": sum(_listeners(entry) for entry in entries),
        "states": len(hass.states.async_entity_ids()),
        "entities registered": sum(
            len(er.async_entries_for_config_entry(registered, entry.entry_id))
            for entry in entries
        ),
        "devices registered": sum(
            len(dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id))
            for entry in entries
        ),
        "objects of the integration": sum(
            number for name, number in objects.items() if name not in BOUNDED
        ),
        "flows open": len(hass.config_entries.flow.async_progress()),
        "repairs open": len(open_repairs(house)),
        "connections": connections(house),
    }
    if not tracemalloc.is_tracing():
        # Else most of what it gains is what the tracing itself keeps.
        found["resident, MB"] = _resident()
    found |= {intern(f"objects: {name}"): number for name, number in objects.items()}
    return found


def is_whole(house: House) -> bool:
    """Tell whether everything is there that is counted: devices, entries, webhooks."""
    return (
        not not_loaded(house)
        and all(house.registered(device) is not None for device in house.devices)
        and not any(device.gone for device in house.devices)
        # What could not be added again yet, is shown as it was before.
        and not any(
            state.attributes.get(ATTR_RESTORED)
            for state in house.hass.states.async_all()
        )
        and any(True for _ in _receivers(house))
    )


def open_repairs(house: House) -> list[str]:
    """Return the repairs that the integration has opened."""
    return sorted(
        issue.issue_id
        for issue in ir.async_get(house.hass).issues.values()
        if issue.domain == DOMAIN and issue.active
    )


def unavailable(house: House) -> int:
    """Count the entities that are unavailable."""
    return sum(
        state.state == STATE_UNAVAILABLE for state in house.hass.states.async_all()
    )


def not_loaded(house: House) -> list[str]:
    """Return the entries that are not loaded."""
    return [
        f"{name}: {entry.state.value}"
        for name, entry in house.entries.items()
        if entry.state is not ConfigEntryState.LOADED
    ]


# When it grows


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How much more a figure may be in the end: so many, or so much of it."""

    more: float
    share: float = 0.0


# What is counted one by one may differ by what is under way just then; memory
# by what Python keeps for later.
USUAL: Final = Tolerance(more=2, share=0.02)
TOLERANCES: Final[Mapping[str, Tolerance]] = {
    "tasks": Tolerance(more=4),
    "timers": Tolerance(more=4, share=0.05),
    "connections": Tolerance(more=4),
    "repairs open": Tolerance(more=3),
    "memory, MB": Tolerance(more=2, share=0.03),
    "memory of the integration, MB": Tolerance(more=0.3, share=0.1),
    "resident, MB": Tolerance(more=8, share=0.05),
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a figure over the parts of the run."""

    name: str
    # None for a part in which not everything was there at any time.
    medians: tuple[float | None, ...]
    tolerance: Tolerance
    # What bounds it, where it is to fill up first.
    bound: float | None = None

    @property
    def allowed(self) -> float:
        """Return the most that it may be in the last part."""
        if self.bound is not None:
            return self.bound
        told = [item for item in self.medians[1:] if item is not None]
        second = told[0] if told else 0
        return second + max(self.tolerance.more, self.tolerance.share * second)

    @property
    def grows(self) -> bool:
        """Tell whether there is more of it in the end than on day two."""
        told = [item for item in self.medians if item is not None]
        return bool(told) and told[-1] > self.allowed

    @property
    def said(self) -> str:
        """Say it in a word."""
        if self.grows:
            return "GROWING"
        return "flat" if self.bound is None else "bounded"


def verdicts(
    parts: Sequence[Sequence[Mapping[str, float]]], bounds: Mapping[str, float]
) -> list[Verdict]:
    """Judge every figure by its medians, part by part."""
    names = dict.fromkeys(name for part in parts for one in part for name in one)
    return [
        Verdict(
            name=name,
            medians=tuple(
                median([one.get(name, 0) for one in part]) if part else None
                for part in parts
            ),
            tolerance=TOLERANCES.get(name, USUAL),
            bound=_bound(name, bounds),
        )
        for name in names
    ]


def _bound(name: str, bounds: Mapping[str, float]) -> float | None:
    for end, bound in bounds.items():
        if name.endswith(end):
            return bound
    return None


# What is said meanwhile


class Log(logging.Handler):
    """Count what is logged; keep what should not have been."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        super().__init__(logging.INFO)
        self.counts: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self.errors: list[str] = []
        self.secrets: list[str] = []
        self.told: list[str] = []
        # What must never be said.
        self.unspeakable: tuple[str, ...] = ()
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Take note of a line."""
        self.counts[record.levelname] += 1
        text = record.getMessage()
        if any(secret in text for secret in self.unspeakable):
            self.secrets.append(f"{record.name}: {text}")
        # The core's own line for a coordinator whose data is not to be had.
        outage = str(record.msg).startswith("Error fetching %s data")
        if outage:
            self.counts["of which outages, told once each"] += 1
        if record.exc_info or (record.levelno >= logging.ERROR and not outage):
            self.errors.append(self._whole(record, text))
        elif record.levelno == logging.WARNING:
            self.warnings[f"{record.name}: {record.msg}"] += 1

    def _whole(self, record: logging.LogRecord, text: str) -> str:
        formatter = self.formatter or logging.Formatter()
        trace = formatter.formatException(record.exc_info) if record.exc_info else ""
        at = self.now().strftime("%d %H:%M:%S")
        return f"{at} {record.levelname} {record.name}: {text}\n{trace}".rstrip()
