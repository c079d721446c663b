"""How far the power cap of a charger goes."""

from typing import Any

from homeassistant.core import HomeAssistant, State
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache_with_extra_data,
)

from sandbox import REMOVE, Sandbox

from .helpers import done, set_up

CHARGER = "device_ev_001"
CAP = "number.pulsar_plus_maximum_power"


def _most(hass: HomeAssistant) -> float:
    state = hass.states.get(CAP)
    assert state is not None
    most: float = state.attributes["max"]
    return most


@pytest.mark.parametrize(
    ("bounds", "state", "most"),
    [
        # Its own bound comes first.
        ({"max": 50}, {"powerRateLimit": 11, "maxCurrent": 16}, 50),
        ({"max": 22}, {"powerRateLimit": 11, "maxCurrent": 16}, 22),
        # Else the greatest power that it knows of.
        ({}, {"powerRateLimit": 11, "maxCurrent": REMOVE}, 11),
        ({}, {"powerRateLimit": 7.4, "maxCurrent": REMOVE}, 11),
        ({}, {"powerRateLimit": 7.4, "maxCurrent": 32}, 22),
        ({}, {"powerRateLimit": 200, "maxCurrent": 16}, 50),
        # Else the documented one.
        ({}, {"powerRateLimit": REMOVE, "maxCurrent": 16}, 50),
        ({}, {"powerRateLimit": None, "maxCurrent": 16}, 50),
    ],
)
async def test_most(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    bounds: dict[str, Any],
    state: dict[str, Any],
    most: float,
) -> None:
    """A slider goes as far as the charger can, as far as that is known."""
    device = sandbox.device(CHARGER)
    device.settings["max_charge_rate"] = {"value": 11, "unit": "kw"} | bounds
    device.capture()
    device.state_override = state
    assert await set_up(hass, entry)
    assert _most(hass) == most


@pytest.mark.parametrize(("stored", "most"), [(22, 22), (50, 11), ("much", 11)])
async def test_most_over_a_restart(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    stored: Any,
    most: float,
) -> None:
    """A lower limit does not take away what the charger was seen to know."""
    device = sandbox.device(CHARGER)
    device.settings["max_charge_rate"] = {"value": 4, "unit": "kw"}
    device.capture()
    device.state_override = {"powerRateLimit": 11, "maxCurrent": REMOVE}
    data = {
        "native_max_value": stored,
        "native_min_value": 0,
        "native_step": 0.1,
        "native_unit_of_measurement": "kW",
        "native_value": 4,
    }
    mock_restore_cache_with_extra_data(hass, [(State(CAP, "4"), data)])
    assert await set_up(hass, entry)
    await done(hass)
    assert _most(hass) == most
