"""The homes by name, and what stands in them."""

from collections.abc import Callable
from typing import Final

from sandbox.catalogue import CATALOGUE
from sandbox.kinds import KINDS

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
    home.generation = "before"
    _one_each(home, count)


FURNISH: Final[dict[str, Callable[[Home, int], None]]] = {
    "home": _one_each,
    "classic": _classic,
    "documented": documented,
    "big": _big,
    "odd": odd,
    "empty": _empty,
    "two": _two,
}


def furnish(home: Home, count: int) -> None:
    """Connect the devices that the name of a home promises."""
    FURNISH[home.name](home, count)
