"""The physics of a solar inverter."""

from math import cos, pi
from random import Random
from typing import override

from sandbox.values import Json, number

from .base import HOUR, Physics, day_of_year, hour_of_day


def daylight(at: float) -> float:
    """Return how much of the peak the sun gives at an hour, 0 to 1."""
    hour = hour_of_day(at)
    if hour <= 6 or hour >= 18:
        return 0.0
    if hour < 9:
        return (hour - 6) / 3
    if hour > 15:
        return (18 - hour) / 3
    return 1.0


def season(at: float) -> float:
    """Return how much of the peak the season leaves, less in winter."""
    return 0.65 - 0.35 * cos(2 * pi * (day_of_year(at) + 10) / 365.2425)


class SolarPhysics(Physics):
    """A solar inverter: its energy is the integral of its power."""

    def __init__(
        self, now: float, *, peak: float = 5.0, energy: float = 11540.6, seed: str = ""
    ) -> None:
        """Begin with what was produced so far."""
        super().__init__(now)
        self.peak = peak
        self.energy = energy
        self.seed = seed
        self._clouds: dict[int, float] = {}

    @property
    def power(self) -> float:
        """The power produced, in kW."""
        return self.power_at(self.time)

    @property
    @override
    def load(self) -> float:
        """The power it gives, so less than 0."""
        return -self.power

    def power_at(self, at: float) -> float:
        """Return the power at a moment, in kW."""
        sun = daylight(at)
        if not sun:
            return 0.0
        hour = int(at // HOUR)
        part = at / HOUR - hour
        clouds = self._cloud(hour) * (1 - part) + self._cloud(hour + 1) * part
        return self.peak * sun * season(at) * clouds

    @override
    def state(self) -> Json:
        """Return the state of a solar inverter."""
        power = number(self.power, 3)
        return {
            "status": "producing" if power > 0 else "idle",
            "currentPower": power,
            "producing": power > 0,
            "energyTotal": number(self.energy, 3),
        }

    def _cloud(self, hour: int) -> float:
        """Return what the clouds of an hour let through."""
        if (cloud := self._clouds.get(hour)) is None:
            if len(self._clouds) > 500:
                self._clouds.clear()
            cloud = 0.8 + 0.2 * Random(f"{self.seed}:{hour}").random()
            self._clouds[hour] = cloud
        return cloud

    @override
    def _step(self, begin: float, end: float) -> None:
        """Add what was produced."""
        mean = (self.power_at(begin) + self.power_at(end)) / 2
        produced = mean * (end - begin) / HOUR
        self.energy += produced
        self.drawn -= produced
