"""Tries: how often something was in vain, and when it is tried again."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from ..api.clock import Clock

# Pauses double, up to the one near the time of an occurrence, or far from it.
_FIRST: Final = timedelta(seconds=30)
_NEAR: Final = timedelta(hours=1)
_LONGEST_NEAR: Final = timedelta(minutes=10)
_LONGEST: Final = timedelta(hours=6)
# Before a time that is near, one more try.
_JUST_BEFORE: Final = timedelta(minutes=5)
_MOST_DOUBLED: Final = 12
# So often what made way is planned again at once.
_DISPLACED: Final = 5


class Tries:
    """The tries of one device's keeper."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing tried."""
        self._clock = clock
        self._count = 0
        self._displaced = 0
        # A plan and a day of it.
        self.what: tuple[str, date] | None = None
        # What was in the way the last time: as a code, and in words.
        self.code: str | None = None
        self.words: str | None = None
        self.again_at: datetime | None = None
        # The same of each plan, until it works.
        self._troubles: dict[str, tuple[date, str | None, str | None]] = {}

    def __bool__(self) -> bool:
        """Tell whether anything was in vain."""
        return self._count > 0

    @property
    def is_pause(self) -> bool:
        """Tell whether it is too early for another try."""
        return self.again_at is not None and self._clock.now() < self.again_at

    def begin(self, what: tuple[str, date]) -> None:
        """Begin to try something, if that is not what is tried already."""
        if self.what != what:
            self.end()
            self.what = what

    def end(self) -> None:
        """Forget what was in vain."""
        self._count = self._displaced = 0
        self.what = self.code = self.words = self.again_at = None

    def taken(self) -> None:
        """Take note that it was taken; what it comes to is still to be seen."""
        self.code = self.words = self.again_at = None

    def go_on(self) -> None:
        """Let the next try be made at once."""
        self.again_at = None

    def failed(self, start: datetime, code: str | None, words: str | None) -> None:
        """Take note of what was in the way of something that begins then."""
        self.in_the_way(code, words)
        self.pause(start)

    def in_the_way(self, code: str | None, words: str | None = None) -> None:
        """Take note of what is in the way, which will tell when it is not."""
        self.code, self.words = code, words
        if self.what is not None:
            plan_id, day = self.what
            self._troubles[plan_id] = (day, code, words)

    def trouble(self, plan_id: str, day: date) -> tuple[str | None, str | None]:
        """Return what was in the way of a plan on a day, for good."""
        known, code, words = self._troubles.pop(plan_id, (None, None, None))
        return (code, words) if known == day else (None, None)

    def displaced(self, start: datetime) -> None:
        """Take note that something made way, which somebody may do for ever."""
        self._displaced += 1
        if self._displaced > _DISPLACED:
            self.pause(start)

    def pause(self, start: datetime) -> None:
        """Wait longer each time, but try once more before the time has come."""
        now = self._clock.now()
        longest = _LONGEST_NEAR if start - now < _NEAR else _LONGEST
        self.again_at = now + min(
            _FIRST * 2 ** min(self._count, _MOST_DOUBLED), longest
        )
        self._count += 1
        if now < start - _JUST_BEFORE < self.again_at:
            self.again_at = start - _JUST_BEFORE

    def wait_until(self, at: datetime) -> None:
        """Try no more before a time."""
        self.again_at = at

    def as_dict(self) -> dict[str, Any]:
        """Return the state, for diagnostics."""
        return {
            "count": self._count,
            "displaced": self._displaced,
            "code": self.code,
            "again_at": self.again_at and self.again_at.isoformat(),
        }
