"""The homes by name, and what stands in them."""

from collections.abc import Callable
from typing import Final

from sandbox.catalogue import CATALOGUE
from sandbox.devices import REMOVE
from sandbox.kinds import BATTERY, HVAC, KINDS, SOLAR

from .documented import documented
from .home import USERS, Home
from .odd import odd


def _empty(home: Home, count: int) -> None:
    """Connect nothing."""


def _one_each(home: Home, count: int) -> None:
    """Connect one device of each type."""
    for kind in KINDS:
        home.add_device(kind)


def _two(home: Home, count: int) -> None:
    """Connect two of each type, alike in vendor and model, of two users."""
    for kind in KINDS:
        for user in USERS:
            home.add_device(kind, user=user)


def _big(home: Home, count: int) -> None:
    """Connect many devices, five to a user."""
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        models = CATALOGUE[kind.type]
        turn = number // len(KINDS)
        home.add_device(
            kind,
            model=models[turn % len(models)],
            user=f"user_{turn:05d}",
            offset=float(turn % 7 - 3) / 2,
        )


def _classic(home: Home, count: int) -> None:
    """Connect one device of each type, of the generation before."""
    if home.generation == "now":
        home.generation = "before"
    _one_each(home, count)


def _foxess(home: Home, count: int) -> None:
    """Connect what takes commands in windows only, as real devices do."""
    home.add_device(BATTERY, model="FoxESS H1-5.0-E")
    other = home.add_device(BATTERY, model="H1-5.0-E")
    # As documented: its capacity in Wh, and no standing command.
    other.state_override = {
        "capacity": 10400,
        "currentMode": REMOVE,
        "dischargeLimit": REMOVE,
    }
    home.add_device(BATTERY, model="Hybrid Gen 2")
    home.add_device(SOLAR, model="FoxESS H1-5.0-E PV")


def _units(home: Home, count: int) -> None:
    """Connect what speaks in other units than the rest."""
    home.add_device(BATTERY, model="Every Unit")
    home.add_device(HVAC, model="Touch 2")


FURNISH: Final[dict[str, Callable[[Home, int], None]]] = {
    "home": _one_each,
    "classic": _classic,
    "documented": documented,
    "big": _big,
    "odd": odd,
    "empty": _empty,
    "foxess": _foxess,
    "two": _two,
    "units": _units,
}


def furnish(home: Home, count: int) -> None:
    """Connect the devices that the name of a home promises."""
    FURNISH[home.name](home, count)
