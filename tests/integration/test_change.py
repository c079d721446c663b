"""Devices that come, gain something, lose something, and get another key."""

from collections.abc import Generator
from datetime import timedelta
import logging
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    CONF_API_KEY,
    EVENT_STATE_CHANGED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity_registry import RegistryEntryDisabler
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.amps_ai.common.const import CONF_APP_ID, DOMAIN
from custom_components.amps_ai.entities.adder import ABSENCE
from custom_components.amps_ai.readings.pace import SLOWEST
from sandbox import REMOVE, TEST_KEY, Sandbox

from .conftest import Pass
from .helpers import done, registered, set_up

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
HVAC = "device_hvac_001"
SOLAR = "device_inverter_001"
VEHICLE = "device_vehicle_001"
DEVICES = [BATTERY, CHARGER, HVAC, SOLAR, VEHICLE]
LEVEL = "sensor.powerwall_2_battery"
NEW_KEY = "sk_test_rotated"

# The time after which an entity goes, made short; see the first test.
SOON = timedelta(minutes=10)


pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.fixture(autouse=True)
def soon() -> Generator[None]:
    """Let entities go after minutes, not after a week."""
    with patch("custom_components.amps_ai.entities.adder.ABSENCE", SOON):
        yield


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """Hold that nothing goes wrong on the way."""
    yield
    for record in caplog.get_records("call"):
        if record.name.startswith(("homeassistant.helpers", "custom_components")):
            assert record.levelno < logging.ERROR or (
                # What a key that is refused has to be said of.
                record.getMessage().startswith("Error fetching")
            ), record.getMessage()


async def _restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    await done(hass)
    for state in hass.states.async_all():
        hass.states.async_remove(state.entity_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)


def _registered(hass: HomeAssistant) -> dict[str, Any]:
    """Return what a person can have chosen for each entity, by unique id."""
    return {
        item.unique_id: (
            item.id,
            item.entity_id,
            item.name,
            item.area_id,
            item.icon,
            item.disabled_by,
            item.hidden_by,
            item.labels,
            item.device_id,
        )
        for item in er.async_get(hass).entities.values()
        if item.platform == DOMAIN
    }


def _keys(hass: HomeAssistant, device_id: str) -> set[str]:
    """Return the keys of a device's entities."""
    return {
        unique_id.removeprefix(f"{device_id}_")
        for unique_id in _registered(hass)
        if unique_id.startswith(f"{device_id}_")
    }


def _entity_id(hass: HomeAssistant, device_id: str, key: str) -> str:
    (entity_id,) = (
        item.entity_id
        for item in er.async_get(hass).entities.values()
        if item.platform == DOMAIN and item.unique_id == f"{device_id}_{key}"
    )
    return entity_id


def _state(hass: HomeAssistant, entity_id: str) -> str:
    state = hass.states.get(entity_id)
    assert state is not None, entity_id
    return state.state


def _personalise(hass: HomeAssistant) -> None:
    """Give every entity a name and an id of its own, as a person can."""
    registry = er.async_get(hass)
    for number, item in enumerate(tuple(registry.entities.values())):
        if item.platform == DOMAIN:
            registry.async_update_entity(
                item.entity_id,
                new_entity_id=f"{item.domain}.mine_{number}",
                name=f"Mine {number}",
                icon="mdi:star",
            )


async def _read(
    hass: HomeAssistant, sandbox: Sandbox, pass_time: Pass, device_id: str = BATTERY
) -> None:
    """Let a single read of a device be made."""
    sandbox.device(device_id).drop_cache()
    await pass_time(75)
    before = len(sandbox.requests.reads(device_id))
    await hass.services.async_call(
        "button",
        "press",
        {"entity_id": _entity_id(hass, device_id, "refresh")},
        blocking=True,
    )
    await done(hass)
    assert len(sandbox.requests.reads(device_id)) > before


def test_a_week() -> None:
    """What an entity shows may be away for a week, before it goes."""
    assert timedelta(days=7) == ABSENCE


# What comes.


async def test_new_device(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """A new device of each type is there with all it has, without a reload."""
    runtime = loaded.runtime_data
    _personalise(hass)
    before = _registered(hass)
    for device in sandbox.home.devices:
        sandbox.home.add_device(device.kind, device_id=f"new_{device.id}")
    await pass_time(240)
    assert loaded.runtime_data is runtime
    for device_id in DEVICES:
        assert _keys(hass, f"new_{device_id}") == _keys(hass, device_id)
    after = _registered(hass)
    assert {key: after[key] for key in before} == before


async def test_another_model(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """What a device is called follows what it is; what a person chose stays."""
    registry = dr.async_get(hass)
    identifier = (DOMAIN, BATTERY)
    entry = registry.async_get_device_by_identifier(identifier, loaded.entry_id)
    assert entry is not None
    registry.async_update_device(entry.id, name_by_user="Cellar")
    sandbox.device(BATTERY).model = "Powerwall 3"
    await pass_time(75)
    found = registry.async_get_device_by_identifier(identifier, loaded.entry_id)
    assert found is not None
    assert found.id == entry.id
    assert (found.model, found.name) == ("Powerwall 3", "Powerwall 3")
    assert found.name_by_user == "Cellar"
    assert hass.states.get(LEVEL) is not None


@pytest.mark.parametrize(
    ("device_id", "lacks", "key"),
    [
        (BATTERY, {"state": {"level": REMOVE}}, "level"),
        (BATTERY, {"state": {"chargeRate": REMOVE}}, "power"),
        (CHARGER, {"state": {"isConnected": REMOVE}}, "connected"),
        (HVAC, {"body": {"commands": {}}}, "climate"),
        (CHARGER, {"body": {"commands": {}}}, "charge"),
        (SOLAR, {"state": {"energyTotal": REMOVE}}, "energy_total"),
        (VEHICLE, {"state": {"range": REMOVE}}, "range"),
        (VEHICLE, {"body": {"sync": {"available": True}}}, "last_pulled"),
        (BATTERY, {"settings": "export_limit"}, "export_limit"),
        (BATTERY, {"settings": "scheduler_enabled"}, "scheduler_enabled"),
    ],
)
async def test_gains(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    device_id: str,
    lacks: dict[str, Any],
    key: str,
) -> None:
    """What a device has only later has its entity then, without a reload."""
    device = sandbox.device(device_id)
    device.state_override = lacks.get("state", {})
    device.body_override = lacks.get("body", {})
    setting = device.settings.pop(lacks.get("settings", ""), None)
    device.capture()
    assert await set_up(hass, entry)
    runtime = entry.runtime_data
    before = _registered(hass)
    assert key not in _keys(hass, device_id)
    device.state_override = {}
    device.body_override = {}
    if setting is not None:
        device.settings[lacks["settings"]] = setting
    await _read(hass, sandbox, pass_time, device_id)
    assert entry.runtime_data is runtime
    assert key in _keys(hass, device_id)
    after = _registered(hass)
    assert {one: after[one] for one in before} == before
    item = er.async_get(hass).async_get(_entity_id(hass, device_id, key))
    assert item is not None
    if item.disabled_by is None:
        assert _state(hass, item.entity_id) != STATE_UNAVAILABLE


# What goes.


def _lose(sandbox: Sandbox, device_id: str, what: str) -> None:
    """Take something away from a device."""
    device = sandbox.device(device_id)
    assert device.commands is not None
    if what in device.settings:
        del device.settings[what]
    elif what == "commands":
        device.commands = {}
    else:
        device.commands = {
            name: item for name, item in device.commands.items() if name != what
        }


@pytest.mark.parametrize(
    ("device_id", "what", "keys"),
    [
        (BATTERY, "export_limit", {"export_limit"}),
        (BATTERY, "safety_reserve", {"safety_reserve"}),
        (BATTERY, "scheduler_enabled", {"scheduler_enabled"}),
        (BATTERY, "commands", {"mode", "last_action", "action"}),
        (CHARGER, "commands", {"charge", "last_action", "action"}),
        (HVAC, "commands", {"climate", "last_action", "action"}),
        # What is left of these can still be done, or said otherwise.
        (BATTERY, "auto.export", set()),
        (CHARGER, "idle", set()),
        (HVAC, "cool", set()),
        (CHARGER, "max_charge_rate", set()),
    ],
)
async def test_loses(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    device_id: str,
    what: str,
    keys: set[str],
) -> None:
    """What single reads leave out for long goes, exactly; and comes back as it was."""
    device = sandbox.device(device_id)
    commands, settings = device.commands, dict(device.settings)
    await _read(hass, sandbox, pass_time, device_id)
    _personalise(hass)
    before = _registered(hass)
    gone = {f"{device_id}_{key}" for key in keys}
    entity_ids = [before[unique_id][1] for unique_id in gone]
    _lose(sandbox, device_id, what)
    await _read(hass, sandbox, pass_time, device_id)
    # One reading proves nothing.
    assert _registered(hass) == before
    for entity_id in entity_ids:
        if not entity_id.startswith(("event.", "sensor.")):
            assert _state(hass, entity_id) in (STATE_UNAVAILABLE, STATE_UNKNOWN)
    await pass_time(SOON.total_seconds() + 75)
    after = _registered(hass)
    assert before.keys() - after.keys() == gone
    assert {key: before[key] for key in after} == after
    for entity_id in entity_ids:
        assert hass.states.get(entity_id) is None
    # Over a restart, too.
    await _restart(hass, loaded)
    await _read(hass, sandbox, pass_time, device_id)
    assert _registered(hass) == after
    # And back, with the name and the id that a person gave.
    device.commands, device.settings = commands, settings
    await _read(hass, sandbox, pass_time, device_id)
    assert _registered(hass) == before
    for entity_id in entity_ids:
        assert _state(hass, entity_id) != STATE_UNAVAILABLE


async def test_loses_what_was_switched_off(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """What a person switched off stays so, if it goes and comes back."""
    er.async_get(hass).async_update_entity(
        _entity_id(hass, BATTERY, "export_limit"),
        disabled_by=RegistryEntryDisabler.USER,
        name="Off",
    )
    await done(hass)
    before = _registered(hass)
    settings = dict(sandbox.device(BATTERY).settings)
    _lose(sandbox, BATTERY, "export_limit")
    await _read(hass, sandbox, pass_time)
    await pass_time(SOON.total_seconds() + 75)
    assert before.keys() - _registered(hass).keys() == {f"{BATTERY}_export_limit"}
    sandbox.device(BATTERY).settings = settings
    await _read(hass, sandbox, pass_time)
    assert _registered(hass) == before


@pytest.mark.parametrize(
    "left_out",
    [
        {"commands": REMOVE},
        {"settings": REMOVE},
        {"commands": REMOVE, "settings": REMOVE, "lastAction": REMOVE},
        {"commands": None, "settings": None, "lastAction": None},
        {"metadata": {"source": "fallback"}, "commands": REMOVE},
    ],
)
@pytest.mark.parametrize("device_id", [BATTERY, CHARGER, HVAC])
async def test_one_reading_that_tells_less(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    device_id: str,
    left_out: dict[str, Any],
) -> None:
    """Nothing goes, nothing turns into an older device, and all comes back."""
    coordinator = loaded.runtime_data.find(device_id)
    before = _registered(hass)
    states = {state.entity_id: state.state for state in hass.states.async_all()}
    device = sandbox.device(device_id)
    known = coordinator.data[device_id]
    body = {
        name: value
        for name, value in (known.raw | left_out).items()
        if value is not REMOVE
    }
    fault = sandbox.faults.add(
        method="GET", path=f"/*/{device_id}", kind="json", body=body
    )
    read = await coordinator.async_read(device_id, expedite=True, force=True)
    await done(hass)
    assert not read.is_older
    assert read.commands == known.commands
    assert (read.settings or {}) == (known.settings or {})
    assert _registered(hass) == before
    sandbox.faults.remove(fault)
    sandbox.clock.advance(61)
    device.capture()
    await coordinator.async_read(device_id, expedite=True, force=True)
    await done(hass)
    assert _registered(hass) == before
    assert {
        entity_id: state.state
        for entity_id in states
        if (state := hass.states.get(entity_id))
        and (state.state == STATE_UNAVAILABLE)
        != (states[entity_id] == STATE_UNAVAILABLE)
    } == {}


async def test_partial_reading(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A reading of id and state alone leaves model, maker and controls."""
    coordinator = loaded.runtime_data.find(CHARGER)
    before = _registered(hass)
    registry = dr.async_get(hass)
    described = [
        (device.manufacturer, device.model)
        for device in dr.async_entries_for_config_entry(registry, loaded.entry_id)
    ]
    state = coordinator.data[CHARGER].raw["state"]
    sandbox.faults.add(
        method="GET",
        path=f"/*/{CHARGER}",
        kind="json",
        body={"id": CHARGER, "state": state},
    )
    read = await coordinator.async_read(CHARGER, expedite=True, force=True)
    await done(hass)
    assert (read.vendor, read.model) == ("wallbox", "Pulsar Plus")
    assert not read.is_older
    assert _registered(hass) == before
    assert described == [
        (device.manufacturer, device.model)
        for device in dr.async_entries_for_config_entry(registry, loaded.entry_id)
    ]
    assert _state(hass, "switch.pulsar_plus") == STATE_UNAVAILABLE
    assert _state(hass, "number.pulsar_plus_maximum_power") == STATE_UNAVAILABLE


async def test_what_a_person_deleted_stays_away(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """An entity of which nothing is told goes by hand, and comes with its field."""
    sandbox.device(VEHICLE).state_override = {"chargeTimeRemaining": REMOVE}
    await _read(hass, sandbox, pass_time, VEHICLE)
    entity_id = _entity_id(hass, VEHICLE, "charge_time_remaining")
    assert _state(hass, entity_id) == STATE_UNKNOWN
    er.async_get(hass).async_remove(entity_id)
    await _restart(hass, loaded)
    await _read(hass, sandbox, pass_time, VEHICLE)
    assert hass.states.get(entity_id) is None
    sandbox.device(VEHICLE).state_override = {}
    await _read(hass, sandbox, pass_time, VEHICLE)
    assert hass.states.get(entity_id) is not None


async def test_setting_is_absent_from_a_list(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """A list that leaves out the settings, or some, takes nothing away."""
    device = sandbox.device(BATTERY)
    before = _registered(hass)
    states = {state.entity_id: state.state for state in hass.states.async_all("number")}
    sandbox.clock.advance(1)
    device.capture()
    body = device.list_body(sandbox.clock.time(), environment="sandbox")
    device.static_list = body
    assert "settings" not in body
    await pass_time(75)
    # Told as a whole, and then in part.
    body["settings"] = device.captured_settings
    await pass_time(60)
    body["settings"] = {
        name: item
        for name, item in device.captured_settings.items()
        if name != "export_limit"
    }
    await pass_time(60)
    assert _registered(hass) == before
    await pass_time(SOON.total_seconds() + 75)
    assert _registered(hass) == before
    assert {
        state.entity_id: state.state for state in hass.states.async_all("number")
    } == states


@pytest.mark.parametrize(
    "override",
    [
        {"commands": "charge"},
        {"commands": ["charge", "idle"]},
        {"commands": 17},
        {"commands": True},
        {"settings": "safety_reserve"},
        {"settings": []},
        {"settings": 17},
        {"lastAction": "none"},
        {"sync": "yes"},
        {"metadata": 17},
        {"conflictStrategies": 17},
    ],
)
@pytest.mark.parametrize("device_id", [BATTERY, CHARGER, HVAC])
async def test_what_cannot_be_read(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    device_id: str,
    override: dict[str, Any],
) -> None:
    """What is malformed says nothing of what the device has lost."""
    before = _registered(hass)
    sandbox.device(device_id).body_override = override
    await pass_time(75)
    await _read(hass, sandbox, pass_time, device_id)
    assert _registered(hass) == before
    await _restart(hass, loaded)
    await _read(hass, sandbox, pass_time, device_id)
    assert _registered(hass) == before
    sandbox.device(device_id).body_override = {}
    await _read(hass, sandbox, pass_time, device_id)
    assert _registered(hass) == before
    for unique_id, item in before.items():
        if unique_id.startswith(device_id) and item[5] is None:
            assert _state(hass, item[1]) != STATE_UNAVAILABLE


@pytest.mark.parametrize(
    ("device_id", "part", "name"),
    [
        (CHARGER, "commands", ("charge", "idle")),
        (HVAC, "commands", ("heat", "cool", "auto", "idle", "follow_schedule")),
        (BATTERY, "settings", ("export_limit",)),
    ],
)
async def test_item_that_cannot_be_read(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    device_id: str,
    part: str,
    name: tuple[str, ...],
) -> None:
    """The same of one command or one setting that is malformed."""
    before = _registered(hass)
    device = sandbox.device(device_id)
    whole: dict[str, Any] = dict(
        (device.commands or {}) if part == "commands" else device.settings
    )
    device.body_override = {part: whole | dict.fromkeys(name, "malformed")}
    await _read(hass, sandbox, pass_time, device_id)
    assert _registered(hass) == before


# State fields that are away for a while.

# Whose entities a single read alone decides, or nothing at all.
NOT_STATE = {
    "sync",
    "last_pulled",
    "refresh",
    "last_action",
    "action",
    "mode",
    "climate",
    "charge",
    "max_power",
    "safety_reserve",
    "discharge_floor",
    "charge_ceiling",
    "export_limit",
    "max_charge_rate",
    "max_discharge_rate",
    "scheduler_enabled",
}


@pytest.mark.parametrize("device_id", DEVICES)
async def test_state_is_away(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    device_id: str,
) -> None:
    """Fields that are not reported are unknown; after a day, their entities go."""
    _personalise(hass)
    before = _registered(hass)
    keys = _keys(hass, device_id) - NOT_STATE
    assert len(keys) >= (0 if device_id == HVAC else 4)
    device = sandbox.device(device_id)
    device.state_override = dict.fromkeys(device.captured or {}, REMOVE)
    await pass_time(75)
    await _read(hass, sandbox, pass_time, device_id)
    assert _registered(hass) == before
    for key in keys:
        item = before[f"{device_id}_{key}"]
        if item[5] is None and not key.startswith("energy_"):
            assert _state(hass, item[1]) == STATE_UNKNOWN, key
    await pass_time(SOON.total_seconds() - 180)
    assert _registered(hass) == before
    await pass_time(180)
    after = _registered(hass)
    gone = {f"{device_id}_{key}" for key in keys}
    assert before.keys() - after.keys() == gone
    assert {key: before[key] for key in after} == after
    for unique_id in gone:
        assert hass.states.get(before[unique_id][1]) is None
    # What comes back later has the names that a person gave.
    device.state_override = {}
    await pass_time(SLOWEST.total_seconds() + 15)
    assert _registered(hass) == before
    for unique_id in gone:
        if before[unique_id][5] is None:
            assert _state(hass, before[unique_id][1]) != STATE_UNAVAILABLE


async def test_state_is_back_in_time(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """Away, back, and away again: each absence counts for itself."""
    before = _registered(hass)
    level = _state(hass, LEVEL)
    for _ in range(3):
        sandbox.device(BATTERY).state_override = {"level": REMOVE}
        await pass_time(SOON.total_seconds() - 315)
        assert _state(hass, LEVEL) == STATE_UNKNOWN
        sandbox.device(BATTERY).state_override = {"level": 77}
        # Lists come every five minutes by now.
        await pass_time(315)
        assert _state(hass, LEVEL) == "77"
    assert level != "77"
    await pass_time(SOON.total_seconds() + 75)
    assert _state(hass, LEVEL) == "77"
    assert _registered(hass) == before


async def test_time_to_go_of_a_car(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """One field that is away takes nothing else along."""
    before = _registered(hass)
    sandbox.device(VEHICLE).state_override = {"chargeTimeRemaining": REMOVE}
    # A list alone proves nothing, however often.
    await pass_time(SOON.total_seconds() + 75)
    assert _registered(hass) == before
    await _read(hass, sandbox, pass_time, VEHICLE)
    await pass_time(SOON.total_seconds() + 75)
    assert before.keys() - _registered(hass).keys() == {
        f"{VEHICLE}_charge_time_remaining"
    }


async def test_away_over_a_restart(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """What is known is there after a restart, and unknown; and goes after a day."""
    _personalise(hass)
    before = _registered(hass)
    entity_id = before[f"{BATTERY}_level"][1]
    sandbox.device(BATTERY).state_override = {"level": REMOVE}
    await pass_time(75)
    await _restart(hass, loaded)
    assert _registered(hass) == before
    assert _state(hass, entity_id) == STATE_UNKNOWN
    assert hass.states.get(entity_id) is not None
    await pass_time(SOON.total_seconds() - 60)
    assert _registered(hass) == before
    await pass_time(75)
    assert before.keys() - _registered(hass).keys() == {f"{BATTERY}_level"}
    # And is not made up after the next one.
    await _restart(hass, loaded)
    assert f"{BATTERY}_level" not in _registered(hass)


async def test_away_from_the_restart_on(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """The same for what went while Home Assistant was off, and comes back."""
    before = _registered(hass)
    device = sandbox.device(VEHICLE)
    device.state_override = dict.fromkeys(device.captured or {}, REMOVE)
    await _restart(hass, loaded)
    assert _registered(hass) == before
    assert _state(hass, "sensor.ix3_battery") == STATE_UNKNOWN
    device.state_override = {}
    await pass_time(75)
    assert _state(hass, "sensor.ix3_battery") not in (STATE_UNKNOWN, STATE_UNAVAILABLE)
    await pass_time(SOON.total_seconds())
    assert _registered(hass) == before


async def test_nothing_lingers(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """An entry that is unloaded waits for nothing any more."""
    before = _registered(hass)
    sandbox.device(BATTERY).state_override = {"level": REMOVE}
    await pass_time(75)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    sandbox.requests.clear()
    await pass_time(SOON.total_seconds() * 2)
    assert _registered(hass) == before
    assert not list(sandbox.requests)


async def test_device_goes_meanwhile(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """A device that goes while a field is away is gone, and that is all."""
    sandbox.device(BATTERY).state_override = {"level": REMOVE}
    await pass_time(75)
    sandbox.home.remove_device(BATTERY)
    await pass_time(SOON.total_seconds() + 1200)
    assert _keys(hass, BATTERY) == set()
    assert loaded.state is ConfigEntryState.LOADED


async def test_other_devices_keep_theirs(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """An id that another id begins with is another device."""
    sandbox.home.add_device("battery", device_id=f"{BATTERY}_level")
    await pass_time(150)
    before = _keys(hass, f"{BATTERY}_level")
    sandbox.device(BATTERY).state_override = {"level": REMOVE}
    await pass_time(SOON.total_seconds() + 75)
    assert _keys(hass, f"{BATTERY}_level") == before


# Another key.


def _new_key(sandbox: Sandbox) -> None:
    """Put another key in the place of the old one."""
    sandbox.add_account(NEW_KEY)
    account = sandbox.accounts[NEW_KEY]
    account.home = sandbox.home
    account.environment = "sandbox"


def _device_names(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Return what an entry's devices are called, by Home Assistant's id."""
    return {
        device.id: (device.name, device.name_by_user, device.identifiers)
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
    }


@pytest.mark.parametrize("how", ["reauth", "reconfigure"])
async def test_another_key(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    how: str,
) -> None:
    """Not one entity, name or id is lost with the old key."""
    _personalise(hass)
    for device_id in _device_names(hass, loaded):
        dr.async_get(hass).async_update_device(
            device_id, name_by_user=f"Mine {device_id}"
        )
    await done(hass)
    before, devices = _registered(hass), _device_names(hass, loaded)
    states = {
        state.entity_id: state.state
        for state in hass.states.async_all()
        if state.state != STATE_UNKNOWN
    }
    unique_id = loaded.unique_id
    _new_key(sandbox)
    if how == "reauth":
        sandbox.accounts[TEST_KEY].expired = True
        await pass_time(75)
        (flow,) = hass.config_entries.flow.async_progress()
        result: Any = flow
        data = {CONF_API_KEY: NEW_KEY}
    else:
        result = await loaded.start_reconfigure_flow(hass)
        data = {CONF_API_KEY: NEW_KEY, CONF_APP_ID: "app_demo"}
    result = await hass.config_entries.flow.async_configure(result["flow_id"], data)
    await done(hass)
    assert result["type"] is FlowResultType.ABORT, result
    assert result["reason"] == f"{how}_successful"
    assert loaded.data[CONF_API_KEY] == NEW_KEY
    assert loaded.unique_id == unique_id
    await pass_time(1000)
    assert loaded.state is ConfigEntryState.LOADED
    assert _registered(hass) == before
    assert _device_names(hass, loaded) == devices
    for entity_id in states:
        assert _state(hass, entity_id) != STATE_UNAVAILABLE, entity_id
    sandbox.requests.clear()
    await pass_time(75)
    assert {request.account for request in sandbox.requests} == {NEW_KEY}


async def test_not_whole_when_the_week_is_over(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """What the last reading told in part only, proves no loss, either."""
    before = _registered(hass)
    sandbox.device(VEHICLE).state_override = {"chargeTimeRemaining": REMOVE}
    await _read(hass, sandbox, pass_time, VEHICLE)
    sandbox.faults.add(kind="fallback", device=VEHICLE)
    coordinator = loaded.runtime_data.find(VEHICLE)
    read = await coordinator.async_read(VEHICLE, expedite=True, force=True)
    assert not read.is_whole
    await pass_time(SOON.total_seconds() + 75)
    assert _registered(hass) == before
    # And a device that goes meanwhile leaves nobody waiting.
    coordinator.async_forget(VEHICLE)


async def test_command_after_a_reading_that_tells_less(
    hass: HomeAssistant, at_once: None, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A device speaks as it once told: it is never sent the body of an older one."""
    coordinator = loaded.runtime_data.find(CHARGER)
    fault = sandbox.faults.add(
        method="GET", path=f"/*/{CHARGER}", kind="only", keys=["id", "state"]
    )
    await coordinator.async_read(CHARGER, expedite=True, force=True)
    await hass.services.async_call(
        DOMAIN,
        "send_command",
        {"device_id": registered(hass, CHARGER), "command": "idle"},
        blocking=True,
    )
    await done(hass)
    sandbox.faults.remove(fault)
    assert [item.body for item in sandbox.requests.pushes(CHARGER)] == [
        {"action": {"command": "idle"}}
    ]


async def test_event_of_a_command_over_an_outage(
    hass: HomeAssistant,
    at_once: None,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """It stays as it is: else automations would take an old time for a new event."""
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": "select.powerwall_2_mode", "option": "charge"},
        blocking=True,
    )
    await done(hass)
    event = "event.powerwall_2_command"
    told = _state(hass, event)
    assert told not in (STATE_UNAVAILABLE, STATE_UNKNOWN)
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    outage = sandbox.faults.add(path="*", status=503)
    await pass_time(600)
    assert _state(hass, LEVEL) == STATE_UNAVAILABLE
    sandbox.faults.remove(outage)
    await pass_time(600)
    assert _state(hass, LEVEL) != STATE_UNAVAILABLE
    assert _state(hass, event) == told
    assert event not in {change.data["entity_id"] for change in changes}
