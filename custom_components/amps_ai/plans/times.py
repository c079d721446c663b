"""Times of plans: which moments a weekly recurrence means. It knows no Home Assistant."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise, product
from typing import Final, NamedTuple

# What has no end may begin so late, and no later.
LATEST: Final = timedelta(hours=1)
# What has no end is a moment.
_MOMENT: Final = timedelta(minutes=1)
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(weeks=1)
_MIDNIGHT: Final = datetime(2001, 1, 1)  # noqa: DTZ001


class Occurrence(NamedTuple):
    """One of a plan's times, known by the day on which it begins.

    In UTC: times of one zone are compared by what the clocks show, which goes
    back in autumn.
    """

    day: date
    start: datetime
    end: datetime


class Weekly(NamedTuple):
    """Some weekdays (Monday is 0), from a time on, and maybe until another one."""

    weekdays: frozenset[int]
    start: time
    end: time | None

    @property
    def length(self) -> timedelta:
        """Return how long it lasts by what the clocks show."""
        if self.end is None:
            return _MOMENT
        return (_on(self.end) - _on(self.start)) % _DAY or _DAY

    @property
    def rule(self) -> str:
        """Return it in the words of calendars."""
        days = ",".join(_DAYS[day] for day in sorted(self.weekdays))
        return f"FREQ=WEEKLY;BYDAY={days}"

    def on(self, day: date, zone: tzinfo) -> Occurrence | None:
        """Return what begins on a day; None where the clocks leave out all of it."""
        if day.weekday() not in self.weekdays:
            return None
        start = moment(day, self.start, zone)
        if self.end is None:
            return Occurrence(day=day, start=start, end=start + LATEST)
        last = day if self.end > self.start else day + _DAY
        end = moment(last, self.end, zone)
        return Occurrence(day=day, start=start, end=end) if start < end else None

    def after(self, at: datetime, zone: tzinfo) -> Iterator[Occurrence]:
        """Go through what is not over at a moment, as far as dates go."""
        with suppress(OverflowError):
            yield from self._after(at, zone)

    def _after(self, at: datetime, zone: tzinfo) -> Iterator[Occurrence]:
        if not self.weekdays:
            return
        day = at.astimezone(zone).date() - 2 * _DAY
        while True:
            occurrence = self.on(day, zone)
            if occurrence is not None and occurrence.end > at:
                yield occurrence
            day += _DAY

    def overlaps(self, other: Weekly) -> bool:
        """Tell whether two recurrences ever meet, as the clocks show it.

        What begins when the other one ends, does not.
        """
        spans = sorted(
            (begin, begin + item.length, number)
            for number, item in enumerate((self, other))
            for weekday, week in product(item.weekdays, (0, 1))
            for begin in (_on(item.start) - _MIDNIGHT + weekday * _DAY + week * _WEEK,)
        )
        return any(
            first[2] != second[2] and second[0] < first[1]
            for first, second in pairwise(spans)
        )


def moment(day: date, at: time, zone: tzinfo) -> datetime:
    """Return when the clocks show a time, in UTC.

    Of a time that comes twice it is the first; for one that is left out, the
    moment when the clocks are put forward. So what is later on the clock is never
    earlier.
    """
    local = datetime.combine(day, at, zone)
    there = local.astimezone(UTC)
    if there.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return there
    before, after = local.replace(fold=1).astimezone(UTC), there
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)


def _on(at: time) -> datetime:
    return datetime.combine(_MIDNIGHT, at)
