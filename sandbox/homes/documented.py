"""A home of exactly what the documentation shows."""

from copy import deepcopy
import json
from pathlib import Path
from typing import Any, Final

from sandbox.devices import Device
from sandbox.kinds import BATTERY, EV_CHARGER, HVAC, SOLAR, VEHICLE, Kind
from sandbox.values import Json

from .home import Home

DATA: Final = Path(__file__).parents[1] / "data"


def documented(home: Home, count: int) -> None:
    """Connect exactly the devices of the documentation."""
    for kind, name in (
        (BATTERY, "battery-list"),
        (EV_CHARGER, "ev-charger-list"),
        (HVAC, "hvac-list"),
        (VEHICLE, "vehicle-list"),
    ):
        for item in _data(name)["data"]["items"]:
            _static(home, kind, item, item)
    inverter = _data("solar-inverter-read")["data"]
    _static(home, SOLAR, inverter, inverter)
    for kind, name in (
        (BATTERY, "battery-read"),
        (EV_CHARGER, "ev-charger-read"),
    ):
        read = _data(name)["data"]
        device = home.device(read["id"], kind)
        device.static_read = read
        device.settings = deepcopy(read.get("settings", {}))
        device.commands = read["commands"]
    # An older read is documented too; no documented list has its device.
    older = _data("ev-charger-read-before")
    device = _static(home, EV_CHARGER, older, older, generation="before")
    device.unlisted = True


def _data(name: str) -> Any:
    """Return a documented body."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def _static(
    home: Home, kind: Kind, listed: Json, read: Json, generation: str = "now"
) -> Device:
    """Connect a device that answers as documented."""
    device = home.add_device(
        kind,
        device_id=listed["id"],
        vendor=listed["vendor"],
        model=listed["metadata"]["model"],
        generation=generation,
    )
    device.static_list = listed
    device.static_read = read
    device.commands = listed.get("commands")
    device.settings = {}
    device.strategies = listed.get("conflictStrategies")
    return device
