"""What is planned: how it is shown, kept up to date, followed and taken back."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.amps_ai.calendar import (
    AmpsCalendarEvent,
    AmpsScheduleCalendar,
    on_the_wall,
)
from custom_components.amps_ai.common.const import (
    CONF_APP_ID,
    CONF_USER_ID,
    DOMAIN,
    EVENT_ACTION,
)
from custom_components.amps_ai.readings import schedule as schedule_module
from sandbox import TEST_KEY, Sandbox

from ..lean import rested
from .conftest import APP_ID
from .helpers import done, registered, set_up

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
HVAC = "device_hvac_001"

CALENDAR = "calendar.amps_ai_sandbox_schedule"
ZONE = ZoneInfo("Europe/Berlin")

HOUR = 3600
ROUND = 15 * 60 + 1
# One question for all devices.
ALL = "all"


pytestmark = pytest.mark.usefixtures("in_berlin", "quick")


async def _set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set the entry up, without waiting for the ends of what is open."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await rested(0.1)


async def _go(
    hass: HomeAssistant,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    seconds: float,
) -> None:
    """Let time pass, in the sandbox and here, and what is due then happen."""
    sandbox.clock.advance(seconds)
    freezer.tick(timedelta(seconds=seconds))
    async_fire_time_changed(hass)
    await done(hass)


async def _plan(
    hass: HomeAssistant, device_id: str, command: str, **data: Any
) -> dict[str, Any]:
    """Push a command by the action; return its record."""
    response = await hass.services.async_call(
        DOMAIN,
        "send_command",
        {"device_id": registered(hass, device_id), "command": command, **data},
        blocking=True,
        return_response=True,
    )
    assert response is not None
    record = response["action"]
    assert isinstance(record, dict)
    return record


async def _elsewhere(
    hass: HomeAssistant,
    sandbox: Sandbox,
    path: str,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Post something past Home Assistant, as somebody else does."""
    async with async_get_clientsession(hass).post(
        f"{sandbox.url}{path}", headers={"x-api-key": TEST_KEY}, json=body
    ) as response:
        reply = await response.json()
    data: dict[str, Any] = reply["data"]
    return data


async def _planned_elsewhere(
    hass: HomeAssistant,
    sandbox: Sandbox,
    path: str = f"/battery/{BATTERY}",
    **action: Any,
) -> str:
    """Plan something past Home Assistant; return the action's id."""
    body = {"action": {"command": "charge", "start": "2h", **action}}
    action_id: str = (await _elsewhere(hass, sandbox, path, body))["id"]
    return action_id


async def _events(
    hass: HomeAssistant,
    start: str = "2026-06-01 00:00",
    end: str = "2026-07-31 00:00",
) -> list[dict[str, Any]]:
    """Return the calendar's events of a span of local time."""
    response = await hass.services.async_call(
        "calendar",
        "get_events",
        {
            "entity_id": CALENDAR,
            "start_date_time": datetime.fromisoformat(start).replace(tzinfo=ZONE),
            "end_date_time": datetime.fromisoformat(end).replace(tzinfo=ZONE),
        },
        blocking=True,
        return_response=True,
    )
    assert response is not None
    calendar = response[CALENDAR]
    assert isinstance(calendar, dict)
    events: Any = calendar["events"]
    return [dict(event) for event in events]


def _calendar(hass: HomeAssistant) -> tuple[str, str | None, str | None]:
    """Return the calendar's state, and when its event begins and ends."""
    state = hass.states.get(CALENDAR)
    assert state is not None
    return (
        state.state,
        state.attributes.get("start_time"),
        state.attributes.get("end_time"),
    )


def _asked(sandbox: Sandbox) -> list[str]:
    """Return what the schedule was asked for, in order: a device's, or all."""
    found = []
    for item in sandbox.requests.of("GET", "/actions"):
        assert item.query["state"] == "scheduled"
        found.append(item.query.get("deviceId", ALL))
    return found


# The calendar


async def test_nothing_is_planned(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """A calendar without events is off."""
    assert _calendar(hass) == ("off", None, None)
    assert await _events(hass) == []


async def test_scheduled_command_is_a_short_event(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A command without an end has a short event, at its start."""
    await _plan(
        hass,
        BATTERY,
        "charge",
        parameters={"target": 90, "power": 2.5},
        start="2026-06-01 20:00",
    )
    await done(hass)
    assert await _events(hass) == [
        {
            "start": "2026-06-01T20:00:00+02:00",
            "end": "2026-06-01T20:15:00+02:00",
            "summary": "Powerwall 2: Charge",
            "description": "Target: 90%, Power: 2.5 kW",
        }
    ]
    assert _calendar(hass) == ("off", "2026-06-01 20:00:00", "2026-06-01 20:15:00")


async def test_window_is_an_event_as_long(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A window's event lasts as long as the window, and is on meanwhile."""
    await _plan(
        hass,
        CHARGER,
        "charge",
        start="2026-06-01 22:00",
        end="2026-06-02 05:00",
    )
    await done(hass)
    [event] = await _events(hass)
    assert event["start"] == "2026-06-01T22:00:00+02:00"
    assert event["end"] == "2026-06-02T05:00:00+02:00"
    assert event["summary"] == "Pulsar Plus: Charge"
    assert _calendar(hass) == ("off", "2026-06-01 22:00:00", "2026-06-02 05:00:00")
    await _go(hass, sandbox, freezer, 8 * HOUR + 2)
    assert _calendar(hass)[0] == "on"
    await _go(hass, sandbox, freezer, 7 * HOUR)
    assert _calendar(hass) == ("off", None, None)


async def test_next_event_is_the_earliest(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Of several devices, the event that comes first is shown."""
    await _plan(hass, BATTERY, "charge", start="2026-06-01 21:00")
    await _plan(hass, HVAC, "heat", start="2026-06-01 19:00")
    await _plan(hass, CHARGER, "charge", start="2026-06-01 20:00")
    await done(hass)
    assert _calendar(hass)[1] == "2026-06-01 19:00:00"
    assert [event["summary"] for event in await _events(hass)] == [
        "Smart Thermostat Premium: Heat",
        "Pulsar Plus: Charge",
        "Powerwall 2: Charge",
    ]


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2026-06-01 00:00", "2026-06-02 00:00", ["Charge", "Idle"]),
        # A window belongs to each span that it touches.
        ("2026-06-02 00:00", "2026-06-03 00:00", ["Charge"]),
        ("2026-06-02 04:59", "2026-06-02 05:01", ["Charge"]),
        ("2026-06-01 23:00", "2026-06-01 23:30", ["Charge"]),
        # A span that ends with the start, or begins with the end, has none of it.
        ("2026-06-01 20:15", "2026-06-01 22:00", []),
        ("2026-06-02 05:00", "2026-06-03 00:00", []),
        ("2026-06-01 20:00", "2026-06-01 20:01", ["Idle"]),
        ("2026-06-01 00:00", "2026-06-01 20:00", []),
        ("2025-01-01 00:00", "2027-01-01 00:00", ["Charge", "Idle"]),
    ],
)
async def test_events_of_a_span(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    start: str,
    end: str,
    found: list[str],
) -> None:
    """Asked for a span of time, the calendar shows what is planned in it."""
    await _plan(
        hass, CHARGER, "charge", start="2026-06-01 22:00", end="2026-06-02 05:00"
    )
    await _plan(hass, BATTERY, "idle", start="2026-06-01 20:00")
    await done(hass)
    events = await _events(hass, start, end)
    assert sorted(event["summary"].split(": ")[1] for event in events) == found


async def test_view_asks_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What shows the calendar reads memory."""
    assert await async_setup_component(hass, "homeassistant", {})
    await _plan(hass, BATTERY, "charge", start="2026-06-01 20:00")
    await done(hass)
    sandbox.requests.clear()
    for _ in range(3):
        assert len(await _events(hass)) == 1
    await hass.services.async_call(
        "homeassistant", "update_entity", {"entity_id": CALENDAR}, blocking=True
    )
    await done(hass)
    assert not list(sandbox.requests)


async def test_event_has_the_name_that_a_person_gave(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Events name a device as its owner does."""
    dr.async_get(hass).async_update_device(
        registered(hass, BATTERY), name_by_user="Cellar"
    )
    await _plan(hass, BATTERY, "auto.balanced", start="2026-06-01 20:00")
    await done(hass)
    [event] = await _events(hass)
    assert event["summary"] == "Cellar: Self-consumption"


# Deleting an event


async def _delete(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, uid: str
) -> dict[str, Any]:
    """Delete an event as the calendar's panel does; return the reply."""
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {"type": "calendar/event/delete", "entity_id": CALENDAR, "uid": uid}
    )
    reply: dict[str, Any] = await client.receive_json()
    await done(hass)
    return reply


async def test_deleting_an_event_cancels(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """An event that is deleted is a command that is cancelled, and told once."""
    planned = await _plan(hass, BATTERY, "charge", delay="01:00")
    await _plan(hass, CHARGER, "charge", delay="02:00")
    await done(hass)
    ends = async_capture_events(hass, EVENT_ACTION)
    reply = await _delete(hass, hass_ws_client, planned["id"])
    assert reply["success"]
    action = sandbox.home.action(planned["id"])
    assert action is not None
    assert action.state == "cancelled"
    assert [event["summary"] for event in await _events(hass)] == [
        "Pulsar Plus: Charge"
    ]
    assert _calendar(hass)[1] == "2026-06-01 16:00:00"
    told = hass.states.get("event.powerwall_2_command")
    assert told is not None
    assert told.attributes["event_type"] == "cancelled"
    # When its time comes, nobody asks for it any more.
    sandbox.requests.clear()
    await _go(hass, sandbox, freezer, HOUR + 2)
    assert not sandbox.requests.of("GET", f"/actions/{planned['id']}")
    assert [dict(event.data) for event in ends] == [
        {
            "device_id": registered(hass, BATTERY),
            "action_id": planned["id"],
            "command": "charge",
            "state": "cancelled",
            "error": None,
        }
    ]


async def test_what_has_begun_cannot_be_deleted(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """A command that has begun is not cancelled, and that is told in words."""
    planned = await _plan(hass, BATTERY, "charge", delay="01:00")
    await done(hass)
    ends = async_capture_events(hass, EVENT_ACTION)
    # The plant is ahead of what is shown here.
    sandbox.clock.advance(HOUR + 1)
    reply = await _delete(hass, hass_ws_client, planned["id"])
    assert not reply["success"]
    for word in ("Powerwall 2", "ACTION_NOT_CANCELLABLE"):
        assert word in reply["error"]["message"]
    assert "cancelled" not in [event.data["state"] for event in ends]


async def test_window_that_has_begun_cannot_be_deleted(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """A window that is on stays on, and in the calendar."""
    planned = await _plan(hass, BATTERY, "charge", delay="00:01", duration="02:00")
    await done(hass)
    await _go(hass, sandbox, freezer, 62)
    reply = await _delete(hass, hass_ws_client, planned["id"])
    assert not reply["success"]
    assert "ACTION_NOT_CANCELLABLE" in reply["error"]["message"]
    assert _calendar(hass)[0] == "on"


async def test_event_that_nobody_knows(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """An event that is not there is refused, and nothing is sent."""
    reply = await _delete(hass, hass_ws_client, "act_nothing")
    assert not reply["success"]
    assert "act_nothing" in reply["error"]["message"]
    assert not sandbox.requests.of("POST")


async def test_deleting_can_fail(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """What keeps an event from being deleted is told, and it stays."""
    planned = await _plan(hass, BATTERY, "charge", delay="01:00")
    await done(hass)
    sandbox.faults.add(
        method="POST", path="/actions/*", status=500, code="INTERNAL_ERROR"
    )
    reply = await _delete(hass, hass_ws_client, planned["id"])
    assert not reply["success"]
    assert "Powerwall 2" in reply["error"]["message"]
    assert len(await _events(hass)) == 1


async def test_deleting_what_was_cancelled_elsewhere(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """It is refused in words, and the calendar asks again: it is gone there, too."""
    planned = await _plan(hass, BATTERY, "charge", delay="01:00")
    await done(hass)
    await _elsewhere(hass, sandbox, f"/actions/{planned['id']}/cancel")
    assert len(await _events(hass)) == 1
    reply = await _delete(hass, hass_ws_client, planned["id"])
    assert not reply["success"]
    assert "Powerwall 2" in reply["error"]["message"]
    await done(hass)
    assert await _events(hass) == []
    assert _calendar(hass)[0] == "off"


async def test_deleting_by_one_who_may_only_look(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    """The calendar is deleted from by those who may control it."""
    planned = await _plan(hass, BATTERY, "charge", delay="01:00")
    await done(hass)
    client = await hass_ws_client(hass, hass_read_only_access_token)
    await client.send_json_auto_id(
        {
            "type": "calendar/event/delete",
            "entity_id": CALENDAR,
            "uid": planned["id"],
        }
    )
    reply = await client.receive_json()
    assert not reply["success"]
    assert reply["error"]["code"] == "unauthorized"
    assert not sandbox.requests.of("POST", "/actions/*/cancel")
    assert len(await _events(hass)) == 1


# How it is kept up to date


async def test_all_devices_are_asked_for_at_once(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """One small request, at set-up and every 15 minutes."""
    assert _asked(sandbox) == [ALL]
    sandbox.requests.clear()
    await _go(hass, sandbox, freezer, 14 * 60)
    assert _asked(sandbox) == []
    await _go(hass, sandbox, freezer, 61)
    assert _asked(sandbox) == [ALL]
    await _go(hass, sandbox, freezer, 14 * 60)
    await _go(hass, sandbox, freezer, 61)
    assert _asked(sandbox) == [ALL] * 2


async def test_every_other_round_is_left_out_in_quiet_times(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Where nothing happens, every half hour will do; a plan changes that."""

    async def _rounds(count: int) -> list[bool]:
        asked = []
        for _ in range(count):
            sandbox.requests.clear()
            await _go(hass, sandbox, freezer, ROUND)
            asked.append(ALL in _asked(sandbox))
        return asked

    assert await _rounds(3) == [True, True, True]
    assert await _rounds(4) == [False, True, False, True]
    await _plan(hass, CHARGER, "charge", delay="03:00")
    # While it is planned, and for an hour after it is over.
    assert all(await _rounds(14))
    await _go(hass, sandbox, freezer, HOUR)
    assert sum(await _rounds(4)) == 2


async def test_reading_tells_of_a_plan(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What a list says that somebody else planned is asked for at once."""
    await _planned_elsewhere(hass, sandbox)
    sandbox.requests.clear()
    await _go(hass, sandbox, freezer, 61)
    assert _asked(sandbox) == [BATTERY]
    assert len(await _events(hass)) == 1
    await _go(hass, sandbox, freezer, 61)
    assert _asked(sandbox) == [BATTERY]


async def test_refresh_asks_what_is_planned(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A person who presses Refresh wants to see all that is new."""
    sandbox.requests.clear()
    await hass.services.async_call(
        "button", "press", {"entity_id": "button.powerwall_2_refresh"}, blocking=True
    )
    await done(hass)
    assert _asked(sandbox) == [BATTERY]


async def test_only_device_is_asked_for_by_its_id(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Where one device alone takes plans, nobody else's are asked for."""
    for device_id in (CHARGER, HVAC):
        sandbox.home.remove_device(device_id)
    entry.add_to_hass(hass)
    await _set_up(hass, entry)
    assert _asked(sandbox) == [BATTERY]


@pytest.mark.parametrize("home", ["classic"])
async def test_devices_without_schedules_are_not_asked_for(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Devices of the older generation take no schedule, and cost nothing."""
    await _go(hass, sandbox, freezer, ROUND)
    assert _asked(sandbox) == []
    assert _calendar(hass) == ("off", None, None)


@pytest.mark.parametrize("home", ["two"])
async def test_one_user_asks_for_own_devices(
    hass: HomeAssistant, sandbox: Sandbox
) -> None:
    """An entry for one user asks for that user's part, and shows no other."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Amps AI (sandbox)",
        data={
            CONF_API_KEY: TEST_KEY,
            CONF_APP_ID: APP_ID,
            CONF_USER_ID: "anna@example.org",
        },
    )
    entry.add_to_hass(hass)
    foreign = await _planned_elsewhere(hass, sandbox)
    own = await _planned_elsewhere(hass, sandbox, "/battery/device_battery_002")
    await _set_up(hass, entry)
    [request] = sandbox.requests.of("GET", "/actions")
    assert request.query["userId"] == "anna@example.org"
    assert "deviceId" not in request.query
    shown = [action.id for _, action in entry.runtime_data.schedule]
    assert shown == [own]
    assert foreign not in shown


async def test_push_for_later_asks_again(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """After a push for later its device is asked for, and only that."""
    sandbox.requests.clear()
    await _plan(hass, CHARGER, "charge", delay="01:00")
    await done(hass)
    assert _asked(sandbox) == [CHARGER]


async def test_what_somebody_else_planned_appears(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A command that was planned elsewhere is found with the next round."""
    ends = async_capture_events(hass, EVENT_ACTION)
    action_id = await _planned_elsewhere(hass, sandbox)
    await done(hass)
    assert await _events(hass) == []
    await _go(hass, sandbox, freezer, ROUND)
    [event] = await _events(hass)
    assert event["start"] == "2026-06-01T16:00:00+02:00"
    assert _calendar(hass)[1] == "2026-06-01 16:00:00"
    # It is told of like any other.
    assert not ends
    await _go(hass, sandbox, freezer, 2 * HOUR)
    assert [(event.data["action_id"], event.data["state"]) for event in ends] == [
        (action_id, "completed")
    ]
    assert await _events(hass) == []


async def test_what_was_planned_before_is_there_at_once(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox
) -> None:
    """At set-up, the calendar shows what is planned already."""
    await _planned_elsewhere(hass, sandbox)
    entry.add_to_hass(hass)
    await _set_up(hass, entry)
    assert len(await _events(hass)) == 1


async def test_several_for_one_device(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Two commands queued for one device are two events, told in order."""
    sandbox.lenient = {"queue"}
    ends = async_capture_events(hass, EVENT_ACTION)
    first = await _plan(hass, BATTERY, "charge", delay="01:00")
    second = await _plan(
        hass, BATTERY, "idle", delay="02:00", on_conflict="queue_after"
    )
    await done(hass)
    assert [event["summary"] for event in await _events(hass)] == [
        "Powerwall 2: Charge",
        "Powerwall 2: Idle",
    ]
    await _go(hass, sandbox, freezer, HOUR + 2)
    await _go(hass, sandbox, freezer, HOUR)
    assert [event.data["action_id"] for event in ends] == [first["id"], second["id"]]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500, "code": "INTERNAL_ERROR"},
        {"status": 429, "code": "RATE_LIMIT_EXCEEDED", "retry_after": 5},
        {"kind": "html", "status": 200},
        {"kind": "drop", "times": None},
    ],
)
async def test_round_that_fails(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    fault: dict[str, Any],
) -> None:
    """A round that fails takes nothing away, and the next one goes on."""
    await _plan(hass, BATTERY, "charge", delay="03:00")
    await done(hass)
    trouble = sandbox.faults.add(method="GET", path="/actions", **fault)
    await _go(hass, sandbox, freezer, ROUND)
    assert trouble.hits
    assert len(await _events(hass)) == 1
    sandbox.faults.clear()
    await _planned_elsewhere(hass, sandbox, f"/ev-charger/{CHARGER}")
    await _go(hass, sandbox, freezer, ROUND)
    # After an overload, the lists have to be answered first.
    await _go(hass, sandbox, freezer, 61)
    assert len(await _events(hass)) == 2


async def test_overload_ends_the_round(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """While the account holds back, the devices are not asked for one by one."""
    sandbox.requests.clear()
    sandbox.faults.add(
        method="GET",
        path="/actions",
        status=429,
        code="RATE_LIMIT_EXCEEDED",
        retry_after=30,
    )
    await _go(hass, sandbox, freezer, ROUND)
    assert _asked(sandbox) == [ALL]


# From the start to the end


async def test_scheduled_command_is_followed_from_its_start(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Nobody asks for it before; at its start it is followed and read."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 4
    planned = await _plan(hass, BATTERY, "charge", delay="01:00")
    await done(hass)
    last = hass.states.get("sensor.powerwall_2_last_command")
    assert last is not None
    assert last.state == "scheduled"
    sandbox.requests.clear()
    await _go(hass, sandbox, freezer, HOUR - 60)
    assert not sandbox.requests.of("GET", "/actions/*")
    assert not ends
    sandbox.requests.clear()
    sandbox.clock.advance(62)
    freezer.tick(timedelta(seconds=62))
    async_fire_time_changed(hass)
    await rested(0.2)
    # It has begun and is in flight.
    assert sandbox.requests.of("GET", f"/actions/{planned['id']}")
    assert not ends
    sandbox.clock.advance(5)
    await rested(0.1)
    await done(hass)
    assert [dict(event.data) for event in ends] == [
        {
            "device_id": registered(hass, BATTERY),
            "action_id": planned["id"],
            "command": "charge",
            "state": "completed",
            "error": None,
        }
    ]
    assert {"expedite": "true"} in [
        item.query for item in sandbox.requests.reads(BATTERY)
    ]
    assert await _events(hass) == []
    mode = hass.states.get("select.powerwall_2_mode")
    assert mode is not None
    assert mode.state == "charge"
    last = hass.states.get("sensor.powerwall_2_last_command")
    assert last is not None
    assert last.state == "completed"


async def test_no_control_shows_what_is_planned(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """What comes later is not what is."""
    await _plan(hass, BATTERY, "discharge", delay="01:00")
    await done(hass)
    mode = hass.states.get("select.powerwall_2_mode")
    assert mode is not None
    assert mode.state == "auto_balanced"


async def test_scheduled_command_that_fails_is_told(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A command that fails at its start is told by event, bus and sensor."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.device(BATTERY).next_action("failed", code="NO", message="Too cold")
    planned = await _plan(hass, BATTERY, "charge", delay="01:00")
    await done(hass)
    await _go(hass, sandbox, freezer, HOUR + 2)
    assert [
        (event.data["action_id"], event.data["state"], event.data["error"])
        for event in ends
    ] == [(planned["id"], "failed", "NO")]
    told = hass.states.get("event.powerwall_2_command")
    assert told is not None
    assert told.attributes["event_type"] == "failed"
    assert await _events(hass) == []


async def test_window_stays_until_its_end(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A window that has begun is not listed any more, but still shown."""
    ends = async_capture_events(hass, EVENT_ACTION)
    planned = await _plan(hass, BATTERY, "charge", delay="01:00", duration="02:00")
    await done(hass)
    await _go(hass, sandbox, freezer, HOUR + 2)
    assert [event.data["state"] for event in ends] == ["completed"]
    assert _calendar(hass) == ("on", "2026-06-01 15:00:00", "2026-06-01 17:00:00")
    for _ in range(4):
        await _go(hass, sandbox, freezer, ROUND)
        assert _calendar(hass)[0] == "on"
        assert [event["start"] for event in await _events(hass)] == [
            "2026-06-01T15:00:00+02:00"
        ]
    assert [action.id for _, action in loaded.runtime_data.schedule] == [planned["id"]]
    await _go(hass, sandbox, freezer, HOUR)
    assert _calendar(hass) == ("off", None, None)
    # What is over is forgotten with the next round.
    await _go(hass, sandbox, freezer, ROUND)
    assert await _events(hass) == []
    assert len(ends) == 1


async def test_device_is_read_at_the_end_of_a_window(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """At its end the platform goes back: the device is read then."""
    await _plan(hass, BATTERY, "charge", delay="01:00", duration="02:00")
    await done(hass)
    await _go(hass, sandbox, freezer, HOUR + 2)
    mode = hass.states.get("select.powerwall_2_mode")
    assert mode is not None
    assert mode.state == "charge"
    await _go(hass, sandbox, freezer, 2 * HOUR - 60)
    sandbox.requests.clear()
    await _go(hass, sandbox, freezer, 61)
    assert {"expedite": "true"} in [
        item.query for item in sandbox.requests.reads(BATTERY)
    ]
    mode = hass.states.get("select.powerwall_2_mode")
    assert mode is not None
    assert mode.state == "auto_balanced"


async def test_window_that_fails_is_no_window(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A window whose command failed is not shown as being on."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.device(BATTERY).next_action("failed", code="NO", message="Too cold")
    await _plan(hass, BATTERY, "charge", delay="01:00", duration="02:00")
    await done(hass)
    await _go(hass, sandbox, freezer, HOUR + 2)
    assert [event.data["state"] for event in ends] == ["failed"]
    assert _calendar(hass) == ("off", None, None)
    assert await _events(hass) == []


@pytest.mark.parametrize("duration", [{}, {"duration": "02:00"}])
async def test_cancelled_elsewhere(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    duration: dict[str, str],
) -> None:
    """What somebody else cancelled is gone with the next round, and told once."""
    ends = async_capture_events(hass, EVENT_ACTION)
    planned = await _plan(hass, BATTERY, "charge", delay="01:00", **duration)
    await done(hass)
    await _elsewhere(hass, sandbox, f"/actions/{planned['id']}/cancel")
    await _go(hass, sandbox, freezer, ROUND)
    assert await _events(hass) == []
    assert _calendar(hass) == ("off", None, None)
    await _go(hass, sandbox, freezer, HOUR)
    assert [
        (event.data["action_id"], event.data["command"], event.data["state"])
        for event in ends
    ] == [(planned["id"], "charge", "cancelled")]
    assert await _events(hass) == []


async def test_window_cancelled_shortly_before_its_start(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A window that was cancelled and never looked at since is not on."""
    ends = async_capture_events(hass, EVENT_ACTION)
    planned = await _plan(hass, BATTERY, "charge", delay="00:10", duration="02:00")
    await done(hass)
    await _elsewhere(hass, sandbox, f"/actions/{planned['id']}/cancel")
    await _go(hass, sandbox, freezer, 10 * 60 + 2)
    assert [event.data["state"] for event in ends] == ["cancelled"]
    assert _calendar(hass) == ("off", None, None)


async def test_tap_takes_the_place_of_what_is_planned(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What a tap displaced leaves the calendar, and is told as cancelled."""
    planned = await _plan(hass, BATTERY, "charge", delay="01:00")
    await done(hass)
    ends = async_capture_events(hass, EVENT_ACTION)
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": "select.powerwall_2_mode", "option": "idle"},
        blocking=True,
    )
    await done(hass)
    assert await _events(hass) == []
    assert [
        event.data["state"]
        for event in ends
        if event.data["action_id"] == planned["id"]
    ] == ["cancelled"]
    await _go(hass, sandbox, freezer, HOUR + 2)
    assert len(ends) == 2


async def test_removed_device_leaves_the_calendar(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What was planned for a device that is gone is not shown."""
    await _plan(hass, BATTERY, "charge", delay="10:00")
    await _plan(hass, CHARGER, "charge", delay="11:00")
    await done(hass)
    sandbox.home.remove_device(BATTERY)
    for _ in range(5):
        await _go(hass, sandbox, freezer, 10 * 60 + 1)
    assert [event["summary"] for event in await _events(hass)] == [
        "Pulsar Plus: Charge"
    ]


# Restarts


async def _restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Unload the entry and set it up again."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    await _set_up(hass, entry)


async def test_open_command_is_taken_up_again(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A command that was in flight at a restart is told of after it, once."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 60
    pushed = await _plan(hass, BATTERY, "charge", wait=False)
    await _restart(hass, loaded)
    assert not ends
    sandbox.clock.advance(61)
    await rested(0.1)
    await done(hass)
    assert [(event.data["action_id"], event.data["state"]) for event in ends] == [
        (pushed["id"], "completed")
    ]
    mode = hass.states.get("select.powerwall_2_mode")
    assert mode is not None
    assert mode.state == "charge"


async def test_ended_meanwhile(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A command that ended before the restart is shown, and not told anew."""
    await _plan(hass, BATTERY, "charge")
    await done(hass)
    ends = async_capture_events(hass, EVENT_ACTION)
    await _restart(hass, loaded)
    await done(hass)
    assert not ends
    last = hass.states.get("sensor.powerwall_2_last_command")
    assert last is not None
    assert last.state == "completed"


@pytest.mark.parametrize(
    ("duration", "shown"),
    [
        ({}, ("off", None, None)),
        (
            {"duration": "02:00"},
            ("on", "2026-06-01 16:00:00", "2026-06-01 18:00:00"),
        ),
    ],
)
async def test_planned_command_is_taken_up_again(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    duration: dict[str, str],
    shown: tuple[str, str | None, str | None],
) -> None:
    """A command that was planned before a restart is followed after it, once."""
    ends = async_capture_events(hass, EVENT_ACTION)
    planned = await _plan(hass, BATTERY, "charge", delay="02:00", **duration)
    await done(hass)
    await _restart(hass, loaded)
    sandbox.requests.clear()
    # Time goes on in steps, as it does.
    for _ in range(12):
        sandbox.clock.advance(9 * 60)
        freezer.tick(timedelta(minutes=9))
        async_fire_time_changed(hass)
        await rested(0.1)
    # Nobody has to ask for it before its start.
    assert len(sandbox.requests.of("GET", f"/actions/{planned['id']}")) <= 1
    assert len(await _events(hass)) == 1
    assert not ends
    await _go(hass, sandbox, freezer, 12 * 60 + 5)
    assert [(event.data["action_id"], event.data["state"]) for event in ends] == [
        (planned["id"], "completed")
    ]
    assert {"expedite": "true"} in [
        item.query for item in sandbox.requests.reads(BATTERY)
    ]
    assert _calendar(hass) == shown


async def test_planned_command_is_not_asked_for_all_the_time(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """After a restart, what comes in hours is not asked for every second."""
    planned = await _plan(hass, BATTERY, "charge", delay="02:00")
    await done(hass)
    await _restart(hass, loaded)
    await rested(0.5)
    assert len(sandbox.requests.of("GET", f"/actions/{planned['id']}")) <= 1


# Leaving in the middle


@pytest.mark.parametrize("removed", [False, True])
async def test_entry_that_goes_leaves_nothing_behind(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    removed: bool,
) -> None:
    """An unloaded or removed entry asks nothing, tells nothing, plans nothing."""
    ends = async_capture_events(hass, EVENT_ACTION)
    await _plan(hass, BATTERY, "charge", delay="01:00", duration="01:00")
    await _plan(hass, CHARGER, "charge", delay="02:00")
    await done(hass)
    sandbox.action_seconds = 1000
    await _plan(hass, HVAC, "idle", wait=False)
    await rested(0.1)
    if removed:
        await hass.config_entries.async_remove(loaded.entry_id)
    else:
        assert await hass.config_entries.async_unload(loaded.entry_id)
    await done(hass)
    sandbox.requests.clear()
    for _ in range(4):
        await _go(hass, sandbox, freezer, HOUR)
    assert not list(sandbox.requests)
    assert not ends
    # Nothing was taken back for that.
    assert [action.state for action in sandbox.home.actions] == ["completed"] * 3


async def test_reload_in_the_middle_tells_once(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """However often the entry is reloaded, an end is told once."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 60
    pushed = await _plan(hass, CHARGER, "idle", wait=False)
    for _ in range(3):
        assert await hass.config_entries.async_reload(loaded.entry_id)
        await rested(0.05)
    assert not ends
    sandbox.clock.advance(61)
    await rested(0.1)
    await done(hass)
    await _go(hass, sandbox, freezer, HOUR)
    assert [(event.data["action_id"], event.data["state"]) for event in ends] == [
        (pushed["id"], "completed")
    ]


async def test_unload_while_the_schedule_is_asked_for(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A request that is under way ends with the entry."""
    sandbox.faults.add(
        method="GET", path="/actions", kind="delay", delay=0.5, times=None
    )
    await _plan(hass, BATTERY, "charge", delay="01:00")
    await rested(0.05)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    await done(hass)
    sandbox.requests.clear()
    await rested(0.6)
    assert not list(sandbox.requests)


# Many devices.


@pytest.fixture
def many(sandbox: Sandbox) -> list[str]:
    """Connect five batteries more; return their ids."""
    return [sandbox.home.add_device("battery").id for _ in range(5)]


async def test_many_devices_are_asked_for_at_once(
    hass: HomeAssistant,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    many: list[str],
    entry: MockConfigEntry,
) -> None:
    """One request tells of all; what comes and goes is seen as with few."""
    ends = async_capture_events(hass, EVENT_ACTION)
    entry.add_to_hass(hass)
    first = await _planned_elsewhere(hass, sandbox, f"/battery/{many[0]}")
    await _set_up(hass, entry)
    assert _asked(sandbox) == [ALL]
    assert len(await _events(hass)) == 1
    await _planned_elsewhere(hass, sandbox, f"/battery/{many[1]}", start="3h")
    await _elsewhere(hass, sandbox, f"/actions/{first}/cancel")
    sandbox.requests.clear()
    await _go(hass, sandbox, freezer, ROUND)
    # The list may be the first to tell of the new one.
    assert _asked(sandbox).count(ALL) == 1
    assert set(_asked(sandbox)) <= {ALL, many[1]}
    (event,) = await _events(hass)
    assert event["start"].startswith("2026-06-01T17:00")
    assert [(e.data["action_id"], e.data["state"]) for e in ends] == [
        (first, "cancelled")
    ]
    # What is pushed from here concerns one device.
    sandbox.requests.clear()
    await _plan(hass, BATTERY, "charge", delay="01:00")
    await done(hass)
    assert _asked(sandbox) == [BATTERY]
    assert len(await _events(hass)) == 2


async def test_more_planned_than_one_answer_tells(
    hass: HomeAssistant, sandbox: Sandbox, many: list[str], entry: MockConfigEntry
) -> None:
    """Then it is asked for device by device."""
    with patch("custom_components.amps_ai.readings.schedule._MOST_PLANNED", 2):
        for device_id in many[:2]:
            await _planned_elsewhere(hass, sandbox, f"/battery/{device_id}")
        entry.add_to_hass(hass)
        await _set_up(hass, entry)
    asked = _asked(sandbox)
    assert asked[0] == ALL
    assert set(asked[1:]) == {BATTERY, CHARGER, HVAC, *many}
    assert len(await _events(hass)) == 2


async def test_many_windows_of_one_device(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """All pages are read, with no request beyond; what comes first is shown first."""
    sandbox.lenient = {"overlap"}
    for hour in reversed(range(70)):
        start = datetime(2026, 6, 2, 0, tzinfo=ZONE) + timedelta(hours=4 * hour)
        await _planned_elsewhere(
            hass,
            sandbox,
            start=start.strftime("%Y-%m-%dT%H:%M:%S"),
            end=(start + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S"),
        )
    entry.add_to_hass(hass)
    sandbox.requests.clear()
    await _set_up(hass, entry)
    events = await _events(hass)
    assert len(events) == 70
    assert [event["start"] for event in events] == sorted(
        event["start"] for event in events
    )
    assert _calendar(hass)[1] == "2026-06-02 00:00:00"
    assert len(sandbox.requests.of("GET", "/actions")) == 2
    # A change of one brings no more than its device's pages.
    sandbox.requests.clear()
    await _elsewhere(hass, sandbox, f"/actions/{await _first(hass)}/cancel")
    device = entry.runtime_data.coordinators.device(BATTERY)
    entry.runtime_data.schedule.async_changed(device)
    await done(hass)
    assert len(await _events(hass)) == 69
    assert _calendar(hass)[1] == "2026-06-02 04:00:00"
    assert len(sandbox.requests.of("GET", "/actions")) == 2
    assert len(sandbox.requests.of("GET", "/actions/*")) == 1


async def _first(hass: HomeAssistant) -> str:
    """Return the id of the command that comes first."""
    schedule = hass.config_entries.async_entries(DOMAIN)[0].runtime_data.schedule
    found: list[tuple[datetime, str]] = sorted(
        (action.start, action.id) for _, action in schedule
    )
    return found[0][1]


async def test_calendar_is_written_once_for_a_change(
    hass: HomeAssistant,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    many: list[str],
    entry: MockConfigEntry,
) -> None:
    """However many devices have something new, its events are made once."""
    written = 0
    usual = AmpsScheduleCalendar.async_write_ha_state

    def _write(calendar: AmpsScheduleCalendar) -> None:
        nonlocal written
        written += 1
        usual(calendar)

    with patch.object(AmpsScheduleCalendar, "async_write_ha_state", _write):
        entry.add_to_hass(hass)
        await _set_up(hass, entry)
        for device_id in many:
            await _planned_elsewhere(hass, sandbox, f"/battery/{device_id}")
        written = 0
        await _go(hass, sandbox, freezer, ROUND)
    assert len(await _events(hass)) == len(many)
    assert written == 1


async def test_many_devices_of_one_user(
    hass: HomeAssistant, sandbox: Sandbox, many: list[str]
) -> None:
    """What all users have planned is not asked for where one is set up."""
    for number in range(6):
        sandbox.home.add_device("battery", user="user_one", device_id=f"one_{number}")
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="One",
        unique_id=f"sandbox:{APP_ID}:user_one",
        data={
            CONF_API_KEY: TEST_KEY,
            CONF_APP_ID: APP_ID,
            CONF_USER_ID: "user_one",
        },
    )
    entry.add_to_hass(hass)
    await _set_up(hass, entry)
    [request] = sandbox.requests.of("GET", "/actions")
    assert request.query["userId"] == "user_one"


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        # Too much was asked: nobody asks on.
        ({"status": 429, "code": "RATE_LIMIT_EXCEEDED", "retry_after": 60}, 1),
        # No answer to this one is no reason not to try the others.
        ({"status": 500, "code": "INTERNAL_ERROR"}, 9),
    ],
)
async def test_answer_for_many_that_fails(
    hass: HomeAssistant,
    sandbox: Sandbox,
    many: list[str],
    entry: MockConfigEntry,
    fault: dict[str, Any],
    asked: int,
) -> None:
    sandbox.faults.add(method="GET", path="/actions", times=1, **fault)
    entry.add_to_hass(hass)
    await _set_up(hass, entry)
    assert len(_asked(sandbox)) == asked


async def test_many_are_asked_for_bit_by_bit(
    hass: HomeAssistant,
    sandbox: Sandbox,
    many: list[str],
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where one answer will not do, hundreds of devices are no burst."""
    pause = 0.0123
    monkeypatch.setattr(schedule_module, "_AT_ONCE", 3)
    monkeypatch.setattr(schedule_module, "_PAUSE", pause)
    pauses: list[float] = []
    usual = asyncio.sleep

    async def _sleep(seconds: float) -> None:
        if seconds == pause:
            pauses.append(seconds)
        await usual(0 if seconds == pause else seconds)

    monkeypatch.setattr(asyncio, "sleep", _sleep)
    sandbox.faults.add(method="GET", path="/actions", times=1, status=500)
    entry.add_to_hass(hass)
    await _set_up(hass, entry)
    assert len(_asked(sandbox)) == 9
    assert len(pauses) == 8 - 3


async def test_window_into_the_hour_that_comes_twice(hass: HomeAssistant) -> None:
    """What ends at 02:10 in winter time, after 02:30 in summer time, is an event."""
    start = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    begin, end = on_the_wall(start, start + timedelta(minutes=40))
    event = AmpsCalendarEvent(start=begin, end=end, summary="Charge")
    assert event.as_dict()["start"] == "2026-10-25T02:30:00+02:00"
    assert event.start_datetime_local == start
    assert event.end_datetime_local > event.start_datetime_local
    # Any other window is told as it is.
    begin, end = on_the_wall(start, start + timedelta(hours=2))
    event = AmpsCalendarEvent(start=begin, end=end, summary="Charge")
    assert event.end_datetime_local == start + timedelta(hours=2)


async def test_on_while_the_clocks_show_less(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A command that began at 02:30 is on at 02:05, after the clocks were put back."""
    at = datetime(2026, 10, 24, 23, 50, tzinfo=UTC)
    sandbox.clock.set(at)
    freezer.move_to(at)
    for device in sandbox.home.devices:
        device.capture()
    assert await set_up(hass, entry)
    await _plan(hass, BATTERY, "charge", delay="00:40", duration="03:00")
    await done(hass)
    now = datetime(2026, 10, 25, 1, 5, tzinfo=UTC)
    sandbox.clock.set(now)
    freezer.move_to(now)
    calendar = hass.data["calendar"].get_entity(CALENDAR)
    assert calendar is not None
    calendar.async_write_ha_state()
    state = hass.states.get(CALENDAR)
    assert state is not None
    assert state.state == "on"
    # It is woken at the end, and not at a beginning that is over.
    assert len(calendar._alarm_unsubs) == 1
