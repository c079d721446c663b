"""Google Assistant: what is exposed, what the sandbox receives, what is answered."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from sandbox import Sandbox
from tests.integration.helpers import done

from .conftest import CHARGER, CLIMATE, MODE, SWITCH, Sent, command

type Ask = Callable[..., Awaitable[dict[str, Any]]]

_TEMPERATURE: Final = "sensor.smart_thermostat_premium_temperature"


@pytest.fixture
async def ask(
    hass: HomeAssistant, furnished: MockConfigEntry, hass_client: ClientSessionGenerator
) -> Ask:
    """Return what asks the real component over HTTP, as Google's cloud does."""
    config = {"google_assistant": {"project_id": "home", "expose_by_default": True}}
    assert await async_setup_component(hass, "google_assistant", config)
    client = await hass_client()

    async def _ask(intent: str, payload: Any = None) -> dict[str, Any]:
        asked = {"intent": f"action.devices.{intent}", "payload": payload or {}}
        response = await client.post(
            "/api/google_assistant", json={"requestId": "1", "inputs": [asked]}
        )
        assert response.status == HTTPStatus.OK
        answer: dict[str, Any] = (await response.json())["payload"]
        await done(hass)
        return answer

    return _ask


async def _execute(ask: Ask, entity_id: str, *orders: tuple[str, Any]) -> Any:
    """Return what is answered to orders of one sentence."""
    execution = [
        {"command": f"action.devices.commands.{name}", "params": params}
        for name, params in orders
    ]
    answer = await ask(
        "EXECUTE",
        {"commands": [{"devices": [{"id": entity_id}], "execution": execution}]},
    )
    if "errorCode" in answer:
        return answer["errorCode"]
    (result,) = answer["commands"]
    return result


def _setpoint(celsius: float) -> tuple[str, Any]:
    return (
        "ThermostatTemperatureSetpoint",
        {"thermostatTemperatureSetpoint": celsius},
    )


def _band(low: float, high: float) -> tuple[str, Any]:
    return (
        "ThermostatTemperatureSetRange",
        {
            "thermostatTemperatureSetpointLow": low,
            "thermostatTemperatureSetpointHigh": high,
        },
    )


def _mode(mode: str) -> tuple[str, Any]:
    return "ThermostatSetMode", {"thermostatMode": mode}


async def test_what_is_exposed(ask: Ask, american: bool) -> None:
    """The thermostat, the switch, the battery's mode and the temperature."""
    devices = {item["id"]: item for item in (await ask("SYNC"))["devices"]}
    assert {
        entity_id: [trait.rpartition(".")[2] for trait in item["traits"]]
        for entity_id, item in devices.items()
        if entity_id in {CLIMATE, SWITCH, MODE, _TEMPERATURE}
    } == {
        CLIMATE: ["OnOff", "TemperatureSetting"],
        SWITCH: ["OnOff"],
        MODE: ["Modes"],
        _TEMPERATURE: ["TemperatureControl"],
    }
    attributes = devices[CLIMATE]["attributes"]
    assert attributes["thermostatTemperatureUnit"] == ("F" if american else "C")
    assert attributes["thermostatTemperatureRange"] == {
        "minThresholdCelsius": 10,
        "maxThresholdCelsius": 35,
    }
    assert attributes["availableThermostatModes"] == [
        *("heat", "cool", "heatcool", "off", "on")
    ]


async def test_what_is_told(ask: Ask) -> None:
    """Google counts in °C, whatever the house does."""
    answer = await ask("QUERY", {"devices": [{"id": CLIMATE}, {"id": SWITCH}]})
    shown = answer["devices"]
    assert shown[SWITCH] == {"online": True, "on": False}
    assert shown[CLIMATE] == {
        "online": True,
        "on": True,
        "thermostatMode": "heatcool",
        "activeThermostatMode": "none",
        "thermostatTemperatureAmbient": pytest.approx(21, abs=0.3),
        "thermostatTemperatureSetpointLow": pytest.approx(19, abs=0.3),
        "thermostatTemperatureSetpointHigh": pytest.approx(25, abs=0.3),
    }


@pytest.mark.parametrize("hvac_mode", ["auto", "heat", "cool"])
@pytest.mark.parametrize(
    ("orders", "sent_from", "told"),
    [
        (
            [_setpoint(22)],
            {
                "auto": [command("auto", heatSetpoint=19, coolSetpoint=25)],
                "heat": [command("heat", target=22)],
                "cool": [command("cool", target=22)],
            },
            None,
        ),
        ([_mode("heat")], [command("heat", target=19)], "heat"),
        (
            # Each of the two is waited for, so both are sent, one after the other.
            [_mode("cool"), _setpoint(23)],
            [command("cool", target=25), command("cool", target=23)],
            "cool",
        ),
        (
            # A band means the mode that keeps one.
            [_band(20, 24)],
            [command("auto", heatSetpoint=20, coolSetpoint=24)],
            "heatcool",
        ),
        ([_mode("off")], [command("idle")], "off"),
        # It is on: nothing is to be done.
        ([_mode("on")], [], None),
    ],
    ids=["temperature", "mode", "both", "band", "off", "on"],
)
async def test_thermostat(
    ask: Ask,
    sent: Sent,
    hvac_mode: str,
    orders: list[tuple[str, Any]],
    sent_from: Any,
    told: str | None,
) -> None:
    """What is said is sent, in °C, from any mode; and Google hears what holds."""
    answer = await _execute(ask, CLIMATE, *orders)
    assert sent() == (
        sent_from[hvac_mode] if isinstance(sent_from, dict) else sent_from
    )
    assert answer["status"] == "SUCCESS"
    usual = {"auto": "heatcool"}.get(hvac_mode, hvac_mode)
    assert answer["states"]["thermostatMode"] == (told or usual)


@pytest.mark.parametrize("hvac_mode", ["off"])
async def test_temperature_while_off(ask: Ask, sent: Sent) -> None:
    """A temperature alone is refused and starts nothing; with a mode it goes."""
    assert await _execute(ask, CLIMATE, _setpoint(22)) == "unknownError"
    assert sent() == []
    answer = await _execute(ask, CLIMATE, _mode("heat"), _setpoint(22))
    assert answer["status"] == "SUCCESS"
    assert sent() == [command("heat", target=19), command("heat", target=22)]


@pytest.mark.parametrize("hvac_mode", ["off"])
async def test_on_resumes_the_schedule(ask: Ask, sent: Sent) -> None:
    """On, from off, goes back to the schedule."""
    answer = await _execute(ask, CLIMATE, _mode("on"))
    assert answer["status"] == "SUCCESS"
    assert sent() == [command("follow_schedule")]


async def test_charger(ask: Ask, sent: Sent) -> None:
    """A car that is full stays allowed to charge."""
    for on, name in ((True, "charge"), (False, "idle")):
        answer = await _execute(ask, SWITCH, ("OnOff", {"on": on}))
        assert answer["states"] == {"online": True, "on": on}
        assert sent()[-1] == command(name)


async def test_charger_without_a_car(ask: Ask, sandbox: Sandbox, sent: Sent) -> None:
    """On with nothing plugged in is refused, and Google hears of an error."""
    sandbox.device(CHARGER).state_override = {
        "status": "available",
        "isConnected": False,
        "isCharging": False,
    }
    sandbox.clock.advance(61)
    await ask("QUERY", {"devices": [{"id": SWITCH}]})
    answer = await _execute(ask, SWITCH, ("OnOff", {"on": True}))
    # The car was there at the last reading: the charger was asked.
    assert answer["status"] == "SUCCESS"
    assert sent() == [command("charge")]
    answer = await _execute(ask, SWITCH, ("OnOff", {"on": True}))
    assert answer == "unknownError"
    assert sent() == [command("charge")]


async def test_battery(ask: Ask, sent: Sent) -> None:
    """The battery's mode can be set by its word."""
    answer = await _execute(
        ask, MODE, ("SetModes", {"updateModeSettings": {"option": "charge"}})
    )
    assert answer["states"]["currentModeSettings"] == {"option": "charge"}
    assert sent() == [command("charge")]
