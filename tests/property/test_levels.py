"""When devices are captured next: never too late, and just before an hour ends."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.amps_ai.api import Device, DeviceType
from custom_components.amps_ai.readings.levels import LEVELS, Level, minds_hours

CACHE = 900
CACHE_EXPEDITED = 60
HOURS = 6
# Past the cache for sure, and longer so that one ends with the hour.
MORE = 0.3 + 1.2
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
    level: Level, begin: datetime, lead: timedelta, requests: Random
) -> list[tuple[datetime, bool]]:
    """Return the captures of some hours, and which were expedited."""
    captures = [(begin, False)]
    while captures[-1][0] < begin + timedelta(hours=HOURS):
        planned = level.next_to_end(PRODUCES, captures[-1][0], lead)
        took = requests.uniform(0.05, LONGEST_REQUEST)
        captures.append((planned.at + timedelta(seconds=took), planned.expedite))
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
    """Each hour has its own energy, no state is too old, and no read is in vain."""
    level = LEVELS[name]
    begin = BEGIN + timedelta(seconds=second)
    captures = _live(level, begin, timedelta(seconds=4 * lead), requests)
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
    for hour in range(2, HOURS):
        end = BEGIN + timedelta(hours=hour)
        last = max(at for at, _ in captures if at < end)
        assert _until_end(last) <= 30 + 4 * lead, (hour, last)


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
