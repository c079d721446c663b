"""Energy: estimated from power, or as a device counts it over its life.

What is kept here knows nothing of Home Assistant.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from ..api.models import BatteryState, EvChargerState, instant, number
from ..api.vocabulary import BatteryStatus, EvChargerStatus, understand

# Up to here, what both ends of an interval say is all that there is to it.
LONGEST_GAP: Final = timedelta(minutes=30)
# One who charges before and after is taken to have charged all the time; but
# hardly any charging lasts longer.
LONGEST_CHARGING: Final = timedelta(hours=12)

_RESTS: Final = (BatteryStatus.IDLE, BatteryStatus.STANDBY)


def battery_power(state: BatteryState) -> float | None:
    """Return the power of a battery in kW, negative while discharging.

    One that rests, by its own word, has none.
    """
    if state.status and understand(BatteryStatus, state.status) in _RESTS:
        return 0
    return state.charge_rate


def battery_content(state: BatteryState) -> float | None:
    """Return how much energy is in a battery, in kWh."""
    level, capacity = state.level, state.capacity
    if level is None or capacity is None or not 0 <= level <= 100 or capacity <= 0:
        return None
    return level / 100 * capacity


def charger_power(state: EvChargerState) -> float | None:
    """Return the power that a charger delivers, in kW.

    One that does not charge, by its own word, or has no car, delivers none.
    """
    charges = state.is_charging
    if charges is None and state.status is not None:
        status = understand(EvChargerStatus, state.status)
        charges = None if status is None else status is EvChargerStatus.CHARGING
    if charges is False or state.is_connected is False:
        return 0
    return state.current_power


@dataclass(slots=True)
class EnergyMeter:
    """Add up a power (kW) over the times of its capture, to an energy (kWh).

    Between two captures the power is taken to go straight from one to the
    other: how often it is asked for changes nothing. Over a gap that is longer
    than `LONGEST_GAP`, the change of a content counts where there is one; else
    a power that `bridges` counts where there is some at both ends. The energy
    never falls.
    """

    energy: float = 0
    power: float | None = None
    captured: datetime | None = None
    # What rises by as much as flows this way, in kWh.
    content: float | None = None

    def add(
        self,
        power: float | None,
        captured: datetime,
        *,
        content: float | None = None,
        bridges: bool = False,
    ) -> bool:
        """Take a reading; tell whether it is one that was not known."""
        if self.captured is not None:
            if captured <= self.captured:
                return False
            self.energy += self._between(
                power, captured - self.captured, content, bridges
            )
        self.power = power
        self.captured = captured
        self.content = content
        return True

    def _between(
        self,
        power: float | None,
        gap: timedelta,
        content: float | None,
        bridges: bool,
    ) -> float:
        """Return what flowed since the last reading."""
        longest = LONGEST_GAP
        if gap > LONGEST_GAP:
            if content is not None and self.content is not None:
                return max(0, content - self.content)
            if not (bridges and power and self.power):
                return 0
            longest = LONGEST_CHARGING
        if power is None or self.power is None or gap > longest:
            return 0
        return (self.power + power) / 2 * (gap / timedelta(hours=1))

    def as_dict(self) -> dict[str, Any]:
        """Return what to keep."""
        return {
            "energy": self.energy,
            "power": self.power,
            "captured": self.captured.isoformat() if self.captured else None,
            "content": self.content,
        }

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Self:
        """Read what was kept; what cannot be read counts as nothing."""
        power = number(kept.get("power"))
        return cls(
            energy=max(0, number(kept.get("energy")) or 0),
            power=None if power is None else max(0, power),
            captured=instant(kept.get("captured")),
            content=number(kept.get("content")),
        )


@dataclass(slots=True)
class LifetimeEnergy:
    """What a device says that it counted in its life, in kWh.

    A value below the last one is doubted until a second reading is below it as
    well: one wrong 0 would count all of it once more.
    """

    energy: float | None = None
    # Which capture brought the lower value.
    doubted: datetime | None = None
    # What the last reading said, as far as that is believed.
    believed: float | None = None

    def add(self, energy: float | None, captured: datetime) -> float | None:
        """Take a reading; return what is believed of it."""
        self.believed = self._judged(energy, captured)
        return self.believed

    def _judged(self, energy: float | None, captured: datetime) -> float | None:
        if energy is None:
            return None
        if self.energy is not None and energy < self.energy:
            if self.doubted is None:
                self.doubted = captured
            if captured <= self.doubted:
                return None
        self.energy = energy
        self.doubted = None
        return energy

    def as_dict(self) -> dict[str, Any]:
        """Return what to keep."""
        return {
            "energy": self.energy,
            "doubted": self.doubted.isoformat() if self.doubted else None,
        }

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Self:
        """Read what was kept; what cannot be read counts as nothing."""
        return cls(
            energy=number(kept.get("energy")), doubted=instant(kept.get("doubted"))
        )
