"""What seldom happens to a command, a device or a caller."""

import asyncio
from dataclasses import replace
from datetime import timedelta
import logging
from typing import Any
from unittest.mock import patch

from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, UnknownUser
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.amps_ai.api import Action, ActionState, DeviceType, Push
from custom_components.amps_ai.common.const import DOMAIN, EVENT_ACTION
from custom_components.amps_ai.pushes.displaced import Displaced
from sandbox import Sandbox

from .helpers import done, registered

BATTERY = "device_battery_001"
MODE = "select.powerwall_2_mode"
WAIT = "custom_components.amps_ai.pushes.order.CONTROL_WAIT"


def _device(entry: MockConfigEntry) -> Any:
    return entry.runtime_data.coordinators[DeviceType.BATTERY].data[BATTERY]


async def _tap(hass: HomeAssistant, option: str) -> None:
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": MODE, "option": option},
        blocking=True,
    )


@pytest.mark.usefixtures("quick")
async def test_tap_that_fails_after_its_call(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A tap that waited for another command and then failed is told in the log."""
    sandbox.action_seconds = 20
    with patch(WAIT, 0.05):
        await _tap(hass, "charge")
        await _tap(hass, "discharge")
        sandbox.faults.add(method="POST", path=f"/battery/{BATTERY}", status=503)
        sandbox.clock.advance(21)
        await done(hass)
    assert any(
        item.levelno == logging.WARNING and "Powerwall 2" in item.getMessage()
        for item in caplog.records
    )


@pytest.mark.usefixtures("quick")
async def test_tap_that_is_replaced_while_it_waits(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Of those that wait for another command, only the newest is sent after it."""
    sandbox.action_seconds = 20
    with patch(WAIT, 0.05):
        await _tap(hass, "charge")
        await _tap(hass, "discharge")
        await _tap(hass, "idle")
        sandbox.clock.advance(21)
        while sum(r.status == 202 for r in sandbox.requests.pushes(BATTERY)) < 2:
            await asyncio.sleep(0.01)
    sandbox.clock.advance(21)
    await done(hass)
    sent = [
        record.body["action"]["command"]
        for record in sandbox.requests.pushes(BATTERY)
        if record.status == 202
    ]
    assert sent == ["charge", "idle"]


async def test_call_that_is_cancelled(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A caller that gives up takes its tap along."""
    fault = sandbox.faults.add(method="POST", path="/battery/*", delay=60)
    runtime = loaded.runtime_data
    call = asyncio.create_task(
        runtime.pushes.async_control(
            runtime.find(BATTERY), _device(loaded), "mode", Push(command="charge"), {}
        )
    )
    while not fault.hits:
        await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await done(hass)
    assert not runtime.pushes._lanes.of(BATTERY).intents


@pytest.mark.parametrize("code", ["ACTION_NOT_CANCELLABLE", "DEVICE_NOT_FOUND"])
async def test_what_is_in_the_way_cannot_make_way(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, code: str
) -> None:
    """After some tries the device counts as busy."""
    sandbox.faults.add(
        method="POST",
        path=f"/battery/{BATTERY}",
        code="CONFLICT",
        details={
            "conflictingActionIds": ["act_1"],
            "strategies": ["cancel_and_replace"],
        },
    )
    sandbox.faults.add(method="POST", path="/actions/*", code=code)
    with pytest.raises(HomeAssistantError) as caught:
        await _tap(hass, "charge")
    assert caught.value.translation_key == "device_busy"
    assert len(sandbox.requests.of("POST", "/actions/*/cancel")) == 3


async def test_what_is_in_the_way_may_not_make_way(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Where the device takes another way only, a tap says so."""
    sandbox.faults.add(
        method="POST",
        path=f"/battery/{BATTERY}",
        code="CONFLICT",
        details={"conflictingActionIds": ["act_1"], "strategies": ["queue_after"]},
    )
    with pytest.raises(HomeAssistantError) as caught:
        await _tap(hass, "charge")
    assert caught.value.translation_key == "conflict"
    assert not sandbox.requests.of("POST", "/actions/*/cancel")


@pytest.mark.usefixtures("quick")
async def test_what_became_of_what_is_not_planned_any_more(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Gone, not to be had, and under way: each is looked after."""
    ends = async_capture_events(hass, EVENT_ACTION)
    seeker = loaded.runtime_data.pushes.follower.seeker
    device = _device(loaded)
    fault = sandbox.faults.add(method="GET", path="/actions/act_2", status=503)
    seeker.async_look_after(device, ("act_gone", "act_2"))
    await done(hass)
    sandbox.faults.remove(fault)
    assert not ends
    sandbox.action_seconds = 5
    action = await loaded.runtime_data.account.client.async_push(
        device, Push(command="charge")
    )
    seeker.async_look_after(device, (action.id,))
    while action.id not in loaded.runtime_data.pushes._lanes.of(BATTERY).following:
        await asyncio.sleep(0)
    sandbox.clock.advance(6)
    await done(hass)
    assert [event.data["action_id"] for event in ends] == [action.id]


async def test_missed_end_of_an_older_command(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What a device does not tell any more after a restart, is asked for."""
    ends = async_capture_events(hass, EVENT_ACTION)
    runtime = loaded.runtime_data
    sandbox.action_seconds = 30
    first = await runtime.pushes.async_command(
        runtime.find(BATTERY), _device(loaded), Push(command="charge"), wait=0
    )
    assert await hass.config_entries.async_unload(loaded.entry_id)
    sandbox.clock.advance(31)
    sandbox.settle()
    sandbox.action_seconds = 0
    client = runtime.account.client
    client._closed = False
    await client.async_push(
        replace(_device_of(runtime), last_action=None), Push(command="idle")
    )
    sandbox.clock.advance(1)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await done(hass)
    assert first.id in [event.data["action_id"] for event in ends]


def _device_of(runtime: Any) -> Any:
    return runtime.coordinators[DeviceType.BATTERY].data[BATTERY]


async def test_end_that_a_webhook_tells_in_part(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What it leaves out is known from the device."""
    ends = async_capture_events(hass, EVENT_ACTION)
    device = _device(loaded)
    known = Action(id="act_7", command="charge", state=ActionState.ACKNOWLEDGED)
    await loaded.runtime_data.pushes.follower.async_take_end(
        replace(device, last_action=known),
        Action(id="act_7", state=ActionState.COMPLETED),
    )
    assert [event.data["command"] for event in ends] == ["charge"]


@pytest.mark.usefixtures("stopped_clock")
async def test_displaced_twice_and_too_late(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A warning is renewed, and none is opened for what is over, or comes back."""
    runtime = loaded.runtime_data
    displaced = Displaced(runtime.account, runtime.coordinators)
    device = _device(loaded)
    now = runtime.account.clock.now()
    action = Action(id="act_1", state="cancelled")
    displaced.async_warn(device, action)
    displaced.async_warn(device, replace(action, start=now))
    later = replace(action, start=now, end=now + timedelta(hours=1))
    displaced.comes_back = "act_1".__eq__
    displaced.async_warn(device, later)
    assert not len(displaced)
    displaced.async_warn(device, replace(later, id="act_2"))
    assert len(displaced) == 1
    displaced.comes_back = Displaced(runtime.account, runtime.coordinators).comes_back
    for _ in range(2):
        displaced.async_warn(device, later)
    assert len(displaced) == 2
    displaced.async_stop()


@pytest.mark.parametrize("who", ["nobody", "admin", "limited"])
async def test_callers(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_admin_user: User,
    hass_read_only_user: User,
    who: str,
) -> None:
    """An administrator may, a user that is not there may not, nor one without."""
    data = {"device_id": registered(hass, BATTERY)}
    user = {"nobody": "gone", "admin": hass_admin_user.id}.get(
        who, hass_read_only_user.id
    )

    async def _list() -> Any:
        return await hass.services.async_call(
            DOMAIN,
            "list_actions",
            data,
            blocking=True,
            return_response=True,
            context=Context(user_id=user),
        )

    if who == "nobody":
        with pytest.raises(UnknownUser):
            await _list()
    else:
        assert await _list() == {"actions": []}


async def test_cancel_that_tells_no_end(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A reply to a cancellation that names no state is a cancellation."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 0
    sandbox.faults.add(
        method="POST",
        path=f"/battery/{BATTERY}",
        code="CONFLICT",
        times=1,
        details={
            "conflictingActionIds": ["act_1"],
            "strategies": ["cancel_and_replace"],
        },
    )
    sandbox.faults.add(
        method="POST", path="/actions/*", kind="json", body={"id": "act_1"}
    )
    await _tap(hass, "charge")
    await done(hass)
    assert ("act_1", "cancelled") in [
        (event.data["action_id"], event.data["state"]) for event in ends
    ]
