"""What the logbook says of commands."""

import asyncio
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.logbook import (
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.components.logbook.helpers import (
    async_filter_entities,
    is_sensor_continuous,
)
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.amps_ai.common.const import DOMAIN, EVENT_ACTION
from custom_components.amps_ai.logbook import async_describe_events
from sandbox import Sandbox

from .helpers import registered, set_up

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
HVAC = "device_hvac_001"

type Describe = Callable[[Event[Any]], dict[str, Any]]


@pytest.fixture
def describe(hass: HomeAssistant) -> Describe:
    """Return what describes the integration's one event."""
    found: dict[tuple[str, str], Describe] = {}

    def _take(domain: str, event: str, describes: Describe) -> None:
        found[domain, event] = describes

    async_describe_events(hass, _take)
    assert list(found) == [(DOMAIN, EVENT_ACTION)]
    return found[DOMAIN, EVENT_ACTION]


def _battery(hass: HomeAssistant, entry: MockConfigEntry) -> dr.DeviceEntry:
    for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id):
        if (DOMAIN, BATTERY) in device.identifiers:
            return device
    raise KeyError(BATTERY)


SAID: list[tuple[dict[str, Any], str, str]] = [
    (
        {"command": "charge", "state": "completed"},
        "Charge: Completed",
        "mdi:send-check",
    ),
    (
        {"command": "auto.balanced", "state": "completed", "error": None},
        "Self-consumption: Completed",
        "mdi:send-check",
    ),
    (
        {"command": "charge", "state": "failed", "error": "DEVICE_REFUSED"},
        "Charge: failed, device refused",
        "mdi:alert-circle",
    ),
    (
        {"command": "charge", "state": "failed", "error": "DEVICE_OFFLINE"},
        "Charge: failed, the device is offline",
        "mdi:alert-circle",
    ),
    ({"command": "charge", "state": "failed"}, "Charge: Failed", "mdi:alert-circle"),
    ({"command": "idle", "state": "cancelled"}, "Idle: Cancelled", "mdi:cancel"),
    # What nobody knows yet is said as it is.
    ({"command": "idle", "state": "expired"}, "Idle: expired", "mdi:send"),
    (
        {"command": "warm.up", "state": "completed"},
        "warm.up: Completed",
        "mdi:send-check",
    ),
]


@pytest.mark.parametrize(("data", "message", "icon"), SAID)
async def test_end_is_said_in_a_sentence(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    describe: Describe,
    data: dict[str, Any],
    message: str,
    icon: str,
) -> None:
    """Each end has its sentence, which begins with the device's name."""
    device_id = _battery(hass, loaded).id
    assert describe(Event(EVENT_ACTION, {"device_id": device_id, **data})) == {
        LOGBOOK_ENTRY_NAME: "Powerwall 2",
        LOGBOOK_ENTRY_MESSAGE: message,
        LOGBOOK_ENTRY_ICON: icon,
    }


DONE: list[tuple[str, str, str, str]] = [
    ("de", CHARGER, "idle", "Laden pausiert"),
    ("en", CHARGER, "charge", "Charging allowed"),
    ("es", HVAC, "idle", "Apagado"),
    ("fr", BATTERY, "auto.export", "Injection sur le réseau\u00a0: Terminée"),
    ("it", HVAC, "follow_schedule", "Segui il programma: Completato"),
    ("nl", HVAC, "heat", "Verwarmen: Voltooid"),
    # One that there are no texts of.
    ("pl", CHARGER, "idle", "Charging paused"),
]


@pytest.mark.parametrize(("language", "device_id", "command", "message"), DONE)
async def test_in_the_language_of_the_house(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    describe: Describe,
    language: str,
    device_id: str,
    command: str,
    message: str,
) -> None:
    """What was done has the words of the kind of device, in any language."""
    hass.config.language = language
    assert await set_up(hass, entry)
    data = {
        "device_id": registered(hass, device_id),
        "command": command,
        "state": "completed",
    }
    assert describe(Event(EVENT_ACTION, data))[LOGBOOK_ENTRY_MESSAGE] == message


async def test_name_that_a_person_gave(
    hass: HomeAssistant, loaded: MockConfigEntry, describe: Describe
) -> None:
    """The logbook names a device as its owner does."""
    device_id = _battery(hass, loaded).id
    dr.async_get(hass).async_update_device(device_id, name_by_user="Cellar")
    data = {"device_id": device_id, "command": "charge", "state": "completed"}
    assert describe(Event(EVENT_ACTION, data))[LOGBOOK_ENTRY_NAME] == "Cellar"


@pytest.mark.parametrize(
    "data", [{"device_id": "gone"}, {"device_id": None}, {"device_id": ""}, {}]
)
async def test_device_that_is_gone(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    describe: Describe,
    data: dict[str, Any],
) -> None:
    """What is said of a device that is gone is said of the integration."""
    assert describe(
        Event(EVENT_ACTION, {"command": "charge", "state": "completed", **data})
    ) == {
        LOGBOOK_ENTRY_NAME: "Amps AI",
        LOGBOOK_ENTRY_MESSAGE: "Charge: Completed",
        LOGBOOK_ENTRY_ICON: "mdi:send-check",
    }


@pytest.mark.parametrize("data", [{}, {"device_id": 1, "state": None, "error": 5}])
async def test_event_that_somebody_else_fired(
    hass: HomeAssistant, describe: Describe, data: dict[str, Any]
) -> None:
    """An event with other contents does not break the logbook."""
    said = describe(Event(EVENT_ACTION, data))
    assert set(said) == {
        LOGBOOK_ENTRY_ICON,
        LOGBOOK_ENTRY_NAME,
        LOGBOOK_ENTRY_MESSAGE,
    }
    assert all(isinstance(value, str) for value in said.values())


async def test_last_command_is_not_told_twice(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The sensor's states stay out of Activity, where the end is said already."""
    registry = er.async_get(hass)
    last = "sensor.powerwall_2_last_command"
    assert is_sensor_continuous(hass, registry, last)
    assert async_filter_entities(hass, [last, "sensor.powerwall_2_status"]) == [
        "sensor.powerwall_2_status"
    ]


async def test_ends_as_they_happen(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    describe: Describe,
) -> None:
    """From the push to the sentence: completed, failed and cancelled."""
    freezer.move_to(sandbox.clock.now())
    await hass.config.async_set_time_zone("Europe/Berlin")
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 0
    device_id = _battery(hass, loaded).id

    async def _push(command: str, **data: Any) -> str:
        response = await hass.services.async_call(
            DOMAIN,
            "send_command",
            {"device_id": device_id, "command": command, **data},
            blocking=True,
            return_response=True,
        )
        assert response is not None
        action = response["action"]
        assert isinstance(action, dict)
        return str(action["id"])

    with patch("custom_components.amps_ai.pushes.following._POLLS", (0.02,)):
        async with asyncio.timeout(20):
            await _push("charge")
            sandbox.device(BATTERY).next_action("failed", code="NO", message="Too cold")
            with pytest.raises(HomeAssistantError):
                await _push("discharge")
            planned = await _push("idle", delay="01:00")
            await hass.services.async_call(
                DOMAIN, "cancel_action", {"action_id": planned}, blocking=True
            )
            await hass.async_block_till_done(wait_background_tasks=True)
    assert [describe(event) for event in ends] == [
        {
            LOGBOOK_ENTRY_NAME: "Powerwall 2",
            LOGBOOK_ENTRY_MESSAGE: message,
            LOGBOOK_ENTRY_ICON: icon,
        }
        for message, icon in (
            ("Charge: Completed", "mdi:send-check"),
            ("Discharge: failed, no", "mdi:alert-circle"),
            ("Idle: Cancelled", "mdi:cancel"),
        )
    ]
