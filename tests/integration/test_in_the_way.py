"""What stands in the way of a command: who waits, how long, and what is said of it."""

import asyncio
from collections.abc import Generator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import pytest

from custom_components.amps_ai.api import Action, Push
from custom_components.amps_ai.pushes import order, sending
from custom_components.amps_ai.pushes.sending import (
    ANOTHER_ZONE,
    TOLERANCE,
    InTheWayError,
    Sender,
)
from sandbox import Sandbox

from ..lean import rested
from .battery import BATTERY, Battery
from .helpers import done

MODE = "select.powerwall_2_mode"

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def impatient() -> Generator[None]:
    """Let calls wait shortly for what takes longer than they should."""
    with patch.object(order, "CONTROL_WAIT", 0.01):
        yield


@pytest.fixture
def hurried() -> Generator[None]:
    """Let nobody wait for what somebody else has in flight."""
    with patch.object(sending, "BUSY_WAIT", 0.01):
        yield


async def _tap(hass: HomeAssistant, option: str = "charge") -> None:
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": MODE, "option": option},
        blocking=True,
    )


async def _command(battery: Battery, command: str = "charge", **data: Any) -> Action:
    """Send a command as an action does that does not wait for the end."""
    sent: Action = await battery.pushes.async_command(
        battery.coordinator, battery.device, Push(command=command, **data), wait=0
    )
    return sent


def _conflict(
    sandbox: Sandbox, ids: list[str], *strategies: str, times: int | None = None
) -> None:
    """Let commands be refused because of actions."""
    sandbox.faults.add(
        method="POST",
        path=f"/battery/{BATTERY}",
        code="CONFLICT",
        times=times,
        details={"conflictingActionIds": ids, "strategies": list(strategies)},
    )


def _sent(sandbox: Sandbox) -> list[str]:
    """Return the commands that were taken."""
    return [
        record.body["action"]["command"]
        for record in sandbox.requests.pushes(BATTERY)
        if record.status == 202
    ]


# How often, and how long


async def test_how_often_it_is_tried(
    hass: HomeAssistant, battery: Battery, sandbox: Sandbox
) -> None:
    """A tap goes on for longer than an action, whose caller has less time."""
    _conflict(sandbox, [])
    for send, times in ((_tap(hass), 3), (_command(battery), 2)):
        sandbox.requests.clear()
        with pytest.raises(HomeAssistantError) as caught:
            await send
        assert caught.value.translation_key == "device_busy"
        assert len(sandbox.requests.pushes(BATTERY)) == times


async def test_what_is_in_the_way_is_gone(
    hass: HomeAssistant, battery: Battery, sandbox: Sandbox
) -> None:
    """That is said of the action, and not of the device."""
    _conflict(sandbox, ["act_gone"], times=1)
    sandbox.action_seconds = 0
    await _command(battery)
    assert _sent(sandbox) == ["charge"]


async def test_very_much_is_in_the_way(
    hass: HomeAssistant, battery: Battery, sandbox: Sandbox
) -> None:
    """A tap makes some of it go away, and gives up."""
    ids = [f"act_{number}" for number in range(100)]
    _conflict(sandbox, ids, "cancel_and_replace")
    with pytest.raises(HomeAssistantError) as caught:
        await _tap(hass)
    assert caught.value.translation_key == "device_busy"
    assert 3 <= len(sandbox.requests.of("POST", "/actions/*/cancel")) <= 60


@pytest.mark.usefixtures("impatient")
async def test_tap_behind_a_command_does_not_keep_its_caller(
    hass: HomeAssistant, battery: Battery, sandbox: Sandbox
) -> None:
    """Its call returns, and it is sent after the command, however long that takes."""
    sandbox.action_seconds = 20
    await _command(battery)
    with patch.object(sending, "BUSY_WAIT", 0.01):
        await _tap(hass, "discharge")
        await rested(0.1)
        assert _sent(sandbox) == ["charge"]
        sandbox.clock.advance(21)
        await battery.until(lambda: len(_sent(sandbox)) == 2)
    sandbox.clock.advance(21)
    await done(hass)
    assert _sent(sandbox) == ["charge", "discharge"]


@pytest.mark.usefixtures("impatient")
async def test_tap_behind_a_command_that_is_being_sent(
    hass: HomeAssistant, battery: Battery, sandbox: Sandbox
) -> None:
    """It has not even been tried when its call returns."""
    slow = sandbox.faults.add(method="POST", path="/battery/*", delay=60, times=1)
    command = hass.async_create_task(_command(battery))
    await battery.until(lambda: bool(slow.hits))
    await _tap(hass, "discharge")
    assert len(sandbox.requests.pushes(BATTERY)) <= 1
    assert battery.hass.states.get(MODE).state == "discharge"  # type: ignore[union-attr]
    sandbox.action_seconds = 0
    command.cancel()
    with pytest.raises(asyncio.CancelledError):
        await command
    await done(hass)
    assert _sent(sandbox)[-1] == "discharge"


@pytest.mark.usefixtures("hurried")
async def test_action_behind_an_action(
    hass: HomeAssistant, battery: Battery, sandbox: Sandbox
) -> None:
    """Its caller is told soon that the device is busy."""
    sandbox.action_seconds = 1000
    await _command(battery)
    with pytest.raises(HomeAssistantError) as caught:
        await _command(battery, "discharge")
    assert caught.value.translation_key == "device_busy"


async def test_tap_that_is_replaced_while_it_makes_room(
    hass: HomeAssistant, battery: Battery, sandbox: Sandbox
) -> None:
    """What was planned made way for the newest tap only."""
    await _command(battery, "auto.export", start="2h")
    sandbox.action_seconds = 0
    slow = sandbox.faults.add(method="POST", path="/actions/*", delay=0.2, times=1)
    older = hass.async_create_task(_tap(hass, "charge"))
    await battery.until(lambda: bool(slow.hits))
    await asyncio.gather(older, _tap(hass, "discharge"))
    await done(hass)
    assert _sent(sandbox) == ["auto.export", "discharge"]


@pytest.mark.parametrize(
    ("planned", "waits", "sent"), [(False, True, 0), (False, False, 1), (True, True, 1)]
)
async def test_what_may_displace_nothing(
    battery: Battery, sandbox: Sandbox, planned: bool, waits: bool, sent: int
) -> None:
    """Behind what is under way, it may wait without asking; a plan tells of itself."""
    sandbox.action_seconds = 1000
    await _command(battery, "discharge", start="2h" if planned else None)
    sandbox.requests.clear()
    with pytest.raises(InTheWayError) as caught:
        await battery.pushes.async_plan(
            battery.device, Push(command="charge"), waits=waits
        )
    assert caught.value.is_planned is planned
    assert len(sandbox.requests.pushes(BATTERY)) == sent


async def test_what_is_taken_back(battery: Battery) -> None:
    """It is told whether that was in time."""
    planned = await _command(battery, start="2h")
    take_back = battery.pushes.async_take_back
    assert await take_back(battery.device, planned.id) is True
    assert await take_back(battery.device, planned.id) is False
    assert await take_back(battery.device, "act_gone") is False
    assert battery.told == [(planned.id, "cancelled")]


# What is said


@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize(("number", "is_offered"), [(1, True), (5, True), (6, False)])
async def test_waiting_is_offered_behind_what_can_be_named(
    battery: Battery, sandbox: Sandbox, number: int, is_offered: bool
) -> None:
    """Each has an end, and all of them are told."""
    now = dt_util.now().replace(tzinfo=None)
    window = await _command(
        battery,
        "discharge",
        start=now + timedelta(hours=1),
        end=now + timedelta(hours=2),
    )
    _conflict(sandbox, [window.id] * number, "queue_after", "cancel_and_replace")
    with pytest.raises(HomeAssistantError) as caught:
        await _command(battery)
    assert caught.value.translation_key == "conflict_with"
    told = caught.value.translation_placeholders or {}
    offered = told["strategies"].split(", ")
    assert ("Wait until it is done" in offered) is is_offered
    assert "Cancel it and replace it" in offered
    assert told["actions"].count(window.id) == min(number, 5)
    assert told["actions"].endswith("+ 1") is not is_offered
    assert not told["actions"].endswith("+ 0")


@pytest.mark.usefixtures("in_berlin")
async def test_what_began_at_once_is_named_by_when_it_was_sent(
    battery: Battery, sandbox: Sandbox
) -> None:
    """And where nothing is named, nothing is made up."""
    sandbox.action_seconds = 1000
    sent = await _command(battery, "discharge")
    for ids, said in (
        ([sent.id], f"Discharge, 1 June 2026, 14:00 ({sent.id})"),
        ([], "-"),
    ):
        sandbox.faults.clear()
        _conflict(sandbox, ids, "cancel_and_replace")
        with pytest.raises(HomeAssistantError) as caught:
            await _command(battery)
        assert (caught.value.translation_placeholders or {})["actions"] == said


# The zone of the plant

MOMENT = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("start", "end", "queued", "is_fine"),
    [
        (timedelta(), timedelta(), False, True),
        (TOLERANCE - MOMENT, MOMENT - TOLERANCE, False, True),
        (TOLERANCE, None, False, False),
        (-TOLERANCE, None, False, False),
        (None, TOLERANCE, False, False),
        (None, None, False, True),
        # What waits for another one begins when that ends, and ends as was said.
        (timedelta(hours=3), timedelta(), True, True),
        (timedelta(hours=3), TOLERANCE, True, False),
    ],
)
async def test_times_that_were_not_meant(
    battery: Battery,
    sandbox: Sandbox,
    start: timedelta | None,
    end: timedelta | None,
    queued: bool,
    is_fine: bool,
) -> None:
    """What would begin or end at another time is cancelled at once."""
    said = datetime.fromisoformat("2026-06-01 20:00")
    at = said.replace(tzinfo=dt_util.get_default_time_zone())
    push = Push(
        command="charge",
        start=said,
        end=said,
        on_conflict="queue_after" if queued else None,
    )
    sender: Sender = battery.pushes._sender
    planned = await battery.account.client.async_push(
        battery.device, Push(command="charge", start="2h")
    )
    got = replace(
        planned,
        start=None if start is None else at + start,
        end=None if end is None else at + end,
    )
    if is_fine:
        await sender.async_check_times(push, got, "Powerwall 2")
        # A duration from now is the same everywhere.
        spoken = replace(push, start="2h")
        await sender.async_check_times(spoken, got, "Powerwall 2")
    else:
        with pytest.raises(HomeAssistantError) as caught:
            await sender.async_check_times(push, got, "Powerwall 2")
        assert caught.value.translation_key == ANOTHER_ZONE
    cancelled = sandbox.requests.of("POST", f"/actions/{planned.id}/cancel")
    assert bool(cancelled) is not is_fine
