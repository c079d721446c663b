"""Seeking: what became of actions that nobody follows any more."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HassJob, callback
from homeassistant.helpers.event import async_call_later

from ..api import Action, ActionState, AmpsDeviceNotFoundError, AmpsError, Device
from ..api.clock import mark, passed
from ..common.const import LOGGER
from .lane import Lane, Lanes

# Between two rounds, which doubles up to the longest; a round that was in vain
# cost one request, and the account can answer again at any time.
_FIRST: Final = timedelta(minutes=1)
_LONGEST: Final = timedelta(minutes=15)
_LONGEST_IN_VAIN: Final = timedelta(minutes=5)
# What has not ended after so long a time, nobody waits for.
_GIVEN_UP: Final = timedelta(days=1)
# Of many actions, so many are asked for at once, and then with a pause.
_AT_ONCE: Final = 20
_PAUSE: Final = 0.5


class Seeker:
    """Find out how actions ended, seldom and one after the other."""

    def __init__(self, lanes: Lanes, found: Callable[[Device, Action], None]) -> None:
        """Begin with nothing to seek; `found` takes what is to be done with it."""
        self._lanes = lanes
        self._limits = lanes.account.limits
        self._found = found
        # By device and action: since when it was lost, a mark of the clock; None
        # where nobody knows yet whether it can be followed.
        self._sought: dict[str, dict[str, float | None]] = {}
        # Of them, what is to be asked for in this round.
        self._due: dict[str, dict[str, None]] = {}
        self._asked = 0
        self._is_working = False
        self._wait = _FIRST
        self._stop_timer: CALLBACK_TYPE | None = None

    @callback
    def async_look_after(self, device: Device, action_ids: Iterable[str]) -> None:
        """Find out at once what became of actions; what is open can be followed."""
        for action_id in action_ids:
            self._sought.setdefault(device.id, {}).setdefault(action_id, None)
            self._due.setdefault(device.id, {})[action_id] = None
        self._wait = _FIRST
        self._begin()

    @callback
    def async_lost(self, device: Device, action_id: str) -> None:
        """Find out bit by bit what became of an action that was lost sight of."""
        self._sought.setdefault(device.id, {})[action_id] = mark()
        self._wait = _FIRST
        self._set_timer()

    @callback
    def async_stop(self) -> None:
        """Seek no more; the next run knows what is open."""
        self._sought.clear()
        self._due.clear()
        self._end_timer()

    # Rounds

    @callback
    def _begin(self, _now: datetime | None = None) -> None:
        self._end_timer()
        if self._is_working or self._lanes.account.has_ended():
            return
        self._is_working = True
        self._lanes.account.entry.async_create_background_task(
            self._lanes.hass, self._async_round(), name="Amps AI ends"
        )

    @callback
    def _begin_with_all(self, _now: datetime) -> None:
        for device_id, sought in self._sought.items():
            self._due.setdefault(device_id, {}).update(dict.fromkeys(sought))
        self._begin()

    async def _async_round(self) -> None:
        """Ask for what is due, up to the first that is in vain."""
        self._asked = 0
        answered = True
        try:
            while self._due and answered and self._limits.is_open:
                device_id = next(iter(self._due))
                answered = await self._async_seek(device_id, self._due.pop(device_id))
        finally:
            self._is_working = False
        self._due.clear()
        if self._asked:
            longest = _LONGEST if answered else _LONGEST_IN_VAIN
            self._wait = min(self._wait * 2, longest)
        self._set_timer()

    @callback
    def _set_timer(self) -> None:
        """Plan the next round, if there is anything to seek."""
        self._end_timer()
        if self._sought and not self._is_working:
            self._stop_timer = async_call_later(
                self._lanes.hass,
                max(self._wait.total_seconds(), self._limits.remaining),
                HassJob(self._begin_with_all, cancel_on_shutdown=True),
            )

    @callback
    def _end_timer(self) -> None:
        if self._stop_timer is not None:
            self._stop_timer()
            self._stop_timer = None

    # One device

    async def _async_seek(self, device_id: str, action_ids: Iterable[str]) -> bool:
        """Ask for the actions of a device; tell whether that was answered."""
        device = self._lanes.coordinators.device(device_id)
        if device is None:
            # It is gone, and with it all that was under way.
            self._sought.pop(device_id, None)
            return True
        lane = self._lanes.of(device_id)
        has_ended = False
        for action_id in action_ids:
            if self._asked >= _AT_ONCE:
                await asyncio.sleep(_PAUSE)
            if self._is_settled(lane, device_id, action_id):
                self._drop(device_id, action_id)
                continue
            self._asked += 1
            try:
                action = await self._lanes.account.client.async_get_action(action_id)
            except AmpsDeviceNotFoundError:
                lane.ends.async_lose(action_id)
                self._drop(device_id, action_id)
                continue
            except AmpsError as err:
                self._limits.refused(err)
                LOGGER.debug("Reading action %s failed: %s", action_id, err)
                # The next round begins with others: it may be this one's trouble.
                sought = self._sought.pop(device_id, {})
                sought[action_id] = sought.pop(action_id, None)
                self._sought[device_id] = sought
                return False
            if action.is_final:
                has_ended = has_ended or action.state != ActionState.CANCELLED
            elif self._sought.get(device_id, {}).get(action_id) is not None:
                # It was followed long enough.
                continue
            self._drop(device_id, action_id)
            self._found(device, action)
        if has_ended:
            await self._lanes.async_read_back(device)
        return True

    def _is_settled(self, lane: Lane, device_id: str, action_id: str) -> bool:
        """Tell whether an action needs not be sought any more."""
        lost_at = self._sought.get(device_id, {}).get(action_id)
        return (
            action_id in lane.ends.told
            or action_id in lane.following
            or (lost_at is not None and passed(lost_at) > _GIVEN_UP.total_seconds())
        )

    @callback
    def _drop(self, device_id: str, action_id: str) -> None:
        sought = self._sought.get(device_id, {})
        sought.pop(action_id, None)
        if not sought:
            self._sought.pop(device_id, None)
