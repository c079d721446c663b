"""Which moments a recurrence means, also where the clocks are put forward or back."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.amps_ai.plans.times import LATEST, Weekly, moment

BERLIN = ZoneInfo("Europe/Berlin")
# Clocks change by an hour, by half of one, never, and at midnight.
ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "America/Santiago",
        "America/New_York",
    )
]
FORWARD = date(2026, 3, 29)
BACK = date(2026, 10, 25)

times = st.times().map(lambda at: at.replace(second=0, microsecond=0))
weekdays = st.frozensets(st.integers(0, 6), min_size=1)
weeklies = st.builds(
    lambda days, start, end: Weekly(
        weekdays=days, start=start, end=None if end == start else end
    ),
    weekdays,
    times,
    st.none() | times,
)
days = st.dates(date(2025, 1, 1), date(2028, 1, 1))


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _weekly(days: str, start: str, end: str | None) -> Weekly:
    return Weekly(
        weekdays=frozenset(map(int, days)),
        start=time.fromisoformat(start),
        end=(end and time.fromisoformat(end)) or None,
    )


@pytest.mark.parametrize(
    ("day", "at", "expected"),
    [
        (date(2026, 6, 1), "22:00", "2026-06-01 20:00"),
        # Left out: the moment when the clocks are put forward.
        (FORWARD, "01:59", "2026-03-29 00:59"),
        (FORWARD, "02:00", "2026-03-29 01:00"),
        (FORWARD, "02:30", "2026-03-29 01:00"),
        (FORWARD, "03:00", "2026-03-29 01:00"),
        # Twice: the first.
        (BACK, "02:30", "2026-10-25 00:30"),
        (BACK, "03:00", "2026-10-25 02:00"),
    ],
)
def test_moment(day: date, at: str, expected: str) -> None:
    assert moment(day, time.fromisoformat(at), BERLIN) == _utc(expected)


@pytest.mark.parametrize(
    ("start", "end", "day", "expected"),
    [
        ("22:00", "05:00", date(2026, 6, 1), ("2026-06-01 20:00", "2026-06-02 03:00")),
        ("02:30", "05:00", FORWARD, ("2026-03-29 01:00", "2026-03-29 03:00")),
        ("01:30", "02:30", FORWARD, ("2026-03-29 00:30", "2026-03-29 01:00")),
        (
            "23:00",
            "02:30",
            date(2026, 10, 24),
            ("2026-10-24 21:00", "2026-10-25 00:30"),
        ),
        ("02:30", "03:30", BACK, ("2026-10-25 00:30", "2026-10-25 02:30")),
    ],
)
def test_window(start: str, end: str, day: date, expected: tuple[str, str]) -> None:
    found = _weekly("0123456", start, end).on(day, BERLIN)
    assert found is not None
    assert (found.start, found.end) == (_utc(expected[0]), _utc(expected[1]))


def test_window_that_the_clocks_leave_out() -> None:
    weekly = _weekly("0123456", "02:10", "02:50")
    assert weekly.on(FORWARD, BERLIN) is None
    after = islice(weekly.after(_utc("2026-03-28 12:00"), BERLIN), 1)
    assert [item.day for item in after] == [date(2026, 3, 30)]


def test_other_weekday() -> None:
    assert _weekly("1", "22:00", None).on(date(2026, 6, 1), BERLIN) is None
    assert (
        list(_weekly("", "22:00", None).after(_utc("2026-06-01 12:00"), BERLIN)) == []
    )


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (("0", "22:00", "05:00"), ("1", "04:00", "06:00"), True),
        (("0", "22:00", "05:00"), ("1", "05:00", "06:00"), False),
        (("0", "22:00", "05:00"), ("0", "04:00", "06:00"), False),
        (("6", "23:00", "01:00"), ("0", "00:30", "02:00"), True),
        (("0", "10:00", None), ("0", "09:00", "11:00"), True),
        (("0", "10:00", None), ("0", "10:30", "11:00"), False),
        (("0", "10:00", None), ("0", "10:00", None), True),
        (("0", "12:00", "12:00"), ("1", "11:00", "11:30"), True),
    ],
)
def test_overlaps(
    one: tuple[str, str, str | None], other: tuple[str, str, str | None], *, meet: bool
) -> None:
    assert _weekly(*one).overlaps(_weekly(*other)) is meet
    assert _weekly(*other).overlaps(_weekly(*one)) is meet


def test_rule() -> None:
    assert _weekly("460", "10:00", None).rule == "FREQ=WEEKLY;BYDAY=MO,FR,SU"


@given(weekly=weeklies, zone=st.sampled_from(ZONES), day=days, hour=st.integers(0, 23))
def test_occurrences_follow_each_other(
    weekly: Weekly, zone: ZoneInfo, day: date, hour: int
) -> None:
    """Each is on one of the days, none is missing, and they do not overlap."""
    at = datetime.combine(day, time(hour), UTC)
    found = list(islice(weekly.after(at, zone), 20))
    assert all(item.end > at for item in found)
    assert all(item.day.weekday() in weekly.weekdays for item in found)
    for first, second in pairwise(found):
        assert first.day < second.day
        assert first.start < second.start
        if weekly.end is not None:
            assert first.end <= second.start
    # What comes later is what comes now, less what is over.
    later = found[0].end
    assert list(islice(weekly.after(later, zone), 10)) == found[1:11]


@given(weekly=weeklies, zone=st.sampled_from(ZONES), day=days)
def test_clocks_show_what_was_said(weekly: Weekly, zone: ZoneInfo, day: date) -> None:
    occurrence = weekly.on(day, zone)
    if occurrence is None:
        assert day.weekday() not in weekly.weekdays or weekly.end is not None
        return
    shown = occurrence.start.astimezone(zone)
    if shown.replace(tzinfo=None) != datetime.combine(day, weekly.start):
        # Left out: it is the moment in which the clocks jump.
        before = (occurrence.start - timedelta(seconds=1)).astimezone(zone)
        assert before.replace(tzinfo=None) < datetime.combine(day, weekly.start)
        assert before.utcoffset() != shown.utcoffset()
    if weekly.end is None:
        assert occurrence.end - occurrence.start == LATEST


@given(
    day=days,
    earlier=times,
    later=times,
    zone=st.sampled_from(ZONES),
)
def test_later_on_the_clock_is_never_earlier(
    day: date, earlier: time, later: time, zone: ZoneInfo
) -> None:
    earlier, later = sorted((earlier, later))
    assert moment(day, earlier, zone) <= moment(day, later, zone)


@given(one=weeklies, other=weeklies, zone=st.sampled_from(ZONES), day=days)
def test_what_does_not_overlap_never_meets(
    one: Weekly, other: Weekly, zone: ZoneInfo, day: date
) -> None:
    if one.overlaps(other) or one.end is None or other.end is None:
        return
    at = datetime.combine(day, time(), UTC)
    for first in islice(one.after(at, zone), 10):
        for second in islice(other.after(at, zone), 10):
            assert first.end <= second.start or second.end <= first.start
