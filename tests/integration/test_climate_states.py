"""What thermostats show, what they are told, and the older bodies."""

from collections.abc import Generator
from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.climate import (
    ATTR_HVAC_MODE,
    ATTR_PRESET_MODE,
    ATTR_TARGET_TEMP_HIGH,
    ATTR_TARGET_TEMP_LOW,
    ClimateEntityFeature,
    HVACMode,
)
from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_SUPPORTED_FEATURES,
    ATTR_TEMPERATURE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.amps_ai.common.const import DOMAIN
from custom_components.amps_ai.readings.pace import SLOWEST
from sandbox import REMOVE, Sandbox
from tests.conftest import NOON

from .helpers import done, set_up

HVAC = "device_hvac_001"
CHARGER = "device_ev_001"
NAME = "Smart Thermostat Premium"

CLIMATE = "climate.climate"
SWITCH = "switch.charge"
CAP = "number.max_power"

SINGLE = ClimateEntityFeature.TARGET_TEMPERATURE
RANGE = ClimateEntityFeature.TARGET_TEMPERATURE_RANGE
PRESET = ClimateEntityFeature.PRESET_MODE
ON = ClimateEntityFeature.TURN_ON
OFF = ClimateEntityFeature.TURN_OFF


@pytest.fixture(autouse=True)
def quick() -> Generator[None]:
    """Ask for actions often, and let sliders rest shortly."""
    with (
        patch("custom_components.amps_ai.pushes.following._POLLS", (0.02,)),
        patch("custom_components.amps_ai.number.REST", 0.01),
        patch("custom_components.amps_ai.climate.GATHER", 0.01),
        patch("custom_components.amps_ai.pushes.manager.REST", 0.01),
    ):
        yield


@pytest.fixture(autouse=True)
def noon(freezer: FrozenDateTimeFactory) -> None:
    """Let it be noon here as it is in the sandbox."""
    freezer.move_to(NOON)


@pytest.fixture(autouse=True)
def at_once(sandbox: Sandbox) -> None:
    """Let actions end at once."""
    sandbox.action_seconds = 0


async def _poll(
    hass: HomeAssistant, sandbox: Sandbox, freezer: FrozenDateTimeFactory
) -> None:
    """Let the next list come, however seldom lists are asked for by now."""
    seconds = SLOWEST.total_seconds() + 1
    sandbox.clock.advance(seconds)
    freezer.tick(timedelta(seconds=seconds))
    async_fire_time_changed(hass)
    await done(hass)


@pytest.fixture
def only() -> str | None:
    """Have thermostats alone."""
    return "hvac"


def _entity_id(hass: HomeAssistant, device_id: str, entity: str) -> str:
    platform, _, key = entity.partition(".")
    entity_id = er.async_get(hass).async_get_entity_id(
        platform, DOMAIN, f"{device_id}_{key}"
    )
    assert entity_id is not None
    return entity_id


def _climate(hass: HomeAssistant) -> State:
    state = hass.states.get(_entity_id(hass, HVAC, CLIMATE))
    assert state is not None
    return state


async def _call(
    hass: HomeAssistant, device_id: str, entity: str, service: str, **data: Any
) -> None:
    await hass.services.async_call(
        entity.partition(".")[0],
        service,
        {ATTR_ENTITY_ID: _entity_id(hass, device_id, entity), **data},
        blocking=True,
    )
    await done(hass)


def _bodies(sandbox: Sandbox, device_id: str = HVAC) -> list[Any]:
    return [record.body for record in sandbox.requests.pushes(device_id)]


def _action(name: str, **celsius: float) -> dict[str, Any]:
    action: dict[str, Any] = {"command": name}
    if celsius:
        action["parameters"] = {
            key: {"value": value, "unit": "celsius"} for key, value in celsius.items()
        }
    return {"action": action}


def _only(sandbox: Sandbox, *names: str) -> None:
    """Leave a thermostat no other commands than these."""
    device = sandbox.device(HVAC)
    assert device.commands is not None
    device.commands = {name: device.commands[name] for name in names}


def _said(state: dict[str, Any]) -> str:
    """Return a name for a state: what it has and lacks."""
    return "-".join(
        f"no_{name}" if value is REMOVE else f"{name}={value}"
        for name, value in state.items()
    )


# States

_BASE: Final = {
    "temperature": 21.0,
    "active": False,
    "heatSetpoint": 19.5,
    "coolSetpoint": 25,
    "holdType": "permanent",
    "mode": "auto",
}


def _shows(
    mode: str,
    action: str | None,
    one: float | None,
    low: float | None,
    high: float | None,
    preset: str | None = "hold",
    current: float | None = 21,
) -> tuple[str, dict[str, Any]]:
    return mode, {
        "hvac_action": action,
        "temperature": one,
        "target_temp_low": low,
        "target_temp_high": high,
        "preset_mode": preset,
        "current_temperature": current,
    }


STATES: Final[list[tuple[dict[str, Any], tuple[str, dict[str, Any]]]]] = [
    # Each mode shows its own setpoints; the other kind is None.
    ({"mode": "heat"}, _shows("heat", "idle", 19.5, None, None)),
    ({"mode": "cool"}, _shows("cool", "idle", 25, None, None)),
    ({"mode": "auto"}, _shows("heat_cool", "idle", None, 19.5, 25)),
    ({"mode": "off"}, _shows("off", "off", None, None, None)),
    ({"mode": "idle"}, _shows("off", "off", None, None, None)),
    ({"mode": "HEATING"}, _shows("heat", "idle", 19.5, None, None)),
    ({"mode": "heat-cool"}, _shows("heat_cool", "idle", None, 19.5, 25)),
    # What runs.
    ({"mode": "heat", "active": True}, _shows("heat", "heating", 19.5, None, None)),
    ({"mode": "cool", "active": True}, _shows("cool", "cooling", 25, None, None)),
    (
        {"mode": "auto", "active": True, "temperature": 18.9},
        _shows("heat_cool", "heating", None, 19.5, 25, current=18.9),
    ),
    (
        {"mode": "auto", "active": True, "temperature": 25.6},
        _shows("heat_cool", "cooling", None, 19.5, 25, current=25.6),
    ),
    (
        {"mode": "auto", "active": True, "temperature": None},
        _shows("heat_cool", None, None, 19.5, 25, current=None),
    ),
    (
        {"mode": "auto", "active": True, "heatSetpoint": None, "temperature": 17},
        # Half a band is none: bridges stumble over it.
        _shows("heat_cool", None, None, None, None, current=17),
    ),
    ({"mode": "heat", "active": None}, _shows("heat", None, 19.5, None, None)),
    ({"mode": "cool", "active": REMOVE}, _shows("cool", None, 25, None, None)),
    ({"mode": "off", "active": None}, _shows("off", "off", None, None, None)),
    # What it goes by.
    (
        {"holdType": "follow_schedule"},
        _shows("heat_cool", "idle", None, 19.5, 25, "schedule"),
    ),
    ({"holdType": "schedule"}, _shows("heat_cool", "idle", None, 19.5, 25, "schedule")),
    (
        {"holdType": "until_next_transition"},
        _shows("heat_cool", "idle", None, 19.5, 25, None),
    ),
    ({"holdType": None}, _shows("heat_cool", "idle", None, 19.5, 25, None)),
    (
        {"mode": "off", "holdType": "follow_schedule"},
        _shows("off", "off", None, None, None, "schedule"),
    ),
    # What is not told.
    ({"mode": "heat", "heatSetpoint": None}, _shows("heat", "idle", None, None, None)),
    (
        {"mode": "cool", "coolSetpoint": REMOVE},
        _shows("cool", "idle", None, None, None),
    ),
    (
        {"mode": "auto", "coolSetpoint": "25"},
        _shows("heat_cool", "idle", None, None, None),
    ),
    ({"mode": None}, _shows(STATE_UNKNOWN, "idle", None, None, None)),
    ({"mode": "emergency"}, _shows(STATE_UNKNOWN, "idle", None, None, None)),
    (
        dict.fromkeys(_BASE, REMOVE),
        _shows(STATE_UNKNOWN, None, None, None, None, None, None),
    ),
]


@pytest.mark.parametrize(
    ("state", "expected"),
    STATES,
    ids=[_said(state)[:60] for state, _ in STATES],
)
@pytest.mark.parametrize("home", ["home", "classic"])
async def test_states(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    state: dict[str, Any],
    expected: tuple[str, dict[str, Any]],
) -> None:
    """A thermostat shows what it tells, in either shape."""
    sandbox.device(HVAC).state_override = _BASE | state
    assert await set_up(hass, entry)
    shown = _climate(hass)
    mode, attributes = expected
    assert shown.state == mode
    assert {name: shown.attributes.get(name) for name in attributes} == attributes


async def test_states_follow_the_readings(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Each reading shows, one after the other."""
    for state, (mode, attributes) in STATES:
        sandbox.device(HVAC).state_override = _BASE | state
        await _poll(hass, sandbox, freezer)
        shown = _climate(hass)
        assert shown.state == mode
        assert {name: shown.attributes.get(name) for name in attributes} == attributes


# What it can do

FEATURES: Final[list[tuple[tuple[str, ...], ClimateEntityFeature]]] = [
    (
        ("heat", "cool", "idle", "auto", "follow_schedule"),
        SINGLE | RANGE | PRESET | ON | OFF,
    ),
    (("heat",), SINGLE | PRESET | ON),
    (("cool", "idle"), SINGLE | PRESET | ON | OFF),
    (("heat", "cool", "idle"), SINGLE | PRESET | ON | OFF),
    (("auto",), SINGLE | RANGE | PRESET | ON),
    (("heat", "auto", "idle"), SINGLE | RANGE | PRESET | ON | OFF),
]


@pytest.mark.parametrize("mode", ["heat", "cool", "auto", "off", "emergency"])
@pytest.mark.parametrize(("commands", "features"), FEATURES)
async def test_features_are_those_of_the_commands(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    commands: tuple[str, ...],
    features: ClimateEntityFeature,
    mode: str,
) -> None:
    """What a thermostat can do hangs on its commands; while off, it has no dial."""
    _only(sandbox, *commands)
    sandbox.device(HVAC).state_override = _BASE | {"mode": mode}
    assert await set_up(hass, entry)
    if mode == "off" and "idle" in commands:
        features &= ~(SINGLE | RANGE)
    assert _climate(hass).attributes[ATTR_SUPPORTED_FEATURES] == features


@pytest.mark.parametrize("missing", ["heatSetpoint", "coolSetpoint"])
async def test_features_without_a_whole_band(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    missing: str,
) -> None:
    """Half a band cannot be moved nor shown; whole, it can be set all the same."""
    device = sandbox.device(HVAC)
    device.state_override = _BASE | {missing: None}
    assert await set_up(hass, entry)
    attributes = _climate(hass).attributes
    assert attributes[ATTR_SUPPORTED_FEATURES] == PRESET | ON | OFF
    assert not {"temperature", "target_temp_low", "target_temp_high"} & set(attributes)

    # Of one that heats or cools, the other setpoint does not matter.
    for mode in ("heat", "cool"):
        device.state_override = _BASE | {missing: None, "mode": mode}
        await _poll(hass, sandbox, freezer)
        features = _climate(hass).attributes[ATTR_SUPPORTED_FEATURES]
        assert features == SINGLE | RANGE | PRESET | ON | OFF

    device.state_override = _BASE | {missing: None}
    await _poll(hass, sandbox, freezer)
    await _call(
        hass, HVAC, CLIMATE, "set_temperature", target_temp_low=19, target_temp_high=24
    )
    assert _bodies(sandbox) == [_action("auto", heatSetpoint=19, coolSetpoint=24)]


@pytest.mark.parametrize("home", ["classic"])
async def test_features_of_the_older_shape(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The older shape knows every documented command."""
    attributes = _climate(hass).attributes
    assert attributes[ATTR_SUPPORTED_FEATURES] == SINGLE | RANGE | PRESET | ON | OFF
    assert attributes["hvac_modes"] == ["heat", "cool", "heat_cool", "off"]
    assert attributes["preset_modes"] == ["schedule", "hold"]
    assert (attributes["min_temp"], attributes["max_temp"]) == (10, 35)


@pytest.mark.parametrize("mode", ["heat", "cool", "auto", "off", "emergency"])
async def test_bounds(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    mode: str,
) -> None:
    """The bounds span all modes, and each mode is checked by its own."""
    device = sandbox.device(HVAC)
    assert device.commands is not None
    for command, low, high in (("heat", 5, 30), ("cool", 16, 32), ("auto", 12, 28)):
        device.commands[command]["parameters"] = {
            name: {"unit": "celsius", "min": low, "max": high}
            for name in device.commands[command]["parameters"]
        }
    device.state_override = {"mode": mode}
    assert await set_up(hass, entry)
    attributes = _climate(hass).attributes
    assert (attributes["min_temp"], attributes["max_temp"]) == (5, 32)
    assert attributes["target_temp_step"] == 0.5

    # What another mode takes can be said with that mode, from any.
    await _call(
        hass, HVAC, CLIMATE, "set_temperature", temperature=31, hvac_mode=HVACMode.COOL
    )
    assert _bodies(sandbox) == [_action("cool", target=31)]
    with pytest.raises(ServiceValidationError) as caught:
        await _call(
            hass, HVAC, CLIMATE, "set_temperature", temperature=31, hvac_mode="heat"
        )
    assert caught.value.translation_key == "parameter_out_of_range"
    assert len(_bodies(sandbox)) == 1


async def test_bounds_that_are_not_told(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """Without bounds of its own, the documented ones hold."""
    device = sandbox.device(HVAC)
    assert device.commands is not None
    device.commands["heat"]["parameters"] = {"target": {"unit": "celsius"}}
    device.state_override = {"mode": "heat"}
    assert await set_up(hass, entry)
    attributes = _climate(hass).attributes
    assert (attributes["min_temp"], attributes["max_temp"]) == (10, 35)


# What it is told

type Tap = tuple[dict[str, Any], str, dict[str, Any], dict[str, Any]]

TAPS: Final[list[Tap]] = [
    # A mode carries the present setpoints.
    (
        {"mode": "cool"},
        "set_hvac_mode",
        {ATTR_HVAC_MODE: HVACMode.HEAT},
        _action("heat", target=19.5),
    ),
    (
        {"mode": "off"},
        "set_hvac_mode",
        {ATTR_HVAC_MODE: HVACMode.COOL},
        _action("cool", target=25),
    ),
    (
        {"mode": "off"},
        "set_hvac_mode",
        {ATTR_HVAC_MODE: HVACMode.HEAT_COOL},
        _action("auto", heatSetpoint=19.5, coolSetpoint=25),
    ),
    ({}, "set_hvac_mode", {ATTR_HVAC_MODE: HVACMode.OFF}, _action("idle")),
    # One temperature, in the present mode.
    (
        {"mode": "heat"},
        "set_temperature",
        {ATTR_TEMPERATURE: 22.6},
        _action("heat", target=22.5),
    ),
    (
        {"mode": "cool"},
        "set_temperature",
        {ATTR_TEMPERATURE: 22.3},
        _action("cool", target=22.5),
    ),
    # It moves the band, whose width is kept, and stays within the bounds.
    (
        {"heatSetpoint": 20, "coolSetpoint": 24},
        "set_temperature",
        {ATTR_TEMPERATURE: 21},
        _action("auto", heatSetpoint=19, coolSetpoint=23),
    ),
    (
        {"heatSetpoint": 20, "coolSetpoint": 24},
        "set_temperature",
        {ATTR_TEMPERATURE: 10.5},
        _action("auto", heatSetpoint=10, coolSetpoint=14),
    ),
    (
        {"heatSetpoint": 20, "coolSetpoint": 24},
        "set_temperature",
        {ATTR_TEMPERATURE: 35},
        _action("auto", heatSetpoint=31, coolSetpoint=35),
    ),
    # A temperature with a mode sets both.
    (
        {"mode": "off"},
        "set_temperature",
        {ATTR_TEMPERATURE: 23, ATTR_HVAC_MODE: HVACMode.HEAT},
        _action("heat", target=23),
    ),
    (
        {"mode": "off", "heatSetpoint": 20, "coolSetpoint": 24},
        "set_temperature",
        {ATTR_TEMPERATURE: 23, ATTR_HVAC_MODE: HVACMode.HEAT_COOL},
        _action("auto", heatSetpoint=21, coolSetpoint=25),
    ),
    (
        {"mode": "off"},
        "set_temperature",
        {
            ATTR_TARGET_TEMP_LOW: 18,
            ATTR_TARGET_TEMP_HIGH: 23,
            ATTR_HVAC_MODE: HVACMode.HEAT_COOL,
        },
        _action("auto", heatSetpoint=18, coolSetpoint=23),
    ),
    # A band.
    (
        {},
        "set_temperature",
        {ATTR_TARGET_TEMP_LOW: 18.74, ATTR_TARGET_TEMP_HIGH: 23.76},
        _action("auto", heatSetpoint=18.5, coolSetpoint=24),
    ),
    # One temperature beside a band counts where one is taken, else the band.
    *(
        (
            {"mode": mode},
            "set_temperature",
            {
                ATTR_TEMPERATURE: 22,
                ATTR_TARGET_TEMP_LOW: 19,
                ATTR_TARGET_TEMP_HIGH: 26,
                **said,
            },
            body,
        )
        for mode, said, body in (
            ("heat", {}, _action("heat", target=22)),
            ("cool", {}, _action("cool", target=22)),
            ("auto", {}, _action("auto", heatSetpoint=19, coolSetpoint=26)),
            ("auto", {ATTR_HVAC_MODE: "cool"}, _action("cool", target=22)),
            ("off", {ATTR_HVAC_MODE: "heat"}, _action("heat", target=22)),
        )
    ),
    # A band alone means the mode that keeps one.
    *(
        (
            {"mode": mode},
            "set_temperature",
            {ATTR_TARGET_TEMP_LOW: 19, ATTR_TARGET_TEMP_HIGH: 26},
            _action("auto", heatSetpoint=19, coolSetpoint=26),
        )
        for mode in ("heat", "cool")
    ),
    # Presets.
    (
        {},
        "set_preset_mode",
        {ATTR_PRESET_MODE: "schedule"},
        _action("follow_schedule"),
    ),
    (
        {"mode": "heat", "holdType": "follow_schedule", "coolSetpoint": None},
        "set_preset_mode",
        {ATTR_PRESET_MODE: "hold"},
        _action("heat", target=19.5),
    ),
    (
        {"mode": "auto", "holdType": "follow_schedule"},
        "set_preset_mode",
        {ATTR_PRESET_MODE: "hold"},
        _action("auto", heatSetpoint=19.5, coolSetpoint=25),
    ),
    ({"mode": "off"}, "turn_on", {}, _action("follow_schedule")),
    ({}, "turn_off", {}, _action("idle")),
]


@pytest.mark.parametrize(
    ("state", "service", "data", "body"),
    TAPS,
    ids=[
        "-".join(map(str, (tap[0].get("mode"), tap[1], *tap[2].values())))
        for tap in TAPS
    ],
)
async def test_sends_exactly_this(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    state: dict[str, Any],
    service: str,
    data: dict[str, Any],
    body: dict[str, Any],
) -> None:
    """Each tap sends one body, from wherever the thermostat is."""
    sandbox.device(HVAC).state_override = _BASE | state
    assert await set_up(hass, entry)
    await _call(hass, HVAC, CLIMATE, service, **data)
    assert _bodies(sandbox) == [body]


@pytest.mark.parametrize(
    ("heat", "cool"), [(16.4, 20.1), (20.0, 23.3), (19.9, 25.2), (18, 22.05)]
)
@pytest.mark.parametrize("one", [15, 19.5, 21.1, 35])
async def test_moved_band_is_in_whole_steps(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    heat: float,
    cool: float,
    one: float,
) -> None:
    """A band that is off the step is moved onto it, about as wide as before."""
    sandbox.device(HVAC).state_override = _BASE | {
        "heatSetpoint": heat,
        "coolSetpoint": cool,
    }
    assert await set_up(hass, entry)
    await _call(hass, HVAC, CLIMATE, "set_temperature", temperature=one)
    (body,) = _bodies(sandbox)
    sent = {name: item["value"] for name, item in body["action"]["parameters"].items()}
    assert sent.keys() == {"heatSetpoint", "coolSetpoint"}
    for value in sent.values():
        assert (value * 2).is_integer(), sent
        assert 10 <= value <= 35
    width = sent["coolSetpoint"] - sent["heatSetpoint"]
    assert width == pytest.approx(cool - heat, abs=0.5)
    if one != 35:
        middle = (sent["coolSetpoint"] + sent["heatSetpoint"]) / 2
        assert middle == pytest.approx(one, abs=0.5)


@pytest.mark.parametrize("home", ["home", "classic"])
@pytest.mark.parametrize("mode", ["heat", "cool", "auto"])
@pytest.mark.parametrize("hold", ["permanent", "follow_schedule"])
async def test_turn_on_while_on(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    mode: str,
    hold: str,
) -> None:
    """What is on already stays as it is, what it holds too."""
    sandbox.device(HVAC).state_override = _BASE | {"mode": mode, "holdType": hold}
    assert await set_up(hass, entry)
    before = _climate(hass)
    await _call(hass, HVAC, CLIMATE, "turn_on")
    assert not sandbox.requests.pushes()
    assert _climate(hass).as_dict() == before.as_dict()


async def test_turn_on_without_a_schedule(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It goes back to the last mode, with the present setpoints."""
    _only(sandbox, "heat", "cool", "idle", "auto")
    assert await set_up(hass, entry)
    device = sandbox.device(HVAC)
    for mode, body in (
        ("cool", _action("cool", target=25)),
        ("heat", _action("heat", target=19.5)),
        ("auto", _action("auto", heatSetpoint=19.5, coolSetpoint=25)),
    ):
        device.state_override = _BASE | {"mode": mode}
        await _poll(hass, sandbox, freezer)
        device.state_override = _BASE | {"mode": "off"}
        await _poll(hass, sandbox, freezer)
        assert _climate(hass).state == HVACMode.OFF
        sandbox.requests.clear()
        await _call(hass, HVAC, CLIMATE, "turn_on")
        assert _bodies(sandbox) == [body]


async def test_turn_on_without_schedule_or_last_mode(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """A thermostat that was never seen running starts with the first of its modes."""
    _only(sandbox, "cool", "idle")
    sandbox.device(HVAC).state_override = _BASE | {"mode": "off"}
    assert await set_up(hass, entry)
    await _call(hass, HVAC, CLIMATE, "turn_on")
    assert _bodies(sandbox) == [_action("cool", target=25)]


# What it refuses

REFUSALS: Final[list[tuple[dict[str, Any], str, dict[str, Any], str]]] = [
    (
        {"mode": "off"},
        "set_temperature",
        {ATTR_TEMPERATURE: 21},
        "temperature_while_off",
    ),
    (
        {"mode": "off"},
        "set_temperature",
        {ATTR_TARGET_TEMP_LOW: 19, ATTR_TARGET_TEMP_HIGH: 23},
        "temperature_while_off",
    ),
    *(
        (
            {"mode": mode},
            "set_temperature",
            {
                ATTR_TARGET_TEMP_LOW: 19,
                ATTR_TARGET_TEMP_HIGH: 23,
                ATTR_HVAC_MODE: said,
            },
            "band_in_single_mode",
        )
        for mode in ("heat", "auto", "off")
        for said in (HVACMode.HEAT, HVACMode.COOL)
    ),
    ({"mode": "emergency"}, "turn_on", {}, "mode_unknown"),
    ({"mode": "off"}, "set_preset_mode", {ATTR_PRESET_MODE: "hold"}, "hold_while_off"),
    *(
        ({"mode": mode}, service, data, "mode_unknown")
        for mode in ("emergency", None)
        for service, data in (
            ("set_temperature", {ATTR_TEMPERATURE: 21}),
            ("set_preset_mode", {ATTR_PRESET_MODE: "hold"}),
        )
    ),
    *(
        (state, "set_preset_mode", {ATTR_PRESET_MODE: "hold"}, "setpoints_unknown")
        for state in (
            {"mode": "heat", "heatSetpoint": None},
            {"mode": "cool", "coolSetpoint": None},
            {"mode": "auto", "heatSetpoint": None},
            {"mode": "auto", "coolSetpoint": REMOVE},
            {"mode": "auto", "coolSetpoint": "25"},
        )
    ),
    *(
        (state, "set_temperature", {ATTR_TEMPERATURE: 21}, "setpoints_unknown")
        for state in (
            {"mode": "auto", "heatSetpoint": None},
            {"mode": "auto", "coolSetpoint": None},
        )
    ),
    (
        {"mode": "off", "coolSetpoint": None},
        "set_temperature",
        {ATTR_TEMPERATURE: 21, ATTR_HVAC_MODE: HVACMode.HEAT_COOL},
        "setpoints_unknown",
    ),
]


@pytest.mark.parametrize(
    ("state", "service", "data", "key"),
    REFUSALS,
    ids=[
        "-".join(map(str, (item[3], item[1], _said(item[0]), *item[2].values())))
        for item in REFUSALS
    ],
)
@pytest.mark.parametrize("home", ["home", "classic"])
async def test_refusals(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    state: dict[str, Any],
    service: str,
    data: dict[str, Any],
    key: str,
) -> None:
    """What cannot be meant is refused in words, and nothing is sent."""
    sandbox.device(HVAC).state_override = _BASE | state
    assert await set_up(hass, entry)
    before = _climate(hass)
    with pytest.raises(ServiceValidationError) as caught:
        await _call(hass, HVAC, CLIMATE, service, **data)
    await done(hass)
    assert caught.value.translation_domain == DOMAIN
    assert caught.value.translation_key == key
    assert str(caught.value).startswith(NAME)
    assert not sandbox.requests.pushes()
    assert _climate(hass).as_dict() == before.as_dict()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("mode", ["heat", "auto", "off"])
async def test_temperature_that_is_none(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    mode: str,
    value: float,
) -> None:
    """What is no temperature is refused in words, alone and in a band."""
    sandbox.device(HVAC).state_override = _BASE | {"mode": mode}
    assert await set_up(hass, entry)
    for data in (
        {ATTR_TEMPERATURE: value},
        {ATTR_TARGET_TEMP_LOW: 19, ATTR_TARGET_TEMP_HIGH: value},
        {ATTR_TEMPERATURE: value, ATTR_HVAC_MODE: HVACMode.HEAT},
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await _call(hass, HVAC, CLIMATE, "set_temperature", **data)
        assert str(caught.value)
    assert not sandbox.requests.pushes()


@pytest.mark.parametrize("service", ["turn_on", "toggle"])
@pytest.mark.parametrize(
    "commands", [{"defrost": {}}, {"defrost": {}, "idle": {}}, {"idle": {}}]
)
async def test_commands_that_turn_nothing_on(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    commands: dict[str, Any],
    service: str,
) -> None:
    """Where no known command turns it on, that is said, and nothing is sent."""
    sandbox.device(HVAC).state_override = _BASE | {"mode": "off"}
    sandbox.faults.add(kind="without", path="/hvac*", keys=["commands"])
    sandbox.faults.add(kind="merge", path="/hvac*", body={"commands": commands})
    assert await set_up(hass, entry)
    with pytest.raises(ServiceValidationError) as caught:
        await _call(hass, HVAC, CLIMATE, service)
    assert str(caught.value)
    assert not sandbox.requests.pushes()


async def test_refusal_names_the_device_as_the_person_does(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """A device that was renamed is called by its new name."""
    sandbox.device(HVAC).state_override = {"mode": "off"}
    assert await set_up(hass, entry)
    registry = dr.async_get(hass)
    device = registry.async_get_device_by_identifier((DOMAIN, HVAC), entry.entry_id)
    assert device is not None
    registry.async_update_device(device.id, name_by_user="Hall")
    await done(hass)
    with pytest.raises(ServiceValidationError) as caught:
        await _call(hass, HVAC, CLIMATE, "set_temperature", temperature=21)
    assert str(caught.value).startswith("Hall is off")


@pytest.mark.parametrize(
    ("service", "data"),
    [
        ("set_temperature", {ATTR_TEMPERATURE: 9}),
        ("set_temperature", {ATTR_TEMPERATURE: 36}),
        ("set_temperature", {ATTR_TARGET_TEMP_LOW: 24, ATTR_TARGET_TEMP_HIGH: 20}),
        ("set_hvac_mode", {ATTR_HVAC_MODE: HVACMode.DRY}),
        ("set_preset_mode", {ATTR_PRESET_MODE: "away"}),
    ],
)
async def test_what_home_assistant_refuses(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    service: str,
    data: dict[str, Any],
) -> None:
    """Values, modes and presets that there are not are never sent."""
    with pytest.raises(ServiceValidationError):
        await _call(hass, HVAC, CLIMATE, service, **data)
    await done(hass)
    assert not sandbox.requests.pushes()


async def test_mode_without_a_command_is_refused(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """A thermostat that only heats cannot be told to cool."""
    _only(sandbox, "heat", "idle")
    assert await set_up(hass, entry)
    for mode in (HVACMode.COOL, HVACMode.HEAT_COOL):
        with pytest.raises(ServiceValidationError):
            await _call(hass, HVAC, CLIMATE, "set_hvac_mode", hvac_mode=mode)
    assert not sandbox.requests.pushes()


# Fahrenheit


@pytest.fixture
def fahrenheit(hass: HomeAssistant) -> None:
    """Let the person think in °F."""
    hass.config.units = US_CUSTOMARY_SYSTEM


@pytest.mark.usefixtures("fahrenheit")
async def test_fahrenheit_is_shown(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """All temperatures are shown in °F, once converted."""
    device = sandbox.device(HVAC)
    device.state_override = _BASE | {"heatSetpoint": 20, "temperature": 22.5}
    assert await set_up(hass, entry)
    attributes = _climate(hass).attributes
    assert attributes["current_temperature"] == pytest.approx(72.5, abs=0.5)
    assert attributes["target_temp_low"] == 68
    assert attributes["target_temp_high"] == 77
    assert attributes["temperature"] is None
    assert (attributes["min_temp"], attributes["max_temp"]) == (50, 95)


FAHRENHEIT: Final[list[Tap]] = [
    (
        {"mode": "heat"},
        "set_temperature",
        {ATTR_TEMPERATURE: 73},
        _action("heat", target=23.0),
    ),
    (
        {"mode": "cool"},
        "set_temperature",
        {ATTR_TEMPERATURE: 75},
        _action("cool", target=24.0),
    ),
    (
        {"mode": "off"},
        "set_temperature",
        {ATTR_TEMPERATURE: 73, ATTR_HVAC_MODE: HVACMode.HEAT},
        _action("heat", target=23.0),
    ),
    (
        {},
        "set_temperature",
        {ATTR_TARGET_TEMP_LOW: 68, ATTR_TARGET_TEMP_HIGH: 78},
        _action("auto", heatSetpoint=20.0, coolSetpoint=25.5),
    ),
    (
        {"heatSetpoint": 20, "coolSetpoint": 24},
        "set_temperature",
        {ATTR_TEMPERATURE: 73},
        _action("auto", heatSetpoint=21.0, coolSetpoint=25.0),
    ),
    (
        {"mode": "off"},
        "set_hvac_mode",
        {ATTR_HVAC_MODE: HVACMode.HEAT},
        _action("heat", target=19.5),
    ),
    (
        {"mode": "heat"},
        "set_temperature",
        {ATTR_TEMPERATURE: 50},
        _action("heat", target=10.0),
    ),
    (
        {"mode": "heat"},
        "set_temperature",
        {ATTR_TEMPERATURE: 95},
        _action("heat", target=35.0),
    ),
]


@pytest.mark.usefixtures("fahrenheit")
@pytest.mark.parametrize(
    ("state", "service", "data", "body"),
    FAHRENHEIT,
    ids=[f"{tap[1]}-{'-'.join(map(str, tap[2].values()))}" for tap in FAHRENHEIT],
)
async def test_fahrenheit_is_sent_as_celsius(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    state: dict[str, Any],
    service: str,
    data: dict[str, Any],
    body: dict[str, Any],
) -> None:
    """A person's °F go out as °C, in steps of the device."""
    sandbox.device(HVAC).state_override = _BASE | state
    assert await set_up(hass, entry)
    await _call(hass, HVAC, CLIMATE, service, **data)
    assert _bodies(sandbox) == [body]


@pytest.mark.usefixtures("fahrenheit")
async def test_fahrenheit_minus_and_plus_move(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """Each press of a button of a card moves the shown temperature by its step."""
    sandbox.device(HVAC).state_override = _BASE | {"mode": "heat", "heatSetpoint": 20}
    assert await set_up(hass, entry)
    assert _climate(hass).attributes["target_temp_step"] == 1
    for direction in (*[-1] * 10, *[1] * 20):
        before = _climate(hass).attributes["temperature"]
        await _call(
            hass, HVAC, CLIMATE, "set_temperature", temperature=before + direction
        )
        assert _climate(hass).attributes["temperature"] == before + direction


@pytest.mark.usefixtures("fahrenheit")
async def test_fahrenheit_comes_back_as_it_was_set(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """What was set is shown again, as near as the device's step allows."""
    assert await set_up(hass, entry)
    await _call(
        hass, HVAC, CLIMATE, "set_temperature", temperature=73, hvac_mode=HVACMode.HEAT
    )
    state = _climate(hass)
    assert state.state == HVACMode.HEAT
    assert state.attributes["temperature"] == pytest.approx(73, abs=0.5)
    captured = sandbox.device(HVAC).captured
    assert captured is not None
    assert captured["heatSetpoint"] == 23


# Bounds that are off the step


def _bounded(sandbox: Sandbox, low: float, high: float, unit: str = "celsius") -> None:
    """Give all temperatures of the thermostat these bounds."""
    device = sandbox.device(HVAC)
    assert device.commands is not None
    for command in device.commands.values():
        command["parameters"] = {
            name: {"unit": unit, "min": low, "max": high}
            for name in command["parameters"]
        }


EDGES: Final[list[tuple[bool, dict[str, Any], dict[str, float], dict[str, Any]]]] = [
    # The least and the most that a card offers is what is sent.
    (False, {"mode": "heat"}, {"temperature": 7.2}, _action("heat", target=7.2)),
    (False, {"mode": "heat"}, {"temperature": 7.3}, _action("heat", target=7.5)),
    (False, {"mode": "cool"}, {"temperature": 33.3}, _action("cool", target=33.3)),
    (
        False,
        {},
        {"target_temp_low": 7.2, "target_temp_high": 33.3},
        _action("auto", heatSetpoint=7.2, coolSetpoint=33.3),
    ),
    (
        False,
        {"heatSetpoint": 20, "coolSetpoint": 24},
        {"temperature": 7.2},
        _action("auto", heatSetpoint=7.2, coolSetpoint=11.2),
    ),
    # A band that is wider than the bounds is as wide as these.
    (
        False,
        {"heatSetpoint": 2, "coolSetpoint": 35},
        {"temperature": 20},
        _action("auto", heatSetpoint=7.2, coolSetpoint=33.3),
    ),
    # 7.2 and 33.3 °C are 44.96 and 91.94 °F: a card offers 45 to 92.
    (True, {"mode": "heat"}, {"temperature": 45}, _action("heat", target=7.2)),
    (True, {"mode": "cool"}, {"temperature": 92}, _action("cool", target=33.3)),
    (
        True,
        {},
        {"target_temp_low": 45, "target_temp_high": 92},
        _action("auto", heatSetpoint=7.2, coolSetpoint=33.3),
    ),
]


@pytest.mark.parametrize(
    ("american", "state", "data", "body"),
    EDGES,
    ids=[f"{'F' if edge[0] else 'C'}-{edge[1]}-{edge[2]}" for edge in EDGES],
)
async def test_what_a_card_offers_is_taken(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    american: bool,
    state: dict[str, Any],
    data: dict[str, float],
    body: dict[str, Any],
) -> None:
    """Bounds hold after the rounding to steps."""
    if american:
        hass.config.units = US_CUSTOMARY_SYSTEM
    _bounded(sandbox, 7.2, 33.3)
    sandbox.device(HVAC).state_override = _BASE | state
    assert await set_up(hass, entry)
    attributes = _climate(hass).attributes
    assert (attributes["min_temp"], attributes["max_temp"]) == (
        (45, 92) if american else (7.2, 33.3)
    )
    await _call(hass, HVAC, CLIMATE, "set_temperature", **data)
    assert _bodies(sandbox) == [body]


# A thermostat that speaks °F


def _fahrenheit(name: str, **values: float) -> dict[str, Any]:
    return {
        "action": {
            "command": name,
            "parameters": {
                key: {"value": value, "unit": "fahrenheit"}
                for key, value in values.items()
            },
        }
    }


_IN_FAHRENHEIT: Final = _BASE | {
    "temperature": 70.7,
    "heatSetpoint": 68,
    "coolSetpoint": 77,
}


@pytest.mark.parametrize(
    ("american", "shown", "bounds"),
    [
        (False, (21.5, 20, 25), (10, 35)),
        (True, (71, 68, 77), (50, 95)),
    ],
)
async def test_thermostat_in_fahrenheit_is_read(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    american: bool,
    shown: tuple[float, ...],
    bounds: tuple[float, float],
) -> None:
    """A device that declares °F is read in °F, whatever the house counts in."""
    if american:
        hass.config.units = US_CUSTOMARY_SYSTEM
    _bounded(sandbox, 50, 95, "fahrenheit")
    sandbox.device(HVAC).state_override = _IN_FAHRENHEIT
    assert await set_up(hass, entry)
    attributes = _climate(hass).attributes
    assert shown == (
        attributes["current_temperature"],
        attributes["target_temp_low"],
        attributes["target_temp_high"],
    )
    assert (attributes["min_temp"], attributes["max_temp"]) == bounds
    assert attributes["target_temp_step"] == (1 if american else 0.5)
    sensor = hass.states.get(_entity_id(hass, HVAC, "sensor.temperature"))
    assert sensor is not None
    assert float(sensor.state) == pytest.approx(70.7 if american else 21.5)
    assert sensor.attributes["unit_of_measurement"] == ("°F" if american else "°C")


@pytest.mark.parametrize(
    ("american", "state", "data", "body"),
    [
        (False, {}, {"hvac_mode": "heat"}, _fahrenheit("heat", target=68)),
        (False, {"mode": "heat"}, {"temperature": 21}, _fahrenheit("heat", target=70)),
        (True, {"mode": "heat"}, {"temperature": 71}, _fahrenheit("heat", target=71)),
        (
            False,
            {},
            {"target_temp_low": 19, "target_temp_high": 24.5},
            _fahrenheit("auto", heatSetpoint=66, coolSetpoint=76),
        ),
        (
            True,
            {},
            {"temperature": 70},
            _fahrenheit("auto", heatSetpoint=66, coolSetpoint=75),
        ),
        (False, {"mode": "cool"}, {"temperature": 35}, _fahrenheit("cool", target=95)),
    ],
)
async def test_thermostat_in_fahrenheit_is_written(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    american: bool,
    state: dict[str, Any],
    data: dict[str, Any],
    body: dict[str, Any],
) -> None:
    """A device that declares °F is told °F, and never 21."""
    if american:
        hass.config.units = US_CUSTOMARY_SYSTEM
    _bounded(sandbox, 50, 95, "fahrenheit")
    sandbox.device(HVAC).state_override = _IN_FAHRENHEIT | state
    assert await set_up(hass, entry)
    service = "set_hvac_mode" if "hvac_mode" in data else "set_temperature"
    await _call(hass, HVAC, CLIMATE, service, **data)
    assert _bodies(sandbox) == [body]


async def test_thermostat_without_bounds_in_fahrenheit(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """The documented bounds are in °C, and mean the same in °F."""
    device = sandbox.device(HVAC)
    assert device.commands is not None
    for command in device.commands.values():
        command["parameters"] = {
            name: {"unit": "fahrenheit"} for name in command["parameters"]
        }
    device.state_override = _IN_FAHRENHEIT
    assert await set_up(hass, entry)
    attributes = _climate(hass).attributes
    assert (attributes["min_temp"], attributes["max_temp"]) == (10, 35)


async def test_thermostat_of_two_units_is_never_told_the_wrong_one(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """Where one command speaks otherwise than the rest, it is refused in words."""
    device = sandbox.device(HVAC)
    assert device.commands is not None
    device.commands["heat"]["parameters"] = {"target": {"unit": "fahrenheit"}}
    device.state_override = _IN_FAHRENHEIT | {"mode": "cool"}
    assert await set_up(hass, entry)
    with pytest.raises(ServiceValidationError) as caught:
        await _call(hass, HVAC, CLIMATE, "set_temperature", temperature=25)
    assert caught.value.translation_key == "unit_not_supported"
    assert not sandbox.requests.pushes()


# What comes together


async def _all(hass: HomeAssistant, *calls: tuple[str, dict[str, Any]]) -> None:
    """Call one after the other, as those do who do not wait in between."""
    for service, data in calls:
        await hass.services.async_call(
            "climate",
            service,
            {ATTR_ENTITY_ID: _entity_id(hass, HVAC, CLIMATE), **data},
        )
    await done(hass)


@pytest.mark.parametrize("state", ["off", "cool", "auto"])
@pytest.mark.parametrize("said_again", [{}, {ATTR_HVAC_MODE: HVACMode.HEAT}])
async def test_mode_and_temperature_are_one_command(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    state: str,
    said_again: dict[str, Any],
) -> None:
    """Who sets the mode and then the temperature sends one command."""
    sandbox.device(HVAC).state_override = _BASE | {"mode": state}
    assert await set_up(hass, entry)
    with patch("custom_components.amps_ai.climate.GATHER", 0.5):
        await _all(
            hass,
            ("set_hvac_mode", {ATTR_HVAC_MODE: HVACMode.HEAT}),
            ("set_temperature", {ATTR_TEMPERATURE: 22, **said_again}),
        )
    assert _bodies(sandbox) == [_action("heat", target=22)]


async def test_temperature_and_mode_are_one_command(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """The mode that comes last carries the band that came first."""
    sandbox.device(HVAC).state_override = _BASE | {"mode": "auto"}
    assert await set_up(hass, entry)
    with patch("custom_components.amps_ai.climate.GATHER", 0.5):
        await _all(
            hass,
            ("set_temperature", {ATTR_TARGET_TEMP_LOW: 20, ATTR_TARGET_TEMP_HIGH: 23}),
            ("set_hvac_mode", {ATTR_HVAC_MODE: HVACMode.HEAT}),
        )
    assert _bodies(sandbox) == [_action("heat", target=20)]


async def test_who_waits_in_between_gets_both(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """The second wish of one who waits is sent when the first has ended."""
    sandbox.device(HVAC).state_override = _BASE | {"mode": "cool"}
    sandbox.action_seconds = 13
    assert await set_up(hass, entry)
    with patch("custom_components.amps_ai.pushes.order.CONTROL_WAIT", 0.01):
        for service, data in (
            ("set_hvac_mode", {ATTR_HVAC_MODE: HVACMode.HEAT}),
            ("set_temperature", {ATTR_TEMPERATURE: 22}),
        ):
            await hass.services.async_call(
                "climate",
                service,
                {ATTR_ENTITY_ID: _entity_id(hass, HVAC, CLIMATE), **data},
                blocking=True,
            )
    # Both calls have returned; what is wanted shows, and one is under way.
    shown = _climate(hass)
    assert (shown.state, shown.attributes["temperature"]) == ("heat", 22)
    taken = [item.body for item in sandbox.requests.pushes() if item.status == 202]
    assert taken == [_action("heat", target=19.5)]
    sandbox.action_seconds = 0
    sandbox.clock.advance(14)
    await done(hass)
    taken = [item.body for item in sandbox.requests.pushes() if item.status == 202]
    assert taken == [_action("heat", target=19.5), _action("heat", target=22)]


# A sensor


@pytest.mark.parametrize("home", ["home", "classic"])
async def test_temperature_is_a_sensor(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """What a thermostat measures stands for itself, for helpers and averages."""
    sandbox.device(HVAC).state_override = _BASE | {"temperature": 20.55}
    assert await set_up(hass, entry)
    sensor = hass.states.get(_entity_id(hass, HVAC, "sensor.temperature"))
    assert sensor is not None
    assert sensor.state == "20.55"
    assert sensor.attributes["unit_of_measurement"] == "°C"
    assert sensor.attributes["device_class"] == "temperature"
    assert sensor.attributes["state_class"] == "measurement"


# The older shape

OLDER: Final[list[tuple[str, str, str, dict[str, Any], list[dict[str, Any]]]]] = [
    (CHARGER, SWITCH, "turn_on", {}, [{"action": "start_charging"}]),
    (CHARGER, SWITCH, "turn_off", {}, [{"action": "stop_charging"}]),
    (
        CHARGER,
        CAP,
        "set_value",
        {"value": 7.4},
        [{"action": "set_max_power", "maxPower": 7.4}],
    ),
    (
        CHARGER,
        CAP,
        "set_value",
        {"value": 50},
        [{"action": "set_max_power", "maxPower": 50}],
    ),
    (
        HVAC,
        CLIMATE,
        "set_hvac_mode",
        {ATTR_HVAC_MODE: HVACMode.HEAT},
        [{"action": "set_permanent_hold", "mode": "heat", "heatSetpoint": 19.5}],
    ),
    (
        HVAC,
        CLIMATE,
        "set_hvac_mode",
        {ATTR_HVAC_MODE: HVACMode.COOL},
        [{"action": "set_permanent_hold", "mode": "cool", "coolSetpoint": 25}],
    ),
    (
        HVAC,
        CLIMATE,
        "set_hvac_mode",
        {ATTR_HVAC_MODE: HVACMode.HEAT_COOL},
        [
            {
                "action": "set_permanent_hold",
                "mode": "auto",
                "heatSetpoint": 19.5,
                "coolSetpoint": 25,
            }
        ],
    ),
    (
        HVAC,
        CLIMATE,
        "set_hvac_mode",
        {ATTR_HVAC_MODE: HVACMode.OFF},
        [{"action": "set_permanent_hold", "mode": "off"}],
    ),
    (
        HVAC,
        CLIMATE,
        "turn_off",
        {},
        [{"action": "set_permanent_hold", "mode": "off"}],
    ),
    (HVAC, CLIMATE, "turn_on", {}, []),
    (
        HVAC,
        CLIMATE,
        "set_preset_mode",
        {ATTR_PRESET_MODE: "schedule"},
        [{"action": "follow_schedule"}],
    ),
    (
        HVAC,
        CLIMATE,
        "set_preset_mode",
        {ATTR_PRESET_MODE: "hold"},
        [
            {
                "action": "set_permanent_hold",
                "mode": "auto",
                "heatSetpoint": 19.5,
                "coolSetpoint": 25,
            }
        ],
    ),
    (
        HVAC,
        CLIMATE,
        "set_temperature",
        {ATTR_TARGET_TEMP_LOW: 20, ATTR_TARGET_TEMP_HIGH: 24},
        [
            {
                "action": "set_permanent_hold",
                "mode": "auto",
                "heatSetpoint": 20,
                "coolSetpoint": 24,
            }
        ],
    ),
    (
        HVAC,
        CLIMATE,
        "set_temperature",
        {ATTR_TEMPERATURE: 21.2, ATTR_HVAC_MODE: HVACMode.HEAT},
        [{"action": "set_permanent_hold", "mode": "heat", "heatSetpoint": 21}],
    ),
    (
        HVAC,
        CLIMATE,
        "set_temperature",
        {ATTR_TEMPERATURE: 26, ATTR_HVAC_MODE: HVACMode.COOL},
        [{"action": "set_permanent_hold", "mode": "cool", "coolSetpoint": 26}],
    ),
]


@pytest.mark.parametrize(("home", "only"), [("classic", None)])
@pytest.mark.parametrize(
    ("device_id", "entity", "service", "data", "bodies"),
    OLDER,
    ids=[f"{item[2]}-{'-'.join(map(str, item[3].values()))}" for item in OLDER],
)
async def test_older_bodies(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    device_id: str,
    entity: str,
    service: str,
    data: dict[str, Any],
    bodies: list[dict[str, Any]],
) -> None:
    """Devices of the older shape are spoken to in its words."""
    sandbox.device(HVAC).state_override = _BASE
    assert await set_up(hass, entry)
    await _call(hass, device_id, entity, service, **data)
    assert _bodies(sandbox, device_id) == bodies
    assert all(record.status == 202 for record in sandbox.requests.pushes(device_id))
    assert not sandbox.requests.settings()


@pytest.mark.parametrize(("home", "only"), [("classic", None)])
async def test_older_commands_work(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What was asked for is what the devices then tell."""
    await _call(hass, HVAC, CLIMATE, "set_hvac_mode", hvac_mode=HVACMode.COOL)
    assert _climate(hass).state == HVACMode.COOL
    assert _climate(hass).attributes["preset_mode"] == "hold"
    captured = sandbox.device(HVAC).captured
    assert captured is not None
    assert captured["mode"] == "cool"
    await _call(hass, HVAC, CLIMATE, "turn_off")
    assert _climate(hass).state == HVACMode.OFF
    await _call(hass, HVAC, CLIMATE, "turn_on")
    assert _climate(hass).attributes["preset_mode"] == "schedule"

    for service, state in (("turn_off", "off"), ("turn_on", "on")):
        await _call(hass, CHARGER, SWITCH, service)
        shown = hass.states.get(_entity_id(hass, CHARGER, SWITCH))
        assert shown is not None
        assert shown.state == state
        captured = sandbox.device(CHARGER).captured
        assert captured is not None
        assert captured["isCharging"] is (state == "on")
