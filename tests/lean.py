"""What the tools for tests of Home Assistant do, with less work.

Nothing is checked less: each part does what it stands for, and was found by a
profile of the whole suite.
"""

import asyncio
import calendar
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache, wraps
from inspect import iscoroutinefunction
import logging
from pathlib import Path
import selectors
import sys
import threading
import time
from types import ModuleType
from typing import Any
from unittest import mock
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import freezegun
from homeassistant import loader
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import (
    aiohttp_client,
    entity_registry as er,
    event,
    translation,
)
from homeassistant.helpers.template import states
from homeassistant.util import dt as dt_util, executor
from homeassistant.util.async_ import get_scheduled_timer_handles
import pytest
from pytest_homeassistant_custom_component import common, patch_time

from custom_components.amps_ai.api import redact

# The clock of each loop that rests.
_IDLE_TIMES: WeakKeyDictionary[asyncio.AbstractEventLoop, Callable[[], float]] = (
    WeakKeyDictionary()
)
# Shorter than this, in seconds, nothing waits.
_SHORTEST = 0.001
_RESOLUTION = time.get_clock_info("monotonic").resolution


def watch_threads(loop: asyncio.AbstractEventLoop) -> None:
    """Refuse calls from other threads, as a loop that is debugged does.

    A third of the time of all tests went into the rest of that mode: the stack
    of each future, task and handle, and two looks at the clock for each call.
    """
    owner = threading.get_ident()
    call_soon, call_at = loop.call_soon, loop.call_at

    def _check() -> None:
        if threading.get_ident() != owner:
            raise RuntimeError("a loop was called from another thread")

    def _call_soon(*args: Any, **kwargs: Any) -> asyncio.Handle:
        _check()
        return call_soon(*args, **kwargs)

    def _call_at(*args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        _check()
        return call_at(*args, **kwargs)

    loop.call_soon = _call_soon  # type: ignore[assignment, method-assign]
    loop.call_at = _call_at  # type: ignore[assignment, method-assign]


def idle_time(loop: asyncio.AbstractEventLoop) -> Callable[[], float]:
    """Return a clock that counts only what a loop waited for in vain.

    A timer is due when all others had nothing to do for so long. However busy
    the machine is, work that is under way comes before it.
    """
    selector: selectors.BaseSelector = loop._selector  # type: ignore[attr-defined]
    usual = selector.select
    now = freezegun.api.real_monotonic()

    def _select(
        timeout: float | None = None,
    ) -> list[tuple[selectors.SelectorKey, int]]:
        nonlocal now
        ready = usual(timeout)
        if not ready and timeout is not None and timeout > 0:
            now += timeout
        return ready

    selector.select = _select  # type: ignore[method-assign]
    return lambda: now


async def rested(seconds: float) -> None:
    """Wait until a loop has had nothing to do for so long, in all.

    For what should not happen: whatever is under way goes on meanwhile, however
    long a busy machine takes for it.
    """
    loop = asyncio.get_running_loop()
    idle = _IDLE_TIMES.get(loop)
    if idle is None:
        idle = _IDLE_TIMES[loop] = idle_time(loop)
    until = idle() + seconds
    while (left := until - idle()) > _SHORTEST:
        await asyncio.sleep(left)


@callback
def _fire_time_changed(hass: HomeAssistant, now: datetime, fire_all: bool) -> None:
    """Call what is due at a time, which is told to it in place of the clock's.

    The tool makes two mocks for each timer; one change of each name does.
    """
    timestamp = now.timestamp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event, "time_tracker_utcnow", lambda: now)
        patch.setattr(event, "time_tracker_timestamp", lambda: timestamp)
        for timer in list(get_scheduled_timer_handles(hass.loop)):
            if timer.cancelled():
                continue
            ahead = timestamp - time.time()
            if fire_all or ahead >= timer.when() - hass.loop.time() - _RESOLUTION:
                timer._run()
                timer.cancel()


def forget_cores() -> None:
    """Let go of the cores that live on in caches, and in mocks of the tools.

    Templates keep the states that they read, each with its core. The mocks live
    as long as the run, and keep each argument of each call.
    """
    states.CACHED_TEMPLATE_LRU.clear()
    states.CACHED_TEMPLATE_NO_COLLECT_LRU.clear()
    states._domain_states.cache_clear()
    for module, name in (
        (aiohttp_client, "_async_make_resolver"),
        (translation, "_async_get_component_strings"),
    ):
        mocked = getattr(module, name)
        if isinstance(mocked, mock.NonCallableMock):
            mocked.reset_mock()


def _names_of(module: ModuleType) -> str:
    """Return what changes with a module: one with as many names has the same ones."""
    return f"{id(module)}-{len(getattr(module, '__dict__', ()))}"


class _TimedModules:
    """What freezegun has of `sys`: the modules that hold something of time.

    It asked all of thousands for it, each time that a clock was stopped.
    """

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self._timed: dict[str, ModuleType] = {}

    @property
    def modules(self) -> dict[str, ModuleType]:
        """Return them; to a clock that goes on again, also those that are new."""
        new = sys.modules.keys() - self._sizes.keys()
        if not freezegun.api.freeze_factories:
            return self._timed | {name: sys.modules[name] for name in new}
        if new:
            self._look()
        return self._timed

    def _look(self) -> None:
        """Look at what is new, and at what had fewer names when it was loaded."""
        for name, module in list(sys.modules.items()):
            names = getattr(module, "__dict__", {})
            if self._sizes.get(name) != len(names):
                self._sizes[name] = len(names)
                if any(
                    id(value) in freezegun.api._real_time_object_ids
                    for value in list(names.values())
                ):
                    self._timed[name] = module


@lru_cache(maxsize=1024)
def _begins(name: str, beginnings: tuple[str, ...]) -> bool:
    return name.startswith(beginnings)


def _should_use_real_time() -> bool:
    """Do what the tools' does, and ask each name of a module only once."""
    try:
        ignored = freezegun.api.ignore_lists[-1]
    except IndexError:
        return True
    frame = sys._getframe(2)
    for _ in range(freezegun.api.call_stack_inspection_limit):
        if _begins(frame.f_globals.get("__name__") or "", ignored):
            return True
        if frame.f_back is None:
            break
        frame = frame.f_back
    return False


@lru_cache(maxsize=8)
def _seconds(now: datetime) -> float:
    """Return the seconds of a clock that stands still, and is read again and again."""
    return calendar.timegm(now.timetuple()) + now.microsecond / 1_000_000


def _fake_monotonic() -> float:
    return _seconds(freezegun.api.get_current_time())


def _instead(wanted: dict[str, Any]) -> Callable[..., Any] | None:
    """Return a function that does all that a mock of the tools would do."""
    if wanted.keys() == {"side_effect", "autospec"}:
        effect: Callable[..., Any] = wanted["side_effect"]
        return effect
    if wanted.keys() <= {"return_value"}:
        return lambda *_args, **_kwargs: wanted.get("return_value")
    return None


@wraps(mock.patch)
def _patch(target: Any, *args: Any, **kwargs: Any) -> Any:
    """Put a function where a mock would only call it, or return something.

    Each core had half a dozen of these. A mock is slow to be made, to be called,
    and to be let go.
    """
    if not args and (new := _instead(kwargs)) is not None:
        return mock.patch(target, new)
    return mock.patch(target, *args, **kwargs)


@wraps(mock.patch.object)
def _patch_object(target: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """Put a function where a mock would only return something that is awaited."""
    if kwargs.keys() != {"return_value"} or not iscoroutinefunction(
        getattr(target, name)
    ):
        return mock.patch.object(target, name, *args, **kwargs)

    async def _new(*_args: object, **_kwargs: object) -> Any:
        return kwargs["return_value"]

    return mock.patch.object(target, name, _new)


def _remember_integrations(patch: pytest.MonkeyPatch) -> None:
    """Read each manifest of Home Assistant's own integrations once.

    Each core read ten, one after the other, and began a thread for nearly each.
    """
    usual, read = (
        HomeAssistant.async_add_executor_job,
        loader._resolve_integrations_from_root,
    )
    known: dict[str, tuple[str, Path, loader.Manifest, set[str]]] = {}

    def _read(
        hass: HomeAssistant, root: ModuleType, domains: Iterable[str]
    ) -> dict[str, loader.Integration]:
        found = read(hass, root, domains)
        for domain, one in found.items():
            if one.is_built_in:
                known[domain] = (
                    one.pkg_path,
                    one.file_path,
                    one.manifest,
                    one._top_level_files,
                )
        return found

    def _add_job(
        hass: HomeAssistant, target: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        if target is not _read or not known.keys() >= set(args[2]):
            return usual(hass, target, *args)
        found = {}
        for domain in args[2]:
            name, path, manifest, files = known[domain]
            found[domain] = loader.Integration(hass, name, path, manifest.copy(), files)
        future = hass.loop.create_future()
        future.set_result(found)
        return future

    patch.setattr(loader, "_resolve_integrations_from_root", _read)
    patch.setattr(HomeAssistant, "async_add_executor_job", _add_job)


async def _time_zone(name: str) -> ZoneInfo | None:
    """Return a zone, of which Python keeps those that it read last."""
    return dt_util.get_time_zone(name)


def make_lean(patch: pytest.MonkeyPatch) -> None:
    """Do these things with less work, while the patch lasts."""
    patch.setattr(common, "_async_fire_time_changed", _fire_time_changed)
    # At the end of a core its threads are joined, each for a tenth of a share of
    # this; whoever is later is interrupted. On a busy machine that hit a thread
    # before it had told the next one to end, which then nobody could end.
    patch.setattr(executor, "EXECUTOR_SHUTDOWN_TIMEOUT", 100)
    # Every body that is logged asks it of each name, and names are few.
    patch.setattr(redact, "is_private", lru_cache(maxsize=4096)(redact.is_private))
    # The tools put theirs into freezegun before each test, the first one's is there.
    patch.setattr(patch_time, "ha_get_module_attributes_hash", _names_of)
    patch.setattr(freezegun.api, "_get_module_attributes_hash", _names_of)
    patch.setattr(patch_time, "ha_should_use_real_time", _should_use_real_time)
    patch.setattr(freezegun.api, "_should_use_real_time", _should_use_real_time)
    patch.setattr(freezegun.api, "_get_fake_monotonic", _fake_monotonic)
    patch.setattr(freezegun.api, "sys", _TimedModules())
    patch.setattr(common, "patch", _patch)
    patch.setattr(_patch, "object", _patch_object)
    _remember_integrations(patch)
    patch.setattr(dt_util, "async_get_time_zone", _time_zone)
    # It writes a line for each new entity, a tenth of what set-up took. The watch
    # over secrets looks at what it holds.
    logging.getLogger(er.__name__).setLevel(logging.WARNING)
    # Pytest has handlers of its own; this one writes each line once more.
    root = logging.getLogger()
    for handler in list(root.handlers):
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)
