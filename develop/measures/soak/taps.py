"""Taps on every kind of control, and calls of every action."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from homeassistant.components.climate import HVACMode
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er

from custom_components.amps_ai.common.const import DOMAIN
from sandbox import Device

from .figures import OWN
from .house import House
from .ledger import Arrived, Expected, Ledger, Refusal, Tap

# What each mode of a thermostat is called by the API.
_MODE_COMMANDS: Final = {
    HVACMode.HEAT.value: "heat",
    HVACMode.COOL.value: "cool",
    HVACMode.HEAT_COOL.value: "auto",
    HVACMode.OFF.value: "idle",
}
_HOLDS: Final = frozenset({"heat", "cool", "auto"})
_STRATEGIES: Final = (None, None, "cancel_and_replace", "queue_after")

type Choice = tuple[str, dict[str, Any], Expected | None]


def _push(device: Device, *commands: str, numbers: tuple[float, ...] = ()) -> Expected:
    return Expected(
        kind="push", device=device.id, commands=frozenset(commands), numbers=numbers
    )


def _settings(device: Device, values: Mapping[str, float]) -> Expected:
    return Expected(kind="settings", device=device.id, settings=values)


@dataclass(kw_only=True)
class Tapper:
    """Somebody at the controls."""

    house: House
    ledger: Ledger
    random: Random
    # Actions that are planned, by the call that planned them.
    planned: list[tuple[Device, str]] = field(default_factory=list)
    running: set[asyncio.Task[None]] = field(default_factory=set)

    # Controls

    async def tap_something(self) -> None:
        """Tap a control, once or some times in a row, or call an action."""
        devices = [device for device in self.house.devices if device.kind.pushable]
        device = self.random.choice(devices)
        if self.random.random() < 0.35:
            self._call_action(device)
            return
        entities = [
            entity
            for entity in self.house.entities(device)
            if entity.domain in _TAPS and not entity.disabled
        ]
        if not entities:
            return
        entity = self.random.choice(entities)
        times = self.random.choice((1, 1, 1, 2, 3, 5))
        for _ in range(times):
            self._tap(device, entity)
            if times > 1:
                await asyncio.sleep(self.random.choice((0, 0.3, 0.7, 1.5, 4)))

    def _tap(self, device: Device, entity: er.RegistryEntry) -> None:
        """Tap a control now; one that is unavailable cannot be tapped."""
        state = self.house.hass.states.get(entity.entity_id)
        if state is None or state.state == STATE_UNAVAILABLE:
            self.ledger.counts["controls found unavailable"] += 1
            return
        choice = _TAPS[entity.domain](self.random, device, entity, state)
        if choice is None:
            return
        self._tap_as(entity, *choice)

    def _tap_as(
        self,
        entity: er.RegistryEntry,
        service: str,
        data: Mapping[str, Any],
        expected: Expected | None,
    ) -> None:
        self._begin(
            Tap(
                control=entity.entity_id,
                service=f"{entity.domain}.{service}",
                data=data,
                expected=expected,
                began=self.house.time.clock.time(),
            ),
            {"entity_id": entity.entity_id, **data},
            response=False,
        )

    def settle(self, device: Device) -> None:
        """Send a device something that it takes, with its main control."""
        for entity in self.house.entities(device):
            state = self.house.hass.states.get(entity.entity_id)
            if state is None or entity.domain not in _SETTLED:
                continue
            if state.state == STATE_UNAVAILABLE:
                continue
            service, commands = _SETTLED[entity.domain]
            data: dict[str, Any] = {}
            if entity.domain == "select":
                data["option"] = "idle"
            self._tap_as(entity, service, data, _push(device, *commands))

    # Actions

    def _call_action(self, device: Device) -> None:
        """Call one of the integration's own actions."""
        registered = self.house.registered(device)
        if registered is None:
            return
        choice = self.random.choice(_ACTIONS)(self, device)
        if choice is None:
            return
        service, data, expected = choice
        self._begin(
            Tap(
                control=f"{DOMAIN}.{service} {device.id}",
                service=f"{DOMAIN}.{service}",
                data=data,
                expected=expected,
                began=self.house.time.clock.time(),
                replaceable=False,
            ),
            {"device_id": registered.id, **data},
            response=True,
        )

    def _times(self, execution: list[str]) -> dict[str, Any]:
        """Return when a command is to be carried out."""
        if "scheduled" not in execution or self.random.random() < 0.4:
            return {}
        minutes = self.random.choice((2, 5, 15, 40, 60))
        times: dict[str, Any] = {"delay": {"minutes": minutes}}
        if "windowed" in execution and self.random.random() < 0.7:
            times["duration"] = {"minutes": self.random.choice((5, 15, 30))}
        return times

    def send_command(self, device: Device) -> Choice | None:
        """Send any command, for now or for later."""
        commands = device.commands or {}
        if not commands or device.generation == "before":
            name = self.random.choice(("charge", "idle", "heat"))
            parameters: dict[str, float] = {"target": 21} if name == "heat" else {}
            data: dict[str, Any] = {"command": name, "parameters": parameters}
            return "send_command", data, _push(device, name)
        name = self.random.choice(list(commands))
        command = commands[name]
        parameters = {
            parameter: _between(self.random, bounds.get("min"), bounds.get("max"), 0.5)
            for parameter, bounds in command["parameters"].items()
        }
        if "heatSetpoint" in parameters:
            parameters |= {"heatSetpoint": 18.5, "coolSetpoint": 24.5}
        data = {"command": name, "parameters": parameters}
        data |= self._times(command["execution"])
        if (strategy := self.random.choice(_STRATEGIES)) is not None:
            data["on_conflict"] = strategy
        data["wait"] = self.random.random() < 0.7
        numbers = tuple(parameters.values())
        return "send_command", data, _push(device, name, numbers=numbers)

    def steer(self, device: Device) -> Choice | None:
        """Call the action that is made for the type."""
        if device.kind.type == "hvac":
            target = self.random.randrange(36, 48) / 2
            data: dict[str, Any] = {"mode": "heat", "target": target}
            expected = _push(device, "heat", numbers=(target,))
            return "hold_temperature", data, expected
        name = self.random.choice(("charge", "discharge"))
        data = {}
        if device.kind.type == "battery":
            data = {"target": float(self.random.randrange(20, 95))}
        elif name == "discharge":
            # Refused, as a charger cannot.
            return name, data, _push(device, name)
        return name, data, _push(device, name, numbers=tuple(data.values()))

    def update_settings(self, device: Device) -> Choice | None:
        """Write some settings at once."""
        names = [
            name
            for name in device.settings
            if name not in device.read_only and device.generation == "now"
        ]
        if not names:
            return None
        chosen = self.random.sample(names, k=min(len(names), 2))
        values = {
            name: _between(self.random, 1, device.settings[name].get("max"), 1)
            for name in chosen
        }
        return "update_settings", {"settings": values}, _settings(device, values)

    def cancel(self, device: Device) -> Choice | None:
        """Cancel something that is planned."""
        own = [action_id for owner, action_id in self.planned if owner is device]
        if not own:
            return None
        action_id = self.random.choice(own)
        self.planned.remove((device, action_id))
        return "cancel_action", {"action_id": action_id}, None

    def look(self, device: Device) -> Choice | None:
        """Look at what was sent."""
        if device.actions and self.random.random() < 0.5:
            return "get_action", {"action_id": device.actions[-1].id}, None
        return "list_actions", {"limit": 20}, None

    # What becomes of it

    def _begin(self, tap: Tap, data: Mapping[str, Any], *, response: bool) -> None:
        """Make a call, as a person does: not waiting for its end."""
        self.ledger.begin(tap)
        task = asyncio.create_task(self._call(tap, data, response=response), name=OWN)
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def _call(self, tap: Tap, data: Mapping[str, Any], *, response: bool) -> None:
        domain, service = tap.service.split(".")
        answer: Any = None
        try:
            answer = await self.house.hass.services.async_call(
                domain, service, dict(data), blocking=True, return_response=response
            )
        except HomeAssistantError as err:
            tap.error = Refusal.of(err)
        except Exception as err:  # noqa: BLE001
            # Nothing else may come out of a call: it is told in the report.
            tap.broken = repr(err)
        finally:
            self.ledger.end(tap, self.house.time.clock.time())
        if tap.expected is not None and tap.expected.kind == "push" and answer:
            tap.action_id = answer["action"]["id"]
        elif service == "cancel_action" and answer:
            self._check_cancelled(tap, answer["action"]["id"])

    def _check_cancelled(self, tap: Tap, action_id: str) -> None:
        for home in self.house.sandbox.homes:
            action = home.action(action_id)
            if action is not None and action.state != "cancelled":
                tap.broken = f"{action_id} is {action.state}, not cancelled"

    def matched(self, tap: Tap, arrived: Arrived) -> None:
        """Remember what was planned, to cancel some of it later."""
        device = self.find(arrived.device)
        if device is None or arrived.action_id is None or "delay" not in tap.data:
            return
        self.planned.append((device, arrived.action_id))
        del self.planned[:-20]

    def find(self, device_id: str) -> Device | None:
        """Return a device, where it is still connected."""
        for device in self.house.devices:
            if device.id == device_id:
                return device
        return None


def _between(random: Random, low: float | None, high: float | None, step: float) -> Any:
    """Return some number between two bounds, on a step."""
    lowest = 0 if low is None else low
    highest = 100 if high is None else min(high, 1000)
    value = lowest + step * random.randint(0, int((highest - lowest) / step))
    return round(value, 3)


# What each kind of control is told


def _select(
    random: Random, device: Device, entity: er.RegistryEntry, state: State
) -> Choice | None:
    options = state.attributes["options"]
    if not options:
        return None
    option = random.choice(options)
    expected = _push(device, option.replace("auto_", "auto."))
    return "select_option", {"option": option}, expected


def _switch(
    random: Random, device: Device, entity: er.RegistryEntry, state: State
) -> Choice | None:
    service = random.choice(("turn_on", "turn_off", "toggle"))
    if service == "toggle":
        return service, {}, _push(device, "charge", "idle")
    return service, {}, _push(device, "charge" if service == "turn_on" else "idle")


def _number(
    random: Random, device: Device, entity: er.RegistryEntry, state: State
) -> Choice | None:
    low, high = state.attributes["min"], state.attributes["max"]
    step = state.attributes["step"]
    value = _between(random, low, min(high, 200), step)
    data = {"value": value}
    key = entity.unique_id.removeprefix(f"{device.id}_")
    expected = _settings(device, {key: value})
    if key == "max_power":
        # A setting, or a command where the charger does not tell of the setting.
        expected = replace(
            _settings(device, {"max_charge_rate": value}),
            otherwise=_push(device, "set_max_power", numbers=(value,)),
        )
    if value == _float(state.state):
        expected = replace(expected, optional=True)
    return "set_value", data, expected


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _climate(
    random: Random, device: Device, entity: er.RegistryEntry, state: State
) -> Choice | None:
    modes = [mode for mode in state.attributes["hvac_modes"] if mode in _MODE_COMMANDS]
    if not modes:
        return None
    match random.randrange(6):
        case 0:
            mode = random.choice(modes)
            expected = _push(device, _MODE_COMMANDS[mode])
            return "set_hvac_mode", {"hvac_mode": mode}, expected
        case 1:
            return "turn_off", {}, _push(device, "idle")
        case 2:
            if state.state != "off":
                # It holds or follows already: nothing is to be sent.
                return None
            return "turn_on", {}, _push(device, "follow_schedule", *_HOLDS)
        case 3:
            preset = random.choice(state.attributes["preset_modes"])
            commands = {"follow_schedule"} if preset == "schedule" else _HOLDS
            return "set_preset_mode", {"preset_mode": preset}, _push(device, *commands)
    warm = random.randrange(36, 46) / 2
    if state.state == HVACMode.HEAT_COOL.value:
        data = {"target_temp_low": warm, "target_temp_high": warm + 3}
        expected = _push(device, "auto", numbers=(warm, warm + 3))
        return "set_temperature", data, expected
    if state.state in (HVACMode.HEAT.value, HVACMode.COOL.value):
        expected = _push(device, _MODE_COMMANDS[state.state], numbers=(warm,))
        return "set_temperature", {"temperature": warm}, expected
    # Refused: it must not start the heating.
    return "set_temperature", {"temperature": warm}, _push(device, *_HOLDS)


def _button(
    random: Random, device: Device, entity: er.RegistryEntry, state: State
) -> Choice | None:
    return "press", {}, None


type _Chooser = Callable[[Random, Device, er.RegistryEntry, State], Choice | None]

_TAPS: Final[Mapping[str, _Chooser]] = {
    "select": _select,
    "switch": _switch,
    "number": _number,
    "climate": _climate,
    "button": _button,
}
# What every control of a kind takes, and the command that comes of it.
_SETTLED: Final = {
    "select": ("select_option", ("idle",)),
    "switch": ("turn_on", ("charge",)),
    "climate": ("turn_off", ("idle",)),
}
_ACTIONS: Final[tuple[Callable[[Tapper, Device], Choice | None], ...]] = (
    Tapper.send_command,
    Tapper.send_command,
    Tapper.send_command,
    Tapper.steer,
    Tapper.update_settings,
    Tapper.update_settings,
    Tapper.cancel,
    Tapper.look,
)
