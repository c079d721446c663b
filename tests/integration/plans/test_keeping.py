"""A plan stands at Amps AI, comes back, and waits for others."""

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.amps_ai.common.const import EVENT_ACTION
from sandbox import Sandbox

from ..conftest import Pass
from ..helpers import done, registered, set_up
from .helpers import (
    BATTERY,
    CHARGER,
    HOUR,
    HVAC,
    TOMORROW,
    TONIGHT,
    add,
    change,
    elsewhere,
    entity_of,
    is_on,
    planned,
    pushed,
    repairs,
    state_of,
    status_of,
    subentry,
    switch,
)

pytestmark = pytest.mark.usefixtures("in_berlin", "quick")


async def _restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_reload(entry.entry_id)
    await done(hass)


# What stands there


async def test_next_occurrence_is_planned_as_a_window(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    plan = await add(hass, loaded)
    assert pushed(sandbox) == [
        {
            "command": "charge",
            "parameters": {"target": {"value": 90.0, "unit": "percent"}},
            "start": "2026-06-01T22:00:00",
            "end": "2026-06-02T05:00:00",
        }
    ]
    assert planned(sandbox) == [TONIGHT]
    assert is_on(hass, plan)
    assert state_of(hass, plan, "sensor") == "2026-06-01T20:00:00+00:00"
    assert status_of(hass, plan) == "planned"


async def test_one_follows_the_other(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """Tomorrow's is planned as soon as tonight's is carried out."""
    plan = await add(hass, loaded)
    await jump(8 * HOUR + 5)
    await jump(5)
    assert planned(sandbox) == [TOMORROW]
    assert state_of(hass, plan, "sensor") == "2026-06-02T20:00:00+00:00"
    assert len(pushed(sandbox)) == 2


async def test_of_two_plans_the_earlier_stands(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    night = await add(hass, loaded)
    evening = await add(
        hass,
        loaded,
        "Evening",
        command="discharge",
        parameters={},
        start="18:00:00",
        end="21:00:00",
    )
    assert planned(sandbox) == [("discharge", "2026-06-01T16:00", "2026-06-01T19:00")]
    assert status_of(hass, evening) == "planned"
    assert status_of(hass, night) == "pending"
    await jump(4 * HOUR + 5)
    await jump(5)
    assert planned(sandbox) == [TONIGHT]


async def test_nothing_is_asked_while_nothing_changes(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    def _asked() -> int:
        lists = sandbox.requests.of("GET", "/actions*")
        return len(lists) + len(pushed(sandbox))

    await pass_time(16 * 60)
    before = _asked()
    await pass_time(30 * 60)
    without = _asked() - before
    await add(hass, loaded)
    await pass_time(15 * 60)
    before = _asked()
    await pass_time(30 * 60)
    assert _asked() - before == without


async def test_in_the_middle_the_rest_is_planned(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    await add(hass, loaded, start="13:00:00", end="18:00:00")
    assert pushed(sandbox)[0]["start"] == "1m"
    assert pushed(sandbox)[0]["end"] == "2026-06-01T18:00:00"
    await jump(65)
    await jump(5)
    # Once, and then tomorrow's.
    assert planned(sandbox) == [("charge", "2026-06-02T11:00", "2026-06-02T16:00")]
    assert len(pushed(sandbox)) == 2


async def test_what_has_no_end_is_begun_at_once(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    await add(
        hass, loaded, command="auto.balanced", parameters={}, start="13:30", end=None
    )
    await done(hass)
    assert "start" not in pushed(sandbox)[0]
    assert planned(sandbox) == [("auto.balanced", "2026-06-02T11:30", "")]


@pytest.mark.parametrize("home", ["foxess"])
async def test_device_of_windows_only(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    await add(hass, loaded, parameters={})
    assert planned(sandbox) == [TONIGHT]


async def test_far_ahead_is_planned_when_it_can_be(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """The API plans 30 days ahead; a Monday that is skipped may be further."""
    skipped = ["2026-06-01", "2026-06-08", "2026-06-15", "2026-06-22", "2026-06-29"]
    plan = await add(hass, loaded, weekdays=["mon"], skipped=skipped)
    assert pushed(sandbox) == []
    assert state_of(hass, plan, "sensor") == "2026-07-06T20:00:00+00:00"
    assert status_of(hass, plan) == "pending"
    for _ in range(6):
        await jump(24 * HOUR)
    assert planned(sandbox) == [("charge", "2026-07-06T20:00", "2026-07-07T03:00")]


# Over restarts


async def test_restart_doubles_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    await add(hass, loaded)
    await _restart(hass, loaded)
    assert len(pushed(sandbox)) == 1
    assert planned(sandbox) == [TONIGHT]
    await jump(8 * HOUR + 5)
    await jump(5)
    assert planned(sandbox) == [TOMORROW]


async def test_carried_out_while_home_assistant_was_off(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    told = async_capture_events(hass, EVENT_ACTION)
    await add(hass, loaded)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    sandbox.clock.advance(10 * HOUR)
    freezer.tick(10 * HOUR)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await done(hass)
    assert planned(sandbox) == [TOMORROW]
    assert [(e.data["state"], e.data["plan"]) for e in told] == [("completed", "Night")]


async def test_lost_answer_is_looked_for(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """What was taken, though no answer came, is not pushed again."""
    sandbox.faults.add(
        kind="drop", method="POST", path="/battery/*", times=1, done=True
    )
    plan = await add(hass, loaded)
    assert status_of(hass, plan) == "checking"
    await jump(31)
    assert status_of(hass, plan) == "planned"
    assert len(pushed(sandbox)) == 1
    assert planned(sandbox) == [TONIGHT]


async def test_lost_question_is_asked_again(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """What was not taken is pushed again, once that is known."""
    sandbox.faults.add(kind="drop", method="POST", path="/battery/*", times=1)
    await add(hass, loaded)
    assert planned(sandbox) == []
    sandbox.faults.add(kind="error", status=500, path="/actions*", times=1)
    await jump(31)
    assert planned(sandbox) == []
    await jump(61)
    assert planned(sandbox) == [TONIGHT]


async def test_answer_lost_in_a_restart(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What was pushed just before the end is looked for by the next run."""
    fault = sandbox.faults.add(kind="hold_answer", method="POST", path="/battery/*")
    hass.config_entries.async_add_subentry(loaded, subentry())
    await fault.reached()
    assert await hass.config_entries.async_unload(loaded.entry_id)
    sandbox.faults.remove(fault)
    fault.release()
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await done(hass)
    assert len(pushed(sandbox)) == 1
    assert planned(sandbox) == [TONIGHT]


async def test_forgotten_action_is_ours_again(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    hass_storage: dict[str, Any],
) -> None:
    """Where what was kept is lost, what stands there is taken for the plan's."""
    assert await set_up(hass, entry)
    plan = await add(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    del hass_storage[f"amps_ai.plans.{entry.entry_id}"]
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    assert len(planned(sandbox)) == 1
    assert status_of(hass, plan) == "planned"
    await switch(hass, plan, "off")
    assert planned(sandbox) == []


# It comes back


async def test_tap_takes_it_away_and_it_comes_back(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    told = async_capture_events(hass, EVENT_ACTION)
    await add(hass, loaded)
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": "select.powerwall_2_mode", "option": "idle"},
        blocking=True,
    )
    await done(hass)
    await jump(5)
    assert [a["command"] for a in pushed(sandbox)] == [
        "charge",
        "idle",
        "idle",
        "charge",
    ]
    assert planned(sandbox) == [TONIGHT]
    assert "displaced" not in repairs(hass)
    cancelled = [e.data for e in told if e.data["state"] == "cancelled"]
    assert [data["plan"] for data in cancelled] == ["Night"]


async def test_action_that_replaces_it(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    await add(hass, loaded)
    await hass.services.async_call(
        "amps_ai",
        "charge",
        {
            "device_id": registered(hass, BATTERY),
            "start": "2026-06-01 16:00",
            "end": "2026-06-01 17:00",
            "on_conflict": "cancel_and_replace",
        },
        blocking=True,
    )
    await done(hass)
    # It is somebody's: the plan waits, and says so.
    assert planned(sandbox) == [("charge", "2026-06-01T14:00", "2026-06-01T15:00")]
    assert "plan_waits" in repairs(hass)
    await jump(2 * HOUR + 2)
    await jump(5)
    assert planned(sandbox) == [TONIGHT]
    assert "plan_waits" not in repairs(hass)


async def test_what_others_planned_is_never_replaced(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    other = await elsewhere(
        hass, sandbox, {"action": {"command": "idle", "start": "3h"}}
    )
    plan = await add(hass, loaded)
    await jump(1)
    assert status_of(hass, plan) == "waiting"
    assert "plan_waits" in repairs(hass)
    tries = len(pushed(sandbox))
    await jump(HOUR)
    assert len(pushed(sandbox)) == tries
    await elsewhere(hass, sandbox, path=f"/actions/{other['id']}/cancel")
    await jump(15 * 60 + 1)
    assert "plan_waits" not in repairs(hass)
    assert planned(sandbox) == [TONIGHT]


async def test_failures_are_retried_until_it_is_over(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """Missed twice in a row, it is a repair, which goes when it works again."""
    told = async_capture_events(hass, EVENT_ACTION)
    battery = sandbox.device(BATTERY)
    battery.transient_fault = "TIMEOUT"
    await add(hass, loaded, start="15:00:00", end="15:30:00")
    await jump(HOUR)
    for _ in range(70):
        await jump(30)
    missed = [e.data for e in told if e.data["state"] == "missed"]
    assert [(d["plan"], d["error"], d["command"]) for d in missed] == [
        ("Night", "TIMEOUT", "charge")
    ]
    assert missed[0]["device_id"] == registered(hass, BATTERY)
    failed = [e.data for e in told if e.data["state"] == "failed"]
    assert 3 <= len(failed) <= 9
    assert "plan_missed" not in repairs(hass)
    await jump(23 * HOUR)
    for _ in range(120):
        await jump(30)
    assert "plan_missed" in repairs(hass)
    battery.transient_fault = None
    # What stands was pushed when all was in vain still.
    await jump(23 * HOUR)
    for _ in range(60):
        await jump(30)
    assert "plan_missed" not in repairs(hass)


async def test_missed_while_nobody_could_plan_it(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    told = async_capture_events(hass, EVENT_ACTION)
    fault = sandbox.faults.add(
        kind="error", status=503, method="POST", path="/battery/*"
    )
    await add(hass, loaded, start="15:00:00", end="15:30:00")
    for _ in range(40):
        await jump(5 * 60)
    assert [e.data["state"] for e in told] == ["missed"]
    sandbox.faults.remove(fault)
    await jump(6 * HOUR + 1)
    assert planned(sandbox) == [("charge", "2026-06-02T13:00", "2026-06-02T13:30")]


async def test_plant_in_another_zone(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    sandbox.home.time_zone = "Europe/Lisbon"
    await add(hass, loaded)
    assert planned(sandbox) == []
    assert "plan_another_zone" in repairs(hass)
    await jump(4 * HOUR)
    assert len(pushed(sandbox)) == 1
    await hass.config.async_set_time_zone("Europe/Lisbon")
    await done(hass)
    await jump(HOUR)


async def test_manufacturers_own_schedule(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """The repair that exists asks, and what it sends counts for the plan."""
    sandbox.device(BATTERY).native_scheduler = True
    await add(hass, loaded, start="13:00:00", end="18:00:00")
    await jump(65)
    await jump(2)
    assert "scheduler_active" in repairs(hass)
    sandbox.device(BATTERY).native_scheduler = False
    await jump(40)
    await jump(65)
    await jump(5)
    assert planned(sandbox) == [("charge", "2026-06-02T11:00", "2026-06-02T16:00")]
    assert "scheduler_active" not in repairs(hass)


# What a person does


async def test_off_takes_it_away_and_on_brings_it_back(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    plan = await add(hass, loaded)
    await switch(hass, plan, "off")
    assert planned(sandbox) == []
    assert not is_on(hass, plan)
    assert state_of(hass, plan, "sensor") == "unknown"
    assert status_of(hass, plan) == "off"
    await _restart(hass, loaded)
    assert not is_on(hass, plan)
    await switch(hass, plan, "on")
    assert planned(sandbox) == [TONIGHT]


async def test_plan_that_is_deleted(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Its entities go, those of the device and of other plans stay."""
    plan = await add(hass, loaded)
    other = await add(hass, loaded, "Day", start="08:00:00", end="09:00:00")
    before = len(
        er.async_entries_for_device(er.async_get(hass), registered(hass, BATTERY))
    )
    hass.config_entries.async_remove_subentry(loaded, plan)
    await done(hass)
    assert planned(sandbox) == [("charge", "2026-06-02T06:00", "2026-06-02T07:00")]
    assert entity_of(hass, plan, "switch") is entity_of(hass, plan, "sensor") is None
    assert is_on(hass, other)
    after = er.async_entries_for_device(er.async_get(hass), registered(hass, BATTERY))
    assert len(after) == before - 2


async def test_plan_that_is_deleted_while_nobody_looks(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    plan = await add(hass, loaded)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    hass.config_entries.async_remove_subentry(loaded, plan)
    assert planned(sandbox) == [TONIGHT]
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await done(hass)
    assert planned(sandbox) == []
    assert entity_of(hass, plan, "switch") is None


async def test_plan_that_is_changed(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    plan = await add(hass, loaded)
    await change(hass, loaded, plan, end="06:00:00")
    assert planned(sandbox) == [("charge", "2026-06-01T20:00", "2026-06-02T04:00")]


async def test_plan_that_moves_to_another_device(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    plan = await add(hass, loaded, parameters={})
    await change(hass, loaded, plan, device_id=CHARGER)
    assert planned(sandbox) == []
    assert planned(sandbox, CHARGER) == [TONIGHT]
    switch_id = entity_of(hass, plan, "switch")
    assert switch_id is not None
    entity = er.async_get(hass).async_get(switch_id)
    assert entity is not None
    assert entity.device_id == registered(hass, CHARGER)
    assert is_on(hass, plan)


async def test_plan_that_moves_while_it_is_carried_out(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """What its old device does still, is not done by the new one."""
    plan = await add(hass, loaded, parameters={}, start="15:00:00", end="18:00:00")
    sandbox.device(BATTERY).action_seconds = 60
    refusal = sandbox.faults.add(method="POST", path="/ev-charger/*", status=503)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "custom_components.amps_ai.pushes.following.FOLLOW", timedelta(seconds=0.1)
        )
        await jump(HOUR + 5)
        await change(hass, loaded, plan, device_id=CHARGER)
        # The rest of today is tried at the new one, in vain, and the old one ends.
        assert len(pushed(sandbox, CHARGER)) == 1
        await jump(300)
        assert [action.state for action in sandbox.device(BATTERY).actions] == [
            "completed"
        ]
    sandbox.faults.remove(refusal)
    await jump(HOUR)
    assert pushed(sandbox, CHARGER)[-1]["end"] == "2026-06-01T18:00:00"
    assert sandbox.device(CHARGER).actions


async def test_thermostat(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    await add(
        hass,
        loaded,
        device_id=HVAC,
        command="heat",
        parameters={"target": {"value": 21.5, "unit": "celsius"}},
        start="06:00:00",
        end="08:00:00",
    )
    assert planned(sandbox, HVAC) == [("heat", "2026-06-02T04:00", "2026-06-02T06:00")]


async def test_plans_that_overlap_are_not_both_on(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    await add(hass, loaded)
    other = await add(hass, loaded, "Late", start="23:00:00", enabled=False)
    with pytest.raises(Exception, match="same time as the plan Night"):
        await switch(hass, other, "on")
    assert not is_on(hass, other)


# Devices that come and go


async def test_device_linked_again_under_a_new_id(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """The plan is not lost: it waits for a person to give it another device."""
    plan = await add(hass, loaded, device_id="device_battery_old")
    assert "plan_without_device" in repairs(hass)
    assert pushed(sandbox) == []
    await _restart(hass, loaded)
    assert "plan_without_device" in repairs(hass)
    await change(hass, loaded, plan, device_id=BATTERY)
    assert "plan_without_device" not in repairs(hass)
    assert planned(sandbox) == [TONIGHT]
    assert is_on(hass, plan)


async def test_plan_without_a_device_that_is_off(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Nobody is asked for a device that is not needed."""
    plan = await add(hass, loaded, device_id="device_battery_old")
    assert "plan_without_device" in repairs(hass)
    await change(hass, loaded, plan, enabled=False)
    assert "plan_without_device" not in repairs(hass)
    await _restart(hass, loaded)
    assert "plan_without_device" not in repairs(hass)
    await change(hass, loaded, plan, enabled=True)
    assert "plan_without_device" in repairs(hass)
    await change(hass, loaded, plan, last_day="2026-05-01")
    assert "plan_without_device" not in repairs(hass)


async def test_subentry_that_says_no_plan(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    plan = await add(hass, loaded, start="half past ten")
    assert entity_of(hass, plan, "switch") is None
    assert pushed(sandbox) == []


async def test_clocks_are_put_back(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    sandbox.clock.advance((before - sandbox.clock.now()).total_seconds())
    freezer.move_to(sandbox.clock.now())
    assert await set_up(hass, entry)
    await add(hass, entry, start="23:00:00", end="02:30:00")
    # The first half past two.
    assert planned(sandbox) == [("charge", "2026-10-24T21:00", "2026-10-25T00:30")]
