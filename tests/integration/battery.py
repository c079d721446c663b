"""A battery of a real account, for tests that look at one of the integration's parts."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Event, HassJob, HomeAssistant
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.amps_ai.api import Action, Device, DeviceType
from custom_components.amps_ai.common.const import EVENT_ACTION
from sandbox import Sandbox

from .helpers import done

BATTERY: Final = "device_battery_001"


class Battery:
    """The battery, what is known of it, and what becomes of its commands."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: MockConfigEntry,
        sandbox: Sandbox,
        freezer: FrozenDateTimeFactory,
    ) -> None:
        """Hear of all ends from now on."""
        self.hass, self.sandbox, self._freezer = hass, sandbox, freezer
        self.pushes = entry.runtime_data.pushes
        self.account = entry.runtime_data.account
        self.coordinator = entry.runtime_data.coordinators[DeviceType.BATTERY]
        self.follower = self.pushes.follower
        self._ends: list[Event[Any]] = async_capture_events(hass, EVENT_ACTION)

    @property
    def device(self) -> Device:
        """Return it as last read."""
        device: Device = self.coordinator.data[BATTERY]
        return device

    @property
    def lane(self) -> Any:
        """Return what is under way for it."""
        return self.pushes._lanes.of(BATTERY)

    @property
    def now(self) -> datetime:
        """Return what time it is for the API."""
        now: datetime = self.account.clock.now()
        return now

    @property
    def told(self) -> list[tuple[str, str]]:
        """Return which ends were told."""
        return [(end.data["action_id"], end.data["state"]) for end in self._ends]

    @property
    def commands(self) -> list[str | None]:
        """Return the commands whose ends were told."""
        return [end.data["command"] for end in self._ends]

    def telling(self, told: Action | None) -> Device:
        """Return it as it is when it tells of this as its last command."""
        return replace(self.device, last_action=told)

    def asked(self, path: str) -> int:
        """Return how often something was asked for."""
        return len(self.sandbox.requests.of("GET", path))

    async def go(self, seconds: float) -> None:
        """Let time pass, and what is due then begin."""
        self._freezer.tick(seconds)
        self.sandbox.clock.advance(seconds)
        async_fire_time_changed(self.hass)
        await self.hass.async_block_till_done()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(60):
            while not is_so():
                await asyncio.sleep(0)

    async def end(self, ended: Action) -> None:
        """Have a webhook tell an end, and wait until nobody has anything to do."""
        await self.follower.async_take_end(self.device, ended)
        await done(self.hass)


class Timers:
    """Stand in for `async_call_later`: what is to be done later, a test does."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self.waits: list[float | timedelta] = []
        self.stopped = 0
        self._jobs: list[HassJob[[datetime], None]] = []

    def __call__(
        self,
        _hass: HomeAssistant,
        delay: float | timedelta,
        job: HassJob[[datetime], None],
    ) -> Callable[[], None]:
        """Take note of it."""
        self.waits.append(delay)
        self._jobs.append(job)
        return self._stop

    def _stop(self) -> None:
        self.stopped += 1

    def fire(self, number: int) -> None:
        """Let the time of one come."""
        self._jobs[number].target(datetime.now().astimezone())
