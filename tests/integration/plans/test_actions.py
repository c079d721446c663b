"""Actions, triggers, the logbook and diagnostics of plans."""

from collections.abc import Callable
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.core import Context, Event, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_capture_events,
    async_mock_service,
)

from custom_components.amps_ai.common.const import EVENT_ACTION
from custom_components.amps_ai.diagnostics import async_get_config_entry_diagnostics
from custom_components.amps_ai.logbook import async_describe_events
from sandbox import Sandbox

from ..helpers import done, registered
from .helpers import BATTERY, CHARGER, add, ask, planned, switch

pytestmark = pytest.mark.usefixtures("in_berlin", "quick")


async def test_list_plans(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    night = await add(hass, loaded)
    await add(hass, loaded, "Car", device_id=CHARGER, parameters={}, weekdays=["sat"])
    await add(hass, loaded, "Lost", device_id="device_gone")
    listed = (await ask(hass, "list_plans"))["plans"]
    assert [(plan["name"], plan["status"]) for plan in listed] == [
        ("Night", "planned"),
        ("Car", "planned"),
        ("Lost", "no_device"),
    ]
    (one,) = (await ask(hass, "list_plans", device_id=registered(hass, BATTERY)))[
        "plans"
    ]
    action_id = one.pop("action_id")
    assert action_id == sandbox.device(BATTERY).actions[0].id
    assert one == {
        "id": night,
        "name": "Night",
        "device_id": registered(hass, BATTERY),
        "command": "charge",
        "parameters": {"target": {"value": 90, "unit": "percent"}},
        "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "start": "22:00:00",
        "end": "05:00:00",
        "enabled": True,
        "skipped": [],
        "last_day": None,
        "status": "planned",
        "next": "2026-06-01T22:00:00+02:00",
    }


async def test_skip_plan(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    plan = await add(hass, loaded)
    answer = await ask(hass, "skip_plan", plan=" night ")
    assert answer["skipped"] == "2026-06-01"
    assert answer["plan"]["skipped"] == ["2026-06-01"]
    assert planned(sandbox) == [("charge", "2026-06-02T20:00", "2026-06-03T03:00")]
    answer = await ask(hass, "skip_plan", plan=plan, date="2026-06-02")
    assert answer["plan"]["next"] == "2026-06-03T22:00:00+02:00"


async def test_what_cannot_be_skipped(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    plan = await add(hass, loaded, weekdays=["mon"])
    await add(hass, loaded, device_id=CHARGER, parameters={})
    with pytest.raises(ServiceValidationError, match="no plan Day"):
        await ask(hass, "skip_plan", plan="Day")
    with pytest.raises(ServiceValidationError, match="more than one plan"):
        await ask(hass, "skip_plan", plan="Night")
    with pytest.raises(ServiceValidationError, match="nothing to skip"):
        await ask(hass, "skip_plan", plan=plan, date="2026-06-02")
    await switch(hass, plan, "off")
    with pytest.raises(ServiceValidationError, match="nothing to skip"):
        await ask(hass, "skip_plan", plan=plan)
    answer = await ask(
        hass, "skip_plan", plan="Night", device_id=registered(hass, CHARGER)
    )
    assert answer["plan"]["device_id"] == registered(hass, CHARGER)


async def test_permission_is_needed(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_read_only_user: MockUser
) -> None:
    await add(hass, loaded)
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            "amps_ai",
            "skip_plan",
            {"plan": "Night"},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    answer = await hass.services.async_call(
        "amps_ai",
        "list_plans",
        {},
        blocking=True,
        return_response=True,
        context=Context(user_id=hass_read_only_user.id),
    )
    assert answer is not None


async def test_missed_plan_triggers(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An automation hears of what was missed while Home Assistant was off."""
    calls = async_mock_service(hass, "test", "told")
    assert await async_setup_component(
        hass,
        AUTOMATION_DOMAIN,
        {
            AUTOMATION_DOMAIN: {
                "triggers": [
                    {
                        "trigger": "amps_ai.plan_missed",
                        "target": {"device_id": registered(hass, BATTERY)},
                    }
                ],
                "actions": [
                    {
                        "action": "test.told",
                        "data": {
                            "said": "{{ trigger.plan }} {{ trigger.device_name }}"
                            " {{ trigger.error }} {{ trigger.description }}"
                        },
                    }
                ],
            }
        },
    )
    events = async_capture_events(hass, EVENT_ACTION)
    fault = sandbox.faults.add(
        kind="error", status=503, method="POST", path="/battery/*"
    )
    await add(hass, loaded)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    sandbox.faults.remove(fault)
    sandbox.clock.advance(36 * 3600)
    freezer.tick(36 * 3600)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await done(hass)
    assert [call.data["said"] for call in calls] == [
        "Night Powerwall 2 None Powerwall 2: The plan “Night” was missed: Charge"
    ]
    assert [event.data["start"] for event in events] == ["2026-06-01T20:00:00+00:00"]


@pytest.mark.parametrize(
    ("data", "message", "icon"),
    [
        (
            {"state": "missed", "error": "TIMEOUT"},
            "The plan “Night” was missed: Charge, the manufacturer does not answer",
            "mdi:calendar-remove",
        ),
        (
            {"state": "completed"},
            "Charge: Completed, for the plan “Night”",
            "mdi:send-check",
        ),
    ],
)
async def test_logbook(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    data: dict[str, str],
    message: str,
    icon: str,
) -> None:
    described: dict[str, Callable[[Event], dict[str, Any]]] = {}
    async_describe_events(
        hass, lambda domain, event_type, describe: described.update({domain: describe})
    )
    events = async_capture_events(hass, EVENT_ACTION)
    hass.bus.async_fire(
        EVENT_ACTION,
        {
            "device_id": registered(hass, BATTERY),
            "command": "charge",
            "plan": "Night",
            **data,
        },
    )
    await done(hass)
    event: Any = events[0]
    assert described["amps_ai"](event) == {
        "name": "Powerwall 2",
        "message": message,
        "icon": icon,
    }


async def test_diagnostics(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    await add(hass, loaded)
    told = (await async_get_config_entry_diagnostics(hass, loaded))["plans"]
    assert told["plans"][0]["name"] == "Night"
    assert told["plans"][0]["device"] == BATTERY
    assert told["kept"]["devices"][BATTERY]["day"] == "2026-06-01"
    assert told["tried"][BATTERY]["count"] == 0
