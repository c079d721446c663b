"""Sending: what goes to the API, and what stands in its way."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..api import (
    Action,
    ActionState,
    AmpsConflictError,
    AmpsDeviceCredentialsError,
    AmpsError,
    Device,
    Environment,
    Push,
)
from ..api.errors import COMMAND_NOT_SUPPORTED
from ..api.vocabulary import LIVE_CONTROL, Settings, Strategy
from ..common import issues
from ..common.const import LOGGER
from ..common.errors import refused_by_state, spoken_errors
from ..readings import Schedule
from .displaced import Displaced
from .following import Follower
from .lane import Lane, Lanes
from .telling import Teller

# How long a push waits for one that is in flight already.
BUSY_WAIT: Final = 10
# The times of an action are those that were meant, give or take.
_TOLERANCE: Final = timedelta(minutes=2)


def _has_own_schedule(device: Device) -> bool:
    """Tell whether the manufacturer's own schedule is known to be active."""
    setting = (device.settings or {}).get(Settings.SCHEDULER_ENABLED)
    return setting is not None and setting.value is True


class Sender:
    """Send pushes, and deal with what is in their way."""

    def __init__(
        self,
        lanes: Lanes,
        teller: Teller,
        follower: Follower,
        displaced: Displaced,
        schedule: Schedule,
    ) -> None:
        """Begin with nothing sent."""
        self._lanes = lanes
        self._account = lanes.account
        self._teller = teller
        self._follower = follower
        self._displaced = displaced
        self._schedule = schedule

    @contextmanager
    def speaking(self, device: Device) -> Generator[None]:
        """Let errors out in words, after a repair was opened where it helps."""
        name = self._account.async_spoken_name(device)
        with self._account.speaking(name):
            try:
                yield
            except AmpsDeviceCredentialsError as err:
                self._lanes.coordinator(device).async_take_error(device, err)
                raise
            except AmpsError as err:
                if (
                    err.code == COMMAND_NOT_SUPPORTED
                    and device.type not in LIVE_CONTROL
                    and self._account.client.environment is Environment.LIVE
                ):
                    # What the device cannot do was refused here, before.
                    issues.async_not_open_yet(
                        self._account.hass, self._account.entry, device.type, name
                    )
                raise

    async def _async_send(self, device: Device, push: Push) -> Action:
        action = await self._account.client.async_push(device, push)
        issues.async_open_by_now(self._account.hass, self._account.entry, device.type)
        return action

    async def async_push(
        self, device: Device, push: Push, replaced: Callable[[], bool]
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
                    raise refused_by_state(
                        "device_busy", self._account.async_spoken_name(device)
                    ) from err
                await self._async_while_busy(
                    self._lanes.of(device.id), err.conflicting_action_ids
                )
            if replaced():
                return None
        return None

    async def async_push_newest(
        self, device: Device, push: Push, replaced: Callable[[], bool]
    ) -> Action | None:
        """Push; what waits makes way for the newest intent, and that is told."""
        try:
            return await self.async_push(device, push, replaced)
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

    async def _async_while_busy(self, lane: Lane, action_ids: tuple[str, ...]) -> None:
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
                    await self._follower.async_poll(Action(id=action_id))
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
        self._teller.async_tell(device, action)
        self._schedule.async_changed(device)
        self._displaced.async_warn(device, action)

    async def async_conflict(
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

    async def async_check_times(self, push: Push, action: Action, name: str) -> None:
        """Cancel an action whose times are not those that were meant.

        They are said as wall-clock time at the plant, which nobody tells the
        zone of: the reply, in UTC, shows whether it is Home Assistant's.
        """
        zone = dt_util.get_default_time_zone()
        for said, got in ((push.start, action.start), (push.end, action.end)):
            if not isinstance(said, datetime) or got is None:
                continue
            meant = said.replace(tzinfo=zone)
            if abs(got - meant) < _TOLERANCE:
                continue
            with spoken_errors(name):
                await self._account.client.async_cancel_action(action.id)
            raise refused_by_state(
                "another_zone",
                name,
                meant=meant.strftime("%Y-%m-%d %H:%M"),
                got=dt_util.as_local(got).strftime("%Y-%m-%d %H:%M"),
            )
