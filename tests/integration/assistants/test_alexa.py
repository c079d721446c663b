"""Alexa: what is exposed, what the sandbox receives, what is answered."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from tests.integration.helpers import done

from .conftest import CAP, CLIMATE, MODE, SWITCH, Sent, command

type Ask = Callable[..., Awaitable[dict[str, Any]]]

_THERMOSTAT: Final = "Alexa.ThermostatController"
_POWER: Final = "Alexa.PowerController"
_SCOPE: Final = {"type": "BearerToken", "token": "token"}


@pytest.fixture
async def ask(
    hass: HomeAssistant, furnished: MockConfigEntry, hass_client: ClientSessionGenerator
) -> Ask:
    """Return what asks the real component over HTTP, as Amazon's cloud does."""
    assert await async_setup_component(hass, "alexa", {"alexa": {"smart_home": {}}})
    client = await hass_client()

    async def _ask(
        namespace: str,
        name: str,
        payload: Any = None,
        entity_id: str | None = None,
        instance: str | None = None,
    ) -> dict[str, Any]:
        directive: dict[str, Any] = {
            "header": {
                "namespace": namespace,
                "name": name,
                "messageId": "1",
                "payloadVersion": "3",
                "correlationToken": "1",
            },
            "payload": payload or {},
        }
        if instance:
            directive["header"]["instance"] = instance
        if entity_id:
            directive["endpoint"] = {
                "endpointId": entity_id.replace(".", "#"),
                "scope": _SCOPE,
            }
        response = await client.post(
            "/api/alexa/smart_home", json={"directive": directive}
        )
        assert response.status == HTTPStatus.OK
        answer: dict[str, Any] = await response.json()
        await done(hass)
        return answer

    return _ask


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the properties that are answered, by their names."""
    return {item["name"]: item["value"] for item in answer["context"]["properties"]}


def _celsius(value: float) -> dict[str, Any]:
    return {"value": value, "scale": "CELSIUS"}


async def test_what_is_exposed(ask: Ask) -> None:
    """The thermostat, the switch and the cap; a select is nothing to Alexa."""
    answer = await ask("Alexa.Discovery", "Discover", {"scope": _SCOPE})
    exposed = {
        item["endpointId"].replace("#", "."): {
            capability["interface"].removeprefix("Alexa.")
            for capability in item["capabilities"]
        }
        - {"Alexa", "EndpointHealth"}
        for item in answer["event"]["payload"]["endpoints"]
    }
    assert exposed[CLIMATE] == {
        "PowerController",
        "ThermostatController",
        "TemperatureSensor",
    }
    assert exposed["sensor.smart_thermostat_premium_temperature"] == {
        "TemperatureSensor"
    }
    assert "PowerController" in exposed[SWITCH]
    assert exposed[CAP] == {"RangeController"}
    assert MODE not in exposed


async def test_what_is_told(ask: Ask, american: bool) -> None:
    """The state is told in the unit of the house."""
    told = _told(await ask("Alexa", "ReportState", {}, CLIMATE))
    assert (told["powerState"], told["thermostatMode"]) == ("ON", "AUTO")
    scale = "FAHRENHEIT" if american else "CELSIUS"
    for name, value in (
        ("lowerSetpoint", 66 if american else 19),
        ("upperSetpoint", 77 if american else 25),
        ("temperature", 70 if american else 21),
    ):
        assert told[name] == {"value": value, "scale": scale}


@pytest.mark.parametrize("hvac_mode", ["auto", "heat", "cool"])
@pytest.mark.parametrize(
    ("name", "payload", "sent_from"),
    [
        (
            "SetTargetTemperature",
            {"targetSetpoint": _celsius(22)},
            {
                "auto": [command("auto", heatSetpoint=19, coolSetpoint=25)],
                "heat": [command("heat", target=22)],
                "cool": [command("cool", target=22)],
            },
        ),
        (
            "SetTargetTemperature",
            {"targetSetpoint": {"value": 70, "scale": "FAHRENHEIT"}},
            {
                "auto": [command("auto", heatSetpoint=18, coolSetpoint=24)],
                "heat": [command("heat", target=21)],
                "cool": [command("cool", target=21)],
            },
        ),
        (
            "SetTargetTemperature",
            {"lowerSetpoint": _celsius(20), "upperSetpoint": _celsius(24)},
            [command("auto", heatSetpoint=20, coolSetpoint=24)],
        ),
        (
            # All three: the one counts where one is taken.
            "SetTargetTemperature",
            {
                "targetSetpoint": _celsius(22),
                "lowerSetpoint": _celsius(19),
                "upperSetpoint": _celsius(26),
            },
            {
                "auto": [command("auto", heatSetpoint=19, coolSetpoint=26)],
                "heat": [command("heat", target=22)],
                "cool": [command("cool", target=22)],
            },
        ),
        (
            "SetThermostatMode",
            {"thermostatMode": {"value": "HEAT"}},
            [command("heat", target=19)],
        ),
        ("SetThermostatMode", {"thermostatMode": {"value": "OFF"}}, [command("idle")]),
    ],
    ids=["temperature", "in_fahrenheit", "band", "all_three", "mode", "off"],
)
async def test_thermostat(
    ask: Ask,
    sent: Sent,
    hvac_mode: str,
    name: str,
    payload: dict[str, Any],
    sent_from: Any,
) -> None:
    """What is said is sent, in °C, from any mode and in a house of either unit."""
    answer = await ask(_THERMOSTAT, name, payload, CLIMATE)
    assert answer["event"]["header"]["name"] == "Response"
    assert sent() == (
        sent_from[hvac_mode] if isinstance(sent_from, dict) else sent_from
    )


@pytest.mark.parametrize("hvac_mode", ["heat"])
async def test_warmer(ask: Ask, sent: Sent, american: bool) -> None:
    """A degree warmer is a degree, of the unit that was said."""
    await ask(
        _THERMOSTAT,
        "AdjustTargetTemperature",
        {
            "targetSetpointDelta": {
                "value": 1,
                "scale": "FAHRENHEIT" if american else "CELSIUS",
            }
        },
        CLIMATE,
    )
    # 19 °C are shown as 66 °F; 67 °F are 19.4 °C.
    assert sent() == [command("heat", target=19.5 if american else 20)]


@pytest.mark.parametrize("hvac_mode", ["off"])
async def test_temperature_while_off(ask: Ask, sent: Sent) -> None:
    """A temperature alone starts nothing; Alexa says OK all the same."""
    answer = await ask(
        _THERMOSTAT, "SetTargetTemperature", {"targetSetpoint": _celsius(22)}, CLIMATE
    )
    assert answer["event"]["header"]["name"] == "Response"
    assert sent() == []


@pytest.mark.parametrize(
    ("hvac_mode", "bodies"), [("off", [command("follow_schedule")]), ("heat", [])]
)
async def test_on(ask: Ask, sent: Sent, bodies: list[Any]) -> None:
    """On resumes the schedule from off, and does nothing else."""
    answer = await ask(_POWER, "TurnOn", {}, CLIMATE)
    assert answer["event"]["header"]["name"] == "Response"
    assert sent() == bodies


async def test_charger(ask: Ask, sent: Sent) -> None:
    """The switch and the cap go as said."""
    for name, word in (("TurnOn", "charge"), ("TurnOff", "idle")):
        await ask(_POWER, name, {}, SWITCH)
        assert sent()[-1] == command(word)
    answer = await ask(
        "Alexa.RangeController",
        "SetRangeValue",
        {"rangeValue": 7.4},
        CAP,
        instance="number.value",
    )
    assert _told(answer)["rangeValue"] == 7.4
    assert sent()[-1] == {"max_charge_rate": {"value": 7.4, "unit": "kw"}}
