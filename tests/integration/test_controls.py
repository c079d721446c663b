"""What a tap sends, shows and ends in."""

import asyncio
from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from aiohttp import ClientTimeout
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.climate import (
    ATTR_HVAC_MODE,
    ATTR_PRESET_MODE,
    ATTR_TARGET_TEMP_HIGH,
    ATTR_TARGET_TEMP_LOW,
    HVACMode,
)
from homeassistant.const import ATTR_ENTITY_ID, ATTR_TEMPERATURE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.amps_ai.api import ActionState, DeviceType, Push
from custom_components.amps_ai.common.const import DOMAIN, EVENT_ACTION
from sandbox import Sandbox

from ..lean import rested
from .helpers import done, registered

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
HVAC = "device_hvac_001"

CLIMATE = "climate.smart_thermostat_premium"
SWITCH = "switch.pulsar_plus"
CAP = "number.pulsar_plus_maximum_power"
MODE = "select.powerwall_2_mode"


@pytest.fixture(autouse=True)
def quick() -> Generator[None]:
    """Ask for actions often, and let sliders rest shortly."""
    with (
        patch("custom_components.amps_ai.pushes.following._POLLS", (0.02,)),
        patch("custom_components.amps_ai.number.REST", 0.05),
        patch("custom_components.amps_ai.pushes.manager.REST", 0.05),
    ):
        yield


async def _call(hass: HomeAssistant, service: str, entity_id: str, **data: Any) -> None:
    await hass.services.async_call(
        entity_id.partition(".")[0],
        service,
        {ATTR_ENTITY_ID: entity_id, **data},
        blocking=True,
    )


def _state(hass: HomeAssistant, entity_id: str) -> str:
    state = hass.states.get(entity_id)
    assert state is not None
    return state.state


def _attributes(hass: HomeAssistant, entity_id: str) -> Mapping[str, Any]:
    state = hass.states.get(entity_id)
    assert state is not None
    return state.attributes


def _celsius(**values: float) -> dict[str, Any]:
    return {name: {"value": value, "unit": "celsius"} for name, value in values.items()}


def _command(name: str, **parameters: Any) -> dict[str, Any]:
    action: dict[str, Any] = {"command": name}
    if parameters:
        action["parameters"] = parameters
    return {"action": action}


# The thermostat of the home is in `auto`, between 19 and 25 °C, at noon.
TAPS: list[tuple[str, str, dict[str, Any], str, dict[str, Any]]] = [
    (SWITCH, "turn_off", {}, CHARGER, _command("idle")),
    (SWITCH, "turn_on", {}, CHARGER, _command("charge")),
    *(
        (MODE, "select_option", {"option": option}, BATTERY, _command(command))
        for option, command in (
            ("charge", "charge"),
            ("discharge", "discharge"),
            ("idle", "idle"),
            ("auto_balanced", "auto.balanced"),
            ("auto_reserve", "auto.reserve"),
            ("auto_export", "auto.export"),
        )
    ),
    (
        CLIMATE,
        "set_hvac_mode",
        {ATTR_HVAC_MODE: HVACMode.HEAT},
        HVAC,
        _command("heat", **_celsius(target=19)),
    ),
    (
        CLIMATE,
        "set_hvac_mode",
        {ATTR_HVAC_MODE: HVACMode.COOL},
        HVAC,
        _command("cool", **_celsius(target=25)),
    ),
    (
        CLIMATE,
        "set_hvac_mode",
        {ATTR_HVAC_MODE: HVACMode.HEAT_COOL},
        HVAC,
        _command("auto", **_celsius(heatSetpoint=19, coolSetpoint=25)),
    ),
    (CLIMATE, "turn_off", {}, HVAC, _command("idle")),
    (
        CLIMATE,
        "set_temperature",
        {ATTR_TARGET_TEMP_LOW: 20.2, ATTR_TARGET_TEMP_HIGH: 23.9},
        HVAC,
        _command("auto", **_celsius(heatSetpoint=20, coolSetpoint=24)),
    ),
    (
        CLIMATE,
        "set_temperature",
        {ATTR_TEMPERATURE: 21},
        HVAC,
        _command("auto", **_celsius(heatSetpoint=18, coolSetpoint=24)),
    ),
    (
        CLIMATE,
        "set_temperature",
        {ATTR_TEMPERATURE: 34},
        HVAC,
        _command("auto", **_celsius(heatSetpoint=29, coolSetpoint=35)),
    ),
    (
        CLIMATE,
        "set_temperature",
        {ATTR_TEMPERATURE: 21.3, ATTR_HVAC_MODE: HVACMode.HEAT},
        HVAC,
        _command("heat", **_celsius(target=21.5)),
    ),
    (
        CLIMATE,
        "set_temperature",
        {ATTR_TEMPERATURE: 26, ATTR_HVAC_MODE: HVACMode.COOL},
        HVAC,
        _command("cool", **_celsius(target=26)),
    ),
    (
        CLIMATE,
        "set_preset_mode",
        {ATTR_PRESET_MODE: "schedule"},
        HVAC,
        _command("follow_schedule"),
    ),
    (
        CLIMATE,
        "set_preset_mode",
        {ATTR_PRESET_MODE: "hold"},
        HVAC,
        _command("auto", **_celsius(heatSetpoint=19, coolSetpoint=25)),
    ),
]


@pytest.mark.parametrize(
    ("entity_id", "service", "data", "device_id", "body"),
    TAPS,
    ids=[f"{tap[1]}-{'-'.join(map(str, tap[2].values()))}" for tap in TAPS],
)
async def test_tap_sends_exactly_this(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    entity_id: str,
    service: str,
    data: dict[str, Any],
    device_id: str,
    body: dict[str, Any],
) -> None:
    """Each tap sends one body, and is followed to its end."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 0
    await _call(hass, service, entity_id, **data)
    await done(hass)
    assert [record.body for record in sandbox.requests.pushes(device_id)] == [body]
    assert [event.data["state"] for event in ends] == ["completed"]
    assert ends[0].data["command"] == body["action"]["command"]


async def test_tap_shows_at_once_and_ends_with_a_reading(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """The tapped control alone shows what was asked for, until it is read."""
    sandbox.home.push_shows_at_once = False
    sandbox.device(CHARGER).action_seconds = 30
    assert _state(hass, SWITCH) == "on"
    power = _state(hass, "sensor.pulsar_plus_power")
    with patch("custom_components.amps_ai.pushes.order.CONTROL_WAIT", 0.05):
        await _call(hass, "turn_off", SWITCH)
    assert _state(hass, SWITCH) == "off"
    assert _state(hass, "binary_sensor.pulsar_plus_charging") == "on"
    assert _state(hass, "sensor.pulsar_plus_power") == power
    assert _state(hass, "sensor.pulsar_plus_last_command") == "acknowledged"
    sandbox.clock.advance(31)
    await rested(0.1)
    await done(hass)
    assert _state(hass, "sensor.pulsar_plus_last_command") == "completed"
    assert _attributes(hass, "event.pulsar_plus_command")["event_type"] == ("completed")
    assert sandbox.requests.reads(CHARGER)[-1].query == {"expedite": "true"}
    assert _state(hass, SWITCH) == "off"


async def test_reading_from_before_the_end_does_not_end_it(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """`completed` is accepted, not done: an older reading proves nothing."""
    sandbox.home.push_shows_at_once = False
    sandbox.action_seconds = 0
    await _call(hass, "turn_off", SWITCH)
    await done(hass)
    # The API answered the expedited read from its cache.
    assert _state(hass, SWITCH) == "off"
    assert _state(hass, "binary_sensor.pulsar_plus_charging") == "on"
    # A minute on, the cache is over: the reading tells the truth.
    sandbox.device(CHARGER).state_override = {"isCharging": True}
    sandbox.clock.advance(62)
    freezer.tick(timedelta(seconds=62))
    async_fire_time_changed(hass)
    await done(hass)
    assert _state(hass, SWITCH) == "on"


async def test_reading_wins_after_three_minutes(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """However long the API serves its cache, what is shown has an exit."""
    sandbox.home.push_shows_at_once = False
    sandbox.action_seconds = 0
    await _call(hass, "turn_off", SWITCH)
    await done(hass)
    assert _state(hass, SWITCH) == "off"
    freezer.tick(timedelta(seconds=181))
    async_fire_time_changed(hass)
    await done(hass)
    assert _state(hass, SWITCH) == "on"


async def test_failure_by_then_is_raised(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A command that fails while the call waits raises, and shows the truth."""
    sandbox.device(BATTERY).next_action(
        "failed", code="DEVICE_REFUSED", message="Not now", seconds=0
    )
    with pytest.raises(HomeAssistantError) as caught:
        await _call(hass, "select_option", MODE, option="charge")
    await done(hass)
    assert caught.value.translation_key == "action_failed"
    assert "Powerwall 2" in str(caught.value)
    assert "DEVICE_REFUSED" in str(caught.value)
    assert _state(hass, MODE) == "auto_balanced"
    told = _attributes(hass, "event.powerwall_2_command")
    assert told["event_type"] == "failed"
    assert told["error"] == "DEVICE_REFUSED"


async def test_later_failure_is_told(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A command that fails after the call puts the state back, and says so."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.device(BATTERY).next_action("failed", code="NO", message="-", seconds=30)
    with patch("custom_components.amps_ai.pushes.order.CONTROL_WAIT", 0.05):
        await _call(hass, "select_option", MODE, option="charge")
    assert _state(hass, MODE) == "charge"
    assert not ends
    sandbox.clock.advance(31)
    await rested(0.1)
    await done(hass)
    assert _state(hass, MODE) == "auto_balanced"
    assert [event.data["error"] for event in ends] == ["NO"]
    assert _state(hass, "sensor.powerwall_2_last_command") == "failed"


async def test_manufacturers_schedule_is_never_cleared_in_silence(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A native schedule in the way is an error, and nothing more is sent."""
    sandbox.device(BATTERY).native_scheduler = True
    sandbox.action_seconds = 0
    with pytest.raises(HomeAssistantError) as caught:
        await _call(hass, "select_option", MODE, option="charge")
    await done(hass)
    assert caught.value.translation_key == "scheduler_active"
    assert len(sandbox.requests.pushes(BATTERY)) == 1


async def test_newest_intent_replaces_a_scheduled_action(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What waits makes way, and that is told."""
    ends = async_capture_events(hass, EVENT_ACTION)
    runtime = loaded.runtime_data
    device = runtime.find(BATTERY).data[BATTERY]
    waiting = await runtime.account.client.async_push(
        device, Push(command="discharge", start="2h")
    )
    sandbox.requests.clear()
    sandbox.action_seconds = 0
    await _call(hass, "select_option", MODE, option="charge")
    await done(hass)
    assert [record.body for record in sandbox.requests.pushes(BATTERY)] == [
        _command("charge"),
        _command("charge"),
    ]
    assert len(sandbox.requests.of("POST", f"/actions/{waiting.id}/cancel")) == 1
    assert [(event.data["action_id"], event.data["state"]) for event in ends][:1] == [
        (waiting.id, "cancelled")
    ]
    assert ends[1].data["state"] == "completed"


async def _accepted(sandbox: Sandbox, count: int) -> None:
    """Wait until so many commands were taken."""
    while sum(item.status == 202 for item in sandbox.requests.pushes(BATTERY)) < count:
        await asyncio.sleep(0.01)


async def test_one_in_flight_is_waited_for(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A second command waits for the first one, longer than its call does."""
    sandbox.action_seconds = 20
    with patch("custom_components.amps_ai.pushes.order.CONTROL_WAIT", 0.05):
        await _call(hass, "select_option", MODE, option="charge")
        await _call(hass, "select_option", MODE, option="discharge")
        assert _state(hass, MODE) == "discharge"
        sandbox.clock.advance(21)
        await _accepted(sandbox, 2)
    sandbox.clock.advance(21)
    await done(hass)
    accepted = [
        record.body["action"]["command"]
        for record in sandbox.requests.pushes(BATTERY)
        if record.status == 202
    ]
    assert accepted == ["charge", "discharge"]
    assert _state(hass, MODE) == "discharge"


async def test_busy_for_too_long(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What somebody else has going is waited for a while, and then no more."""
    sandbox.action_seconds = 1000
    runtime = loaded.runtime_data
    device = runtime.find(BATTERY).data[BATTERY]
    await runtime.account.client.async_push(device, Push(command="charge"))
    with (
        patch("custom_components.amps_ai.pushes.sending.BUSY_WAIT", 0.1),
        pytest.raises(HomeAssistantError) as caught,
    ):
        await _call(hass, "select_option", MODE, option="discharge")
    assert caught.value.translation_key == "device_busy"
    assert _state(hass, MODE) == "auto_balanced"
    sandbox.requests.clear()
    sandbox.clock.advance(1001)
    await rested(0.1)
    await done(hass)
    assert not sandbox.requests.pushes(BATTERY)


async def test_of_several_taps_the_newest_is_sent(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Taps that are replaced while they wait return quietly."""
    sandbox.action_seconds = 0
    sandbox.faults.add(method="POST", path="/battery/*", kind="delay", delay=0.3)
    await asyncio.gather(
        *(
            _call(hass, "select_option", MODE, option=option)
            for option in ("charge", "idle", "auto_export", "discharge")
        )
    )
    await done(hass)
    commands = [
        record.body["action"]["command"] for record in sandbox.requests.pushes(BATTERY)
    ]
    assert commands == ["charge", "discharge"]
    assert _state(hass, MODE) == "discharge"


async def test_slider_is_sent_once(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A moving slider is sent when it rests, shown at once, and read back."""
    sandbox.requests.clear()
    moves = [
        hass.async_create_task(_call(hass, "set_value", CAP, value=value))
        for value in (6, 7, 7.4)
    ]
    await asyncio.sleep(0.01)
    assert _state(hass, CAP) == "7.4"
    await asyncio.gather(*moves)
    await done(hass)
    assert [record.body for record in sandbox.requests.settings(CHARGER)] == [
        {"max_charge_rate": {"value": 7.4, "unit": "kw"}}
    ]
    assert sandbox.requests.reads(CHARGER)[-1].query == {"expedite": "true"}
    assert _state(hass, CAP) == "7.4"


async def test_value_that_is_so_already_is_not_sent(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A number equal to a freshly read value changes nothing."""
    sandbox.requests.clear()
    await _call(hass, "set_value", CAP, value=11)
    await done(hass)
    assert not sandbox.requests.settings()
    # Read long ago, it may have changed meanwhile: then it is sent.
    sandbox.clock.advance(120)
    await loaded.runtime_data.find(CHARGER).async_refresh()
    await _call(hass, "set_value", CAP, value=11)
    await done(hass)
    assert len(sandbox.requests.settings()) == 1


@pytest.mark.parametrize(
    ("entity_id", "value", "setting", "unit"),
    [
        ("number.powerwall_2_safety_reserve", 25, "safety_reserve", "percent"),
        ("number.powerwall_2_discharge_floor", 15, "discharge_floor", "percent"),
        ("number.powerwall_2_charge_ceiling", 90, "charge_ceiling", "percent"),
        ("number.powerwall_2_export_limit", 3000, "export_limit", "watts"),
        ("number.powerwall_2_charge_rate_limit", 60, "max_charge_rate", "amps"),
        ("number.powerwall_2_discharge_rate_limit", 60, "max_discharge_rate", "amps"),
    ],
)
async def test_setting_is_written(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    entity_id: str,
    value: float,
    setting: str,
    unit: str,
) -> None:
    """Each number writes its one setting, in the device's unit."""
    await _call(hass, "set_value", entity_id, value=value)
    await done(hass)
    assert [record.body for record in sandbox.requests.settings(BATTERY)] == [
        {setting: {"value": value, "unit": unit}}
    ]
    assert float(_state(hass, entity_id)) == value


async def test_refused_setting_shows_the_truth(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What the API refuses is an error, and the old value is shown again."""
    sandbox.faults.add(
        method="POST",
        path="/ev-charger/*",
        status=422,
        code="SETTING_OUT_OF_RANGE",
        message="Too much",
    )
    with pytest.raises(HomeAssistantError) as caught:
        await _call(hass, "set_value", CAP, value=40)
    assert caught.value.translation_key == "refused"
    assert "Pulsar Plus" in str(caught.value)
    assert "SETTING_OUT_OF_RANGE" in str(caught.value)
    assert float(_state(hass, CAP)) == 11


async def test_command_that_cannot_work_is_not_sent(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What the capability map forbids is refused, with what would work."""
    device = sandbox.device(CHARGER)
    assert device.commands is not None
    del device.commands["idle"]
    await loaded.runtime_data.find(CHARGER).async_refresh()
    with pytest.raises(ServiceValidationError) as caught:
        await _call(hass, "turn_off", SWITCH)
    assert caught.value.translation_key == "command_not_supported"
    assert str(caught.value) == (
        "Pulsar Plus does not take the command “Pause charging”. It takes: Charge"
    )
    assert not sandbox.requests.pushes()


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        ({"status": 429, "code": "RATE_LIMIT_EXCEEDED"}, "rate_limited"),
        ({"status": 401, "code": "INVALID_CREDENTIALS"}, "device_credentials"),
        ({"status": 404, "code": "DEVICE_NOT_FOUND"}, "device_not_found"),
        ({"status": 400, "code": "DEVICE_OFFLINE"}, "device_offline"),
        ({"status": 422, "code": "COMMAND_NOT_SUPPORTED"}, "not_open_yet"),
        ({"status": 503, "code": "SERVICE_UNAVAILABLE"}, "manufacturer_trouble"),
        ({"kind": "html", "status": 200}, "unknown_outcome"),
        ({"kind": "html", "status": 502}, "unknown_outcome"),
        ({"kind": "html", "status": 503}, "server_trouble"),
        ({"kind": "drop"}, "unknown_outcome"),
    ],
)
async def test_each_refusal_has_its_words(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    fault: dict[str, Any],
    key: str,
) -> None:
    """Every refusal is an error with its own words, which name the device."""
    sandbox.faults.add(method="POST", path="/battery/*", **fault)
    with pytest.raises(HomeAssistantError) as caught:
        await _call(hass, "select_option", MODE, option="charge")
    await done(hass)
    assert caught.value.translation_key == key
    assert "Powerwall 2" in str(caught.value)
    lost = key in ("device_not_found", "device_offline")
    assert _state(hass, MODE) == ("unavailable" if lost else "auto_balanced")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop"},
        {"kind": "hang"},
        {"kind": "html", "status": 200},
        {"kind": "html", "status": 502},
        {"kind": "empty", "status": 204},
        {"kind": "redirect", "location": "/elsewhere"},
        {"kind": "without", "keys": ["id"]},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault.get('status', '')}",
)
@pytest.mark.parametrize("way", ["control", "action", "setting"])
async def test_lost_answer(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    fault: dict[str, Any],
    way: str,
) -> None:
    """It was sent once, is said to be of unknown outcome, and the device tells."""
    sandbox.action_seconds = 0
    lost = fault if fault["kind"] == "without" else {**fault, "done": True}
    sandbox.faults.add(method="POST", path="/battery/*", times=1, **lost)
    sandbox.clock.advance(120)
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "control": ("select.select_option", {"entity_id": MODE, "option": "charge"}),
        "action": (f"{DOMAIN}.charge", {"device_id": registered(hass, BATTERY)}),
        "setting": (
            "number.set_value",
            {"entity_id": "number.powerwall_2_safety_reserve", "value": 33},
        ),
    }
    name, data = calls[way]
    domain, _, service = name.partition(".")
    client = loaded.runtime_data.account.client
    with (
        patch.object(client, "_timeout", ClientTimeout(total=0.3)),
        patch("custom_components.amps_ai.pushes.manager.REST", 0),
    ):
        call = hass.services.async_call(domain, service, data, blocking=True)
        if way == "setting" and fault["kind"] == "without":
            # No action is made: nothing is lost without an id.
            await call
        else:
            with pytest.raises(HomeAssistantError) as caught:
                await call
            assert caught.value.translation_key == "unknown_outcome"
        await done(hass)
    sent = sandbox.requests.of("POST", "/battery/*")
    assert len(sent) == 1
    if way == "setting":
        assert float(_state(hass, "number.powerwall_2_safety_reserve")) == 33
    else:
        assert _state(hass, MODE) == "charge"
        assert _state(hass, "sensor.powerwall_2_last_command") == "completed"
        assert _attributes(hass, "event.powerwall_2_command")["event_type"] == (
            "completed"
        )


async def test_unload_in_the_middle(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """An entry that goes takes everything along, and says nothing false."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 1000
    call = hass.async_create_task(_call(hass, "select_option", MODE, option="charge"))
    await rested(0.1)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    await call
    await done(hass)
    assert not ends


async def test_replacing_does_not_clear_the_manufacturers_schedule(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Where a native schedule is active, only what was planned here makes way."""
    runtime = loaded.runtime_data
    coordinator = runtime.find(BATTERY)
    await runtime.account.client.async_push(
        coordinator.data[BATTERY], Push(command="discharge", start="2h")
    )
    sandbox.device(BATTERY).native_scheduler = True
    sandbox.clock.advance(61)
    await coordinator.async_read(BATTERY, expedite=True)
    sandbox.requests.clear()
    sandbox.action_seconds = 0
    with pytest.raises(HomeAssistantError) as caught:
        await _call(hass, "select_option", MODE, option="charge")
    await done(hass)
    assert caught.value.translation_key == "scheduler_active"
    assert sandbox.device(BATTERY).native_scheduler
    assert [record.body for record in sandbox.requests.pushes(BATTERY)] == [
        _command("charge"),
        _command("charge"),
    ]
    assert len(sandbox.requests.of("POST", "/actions/*/cancel")) == 1


async def test_one_in_flight_from_elsewhere_is_waited_for(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A command that somebody else sent is waited for just the same."""
    sandbox.action_seconds = 20
    runtime = loaded.runtime_data
    device = runtime.find(BATTERY).data[BATTERY]
    await runtime.account.client.async_push(device, Push(command="discharge"))
    with patch("custom_components.amps_ai.pushes.order.CONTROL_WAIT", 0.05):
        task = hass.async_create_task(
            _call(hass, "select_option", MODE, option="charge")
        )
        await rested(0.2)
        assert not task.done()
        sandbox.clock.advance(21)
        await task
    sandbox.clock.advance(21)
    await rested(0.1)
    await done(hass)
    assert _state(hass, MODE) == "charge"
    assert _state(hass, "sensor.powerwall_2_last_command") == "completed"


async def test_what_made_way_is_told_though_the_push_fails(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What was planned is gone, whatever becomes of the tap."""
    ends = async_capture_events(hass, EVENT_ACTION)
    runtime = loaded.runtime_data
    device = runtime.find(BATTERY).data[BATTERY]
    waiting = await runtime.account.client.async_push(
        device, Push(command="discharge", start="2h")
    )
    cancel = f"/actions/{waiting.id}/cancel"
    task = hass.async_create_task(_call(hass, "select_option", MODE, option="charge"))
    while not sandbox.requests.of("POST", cancel):
        await asyncio.sleep(0)
    sandbox.faults.add(method="POST", path=f"/battery/{BATTERY}", status=503)
    with pytest.raises(HomeAssistantError):
        await task
    await done(hass)
    assert (waiting.id, "cancelled") in [
        (event.data["action_id"], event.data["state"]) for event in ends
    ]
    assert _state(hass, MODE) == "auto_balanced"


async def test_slider_that_never_rests(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """It is sent now and then, and what it wanted does not pile up."""
    sandbox.requests.clear()
    with (
        patch("custom_components.amps_ai.pushes.manager.REST", 30),
        patch("custom_components.amps_ai.pushes.order.MOST_REST", 0.05),
    ):
        value = 6.0
        moves = []
        while not sandbox.requests.settings(CHARGER):
            value = 6 + (value + 0.1) % 5
            moves.append(
                hass.async_create_task(_call(hass, "set_value", CAP, value=value))
            )
            await asyncio.sleep(0.01)
        await asyncio.gather(*moves)
    lane = loaded.runtime_data.pushes._lanes.of(CHARGER)
    depth, intent = 0, lane.intents.get("max_power")
    while intent is not None:
        depth, intent = depth + 1, intent.previous
    assert depth <= 2
    assert not lane.restless


async def test_on_after_off_is_not_off(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What an older command wanted is not shown with a newer one."""
    sandbox.home.push_shows_at_once = False
    sandbox.action_seconds = 0
    await _call(hass, "turn_off", CLIMATE)
    assert _state(hass, CLIMATE) == HVACMode.OFF
    await _call(hass, "turn_on", CLIMATE)
    assert _state(hass, CLIMATE) == HVACMode.HEAT_COOL
    # It is on, so a temperature is not refused.
    await _call(
        hass, "set_temperature", CLIMATE, target_temp_low=19, target_temp_high=24
    )


async def test_offline_device_that_is_tapped(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A push that finds the device offline shows it so."""
    sandbox.device(BATTERY).offline = True
    with pytest.raises(HomeAssistantError) as caught:
        await _call(hass, "select_option", MODE, option="charge")
    assert caught.value.translation_key == "device_offline"
    assert _state(hass, MODE) == "unavailable"


async def test_follower_holds_back_with_the_account(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Who follows a command tells of an overload, and asks no more meanwhile."""
    sandbox.action_seconds = 1000
    overload = sandbox.faults.add(
        method="GET", path="/actions/*", status=429, retry_after=300
    )
    with patch("custom_components.amps_ai.pushes.order.CONTROL_WAIT", 0.05):
        await _call(hass, "select_option", MODE, option="charge")
    while not overload.hits:
        await asyncio.sleep(0.01)
    limits = loaded.runtime_data.account.limits
    while not limits.remaining:
        await asyncio.sleep(0.01)
    assert limits.remaining > 200
    await rested(0.1)
    assert overload.hits == 1
    # What a webhook tells meanwhile, is heard.
    runtime = loaded.runtime_data
    device = runtime.find(BATTERY).data[BATTERY]
    (action,) = runtime.pushes.follower.async_in_flight(device)
    ends = async_capture_events(hass, EVENT_ACTION)
    await runtime.pushes.follower.async_take_end(
        device, replace(action, state=ActionState.COMPLETED)
    )
    while not ends:
        await asyncio.sleep(0)
    assert ends[0].data["action_id"] == action.id


async def test_more_in_the_way_than_can_be_told(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A refusal that names thousands of actions is told in short."""
    ids = [f"act_{number}" for number in range(3000)]
    sandbox.faults.add(
        method="POST",
        path=f"/battery/{BATTERY}",
        code="CONFLICT",
        details={
            "conflictingActionIds": ids,
            "strategies": ["cancel_and_replace"],
        },
    )
    sandbox.requests.clear()
    with pytest.raises(HomeAssistantError) as caught:
        await loaded.runtime_data.pushes.async_command(
            loaded.runtime_data.find(BATTERY),
            loaded.runtime_data.find(BATTERY).data[BATTERY],
            Push(command="charge"),
            wait=0,
        )
    assert caught.value.translation_key == "conflict_with"
    assert len(sandbox.requests.of("GET", "/actions/*")) <= 5
    assert (caught.value.translation_placeholders or {})["actions"].endswith("+ 2995")


async def test_id_that_is_used_again(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """The end of each push is told, also where two have one id."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 0
    await _call(hass, "select_option", MODE, option="charge")
    await done(hass)
    first = ends[0].data["action_id"]
    sandbox.faults.add(
        method="POST",
        path=f"/battery/{BATTERY}",
        kind="json",
        status=202,
        body={"id": first, "command": "discharge", "state": "acknowledged"},
    )
    await _call(hass, "select_option", MODE, option="discharge")
    await done(hass)
    assert [event.data["action_id"] for event in ends] == [first, first]


async def test_actions_that_cannot_be_read_for_a_while(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Trouble on the way does not lose sight of an action."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 0
    sandbox.faults.add(method="GET", path="/actions/*", times=3, status=503)
    await _call(hass, "select_option", MODE, option="charge")
    await done(hass)
    assert [event.data["state"] for event in ends] == ["completed"]


async def test_action_that_is_gone(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """An action that the API forgot fails nothing; the device tells its end."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 0
    sandbox.faults.add(
        method="GET", path="/actions/*", status=404, code="DEVICE_NOT_FOUND"
    )
    await _call(hass, "select_option", MODE, option="charge")
    await done(hass)
    assert [event.data["state"] for event in ends] == ["completed"]
    assert _state(hass, MODE) == "charge"


async def test_someone_elses_end_is_told(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What was sent from elsewhere, and ended, a reading shows: told, once."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 0
    client = loaded.runtime_data.account.client
    coordinator = loaded.runtime_data.coordinators[DeviceType.BATTERY]
    device = coordinator.data[BATTERY]
    sent = await client.async_push(device, Push(command="idle"))
    for _ in range(2):
        sandbox.clock.advance(1)
        await coordinator.async_refresh()
        await done(hass)
    assert [(e.data["action_id"], e.data["state"]) for e in ends] == [
        (sent.id, "completed")
    ]
    assert ends[0].data["device_id"] is not None
