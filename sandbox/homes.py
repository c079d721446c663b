"""The homes of the sandbox, and the devices in them."""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any, Final

from .actions import Action
from .agenda import Agenda
from .catalogue import (
    BOTH_STRATEGIES,
    CATALOGUE,
    Model,
    command,
    commands_of,
    physics_of,
    range_of,
    settings_of,
    strategies_of,
)
from .clock import Clock
from .devices import REMOVE, Device
from .kinds import BATTERY, EV_CHARGER, HVAC, KINDS, SOLAR, VEHICLE, Kind, kind_of
from .physics import ChargerPhysics, VehiclePhysics
from .values import Json

DATA: Final = Path(__file__).parent / "data"
USERS: Final = ("user_abc123", "anna@example.org")


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something a webhook would tell of.

    `kind` is `push.completed`, `push.failed`, `push.cancelled` (which the API sends
    no webhook for), `device.connected`, `device.reconnected` or
    `device.disconnected`.
    """

    kind: str
    at: float
    home: Home
    device: Device
    action: Action | None = None


@dataclass(kw_only=True)
class Malformed:
    """Something in a list that is no device."""

    user: str
    item: Any


class Home:
    """The devices of an account, with their actions and their time zone."""

    def __init__(
        self,
        clock: Clock,
        *,
        name: str = "empty",
        seed: int = 1,
        devices: int = 250,
        prefix: str = "",
        environment: str = "sandbox",
        time_zone: str = "Europe/Berlin",
        action_seconds: float = 4.0,
        push_shows_at_once: bool = True,
        settings_in_list: bool = False,
        last_action_lag: float = 0.0,
    ) -> None:
        """Furnish a home."""
        self.clock = clock
        self.name = name
        self.seed = seed
        self.prefix = prefix
        self.environment = environment
        self.time_zone = time_zone
        self.action_seconds = action_seconds
        self.push_shows_at_once = push_shows_at_once
        self.settings_in_list = settings_in_list
        self.last_action_lag = last_action_lag
        self.generation = "before" if name == "classic" else "now"
        self.agenda = Agenda()
        self.live_calls: Counter[str] = Counter()
        self.actions: list[Action] = []
        self.on_event: Callable[[Event], None] | None = None
        self._lists: dict[str, list[Device | Malformed]] = {
            kind.type: [] for kind in KINDS
        }
        self._by_id: dict[tuple[str, str], Device] = {}
        self._by_action: dict[str, Action] = {}
        self._numbers: Counter[str] = Counter()
        FURNISH[name](self, devices)

    @property
    def at_once(self) -> bool:
        """Whether a push works and is captured at once, as the real sandbox does."""
        return self.environment == "sandbox" and self.push_shows_at_once

    @property
    def devices(self) -> list[Device]:
        """All devices, type by type."""
        return list(self._by_id.values())

    def entries(self, kind: Kind) -> list[Device | Malformed]:
        """Return what a list of a type has, in order."""
        return self._lists[kind.type]

    def find(self, device_id: str, kind: Kind | str | None = None) -> Device | None:
        """Return a device, or nothing."""
        kinds = KINDS if kind is None else (kind_of(kind),)
        for candidate in kinds:
            if (device := self._by_id.get((candidate.type, device_id))) is not None:
                return device
        return None

    def device(self, device_id: str, kind: Kind | str | None = None) -> Device:
        """Return a device that must be there."""
        if (device := self.find(device_id, kind)) is None:
            raise KeyError(device_id)
        return device

    def settle(self) -> None:
        """Let everything happen that is due by now."""
        self.agenda.settle(self.clock.time())

    def add_device(
        self,
        kind: Kind | str,
        *,
        device_id: str | None = None,
        vendor: str | None = None,
        model: str | Model | None = None,
        user: str | None = None,
        generation: str | None = None,
        offset: float = 0.0,
    ) -> Device:
        """Connect a device; unknown vendors and models are built like the first."""
        self.settle()
        kind = kind_of(kind)
        self._numbers[kind.type] += 1
        count = self._numbers[kind.type]
        if device_id is None:
            device_id = f"device_{self.prefix}{kind.short}_{count:03d}"
        if (kind.type, device_id) in self._by_id:
            raise ValueError(f"There is a device {device_id!r} already")
        built = _pick_model(kind, vendor, model)
        generation = self.generation if generation is None else generation
        device = Device(
            self,
            kind,
            device_id,
            vendor=vendor or built.vendor,
            model=model if isinstance(model, str) else built.name,
            user=user or USERS[0],
            physics=physics_of(
                built,
                self.clock.time(),
                f"{self.seed}:{device_id}",
                offset=offset,
            ),
            commands=commands_of(built),
            settings=settings_of(built),
            read_only=frozenset({"scheduler_enabled"}),
            strategies=strategies_of(built),
            generation=generation,
        )
        self._by_id[kind.type, device_id] = device
        self._lists[kind.type].append(device)
        self._pair(device)
        self.tell("device.connected", device)
        return device

    def add_malformed(
        self, kind: Kind | str, item: Any, *, user: str | None = None
    ) -> None:
        """Put something into a list that is no device."""
        entry = Malformed(user=user or USERS[0], item=item)
        self._lists[kind_of(kind).type].append(entry)

    def remove_device(self, device_id: str, kind: Kind | str | None = None) -> None:
        """Disconnect a device for good."""
        self.settle()
        device = self.device(device_id, kind)
        device.gone = True
        physics = device.physics
        if isinstance(physics, VehiclePhysics) and physics.charger is not None:
            # The charger keeps a car of its own from here on.
            physics.advance(self.clock.time())
            physics.charger.link(VehiclePhysics(self.clock.time()))
        elif isinstance(physics, ChargerPhysics):
            physics.vehicle.charger = None
        del self._by_id[device.kind.type, device_id]
        self._lists[device.kind.type].remove(device)

    def users(self) -> list[str]:
        """Return the end users, in order of their first device."""
        return list(dict.fromkeys(device.user for device in self.devices))

    # Actions.

    def note_action(self, action: Action) -> None:
        """Keep an action where `/actions` finds it."""
        self.actions.append(action)
        self._by_action[action.id] = action

    def action(self, action_id: str) -> Action | None:
        """Return an action, or nothing."""
        return self._by_action.get(action_id)

    def action_ended(self, action: Action, at: float) -> None:
        """Tell that an action has come to its end."""
        self.tell(f"push.{action.state}", action.device, action=action, at=at)

    def tell(
        self,
        kind: str,
        device: Device,
        *,
        action: Action | None = None,
        at: float | None = None,
    ) -> None:
        """Tell of an event. Whoever sends webhooks listens here."""
        if self.on_event is not None:
            moment = self.clock.time() if at is None else at
            self.on_event(
                Event(kind=kind, at=moment, home=self, device=device, action=action)
            )

    def _pair(self, device: Device) -> None:
        """Park the n-th vehicle at the n-th charger."""
        if device.kind not in (EV_CHARGER, VEHICLE):
            return
        chargers = self._physics(EV_CHARGER)
        vehicles = self._physics(VEHICLE)
        number = len(chargers if device.kind is EV_CHARGER else vehicles) - 1
        if number < min(len(chargers), len(vehicles)):
            charger, vehicle = chargers[number], vehicles[number]
            if isinstance(charger, ChargerPhysics) and isinstance(
                vehicle, VehiclePhysics
            ):
                charger.advance(self.clock.time())
                vehicle.advance(self.clock.time())
                charger.link(vehicle)
                for entry in self.devices:
                    if entry.physics is charger:
                        entry.capture_at(self.clock.time())

    def _physics(self, kind: Kind) -> list[Any]:
        """Return the physics of a type, in order."""
        entries = self._lists[kind.type]
        return [entry.physics for entry in entries if isinstance(entry, Device)]


def _pick_model(kind: Kind, vendor: str | None, model: str | Model | None) -> Model:
    """Return the model of the catalogue that is meant, or the first."""
    if isinstance(model, Model):
        return model
    models = CATALOGUE[kind.type]
    for candidate in models:
        if model == candidate.name or (model is None and vendor == candidate.vendor):
            return candidate
    return models[0]


# The homes.


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


def _documented(home: Home, count: int) -> None:
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


def _odd(home: Home, count: int) -> None:
    """Connect what is missing, unknown, null or plainly wrong."""
    _odd_batteries(home)
    _odd_others(home)
    home.add_malformed(BATTERY, "device_as_a_string")
    home.add_malformed(
        BATTERY,
        {"vendor": "nameless", "metadata": {"model": "No id"}, "state": {"level": 50}},
    )
    home.add_malformed(HVAC, None)
    home.add_malformed(SOLAR, 17)
    listed = home.add_device(BATTERY, device_id="odd_battery_list_state")
    listed.body_override = {"state": ["charging", 55]}
    for kind in (BATTERY, HVAC):
        home.add_device(kind, device_id="odd_shared_id")
    for device in home.devices:
        device.capture()


def _odd_batteries(home: Home) -> None:
    """Connect the odd batteries."""
    bare = home.add_device(BATTERY, device_id="odd_battery_minimal")
    bare.commands, bare.settings, bare.strategies, bare.model = None, {}, None, None
    bare.body_override = {
        "metadata": REMOVE,
        "lastAction": REMOVE,
        "currentSchedule": REMOVE,
        "vendor": REMOVE,
    }
    bare.state_override = {"dischargeLimit": REMOVE, "currentMode": REMOVE}

    unknown = home.add_device(BATTERY, device_id="odd_battery_unknown")
    unknown.commands = (unknown.commands or {}) | {
        "auto.arbitrage": command(
            ["immediate", "market_hours"],
            aggressiveness=range_of("ratio", 0, 1),
            horizon={"unit": "hours"},
        )
    }
    unknown.settings["grid_code"] = {"value": "VDE-AR-N 4105", "unit": "text"}
    unknown.settings["ramp_rate"] = {"value": 5, "unit": "percent_per_second"}
    unknown.strategies = [*BOTH_STRATEGIES, "merge"]
    unknown.state_override = {
        "status": "balancing_cells",
        "currentMode": "auto.trading",
        "capacity": 10400,
        "cellTemperatures": [21.5, 22.0],
        "stateOfHealth": 97,
    }
    unknown.body_override = {"firmware": {"version": "9.1"}, "tags": ["cellar"]}

    nulls = home.add_device(BATTERY, device_id="odd_battery_null")
    nulls.state_override = {
        "status": None,
        "level": None,
        "capacity": None,
        "chargeRate": None,
        "dischargeLimit": None,
        "currentMode": None,
    }
    nulls.body_override = {
        "metadata": None,
        "commands": None,
        "settings": None,
        "conflictStrategies": None,
        "sync": None,
    }

    words = home.add_device(BATTERY, device_id="odd_battery_words")
    words.state_override = {"level": "67", "capacity": "ten", "chargeRate": "-1.5"}
    words.body_override = {"sync": {"available": "yes", "lastPulledAt": "yesterday"}}


def _odd_others(home: Home) -> None:
    """Connect the odd devices of the other types."""
    charger = home.add_device(EV_CHARGER, device_id="odd_ev_unknown")
    charger.state_override = {
        "status": "SuspendedEVSE",
        "currentPower": "7.2",
        "maxCurrent": REMOVE,
        "isConnected": REMOVE,
    }
    charger.settings = {"max_charge_rate": {"value": 11, "unit": "kw"}}
    minimal = home.add_device(EV_CHARGER, device_id="odd_ev_minimal")
    minimal.settings, minimal.strategies, minimal.model = {}, None, None
    minimal.body_override = {"metadata": {}, "sync": REMOVE, "state": {}}

    hold = home.add_device(HVAC, device_id="odd_hvac_unknown")
    hold.state_override = {"holdType": "until_next_transition", "mode": "emergency"}
    heater = home.add_device(HVAC, device_id="odd_hvac_heat_only")
    heater.commands = {"heat": command(["immediate"], target={"unit": "celsius"})}
    heater.state_override = {"coolSetpoint": None, "active": REMOVE}

    night = home.add_device(SOLAR, device_id="odd_inverter_unknown")
    night.state_override = {
        "status": "curtailed",
        "energyTotal": None,
        "producing": REMOVE,
    }
    vehicle = home.add_device(VEHICLE, device_id="odd_vehicle_words")
    vehicle.state_override = {
        "range": "184 mi",
        "batteryLevel": "64",
        "plugged": "true",
        "chargeTimeRemaining": None,
        "odometer": 12345,
    }
    empty = home.add_device(VEHICLE, device_id="odd_vehicle_null")
    empty.state_override = dict.fromkeys(empty.captured or {})


FURNISH: Final[dict[str, Callable[[Home, int], None]]] = {
    "home": _one_each,
    "classic": _one_each,
    "documented": _documented,
    "big": _big,
    "odd": _odd,
    "empty": _empty,
    "two": _two,
}
