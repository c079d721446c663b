"""The device types, and what the API calls them."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One device type."""

    path: str
    type: str
    short: str
    title: str
    pushable: bool = False
    has_settings: bool = False


BATTERY: Final = Kind(
    path="battery",
    type="battery",
    short="battery",
    title="Battery",
    pushable=True,
    has_settings=True,
)
EV_CHARGER: Final = Kind(
    path="ev-charger",
    type="ev_charger",
    short="ev",
    title="EV charger",
    pushable=True,
    has_settings=True,
)
HVAC: Final = Kind(
    path="hvac", type="hvac", short="hvac", title="Heating and cooling", pushable=True
)
SOLAR: Final = Kind(
    path="solar-inverter",
    type="solar_inverter",
    short="inverter",
    title="Solar inverter",
)
VEHICLE: Final = Kind(path="vehicle", type="vehicle", short="vehicle", title="Vehicle")

KINDS: Final = (BATTERY, EV_CHARGER, HVAC, SOLAR, VEHICLE)
BY_PATH: Final = {kind.path: kind for kind in KINDS}
BY_TYPE: Final = {kind.type: kind for kind in KINDS}


def kind_of(name: str | Kind) -> Kind:
    """Return the kind of a name, which may be its path or its device type."""
    if isinstance(name, Kind):
        return name
    kind = BY_TYPE.get(name) or BY_PATH.get(name)
    if kind is None:
        raise ValueError(f"There is no device type {name!r}")
    return kind


# The newest form of the API's bodies, and those of before.
GENERATIONS: Final = ("now", "before", "oldest")


def is_older(generation: str) -> bool:
    """Whether bodies are bare, and devices have no command map."""
    return generation != "now"
