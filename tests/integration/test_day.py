"""A day of an account: how fresh its devices are, and what that asks for.

The numbers are those of the contract, written down once more: nothing of the
planner is used to check the planner.

How old a device may be: older than its target it is due, and read at once unless
more are due than 15 seconds have their share of. Time passes in steps of as many
seconds here. The interval of the lists does not add to it, however long it grows,
as a single read tells by itself what it captured. Captures at the end of hours
are left out: `test_captures.py` looks at these.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import pairwise
import logging
from math import ceil
import time
from typing import Any, Final
from unittest.mock import patch

from aiohttp import web
import freezegun
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.button import DOMAIN as BUTTON_DOMAIN, SERVICE_PRESS
from homeassistant.components.select import (
    ATTR_OPTION,
    DOMAIN as SELECT_DOMAIN,
    SERVICE_SELECT_OPTION,
)
from homeassistant.const import ATTR_ENTITY_ID, CONF_API_KEY
from homeassistant.core import HomeAssistant
from homeassistant.util.async_ import get_scheduled_timer_handles
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.common.const import CONF_APP_ID, CONF_FRESHNESS, DOMAIN
from sandbox import LIVE_KEY, TEST_KEY, Clock, Device, Home, Sandbox
from sandbox.journal import Journal, RequestRecord
from sandbox.kinds import BY_PATH, KINDS
from tests.conftest import NOON

from .conftest import APP_ID, Pass
from .leaks import Leaks

# What the fixture `freezer` of this file is for.
pytestmark = pytest.mark.freeze_time

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 24 * HOUR

DEVICES: Final = 50
POLL: Final = MINUTE
POLL_SLOWEST: Final = 5 * MINUTE
POLL_EMPTY: Final = 10 * MINUTE
# So long lists are asked for every minute, at least and at most, if they bring
# nothing that was not captured for a single read from here.
CALM: Final = (5 * MINUTE, 10 * MINUTE)
TICK: Final = 15
# What is planned is asked for all at once, which is no reading: this often for an
# hour, then every other time.
PLANNED: Final = 15 * MINUTE
FALLBACK: Final = HOUR
# Set-up reads so many of the devices whose lists leave something out.
FIRST_READS: Final = 12
AT_A_TIME: Final = 2

TESTED: Final = "test"
LIVE: Final = "live"

SELECT: Final = "select.powerwall_2_mode"
REFRESH: Final = "button.powerwall_2_refresh"
BATTERY: Final = "device_battery_001"


class Does(Enum):
    """What a device does, by what the cloud knows of it."""

    ACT = auto()
    # It rests, and is a battery or a charger, whose energy is counted.
    COUNT = auto()
    REST = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a level of freshness promises, in seconds."""

    resting: int
    active: int
    expedited: bool = False
    # At rest as well, but counted by what it takes or gives at any moment.
    poised: int | None = None

    def target(self, does: Does) -> int:
        match does:
            case Does.ACT:
                return self.active
            case Does.COUNT:
                return self.poised or self.resting
        return self.resting

    def share(self, home: Home) -> int:
        """Return how many reads a tick has, to keep all devices fresh."""
        return ceil(sum(TICK / self.target(_does(device)) for device in home.devices))


STANDARD: Final = Plan(resting=15 * MINUTE, active=15 * MINUTE)
PLANS: Final = {
    "relaxed": Plan(resting=30 * MINUTE, active=30 * MINUTE),
    "standard": STANDARD,
    "fast": Plan(resting=5 * MINUTE, active=5 * MINUTE, expedited=True),
    "live": Plan(resting=5 * MINUTE, active=MINUTE, poised=2 * MINUTE, expedited=True),
}


def _does(device: Device) -> Does:
    state = device.captured or {}
    if (
        state.get("chargeRate")
        if device.kind.type in ("battery", "vehicle")
        else state.get("isCharging") or state.get("active") or state.get("producing")
    ):
        return Does.ACT
    counts = device.kind.type in ("battery", "ev_charger")
    return Does.COUNT if counts else Does.REST


def _age(device: Device) -> float:
    assert device.captured_at is not None
    return device.home.clock.time() - device.captured_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A single read, and what the sandbox knew of its device by then."""

    device_id: str
    at: float
    age: float
    does: Does
    expedited: bool


@dataclass
class Reads:
    """The single reads of one account, and how many there were at once."""

    done: list[Read] = field(default_factory=list)
    open: int = 0
    most: int = 0

    def times(self, device_id: str) -> list[float]:
        return [read.at for read in self.done if read.device_id == device_id]

    def since(self, at: float) -> list[Read]:
        return [read for read in self.done if read.at >= at]


class Gate:
    """Stands in front of the sandbox, and keeps the book of single reads."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.reads = {TESTED: Reads(), LIVE: Reads()}
        self._answer = sandbox._answer

    async def answer(self, request: web.Request, path: str) -> web.StreamResponse:
        parts = path.strip("/").split("/")
        if request.method != "GET" or len(parts) != 2 or parts[0] not in BY_PATH:
            return await self._answer(request, path)
        account = self.sandbox._account(request.headers.get("x-api-key"))
        assert account is not None
        reads = self.reads[account.name]
        if (device := account.home.find(parts[1], BY_PATH[parts[0]])) is not None:
            reads.done.append(
                Read(
                    device_id=device.id,
                    at=self.sandbox.clock.time(),
                    age=_age(device),
                    does=_does(device),
                    expedited=request.query.get("expedite") == "true",
                )
            )
        reads.open += 1
        reads.most = max(reads.most, reads.open)
        try:
            # Whatever else is on its way shall get here before the answer.
            for _ in range(40):
                await asyncio.sleep(0)
            return await self._answer(request, path)
        finally:
            reads.open -= 1


def _real() -> float:
    """Return running seconds, which no freezing stops."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


@pytest.fixture
async def freezer(
    configure_event_loop: None, enable_event_loop_debug: None
) -> AsyncGenerator[FrozenDateTimeFactory]:
    """Let hardly any real second into the day.

    A day takes a while. If that while counted, as it does elsewhere, polls and
    ticks would come off their minutes, and no number could be told exactly.
    """
    loop = asyncio.get_running_loop()
    # It would say of every tick that it took a quarter of a minute.
    loop.set_debug(False)
    usual = loop.time
    begin = ceil(usual())
    with freezegun.freeze_time(NOON) as frozen:
        assert isinstance(frozen, FrozenDateTimeFactory)
        start = moved = frozen.time_to_freeze
        since = _real()

        def _time() -> float:
            nonlocal moved, since
            if frozen.time_to_freeze != moved:
                moved, since = frozen.time_to_freeze, _real()
            return begin + (moved - start).total_seconds() + (_real() - since) / 20

        loop.time = _time  # type: ignore[method-assign]
        try:
            yield frozen
        finally:
            loop.time = usual  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _quiet(leaks: Leaks) -> None:
    """Have no line logged for each of many thousand requests."""
    logging.getLogger("custom_components.amps_ai").setLevel(logging.INFO)


@pytest.fixture(autouse=True)
def _hours_do_not_matter() -> Generator[None]:
    """Capture nothing sooner because an hour ends."""
    with patch("custom_components.amps_ai.readings.freshness._MOST_LEADS", 0):
        yield


@pytest.fixture
def home() -> str:
    return "big"


@pytest.fixture
async def sandbox(loopback: None, home: str) -> AsyncGenerator[Sandbox]:
    """Run the sandbox with fifty devices, and a log that holds a day."""
    server = Sandbox(home=home, devices=DEVICES, clock=Clock.manual(NOON))
    server.requests = Journal(100_000)
    await server.start()
    yield server
    await server.stop()
    assert not server.crashes


@pytest.fixture
def step() -> int:
    """Return in what steps time passes: nothing of a day is due between two ticks."""
    return TICK


@pytest.fixture
def pass_time(
    hass: HomeAssistant, sandbox: Sandbox, freezer: FrozenDateTimeFactory, step: int
) -> Pass:
    """Return what lets time pass, step by step.

    What the other tests use makes mocks for every timer, which would be a third
    of the time that a day takes.
    """
    loop = hass.loop

    async def _pass(seconds: float) -> None:
        assert seconds % step == 0
        for _ in range(int(seconds) // step):
            freezer.tick(step)
            sandbox.clock.advance(step)
            # Coordinators are up to half a second late, so as not to come together.
            now = loop.time() + 0.5
            for handle in tuple(get_scheduled_timer_handles(loop)):
                if not handle.cancelled() and handle.when() <= now:
                    handle._run()
                    handle.cancel()
            await hass.async_block_till_done(wait_background_tasks=True)

    return _pass


@pytest.fixture
def gate(sandbox: Sandbox) -> Gate:
    """Return what counts the single reads at the sandbox."""
    gate = Gate(sandbox)
    sandbox._answer = gate.answer  # type: ignore[method-assign]
    return gate


@pytest.fixture
def level() -> str:
    """Return the level that is chosen; tests choose another one."""
    return "standard"


@dataclass
class Account:
    """An account of the sandbox, the entry for it, and what that should do."""

    hass: HomeAssistant
    sandbox: Sandbox
    entry: MockConfigEntry
    home: Home
    reads: Reads
    name: str
    plan: Plan

    async def set_up(self) -> None:
        self.entry.add_to_hass(self.hass)
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done(wait_background_tasks=True)

    @property
    def now(self) -> float:
        return self.sandbox.clock.time()

    @property
    def requests(self) -> list[RequestRecord]:
        return [item for item in self.sandbox.requests if item.account == self.name]

    @property
    def lists(self) -> list[RequestRecord]:
        paths = {f"/{kind.path}" for kind in KINDS}
        return [item for item in self.requests if item.path in paths]

    def target(self, device: Device) -> int:
        return self.plan.target(_does(device))

    def overdue(self) -> float:
        """Return how much the oldest device is older than its target."""
        return max(_age(device) - self.target(device) for device in self.home.devices)

    def round(self) -> int:
        """Return how long it takes to read every device once."""
        return ceil(len(self.home.devices) / self.plan.share(self.home)) * TICK

    def check_known(self) -> None:
        """Check that Home Assistant knows when each device was captured."""
        known = {
            device_id: device.sync.last_pulled_at
            for coordinator in self.entry.runtime_data.coordinators.values()
            for device_id, device in coordinator.data.items()
        }
        assert {device_id: at.timestamp() for device_id, at in known.items() if at} == {
            device.id: device.captured_at for device in self.home.devices
        }


def _entry(key: str, level: str, **options: Any) -> MockConfigEntry:
    return MockConfigEntry(
        domain=DOMAIN,
        title="Amps AI",
        unique_id=f"{'live' if key == LIVE_KEY else 'sandbox'}:{APP_ID}:*",
        data={CONF_API_KEY: key, CONF_APP_ID: APP_ID},
        options={CONF_FRESHNESS: level},
        **options,
    )


@pytest.fixture
def account(hass: HomeAssistant, sandbox: Sandbox, gate: Gate, level: str) -> Account:
    """Return the account that is looked at; its entry is not set up yet."""
    return Account(
        hass=hass,
        sandbox=sandbox,
        entry=_entry(TEST_KEY, level),
        home=sandbox.home,
        reads=gate.reads[TESTED],
        name=TESTED,
        plan=PLANS[level],
    )


def _later(freezer: FrozenDateTimeFactory, sandbox: Sandbox, hours: float) -> None:
    """Let hours go by while Home Assistant is off."""
    freezer.tick(hours * HOUR)
    sandbox.clock.advance(hours * HOUR)


@dataclass(frozen=True, slots=True)
class Waits:
    """How many ticks a device waits where more are due than a tick has its share of."""

    active: int = 0
    resting: int = 0

    def seconds(self, does: Does) -> int:
        return TICK * (self.active if does is Does.ACT else self.resting)


NEVER: Final = Waits()
# Where all devices are due together, the last one waits for all others.
FOR_ALL: Final = Waits(active=DEVICES - 1, resting=DEVICES - 1)


@dataclass
class Watch:
    """Looks at an account before and after each tick, and wants all by the plan."""

    account: Account
    waits: Waits = NEVER
    least: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    most: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    first: int = 0
    _share: int = 0
    _before: int = 0

    def __post_init__(self) -> None:
        self.first = len(self.account.reads.done)

    def before(self) -> None:
        account = self.account
        self._share = account.plan.share(account.home)
        self._before = len(account.reads.done)
        for device in account.home.devices:
            target = account.target(device)
            # While a state stands, reads are a target apart, or a bit more.
            late = TICK + self.waits.seconds(_does(device))
            self.most[device.id] += TICK / target
            self.least[device.id] += TICK / (target + late)

    def after(self) -> None:
        account, plan = self.account, self.account.plan
        new = account.reads.done[self._before :]
        # Never more than a share, which spreads them evenly; it grows with what is
        # found to be active.
        assert len(new) <= max(self._share, plan.share(account.home))
        for read in new:
            target = plan.target(read.does)
            late = TICK + self.waits.seconds(read.does)
            assert target < read.age <= target + late, read
            assert read.expedited is plan.expedited
        for device in account.home.devices:
            wait = self.waits.seconds(_does(device))
            assert _age(device) <= account.target(device) + wait, device.id
        if account.now % MINUTE == 0:
            account.check_known()
        assert account.reads.most <= AT_A_TIME

    def check_counts(self) -> None:
        """Check that there were as many reads as there should be."""
        reads = self.account.reads.done[self.first :]
        counts = Counter(read.device_id for read in reads)
        for device in self.account.home.devices:
            # The first gap and the last one are not there as a whole.
            assert counts[device.id] >= self.least[device.id] - 1, device.id
            assert counts[device.id] <= self.most[device.id] + 1, device.id


async def _watch(pass_time: Pass, seconds: int, *watches: Watch) -> None:
    """Let time pass, and look closely at every tick."""
    for _ in range(seconds // TICK):
        for watch in watches:
            watch.before()
        await pass_time(TICK)
        for watch in watches:
            watch.after()


def _check_lists(account: Account, seconds: int, pages: dict[str, int]) -> None:
    """Check that the lists were asked for as often as the plan says.

    `pages` are those of each type; a type without any has no device.
    """
    times: dict[str, list[float]] = defaultdict(list)
    for request in account.lists:
        times[request.path].append(request.at)
    assert set(times) == {f"/{kind.path}" for kind in KINDS}
    for kind in KINDS:
        polls = Counter(times[f"/{kind.path}"])
        assert set(polls.values()) == {pages.get(kind.path, 1)}
        gaps = [later - first for first, later in pairwise(sorted(polls))]
        if kind.path not in pages:
            assert len(polls) == 1 + seconds // POLL_EMPTY
            assert set(gaps) == {POLL_EMPTY}
            continue
        # At its own place in the minute, then every one, and seldom at last.
        assert gaps.pop(0) <= POLL
        assert gaps == sorted(gaps)
        assert set(gaps) <= {POLL, 2 * POLL, 4 * POLL, POLL_SLOWEST}
        quick = POLL * gaps.count(POLL)
        assert min(CALM[0], seconds) - POLL <= quick <= CALM[1]
        assert sum(gaps) > seconds - 2 * POLL_SLOWEST


ONE_PAGE_EACH: Final = {kind.path: 1 for kind in KINDS}


def _check_nothing_else(account: Account, seconds: int, schedulable: int) -> None:
    """Check that nothing was asked for but lists, devices and what is planned."""
    planned = [item for item in account.requests if item.path == "/actions"]
    # It is asked for all at once.
    rounds = seconds // PLANNED
    quick = min(HOUR // PLANNED - 1, rounds)
    assert len(planned) == min(1, schedulable) * (1 + quick + (rounds - quick) // 2)
    assert len(account.requests) == (
        len(account.lists) + len(account.reads.done) + len(planned)
    )
    assert {request.method for request in account.requests} == {"GET"}


# A day.


async def test_a_day(
    account: Account,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    pass_time: Pass,
) -> None:
    """Fifty devices stay fresh for a day, by as many requests as that takes."""
    _later(freezer, sandbox, 2)
    begin = account.now
    home, reads = account.home, account.reads
    assert len(home.devices) == DEVICES
    await account.set_up()
    assert len(reads.done) == FIRST_READS

    # All were old. Whom a list tells too little of comes first, then the others,
    # one at each tick, and that is all: nobody is read a second time.
    share = STANDARD.share(home)
    assert share == 1
    catching_up = (DEVICES - FIRST_READS) // share * TICK
    await pass_time(catching_up)
    assert account.overdue() <= 0
    assert len(reads.done) == DEVICES
    assert {read.device_id for read in reads.done} == {item.id for item in home.devices}
    caught_up = account.now

    # Those that set-up read are as old as each other. To read them one by one all
    # the same is what the others wait for, once; then all are apart for good.
    turns = FIRST_READS - 1
    waits = Waits(active=turns, resting=turns)
    apart = STANDARD.resting + TICK + account.round() - catching_up
    await _watch(pass_time, apart, Watch(account, waits))
    watch = Watch(account)
    await _watch(pass_time, DAY - catching_up - apart, watch)
    watch.check_counts()
    # Only those of set-up were more than one at a time.
    assert reads.most == AT_A_TIME

    # Each gap is the target, and the tick that it takes to be over it.
    for device in home.devices:
        first, *gaps = (b - a for a, b in pairwise(reads.times(device.id)))
        assert STANDARD.resting < first <= STANDARD.resting + TICK * (1 + turns)
        assert set(gaps) == {STANDARD.resting + TICK}
    # 50 in 15 minutes are three and a bit in a minute, and 200 in an hour.
    minutes = Counter((read.at - begin) // MINUTE for read in reads.since(begin + 1))
    assert max(minutes.values()) == ceil(DEVICES / (STANDARD.resting / MINUTE))
    hours = Counter((read.at - caught_up) // HOUR for read in reads.since(caught_up))
    del hours[23]
    assert set(hours.values()) <= set(range(185, 201))

    _check_lists(account, DAY, ONE_PAGE_EACH)
    _check_nothing_else(account, DAY, schedulable=30)
    assert not any(read.expedited for read in reads.done)
    # No read found what it might have had from a list, or from the cache.
    assert home.live_calls == Counter(read.device_id for read in reads.done)
    assert home.live_calls.total() <= DEVICES * (1 + DAY // STANDARD.resting)


async def test_a_day_that_begins_with_one_capture(
    account: Account, sandbox: Sandbox, pass_time: Pass
) -> None:
    """Devices that are all equally old are read one by one, and apart from then on."""
    home, reads = account.home, account.reads
    await account.set_up()
    # Batteries and chargers are asked for their settings, which costs the
    # manufacturer nothing yet.
    await pass_time((20 - FIRST_READS) * TICK)
    assert len(reads.done) == 20
    assert not home.live_calls
    # To be fresh and to be spread are at odds here.
    first = STANDARD.resting + TICK + account.round() - (20 - FIRST_READS) * TICK
    await _watch(pass_time, first, Watch(account, FOR_ALL))
    assert len(reads.done) == 20 + DEVICES
    watch = Watch(account)
    await _watch(pass_time, HOUR, watch)
    watch.check_counts()
    assert home.live_calls.total() == len(reads.done) - 20


# Other levels.


# Where some are active: when the sun sets, the share shrinks with those that rest
# from then on, while those that still produce are due together as before, which
# makes one of them wait for a tick. One at rest lets all go first that are active,
# or count, of whom there are at most 30; with a share of 8 these take four ticks.
WAITS: Final = {"fast": NEVER, "relaxed": NEVER, "live": Waits(active=1, resting=4)}


# The sun sets at 18, and at 21 the vehicles come home to be charged. Live is looked
# at around both: it reads the most, and in between nothing changes.
@pytest.mark.parametrize(
    ("level", "after", "hours"),
    [("relaxed", 5, 6), ("fast", 5, 3), ("live", 5.5, 1.25), ("live", 8.5, 1.25)],
)
async def test_levels(
    account: Account,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    pass_time: Pass,
    level: str,
    after: float,
    hours: float,
) -> None:
    """At each level, devices are as fresh as they shall be, active or at rest."""
    _later(freezer, sandbox, after)
    home, plan, reads = account.home, account.plan, account.reads
    await account.set_up()
    start = 2 * plan.resting
    await pass_time(start)
    watch = Watch(account, WAITS[level])
    was_active: Counter[bool] = Counter()
    for _ in range(int(4 * hours)):
        await _watch(pass_time, HOUR // 4, watch)
        was_active.update(_does(device) is Does.ACT for device in home.devices)
    watch.check_counts()
    # Of both kinds there were many, or nothing was shown.
    assert min(was_active[True], was_active[False]) > sum(was_active.values()) / 5
    assert reads.most == AT_A_TIME
    seconds = start + int(hours * HOUR)
    _check_lists(account, seconds, ONE_PAGE_EACH)
    _check_nothing_else(account, seconds, schedulable=30)
    assert home.live_calls == Counter(read.device_id for read in reads.done)


# After a complaint.


API_COMPLAINT: Final = {"status": 429, "code": "RATE_LIMIT_EXCEEDED"}


@pytest.mark.parametrize(
    ("level", "fault"),
    [
        ("fast", {"path": "/vehicle", **API_COMPLAINT}),
        ("live", {"path": "/vehicle", **API_COMPLAINT}),
        ("live", {"path": "/vehicle", **API_COMPLAINT, "status": 401}),
        # Over before the planner looks again.
        ("fast", {"path": "/vehicle", **API_COMPLAINT, "retry_after": 5}),
        ("live", {"path": "/*/*", **API_COMPLAINT}),
        ("live", {"path": "/*/*", **API_COMPLAINT, "retry_after": 5}),
        ("fast", {"path": "/*/*", "status": 429, "code": "RATE_LIMITED"}),
        ("live", {"path": "/*/*", "status": 429, "code": "RATE_LIMITED"}),
        ("live", {"path": "/*/*", "status": 503, "code": "RATE_LIMITED"}),
    ],
    ids=lambda value: (
        value if isinstance(value, str) else "-".join(map(str, value.values()))
    ),
)
async def test_complaint(
    account: Account,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    pass_time: Pass,
    level: str,
    fault: dict[str, Any],
) -> None:
    """For an hour after a complaint the standard does, and then all is as before."""
    _later(freezer, sandbox, 2)
    plan, reads = account.plan, account.reads
    await account.set_up()
    await pass_time(2 * plan.resting)
    await _watch(pass_time, 5 * MINUTE, Watch(account, WAITS[level]))

    order = sandbox.faults.add(method="GET", times=1, **fault)
    while not order.hits:
        await pass_time(TICK)
    complained = account.now
    account.plan = STANDARD
    sandbox.requests.clear()
    before = len(reads.done)
    # They were read shortly after each other, so they are due so too.
    await _watch(pass_time, FALLBACK - TICK, Watch(account, FOR_ALL))
    assert 3 * DEVICES <= len(reads.done) - before <= 4 * DEVICES
    # Lists go on as before, every minute for a while where one was refused.
    polls = Counter(request.path for request in account.lists)
    assert set(polls) == {f"/{kind.path}" for kind in KINDS}
    assert min(polls.values()) >= HOUR // POLL_SLOWEST - 1
    assert max(polls.values()) <= HOUR // POLL // 2 + 5

    account.plan = plan
    while not reads.done[-1].expedited:
        await pass_time(TICK)
    # The hour begins when everything may be asked again.
    assert account.now - complained <= FALLBACK + MINUTE + TICK
    await pass_time(account.round() + plan.resting)
    watch = Watch(account, WAITS[level])
    await _watch(pass_time, 15 * MINUTE, watch)
    watch.check_counts()


@pytest.mark.parametrize("level", ["live"])
async def test_reads_that_wait_for_their_turn_hear_of_a_complaint(
    account: Account, sandbox: Sandbox, freezer: FrozenDateTimeFactory, pass_time: Pass
) -> None:
    """Those of a tick that have not been sent by then are not sent any more."""
    _later(freezer, sandbox, 2)
    await account.set_up()
    sandbox.faults.add(path="/*/*", times=1, retry_after=600, **API_COMPLAINT)
    before = len(account.reads.done)
    assert account.plan.share(account.home) > AT_A_TIME
    await pass_time(TICK)
    # The one that was refused, and the one that was under way with it.
    assert len(account.reads.done) - before == AT_A_TIME
    sandbox.requests.clear()
    await pass_time(600 - 2 * TICK)
    assert not account.requests


@pytest.mark.parametrize("level", ["standard", "live"])
async def test_device_that_cannot_be_pulled(
    account: Account, sandbox: Sandbox, freezer: FrozenDateTimeFactory, pass_time: Pass
) -> None:
    """One that stays old is tried as often as others are read, and delays none."""
    _later(freezer, sandbox, 2)
    await account.set_up()
    await pass_time(2 * (STANDARD.resting + account.round()))
    stuck = account.home.device("device_inverter_003")
    assert _does(stuck) is Does.ACT
    target = account.target(stuck)
    stuck.transient_fault = "TIMEOUT"
    begin = account.now
    others = [device for device in account.home.devices if device is not stuck]
    for _ in range(HOUR // TICK):
        await pass_time(TICK)
        for device in others:
            assert _age(device) <= account.target(device) + 3 * TICK
    assert _age(stuck) >= HOUR
    times = [at for at in account.reads.times(stuck.id) if at > begin]
    assert HOUR // (target + 3 * TICK) <= len(times) <= 1 + HOUR // target
    assert min(later - first for first, later in pairwise(times)) >= target


# Lists: what is empty.


@pytest.mark.parametrize("home", ["empty"])
async def test_account_without_a_device(account: Account, pass_time: Pass) -> None:
    """Where there is nothing, five requests in ten minutes see that it stays so."""
    await account.set_up()
    seconds = 2 * HOUR
    await pass_time(seconds)
    _check_lists(account, seconds, {})
    assert len(account.requests) == len(KINDS) * (1 + seconds // POLL_EMPTY)


@pytest.mark.parametrize("home", ["empty"])
@pytest.mark.parametrize(
    ("devices", "offsets"),
    [(1, (0,)), (50, (0,)), (51, (0, 50)), (100, (0, 50)), (101, (0, 50, 100))],
)
async def test_pages(
    account: Account, pass_time: Pass, devices: int, offsets: tuple[int, ...]
) -> None:
    """A page is asked for where something is on it, and nowhere else."""
    for _ in range(devices):
        account.home.add_device("hvac")
    await account.set_up()
    seconds = HOUR
    await pass_time(seconds)
    _check_lists(account, seconds, {"hvac": len(offsets)})
    asked = Counter(
        item.query["offset"] for item in account.lists if "hvac" in item.path
    )
    assert set(asked) == {str(offset) for offset in offsets}
    for request in account.lists:
        assert request.query.keys() == {"offset", "limit"}
        assert request.query["limit"] == "50"


@pytest.mark.parametrize("home", ["empty"])
@pytest.mark.parametrize("step", [5])
async def test_polls_in_small_steps(account: Account, pass_time: Pass) -> None:
    """The lists are asked for at their time, also where it falls between two ticks."""
    account.home.add_device("hvac")
    await account.set_up()
    seconds = HOUR // 2
    await pass_time(seconds)
    _check_lists(account, seconds, {"hvac": 1})


@pytest.mark.parametrize("home", ["empty"])
async def test_type_that_loses_its_last_device(
    account: Account, pass_time: Pass
) -> None:
    """When the last device is gone for good, its type is asked for seldom."""
    vehicle = account.home.add_device("vehicle")
    await account.set_up()
    await pass_time(5 * MINUTE)
    account.home.remove_device(vehicle.id)
    # Left out of two lists, it is looked for; from the next list on, it is seldom.
    await pass_time(4 * POLL)
    account.sandbox.requests.clear()
    await pass_time(HOUR)
    assert Counter(item.path for item in account.requests) == {
        f"/{kind.path}": HOUR // POLL_EMPTY for kind in KINDS
    }


# More than one, and none.


@pytest.mark.parametrize("level", ["live"])
async def test_two_entries(
    account: Account,
    gate: Gate,
    freezer: FrozenDateTimeFactory,
    pass_time: Pass,
) -> None:
    """What one entry asks, is refused and stops asking is nothing to the other."""
    sandbox = account.sandbox
    _later(freezer, sandbox, 2)
    other = Account(
        hass=account.hass,
        sandbox=sandbox,
        entry=_entry(LIVE_KEY, "fast"),
        home=sandbox.live_home,
        reads=gate.reads[LIVE],
        name=LIVE,
        plan=PLANS["fast"],
    )
    await account.set_up()
    await other.set_up()
    await pass_time(15 * MINUTE)
    one, two = Watch(account, WAITS["live"]), Watch(other)
    await _watch(pass_time, 30 * MINUTE, one, two)
    two.check_counts()

    fault = sandbox.faults.add(
        path="/battery/device_live_battery_001", times=1, **API_COMPLAINT
    )
    while not fault.hits:
        await _watch(pass_time, TICK, one)
    other.plan = STANDARD
    two = Watch(other, FOR_ALL)
    await _watch(pass_time, 30 * MINUTE, one, two)

    assert await account.hass.config_entries.async_unload(other.entry.entry_id)
    asked = len(other.requests)
    await _watch(pass_time, 30 * MINUTE, one)
    assert len(other.requests) == asked
    one.check_counts()
    assert account.home.live_calls == Counter(
        read.device_id for read in account.reads.done
    )


@pytest.mark.parametrize("level", ["live"])
async def test_unloaded(
    account: Account, sandbox: Sandbox, freezer: FrozenDateTimeFactory, pass_time: Pass
) -> None:
    """An entry that is unloaded asks nothing, however much is due."""
    _later(freezer, sandbox, 2)
    await account.set_up()
    assert account.overdue() > 0
    assert await account.hass.config_entries.async_unload(account.entry.entry_id)
    sandbox.requests.clear()
    await pass_time(HOUR)
    assert not account.requests


@pytest.mark.parametrize("level", ["live"])
async def test_polling_switched_off(
    account: Account,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    pass_time: Pass,
    level: str,
) -> None:
    """Who has switched polling off is asked for nothing by itself, ever."""
    _later(freezer, sandbox, 2)
    account.entry = _entry(TEST_KEY, level, pref_disable_polling=True)
    await account.set_up()
    assert len(account.lists) == len(KINDS)
    assert len(account.reads.done) == FIRST_READS
    assert len(account.requests) == len(KINDS) + FIRST_READS
    sandbox.requests.clear()
    await pass_time(HOUR)
    assert not account.requests
    # What a person asks for is asked, and wakes nothing else up.
    await account.hass.services.async_call(
        BUTTON_DOMAIN, SERVICE_PRESS, {ATTR_ENTITY_ID: REFRESH}, blocking=True
    )
    await pass_time(HOUR)
    paths = [request.path for request in account.requests]
    assert paths == [f"/battery/{BATTERY}", "/actions"]
    assert account.requests[1].query["deviceId"] == BATTERY


# Pushes.


@pytest.fixture
def quick() -> Generator[None]:
    """Ask for actions at once: they end at once here."""
    with patch("custom_components.amps_ai.pushes.following._POLLS", (0.001,)):
        yield


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("level", ["standard", "fast"])
@pytest.mark.parametrize("at_once", [True, False], ids=["shown", "not shown"])
async def test_pushes(
    account: Account,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    pass_time: Pass,
    at_once: bool,
) -> None:
    """What was read for a push need not be read by plan."""
    _later(freezer, sandbox, 2)
    sandbox.action_seconds = 0
    account.home.push_shows_at_once = at_once
    plan, reads = account.plan, account.reads
    battery = account.home.device(BATTERY)
    await account.set_up()
    await pass_time(2 * (plan.resting + account.round()))
    start = len(reads.done)
    begin = account.now

    pushed: list[float] = []
    # Just read, half way, nearly due, and due at the next tick.
    for age, option in zip(
        (30, plan.resting // 2, plan.resting - TICK, plan.resting),
        ("charge", "idle", "discharge", "auto_balanced"),
        strict=True,
    ):
        planned = len(reads.times(BATTERY))
        while len(reads.times(BATTERY)) == planned or _age(battery) != age:
            await pass_time(TICK)
        pushed.append(account.now)
        await account.hass.services.async_call(
            SELECT_DOMAIN,
            SERVICE_SELECT_OPTION,
            {ATTR_ENTITY_ID: SELECT, ATTR_OPTION: option},
            blocking=True,
        )
        await account.hass.async_block_till_done(wait_background_tasks=True)
        await pass_time(plan.resting // TICK // 2 * TICK)
    await pass_time(2 * plan.resting)

    follow_ups: Counter[float] = Counter()
    for read in reads.done[start:]:
        followed = [at for at in pushed if 0 <= read.at - at <= 5 * TICK]
        if read.device_id == BATTERY and followed:
            # At once, and when no cache can hide what the push has done.
            follow_ups[followed[0]] += 1
            assert read.expedited
            continue
        # By plan, and never before its time.
        assert read.age > plan.resting
        assert read.age <= plan.resting + TICK * (1 + len(pushed))
        assert read.expedited is plan.expedited
    assert set(follow_ups) == set(pushed)
    assert max(follow_ups.values()) <= 2
    # All in all: no read more than what the plan has, and two for each push.
    for device in account.home.devices:
        count = len([at for at in reads.times(device.id) if at > begin])
        most = (account.now - begin) // plan.resting + 1
        assert count <= most + (2 * len(pushed) if device is battery else 0)
