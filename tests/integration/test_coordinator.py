"""What is asked for and when, and what Home Assistant is told of it."""

import asyncio
from collections import Counter
from itertools import pairwise
import logging
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.button import DOMAIN as BUTTON_DOMAIN, SERVICE_PRESS
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import (
    ATTR_ENTITY_ID,
    CONF_API_KEY,
    EVENT_STATE_CHANGED,
    EVENT_STATE_REPORTED,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.amps_ai.api import DeviceType
from custom_components.amps_ai.common.const import DOMAIN
from custom_components.amps_ai.readings.pace import SLOWEST
from sandbox import TEST_KEY, Sandbox

from .conftest import Pass
from .helpers import is_expedited

# The clock of the sandbox begins at the same moment.
pytestmark = pytest.mark.freeze_time("2026-06-01T12:00:00Z")

PATHS = [device_type.path for device_type in DeviceType]
LISTS = sorted(f"/{path}" for path in PATHS)

BATTERY = "device_battery_001"
VEHICLE = "device_vehicle_001"
LEVEL = "sensor.powerwall_2_battery"
SYNC = "binary_sensor.powerwall_2_connectivity"
REFRESH = "button.powerwall_2_refresh"
SOLAR_POWER = "sensor.se5000h_power"
VEHICLE_LEVEL = "sensor.ix3_battery"

TARGET = 900


@pytest.fixture
def writes(hass: HomeAssistant) -> list[str]:
    """Return the entities whose states are written, changed or not."""
    written: list[str] = []

    @callback
    def _note(event: Event[Any]) -> None:
        written.append(event.data["entity_id"])

    @callback
    def _all(_: Any) -> bool:
        return True

    hass.bus.async_listen(EVENT_STATE_CHANGED, _note)
    hass.bus.async_listen(EVENT_STATE_REPORTED, _note, event_filter=_all)
    return written


def _state(hass: HomeAssistant, entity_id: str) -> str:
    state = hass.states.get(entity_id)
    assert state is not None, entity_id
    return state.state


def _is_available(hass: HomeAssistant, entity_id: str) -> bool:
    return _state(hass, entity_id) != STATE_UNAVAILABLE


def _asked(sandbox: Sandbox) -> list[str]:
    """Return the paths asked for since the last time, in order of the alphabet."""
    paths = sorted(request.path for request in sandbox.requests)
    sandbox.requests.clear()
    return paths


def _readings(hass: HomeAssistant, device_id: str) -> set[str]:
    """Return the entities of a device, but for the event: it stays available."""
    return {
        entity_id
        for entity_id in _entity_ids(hass, device_id)
        if not entity_id.startswith("event.")
    }


def _entity_ids(hass: HomeAssistant, device_id: str) -> set[str]:
    """Return the entities of a device that have a state."""
    return {
        item.entity_id
        for item in er.async_get(hass).entities.values()
        if item.platform == DOMAIN
        and item.unique_id.startswith(f"{device_id}_")
        and hass.states.get(item.entity_id) is not None
    }


def _is_registered(
    hass: HomeAssistant, entry: MockConfigEntry, device_id: str = BATTERY
) -> bool:
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, device_id), entry.entry_id
    )
    return device is not None


def _only_device(sandbox: Sandbox, path: str) -> str:
    (device_id,) = (d.id for d in sandbox.home.devices if d.kind.path == path)
    return device_id


def _flows(hass: HomeAssistant) -> list[Any]:
    return [
        flow
        for flow in hass.config_entries.flow.async_progress()
        if flow["context"]["source"] == SOURCE_REAUTH
    ]


async def _press(hass: HomeAssistant, entity_id: str = REFRESH) -> None:
    await hass.services.async_call(
        BUTTON_DOMAIN, SERVICE_PRESS, {ATTR_ENTITY_ID: entity_id}, blocking=True
    )


# What a poll asks for.


async def test_requests_of_polls(
    sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """At first one request for each type in a minute, not all at once, and no more."""
    assert loaded.state is ConfigEntryState.LOADED
    sandbox.requests.clear()
    for _ in range(4):
        await pass_time(60)
        for request in sandbox.requests:
            assert request.method == "GET"
            assert request.query == {"offset": "0", "limit": "50"}
        at_once = Counter(request.at for request in sandbox.requests)
        assert max(at_once.values()) <= 2
        assert _asked(sandbox) == LISTS


@pytest.mark.parametrize("home", ["big"])
async def test_requests_of_pages(
    sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """Pages are of 50: 50 devices are one request, 51 are two."""
    assert loaded.state is ConfigEntryState.LOADED
    sandbox.home.settings_in_list = True
    sandbox.home.add_device("vehicle")
    sandbox.requests.clear()
    await pass_time(60)
    assert sorted(
        (request.path, request.query["offset"]) for request in sandbox.requests.lists()
    ) == sorted([*((path, "0") for path in LISTS), ("/vehicle", "50")])


async def test_polling_switched_off(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """Who switches polling off is not polled for, single reads included."""
    hass.config_entries.async_update_entry(loaded, pref_disable_polling=True)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    sandbox.requests.clear()
    await pass_time(1800)
    assert _asked(sandbox) == []


# What a poll writes.


async def test_nothing_changed(
    sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass, writes: list[str]
) -> None:
    """A poll that brings nothing new writes nothing, not even the same again."""
    assert loaded.state is ConfigEntryState.LOADED
    await pass_time(240)
    assert len(sandbox.requests.lists()) == 25
    assert writes == []


@pytest.mark.parametrize(
    ("device_id", "override", "entity_id", "state"),
    [
        (BATTERY, {"level": 12}, LEVEL, "12"),
        ("device_ev_001", {"currentPower": 3.5}, "sensor.pulsar_plus_power", "3.5"),
        ("device_inverter_001", {"currentPower": 1.25}, SOLAR_POWER, "1.25"),
        (VEHICLE, {"batteryLevel": 33}, VEHICLE_LEVEL, "33"),
        (
            "device_hvac_001",
            {"mode": "off"},
            "climate.smart_thermostat_premium",
            STATE_OFF,
        ),
    ],
)
async def test_one_device_changed(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    writes: list[str],
    device_id: str,
    override: dict[str, Any],
    entity_id: str,
    state: str,
) -> None:
    """Only the entities of the device that changed are written, once."""
    assert loaded.state is ConfigEntryState.LOADED
    for device in sandbox.home.devices:
        sandbox.home.add_device(device.kind, device_id=f"second_{device.id}")
    await pass_time(120)
    writes.clear()
    sandbox.device(device_id).state_override = override
    await pass_time(60)
    assert _state(hass, entity_id) == state
    assert entity_id in writes
    assert set(writes) <= _entity_ids(hass, device_id)
    # The core itself writes once more where the features of an entity changed.
    core = 1 if state == STATE_OFF else 0
    assert max(Counter(writes).values()) == 1 + core
    writes.clear()
    await pass_time(120)
    assert writes == []


async def test_list_older_than_a_read(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    writes: list[str],
) -> None:
    """A list that was captured before the last single read changes nothing."""
    assert loaded.state is ConfigEntryState.LOADED
    before = _state(hass, LEVEL)
    device = sandbox.device(BATTERY)
    body = device.list_body(sandbox.clock.time(), environment="sandbox")
    device.static_list = body | {
        "state": body["state"] | {"level": 1},
        "sync": {"available": True, "lastPulledAt": "2026-06-01T11:58:00.000Z"},
    }
    await pass_time(120)
    assert _state(hass, LEVEL) == before
    assert writes == []
    device.static_list["sync"]["lastPulledAt"] = "2026-06-01T12:01:00.000Z"
    await pass_time(60)
    assert _state(hass, LEVEL) == "1"


# Polls that fail.

FAULTS: list[dict[str, Any]] = [
    {"code": "INTERNAL_ERROR"},
    {"kind": "drop"},
    {"kind": "cut"},
    {"kind": "html", "status": 200},
    {"code": "INSUFFICIENT_PERMISSIONS"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=["500", "hung up", "cut", "page", "403"])
async def test_failed_polls(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    caplog: pytest.LogCaptureFixture,
    fault: dict[str, Any],
) -> None:
    """Values stand for 5 minutes, then they are unavailable, then they are back."""
    assert loaded.state is ConfigEntryState.LOADED
    await pass_time(60)
    level, power = _state(hass, LEVEL), _state(hass, SOLAR_POWER)
    order = sandbox.faults.add(path="/battery", **fault)
    for _ in range(19):
        await pass_time(15)
        assert _state(hass, LEVEL) == level
    # The client of the library asks once more where it was hung up on.
    assert order.hits in (4, 8)
    await pass_time(75)
    for entity_id in _readings(hass, BATTERY):
        assert not _is_available(hass, entity_id)
    assert _state(hass, SOLAR_POWER) == power
    await pass_time(300)
    assert not _is_available(hass, LEVEL)

    sandbox.faults.remove(order)
    await pass_time(60)
    assert _state(hass, LEVEL) == level
    lines = [
        record
        for record in caplog.get_records("call")
        if record.name == "custom_components.amps_ai" and record.levelno >= logging.INFO
    ]
    assert [record.levelno for record in lines] == [logging.ERROR, logging.INFO]
    assert "battery" in lines[0].getMessage()
    assert "recovered" in lines[1].getMessage()


async def test_one_failed_poll(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    writes: list[str],
) -> None:
    """One lost answer is not worth a word in any state."""
    assert loaded.state is ConfigEntryState.LOADED
    for path in PATHS:
        sandbox.faults.add(path=f"/{path}", kind="cut", times=1)
    await pass_time(180)
    assert not len(sandbox.faults)
    assert writes == []
    assert _is_available(hass, LEVEL)


async def test_values_change_in_the_meantime(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """After an outage the new values are there, not the old ones."""
    assert loaded.state is ConfigEntryState.LOADED
    fault = sandbox.faults.add(path="/battery*", code="INTERNAL_ERROR")
    sandbox.device(BATTERY).state_override = {"level": 12}
    await pass_time(420)
    assert not _is_available(hass, LEVEL)
    sandbox.faults.remove(fault)
    await pass_time(60)
    assert _state(hass, LEVEL) == "12"


async def test_single_read_during_an_outage_of_lists(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """The list decides whether a type can be trusted."""
    assert loaded.state is ConfigEntryState.LOADED
    sandbox.faults.add(path="/battery", code="INTERNAL_ERROR")
    await pass_time(420)
    assert not _is_available(hass, LEVEL)
    await pass_time(900)
    assert sandbox.requests.reads(BATTERY)[1:]
    assert not _is_available(hass, LEVEL)


# Devices that go.


@pytest.mark.parametrize("path", PATHS)
async def test_missing_device(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    path: str,
) -> None:
    """A device that a list leaves out is unavailable until a list has it again."""
    assert loaded.state is ConfigEntryState.LOADED
    device_id = _only_device(sandbox, path)
    sandbox.device(device_id).unlisted = True
    await pass_time(60)
    for entity_id in _readings(hass, device_id):
        assert not _is_available(hass, entity_id)
    sandbox.device(device_id).unlisted = False
    await pass_time(60)
    for entity_id in _entity_ids(hass, device_id):
        assert _is_available(hass, entity_id)


async def test_unlisted_device_that_can_be_read(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    writes: list[str],
) -> None:
    """As long as no list has it, it does not come and go, nor is it removed."""
    sandbox.device(BATTERY).unlisted = True
    await pass_time(60)
    writes.clear()
    await pass_time(3600)
    assert _is_registered(hass, loaded)
    assert not _is_available(hass, LEVEL)
    assert LEVEL not in writes


@pytest.mark.parametrize("path", PATHS)
async def test_device_that_is_gone(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    path: str,
) -> None:
    """Missing twice and not found: removed, and only it."""
    device_id = _only_device(sandbox, path)
    sandbox.home.add_device(path, device_id="stays")
    # Past the single reads of the beginning, none of which is due again soon.
    await pass_time(60)
    sandbox.home.settings_in_list = True
    await pass_time(TARGET + 180)
    sandbox.home.remove_device(device_id)
    sandbox.requests.clear()
    await pass_time(60)
    assert _is_registered(hass, loaded, device_id)
    await pass_time(TARGET + 75)
    assert not _is_registered(hass, loaded, device_id)
    assert not _entity_ids(hass, device_id)
    assert _is_registered(hass, loaded, "stays")
    assert len(sandbox.requests.reads(device_id)) <= 2
    for entity_id in _entity_ids(hass, "stays"):
        assert _is_available(hass, entity_id)

    # Nothing is left of it: it is not asked for again.
    sandbox.requests.clear()
    await pass_time(TARGET + 60)
    assert not sandbox.requests.reads(device_id)


async def test_device_is_removed_at_once_where_no_read_was_due(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """The second list that leaves it out is followed by a read, and that by the end."""
    await pass_time(60)
    sandbox.home.remove_device(VEHICLE)
    await pass_time(60)
    assert _is_registered(hass, loaded, VEHICLE)
    assert not sandbox.requests.reads(VEHICLE)
    await pass_time(75)
    assert len(sandbox.requests.reads(VEHICLE)) == 1
    assert not _is_registered(hass, loaded, VEHICLE)


async def test_device_that_comes_back(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """A device that was removed and connected again is there again."""
    before = _entity_ids(hass, VEHICLE)
    sandbox.home.remove_device(VEHICLE)
    await pass_time(180)
    assert not _is_registered(hass, loaded, VEHICLE)
    sandbox.home.add_device("vehicle", device_id=VEHICLE)
    # The last one of its type is gone, so the type is asked for more seldom.
    await pass_time(660)
    assert _is_registered(hass, loaded, VEHICLE)
    assert _entity_ids(hass, VEHICLE) == before
    for entity_id in before:
        assert _is_available(hass, entity_id)


@pytest.mark.parametrize(
    "fault",
    [
        *FAULTS,
        {"kind": "shift_total"},
        {"kind": "json", "body": {"success": True, "data": {"items": None}}},
    ],
)
async def test_never_removed_after_a_failed_list(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    fault: dict[str, Any],
) -> None:
    """Not even a read that finds nothing is enough, where lists fail."""
    sandbox.device(BATTERY).gone = True
    sandbox.faults.add(path="/battery", **fault)
    await pass_time(2400)
    assert sandbox.requests.reads(BATTERY)[1:]
    assert _is_registered(hass, loaded)
    assert not _is_available(hass, LEVEL)


async def test_never_removed_where_the_read_fails(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """A device that no list has is kept until the API says that it is gone."""
    sandbox.home.remove_device(VEHICLE)
    fault = sandbox.faults.add(path=f"/vehicle/{VEHICLE}", code="INTERNAL_ERROR")
    await pass_time(1800)
    assert fault.hits >= 1
    assert _is_registered(hass, loaded, VEHICLE)
    sandbox.faults.clear()
    await pass_time(TARGET + 60)
    assert not _is_registered(hass, loaded, VEHICLE)


@pytest.mark.parametrize(
    "odd", [{"kind": "empty", "status": 404}, {"kind": "html", "status": 404}]
)
async def test_not_removed_by_any_404(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    odd: dict[str, Any],
) -> None:
    """A listed device is not removed, whatever a single read says."""
    assert loaded.state is ConfigEntryState.LOADED
    sandbox.faults.add(path="/*/*", **odd)
    await pass_time(3600)
    for device in sandbox.home.devices:
        assert _is_registered(hass, loaded, device.id)


async def test_list_without_devices_for_once(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """An empty list by mistake costs a minute, and no device."""
    body = {"items": [], "pagination": {"total": 0, "hasMore": False}}
    for path in PATHS:
        sandbox.faults.add(
            path=f"/{path}",
            kind="json",
            body={"success": True, "data": body},
            times=1,
        )
    await pass_time(60)
    assert not _is_available(hass, LEVEL)
    await pass_time(60)
    assert _is_available(hass, LEVEL)
    for device in sandbox.home.devices:
        assert _is_registered(hass, loaded, device.id)


# Devices that do not answer.


async def test_offline(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """Called offline by a single read: unavailable until it is captured again."""
    assert loaded.state is ConfigEntryState.LOADED
    sandbox.device(BATTERY).offline = True
    with pytest.raises(HomeAssistantError) as raised:
        await _press(hass)
    assert raised.value.translation_key == "device_offline"
    for entity_id in _readings(hass, BATTERY):
        assert not _is_available(hass, entity_id)
    assert _is_available(hass, SOLAR_POWER)
    # The lists go on to show what was captured before.
    await pass_time(300)
    assert not _is_available(hass, LEVEL)
    sandbox.device(BATTERY).offline = False
    await pass_time(120)
    assert not _is_available(hass, LEVEL)
    sandbox.device(BATTERY).capture()
    await pass_time(SLOWEST.total_seconds())
    for entity_id in _entity_ids(hass, BATTERY):
        assert _is_available(hass, entity_id)


async def test_offline_for_a_while(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """The planned reads notice that a device went offline, and that it is back."""
    assert loaded.state is ConfigEntryState.LOADED
    sandbox.device(VEHICLE).offline = True
    assert _is_available(hass, VEHICLE_LEVEL)
    await pass_time(TARGET + 120)
    assert not _is_available(hass, VEHICLE_LEVEL)
    sandbox.device(VEHICLE).offline = False
    await pass_time(TARGET + 120)
    assert _is_available(hass, VEHICLE_LEVEL)


@pytest.mark.parametrize("code", ["INVALID_CREDENTIALS", "INVALID_API_KEY"])
async def test_credentials_of_one_device(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    code: str,
) -> None:
    """The manufacturer's refusal of one device says nothing of the key."""
    assert loaded.state is ConfigEntryState.LOADED
    sandbox.device(BATTERY).credentials_refused = code
    with pytest.raises(HomeAssistantError) as raised:
        await _press(hass)
    assert raised.value.translation_key == "device_credentials"
    await pass_time(TARGET + 120)
    assert not _flows(hass)
    assert _is_available(hass, SOLAR_POWER)


async def test_out_of_sync(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """Passing trouble of the manufacturer leaves the last known values standing."""
    assert loaded.state is ConfigEntryState.LOADED
    level = _state(hass, LEVEL)
    assert _state(hass, SYNC) == STATE_ON
    sandbox.device(BATTERY).transient_fault = True
    await pass_time(TARGET + 120)
    assert _state(hass, SYNC) == STATE_OFF
    assert _state(hass, LEVEL) == level
    for entity_id in _entity_ids(hass, BATTERY):
        assert _is_available(hass, entity_id)
    sandbox.device(BATTERY).transient_fault = None
    await pass_time(TARGET + 120)
    assert _state(hass, SYNC) == STATE_ON


# Single reads of what has become old.


def _times_of_reads(sandbox: Sandbox) -> dict[str, list[float]]:
    """Return when each device was read, in seconds since 1970."""
    times: dict[str, list[float]] = {}
    for request in sandbox.requests.reads():
        times.setdefault(request.path.rpartition("/")[2], []).append(request.at)
    return times


async def test_stale_devices(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """Nothing is read before it is 15 minutes old, and all is read soon after."""
    assert loaded.state is ConfigEntryState.LOADED
    start = sandbox.clock.time()
    sandbox.requests.clear()
    await pass_time(TARGET)
    assert not sandbox.requests.reads()
    await pass_time(5 * 15 + 15)
    times = _times_of_reads(sandbox)
    assert set(times) == {device.id for device in sandbox.home.devices}
    for request in sandbox.requests.reads():
        assert request.query == {}
    # Spread out: never two at once in a home this small.
    (moments,) = zip(*times.values(), strict=True)
    assert len(set(moments)) == 5
    assert min(moments) > start + TARGET
    for device in sandbox.home.devices:
        assert device.captured_at is not None
        assert device.captured_at > start + TARGET


async def test_stale_reads_are_not_repeated(
    sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """No device is read twice within the target."""
    assert loaded.state is ConfigEntryState.LOADED
    await pass_time(2 * 3600)
    for times in _times_of_reads(sandbox).values():
        assert 7 <= len(times) <= 9
        # Past the cache only to have one before an hour ends.
        gaps = sorted(b - a for a, b in pairwise(times))
        assert gaps[2] >= TARGET
    assert sum(map(is_expedited, sandbox.requests.reads())) <= 6
    # Each minute at first, then seldom, as they bring nothing.
    assert len(sandbox.requests.lists()) <= 5 * 50


@pytest.mark.parametrize(
    "fault",
    [
        {"code": "INTERNAL_ERROR"},
        {"code": "TIMEOUT"},
        {"code": "DEVICE_OFFLINE"},
        {"code": "DEVICE_NOT_FOUND"},
        {"code": "INVALID_CREDENTIALS"},
        {"kind": "drop"},
        {"kind": "cut"},
    ],
    ids=lambda fault: "-".join(fault.values()),
)
async def test_failed_reads_are_not_repeated(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    fault: dict[str, Any],
) -> None:
    """What fails is not asked for more often than what works."""
    assert loaded.state is ConfigEntryState.LOADED
    sandbox.faults.add(path="/*/*", **fault)
    await pass_time(3600)
    times = _times_of_reads(sandbox)
    assert len(times) == 5
    for moments in times.values():
        # Where it is hung up on, the client of the library asks once more.
        once = sorted(set(moments))
        assert len(once) >= 3
        # With half an answer, one may have been captured all the same.
        assert sorted(b - a for a, b in pairwise(once))[1] >= TARGET
    sandbox.faults.clear()
    await pass_time(TARGET + 120)
    assert _is_available(hass, LEVEL)


async def test_fresh_devices_are_not_read(
    sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """Where something else keeps the devices fresh, nothing is to be done."""
    assert loaded.state is ConfigEntryState.LOADED
    sandbox.requests.clear()
    for _ in range(12):
        await pass_time(300)
        for device in sandbox.home.devices:
            device.capture()
    assert not sandbox.requests.reads()


@pytest.mark.parametrize("hours", [-26, -1, 1, 26])
async def test_clock_of_the_api(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    pass_time: Pass,
    hours: int,
) -> None:
    """Age is told by the API's clock, however wrong that of this machine is."""
    sandbox.clock.advance(hours * 3600)
    for device in sandbox.home.devices:
        device.capture()
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    sandbox.requests.clear()
    await pass_time(TARGET)
    assert not sandbox.requests.reads()
    await pass_time(120)
    assert len(sandbox.requests.reads()) == 5


@pytest.mark.parametrize("home", ["big"])
async def test_two_reads_at_a_time(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Reads that hang until their time is out do not pile up."""
    assert loaded.state is ConfigEntryState.LOADED
    await pass_time(TARGET)
    sandbox.requests.clear()
    # A client gives up after 30 seconds, so no third one may begin before that.
    sandbox.faults.add(path="/*/*", delay=3600)
    for _ in range(20):
        freezer.tick(15)
        sandbox.clock.advance(15)
        async_fire_time_changed(hass)
        await _a_moment(hass)
    times = [request.at for request in sandbox.requests.reads()]
    assert len(times) >= 10
    for first, third in zip(times, times[2:], strict=False):
        assert third - first >= 30


async def _a_moment(hass: HomeAssistant) -> None:
    """Let requests get where they are going, without waiting for their answers."""
    await hass.async_block_till_done()
    for _ in range(200):
        await asyncio.sleep(0)


@pytest.mark.parametrize("home", ["big"])
async def test_many_devices_are_kept_fresh(
    sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """However many devices there are, each is read soon after it became old."""
    assert loaded.state is ConfigEntryState.LOADED
    await pass_time(3600)
    now = sandbox.clock.time()
    ages = [now - (device.captured_at or 0) for device in sandbox.home.devices]
    assert max(ages) <= 1.5 * TARGET


# Too many requests.


@pytest.mark.parametrize("path", [*PATHS, "*"])
async def test_retry_after(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    path: str,
) -> None:
    """Whichever type is told to wait, the whole account waits."""
    assert loaded.state is ConfigEntryState.LOADED
    await pass_time(TARGET)
    fault = sandbox.faults.add(
        path=f"/{path}" if path != "*" else path,
        code="RATE_LIMIT_EXCEEDED",
        status=429,
        retry_after=180,
    )
    while not fault.hits:
        await pass_time(15)
    sandbox.faults.clear()
    sandbox.requests.clear()
    # Neither lists nor the single reads that are due by now.
    await pass_time(165)
    assert _asked(sandbox) == []
    assert _is_available(hass, LEVEL)
    await pass_time(90)
    assert set(LISTS) <= set(_asked(sandbox))
    assert _is_available(hass, LEVEL)
    assert not _flows(hass)


@pytest.mark.parametrize("second", [0.05, 0.5, 0.95])
async def test_next_poll_is_not_before_the_time(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, second: float
) -> None:
    """The core plans from the last full second: nobody is to be early by that."""
    coordinator = loaded.runtime_data.coordinators[DeviceType.BATTERY]
    sandbox.faults.add(code="RATE_LIMIT_EXCEEDED", retry_after=2, times=1)
    loop = asyncio.get_running_loop()
    with patch.object(loop, "time", lambda: 1000 + second):
        await coordinator.async_refresh()
        assert not coordinator.last_update_success
        for _ in range(2):
            assert coordinator._unsub_refresh is not None
            timer: asyncio.TimerHandle = coordinator._unsub_refresh.__self__
            wait = loaded.runtime_data.account.limits.remaining
            assert wait <= timer.when() - loop.time() <= wait + 4
            # The second time it is the account that holds back.
            await coordinator.async_refresh()
    assert [one.status for one in sandbox.requests if one.path == "/battery"][-1] == 429


async def test_long_retry_after(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """Values end after 5 minutes, also where the next poll is far away."""
    assert loaded.state is ConfigEntryState.LOADED
    fault = sandbox.faults.add(code="RATE_LIMIT_EXCEEDED", retry_after=1800)
    await pass_time(60)
    assert fault.hits == 1
    sandbox.faults.remove(fault)
    await pass_time(225)
    assert _is_available(hass, LEVEL)
    await pass_time(120)
    assert not _is_available(hass, LEVEL)
    sandbox.requests.clear()
    await pass_time(1380)
    assert _asked(sandbox) == []
    await pass_time(120)
    assert _is_available(hass, LEVEL)


@pytest.mark.parametrize(
    "fault",
    [
        {"code": "RATE_LIMIT_EXCEEDED", "status": 429},
        {"code": "RATE_LIMIT_EXCEEDED", "status": 401},
        {"code": "UNAUTHORIZED", "status": 401},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
async def test_backing_off(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    fault: dict[str, Any],
) -> None:
    """Told no time, the account waits longer and longer; no key is doubted."""
    assert loaded.state is ConfigEntryState.LOADED
    order = sandbox.faults.add(**fault)
    sandbox.requests.clear()
    await pass_time(585)
    rounds = sorted({request.at for request in sandbox.requests})
    assert 3 <= len(rounds) <= 5
    gaps = [b - a for a, b in pairwise(rounds)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > gaps[0]
    assert not _flows(hass)
    assert not _is_available(hass, LEVEL)
    sandbox.faults.remove(order)
    await pass_time(900)
    assert _is_available(hass, LEVEL)
    assert not _flows(hass)
    # And then as if nothing had been.
    sandbox.requests.clear()
    await pass_time(315)
    assert set(LISTS) <= set(_asked(sandbox))


async def test_unauthorized_for_good(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """A bare 401 that never ends is no overload: somebody has to look at the key."""
    sandbox.faults.add(code="UNAUTHORIZED")
    await pass_time(2 * 3600)
    (flow,) = _flows(hass)
    assert flow["context"]["entry_id"] == loaded.entry_id
    sandbox.faults.clear()
    await pass_time(1200)
    assert not _flows(hass)
    assert _is_available(hass, LEVEL)


async def test_rate_limit_of_the_api(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """An account that may ask little asks little, and shows what it got."""
    assert loaded.state is ConfigEntryState.LOADED
    sandbox.rate_limit(30)
    sandbox.requests.clear()
    await pass_time(3600)
    refused = [request for request in sandbox.requests if request.status == 429]
    assert len(refused) <= len(sandbox.requests) / 20
    assert _is_available(hass, LEVEL)


# A refused key.


@pytest.mark.parametrize("code", ["INVALID_API_KEY", "EXPIRED_TOKEN"])
async def test_key_refused_while_running(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    code: str,
) -> None:
    """One flow asks for a new key, and ends by itself when the old one is good."""
    fault = sandbox.faults.add(code=code)
    await pass_time(60)
    (flow,) = _flows(hass)
    assert flow["step_id"] == "reauth_confirm"
    assert flow["context"]["entry_id"] == loaded.entry_id
    assert loaded.state is ConfigEntryState.LOADED
    hits = fault.hits
    await pass_time(1800)
    assert [item["flow_id"] for item in _flows(hass)] == [flow["flow_id"]]
    # It goes on to ask.
    assert fault.hits > hits

    sandbox.faults.remove(fault)
    await pass_time(1020)
    assert not _flows(hass)
    for device in sandbox.home.devices:
        for entity_id in _entity_ids(hass, device.id):
            assert _is_available(hass, entity_id)
    sandbox.requests.clear()
    await pass_time(315)
    assert set(LISTS) <= set(_asked(sandbox))


@pytest.mark.parametrize("path", PATHS)
async def test_key_refused_by_one_type_while_running(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    path: str,
) -> None:
    """Where answers contradict each other, no flow comes and goes every minute."""
    assert loaded.state is ConfigEntryState.LOADED
    sandbox.faults.add(path=f"/{path}", code="INVALID_API_KEY")
    begun: set[str] = set()

    @callback
    def _note(change: str, flow_id: str) -> None:
        if change == "added":
            begun.add(flow_id)

    hass.config_entries.flow.async_subscribe_flow(_note)
    await pass_time(600)
    assert len(begun) <= 1
    sandbox.faults.clear()
    await pass_time(600)
    assert not _flows(hass)


async def test_no_grace_for_a_refused_key(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """What cannot be asked for any more is not shown for minutes as if it could."""
    assert loaded.state is ConfigEntryState.LOADED
    sandbox.accounts[TEST_KEY].expired = True
    await pass_time(75)
    for device in sandbox.home.devices:
        for entity_id in _readings(hass, device.id):
            assert not _is_available(hass, entity_id)


async def test_polls_with_a_refused_key(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """Polling goes on, but slowly: a refused key is not sent at the usual pace."""
    assert loaded.state is ConfigEntryState.LOADED
    sandbox.accounts[TEST_KEY].expired = True
    await pass_time(120)
    sandbox.requests.clear()
    await pass_time(3600)
    assert _flows(hass)
    assert 2 <= len(sandbox.requests) <= 5 * 30


async def test_new_key_while_running(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """A new key ends the flow and brings everything back at once."""
    sandbox.accounts[TEST_KEY].expired = True
    await pass_time(300)
    (flow,) = _flows(hass)
    sandbox.add_account("sk_test_new")
    result = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {CONF_API_KEY: "sk_test_new"}
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert loaded.data[CONF_API_KEY] == "sk_test_new"
    assert _is_available(hass, LEVEL)
    await pass_time(120)
    assert not _flows(hass)
    assert _is_available(hass, LEVEL)


# The button.


async def test_refresh(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """A press makes an expedited read; within a minute there is no second one."""
    assert loaded.state is ConfigEntryState.LOADED
    await pass_time(90)
    sandbox.requests.clear()
    sandbox.device(BATTERY).state_override = {"level": 12}
    await _press(hass)
    (request,) = sandbox.requests.reads()
    assert request.path == f"/battery/{BATTERY}"
    assert request.query == {"expedite": "true"}
    assert _state(hass, LEVEL) == "12"

    await _press(hass)
    await pass_time(45)
    await _press(hass)
    assert len(sandbox.requests.reads()) == 1
    # Another device is not concerned.
    await _press(hass, "button.ix3_refresh")
    assert len(sandbox.requests.reads()) == 2
    await pass_time(15)
    await _press(hass)
    assert len(sandbox.requests.reads(BATTERY)) == 2


async def test_refresh_that_fails(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry
) -> None:
    """A failure is told in words, and the next press tries again at once."""
    assert loaded.state is ConfigEntryState.LOADED
    level = _state(hass, LEVEL)
    sandbox.faults.add(path=f"/battery/{BATTERY}", code="INTERNAL_ERROR", times=1)
    with pytest.raises(HomeAssistantError) as raised:
        await _press(hass)
    assert raised.value.translation_key == "server_trouble"
    assert "Powerwall 2" in str(raised.value)
    assert _state(hass, LEVEL) == level
    sandbox.requests.clear()
    await _press(hass)
    assert len(sandbox.requests.reads(BATTERY)) == 1


async def test_refresh_finds_a_new_type(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """A press also looks at once for types that had no device so far."""
    sandbox.home.remove_device(VEHICLE)
    await pass_time(300)
    assert not _is_registered(hass, loaded, VEHICLE)
    sandbox.home.add_device("vehicle", device_id="new_vehicle")
    await pass_time(120)
    assert not _is_registered(hass, loaded, "new_vehicle")
    await _press(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert _is_registered(hass, loaded, "new_vehicle")
