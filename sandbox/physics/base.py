"""What the physics of all types share."""

from typing import Any

from sandbox.values import Json

HOUR = 3600.0
DAY = 86400.0
STEP = 60.0
LONG_STEP = 300.0


def hour_of_day(seconds: float) -> float:
    """Return the hour of the day in UTC, 0 up to 24."""
    return seconds % DAY / HOUR


def day_of_year(seconds: float) -> float:
    """Return the day of the year, near enough for the seasons."""
    return seconds / DAY % 365.2425


type Leg = tuple[float, float, float, float]


def profile(legs: tuple[Leg, ...], seconds: float) -> tuple[float, float]:
    """Return where a documented day stands, and how fast it moves per hour.

    A leg is (from hour, to hour, from level, to level); one over midnight ends
    after hour 24.
    """
    hour = hour_of_day(seconds)
    for begin, end, first, last in legs:
        for shown in (hour, hour + 24):
            if begin <= shown < end:
                slope = (last - first) / (end - begin)
                return first + slope * (shown - begin), slope
    raise ValueError("The legs of a day must cover all of it")


class Physics:
    """A device as it really is, moved on only when somebody looks."""

    def __init__(self, now: float) -> None:
        """Begin at a moment."""
        self.time = now
        # What it drew from the house since, in kWh; less than 0 is what it gave.
        self.drawn = 0.0

    @property
    def load(self) -> float:
        """The power it draws from the house now, in kW; less than 0 is given."""
        return 0.0

    def advance(self, to: float) -> None:
        """Move on to a moment, in steps that end on whole minutes."""
        if to < self.time:
            # The clock was set back: what was, stays, and time goes on from there.
            self._jump(to)
            return
        grid = STEP if to - self.time < 3 * DAY else LONG_STEP
        while self.time < to:
            end = min(to, (self.time // grid + 1) * grid)
            self._step(self.time, end)
            self.time = end

    def state(self) -> Json:
        """Return the `state` of the device, as the API words it."""
        raise NotImplementedError

    def command(self, name: str, values: dict[str, float]) -> None:
        """Take a command that stands until another one comes."""

    def setting(self, name: str, value: Any) -> None:
        """Take a setting."""

    def standing(self) -> Any:
        """Return the standing command, to be given back to `restore`."""

    def restore(self, standing: Any) -> None:
        """Go back to a command that stood before."""

    def _jump(self, to: float) -> None:
        """Take another time without living through the time between."""
        self.time = to

    def _step(self, begin: float, end: float) -> None:
        """Live from `begin` to `end`, at most some minutes."""
