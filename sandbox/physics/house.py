"""The house around the devices: what it uses, and its meter at the grid."""

from collections.abc import Callable, Iterable
from math import cos, pi
from typing import Final

from sandbox.values import Json, number

from .base import HOUR, STEP, Physics, hour_of_day
from .hvac import HvacPhysics
from .solar import SolarPhysics
from .vehicle import ChargerPhysics, VehiclePhysics

BASE: Final = 0.25
# At which hour people are busy, for how many hours around, and with how many kW.
BUSY: Final = ((7.0, 2.0, 0.7), (12.5, 1.5, 0.5), (19.0, 3.0, 1.3))


def usage(at: float) -> float:
    """Return what lights, kitchen and the rest use at a moment, in kW."""
    power = BASE
    for hour, width, most in BUSY:
        away = abs(hour_of_day(at) - hour)
        if away < width:
            power += most * (1 + cos(pi * away / width)) / 2
    return power


class House:
    """The meter of a house, which adds up what goes through it."""

    def __init__(self, now: float, devices: Callable[[], Iterable[Physics]]) -> None:
        """Begin to count now."""
        self.time = now
        self.imported = 0.0
        self.exported = 0.0
        self.used = 0.0
        self._devices = devices
        self._drawn = {device: device.drawn for device in self._at(now)}

    def advance(self, to: float) -> None:
        """Count up to a moment, minute by minute."""
        self.time = min(self.time, to)
        while self.time < to:
            end = min(to, (self.time // STEP + 1) * STEP)
            mean = (usage(self.time) + usage(end)) / 2
            used = mean * (end - self.time) / HOUR
            net = used
            drawn = {}
            for device in self._at(end):
                drawn[device] = device.drawn
                moved = device.drawn - self._drawn.get(device, device.drawn)
                net += moved
                if isinstance(device, HvacPhysics):
                    used += moved
            self._drawn = drawn
            self.used += used
            self.imported += max(0.0, net)
            self.exported += max(0.0, -net)
            self.time = end

    def as_json(self) -> Json:
        """Return the flows in kW, and what was counted in kWh.

        `solar` + `battery` + `grid` = `house` + `charging`: a battery gives where
        it is over 0, and the grid is drawn from.
        """
        solar = charging = battery = 0.0
        house = usage(self.time)
        for device in self._at(self.time):
            if isinstance(device, SolarPhysics):
                solar -= device.load
            elif isinstance(device, ChargerPhysics | VehiclePhysics):
                charging += device.load
            elif isinstance(device, HvacPhysics):
                house += device.load
            else:
                battery -= device.load
        flows = {
            "solar": solar,
            "battery": battery,
            "grid": house + charging - solar - battery,
            "house": house,
            "charging": charging,
            "imported": self.imported,
            "exported": self.exported,
            "used": self.used,
        }
        return {name: number(value, 4) for name, value in flows.items()}

    def _at(self, moment: float) -> list[Physics]:
        """Return the devices as they are at a moment."""
        devices = list(self._devices())
        for device in devices:
            device.advance(moment)
        return devices
