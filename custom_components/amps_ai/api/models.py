"""What Amps AI says of devices and actions, as values.

Everything is presence-based: a field, command or setting that a device does
not have is absent. All values are tolerant: an unknown field is kept in `raw`
and otherwise ignored, and a field of the wrong kind counts as null. Only a
device that cannot be told apart from others (no object, no id) is malformed.

Models are frozen and compare by content. Reading a reply again hands out the
very objects of the last time for whatever did not change, so that an `is`
tells what did.
"""

from .actions import Action
from .device import Device
from .features import Command, Parameter, Setting
from .listing import Listing
from .reported import Reported
from .states import (
    STATES,
    BatteryState,
    EvChargerState,
    HvacState,
    SolarInverterState,
    State,
    Sync,
    VehicleState,
)
from .values import (
    MOST,
    Json,
    MalformedError,
    flag,
    identifier,
    identifiers,
    instant,
    mapping,
    number,
    text,
    words,
)

__all__ = [
    "MOST",
    "STATES",
    "Action",
    "BatteryState",
    "Command",
    "Device",
    "EvChargerState",
    "HvacState",
    "Json",
    "Listing",
    "MalformedError",
    "Parameter",
    "Reported",
    "Setting",
    "SolarInverterState",
    "State",
    "Sync",
    "VehicleState",
    "flag",
    "identifier",
    "identifiers",
    "instant",
    "mapping",
    "number",
    "text",
    "words",
]
