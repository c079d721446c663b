"""What sends commands and settings: the door to the life of a push.

Every push is checked, put in order with the others of its device, sent,
followed to its end, and read back. Meanwhile the control that was tapped shows
what was asked of it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, callback

from ..account import AmpsAccount
from ..api import (
    Action,
    ActionState,
    AmpsConflictError,
    AmpsDeviceNotFoundError,
    AmpsNotCancellableError,
    Device,
    Push,
    check_push,
    settings_body,
)
from ..common.errors import action_error, refused_by_state, spoken_errors
from ..readings import AmpsCoordinator, Coordinators, Ends, Schedule
from .displaced import Displaced
from .following import Follower
from .intents import Intents
from .lane import Intent, Lanes, Turn
from .notices import Notices
from .order import Order
from .sending import InTheWayError, Sender
from .telling import Teller

# A moving slider is sent once it has rested so long.
REST: Final = 1


class PushManager:
    """Send commands and settings to the devices of one account."""

    def __init__(
        self,
        account: AmpsAccount,
        coordinators: Coordinators,
        ends: Ends,
        schedule: Schedule,
        webhooks_work: Callable[[], bool],
    ) -> None:
        """Start with nothing under way."""
        self._account = account
        self._schedule = schedule
        self._webhooks_work = webhooks_work
        self._lanes = Lanes(account, coordinators, ends)
        self.intents = Intents(self._lanes)
        self._notices = Notices(account)
        self.teller = Teller(self._lanes, self._notices)
        self.follower = Follower(
            self._lanes, self.intents, self.teller, schedule, webhooks_work
        )
        self.displaced = Displaced(account, coordinators)
        self._sender = Sender(self._lanes, self.follower, self.displaced, schedule)
        self._order = Order(
            self._lanes, self.intents, self.follower, self._sender, self._notices
        )
        # Of which devices is known what was open; None before that begins.
        self._taken_up: set[str] | None = None
        listeners: list[CALLBACK_TYPE] = [
            schedule.async_listen_found(self.follower.async_follow_later),
            schedule.async_listen_gone(self.follower.seeker.async_look_after),
        ]
        for coordinator in coordinators.values():
            listeners += [
                coordinator.actions.async_add(self.follower.async_reported),
                coordinator.async_add_shape_listener(self._reshaped),
            ]
        for stop in listeners:
            account.entry.async_on_unload(stop)

    @property
    def webhooks_work(self) -> bool:
        """Tell whether the ends of actions need hardly be asked for."""
        return self._webhooks_work()

    def as_dict(self, device_id: str) -> dict[str, Any]:
        """Return what is under way for a device, for diagnostics."""
        lane = self._lanes.get(device_id)
        return lane.as_dict() if lane else {}

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
        with spoken_errors(self._account.async_spoken_name(device), device.type):
            push = check_push(device, push)
        await self._order.async_take(
            device,
            Intent(control, changes, push.command),
            lambda turn: self._sender.async_push_newest(device, push, turn),
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
        with spoken_errors(self._account.async_spoken_name(device), device.type):
            settings_body(device, {setting: value})
        if self._is_so(coordinator, device, control, setting, value):
            return

        async def _async_write(_turn: Turn) -> None:
            await self._account.client.async_update_settings(device, {setting: value})

        await self._order.async_take(
            device,
            Intent(control, {setting: value}),
            _async_write,
            REST,
        )

    def _is_so(
        self,
        coordinator: AmpsCoordinator,
        device: Device,
        control: str,
        setting: str,
        value: float,
    ) -> bool:
        """Tell whether a setting has this value already, as just read."""
        if self.intents.async_intended(device.id, control, setting) is not None:
            return False
        known = (device.settings or {}).get(setting)
        return (
            known is not None
            and known.value == value
            and coordinator.async_was_just_read(device.id)
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
        with spoken_errors(name, device.type):
            push = check_push(device, push)
        action, future = await self._account.async_run(
            self._async_command(device, push)
        )
        unheard = self._lanes.of(device.id).unheard
        if future is None:
            unheard.append(action.id)
            return action
        if wait:
            await asyncio.wait([future], timeout=wait)
        if not future.done():
            unheard.append(action.id)
            return action
        if (ended := future.result()) is None:
            return action
        if ended.state == ActionState.FAILED:
            raise action_error(ended, name)
        return replace(ended, device_id=device.id, device_type=device.type)

    async def _async_command(
        self, device: Device, push: Push
    ) -> tuple[Action, asyncio.Future[Action | None] | None]:
        """Send a command; return its action, and what tells the end of one now."""
        name = self._account.async_spoken_name(device)
        async with self._lanes.of(device.id).order, self._sender.speaking(device):
            try:
                action = await self._sender.async_push(device, push)
            except AmpsConflictError as err:
                raise await self._sender.async_conflict(err, name) from err
        if action is None:
            raise refused_by_state("device_busy", name)
        return await self._async_taken(device, push, action)

    async def _async_taken(
        self, device: Device, push: Push, action: Action
    ) -> tuple[Action, asyncio.Future[Action | None] | None]:
        """Follow a command, from now or from its start; return it as above."""
        action = replace(action, device_id=device.id, device_type=device.type)
        if push.start is not None or action.state == ActionState.SCHEDULED:
            name = self._account.async_spoken_name(device)
            try:
                await self._sender.async_check_times(push, action, name)
                self.follower.async_follow_later(device, action)
            finally:
                self._schedule.async_changed(device)
            return action, None
        if push.on_conflict is not None:
            # What made way is told when the schedule is looked at.
            self._schedule.async_changed(device)
        return action, self.follower.async_follow(device, action)

    async def async_update_settings(
        self, coordinator: AmpsCoordinator, device: Device, values: Mapping[str, float]
    ) -> tuple[str, ...]:
        """Write settings as a caller said; return the names of those written."""
        with spoken_errors(self._account.async_spoken_name(device), device.type):
            settings_body(device, values)

        async def _async_write() -> tuple[str, ...]:
            async with (
                self._lanes.of(device.id).order,
                self._sender.speaking(device),
            ):
                return await self._account.client.async_update_settings(device, values)

        updated = await self._account.async_run(_async_write())
        self._notices.async_dismiss(device.id)
        self._lanes.async_read_soon(device)
        return updated

    # What plans send

    async def async_plan(self, device: Device, push: Push, *, waits: bool) -> Action:
        """Push a command that may displace nothing, and return the action.

        `waits` for what is under way without asking. Whoever calls ends with the
        entry. Raises InTheWayError where something is in the way.
        """
        with spoken_errors(self._account.async_spoken_name(device)):
            push = check_push(device, push)
        async with self._lanes.of(device.id).order, self._sender.speaking(device):
            if waits and self.follower.async_in_flight(device):
                raise InTheWayError(is_planned=False)
            try:
                action = await self._sender.async_send(device, push)
            except AmpsConflictError as err:
                raise InTheWayError(is_planned=bool(err.strategies)) from err
        return (await self._async_taken(device, push, action))[0]

    async def async_take_back(self, device: Device, action_id: str) -> bool:
        """Cancel what was planned, and tell of it; tell whether that was in time."""
        client = self._account.client
        try:
            with self._account.speaking(self._account.async_spoken_name(device)):
                try:
                    action = await client.async_cancel_action(action_id)
                except AmpsNotCancellableError, AmpsDeviceNotFoundError:
                    return False
        finally:
            self._schedule.async_changed(device)
        self.follower.async_cancelled(device, action)
        return True

    async def async_found(self, device: Device, action: Action) -> None:
        """Take what was found out about an action."""
        if action.is_final:
            await self.follower.async_take_end(device, action)
        else:
            self.follower.async_follow_later(device, action)

    # With the entry

    @callback
    def async_take_up(self) -> None:
        """Go on with what is open, after a restart."""
        self._taken_up = set()
        for _, device in self._lanes.coordinators.devices():
            self._take_up(self._taken_up, device)
        self.displaced.async_take_up()

    @callback
    def _take_up(self, taken_up: set[str], device: Device) -> None:
        if device.id not in taken_up and not self._account.has_ended():
            taken_up.add(device.id)
            self.follower.async_take_up(device)

    @callback
    def _reshaped(self, device_id: str, device: Device | None) -> None:
        """Go on with a device that comes late, or forget one that is gone."""
        taken_up = self._taken_up
        if device is None:
            self._lanes.async_forget(device_id)
            self._notices.async_dismiss(device_id)
            if taken_up is not None:
                taken_up.discard(device_id)
        elif taken_up is not None and device_id not in taken_up:
            # Once its entities are there to hear of it.
            self._lanes.hass.loop.call_soon(self._take_up, taken_up, device)

    @callback
    def async_stop(self) -> None:
        """Forget what is under way; the tasks end with the entry."""
        self._lanes.async_stop()
        self.follower.seeker.async_stop()
        self.displaced.async_stop()
