"""What is planned: the scheduled and windowed actions of an account's devices."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later, async_track_time_interval

from ..account import AmpsAccount
from ..api import Action, ActionState, AmpsError, Device, capabilities
from ..api.clock import Countdown
from ..api.vocabulary import Execution
from ..common.const import CONF_USER_ID, LOGGER
from ..common.listeners import Listeners
from .coordinators import Coordinators
from .ends import Ends

INTERVAL: Final = timedelta(minutes=15)
# So long after the last thing that had to do with plans, every other round is
# left out.
BUSY: Final = timedelta(hours=1)
# How long to wait with a round while the account holds back.
_AGAIN: Final = timedelta(minutes=1)
# So many planned actions are asked for.
_MOST_PLANNED: Final = 500
# Of devices that are asked for one by one, so many at once, and then with a pause.
_AT_ONCE: Final = 20
_PAUSE: Final = 0.5
_LATER: Final = frozenset({Execution.SCHEDULED, Execution.WINDOWED})


def takes_scheduling(device: Device) -> bool:
    """Tell whether anything can be planned for a device."""
    return any(
        _LATER & set(command.execution or ())
        for command in capabilities(device).values()
    )


@dataclass(eq=False, repr=False)
class Schedule:
    """Keep in memory what the devices have planned.

    It is asked for every 15 minutes, for all devices with one question, and for
    a single device whenever something was pushed to it, or a reading tells of a
    plan: what shows it asks nothing. Where nothing is planned and nothing happened
    for long, every half hour will do.
    """

    hass: HomeAssistant
    account: AmpsAccount
    coordinators: Coordinators
    ends: Ends
    _actions: dict[str, dict[str, Action]] = field(default_factory=dict)
    _changed: Listeners[[]] = field(default_factory=Listeners)
    _found: Listeners[Device, Action] = field(default_factory=Listeners)
    _gone: Listeners[Device, tuple[str, ...]] = field(default_factory=Listeners)
    _started: bool = False
    _busy: Countdown | None = None
    # Whether the last round was left out.
    _left_out: bool = False
    # The devices that are asked for soon.
    _wanted: set[str] = field(default_factory=set)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    # Ends the waiting for a better time to ask.
    _waiting: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Begin to ask; returns how to end it."""
        self._started = True
        self._hurry()
        self._ask_all()
        stops = [
            async_track_time_interval(
                self.hass, self._round, INTERVAL, name="Amps AI schedule"
            ),
            *(
                coordinator.actions.async_add(self._reported)
                for coordinator in self.coordinators.values()
            ),
        ]

        @callback
        def _stop() -> None:
            self._started = False
            self._stop_waiting()
            for stop in stops:
                stop()

        return _stop

    def __iter__(self) -> Iterator[tuple[Device, Action]]:
        """Go through what is planned and not over yet."""
        for device_id in self._actions:
            if (device := self.coordinators.device(device_id)) is not None:
                for action in self.of(device):
                    yield device, action

    def of(self, device: Device) -> list[Action]:
        """Return what is planned for a device and not over yet."""
        now = self.account.clock.now()
        return [
            action
            for action in self._actions.get(device.id, {}).values()
            if action.start is not None
            and (
                action.state == ActionState.SCHEDULED
                or (action.end or action.start) > now
            )
        ]

    @callback
    def async_listen(self, changed: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Hear of every change of what is planned."""
        return self._changed.async_add(changed)

    @callback
    def async_listen_found(
        self, found: Callable[[Device, Action], None]
    ) -> CALLBACK_TYPE:
        """Hear of each planned action, whenever it was asked for."""
        return self._found.async_add(found)

    @callback
    def async_listen_gone(
        self, gone: Callable[[Device, tuple[str, ...]], None]
    ) -> CALLBACK_TYPE:
        """Hear of actions that are not planned any more, though not begun."""
        return self._gone.async_add(gone)

    async def async_ask(self, device: Device) -> bool:
        """Ask what is planned for a device; tell whether that was answered."""
        try:
            found = await self.account.client.async_list_actions(
                device_id=device.id, state=ActionState.SCHEDULED, limit=_MOST_PLANNED
            )
        except AmpsError as err:
            self.account.limits.refused(err)
            LOGGER.debug("Asking for the schedule of %s failed: %s", device.id, err)
            return False
        if self._take(device, found, is_all=len(found) < _MOST_PLANNED):
            self._changed.async_call()
        return True

    async def _async_ask_once(self) -> bool:
        """Ask what is planned for all devices; tell whether the answer will do.

        An account with more end users can have more planned than one answer
        tells, and an action that does not name its device is nobody's. What
        belongs to others' devices is left out, whatever the answer holds.
        """
        try:
            found = await self.account.client.async_list_actions(
                user_id=self.account.entry.data.get(CONF_USER_ID),
                state=ActionState.SCHEDULED,
                limit=_MOST_PLANNED,
            )
        except AmpsError as err:
            self.account.limits.refused(err)
            LOGGER.debug("Asking for the schedule failed: %s", err)
            return bool(self.account.limits.remaining)
        planned: dict[str | None, list[Action]] = {}
        for action in found:
            planned.setdefault(action.device_id, []).append(action)
        if len(found) >= _MOST_PLANNED or None in planned:
            return False
        changed = False
        for _, device in self.coordinators.devices():
            if planned.get(device.id) or self._actions.get(device.id):
                changed |= self._take(device, planned.get(device.id, ()))
        if changed:
            self._changed.async_call()
        return True

    @callback
    def _take(
        self, device: Device, found: Sequence[Action], *, is_all: bool = True
    ) -> bool:
        """Take what is planned for a device; tell whether that changed."""
        known = self._actions.get(device.id, {})
        now = self.account.clock.now()
        ends = self.ends.of(device.id)
        # A window that has begun is not listed any more, and not over yet.
        under_way = {
            action.id: action
            for action in known.values()
            if action.start
            and action.end
            and action.start <= now < action.end
            and not ends.came_to_nothing(action)
        }
        actions = under_way | {action.id: action for action in found}
        if not is_all:
            # More than is told; what is not told may be there still.
            actions = known | actions
        for action in found:
            self._found.async_call(device, action)
        if actions == known:
            return False
        self._hurry()
        self._actions[device.id] = actions
        gone = tuple(
            action.id
            for action in known.values()
            if action.id not in actions and (action.start is None or action.start > now)
        )
        if gone:
            self._gone.async_call(device, gone)
        return True

    @callback
    def async_changed(self, device: Device) -> None:
        """Ask again, as a device's planned actions may have changed."""
        if not self._started or device.id in self._wanted:
            return
        self._hurry()
        self._wanted.add(device.id)

        async def _async_ask() -> None:
            async with self._asking:
                self._wanted.discard(device.id)
                if self.account.limits.remaining or not await self.async_ask(device):
                    # Where an answer was lost, this one may well be, too.
                    self._ask_again()

        self._in_background(_async_ask())

    @callback
    def _reported(self, device: Device, action: Action) -> None:
        """Ask for a device whose reading tells of a plan that is not known."""
        if action.state == ActionState.SCHEDULED and action.id not in self._actions.get(
            device.id, {}
        ):
            self.async_changed(device)

    @callback
    def _hurry(self) -> None:
        """Leave out no round for a while."""
        self._busy = Countdown(BUSY.total_seconds())

    @callback
    def _round(self, _now: datetime) -> None:
        """Ask; in quiet times, only every other time."""
        is_quiet = not self._busy and next(iter(self), None) is None
        self._left_out = is_quiet and not self._left_out
        if not self._left_out:
            self._ask_all()

    @callback
    def _ask_all(self, _now: datetime | None = None) -> None:
        self._stop_waiting()
        if self.account.entry.pref_disable_polling:
            return
        for device_id in tuple(self._actions):
            if not self.coordinators.has(device_id):
                del self._actions[device_id]
        self._in_background(self._async_ask_all())

    async def _async_ask_all(self) -> None:
        """Ask for all devices; what an overload ends is made up for soon.

        Where one answer will not do, they are asked for one by one: the first at
        once, and more of them bit by bit, so that others have their turn.
        """
        found = [
            device
            for _, device in self.coordinators.devices()
            if takes_scheduling(device)
        ]
        if self.account.limits.is_open and len(found) > 1:
            async with self._asking:
                if await self._async_ask_once():
                    found = []
        for number, device in enumerate(found):
            if number >= _AT_ONCE:
                await asyncio.sleep(_PAUSE)
            async with self._asking:
                if not self.account.limits.is_open:
                    break
                await self.async_ask(device)
        if not self.account.limits.is_open:
            self._ask_again()

    @callback
    def _ask_again(self) -> None:
        self._stop_waiting()
        if self._started:
            self._waiting = async_call_later(
                self.hass, _AGAIN, HassJob(self._ask_all, cancel_on_shutdown=True)
            )

    @callback
    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting()
            self._waiting = None

    @callback
    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        self.account.entry.async_create_background_task(
            self.hass, work, name="Amps AI schedule"
        )
