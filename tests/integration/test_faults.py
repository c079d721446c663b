"""Every kind of fault: what is shown, said and asked meanwhile, and afterwards.

The kinds are the rows of `faults.FAULTS`. Each goes through the same few
scenes: lists that fail (of one type, and all), a single device that does, and
a start in the middle of it.
"""

import asyncio
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import pairwise
import logging
from math import ceil
from typing import Any, Final
from unittest.mock import patch

from aiohttp import ClientTimeout
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.button import DOMAIN as BUTTON_DOMAIN, SERVICE_PRESS
from homeassistant.components.select import (
    ATTR_OPTION,
    DOMAIN as SELECT_DOMAIN,
    SERVICE_SELECT_OPTION,
)
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import (
    ATTR_DEVICE_ID,
    ATTR_ENTITY_ID,
    CONF_API_KEY,
    STATE_UNAVAILABLE,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_fire_time_changed_exact,
)

from custom_components.amps_ai.api import AmpsClient, DeviceType
from custom_components.amps_ai.api.client import TIMEOUT
from custom_components.amps_ai.common.const import (
    CONF_APP_ID,
    CONF_FRESHNESS,
    CONF_USER_ID,
    DOMAIN,
)
from custom_components.amps_ai.readings import AmpsCoordinator
from sandbox import TEST_KEY, Fault, Sandbox, answers

from ..lean import idle_time
from .conftest import APP_ID
from .faults import ELSEWHERE, FAULTS, RETRY_AFTER, USER, FaultRow, Reaction

BATTERY: Final = "device_battery_001"
BATTERY_NAME: Final = "Powerwall 2"
MODE: Final = "select.powerwall_2_mode"
REFRESH: Final = "button.powerwall_2_refresh"
LAST_COMMAND: Final = "sensor.powerwall_2_last_command"
PATHS: Final = tuple(device_type.path for device_type in DeviceType)
OTHERS: Final = tuple(path for path in PATHS if path != "battery")

# Time goes on by so much: what is due in between comes with the next step.
STEP: Final = 15
# Lists that bring nothing are this far apart at last.
SLOWEST: Final = 300
# Who held back asks after the four other types, two seconds each and one more.
TURNS: Final = 9.5
# A loop that waits for so long, in seconds, has nothing to do.
IDLE: Final = 0.005
# What was known is shown until the last answer is five minutes old; that came
# a minute before the fault.
SHOWN_UNTIL: Final = 225
GONE_AT: Final = 255

# What time, commands and presses change, whatever else happens.
ENERGY: Final = ("_energy_charged", "_energy_discharged", "_energy_delivered")
STEERED: Final = ("_mode", "_last_action", "_action")
PRESSED: Final = "_refresh"
# How the core begins to tell of a set-up that came to nothing.
ATTEMPT: Final = "Config entry 'Amps AI"


def _rows(
    which: Callable[[FaultRow], bool], *, variants: bool = False
) -> pytest.MarkDecorator:
    """Return what runs a test with some rows of the table."""
    rows = [row for row in FAULTS if which(row) and (variants or not row.variant)]
    assert rows
    return pytest.mark.parametrize("row", rows, ids=str)


def _named(*names: str) -> pytest.MarkDecorator:
    """Return what runs a test with a few kinds that stand for the others."""
    return _rows(lambda row: row.name in names)


def _is_met_by_lists(row: FaultRow) -> bool:
    return row.on_list is not None


type Shown = dict[str, tuple[str, dict[str, Any]]]


@dataclass(kw_only=True)
class Scene:
    """A home, and what there is to see of it."""

    hass: HomeAssistant
    sandbox: Sandbox
    entry: MockConfigEntry
    freezer: FrozenDateTimeFactory
    caplog: pytest.LogCaptureFixture
    begun_at: float = 0
    ticked_at: float = 0
    # What was there before the fault, none of which may be lost.
    before: Shown = field(default_factory=dict)
    registered_before: dict[str, Any] = field(default_factory=dict)
    energies_before: list[float | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Count what the loop waits for, and not what it works."""
        self.idle = idle_time(self.hass.loop)

    async def load(self) -> None:
        """Set the entry up, let the first poll go by, and remember what is there."""
        self.entry.add_to_hass(self.hass)
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.pass_time(60)
        assert self.entry.state is ConfigEntryState.LOADED
        # From here on, all types are asked for at the same time, in this order.
        for number, path in enumerate(PATHS):
            # The core draws lots for who is first, once for each coordinator.
            self.coordinator(path)._microsecond = 0.05 + 0.1 * number
        coordinators = self.entry.runtime_data.coordinators.values()
        await asyncio.gather(*(item.async_refresh() for item in coordinators))
        await self.hass.async_block_till_done(wait_background_tasks=True)
        self.sandbox.requests.clear()
        self.caplog.clear()
        self.before = self.shown()
        self.registered_before = self.registered()
        self.energies_before = self.energies()
        assert STATE_UNAVAILABLE not in {state for state, _ in self.before.values()}

    def begin(self, row: FaultRow, path: str = "*", **order: Any) -> None:
        """Let requests meet the fault."""
        self.sandbox.faults.add(path=path, **row.order, **order)
        self.begun_at = self.now

    def end(self) -> None:
        """Let everything be answered again."""
        self.sandbox.faults.clear()

    async def first_poll(self) -> None:
        """Go to the next poll, from which the time is counted."""
        self.sandbox.requests.clear()
        while not self.sandbox.requests.lists():
            await self.pass_time(STEP)
        self.begun_at = self.now

    async def pass_time(self, seconds: float, step: int = STEP) -> None:
        """Let time pass, from one full step to the next."""
        while seconds > 0:
            bit = min(seconds, step - self.now % step)
            seconds -= bit
            self._tick(bit)
            # What is due is called in the order in which it is.
            self.hass.loop._scheduled.sort()  # type: ignore[attr-defined]
            async_fire_time_changed(self.hass)
            await self.hass.async_block_till_done(wait_background_tasks=True)

    def _tick(self, seconds: float) -> None:
        self.freezer.tick(seconds)
        self.sandbox.clock.advance(seconds)
        self.ticked_at = self.idle()

    def keep_time(self) -> None:
        """Let the loop's time go on between two steps, and not run away.

        However long a busy machine takes, the next step is on time.
        """
        loop = self.hass.loop
        # What is planned from the last full second is planned from this one.
        began, start = ceil(loop.time()), self.freezer.time_to_freeze
        self.ticked_at = self.idle()

        def _time() -> float:
            ticked = (self.freezer.time_to_freeze - start).total_seconds()
            return began + ticked + self.idle() - self.ticked_at

        loop.time = _time  # type: ignore[method-assign]

    async def next_poll(self) -> None:
        """Go to the very moment of the next poll."""
        polls = [
            coordinator._unsub_refresh.__self__.when()
            for coordinator in self.entry.runtime_data.coordinators.values()
        ]
        waited = self.idle() - self.ticked_at
        self._tick(max(0.001, min(polls) - self.hass.loop.time() + waited))
        async_fire_time_changed_exact(self.hass)
        await self.hass.async_block_till_done(wait_background_tasks=True)

    @property
    def time(self) -> float:
        """Return the seconds since the fault was met first."""
        return self.now - self.begun_at

    async def pass_time_beside(self, seconds: float) -> None:
        """Let time pass while something goes on in the background, and waits."""
        until = self.time + seconds
        while self.time < until:
            self._tick(5)
            async_fire_time_changed(self.hass)
            # Whoever asks and whoever answers are in this loop: where it has
            # nothing to do, all that could be done by now is done.
            begun = self.idle()
            while self.idle() - begun < IDLE:
                await asyncio.sleep(IDLE)

    async def until(self, time: float, step: int = STEP) -> None:
        """Let the time pass until so many seconds after the first poll."""
        await self.pass_time(time - self.time, step)

    async def until_asked(self, path: str) -> None:
        """Let the time pass until a path is asked for once more."""
        asked = len(self.asked(path))
        while len(self.asked(path)) == asked:
            assert self.time < 7200
            await self.pass_time(STEP)

    # What is shown.

    def unique_ids(self) -> dict[str, str]:
        """Return the unique ids of the entities that have a state."""
        return {
            item.entity_id: item.unique_id
            for item in er.async_get(self.hass).entities.values()
            if item.platform == DOMAIN and self.hass.states.get(item.entity_id)
        }

    def shown(self) -> Shown:
        """Return all states, but for those that change with time or presses."""
        shown: Shown = {}
        for entity_id, unique_id in self.unique_ids().items():
            state = self.hass.states.get(entity_id)
            assert state is not None
            if not unique_id.endswith((*ENERGY, PRESSED)):
                shown[entity_id] = state.state, dict(state.attributes)
        return shown

    def shown_of(self, device_id: str) -> set[str]:
        """Return the states of a device, each once."""
        return {
            state.state
            for entity_id, unique_id in self.unique_ids().items()
            if unique_id.startswith(f"{device_id}_")
            and not entity_id.startswith("event.")
            and (state := self.hass.states.get(entity_id))
        }

    def is_gone(self, *device_ids: str) -> bool:
        """Tell whether everything of some devices is unavailable, but for events."""
        return all(self.shown_of(item) == {STATE_UNAVAILABLE} for item in device_ids)

    def assert_shown(
        self, *, gone: tuple[str, ...] = (), but: tuple[str, ...] = ()
    ) -> None:
        """Check all states: as before, but for devices that are unavailable."""
        assert self.is_gone(*gone)
        unique_ids = self.unique_ids()
        away = tuple(f"{device_id}_" for device_id in gone)

        def _rest(shown: Shown) -> Shown:
            return {
                key: value
                for key, value in shown.items()
                if not unique_ids[key].startswith(away)
                and not unique_ids[key].endswith(but)
            }

        assert _rest(self.shown()) == _rest(self.before)

    def energies(self) -> list[float | None]:
        """Return the estimated energies, which never fall; None for no number."""
        return [
            None if state.state == STATE_UNAVAILABLE else float(state.state)
            for entity_id, unique_id in sorted(self.unique_ids().items())
            if unique_id.endswith(ENERGY) and (state := self.hass.states.get(entity_id))
        ]

    @property
    def all_ids(self) -> tuple[str, ...]:
        """Return the ids of all devices."""
        return tuple(device.id for device in self.sandbox.home.devices)

    def registered(self) -> dict[str, Any]:
        """Return all devices and entities, as the registries have them."""
        devices = dr.async_entries_for_config_entry(
            dr.async_get(self.hass), self.entry.entry_id
        )
        entities = er.async_entries_for_config_entry(
            er.async_get(self.hass), self.entry.entry_id
        )
        return {
            **{item.id: (item.identifiers, item.name) for item in devices},
            **{item.unique_id: (item.entity_id, item.device_id) for item in entities},
        }

    def assert_nothing_lost(self) -> None:
        """Check that nothing was removed or renamed, and no energy was lost."""
        assert self.registered() == self.registered_before
        energies = zip(self.energies_before, self.energies(), strict=True)
        assert all(now is None or now >= (before or 0) for before, now in energies)

    # What is asked.

    def asked(self, path: str = "*") -> list[float]:
        """Return when there were requests of a path, in seconds since the first."""
        return sorted(
            {
                request.at - self.begun_at
                for request in self.sandbox.requests.of("GET", path)
                if request.at >= self.begun_at
            }
        )

    def rounds(self, *paths: str) -> list[float]:
        """Return when some of the lists were asked for, in seconds since the first."""
        return sorted({time for path in paths for time in self.asked(f"/{path}")})

    def assert_held_back(self) -> None:
        """Check that nobody asked while the account was to be quiet."""
        quiet_until, begun = 0.0, 0.0
        for request in sorted(self.sandbox.requests, key=lambda item: item.at):
            if request.method == "GET":
                assert request.at >= quiet_until or request.at == begun, request
            if request.code in ("RATE_LIMIT_EXCEEDED", "UNAUTHORIZED"):
                begun, quiet_until = request.at, max(quiet_until, request.at + 60)

    @property
    def now(self) -> float:
        """Return the time by the API's clock."""
        return self.sandbox.clock.time()

    def coordinator(self, path: str) -> AmpsCoordinator:
        """Return the coordinator of a type."""
        coordinator: AmpsCoordinator = self.entry.runtime_data.coordinators[
            DeviceType(path.replace("-", "_"))
        ]
        return coordinator

    # What is said.

    def lines(self, about: str = "") -> list[tuple[int, str]]:
        """Return what the integration logged that a person sees."""
        return [
            (record.levelno, record.getMessage())
            for record in self.caplog.records
            if record.name.startswith(f"custom_components.{DOMAIN}")
            and record.levelno >= logging.INFO
            and about in record.getMessage()
        ]

    def levels(self, about: str = "") -> list[int]:
        """Return the levels of what the integration logged."""
        return [level for level, _ in self.lines(about)]

    def flows(self) -> list[Any]:
        """Return the flows that ask for a new key."""
        return [
            flow
            for flow in self.hass.config_entries.flow.async_progress()
            if flow["context"]["source"] == SOURCE_REAUTH
        ]

    def issues(self) -> list[ir.IssueEntry]:
        """Return what a person has to mend."""
        return [
            issue
            for issue in ir.async_get(self.hass).issues.values()
            if issue.domain == DOMAIN and issue.active
        ]

    def issue_keys(self) -> list[str]:
        """Return what a person has to mend, by the names of the words."""
        return sorted(issue.translation_key or "" for issue in self.issues())

    def assert_clean(self) -> None:
        """Check that no secret got out, and no trace of a stack."""
        for record in self.caplog.records:
            if record.levelno >= logging.INFO:
                assert not record.exc_info, record.getMessage()
            if not record.name.startswith(f"custom_components.{DOMAIN}"):
                expected = record.name in (
                    "asyncio",
                    "homeassistant.loader",
                ) or record.getMessage().startswith(ATTEMPT)
                assert record.levelno < logging.WARNING or expected, record
        assert not self.sandbox.requests.of(None, f"{ELSEWHERE}*")
        said = [
            self.caplog.text,
            str([state.as_dict() for state in self.hass.states.async_all()]),
            str(self.issues()),
            str(self.entry.reason),
            str(self.entry.error_reason_translation_placeholders),
        ]
        for text in said:
            assert TEST_KEY not in text
            assert USER not in text

    # What a person does.

    async def press(self) -> None:
        """Press the battery's button."""
        await self.hass.services.async_call(
            BUTTON_DOMAIN, SERVICE_PRESS, {ATTR_ENTITY_ID: REFRESH}, blocking=True
        )

    async def tap(self, option: str) -> None:
        """Choose a mode of the battery."""
        await self.hass.services.async_call(
            SELECT_DOMAIN,
            SERVICE_SELECT_OPTION,
            {ATTR_ENTITY_ID: MODE, ATTR_OPTION: option},
            blocking=True,
        )

    async def send(self, command: str) -> Any:
        """Send a command to the battery, as an automation does."""
        device = dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, BATTERY), self.entry.entry_id
        )
        assert device is not None
        return await self.hass.services.async_call(
            DOMAIN,
            "send_command",
            {ATTR_DEVICE_ID: device.id, "command": command},
            blocking=True,
            return_response=True,
        )

    def option(self) -> str:
        """Return the mode that the control shows."""
        state = self.hass.states.get(MODE)
        assert state is not None
        return state.state


@pytest.fixture
def entry() -> MockConfigEntry:
    """Return an entry for one user, who is to be named nowhere."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Amps AI (sandbox)",
        unique_id=f"sandbox:{APP_ID}:{USER}",
        data={
            CONF_API_KEY: TEST_KEY,
            CONF_APP_ID: APP_ID,
            CONF_USER_ID: USER,
        },
    )


@pytest.fixture
def scene(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> Generator[Scene]:
    """Return a home in which nothing happens by itself."""
    for device in sandbox.home.devices:
        state = dict(device.captured or {})
        state.pop("currentMode", None)
        device.state_override = state
        device.user = USER
    sandbox.action_seconds = 0
    scene = Scene(
        hass=hass, sandbox=sandbox, entry=entry, freezer=freezer, caplog=caplog
    )
    scene.keep_time()
    yield scene
    # The core names an entry's unique id, and with it the user, in its flows.
    for flow in hass.config_entries.flow.async_progress():
        hass.config_entries.flow.async_abort(flow["flow_id"])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Generator[None]:
    """Shorten what is waited for in real time, and let redirects lead somewhere."""
    asking = AmpsClient._async_request

    def _ask(client: AmpsClient, method: str, path: str, **more: Any) -> Any:
        hangs = any(
            fault.delay >= 60
            and fault.method in (None, method)
            and fnmatchcase(path, fault.path)
            for fault in sandbox.faults.all()
        )
        # Only what hangs has no time: a busy machine answers late as well. It
        # counts from when the request is out, so that each is on record.
        client._timeout = ClientTimeout(sock_read=0.2) if hangs else TIMEOUT
        return asking(client, method, path, **more)

    monkeypatch.setattr(AmpsClient, "_async_request", _ask)
    usual = answers.fault_headers

    def _headers(fault: Fault) -> dict[str, str]:
        headers = usual(fault)
        if 300 <= fault.answer_status < 400:
            headers["Location"] = f"{sandbox.url}{ELSEWHERE}"
        return headers

    monkeypatch.setattr(answers, "fault_headers", _headers)
    with patch("custom_components.amps_ai.pushes.following._POLLS", (0.02,)):
        yield


def _raised(raised: pytest.ExceptionInfo[HomeAssistantError], *keys: str) -> None:
    """Check an error that a person reads."""
    error = raised.value
    assert error.translation_domain == DOMAIN
    assert error.translation_key in keys
    for secret in (TEST_KEY, USER):
        assert secret not in str(error)
        assert secret not in str(error.translation_placeholders)


# Lists that fail.


@_rows(_is_met_by_lists)
async def test_lists_of_one_type(scene: Scene, row: FaultRow) -> None:
    """The type fails alone, and the others do not notice."""
    await scene.load()
    scene.begin(row, "/battery", method="GET")
    await scene.first_poll()

    await _fades(scene, row, BATTERY)
    asked = scene.asked("/battery")
    if row.reaction is Reaction.BACK_OFF:
        # How much longer each time hangs on who else is answered in between.
        assert all(60 <= gap <= 240 + STEP for gap in _gaps(asked))
    else:
        _assert_paced(row, asked)
    for path in OTHERS:
        if row.holds_back:
            # The account holds back as one, and yet each has its turn.
            assert max(_gaps([*scene.asked(f"/{path}"), scene.time])) < 300
        else:
            _assert_as_usual(scene.asked(f"/{path}"), scene.time)

    await _comes_back(scene, row, "battery")


@_rows(_is_met_by_lists)
async def test_everything(scene: Scene, row: FaultRow) -> None:
    """Nothing is answered, pushes neither: all types fade, and all come back."""
    await scene.load()
    option = scene.option()
    scene.begin(row)
    await scene.first_poll()

    # As the lists know a bad key, it need not be the manufacturer who refuses.
    words = {row.on_push} | ({"invalid_auth"} if row.is_refused else set())
    with pytest.raises(HomeAssistantError) as raised:
        await scene.send("idle")
    _raised(raised, *words)
    if not row.is_refused:
        with pytest.raises(HomeAssistantError) as raised:
            await scene.tap("idle")
        _raised(raised, *words)
        assert scene.option() == option

    await _fades(scene, row, *scene.all_ids)
    # Where the account holds back, whichever list comes first asks for all.
    rounds = scene.rounds(*PATHS)
    for asked in [rounds] if row.holds_back else map(scene.rounds, PATHS):
        _assert_paced(row, asked)
    # Nobody else asks meanwhile, but to find out what became of a lost push.
    lost = 2 if row.on_push == "unknown_outcome" else 0
    assert len(set(scene.asked()) - set(rounds)) <= lost

    await _comes_back(scene, row, *PATHS)
    assert (await scene.send("idle"))["action"]["state"] == "completed"
    await scene.tap("charge")
    await scene.pass_time(75)
    assert scene.option() == "charge"
    assert not scene.issues()
    scene.assert_clean()


async def _fades(scene: Scene, row: FaultRow, *gone: str) -> None:
    """Check what is shown in the first minutes, and what a person is asked."""
    if not row.is_refused:
        while scene.time < SHOWN_UNTIL:
            scene.assert_shown()
            await scene.until(scene.time + 75)
        scene.assert_shown()
        await scene.until(GONE_AT)
    scene.assert_shown(gone=gone)
    assert scene.issue_keys() == ([row.issue] if row.issue else [])
    await scene.until(405)
    scene.assert_shown(gone=gone)
    assert scene.issue_keys() == ([row.issue] if row.issue else [])
    assert len(scene.flows()) == row.is_refused
    scene.assert_held_back()
    scene.assert_nothing_lost()


async def _comes_back(scene: Scene, row: FaultRow, *paths: str) -> None:
    """Let all be well, and check what is shown, and what was logged of it."""
    asked = scene.rounds(*paths)
    ended = scene.time
    scene.end()
    for path in paths:
        if scene.asked(f"/{path}")[-1] <= ended:
            await scene.until_asked(f"/{path}")
    assert scene.time - asked[-1] <= row.wait(len(asked) - 1) + 2 * STEP
    scene.assert_shown(but=STEERED if len(paths) > 1 else ())
    scene.assert_nothing_lost()
    assert not scene.flows()
    assert not scene.issues()

    for path in paths:
        error = scene.coordinator(path).last_exception
        assert isinstance(error, HomeAssistantError)
        assert error.translation_key == row.on_list
        assert scene.lines(f"{path} data") == [
            (logging.ERROR, f"Error fetching Amps AI (sandbox) {path} data: {error}"),
            (logging.INFO, f"Fetching Amps AI (sandbox) {path} data recovered"),
        ]
    assert len(scene.lines()) == 2 * len(paths)
    scene.assert_clean()

    # And then as if nothing had been.
    scene.sandbox.requests.clear()
    await scene.pass_time(60 + STEP)
    lists = {request.path for request in scene.sandbox.requests.lists()}
    assert lists >= {f"/{path}" for path in paths}
    await scene.pass_time(SLOWEST)
    lists = {request.path for request in scene.sandbox.requests.lists()}
    assert lists == {f"/{path}" for path in PATHS}


def _gaps(asked: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(asked)]


def _assert_paced(row: FaultRow, asked: list[float]) -> None:
    """Check that a list is asked for when its time has come, and not before."""
    assert asked[0] == 0
    for number, gap in enumerate(_gaps(asked)):
        turns = TURNS if row.holds_back else 0
        assert row.wait(number) <= gap <= row.wait(number) + turns + STEP


def _assert_as_usual(asked: list[float], until: float) -> None:
    """Check that a list was asked for every minute, and slower and slower then."""
    assert asked[0] <= 60
    gaps = _gaps(asked)
    assert len(gaps) >= 4
    assert all(60 <= gap <= 60 + STEP for gap in gaps[:4])
    assert all(60 <= gap <= SLOWEST + STEP for gap in gaps)
    assert until - asked[-1] <= SLOWEST + STEP


@_named("429", "INVALID_API_KEY", "time-out", "empty")
async def test_one_lost_answer(scene: Scene, row: FaultRow) -> None:
    """What fails once is told once, and shown nowhere but for a refused key."""
    await scene.load()
    scene.begin(row, "/vehicle", times=row.times)
    await scene.first_poll()
    assert not scene.sandbox.faults.all()
    scene.assert_shown(gone=("device_vehicle_001",) if row.is_refused else ())
    assert len(scene.flows()) == row.is_refused
    await scene.until_asked("/vehicle")
    assert row.wait(0) <= scene.time <= row.wait(0) + STEP
    scene.assert_shown()
    scene.assert_nothing_lost()
    assert not scene.flows()
    assert scene.levels("vehicle data") == [logging.ERROR, logging.INFO]
    assert len(scene.lines()) == 2
    scene.assert_clean()


async def test_other_ways_to_say_it(scene: Scene) -> None:
    """What says the same in another way is taken for the same."""
    await scene.load()
    variants = [row for row in FAULTS if row.variant]
    assert len(variants) > 20
    for row in variants:
        # A push goes out at any time, whatever the account was told before.
        scene.begin(row, f"/battery/{BATTERY}")
        with pytest.raises(HomeAssistantError) as raised:
            await scene.send("idle")
        _raised(raised, row.on_push)
        scene.end()
        if row.on_list is not None:
            if row.holds_for:
                await scene.until_asked("/battery")
            scene.begin(row, "/battery")
            await scene.coordinator("battery").async_refresh()
            error = scene.coordinator("battery").last_exception
            assert isinstance(error, HomeAssistantError)
            assert error.translation_key == row.on_list, row.name
            scene.end()
            begun = scene.time
            await scene.until_asked("/battery")
            assert scene.time - begun >= (row.wait(0) if row.holds_back else 0)
        assert not scene.flows()
    scene.assert_clean()


# Holding back.


@_rows(lambda row: row.holds_back)
async def test_whoever_asks_holds_back(scene: Scene, row: FaultRow) -> None:
    """Single reads and the schedule, due by now, wait with the lists."""
    await scene.load()
    # A quarter of an hour after set-up, devices are to be read, and the schedule.
    await scene.pass_time(720, 60)
    scene.begin(row)
    await scene.first_poll()
    await scene.until(405)
    # Whichever list it is, it asks for all of them.
    assert {item.path for item in scene.sandbox.requests} <= {f"/{p}" for p in PATHS}
    _assert_paced(row, scene.asked())
    scene.end()
    await scene.until_asked("/battery")
    scene.sandbox.requests.clear()
    await scene.pass_time(900 + STEP)
    reads = {request.path for request in scene.sandbox.requests.reads()}
    assert len(reads) == len(scene.all_ids)
    assert scene.asked("/actions")
    scene.assert_clean()


@pytest.mark.parametrize("style", ["429", "401"])
@pytest.mark.parametrize("per_minute", [1, 3])
async def test_burst(scene: Scene, style: str, per_minute: int) -> None:
    """Bursts never cast doubt on the key, and answers go round."""
    await scene.load()
    flows: list[str] = []

    @callback
    def _note(change: str, flow_id: str) -> None:
        flows.append(flow_id)

    scene.hass.config_entries.flow.async_subscribe_flow(_note)
    scene.sandbox.rate_limit(per_minute, style)
    scene.begun_at = scene.now
    while scene.time < 7200:
        await scene.next_poll()
    assert not flows
    assert any(item.status in (401, 429) for item in scene.sandbox.requests)
    answered = [item.path for item in scene.sandbox.requests if item.status == 200]
    for path in PATHS:
        # One a minute is too few for all of them: each has its share.
        assert answered.count(f"/{path}") >= (30 if per_minute > 1 else 15)
    scene.assert_nothing_lost()
    scene.assert_clean()


@_named("429", "429 and when", "bare 401")
async def test_one_list_refused_for_good(scene: Scene, row: FaultRow) -> None:
    """As long as other lists would be answered, they are asked, and the key is good."""
    await scene.load()
    scene.begin(row, "/battery", method="GET")
    await scene.first_poll()
    while scene.time < 3600:
        await scene.next_poll()
        assert not scene.flows()
    for path in OTHERS:
        assert len(scene.asked(f"/{path}")) >= 10
        assert not scene.lines(f"{path} data")
    scene.end()
    # The longest pause, and the minute in which one asks alone.
    await scene.pass_time(960 + 2 * STEP)
    scene.assert_shown()
    assert scene.levels("battery data") == [logging.ERROR, logging.INFO]


async def test_what_was_pushed_waits(scene: Scene) -> None:
    """What was to be read again after a push waits as long as everything."""
    await scene.load()
    await scene.tap("idle")
    # A minute after its end, the device is read once more.
    await scene.pass_time(45)
    scene.sandbox.faults.add(
        path="/vehicle", code="RATE_LIMIT_EXCEEDED", retry_after=RETRY_AFTER, times=1
    )
    await scene.coordinator("vehicle").async_refresh()
    assert not scene.sandbox.faults.all()
    scene.begun_at = scene.now
    scene.sandbox.requests.clear()
    await scene.until(RETRY_AFTER - STEP)
    assert scene.asked() == []
    await scene.until(RETRY_AFTER + STEP)
    assert scene.asked("/vehicle")


async def test_button_waits(scene: Scene) -> None:
    """Who presses a button meanwhile is told why nothing is asked."""
    await scene.load()
    scene.sandbox.faults.add(
        path="/vehicle", code="RATE_LIMIT_EXCEEDED", retry_after=RETRY_AFTER, times=1
    )
    await scene.coordinator("vehicle").async_refresh()
    scene.sandbox.requests.clear()
    await scene.pass_time(RETRY_AFTER - STEP)
    with pytest.raises(HomeAssistantError) as raised:
        await scene.press()
    _raised(raised, "rate_limited")
    assert not scene.sandbox.requests
    # A push comes first: it goes out.
    await scene.send("idle")
    assert len(scene.sandbox.requests.pushes(BATTERY)) == 1


# The key.


@_rows(lambda row: row.doubtful, variants=True)
async def test_bare_refusal_for_good(scene: Scene, row: FaultRow) -> None:
    """At last somebody has to look at the key, and then it goes on by itself."""
    await scene.load()
    # Single reads and the schedule are due by then as well.
    await scene.pass_time(600, 60)
    scene.begin(row)
    await scene.first_poll()
    while not scene.flows():
        assert scene.time < 3600
        await scene.pass_time(STEP)
    # The proof came from one who asked alone, after enough rounds.
    asked = scene.asked()
    assert asked[-1] == scene.time
    assert len(asked) > 5
    assert asked[-2] >= 600
    assert len([item for item in scene.sandbox.requests if item.at == scene.now]) == 1
    scene.assert_held_back()
    (flow,) = scene.flows()
    assert flow["context"]["entry_id"] == scene.entry.entry_id
    assert scene.entry.state is ConfigEntryState.LOADED

    # Slowly on.
    begun = scene.time
    scene.sandbox.requests.clear()
    # One list is asked for in each round, and the others hold back meanwhile.
    while scene.time < begun + 5 * 930:
        await scene.next_poll()
    assert [item["flow_id"] for item in scene.flows()] == [flow["flow_id"]]
    for path in PATHS:
        assert 1 <= len(scene.asked(f"/{path}")) <= 4
    assert not scene.sandbox.requests.reads()
    scene.assert_nothing_lost()
    scene.assert_shown(gone=scene.all_ids)

    scene.end()
    await scene.pass_time(930)
    assert not scene.flows()
    scene.assert_shown()
    for path in PATHS:
        assert scene.levels(f"{path} data") == [logging.ERROR, logging.INFO]
    assert len(scene.lines()) == 2 * len(PATHS)
    scene.assert_clean()


@_rows(lambda row: row.is_refused)
async def test_new_key(scene: Scene, row: FaultRow) -> None:
    """A new key ends the flow, and nothing was lost meanwhile."""
    await scene.load()
    scene.begin(row)
    await scene.first_poll()
    (flow,) = scene.flows()
    await scene.until(900)
    scene.end()
    scene.sandbox.add_account("sk_test_new")
    result = await scene.hass.config_entries.flow.async_configure(
        flow["flow_id"], {CONF_API_KEY: "sk_test_new"}
    )
    await scene.pass_time(60)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert not scene.flows()
    scene.assert_shown()
    scene.assert_nothing_lost()
    scene.assert_clean()


@_rows(lambda row: row.is_refused)
async def test_refused_key(scene: Scene, row: FaultRow) -> None:
    """However fresh all should be, it is hardly sent, and no device's fault."""
    await scene.load()
    scene.begin(row)
    await scene.first_poll()
    scene.hass.config_entries.async_update_entry(
        scene.entry, options={CONF_FRESHNESS: "live"}
    )
    with pytest.raises(HomeAssistantError):
        await scene.send("idle")
    scene.sandbox.requests.clear()
    await scene.until(3600, 60)
    assert 4 * len(PATHS) <= len(scene.sandbox.requests) <= 6 * len(PATHS)
    assert len(scene.flows()) == 1
    assert not scene.issues()


# One device.


@_rows(lambda row: True)
async def test_one_device(scene: Scene, row: FaultRow) -> None:
    """What one device meets is no other's trouble, and never the key's."""
    await scene.load()
    option = scene.option()
    scene.begin(row, f"/battery/{BATTERY}*")
    for call, word in (
        (scene.press(), row.on_device),
        (scene.send("idle"), row.on_push),
    ):
        with pytest.raises(HomeAssistantError) as raised:
            await call
        _raised(raised, word)
    gone = (BATTERY,) if row.device_goes else ()
    if not gone:
        with pytest.raises(HomeAssistantError) as raised:
            await scene.tap("idle")
        _raised(raised, row.on_push)
        assert scene.option() == option

    # Long enough for the planned reads to meet it as well.
    but = STEERED if row.gets_through else ()
    for time in (0, 60, 900, 1860):
        await scene.until(time, 60)
        scene.assert_shown(gone=gone, but=but)
        assert not scene.flows()
        # The user is no address, so whoever links again is told whose it would be.
        expected = ["device_disconnected_user"] if row.relink else []
        assert scene.issue_keys() == expected
    scene.assert_nothing_lost()
    scene.assert_held_back()
    reads = [moment for moment in scene.asked(f"/battery/{BATTERY}") if moment]
    # Once in a quarter of an hour; a push that got through brings one along.
    assert len(reads) == 2 or (row.gets_through and reads)
    assert reads[-1] - reads[0] >= 900 or row.gets_through
    assert not [moment for moment in scene.asked() if 0 < moment < row.holds_for]
    if not row.holds_for:
        for path in PATHS:
            # Often where something goes wrong, else as seldom as ever.
            assert 1860 // SLOWEST < len(scene.asked(f"/{path}")) <= 1860 // 60
    # A device that goes is told once; one that does not answer is not yet gone.
    told = scene.lines()
    assert [BATTERY_NAME in text for _, text in told] == [True] * len(gone)

    scene.end()
    await scene.until(1860 + row.holds_for + STEP)
    scene.sandbox.device(BATTERY).drop_cache()
    if not gone:
        # What is unavailable cannot be pressed: the next planned read finds it.
        await scene.press()
    await scene.until(2880, 60)
    scene.assert_shown(but=STEERED)
    # And once that it is back.
    assert scene.lines()[: len(told)] == told
    assert [BATTERY_NAME in text for _, text in scene.lines()] == [True, True][
        : 2 * len(gone)
    ]
    assert (await scene.send("idle"))["action"]["state"] == "completed"
    await scene.tap("charge")
    assert scene.option() == "charge"
    assert not scene.issues()
    assert not scene.flows()
    scene.assert_nothing_lost()
    scene.assert_clean()


@_named("INVALID_API_KEY", "EXPIRED_TOKEN", "INVALID_CREDENTIALS")
@pytest.mark.parametrize("by", ["read", "push"])
async def test_device_to_be_linked_again(scene: Scene, row: FaultRow, by: str) -> None:
    """A person is asked to link the device, until it answers again."""
    await scene.load()
    scene.begin(row, f"/battery/{BATTERY}*")
    with pytest.raises(HomeAssistantError):
        await (scene.press() if by == "read" else scene.send("idle"))
    await scene.pass_time(STEP)
    (issue,) = scene.issues()
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["device"] == BATTERY_NAME
    account = scene.entry.runtime_data.account
    device = scene.coordinator("battery").data[BATTERY]
    assert issue.learn_more_url == account.link_url_of(device)
    assert not scene.flows()
    scene.assert_clean()

    scene.end()
    scene.sandbox.clock.advance(1)
    scene.sandbox.device(BATTERY).drop_cache()
    await scene.press()
    await scene.pass_time(75)
    assert not scene.issues()
    assert not scene.flows()


@_named("429", "bare 401", "time-out", "empty", "404 page", "INTERNAL_ERROR 500")
async def test_following_an_action(scene: Scene, row: FaultRow) -> None:
    """A push that was taken is followed to its end, whatever comes in between."""
    await scene.load()
    # What holds the account back, holds this back: for a minute the first time.
    scene.begin(row, "/actions/*", times=1 if row.holds_back else 2)
    await scene.tap("idle")
    assert scene.option() == "idle"
    await scene.pass_time_beside(90)
    assert not scene.sandbox.faults.all()
    assert scene.option() == "idle"
    assert not scene.flows()
    assert not scene.issues()
    state = scene.hass.states.get(LAST_COMMAND)
    assert state is not None
    assert state.state == "completed"
    scene.assert_clean()


# Set-up.


@_rows(_is_met_by_lists)
async def test_set_up(scene: Scene, row: FaultRow) -> None:
    """A start while nothing answers loses nothing, and is made up for later."""
    await scene.load()
    hass, entry = scene.hass, scene.entry
    scene.begin(row)
    assert not await hass.config_entries.async_reload(entry.entry_id)
    refused = row.is_refused
    state = ConfigEntryState.SETUP_ERROR if refused else ConfigEntryState.SETUP_RETRY
    assert entry.state is state
    assert entry.error_reason_translation_key == row.on_list
    assert entry.error_reason_translation_domain == DOMAIN
    assert len(scene.flows()) == refused
    with pytest.raises(HomeAssistantError) as raised:
        await scene.send("idle")
    assert raised.value.translation_key

    await scene.until(RETRY_AFTER - STEP)
    assert entry.state is state
    scene.assert_shown(gone=(*scene.all_ids, entry.entry_id))
    scene.assert_nothing_lost()
    # The core tries on and on, more and more seldom; a bad key it does not.
    asked = scene.asked()
    assert asked == scene.asked("/battery")
    if row.reaction is Reaction.GO_ON:
        assert 2 <= len(asked) <= 8
    else:
        _assert_paced(row, asked)
    # The core tells of each time, and why; the integration adds nothing.
    lines = [line for _, line in scene.lines()]
    assert all(line.startswith(ATTEMPT) for line in lines)
    assert len(lines) <= 8
    assert entry.reason
    assert entry.reason in lines[-1]

    scene.end()
    if refused:
        # The same key will do.
        (flow,) = scene.flows()
        result = await hass.config_entries.flow.async_configure(
            flow["flow_id"], {CONF_API_KEY: TEST_KEY}
        )
        assert result["reason"] == "reauth_successful"
    await scene.until(RETRY_AFTER + 300)
    assert entry.state is ConfigEntryState.LOADED
    scene.assert_shown()
    scene.assert_nothing_lost()
    assert not scene.flows()
    assert not scene.issues()
    assert (await scene.send("idle"))["action"]["state"] == "completed"
    scene.assert_clean()


async def test_set_up_with_a_bare_refusal_for_good(scene: Scene) -> None:
    """A key that is never answered at set-up has to be looked at as well."""
    (row,) = [row for row in FAULTS if row.name == "bare 401"]
    scene.begin(row)
    scene.entry.add_to_hass(scene.hass)
    assert not await scene.hass.config_entries.async_setup(scene.entry.entry_id)
    while not scene.flows():
        assert scene.time < 3600
        await scene.pass_time(STEP)
    assert scene.time >= 600
    assert len(scene.asked()) > 5
    assert len([item for item in scene.sandbox.requests if item.at == scene.now]) == 1
    scene.assert_held_back()
    assert scene.entry.state is ConfigEntryState.SETUP_ERROR


@_named("429 and when", "INVALID_API_KEY", "empty", "INTERNAL_ERROR 500")
async def test_set_up_of_one_type(scene: Scene, row: FaultRow) -> None:
    """The other types work at once, and the one that failed comes later."""
    await scene.load()
    entry = scene.entry
    scene.begin(row, "/battery", method="GET")
    loads = await scene.hass.config_entries.async_reload(entry.entry_id)
    await scene.hass.async_block_till_done(wait_background_tasks=True)
    scene.assert_nothing_lost()
    if row.is_refused:
        assert not loads
        assert entry.state is ConfigEntryState.SETUP_ERROR
        assert entry.error_reason_translation_key == row.on_list
        assert len(scene.lines()) == 1
        assert len(scene.flows()) == 1
        scene.assert_clean()
        return
    assert entry.state is ConfigEntryState.LOADED
    assert not scene.flows()
    # Settings are told by single reads, which have to wait with everything.
    detail = ("_max_power",) if row.holds_back else ()
    scene.assert_shown(gone=(BATTERY,), but=detail)
    assert scene.levels() == [logging.ERROR]
    assert scene.levels("battery data") == [logging.ERROR]
    error = scene.coordinator("battery").last_exception
    assert isinstance(error, HomeAssistantError)
    assert error.translation_key == row.on_list

    scene.end()
    await scene.until_asked("/battery")
    # Single reads follow the lists, not beside them.
    await scene.pass_time(60)
    scene.assert_shown()
    scene.assert_nothing_lost()
    assert scene.levels() == [logging.ERROR, logging.INFO]
    scene.assert_clean()


async def test_list_and_single_read_at_once(scene: Scene) -> None:
    """A list that was under way during a single read takes no settings away."""
    await scene.load()
    scene.sandbox.faults.add(path="/battery", delay=0.3, kind="delay", times=1)
    listing = scene.hass.async_create_task(scene.coordinator("battery").async_refresh())
    while not scene.asked("/battery"):
        await asyncio.sleep(0)
    scene.sandbox.clock.advance(61)
    await scene.press()
    assert not listing.done()
    await listing
    await scene.hass.async_block_till_done(wait_background_tasks=True)
    scene.assert_shown()


# Lists that shrink.


@dataclass(frozen=True, kw_only=True)
class Shrink:
    """A list that has less than before, and what is made of it."""

    name: str
    order: dict[str, Any]
    # Which of the two batteries are unavailable then.
    gone: tuple[str, ...] = ()
    # Whether the sandbox itself leaves the first one out.
    unlisted: bool = False
    # What is said of the list itself.
    warnings: int = 0

    def __str__(self) -> str:
        """Return the name, for the names of tests."""
        return self.name


def _page(items: Any, total: Any) -> dict[str, Any]:
    """Return an order of a page of a list."""
    pagination = {"limit": 50, "offset": 0, "total": total, "hasMore": False}
    body = {"success": True, "data": {"items": items, "pagination": pagination}}
    return {"kind": "json", "body": body}


SECOND: Final = "device_battery_002"
BOTH: Final = (BATTERY, SECOND)

SHRINKS: Final = (
    Shrink(name="complete", order={"delay": 0.001}, unlisted=True, gone=(BATTERY,)),
    Shrink(name="total says one more", order={"kind": "shift_total"}, unlisted=True),
    Shrink(
        name="there is always more",
        order={"kind": "lie_has_more"},
        unlisted=True,
        gone=(BATTERY,),
    ),
    Shrink(name="nothing at all", order=_page([], 0), gone=BOTH),
    Shrink(name="nothing of two", order=_page([], 2)),
    Shrink(name="nothing, and no number", order=_page([], None), gone=BOTH),
    Shrink(
        name="nonsense for items", order=_page([None, 17], 2), gone=BOTH, warnings=1
    ),
)


@pytest.mark.parametrize("home", ["two"])
@pytest.mark.parametrize("shrink", SHRINKS, ids=str)
async def test_list_that_shrinks(scene: Scene, shrink: Shrink) -> None:
    """Only a complete list makes a device unavailable, and none removes one."""
    await scene.load()
    scene.sandbox.device(BATTERY).unlisted = shrink.unlisted
    scene.sandbox.faults.add(path="/battery", **shrink.order)
    await scene.first_poll()
    while scene.time < 1500:
        scene.assert_shown(gone=shrink.gone)
        await scene.until(scene.time + 60, 60)
    scene.assert_nothing_lost()
    for path in OTHERS:
        assert 1500 // SLOWEST < len(scene.asked(f"/{path}")) <= 1500 // 60 + 1
    # A device that goes is told once.
    told = [line for line in scene.lines() if "list: " not in line[1]]
    assert len(told) == len(shrink.gone)
    assert shrink.warnings <= len(scene.lines()) - len(told) <= 2 * shrink.warnings

    scene.sandbox.device(BATTERY).unlisted = False
    scene.end()
    await scene.until(1560)
    scene.assert_shown()
    scene.assert_nothing_lost()
    back = [line for line in scene.lines() if "list: " not in line[1]]
    assert back[: len(told)] == told
    assert len(back) == 2 * len(told)
    assert not scene.flows()
    assert not scene.issues()
    scene.assert_clean()
