"""Sending: what goes to the API, and what stands in its way."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..api import (
    Action,
    ActionState,
    AmpsConflictError,
    AmpsConnectionError,
    AmpsDeviceError,
    AmpsDeviceNotFoundError,
    AmpsError,
    AmpsMalformedReplyError,
    AmpsNotCancellableError,
    AmpsUnknownOutcomeError,
    Device,
    Environment,
    Push,
)
from ..api.errors import COMMAND_NOT_SUPPORTED
from ..api.vocabulary import LIVE_CONTROL, Strategy
from ..common import issues
from ..common.const import LOGGER
from ..common.errors import refused_by_state, spoken_errors
from ..common.names import plain_text
from ..common.words import command_name, moment, span
from ..readings import Schedule
from .displaced import Displaced
from .following import Follower
from .lane import Lanes, Turn

# How long a push waits for one that somebody else has in flight.
BUSY_WAIT: Final = 10
# How often a push is sent before it counts as refused for good.
_TRIES: Final = 3
# Of more actions in the way, nobody could be told.
_MOST_IN_THE_WAY: Final = 20
_MOST_NAMED: Final = 5
# The times of an action are those that were meant, give or take.
TOLERANCE: Final = timedelta(minutes=2)
ANOTHER_ZONE: Final = "another_zone"


class InTheWayError(Exception):
    """Something stands in the way of what may displace nothing."""

    code: Final = "in_the_way"

    def __init__(self, *, is_planned: bool) -> None:
        """Tell whether it is planned, or under way."""
        super().__init__(self.code)
        self.is_planned = is_planned


class Sender:
    """Send pushes, and deal with what is in their way."""

    def __init__(
        self,
        lanes: Lanes,
        follower: Follower,
        displaced: Displaced,
        schedule: Schedule,
    ) -> None:
        """Begin with nothing sent."""
        self._lanes = lanes
        self._account = lanes.account
        self._follower = follower
        self._displaced = displaced
        self._schedule = schedule

    @asynccontextmanager
    async def speaking(self, device: Device) -> AsyncGenerator[None]:
        """Let errors out in words, after a repair was opened where it helps."""
        name = self._account.async_spoken_name(device)
        coordinator = self._lanes.coordinator(device)
        with self._account.speaking(name):
            try:
                yield
            except AmpsUnknownOutcomeError:
                # The device and its schedule tell what became of it.
                self._lanes.async_read_soon(device)
                self._schedule.async_changed(device)
                raise
            except AmpsDeviceError as err:
                blamed = await coordinator.async_blame(err)
                if blamed is not err:
                    raise blamed from err
                # Where it says that the device is gone, offline or not linked.
                coordinator.async_take_error(device, err)
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

    async def async_send(self, device: Device, push: Push) -> Action:
        """Push, and take note that it was taken."""
        action = await self._account.client.async_push(device, push)
        self._follower.async_sent(device, action)
        issues.async_open_by_now(self._account.hass, self._account.entry, device.type)
        return action

    async def async_push(
        self, device: Device, push: Push, turn: Turn | None = None
    ) -> Action | None:
        """Push, after what is in flight; None where a newer tap replaced it.

        For a tap, one of our own is waited for as long as it is followed;
        else, and for somebody else's, a short while. Raises AmpsConflictError where something
        waits that could make way.
        """
        tries = 2 if turn is None else _TRIES
        while turn is None or not turn.is_replaced():
            tries -= 1
            try:
                return await self.async_send(device, push)
            except AmpsConflictError as err:
                if err.strategies:
                    raise
                if not tries:
                    raise self._busy(device) from err
                await self._async_while_busy(device, err, turn)
        return None

    def _busy(self, device: Device) -> HomeAssistantError:
        return refused_by_state("device_busy", self._account.async_spoken_name(device))

    async def async_push_newest(
        self, device: Device, push: Push, turn: Turn
    ) -> Action | None:
        """Push; what waits makes way for the newest intent, and that is told.

        What waits is cancelled by its id. A strategy is never sent: it could
        clear the manufacturer's own schedule as well, in silence and for good.
        """
        for _ in range(_TRIES):
            try:
                return await self.async_push(device, push, turn)
            except AmpsConflictError as err:
                if Strategy.CANCEL_AND_REPLACE not in err.strategies:
                    raise
                for action_id in err.conflicting_action_ids[:_MOST_IN_THE_WAY]:
                    await self._async_cancel(device, action_id)
        raise self._busy(device)

    async def _async_cancel(self, device: Device, action_id: str) -> None:
        """Have an action make way, and tell of it; one that has begun is let be."""
        try:
            action = await self._account.client.async_cancel_action(action_id)
        except AmpsNotCancellableError, AmpsDeviceNotFoundError:
            return
        except AmpsConnectionError, AmpsMalformedReplyError:
            # The answer is lost. What became of it, the action itself tells.
            self._schedule.async_changed(device)
            action = await self._account.client.async_get_action(action_id)
            if action.state != ActionState.CANCELLED:
                raise
        self._follower.async_cancelled(device, action)
        self._schedule.async_changed(device)
        self._displaced.async_warn(device, action)

    async def _async_while_busy(
        self, device: Device, err: AmpsConflictError, turn: Turn | None
    ) -> None:
        """Wait for what is in flight."""
        lane = self._lanes.of(device.id)
        ids = err.conflicting_action_ids[:_MOST_IN_THE_WAY]
        own = [lane.following[item].ended for item in ids if item in lane.following]
        if own:
            if turn is not None:
                turn.async_park()
            # It is followed for some minutes; an action's caller has less time.
            await asyncio.wait(own, timeout=None if turn else BUSY_WAIT)
            return
        try:
            async with asyncio.timeout(BUSY_WAIT):
                for action_id in ids:
                    await self._follower.async_poll(Action(id=action_id))
        except TimeoutError, AmpsError:
            LOGGER.debug("Something is in the way of %s still", device.id)

    async def async_conflict(
        self, err: AmpsConflictError, name: str
    ) -> HomeAssistantError:
        """Return an error that names what is in the way, and what may be done."""
        hass = self._account.hass
        others: list[str] = []
        # To wait for what has no end is refused: it could be for ever.
        may_wait = 0 < len(err.conflicting_action_ids) <= _MOST_NAMED
        for action_id in err.conflicting_action_ids[:_MOST_NAMED]:
            try:
                action = await self._account.client.async_get_action(action_id)
            except AmpsError:
                others.append(plain_text(action_id))
                may_wait = False
                continue
            may_wait = may_wait and action.end is not None
            said = command_name(hass, action.command, action.device_type)
            if (start := action.start or action.created_at) is not None:
                said = f"{said}, {span(hass, start, action.end)}"
            others.append(f"{said} ({plain_text(action_id)})")
        if (more := len(err.conflicting_action_ids) - _MOST_NAMED) > 0:
            others.append(f"+ {more}")
        actions = ", ".join(others) or "-"
        strategies = [
            strategy
            for strategy in err.strategies
            if strategy != Strategy.QUEUE_AFTER or may_wait
        ]
        if not strategies:
            return refused_by_state("conflict_to_wait_for", name, actions=actions)
        return refused_by_state(
            "conflict_with",
            name,
            actions=actions,
            strategies=plain_text(", ".join(strategies)),
        )

    async def async_check_times(self, push: Push, action: Action, name: str) -> None:
        """Cancel an action whose times are not those that were meant.

        They are said as wall-clock time at the plant, which nobody tells the
        zone of: the reply, in UTC, shows whether it is Home Assistant's.
        """
        zone = dt_util.get_default_time_zone()
        times = [(push.start, action.start), (push.end, action.end)]
        if push.on_conflict == Strategy.QUEUE_AFTER:
            # It begins at the end of what is in the way.
            del times[0]
        for said, got in times:
            if not isinstance(said, datetime) or got is None:
                continue
            meant = said.replace(tzinfo=zone)
            if abs(got - meant) < TOLERANCE:
                continue
            with spoken_errors(name):
                await self._account.client.async_cancel_action(action.id)
            raise refused_by_state(
                ANOTHER_ZONE,
                name,
                meant=moment(self._account.hass, meant),
                got=moment(self._account.hass, got),
            )
