"""The ends of commands that nobody could ask for: told while Home Assistant runs."""

import asyncio
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, Final
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.amps_ai.api import Action, ActionState, DeviceType, Push
from custom_components.amps_ai.common.const import DOMAIN, EVENT_ACTION
from custom_components.amps_ai.pushes import seeking
from custom_components.amps_ai.pushes.following import FOLLOW
from sandbox import Sandbox

from .helpers import done, set_up

BATTERY = "device_battery_001"
EVENT: Final = "event.powerwall_2_command"

pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.fixture(autouse=True)
def quick() -> Generator[None]:
    """Ask for actions often."""
    with patch("custom_components.amps_ai.pushes.following._POLLS", (0.02,)):
        yield


@pytest.fixture
def ends(hass: HomeAssistant) -> list[Event[Any]]:
    """Hear of the ends of commands."""
    return async_capture_events(hass, EVENT_ACTION)


@pytest.fixture
def untold(sandbox: Sandbox) -> None:
    """Let no device tell of its last command."""
    sandbox.faults.add(method="GET", kind="without", keys=["lastAction"])


class _Life:
    """A time in which commands are sent, and time passes."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: MockConfigEntry,
        sandbox: Sandbox,
        freezer: FrozenDateTimeFactory,
    ) -> None:
        self.hass, self.sandbox, self._freezer = hass, sandbox, freezer
        self.pushes = entry.runtime_data.pushes
        self.coordinator = entry.runtime_data.coordinators[DeviceType.BATTERY]

    async def push(self, device_id: str = BATTERY) -> Action:
        """Send a command and follow it, as an action does that does not wait."""
        sent: Action = await self.pushes.async_command(
            self.coordinator,
            self.coordinator.data[device_id],
            Push(command="charge"),
            wait=0,
        )
        return sent

    async def lose(self, sent: Action, device_id: str = BATTERY) -> None:
        """Let the time pass for which a command is followed."""
        lane = self.pushes._lanes.of(device_id)
        assert sent.id in lane.following
        self.go_on(FOLLOW.total_seconds() + 1)
        await until(lambda: sent.id not in lane.following)
        await done(self.hass)

    def go_on(self, seconds: float) -> None:
        """Let time pass, here and there."""
        self._freezer.tick(seconds)
        self.sandbox.clock.advance(seconds)
        async_fire_time_changed(self.hass)

    async def round(self) -> int:
        """Let the next round come; return how many actions were asked for."""
        before = self.asked
        stop = self.pushes.follower.seeker._stop_timer
        assert stop is not None
        left = self.pushes.follower.seeker._wait.total_seconds()
        self.go_on(left + 1)
        await done(self.hass)
        return self.asked - before

    @property
    def asked(self) -> int:
        """Return how many actions were asked for, answered or not."""
        return len(self.sandbox.requests.of("GET", "/actions/*"))


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(60):
        while not is_so():
            await asyncio.sleep(0.01)


def _are(ends: list[Event[Any]], number: int) -> bool:
    return len(ends) == number


@pytest.fixture
def life(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> _Life:
    """Begin to live."""
    return _Life(hass, loaded, sandbox, freezer)


@pytest.mark.usefixtures("untold")
@pytest.mark.parametrize("kind", ["error", "drop", "html", "empty"])
async def test_end_that_could_not_be_asked_for(
    hass: HomeAssistant,
    life: _Life,
    sandbox: Sandbox,
    ends: list[Event[Any]],
    kind: str,
) -> None:
    """It is told once the account answers again, with all that belongs to it."""
    order: dict[str, Any] = {"status": 503} if kind == "error" else {}
    fault = sandbox.faults.add(method="GET", path="/actions/*", kind=kind, **order)
    sandbox.device(BATTERY).next_action("failed", code="SCHEDULER_ACTIVE", seconds=30)
    sent = await life.push()
    await life.lose(sent)
    # As long as nobody answers, one is asked for in a round, and rounds grow rare;
    # the client asks twice where a connection broke.
    requests = 2 if kind == "drop" else 1
    assert [await life.round() for _ in range(6)] == [requests] * 6
    assert life.pushes.follower.seeker._wait == seeking._LONGEST_IN_VAIN
    assert not ends
    sandbox.faults.remove(fault)
    assert await life.round() == 1
    assert [(end.data["action_id"], end.data["state"]) for end in ends] == [
        (sent.id, "failed")
    ]
    state = hass.states.get(EVENT)
    assert state is not None and state.attributes["event_type"] == "failed"
    assert ir.async_get(hass).async_get_issue(DOMAIN, f"scheduler_active_{BATTERY}")
    # Nothing is sought any more, and a late webhook tells nothing new.
    assert life.pushes.follower.seeker._stop_timer is None
    await life.pushes.follower.async_take_end(
        life.coordinator.data[BATTERY], Action(id=sent.id, state=ActionState.FAILED)
    )
    await done(hass)
    assert len(ends) == 1


@pytest.mark.usefixtures("untold")
async def test_end_that_a_webhook_tells_meanwhile(
    hass: HomeAssistant, life: _Life, sandbox: Sandbox, ends: list[Event[Any]]
) -> None:
    """Then nobody is asked any more."""
    sandbox.faults.add(method="GET", path="/actions/*", status=503)
    sent = await life.push()
    await life.lose(sent)
    await life.pushes.follower.async_take_end(
        life.coordinator.data[BATTERY], Action(id=sent.id, state=ActionState.COMPLETED)
    )
    assert await life.round() == 0
    assert len(ends) == 1
    assert life.pushes.follower.seeker._stop_timer is None


async def test_end_that_a_reading_tells_meanwhile(
    hass: HomeAssistant, life: _Life, sandbox: Sandbox, ends: list[Event[Any]]
) -> None:
    """The same, where the device tells of its last command again."""
    sandbox.action_seconds = 300
    sandbox.faults.add(method="GET", path="/actions/*", status=503)
    sent = await life.push()
    await life.lose(sent)
    assert not ends
    life.go_on(200)
    await life.coordinator.async_read(BATTERY, expedite=True, force=True)
    await done(hass)
    assert [end.data["state"] for end in ends] == ["completed"]
    assert await life.round() == 0
    assert life.pushes.follower.seeker._stop_timer is None


@pytest.mark.usefixtures("untold")
async def test_command_that_takes_longer_than_it_is_followed(
    life: _Life, sandbox: Sandbox, ends: list[Event[Any]]
) -> None:
    """It is asked for at growing intervals, until it ends."""
    sandbox.action_seconds = 1800
    sent = await life.push()
    await life.lose(sent)
    rounds = 0
    while not ends:
        assert await life.round() == 1
        rounds += 1
    assert ends[0].data["state"] == "completed"
    assert rounds <= 6


@pytest.mark.usefixtures("untold")
async def test_command_that_never_ends(
    life: _Life, sandbox: Sandbox, ends: list[Event[Any]]
) -> None:
    """After a day, nobody asks any more."""
    sandbox.action_seconds = 10_000_000
    sent = await life.push()
    await life.lose(sent)
    for _ in range(6):
        assert await life.round() == 1
    assert life.pushes.follower.seeker._wait == seeking._LONGEST
    life.go_on(seeking._GIVEN_UP.total_seconds())
    await until(lambda: life.pushes.follower.seeker._stop_timer is None)
    assert not ends


@pytest.mark.usefixtures("untold")
async def test_while_the_account_holds_back(
    life: _Life, sandbox: Sandbox, ends: list[Event[Any]]
) -> None:
    """Nothing is asked until a list was answered again."""
    fault = sandbox.faults.add(
        path="*", code="RATE_LIMIT_EXCEEDED", status=429, retry_after=300, skip=1
    )
    sandbox.action_seconds = 0
    sent = await life.push()
    await life.lose(sent)
    asked = life.asked
    assert await life.round() == 0
    sandbox.faults.remove(fault)
    assert not life.coordinator.account.limits.is_open
    while not ends:
        await life.round()
    assert life.asked == asked + 1
    assert life.coordinator.account.limits.is_open


@pytest.mark.parametrize("home", ["two"])
@pytest.mark.usefixtures("untold")
async def test_one_that_is_odd_hinders_no_other(
    life: _Life, sandbox: Sandbox, ends: list[Event[Any]]
) -> None:
    """The next round begins with the others."""
    sandbox.action_seconds = 0
    fault = sandbox.faults.add(method="GET", path="/actions/*", status=503)
    ids = sorted(life.coordinator.data)
    sent = [await life.push(device_id) for device_id in ids]
    for action, device_id in zip(sent, ids, strict=True):
        if action.id in life.pushes._lanes.of(device_id).following:
            await life.lose(action, device_id)
    sandbox.faults.remove(fault)
    sandbox.faults.add(method="GET", path=f"/actions/{sent[0].id}", status=500)
    assert await life.round() == 1
    assert not ends
    assert await life.round() == 2
    assert [end.data["action_id"] for end in ends] == [sent[1].id]


@pytest.mark.usefixtures("untold")
async def test_end_of_the_entry_while_ends_are_sought(
    hass: HomeAssistant,
    life: _Life,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    ends: list[Event[Any]],
) -> None:
    """Nobody asks on; the next run does."""
    sandbox.action_seconds = 0
    fault = sandbox.faults.add(method="GET", path="/actions/*", status=503)
    sent = await life.push()
    await life.lose(sent)
    sandbox.faults.remove(fault)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    total = sandbox.requests.total
    life.go_on(3600)
    await done(hass)
    assert sandbox.requests.total == total
    assert not ends
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await done(hass)
    assert [end.data["action_id"] for end in ends] == [sent.id]


@pytest.mark.usefixtures("untold")
async def test_end_that_nobody_knows(
    life: _Life, loaded: MockConfigEntry, sandbox: Sandbox, ends: list[Event[Any]]
) -> None:
    """An action that is not there any more is not asked for again."""
    sandbox.faults.add(method="GET", path="/actions/*", code="NOT_FOUND", status=404)
    sent = await life.push()
    await until(lambda: sent.id not in life.pushes._lanes.of(BATTERY).following)
    assert await life.round() == 1
    assert life.pushes.follower.seeker._stop_timer is None
    assert not life.pushes._lanes.of(BATTERY).ends.open
    assert not ends


@pytest.mark.usefixtures("untold")
async def test_device_that_goes_while_its_end_is_sought(
    life: _Life, sandbox: Sandbox, ends: list[Event[Any]]
) -> None:
    """Its commands are nobody's affair any more."""
    sandbox.faults.add(method="GET", path="/actions/*", status=503)
    sent = await life.push()
    await life.lose(sent)
    life.coordinator.async_forget(BATTERY)
    assert await life.round() == 0
    assert life.pushes.follower.seeker._stop_timer is None


async def test_list_that_fails_at_the_start(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    ends: list[Event[Any]],
) -> None:
    """What ended while Home Assistant was off is told once the device is there."""
    assert await set_up(hass, entry)
    sandbox.action_seconds = 30
    life = _Life(hass, entry, sandbox, freezer)
    sent = await life.push()
    assert await hass.config_entries.async_unload(entry.entry_id)
    sandbox.clock.advance(31)
    fault = sandbox.faults.add(method="GET", path="/battery*", status=500)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    assert not ends
    sandbox.faults.remove(fault)
    await entry.runtime_data.coordinators[DeviceType.BATTERY].async_refresh()
    await done(hass)
    assert [end.data["action_id"] for end in ends] == [sent.id]
    state = hass.states.get(EVENT)
    assert state is not None and state.attributes["event_type"] == "completed"


@pytest.mark.usefixtures("untold")
async def test_many_ends_are_no_burst(
    life: _Life, sandbox: Sandbox, ends: list[Event[Any]]
) -> None:
    """They are asked for one after the other, with pauses, and read back once."""
    sandbox.action_seconds = 0
    device = life.coordinator.data[BATTERY]
    client = life.coordinator.account.client
    ids = [
        (await client.async_push(device, Push(command="charge"))).id for _ in range(25)
    ]
    sandbox.clock.advance(1)
    sandbox.requests.clear()
    with patch.object(seeking, "_PAUSE", 3600):
        life.pushes.follower.seeker.async_look_after(device, ids)
        for number in range(seeking._AT_ONCE, len(ids)):
            await until(partial(_are, ends, number))
            assert life.asked == number
            life.go_on(3600)
        await until(lambda: len(ends) == len(ids))
        await done(life.hass)
    assert life.asked == len(ids)
    assert len(sandbox.requests.of("GET", f"/battery/{BATTERY}")) <= 2


@pytest.mark.usefixtures("untold")
@pytest.mark.parametrize(
    ("cancelled", "reads"), [((), 1), ((0,), 1), ((1,), 1), ((0, 1), 0)]
)
async def test_what_was_done_is_read_back(
    life: _Life,
    sandbox: Sandbox,
    ends: list[Event[Any]],
    cancelled: tuple[int, ...],
    reads: int,
) -> None:
    """Once for all that ended; what was cancelled has done nothing."""
    client = life.coordinator.account.client
    device = life.coordinator.data[BATTERY]
    found = []
    for number in range(2):
        is_cancelled = number in cancelled
        sandbox.action_seconds = 0
        push = Push(command="charge", start="2h" if is_cancelled else None)
        action = await client.async_push(device, push)
        if is_cancelled:
            await client.async_cancel_action(action.id)
        sandbox.clock.advance(1)
        found.append(action.id)
    sandbox.requests.clear()
    life.pushes.follower.seeker.async_look_after(device, found)
    await done(life.hass)
    assert [end.data["action_id"] for end in ends] == found
    assert len(sandbox.requests.reads(BATTERY)) == reads
    assert life.pushes.follower.seeker._stop_timer is None


@pytest.mark.usefixtures("untold")
async def test_one_that_is_followed_is_not_sought(
    life: _Life, sandbox: Sandbox, ends: list[Event[Any]]
) -> None:
    """Whoever follows it finds out sooner."""
    sandbox.action_seconds = 1000
    with patch("custom_components.amps_ai.pushes.following._POLLS", (3600,)):
        sent = await life.push()
        life.pushes.follower.seeker.async_look_after(
            life.coordinator.data[BATTERY], (sent.id,)
        )
        await until(lambda: not life.pushes.follower.seeker._is_working)
    assert not life.asked
    assert not life.pushes.follower.seeker._sought
