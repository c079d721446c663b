"""What a language model is told of the devices, and may send to them."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
import json
from typing import Any

from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.components.llm import async_get_tools as async_get_llm_tools
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY, UnitOfTemperature
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    llm,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
import probatio
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.amps_ai.api import DeviceType
from custom_components.amps_ai.assist import exposed as exposed_module
from custom_components.amps_ai.common.const import CONF_APP_ID, CONF_USER_ID, DOMAIN
from sandbox import TEST_KEY, Sandbox
from tests.integration.conftest import APP_ID, Pass
from tests.integration.helpers import set_up

ASSIST = "assist"
COMMANDS = "amps_ai_commands"
SUMMARY = "amps_ai__energy_summary"
SEND = "amps_ai__send_command"

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
HVAC = "device_hvac_001"
VEHICLE = "device_vehicle_001"

SWITCH = "switch.pulsar_plus"
CLIMATE = "climate.smart_thermostat_premium"
MODE = "select.powerwall_2_mode"
PLUG = "binary_sensor.ix3_plug"
LEVEL = "sensor.ix3_battery"

type Json = dict[str, Any]


pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(autouse=True)
async def assist(hass: HomeAssistant, sandbox: Sandbox) -> None:
    """Set up what hands tools to language models; let actions end at once."""
    sandbox.action_seconds = 0
    for component in ("homeassistant", "conversation"):
        assert await async_setup_component(hass, component, {})


def _context(assistant: str = "conversation") -> llm.LLMContext:
    return llm.LLMContext(
        platform="a_language_model",
        context=Context(),
        language="en",
        assistant=assistant,
        device_id=None,
    )


async def _api(hass: HomeAssistant, *api_ids: str) -> llm.APIInstance:
    wanted: Any = api_ids[0] if len(api_ids) == 1 else list(api_ids)
    return await llm.async_get_api(hass, wanted, _context())


def _tool(api: llm.APIInstance, name: str) -> llm.Tool | None:
    """Return a tool; merged APIs may put the API's name before its own."""
    found = [tool for tool in api.tools if tool.name.endswith(name)]
    assert len(found) < 2
    return found[0] if found else None


async def _call(api: llm.APIInstance, tool: str, /, **arguments: Any) -> llm.ToolResult:
    result = await api.async_call_tool(llm.ToolInput(tool, arguments))
    # What cannot be said in JSON cannot be said to a model.
    assert json.loads(json.dumps(result.data)) == result.data
    return result


async def _summary(hass: HomeAssistant, **arguments: Any) -> dict[str, Json]:
    result = await _call(await _api(hass, ASSIST), SUMMARY, **arguments)
    assert not result.error
    devices: Any = result.data["devices"]
    return {device["name"]: device for device in devices}


def _values(device: Json) -> Json:
    return {reading["reading"]: reading["value"] for reading in device["readings"]}


def _names(device: Json) -> Json:
    return {reading["reading"]: reading["names"] for reading in device["readings"]}


def _expose(
    hass: HomeAssistant, entity_ids: Iterable[str], *, exposed: bool = True
) -> None:
    for entity_id in entity_ids:
        assert hass.states.get(entity_id) is not None, entity_id
        async_expose_entity(hass, "conversation", entity_id, exposed)


def _expose_all(hass: HomeAssistant, *, exposed: bool = True) -> None:
    _expose(hass, hass.states.async_entity_ids(), exposed=exposed)


def _registered(hass: HomeAssistant, entry: MockConfigEntry, device_id: str) -> str:
    found = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, device_id), entry.entry_id
    )
    assert found is not None
    return found.id


# Reading


async def test_summary_of_a_home(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """All that Assist has no sentence for, of everything that is exposed."""
    _expose_all(hass)
    summary = await _summary(hass)
    assert {name: device["type"] for name, device in summary.items()} == {
        "Powerwall 2": "battery",
        "Pulsar Plus": "ev_charger",
        "Smart Thermostat Premium": "hvac",
        "SE5000H": "solar_inverter",
        "iX3": "vehicle",
    }
    assert summary["iX3"]["manufacturer"] == "BMW"
    assert _values(summary["Powerwall 2"]) == {
        "battery_level": "71 %",
        "power": "-0.94 kW",
        "status": "charging",
        "capacity": "13.5 kWh",
        "discharge_limit": "10 %",
        "charging": True,
        "scheduler_enabled": False,
        "energy_charged": "0.00 kWh",
        "energy_discharged": "0.00 kWh",
        "mode": "auto_balanced",
        "safety_reserve": "10 %",
        "discharge_floor": "10 %",
        "charge_ceiling": "100 %",
        "export_limit": "5000 W",
        "max_charge_rate": "100 A",
        "max_discharge_rate": "100 A",
        "last_command": None,
    }
    assert _values(summary["Pulsar Plus"]) == {
        "status": "charging",
        "power": "7.40 kW",
        "max_current": "16 A",
        "power_limit": "11.0 kW",
        "plugged_in": True,
        "charging": True,
        "energy_delivered": "0.00 kWh",
        "max_power": "11.0 kW",
        "last_command": None,
    }
    assert _values(summary["Smart Thermostat Premium"]) == {
        "mode": "heat_cool",
        "current_temperature": "24.1 °C",
        "target_temperature_low": "19 °C",
        "target_temperature_high": "25 °C",
        "action": "idle",
        "preset": "schedule",
        "temperature": "24.1 °C",
        "last_command": None,
    }
    assert _values(summary["SE5000H"]) == {
        "power": "4.54 kW",
        "energy_total": "13774.7 kWh",
        "status": "producing",
        "producing": True,
    }
    assert _values(summary["iX3"]) == {
        "battery_level": "86 %",
        "range": "369 km",
        "power": "0.00 kW",
        "charge_limit": "95 %",
        "charge_time_remaining": "0 min",
        "battery_capacity": "74.0 kWh",
        "max_current": "16 A",
        "plugged_in": False,
        "charging": False,
        "fully_charged": False,
    }


async def test_only_what_is_exposed_is_told(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Home Assistant exposes the switch and the thermostat by itself."""
    summary = await _summary(hass)
    assert set(summary) == {"Pulsar Plus", "Smart Thermostat Premium"}
    assert _values(summary["Pulsar Plus"]) == {"charging": True}
    _expose(hass, [PLUG])
    summary = await _summary(hass)
    assert _values(summary["iX3"]) == {"plugged_in": False}
    _expose(hass, [SWITCH], exposed=False)
    assert set(await _summary(hass)) == {"Smart Thermostat Premium", "iX3"}


async def test_no_tool_where_nothing_is_exposed(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    api = await _api(hass, ASSIST)
    assert _tool(api, SUMMARY) is not None
    assert SUMMARY in api.api_prompt
    _expose_all(hass, exposed=False)
    # Agents may keep their tools over several turns.
    result = await _call(api, SUMMARY)
    assert result.error
    assert "devices" not in result.data
    api = await _api(hass, ASSIST)
    assert _tool(api, SUMMARY) is None
    assert SUMMARY not in api.api_prompt


@pytest.mark.parametrize("is_exposed", [True, False])
async def test_a_turn_looks_at_few_devices_at_a_time(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    is_exposed: bool,
) -> None:
    """Others have their turn in between, also where no device is exposed."""
    for _ in range(30):
        sandbox.home.add_device("battery")
    assert await set_up(hass, entry)
    api = await _api(hass, ASSIST)
    _expose_all(hass, exposed=is_exposed)
    turns = 0
    looked: Counter[int] = Counter()
    usual = exposed_module.exposed_of

    def _looked(*args: Any) -> Any:
        looked[turns] += 1
        return usual(*args)

    async def _others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(exposed_module, "exposed_of", _looked)
    others = asyncio.create_task(_others())
    try:
        await _call(api, SUMMARY)
        await _call(api, SUMMARY, name="Powerwall 2")
        await _api(hass, COMMANDS)
    finally:
        others.cancel()
    assert looked.total() == 3 * len(sandbox.home.devices)
    assert max(looked.values()) <= 5


async def test_tools_where_too_many_would_have_to_be_looked_at(
    hass: HomeAssistant, loaded: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of those that are not looked at may be exposed: the tool tells."""
    monkeypatch.setattr(exposed_module, "_MOST_AT_ONCE", 3)
    _expose_all(hass, exposed=False)
    api = await _api(hass, ASSIST)
    assert (await _call(api, SUMMARY)).error
    _expose(hass, [PLUG])
    assert _values((await _summary(hass))["iX3"]) == {"plugged_in": False}


async def test_no_tool_for_other_apis(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """One that is not bounded by exposure has no need of this."""
    for api_id, tools in ((ASSIST, [SUMMARY]), ("homeassistant", [])):
        found = await async_get_llm_tools(hass, _context(), api_id)
        assert [
            tool.name for tool in found.tools if tool.name.startswith(DOMAIN)
        ] == tools


async def test_no_tool_for_nobody(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """A model that is no assistant has nothing exposed to it."""
    api = await llm.async_get_api(hass, ASSIST, _context(assistant=""))
    assert _tool(api, SUMMARY) is None


async def test_no_tool_without_a_loaded_entry(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_unload(loaded.entry_id)
    assert loaded.state is ConfigEntryState.NOT_LOADED
    assert _tool(await _api(hass, ASSIST), SUMMARY) is None
    assert not (await _api(hass, COMMANDS)).tools


async def test_names_areas_and_units_of_the_person(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    _expose_all(hass)
    areas, devices, entities = (
        ar.async_get(hass),
        dr.async_get(hass),
        er.async_get(hass),
    )
    garage = areas.async_create("Garage", aliases={"Carport"})
    cellar = areas.async_create("Cellar")
    devices.async_update_device(
        _registered(hass, loaded, VEHICLE), name_by_user="Blue car", area_id=garage.id
    )
    devices.async_update_device(_registered(hass, loaded, BATTERY), area_id=cellar.id)
    entities.async_update_entity(PLUG, aliases=["Charging cable"], area_id=cellar.id)
    entities.async_update_entity(LEVEL, name="Juice")
    entities.async_update_entity_options(
        "sensor.ix3_range", "sensor", {"unit_of_measurement": "mi"}
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    summary = await _summary(hass)
    car = summary["Blue car"]
    assert car["area"] == "Cellar, Garage"
    assert "Charging cable" in _names(car)["plugged_in"]
    assert "Juice" in _names(car)["battery_level"]
    assert _values(car)["range"] == "229 mi"
    assert "area" not in summary["SE5000H"]

    assert set(await _summary(hass, name="blue")) == {"Blue car"}
    assert set(await _summary(hass, name="charging CABLE")) == {"Blue car"}
    assert set(await _summary(hass, area="carport")) == {"Blue car"}
    assert set(await _summary(hass, area="cellar")) == {"Blue car", "Powerwall 2"}
    assert set(await _summary(hass, type="battery")) == {"Powerwall 2"}
    assert set(await _summary(hass, type="vehicle", area="Cellar")) == {"Blue car"}
    api = await _api(hass, ASSIST)
    for nothing in (
        {"name": "red"},
        {"area": "Attic"},
        {"type": "hvac", "area": "garage"},
    ):
        result = await _call(api, SUMMARY, **nothing)
        assert result.error and "devices" not in result.data


async def test_temperatures_in_the_unit_of_the_person(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    hass.config.units = US_CUSTOMARY_SYSTEM
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    values = _values((await _summary(hass))["Smart Thermostat Premium"])
    assert values["current_temperature"] == "75 °F"
    assert values["target_temperature_low"] == "66 °F"
    assert values["target_temperature_high"] == "77 °F"


async def test_how_fresh_readings_are(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """Every reading has an age, and the last known is told from the present."""
    _expose(hass, [PLUG])
    car = (await _summary(hass))["iX3"]
    assert (car["available"], car["reached"], car["minutes_old"]) == (True, True, 0)
    captured = dt_util.parse_datetime(car["captured"])
    assert captured is not None
    assert captured.utcoffset() == dt_util.as_local(captured).utcoffset()
    assert captured.utcoffset() != timedelta(0)
    assert dt_util.as_utc(captured).isoformat() == "2026-06-01T12:00:00+00:00"

    sandbox.device(VEHICLE).body_override = {
        "sync": {"available": False, "lastPulledAt": "2026-06-01T12:00:00.000Z"}
    }
    await pass_time(600)
    car = (await _summary(hass))["iX3"]
    assert car["minutes_old"] >= 9
    assert car["reached"] is False
    assert car["available"] is True


async def test_device_that_is_gone(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """What is unavailable is told as such, without a value."""
    _expose(hass, [PLUG, LEVEL])
    sandbox.home.device(VEHICLE).unlisted = True
    await pass_time(65)
    car = (await _summary(hass))["iX3"]
    assert car["available"] is False
    assert _values(car) == {"plugged_in": None, "battery_level": None}


async def test_no_secret_is_told(hass: HomeAssistant, sandbox: Sandbox) -> None:
    user = "anna@example.org"
    sandbox.home.device(VEHICLE).user = user
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Amps AI (sandbox)",
        unique_id=f"sandbox:{APP_ID}:{user}",
        data={CONF_API_KEY: TEST_KEY, CONF_APP_ID: APP_ID, CONF_USER_ID: user},
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    _expose_all(hass)
    api = await _api(hass, ASSIST, COMMANDS)
    tool = _tool(api, SUMMARY)
    assert tool is not None
    told = f"{(await _call(api, tool.name)).data} {api.api_prompt}"
    assert "iX3" in told
    for secret in (TEST_KEY, user, APP_ID, VEHICLE, entry.entry_id):
        assert secret not in told


# What models are offered


async def test_commands_are_off_by_default(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Assist alone reads; an agent sends only with the API that a person chose."""
    _expose_all(hass)
    api = await _api(hass, ASSIST)
    assert [tool.name for tool in api.tools if tool.name.startswith(f"{DOMAIN}__")] == [
        SUMMARY
    ]
    assert SEND not in api.api_prompt
    assert {item.id: item.name for item in llm.async_get_apis(hass)}[
        COMMANDS
    ] == "Amps AI commands"
    api = await _api(hass, ASSIST, COMMANDS)
    assert _tool(api, SUMMARY) is not None
    assert _tool(api, SEND) is not None


async def test_api_stays_over_a_reload(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """An agent whose API is missing answers nothing at all."""
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert _tool(await _api(hass, COMMANDS), SEND) is not None


async def test_tools_as_models_see_them(
    hass: HomeAssistant, loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """What they declare is true, whole, and as Home Assistant wants it."""
    _expose_all(hass)
    summary = _tool(await _api(hass, ASSIST), SUMMARY)
    commands = await _api(hass, COMMANDS)
    send = _tool(commands, SEND)
    assert summary is not None and send is not None
    assert summary.annotations == llm.ToolAnnotations(
        read_only=True, destructive=False, idempotent=True, open_world=False
    )
    assert send.annotations == llm.ToolAnnotations(
        read_only=False, destructive=True, idempotent=False, open_world=True
    )
    for tool in (summary, send):
        assert tool.integration == DOMAIN
        assert tool.description and tool.title
    shape = probatio.to_openapi(
        summary.parameters, custom_serializer=llm.selector_serializer
    )
    assert set(shape["properties"]) == {"type", "name", "area"}
    assert not shape.get("required")
    shape = probatio.to_openapi(
        send.parameters, custom_serializer=commands.custom_serializer
    )
    assert shape["required"] == ["device", "command"]
    assert shape["properties"]["device"]["enum"] == [
        "Powerwall 2",
        "Pulsar Plus",
        "Smart Thermostat Premium",
    ]
    assert shape["properties"]["command"]["enum"] == [
        "charge",
        "discharge",
        "idle",
        "auto.balanced",
        "auto.reserve",
        "auto.export",
        "heat",
        "cool",
        "auto",
        "follow_schedule",
    ]
    assert {
        name: (parameter["type"], parameter["description"])
        for name, parameter in shape["properties"]["parameters"]["properties"].items()
    } == {
        "coolSetpoint": ("number", "In °C."),
        "heatSetpoint": ("number", "In °C."),
        "power": ("number", "In kw."),
        "reserve": ("number", "In percent."),
        "target": ("number", "In percent, °C."),
    }
    assert "- Pulsar Plus (ev_charger): charge; idle\n" in commands.api_prompt
    assert "charge target (10 to 100 percent), power (0 to 5 kw)" in commands.api_prompt
    assert "heat target (10 to 35 °C)" in commands.api_prompt
    assert "custom integration 'amps_ai'" not in caplog.text


# Sending


async def _send(hass: HomeAssistant, **arguments: Any) -> llm.ToolResult:
    result = await _call(await _api(hass, COMMANDS), SEND, **arguments)
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


async def test_command_reaches_the_device(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    _expose(hass, [MODE])
    result = await _send(
        hass,
        device="Powerwall 2",
        command="charge",
        parameters={"target": 90, "power": 3.5},
    )
    assert not result.error
    assert result.data == {
        "device": "Powerwall 2",
        "command": "charge",
        "state": "completed",
    }
    assert [push.body for push in sandbox.requests.pushes(BATTERY)] == [
        {
            "action": {
                "command": "charge",
                "parameters": {
                    "target": {"value": 90, "unit": "percent"},
                    "power": {"value": 3.5, "unit": "kw"},
                },
            }
        }
    ]


async def test_command_through_both_apis(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """As an agent has it, with Assist beside."""
    api = await _api(hass, ASSIST, COMMANDS)
    tool = _tool(api, SEND)
    assert tool is not None
    result = await _call(api, tool.name, device="Pulsar Plus", command="idle")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not result.error
    assert [push.body for push in sandbox.requests.pushes(CHARGER)] == [
        {"action": {"command": "idle"}}
    ]


async def test_command_is_of_the_context_of_the_request(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The logbook shall know who asked."""
    calls = async_capture_events(hass, "call_service")
    api = await _api(hass, COMMANDS)
    await _call(api, SEND, device="Pulsar Plus", command="idle")
    await hass.async_block_till_done(wait_background_tasks=True)
    (call,) = [call for call in calls if call.data["domain"] == DOMAIN]
    assert call.context is api.llm_context.context


async def test_scheduled_command(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """Local time goes out and comes back."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    sandbox.clock.advance((dt_util.utcnow() - sandbox.clock.now()).total_seconds())
    await loaded.runtime_data.coordinators[DeviceType.BATTERY].async_refresh()
    _expose(hass, [MODE])
    start = dt_util.now().replace(minute=0, second=0, microsecond=0)
    start = dt_util.as_local(dt_util.as_utc(start) + timedelta(hours=3))
    end = dt_util.as_local(dt_util.as_utc(start) + timedelta(hours=2))
    result = await _send(
        hass,
        device="Powerwall 2",
        command="charge",
        start=start.strftime("%Y-%m-%d %H:%M"),
        end=end.strftime("%Y-%m-%d %H:%M"),
    )
    assert not result.error, result.data
    assert result.data["state"] == "scheduled"
    assert result.data["start"] == start.isoformat(timespec="minutes")
    assert result.data["end"] == end.isoformat(timespec="minutes")
    (push,) = sandbox.requests.pushes(BATTERY)
    assert push.body["action"]["start"] == start.strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {
                "device": "Powerwall 2",
                "command": "charge",
                "parameters": {"target": 120},
            },
            "Powerwall 2 does not take 120 for “Target”. It takes 10 to 100 %",
        ),
        (
            {"device": "Pulsar Plus", "command": "heat"},
            "Pulsar Plus does not take the command “Heat”. It takes: Charge, Pause charging",
        ),
        (
            {"device": "Pulsar Plus", "command": "charge", "parameters": {"power": 3}},
            "Pulsar Plus: the command “Charge” does not take “Power”. It takes: -",
        ),
        (
            {"device": "Powerwall 2", "command": "charge", "end": "2099-01-01 12:00"},
            "Powerwall 2: “End” is more than 30 days ahead",
        ),
        (
            {"device": "Powerwall 2", "command": "charge", "start": "2020-01-01 12:00"},
            "Powerwall 2: the start 1 January 2020, 12:00",
        ),
        (
            {"device": "Powerwall 2", "command": "charge", "start": "this evening"},
            "start",
        ),
    ],
    ids=["bounds", "command", "parameter", "end", "past", "no_time"],
)
async def test_what_cannot_be_is_refused_in_words(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    arguments: Json,
    said: str,
) -> None:
    """The same checks as of the action, and nothing is sent."""
    _expose(hass, [MODE])
    result = await _send(hass, **arguments)
    assert result.error
    error = result.data["error"]
    assert isinstance(error, str) and said in error
    assert not sandbox.requests.pushes(BATTERY)
    assert not sandbox.requests.pushes(CHARGER)


async def test_what_fails_is_told_in_words(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.device(CHARGER).next_action(
        "failed", code="DEVICE_REFUSED", message="Not now", seconds=0
    )
    result = await _send(hass, device="Pulsar Plus", command="charge")
    assert result.error
    assert result.data == {
        "error": "Pulsar Plus: the command “Charge” failed (DEVICE_REFUSED: Not now)"
    }


async def test_only_exposed_controls_can_be_used(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Who may ask for the level of a battery may not discharge it for that."""
    _expose(hass, ["sensor.powerwall_2_battery"])
    api = await _api(hass, COMMANDS)
    assert "Powerwall 2" not in api.api_prompt
    with pytest.raises(probatio.Invalid):
        await _call(api, SEND, device="Powerwall 2", command="discharge")
    # An agent may keep its tools for several turns.
    _expose(hass, [SWITCH], exposed=False)
    result = await _call(api, SEND, device="Pulsar Plus", command="idle")
    assert result.error
    assert result.data == {"error": "Pulsar Plus is not exposed."}
    _expose(hass, [CLIMATE], exposed=False)
    api = await _api(hass, COMMANDS)
    assert api.tools == []
    assert api.api_prompt == ""
    with pytest.raises(HomeAssistantError):
        await _call(api, SEND, device="Pulsar Plus", command="idle")
    assert not sandbox.requests.pushes(BATTERY)
    assert not sandbox.requests.pushes(CHARGER)


async def test_temperatures_are_sent_in_celsius(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A model speaks the person's unit, the API its own."""
    hass.config.units = US_CUSTOMARY_SYSTEM
    assert hass.config.units.temperature_unit == UnitOfTemperature.FAHRENHEIT
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    api = await _api(hass, COMMANDS)
    assert "heat target (50 to 95 °F)" in api.api_prompt
    result = await _send(
        hass,
        device="Smart Thermostat Premium",
        command="auto",
        parameters={"heatSetpoint": 68, "coolSetpoint": 75},
    )
    assert not result.error
    (push,) = sandbox.requests.pushes(HVAC)
    assert push.body["action"]["parameters"] == {
        "heatSetpoint": {"value": 20.0, "unit": "celsius"},
        "coolSetpoint": {"value": 23.9, "unit": "celsius"},
    }


@pytest.mark.parametrize(
    ("american", "bounds", "given", "too_much"),
    [
        (False, "10 to 35 °C", 21, (70, "70 for “Target”. It takes 10 to 35 °C")),
        (True, "50 to 95 °F", 70, (100, "100 for “Target”. It takes 50 to 95 °F")),
    ],
)
async def test_thermostat_that_speaks_fahrenheit(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    american: bool,
    bounds: str,
    given: float,
    too_much: tuple[float, str],
) -> None:
    """A model is told and tells the house's unit, whatever the device speaks."""
    if american:
        hass.config.units = US_CUSTOMARY_SYSTEM
    commands = sandbox.device(HVAC).commands
    assert commands is not None
    commands["heat"]["parameters"] = {
        "target": {"unit": "fahrenheit", "min": 50, "max": 95}
    }
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    api = await _api(hass, COMMANDS)
    assert f"heat target ({bounds})" in api.api_prompt
    assert "fahrenheit" not in api.api_prompt
    device = "Smart Thermostat Premium"
    value, said = too_much
    result = await _send(
        hass, device=device, command="heat", parameters={"target": value}
    )
    assert result.error
    assert said in str(result.data["error"])
    result = await _send(
        hass, device=device, command="heat", parameters={"target": given}
    )
    assert not result.error
    (push,) = sandbox.requests.pushes(HVAC)
    assert push.body["action"]["parameters"] == {
        "target": {"value": 70, "unit": "fahrenheit"}
    }


async def test_two_devices_of_one_name(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Which of them is meant cannot be known, so neither acts."""
    devices = dr.async_get(hass)
    for device_id in (CHARGER, HVAC):
        devices.async_update_device(
            _registered(hass, loaded, device_id), name_by_user="Box"
        )
    await hass.async_block_till_done(wait_background_tasks=True)
    result = await _send(hass, device="Box", command="idle")
    assert result.error
    assert "More than one device is called Box" in str(result.data["error"])
    assert not sandbox.requests.pushes(CHARGER)
    assert not sandbox.requests.pushes(HVAC)


@pytest.mark.parametrize("home", ["classic"])
async def test_devices_of_the_older_generation(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """They take the same commands, said in the older words."""
    result = await _send(hass, device="Pulsar Plus", command="idle")
    assert not result.error
    assert [push.body for push in sandbox.requests.pushes(CHARGER)] == [
        {"action": "stop_charging"}
    ]


@pytest.mark.parametrize("home", ["odd"])
async def test_odd_devices(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """What devices say wrongly or not at all stops nothing."""
    _expose_all(hass)
    summary = await _summary(hass)
    assert len(summary) > 8
    assert any(
        _values(device).get("battery_level") is None for device in summary.values()
    )
    api = await _api(hass, COMMANDS)
    send = _tool(api, SEND)
    assert send is not None
    assert probatio.to_openapi(send.parameters, custom_serializer=api.custom_serializer)
