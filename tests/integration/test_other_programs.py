"""What docs/other_programs.md says, set up in a real core and asked over HTTP."""

from collections.abc import Generator
from http import HTTPStatus
from pathlib import Path
import re
from typing import Any, Final
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import yaml

from sandbox import Sandbox

from .helpers import done, set_up

CHARGER: Final = "device_ev_001"
BATTERY: Final = "device_battery_001"
PAGE: Final = Path(__file__).parents[2] / "docs/other_programs.md"

pytestmark = pytest.mark.usefixtures("stopped_clock", "in_berlin", "at_once")


def _snippets() -> list[Any]:
    text = PAGE.read_text(encoding="utf-8")
    return [
        yaml.safe_load(block)
        for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    ]


HELPERS, PACKAGE, EVCC, PREDBAT = _snippets()


@pytest.fixture(autouse=True)
def quick_slider() -> Generator[None]:
    """Let sliders rest shortly."""
    with patch("custom_components.amps_ai.pushes.manager.REST", 0.01):
        yield


@pytest.fixture
async def packaged(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox
) -> MockConfigEntry:
    """Set the home up, and what the page wants of Home Assistant."""
    sandbox.device(CHARGER).state_override = {
        "status": "finished",
        "isConnected": True,
        "isCharging": False,
        "currentPower": 0,
    }
    # Before the entry, which would set the domain up without them.
    assert await async_setup_component(hass, "sensor", HELPERS)
    assert await set_up(hass, entry)
    for domain in ("template", "script", "api"):
        assert await async_setup_component(hass, domain, PACKAGE)
    await done(hass)
    return entry


def _entities(snippet: Any) -> set[str]:
    """Return all entities that a snippet names."""
    text = yaml.safe_dump(snippet)
    domains = "binary_sensor|sensor|switch|number|select|script|climate"
    return set(re.findall(rf"(?<![\w.])(?:{domains})\.[a-z0-9_]+", text)) - {
        "number.set_value",
        "select.select_option",
    }


@pytest.mark.usefixtures("packaged")
@pytest.mark.parametrize("snippet", [HELPERS, PACKAGE, EVCC, PREDBAT])
async def test_every_entity_is_there(hass: HomeAssistant, snippet: Any) -> None:
    """No snippet names an entity that there is not."""
    entities = _entities(snippet)
    assert entities
    assert {item for item in entities if hass.states.get(item) is None} == set()


@pytest.mark.usefixtures("packaged")
async def test_every_entity_of_the_text_is_there(hass: HomeAssistant) -> None:
    """Neither does the text."""
    named = set(
        re.findall(
            r"`((?:binary_sensor|sensor|switch|number|select)\.[a-z0-9_]+)`",
            PAGE.read_text(encoding="utf-8"),
        )
    )
    assert named
    assert {item for item in named if hass.states.get(item) is None} == set()


@pytest.mark.usefixtures("packaged")
async def test_helpers(hass: HomeAssistant) -> None:
    """A sum is a power, and an integral without a prefix an energy in kWh."""
    total = hass.states.get("sensor.charger_and_sun")
    charger = hass.states.get("sensor.pulsar_plus_power")
    sun = hass.states.get("sensor.se5000h_power")
    assert total is not None
    assert charger is not None
    assert sun is not None
    assert float(total.state) == pytest.approx(float(charger.state) + float(sun.state))
    assert total.attributes["device_class"] == "power"
    assert total.attributes["unit_of_measurement"] == "kW"
    integral = hass.states.get("sensor.charger_energy_by_the_helper")
    assert integral is not None
    assert integral.attributes["unit_of_measurement"] == "kWh"


@pytest.mark.usefixtures("packaged")
async def test_evcc(
    hass: HomeAssistant, sandbox: Sandbox, hass_client: ClientSessionGenerator
) -> None:
    """The requests of evcc: it reads states, and calls services."""
    client = await hass_client()
    charger, battery = EVCC["chargers"][0], EVCC["meters"][0]

    async def _read(entity_id: str) -> str:
        response = await client.get(f"/api/states/{entity_id}")
        assert response.status == HTTPStatus.OK
        state: str = (await response.json())["state"]
        return state

    async def _call(service: str, entity_id: str, **data: Any) -> None:
        domain = entity_id.partition(".")[0]
        response = await client.post(
            f"/api/services/{domain}/{service}", json={"entity_id": entity_id, **data}
        )
        assert response.status == HTTPStatus.OK
        await done(hass)

    assert await _read(charger["status"]) == "B"
    assert await _read(charger["enabled"]) == "off"
    assert float(await _read(charger["power"])) == 0
    await _call("turn_on", charger["enable"])
    assert await _read(charger["enabled"]) == "on"
    for amps, kilowatts in ((6, 4.1), (16, 11.0), (32, 22.1)):
        await _call("set_value", charger["setMaxCurrent"], value=amps)
        assert sandbox.requests.settings(CHARGER)[-1].body == {
            "max_charge_rate": {"value": kilowatts, "unit": "kw"}
        }
        assert float(await _read(charger["setMaxCurrent"])) == amps
    await _call("turn_off", charger["enable"])
    assert await _read(charger["enabled"]) == "off"
    assert [item.body["action"]["command"] for item in sandbox.requests.pushes()] == [
        *("charge", "idle")
    ]

    kilowatts = float(await _read("sensor.powerwall_2_power"))
    assert float(await _read(battery["power"])) == pytest.approx(1000 * kilowatts)
    assert 0 <= float(await _read(battery["soc"])) <= 100


@pytest.mark.usefixtures("packaged")
@pytest.mark.parametrize(
    ("script", "command"),
    [
        ("evcc_battery_charge", "charge"),
        ("evcc_battery_hold", "idle"),
        ("evcc_battery_normal", "auto.balanced"),
    ],
)
async def test_scripts_of_the_battery(
    hass: HomeAssistant,
    sandbox: Sandbox,
    hass_client: ClientSessionGenerator,
    script: str,
    command: str,
) -> None:
    """Each mode of the battery is a command."""
    client = await hass_client()
    response = await client.post(f"/api/services/script/{script}", json={})
    assert response.status == HTTPStatus.OK
    await done(hass)
    (push,) = sandbox.requests.pushes(BATTERY)
    assert push.body["action"]["command"] == command


@pytest.mark.usefixtures("packaged")
@pytest.mark.parametrize(
    ("state", "word"),
    [
        ({"isConnected": False, "status": "available"}, "A"),
        ({"isConnected": True, "status": "paused"}, "B"),
        ({"isConnected": True, "isCharging": True, "status": "charging"}, "C"),
    ],
)
async def test_words_of_evcc(
    hass: HomeAssistant, sandbox: Sandbox, state: dict[str, Any], word: str
) -> None:
    """The status is told in evcc's letters."""
    sandbox.device(CHARGER).state_override = {"isCharging": False} | state
    sandbox.clock.advance(61)
    await hass.services.async_call(
        "button", "press", {"entity_id": "button.pulsar_plus_refresh"}, blocking=True
    )
    await done(hass)
    shown = hass.states.get("sensor.evcc_charger_status")
    assert shown is not None
    assert shown.state == word
