"""What seldom happens to a plan: odd answers, lost sight, and what was kept oddly."""

from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from sandbox import Sandbox

from ..conftest import Pass
from ..helpers import done, registered, set_up
from .helpers import (
    BATTERY,
    HOUR,
    TOMORROW,
    TONIGHT,
    add,
    ask,
    elsewhere,
    is_on,
    planned,
    pushed,
    state_of,
    status_of,
    subentry,
    switch,
)

pytestmark = pytest.mark.usefixtures("in_berlin", "quick")


async def _again(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)


async def test_whoever_helps_counts(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """What the repair of the manufacturer's schedule sends is the plan's own."""
    sandbox.device(BATTERY).native_scheduler = True
    await add(hass, loaded, start="13:00:00", end="18:00:00")
    await jump(65)
    await jump(2)
    assert planned(sandbox) == []
    sandbox.device(BATTERY).native_scheduler = False
    await ask(
        hass,
        "charge",
        device_id=registered(hass, BATTERY),
        end="2026-06-01 18:00",
    )
    await jump(65)
    await jump(5)
    await jump(15 * 60)
    assert planned(sandbox) == [("charge", "2026-06-02T11:00", "2026-06-02T16:00")]
    until = datetime(2026, 6, 1, 16, tzinfo=UTC).timestamp()
    states = [
        action.state
        for action in sandbox.device(BATTERY).actions
        if action.push.end == until
    ]
    assert states.count("completed") == 1


async def test_question_after_a_restart_is_asked_again(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    await add(hass, loaded)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    sandbox.faults.add(kind="error", status=500, path="/actions/*", times=3)
    await _again(hass, loaded)
    for _ in range(6):
        await jump(60)
    await jump(8 * HOUR)
    await jump(5)
    assert planned(sandbox) == [TOMORROW]
    assert len(pushed(sandbox)) == 2


async def test_action_that_amps_has_forgotten(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What is not there any more is planned again."""
    await add(hass, loaded)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    sandbox.faults.add(
        kind="error", status=404, code="DEVICE_NOT_FOUND", path="/actions/*", times=2
    )
    await _again(hass, loaded)
    await done(hass)
    # It is there all the same, in the way, and known as the plan's.
    assert planned(sandbox) == [TONIGHT]


async def test_end_that_was_told_just_before_a_crash(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    hass_storage: dict[str, Any],
) -> None:
    """It is known from what was told, and not asked for."""
    assert await set_up(hass, entry)
    await add(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    (action,) = sandbox.device(BATTERY).actions
    action.state = "completed"
    ends = hass_storage[f"amps_ai.ends.{entry.entry_id}"]["data"]["ends"]
    ends[BATTERY] = {"open": [], "told": {action.id: "completed"}}
    await _again(hass, entry)
    assert planned(sandbox) == [TOMORROW]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 409, "code": "ACTION_NOT_CANCELLABLE"},
    ],
)
async def test_taking_back_is_tried_again(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    jump: Pass,
    fault: dict[str, Any],
) -> None:
    plan = await add(hass, loaded)
    sandbox.faults.add(kind="error", path="/actions/*/cancel", times=1, **fault)
    await switch(hass, plan, "off")
    assert planned(sandbox) == [TONIGHT]
    await jump(32)
    await jump(62)
    assert planned(sandbox) == []


async def test_account_that_holds_back(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """There is time: what is hours ahead does not add to an overload."""
    fault = sandbox.faults.add(
        kind="error", status=429, code="RATE_LIMIT_EXCEEDED", retry_after=300
    )
    await jump(61)
    sandbox.faults.remove(fault)
    await add(hass, loaded)
    assert pushed(sandbox) == []
    for _ in range(8):
        await jump(60)
    assert planned(sandbox) == [TONIGHT]


async def test_action_that_takes_its_time(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """Its end comes long after anybody followed it, and is found all the same."""
    sandbox.device(BATTERY).action_seconds = 20 * 60
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "custom_components.amps_ai.pushes.following.FOLLOW", timedelta(seconds=0.1)
        )
        await add(hass, loaded)
        await jump(8 * HOUR + 5)
        for _ in range(6):
            await jump(5 * 60)
    sandbox.device(BATTERY).action_seconds = None
    assert planned(sandbox) == [TOMORROW]
    assert len(pushed(sandbox)) == 2


async def test_lost_answer_among_others(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """Of all actions of the device, it is known by its command and its times."""
    sandbox.faults.add(
        kind="drop", method="POST", path="/battery/*", times=1, done=True
    )
    await add(hass, loaded)
    sandbox.faults.add(kind="error", status=500, path="/actions", times=1)
    (action,) = sandbox.device(BATTERY).actions
    await elsewhere(hass, sandbox, path=f"/actions/{action.id}/cancel")
    await elsewhere(hass, sandbox, {"action": {"command": "idle"}})
    await elsewhere(hass, sandbox, {"action": {"command": "charge"}})
    await jump(32)
    await jump(62)
    await jump(62)
    # That one was cancelled, and is planned again.
    assert planned(sandbox) == [TONIGHT]


async def test_who_takes_it_away_again_and_again(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """Two who do not know of each other do not keep each other busy for ever."""
    await add(hass, loaded)
    for _ in range(8):
        for action in sandbox.device(BATTERY).actions:
            if action.state == "scheduled":
                await elsewhere(hass, sandbox, path=f"/actions/{action.id}/cancel")
        await jump(15 * 60 + 1)
    assert 6 <= len(pushed(sandbox)) <= 9


async def test_device_that_goes_and_comes(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    plan = await add(hass, loaded)
    coordinator = loaded.runtime_data.coordinators.find(BATTERY)
    coordinator.async_forget(BATTERY)
    await done(hass)
    assert (
        loaded.runtime_data.plans.status(loaded.runtime_data.plans.get(plan))
        == "no_device"
    )
    await coordinator.async_refresh()
    await done(hass)
    assert status_of(hass, plan) == "planned"
    await jump(8 * HOUR + 5)
    await jump(5)
    assert planned(sandbox) == [TOMORROW]
    assert len(pushed(sandbox)) == 2


async def test_what_was_kept_oddly(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    hass_storage: dict[str, Any],
) -> None:
    """What cannot be read is as good as not there."""
    entry.add_to_hass(hass)
    hass_storage[f"amps_ai.plans.{entry.entry_id}"] = {
        "version": 1,
        "minor_version": 1,
        "key": f"amps_ai.plans.{entry.entry_id}",
        "data": {
            "devices": {BATTERY: {"plan": "odd"}, "other": None},
            "plans": {"odd": {"since": 5}, "gone": {"since": "2026-05-01T00:00:00Z"}},
        },
    }
    await _again(hass, entry)
    hass.config_entries.async_add_subentry(entry, subentry())
    await done(hass)
    assert planned(sandbox) == [TONIGHT]
    kept = entry.runtime_data.plans.as_dict()["kept"]
    assert list(kept["devices"]) == [BATTERY]
    assert len(kept["plans"]) == 1


@pytest.mark.parametrize("skipped", [7, "2026-06-01", [7, None, {}, "2026-06-01", "x"]])
async def test_days_that_were_kept_oddly(
    hass: HomeAssistant, loaded: MockConfigEntry, skipped: Any
) -> None:
    """A plan whose days to skip are damaged can be switched and skipped."""
    plan = await add(hass, loaded, skipped=skipped)
    await switch(hass, plan, "off")
    assert not is_on(hass, plan)
    await switch(hass, plan, "on")
    assert is_on(hass, plan)
    await ask(hass, "skip_plan", plan=plan)
    kept = loaded.subentries[plan].data["skipped"]
    assert all(isinstance(day, str) for day in kept)


async def test_plan_that_has_ended(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """It ends while its last time is on, and begins anew when it is turned on."""
    plan = await add(hass, loaded, last_day="2026-06-01")
    assert planned(sandbox) == [TONIGHT]
    await jump(8 * HOUR + 5)
    await jump(5)
    assert planned(sandbox) == []
    assert is_on(hass, plan)
    assert state_of(hass, plan, "sensor") == "unknown"
    await jump(8 * HOUR)
    assert not is_on(hass, plan)
    assert status_of(hass, plan) == "ended"
    await switch(hass, plan, "on")
    assert planned(sandbox) == [TOMORROW]
