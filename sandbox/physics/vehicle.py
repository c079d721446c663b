"""The physics of a vehicle and of the charger it stands at."""

from collections.abc import Callable
from typing import Any, Final, override

from sandbox.values import Json, number

from .base import HOUR, Leg, Physics, hour_of_day, profile

VEHICLE_DAY: Final[tuple[Leg, ...]] = (
    (6, 9, 82, 95),
    (9, 17, 95, 71),
    (17, 21, 70, 50),
    (21, 30, 50, 82),
)
CATCH_UP: Final = 1 / 4
EMPTY: Final = 5.0


class VehiclePhysics(Physics):
    """A vehicle: driven by day, plugged in and charging by night."""

    def __init__(
        self,
        now: float,
        *,
        capacity: float = 75.0,
        miles_per_kwh: float = 3.83,
        max_power: float = 11.0,
        max_current: float = 16,
        charge_limit: float = 95.0,
        offset: float = 0.0,
    ) -> None:
        """Begin on the documented day, `offset` percent off it."""
        super().__init__(now)
        self.capacity = capacity
        self.miles_per_kwh = miles_per_kwh
        self.max_power = max_power
        self.max_current = max_current
        self.charge_limit = charge_limit
        self.offset = offset
        self.level = profile(VEHICLE_DAY, now)[0] + offset
        self.charger: ChargerPhysics | None = None

    @property
    def plugged(self) -> bool:
        """Whether the vehicle stands at home, plugged in."""
        return self.plugged_at(self.time)

    @property
    def power(self) -> float:
        """The power it charges with, in kW."""
        return self.power_at(self.time)

    def plugged_at(self, at: float) -> bool:
        """Whether the vehicle is plugged in at a moment of the day."""
        return not 9 <= hour_of_day(at) < 21

    def power_at(self, at: float) -> float:
        """Return the charging power at a moment, in kW."""
        if not self.plugged_at(at) or self.level >= self.charge_limit:
            return 0.0
        charger = self.charger
        most = self.max_power if charger is None else charger.most(self.max_power)
        if charger is not None and charger.mode == "charge":
            return most
        level, slope = profile(VEHICLE_DAY, at)
        missing = level + self.offset - self.level
        wanted = (slope + missing / CATCH_UP) * self.capacity / 100
        return max(0.0, min(most, wanted))

    @property
    @override
    def load(self) -> float:
        """The power it draws; at a charger, that is the charger's."""
        return self.power if self.charger is None else 0.0

    def live(self, begin: float, end: float) -> float:
        """Drive or charge for a step; return the kWh that were charged."""
        hours = (end - begin) / HOUR
        if self.plugged_at(begin):
            charged = self.power_at(begin) * hours / self.capacity * 100
            # One who is over the limit already stays there.
            before = self.level
            self.level = min(before + charged, max(self.charge_limit, before))
            return (self.level - before) / 100 * self.capacity
        level, slope = profile(VEHICLE_DAY, begin)
        too_much = min(0.0, level + self.offset - self.level)
        self.level = max(
            min(self.level, EMPTY), self.level + (slope + too_much / CATCH_UP) * hours
        )
        return 0.0

    @override
    def advance(self, to: float) -> None:
        """Move on, together with the charger where there is one."""
        if self.charger is not None:
            self.charger.advance(to)
        else:
            super().advance(to)

    @override
    def state(self) -> Json:
        """Return the state of a vehicle."""
        power = self.power
        missing = (self.charge_limit - self.level) / 100 * self.capacity
        return {
            "batteryLevel": number(self.level, 1),
            "range": number(self.level / 100 * self.capacity * self.miles_per_kwh, 0),
            "plugged": self.plugged,
            "charging": power > 0,
            "fullyCharged": self.level >= self.charge_limit - 0.05,
            "batteryCapacity": number(self.capacity, 1),
            "chargeLimit": number(self.charge_limit),
            "chargeRate": number(power, 2),
            "chargeTimeRemaining": (
                number(missing / power * 60, 0) if power > 0 else 0
            ),
            "maxCurrent": number(self.max_current),
        }

    @override
    def _step(self, begin: float, end: float) -> None:
        """Live without a charger of one's own."""
        self.drawn += self.live(begin, end)


class Guest:
    """A second car, which no cloud knows; it is at the charger by day."""

    capacity = 60.0
    max_power = 7.4
    first = 35.0
    enough = 80.0
    arrives = 9.25
    leaves = 20.75

    def __init__(self, now: float) -> None:
        """Begin as far charged as this hour of the day has it."""
        hours = max(0.0, hour_of_day(now) - self.arrives)
        gained = self.max_power * hours / self.capacity * 100
        self.level = min(self.enough, self.first + gained)

    def here(self, at: float) -> bool:
        """Whether the car is at the charger."""
        return self.arrives <= hour_of_day(at) < self.leaves

    def power(self, charger: ChargerPhysics) -> float:
        """Return the power it takes, in kW."""
        enough = 100.0 if charger.mode == "charge" else self.enough
        return charger.most(self.max_power) if self.level < enough else 0.0


class ChargerPhysics(Physics):
    """An EV charger, with the vehicle of the house or a guest at its plug."""

    def __init__(
        self, now: float, *, max_power: float = 11.0, max_current: float = 16
    ) -> None:
        """Begin with a vehicle of its own, until it is given one."""
        super().__init__(now)
        self.max_power = max_power
        self.max_current = max_current
        self.cap: float | None = None
        self.mode = "auto"
        self.guest = Guest(now)
        # Whether another car comes by day, while that of the house is away.
        self.guests: Callable[[], bool] = lambda: True
        self.vehicle = VehiclePhysics(now)
        self.vehicle.charger = self

    def link(self, vehicle: VehiclePhysics) -> None:
        """Give the charger a vehicle, which lives with it from now on."""
        self.vehicle.charger = None
        self.vehicle = vehicle
        vehicle.charger = self

    def most(self, wanted: float) -> float:
        """Return how much of the wanted power the charger gives."""
        if self.mode == "idle":
            return 0.0
        cap = self.max_power if self.cap is None else self.cap
        return max(0.0, min(wanted, cap, self.max_power))

    @property
    def connected(self) -> bool:
        """Whether a car is plugged in."""
        return self.vehicle.plugged_at(self.time) or self._has_guest(self.time)

    @property
    def power(self) -> float:
        """The power drawn, in kW."""
        if self.vehicle.plugged_at(self.time):
            return self.vehicle.power_at(self.time)
        if self._has_guest(self.time):
            return self.guest.power(self)
        return 0.0

    @property
    @override
    def load(self) -> float:
        """The power it draws."""
        return self.power

    def _has_guest(self, at: float) -> bool:
        """Whether a guest's car is at the charger."""
        return self.guests() and self.guest.here(at)

    @override
    def state(self) -> Json:
        """Return the state of an EV charger."""
        power = number(self.power, 2)
        if not self.connected:
            status = "available"
        elif power > 0:
            status = "charging"
        elif self.mode == "idle":
            status = "paused"
        else:
            status = "finished"
        return {
            "status": status,
            "isConnected": self.connected,
            "isCharging": power > 0,
            "currentPower": power,
            "maxCurrent": number(self.max_current),
            "powerRateLimit": number(
                self.max_power if self.cap is None else self.cap, 2
            ),
        }

    @override
    def command(self, name: str, values: dict[str, float]) -> None:
        """Begin, resume or pause."""
        self.mode = name

    @override
    def setting(self, name: str, value: Any) -> None:
        """Take the power cap."""
        if name == "max_charge_rate":
            self.cap = float(value)

    @override
    def standing(self) -> Any:
        """Return the mode."""
        return self.mode

    @override
    def restore(self, standing: Any) -> None:
        """Go back to a mode."""
        self.mode = standing

    @override
    def _jump(self, to: float) -> None:
        """Take another time, and the vehicle with it."""
        super()._jump(to)
        self.vehicle.time = to

    @override
    def _step(self, begin: float, end: float) -> None:
        """Charge whatever is at the plug."""
        self.drawn += self.vehicle.live(begin, end)
        self.vehicle.time = end
        guest = self.guest
        if not self._has_guest(begin):
            guest.level = guest.first
        elif not self.vehicle.plugged_at(begin):
            taken = guest.power(self) * (end - begin) / HOUR
            before = guest.level
            guest.level = min(100.0, before + taken / guest.capacity * 100)
            self.drawn += (guest.level - before) / 100 * guest.capacity
