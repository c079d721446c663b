"""Levels: how old a device may be, and when it is to be captured next.

What is here knows times, and nothing of Home Assistant.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from types import MappingProxyType
from typing import Final, NamedTuple

from ..api import Device, DeviceType
from .captures import EXPEDITED_TTL

# The API serves a usual read from its cache for so long.
TTL: Final = timedelta(minutes=15)
# Past the cache for sure. The API's clock is known by its replies, each of which
# takes some time: it is a bit further than is thought here.
_SURE: Final = timedelta(seconds=0.3)
_EXPEDITED: Final = EXPEDITED_TTL + _SURE
# What a request takes.
_REQUEST: Final = timedelta(seconds=0.5)

_HOUR: Final = timedelta(hours=1)
# An hour's energy is its own if there is a capture just before its end. Where
# energies are shown once in five minutes, that is four seconds before it.
_BEFORE_END: Final = timedelta(seconds=4)
_BEFORE_SHOWN: Final = timedelta(seconds=8)
# Captures that may not come earlier come a bit later each hour. They have so much
# room before one comes past the cache, which is to be seldom.
_ROOM: Final = timedelta(seconds=24)
# Two captures that would be closer to each other share the time before them.
_CLOSE: Final = timedelta(seconds=150)
# Where the cache lasts as long as a state may be old, steps are this much longer
# at most to end with an hour.
_STRETCH: Final = timedelta(seconds=1.2)
# Requests do not take the same time: the last capture may be so much earlier.
_SLACK: Final = timedelta(seconds=2)

# The field that tells whether a device does something.
_ACTIVE: Final[Mapping[DeviceType, str]] = MappingProxyType(
    {
        DeviceType.BATTERY: "charge_rate",
        DeviceType.EV_CHARGER: "is_charging",
        DeviceType.HVAC: "active",
        DeviceType.SOLAR_INVERTER: "producing",
        DeviceType.VEHICLE: "charging",
    }
)
# The types whose energy is counted; those whose power changes evenly come first, as
# they win most by a capture at the end of an hour.
COUNTED: Final = (
    DeviceType.SOLAR_INVERTER,
    DeviceType.EV_CHARGER,
    DeviceType.BATTERY,
)
# What rests, takes or gives kilowatts from one moment to the next, and is counted
# by them: when it began is known as exactly as it was looked at before.
_LEAPS: Final = frozenset({DeviceType.BATTERY, DeviceType.EV_CHARGER})


def is_active(device: Device) -> bool:
    """Tell whether a device charges, discharges, produces or runs."""
    return bool(getattr(device.state, _ACTIVE[device.type], None))


def minds_hours(device: Device) -> bool:
    """Tell whether the hours of a device's energy are to end with a capture."""
    return device.type in COUNTED and is_active(device)


def _next_end(after: datetime, before: timedelta) -> datetime:
    """Return a moment so long before the end of an hour, the first after another."""
    hour = (after + before).replace(minute=0, second=0, microsecond=0)
    return hour + _HOUR - before


class Capture(NamedTuple):
    """When a device is to be captured, and whether past the usual cache."""

    at: datetime
    expedite: bool


class Level(NamedTuple):
    """How old a device's state may be, at rest and while it does something."""

    target: timedelta
    active: timedelta
    # Past the API's own cache of 15 minutes, which is enough for the others.
    expedite: bool = False
    # The same for a battery or a charger at rest, where that is less.
    poised: timedelta | None = None

    def target_of(self, device: Device) -> timedelta:
        """Return how old the state of a device may be, by what it does now."""
        if is_active(device):
            return self.active
        if self.poised is not None and device.type in _LEAPS:
            return self.poised
        return self.target

    @property
    def soonest(self) -> timedelta:
        """Return how long after a capture the next one can be had."""
        return _EXPEDITED if self.expedite else TTL + _SURE

    def next_capture(self, device: Device, captured: datetime) -> Capture:
        """Return when a device that was captured is to be captured next."""
        after = max(self.target_of(device) + _SURE, self.soonest)
        return Capture(captured + after, self.expedite)

    def next_to_end(
        self, device: Device, captured: datetime, lead: timedelta
    ) -> Capture:
        """Return the same for one that is captured just before the end of each hour.

        It is so `lead` earlier than others whose hours end alike. Whatever it
        takes, none becomes older than any other does.
        """
        usual = self.next_capture(device, captured)
        soonest, latest = self.soonest, usual.at - captured
        before = lead + _BEFORE_SHOWN
        if not self.expedite:
            before = lead + _BEFORE_END + _ROOM
        end = _next_end(captured + _EXPEDITED, before)
        left = end - captured
        steps = ceil(left / latest)
        if left / steps >= soonest:
            return Capture(captured + left / steps, self.expedite)
        if self.expedite:
            # As long as the cache lasts, or a bit longer, so that one comes out.
            steps = max(1, left // (soonest + _REQUEST))
            step = max((left - _SLACK) / steps - _REQUEST, soonest)
            return Capture(captured + min(step, latest + _STRETCH), expedite=True)
        if steps == 1 and latest - left > _ROOM:
            return Capture(end, expedite=True)
        if steps == 2 and left - latest < _CLOSE:
            return Capture(captured + left / 2, expedite=True)
        return usual


LEVELS: Final[Mapping[str, Level]] = MappingProxyType(
    {
        "relaxed": Level(target=timedelta(minutes=30), active=timedelta(minutes=30)),
        "standard": Level(target=timedelta(minutes=15), active=timedelta(minutes=15)),
        "fast": Level(
            target=timedelta(minutes=5), active=timedelta(minutes=5), expedite=True
        ),
        "live": Level(
            target=timedelta(minutes=5),
            active=timedelta(minutes=1),
            expedite=True,
            poised=timedelta(minutes=2),
        ),
    }
)
STANDARD: Final = "standard"
