"""The physics of heating and cooling."""

from math import cos, pi
from typing import Any, Final, override

from sandbox.values import Json, number

from .base import DAY, HOUR, Physics, day_of_year, hour_of_day

# From hour, heat to, cool to.
PROGRAMME: Final = (
    (0.0, 18.0, 25.0),
    (5.0, 21.0, 24.0),
    (8.0, 19.0, 25.0),
    (16.0, 21.0, 24.0),
    (22.0, 18.0, 25.0),
)

HEATING: Final = 2.5
COOLING: Final = 2.0
INSULATION: Final = 30.0
SLACK: Final = 0.3
# What it draws while it runs, in kW.
DRAWS: Final = 1.8


def outdoors(at: float) -> float:
    """Return the temperature outside, by season and hour."""
    season = 10 - 9 * cos(2 * pi * (day_of_year(at) - 20) / 365.2425)
    return season - 5 * cos(2 * pi * (at % DAY - 2 * HOUR) / DAY)


def programme(at: float) -> tuple[float, float]:
    """Return the setpoints of the thermostat's own day."""
    hour = hour_of_day(at)
    return next(
        (heat, cool) for begin, heat, cool in reversed(PROGRAMME) if begin <= hour
    )


class HvacPhysics(Physics):
    """A thermostat in a room that follows the weather when nothing runs."""

    def __init__(
        self, now: float, *, offset: float = 0.0, fahrenheit: bool = False
    ) -> None:
        """Begin on the thermostat's own programme, in a settled room."""
        super().__init__(now)
        # What it shows and takes; inside, all is in degrees Celsius.
        self.fahrenheit = fahrenheit
        self.mode = "auto"
        self.hold = "follow_schedule"
        self.heat, self.cool = programme(now)
        self.temperature = min(max(outdoors(now) + 4, self.heat), self.cool) + offset
        self.running: str | None = None
        self._decide(0.0)

    @property
    def active(self) -> bool:
        """Whether it heats or cools just now."""
        return self.running is not None

    @property
    @override
    def load(self) -> float:
        """The power it runs with."""
        return DRAWS if self.active else 0.0

    @override
    def state(self) -> Json:
        """Return the state of a thermostat."""
        return {
            "temperature": self._shown(self.temperature),
            "active": self.active,
            "heatSetpoint": self._shown(self.heat),
            "coolSetpoint": self._shown(self.cool),
            "holdType": self.hold,
            "mode": self.mode,
        }

    def _shown(self, celsius: float) -> int | float:
        """Return a temperature in the unit of the thermostat."""
        return number(celsius * 1.8 + 32 if self.fahrenheit else celsius, 1)

    @override
    def command(self, name: str, values: dict[str, float]) -> None:
        """Hold temperatures, pause, or follow the programme again."""
        if self.fahrenheit:
            values = {key: (value - 32) / 1.8 for key, value in values.items()}
        if name == "follow_schedule":
            self.mode, self.hold = "auto", "follow_schedule"
            self.heat, self.cool = programme(self.time)
        else:
            self.mode, self.hold = ("off" if name == "idle" else name), "permanent"
            self.heat = values.get("heatSetpoint", self.heat)
            self.cool = values.get("coolSetpoint", self.cool)
            if "target" in values and name == "heat":
                self.heat = values["target"]
            elif "target" in values and name == "cool":
                self.cool = values["target"]
            if name == "auto":
                # One end of the band alone pushes the other along.
                self.cool = max(self.cool, self.heat)
        self._decide(0.0)

    @override
    def standing(self) -> Any:
        """Return mode, hold and setpoints."""
        return self.mode, self.hold, self.heat, self.cool

    @override
    def restore(self, standing: Any) -> None:
        """Go back to a mode, a hold and their setpoints."""
        self.mode, self.hold, self.heat, self.cool = standing
        if self.hold == "follow_schedule":
            self.heat, self.cool = programme(self.time)
        self._decide(0.0)

    def _decide(self, slack: float) -> None:
        """Start or stop; a running one stops at its setpoint."""
        heats = self.mode in ("heat", "auto")
        cools = self.mode in ("cool", "auto")
        if self.running == "heat" and heats and self.temperature < self.heat:
            return
        if self.running == "cool" and cools and self.temperature > self.cool:
            return
        self.running = None
        if heats and self.temperature < self.heat - slack:
            self.running = "heat"
        elif cools and self.temperature > self.cool + slack:
            self.running = "cool"

    @override
    def _step(self, begin: float, end: float) -> None:
        """Warm up, cool down or drift with the weather."""
        if self.hold == "follow_schedule":
            self.heat, self.cool = programme(begin)
        self._decide(SLACK)
        hours = (end - begin) / HOUR
        self.drawn += self.load * hours
        if self.running == "heat":
            self.temperature = min(self.heat, self.temperature + HEATING * hours)
        elif self.running == "cool":
            self.temperature = max(self.cool, self.temperature - COOLING * hours)
        else:
            drift = (outdoors(begin) + 3 - self.temperature) / INSULATION
            self.temperature += drift * hours
        self._decide(SLACK)
