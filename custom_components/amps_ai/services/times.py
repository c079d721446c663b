"""When: the times that a call names."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Final, NamedTuple

from homeassistant.core import async_get_hass
from homeassistant.util import dt as dt_util

from ..api.clock import Clock
from ..api.commands import FARTHEST
from ..common.errors import refused
from ..common.words import moment
from .fields import ATTR_DELAY, ATTR_DURATION, ATTR_END, ATTR_START

# A window can begin so soon.
_SOON: Final = timedelta(minutes=1)


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
        raise refused("time_does_not_exist", name, field=field, time=_said(value))
    return local


def _said(at: datetime) -> str:
    return moment(async_get_hass(), at)


def _later(at: datetime, span: timedelta, name: str, field: str) -> datetime:
    """Return a time so much later, on the clock that goes on evenly."""
    if span > FARTHEST:
        raise refused("too_far_ahead", name, field=field, days=str(FARTHEST.days))
    return dt_util.as_local(dt_util.as_utc(at) + span)


class Times(NamedTuple):
    """When to begin, and when to end, as a push says it.

    A beginning without an end may be a span from now, which no zone can spoil.
    """

    start: datetime | str | None = None
    end: datetime | None = None


def times_of(data: Mapping[str, Any], name: str, clock: Clock) -> Times:
    """Return the times that a call names, refusing what cannot work.

    An end or a duration without a beginning is from now on, which for a window
    is a minute ahead.
    """
    now = dt_util.as_local(clock.now())
    delay: timedelta | None = data.get(ATTR_DELAY) or None
    has_end = ATTR_END in data or ATTR_DURATION in data
    if ATTR_START in data:
        start = _local(data[ATTR_START], name, ATTR_START)
        if start <= now:
            raise refused("start_in_past", name, start=_said(start))
    elif delay is not None:
        start = _later(now, delay, name, ATTR_DELAY)
        if not has_end:
            return Times(start=_span(delay))
    elif has_end:
        start = _later(now, _SOON, name, ATTR_START).replace(microsecond=0)
    else:
        return Times()
    end: datetime | None = None
    if ATTR_END in data:
        end = _local(data[ATTR_END], name, ATTR_END)
    elif ATTR_DURATION in data:
        end = _later(start, data[ATTR_DURATION], name, ATTR_DURATION)
    if end is not None and end <= start:
        raise refused("end_before_start", name)
    for field, at in ((ATTR_START, start), (ATTR_END, end)):
        if at is None:
            continue
        if at - now > FARTHEST:
            raise refused("too_far_ahead", name, field=field, days=str(FARTHEST.days))
        # The API takes wall-clock time, which cannot say the second of two.
        if at.fold:
            raise refused("time_comes_twice", name, field=field, time=_said(at))
    return Times(start=start.replace(tzinfo=None), end=end and end.replace(tzinfo=None))


def _span(delay: timedelta) -> str:
    """Return a delay as the API takes it: `30m`, `1.5h`."""
    minutes = ceil(delay / timedelta(minutes=1))
    if minutes >= 60 and minutes % 15 == 0:
        return f"{minutes / 60:g}h"
    return f"{minutes}m"
