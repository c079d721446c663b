"""Clocks that are set, answers that are late, and who may do what."""

import asyncio
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import freezegun
from freezegun.api import FrozenDateTimeFactory
from homeassistant.auth.models import User
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import (
    Context,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.amps_ai.api import (
    AmpsClient,
    AmpsDeviceCredentialsError,
    Device,
    DeviceType,
    clock,
)
from custom_components.amps_ai.api.webhook import DeviceConnected, DeviceDisconnected
from custom_components.amps_ai.common.const import DOMAIN, EVENT_ACTION, EVENT_LINK
from sandbox import TEST_KEY, Sandbox

from .conftest import Pass
from .helpers import done, registered, set_up

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
HVAC = "device_hvac_001"
LEVEL = "sensor.powerwall_2_battery"
LINK = f"link_{BATTERY}"


def _state(hass: HomeAssistant, entity_id: str) -> str:
    state = hass.states.get(entity_id)
    assert state is not None
    return state.state


def _link(hass: HomeAssistant) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, LINK)


class _Even:
    """A clock that nobody sets, beside one that somebody does."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def even(freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch) -> _Even:
    """Let spans be measured by a clock of the test's own.

    The freezer comes first: it remembers what there is in a module to freeze.
    """
    measured = _Even()
    monkeypatch.setattr(clock, "monotonic", measured)
    return measured


@pytest.mark.parametrize("ahead", [timedelta(hours=2), timedelta(days=1)])
async def test_clock_that_is_set_right(
    hass: HomeAssistant,
    even: _Even,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    ahead: timedelta,
) -> None:
    """Single reads, refreshes and polls after an overload go on as if nothing was."""
    freezer.tick(ahead)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    coordinator = entry.runtime_data.find(BATTERY)
    assert await coordinator.async_read(BATTERY, expedite=True, force=True)
    overload = sandbox.faults.add(path="/battery", status=429, retry_after=60)
    await coordinator.async_refresh()
    limits = entry.runtime_data.account.limits
    assert limits.remaining == 60
    sandbox.faults.remove(overload)
    freezer.tick(-ahead)
    assert limits.remaining == 60
    even.at += 61
    assert not limits.remaining
    await coordinator.async_refresh()
    assert coordinator.last_update_success
    sandbox.requests.clear()
    sandbox.clock.advance(61)
    await coordinator.async_read(BATTERY, expedite=True)
    assert len(sandbox.requests.reads(BATTERY)) == 1
    sandbox.faults.add(path="/battery", kind="drop")
    await coordinator.async_refresh()
    assert coordinator.trusted
    even.at += 301
    assert not coordinator.trusted


async def _press(hass: HomeAssistant) -> None:
    await hass.services.async_call(
        "button", "press", {"entity_id": "button.powerwall_2_refresh"}, blocking=True
    )
    await done(hass)


@pytest.mark.parametrize("ahead", [timedelta(hours=2), timedelta(days=1)])
async def test_reads_after_the_clock_was_set_right(
    hass: HomeAssistant,
    even: _Even,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    ahead: timedelta,
) -> None:
    """*Refresh* reads, and so does what looks after what grows old."""
    freezer.tick(ahead)
    assert await set_up(hass, entry)
    await _press(hass)
    freezer.tick(-ahead)
    even.at += 61
    sandbox.clock.advance(61)
    sandbox.requests.clear()
    await _press(hass)
    assert [item.query for item in sandbox.requests.reads(BATTERY)] == [
        {"expedite": "true"}
    ]
    even.at += 1000
    sandbox.clock.advance(1000)
    runtime = entry.runtime_data
    await runtime.find(BATTERY).async_refresh()
    sandbox.requests.clear()
    for _ in range(20):
        even.at += 15
        runtime.planner._async_look(dt_util.utcnow())
        await done(hass)
    assert len(sandbox.requests.reads(BATTERY)) == 1


@pytest.fixture
def even_loop(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> FrozenDateTimeFactory:
    """Set the clock on the wall alone, as the world does.

    The usual freezer moves the loop along: with a clock that is set back, no timer
    of the loop would be due for as long.
    """
    monkeypatch.setattr(hass.loop, "time", freezegun.api.real_monotonic)
    monkeypatch.setattr(clock, "monotonic", freezegun.api.real_monotonic)
    return freezer


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "by",
    [timedelta(days=-1), timedelta(hours=-2), timedelta(hours=2), timedelta(days=1)],
)
async def test_clock_that_is_set_while_an_action_is_followed(
    hass: HomeAssistant,
    even_loop: FrozenDateTimeFactory,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    by: timedelta,
) -> None:
    """The tap ends, its end is told once, and the device goes on to be read."""
    assert await set_up(hass, entry)
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 20
    fault = sandbox.faults.add(method="GET", path="/actions/*", kind="hold_answer")
    tap = hass.async_create_task(
        hass.services.async_call(
            "select",
            "select_option",
            {"entity_id": "select.powerwall_2_mode", "option": "charge"},
            blocking=True,
        )
    )
    # It is followed: its state was asked for.
    await fault.reached()
    even_loop.tick(by)
    sandbox.clock.advance(21)
    sandbox.faults.remove(fault)
    await tap
    await done(hass)
    assert [end.data["state"] for end in ends] == ["completed"]
    assert _state(hass, "select.powerwall_2_mode") == "charge"
    coordinator = entry.runtime_data.find(BATTERY)
    sandbox.device(BATTERY).state_override = {"level": 33}
    sandbox.clock.advance(120)
    await coordinator.async_read(BATTERY, expedite=True, force=True)
    await coordinator.async_refresh()
    await done(hass)
    assert coordinator.trusted
    assert _state(hass, LEVEL) == "33"


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=1)])
async def test_capture_in_the_future(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, ahead: timedelta
) -> None:
    """One reading of the future freezes nothing."""
    coordinator = loaded.runtime_data.find(BATTERY)
    known = coordinator.data[BATTERY]
    later = sandbox.clock.now() + ahead
    body = known.raw | {
        "state": {**known.raw["state"], "level": 11},
        "sync": {"available": True, "lastPulledAt": later.isoformat()},
    }
    fault = sandbox.faults.add(
        method="GET", path=f"/battery/{BATTERY}", kind="json", body=body
    )
    await coordinator.async_read(BATTERY, expedite=True, force=True)
    await done(hass)
    assert _state(hass, LEVEL) == "11"
    now = sandbox.clock.now()
    pulled = coordinator.data[BATTERY].sync.last_pulled_at
    assert abs(pulled - now) < timedelta(minutes=1)
    sandbox.faults.remove(fault)
    sandbox.device(BATTERY).state_override = {"level": 22}
    sandbox.clock.advance(120)
    sandbox.device(BATTERY).capture()
    await coordinator.async_refresh()
    await done(hass)
    assert _state(hass, LEVEL) == "22"


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("seconds", [3600, 86_400])
async def test_energy_over_a_capture_in_the_future(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, seconds: int
) -> None:
    """What flowed is counted from one capture to the next, whatever one says."""
    coordinator = loaded.runtime_data.find(BATTERY)
    sandbox.device(BATTERY).state_override = {"status": "charging", "chargeRate": 6}

    async def _read(after: float) -> float:
        sandbox.clock.advance(after)
        sandbox.device(BATTERY).capture()
        await coordinator.async_read(BATTERY, expedite=True, force=True)
        await done(hass)
        return float(_state(hass, "sensor.powerwall_2_energy_charged_estimate"))

    before = await _read(1)
    sandbox.faults.add(
        method="GET",
        path=f"/battery/{BATTERY}",
        kind="pulled",
        seconds=seconds,
        times=1,
    )
    assert await _read(600) - before == pytest.approx(1, abs=0.02)
    assert await _read(600) - before == pytest.approx(2, abs=0.02)


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("kind", ["pulled", "clock"])
@pytest.mark.parametrize("seconds", [3600, 36_000, 86_400])
@pytest.mark.parametrize("times", [1, None])
async def test_answers_of_the_future(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    kind: str,
    seconds: int,
    times: int | None,
) -> None:
    """One of them, or all: single reads go on, and what they tell is shown."""
    sandbox.faults.add(path="/battery*", kind=kind, seconds=seconds, times=times)
    await loaded.runtime_data.find(BATTERY).async_refresh()
    # Lists tell what was captured before: only single reads bring this.
    sandbox.device(BATTERY).state_override = {"level": 22}
    sandbox.requests.clear()
    await pass_time(20 * 60)
    assert sandbox.requests.reads(BATTERY)
    assert _state(hass, LEVEL) == "22"


@pytest.mark.parametrize("code", ["INVALID_CREDENTIALS", "MFA_REQUIRED"])
async def test_link_after_a_capture_in_the_future(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, code: str
) -> None:
    """A refusal is told, and goes with the next good reading."""
    future = sandbox.faults.add(path="/battery*", kind="pulled", seconds=86_400)
    coordinator = loaded.runtime_data.find(BATTERY)
    await coordinator.async_read(BATTERY, expedite=True, force=True)
    sandbox.faults.remove(future)
    sandbox.clock.advance(120)
    sandbox.device(BATTERY).credentials_refused = code
    with pytest.raises(AmpsDeviceCredentialsError):
        await coordinator.async_read(BATTERY, expedite=True, force=True)
    await done(hass)
    assert _link(hass) is not None
    sandbox.device(BATTERY).credentials_refused = None
    sandbox.clock.advance(120)
    await coordinator.async_read(BATTERY, expedite=True, force=True)
    await done(hass)
    assert _link(hass) is None


@pytest.mark.parametrize(
    ("entity_id", "service", "data", "wanted"),
    [
        ("switch.pulsar_plus", "turn_off", {}, "off"),
        ("number.pulsar_plus_maximum_power", "set_value", {"value": 7}, "7.0"),
    ],
)
async def test_reading_from_before_a_tap(
    hass: HomeAssistant,
    at_once: None,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    entity_id: str,
    service: str,
    data: dict[str, Any],
    wanted: str,
) -> None:
    """It arrives after the tap, and nothing jumps back."""
    coordinator = loaded.runtime_data.find(CHARGER)
    fault = sandbox.faults.add(
        method="GET", path=f"/ev-charger/{CHARGER}", kind="hold_answer", times=1
    )
    slow = hass.async_create_task(
        coordinator.async_read(CHARGER, expedite=True, force=True)
    )
    await fault.reached()
    sandbox.clock.advance(1)
    seen: list[str] = []

    @callback
    def _see(event: Event[EventStateChangedData]) -> None:
        assert event.data["new_state"] is not None
        seen.append(event.data["new_state"].state)

    async_track_state_change_event(hass, entity_id, _see)
    with patch("custom_components.amps_ai.pushes.manager.REST", 0):
        await hass.services.async_call(
            entity_id.partition(".")[0],
            service,
            {"entity_id": entity_id, **data},
            blocking=True,
        )
    assert _state(hass, entity_id) == wanted
    # A newer reading has told that it is so: nothing else is shown any more.
    sandbox.clock.advance(120)
    await coordinator.async_read(CHARGER, expedite=True, force=True)
    assert not loaded.runtime_data.pushes._lanes.of(CHARGER).intents
    fault.release()
    await slow
    await done(hass)
    assert set(seen) == {wanted}


class _Held:
    """A reply that is there, and comes when the test wants it to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.usual = getattr(AmpsClient, name)
        self.has = asyncio.Event()
        self.go = asyncio.Event()
        self.held = False

    def patch(self) -> Any:
        """Hold the first reply."""
        held = self

        async def _late(client: AmpsClient, *args: Any, **kwargs: Any) -> Any:
            found = await held.usual(client, *args, **kwargs)
            if not held.held:
                held.held = True
                held.has.set()
                await held.go.wait()
            return found

        return patch.object(AmpsClient, self.name, _late)


@pytest.mark.parametrize("later", [120, 0])
async def test_reading_that_is_overtaken(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, later: int
) -> None:
    """What was captured earlier, or else asked for, never wins, whenever it comes."""
    coordinator = loaded.runtime_data.find(BATTERY)
    sandbox.device(BATTERY).state_override = {"level": 11}
    sandbox.clock.advance(120)
    held = _Held("async_get_device")
    with held.patch():
        slow = hass.async_create_task(
            coordinator.async_read(BATTERY, expedite=True, force=True)
        )
        await held.has.wait()
        sandbox.device(BATTERY).state_override = {"level": 22}
        sandbox.clock.advance(later)
        await coordinator.async_read(BATTERY, expedite=True, force=True)
        held.go.set()
        await slow
    await done(hass)
    assert _state(hass, LEVEL) == "22"


async def test_list_that_is_overtaken(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A list that was asked for before a single read takes no details away."""
    coordinator = loaded.runtime_data.find(BATTERY)
    sandbox.device(BATTERY).state_override = {"level": 11}
    sandbox.clock.advance(120)
    sandbox.device(BATTERY).capture()
    held = _Held("async_list_devices")
    with held.patch():
        slow = hass.async_create_task(coordinator.async_refresh())
        await held.has.wait()
        sandbox.device(BATTERY).state_override = {"level": 22}
        sandbox.clock.advance(120)
        read = await coordinator.async_read(BATTERY, expedite=True, force=True)
        held.go.set()
        await slow
    await done(hass)
    assert coordinator.data[BATTERY] is read
    assert _state(hass, LEVEL) == "22"


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=365)])
async def test_disconnected_in_the_future(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, ahead: timedelta
) -> None:
    """The question goes with the next good reading, whatever time it named."""
    runtime = loaded.runtime_data
    coordinator = runtime.find(BATTERY)
    runtime.links.async_told(
        coordinator.data[BATTERY],
        DeviceDisconnected(
            device_id=BATTERY,
            device_type=DeviceType.BATTERY,
            at=sandbox.clock.now() + ahead,
            reconnection_url=None,
        ),
    )
    await done(hass)
    assert _link(hass) is not None
    sandbox.clock.advance(120)
    await coordinator.async_read(BATTERY, expedite=True, force=True)
    await done(hass)
    assert _link(hass) is None


@pytest.mark.parametrize("disable", ["device", "entities"])
@pytest.mark.parametrize("settings_in_list", [False, True])
async def test_disabled_device_is_not_read(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    disable: str,
    settings_in_list: bool,
) -> None:
    """What nobody looks at, is not asked of the manufacturer."""
    sandbox.home.settings_in_list = settings_in_list
    device_id = registered(hass, BATTERY)
    if disable == "device":
        dr.async_get(hass).async_update_device(
            device_id, disabled_by=dr.DeviceEntryDisabler.USER
        )
    else:
        registry = er.async_get(hass)
        for item in er.async_entries_for_device(registry, device_id):
            registry.async_update_entity(
                item.entity_id, disabled_by=er.RegistryEntryDisabler.USER
            )
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    sandbox.requests.clear()
    await pass_time(40 * 60)
    assert not sandbox.requests.reads(BATTERY)
    assert sandbox.requests.reads(CHARGER)


@pytest.mark.parametrize(
    ("service", "data"),
    [
        (
            "select.select_option",
            {"entity_id": "select.powerwall_2_mode", "option": "charge"},
        ),
        ("button.press", {"entity_id": "button.powerwall_2_refresh"}),
    ],
)
async def test_key_that_ends_is_no_lost_link(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    service: str,
    data: dict[str, Any],
) -> None:
    """A tap or *Refresh* meets it first: the list knows better who is to blame."""
    links = async_capture_events(hass, EVENT_LINK)
    sandbox.accounts[TEST_KEY].expired = True
    sandbox.faults.add(code="INVALID_API_KEY", status=401)
    sandbox.clock.advance(120)
    domain, _, name = service.partition(".")
    with pytest.raises(HomeAssistantError) as caught:
        await hass.services.async_call(domain, name, data, blocking=True)
    await done(hass)
    assert caught.value.translation_key == "invalid_auth"
    assert _link(hass) is None
    assert not links
    assert list(loaded.async_get_active_flows(hass, {"reauth"}))


async def test_many_webhooks_of_one_device(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """The same news, told hundreds of times, is looked after once."""
    runtime = loaded.runtime_data
    device: Device = runtime.find(BATTERY).data[BATTERY]
    sandbox.requests.clear()
    for second in range(200):
        runtime.links.async_told(
            device,
            DeviceConnected(
                device_id=BATTERY,
                device_type=DeviceType.BATTERY,
                at=sandbox.clock.now() + timedelta(milliseconds=second),
            ),
        )
        runtime.schedule.async_changed(device)
    await asyncio.gather(
        *(runtime.pushes._lanes.async_read_back(device) for _ in range(200))
    )
    await done(hass)
    assert len(sandbox.requests.reads(BATTERY)) <= 4
    assert len(sandbox.requests.of("GET", "/actions")) <= 2


CALLS: list[tuple[str, str, dict[str, Any]]] = [
    (BATTERY, "charge", {}),
    (BATTERY, "discharge", {}),
    (BATTERY, "send_command", {"command": "idle"}),
    (BATTERY, "update_settings", {"settings": {"safety_reserve": 20}}),
    (HVAC, "hold_temperature", {"mode": "heat", "target": 20}),
]


@pytest.mark.parametrize(("steered", "action", "data"), CALLS)
async def test_who_may_only_look(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_read_only_user: User,
    steered: str,
    action: str,
    data: dict[str, Any],
) -> None:
    """A user who may only read carries nothing out, and may look."""
    context = Context(user_id=hass_read_only_user.id)
    device_id = registered(hass, steered)
    sandbox.requests.clear()
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            action,
            {"device_id": device_id, **data},
            blocking=True,
            context=context,
        )
    assert not sandbox.requests.pushes()
    assert not sandbox.requests.settings()
    found = await hass.services.async_call(
        DOMAIN,
        "list_actions",
        {"device_id": device_id},
        blocking=True,
        return_response=True,
        context=context,
    )
    assert found == {"actions": []}


@pytest.mark.usefixtures("in_berlin")
async def test_cancel_of_one_who_may_only_look(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_read_only_user: User,
) -> None:
    """What others planned is not theirs to cancel."""
    response = await hass.services.async_call(
        DOMAIN,
        "charge",
        {"device_id": registered(hass, BATTERY), "delay": {"hours": 2}},
        blocking=True,
        return_response=True,
    )
    planned: Any = response
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "cancel_action",
            {
                "device_id": registered(hass, BATTERY),
                "action_id": planned["action"]["id"],
            },
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert not sandbox.requests.of("POST", "/actions/*/cancel")


async def test_event_that_is_fired_by_hand(
    hass: HomeAssistant, loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever somebody fires, nobody stumbles over it."""
    for data in ({}, {"action_id": 7, "device_id": []}, {"state": "completed"}):
        hass.bus.async_fire("amps_ai_action", data)
    await done(hass)
    assert not [item for item in caplog.records if item.levelname == "ERROR"]
    assert _state(hass, LEVEL) != STATE_UNAVAILABLE
