"""What a control shows of taps that no reading can know of yet."""

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.amps_ai.api import Device
from custom_components.amps_ai.pushes import intents as module
from custom_components.amps_ai.pushes.lane import Intent

from .battery import BATTERY, Battery, Timers
from .helpers import done

MODE = "mode"
ENTITY = "select.powerwall_2_mode"

pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.fixture
def timers() -> Generator[Timers]:
    """Let nothing be done later by itself."""
    stand_in = Timers()
    with patch.object(module, "async_call_later", stand_in):
        yield stand_in


def _begin(battery: Battery, command: str | None = "charge", **changes: Any) -> Intent:
    """Let a tap be shown."""
    tap = Intent(MODE, changes, command)
    battery.pushes.intents.async_begin(battery.device, tap)
    return tap


def _end(battery: Battery, tap: Intent) -> None:
    battery.pushes.intents.async_end(battery.device, tap)


def _await(battery: Battery, tap: Intent, since: datetime | None = None) -> bool:
    awaits: bool = battery.pushes.intents.async_await_reading(
        battery.device, tap, since
    )
    return awaits


def _shown(battery: Battery) -> Any:
    device: Device = battery.pushes.intents.async_shown(battery.device, MODE)
    return device.state


def _mode(battery: Battery) -> str:
    state = battery.hass.states.get(ENTITY)
    assert state is not None
    return state.state


async def test_what_goes_on_to_be_shown(battery: Battery) -> None:
    """Taps of one command add to each other; another one takes them back."""
    intended = battery.pushes.intents.async_intended
    assert _shown(battery) is battery.device.state
    assert intended(BATTERY, MODE, "level") is None
    _begin(battery, level=5.0, current_mode="charge")
    _begin(battery, level=7.0)
    assert (_shown(battery).level, _shown(battery).current_mode) == (7.0, "charge")
    assert intended(BATTERY, MODE, "level") == 7.0
    assert intended(BATTERY, MODE, "capacity") is None
    assert intended(BATTERY, "other", "level") is None
    _begin(battery, "idle", current_mode="idle")
    assert _shown(battery).level == battery.device.state.level
    assert intended(BATTERY, MODE, "level") is None


async def test_taps_that_come_to_nothing(battery: Battery) -> None:
    """What was wanted before is shown again, unless that came to nothing as well."""
    before = _mode(battery)
    first, second, third = (
        _begin(battery, name, current_mode=name)
        for name in ("charge", "discharge", "idle")
    )
    assert _mode(battery) == "idle"
    _end(battery, second)
    assert _mode(battery) == "idle"
    _end(battery, third)
    assert _mode(battery) == "charge"
    _end(battery, first)
    assert _mode(battery) == before
    assert not battery.lane.intents


async def test_reading_that_counts(battery: Battery, timers: Timers) -> None:
    """It was captured after the end; one of the same moment can be of before it."""
    before = _mode(battery)
    await battery.go(61)
    tap = _begin(battery, current_mode="idle")
    assert _await(battery, tap, battery.now)
    assert timers.waits == [timedelta(minutes=3), timedelta(minutes=1, seconds=1)]
    await battery.coordinator.async_read(BATTERY, expedite=True, force=True)
    assert battery.coordinator.async_pulled_at(BATTERY) == battery.now
    assert _mode(battery) == "idle"
    await battery.go(61)
    # The API's cache is over.
    timers.fire(1)
    await done(battery.hass)
    assert _mode(battery) == before
    assert not battery.lane.intents
    assert timers.stopped == 2


async def test_no_reading_that_counts(battery: Battery, timers: Timers) -> None:
    """Three minutes on, whatever was read is shown."""
    before = _mode(battery)
    tap = _begin(battery, current_mode="idle")
    assert _await(battery, tap)
    timers.fire(0)
    assert _mode(battery) == before


@pytest.mark.parametrize("command", ["charge", None])
async def test_list_that_tells_of_a_capture(
    battery: Battery, timers: Timers, command: str | None
) -> None:
    """It tells what a command did, and nothing of a setting."""
    tap = _begin(battery, command, current_mode="idle")
    assert _await(battery, tap)
    await battery.go(61)
    # Somebody else has it captured.
    await battery.account.client.async_get_device(
        battery.device.type, BATTERY, known=battery.device, expedite=True
    )
    await battery.coordinator.async_refresh()
    assert battery.coordinator.async_pulled_at(BATTERY) == battery.now
    assert tap.over is (command is not None)
    await battery.go(61)
    await battery.coordinator.async_read(BATTERY, expedite=True)
    assert tap.over


async def test_tap_that_is_not_shown_any_more(battery: Battery, timers: Timers) -> None:
    """There is nothing to wait for, and nothing to go back to."""
    before = _mode(battery)
    first = _begin(battery, "charge", current_mode="charge")
    second = _begin(battery, "idle", current_mode="idle")
    assert not _await(battery, first)
    assert first.over
    assert not timers.waits
    assert _mode(battery) == "idle"
    _end(battery, second)
    assert _mode(battery) == before


async def test_taps_before_one_that_was_carried_out(
    battery: Battery, timers: Timers
) -> None:
    """Whatever becomes of them, they are history."""
    before = _mode(battery)
    taps = [
        _begin(battery, name, current_mode=name)
        for name in ("charge", "discharge", "idle")
    ]
    assert _await(battery, taps[2])
    assert [tap.over for tap in taps] == [True, True, False]
    assert taps[2].previous is None
    _end(battery, taps[2])
    assert _mode(battery) == before


async def test_nothing_is_left_of_them(battery: Battery, timers: Timers) -> None:
    """The end of an entry stops what waits, also for those that are not shown."""
    first = _begin(battery, "charge", current_mode="charge")
    assert _await(battery, first)
    second = _begin(battery, "idle", current_mode="idle")
    battery.pushes.async_stop()
    assert timers.stopped == len(timers.waits) == 2
    assert not battery.lane.intents
    assert not first.stop
    assert not second.stop
