"""A whole entry: one sound device among others that are anything but."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from copy import deepcopy
from datetime import timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
from hypothesis import example, given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.api import DeviceType

from .conftest import MakeEntry
from .helpers import Checks, Stage
from .strategies import (
    ACTIONS,
    DEVICES,
    MARKUP,
    QUIET,
    TIMES,
    UNSEEN,
    anything,
    devices,
    examples,
    mutated,
    nasty_numbers,
    nasty_texts,
    start_of,
)

pytestmark = [*QUIET, pytest.mark.usefixtures("everything_enabled")]

SOUND = "sound"
MODEL = "Sound One"


def _sound() -> Any:
    """Return a device with nothing wrong, captured just now."""
    device = deepcopy(DEVICES["battery"][0])
    now = dt_util.utcnow().replace(microsecond=0)
    return device | {
        "id": SOUND,
        "metadata": {"model": MODEL},
        "sync": {"available": True, "lastPulledAt": now.isoformat()},
        "lastAction": {**device["lastAction"], "id": "act_sound"},
    }


@asynccontextmanager
async def _set_up(
    hass: HomeAssistant, make_entry: MakeEntry
) -> AsyncGenerator[MockConfigEntry]:
    """Set an entry up, and remove it."""
    entry = make_entry()
    entry.add_to_hass(hass)
    try:
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.state is ConfigEntryState.LOADED
        yield entry
    finally:
        await hass.config_entries.async_remove(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert not hass.states.async_all()


def _states_of(hass: HomeAssistant, device_id: str) -> dict[str, tuple[str, Any]]:
    """Return the states of a device, without what depends on times and memory."""
    entries = {
        entry.entity_id
        for entry in er.async_get(hass).entities.values()
        if entry.unique_id.startswith(f"{device_id}_")
    }
    states: list[State] = [
        state for state in hass.states.async_all() if state.entity_id in entries
    ]
    return {
        state.entity_id: (state.state, dict(state.attributes))
        for state in states
        if "last_captured" not in state.entity_id and "estimate" not in state.entity_id
    }


async def _poll(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Ask for all lists, and for all devices one by one."""
    runtime = entry.runtime_data
    for coordinator in runtime.coordinators.values():
        await coordinator.async_refresh()
        for device in tuple(coordinator.data.values()):
            # As the planner reads: what fails is for the log.
            await runtime.planner._async_start_read(coordinator, device, expedite=False)
    await hass.async_block_till_done(wait_background_tasks=True)


def _lists(most: int) -> st.SearchStrategy[dict[str, list[Any]]]:
    return st.fixed_dictionaries(
        {
            device_type.path: st.lists(devices(device_type.value), max_size=most)
            for device_type in DeviceType
        }
    )


def _planned() -> st.SearchStrategy[list[Any]]:
    planned = {**ACTIONS[0], "deviceId": SOUND}
    return st.lists(mutated(st.just(planned)), max_size=2)


@examples(25, slow=True)
@given(
    lists=_lists(2),
    later=_lists(2),
    place=st.integers(0, 2),
    reads=_lists(2),
    planned=_planned(),
)
async def test_the_sound_one_does_not_notice(
    hass: HomeAssistant,
    stage: Stage,
    make_entry: MakeEntry,
    checks: Checks,
    lists: dict[str, list[Any]],
    later: dict[str, list[Any]],
    place: int,
    reads: dict[str, list[Any]],
    planned: list[Any],
) -> None:
    sound = _sound()
    stage.lists, stage.reads, stage.planned = {"battery": [sound]}, {}, []
    async with _set_up(hass, make_entry):
        expected = _states_of(hass, SOUND)
        assert len(expected) > 10
        checks.all()

    lists["battery"].insert(place, sound)
    later["battery"].insert(place, sound)
    stage.lists = lists
    async with _set_up(hass, make_entry) as entry:
        checks.all()
        assert _states_of(hass, SOUND) == expected
        stage.lists, stage.planned = later, planned
        await _poll(hass, entry)
        checks.all()
        assert _states_of(hass, SOUND) == expected
        # What single reads tell is not what the lists tell.
        for path, items in later.items():
            for item, told in zip(items, reads[path], strict=False):
                if isinstance(item, dict) and isinstance(item.get("id"), str):
                    stage.reads[item["id"]] = told
        stage.reads.pop(SOUND, None)
        await _poll(hass, entry)
        checks.all()
        assert _states_of(hass, SOUND) == expected


# One thing wrong, everywhere


def _leaves(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        return [before]
    return [leaf for name, item in items for leaf in _leaves(item, (*before, name))]


def _poison(device_type: DeviceType, value: Any) -> Any:
    """Return a device of which every value of a kind is another one of that kind."""
    device = deepcopy(DEVICES[device_type.value][0])
    device["id"] = f"poisoned_{device_type}"
    for *path, name in _leaves(device):
        place = device
        for step in path:
            place = place[step]
        if name != "id" and _kind(place[name]) == _kind(value):
            place[name] = value
    return device


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "flag"
        case int() | float():
            return "number"
        case _:
            return type(value).__name__


def _poisoned(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            device_type.path: st.builds(_poison, st.just(device_type), values).map(
                _listed
            )
            for device_type in DeviceType
        }
    )


def _listed(device: Any) -> list[Any]:
    return [device]


def _all_poisoned(value: Any) -> dict[str, list[Any]]:
    return {
        device_type.path: [_poison(device_type, value)] for device_type in DeviceType
    }


@examples(25, slow=True)
@given(_poisoned(nasty_numbers), _poisoned(nasty_numbers), st.integers(1, 1000))
@example(_all_poisoned(1e15), _all_poisoned(1e15), 1000)
@example(_all_poisoned(-1e15), _all_poisoned(1e15), 1)
async def test_numbers_beyond_measure(
    hass: HomeAssistant,
    stage: Stage,
    make_entry: MakeEntry,
    checks: Checks,
    lists: dict[str, list[Any]],
    later: dict[str, list[Any]],
    seconds: int,
) -> None:
    """Whatever is measured: what is made of it is a number, and a state."""
    captured = dt_util.utcnow() - timedelta(seconds=1000)
    for both, at in ((lists, captured), (later, captured + timedelta(seconds=seconds))):
        for items in both.values():
            items[0]["sync"] = {"available": True, "lastPulledAt": at.isoformat()}
    stage.lists, stage.reads = lists, {}
    async with _set_up(hass, make_entry) as entry:
        checks.all()
        stage.lists = later
        await _poll(hass, entry)
        checks.all()


@examples(25, slow=True)
@given(_poisoned(nasty_texts), st.sampled_from(TIMES))
async def test_words_beyond_words(
    hass: HomeAssistant,
    stage: Stage,
    make_entry: MakeEntry,
    checks: Checks,
    lists: dict[str, list[Any]],
    at: str,
) -> None:
    """Whatever words and times are told: states stay what states can be."""
    for items in lists.values():
        items[0]["sync"] = {"available": True, "lastPulledAt": at}
    stage.lists, stage.reads = lists, {}
    async with _set_up(hass, make_entry) as entry:
        checks.all()
        await _poll(hass, entry)
        checks.all()


@examples(25, slow=True)
@given(
    start=st.sampled_from(TIMES),
    end=st.sampled_from(TIMES) | st.none(),
    command=nasty_texts,
    parameters=anything,
    zone=st.sampled_from(("UTC", "Pacific/Kiritimati", "Etc/GMT+12")),
)
async def test_plans_beyond_time(
    hass: HomeAssistant,
    stage: Stage,
    make_entry: MakeEntry,
    checks: Checks,
    start: str,
    end: str | None,
    command: str,
    parameters: Any,
    zone: str,
) -> None:
    """Whatever is planned: the calendar shows it, or leaves it out."""
    await hass.config.async_set_time_zone(zone)
    plan = {
        "id": "act_planned",
        "deviceId": SOUND,
        "state": "scheduled",
        "command": command,
        "parameters": parameters,
        "start": start,
        "end": end,
    }
    stage.lists, stage.reads, stage.planned = {"battery": [_sound()]}, {}, [plan]
    async with _set_up(hass, make_entry) as entry:
        checks.all()
        calendars = hass.states.async_entity_ids("calendar")
        assert len(calendars) == 1
        response = await hass.services.async_call(
            "calendar",
            "get_events",
            {
                "entity_id": calendars[0],
                "start_date_time": "2026-01-01T00:00:00",
                "end_date_time": "2027-01-01T00:00:00",
            },
            blocking=True,
            return_response=True,
        )
        assert response is not None
        await _poll(hass, entry)
        checks.all()


# Names


@pytest.mark.parametrize(
    "model", [*UNSEEN, *MARKUP, "x" * 100_000, "{", "..", "_"], ids=start_of
)
async def test_names_of_devices(
    hass: HomeAssistant,
    stage: Stage,
    make_entry: MakeEntry,
    checks: Checks,
    model: str,
) -> None:
    """Names are lines to read, and entities have ids, whatever a model is."""
    device = {**_sound(), "vendor": model, "metadata": {"model": model}}
    stage.lists = {
        "battery": [device, {**device, "id": "twin"}, {**device, "id": model}]
    }
    async with _set_up(hass, make_entry) as entry:
        checks.all()
        found = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
        names = [item.name for item in found]
        assert len(names) == len(set(names))
        known = {ident for item in found for _, ident in item.identifiers}
        # One with such an id may be left out.
        assert {entry.entry_id, SOUND, "twin"} <= known
        assert known <= {entry.entry_id, SOUND, "twin", model}


async def test_many_of_one_name(
    hass: HomeAssistant, stage: Stage, make_entry: MakeEntry, checks: Checks
) -> None:
    """Devices that are all called the same cost no more than their number."""
    device = {"vendor": "a", "metadata": {"model": "a"}, "state": {}}
    stage.lists = {"vehicle": [{**device, "id": f"d{number}"} for number in range(300)]}
    async with _set_up(hass, make_entry):
        checks.all()
        assert len({device.name for device in checks.devices()}) == 301
