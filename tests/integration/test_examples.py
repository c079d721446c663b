"""The examples of the pages: each is valid, and does what it says."""

from pathlib import Path
import re
from typing import Any

from homeassistant.components.automation import DOMAIN as AUTOMATION
from homeassistant.const import STATE_ON
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.script import Script, async_validate_actions_config
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import yaml

from custom_components.amps_ai.common.const import DOMAIN
from sandbox import Sandbox

from ..pages import ROOT
from .helpers import done, registered, set_up

pytestmark = pytest.mark.usefixtures("in_berlin", "at_once")

BATTERY = "device_battery_001"


def _blocks(page: str) -> list[Any]:
    text = Path(ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    return [
        yaml.safe_load(block)
        for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    ]


def _steps(block: Any) -> list[Any]:
    if isinstance(block, list):
        return block
    return block.get("actions") or block.get("sequence") or [block]


AUTOMATIONS = [
    pytest.param(block, id=f"{page}: {block['alias']}")
    for page in ("actions", "commands", "triggers")
    for block in _blocks(page)
    if "triggers" in block
]
# What can be done without anything having happened before.
STEPS = [
    pytest.param(_steps(block), id=str(number))
    for number, block in enumerate(_blocks("actions"))
]


@pytest.fixture
async def garage(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> MockConfigEntry:
    """Set the entry up, with a second battery, called as in the examples."""
    second = sandbox.home.add_device("battery")
    assert await set_up(hass, entry)
    dr.async_get(hass).async_update_device(
        registered(hass, second.id), name_by_user="Garage battery"
    )
    return entry


@pytest.mark.parametrize("example", AUTOMATIONS)
async def test_automation(
    hass: HomeAssistant, loaded: MockConfigEntry, example: dict[str, Any]
) -> None:
    """Home Assistant takes it as it stands, entities and all."""
    assert await async_setup_component(hass, AUTOMATION, {AUTOMATION: [example]})
    await done(hass)
    (state,) = hass.states.async_all(AUTOMATION)
    assert state.state == STATE_ON
    for entity_id in re.findall(
        r"\b(?:binary_sensor|climate|select|sensor|switch)\.\w+", str(example)
    ):
        if not hass.services.has_service(*entity_id.split(".")):
            assert hass.states.get(entity_id), entity_id
    await hass.services.async_call(
        AUTOMATION, "turn_off", {"entity_id": state.entity_id}, blocking=True
    )


@pytest.mark.parametrize("steps", STEPS)
async def test_steps(
    hass: HomeAssistant, sandbox: Sandbox, garage: MockConfigEntry, steps: list[Any]
) -> None:
    """Each step is done, and Amps AI hears of it."""
    # Something to cancel.
    await hass.services.async_call(
        DOMAIN,
        "charge",
        {
            "device_id": registered(hass, BATTERY),
            "delay": {"hours": 1},
            "duration": {"hours": 1},
            "wait": False,
        },
        blocking=True,
    )
    sandbox.requests.clear()
    steps = [_replacing(step) for step in steps]
    validated = await async_validate_actions_config(hass, cv.SCRIPT_SCHEMA(steps))
    script = Script(hass, validated, "Example", DOMAIN)
    await script.async_run(context=Context())
    await done(hass)
    sent = [
        item for item in sandbox.requests if item.method in ("POST", "PATCH", "PUT")
    ]
    sent += [item for item in sandbox.requests if item.method == "DELETE"]
    assert sent
    assert {item.status for item in sent} <= {200, 202}


def _replacing(step: Any) -> Any:
    """Let a command take the place of the one that is planned."""
    if not isinstance(step, dict) or "repeat" in step:
        return step
    if str(step.get("action")) in (
        "amps_ai.charge",
        "amps_ai.send_command",
    ):
        return {**step, "data": step["data"] | {"on_conflict": "cancel_and_replace"}}
    return step
