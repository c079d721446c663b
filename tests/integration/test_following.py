"""What is known of commands while they are under way, and until they begin."""

import asyncio
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from types import SimpleNamespace
from typing import Final
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.amps_ai.api import Action, ActionState, Push
from custom_components.amps_ai.common.const import DOMAIN
from custom_components.amps_ai.pushes import following
from custom_components.amps_ai.pushes.following import FOLLOW
from custom_components.amps_ai.pushes.lane import Followed
from custom_components.amps_ai.pushes.order import CONTROL_WAIT
from custom_components.amps_ai.services.push import WAIT as ACTION_WAIT
from sandbox import Sandbox

from .battery import BATTERY, Battery, Timers
from .helpers import done, registered

POLLS: Final = following._POLLS
AT: Final = datetime(2026, 6, 1, 11, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("stopped_clock", "patient")


@pytest.fixture
def patient() -> Generator[None]:
    """Ask for no action while a test lasts, unless it says so."""
    with patch.object(following, "_POLLS", (3600,)):
        yield


def action(
    action_id: str, state: str | None = "acknowledged", second: int | None = None
) -> Action:
    """Return an action that was made so many seconds after eleven."""
    made = None if second is None else AT + timedelta(seconds=second)
    return Action(id=action_id, command="charge", state=state, created_at=made)


# What is known

OWN: Final = "own"
TOLD: Final = "told"


@pytest.mark.parametrize(
    "rows",
    [
        [
            (None, None, None),
            (None, action("one"), TOLD),
            (action("one"), None, OWN),
        ],
        [
            # The same one: an end is newer than what is open, and told once.
            (action("one"), action("one"), OWN),
            (action("one"), action("one", "completed"), TOLD),
            (action("one", "completed"), action("one"), OWN),
            (action("one", "failed"), action("one", "completed"), OWN),
        ],
        [
            (action("one", second=2), action("two", second=1), OWN),
            (action("one", second=1), action("two", second=2), TOLD),
            # Who does not know better, believes the device.
            (action("one", second=1), action("two", second=1), TOLD),
            (action("one", second=1), action("two"), TOLD),
            (action("one"), action("two", second=1), TOLD),
        ],
    ],
    ids=["one", "the same", "two"],
)
async def test_newest_command(
    battery: Battery, rows: list[tuple[Action | None, Action | None, str | None]]
) -> None:
    """What a device tells can lag behind what was sent, or be of somebody else."""
    for own, told, newest in rows:
        battery.lane.latest = own
        expected = {OWN: own, TOLD: told, None: None}[newest]
        assert battery.follower.async_latest(battery.telling(told)) is expected


async def test_what_is_under_way(battery: Battery) -> None:
    """It was taken, or its time has come; and it has not ended."""

    def _are(told: Action | None) -> list[str]:
        device = battery.telling(told)
        return [item.id for item in battery.follower.async_in_flight(device)]

    def _planned(seconds: float | None) -> Action:
        start = None if seconds is None else battery.now + timedelta(seconds=seconds)
        return replace(action("one", "scheduled"), start=start)

    assert _are(None) == []
    assert _are(action("one")) == ["one"]
    assert _are(action("one", "of a newer release")) == ["one"]
    for state in ("completed", "failed", "cancelled", None):
        assert _are(action("one", state)) == []
    assert _are(_planned(None)) == []
    assert _are(_planned(1)) == []
    assert _are(_planned(0)) == ["one"]
    assert _are(_planned(-1)) == ["one"]
    loop = battery.hass.loop
    battery.lane.following["two"] = Followed(
        told=loop.create_future(), ended=loop.create_future(), action=action("two")
    )
    assert _are(None) == ["two"]
    assert _are(action("one")) == ["two", "one"]
    # As it was asked for last.
    assert _are(action("two", "completed")) == ["two"]


@pytest.mark.parametrize(
    ("ended", "made", "is_its_end"),
    [(1, 2, False), (2, 2, True), (3, 2, True), (None, 2, True), (1, None, True)],
)
async def test_end_that_came_before_its_reply(
    battery: Battery, ended: int | None, made: int | None, is_its_end: bool
) -> None:
    """It is the end of an action, unless that was made later: an id comes again."""
    end = action("one", "completed")
    if ended is not None:
        end = replace(end, completed_at=AT + timedelta(seconds=ended))
    await battery.end(end)
    sent = action("one", second=made)
    battery.follower.async_sent(battery.device, sent)
    # It was told when the webhook came; another one's is to be told.
    assert ("one" in battery.lane.ends.open) is not is_its_end
    battery.follower.async_follow(battery.device, sent)
    assert battery.lane.following["one"].told.done() is is_its_end


async def test_end_of_an_older_one(battery: Battery) -> None:
    """The last command is the newest, whichever ends last."""
    for name, second in (("old", 1), ("new", 2)):
        battery.follower.async_follow(battery.device, action(name, second=second))
    for number, (name, second) in enumerate((("new", 2), ("old", 1)), 1):
        await battery.follower.async_take_end(
            battery.device, action(name, "completed", second)
        )
        while len(battery.told) < number:
            await asyncio.sleep(0)
    assert battery.told == [("new", "completed"), ("old", "completed")]
    assert battery.lane.latest == action("new", "completed", 2)


async def test_end_that_is_told_twice(battery: Battery) -> None:
    """Webhooks come twice, and readings tell of it as well."""
    sent = action("one", second=1)
    battery.follower.async_follow(battery.device, sent)
    ended = action("one", "completed", 1)
    # Whoever follows it tells of its end, with what the tap wanted.
    battery.follower.async_reported(battery.device, ended)
    assert not battery.told
    for _ in range(2):
        await battery.follower.async_take_end(battery.device, ended)
    await battery.until(lambda: not battery.lane.following)
    battery.follower.async_reported(battery.device, ended)
    assert battery.told == [("one", "completed")]
    # Of one that nobody follows, a reading tells; only once it has ended.
    battery.follower.async_reported(battery.device, action("two"))
    battery.follower.async_reported(battery.device, action("two", "failed"))
    assert battery.told == [("one", "completed"), ("two", "failed")]


async def test_end_of_another_one_than_is_known(battery: Battery) -> None:
    """What it leaves out is not filled in from a command that it is not of."""
    device = battery.telling(action("one"))
    await battery.follower.async_take_end(device, Action(id="two", state="completed"))
    assert battery.commands == [None]


@pytest.mark.parametrize("planned", [True, False])
async def test_cancelled(battery: Battery, planned: bool) -> None:
    """It is told, and shown where it was the last one, whatever the reply says."""
    battery.lane.latest = action("one" if planned else "two")
    battery.follower.async_cancelled(battery.device, Action(id="one"))
    assert battery.told == [("one", "cancelled")]
    newest = Action(id="one", state="cancelled") if planned else action("two")
    assert battery.lane.latest == newest


async def test_cancelled_by_a_person_where_the_reply_tells_little(
    hass: HomeAssistant, battery: Battery, sandbox: Sandbox
) -> None:
    """The end of a command is told whoever cancels it, and however that is said."""
    planned = await battery.account.client.async_push(
        battery.device, Push(command="charge", start="2h")
    )
    sandbox.faults.add(
        method="POST", path="/actions/*", kind="json", body={"id": planned.id}
    )
    await hass.services.async_call(
        DOMAIN,
        "cancel_action",
        {"device_id": registered(hass, BATTERY), "action_id": planned.id},
        blocking=True,
    )
    assert battery.told == [(planned.id, "cancelled")]


# How often is asked


class _EnoughError(Exception):
    """So many waits are enough."""


async def _waits(battery: Battery, *, is_ours: bool) -> list[float]:
    """Return how long is waited each time before an action is asked for."""
    waits: list[float] = []

    async def _wait(_futures: object, *, timeout: float) -> None:
        if len(waits) == 30:
            raise _EnoughError
        waits.append(timeout)

    loop = battery.hass.loop
    sent = await battery.account.client.async_push(
        battery.device, Push(command="charge")
    )
    followed = Followed(
        told=loop.create_future(), ended=loop.create_future(), action=sent
    )
    with (
        patch.object(following, "asyncio", SimpleNamespace(wait=_wait)),
        pytest.raises(_EnoughError),
    ):
        await battery.follower.async_poll(sent, followed if is_ours else None)
    assert battery.asked(f"/actions/{sent.id}") == len(waits)
    return waits


@pytest.fixture
def impatient(patient: None) -> Generator[None]:
    """Ask as often as usual."""
    with patch.object(following, "_POLLS", POLLS):
        yield


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("is_ours", "webhooks_work"), [(True, False), (False, True), (False, False)]
)
async def test_how_often_an_action_is_asked_for(
    battery: Battery, sandbox: Sandbox, is_ours: bool, webhooks_work: bool
) -> None:
    """Often while its call waits, then less; webhooks tell only of what is ours."""
    sandbox.action_seconds = 1_000_000
    with patch.object(battery.follower, "_webhooks_work", lambda: webhooks_work):
        waits = await _waits(battery, is_ours=is_ours)
    times = list(accumulate(waits))
    assert waits == sorted(waits)
    assert waits[0] < 1
    assert sum(time <= CONTROL_WAIT for time in times) == 3
    assert sum(time <= ACTION_WAIT for time in times) == 5
    assert 15 <= sum(time <= FOLLOW.total_seconds() for time in times) <= 20
    assert set(waits[9:]) == {waits[8]}


async def test_how_seldom_while_webhooks_tell(
    battery: Battery, sandbox: Sandbox
) -> None:
    """Once before each kind of call gives up waiting, and then as good as never."""
    sandbox.action_seconds = 1_000_000
    with patch.object(battery.follower, "_webhooks_work", lambda: True):
        waits = await _waits(battery, is_ours=True)
    first, second, *others = accumulate(waits)
    assert CONTROL_WAIT - 1 < first < CONTROL_WAIT
    assert ACTION_WAIT - 2 < second < ACTION_WAIT
    assert sum(time <= FOLLOW.total_seconds() for time in others) == 5


async def test_what_waited_is_under_way_once_that_is_known(
    battery: Battery, sandbox: Sandbox
) -> None:
    """What is known of one that is followed is what was asked for last."""
    sandbox.action_seconds = 1_000_000
    sent = await battery.account.client.async_push(
        battery.device, Push(command="charge")
    )
    waits = replace(sent, state=ActionState.SCHEDULED)
    with patch.object(following, "_POLLS", (0,)):
        battery.follower.async_follow(battery.device, waits)
        assert not battery.follower.async_in_flight(battery.device)
        await battery.until(
            lambda: bool(battery.follower.async_in_flight(battery.device))
        )


# Later


@pytest.fixture
def timers() -> Generator[Timers]:
    """Let nothing be done later by itself."""
    stand_in = Timers()
    with patch.object(following, "async_call_later", stand_in):
        yield stand_in


def _planned(battery: Battery, start: float | None, end: float | None) -> Action:
    """Return an action that is planned for so many seconds from now."""

    def _at(seconds: float | None) -> datetime | None:
        return None if seconds is None else battery.now + timedelta(seconds=seconds)

    return replace(action("one", "scheduled", 1), start=_at(start), end=_at(end))


async def test_window_from_its_start_to_its_end(
    battery: Battery, timers: Timers, sandbox: Sandbox
) -> None:
    """It is followed once, and read at its end, however often a list tells of it."""
    window = _planned(battery, 10, 20)
    for _ in range(2):
        battery.follower.async_follow_later(battery.device, window)
    # A second on: the API's clock is not known any better.
    assert timers.waits == [11, 21]
    assert not battery.lane.following
    timers.fire(0)
    followed = battery.lane.following["one"]
    # While it is under way, a list can tell of it still.
    battery.follower.async_follow_later(battery.device, window)
    assert battery.lane.following["one"] is followed
    assert len(timers.waits) == 2
    await battery.end(replace(window, state=ActionState.COMPLETED))
    battery.follower.async_follow_later(battery.device, window)
    assert not battery.lane.following
    sandbox.requests.clear()
    timers.fire(1)
    await done(battery.hass)
    assert len(sandbox.requests.reads(BATTERY)) == 1
    assert not battery.lane.later


@pytest.mark.parametrize(
    ("start", "end", "waits", "kept"),
    [
        # At once: a moment, one without a time of its own, a window in its midst.
        (0, None, [], False),
        (-1, None, [], False),
        (None, None, [], False),
        (-1, 0, [], False),
        (-1, 20, [21], True),
    ],
)
async def test_what_has_begun(
    battery: Battery,
    timers: Timers,
    start: float | None,
    end: float | None,
    waits: list[float],
    kept: bool,
) -> None:
    """It is followed at once; only what ends later waits for its end."""
    battery.follower.async_follow_later(battery.device, _planned(battery, start, end))
    assert list(battery.lane.following) == ["one"]
    assert timers.waits == waits
    assert ("one" in battery.lane.later) is kept


async def test_moment_that_comes(battery: Battery, timers: Timers) -> None:
    """What has no end is nothing for later any more once it has begun."""
    battery.follower.async_follow_later(battery.device, _planned(battery, 10, None))
    assert timers.waits == [11]
    timers.fire(0)
    assert list(battery.lane.following) == ["one"]
    assert not battery.lane.later


@pytest.mark.parametrize(("state", "stopped"), [("failed", 1), ("completed", 0)])
async def test_window_that_ends_early(
    battery: Battery, timers: Timers, state: str, stopped: int
) -> None:
    """Nothing goes back at the end of what failed; what was done, does."""
    window = _planned(battery, -1, 20)
    battery.follower.async_follow_later(battery.device, window)
    await battery.end(replace(window, state=state))
    assert timers.stopped == stopped
    assert ("one" in battery.lane.later) is not stopped


async def test_nothing_is_left_of_what_was_planned(
    battery: Battery, timers: Timers
) -> None:
    """The end of an entry stops what waits for a start and for an end."""
    battery.follower.async_follow_later(battery.device, _planned(battery, 10, 20))
    battery.pushes.async_stop()
    assert timers.stopped == len(timers.waits) == 2
    assert not battery.lane.later


async def test_planned_before_the_last_command(battery: Battery) -> None:
    """What was planned long ago is not the last command."""
    for known, newest in (
        (None, "one"),
        (action("old", second=0), "one"),
        (action("new", second=2), "new"),
    ):
        battery.lane.latest = known
        battery.follower.async_follow_later(battery.device, _planned(battery, 10, None))
        assert battery.lane.latest.id == newest


async def test_schedule_is_asked_when_something_may_have_its_turn(
    battery: Battery,
) -> None:
    """That is after what was planned, and once after what others waited for."""

    async def _asked_after(ended: Action) -> int:
        before = battery.asked("/actions")
        await battery.end(ended)
        return battery.asked("/actions") - before

    assert await _asked_after(action("one", "completed")) == 0
    planned = replace(action("planned", "completed"), start=AT)
    assert await _asked_after(planned) == 1
    waits = action("waits", "scheduled")
    battery.follower.async_follow_later(battery.device, waits)
    before = battery.asked("/actions")
    await battery.follower.async_take_end(battery.device, action("two", "failed"))
    await battery.until(lambda: battery.asked("/actions") > before)
    assert await _asked_after(action("waits", "completed")) == 0


# After a restart


async def test_taken_up(hass: HomeAssistant, battery: Battery) -> None:
    """What is open is followed, and what ended meanwhile told; nothing else is."""
    take_up = battery.follower.async_take_up
    for state in ("scheduled", "completed", None):
        take_up(battery.telling(action("one", state)))
    assert not battery.lane.following
    assert not battery.told
    battery.lane.ends.open["one"] = None
    ended = replace(action("one", "failed"), error_code="SCHEDULER_ACTIVE")
    take_up(battery.telling(ended))
    assert battery.told == [("one", "failed")]
    assert ir.async_get(hass).async_get_issue(DOMAIN, f"scheduler_active_{BATTERY}")
    take_up(battery.telling(action("two")))
    assert list(battery.lane.following) == ["two"]


# Out of sight


async def _lost(battery: Battery, device_tells: Action | None) -> None:
    """Follow a command until nobody follows it any more."""
    battery.follower.async_follow(battery.device, action("one", second=1))
    battery.coordinator.data[BATTERY] = battery.telling(device_tells)
    await battery.go(FOLLOW.total_seconds() - 60)
    assert "one" in battery.lane.following
    await battery.go(61)
    await battery.until(lambda: "one" not in battery.lane.following)
    await done(battery.hass)


@pytest.mark.parametrize(
    ("device_tells", "told"),
    [
        (action("one", "completed"), [("one", "completed")]),
        (action("one"), []),
        # Of this one it tells nothing.
        (action("two", "completed"), []),
        (None, []),
    ],
)
async def test_lost_sight_of(
    battery: Battery, device_tells: Action | None, told: list[tuple[str, str]]
) -> None:
    """Only the device can tell what became of it then."""
    battery.sandbox.faults.add(method="GET", status=503)
    await _lost(battery, device_tells)
    assert battery.told == told
    newest = battery.follower.async_latest(battery.telling(device_tells))
    assert newest == device_tells
    sought = battery.follower.seeker._sought.get(BATTERY, {})
    assert ("one" in sought) is (not told)


async def test_newer_one_is_not_lost(battery: Battery) -> None:
    """What was sent since is the last command still."""
    battery.follower.async_follow(battery.device, action("one", second=1))
    await battery.go(60)
    battery.follower.async_follow(battery.device, action("two", second=2))
    await battery.go(FOLLOW.total_seconds() - 59)
    await battery.until(lambda: "one" not in battery.lane.following)
    assert list(battery.lane.following) == ["two"]
    assert battery.lane.latest.id == "two"
