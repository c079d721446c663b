"""The switch of a charger shows permission, not what is drawn."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import ATTR_ENTITY_ID, STATE_OFF, STATE_ON, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    mock_restore_cache_with_extra_data,
)

from custom_components.amps_ai.api import DeviceType, Push
from sandbox import REMOVE, Sandbox
from tests.conftest import NOON

from .helpers import done, set_up

CHARGER = "device_ev_001"
SWITCH = "switch.pulsar_plus"

pytestmark = pytest.mark.usefixtures("at_once")

_FULL = {
    "status": "finished",
    "isConnected": True,
    "isCharging": False,
    "currentPower": 0,
}
_EMPTY = _FULL | {"status": "available", "isConnected": False}


@pytest.fixture(autouse=True)
def noon(freezer: FrozenDateTimeFactory) -> None:
    """Let it be noon here as it is in the sandbox."""
    freezer.move_to(NOON)


def _shown(hass: HomeAssistant) -> str:
    state = hass.states.get(SWITCH)
    assert state is not None
    return state.state


async def _turn(hass: HomeAssistant, service: str) -> None:
    await hass.services.async_call(
        "switch", service, {ATTR_ENTITY_ID: SWITCH}, blocking=True
    )
    await done(hass)


async def _pass(
    hass: HomeAssistant, sandbox: Sandbox, freezer: FrozenDateTimeFactory, **time: int
) -> None:
    """Let time pass, and read the charger then."""
    sandbox.clock.advance(timedelta(**time).total_seconds())
    freezer.tick(timedelta(**time))
    async_fire_time_changed(hass)
    await done(hass)
    await _read(hass)


async def _read(hass: HomeAssistant) -> None:
    (entry,) = hass.config_entries.async_entries("amps_ai")
    coordinator = entry.runtime_data.coordinators[DeviceType.EV_CHARGER]
    await coordinator.async_read(CHARGER, expedite=True, force=True)
    await done(hass)


async def _sent_elsewhere(hass: HomeAssistant, command: str) -> None:
    (entry,) = hass.config_entries.async_entries("amps_ai")
    runtime = entry.runtime_data
    device = runtime.coordinators[DeviceType.EV_CHARGER].data[CHARGER]
    await runtime.account.client.async_push(device, Push(command=command))
    await _read(hass)


def _commands(sandbox: Sandbox) -> list[str]:
    return [
        record.body["action"]["command"] for record in sandbox.requests.pushes(CHARGER)
    ]


async def test_full_car_leaves_it_on(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """On stays on with a car that is full, and off is off again."""
    sandbox.device(CHARGER).state_override = _FULL
    assert await set_up(hass, entry)
    assert _shown(hass) == STATE_OFF
    await _turn(hass, "turn_on")
    for _ in range(4):
        assert _shown(hass) == STATE_ON
        charging = hass.states.get("binary_sensor.pulsar_plus_charging")
        assert charging is not None
        assert charging.state == STATE_OFF
        await _pass(hass, sandbox, freezer, minutes=2)
    await _turn(hass, "turn_off")
    await _pass(hass, sandbox, freezer, minutes=4)
    assert _shown(hass) == STATE_OFF
    assert _commands(sandbox) == ["charge", "idle"]


async def test_whoever_sent_it(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The newest command that was carried out counts, from elsewhere too."""
    device = sandbox.device(CHARGER)
    device.state_override = _FULL
    assert await set_up(hass, entry)
    await _pass(hass, sandbox, freezer, minutes=1)
    await _sent_elsewhere(hass, "charge")
    assert _shown(hass) == STATE_ON
    await _pass(hass, sandbox, freezer, minutes=1)
    await _sent_elsewhere(hass, "idle")
    assert _shown(hass) == STATE_OFF
    # One that failed allows nothing, and takes nothing away.
    await _pass(hass, sandbox, freezer, minutes=1)
    device.next_action("failed", code="TIMEOUT")
    await _sent_elsewhere(hass, "charge")
    assert _shown(hass) == STATE_OFF


async def test_unplugging_turns_it_off_and_plugging_in_on(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Permission is for a car that is there; the standing command stays."""
    device = sandbox.device(CHARGER)
    device.state_override = _FULL
    assert await set_up(hass, entry)
    await _turn(hass, "turn_on")
    for state, shown in ((_EMPTY, STATE_OFF), (_FULL, STATE_ON)):
        device.state_override = state
        await _pass(hass, sandbox, freezer, minutes=4)
        assert _shown(hass) == shown
    assert _commands(sandbox) == ["charge"]


async def test_what_draws_is_on(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A charger that charges shows so, whatever it was told."""
    device = sandbox.device(CHARGER)
    device.state_override = _FULL
    assert await set_up(hass, entry)
    await _turn(hass, "turn_off")
    device.state_override = _FULL | {"isCharging": True, "status": "charging"}
    await _pass(hass, sandbox, freezer, minutes=4)
    assert _shown(hass) == STATE_ON


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("finished", STATE_ON),
        ("paused", STATE_ON),
        ("available", STATE_OFF),
        ("strange", STATE_OFF),
    ],
)
async def test_status_tells_of_the_plug(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    status: str,
    shown: str,
) -> None:
    """A charger that does not tell of its plug tells by its status."""
    device = sandbox.device(CHARGER)
    device.state_override = _FULL | {"isConnected": REMOVE, "status": "connected"}
    assert await set_up(hass, entry)
    await _turn(hass, "turn_on")
    device.state_override = _FULL | {"isConnected": REMOVE, "status": status}
    await _pass(hass, sandbox, freezer, minutes=4)
    assert _shown(hass) == shown


async def test_nothing_is_known(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """Where neither charging nor a command is known, nor is the switch."""
    sandbox.device(CHARGER).state_override = _FULL | {"isCharging": None}
    assert await set_up(hass, entry)
    assert _shown(hass) == STATE_UNKNOWN


async def test_window_is_over(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What was allowed for a while is taken back at its end."""
    device = sandbox.device(CHARGER)
    device.state_override = _FULL
    # Nothing is restored but what is standing.
    until = dt_util.utcnow() + timedelta(minutes=30)
    _restore(hass, {"charges": True, "since": None, "until": until.isoformat()})
    assert await set_up(hass, entry)
    assert _shown(hass) == STATE_ON
    await _pass(hass, sandbox, freezer, minutes=31)
    device.state_override = _FULL | {"status": "paused"}
    await _pass(hass, sandbox, freezer, minutes=1)
    assert _shown(hass) == STATE_OFF


def _restore(hass: HomeAssistant, stored: dict[str, Any]) -> None:
    mock_restore_cache_with_extra_data(hass, [(State(SWITCH, STATE_ON), stored)])


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ({"charges": True, "since": "2026-06-01T10:00:00+00:00"}, STATE_ON),
        ({"charges": False, "since": "2026-06-01T10:00:00+00:00"}, STATE_OFF),
        ({"charges": "yes", "since": 7, "until": []}, STATE_OFF),
        ({}, STATE_OFF),
    ],
)
async def test_over_a_restart(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    stored: dict[str, Any],
    shown: str,
) -> None:
    """The standing command is kept, as the device may tell another one last."""
    sandbox.device(CHARGER).state_override = _FULL
    _restore(hass, stored)
    assert await set_up(hass, entry)
    assert _shown(hass) == shown


async def test_is_kept_over_a_reload(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """A reload forgets nothing."""
    sandbox.device(CHARGER).state_override = _FULL
    assert await set_up(hass, entry)
    await _turn(hass, "turn_on")
    assert await hass.config_entries.async_reload(entry.entry_id)
    await done(hass)
    assert _shown(hass) == STATE_ON


async def test_on_without_a_car_is_refused(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
) -> None:
    """It is looked again, and then said in words; off always goes."""
    sandbox.device(CHARGER).state_override = _EMPTY
    assert await set_up(hass, entry)
    sandbox.requests.clear()
    with pytest.raises(ServiceValidationError) as caught:
        await _turn(hass, "turn_on")
    assert caught.value.translation_key == "nothing_plugged_in"
    assert str(caught.value).startswith("Pulsar Plus: no car is plugged in")
    assert [read.query for read in sandbox.requests.reads(CHARGER)] == [
        {"expedite": "true"}
    ]
    assert _commands(sandbox) == []
    assert _shown(hass) == STATE_OFF
    await _turn(hass, "turn_off")
    assert _commands(sandbox) == ["idle"]


async def test_car_that_came_since_the_last_reading(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
) -> None:
    """A car that was just plugged in is found, not refused."""
    device = sandbox.device(CHARGER)
    device.state_override = _EMPTY
    assert await set_up(hass, entry)
    device.state_override = _FULL
    sandbox.clock.advance(61)
    await _turn(hass, "turn_on")
    assert _commands(sandbox) == ["charge"]
    assert _shown(hass) == STATE_ON


async def test_on_where_nobody_can_look(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
) -> None:
    """Where the look fails, the charger decides."""
    device = sandbox.device(CHARGER)
    device.state_override = _EMPTY
    assert await set_up(hass, entry)
    sandbox.faults.add(
        path=f"/ev-charger/{CHARGER}", method="GET", code="INTERNAL_ERROR", times=1
    )
    await _turn(hass, "turn_on")
    assert _commands(sandbox) == ["charge"]
