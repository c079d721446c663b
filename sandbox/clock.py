"""The sandbox's own clock, which nothing that patches time can reach."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import time

type Moment = datetime | str | float


def ticks() -> float:
    """Return running seconds.

    Test tools freeze `time.time` and `time.monotonic`; they leave this one alone.
    """
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def wall() -> float:
    """Return the machine's time of day, as seconds since 1970."""
    return time.clock_gettime(time.CLOCK_REALTIME)


def to_seconds(moment: Moment) -> float:
    """Return a moment as seconds since 1970; what names no zone is UTC."""
    if isinstance(moment, int | float):
        return float(moment)
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


class Clock:
    """The time in the sandbox: set by hand, or running at any speed."""

    def __init__(
        self, start: Moment | None = None, *, running: bool, speed: float = 1.0
    ) -> None:
        """Start the clock; without `start` it begins now."""
        self._base = wall() if start is None else to_seconds(start)
        self._origin = ticks()
        self._running = running
        self._speed = 1.0
        self._listeners: list[Callable[[], None]] = []
        self.speed = speed

    @classmethod
    def manual(cls, start: Moment) -> Clock:
        """Return a clock that stands still until it is set or advanced."""
        return cls(start, running=False)

    @classmethod
    def real(cls, start: Moment | None = None, speed: float = 1.0) -> Clock:
        """Return a clock that runs, `speed` times as fast as the world."""
        return cls(start, running=True, speed=speed)

    @property
    def running(self) -> bool:
        """Whether the clock runs by itself."""
        return self._running

    @property
    def speed(self) -> float:
        """How many seconds of the sandbox one real second is."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        """Change the speed from now on."""
        if not 0 < speed <= 100_000:
            raise ValueError("The speed must be over 0 and at most 100000")
        self._rebase(self.time())
        self._speed = float(speed)

    def time(self) -> float:
        """Return the sandbox's time as seconds since 1970."""
        if not self._running:
            return self._base
        return self._base + (ticks() - self._origin) * self._speed

    def now(self) -> datetime:
        """Return the sandbox's time, in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def set(self, moment: Moment) -> None:
        """Move the clock to a moment, also a past one."""
        self._rebase(to_seconds(moment))
        self._tell()

    def advance(self, by: float | timedelta) -> None:
        """Move the clock by some seconds."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else float(by)
        self._rebase(self.time() + seconds)
        self._tell()

    def run(self, speed: float | None = None) -> None:
        """Let the clock run by itself."""
        self._rebase(self.time())
        self._running = True
        if speed is not None:
            self.speed = speed

    def hold(self) -> None:
        """Let the clock stand still from now on."""
        self._rebase(self.time())
        self._running = False

    def on_move(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call a listener whenever the clock is moved by hand."""
        self._listeners.append(listener)

        def remove() -> None:
            self._listeners.remove(listener)

        return remove

    def _rebase(self, moment: float) -> None:
        """Count from this moment on."""
        self._base = moment
        self._origin = ticks()

    def _tell(self) -> None:
        """Tell the listeners."""
        for listener in tuple(self._listeners):
            listener()
