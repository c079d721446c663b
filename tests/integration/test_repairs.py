"""What a person has to decide, and what a person is warned of."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amps_ai.api import Action
from custom_components.amps_ai.common import issues
from custom_components.amps_ai.common.const import DOMAIN, EVENT_ACTION
from sandbox import Sandbox

from .helpers import done, registered

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
MODE = "select.powerwall_2_mode"

BLOCKED = f"scheduler_active_{BATTERY}"

HOUR = 3600


pytestmark = pytest.mark.usefixtures("in_berlin", "quick")


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


async def _push(
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
    await done(hass)
    assert response is not None
    record = response["action"]
    assert isinstance(record, dict)
    return record


async def _tap(hass: HomeAssistant, option: str) -> None:
    """Choose a mode of the battery."""
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": MODE, "option": option},
        blocking=True,
    )
    await done(hass)


async def _blocked(hass: HomeAssistant, sandbox: Sandbox, **data: Any) -> None:
    """Push a command that the manufacturer's own schedule stands in the way of."""
    sandbox.device(BATTERY).native_scheduler = True
    with pytest.raises(HomeAssistantError):
        await _push(hass, BATTERY, "charge", **data)
    await done(hass)
    sandbox.requests.clear()


def _issue(hass: HomeAssistant, issue_id: str = BLOCKED) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id)


def _issues(hass: HomeAssistant) -> list[str]:
    return [
        issue_id for domain, issue_id in ir.async_get(hass).issues if domain == DOMAIN
    ]


class Repair:
    """The dialogue of a repair, over HTTP, as the frontend has it."""

    def __init__(self, hass: HomeAssistant, client: ClientSessionGenerator) -> None:
        self._hass = hass
        self._client = client
        self.flow_id = ""

    async def open(self, issue_id: str = BLOCKED) -> dict[str, Any]:
        """Open the dialogue."""
        result = await self._post(
            "/api/repairs/issues/fix", {"handler": DOMAIN, "issue_id": issue_id}
        )
        self.flow_id = result["flow_id"]
        return result

    async def submit(self) -> dict[str, Any]:
        """Confirm."""
        return await self._post(f"/api/repairs/issues/fix/{self.flow_id}", {})

    async def _post(self, path: str, data: dict[str, Any]) -> dict[str, Any]:
        client = await self._client()
        response = await client.post(path, json=data)
        assert response.status == HTTPStatus.OK
        result: dict[str, Any] = await response.json()
        await done(self._hass)
        return result


@pytest.fixture
async def repair(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Repair:
    """Set the repairs up, and return what drives them."""
    assert await async_setup_component(hass, "repairs", {})
    return Repair(hass, hass_client)


# The manufacturer's own schedule


@pytest.mark.parametrize("by", ["action", "tap", "later"])
async def test_schedule_in_the_way_is_asked_about(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    by: str,
) -> None:
    """However the command was pushed, a person is asked, and nothing is cleared."""
    sandbox.device(BATTERY).native_scheduler = True
    if by == "later":
        await _push(hass, BATTERY, "charge", delay="01:00")
        assert _issue(hass) is None
        await _go(hass, sandbox, freezer, HOUR + 2)
    elif by == "tap":
        with pytest.raises(HomeAssistantError):
            await _tap(hass, "charge")
    else:
        with pytest.raises(HomeAssistantError):
            await _push(hass, BATTERY, "charge")
    await done(hass)
    issue = _issue(hass)
    assert issue is not None
    assert issue.is_fixable
    assert issue.severity is ir.IssueSeverity.WARNING
    assert issue.translation_key == "scheduler_active"
    assert issue.translation_placeholders == {
        "device": "Powerwall 2",
        "command": "Charge",
    }
    assert len(sandbox.requests.pushes(BATTERY)) == 1
    assert sandbox.device(BATTERY).native_scheduler


@pytest.mark.parametrize(
    ("rows", "step"),
    [
        ("owner_schedule", "confirm_owner"),
        ("third_party_schedule", "confirm_third_party"),
        ("earlier_action", "confirm_earlier"),
    ],
)
async def test_question_says_whose_schedule_it_is(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    repair: Repair,
    rows: str,
    step: str,
) -> None:
    """The API tells whose schedule stands in the way, and the person decides by it."""
    sandbox.device(BATTERY).native_scheduler = rows
    await _push(hass, BATTERY, "charge", delay="00:02", duration="02:00")
    await _go(hass, sandbox, freezer, 125)
    form = await repair.open()
    assert form["step_id"] == step
    assert form["description_placeholders"]["device"] == "Powerwall 2"
    sandbox.requests.clear()
    result = await repair.submit()
    assert result["type"] == "create_entry"
    [push] = sandbox.requests.pushes(BATTERY)
    assert isinstance(push.body, dict)
    assert push.body["onConflict"] == "cancel_and_replace"
    assert not sandbox.device(BATTERY).native_scheduler
    assert _issue(hass) is None


async def test_confirmed_it_is_cleared(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, repair: Repair
) -> None:
    """Once confirmed, the very command goes out again, and clears the schedule."""
    await _blocked(hass, sandbox, parameters={"target": 90, "power": 2.5})
    ends = async_capture_events(hass, EVENT_ACTION)
    form = await repair.open()
    assert form["type"] == "form"
    assert form["step_id"] == "confirm"
    assert not form["errors"]
    assert form["description_placeholders"]["device"] == "Powerwall 2"
    assert form["description_placeholders"]["command"] == "Charge"
    # To look at the question changes nothing.
    assert not sandbox.requests.of("POST")
    assert sandbox.device(BATTERY).native_scheduler
    result = await repair.submit()
    assert result["type"] == "create_entry"
    assert [item.body for item in sandbox.requests.pushes(BATTERY)] == [
        {
            "action": {
                "command": "charge",
                "parameters": {
                    "target": {"value": 90, "unit": "percent"},
                    "power": {"value": 2.5, "unit": "kw"},
                },
            },
            "onConflict": "cancel_and_replace",
        }
    ]
    assert not sandbox.device(BATTERY).native_scheduler
    assert _issue(hass) is None
    assert [event.data["state"] for event in ends] == ["completed"]
    mode = hass.states.get(MODE)
    assert mode is not None
    assert mode.state == "charge"


async def test_fix_that_is_submitted_twice_at_once(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_client: ClientSessionGenerator,
    repair: Repair,
) -> None:
    """Two windows of a browser, or two people: one push, and both are done."""
    await _blocked(hass, sandbox)
    first, second = repair, Repair(hass, hass_client)
    await first.open()
    await second.open()
    results = await asyncio.gather(first.submit(), second.submit())
    assert [result["type"] for result in results] == ["create_entry"] * 2
    assert len(sandbox.requests.pushes(BATTERY)) == 1
    assert _issue(hass) is None


async def test_fix_of_one_who_may_only_look(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_client: ClientSessionGenerator,
    hass_read_only_access_token: str,
    repair: Repair,
) -> None:
    """A repair is for those who may administer; core sees to that."""
    await _blocked(hass, sandbox)
    client = await hass_client(hass_read_only_access_token)
    response = await client.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": BLOCKED}
    )
    assert response.status == HTTPStatus.UNAUTHORIZED
    await repair.open()
    response = await client.post(f"/api/repairs/issues/fix/{repair.flow_id}", json={})
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert not sandbox.requests.pushes(BATTERY)
    assert _issue(hass) is not None


@pytest.mark.parametrize("kind", ["schedule", "displaced"])
async def test_fix_in_the_hour_that_comes_twice(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    repair: Repair,
    kind: str,
) -> None:
    """What was to end at the second 02:30 cannot be said again: words say so."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    await _blocked(hass, sandbox)
    now = datetime(2026, 10, 24, 22, tzinfo=UTC)
    freezer.move_to(now)
    sandbox.clock.advance((now - sandbox.clock.now()).total_seconds())
    await loaded.runtime_data.find(BATTERY).async_refresh()
    device = loaded.runtime_data.find(BATTERY).data[BATTERY]
    end = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    action = Action(
        id="act_window", command="charge", start=now, end=end, state="cancelled"
    )
    if kind == "schedule":
        issue_id = BLOCKED
        issues.async_scheduler_active(
            hass, loaded, device, "Powerwall 2", replace(action, state="failed")
        )
    else:
        issue_id = f"displaced_{action.id}"
        issues.async_displaced(hass, loaded, BATTERY, "Powerwall 2", action, end)
    # As the dialogue does it: its own token is of an earlier day.
    flows = hass.data["repairs"]["flow_manager"]
    flow = await flows.async_init(DOMAIN, data={"issue_id": issue_id})
    form = await flows.async_configure(flow["flow_id"], {})
    assert form["errors"] == {"base": "push_failed"}
    said = form["description_placeholders"]["error"]
    assert "twice" in said
    assert "zone" not in said
    assert not sandbox.requests.pushes(BATTERY)


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"status": 500, "code": "INTERNAL_ERROR"}, "INTERNAL_ERROR"),
        ({"status": 400, "code": "DEVICE_OFFLINE"}, "offline"),
        ({"status": 422, "code": "NEW_RULE", "message": "Not today"}, "Not today"),
        ({"kind": "drop"}, "not known"),
    ],
)
async def test_failure_in_the_fix_is_shown(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    repair: Repair,
    fault: dict[str, Any],
    word: str,
) -> None:
    """What goes wrong stands in the dialogue, which can be tried again."""
    await _blocked(hass, sandbox)
    await repair.open()
    sandbox.faults.add(method="POST", path="/battery/*", times=1, **fault)
    form = await repair.submit()
    assert form["type"] == "form"
    assert form["errors"] == {"base": "push_failed"}
    assert "Powerwall 2" in form["description_placeholders"]["error"]
    assert word in form["description_placeholders"]["error"]
    assert _issue(hass) is not None
    result = await repair.submit()
    assert result["type"] == "create_entry"
    assert _issue(hass) is None


async def test_command_that_fails_in_the_fix_is_shown(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, repair: Repair
) -> None:
    """A command that fails after all is an error of the dialogue."""
    await _blocked(hass, sandbox)
    await repair.open()
    sandbox.device(BATTERY).next_action("failed", code="NO", message="Too cold")
    form = await repair.submit()
    assert form["errors"] == {"base": "push_failed"}
    assert "Too cold" in form["description_placeholders"]["error"]
    assert _issue(hass) is not None


async def test_fix_without_the_account(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, repair: Repair
) -> None:
    """A dialogue that outlives the account sends nothing."""
    await _blocked(hass, sandbox)
    await repair.open()
    assert await hass.config_entries.async_unload(loaded.entry_id)
    sandbox.requests.clear()
    form = await repair.submit()
    assert form["errors"] == {"base": "push_failed"}
    assert "Powerwall 2" in form["description_placeholders"]["error"]
    assert not list(sandbox.requests)


async def test_fix_of_a_window_keeps_its_end(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    repair: Repair,
) -> None:
    """A command that was to last for two hours does not go on for ever."""
    sandbox.device(BATTERY).native_scheduler = True
    await _push(hass, BATTERY, "charge", delay="00:01", duration="02:00")
    await _go(hass, sandbox, freezer, 62)
    assert _issue(hass) is not None
    sandbox.requests.clear()
    await repair.open()
    result = await repair.submit()
    assert result["type"] == "create_entry"
    [request] = sandbox.requests.pushes(BATTERY)
    assert request.body["onConflict"] == "cancel_and_replace"
    assert request.body["action"]["end"] == "2026-06-01T16:01:00"
    assert not sandbox.device(BATTERY).native_scheduler


async def test_fix_of_a_window_that_is_over(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    repair: Repair,
) -> None:
    """A command whose window is over is not sent any more."""
    sandbox.device(BATTERY).native_scheduler = True
    await _push(hass, BATTERY, "charge", delay="00:01", duration="00:10")
    await _go(hass, sandbox, freezer, 62)
    assert _issue(hass) is not None
    await _go(hass, sandbox, freezer, 11 * 60)
    sandbox.requests.clear()
    await repair.open()
    form = await repair.submit()
    assert form["errors"] == {"base": "push_failed"}
    assert "Powerwall 2" in form["description_placeholders"]["error"]
    assert not sandbox.requests.of("POST")
    assert sandbox.device(BATTERY).native_scheduler


async def test_question_goes_with_a_completed_command(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Cleared in the manufacturer's app, the question goes by itself."""
    await _blocked(hass, sandbox)
    # Another device's command says nothing about this one.
    await _push(hass, CHARGER, "idle")
    assert _issue(hass) is not None
    # Nor does a command that fails for another reason.
    sandbox.device(BATTERY).native_scheduler = False
    sandbox.device(BATTERY).next_action("failed", code="NO", message="Too cold")
    with pytest.raises(HomeAssistantError):
        await _push(hass, BATTERY, "idle")
    await done(hass)
    assert _issue(hass) is not None
    await _push(hass, BATTERY, "idle")
    assert _issue(hass) is None


async def test_newer_command_is_the_one_asked_about(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, repair: Repair
) -> None:
    """One question a device: the last command is the one that is sent again."""
    await _blocked(hass, sandbox, parameters={"target": 90})
    with pytest.raises(HomeAssistantError):
        await _push(hass, BATTERY, "discharge")
    await done(hass)
    assert _issues(hass) == [BLOCKED]
    form = await repair.open()
    assert form["description_placeholders"]["command"] == "Discharge"
    sandbox.requests.clear()
    await repair.submit()
    assert [item.body for item in sandbox.requests.pushes(BATTERY)] == [
        {"action": {"command": "discharge"}, "onConflict": "cancel_and_replace"}
    ]


async def test_question_outlives_a_reload(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, repair: Repair
) -> None:
    """After a reload, the question is still there and can be answered."""
    await _blocked(hass, sandbox)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert _issue(hass) is not None
    await repair.open()
    result = await repair.submit()
    assert result["type"] == "create_entry"
    assert not sandbox.device(BATTERY).native_scheduler


async def test_question_goes_with_the_account(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Nobody is asked about a device of an account that was removed."""
    await _blocked(hass, sandbox)
    await hass.config_entries.async_remove(loaded.entry_id)
    await done(hass)
    assert _issues(hass) == []


# What made way


@pytest.mark.parametrize(
    ("times", "when", "over"),
    [
        ({"delay": "01:00"}, "1 June 2026, 15:00", HOUR),
        (
            {"delay": "01:00", "duration": "02:00"},
            "1 June 2026, 15:00 – 17:00",
            3 * HOUR,
        ),
    ],
)
async def test_displaced_command_is_warned_of(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    times: dict[str, str],
    when: str,
    over: float,
) -> None:
    """A planned command that made way is named, until its time is over."""
    planned = await _push(hass, BATTERY, "discharge", **times)
    assert not _issues(hass)
    await _tap(hass, "charge")
    assert _issues(hass) == [f"displaced_{planned['id']}"]
    issue = _issue(hass, f"displaced_{planned['id']}")
    assert issue is not None
    assert issue.is_fixable
    assert issue.severity is ir.IssueSeverity.WARNING
    assert issue.translation_key == "displaced"
    assert issue.translation_placeholders == {
        "device": "Powerwall 2",
        "command": "Discharge",
        "when": when,
    }
    await _go(hass, sandbox, freezer, over - 60)
    assert _issues(hass)
    await _go(hass, sandbox, freezer, 62)
    assert not _issues(hass)


@pytest.mark.parametrize(
    ("times", "passed", "planned"),
    [
        ({"delay": "01:00"}, 0, {"start": "2026-06-01T15:00:00"}),
        (
            {"delay": "01:00", "duration": "02:00"},
            0,
            {"start": "2026-06-01T15:00:00", "end": "2026-06-01T17:00:00"},
        ),
        # It would be under way by now: what is left of it.
        (
            {"delay": "00:05", "duration": "02:00"},
            600,
            {"start": "1m", "end": "2026-06-01T16:05:00"},
        ),
    ],
    ids=["time", "window", "begun"],
)
async def test_displaced_command_is_planned_again(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    repair: Repair,
    times: dict[str, str],
    passed: float,
    planned: dict[str, str],
) -> None:
    """Confirmed, what made way is planned as it was; the question is over then."""
    data = {"parameters": {"target": 20}, **times}
    action = await _push(hass, BATTERY, "discharge", **data)
    await _tap(hass, "charge")
    await _go(hass, sandbox, freezer, 60 + passed)
    sandbox.requests.clear()
    form = await repair.open(f"displaced_{action['id']}")
    assert form["step_id"] == "confirm"
    assert form["description_placeholders"]["command"] == "Discharge"
    assert not sandbox.requests.of("POST")
    result = await repair.submit()
    assert result["type"] == "create_entry"
    assert [item.body for item in sandbox.requests.pushes(BATTERY)] == [
        {
            "action": {
                "command": "discharge",
                "parameters": {"target": {"value": 20, "unit": "percent"}},
                **planned,
            }
        }
    ]
    assert not _issues(hass)


async def test_what_is_planned_again_can_be_refused(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    repair: Repair,
) -> None:
    """What stands in the way now is named, and nothing is replaced."""
    action = await _push(hass, BATTERY, "discharge", delay="01:00")
    await _tap(hass, "charge")
    await _push(hass, BATTERY, "idle", delay="01:00")
    await repair.open(f"displaced_{action['id']}")
    form = await repair.submit()
    assert form["errors"] == {"base": "push_failed"}
    assert "Idle, 1 June 2026, 15:00" in form["description_placeholders"]["error"]
    assert _issues(hass) == [f"displaced_{action['id']}"]


async def test_several_displaced_commands(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Each command that made way has a warning of its own."""
    sandbox.lenient = {"queue"}
    first = await _push(hass, BATTERY, "discharge", delay="01:00")
    second = await _push(
        hass, BATTERY, "idle", delay="02:00", on_conflict="queue_after"
    )
    await _tap(hass, "charge")
    assert set(_issues(hass)) == {
        f"displaced_{first['id']}",
        f"displaced_{second['id']}",
    }
    await _go(hass, sandbox, freezer, HOUR + 2)
    assert _issues(hass) == [f"displaced_{second['id']}"]
    await _go(hass, sandbox, freezer, HOUR)
    assert not _issues(hass)


async def test_warning_goes_in_time_after_a_reload(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A warning does not stay for ever because the entry was reloaded."""
    await _push(hass, BATTERY, "discharge", delay="01:00")
    await _tap(hass, "charge")
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    await _go(hass, sandbox, freezer, HOUR + 2)
    assert not _issues(hass)


async def test_warning_outlives_the_entry_for_a_while(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Nobody takes it back but a later run, and that only once its time is over."""
    planned = await _push(hass, BATTERY, "discharge", delay="01:00")
    await _tap(hass, "charge")
    # A list that fails at the start says nothing of the device.
    fault = sandbox.faults.add(method="GET", path="/battery*", status=500)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert _issues(hass) == [f"displaced_{planned['id']}"]
    assert await hass.config_entries.async_unload(loaded.entry_id)
    await _go(hass, sandbox, freezer, HOUR + 2)
    assert _issues(hass) == [f"displaced_{planned['id']}"]
    sandbox.faults.remove(fault)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await _go(hass, sandbox, freezer, 1)
    assert not _issues(hass)


async def test_warning_goes_with_the_account(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Nobody is warned about an account that was removed."""
    await _push(hass, BATTERY, "discharge", delay="01:00")
    await _tap(hass, "charge")
    await hass.config_entries.async_remove(loaded.entry_id)
    await done(hass)
    assert _issues(hass) == []


@pytest.mark.parametrize("reloaded", [False, True], ids=["before", "over a reload"])
async def test_all_goes_with_the_device(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    reloaded: bool,
) -> None:
    """Nobody is asked or warned about a device that is not there any more."""
    planned = await _push(hass, BATTERY, "discharge", delay="12:00")
    await _tap(hass, "charge")
    await _blocked(hass, sandbox)
    assert set(_issues(hass)) == {BLOCKED, f"displaced_{planned['id']}"}
    if reloaded:
        assert await hass.config_entries.async_reload(loaded.entry_id)
        await done(hass)
    sandbox.home.remove_device(BATTERY)
    for _ in range(30):
        await _go(hass, sandbox, freezer, 75)
        if not _issues(hass):
            break
    with pytest.raises(KeyError):
        registered(hass, BATTERY)
    assert not _issues(hass)
    assert not loaded.runtime_data.pushes.displaced


async def test_what_a_person_cancelled_is_no_warning(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """What was taken back on purpose needs no warning."""
    planned = await _push(hass, BATTERY, "discharge", delay="01:00")
    await hass.services.async_call(
        DOMAIN, "cancel_action", {"action_id": planned["id"]}, blocking=True
    )
    await done(hass)
    await _tap(hass, "charge")
    assert not _issues(hass)


async def test_command_in_flight_is_no_warning(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A tap after a tap displaces nothing that was planned."""
    await _tap(hass, "charge")
    await _tap(hass, "discharge")
    assert not _issues(hass)


@pytest.mark.parametrize(
    ("fault", "is_told"),
    [
        # It was cancelled, and the answer was lost on its way.
        ({"kind": "drop", "done": True}, True),
        ({"kind": "html", "status": 200, "done": True}, True),
        # It was not.
        ({"kind": "drop"}, False),
    ],
)
async def test_displaced_where_the_answer_is_lost(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    fault: dict[str, Any],
    is_told: bool,
) -> None:
    """What a tap cancelled is warned of, whether the answer came or not."""
    waiting = await _push(hass, BATTERY, "discharge", delay="01:00")
    await done(hass)
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.faults.add(method="POST", path="/actions/*/cancel", times=1, **fault)
    if is_told:
        await _tap(hass, "charge")
    else:
        with pytest.raises(HomeAssistantError):
            await _tap(hass, "charge")
    await done(hass)
    told = {(event.data["action_id"], event.data["state"]) for event in ends}
    assert ((waiting["id"], "cancelled") in told) is is_told
    assert (_issue(hass, f"displaced_{waiting['id']}") is not None) is is_told
    mode = hass.states.get(MODE)
    assert mode is not None
    assert (mode.state == "charge") is is_told
