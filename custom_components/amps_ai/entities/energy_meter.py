"""Energy, estimated from power."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self, override

from homeassistant.helpers.restore_state import ExtraStoredData

from ..api.models import instant, number


@dataclass(slots=True)
class EnergyMeter(ExtraStoredData):
    """Add up a power (kW) over the times of its capture, to an energy (kWh).

    A power counts from its capture to the next one: how often it is asked
    for changes nothing. A gap that is too long to be known counts nothing.
    The energy never falls.
    """

    energy: float = 0
    power: float | None = None
    captured: datetime | None = None

    def add(
        self, power: float | None, captured: datetime | None, *, longest_gap: timedelta
    ) -> None:
        """Take a reading: the power, and when it was captured."""
        if captured is None or (
            self.captured is not None and captured <= self.captured
        ):
            return
        if self.power is not None and self.captured is not None:
            gap = captured - self.captured
            if gap <= longest_gap:
                self.energy += self.power * (gap / timedelta(hours=1))
        self.power = power
        self.captured = captured

    @override
    def as_dict(self) -> dict[str, Any]:
        """Return what to store."""
        return {
            "energy": self.energy,
            "power": self.power,
            "captured": self.captured.isoformat() if self.captured else None,
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Read what was stored; what cannot be read counts as nothing."""
        power = number(stored.get("power"))
        return cls(
            energy=max(0, number(stored.get("energy")) or 0),
            power=None if power is None else max(0, power),
            captured=instant(stored.get("captured")),
        )
