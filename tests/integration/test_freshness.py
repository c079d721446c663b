"""How fresh the chosen level keeps the devices, and what that asks for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.api import AmpsOverloadedError, Device, DeviceType
from custom_components.amps_ai.api.clock import Clock, mark
from custom_components.amps_ai.common.const import CONF_FRESHNESS
from custom_components.amps_ai.readings.coordinator import AmpsCoordinator
from custom_components.amps_ai.readings.freshness import (
    TICK,
    _Asked,
    _Share,
    needs_detail,
)
from sandbox import Sandbox

from .conftest import Pass
from .helpers import is_expedited, registered

pytestmark = pytest.mark.freeze_time("2026-06-01T12:00:00Z")

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
VEHICLE = "device_vehicle_001"


@pytest.fixture
def level() -> str:
    """Return the level that is chosen; tests choose another one."""
    return "standard"


@pytest.fixture
async def chosen(
    hass: HomeAssistant, entry: MockConfigEntry, level: str, pass_time: Pass
) -> MockConfigEntry:
    """Set the entry up with a level, past the reads of the beginning."""
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={CONF_FRESHNESS: level})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await pass_time(60)
    return entry


def _gaps(sandbox: Sandbox, device_id: str) -> list[float]:
    times = [record.at for record in sandbox.requests.reads(device_id)]
    return [later - earlier for earlier, later in pairwise(times)]


def _expedited(sandbox: Sandbox) -> set[bool]:
    return {is_expedited(record) for record in sandbox.requests.reads()}


# At noon the battery charges from the sun, and the vehicle is away.
@pytest.mark.parametrize(
    ("level", "active", "resting", "expedited"),
    [
        ("relaxed", 1800, 1800, False),
        ("standard", 900, 900, False),
        ("fast", 300, 300, True),
        ("live", 60, 300, True),
        ("of a newer version", 900, 900, False),
    ],
)
async def test_levels(
    sandbox: Sandbox,
    chosen: MockConfigEntry,
    pass_time: Pass,
    active: int,
    resting: int,
    expedited: bool,
) -> None:
    """Each device is read when it is older than its target, and not before."""
    sandbox.requests.clear()
    await pass_time(6 * resting)
    for device_id, target in ((BATTERY, active), (VEHICLE, resting)):
        gaps = _gaps(sandbox, device_id)
        assert len(gaps) >= 3
        # What is active is captured before an hour ends, sooner than else once.
        sooner = [gap for gap in gaps if gap < target]
        assert len(sooner) <= (2 if target == active else 0)
        # A tick of 15 seconds, and the turn of the others.
        assert max(gaps) <= target + 60
    reads = sandbox.requests.reads()
    others = [item for item in reads if is_expedited(item) is not expedited]
    assert len(others) <= (0 if expedited else len(reads) / 6)


@pytest.mark.parametrize(("level", "poised"), [("live", 120), ("fast", 300)])
async def test_what_may_begin_at_any_moment(
    sandbox: Sandbox, chosen: MockConfigEntry, pass_time: Pass, poised: int
) -> None:
    """With Live, a charger at rest is read more often than a vehicle at rest."""
    charger = sandbox.home.device(CHARGER)
    charger.physics.command("idle", {})
    await pass_time(600)
    sandbox.requests.clear()
    await pass_time(1200)
    gaps = _gaps(sandbox, CHARGER)
    assert len(gaps) >= 2
    assert poised <= min(gaps)
    assert max(gaps) <= poised + 60
    assert min(_gaps(sandbox, VEHICLE)) >= 300


@pytest.mark.parametrize("level", ["live"])
@pytest.mark.parametrize(
    "fault",
    [
        {"path": "/battery/*", "status": 429, "code": "RATE_LIMITED"},
        {"path": "/battery/*", "status": 503, "code": "RATE_LIMITED"},
        {"path": "/battery", "status": 429, "code": "RATE_LIMIT_EXCEEDED"},
    ],
    ids=["manufacturer", "manufacturer is down", "account"],
)
async def test_complaint_makes_the_standard_do_for_an_hour(
    sandbox: Sandbox,
    chosen: MockConfigEntry,
    pass_time: Pass,
    fault: dict[str, str],
) -> None:
    """After a complaint the cache of the API is enough, for an hour."""
    sandbox.faults.add(method="GET", times=1, **fault)
    await pass_time(180)
    sandbox.requests.clear()
    await pass_time(3000)
    assert _expedited(sandbox) == {False}
    assert min(_gaps(sandbox, BATTERY)) >= 900
    await pass_time(900)
    sandbox.requests.clear()
    await pass_time(600)
    assert _expedited(sandbox) == {True}
    assert min(_gaps(sandbox, BATTERY)) < 90


@pytest.mark.parametrize("home", ["big"])
async def test_slow_reads_of_set_up_do_not_pile_up(
    sandbox: Sandbox, loaded: MockConfigEntry
) -> None:
    """While more reads wait for answers than are due, no others join them."""
    planner = loaded.runtime_data.planner
    sandbox.clock.advance(2 * 3600)
    for coordinator in planner.coordinators.values():
        await coordinator.async_refresh()
    waiting = {f"slow_{number}" for number in range(12)}
    planner._reading |= waiting
    due, _ = planner._plan()
    assert len(due) > len(waiting)
    planner._start_reads()
    assert planner._reading == waiting
    planner._reading.clear()


@pytest.mark.parametrize("level", ["live"])
async def test_refused_key_is_no_complaint(
    sandbox: Sandbox, chosen: MockConfigEntry, pass_time: Pass
) -> None:
    """Once the key is good again, devices are as fresh as before."""
    runtime = chosen.runtime_data
    fault = sandbox.faults.add(method="GET", path="/*", code="INVALID_API_KEY")
    await pass_time(180)
    assert runtime.account.limits.key_refused
    sandbox.requests.clear()
    await pass_time(180)
    assert not sandbox.requests.reads()
    sandbox.faults.remove(fault)
    while runtime.account.limits.key_refused:
        await pass_time(60)
    assert not runtime.planner.as_dict()["falls_back"]
    sandbox.requests.clear()
    await pass_time(180)
    assert _expedited(sandbox) == {True}
    assert min(_gaps(sandbox, BATTERY)) < 90


@pytest.mark.parametrize("level", ["live"])
async def test_other_trouble_is_no_complaint(
    sandbox: Sandbox, chosen: MockConfigEntry, pass_time: Pass
) -> None:
    """What fails for another reason is read as often as before."""
    fault = sandbox.faults.add(
        method="GET", path="/battery/*", status=503, code="SERVICE_UNAVAILABLE"
    )
    await pass_time(120)
    assert fault.hits
    assert not chosen.runtime_data.planner.as_dict()["falls_back"]


def _nothing(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let nothing happen."""


def _other_level(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let a person choose another level."""
    hass.config_entries.async_update_entry(entry, options={CONF_FRESHNESS: "relaxed"})


def _too_much(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let the API complain."""
    entry.runtime_data.account.limits.refused(AmpsOverloadedError("no", status=429))


def _gone(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let the device go."""
    entry.runtime_data.coordinators[DeviceType.BATTERY].async_forget(BATTERY)


@pytest.mark.parametrize("level", ["standard", "live"])
@pytest.mark.parametrize(
    ("happens", "reads", "asked"),
    [
        (_nothing, 1, True),
        (_other_level, 0, False),
        (_too_much, 0, False),
        (_gone, 0, True),
    ],
)
async def test_what_happens_while_a_read_waits_for_its_turn(
    hass: HomeAssistant,
    sandbox: Sandbox,
    chosen: MockConfigEntry,
    happens: Callable[[HomeAssistant, MockConfigEntry], None],
    reads: int,
    asked: bool,
) -> None:
    """It is not made where it is not what is wanted any more."""
    planner = chosen.runtime_data.planner
    coordinator = chosen.runtime_data.coordinators[DeviceType.BATTERY]
    for _ in range(2):
        await planner._slots.acquire()
    sandbox.requests.clear()
    read = planner._async_start_read(
        coordinator, coordinator.data[BATTERY], expedite=True
    )
    assert planner.as_dict()["reading"] == [BATTERY]
    happens(hass, chosen)
    planner._slots.release()
    await read
    assert len(sandbox.requests.reads(BATTERY)) == reads
    # What was not made, is planned anew.
    assert (BATTERY in planner._asked) is asked
    assert not planner.as_dict()["reading"]


@pytest.mark.parametrize(
    ("rate", "at_once"), [(0, 1), (1 / 900, 1), (1 / 15, 1), (5 / 60, 2), (1.6, 24)]
)
def test_reads_are_spread_out(
    monkeypatch: pytest.MonkeyPatch, rate: float, at_once: int
) -> None:
    """As many begin at once as are due in a tick; a rest is not saved up."""
    time = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(
        "custom_components.amps_ai.api.clock.monotonic", lambda: time.now
    )
    share = _Share()

    def _begin() -> int:
        begun = 0
        while not share.wait(rate):
            share.async_use(rate)
            begun += 1
        return begun

    assert _begin() == at_once
    time.now += 100 * TICK
    assert _begin() == at_once
    # From then on one after the other, somewhat more than are due.
    begun, until = 0, time.now + 3600
    while time.now < until:
        wait = share.wait(rate)
        assert 0 < wait <= 1
        time.now += wait + 1e-6
        begun += _begin()
    assert begun == pytest.approx(3600 * max(1, rate / 0.8), rel=0.01)


# The plan


class _Planning:
    """A planner, and devices that were captured when a test says so."""

    def __init__(self, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entry = entry
        self.planner = entry.runtime_data.planner
        self.planner._asked.clear()
        self.time = mark()
        monkeypatch.setattr(
            "custom_components.amps_ai.api.clock.monotonic", lambda: self.time
        )
        for coordinator, device in self.planner.coordinators.devices():
            # Whoever captures them else, they have no hours to mind.
            coordinator._captures._single[device.id] = None
            self.captured(device.id, 0)

    def coordinator(self, device_id: str) -> AmpsCoordinator:
        """Return the coordinator of a device."""
        coordinator: AmpsCoordinator = self.planner.coordinators.find(device_id)
        return coordinator

    def captured(self, device_id: str, seconds: float) -> None:
        """Have a device captured so many seconds ago."""
        data = self.coordinator(device_id).data
        at = self.planner.account.clock.now() - timedelta(seconds=seconds)
        sync = replace(data[device_id].sync, last_pulled_at=at)
        data[device_id] = replace(data[device_id], sync=sync)

    def asked(self, device_id: str, seconds: float, *, to_capture: bool = True) -> None:
        """Have a device asked for so many seconds ago."""
        self.planner._asked[device_id] = _Asked(self.time - seconds, to_capture)

    @property
    def due(self) -> list[str]:
        """Return what is due now, in its order."""
        return [item.device.id for item in self.planner._plan()[0]]

    @property
    def next_due(self) -> float:
        """Return after how many seconds something more is."""
        seconds: float = self.planner._plan()[1]
        return round(seconds, 3)


@pytest.fixture
def planning(chosen: MockConfigEntry, monkeypatch: pytest.MonkeyPatch) -> _Planning:
    """Let all devices have been captured just now."""
    return _Planning(chosen, monkeypatch)


@pytest.mark.parametrize("level", ["live"])
async def test_most_urgent_is_read_first(planning: _Planning) -> None:
    """By how much older each is than it may be."""
    assert planning.due == []
    assert planning.next_due == 60
    planning.captured(BATTERY, 59)
    assert planning.due == []
    assert planning.next_due == 1.3
    planning.captured(BATTERY, 90)
    planning.captured(VEHICLE, 360)
    assert planning.due == [BATTERY, VEHICLE]
    planning.captured(VEHICLE, 600)
    assert planning.due == [VEHICLE, BATTERY]
    planning.planner._reading.add(VEHICLE)
    assert planning.due == [BATTERY]
    planning.planner._reading.clear()


async def test_reading_has_the_planner_look(
    planning: _Planning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it changed may be due now; many at once have it look once."""
    looks: list[float | None] = []
    planner = planning.planner
    planner._looks_soon = False
    monkeypatch.setattr(planner, "_look_in", looks.append)
    coordinator = planning.coordinator(BATTERY)
    for _ in range(2):
        coordinator.readings.async_call(coordinator.data[BATTERY])
    assert looks == [0]
    planner._async_look(planner.account.clock.now())
    coordinator.readings.async_call(coordinator.data[BATTERY])
    assert looks == [0, 60, 0]


@pytest.mark.parametrize("level", ["live"])
async def test_what_was_not_captured_lets_others_go_first(planning: _Planning) -> None:
    """It is asked for again when it would be too old, had it been captured."""
    planning.captured(BATTERY, 90)
    planning.asked(BATTERY, 20)
    assert planning.due == []
    assert planning.next_due == 40
    planning.asked(BATTERY, 60)
    assert planning.due == [BATTERY]
    # It was known then that the API would answer from its cache.
    planning.asked(BATTERY, 20, to_capture=False)
    assert planning.due == [BATTERY]
    # It was captured since.
    planning.captured(BATTERY, 59)
    planning.asked(BATTERY, 59)
    assert planning.next_due == 1.3


@pytest.mark.parametrize("level", ["live"])
async def test_what_is_doubted_is_read_at_once(
    hass: HomeAssistant, planning: _Planning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However fresh it is, and whoever looks; but not again and again."""
    coordinator = planning.coordinator(VEHICLE)
    monkeypatch.setattr(coordinator.news, "is_watched", lambda _device_id: False)
    planning.captured(VEHICLE, 3600)
    assert planning.due == []
    planning.captured(BATTERY, 3600)
    planning.captured(VEHICLE, 0)
    monkeypatch.setattr(coordinator.presence, "is_doubted", lambda _device_id: True)
    assert planning.due == [VEHICLE, BATTERY]
    planning.captured(BATTERY, 0)
    planning.asked(VEHICLE, 290)
    assert planning.due == []
    assert planning.next_due == 10
    planning.asked(VEHICLE, 300)
    assert planning.due == [VEHICLE]
    dr.async_get(hass).async_update_device(
        registered(hass, VEHICLE), disabled_by=dr.DeviceEntryDisabler.USER
    )
    assert planning.due == []


async def test_whose_hours_are_minded(planning: _Planning) -> None:
    """That of what counts energy, unless others capture it too, or there was trouble."""
    planning.captured(BATTERY, 300)
    coordinator = planning.coordinator(BATTERY)
    # Five minutes past twelve, by the API's clock, the usual step does.
    at = planning.planner.account.clock.now().replace(minute=45, second=0)
    assert planning.planner.level.next_to_end(
        coordinator.data[BATTERY], at, timedelta()
    ).expedite
    leads = planning.planner._leads()
    assert BATTERY in leads
    assert VEHICLE not in leads
    assert sorted(leads.values()) == [
        timedelta(seconds=2 * number) for number in range(len(leads))
    ]
    # What changes evenly wins most.
    first = min(leads, key=leads.__getitem__)
    assert planning.coordinator(first).device_type is DeviceType.SOLAR_INVERTER

    def _planned(*, alone: bool) -> bool:
        data = coordinator.data
        sync = replace(data[BATTERY].sync, last_pulled_at=at)
        data[BATTERY] = replace(data[BATTERY], sync=sync)
        coordinator._captures._single[BATTERY] = at if alone else None
        with patch.object(Clock, "now", lambda _self: at + timedelta(seconds=880)):
            return BATTERY in planning.due

    assert _planned(alone=True)
    assert not _planned(alone=False)
    planning.planner._complained()
    assert not _planned(alone=True)


@pytest.mark.parametrize(
    ("level", "target"), [("relaxed", 1800), ("standard", 900), ("live", 900)]
)
async def test_target_after_a_complaint(
    chosen: MockConfigEntry, pass_time: Pass, target: int
) -> None:
    """Who asks seldom goes on as before."""
    planner = chosen.runtime_data.planner
    planner._complained()
    assert planner.as_dict()["falls_back"]
    assert planner.target.total_seconds() == target


async def test_whether_a_read_is_to_capture(planning: _Planning) -> None:
    """It is where the cache of the API is over."""

    def _captures(seconds: float, *, expedite: bool) -> bool:
        coordinator = planning.coordinator(BATTERY)
        planning.captured(BATTERY, seconds)
        planning.planner._async_start_read(
            coordinator, coordinator.data[BATTERY], expedite=expedite
        ).cancel()
        asked: _Asked = planning.planner._asked[BATTERY]
        assert asked.at == planning.time
        return asked.to_capture

    assert [_captures(age, expedite=True) for age in (59, 60)] == [False, True]
    assert [_captures(age, expedite=False) for age in (899, 900)] == [False, True]
    planning.planner._reading.clear()


async def test_what_is_disabled(hass: HomeAssistant, planning: _Planning) -> None:
    """A device, or all that it shows; what shows nothing yet is not."""
    devices, entities = dr.async_get(hass), er.async_get(hass)
    device = planning.coordinator(VEHICLE).data[VEHICLE]
    is_disabled = planning.planner._is_disabled
    own = er.async_entries_for_device(
        entities, registered(hass, VEHICLE), include_disabled_entities=True
    )
    for entity in own:
        if entity.disabled:
            # Off by itself, until a person wants it.
            continue
        assert not is_disabled(device)
        entities.async_update_entity(
            entity.entity_id, disabled_by=er.RegistryEntryDisabler.USER
        )
    assert is_disabled(device)
    for entity in own:
        entities.async_remove(entity.entity_id)
    assert not is_disabled(device)
    devices.async_update_device(
        registered(hass, VEHICLE), disabled_by=dr.DeviceEntryDisabler.USER
    )
    assert is_disabled(device)
    devices.async_remove_device(registered(hass, VEHICLE))
    assert not is_disabled(device)


@pytest.mark.parametrize(
    ("kind", "told", "needed"),
    [
        (DeviceType.BATTERY, {}, True),
        (DeviceType.BATTERY, {"commands": {}}, True),
        (DeviceType.BATTERY, {"settings": {}}, True),
        (DeviceType.BATTERY, {"commands": {}, "settings": {}}, False),
        (DeviceType.HVAC, {}, True),
        (DeviceType.HVAC, {"commands": {}}, False),
        (DeviceType.VEHICLE, {}, False),
    ],
)
def test_what_a_list_left_out(
    kind: DeviceType, told: dict[str, dict[str, str]], needed: bool
) -> None:
    """Commands and settings decide which entities there are."""
    device = Device.from_raw(kind, {"id": "one", "state": {}, **told})
    assert needs_detail(device) is needed
    assert not needs_detail(replace(device, detailed=True))
