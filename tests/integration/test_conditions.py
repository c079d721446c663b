"""Automations that go on under the integration's own conditions, or generic ones."""

from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
    label_registry as lr,
)
from homeassistant.helpers.condition import async_get_all_descriptions
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.amps_ai.api import DeviceType, Push
from custom_components.amps_ai.common.const import DOMAIN
from custom_components.amps_ai.condition import CONDITIONS
from sandbox import Sandbox

from ..lean import rested

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
HVAC = "device_hvac_001"
INVERTER = "device_inverter_001"
VEHICLE = "device_vehicle_001"

ASKED, RAN = "condition_asked", "automation_ran"

type Json = dict[str, Any]


@pytest.fixture(autouse=True)
async def _now(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, sandbox: Sandbox
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to(sandbox.clock.now())
    sandbox.action_seconds = 20


pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(autouse=True)
async def _end_it_all(
    hass: HomeAssistant, sandbox: Sandbox, _now: None
) -> AsyncGenerator[None]:
    """Let what is in flight come down."""
    yield
    for _ in range(3):
        sandbox.clock.advance(21)
        await rested(0.05)
    await hass.async_block_till_done(wait_background_tasks=True)


# What the tests do.


def _device(
    hass: HomeAssistant, entry: MockConfigEntry, device_id: str
) -> dr.DeviceEntry:
    found = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, device_id), entry.entry_id
    )
    assert found is not None
    return found


def _entity(hass: HomeAssistant, platform: str, unique_id: str) -> str:
    found = er.async_get(hass).async_get_entity_id(platform, DOMAIN, unique_id)
    assert found is not None
    return found


async def _automate(hass: HomeAssistant, condition: Json) -> None:
    """Set up an automation with a condition, which is asked on an event."""
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "id": "test",
                "alias": "Test",
                "triggers": {"trigger": "event", "event_type": ASKED},
                "conditions": condition,
                "actions": {"event": RAN},
            }
        },
    )
    await hass.async_block_till_done()


async def _passes(hass: HomeAssistant) -> bool:
    """Ask the automation's condition."""
    state = hass.states.get("automation.test")
    assert state is not None
    assert state.state == STATE_ON
    ran = async_capture_events(hass, RAN)
    hass.bus.async_fire(ASKED)
    await hass.async_block_till_done()
    return bool(ran)


def _why_invalid(hass: HomeAssistant) -> str:
    """Return what Home Assistant's repair says of the automation."""
    state = hass.states.get("automation.test")
    assert state is not None
    assert state.state == STATE_UNAVAILABLE
    issue = ir.async_get(hass).async_get_issue(
        "automation", "automation.test_validation_failed_conditions"
    )
    assert issue is not None
    assert issue.translation_placeholders is not None
    return issue.translation_placeholders["error"]


async def _push(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    device_id: str,
    command: str,
    **data: Any,
) -> None:
    """Push a command, and do not wait for its end."""
    await hass.services.async_call(
        DOMAIN,
        "send_command",
        {
            "device_id": _device(hass, entry, device_id).id,
            "command": command,
            "wait": False,
            **data,
        },
        blocking=True,
    )


async def _end(hass: HomeAssistant, sandbox: Sandbox) -> None:
    """Let what is in flight end."""
    sandbox.clock.advance(21)
    await hass.async_block_till_done(wait_background_tasks=True)


async def _show(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    device_id: str,
    **state: Any,
) -> None:
    """Have a device report this, and ask for it."""
    device = sandbox.device(device_id)
    device.state_override = {**device.state_override, **state}
    await entry.runtime_data.coordinators[DeviceType(device.kind.type)].async_refresh()
    await hass.async_block_till_done()


def _label(hass: HomeAssistant, entry: MockConfigEntry, *device_ids: str) -> str:
    label = lr.async_get(hass).async_create("Energy").label_id
    for device_id in device_ids:
        dr.async_get(hass).async_update_device(
            _device(hass, entry, device_id).id, labels={label}
        )
    return label


# Commands that are pending.


@pytest.mark.parametrize(
    "kind", ["device", "entity", "area", "account", "nothing", "no word"]
)
async def test_command_pending(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, kind: str
) -> None:
    """From the push to the end, and neither before nor after it."""
    battery = _device(hass, loaded, BATTERY)
    area = ar.async_get(hass).async_create("Cellar").id
    dr.async_get(hass).async_update_device(battery.id, area_id=area)
    target: Json | None = {
        "device": {"device_id": battery.id},
        "entity": {"entity_id": _entity(hass, "sensor", f"{BATTERY}_level")},
        "area": {"area_id": area},
        "account": {"device_id": _device(hass, loaded, loaded.entry_id).id},
        "nothing": {},
        "no word": None,
    }[kind]
    condition: Json = {"condition": "amps_ai.command_pending"}
    if target is not None:
        condition["target"] = target
    await _automate(hass, condition)
    assert not await _passes(hass)
    await _push(hass, loaded, BATTERY, "charge")
    assert await _passes(hass)
    await _end(hass, sandbox)
    assert not await _passes(hass)


async def test_command_pending_elsewhere(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """What is pending for one device is not pending for another one."""
    await _automate(
        hass,
        {
            "condition": "amps_ai.command_pending",
            "target": {"device_id": _device(hass, loaded, CHARGER).id},
        },
    )
    await _push(hass, loaded, BATTERY, "charge")
    assert not await _passes(hass)


async def test_command_pending_from_a_control(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A tap counts as well, also one that is going to fail."""
    await _automate(hass, {"condition": "amps_ai.command_pending"})
    sandbox.device(CHARGER).next_action("failed", code="NO", seconds=20)
    with patch("custom_components.amps_ai.pushes.order.CONTROL_WAIT", 0.05):
        await hass.services.async_call(
            "switch", "turn_off", {"entity_id": "switch.pulsar_plus"}, blocking=True
        )
    assert await _passes(hass)
    await _end(hass, sandbox)
    assert not await _passes(hass)


async def test_command_pending_that_somebody_else_sent(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """It is known as soon as the device tells of it."""
    await _automate(hass, {"condition": "amps_ai.command_pending"})
    runtime = loaded.runtime_data
    coordinator = runtime.find(BATTERY)
    device = coordinator.data[BATTERY]
    await runtime.account.client.async_push(device, Push(command="discharge"))
    assert not await _passes(hass)
    await coordinator.async_refresh()
    assert await _passes(hass)
    sandbox.clock.advance(21)
    await coordinator.async_refresh()
    assert not await _passes(hass)


async def test_planned_command_is_not_pending(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """One for later is none until it begins; its window is none once it is taken."""
    await _automate(
        hass,
        {
            "condition": "amps_ai.command_pending",
            "target": {"device_id": _device(hass, loaded, BATTERY).id},
        },
    )
    await _push(hass, loaded, BATTERY, "charge", delay="00:10", duration="01:00")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not await _passes(hass)
    freezer.tick(timedelta(minutes=10, seconds=2))
    sandbox.clock.advance(602)
    await rested(0.1)
    assert await _passes(hass)
    await _end(hass, sandbox)
    assert not await _passes(hass)


async def test_command_pending_before_one_that_waits(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A command that is to follow does not hide the one on its way."""
    sandbox.lenient = {"queue"}
    await _automate(
        hass,
        {
            "condition": "amps_ai.command_pending",
            "target": {"device_id": _device(hass, loaded, BATTERY).id},
        },
    )
    await _push(hass, loaded, BATTERY, "charge")
    await _push(hass, loaded, BATTERY, "idle", on_conflict="queue_after")
    assert await _passes(hass)


@pytest.mark.parametrize(
    ("behavior", "passes"),
    [("any", [False, True, True]), ("all", [False, False, True])],
)
async def test_command_pending_on_several(
    hass: HomeAssistant, loaded: MockConfigEntry, behavior: str, passes: list[bool]
) -> None:
    """One is enough, or all have one; what takes no command does not matter."""
    await _automate(
        hass,
        {
            "condition": "amps_ai.command_pending",
            "target": {
                "label_id": _label(hass, loaded, BATTERY, CHARGER, INVERTER, VEHICLE)
            },
            "options": {"behavior": behavior},
        },
    )
    found = [await _passes(hass)]
    for device_id in (BATTERY, CHARGER):
        await _push(hass, loaded, device_id, "idle")
        found.append(await _passes(hass))
    assert found == passes


@pytest.mark.parametrize("behavior", ["any", "all"])
async def test_nothing_is_pending_where_nothing_is(
    hass: HomeAssistant, loaded: MockConfigEntry, behavior: str
) -> None:
    """Devices that take no commands, or none at all: nothing is pending."""
    await _automate(
        hass,
        {
            "condition": "amps_ai.command_pending",
            "target": {"device_id": _device(hass, loaded, INVERTER).id},
            "options": {"behavior": behavior},
        },
    )
    assert not await _passes(hass)
    await _push(hass, loaded, BATTERY, "charge")
    assert not await _passes(hass)


async def test_nothing_is_pending_for_an_account_that_is_not_there(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """An unloaded account has nothing pending; once loaded, it has again."""
    await _automate(
        hass,
        {"condition": "amps_ai.command_pending", "options": {"behavior": "all"}},
    )
    for device_id in (BATTERY, CHARGER, HVAC):
        await _push(
            hass,
            loaded,
            device_id,
            "follow_schedule" if device_id == HVAC else "idle",
        )
    assert await _passes(hass)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    assert not await _passes(hass)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    assert await _passes(hass)


async def test_command_pending_with_all_entities_disabled(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    battery = _device(hass, loaded, BATTERY)
    entities = er.async_get(hass)
    for item in er.async_entries_for_device(entities, battery.id):
        entities.async_update_entity(
            item.entity_id, disabled_by=er.RegistryEntryDisabler.USER
        )
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await _automate(
        hass,
        {
            "condition": "amps_ai.command_pending",
            "target": {"device_id": battery.id},
        },
    )
    assert not await _passes(hass)
    await _push(hass, loaded, BATTERY, "charge")
    assert await _passes(hass)
    await _end(hass, sandbox)
    assert not await _passes(hass)


# Thermostats.


@pytest.mark.parametrize("kind", ["device", "entity", "label"])
async def test_following_schedule(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, kind: str
) -> None:
    """As the thermostat reports it; a word that nobody knows is no schedule."""
    target: Json = {
        "device": {"device_id": _device(hass, loaded, HVAC).id},
        "entity": {"entity_id": _entity(hass, "climate", f"{HVAC}_climate")},
        "label": {"label_id": _label(hass, loaded, HVAC, BATTERY)},
    }[kind]
    await _automate(hass, {"condition": "amps_ai.following_schedule", "target": target})
    for hold, passes in (
        ("follow_schedule", True),
        ("permanent", False),
        ("follow_schedule", True),
        ("vacation", False),
    ):
        await _show(hass, loaded, sandbox, HVAC, holdType=hold)
        assert await _passes(hass) is passes


async def test_following_schedule_after_a_push(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Through a real push, there and back."""
    sandbox.action_seconds = 0
    climate = _entity(hass, "climate", f"{HVAC}_climate")
    await _automate(
        hass,
        {"condition": "amps_ai.following_schedule", "target": {"entity_id": climate}},
    )
    for preset, passes in (("schedule", True), ("hold", False), ("schedule", True)):
        await hass.services.async_call(
            "climate",
            "set_preset_mode",
            {"entity_id": climate, "preset_mode": preset},
            blocking=True,
        )
        await hass.async_block_till_done(wait_background_tasks=True)
        assert await _passes(hass) is passes


@pytest.mark.parametrize(("behavior", "passes"), [("any", True), ("all", False)])
async def test_following_schedule_of_several(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    behavior: str,
    passes: bool,
) -> None:
    second = sandbox.home.add_device("hvac").id
    await _show(hass, loaded, sandbox, HVAC, holdType="follow_schedule")
    await _show(hass, loaded, sandbox, second, holdType="permanent")
    await hass.async_block_till_done(wait_background_tasks=True)
    await _automate(
        hass,
        {
            "condition": "amps_ai.following_schedule",
            "target": {"label_id": _label(hass, loaded, HVAC, second)},
            "options": {"behavior": behavior},
        },
    )
    assert await _passes(hass) is passes
    await _show(hass, loaded, sandbox, second, holdType="follow_schedule")
    assert await _passes(hass)


async def test_following_schedule_for_a_while(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A change of temperature in between does not begin the time anew."""
    await _show(hass, loaded, sandbox, HVAC, holdType="permanent", temperature=20)
    await _automate(
        hass,
        {
            "condition": "amps_ai.following_schedule",
            "target": {"device_id": _device(hass, loaded, HVAC).id},
            "options": {"for": "00:01:00"},
        },
    )
    await _show(hass, loaded, sandbox, HVAC, holdType="follow_schedule")
    freezer.tick(timedelta(seconds=40))
    assert not await _passes(hass)
    await _show(hass, loaded, sandbox, HVAC, temperature=21)
    freezer.tick(timedelta(seconds=21))
    assert await _passes(hass)


async def test_thermostat_of_somebody_else(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A preset of the same name on another integration's thermostat is not meant."""
    label = _label(hass, loaded, HVAC)
    other = er.async_get(hass).async_get_or_create("climate", "other", "x")
    er.async_get(hass).async_update_entity(other.entity_id, labels={label})
    hass.states.async_set(other.entity_id, "heat", {"preset_mode": "schedule"})
    await _show(hass, loaded, sandbox, HVAC, holdType="permanent")
    await _automate(
        hass,
        {"condition": "amps_ai.following_schedule", "target": {"label_id": label}},
    )
    assert not await _passes(hass)
    await _show(hass, loaded, sandbox, HVAC, holdType="follow_schedule")
    assert await _passes(hass)


# What is refused, and how.


@pytest.mark.parametrize("key", CONDITIONS)
@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("DEVICE", "Toaster (DEVICE) is not a device of Amps AI"),
        ("climate.toast", "climate.toast does not belong to a device of Amps AI"),
        ("unheard_of", "Home Assistant has no device or entity called unheard_of"),
        ([], "The target names nothing. Name devices of Amps AI, or leave"),
    ],
)
async def test_target_that_cannot_work(
    hass: HomeAssistant, loaded: MockConfigEntry, key: str, named: Any, why: str
) -> None:
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    stranger = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", "x")}, name="Toaster"
    )
    er.async_get(hass).async_get_or_create(
        "climate", "other", "x", device_id=stranger.id, suggested_object_id="toast"
    )
    if named == "DEVICE":
        named = stranger.id
    name = "entity_id" if "." in named else "device_id"
    await _automate(hass, {"condition": f"amps_ai.{key}", "target": {name: named}})
    assert why.replace("DEVICE", stranger.id) in _why_invalid(hass)


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ({"condition": "amps_ai.command_planned"}, "Invalid condition"),
        (
            {
                "condition": "amps_ai.command_pending",
                "options": {"behavior": "each"},
            },
            "behavior",
        ),
        ({"condition": "amps_ai.command_pending", "options": {"for": 5}}, "for"),
        ({"condition": "amps_ai.following_schedule"}, "target"),
    ],
)
async def test_options_that_cannot_work(
    hass: HomeAssistant, loaded: MockConfigEntry, condition: Json, why: str
) -> None:
    await _automate(hass, condition)
    assert why in _why_invalid(hass)


async def test_descriptions(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """The editor finds the conditions, their targets and their fields."""
    descriptions = await async_get_all_descriptions(hass)
    fields = {}
    for key, described in descriptions.items():
        if key.startswith("amps_ai."):
            assert described is not None
            assert isinstance(described["target"], Mapping)
            (entity,) = described["target"]["entity"]
            assert entity["integration"] == DOMAIN
            fields[key.removeprefix("amps_ai.")] = set(described["fields"])
    assert fields == {
        "command_pending": {"behavior"},
        "following_schedule": {"behavior", "for"},
    }


# Generic conditions, which find entities by their device class.


def _above(value: float, unit: str | None = None) -> Json:
    number: Json = {"number": value}
    if unit is not None:
        number["unit_of_measurement"] = unit
    return {"threshold": {"type": "above", "value": number}}


# The condition and its options, the device, and what it reports: no, then yes.
GENERIC: list[tuple[str, Json, str, Json, Json]] = [
    (
        "battery.is_charging",
        {},
        BATTERY,
        {"status": "idle", "chargeRate": 0},
        {"status": "charging", "chargeRate": 3},
    ),
    (
        "battery.is_not_charging",
        {},
        BATTERY,
        {"status": "charging", "chargeRate": 3},
        {"status": "idle", "chargeRate": 0},
    ),
    (
        "battery.is_charging",
        {},
        CHARGER,
        {"isCharging": False},
        {"isCharging": True},
    ),
    ("battery.is_charging", {}, VEHICLE, {"charging": False}, {"charging": True}),
    ("battery.is_level", _above(80), BATTERY, {"level": 79}, {"level": 81}),
    (
        "battery.is_level",
        _above(80),
        VEHICLE,
        {"batteryLevel": 79},
        {"batteryLevel": 81},
    ),
    (
        "power.is_value",
        _above(1200, "W"),
        INVERTER,
        {"currentPower": 1},
        {"currentPower": 1.5},
    ),
    (
        "power.is_value",
        _above(2, "kW"),
        BATTERY,
        {"chargeRate": 3},
        {"chargeRate": -3},
    ),
    (
        "temperature.is_value",
        _above(21, "°C"),
        HVAC,
        {"temperature": 20},
        {"temperature": 22},
    ),
    ("climate.is_off", {}, HVAC, {"mode": "heat"}, {"mode": "off"}),
    ("climate.is_on", {}, HVAC, {"mode": "off"}, {"mode": "heat"}),
    (
        "climate.is_hvac_mode",
        {"hvac_mode": ["cool"]},
        HVAC,
        {"mode": "heat"},
        {"mode": "cool"},
    ),
    (
        "climate.is_heating",
        {},
        HVAC,
        {"mode": "heat", "active": False},
        {"mode": "heat", "active": True},
    ),
    (
        "climate.is_cooling",
        {},
        HVAC,
        {"mode": "cool", "active": False},
        {"mode": "cool", "active": True},
    ),
    (
        "climate.is_target_temperature",
        _above(20.5, "°C"),
        HVAC,
        {"mode": "heat", "heatSetpoint": 20},
        {"mode": "heat", "heatSetpoint": 21},
    ),
    ("switch.is_on", {}, CHARGER, {"isCharging": False}, {"isCharging": True}),
    (
        "select.is_option_selected",
        {"option": ["auto_balanced"]},
        BATTERY,
        {"currentMode": "charge"},
        {"currentMode": "auto.balanced"},
    ),
]


@pytest.mark.parametrize(
    ("condition", "options", "device_id", "before", "after"),
    GENERIC,
    ids=[f"{row[0]}-{row[2]}" for row in GENERIC],
)
async def test_generic_condition(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    condition: str,
    options: Json,
    device_id: str,
    before: Json,
    after: Json,
) -> None:
    """Home Assistant's own conditions find the entity when the device is named."""
    await _automate(
        hass,
        {
            "condition": condition,
            "target": {"device_id": _device(hass, loaded, device_id).id},
            "options": options,
        },
    )
    await _show(hass, loaded, sandbox, device_id, **before)
    assert not await _passes(hass)
    await _show(hass, loaded, sandbox, device_id, **after)
    assert await _passes(hass)
