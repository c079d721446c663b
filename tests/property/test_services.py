"""Whatever an action is called with: words for a person, and nothing forbidden sent."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime
import logging
import re
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.amps_ai.common.const import DOMAIN
from sandbox import Sandbox

from .helpers import Checks
from .strategies import QUIET, TIMES, anything, examples, numbers, texts, unfolded

pytestmark = QUIET

DEVICES = {
    "battery": "device_battery_001",
    "ev_charger": "device_ev_001",
    "hvac": "device_hvac_001",
    "solar_inverter": "device_inverter_001",
    "vehicle": "device_vehicle_001",
}
# What each takes, with the parameters of a call that could come through.
COMMANDS: dict[str, dict[str, tuple[str, ...]]] = {
    "battery": {
        "charge": ("target", "power"),
        "discharge": ("target", "power"),
        "idle": (),
        "auto.balanced": (),
        "auto.reserve": ("reserve",),
    },
    "ev_charger": {"charge": (), "idle": (), "set_max_power": ("maxPower",)},
    "hvac": {
        "heat": ("target",),
        "cool": ("target",),
        "auto": ("heatSetpoint", "coolSetpoint"),
        "idle": (),
        "follow_schedule": (),
    },
    "solar_inverter": {"idle": ()},
    "vehicle": {"charge": ()},
}
PARAMETERS = ("target", "power", "reserve", "heatSetpoint", "coolSetpoint", "maxPower")
SETTINGS = (
    "safety_reserve",
    "discharge_floor",
    "charge_ceiling",
    "export_limit",
    "max_charge_rate",
    "max_discharge_rate",
    "scheduler_enabled",
)
# What can come of an action that was not carried out.
REFUSALS = (HomeAssistantError, vol.Invalid)


@pytest.fixture(autouse=True)
async def _now(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, sandbox: Sandbox
) -> None:
    """Live at the sandbox's time, in its zone."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to(sandbox.clock.now())


# Halves of pairs come out of templates, if out of nothing else.
words = texts | st.sampled_from(("\ud800", "a\udfff"))
unlikely = (
    anything.map(unfolded)
    | words
    | st.sampled_from((float("nan"), float("inf"), float("-inf"), 10**400))
    | st.dates()
    | st.timedeltas()
    | st.binary(max_size=5)
)
amounts = st.integers(15, 30) | st.floats(1, 90) | numbers
# Mostly what the form has, so that some of it comes through.
likely_times = st.sampled_from(
    (
        "2026-06-01 15:00:00",
        "2026-06-01T16:00:00+02:00",
        "2026-06-02 03:00:00",
        "2026-06-03T04:00:00Z",
    )
)
odd_times = st.sampled_from(
    (
        "2026-10-25 02:30:00",
        "2027-03-28 02:30:00",
        "2026-06-01T13:59:59+02:00",
        "2026-06-30 12:00:00",
        "2026-07-30 12:00:00",
        *TIMES,
    )
)
likely_spans = st.sampled_from(("00:30:00", "01:00", {"minutes": 45}, 600))
odd_spans = st.sampled_from(
    ("-1", {"days": 40}, {"days": 10**9}, "0", "9" * 30, "9" * 30 + ":00:00", 1e300)
)


@st.composite
def _field(draw: st.DrawFn, likely: st.SearchStrategy[Any]) -> Any:
    return draw(unlikely if draw(st.integers(0, 14)) == 14 else likely)


_quantity = amounts | st.fixed_dictionaries(
    {"value": _field(amounts)},
    optional={"unit": _field(st.sampled_from(("percent", "kw", "celsius")))},
)
_time = _field(likely_times) | likely_times | odd_times
_span = _field(likely_spans) | likely_spans | odd_spans
_when: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.just({}),
    st.fixed_dictionaries({"start": _time}, optional={"end": _time}),
    st.fixed_dictionaries({"delay": _span}, optional={"duration": _span}),
    st.fixed_dictionaries(
        {}, optional={"start": _time, "end": _time, "delay": _span, "duration": _span}
    ),
)
_how: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "on_conflict": _field(st.sampled_from(("cancel_and_replace", "queue_after"))),
        "wait": _field(st.booleans()),
    },
)
_level = _field(amounts)


@st.composite
def _commands(draw: st.DrawFn, device_type: str) -> dict[str, Any]:
    takes = COMMANDS[device_type]
    command = draw(st.sampled_from(sorted(takes)))
    likely = st.fixed_dictionaries(dict.fromkeys(takes[command], _field(_quantity)))
    others = st.dictionaries(
        st.sampled_from(PARAMETERS) | words, _field(_quantity), max_size=2
    )
    return {
        "command": draw(_field(st.just(command))),
        "parameters": draw(_field(likely | likely | others)),
    }


def _holds() -> st.SearchStrategy[dict[str, Any]]:
    modes = _field(st.sampled_from(("heat", "cool")))
    return st.one_of(
        st.fixed_dictionaries({"mode": modes, "target": _level}),
        st.fixed_dictionaries(
            {"mode": st.just("auto"), "heat_setpoint": _level, "cool_setpoint": _level}
        ),
        st.fixed_dictionaries(
            {"mode": modes},
            optional={
                "target": _level,
                "heat_setpoint": _level,
                "cool_setpoint": _level,
            },
        ),
    )


def _calls(service: str, device_type: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw calls of an action that are nearly as they should be."""
    match service:
        case "send_command":
            return st.builds(_united, _commands(device_type), _when, _how)
        case "charge" | "discharge":
            levels = st.fixed_dictionaries(
                {}, optional={"target": _level, "power": _level, "reserve": _level}
            )
            return st.builds(_united, levels | st.just({}), _when, _how)
        case "hold_temperature":
            return st.builds(_united, _holds(), _when, _how)
        case "update_settings":
            values = st.dictionaries(
                st.sampled_from(SETTINGS) | words, _field(amounts), max_size=3
            )
            one = st.dictionaries(
                st.sampled_from(SETTINGS), amounts, min_size=1, max_size=1
            )
            return st.fixed_dictionaries({"settings": _field(values | one)})
        case "list_actions":
            return st.fixed_dictionaries(
                {},
                optional={
                    "state": _field(st.sampled_from(("scheduled", "failed"))),
                    "limit": _field(st.integers(-1, 501)),
                },
            )
        case _:
            return st.fixed_dictionaries({"action_id": words | unlikely})


def _united(*parts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}


SERVICES = {
    "send_command": ("battery", "ev_charger", "hvac"),
    "charge": ("battery", "ev_charger"),
    "discharge": ("battery",),
    "hold_temperature": ("hvac",),
    "update_settings": ("battery", "ev_charger"),
    "get_action": tuple(DEVICES),
    "cancel_action": tuple(DEVICES),
    "list_actions": tuple(DEVICES),
}


@pytest.fixture
def sent() -> Generator[list[str]]:
    """Collect what all examples send: if hardly any does, they prove nothing."""
    collected: list[str] = []
    yield collected
    assert len(collected) >= 15, collected


@pytest.fixture
def registered(hass: HomeAssistant, loaded: MockConfigEntry) -> dict[str, str]:
    """Return the ids that Home Assistant knows the devices by, by type."""
    registry = dr.async_get(hass)
    found: dict[str, str] = {}
    for device_type, device_id in DEVICES.items():
        device = registry.async_get_device_by_identifier(
            (DOMAIN, device_id), loaded.entry_id
        )
        assert device is not None
        found[device_type] = device.id
    return found


def _was_allowed(sandbox: Sandbox) -> list[str]:
    """Check that what was sent is what the devices take, and return what it was."""
    for record in sandbox.requests.pushes():
        device = sandbox.device(record.path.split("/")[2])
        body = record.body
        assert isinstance(body, dict), record
        action = body["action"]
        allowed = (device.commands or {})[action["command"]]
        kind = "scheduled" if "start" in action else "immediate"
        if "end" in action:
            kind = "windowed"
        assert kind in allowed["execution"], record
        for name, quantity in action.get("parameters", {}).items():
            bounds = allowed["parameters"][name]
            assert quantity["unit"] == bounds["unit"], record
            assert bounds.get("min", 0) <= quantity["value"], record
            assert quantity["value"] <= bounds.get("max", 1e15), record
        if "end" not in action and re.fullmatch(
            r"\d+(\.\d+)?[hm]", action.get("start", "")
        ):
            # A span from now on, which no zone can spoil.
            continue
        if "start" in action:
            start = datetime.fromisoformat(action["start"])
            # By the clock on the wall, and no further than a month ahead.
            assert start.tzinfo is None
            assert start.isoformat() <= "2026-07-02"
    for record in sandbox.requests.settings():
        known = sandbox.device(record.path.split("/")[2]).settings
        for name, quantity in record.body.items():
            assert name != "scheduler_enabled"
            assert quantity["unit"] == known[name]["unit"], record
            assert known[name].get("min", 0) <= quantity["value"], record
    # What the API refuses for its form should have been refused here.
    refused = [
        record
        for record in sandbox.requests.of("POST")
        if record.status in (400, 422) and record.code != "START_IN_PAST"
    ]
    assert not refused, refused
    return [record.path for record in sandbox.requests.of("POST")]


def is_told(err: Exception) -> None:
    """Check that a person is told what is wrong, in one piece."""
    assert str(err)


@examples(300, slow=True)
@given(st.sampled_from(sorted(SERVICES)), st.integers(0, 19), st.data())
async def test_any_call(
    hass: HomeAssistant,
    sandbox: Sandbox,
    registered: dict[str, str],
    checks: Checks,
    sent: list[str],
    service: str,
    odd: int,
    data: st.DataObject,
) -> None:
    # Now and then one that is not for such a device, or for none.
    likely = tuple(DEVICES) if odd == 0 else SERVICES[service]
    device_type = data.draw(st.sampled_from(likely))
    device_id = data.draw(unlikely) if odd == 1 else registered[device_type]
    call = {"device_id": device_id, **data.draw(_calls(service, device_type))}
    sandbox.requests.clear()
    try:
        response = await hass.services.async_call(
            DOMAIN, service, call, blocking=True, return_response=True
        )
    except REFUSALS as err:
        is_told(err)
    else:
        assert isinstance(response, dict)
    await hass.async_block_till_done(wait_background_tasks=True)
    sent += _was_allowed(sandbox)
    checks.all()


@dataclass(frozen=True, kw_only=True)
class Control:
    """What can be tapped, and what with."""

    domain: str
    service: str
    likely: st.SearchStrategy[Any]
    call: Callable[[Any], dict[str, Any]]


_TEMPERATURES: Final = st.integers(15, 30) | st.floats(10, 35)
CONTROLS = (
    Control(
        domain="number",
        service="set_value",
        likely=st.integers(0, 100),
        call=lambda value: {"value": value},
    ),
    Control(
        domain="select",
        service="select_option",
        likely=st.sampled_from(("charge", "discharge", "idle", "auto_balanced")),
        call=lambda value: {"option": value},
    ),
    Control(
        domain="switch",
        service="toggle",
        likely=st.just(None),
        call=lambda _: {},
    ),
    Control(
        domain="climate",
        service="set_temperature",
        likely=_TEMPERATURES,
        call=lambda value: {"temperature": value},
    ),
    Control(
        domain="climate",
        service="set_hvac_mode",
        likely=st.sampled_from(("heat", "cool", "heat_cool", "off")),
        call=lambda value: {"hvac_mode": value},
    ),
    Control(
        domain="climate",
        service="set_preset_mode",
        likely=st.sampled_from(("schedule", "hold")),
        call=lambda value: {"preset_mode": value},
    ),
    Control(
        domain="climate",
        service="set_temperature",
        likely=_TEMPERATURES,
        call=lambda value: {"target_temp_low": value, "target_temp_high": value},
    ),
)


@examples(100, slow=True)
@given(st.sampled_from(CONTROLS), st.data())
async def test_any_tap(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    checks: Checks,
    sent: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    control: Control,
    data: st.DataObject,
) -> None:
    # What it logs of a temperature without end cannot be said.
    caplog.set_level(logging.INFO, "homeassistant.components.climate")
    monkeypatch.setattr("custom_components.amps_ai.pushes.manager.REST", 0)
    monkeypatch.setattr("custom_components.amps_ai.number.REST", 0)
    entity_ids = sorted(hass.states.async_entity_ids(control.domain))
    entity_id = data.draw(st.sampled_from(entity_ids))
    value = data.draw(control.likely | amounts | unlikely)
    sandbox.requests.clear()
    try:
        await hass.services.async_call(
            control.domain,
            control.service,
            {"entity_id": entity_id, **control.call(value)},
            blocking=True,
        )
    except REFUSALS as err:
        is_told(err)
    await hass.async_block_till_done(wait_background_tasks=True)
    sent += _was_allowed(sandbox)
    checks.all()
