"""Automations that begin with the integration's own triggers, or with generic ones."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
import logging
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    issue_registry as ir,
    label_registry as lr,
)
from homeassistant.helpers.trigger import async_get_all_descriptions
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.amps_ai.api import DeviceType
from custom_components.amps_ai.automation.targets import async_targeted_devices
from custom_components.amps_ai.common.const import DOMAIN, EVENT_ACTION, EVENT_LINK
from custom_components.amps_ai.trigger import TRIGGERS
from sandbox import Sandbox

from .conftest import Pass
from .helpers import done

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
HVAC = "device_hvac_001"
INVERTER = "device_inverter_001"
VEHICLE = "device_vehicle_001"

RAN = "automation_ran"

type Json = dict[str, Any]


pytestmark = pytest.mark.usefixtures("in_berlin", "quick")


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


def _state(hass: HomeAssistant, entity_id: str) -> str:
    state = hass.states.get(entity_id)
    assert state is not None
    return state.state


async def _automate(
    hass: HomeAssistant, trigger: Json | list[Json], *tells: str
) -> list[Event[dict[str, Any]]]:
    """Set up an automation, and return its runs, with what its trigger tells."""
    ran = async_capture_events(hass, RAN)
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "id": "test",
                "alias": "Test",
                "triggers": trigger,
                "actions": {
                    "event": RAN,
                    "event_data": {
                        name: f"{{{{ trigger.{name} }}}}"
                        for name in (*tells, "description")
                    },
                },
            }
        },
    )
    await done(hass)
    return ran


def _told(ran: list[Event[dict[str, Any]]], name: str) -> list[Any]:
    return [event.data[name] for event in ran]


async def _push(
    hass: HomeAssistant, entry: MockConfigEntry, device_id: str, command: str
) -> str:
    """Push a command, and return its action's id."""
    response = await hass.services.async_call(
        DOMAIN,
        "send_command",
        {"device_id": _device(hass, entry, device_id).id, "command": command},
        blocking=True,
        return_response=True,
    )
    await done(hass)
    assert response is not None
    action = response["action"]
    assert isinstance(action, dict)
    return str(action["id"])


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
    await done(hass)


def _fire(hass: HomeAssistant, event: str, device_id: str | None, **data: Any) -> None:
    hass.bus.async_fire(event, {"device_id": device_id, **data})


def _why_invalid(hass: HomeAssistant) -> str:
    """Return what Home Assistant's repair says of the automation."""
    assert _state(hass, "automation.test") == STATE_UNAVAILABLE
    issue = ir.async_get(hass).async_get_issue(
        "automation", "automation.test_validation_failed_triggers"
    )
    assert issue is not None
    assert issue.translation_placeholders is not None
    return issue.translation_placeholders["error"]


# Commands.


async def test_command_completed(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """A push from a control, told with all that it is about."""
    charger = _device(hass, loaded, CHARGER)
    ran = await _automate(
        hass,
        {
            "trigger": "amps_ai.command_completed",
            "target": {"device_id": charger.id},
        },
        *("device_id", "device_name", "action_id", "command", "state", "error"),
    )
    ends = async_capture_events(hass, EVENT_ACTION)
    await hass.services.async_call(
        "switch", "turn_off", {"entity_id": "switch.pulsar_plus"}, blocking=True
    )
    await done(hass)
    (end,) = ends
    assert [event.data for event in ran] == [
        {
            "device_id": charger.id,
            "device_name": "Pulsar Plus",
            "action_id": end.data["action_id"],
            "command": "idle",
            "state": "completed",
            "error": None,
            "description": "Pulsar Plus: Charging paused",
        }
    ]


async def test_command_failed(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A failure is told with its code and the name that the person gave."""
    battery = _device(hass, loaded, BATTERY)
    dr.async_get(hass).async_update_device(battery.id, name_by_user="Cellar")
    ran = await _automate(
        hass,
        {"trigger": "amps_ai.command_failed", "target": {"device_id": battery.id}},
        *("device_id", "device_name", "command", "state", "error"),
    )
    await _push(hass, loaded, BATTERY, "charge")
    assert not ran
    sandbox.device(BATTERY).next_action("failed", code="TIMEOUT", message="Too late")
    with pytest.raises(HomeAssistantError):
        await _push(hass, loaded, BATTERY, "discharge")
    await done(hass)
    assert [event.data for event in ran] == [
        {
            "device_id": battery.id,
            "device_name": "Cellar",
            "command": "discharge",
            "state": "failed",
            "error": "TIMEOUT",
            "description": "Cellar: Discharge: failed, the manufacturer does not answer",
        }
    ]


@pytest.mark.parametrize("trigger", ["command_completed", "command_failed"])
async def test_cancelled_is_neither(
    hass: HomeAssistant, loaded: MockConfigEntry, trigger: str
) -> None:
    ran = await _automate(hass, {"trigger": f"amps_ai.{trigger}"})
    ends = async_capture_events(hass, EVENT_ACTION)
    response = await hass.services.async_call(
        DOMAIN,
        "send_command",
        {
            "device_id": _device(hass, loaded, BATTERY).id,
            "command": "idle",
            "delay": "01:00",
        },
        blocking=True,
        return_response=True,
    )
    assert response is not None
    action: Any = response["action"]
    await hass.services.async_call(
        DOMAIN, "cancel_action", {"action_id": action["id"]}, blocking=True
    )
    await done(hass)
    assert [event.data["state"] for event in ends] == ["cancelled"]
    assert not ran


TARGETS = [
    "device",
    "entity",
    "disabled entity",
    "hidden device of entities",
    "area",
    "entity in area",
    "diagnostic entity in area",
    "floor",
    "label of device",
    "label of entity",
    "label of area",
]


def _target(hass: HomeAssistant, entry: MockConfigEntry, kind: str) -> Json:
    """Return a target that means the battery, in one of the ways to name it."""
    battery = _device(hass, entry, BATTERY)
    level = _entity(hass, "sensor", f"{BATTERY}_level")
    devices, entities = dr.async_get(hass), er.async_get(hass)
    floor = fr.async_get(hass).async_create("Basement")
    area = ar.async_get(hass).async_create("Cellar", floor_id=floor.floor_id)
    label = lr.async_get(hass).async_create("Energy")
    match kind:
        case "device":
            return {"device_id": battery.id}
        case "entity":
            return {"entity_id": level}
        case "disabled entity":
            return {"entity_id": _entity(hass, "sensor", f"{BATTERY}_last_pulled")}
        case "hidden device of entities":
            for item in er.async_entries_for_device(entities, battery.id):
                entities.async_update_entity(
                    item.entity_id, hidden_by=er.RegistryEntryHider.USER
                )
            return {"device_id": [battery.id]}
        case "area":
            devices.async_update_device(battery.id, area_id=area.id)
            return {"area_id": area.id}
        case "entity in area":
            entities.async_update_entity(level, area_id=area.id)
            return {"area_id": [area.id]}
        case "diagnostic entity in area":
            entities.async_update_entity(
                _entity(hass, "binary_sensor", f"{BATTERY}_sync"), area_id=area.id
            )
            return {"area_id": area.id}
        case "floor":
            devices.async_update_device(battery.id, area_id=area.id)
            return {"floor_id": floor.floor_id}
        case "label of device":
            devices.async_update_device(battery.id, labels={label.label_id})
        case "label of entity":
            entities.async_update_entity(level, labels={label.label_id})
        case "label of area":
            devices.async_update_device(battery.id, area_id=area.id)
            ar.async_get(hass).async_update(area.id, labels={label.label_id})
    return {"label_id": label.label_id}


@pytest.mark.parametrize("kind", TARGETS)
async def test_ways_to_name_a_device(
    hass: HomeAssistant, loaded: MockConfigEntry, kind: str
) -> None:
    """Each way means the battery, and nothing but the battery."""
    trigger = {
        "trigger": "amps_ai.command_completed",
        "target": _target(hass, loaded, kind),
    }
    ran = await _automate(hass, trigger, "device_id")
    await _push(hass, loaded, CHARGER, "idle")
    assert not ran
    await _push(hass, loaded, BATTERY, "charge")
    assert _told(ran, "device_id") == [_device(hass, loaded, BATTERY).id]


@pytest.mark.parametrize("kind", ["account", "its calendar", "nothing", "no word"])
async def test_ways_to_name_all_devices(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, kind: str
) -> None:
    """The account stands for all of its devices, those of tomorrow as well."""
    target: Json | None = {
        "account": {"device_id": _device(hass, loaded, loaded.entry_id).id},
        "its calendar": {
            "entity_id": _entity(hass, "calendar", f"{loaded.entry_id}_schedule")
        },
        "nothing": {},
        "no word": None,
    }[kind]
    trigger: Json = {"trigger": "amps_ai.command_completed"}
    if target is not None:
        trigger["target"] = target
    ran = await _automate(hass, trigger, "device_id")
    new = sandbox.home.add_device("battery")
    await loaded.runtime_data.coordinators[DeviceType.BATTERY].async_refresh()
    await done(hass)
    for device_id in (BATTERY, CHARGER, new.id):
        await _push(hass, loaded, device_id, "idle")
    assert _told(ran, "device_id") == [
        _device(hass, loaded, device_id).id for device_id in (BATTERY, CHARGER, new.id)
    ]


async def test_account_of_somebody_else(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """An account does not stand for the devices of another account."""
    other = MockConfigEntry(domain=DOMAIN, unique_id="sandbox:other:*")
    other.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={(DOMAIN, "elsewhere")}
    )
    account = _device(hass, loaded, loaded.entry_id).id
    ran = await _automate(
        hass,
        {"trigger": "amps_ai.command_completed", "target": {"device_id": account}},
    )
    _fire(hass, EVENT_ACTION, device.id, command="charge", state="completed")
    await done(hass)
    assert not ran
    _fire(hass, EVENT_ACTION, account, command="charge", state="completed")
    await done(hass)
    assert len(ran) == 1


async def test_a_place_is_looked_up_once(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A burst of events looks up what a target means once, and after each change."""
    device = _device(hass, loaded, BATTERY)
    cellar = ar.async_get(hass).async_create("Cellar")
    ran = await _automate(
        hass,
        {"trigger": "amps_ai.command_failed", "target": {"area_id": cellar.id}},
    )
    with patch(
        "custom_components.amps_ai.automation.targets.async_targeted_devices",
        wraps=async_targeted_devices,
    ) as looked_up:
        for is_there in (False, True, False):
            dr.async_get(hass).async_update_device(
                device.id, area_id=cellar.id if is_there else None
            )
            looked_up.reset_mock()
            before = len(ran)
            for _ in range(5):
                _fire(hass, EVENT_ACTION, device.id, command="charge", state="failed")
            await done(hass)
            assert looked_up.call_count == 1
            assert bool(len(ran) - before) is is_there


async def test_device_left_out_of_an_account(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Where a target can leave something out, an account is not the whole account."""
    account = _device(hass, loaded, loaded.entry_id).id
    battery = _device(hass, loaded, BATTERY).id
    everything = async_targeted_devices(hass, {"device_id": [account]})
    assert battery in everything
    assert async_targeted_devices(
        hass, {"device_id": [account], "exclude": {"device_id": [battery]}}
    ) == everything - {battery}


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        (["charge"], ["charge"]),
        ("discharge", ["discharge"]),
        (["charge", "auto.balanced"], ["charge", "auto.balanced"]),
        # As the editor writes it.
        (["auto_balanced"], ["auto.balanced"]),
        ([], ["charge", "discharge", "auto.balanced"]),
        (["unheard_of"], []),
    ],
)
async def test_only_some_commands(
    hass: HomeAssistant, loaded: MockConfigEntry, wanted: Any, heard: list[str]
) -> None:
    ran = await _automate(
        hass,
        {"trigger": "amps_ai.command_completed", "options": {"command": wanted}},
        "command",
    )
    for command in ("charge", "discharge", "auto.balanced"):
        await _push(hass, loaded, BATTERY, command)
    assert _told(ran, "command") == heard


@pytest.mark.parametrize("named", [True, False])
async def test_all_entities_disabled(
    hass: HomeAssistant, loaded: MockConfigEntry, named: bool
) -> None:
    """The trigger needs none of the device's entities."""
    battery = _device(hass, loaded, BATTERY)
    entities = er.async_get(hass)
    for item in er.async_entries_for_device(entities, battery.id):
        entities.async_update_entity(
            item.entity_id, disabled_by=er.RegistryEntryDisabler.USER
        )
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert hass.states.get("sensor.powerwall_2_battery") is None
    trigger: Json = {"trigger": "amps_ai.command_completed"}
    if named:
        trigger["target"] = {"device_id": battery.id}
    ran = await _automate(hass, trigger, "device_id")
    await _push(hass, loaded, BATTERY, "charge")
    assert _told(ran, "device_id") == [battery.id]


async def test_reload_of_the_entry(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """After any number of reloads, each end is heard, and heard once."""
    ran = await _automate(
        hass,
        {
            "trigger": "amps_ai.command_completed",
            "target": {"device_id": _device(hass, loaded, BATTERY).id},
        },
        "command",
    )
    for command in ("charge", "idle"):
        assert await hass.config_entries.async_reload(loaded.entry_id)
        await done(hass)
        await _push(hass, loaded, BATTERY, command)
    assert _told(ran, "command") == ["charge", "idle"]


async def test_automation_before_the_entry(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """An automation can be there before the account is."""
    ran = await _automate(hass, {"trigger": "amps_ai.command_completed"}, "command")
    assert entry.state is ConfigEntryState.NOT_LOADED
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    await _push(hass, entry, BATTERY, "charge")
    assert _told(ran, "command") == ["charge"]


@pytest.mark.parametrize(
    ("trigger", "event"),
    [
        ("command_completed", EVENT_ACTION),
        ("command_failed", EVENT_ACTION),
        ("link_lost", EVENT_LINK),
    ],
)
async def test_detached_without_a_leak(
    hass: HomeAssistant, loaded: MockConfigEntry, trigger: str, event: str
) -> None:
    """An automation that is off leaves no listener behind."""
    await _automate(hass, {"trigger": f"amps_ai.{trigger}"})
    listening = hass.bus.async_listeners().get(event, 0)
    for action, difference in (("turn_off", -1), ("turn_on", 0), ("turn_off", -1)):
        await hass.services.async_call(
            "automation", action, {"entity_id": "automation.test"}, blocking=True
        )
        await done(hass)
        assert hass.bus.async_listeners().get(event, 0) == listening + difference


@pytest.mark.parametrize("event", [EVENT_ACTION, EVENT_LINK])
@pytest.mark.parametrize("device_id", [None, "gone", ""])
async def test_device_that_is_gone(
    hass: HomeAssistant, loaded: MockConfigEntry, event: str, device_id: str | None
) -> None:
    """What is told of a device without an entry is heard without a target only."""
    trigger = {EVENT_ACTION: "command_failed", EVENT_LINK: "link_lost"}[event]
    ran = await _automate(
        hass,
        [
            {"trigger": f"amps_ai.{trigger}", "id": "all"},
            {
                "trigger": f"amps_ai.{trigger}",
                "id": "one",
                "target": {"device_id": _device(hass, loaded, BATTERY).id},
            },
        ],
        *("id", "device_name"),
    )
    for state in ("failed", "lost"):
        _fire(hass, event, device_id, state=state, command="charge", error=None)
    await done(hass)
    assert _told(ran, "id") == ["all"]
    assert _told(ran, "device_name") == [None]


# Links.


async def test_link_lost(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Only the loss is told, with the device's name."""
    vehicle = _device(hass, loaded, VEHICLE)
    ran = await _automate(
        hass,
        {"trigger": "amps_ai.link_lost", "target": {"device_id": vehicle.id}},
        *("device_id", "device_name", "state"),
    )
    _fire(hass, EVENT_LINK, vehicle.id, state="restored")
    _fire(hass, EVENT_LINK, _device(hass, loaded, BATTERY).id, state="lost")
    await done(hass)
    assert not ran
    _fire(hass, EVENT_LINK, vehicle.id, state="lost")
    await done(hass)
    assert [event.data for event in ran] == [
        {
            "device_id": vehicle.id,
            "device_name": "iX3",
            "state": "lost",
            "description": "iX3: Link lost",
        }
    ]


async def test_link_lost_in_the_sandbox(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """The manufacturer refuses the stored credentials: that is told once a loss."""
    inverter = _device(hass, loaded, INVERTER)
    entities = er.async_get(hass)
    # A device of which one entity alone is of use is read all the same.
    for item in er.async_entries_for_device(entities, inverter.id)[1:]:
        entities.async_update_entity(
            item.entity_id, disabled_by=er.RegistryEntryDisabler.USER
        )
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    ran = await _automate(
        hass,
        {
            "trigger": "amps_ai.link_lost",
            "target": {"device_id": _device(hass, loaded, loaded.entry_id).id},
        },
        *("device_id", "device_name"),
    )
    # The next single read finds it, and those after it bring nothing new.
    sandbox.device(INVERTER).credentials_refused = True
    await pass_time(16 * 60)
    assert _told(ran, "device_id") == [inverter.id]
    assert _told(ran, "device_name") == ["SE5000H"]
    await pass_time(16 * 60)
    assert len(ran) == 1
    sandbox.device(INVERTER).credentials_refused = False
    await pass_time(16 * 60)
    sandbox.device(INVERTER).credentials_refused = True
    await pass_time(16 * 60)
    assert _told(ran, "device_id") == [inverter.id] * 2


# Plugs.


PLUGS = [(CHARGER, "connected", "isConnected"), (VEHICLE, "plugged", "plugged")]


@pytest.mark.parametrize(("device_id", "key", "reported"), PLUGS)
@pytest.mark.parametrize(
    ("trigger", "heard"),
    [("plugged_in", (False, True)), ("unplugged", (True, False))],
)
@pytest.mark.parametrize("by", ["device", "entity"])
async def test_plug(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    device_id: str,
    key: str,
    reported: str,
    trigger: str,
    heard: tuple[bool, bool],
    by: str,
) -> None:
    """The plug's way in is told, or its way out, and not the other one."""
    plug = _entity(hass, "binary_sensor", f"{device_id}_{key}")
    target = {
        "device": {"device_id": _device(hass, loaded, device_id).id},
        "entity": {"entity_id": plug},
    }[by]
    before, after = heard
    await _show(hass, loaded, sandbox, device_id, **{reported: after})
    ran = await _automate(
        hass, {"trigger": f"amps_ai.{trigger}", "target": target}, "entity_id"
    )
    await _show(hass, loaded, sandbox, device_id, **{reported: before})
    assert not ran
    await _show(hass, loaded, sandbox, device_id, **{reported: after})
    assert _told(ran, "entity_id") == [plug]
    assert _state(hass, plug) == (STATE_ON if after else STATE_OFF)


@pytest.mark.parametrize("trigger", ["plugged_in", "unplugged"])
async def test_plug_that_was_unknown_or_unavailable(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, trigger: str
) -> None:
    """Nobody was seen to plug anything in or out: neither is told."""
    plug = _entity(hass, "binary_sensor", f"{VEHICLE}_plugged")
    ran = await _automate(
        hass, {"trigger": f"amps_ai.{trigger}", "target": {"entity_id": plug}}
    )
    after = trigger == "plugged_in"
    await _show(hass, loaded, sandbox, VEHICLE, plugged=None)
    assert _state(hass, plug) == STATE_UNKNOWN
    await _show(hass, loaded, sandbox, VEHICLE, plugged=after)
    assert _state(hass, plug) == (STATE_ON if after else STATE_OFF)
    assert not ran
    await _show(hass, loaded, sandbox, VEHICLE, plugged=None)
    vehicle = sandbox.device(VEHICLE)
    vehicle.unlisted = True
    coordinator = loaded.runtime_data.coordinators[DeviceType.VEHICLE]
    await coordinator.async_refresh()
    assert _state(hass, plug) == STATE_UNAVAILABLE
    vehicle.unlisted = False
    await _show(hass, loaded, sandbox, VEHICLE, plugged=after)
    assert _state(hass, plug) == (STATE_ON if after else STATE_OFF)
    assert not ran


async def test_reload_is_no_plugging_in(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What was plugged in before a reload is not plugged in by it."""
    await _show(hass, loaded, sandbox, CHARGER, isConnected=True)
    ran = await _automate(
        hass,
        {
            "trigger": "amps_ai.plugged_in",
            "target": {"device_id": _device(hass, loaded, CHARGER).id},
        },
    )
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert not ran
    await _show(hass, loaded, sandbox, CHARGER, isConnected=False)
    await _show(hass, loaded, sandbox, CHARGER, isConnected=True)
    assert len(ran) == 1


@pytest.mark.parametrize(
    ("behavior", "heard"),
    [("each", [1, 2]), ("first", [1]), ("all", [2])],
)
async def test_several_plugs(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    behavior: str,
    heard: list[int],
) -> None:
    """Each plug, the first one of all, or all of them."""
    label = lr.async_get(hass).async_create("Car").label_id
    for device_id, _, reported in PLUGS:
        dr.async_get(hass).async_update_device(
            _device(hass, loaded, device_id).id, labels={label}
        )
        await _show(hass, loaded, sandbox, device_id, **{reported: False})
    ran = await _automate(
        hass,
        {
            "trigger": "amps_ai.plugged_in",
            "target": {"label_id": label},
            "options": {"behavior": behavior},
        },
    )
    after = []
    for number, (device_id, _, reported) in enumerate(PLUGS, 1):
        before = len(ran)
        await _show(hass, loaded, sandbox, device_id, **{reported: True})
        after += [number] * (len(ran) - before)
    assert after == heard


async def test_plug_for_a_while(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A plug that is pulled again before the time is over is not told."""
    await _show(hass, loaded, sandbox, CHARGER, isConnected=False)
    ran = await _automate(
        hass,
        {
            "trigger": "amps_ai.plugged_in",
            "target": {"device_id": _device(hass, loaded, CHARGER).id},
            "options": {"for": {"seconds": 20}},
        },
    )

    async def _wait(seconds: float) -> None:
        freezer.tick(timedelta(seconds=seconds))
        async_fire_time_changed(hass)
        await done(hass)

    await _show(hass, loaded, sandbox, CHARGER, isConnected=True)
    await _wait(10)
    await _show(hass, loaded, sandbox, CHARGER, isConnected=False)
    await _wait(15)
    assert not ran
    await _show(hass, loaded, sandbox, CHARGER, isConnected=True)
    await _wait(19)
    assert not ran
    await _wait(2)
    assert len(ran) == 1


async def test_plug_of_somebody_else(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """In an area, the plugs of other integrations do not count."""
    area = ar.async_get(hass).async_create("Garage").id
    dr.async_get(hass).async_update_device(
        _device(hass, loaded, CHARGER).id, area_id=area
    )
    other = er.async_get(hass).async_get_or_create(
        "binary_sensor", "other", "plug", original_device_class="plug"
    )
    er.async_get(hass).async_update_entity(other.entity_id, area_id=area)
    await _show(hass, loaded, sandbox, CHARGER, isConnected=False)
    ran = await _automate(
        hass,
        {"trigger": "amps_ai.plugged_in", "target": {"area_id": area}},
        "entity_id",
    )
    for state in (STATE_OFF, STATE_ON):
        hass.states.async_set(other.entity_id, state, {"device_class": "plug"})
        await done(hass)
    assert not ran
    await _show(hass, loaded, sandbox, CHARGER, isConnected=True)
    assert _told(ran, "entity_id") == [
        _entity(hass, "binary_sensor", f"{CHARGER}_connected")
    ]


# What is refused, and how.


@pytest.fixture
def stranger(hass: HomeAssistant) -> dr.DeviceEntry:
    """Return a device of another integration, with an entity."""
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", "x")}, name="Toaster"
    )
    er.async_get(hass).async_get_or_create(
        "binary_sensor", "other", "x", device_id=device.id, suggested_object_id="toast"
    )
    er.async_get(hass).async_get_or_create(
        "binary_sensor", "other", "alone", suggested_object_id="alone"
    )
    return device


NOT_OURS = [
    ("DEVICE", "Toaster (DEVICE) is not a device of Amps AI"),
    ("binary_sensor.toast", "binary_sensor.toast does not belong to a device of"),
    ("binary_sensor.alone", "binary_sensor.alone does not belong to a device of"),
    ("unheard_of", "Home Assistant has no device or entity called unheard_of"),
    ("sensor.unheard_of", "has no device or entity called sensor.unheard_of"),
    ([], "The target names nothing. Name devices of Amps AI, or leave"),
]


@pytest.mark.parametrize("key", TRIGGERS)
@pytest.mark.parametrize(("named", "why"), NOT_OURS)
async def test_target_that_cannot_work(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    stranger: dr.DeviceEntry,
    key: str,
    named: Any,
    why: str,
) -> None:
    """What can never trigger is refused in words that name it."""
    if named == "DEVICE":
        named = stranger.id
    name = "entity_id" if "." in named else "device_id"
    ran = await _automate(hass, {"trigger": f"amps_ai.{key}", "target": {name: named}})
    assert why.replace("DEVICE", stranger.id) in _why_invalid(hass)
    assert not ran


@pytest.mark.parametrize("key", TRIGGERS)
async def test_one_of_several_is_gone(
    hass: HomeAssistant, loaded: MockConfigEntry, key: str
) -> None:
    """A device that was removed does not stop an automation for the others."""
    await _automate(
        hass,
        {
            "trigger": f"amps_ai.{key}",
            "target": {
                "device_id": ["gone", _device(hass, loaded, CHARGER).id],
                "entity_id": "sensor.gone",
            },
        },
    )
    assert _state(hass, "automation.test") == STATE_ON


@pytest.mark.parametrize(
    ("trigger", "why"),
    [
        ({"trigger": "amps_ai.command_cancelled"}, "Invalid trigger"),
        (
            {"trigger": "amps_ai.command_failed", "options": {"commands": "charge"}},
            "commands",
        ),
        (
            {"trigger": "amps_ai.command_failed", "options": {"command": [None]}},
            "command",
        ),
        ({"trigger": "amps_ai.link_lost", "options": {"command": "x"}}, "command"),
        ({"trigger": "amps_ai.plugged_in"}, "target"),
        (
            {
                "trigger": "amps_ai.unplugged",
                "target": {"area_id": "garage"},
                "options": {"behavior": "sometimes"},
            },
            "behavior",
        ),
        (
            {
                "trigger": "amps_ai.unplugged",
                "target": {"area_id": "garage"},
                "options": {"for": "-00:01"},
            },
            "for",
        ),
    ],
)
async def test_options_that_cannot_work(
    hass: HomeAssistant, loaded: MockConfigEntry, trigger: Json, why: str
) -> None:
    await _automate(hass, trigger)
    assert why in _why_invalid(hass)


async def test_descriptions(
    hass: HomeAssistant, loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """The editor finds the triggers, their targets and their fields."""
    descriptions = await async_get_all_descriptions(hass)
    found = {
        key.removeprefix("amps_ai."): described
        for key, described in descriptions.items()
        if key.startswith("amps_ai.")
    }
    assert set(found) == set(TRIGGERS)
    fields: dict[str, set[str]] = {}
    for key, described in found.items():
        assert described is not None
        assert isinstance(described["target"], Mapping)
        (entity,) = described["target"]["entity"]
        assert entity["integration"] == DOMAIN
        fields[key] = set(described["fields"])
    assert fields == {
        "command_completed": {"command"},
        "command_failed": {"command"},
        "link_lost": set(),
        "plan_missed": set(),
        "plugged_in": {"behavior", "for"},
        "unplugged": {"behavior", "for"},
    }
    assert not [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING
        and record.name.startswith(("homeassistant.helpers", "custom_components"))
    ]


# Generic triggers, which find entities by their device class.


def _above(value: float, unit: str | None = None) -> Json:
    number: Json = {"number": value}
    if unit is not None:
        number["unit_of_measurement"] = unit
    return {"threshold": {"type": "above", "value": number}}


def _any(**more: Any) -> Json:
    return {"threshold": {"type": "any"}, **more}


# The trigger and its options, the entity, and what the device reports in turn.
GENERIC: list[tuple[str, Json, str, str, str, list[Json]]] = [
    (
        "battery.started_charging",
        {},
        "binary_sensor",
        BATTERY,
        "charging",
        [{"status": "idle", "chargeRate": 0}, {"status": "charging", "chargeRate": 3}],
    ),
    (
        "battery.stopped_charging",
        {},
        "binary_sensor",
        BATTERY,
        "charging",
        [{"status": "charging", "chargeRate": 3}, {"status": "idle", "chargeRate": 0}],
    ),
    (
        "battery.started_charging",
        {},
        "binary_sensor",
        CHARGER,
        "charging",
        [{"isCharging": False}, {"isCharging": True}],
    ),
    (
        "battery.stopped_charging",
        {},
        "binary_sensor",
        CHARGER,
        "charging",
        [{"isCharging": True}, {"isCharging": False}],
    ),
    (
        "battery.started_charging",
        {},
        "binary_sensor",
        VEHICLE,
        "charging",
        [{"charging": False}, {"charging": True}],
    ),
    (
        "battery.stopped_charging",
        {},
        "binary_sensor",
        VEHICLE,
        "charging",
        [{"charging": True}, {"charging": False}],
    ),
    (
        "battery.level_changed",
        _any(),
        "sensor",
        BATTERY,
        "level",
        [{"level": 40}, {"level": 41}],
    ),
    (
        "battery.level_crossed_threshold",
        _above(80),
        "sensor",
        BATTERY,
        "level",
        [{"level": 79}, {"level": 81}],
    ),
    (
        "battery.level_changed",
        _any(),
        "sensor",
        VEHICLE,
        "battery_level",
        [{"batteryLevel": 40}, {"batteryLevel": 41}],
    ),
    (
        "battery.level_crossed_threshold",
        _above(80),
        "sensor",
        VEHICLE,
        "battery_level",
        [{"batteryLevel": 79}, {"batteryLevel": 81}],
    ),
    (
        "power.changed",
        _any(),
        "sensor",
        INVERTER,
        "power",
        [{"currentPower": 1}, {"currentPower": 1.5}],
    ),
    (
        "power.crossed_threshold",
        _above(1200, "W"),
        "sensor",
        INVERTER,
        "power",
        [{"currentPower": 1}, {"currentPower": 1.5}],
    ),
    # A battery's power is positive while it discharges.
    (
        "power.crossed_threshold",
        _above(2, "kW"),
        "sensor",
        BATTERY,
        "power",
        [{"chargeRate": 3}, {"chargeRate": -3}],
    ),
    (
        "power.crossed_threshold",
        _above(2, "kW"),
        "sensor",
        CHARGER,
        "power",
        [{"currentPower": 0}, {"currentPower": 7.4}],
    ),
    (
        "power.crossed_threshold",
        _above(2, "kW"),
        "sensor",
        VEHICLE,
        "power",
        [{"chargeRate": 0}, {"chargeRate": 7.4}],
    ),
    (
        "temperature.changed",
        _any(),
        "climate",
        HVAC,
        "climate",
        [{"temperature": 19}, {"temperature": 20}],
    ),
    (
        "temperature.crossed_threshold",
        _above(21, "°C"),
        "climate",
        HVAC,
        "climate",
        [{"temperature": 20}, {"temperature": 22}],
    ),
    (
        "climate.hvac_mode_changed",
        {"hvac_mode": ["cool"]},
        "climate",
        HVAC,
        "climate",
        [{"mode": "heat"}, {"mode": "cool"}],
    ),
    (
        "climate.turned_off",
        {},
        "climate",
        HVAC,
        "climate",
        [{"mode": "heat"}, {"mode": "off"}],
    ),
    (
        "climate.turned_on",
        {},
        "climate",
        HVAC,
        "climate",
        [{"mode": "off"}, {"mode": "auto"}],
    ),
    (
        "climate.started_heating",
        {},
        "climate",
        HVAC,
        "climate",
        [{"mode": "heat", "active": False}, {"mode": "heat", "active": True}],
    ),
    (
        "climate.started_cooling",
        {},
        "climate",
        HVAC,
        "climate",
        [{"mode": "cool", "active": False}, {"mode": "cool", "active": True}],
    ),
    (
        "climate.target_temperature_changed",
        _any(),
        "climate",
        HVAC,
        "climate",
        [{"mode": "heat", "heatSetpoint": 20}, {"mode": "heat", "heatSetpoint": 21}],
    ),
    (
        "climate.target_temperature_crossed_threshold",
        _above(20.5, "°C"),
        "climate",
        HVAC,
        "climate",
        [{"mode": "heat", "heatSetpoint": 20}, {"mode": "heat", "heatSetpoint": 21}],
    ),
    (
        "switch.turned_on",
        {},
        "switch",
        CHARGER,
        "charge",
        [{"isCharging": False}, {"isCharging": True}],
    ),
    (
        "switch.turned_off",
        {},
        "switch",
        CHARGER,
        "charge",
        [{"isCharging": True}, {"isCharging": False}],
    ),
    (
        "select.selection_changed",
        {},
        "select",
        BATTERY,
        "mode",
        [{"currentMode": "charge"}, {"currentMode": "auto.balanced"}],
    ),
]


@pytest.mark.parametrize(
    ("trigger", "options", "platform", "device_id", "key", "reports"),
    GENERIC,
    ids=[f"{row[0]}-{row[3]}" for row in GENERIC],
)
async def test_generic_trigger(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    trigger: str,
    options: Json,
    platform: str,
    device_id: str,
    key: str,
    reports: list[Json],
) -> None:
    """Home Assistant's own triggers find the entity when the device is named."""
    before, after = reports
    await _show(hass, loaded, sandbox, device_id, **before)
    config: Json = {
        "trigger": trigger,
        "target": {"device_id": _device(hass, loaded, device_id).id},
    }
    if options:
        config["options"] = options
    ran = await _automate(hass, config, "entity_id")
    await _show(hass, loaded, sandbox, device_id, **before)
    assert not ran
    await _show(hass, loaded, sandbox, device_id, **after)
    found = [_entity(hass, platform, f"{device_id}_{key}")]
    if trigger.startswith("temperature."):
        # A thermostat has its temperature as a sensor, too.
        found.append(_entity(hass, "sensor", f"{device_id}_temperature"))
    assert sorted(_told(ran, "entity_id")) == sorted(found)


async def test_generic_trigger_of_events(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The event entity is found, and tells of the first event already."""
    ran = await _automate(
        hass,
        {
            "trigger": "event.received",
            "target": {"device_id": _device(hass, loaded, BATTERY).id},
            "options": {"event_type": ["completed"]},
        },
        "entity_id",
    )
    await _push(hass, loaded, BATTERY, "charge")
    assert _told(ran, "entity_id") == [_entity(hass, "event", f"{BATTERY}_action")]


async def test_generic_trigger_of_buttons(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    button = _entity(hass, "button", f"{BATTERY}_refresh")
    ran = await _automate(
        hass,
        {"trigger": "button.pressed", "target": {"entity_id": button}},
        "entity_id",
    )
    await hass.services.async_call(
        "button", "press", {"entity_id": button}, blocking=True
    )
    await done(hass)
    assert _told(ran, "entity_id") == [button]


async def test_generic_triggers_of_the_calendar(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The start of what is planned is told."""
    await hass.services.async_call(
        DOMAIN,
        "send_command",
        {
            "device_id": _device(hass, loaded, BATTERY).id,
            "command": "charge",
            "delay": "01:00",
            "duration": "01:00",
        },
        blocking=True,
    )
    await done(hass)
    ran = await _automate(
        hass,
        {
            "trigger": "calendar.event_started",
            "target": {"device_id": _device(hass, loaded, loaded.entry_id).id},
        },
    )
    for _ in range(5):
        freezer.tick(timedelta(minutes=14))
        sandbox.clock.advance(14 * 60)
        async_fire_time_changed(hass)
        async with asyncio.timeout(20):
            await done(hass)
    # The core's trigger would leave a timer behind.
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.test"}, blocking=True
    )
    assert len(ran) == 1
