"""Lives that end in the middle: of an entry, of a set-up, of Home Assistant."""

import asyncio
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.const import CONF_API_KEY, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.amps_ai.account import refused
from custom_components.amps_ai.api import (
    AmpsClient,
    AmpsInvalidKeyError,
    DeviceType,
    Push,
)
from custom_components.amps_ai.common.const import (
    CONF_APP_ID,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    EVENT_ACTION,
)
from sandbox import TEST_KEY, Sandbox

from .helpers import done, registered, set_up

BATTERY = "device_battery_001"


async def _seen(sandbox: Sandbox, method: str, path: str) -> None:
    """Wait until the sandbox has a request."""
    while not any(r.method == method and r.path == path for r in sandbox.requests):
        await asyncio.sleep(0.01)


def _posts(sandbox: Sandbox) -> int:
    return sum(record.method == "POST" for record in sandbox.requests)


def _call(hass: HomeAssistant, device_id: str) -> asyncio.Task[Any]:
    return hass.async_create_task(
        hass.services.async_call(
            DOMAIN,
            "charge",
            {"device_id": registered(hass, device_id)},
            blocking=True,
            return_response=True,
        )
    )


@pytest.mark.parametrize("end", ["unload", "remove", "disable"])
async def test_nothing_is_sent_after_the_end(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, end: str
) -> None:
    """Calls that wait for their turn end with the entry, and say so."""
    sandbox.faults.add(method="POST", path=f"/battery/{BATTERY}", delay=60)
    ends = async_capture_events(hass, EVENT_ACTION)
    calls = [_call(hass, BATTERY) for _ in range(10)]
    await _seen(sandbox, "POST", f"/battery/{BATTERY}")
    entries = hass.config_entries
    if end == "remove":
        await entries.async_remove(loaded.entry_id)
    elif end == "disable":
        await entries.async_set_disabled_by(loaded.entry_id, ConfigEntryDisabler.USER)
    else:
        await entries.async_unload(loaded.entry_id)
    total = sandbox.requests.total
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [getattr(err, "translation_key", err) for err in results] == [
        "entry_ended"
    ] * 10
    await done(hass)
    assert sandbox.requests.total == total
    assert _posts(sandbox) == 1
    assert not ends
    assert not ir.async_get(hass).issues


async def _ends(hass: HomeAssistant, entry: MockConfigEntry, end: str) -> None:
    if end == "remove":
        await hass.config_entries.async_remove(entry.entry_id)
    elif end == "disable":
        await hass.config_entries.async_set_disabled_by(
            entry.entry_id, ConfigEntryDisabler.USER
        )
    else:
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("end", ["unload", "remove", "disable"])
@pytest.mark.parametrize("under_way", ["following", "reading back", "listing"])
async def test_end_while_something_is_under_way(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    end: str,
    under_way: str,
) -> None:
    """Nothing is asked, told or opened any more, and nobody stumbles."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.device(BATTERY).next_action("failed", code="SCHEDULER_ACTIVE", seconds=60)
    response: Any = await hass.services.async_call(
        DOMAIN,
        "charge",
        {"device_id": registered(hass, BATTERY), "wait": False},
        blocking=True,
        return_response=True,
    )
    path = {
        "following": f"/actions/{response['action']['id']}",
        "reading back": f"/battery/{BATTERY}",
        "listing": "/battery",
    }[under_way]
    held = sandbox.faults.add(method="GET", path=path, kind="hold_answer")
    coordinator = loaded.runtime_data.coordinators[DeviceType.BATTERY]
    if under_way == "reading back":
        loaded.runtime_data.pushes._lanes.async_read_soon(coordinator.data[BATTERY])
    elif under_way == "listing":
        loaded.async_create_background_task(hass, coordinator.async_refresh(), "list")
    await held.reached()
    sandbox.clock.advance(61)
    sandbox.settle()
    await _ends(hass, loaded, end)
    total = sandbox.requests.total
    held.release()
    sandbox.faults.clear()
    await done(hass)
    assert sandbox.requests.total == total
    assert not ends
    assert not ir.async_get(hass).issues
    assert not [item for item in caplog.records if item.levelname == "ERROR"]


async def test_a_call_after_the_end(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Who still holds a part of an entry that is gone, sends nothing with it."""
    runtime = loaded.runtime_data
    device = runtime.coordinators[DeviceType.BATTERY].data[BATTERY]
    assert await hass.config_entries.async_unload(loaded.entry_id)
    total = sandbox.requests.total
    with pytest.raises(HomeAssistantError) as caught:
        await runtime.async_cancel(device, "act_1")
    assert caught.value.translation_key == "entry_ended"
    assert sandbox.requests.total == total


async def test_a_command_that_fails_while_home_assistant_is_off(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_storage: dict[str, Any],
) -> None:
    """It is told once Home Assistant is back, with what a person has to decide."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 60
    sandbox.device(BATTERY).next_action("failed", code="SCHEDULER_ACTIVE", seconds=60)
    pushed = await loaded.runtime_data.pushes.async_command(
        loaded.runtime_data.coordinators[DeviceType.BATTERY],
        loaded.runtime_data.coordinators[DeviceType.BATTERY].data[BATTERY],
        Push(command="charge"),
        wait=0,
    )
    assert await hass.config_entries.async_unload(loaded.entry_id)
    kept = hass_storage[f"{DOMAIN}.ends.{loaded.entry_id}"]["data"]["ends"]
    assert kept[BATTERY]["open"] == [pushed.id]
    sandbox.clock.advance(61)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await done(hass)
    assert [event.data["state"] for event in ends] == ["failed"]
    assert ir.async_get(hass).async_get_issue(DOMAIN, f"scheduler_active_{BATTERY}")
    await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert len(ends) == 1


@pytest.mark.parametrize("name", ["links", "webhook", "ends", "plans", "energies"])
@pytest.mark.parametrize(
    "stored",
    [
        {"version": 99, "minor_version": 1, "data": {"links": {}}},
        {"version": 1, "minor_version": 1, "data": [1, 2]},
        {"version": 1, "minor_version": 1, "data": {"ends": [], "links": 7}},
    ],
)
async def test_memory_of_a_newer_release(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    name: str,
    stored: dict[str, Any],
) -> None:
    """What cannot be read is left behind, and the entry is set up."""
    key = f"{DOMAIN}.{name}.{entry.entry_id}"
    hass_storage[key] = {"key": key, **stored}
    assert await set_up(hass, entry)
    assert entry.state is ConfigEntryState.LOADED


async def test_key_that_is_good_again_after_a_start(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    freezer: Any,
) -> None:
    """The request for a new key goes by itself, and the entry is set up."""
    refusal = sandbox.faults.add(code="INVALID_API_KEY", status=401)
    assert not await set_up(hass, entry)
    assert entry.state.value == "setup_error"
    assert len(list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))) == 1
    freezer.tick(refused._AGAIN)
    async_fire_time_changed(hass)
    await done(hass)
    sandbox.faults.remove(refusal)
    freezer.tick(refused._AGAIN)
    async_fire_time_changed(hass)
    await done(hass)
    assert entry.state is ConfigEntryState.LOADED
    assert not list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))


async def test_key_is_not_tried_after_the_end(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox, freezer: Any
) -> None:
    """Once the entry is gone, its key is not used any more."""
    sandbox.faults.add(code="INVALID_API_KEY", status=401)
    assert not await set_up(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    total = sandbox.requests.total
    freezer.tick(refused._AGAIN)
    async_fire_time_changed(hass)
    await done(hass)
    assert sandbox.requests.total == total


@pytest.mark.parametrize("flow", ["reauth", "reconfigure"])
async def test_options_saved_while_a_key_is_tried(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, flow: str
) -> None:
    """What was saved meanwhile is kept."""
    typed = {CONF_API_KEY: TEST_KEY}
    if flow == "reauth":
        result = await loaded.start_reauth_flow(hass)
    else:
        result = await loaded.start_reconfigure_flow(hass)
        typed[CONF_APP_ID] = loaded.data[CONF_APP_ID]
    fault = sandbox.faults.add(method="GET", path="/battery", delay=0.5, times=1)
    trying = hass.async_create_task(
        hass.config_entries.flow.async_configure(result["flow_id"], typed)
    )
    while not fault.hits:
        await asyncio.sleep(0.01)
    hass.config_entries.async_update_entry(
        loaded,
        data={
            **loaded.data,
            CONF_WEBHOOK_ID: "hook",
            CONF_WEBHOOK_SECRET: "whsec_c2VjcmV0",
        },
    )
    assert (await trying)["reason"] == f"{flow}_successful"
    assert loaded.data[CONF_WEBHOOK_ID] == "hook"
    assert loaded.data[CONF_WEBHOOK_SECRET] == "whsec_c2VjcmV0"
    assert loaded.data[CONF_APP_ID]


@pytest.mark.parametrize("good", [True, False])
async def test_entry_that_goes_while_its_key_is_tried(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    freezer: Any,
    good: bool,
) -> None:
    """Nobody tries on, and nothing is set up."""
    sandbox.faults.add(code="INVALID_API_KEY", status=401)
    assert not await set_up(hass, entry)

    async def _count(*_: Any) -> int:
        refused.async_stop_trying(hass, entry)
        if not good:
            raise AmpsInvalidKeyError("no")
        return 0

    with patch.object(AmpsClient, "async_count_devices", _count):
        freezer.tick(refused._AGAIN)
        async_fire_time_changed(hass)
        await done(hass)
    assert entry.state.value == "setup_error"
    total = sandbox.requests.total
    freezer.tick(refused._AGAIN)
    async_fire_time_changed(hass)
    await done(hass)
    assert sandbox.requests.total == total
