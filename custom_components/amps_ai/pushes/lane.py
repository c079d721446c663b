"""Lanes: what is under way for each device of an account."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from homeassistant.core import CALLBACK_TYPE, Context, callback

from ..account import AmpsAccount
from ..api import Action, AmpsError, Device
from ..common.const import LOGGER
from ..common.listeners import Listeners
from ..readings import AmpsCoordinator, Coordinators, Ends
from ..readings.ends import DeviceEnds


@dataclass(slots=True, eq=False, repr=False)
class Intent:
    """What a control shows until a reading can know of it.

    `changes` are fields of the device's state, by name.
    """

    control: str
    changes: Mapping[str, Any]
    # The command that was sent for it; a setting, which is told by single reads
    # only, has none.
    command: str | None = None
    # What it replaced, to go back to if this one comes to nothing.
    previous: Intent | None = None
    over: bool = False
    stop: list[CALLBACK_TYPE] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Turn:
    """One tap's turn: whether it counts still, and whether it has to wait."""

    lane: Lane
    control: str
    parked: asyncio.Future[None]

    def is_replaced(self) -> bool:
        """Tell whether a newer tap of the same control replaced this one."""
        return self.lane.newest.get(self.control) is not self

    @callback
    def async_park(self) -> None:
        """Take note that this takes longer than a call should."""
        if not self.parked.done():
            self.parked.set_result(None)


@dataclass(slots=True, eq=False, repr=False)
class Followed:
    """An action that is followed: its end as a webhook tells it, and as known."""

    told: asyncio.Future[Action]
    ended: asyncio.Future[Action | None]
    # As last asked for.
    action: Action


@dataclass(slots=True, eq=False, repr=False)
class Lane:
    """What is under way for one device."""

    ends: DeviceEnds
    order: asyncio.Lock = field(default_factory=asyncio.Lock)
    # The newest tap of each control; older ones that still wait are dropped.
    newest: dict[str, Turn] = field(default_factory=dict)
    # Since when a control has not rested; marks of the clock.
    restless: dict[str, float] = field(default_factory=dict)
    intents: dict[str, Intent] = field(default_factory=dict)
    following: dict[str, Followed] = field(default_factory=dict)
    # Ends that webhooks told; one can come before the reply to its push.
    told: deque[Action] = field(default_factory=lambda: deque(maxlen=20))
    # Timers of actions that begin, or end, later.
    later: dict[str, list[CALLBACK_TYPE]] = field(default_factory=dict)
    # Ids of actions that were sent from here and had not ended when their call
    # returned: nobody hears of their failure by that.
    unheard: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    # Whether an action waits for another one to end.
    queued: bool = False
    latest: Action | None = None
    # Held while the device is read back; and whether somebody waits for that.
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_read_wanted: bool = False
    # Of the newest end that was told: what it changes is known to come of it.
    told_in: Context = field(default_factory=Context)

    @callback
    def async_stop_later(self, action_id: str) -> None:
        """Stop the timers of an action."""
        for stop in self.later.pop(action_id, ()):
            stop()

    @callback
    def async_stop(self) -> None:
        """Stop all timers and listeners."""
        for newest in self.intents.values():
            intent: Intent | None = newest
            while intent is not None:
                for stop in intent.stop:
                    stop()
                intent.stop.clear()
                intent = intent.previous
        self.intents.clear()
        for action_id in tuple(self.later):
            self.async_stop_later(action_id)

    def as_dict(self) -> dict[str, Any]:
        """Return what is under way, for diagnostics."""
        return {
            "latest": self.latest.as_record() if self.latest else None,
            "ended": dict(self.ends.told),
            "following": sorted(self.following),
            "later": sorted(self.later),
            "shown": {
                control: dict(intent.changes)
                for control, intent in self.intents.items()
            },
            "waiting": sorted(self.newest),
        }


class Lanes:
    """The lanes of an account's devices, and what all who work on them need."""

    def __init__(
        self, account: AmpsAccount, coordinators: Coordinators, ends: Ends
    ) -> None:
        """Begin with nothing under way."""
        self.hass = account.hass
        self.account = account
        self.coordinators = coordinators
        self._ends = ends
        self._lanes: dict[str, Lane] = {}
        # Who hears of the ends of a device's actions. Every control does; most
        # devices have nothing under way, and no lane.
        self._listeners: dict[str, Listeners[Action]] = {}

    def of(self, device_id: str) -> Lane:
        """Return the lane of a device."""
        if (lane := self._lanes.get(device_id)) is None:
            lane = self._lanes[device_id] = Lane(self._ends.of(device_id))
        return lane

    def ends(self, device_id: str) -> DeviceEnds:
        """Return what is known of the ends of a device's actions."""
        return self._ends.of(device_id)

    def listeners(self, device_id: str) -> Listeners[Action]:
        """Return who hears of the ends of a device's actions."""
        if (found := self._listeners.get(device_id)) is None:
            found = self._listeners[device_id] = Listeners()
        return found

    def is_known(self, device_id: str) -> bool:
        """Tell whether anything is, or was before a restart, under way."""
        return device_id in self._ends

    def get(self, device_id: str) -> Lane | None:
        """Return the lane of a device, if anything was ever under way for it."""
        return self._lanes.get(device_id)

    def coordinator(self, device: Device) -> AmpsCoordinator:
        """Return the coordinator of a device's type."""
        return self.coordinators[device.type]

    @callback
    def async_read_soon(self, device: Device) -> None:
        """Read a device back in the background."""
        self.account.entry.async_create_background_task(
            self.hass,
            self.async_read_back(device),
            name=f"Amps AI read of {device.id}",
        )

    async def async_read_back(self, device: Device) -> None:
        """Read a device after something was pushed to it.

        Many who want that at once have it read once more, not as often.
        """
        coordinator = self.coordinator(device)
        lane = self.of(device.id)
        if lane.is_read_wanted:
            return
        lane.is_read_wanted = True
        coordinator.async_hurry()
        async with lane.reading:
            lane.is_read_wanted = False
            await self._async_read(coordinator, device)

    async def _async_read(self, coordinator: AmpsCoordinator, device: Device) -> None:
        try:
            if device.id in coordinator.data:
                await coordinator.async_read(device.id, expedite=True, force=True)
        except AmpsError as err:
            LOGGER.debug("Reading %s back failed: %s", device.id, err)

    @callback
    def async_forget(self, device_id: str) -> None:
        """Forget a device that is gone."""
        self._ends.async_forget(device_id)
        self._listeners.pop(device_id, None)
        if (lane := self._lanes.pop(device_id, None)) is not None:
            lane.async_stop()

    @callback
    def async_stop(self) -> None:
        """Stop all timers and listeners."""
        for lane in self._lanes.values():
            lane.async_stop()
