"""How fresh the chosen level keeps the devices, and what that asks for."""

from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.api import AmpsOverloadedError, DeviceType
from custom_components.amps_ai.common.const import CONF_FRESHNESS
from custom_components.amps_ai.readings.freshness import TICK, _Share
from sandbox import Sandbox

from .conftest import Pass
from .helpers import is_expedited

pytestmark = pytest.mark.freeze_time("2026-06-01T12:00:00Z")

BATTERY = "device_battery_001"
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


@pytest.mark.parametrize("level", ["live"])
@pytest.mark.parametrize(
    "fault",
    [
        {"path": "/battery/*", "status": 429, "code": "RATE_LIMITED"},
        {"path": "/battery", "status": 429, "code": "RATE_LIMIT_EXCEEDED"},
    ],
    ids=["manufacturer", "account"],
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
