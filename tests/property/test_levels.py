"""When devices are captured next: never too late, and just before an hour ends."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.amps_ai.api import Device, DeviceType
from custom_components.amps_ai.readings.levels import LEVELS, Level, minds_hours

CACHE = 900
CACHE_EXPEDITED = 60
HOURS = 6
# Past the cache for sure, and longer so that one ends with the hour.
MORE = 0.3 + 1.2
USUAL_REQUEST = 0.5
LONGEST_REQUEST = 0.9

PRODUCES = Device.from_raw(
    DeviceType.SOLAR_INVERTER, {"id": "one", "state": {"producing": True}}
)
RESTS = Device.from_raw(
    DeviceType.SOLAR_INVERTER, {"id": "one", "state": {"producing": False}}
)
DRIVES = Device.from_raw(DeviceType.VEHICLE, {"id": "one", "state": {"charging": True}})

BEGIN = datetime(2026, 6, 1, 6, tzinfo=UTC)


def _until_end(at: datetime) -> float:
    """Return the seconds until the hour ends."""
    return 3600 - (at - BEGIN).total_seconds() % 3600


def _live(
    level: Level, begin: datetime, lead: timedelta, took: Callable[[], float]
) -> list[tuple[datetime, bool]]:
    """Return the captures of some hours, and which were expedited."""
    captures = [(begin, False)]
    while captures[-1][0] < begin + timedelta(hours=HOURS):
        planned = level.next_to_end(PRODUCES, captures[-1][0], lead)
        captures.append((planned.at + timedelta(seconds=took()), planned.expedite))
    return captures


@pytest.mark.parametrize("name", LEVELS)
@settings(deadline=None)
@given(
    second=st.floats(0, 3600, allow_nan=False),
    lead=st.integers(0, 14),
    requests=st.randoms(use_true_random=False),
)
def test_hours_end_with_a_capture(
    name: str, second: float, lead: int, requests: Random
) -> None:
    """No state is too old, no read is in vain, and nearly all hours end with one."""
    level = LEVELS[name]
    begin = BEGIN + timedelta(seconds=second)
    captures = _live(
        level,
        begin,
        timedelta(seconds=4 * lead),
        lambda: requests.uniform(0.05, LONGEST_REQUEST),
    )
    gaps = [
        ((later - one).total_seconds(), expedited)
        for (one, _), (later, expedited) in pairwise(captures)
    ]
    target = level.active.total_seconds()
    assert max(gap for gap, _ in gaps) <= target + MORE + LONGEST_REQUEST
    for gap, expedited in gaps:
        assert gap > (CACHE_EXPEDITED if expedited else CACHE)
    # Half a step more than without, for the first hour's end.
    assert len(gaps) <= HOURS * 3600 / target + 3
    if not level.expedite:
        # Past the usual cache seldom.
        assert sum(expedited for _, expedited in gaps) <= 4
    # A minute leaves little room, which requests can use up that take now long
    # and now no time: then the next one is in the next hour.
    room = target if target <= CACHE_EXPEDITED else 0
    _assert_ends(captures, max(30 + 4 * lead, room + MORE + LONGEST_REQUEST))


@pytest.mark.parametrize("name", LEVELS)
@settings(deadline=None)
@given(
    second=st.floats(0, 3600, allow_nan=False),
    lead=st.integers(0, 14),
    took=st.floats(0.05, USUAL_REQUEST),
)
def test_hours_end_with_a_capture_where_requests_take_alike(
    name: str, second: float, lead: int, took: float
) -> None:
    """Each hour has its own energy at all levels."""
    begin = BEGIN + timedelta(seconds=second)
    captures = _live(LEVELS[name], begin, timedelta(seconds=4 * lead), lambda: took)
    _assert_ends(captures, 30 + 4 * lead)


def _assert_ends(captures: list[tuple[datetime, bool]], most: float) -> None:
    """Check how long before the ends of hours their last captures are."""
    for hour in range(2, HOURS):
        end = BEGIN + timedelta(hours=hour)
        last = max(at for at, _ in captures if at < end)
        assert _until_end(last) <= most, (hour, last)


@pytest.mark.parametrize("name", LEVELS)
@pytest.mark.parametrize("device", [RESTS, DRIVES])
def test_others_are_captured_when_they_are_too_old(name: str, device: Device) -> None:
    """What counts no energy has no hours to mind."""
    level = LEVELS[name]
    assert not minds_hours(device)
    planned = level.next_capture(device, BEGIN)
    cache = CACHE_EXPEDITED if level.expedite else CACHE
    target = level.target_of(device).total_seconds()
    assert planned.expedite is level.expedite
    after = (planned.at - BEGIN).total_seconds()
    assert after == pytest.approx(max(target, cache), abs=0.5)
    assert after > cache


# By seconds until the hour ends: after how many the next capture is, and whether
# past the usual cache.
STEPS: list[tuple[str, float, int, float, bool]] = [
    # As late as may be, as long as another one fits before the end.
    ("standard", 1228, 0, 900.3, False),
    ("standard", 1078.3, 0, 900.3, False),
    # Two that would be close to each other share the time.
    ("standard", 1078.2, 0, 525.1, True),
    ("standard", 928.4, 0, 450.2, True),
    # The last one comes a bit later each hour, as long as there is room for that.
    ("standard", 928.3, 0, 900.3, False),
    ("standard", 904.3, 0, 900.3, False),
    ("standard", 904.2, 0, 876.2, True),
    ("standard", 494, 0, 466, True),
    ("standard", 498, 4, 466, True),
    ("standard", 89, 0, 61, True),
    # The API would answer from its cache: the next hour has to do.
    ("standard", 88.2, 0, 900.3, False),
    # Where more may be a long time, that is shared, and seldom past the cache.
    ("relaxed", 928.3, 0, 900.3, False),
    ("relaxed", 928.2, 0, 900.2, True),
    ("relaxed", 1828.3, 0, 1800.3, False),
    ("relaxed", 2428, 0, 1200, False),
    # Past the usual cache in any case: equal steps to the end.
    ("fast", 308.3, 0, 300.3, True),
    ("fast", 474, 0, 233, True),
    ("fast", 478, 4, 233, True),
    ("fast", 69, 0, 61, True),
    # As long as that cache lasts, or a bit longer.
    ("live", 69, 0, 60.3, True),
    ("live", 108, 0, 61.5, True),
    ("live", 2406, 0, 2396 / 39 - 0.5, True),
    ("live", 2410, 4, 2396 / 39 - 0.5, True),
]


@pytest.mark.parametrize(("name", "left", "lead", "after", "expedite"), STEPS)
def test_steps_to_the_end_of_an_hour(
    name: str, left: float, lead: int, after: float, expedite: bool
) -> None:
    """None is too old, none too early for the cache, and the last one just before."""
    captured = BEGIN + timedelta(hours=1) - timedelta(seconds=left)
    planned = LEVELS[name].next_to_end(PRODUCES, captured, timedelta(seconds=lead))
    assert (planned.at - captured).total_seconds() == pytest.approx(after, abs=1e-4)
    assert planned.expedite is expedite


@pytest.mark.parametrize(
    ("kind", "state", "at_rest", "is_counted"),
    [
        (DeviceType.BATTERY, {"chargeRate": 1}, 2, True),
        (DeviceType.BATTERY, {"chargeRate": -1}, 2, True),
        (DeviceType.EV_CHARGER, {"isCharging": True}, 2, True),
        (DeviceType.SOLAR_INVERTER, {"producing": True}, 5, True),
        (DeviceType.HVAC, {"active": True}, 5, False),
        (DeviceType.VEHICLE, {"charging": True}, 5, False),
    ],
)
def test_what_does_something(
    kind: DeviceType, state: Any, at_rest: int, is_counted: bool
) -> None:
    """It may be less old, as what may begin at once; what counts minds the hours."""
    live = LEVELS["live"]
    active = Device.from_raw(kind, {"id": "one", "state": state})
    resting = Device.from_raw(kind, {"id": "one", "state": {}})
    assert live.target_of(active) == timedelta(minutes=1)
    assert live.target_of(resting) == timedelta(minutes=at_rest)
    assert minds_hours(active) is is_counted
    assert not minds_hours(resting)
