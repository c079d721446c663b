"""How the devices of the sandbox really behave."""

from .base import Physics
from .battery import BatteryPhysics
from .house import House
from .hvac import HvacPhysics
from .solar import SolarPhysics
from .vehicle import ChargerPhysics, VehiclePhysics

__all__ = [
    "BatteryPhysics",
    "ChargerPhysics",
    "House",
    "HvacPhysics",
    "Physics",
    "SolarPhysics",
    "VehiclePhysics",
]
