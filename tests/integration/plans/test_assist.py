"""What a language model is told of plans, and may skip."""

import json
from typing import Any

from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import llm
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from sandbox import Sandbox

from ..helpers import done
from .helpers import CHARGER, add, entity_of, planned, switch

pytestmark = pytest.mark.usefixtures("in_berlin", "quick")

PLANS = "amps_ai__plans"
SKIP = "amps_ai__skip_plan"
SUMMARY = "amps_ai__energy_summary"
MODE = "select.powerwall_2_mode"
LEVEL = "sensor.powerwall_2_battery"


@pytest.fixture(autouse=True)
async def assist(hass: HomeAssistant, sandbox: Sandbox) -> None:
    for component in ("homeassistant", "conversation"):
        assert await async_setup_component(hass, component, {})


async def _tools(hass: HomeAssistant, api_id: str) -> llm.APIInstance:
    context = llm.LLMContext(
        platform="a_language_model",
        context=Context(),
        language="en",
        assistant="conversation",
        device_id=None,
    )
    return await llm.async_get_api(hass, api_id, context)


async def _call(
    hass: HomeAssistant, api_id: str, tool: str, **arguments: Any
) -> tuple[bool, dict[str, Any]]:
    api = await _tools(hass, api_id)
    result = await api.async_call_tool(llm.ToolInput(tool, arguments))
    await done(hass)
    assert json.loads(json.dumps(result.data)) == result.data
    return bool(result.error), dict(result.data)


def _expose(hass: HomeAssistant, *entity_ids: str | None) -> None:
    for entity_id in entity_ids:
        assert entity_id is not None
        async_expose_entity(hass, "conversation", entity_id, True)


def _expose_nothing(hass: HomeAssistant) -> None:
    for entity_id in hass.states.async_entity_ids():
        async_expose_entity(hass, "conversation", entity_id, False)


async def test_plans_are_told(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    _expose_nothing(hass)
    _expose(hass, LEVEL)
    api = await _tools(hass, "assist")
    assert PLANS not in {tool.name for tool in api.tools}
    await add(hass, loaded)
    await add(hass, loaded, "Car", device_id=CHARGER, parameters={})
    _expose_nothing(hass)
    _expose(hass, LEVEL)
    failed, told = await _call(hass, "assist", PLANS)
    assert not failed
    # The charger is none of its business.
    assert told == {
        "plans": [
            {
                "plan": "Night",
                "device": "Powerwall 2",
                "command": "charge",
                "parameters": {"target": "90 percent"},
                "on": True,
                "status": "planned",
                "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                "from": "22:00:00",
                "until": "05:00:00",
                "next": "2026-06-01T22:00:00+02:00",
                "skipped": [],
            }
        ]
    }
    failed, told = await _call(hass, "assist", PLANS, device="car")
    assert failed


async def test_plan_is_skipped(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    await add(hass, loaded)
    await add(hass, loaded, "Car", device_id=CHARGER, parameters={})
    _expose_nothing(hass)
    _expose(hass, MODE, "switch.pulsar_plus")
    failed, told = await _call(hass, "amps_ai_commands", SKIP, plan="Night")
    assert not failed
    assert told == {
        "plan": "Night",
        "device": "Powerwall 2",
        "skipped": "2026-06-01",
        "next": "2026-06-02T22:00:00+02:00",
    }
    assert planned(sandbox) == [("charge", "2026-06-02T20:00", "2026-06-03T03:00")]
    failed, told = await _call(
        hass, "amps_ai_commands", SKIP, plan="Car", date="some day"
    )
    assert failed
    failed, told = await _call(
        hass, "amps_ai_commands", SKIP, plan="Car", device="powerwall"
    )
    assert "No device that may be steered" in told["error"]


async def test_plans_of_one_name(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    await add(hass, loaded)
    await add(hass, loaded, device_id=CHARGER, parameters={})
    _expose_nothing(hass)
    _expose(hass, MODE, "switch.pulsar_plus")
    failed, told = await _call(hass, "amps_ai_commands", SKIP, plan="Night")
    assert failed
    assert "Name the device" in told["error"]
    failed, _ = await _call(
        hass, "amps_ai_commands", SKIP, plan="Night", device="Pulsar Plus"
    )
    assert not failed


async def test_switch_of_a_plan_lets_nobody_send(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Whoever may speak to a plan may not steer its device, and reads no odd name."""
    plan = await add(hass, loaded)
    _expose_nothing(hass)
    _expose(hass, entity_of(hass, plan, "switch"), entity_of(hass, plan, "sensor"))
    assert (await _tools(hass, "amps_ai_commands")).tools == []
    _, told = await _call(hass, "assist", SUMMARY)
    assert told["devices"][0]["readings"] == []
    await switch(hass, plan, "off")
    _, told = await _call(hass, "assist", PLANS)
    assert told["plans"][0]["on"] is False
    assert told["plans"][0]["next"] is None
