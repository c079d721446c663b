"""Answers that are valid, and that nobody would give: nothing of them hurts."""

import gc
import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.amps_ai.api import Device, DeviceType, listing
from custom_components.amps_ai.common.const import EVENT_ACTION
from sandbox import Sandbox

from .conftest import Pass
from .helpers import done, registered

BATTERY = "device_battery_001"
MODE = "select.powerwall_2_mode"

# What no person could read, and what would be lines of its own in a prompt.
ODD = "first line\n- second line\x07 " + "x" * 1_000_000
# The most that Home Assistant takes for a state, and that its recorder keeps.
MOST_STATE = 255
MOST_ATTRIBUTES = 16384


def _odd(hass: HomeAssistant) -> list[str]:
    """Return which states are longer than they may be, or of more than a line."""
    return [
        state.entity_id
        for state in hass.states.async_all()
        for said in (json.dumps(state.attributes, default=str),)
        if len(state.state) > MOST_STATE
        or len(said) > MOST_ATTRIBUTES
        or "second line\\" in said
        or "\\n" in said
    ]


@pytest.mark.parametrize(
    "told",
    [
        {"state": {"status": ODD, "currentMode": ODD}},
        {"lastAction": {"id": "act_odd", "state": ODD, "command": ODD}},
        {
            "lastAction": {
                "id": "act_odd",
                "state": "failed",
                "command": ODD,
                "errorCode": ODD,
                "errorMessage": ODD,
            }
        },
        {"commands": {ODD: {}, "charge": {"parameters": {ODD: {"unit": ODD}}}}},
        {"commands": {f"command_{number:05}": {} for number in range(5000)}},
        {"commands": {"charge": {"execution": [ODD, "immediate"]}}},
        {"settings": {ODD: {"value": 1}, "safety_reserve": {"value": 5, "unit": ODD}}},
        {"vendor": ODD, "metadata": {"model": ODD}},
        {
            "conflictStrategies": [
                ODD,
                *(f"strategy_{number}" for number in range(5000)),
            ]
        },
    ],
    ids=lambda told: next(iter(told)),
)
async def test_words_without_end(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    told: dict[str, Any],
) -> None:
    """What the API says is cut before it is a state, an attribute or an event."""
    events = async_capture_events(hass, EVENT_ACTION)
    sandbox.faults.add(kind="merge", path="/battery*", body=told, device=BATTERY)
    coordinator = loaded.runtime_data.find(BATTERY)
    await coordinator.async_read(BATTERY, expedite=True, force=True)
    await coordinator.async_refresh()
    await done(hass)
    assert _odd(hass) == []
    for event in events:
        assert all(len(str(value)) <= MOST_STATE for value in event.data.values())
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    with pytest.raises(HomeAssistantError) as refusal:
        await hass.services.async_call(
            "amps_ai",
            "send_command",
            {"device_id": registered(hass, BATTERY), "command": "nothing\nknown"},
            blocking=True,
            return_response=True,
        )
    assert len(str(refusal.value)) < 2000


async def test_refusal_without_end(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A refusal's code and message are cut before a person reads them."""
    sandbox.faults.add(
        method="POST",
        path=f"/battery/{BATTERY}",
        status=422,
        code="ODD" * 100_000,
        message="no\n",
        length=1_000_000,
    )
    with pytest.raises(HomeAssistantError) as refusal:
        await hass.services.async_call(
            "select",
            "select_option",
            {"entity_id": MODE, "option": "charge"},
            blocking=True,
        )
    said = str(refusal.value)
    assert len(said) < 1000
    assert "\n" not in said


@pytest.mark.usefixtures("stopped_clock")
async def test_list_without_end(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It ends here, is asked for seldom, and what is known goes on to be read."""
    monkeypatch.setattr(listing, "_PAUSE", 0)
    before = len(dr.async_get(hass).devices)
    fault = sandbox.faults.add(kind="endless", path="/battery")
    sandbox.device(BATTERY).state_override = {"level": 33}
    sandbox.device(BATTERY).capture()
    sandbox.requests.clear()
    await pass_time(75)
    assert len(sandbox.requests.of("GET", "/battery")) == 100
    sandbox.requests.clear()
    await pass_time(500)
    assert not sandbox.requests.of("GET", "/battery")
    assert len(dr.async_get(hass).devices) == before
    state = hass.states.get("sensor.powerwall_2_battery")
    assert state is not None
    assert state.state == "33"
    assert len([r for r in caplog.records if "does not end" in r.message]) == 1
    sandbox.faults.remove(fault)
    sandbox.home.add_device("battery", device_id="device_new")
    await pass_time(120)
    assert loaded.runtime_data.find("device_new")


def _devices_kept() -> int:
    """Count the devices that somebody holds on to."""
    gc.collect()
    return sum(isinstance(item, Device) for item in gc.get_objects())


@pytest.mark.parametrize("breaks_off", [False, True])
async def test_nothing_is_kept_of_a_list_without_end(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    breaks_off: bool,
) -> None:
    """Neither its devices nor its pages, also where an error is its end."""
    monkeypatch.setattr(listing, "_PAUSE", 0)
    coordinator = loaded.runtime_data.find(BATTERY)
    pages = loaded.runtime_data.account.client._pages
    before = _devices_kept()
    if breaks_off:
        sandbox.faults.add(path="/battery", status=503, skip=60)
    sandbox.faults.add(kind="endless", path="/battery")
    sandbox.requests.clear()
    await coordinator.async_refresh()
    await done(hass)
    assert len(sandbox.requests.of("GET", "/battery")) > 60
    assert (coordinator.last_exception is not None) is breaks_off
    # A device may be kept as it was before, too.
    assert _devices_kept() <= 2 * before
    assert len(pages[DeviceType.BATTERY]) <= 1
    sandbox.faults.clear()
    await coordinator.async_refresh()
    assert coordinator.last_update_success
    assert _devices_kept() <= 2 * before


@pytest.mark.usefixtures("stopped_clock")
async def test_ids_that_are_in_two_lists(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The first list has them; that is told in one line, once."""
    chargers = [
        sandbox.home.add_device("ev_charger", device_id=f"twice_{number}")
        for number in range(40)
    ]
    await pass_time(75)
    items = [{"id": device.id, "state": {"level": 1}} for device in chargers]
    sandbox.faults.add(
        kind="json",
        path="/battery",
        body={"items": items, "pagination": {"total": 40, "hasMore": False}},
    )
    await pass_time(300)
    told = [r.message for r in caplog.records if "of other types" in r.message]
    assert len(told) == 1
    assert told[0].endswith("twice_4 (ev_charger) and 35 more")
    assert loaded.runtime_data.find("twice_0").device_type == "ev_charger"
