"""When: the times that a call names."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from homeassistant.util import dt as dt_util

from ..api.clock import Clock
from ..common.errors import refused
from .fields import ATTR_DELAY, ATTR_DURATION, ATTR_END, ATTR_START

# How far ahead the API plans.
FARTHEST: Final = timedelta(days=30)


def _local(value: datetime, name: str, field: str) -> datetime:
    """Return a time in Home Assistant's zone.

    One that the clocks leave out is refused; of one that they go through
    twice, the first is meant.
    """
    zone = dt_util.get_default_time_zone()
    try:
        if value.tzinfo is not None:
            return value.astimezone(zone)
        local = value.replace(tzinfo=zone, fold=0)
        there = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == value
    except OverflowError:
        there = False
    if not there:
        raise refused(
            "time_does_not_exist", name, field=field, time=value.isoformat(" ")
        )
    return local


def _later(at: datetime, span: timedelta, name: str, field: str) -> datetime:
    """Return a time so much later, on the clock that goes on evenly."""
    if span > FARTHEST:
        raise refused("too_far_ahead", name, field=field, days=str(FARTHEST.days))
    return dt_util.as_local(dt_util.as_utc(at) + span)


def times_of(
    data: Mapping[str, Any], name: str, clock: Clock
) -> tuple[datetime | None, datetime | None]:
    """Return start and end as aware times, refusing what cannot work."""
    now = dt_util.as_local(clock.now())
    start: datetime | None = None
    end: datetime | None = None
    if ATTR_START in data:
        start = _local(data[ATTR_START], name, ATTR_START)
    elif ATTR_DELAY in data:
        start = _later(now, data[ATTR_DELAY], name, ATTR_DELAY)
    if ATTR_END in data:
        end = _local(data[ATTR_END], name, ATTR_END)
    if start is None:
        if end is not None or ATTR_DURATION in data:
            raise refused("end_without_start", name)
        return None, None
    if ATTR_DURATION in data:
        end = _later(start, data[ATTR_DURATION], name, ATTR_DURATION)
    if start <= now:
        raise refused("start_in_past", name, start=start.isoformat(" ", "minutes"))
    if end is not None and end <= start:
        raise refused("end_before_start", name)
    for field, at in ((ATTR_START, start), (ATTR_END, end)):
        if at is None:
            continue
        if at - now > FARTHEST:
            raise refused("too_far_ahead", name, field=field, days=str(FARTHEST.days))
        # The API takes wall-clock time, which cannot say the second of two.
        if at.fold:
            raise refused("time_comes_twice", name, field=field, time=at.isoformat(" "))
    return start, end


def wall_clock(at: datetime | None) -> datetime | None:
    """Return a time as the plant's clock on the wall shows it."""
    return None if at is None else at.replace(tzinfo=None)
