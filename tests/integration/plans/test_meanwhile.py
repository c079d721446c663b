"""What a person changes while a plan is on, or while it is being planned."""

import asyncio
from datetime import timedelta

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from sandbox import Sandbox

from ..conftest import Pass
from ..helpers import done
from .helpers import (
    BATTERY,
    CHARGER,
    HOUR,
    TONIGHT,
    add,
    ask,
    change,
    elsewhere,
    planned,
    pushed,
    repairs,
    state_of,
    subentry,
    switch,
)

pytestmark = pytest.mark.usefixtures("in_berlin", "quick")


async def test_another_time_on_the_same_day(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """What was kept at the old time does not count for the new one."""
    plan = await add(hass, loaded, start="13:00:00", end="15:00:00")
    await jump(65)
    await jump(2)
    await jump(300)
    assert planned(sandbox) == [("charge", "2026-06-02T11:00", "2026-06-02T13:00")]
    await change(hass, loaded, plan, start="20:00:00", end="21:00:00")
    assert state_of(hass, plan, "sensor") == "2026-06-01T18:00:00+00:00"
    assert planned(sandbox) == [("charge", "2026-06-01T18:00", "2026-06-01T19:00")]


async def test_off_and_on_begins_nothing_twice(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    plan = await add(hass, loaded, start="13:00:00", end="18:00:00")
    await jump(65)
    await jump(2)
    await jump(300)
    await switch(hass, plan, "off")
    await switch(hass, plan, "on")
    assert planned(sandbox) == [("charge", "2026-06-02T11:00", "2026-06-02T16:00")]


@pytest.mark.parametrize("what", ["deleted", "off"])
async def test_refused_for_a_plan_that_is_no_more(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, what: str
) -> None:
    """No repair is opened for it, which nobody would close."""
    sandbox.home.time_zone = "Europe/Lisbon"
    sandbox.faults.add(
        method="POST", path="/battery/*", kind="delay", delay=0.2, times=1
    )
    made = subentry()
    hass.config_entries.async_add_subentry(loaded, made)
    while not pushed(sandbox):
        await asyncio.sleep(0)
    if what == "deleted":
        hass.config_entries.async_remove_subentry(loaded, made.subentry_id)
    else:
        hass.config_entries.async_update_subentry(
            loaded, made, data={**made.data, "enabled": False}
        )
    await done(hass)
    assert "plan_another_zone" not in repairs(hass)
    assert planned(sandbox) == []


async def test_deleted_while_it_is_pushed(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What is taken then is taken back."""
    sandbox.faults.add(
        method="POST", path="/battery/*", kind="delay", delay=0.2, times=1
    )
    made = subentry()
    hass.config_entries.async_add_subentry(loaded, made)
    while not pushed(sandbox):
        await asyncio.sleep(0)
    hass.config_entries.async_remove_subentry(loaded, made.subentry_id)
    await done(hass)
    assert len(pushed(sandbox)) == 1
    assert planned(sandbox) == []


async def test_what_is_on_cannot_be_skipped(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, jump: Pass
) -> None:
    """It goes on, whether anybody has told of it yet or not."""
    plan = await add(hass, loaded, start="15:00:00", end="18:00:00")
    sandbox.device(BATTERY).action_seconds = 20 * 60
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "custom_components.amps_ai.pushes.following.FOLLOW", timedelta(seconds=0.1)
        )
        await jump(HOUR + 5)
        with pytest.raises(ServiceValidationError, match="has begun already"):
            await ask(hass, "skip_plan", plan=plan, date="2026-06-01")
        assert (await ask(hass, "skip_plan", plan=plan))["skipped"] == "2026-06-02"


@pytest.mark.parametrize("is_loaded", [True, False])
async def test_account_that_is_removed(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, is_loaded: bool
) -> None:
    """What its plans left at Amps AI goes with it, and nobody else's."""
    await add(hass, loaded)
    await elsewhere(
        hass,
        sandbox,
        {
            "action": {
                "command": "charge",
                "start": "2026-06-03T10:00:00",
                "end": "2026-06-03T12:00:00",
            }
        },
        f"/{sandbox.device(CHARGER).kind.path}/{CHARGER}",
    )
    theirs = planned(sandbox, CHARGER)
    assert planned(sandbox) == [TONIGHT]
    if not is_loaded:
        await hass.config_entries.async_set_disabled_by(
            loaded.entry_id, ConfigEntryDisabler.USER
        )
        assert planned(sandbox) == [TONIGHT]
    await hass.config_entries.async_remove(loaded.entry_id)
    await done(hass)
    assert planned(sandbox) == []
    assert len(theirs) == 1
    assert planned(sandbox, CHARGER) == theirs
    assert repairs(hass) == set()


async def test_account_that_is_removed_while_amps_is_out_of_order(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    await add(hass, loaded)
    sandbox.faults.add(kind="error", status=500, path="/actions*", times=None)
    await hass.config_entries.async_remove(loaded.entry_id)
    await done(hass)
    assert not hass.config_entries.async_entries("amps_ai")
    assert planned(sandbox) == [TONIGHT]
