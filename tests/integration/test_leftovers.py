"""Devices that went while nobody looked, and those that a person removes."""

from collections.abc import Generator
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.amps_ai.api import DeviceType
from custom_components.amps_ai.common.const import DOMAIN
from custom_components.amps_ai.readings.pace import SLOWEST
from sandbox import Sandbox

from .conftest import Pass
from .helpers import done

PATHS = [device_type.path for device_type in DeviceType]
BATTERY = "device_battery_001"
VEHICLE = "device_vehicle_001"
LEVEL = "sensor.powerwall_2_battery"
GONE = "long_gone"

# It is looked every 11 minutes.
MINUTE = 60
LOOK = 11 * MINUTE


pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """Hold that no error is logged but that a list cannot be had."""
    yield
    for phase in ("setup", "call"):
        for record in caplog.get_records(phase):
            if record.name.startswith(("homeassistant.helpers", "custom_components")):
                assert record.levelno < logging.ERROR or record.getMessage().startswith(
                    "Error fetching"
                ), record.getMessage()


def _devices(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return the devices of an entry: Home Assistant's ids by those at Amps AI."""
    return {
        device_id: device.id
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
        for domain, device_id in device.identifiers
        if domain == DOMAIN
    }


def _reads(sandbox: Sandbox, device_id: str) -> list[str]:
    """Return where a device was asked for."""
    return sorted(request.path for request in sandbox.requests.reads(device_id))


@pytest.fixture
async def off(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> MockConfigEntry:
    """Return an entry that is not loaded, with a device that will not be there."""
    sandbox.home.add_device("battery", device_id=GONE)
    await pass_time(75)
    assert GONE in _devices(hass, loaded)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    await done(hass)
    return loaded


async def _start(hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)


async def _remove(
    hass: HomeAssistant, client: WebSocketGenerator, device_id: str
) -> bool:
    """Remove a device as a person does; tell whether that was allowed."""
    assert await async_setup_component(hass, "config", {})
    line = await client(hass)
    await line.send_json_auto_id(
        {"type": "config/device_registry/remove", "device_id": device_id}
    )
    reply = await line.receive_json()
    await done(hass)
    await line.close()
    return bool(reply["success"])


# Gone while Home Assistant was off.


async def test_gone_while_off(
    hass: HomeAssistant, off: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """It goes once no list has it and no type knows it, and nothing else does."""
    before = _devices(hass, off)
    sandbox.home.remove_device(GONE)
    await _start(hass, off, sandbox)
    await pass_time(LOOK - MINUTE)
    assert _devices(hass, off) == before
    assert _reads(sandbox, GONE) == []
    await pass_time(MINUTE + 15)
    assert _reads(sandbox, GONE) == sorted(f"/{path}/{GONE}" for path in PATHS)
    assert before.keys() - _devices(hass, off).keys() == {GONE}
    assert not [
        item
        for item in er.async_get(hass).entities.values()
        if item.unique_id.startswith(GONE)
    ]
    # It is asked for no more, nor is anything else.
    sandbox.requests.clear()
    await pass_time(2 * LOOK)
    assert _reads(sandbox, GONE) == []


async def test_several_are_gone(
    hass: HomeAssistant, off: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    for device_id in (GONE, BATTERY, VEHICLE):
        sandbox.home.remove_device(device_id)
    await _start(hass, off, sandbox)
    # A type that lost its only device is listed every ten minutes.
    await pass_time(2 * LOOK + 15)
    left = {device.id for device in sandbox.home.devices}
    assert _devices(hass, off).keys() == left | {off.entry_id}


async def test_very_many_are_gone(
    hass: HomeAssistant, off: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """They are looked for one after the other, and not while others have to wait."""
    sandbox.home.remove_device(GONE)
    before = _devices(hass, off).keys() - {GONE}
    for number in range(40):
        dr.async_get(hass).async_get_or_create(
            config_entry_id=off.entry_id, identifiers={(DOMAIN, f"gone_{number}")}
        )
    await _start(hass, off, sandbox)
    await pass_time(LOOK)
    left = len(_devices(hass, off))
    for turn in range(1, 11):
        sandbox.requests.clear()
        await pass_time(15)
        asked = [r for r in sandbox.requests if "gone" in r.path]
        assert len(asked) == len(PATHS)
        assert len(_devices(hass, off)) == left - turn
    sandbox.faults.add(path="/battery", status=429, retry_after=LOOK, times=1)
    await pass_time(SLOWEST.total_seconds())
    sandbox.requests.clear()
    await pass_time(120)
    assert not [r for r in sandbox.requests if "gone" in r.path]
    await pass_time(3 * LOOK)
    assert _devices(hass, off).keys() == before


@pytest.mark.parametrize("path", PATHS)
async def test_not_while_a_type_fails(
    hass: HomeAssistant,
    off: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    path: str,
) -> None:
    """A list that cannot be had may hold it."""
    sandbox.home.remove_device(GONE)
    fault = sandbox.faults.add(path=f"/{path}", code="INTERNAL_ERROR")
    await _start(hass, off, sandbox)
    await pass_time(3 * LOOK)
    assert GONE in _devices(hass, off)
    assert _reads(sandbox, GONE) == []
    sandbox.faults.remove(fault)
    await pass_time(2 * LOOK)
    assert GONE not in _devices(hass, off)
    left = {device.id for device in sandbox.home.devices}
    assert _devices(hass, off).keys() == left | {off.entry_id}


async def test_not_after_a_list_in_part(
    hass: HomeAssistant, off: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """A list whose pages do not add up proves nothing."""
    sandbox.home.remove_device(GONE)
    sandbox.faults.add(path="/battery", kind="shift_total", amount=3)
    await _start(hass, off, sandbox)
    await pass_time(2 * LOOK)
    assert GONE in _devices(hass, off)
    assert _reads(sandbox, GONE) == []


PAGE: dict[str, Any] = {"kind": "html", "status": 404}


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        *((path, PAGE) for path in PATHS),
        ("hvac", {"kind": "empty", "status": 404}),
        ("hvac", {"kind": "json", "status": 404, "body": {"message": "no Route"}}),
        ("hvac", {"code": "NOT_FOUND"}),
        ("hvac", {"code": "INTERNAL_ERROR"}),
        ("hvac", {"code": "INVALID_CREDENTIALS"}),
        ("hvac", {"code": "DEVICE_OFFLINE"}),
        ("hvac", {"code": "RATE_LIMITED"}),
        ("hvac", {"kind": "drop"}),
    ],
)
async def test_not_without_the_word_of_every_type(
    hass: HomeAssistant,
    off: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    path: str,
    fault: dict[str, Any],
) -> None:
    """Only the API's own word that there is no such device counts, for each type."""
    sandbox.home.remove_device(GONE)
    order = sandbox.faults.add(path=f"/{path}/{GONE}", **fault)
    await _start(hass, off, sandbox)
    await pass_time(LOOK + 15)
    assert order.hits
    assert GONE in _devices(hass, off)
    sandbox.faults.remove(order)
    await pass_time(LOOK)
    assert GONE not in _devices(hass, off)


async def test_not_while_the_account_holds_back(
    hass: HomeAssistant, off: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """An account that is to wait is asked for nothing."""
    sandbox.home.remove_device(GONE)
    await _start(hass, off, sandbox)
    await pass_time(LOOK - SLOWEST.total_seconds() - 30)
    sandbox.faults.add(
        path="/battery", code="RATE_LIMIT_EXCEEDED", retry_after=600, times=1
    )
    await pass_time(SLOWEST.total_seconds() + 45)
    assert _reads(sandbox, GONE) == []
    await pass_time(3 * LOOK)
    assert GONE not in _devices(hass, off)


async def test_it_answers_still(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    off: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """What answers is not gone, only not in the lists: a person may remove it."""
    sandbox.device(GONE).unlisted = True
    await _start(hass, off, sandbox)
    await pass_time(2 * LOOK + 15)
    assert _reads(sandbox, GONE)
    assert GONE in _devices(hass, off)
    assert await _remove(hass, hass_ws_client, _devices(hass, off)[GONE])
    assert GONE not in _devices(hass, off)
    sandbox.requests.clear()
    await pass_time(2 * LOOK)
    assert _reads(sandbox, GONE) == []


async def test_it_is_back(
    hass: HomeAssistant, off: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """What is listed again before it is looked for stays, and works."""
    sandbox.device(GONE).unlisted = True
    await _start(hass, off, sandbox)
    await pass_time(LOOK - 120)
    sandbox.device(GONE).unlisted = False
    await pass_time(LOOK)
    assert GONE in _devices(hass, off)
    state = hass.states.get("sensor.powerwall_2_2_battery")
    assert state is not None
    assert state.state != STATE_UNAVAILABLE


async def test_it_is_back_while_it_is_looked_for(
    hass: HomeAssistant, off: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """A list that brings it back is believed, whatever was answered before."""
    sandbox.device(GONE).unlisted = True
    sandbox.faults.add(path=f"/*/{GONE}", code="DEVICE_NOT_FOUND")
    sandbox.faults.add(path="/vehicle/*", delay=5)
    await _start(hass, off, sandbox)
    await pass_time(LOOK - 15)
    sandbox.device(GONE).unlisted = False
    await pass_time(30)
    assert GONE in _devices(hass, off)


async def test_unloaded_before_and_after(
    hass: HomeAssistant, off: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """Nothing is looked for once the entry is unloaded, with leftovers and without."""
    sandbox.home.remove_device(GONE)
    await _start(hass, off, sandbox)
    await pass_time(60)
    assert await hass.config_entries.async_unload(off.entry_id)
    sandbox.requests.clear()
    await pass_time(2 * LOOK)
    assert not list(sandbox.requests)
    assert GONE in _devices(hass, off)
    await _start(hass, off, sandbox)
    await pass_time(3 * LOOK)
    assert GONE not in _devices(hass, off)
    assert await hass.config_entries.async_unload(off.entry_id)
    await done(hass)
    assert off.state is ConfigEntryState.NOT_LOADED


async def test_polling_switched_off(
    hass: HomeAssistant, off: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """Who switches polling off is not asked for, nor has anything removed."""
    sandbox.home.remove_device(GONE)
    hass.config_entries.async_update_entry(off, pref_disable_polling=True)
    await _start(hass, off, sandbox)
    sandbox.requests.clear()
    await pass_time(2 * LOOK)
    assert not list(sandbox.requests)
    assert GONE in _devices(hass, off)


# By hand.


async def test_leftover_removed_by_hand(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    off: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """A leftover need not be waited for."""
    sandbox.home.remove_device(GONE)
    await _start(hass, off, sandbox)
    assert await _remove(hass, hass_ws_client, _devices(hass, off)[GONE])
    await pass_time(2 * LOOK)
    assert _reads(sandbox, GONE) == []


async def test_what_is_there_stays(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
) -> None:
    """Neither a device that is there can be removed, nor the account."""
    for device in _devices(hass, loaded).values():
        assert not await _remove(hass, hass_ws_client, device)
    left = {device.id for device in sandbox.home.devices}
    assert _devices(hass, loaded).keys() == left | {loaded.entry_id}


async def test_what_only_does_not_answer_stays(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """A device that is offline, or refused, or of a type that fails, is there."""
    sandbox.device(BATTERY).offline = True
    sandbox.device(VEHICLE).credentials_refused = True
    sandbox.faults.add(path="/hvac", code="INTERNAL_ERROR")
    await pass_time(1000)
    state = hass.states.get(LEVEL)
    assert state is not None
    assert state.state == STATE_UNAVAILABLE
    for device in _devices(hass, loaded).values():
        assert not await _remove(hass, hass_ws_client, device)


@pytest.mark.parametrize("gone", [True, False])
async def test_missing_while_running(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    gone: bool,
) -> None:
    """What lists leave out may be removed at once, and is asked for no more."""
    sandbox.device(BATTERY).unlisted = True
    await pass_time(75)
    assert BATTERY in _devices(hass, loaded)
    sandbox.device(BATTERY).gone = gone
    assert await _remove(hass, hass_ws_client, _devices(hass, loaded)[BATTERY])
    assert BATTERY not in _devices(hass, loaded)
    assert hass.states.get(LEVEL) is None
    sandbox.requests.clear()
    await pass_time(1900)
    assert _reads(sandbox, BATTERY) == []
    assert BATTERY not in _devices(hass, loaded)
    # Should it come back, it is there again, with the settings as well.
    sandbox.device(BATTERY).gone = False
    sandbox.device(BATTERY).unlisted = False
    await pass_time(660)
    assert BATTERY in _devices(hass, loaded)
    for entity_id in (LEVEL, "number.powerwall_2_export_limit"):
        state = hass.states.get(entity_id)
        assert state is not None
        assert state.state != STATE_UNAVAILABLE


async def test_not_while_the_entry_is_unloaded(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    off: MockConfigEntry,
    sandbox: Sandbox,
) -> None:
    """Nobody knows what is there while nobody asks."""
    sandbox.home.remove_device(GONE)
    assert not await _remove(hass, hass_ws_client, _devices(hass, off)[GONE])
    assert GONE in _devices(hass, off)
