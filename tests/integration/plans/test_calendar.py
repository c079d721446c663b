"""Plans on the account's calendar."""

from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.components.calendar import CalendarEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from sandbox import Sandbox

from ..helpers import done, registered
from .helpers import (
    BATTERY,
    CALENDAR,
    TOMORROW,
    TONIGHT,
    add,
    ask,
    elsewhere,
    events,
    is_on,
    planned,
    pushed,
    state_of,
    switch,
)

pytestmark = pytest.mark.usefixtures("in_berlin", "quick")

FEATURES = CalendarEntityFeature


async def _delete(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    uid: str,
    recurrence_id: str | None = None,
    recurrence_range: str | None = None,
) -> dict[str, Any]:
    """Delete an event as the page of calendars does."""
    client = await hass_ws_client(hass)
    message = {
        "type": "calendar/event/delete",
        "entity_id": CALENDAR,
        "uid": uid,
        "recurrence_id": recurrence_id,
        "recurrence_range": recurrence_range,
    }
    await client.send_json_auto_id(
        {name: value for name, value in message.items() if value is not None}
    )
    answer: dict[str, Any] = await client.receive_json()
    await client.close()
    await done(hass)
    return answer


async def _starts(hass: HomeAssistant, days: float = 4) -> list[str]:
    found = await events(hass, "2026-06-01T00:00:00+02:00", days)
    return [event["start"][5:16] for event in found]


async def test_all_that_comes_is_shown_once(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What stands at Amps AI already is one of them, and nothing beside them."""
    await add(hass, loaded)
    assert planned(sandbox) == [TONIGHT]
    assert await events(hass, "2026-06-01T00:00:00+02:00", 2) == [
        {
            "start": "2026-06-01T22:00:00+02:00",
            "end": "2026-06-02T05:00:00+02:00",
            "summary": "Powerwall 2: Night",
            "description": "Target: 90%",
        },
        {
            "start": "2026-06-02T22:00:00+02:00",
            "end": "2026-06-03T05:00:00+02:00",
            "summary": "Powerwall 2: Night",
            "description": "Target: 90%",
        },
    ]
    # Also those of next year.
    assert len(await events(hass, "2027-02-01T00:00:00+01:00", 28)) == 29
    state = hass.states.get(CALENDAR)
    assert state is not None
    assert state.attributes["message"] == "Powerwall 2: Night"
    assert state.attributes["start_time"] == "2026-06-01 22:00:00"


async def test_beside_what_others_planned(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    await elsewhere(
        hass,
        sandbox,
        {
            "action": {
                "command": "idle",
                "start": "2026-06-01T18:00:00",
                "end": "2026-06-01T19:00:00",
            }
        },
    )
    await add(
        hass, loaded, start="20:00", end=None, command="auto.balanced", parameters={}
    )
    assert await _starts(hass, 2) == ["06-01T18:00", "06-01T20:00", "06-02T20:00"]


async def test_what_is_on_is_shown_as_on(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What is left of one begins later at Amps AI, and is no event of its own."""
    await add(hass, loaded, start="13:00:00", end="18:00:00")
    assert await _starts(hass, 1) == ["06-01T13:00"]
    state = hass.states.get(CALENDAR)
    assert state is not None
    assert state.state == "on"


async def test_nothing_of_a_plan_that_is_off(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    await switch(hass, await add(hass, loaded), "off")
    assert await _starts(hass) == []


async def test_delete_one_skips_it(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_ws_client: WebSocketGenerator,
) -> None:
    plan = await add(hass, loaded)
    assert (await _delete(hass, hass_ws_client, plan, "2026-06-01"))["success"]
    assert planned(sandbox) == [TOMORROW]
    assert (await _delete(hass, hass_ws_client, plan, "2026-06-03"))["success"]
    assert await _starts(hass) == ["06-02T22:00", "06-04T22:00"]
    assert planned(sandbox) == [TOMORROW]
    assert is_on(hass, plan)
    # What was skipped is skipped after a restart, too.
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert await _starts(hass) == ["06-02T22:00", "06-04T22:00"]


async def test_delete_this_and_the_following_ends_it(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_ws_client: WebSocketGenerator,
) -> None:
    plan = await add(hass, loaded)
    answer = await _delete(hass, hass_ws_client, plan, "2026-06-03", "THISANDFUTURE")
    assert answer["success"]
    assert await _starts(hass) == ["06-01T22:00", "06-02T22:00"]
    assert is_on(hass, plan)
    # From the first on, there is nothing left: it is off, and can be on again.
    await _delete(hass, hass_ws_client, plan, "2026-06-01", "THISANDFUTURE")
    assert not is_on(hass, plan)
    assert planned(sandbox) == []
    await switch(hass, plan, "on")
    assert planned(sandbox) == [TONIGHT]
    assert len(await _starts(hass)) == 4


async def test_delete_all_turns_it_off(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_ws_client: WebSocketGenerator,
) -> None:
    plan = await add(hass, loaded)
    assert (await _delete(hass, hass_ws_client, plan))["success"]
    assert not is_on(hass, plan)
    assert planned(sandbox) == []
    assert loaded.subentries[plan].data["enabled"] is False


@pytest.mark.parametrize("recurrence_id", ["2026-05-01", "tomorrow", "2026-06-07"])
async def test_delete_what_is_not_there(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    recurrence_id: str,
) -> None:
    plan = await add(hass, loaded, weekdays=["mon"])
    answer = await _delete(hass, hass_ws_client, plan, recurrence_id)
    assert "has nothing to skip" in answer["error"]["message"]


async def test_delete_what_has_begun(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_ws_client: WebSocketGenerator,
) -> None:
    plan = await add(
        hass, loaded, start="13:30:00", end=None, command="idle", parameters={}
    )
    await done(hass)
    assert [action["command"] for action in pushed(sandbox)] == ["idle", "idle"]
    answer = await _delete(hass, hass_ws_client, plan, "2026-06-01")
    assert "has begun already" in answer["error"]["message"]
    # By its name and without a day, it is the next one that is skipped.
    assert (await ask(hass, "skip_plan", plan="Night"))["skipped"] == "2026-06-02"


async def test_cancelled_action_is_skipped(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A person who cancels an action wants it not to come back at once."""
    plan = await add(hass, loaded)
    (record,) = (await ask(hass, "list_actions", device_id=registered(hass, BATTERY)))[
        "actions"
    ]
    await ask(
        hass,
        "cancel_action",
        device_id=registered(hass, BATTERY),
        action_id=record["id"],
    )
    assert planned(sandbox) == [TOMORROW]
    assert state_of(hass, plan, "sensor") == "2026-06-02T20:00:00+00:00"


async def test_nothing_is_made_or_changed_there(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    """A person who tries it is told where that is done."""
    plan = await add(hass, loaded)
    with pytest.raises(HomeAssistantError, match="Add plan, or Reconfigure"):
        await hass.services.async_call(
            "calendar",
            "create_event",
            {
                "entity_id": CALENDAR,
                "summary": "Charge",
                "start_date_time": "2026-06-03 10:00:00",
                "end_date_time": "2026-06-03 11:00:00",
            },
            blocking=True,
        )
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {
            "type": "calendar/event/update",
            "entity_id": CALENDAR,
            "uid": plan,
            "recurrence_id": "2026-06-01",
            "event": {
                "summary": "Later",
                "dtstart": "2026-06-01T23:00:00",
                "dtend": "2026-06-02T05:00:00",
            },
        }
    )
    answer = await client.receive_json()
    assert "Add plan, or Reconfigure" in answer["error"]["message"]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
@pytest.mark.parametrize("start", ["0001-01-01T00:00:00", "9999-12-20T00:00:00"])
async def test_ends_of_time(
    hass: HomeAssistant, loaded: MockConfigEntry, zone: str, start: str
) -> None:
    """Whoever asks for the first or the last days that there are is answered."""
    await add(hass, loaded)
    await hass.config.async_set_time_zone(zone)
    calendar = next(
        entity
        for entity in hass.data["calendar"].entities
        if entity.entity_id == CALENDAR
    )
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
    end = (
        datetime.max.replace(tzinfo=UTC)
        if begin.year == 9999
        else begin + timedelta(days=7)
    )
    found = await calendar.async_get_events(hass, begin, end)
    assert all(event.uid for event in found)
    assert bool(found) is (begin.year == 9999)
