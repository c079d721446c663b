"""Taps that have their turn one after the other."""

import asyncio
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from custom_components.amps_ai.api.clock import mark
from custom_components.amps_ai.pushes import order
from custom_components.amps_ai.pushes.lane import Intent, Turn

from .battery import Battery
from .helpers import done

UNEXPECTED = "Unexpected error of a tap"


@pytest.mark.parametrize(
    ("rest", "restless_for", "left"), [(1, 0, 1), (1, 2.25, 0.75), (2, 0.5, 2)]
)
async def test_slider_that_rests(
    battery: Battery,
    monkeypatch: pytest.MonkeyPatch,
    rest: float,
    restless_for: float,
    left: float,
) -> None:
    """It is sent once it rests, or has not rested for three seconds."""
    slept: list[float] = []

    async def _sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("custom_components.amps_ai.api.clock.monotonic", lambda: 1024.0)
    battery.lane.restless["reserve"] = mark() - restless_for
    with patch.object(order, "asyncio", SimpleNamespace(sleep=_sleep)):
        await battery.pushes._order._async_rest(battery.lane, "reserve", rest)
    assert slept == [left]


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_tap_that_fails_oddly_after_its_call(
    battery: Battery, caplog: pytest.LogCaptureFixture, is_cancelled: bool
) -> None:
    """What nobody expected is told in the log; an end that was meant is none."""
    go_on = asyncio.Event()
    running: list[asyncio.Task[object]] = []

    async def _send(turn: Turn) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.append(task)
        turn.async_park()
        # Whoever waits twice, is no trouble.
        turn.async_park()
        await go_on.wait()
        raise ValueError("odd")

    with patch.object(order, "CONTROL_WAIT", 0.01):
        await battery.pushes._order.async_take(
            battery.device, Intent("mode", {"current_mode": "idle"}, "idle"), _send
        )
    assert battery.lane.intents
    if is_cancelled:
        running[0].cancel()
    go_on.set()
    await done(battery.hass)
    assert (UNEXPECTED in caplog.text) is not is_cancelled
    assert not battery.lane.intents
    assert not battery.lane.newest
