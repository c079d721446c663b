"""Readings: what the devices are like, how fresh that is, and what is planned."""

from .coordinator import AmpsCoordinator
from .coordinators import Coordinators
from .ends import Ends
from .energies import Energies
from .freshness import FreshnessPlanner
from .links import Links
from .news import Watch
from .schedule import Schedule, takes_scheduling

__all__ = [
    "AmpsCoordinator",
    "Coordinators",
    "Ends",
    "Energies",
    "FreshnessPlanner",
    "Links",
    "Schedule",
    "Watch",
    "takes_scheduling",
]
