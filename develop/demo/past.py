"""The week before: what the home did while nobody looked.

The sandbox's own devices live through it, so that what they are now is what the
week made of them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox import Sandbox
from sandbox.clock import Clock
from sandbox.devices import Device
from sandbox.kinds import EV_CHARGER
from sandbox.physics import Physics

DAYS: Final = 7
# How far apart the points are; Home Assistant's short statistics are as well.
STEP: Final = 300.0
# A home of so many devices has no past: it would take longer than anybody waits.
MOST_DEVICES: Final = 20

# What the meters had counted when they came into this home, in kWh.
IMPORTED: Final = 8214.6
EXPORTED: Final = 3120.4
USED: Final = 9480.2


@dataclass
class Past:
    """What was measured, point by point."""

    times: list[float] = field(default_factory=list)
    # By device, what its state was, with the kWh that went into and out of it.
    devices: dict[str, dict[str, Any]] = field(default_factory=dict)
    house: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return what can be written down."""
        return {"times": self.times, "devices": self.devices, "house": self.house}


def live(sandbox: Sandbox, until: float) -> Past:
    """Live up to a moment, and note what happens; the clock stands there then."""
    home, clock = sandbox.home, sandbox.clock
    house = home.house
    past = Past(
        devices={
            device.id: {"type": device.kind.type, "points": []}
            for device in home.devices
        }
    )
    drawn = {device.id: device.physics.drawn for device in home.devices}
    charged: defaultdict[str, float] = defaultdict(float)
    given: defaultdict[str, float] = defaultdict(float)
    for at in _points(clock.time(), until):
        clock.set(at)
        past.times.append(at)
        past.house.append(house.as_json())
        for device in home.devices:
            moved = device.physics.drawn - drawn[device.id]
            drawn[device.id] += moved
            charged[device.id] += max(0.0, moved)
            given[device.id] += max(0.0, -moved)
            past.devices[device.id]["points"].append(
                device.physics.state()
                | {"_charged": charged[device.id], "_given": given[device.id]}
            )
    for device in home.devices:
        device.capture_at(until)
    return past


def _points(begin: float, until: float) -> Iterator[float]:
    """Return the moments on the grid between two, and the last one."""
    at = (begin // STEP + 1) * STEP
    while at < until:
        yield at
        at += STEP
    yield until


def _sandbox(at: float, *, home: str, **options: Any) -> Sandbox:
    """Return a home at a moment, whose chargers take no more than they can.

    That they take up to 50 kW is what the documentation has.
    """
    sandbox = Sandbox(home=home, guests=False, clock=Clock.manual(at), **options)
    for device in sandbox.home.devices:
        cap = device.settings.get("max_charge_rate", {})
        if device.kind is EV_CHARGER and home != "documented" and "max" in cap:
            cap["max"] = cap["value"]
    return sandbox


def sandbox_before(at: float, *, home: str, **options: Any) -> Sandbox:
    """Return a home as it was some days before a moment."""
    sandbox = _sandbox(at - DAYS * 86400, home=home, **options)
    if len(sandbox.home.devices) > MOST_DEVICES:
        sandbox.clock.set(at)
        return sandbox
    house = sandbox.home.house
    house.imported, house.exported, house.used = IMPORTED, EXPORTED, USED
    return sandbox


# What is kept between two runs of the demo.


def keep(sandbox: Sandbox) -> dict[str, Any]:
    """Return all that the home has become."""
    sandbox.settle()
    home = sandbox.home
    kept: dict[str, Any] = {"at": sandbox.clock.time(), "devices": {}}
    if len(home.devices) <= MOST_DEVICES:
        house = home.house
        kept["house"] = [house.imported, house.exported, house.used]
    for device in home.devices:
        device.physics.advance(kept["at"])
        kept["devices"][device.id] = {
            "figures": _figures(device.physics),
            "settings": {
                name: setting["value"] for name, setting in device.settings.items()
            },
        }
    return kept


def remember(kept: Mapping[str, Any], *, home: str, **options: Any) -> Sandbox:
    """Return a home as it was left; its clock stands at that moment."""
    sandbox = _sandbox(kept["at"], home=home, **options)
    for device in sandbox.home.devices:
        if (before := kept["devices"].get(device.id)) is not None:
            _restore(device, before)
    if (counted := kept.get("house")) is not None:
        house = sandbox.home.house
        house.imported, house.exported, house.used = counted
    return sandbox


def _figures(physics: Physics) -> dict[str, Any]:
    """Return what makes a device what it is."""
    return {
        name: value
        for name, value in vars(physics).items()
        if not name.startswith("_")
        and (
            value is None
            or isinstance(value, int | float | str)
            or name in ("values", "settings")
        )
    }


def _restore(device: Device, before: Mapping[str, Any]) -> None:
    """Give a device back what it was."""
    for name, value in before["settings"].items():
        device.write_setting(name, value)
    physics = device.physics
    for name, value in before["figures"].items():
        if hasattr(physics, name):
            setattr(physics, name, value)
