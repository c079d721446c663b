"""The life of a push, from a tap to the truth.

Every command and every setting goes through here: it is checked, put in
order with the others of its device, sent, followed to its end, and read back.
Meanwhile the control that was tapped shows what was asked of it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from . import issues
from .account import AmpsAccount, AmpsConfigEntry
from .api import (
    Action,
    ActionState,
    AmpsConflictError,
    AmpsDeviceCredentialsError,
    AmpsDeviceNotFoundError,
    AmpsError,
    Device,
    DeviceType,
    Environment,
    Push,
    check_push,
    settings_body,
)
from .api.errors import COMMAND_NOT_SUPPORTED, Scope, error_type
from .api.vocabulary import LIVE_CONTROL, SCHEDULER_ACTIVE, Settings, Strategy
from .const import DOMAIN, EVENT_ACTION, LOGGER
from .coordinator import EXPEDITED_TTL, AmpsCoordinator, Watch
from .errors import action_error, refused_by_state, spoken_errors

# How long a control's call waits for the end of its action.
CONTROL_WAIT: Final = 3
# How long an action is followed, and a reading waited for after its end.
FOLLOW: Final = timedelta(minutes=3)
SETTLE: Final = timedelta(minutes=3)
# How long a push waits for one that is in flight already.
BUSY_WAIT: Final = 10
# A moving slider is sent once it has rested so long.
REST: Final = 1
# An action's state is asked for after so many seconds, the last one repeated.
_POLLS: Final = (0.5, 1, 1.5, 2, 3, 5, 8, 10, 15)
# The same while webhooks tell the ends: one can be late, so it is looked once
# before a control's call gives up waiting, and before an action's.
_POLLS_BESIDE_WEBHOOKS: Final = (2.5, 6.5, 30)

# So many ends are remembered for each device.
_MOST_ENDED: Final = 50

type ActionCallback = Callable[[Action], None]


def _is_newer(action: Action, other: Action | None) -> bool:
    """Tell whether an action was made after another one."""
    if other is None:
        return True
    if action.created_at is None or other.created_at is None:
        return False
    return action.created_at > other.created_at


def _has_own_schedule(device: Device) -> bool:
    """Tell whether the manufacturer's own schedule is known to be active."""
    setting = (device.settings or {}).get(Settings.SCHEDULER_ENABLED)
    return setting is not None and setting.value is True


@dataclass(slots=True, eq=False)
class Intent:
    """What a control shows until a reading can know of it.

    `changes` are fields of the device's state, by name. It ends with a
    reading captured after `since`, or when its time is over.
    """

    control: str
    changes: Mapping[str, Any]
    # A setting is told by single reads only.
    is_setting: bool = False
    since: datetime | None = None
    # What it replaced, to go back to if this one comes to nothing.
    previous: Intent | None = None
    over: bool = False
    stop: list[CALLBACK_TYPE] = field(default_factory=list)


@dataclass(slots=True)
class _Followed:
    """An action that is followed: its end as a webhook tells it, and as known."""

    told: asyncio.Future[Action]
    ended: asyncio.Future[Action | None]
    # As last asked for.
    action: Action


@dataclass(slots=True)
class _Ends:
    """What is known of the ends of a device's actions, over a reload too."""

    # Those that were told, so that none is told twice, and those to tell.
    told: dict[str, str | None] = field(default_factory=dict)
    open: dict[str, None] = field(default_factory=dict)


_ENDS: Final[HassKey[dict[str, dict[str, _Ends]]]] = HassKey(f"{DOMAIN}_ends")


@callback
def async_remove(hass: HomeAssistant, entry: AmpsConfigEntry) -> None:
    """Remove what an entry that goes leaves in memory."""
    hass.data.get(_ENDS, {}).pop(entry.entry_id, None)


def _remember[V](known: dict[str, V], key: str, value: V) -> None:
    """Add what is newest, at the cost of what is oldest."""
    known[key] = value
    if len(known) > _MOST_ENDED:
        del known[next(iter(known))]


@dataclass(slots=True)
class _Lane:
    """What is under way for one device."""

    ends: _Ends
    order: asyncio.Lock = field(default_factory=asyncio.Lock)
    # The newest tap of each control; older ones that still wait are dropped.
    newest: dict[str, object] = field(default_factory=dict)
    intents: dict[str, Intent] = field(default_factory=dict)
    following: dict[str, _Followed] = field(default_factory=dict)
    # Ends that webhooks told; one can come before the reply to its push.
    told: deque[Action] = field(default_factory=lambda: deque(maxlen=20))
    # Timers of actions that begin, or end, later.
    later: dict[str, list[CALLBACK_TYPE]] = field(default_factory=dict)
    # Whether an action waits for another one to end.
    queued: bool = False
    latest: Action | None = None
    callbacks: list[ActionCallback] = field(default_factory=list)

    def stop(self) -> None:
        """Stop all timers and listeners."""
        for newest in self.intents.values():
            intent: Intent | None = newest
            while intent is not None:
                for stop in intent.stop:
                    stop()
                intent.stop.clear()
                intent = intent.previous
        self.intents.clear()
        for stops in self.later.values():
            for stop in stops:
                stop()
        self.later.clear()


class PushManager:
    """Send commands and settings to the devices of one account."""

    def __init__(
        self,
        hass: HomeAssistant,
        account: AmpsAccount,
        coordinators: Mapping[DeviceType, AmpsCoordinator],
    ) -> None:
        """Start with nothing under way."""
        self.hass = hass
        self._account = account
        self._coordinators = coordinators
        self._lanes: dict[str, _Lane] = {}
        self._ends = hass.data.setdefault(_ENDS, {}).setdefault(
            account.entry.entry_id, {}
        )
        # While webhooks come, the ends of actions need hardly be asked for.
        self.webhooks_work = False
        self._scheduled_callbacks: list[Callable[[Device], None]] = []
        for coordinator in coordinators.values():
            account.entry.async_on_unload(
                coordinator.async_add_action_listener(self._reported)
            )
            account.entry.async_on_unload(
                coordinator.async_add_shape_listener(self._reshaped)
            )

    def as_dict(self, device_id: str) -> dict[str, Any]:
        """Return what is under way for a device, for diagnostics."""
        if (lane := self._lanes.get(device_id)) is None:
            return {}
        return {
            "latest": lane.latest.as_record() if lane.latest else None,
            "ended": dict(lane.ends.told),
            "following": sorted(lane.following),
            "later": sorted(lane.later),
            "shown": {
                control: dict(intent.changes)
                for control, intent in lane.intents.items()
            },
            "waiting": sorted(lane.newest),
        }

    # What controls show

    @callback
    def async_shown(self, device: Device, control: str) -> Device:
        """Return a device as a control shows it: as read, or as asked for."""
        lane = self._lanes.get(device.id)
        if lane is None or (intent := lane.intents.get(control)) is None:
            return device
        return replace(device, state=replace(device.state, **intent.changes))

    @callback
    def async_intended(self, device_id: str, control: str, name: str) -> Any:
        """Return what a control was asked for and not yet read, or None."""
        lane = self._lanes.get(device_id)
        if lane is None or (intent := lane.intents.get(control)) is None:
            return None
        return intent.changes.get(name)

    @callback
    def async_latest(self, device: Device) -> Action | None:
        """Return the newest action of a device, whoever sent it.

        What a device reports can lag behind a push just made.
        """
        lane = self._lanes.get(device.id)
        own = lane.latest if lane else None
        told = device.last_action
        if own is None or told is None:
            return told or own
        if own.id == told.id:
            return told if told.is_final and not own.is_final else own
        return own if _is_newer(own, told) else told

    @callback
    def async_in_flight(self, device: Device) -> tuple[Action, ...]:
        """Return what was sent to a device and has not ended, whoever sent it.

        One that waits, for its time or for another one, is not under way.
        """
        lane = self._lanes.get(device.id)
        actions = [item.action for item in lane.following.values()] if lane else []
        latest = self.async_latest(device)
        if latest is not None and all(action.id != latest.id for action in actions):
            actions.append(latest)
        now = self._account.client.now()
        return tuple(
            action
            for action in actions
            if action.state is not None
            and not action.is_final
            and (
                action.state != ActionState.SCHEDULED
                or (action.start is not None and action.start <= now)
            )
        )

    @callback
    def async_came_to_nothing(self, device: Device, action: Action) -> bool:
        """Tell whether an action is known to have failed or been cancelled."""
        state = self._lane(device.id).ends.told.get(action.id)
        return state is not None and state != ActionState.COMPLETED

    @callback
    def async_listen(
        self, device_id: str, action_callback: ActionCallback
    ) -> CALLBACK_TYPE:
        """Hear of the end of every action of a device."""
        callbacks = self._lane(device_id).callbacks
        callbacks.append(action_callback)
        return lambda: callbacks.remove(action_callback)

    @callback
    def async_listen_scheduled(
        self, scheduled: Callable[[Device], None]
    ) -> CALLBACK_TYPE:
        """Hear of devices whose planned actions may have changed."""
        self._scheduled_callbacks.append(scheduled)
        return lambda: self._scheduled_callbacks.remove(scheduled)

    @callback
    def async_schedule_changed(self, device: Device) -> None:
        """Tell that a device's planned actions may have changed."""
        for scheduled in tuple(self._scheduled_callbacks):
            scheduled(device)

    # What controls send

    async def async_control(
        self,
        coordinator: AmpsCoordinator,
        device: Device,
        control: str,
        push: Push,
        changes: Mapping[str, Any],
        *,
        rest: float = 0,
    ) -> None:
        """Push a command for a control, once it has rested for `rest` seconds.

        `changes` is what the control shows meanwhile. The call waits a
        moment for the end: a failure by then is raised, a later one told.
        """
        name = self._account.async_spoken_name(device)
        with spoken_errors(name):
            push = check_push(device, push)
        await self._async_in_order(
            coordinator,
            device,
            Intent(control, changes),
            lambda replaced: self._async_push_newest(device, name, push, replaced),
            rest,
        )

    async def async_set(
        self,
        coordinator: AmpsCoordinator,
        device: Device,
        control: str,
        setting: str,
        value: float,
    ) -> None:
        """Write a setting for a control, once it rests."""
        name = self._account.async_spoken_name(device)
        with spoken_errors(name):
            settings_body(device, {setting: value})
        if self._is_so(coordinator, device, control, setting, value):
            return

        async def _async_write(_replaced: Callable[[], bool]) -> None:
            await self._account.client.async_update_settings(device, {setting: value})

        await self._async_in_order(
            coordinator,
            device,
            Intent(control, {setting: value}, is_setting=True),
            _async_write,
            REST,
        )

    # What actions (services) send

    async def async_command(
        self, coordinator: AmpsCoordinator, device: Device, push: Push, *, wait: float
    ) -> Action:
        """Push a command as its caller said, and return the action.

        An immediate one is followed, and waited for so many seconds: if it
        fails by then, that is raised. A later one returns at once, and is
        followed from its start.
        """
        name = self._account.async_spoken_name(device)
        with spoken_errors(name):
            push = check_push(device, push)
        async with self._lane(device.id).order:
            with self._speaking(device):
                try:
                    action = await self._async_push(device, name, push, lambda: False)
                except AmpsConflictError as err:
                    raise await self._async_conflict(err, name) from err
        if action is None:
            raise refused_by_state("device_busy", name)
        action = replace(action, device_id=device.id, device_type=device.type)
        if push.start is not None or action.state == ActionState.SCHEDULED:
            try:
                await self._async_check_times(push, action, name)
                self.async_follow_later(coordinator, device, action)
            finally:
                self.async_schedule_changed(device)
            return action
        if push.on_conflict is not None:
            # What made way is told when the schedule is looked at.
            self.async_schedule_changed(device)
        future = self._async_follow(coordinator, device, action, None)
        if wait:
            await asyncio.wait([future], timeout=wait)
        if not future.done() or (ended := future.result()) is None:
            return action
        if ended.state == ActionState.FAILED:
            raise action_error(ended, name)
        return replace(ended, device_id=device.id, device_type=device.type)

    @callback
    def async_cancelled(self, device: Device, action: Action) -> None:
        """Tell of an action that was cancelled here."""
        for stop in self._lane(device.id).later.pop(action.id, ()):
            stop()
        if action.is_final:
            if (latest := self._lane(device.id).latest) and latest.id == action.id:
                self._lane(device.id).latest = action
            self._tell(device, action)
            self._coordinators[device.type].async_tell(device.id)

    async def async_look_after(self, device: Device, action_id: str) -> None:
        """Tell what became of an action that is not planned any more."""
        coordinator = self._coordinators[device.type]
        try:
            action = await self._account.client.async_get_action(action_id)
        except AmpsError as err:
            LOGGER.debug("Reading action %s failed: %s", action_id, err)
            return
        if action.is_final:
            self.async_cancelled(device, action)
        elif action.id not in self._lane(device.id).following:
            self._async_follow(coordinator, device, action, None)

    async def async_update_settings(
        self, coordinator: AmpsCoordinator, device: Device, values: Mapping[str, float]
    ) -> tuple[str, ...]:
        """Write settings as a caller said; return the names of those written."""
        with self._speaking(device):
            settings_body(device, values)
            async with self._lane(device.id).order:
                updated = await self._account.client.async_update_settings(
                    device, values
                )
        self._read_soon(coordinator, device.id)
        return updated

    async def _async_conflict(
        self, err: AmpsConflictError, name: str
    ) -> HomeAssistantError:
        """Return an error that names what is in the way, and what may be done."""
        others: list[str] = []
        for action_id in err.conflicting_action_ids:
            try:
                action = await self._account.client.async_get_action(action_id)
            except AmpsError:
                others.append(action_id)
                continue
            times = " - ".join(
                dt_util.as_local(at).strftime("%Y-%m-%d %H:%M")
                for at in (action.start, action.end)
                if at is not None
            )
            others.append(f"{action_id} ({action.command} {times})".replace(" )", ")"))
        return refused_by_state(
            "conflict_with",
            name,
            actions=", ".join(others) or "-",
            strategies=", ".join(err.strategies) or "-",
        )

    async def _async_check_times(self, push: Push, action: Action, name: str) -> None:
        """Cancel an action whose times are not those that were meant.

        They are said as wall-clock time at the plant, which nobody tells the
        zone of: the reply, in UTC, shows whether it is Home Assistant's.
        """
        zone = dt_util.get_default_time_zone()
        for said, got in ((push.start, action.start), (push.end, action.end)):
            if not isinstance(said, datetime) or got is None:
                continue
            meant = said.replace(tzinfo=zone)
            if abs(got - meant) < timedelta(minutes=2):
                continue
            with spoken_errors(name):
                await self._account.client.async_cancel_action(action.id)
            raise refused_by_state(
                "another_zone",
                name,
                meant=meant.strftime("%Y-%m-%d %H:%M"),
                got=dt_util.as_local(got).strftime("%Y-%m-%d %H:%M"),
            )

    @callback
    def async_follow_later(
        self, coordinator: AmpsCoordinator, device: Device, action: Action
    ) -> None:
        """Follow an action from its start, and read the device at its end."""
        lane = self._lane(device.id)
        lane.queued = lane.queued or action.start is None
        if _is_newer(action, lane.latest):
            lane.latest = action
            coordinator.async_tell(device.id)
        if action.id in lane.following or action.id in lane.later:
            return
        stops: list[CALLBACK_TYPE] = []

        @callback
        def _start(_now: datetime) -> None:
            if action.end is None:
                lane.later.pop(action.id, None)
            if action.id not in lane.following:
                self._async_follow(coordinator, device, action, None)

        @callback
        def _end(_now: datetime) -> None:
            lane.later.pop(action.id, None)
            self._read_soon(coordinator, device.id)

        for at, job in ((action.start, _start), (action.end, _end)):
            if at is not None and at > self._account.client.now():
                # By the API's clock, which its times are given in.
                wait = (at - self._account.client.now()).total_seconds()
                stops.append(
                    async_call_later(
                        self.hass, wait + 1, HassJob(job, cancel_on_shutdown=True)
                    )
                )
        if stops:
            lane.later[action.id] = stops
        if action.start is None or action.start <= self._account.client.now():
            _start(dt_util.utcnow())

    @callback
    def async_take_up(self, coordinator: AmpsCoordinator, device: Device) -> None:
        """Follow what a device has open, whoever sent it, after a restart."""
        action = device.last_action
        if action is None or action.state is None:
            return
        if action.is_final:
            # It may have ended while nobody looked.
            if action.id in self._lane(device.id).ends.open:
                self._tell(device, action)
            return
        if action.state == ActionState.SCHEDULED:
            # When it begins, only the schedule tells.
            return
        if action.id not in self._lane(device.id).following:
            self.async_follow_later(coordinator, device, action)

    @callback
    def _reshaped(self, device_id: str, device: Device | None) -> None:
        """Forget a device that is gone."""
        if device is not None:
            return
        self._ends.pop(device_id, None)
        if (lane := self._lanes.pop(device_id, None)) is not None:
            lane.stop()

    # In order

    def _lane(self, device_id: str) -> _Lane:
        if (lane := self._lanes.get(device_id)) is None:
            ends = self._ends.setdefault(device_id, _Ends())
            lane = self._lanes[device_id] = _Lane(ends)
        return lane

    def _is_so(
        self,
        coordinator: AmpsCoordinator,
        device: Device,
        control: str,
        setting: str,
        value: float,
    ) -> bool:
        """Tell whether a setting has this value already, as just read."""
        if self.async_intended(device.id, control, setting) is not None:
            return False
        known = (device.settings or {}).get(setting)
        return (
            known is not None
            and known.value == value
            and coordinator.async_was_just_read(device.id)
        )

    async def _async_in_order(
        self,
        coordinator: AmpsCoordinator,
        device: Device,
        intent: Intent,
        send: Callable[[Callable[[], bool]], Awaitable[Action | None]],
        rest: float = 0,
    ) -> None:
        """Send when it is this one's turn, unless a newer tap replaced it."""
        lane = self._lane(device.id)
        control = intent.control
        ticket = lane.newest[control] = object()

        def _replaced() -> bool:
            return lane.newest.get(control) is not ticket

        self._begin(coordinator, device.id, intent)
        try:
            if rest:
                await asyncio.sleep(rest)
            if _replaced():
                self._end(coordinator, device.id, intent)
                return
            async with lane.order:
                if _replaced():
                    self._end(coordinator, device.id, intent)
                    return
                with self._speaking(device):
                    action = await send(_replaced)
        except BaseException:
            self._end(coordinator, device.id, intent)
            raise
        finally:
            if not _replaced():
                del lane.newest[control]
        if action is None:
            # A setting, which has no action, or a tap that was replaced.
            if self._await_reading(coordinator, device.id, intent, None):
                self._read_soon(coordinator, device.id)
            return
        await self._async_outcome(coordinator, device, intent, action)

    @contextmanager
    def _speaking(self, device: Device) -> Generator[None]:
        """Let errors out in words, after a repair was opened where it helps."""
        name = self._account.async_spoken_name(device)
        with self._account.speaking(name):
            try:
                yield
            except AmpsDeviceCredentialsError as err:
                self._coordinators[device.type].async_take_error(device, err)
                raise
            except AmpsError as err:
                if (
                    err.code == COMMAND_NOT_SUPPORTED
                    and device.type not in LIVE_CONTROL
                    and self._account.client.environment is Environment.LIVE
                ):
                    # What the device cannot do was refused here, before.
                    issues.async_not_open_yet(
                        self.hass, self._account.entry, device.type, name
                    )
                raise

    async def _async_send(self, device: Device, push: Push) -> Action:
        action = await self._account.client.async_push(device, push)
        issues.async_open_by_now(self.hass, self._account.entry, device.type)
        return action

    async def _async_push(
        self, device: Device, name: str, push: Push, replaced: Callable[[], bool]
    ) -> Action | None:
        """Push, after what is in flight; None where a newer tap replaced it.

        Raises AmpsConflictError where something waits that could make way.
        """
        for attempt in range(2):
            try:
                return await self._async_send(device, push)
            except AmpsConflictError as err:
                if err.strategies:
                    raise
                if attempt:
                    raise refused_by_state("device_busy", name) from err
                await self._async_while_busy(
                    self._lane(device.id), err.conflicting_action_ids
                )
            if replaced():
                return None
        return None

    async def _async_push_newest(
        self, device: Device, name: str, push: Push, replaced: Callable[[], bool]
    ) -> Action | None:
        """Push; what waits makes way for the newest intent, and that is told."""
        try:
            return await self._async_push(device, name, push, replaced)
        except AmpsConflictError as err:
            if Strategy.CANCEL_AND_REPLACE not in err.strategies:
                raise
            if _has_own_schedule(device):
                # To replace would clear the manufacturer's schedule as well,
                # in silence and for good: only what waits here makes way.
                for action_id in err.conflicting_action_ids:
                    await self._account.client.async_cancel_action(action_id)
            else:
                push = replace(push, on_conflict=Strategy.CANCEL_AND_REPLACE)
            action = await self._async_send(device, push)
            for action_id in err.conflicting_action_ids:
                await self._async_displaced(device, action_id)
            return action

    async def _async_while_busy(self, lane: _Lane, action_ids: tuple[str, ...]) -> None:
        """Wait for the actions in flight to end, for a short while."""
        waiting = [
            lane.following[action_id].ended
            for action_id in action_ids
            if action_id in lane.following
        ]
        if waiting:
            await asyncio.wait(waiting, timeout=BUSY_WAIT)
            return
        for action_id in action_ids:
            try:
                async with asyncio.timeout(BUSY_WAIT):
                    await self._async_poll(Action(id=action_id))
            except TimeoutError, AmpsError:
                return

    async def _async_displaced(self, device: Device, action_id: str) -> None:
        """Tell of an action that made way for a newer one."""
        try:
            action = await self._account.client.async_get_action(action_id)
        except AmpsError as err:
            LOGGER.debug("Reading the displaced action failed: %s", err)
            action = Action(id=action_id, state=ActionState.CANCELLED)
        if not action.is_final:
            return
        self._tell(device, action)
        self.async_schedule_changed(device)
        over = action.end or action.start
        if over is not None and over > self._account.client.now():
            name = self._account.async_spoken_name(device)
            issues.async_displaced(
                self.hass, self._account.entry, device.id, name, action, over
            )

    # To its end

    async def _async_outcome(
        self,
        coordinator: AmpsCoordinator,
        device: Device,
        intent: Intent,
        action: Action,
    ) -> None:
        """Follow an action; raise if it fails while the call still waits."""
        future = self._async_follow(coordinator, device, action, intent)
        done, _ = await asyncio.wait([future], timeout=CONTROL_WAIT)
        if not done:
            return
        ended = future.result()
        if ended is not None and ended.state == ActionState.FAILED:
            raise action_error(ended, self._account.async_spoken_name(device))

    @callback
    def _async_follow(
        self,
        coordinator: AmpsCoordinator,
        device: Device,
        action: Action,
        intent: Intent | None,
    ) -> asyncio.Future[Action | None]:
        """Follow an action in the background; the result is its end, if seen."""
        lane = self._lane(device.id)
        lane.latest = action
        coordinator.async_tell(device.id)
        followed = _Followed(
            told=self.hass.loop.create_future(),
            ended=self.hass.loop.create_future(),
            action=action,
        )
        lane.following[action.id] = followed
        _remember(lane.ends.open, action.id, None)
        for told in lane.told:
            if told.id == action.id:
                followed.told.set_result(told)
                break

        async def _async_to_the_end() -> None:
            ended: Action | None = None
            try:
                async with asyncio.timeout(FOLLOW.total_seconds()):
                    ended = await self._async_poll(action, followed)
            except (TimeoutError, AmpsError) as err:
                LOGGER.debug("Lost sight of action %s: %r", action.id, err)
                ended = self._reported_end(coordinator, device.id, action)
            finally:
                lane.following.pop(action.id, None)
                if ended is None and lane.latest and lane.latest.id == action.id:
                    # Nobody knows what became of it, unless the device tells.
                    lane.latest = None
                if not followed.ended.done():
                    followed.ended.set_result(ended)
            await self._async_ended(coordinator, device, ended, intent)

        self._account.entry.async_create_background_task(
            self.hass, _async_to_the_end(), name=f"Amps AI action {action.id}"
        )
        return followed.ended

    async def _async_poll(
        self, action: Action, followed: _Followed | None = None
    ) -> Action:
        """Ask for an action until it has ended, or a webhook tells its end.

        Raises AmpsDeviceNotFoundError where the action is not known.
        """
        waiting = followed.told if followed else self.hass.loop.create_future()
        attempt = 0
        while not action.is_final:
            beside = followed is not None and self.webhooks_work
            polls = _POLLS_BESIDE_WEBHOOKS if beside else _POLLS
            wait = polls[min(attempt, len(polls) - 1)]
            attempt += 1
            await asyncio.wait([waiting], timeout=wait)
            if waiting.done():
                return waiting.result().filled_from(action)
            try:
                action = await self._account.client.async_get_action(action.id)
                if followed is not None:
                    followed.action = action
            except AmpsDeviceNotFoundError:
                raise
            except AmpsError as err:
                LOGGER.debug("Reading action %s failed: %s", action.id, err)
                if err.retry_after:
                    await asyncio.sleep(err.retry_after)
        return action

    async def async_take_end(self, device: Device, action: Action) -> None:
        """Take the end of an action as a webhook tells it."""
        lane = self._lane(device.id)
        if (followed := lane.following.get(action.id)) is not None:
            if not followed.told.done():
                followed.told.set_result(action)
            return
        lane.told.append(action)
        known = device.last_action
        if known is not None and known.id == action.id:
            action = action.filled_from(known)
        coordinator = self._coordinators[device.type]
        # Not sent from here: it is shown, and never an error.
        await self._async_ended(coordinator, device, action, None)

    async def _async_ended(
        self,
        coordinator: AmpsCoordinator,
        device: Device,
        action: Action | None,
        intent: Intent | None,
    ) -> None:
        """Tell how an action ended and read what it did."""
        if action is not None:
            if action.state != ActionState.COMPLETED:
                for stop in self._lane(device.id).later.pop(action.id, ()):
                    stop()
            self._lane(device.id).latest = action
            self._tell(device, action)
        if intent is not None:
            if action is not None and action.state == ActionState.COMPLETED:
                self._await_reading(coordinator, device.id, intent, action.completed_at)
            else:
                self._end(coordinator, device.id, intent)
        if action is not None:
            self._mend(device, action)
            lane = self._lane(device.id)
            if action.start is not None or lane.queued:
                # One that waited for this one has its turn now.
                lane.queued = False
                self.async_schedule_changed(device)
        coordinator.async_tell(device.id)
        await self._async_read_back(coordinator, device.id)

    @callback
    def _reported(self, device: Device, action: Action) -> None:
        """Tell of an end that a reading shows: of a command sent from elsewhere."""
        if action.is_final and action.id not in self._lane(device.id).following:
            self._tell(device, action)

    def _reported_end(
        self, coordinator: AmpsCoordinator, device_id: str, action: Action
    ) -> Action | None:
        """Return the end of an action as the device itself reports it."""
        device = coordinator.data.get(device_id)
        told = device.last_action if device else None
        return told if told and told.id == action.id and told.is_final else None

    @callback
    def _mend(self, device: Device, action: Action) -> None:
        """Open a repair where a person has to decide, or take it back."""
        if action.state == ActionState.COMPLETED:
            issues.async_scheduler_cleared(self.hass, device.id)
        elif action.error_code == SCHEDULER_ACTIVE:
            issues.async_scheduler_active(
                self.hass,
                self._account.entry,
                device,
                self._account.async_spoken_name(device),
                action,
            )
        elif action.error_code is not None:
            kind = error_type(Scope.DEVICE, 0, action.error_code)
            if issubclass(kind, AmpsDeviceCredentialsError):
                error = kind("the action failed", code=action.error_code)
                self._coordinators[device.type].async_take_error(device, error)

    @callback
    def _tell(self, device: Device, action: Action) -> None:
        """Tell everybody of the end of an action, once."""
        lane = self._lane(device.id)
        lane.ends.open.pop(action.id, None)
        if action.id in lane.ends.told:
            return
        _remember(lane.ends.told, action.id, action.state)
        entry = self._account.async_registered(device.id)
        self.hass.bus.async_fire(
            EVENT_ACTION,
            {
                "device_id": entry.id if entry else None,
                "action_id": action.id,
                "command": action.command,
                "state": action.state,
                "error": action.error_code,
            },
        )
        for action_callback in tuple(lane.callbacks):
            action_callback(action)

    # Optimistic, with an exit

    @callback
    def _begin(
        self, coordinator: AmpsCoordinator, device_id: str, intent: Intent
    ) -> None:
        """Let a control show what was asked of it."""
        lane = self._lane(device_id)
        intent.previous = lane.intents.get(intent.control)
        if intent.previous is not None:
            # What was asked for before and not read yet, goes on to be shown.
            intent.changes = {**intent.previous.changes, **intent.changes}
        lane.intents[intent.control] = intent
        coordinator.async_tell(device_id)

    @callback
    def _end(
        self, coordinator: AmpsCoordinator, device_id: str, intent: Intent
    ) -> None:
        """Let a control show what was read again."""
        for stop in intent.stop:
            stop()
        intent.stop.clear()
        intent.over = True
        lane = self._lane(device_id)
        if lane.intents.get(intent.control) is intent:
            previous = intent.previous
            while previous is not None and previous.over:
                previous = previous.previous
            if previous is None:
                del lane.intents[intent.control]
            else:
                lane.intents[intent.control] = previous
            coordinator.async_tell(device_id)

    @callback
    def _await_reading(
        self,
        coordinator: AmpsCoordinator,
        device_id: str,
        intent: Intent,
        since: datetime | None,
    ) -> bool:
        """End an intent with the first reading that can know of it.

        `completed` means accepted, not done, and even an expedited read can
        come from a cache of a minute: a reading counts if it was captured
        later. Three minutes on, whatever was read counts. Returns whether
        there is anything to wait for.
        """
        if self._lane(device_id).intents.get(intent.control) is not intent:
            # A newer one is shown; this one can come to nothing any more.
            self._end(coordinator, device_id, intent)
            return False
        # What is under way now has made what was before it history.
        while (previous := intent.previous) is not None:
            intent.previous = previous.previous
            self._end(coordinator, device_id, previous)
        intent.since = since or self._account.client.now()

        @callback
        def _check() -> None:
            pulled = coordinator.async_pulled_at(device_id, single=intent.is_setting)
            if pulled is not None and intent.since and pulled > intent.since:
                self._end(coordinator, device_id, intent)

        @callback
        def _over(_now: datetime) -> None:
            self._end(coordinator, device_id, intent)

        @callback
        def _again(_now: datetime) -> None:
            self._read_soon(coordinator, device_id)

        intent.stop += [
            coordinator.async_add_listener(_check, Watch(device_id, readings=True)),
            async_call_later(
                self.hass, SETTLE, HassJob(_over, cancel_on_shutdown=True)
            ),
            async_call_later(
                self.hass,
                EXPEDITED_TTL + timedelta(seconds=1),
                HassJob(_again, cancel_on_shutdown=True),
            ),
        ]
        return True

    @callback
    def _read_soon(self, coordinator: AmpsCoordinator, device_id: str) -> None:
        self._account.entry.async_create_background_task(
            self.hass,
            self._async_read_back(coordinator, device_id),
            name=f"Amps AI read of {device_id}",
        )

    async def _async_read_back(
        self, coordinator: AmpsCoordinator, device_id: str
    ) -> None:
        try:
            if device_id in coordinator.data:
                await coordinator.async_read(device_id, expedite=True, force=True)
        except AmpsError as err:
            LOGGER.debug("Reading %s back failed: %s", device_id, err)

    @callback
    def async_stop(self) -> None:
        """Forget what is under way; the tasks end with the entry."""
        for lane in self._lanes.values():
            lane.stop()
