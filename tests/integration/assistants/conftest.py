"""A home that the assistants speak to, in °C and in °F."""

from collections.abc import Callable, Generator
from typing import Any, Final
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util.unit_system import METRIC_SYSTEM, US_CUSTOMARY_SYSTEM
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from sandbox import Sandbox
from tests.conftest import NOON
from tests.integration.helpers import set_up

HVAC: Final = "device_hvac_001"
CHARGER: Final = "device_ev_001"
BATTERY: Final = "device_battery_001"

CLIMATE: Final = "climate.smart_thermostat_premium"
SWITCH: Final = "switch.pulsar_plus"
CAP: Final = "number.pulsar_plus_maximum_power"
MODE: Final = "select.powerwall_2_mode"

type Sent = Callable[[], list[Any]]


@pytest.fixture(autouse=True)
def calm(freezer: FrozenDateTimeFactory, at_once: None) -> Generator[None]:
    """Let it be noon as in the sandbox, and let nothing rest for long."""
    freezer.move_to(NOON)
    with (
        patch("custom_components.amps_ai.number.REST", 0.01),
        patch("custom_components.amps_ai.pushes.manager.REST", 0.01),
    ):
        yield


@pytest.fixture(params=["celsius", "fahrenheit"])
def american(request: pytest.FixtureRequest, hass: HomeAssistant) -> bool:
    """Count in °C, and in °F."""
    is_american = bool(request.param == "fahrenheit")
    hass.config.units = US_CUSTOMARY_SYSTEM if is_american else METRIC_SYSTEM
    return is_american


@pytest.fixture
def hvac_mode() -> str:
    """Return the mode that the thermostat begins in; tests choose another one."""
    return "auto"


@pytest.fixture
async def furnished(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    american: bool,
    hvac_mode: str,
) -> MockConfigEntry:
    """Set the home up: 21 °C, kept between 19 and 25, and a car that is full."""
    sandbox.device(HVAC).state_override = {
        "temperature": 21.0,
        "active": False,
        "heatSetpoint": 19,
        "coolSetpoint": 25,
        "holdType": "permanent",
        "mode": hvac_mode,
    }
    sandbox.device(CHARGER).state_override = {
        "status": "finished",
        "isConnected": True,
        "isCharging": False,
        "currentPower": 0,
    }
    assert await set_up(hass, entry)
    # From here on, the devices do as they are told.
    for device_id in (HVAC, CHARGER):
        sandbox.device(device_id).state_override = {}
    return entry


@pytest.fixture
def sent(sandbox: Sandbox) -> Sent:
    """Return what tells the pushes and settings that the sandbox took."""

    def _sent() -> list[Any]:
        bodies: list[Any] = [
            record.body["action"]
            for record in sandbox.requests.pushes()
            if record.status == 202
        ]
        return bodies + [record.body for record in sandbox.requests.settings()]

    return _sent


def command(name: str, **celsius: float) -> dict[str, Any]:
    """Return what the sandbox receives of a command."""
    body: dict[str, Any] = {"command": name}
    if celsius:
        body["parameters"] = {
            key: {"value": value, "unit": "celsius"} for key, value in celsius.items()
        }
    return body
