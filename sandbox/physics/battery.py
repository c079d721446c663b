"""The physics of a battery."""

from typing import Any, Final, override

from sandbox.values import Json, number

from .base import HOUR, Leg, Physics, hour_of_day, profile

BATTERY_DAY: Final[tuple[Leg, ...]] = (
    (6, 9, 70, 46),
    (9, 15, 50, 92),
    (15, 21, 90, 30),
    (21, 23, 30, 30),
    (23, 30, 30, 70),
)

# The level finds its way back to the documented day in about this many hours.
CATCH_UP: Final = 1 / 6
# What the current limits, in amperes, mean in kW: a 16-cell stack.
STACK_VOLTS: Final = 51.2


class BatteryPhysics(Physics):
    """A battery: its level is what its power makes of it."""

    def __init__(
        self,
        now: float,
        *,
        capacity: float = 13.5,
        max_power: float = 5.0,
        offset: float = 0.0,
    ) -> None:
        """Begin on the documented day, `offset` percent off it."""
        super().__init__(now)
        self.capacity = capacity
        self.max_power = max_power
        self.offset = offset
        self.level = profile(BATTERY_DAY, now)[0] + offset
        self.mode = "auto.balanced"
        self.values: dict[str, float] = {}
        self.settings: dict[str, Any] = {}

    @property
    def floor(self) -> float:
        """The level nothing discharges below."""
        return max(
            float(self.settings.get("safety_reserve", 0)),
            float(self.settings.get("discharge_floor", 0)),
            self.values.get("reserve", 0),
        )

    @property
    def ceiling(self) -> float:
        """The level nothing charges above."""
        return min(float(self.settings.get("charge_ceiling", 100)), 100.0)

    @property
    def power(self) -> float:
        """The power in kW, negative while discharging."""
        return self._power(self.time)

    @property
    @override
    def load(self) -> float:
        """The power it charges with."""
        return self.power

    @override
    def state(self) -> Json:
        """Return the state of a battery."""
        power = number(self.power, 3)
        if power > 0:
            status = "charging"
        elif power < 0:
            status = "discharging"
        else:
            status = "idle"
        return {
            "status": status,
            "level": number(self.level, 1),
            "capacity": number(self.capacity, 2),
            "chargeRate": power,
            "dischargeLimit": number(float(self.settings.get("discharge_floor", 10))),
            "currentMode": self.mode,
        }

    @override
    def command(self, name: str, values: dict[str, float]) -> None:
        """Take a mode with its target, power and reserve."""
        self.mode = name
        self.values = dict(values)

    @override
    def setting(self, name: str, value: Any) -> None:
        """Take a setting; limits of current limit the power."""
        self.settings[name] = value

    @override
    def standing(self) -> Any:
        """Return mode and values."""
        return self.mode, dict(self.values)

    @override
    def restore(self, standing: Any) -> None:
        """Go back to a mode and its values."""
        self.mode, self.values = standing

    def _most(self, setting: str) -> float:
        """Return the most power that a current setting leaves."""
        amps = self.settings.get(setting)
        if amps is None:
            return self.max_power
        return min(self.max_power, float(amps) * STACK_VOLTS / 1000)

    def _limits(self) -> tuple[float, float]:
        """Return the levels between which the standing command moves."""
        low, high = self.floor, self.ceiling
        if self.mode == "charge":
            high = min(high, self.values.get("target", 100))
        elif self.mode == "discharge":
            low = max(low, self.values.get("target", 0))
        elif self.mode == "auto.reserve":
            high = min(high, self.values.get("reserve", 100))
        return low, high

    def _power(self, at: float) -> float:
        """Return the power at a moment, with the level as it stands."""
        wanted = self._wanted(at)
        low, high = self._limits()
        if (wanted > 0 and self.level >= high) or (wanted < 0 and self.level <= low):
            return 0.0
        return max(
            -self._most("max_discharge_rate"),
            min(self._most("max_charge_rate"), wanted),
        )

    def _wanted(self, at: float) -> float:
        """Return the power the standing command asks for."""
        asked = self.values.get("power", self.max_power)
        match self.mode:
            case "charge":
                return asked
            case "discharge":
                return -asked
            case "idle":
                return 0.0
            case "auto.reserve":
                return self.max_power / 2
            case "auto.export" if not 9 <= hour_of_day(at) < 15:
                limit = self.settings.get("export_limit")
                return -asked if limit is None else -min(asked, float(limit) / 1000)
            case _:
                level, slope = profile(BATTERY_DAY, at)
                missing = level + self.offset - self.level
                if abs(missing) < 0.02:
                    missing = 0.0
                return (slope + missing / CATCH_UP) * self.capacity / 100

    @override
    def _step(self, begin: float, end: float) -> None:
        """Charge or discharge, and stop where the command ends."""
        power = self._power(begin)
        if not power:
            return
        low, high = self._limits()
        level = self.level + power * (end - begin) / HOUR / self.capacity * 100
        before = self.level
        self.level = min(level, high) if power > 0 else max(level, low)
        self.drawn += (self.level - before) / 100 * self.capacity
