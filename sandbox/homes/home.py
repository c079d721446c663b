"""A home: its devices, in lists, and their actions."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Unpack, override

from sandbox.catalogue import (
    CATALOGUE,
    SPECIAL,
    Model,
    commands_of,
    physics_of,
    settings_of,
    strategies_of,
)
from sandbox.clock import Clock
from sandbox.devices import Action, Device, Habits, Premises
from sandbox.kinds import EV_CHARGER, KINDS, VEHICLE, Kind, kind_of
from sandbox.physics import ChargerPhysics, House, VehiclePhysics

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


class Home(Premises):
    """The devices of an account, with their actions and their time zone."""

    def __init__(
        self,
        clock: Clock,
        *,
        name: str = "empty",
        seed: int = 1,
        prefix: str = "",
        generation: str = "now",
        environment: str = "sandbox",
        **habits: Unpack[Habits],
    ) -> None:
        """Begin without a device."""
        super().__init__(clock, environment=environment, **habits)
        self.name = name
        self.seed = seed
        self.prefix = prefix
        self.generation = generation
        self.actions: list[Action] = []
        self.on_event: Callable[[Event], None] | None = None
        self._lists: dict[str, list[Device | Malformed]] = {
            kind.type: [] for kind in KINDS
        }
        self._by_id: dict[tuple[str, str], Device] = {}
        self._by_action: dict[str, Action] = {}
        self._device_of: dict[Action, Device] = {}
        self._numbers: Counter[str] = Counter()
        self._house: House | None = None

    @property
    def house(self) -> House:
        """The meter of the house, which counts from the first look at it."""
        if self._house is None:
            self.settle()
            self._house = House(
                self.clock.time(), lambda: [entry.physics for entry in self.devices]
            )
            # What a command changes, counts from then on.
            self.agenda.before = self._house.advance
        self.settle()
        return self._house

    @override
    def settle(self) -> None:
        """Let everything happen that is due, and count what went through the meter."""
        super().settle()
        if self._house is not None:
            self._house.advance(self.clock.time())

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
        if isinstance(device.physics, ChargerPhysics):
            device.physics.guests = lambda: self.guests
            if not self.guests:
                device.capture_at(self.clock.time())
        device.on_event = self._tell
        self._by_id[kind.type, device_id] = device
        self._lists[kind.type].append(device)
        self._pair(device)
        device.tell("device.connected", None, self.clock.time())
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

    def note_action(self, action: Action, device: Device) -> None:
        """Keep an action where `/actions` finds it."""
        self.actions.append(action)
        self._by_action[action.id] = action
        self._device_of[action] = device

    def action(self, action_id: str) -> Action | None:
        """Return an action, or nothing."""
        return self._by_action.get(action_id)

    def device_of(self, action: Action) -> Device:
        """Return the device of an action, also where it went since."""
        return self._device_of[action]

    def forget_actions(self, before: float) -> set[str]:
        """Forget what was over before a moment; return the ids."""
        old = {
            action
            for action in self.actions
            if action.over and action.updated < before and not self._counts(action)
        }
        self.actions = [action for action in self.actions if action not in old]
        for device in self.devices:
            device.actions = [one for one in device.actions if one not in old]
        for action in old:
            del self._device_of[action]
            self._by_action.pop(action.id, None)
        return {action.id for action in old}

    def _counts(self, action: Action) -> bool:
        """Whether a device still tells of an action, or lives by it."""
        device = self._device_of[action]
        return action is device.actions[-1] or action is device.standing_action

    def _tell(
        self, kind: str, device: Device, action: Action | None, at: float
    ) -> None:
        """Tell of an event. Whoever sends webhooks listens here."""
        if self.on_event is not None:
            self.on_event(
                Event(kind=kind, at=at, home=self, device=device, action=action)
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
    special = [model for model in SPECIAL if model.kind is kind]
    for candidate in (*models, *special):
        if model == candidate.name or (model is None and vendor == candidate.vendor):
            return candidate
    return models[0]
