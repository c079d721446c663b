"""What time it is, and how long things take: nobody else compares times.

How long something lasted, or has to wait, is measured by a clock that nobody
sets (`passed`, `Countdown`). What time it is, is told by the API's clock, which
its times are given in (`Clock`).
"""

from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

# Clocks that are right differ by no more than this.
_SKEW: Final = timedelta(minutes=1)
# Beyond this, a clock is not off but broken.
_MOST_OFFSET: Final = timedelta(days=3650)


def mark() -> float:
    """Return this moment, for `passed`."""
    return monotonic()


def passed(since: float) -> float:
    """Return the seconds since a moment that was marked."""
    return monotonic() - since


class Countdown:
    """A time to wait; it has a beginning, and a length in seconds."""

    __slots__ = ("began", "seconds")

    def __init__(self, seconds: float) -> None:
        """Begin to wait."""
        self.began = mark()
        self.seconds = seconds

    @property
    def left(self) -> float:
        """Return the seconds that are left, 0 if it is over."""
        return max(0.0, self.seconds - passed(self.began))

    def __bool__(self) -> bool:
        """Tell whether it goes on."""
        return self.left > 0


class Clock:
    """The API's clock, as its replies tell it."""

    def __init__(self) -> None:
        """Begin with the machine's own."""
        self._offset = timedelta()

    def now(self) -> datetime:
        """Return what time it is."""
        return datetime.now(UTC) + self._offset

    def told(self, timestamp: datetime) -> None:
        """Take what a reply says that the time is."""
        offset = timestamp - datetime.now(UTC)
        if abs(offset) < _MOST_OFFSET:
            self._offset = offset

    def past(self, at: datetime) -> datetime:
        """Return a time that something was, which cannot be later than now.

        The clocks of those who tell it may differ by some seconds.
        """
        now = self.now()
        return at if at - now <= _SKEW else now

    def seconds_until(self, at: datetime) -> float:
        """Return the seconds until a time, less than 0 if it is over."""
        return (at - self.now()).total_seconds()

    def age(self, at: datetime) -> timedelta:
        """Return how long ago a time is."""
        return self.now() - at
