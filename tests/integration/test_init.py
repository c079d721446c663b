"""The life of an entry, and the devices it brings to Home Assistant."""

import asyncio
import logging
from typing import Literal

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import CONF_API_KEY, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntry, DeviceEntryType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.amps_ai.api import DeviceType
from custom_components.amps_ai.common.const import CONF_APP_ID, CONF_USER_ID, DOMAIN
from sandbox import REMOVE, TEST_KEY, Sandbox

from .conftest import Pass
from .helpers import done, set_up

# The clock of the sandbox begins at the same moment.
pytestmark = pytest.mark.freeze_time("2026-06-01T12:00:00Z")

APP_ID = "app_demo"
PATHS = [device_type.path for device_type in DeviceType]

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
LEVEL = "sensor.powerwall_2_battery"


def _asked(sandbox: Sandbox) -> list[str]:
    """Return the paths asked for since the last time, in order of the alphabet.

    What is planned for the devices is another matter, which has its own pace.
    """
    assert all(request.method == "GET" for request in sandbox.requests)
    paths = sorted(r.path for r in sandbox.requests if r.path != "/actions")
    sandbox.requests.clear()
    return paths


LISTS = sorted(f"/{path}" for path in PATHS)


def _devices(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, DeviceEntry]:
    """Return the devices of an entry by their id at Amps AI, with the account."""
    registry = dr.async_get(hass)
    return {
        device_id: device
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id)
        for domain, device_id in device.identifiers
        if domain == DOMAIN
    }


def _entity_ids(hass: HomeAssistant, device_id: str) -> dict[str, str]:
    """Return the entities of a device: entity id by unique id."""
    return {
        item.unique_id: item.entity_id
        for item in er.async_get(hass).entities.values()
        if item.platform == DOMAIN and item.unique_id.startswith(f"{device_id}_")
    }


def _warnings(
    caplog: pytest.LogCaptureFixture, phase: Literal["setup", "call"] = "call"
) -> list[str]:
    """Return what was logged as a warning or worse.

    What the core says of any custom integration does not count, nor what
    asyncio thinks of time that is moved by hand.
    """
    return [
        record.getMessage()
        for record in caplog.get_records(phase)
        if record.levelno >= logging.WARNING
        and record.name not in ("asyncio", "homeassistant.loader")
    ]


# The life of an entry.


async def test_set_up(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """One request a type, one for each device with settings, one for the plans."""
    assert await set_up(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    plans = [request.query for request in sandbox.requests.of("GET", "/actions")]
    assert len(plans) == 1
    assert _asked(sandbox) == sorted(
        [*LISTS, f"/battery/{BATTERY}", f"/ev-charger/{CHARGER}"]
    )
    assert not hass.config_entries.flow.async_progress()
    for state in hass.states.async_all():
        assert state.state != STATE_UNAVAILABLE, state.entity_id


async def test_set_up_with_settings_in_lists(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """Lists that tell everything leave nothing to ask for."""
    sandbox.home.settings_in_list = True
    assert await set_up(hass, entry)
    assert _asked(sandbox) == LISTS
    assert hass.states.get("number.powerwall_2_safety_reserve") is not None


@pytest.mark.parametrize("home", ["classic"])
async def test_set_up_of_older_devices(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """Only a single read tells an older device from one that a list cut short."""
    assert await set_up(hass, entry)
    assert _asked(sandbox) == sorted(
        [
            *LISTS,
            f"/battery/{BATTERY}",
            f"/ev-charger/{CHARGER}",
            "/hvac/device_hvac_001",
        ]
    )
    assert hass.states.get("number.pulsar_plus_maximum_power") is not None


async def test_set_up_for_one_user(
    hass: HomeAssistant, sandbox: Sandbox, home: str
) -> None:
    sandbox.home.add_device("battery", device_id="foreign", user="user_other")
    entry = MockConfigEntry(
        domain=DOMAIN,
        data={
            CONF_API_KEY: TEST_KEY,
            CONF_APP_ID: APP_ID,
            CONF_USER_ID: "user_other",
        },
    )
    assert await set_up(hass, entry)
    for request in sandbox.requests.lists():
        assert request.query == {"offset": "0", "limit": "50", "userId": "user_other"}
    assert set(_devices(hass, entry)) == {"foreign", entry.entry_id}


async def test_unload(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """An unloaded entry shows nothing, asks for nothing and leaves nothing behind."""
    entity_ids = hass.states.async_entity_ids()
    assert await hass.config_entries.async_unload(loaded.entry_id)
    await done(hass)
    assert loaded.state is ConfigEntryState.NOT_LOADED
    for entity_id in entity_ids:
        state = hass.states.get(entity_id)
        assert state is not None
        assert state.state == STATE_UNAVAILABLE
    sandbox.requests.clear()
    await pass_time(1800)
    assert not sandbox.requests


async def test_reload(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """Everything is as before, and asked for once, not twice."""
    before = {state.entity_id: state.state for state in hass.states.async_all()}
    for _ in range(3):
        assert await hass.config_entries.async_reload(loaded.entry_id)
        await done(hass)
    assert loaded.state is ConfigEntryState.LOADED
    after = {state.entity_id: state.state for state in hass.states.async_all()}
    assert after.keys() == before.keys()
    assert STATE_UNAVAILABLE not in after.values()
    sandbox.requests.clear()
    await pass_time(60)
    assert _asked(sandbox) == LISTS


async def test_remove(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """A removed entry takes its devices and entities along."""
    await hass.config_entries.async_remove(loaded.entry_id)
    await done(hass)
    assert not hass.config_entries.async_entries(DOMAIN)
    assert not hass.states.async_all()
    assert _devices(hass, loaded) == {}
    assert not [
        item for item in er.async_get(hass).entities.values() if item.platform == DOMAIN
    ]
    sandbox.requests.clear()
    await pass_time(900)
    assert not sandbox.requests


async def test_remove_while_reads_are_under_way(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A read that hangs holds neither the set-up nor the end of an entry."""
    sandbox.faults.add(path="/*/*", delay=600)
    entry.add_to_hass(hass)
    setting_up = asyncio.create_task(hass.config_entries.async_setup(entry.entry_id))
    while len(sandbox.requests.reads()) < 2:
        await asyncio.sleep(0)
    assert not setting_up.done()
    freezer.tick(4)
    assert await setting_up
    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.get(LEVEL) is not None
    await hass.config_entries.async_remove(entry.entry_id)
    await done(hass)
    assert not hass.states.async_all()


@pytest.mark.parametrize("code", ["INVALID_API_KEY", "EXPIRED_TOKEN"])
async def test_refused_key(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry, code: str
) -> None:
    """A refused key at set-up asks for a new one."""
    if code == "EXPIRED_TOKEN":
        sandbox.accounts[TEST_KEY].expired = True
    else:
        del sandbox.accounts[TEST_KEY]
    assert not await set_up(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "invalid_auth"
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["handler"] == DOMAIN
    assert flow["step_id"] == "reauth_confirm"
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert flow["context"]["entry_id"] == entry.entry_id


@pytest.mark.parametrize("path", PATHS)
async def test_key_refused_by_one_type(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry, path: str
) -> None:
    sandbox.faults.add(path=f"/{path}", code="INVALID_API_KEY")
    assert not await set_up(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert len(hass.config_entries.flow.async_progress()) == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"code": "INTERNAL_ERROR"}, "server_trouble"),
        ({"kind": "html", "status": 200}, "malformed_reply"),
        ({"kind": "cut"}, "malformed_reply"),
        ({"kind": "drop"}, "cannot_connect"),
        ({"code": "RATE_LIMIT_EXCEEDED", "retry_after": 30}, "rate_limited"),
        # A burst may be answered so too, so no key is doubted for it.
        ({"code": "UNAUTHORIZED"}, "rate_limited"),
        ({"code": "LIVE_ACCESS_DISABLED"}, "live_access_disabled"),
        ({"code": "INSUFFICIENT_PERMISSIONS"}, "insufficient_permissions"),
    ],
)
async def test_everything_fails(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    pass_time: Pass,
    fault: dict[str, object],
    reason: str,
) -> None:
    """Set-up is tried again until it works; nobody is asked for a key."""
    sandbox.faults.add(**fault)
    assert not await set_up(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == reason
    assert not hass.config_entries.flow.async_progress()
    assert not hass.states.async_all()

    sandbox.faults.clear()
    await pass_time(60)
    assert _is_loaded(entry)
    assert hass.states.get(LEVEL) is not None


def _is_loaded(entry: MockConfigEntry) -> bool:
    return entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize("path", PATHS)
async def test_one_type_fails(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    pass_time: Pass,
    path: str,
) -> None:
    """The other types work, and the one that failed comes later."""
    fault = sandbox.faults.add(path=f"/{path}", code="INTERNAL_ERROR")
    assert await set_up(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    (missing,) = (
        device.id for device in sandbox.home.devices if device.kind.path == path
    )
    others = {device.id for device in sandbox.home.devices} - {missing}
    assert set(_devices(hass, entry)) == others | {entry.entry_id}

    sandbox.faults.remove(fault)
    await pass_time(75)
    assert set(_devices(hass, entry)) == others | {missing, entry.entry_id}
    for entity_id in _entity_ids(hass, missing).values():
        if (state := hass.states.get(entity_id)) is not None:
            assert state.state != STATE_UNAVAILABLE


async def test_two_entries(hass: HomeAssistant, sandbox: Sandbox) -> None:
    """Two entries for two users share a key and nothing else."""
    for user in ("user_a", "user_b"):
        sandbox.home.add_device("battery", device_id=f"of_{user[-1]}", user=user)
    entries = [
        MockConfigEntry(
            domain=DOMAIN,
            unique_id=f"sandbox:{APP_ID}:{user}",
            data={CONF_API_KEY: TEST_KEY, CONF_APP_ID: APP_ID, CONF_USER_ID: user},
        )
        for user in ("user_a", "user_b")
    ]
    for item in entries:
        assert await set_up(hass, item)
    assert [set(_devices(hass, item)) for item in entries] == [
        {"of_a", entries[0].entry_id},
        {"of_b", entries[1].entry_id},
    ]
    await hass.config_entries.async_remove(entries[0].entry_id)
    await done(hass)
    assert entries[1].state is ConfigEntryState.LOADED
    assert set(_devices(hass, entries[1])) == {"of_b", entries[1].entry_id}


# Devices that come.


@pytest.mark.parametrize("home", ["empty"])
async def test_empty_account(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """A type without a device is asked for every 10 minutes, and found."""
    assert set(_devices(hass, loaded)) == {loaded.entry_id}
    assert _asked(sandbox) == LISTS
    for _ in range(3):
        await pass_time(585)
        assert _asked(sandbox) == []
        await pass_time(15)
        assert _asked(sandbox) == LISTS

    sandbox.home.add_device("vehicle")
    await pass_time(585)
    assert set(_devices(hass, loaded)) == {loaded.entry_id}
    await pass_time(15)
    assert set(_devices(hass, loaded)) == {loaded.entry_id, "device_vehicle_001"}
    assert hass.states.get("sensor.ix3_battery") is not None
    assert _asked(sandbox) == LISTS
    # From now on this type is asked for every minute, the others are not.
    await pass_time(240)
    assert _asked(sandbox) == ["/vehicle"] * 4


@pytest.mark.parametrize("path", PATHS)
async def test_device_added_later(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    path: str,
) -> None:
    """A second device of a type appears within a poll, with all it has."""
    (first,) = (d for d in sandbox.home.devices if d.kind.path == path)
    second = sandbox.home.add_device(path, device_id="late")
    sandbox.requests.clear()
    # The poll, and the single read that tells the settings.
    await pass_time(75)
    assert "late" in _devices(hass, loaded)
    assert {
        unique_id.removeprefix("late_") for unique_id in _entity_ids(hass, "late")
    } == {
        unique_id.removeprefix(f"{first.id}_")
        for unique_id in _entity_ids(hass, first.id)
    }
    reads = sandbox.requests.reads("late")
    assert len(reads) == (1 if path in ("battery", "ev-charger") else 0)
    assert second.id == "late"


async def test_field_that_comes_later(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry, pass_time: Pass
) -> None:
    """What a device begins to report gets its entity then."""
    sandbox.device(BATTERY).state_override = {"level": REMOVE}
    assert await set_up(hass, entry)
    assert hass.states.get(LEVEL) is None
    sandbox.device(BATTERY).state_override = {}
    await pass_time(60)
    assert hass.states.get(LEVEL) is not None


@pytest.mark.parametrize("home", ["big"])
async def test_many_devices_at_once(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """Set-up makes a dozen single reads at most; the rest come bit by bit."""
    assert await set_up(hass, entry)
    assert len(sandbox.requests.lists()) == 5
    assert len(sandbox.requests.reads()) == 12
    assert len(_devices(hass, entry)) == 251


# Devices in the registry.


async def test_device_registry(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry
) -> None:
    devices = _devices(hass, loaded)
    service = devices.pop(loaded.entry_id)
    assert service.entry_type is DeviceEntryType.SERVICE
    assert service.name == "Amps AI (sandbox)"
    assert service.manufacturer == "Amps AI"
    assert service.configuration_url == f"{sandbox.url}/link/{APP_ID}?sandbox=true"
    assert service.via_device_id is None
    assert {
        device_id: (device.name, device.manufacturer, device.model)
        for device_id, device in devices.items()
    } == {
        "device_battery_001": ("Powerwall 2", "Tesla", "Powerwall 2"),
        "device_ev_001": ("Pulsar Plus", "Wallbox", "Pulsar Plus"),
        "device_hvac_001": (
            "Smart Thermostat Premium",
            "ecobee",
            "Smart Thermostat Premium",
        ),
        "device_inverter_001": ("SE5000H", "SolarEdge", "SE5000H"),
        "device_vehicle_001": ("iX3", "BMW", "iX3"),
    }
    for device_id, device in devices.items():
        assert device.identifiers == {(DOMAIN, device_id)}
        assert device.via_device_id == service.id
        assert device.entry_type is None
        assert device.config_entry_id == loaded.entry_id
        assert er.async_entries_for_device(
            er.async_get(hass), device.id, include_disabled_entities=True
        )


@pytest.mark.parametrize(
    ("vendor", "model", "manufacturer", "name"),
    [
        ("example_vendor_a", "X", "Example Vendor A", "X"),
        ("bmw", "X", "BMW", "X"),
        ("solaredge", "X", "SolarEdge", "X"),
        ("some-maker", "X", "Some Maker", "X"),
        ("McCable", "X", "McCable", "X"),
        ("tesla", None, "Tesla", "Tesla Battery"),
        (None, None, None, "Battery"),
        (None, " Power  wall ", None, "Power wall"),
        ("tesla", "   ", "Tesla", "Tesla Battery"),
        (17, {"a": 1}, None, "Battery"),
    ],
)
async def test_names(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    vendor: object,
    model: object,
    manufacturer: str | None,
    name: str,
) -> None:
    """Manufacturers are tidied; a device without a model is called by its type."""
    sandbox.device(BATTERY).body_override = {
        "vendor": vendor,
        "metadata": {"model": model},
    }
    assert await set_up(hass, entry)
    device = _devices(hass, entry)[BATTERY]
    assert (device.manufacturer, device.name) == (manufacturer, name)


@pytest.mark.parametrize("home", ["two"])
async def test_two_of_a_kind(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """Devices that would share a name keep theirs, whoever comes first later."""
    names = {key: device.name for key, device in _devices(hass, loaded).items()}
    assert len(set(names.values())) == len(names) == 11
    assert names["device_battery_001"] == "Powerwall 2"
    assert names["device_battery_002"] == "Powerwall 2 #2"
    entity_ids = _all_entity_ids(hass)
    for _ in range(2):
        for device_type in DeviceType:
            _entries(sandbox, device_type).reverse()
        assert await hass.config_entries.async_reload(loaded.entry_id)
        await pass_time(60)
        assert {k: d.name for k, d in _devices(hass, loaded).items()} == names
        assert _all_entity_ids(hass) == entity_ids


def _entries(sandbox: Sandbox, device_type: DeviceType) -> list[object]:
    """Return what a list of the sandbox holds, in its order."""
    (kind,) = {
        device.kind
        for device in sandbox.home.devices
        if device.kind.path == device_type.path
    }
    entries: list[object] = sandbox.home.entries(kind)  # type: ignore[assignment]
    return entries


def _all_entity_ids(hass: HomeAssistant) -> dict[tuple[str, str], str]:
    return {
        (item.domain, item.unique_id): item.entity_id
        for item in er.async_get(hass).entities.values()
        if item.platform == DOMAIN
    }


@pytest.mark.parametrize("home", ["two"])
async def test_first_of_a_kind_is_away_for_a_while(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """Home Assistant starts without the first device, which then comes back."""
    names = {key: device.name for key, device in _devices(hass, loaded).items()}
    first = sandbox.device(BATTERY)
    first.unlisted = True
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    first.unlisted = False
    await pass_time(60)
    assert {k: d.name for k, d in _devices(hass, loaded).items()} == names


@pytest.mark.parametrize("home", ["two"])
async def test_first_of_a_kind_is_gone(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """The second one stays the second; the first name is free for a new device."""
    sandbox.home.remove_device("device_vehicle_001")
    await pass_time(180)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    devices = _devices(hass, loaded)
    assert "device_vehicle_001" not in devices
    assert devices["device_vehicle_002"].name == "iX3 #2"
    sandbox.home.add_device("vehicle", device_id="new")
    await pass_time(60)
    assert _devices(hass, loaded)["new"].name == "iX3"


@pytest.mark.parametrize("home", ["two"])
async def test_model_that_changes(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry
) -> None:
    """A name that no longer fits the model makes way for one that does."""
    sandbox.device("device_vehicle_002").model = "iX4"
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    devices = _devices(hass, loaded)
    assert devices["device_vehicle_001"].name == "iX3"
    assert devices["device_vehicle_002"].name == "iX4"


async def test_same_model_of_two_types(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """The types answer in any order; their devices come in one."""
    for device in sandbox.home.devices:
        device.model = "One"
    assert await set_up(hass, entry)
    names = {key: device.name for key, device in _devices(hass, entry).items()}
    del names[entry.entry_id]
    assert names == {
        "device_battery_001": "One",
        "device_ev_001": "One EV charger",
        "device_hvac_001": "One Thermostat",
        "device_inverter_001": "One Solar inverter",
        "device_vehicle_001": "One Vehicle",
    }


async def test_third_of_a_kind_added_later(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """A name that somebody has is not given away, nor one that a person chose."""
    sandbox.home.add_device("battery", device_id="second")
    await pass_time(60)
    registry = dr.async_get(hass)
    registry.async_update_device(
        _devices(hass, loaded)["second"].id, name_by_user="In the garage"
    )
    sandbox.home.add_device("battery", device_id="third")
    await pass_time(60)
    devices = _devices(hass, loaded)
    assert [devices[key].name for key in (BATTERY, "second", "third")] == [
        "Powerwall 2",
        "Powerwall 2 #2",
        "Powerwall 2 #3",
    ]
    assert devices["second"].name_by_user == "In the garage"


# What is odd.


@pytest.mark.parametrize("home", ["odd"])
async def test_odd_account(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    pass_time: Pass,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is odd is left out, told once, and takes nothing else along."""
    assert await set_up(hass, entry)
    devices = _devices(hass, entry)
    good = {device.id for device in sandbox.home.devices}
    assert set(devices) == good - {"odd_battery_list_state"} | {entry.entry_id}
    # An id of two types is the first one's: the second one's entities are not there.
    shared = {
        key.partition("odd_shared_id_")[2] for key in _entity_ids(hass, "odd_shared_id")
    }
    assert "level" in shared
    assert "climate" not in shared
    assert devices["odd_shared_id"].manufacturer == "Tesla"

    warnings = _warnings(caplog)
    assert len(warnings) == len(set(warnings))
    (doubled,) = (text for text in warnings if "odd_shared_id" in text)
    assert "battery" in doubled
    assert "hvac" in doubled
    left_out = [text for text in warnings if text.startswith("Left out")]
    for path in ("battery", "hvac", "solar-inverter"):
        assert any(f"the {path} list" in text for text in left_out)
    assert len(left_out) + 1 == len(warnings)

    await pass_time(300)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await pass_time(300)
    assert set(_devices(hass, entry)) == set(devices)
    for path in ("battery", "hvac", "solar-inverter"):
        fetched = [r for r in sandbox.requests.lists() if r.path == f"/{path}"]
        assert len(fetched) >= 10


@pytest.mark.parametrize("home", ["odd"])
async def test_odd_account_is_told_once(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    pass_time: Pass,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Poll after poll, nothing is told again."""
    assert _warnings(caplog, "setup")
    await pass_time(1200)
    assert _warnings(caplog) == []
    assert loaded.state is ConfigEntryState.LOADED


async def test_device_turns_malformed(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The others of its type go on, and it is not taken for gone."""
    sandbox.home.add_device("battery", device_id="second")
    await pass_time(60)
    sandbox.device(BATTERY).body_override = {"state": "charging"}
    await pass_time(600)
    assert BATTERY in _devices(hass, loaded)
    state = hass.states.get("sensor.powerwall_2_2_battery")
    assert state is not None
    assert state.state != STATE_UNAVAILABLE
    assert len(_warnings(caplog)) == 1
    sandbox.device(BATTERY).body_override = {}
    await pass_time(60)
    state = hass.states.get(LEVEL)
    assert state is not None
    assert state.state != STATE_UNAVAILABLE


@pytest.mark.parametrize("home", ["home", "two", "classic", "documented", "empty"])
async def test_clean_log(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    pass_time: Pass,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A whole life without a deprecation, a warning or an error."""
    caplog.set_level(logging.INFO)
    assert await set_up(hass, entry)
    await pass_time(960)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await pass_time(60)
    assert await hass.config_entries.async_remove(entry.entry_id)
    await done(hass)
    assert _warnings(caplog) == []
    assert "deprecat" not in caplog.text


# Devices that are removed by hand.


@pytest.fixture
async def config_panel(hass: HomeAssistant) -> None:
    """Load what a person removes devices with."""
    assert await async_setup_component(hass, "config", {})


@pytest.mark.usefixtures("config_panel")
async def test_remove_device_by_hand(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
) -> None:
    """Only what the account does not have any more can be removed."""
    registry = dr.async_get(hass)
    registry.async_get_or_create(
        config_entry_id=loaded.entry_id, identifiers={(DOMAIN, "long_gone")}
    )
    client = await hass_ws_client(hass)
    for device_id, device in _devices(hass, loaded).items():
        await client.send_json_auto_id(
            {"type": "config/device_registry/remove", "device_id": device.id}
        )
        reply = await client.receive_json()
        assert reply["success"] is (device_id == "long_gone"), device_id
    left = {device.id for device in sandbox.home.devices}
    assert set(_devices(hass, loaded)) == left | {loaded.entry_id}
