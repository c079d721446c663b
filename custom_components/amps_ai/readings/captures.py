"""Captures: when the devices of a type were asked for, and captured.

Readings overtake each other on their way. What was captured later is newer; of
the same capture, what was asked for later. Who comes last is no matter.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import callback

from ..api import Device
from ..api.clock import Clock, Countdown

# The API serves an expedited read from its cache for so long.
EXPEDITED_TTL: Final = timedelta(seconds=60)
# What time the API has is known to a second or so.
_SKEW: Final = timedelta(seconds=2)


class Captures:
    """Keep what tells the readings of one type of devices apart in time."""

    def __init__(self, clock: Clock) -> None:
        """Begin with no reading."""
        self._clock = clock
        self._expedited: dict[str, Countdown] = {}
        # When the last single read of a device was captured.
        self._single: dict[str, datetime | None] = {}
        # When the last reading of a device was asked for; marks of the clock.
        self._asked: dict[str, float] = {}
        # The devices that a single read is under way for.
        self._reading: set[str] = set()

    def settled(self, device: Device) -> Device:
        """Return a reading; one that says to be of the future is of now."""
        pulled = device.sync.last_pulled_at
        if pulled is None or (past := self._clock.past(pulled)) == pulled:
            return device
        return device.captured_by(past)

    def single(self, device_id: str) -> datetime | None:
        """Return when a device was last captured by a single read."""
        return self._single.get(device_id)

    @callback
    def async_expedite(self, device_id: str, *, force: bool) -> bool:
        """Begin an expedited read; tell whether it is worth it.

        Within a minute of the last one the API would answer from its cache,
        unless something was pushed since (`force`).
        """
        if self._expedited.get(device_id) and not force:
            return False
        self._expedited[device_id] = Countdown(EXPEDITED_TTL.total_seconds())
        return True

    @contextmanager
    def reading(self, device_id: str) -> Iterator[None]:
        """Take what lists bring meanwhile as caused by this single read."""
        self._reading.add(device_id)
        try:
            yield
        finally:
            self._reading.discard(device_id)

    @callback
    def async_failed(self, device_id: str) -> None:
        """Take note that a single read brought nothing."""
        self._expedited.pop(device_id, None)

    @callback
    def async_listed(
        self, device: Device, known: Device | None, asked_at: float
    ) -> bool:
        """Take note of a reading that a list brought.

        Tells whether the device was captured for somebody else.
        """
        self._asked[device.id] = asked_at
        captured = device.sync.last_pulled_at
        if known is None or captured is None or device.id in self._reading:
            return False
        ours = (known.sync.last_pulled_at, self._single.get(device.id))
        return all(held is None or held < captured for held in ours)

    @callback
    def async_read(self, device: Device, asked_at: float) -> None:
        """Take note of a single read."""
        self._asked[device.id] = asked_at
        self._single[device.id] = device.sync.last_pulled_at

    @staticmethod
    def is_from_cache(device: Device, known: Device, since: datetime) -> bool:
        """Tell whether a single read found what somebody else had captured.

        That is newer than what was known, and older than the read.
        """
        captured, held = device.sync.last_pulled_at, known.sync.last_pulled_at
        if captured is None or held is None:
            return False
        return held < captured < since - _SKEW

    @staticmethod
    def is_older(device: Device, known: Device) -> bool:
        """Tell whether a reading was captured before another one."""
        captured, held = device.sync.last_pulled_at, known.sync.last_pulled_at
        return captured is not None and held is not None and captured < held

    def is_overtaken(self, device: Device, current: Device, asked_at: float) -> bool:
        """Tell whether a single read is older than what is known."""
        if not current.detailed:
            return False
        if self.is_older(device, current) or self.is_older(current, device):
            return self.is_older(device, current)
        return asked_at < self._asked.get(device.id, asked_at)

    @callback
    def async_forget(self, device_id: str) -> None:
        """Forget a device that is gone."""
        for known in (self._expedited, self._single, self._asked):
            known.pop(device_id, None)
