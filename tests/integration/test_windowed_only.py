"""Batteries that take commands from a time to a time only, as real ones do."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.amps_ai.common.const import DOMAIN
from sandbox import Sandbox

from .helpers import done, registered

WINDOWED = "device_battery_001"
OTHER = "device_battery_002"
SCHEDULED = "device_battery_003"

MODE = "select.foxess_h1_5_0_e_mode"

pytestmark = [
    pytest.mark.usefixtures("in_berlin", "quick"),
    pytest.mark.parametrize("home", ["foxess"]),
]


def _mode(hass: HomeAssistant) -> tuple[str, list[str]]:
    """Return the standing mode, and what can be chosen."""
    state = hass.states.get(MODE)
    assert state is not None
    return state.state, state.attributes["options"]


async def _charge(hass: HomeAssistant, device_id: str, **data: Any) -> dict[str, Any]:
    response = await hass.services.async_call(
        DOMAIN,
        "charge",
        {"device_id": registered(hass, device_id), **data},
        blocking=True,
        return_response=True,
    )
    assert response is not None
    record = response["action"]
    assert isinstance(record, dict)
    return record


async def test_mode_shows_what_stands_and_offers_nothing_else(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What cannot be pushed at once is no option, and a state all the same."""
    assert _mode(hass) == ("auto_balanced", ["auto_balanced"])
    await _charge(hass, WINDOWED, duration={"hours": 2})
    freezer.tick(timedelta(minutes=2))
    sandbox.clock.advance(120)
    async_fire_time_changed(hass)
    await done(hass)
    assert _mode(hass) == ("charge", ["charge"])


@pytest.mark.parametrize("data", [{}, {"delay": {"hours": 1}}, {"delay": 0}])
async def test_command_without_an_end_is_refused_in_words(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, data: dict[str, Any]
) -> None:
    """The words say what would do."""
    with pytest.raises(ServiceValidationError) as caught:
        await _charge(hass, WINDOWED, **data)
    assert caught.value.translation_key == "window_needed"
    assert "FoxESS H1-5.0-E" in str(caught.value)
    assert "Give an end or a duration" in str(caught.value)
    assert not sandbox.requests.of("POST")


async def test_choosing_what_stands_is_refused_in_words(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """The standing mode is an option as it is the state, and cannot be pushed."""
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            "select",
            "select_option",
            {"entity_id": MODE, "option": "auto_balanced"},
            blocking=True,
        )
    assert caught.value.translation_key == "command_not_supported"
    assert not sandbox.requests.of("POST")


@pytest.mark.parametrize(
    ("data", "end"),
    [
        ({"end": "2026-06-01 17:00"}, "17:00:00"),
        ({"duration": {"hours": 2}}, "16:01:00"),
        ({"duration": {"hours": 2}, "delay": 0}, "16:01:00"),
    ],
)
async def test_charge_now_until_a_time(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    data: dict[str, Any],
    end: str,
) -> None:
    """Without a start, the window begins a minute ahead."""
    record = await _charge(hass, WINDOWED, target=90, **data)
    assert record["state"] == "scheduled"
    [push] = sandbox.requests.pushes(WINDOWED)
    assert isinstance(push.body, dict)
    assert push.body["action"]["start"] == "2026-06-01T14:01:00"
    assert push.body["action"]["end"] == f"2026-06-01T{end}"
    await done(hass)


async def test_device_that_takes_a_start_only(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Another of the maker's ways: from a start on, without an end."""
    with pytest.raises(ServiceValidationError) as caught:
        await _charge(hass, SCHEDULED)
    assert caught.value.translation_key == "only_with_start"
    await _charge(hass, SCHEDULED, delay={"hours": 1})
    [push] = sandbox.requests.pushes(SCHEDULED)
    assert push.body == {"action": {"command": "charge", "start": "1h"}}
    await done(hass)
