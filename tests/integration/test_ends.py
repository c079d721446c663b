"""That nothing of a push is kept, told twice or forgotten, in odd order too."""

import asyncio
from collections.abc import Generator
from typing import Any
from unittest.mock import patch

from homeassistant.components.number import ATTR_VALUE, SERVICE_SET_VALUE
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Context, Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.amps_ai.api import (
    Action,
    ActionState,
    AmpsDeviceNotFoundError,
    DeviceType,
    Push,
)
from custom_components.amps_ai.common.const import DOMAIN, EVENT_ACTION
from sandbox import Sandbox

from .helpers import done

BATTERY = "device_battery_001"
RESERVE = "number.powerwall_2_safety_reserve"
MODE = "select.powerwall_2_mode"


@pytest.fixture(autouse=True)
def quick() -> Generator[None]:
    """Ask for actions often, and let sliders rest shortly."""
    with (
        patch("custom_components.amps_ai.pushes.following._POLLS", (0.02,)),
        patch("custom_components.amps_ai.pushes.manager.REST", 0.05),
    ):
        yield


def _told(ends: list[Event[Any]]) -> list[tuple[str, str]]:
    return [(end.data["action_id"], end.data["state"]) for end in ends]


async def _push(entry: MockConfigEntry, command: str) -> Action:
    """Send a command and follow it, as the action `send_command` does."""
    runtime = entry.runtime_data
    coordinator = runtime.coordinators[DeviceType.BATTERY]
    sent: Action = await runtime.pushes.async_command(
        coordinator, coordinator.data[BATTERY], Push(command=command), wait=0
    )
    return sent


async def test_refused_tap_does_not_show_the_one_it_replaced(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Of two taps only the newer is sent; where it fails, neither is shown."""
    before = hass.states.get(RESERVE)
    assert before is not None and before.state not in {"20", "20.0", "30.0"}
    sandbox.faults.add(
        method="POST", path="/battery/*/settings", code="INTERNAL_ERROR", times=1
    )

    async def _set(value: float) -> None:
        await hass.services.async_call(
            "number",
            SERVICE_SET_VALUE,
            {ATTR_ENTITY_ID: RESERVE, ATTR_VALUE: value},
            blocking=True,
        )

    older, newer = await asyncio.gather(_set(20), _set(30), return_exceptions=True)
    assert older is None
    assert isinstance(newer, HomeAssistantError)
    await done(hass)
    after = hass.states.get(RESERVE)
    assert after is not None
    assert after.state == before.state


async def test_end_is_not_told_again_after_a_reload(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A webhook that is late, or sent again, comes to a new push manager."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 0
    sent = await _push(loaded, "charge")
    await done(hass)
    assert _told(ends) == [(sent.id, "completed")]
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    runtime = loaded.runtime_data
    await runtime.pushes.follower.async_take_end(
        runtime.coordinators[DeviceType.BATTERY].data[BATTERY],
        Action(id=sent.id, state=ActionState.COMPLETED),
    )
    await done(hass)
    assert _told(ends) == [(sent.id, "completed")]


async def test_why_a_control_went_back(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Activity finds the reason by the context; a tap that works is the person's."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 0
    person = Context(user_id=None)

    async def _choose(option: str) -> None:
        await hass.services.async_call(
            "select",
            "select_option",
            {ATTR_ENTITY_ID: MODE, "option": option},
            blocking=True,
            context=person,
        )

    await _choose("charge")
    await done(hass)
    shown = hass.states.get(MODE)
    assert shown is not None
    assert shown.state == "charge"
    assert shown.context.id == person.id
    sandbox.device(BATTERY).next_action("failed", code="TIMEOUT")
    with pytest.raises(HomeAssistantError):
        await _choose("discharge")
    await done(hass)
    back = hass.states.get(MODE)
    assert back is not None
    assert back.state == "charge"
    assert [end.data["state"] for end in ends] == ["completed", "failed"]
    assert back.context.id == ends[-1].context.id
    assert back.context.origin_event is not None
    assert back.context.origin_event.event_type == EVENT_ACTION


async def test_end_during_a_reload_is_told(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What was followed and ended meanwhile, the first reading tells."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 60
    sent = await _push(loaded, "charge")
    assert await hass.config_entries.async_unload(loaded.entry_id)
    assert not ends
    sandbox.clock.advance(61)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await done(hass)
    assert _told(ends) == [(sent.id, "completed")]
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert len(ends) == 1


async def test_end_of_an_action_that_was_lost_sight_of(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A list told the end while the action could not be asked for."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 0
    fault = sandbox.faults.add(method="GET", path="/actions/*", status=503)
    loop = asyncio.get_running_loop()
    with patch(
        "custom_components.amps_ai.pushes.following.asyncio.timeout",
        lambda _seconds: asyncio.timeout_at(loop.time() + 0.3),
    ):
        sent = await _push(loaded, "charge")
        sandbox.clock.advance(1)
        await loaded.runtime_data.coordinators[DeviceType.BATTERY].async_refresh()
        assert not ends
        await done(hass)
    sandbox.faults.remove(fault)
    assert _told(ends) == [(sent.id, "completed")]


async def test_nothing_of_a_device_that_is_gone_is_kept(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_storage: dict[str, Any],
) -> None:
    """What follows, plans and remembers lets go of it, and of the entry."""
    runtime = loaded.runtime_data
    sandbox.action_seconds = 0
    await _push(loaded, "charge")
    await done(hass)
    assert runtime.pushes._lanes.get(BATTERY) is not None
    assert BATTERY in runtime.schedule.ends
    assert BATTERY in runtime.planner._asked
    sandbox.device(BATTERY).gone = True
    coordinator = runtime.coordinators[DeviceType.BATTERY]
    for _ in range(2):
        await coordinator.async_refresh()
    with pytest.raises(AmpsDeviceNotFoundError):
        await coordinator.async_read(BATTERY)
    await done(hass)
    assert BATTERY not in coordinator.data
    assert runtime.pushes._lanes.get(BATTERY) is None
    assert BATTERY not in runtime.schedule.ends
    runtime.planner._plan()
    assert BATTERY not in runtime.planner._asked
    assert await hass.config_entries.async_remove(loaded.entry_id)
    assert f"{DOMAIN}.ends.{loaded.entry_id}" not in hass_storage
    assert not hass.config_entries.async_entries(DOMAIN)
