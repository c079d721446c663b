"""Following: what becomes of an action, and when it is read back."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HassJob, callback
from homeassistant.helpers.event import async_call_later

from ..api import Action, ActionState, AmpsDeviceNotFoundError, AmpsError, Device
from ..common.const import LOGGER
from ..readings import Schedule
from .intents import Intents
from .lane import Followed, Intent, Lane, Lanes
from .seeking import Seeker
from .telling import Teller

# How long an action is followed.
FOLLOW: Final = timedelta(minutes=3)
# An action's state is asked for after so many seconds, the last one repeated.
_POLLS: Final = (0.5, 1, 1.5, 2, 3, 5, 8, 10, 15)
# The same while webhooks tell the ends: one can be late, so it is looked once
# before a control's call gives up waiting, and before an action's.
_POLLS_BESIDE_WEBHOOKS: Final = (2.5, 6.5, 30)


def _is_newer(action: Action, other: Action | None) -> bool:
    """Tell whether an action was made after another one."""
    if other is None:
        return True
    if action.created_at is None or other.created_at is None:
        return False
    return action.created_at > other.created_at


def _is_earlier(end: Action, action: Action) -> bool:
    """Tell whether an end was before an action: an id can be used again."""
    ended, made = end.completed_at, action.created_at
    return ended is not None and made is not None and ended < made


def _told_before(lane: Lane, action: Action) -> Action | None:
    """Return the end of an action that a webhook told before its reply came."""
    return next(
        (
            told
            for told in lane.told
            if told.id == action.id and not _is_earlier(told, action)
        ),
        None,
    )


class Follower:
    """Follow actions to their ends."""

    def __init__(
        self,
        lanes: Lanes,
        intents: Intents,
        teller: Teller,
        schedule: Schedule,
        webhooks_work: Callable[[], bool],
    ) -> None:
        """Begin with nothing to follow.

        While `webhooks_work`, the ends of actions need hardly be asked for.
        """
        self._lanes = lanes
        self._intents = intents
        self._teller = teller
        self._schedule = schedule
        self._webhooks_work = webhooks_work
        self.seeker = Seeker(lanes, self._found)

    # What is known

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
        now = self._lanes.account.clock.now()
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

    # To its end

    @callback
    def async_sent(self, device: Device, action: Action) -> None:
        """Take note of an action that was just made.

        An id can be used again: what was told of it then, was of another one.
        A webhook can also be quicker than the reply.
        """
        lane = self._lanes.of(device.id)
        if _told_before(lane, action) is None:
            lane.ends.async_renew(action)

    @callback
    def async_follow(
        self, device: Device, action: Action, intent: Intent | None = None
    ) -> asyncio.Future[Action | None]:
        """Follow an action in the background; the result is its end, if seen."""
        lane = self._lanes.of(device.id)
        loop = self._lanes.hass.loop
        lane.latest = action
        self._lanes.coordinator(device).async_hurry()
        self._lanes.coordinator(device).async_tell(device.id)
        followed = Followed(
            told=loop.create_future(), ended=loop.create_future(), action=action
        )
        lane.following[action.id] = followed
        lane.ends.async_follow(action)
        if (told := _told_before(lane, action)) is not None:
            followed.told.set_result(told)

        async def _async_to_the_end() -> None:
            ended: Action | None = None
            try:
                async with asyncio.timeout(FOLLOW.total_seconds()):
                    ended = await self.async_poll(action, followed)
            except (TimeoutError, AmpsError) as err:
                LOGGER.debug("Lost sight of action %s: %r", action.id, err)
                ended = self._reported_end(device, action)
            finally:
                lane.following.pop(action.id, None)
                followed.ended.set_result(ended)
            if ended is None:
                if lane.latest is not None and lane.latest.id == action.id:
                    # Nobody knows what became of it, unless the device tells.
                    lane.latest = None
                self.seeker.async_lost(device, action.id)
            await self._async_ended(device, ended, intent)

        self._lanes.account.entry.async_create_background_task(
            self._lanes.hass, _async_to_the_end(), name=f"Amps AI action {action.id}"
        )
        return followed.ended

    async def async_poll(
        self, action: Action, followed: Followed | None = None
    ) -> Action:
        """Ask for an action until it has ended, or a webhook tells its end.

        Raises AmpsDeviceNotFoundError where the action is not known.
        """
        waiting = followed.told if followed else self._lanes.hass.loop.create_future()
        attempt = 0
        while not action.is_final:
            beside = followed is not None and self._webhooks_work()
            polls = _POLLS_BESIDE_WEBHOOKS if beside else _POLLS
            wait = polls[min(attempt, len(polls) - 1)]
            attempt += 1
            # The account holds back as one; a webhook is heard meanwhile.
            wait = max(wait, self._lanes.account.limits.remaining)
            await asyncio.wait([waiting], timeout=wait)
            if waiting.done():
                return waiting.result().filled_from(action)
            try:
                action = await self._lanes.account.client.async_get_action(action.id)
                if followed is not None:
                    followed.action = action
            except AmpsDeviceNotFoundError:
                raise
            except AmpsError as err:
                self._lanes.account.limits.refused(err)
                LOGGER.debug("Reading action %s failed: %s", action.id, err)
        return action

    async def async_take_end(self, device: Device, action: Action) -> None:
        """Take the end of an action as a webhook tells it."""
        lane = self._lanes.of(device.id)
        if (followed := lane.following.get(action.id)) is not None:
            if not followed.told.done():
                followed.told.set_result(action)
            return
        if action.id in lane.ends.told:
            return
        lane.told.append(action)
        known = device.last_action
        if known is not None and known.id == action.id:
            action = action.filled_from(known)
        # Not sent from here: it is shown, and never an error.
        await self._async_ended(device, action, None)

    @callback
    def _found(self, device: Device, action: Action) -> None:
        """Take what was found out of an action that nobody followed."""
        if not action.is_final:
            self.async_follow_later(device, action)
        elif action.state == ActionState.CANCELLED:
            self.async_cancelled(device, action)
        else:
            self._ended(device, action, None)

    async def _async_ended(
        self, device: Device, action: Action | None, intent: Intent | None
    ) -> None:
        """Tell how an action ended and read what it did."""
        self._ended(device, action, intent)
        await self._lanes.async_read_back(device)

    @callback
    def _ended(
        self, device: Device, action: Action | None, intent: Intent | None
    ) -> None:
        """Tell how an action ended, as far as that is known."""
        lane = self._lanes.of(device.id)
        if action is not None:
            if action.state != ActionState.COMPLETED:
                lane.async_stop_later(action.id)
            if lane.latest is None or not _is_newer(lane.latest, action):
                lane.latest = action
            self._teller.async_tell(device, action)
        if intent is not None:
            if action is not None and action.state == ActionState.COMPLETED:
                self._intents.async_await_reading(device, intent, action.completed_at)
            else:
                self._intents.async_end(device, intent)
        if action is not None:
            self._teller.async_mend(device, action)
            if action.start is not None or lane.queued:
                # One that waited for this one has its turn now.
                lane.queued = False
                self._schedule.async_changed(device)
        self._lanes.coordinator(device).async_tell(device.id)

    def _reported_end(self, device: Device, action: Action) -> Action | None:
        """Return the end of an action as the device itself reports it."""
        now = self._lanes.coordinator(device).data.get(device.id)
        told = now.last_action if now else None
        return told if told and told.id == action.id and told.is_final else None

    @callback
    def async_reported(self, device: Device, action: Action) -> None:
        """Tell of an end that a reading shows: of a command sent from elsewhere."""
        if action.is_final and action.id not in self._lanes.of(device.id).following:
            self._teller.async_tell(device, action)

    # Later

    @callback
    def async_follow_later(self, device: Device, action: Action) -> None:
        """Follow an action from its start, and read the device at its end."""
        lane = self._lanes.of(device.id)
        clock = self._lanes.account.clock
        now = clock.now()
        lane.queued = lane.queued or action.start is None
        if _is_newer(action, lane.latest):
            lane.latest = action
            self._lanes.coordinator(device).async_tell(device.id)
        if action.id in lane.following or action.id in lane.later:
            return
        stops: list[CALLBACK_TYPE] = []

        @callback
        def _start(_now: datetime | None = None) -> None:
            if action.end is None:
                lane.later.pop(action.id, None)
            self.async_follow(device, action)

        @callback
        def _end(_now: datetime) -> None:
            lane.later.pop(action.id, None)
            self._lanes.async_read_soon(device)

        for at, job in ((action.start, _start), (action.end, _end)):
            # By the API's clock, which its times are given in.
            if at is not None and at > now:
                stops.append(
                    async_call_later(
                        self._lanes.hass,
                        clock.seconds_until(at) + 1,
                        HassJob(job, cancel_on_shutdown=True),
                    )
                )
        if stops:
            lane.later[action.id] = stops
        if action.start is None or action.start <= now:
            _start()

    @callback
    def async_take_up(self, device: Device) -> None:
        """Follow what a device has open, whoever sent it, after a restart."""
        action = device.last_action
        if action is None and not self._lanes.is_known(device.id):
            return
        ends = self._lanes.ends(device.id)
        told = action.id if action is not None else None
        # What was followed may have ended while nobody looked.
        if missed := tuple(item for item in ends.open if item != told):
            self.seeker.async_look_after(device, missed)
        if action is None or action.state is None:
            return
        if action.is_final:
            if action.id in ends.open:
                self._teller.async_tell(device, action)
                self._teller.async_mend(device, action)
            return
        if action.state == ActionState.SCHEDULED:
            # When it begins, only the schedule tells.
            return
        self.async_follow_later(device, action)

    @callback
    def async_cancelled(self, device: Device, action: Action) -> None:
        """Tell of an action that was cancelled; a reply may leave out that it is."""
        if not action.is_final:
            action = replace(action, state=ActionState.CANCELLED)
        lane = self._lanes.of(device.id)
        lane.async_stop_later(action.id)
        if lane.latest is not None and lane.latest.id == action.id:
            lane.latest = action
        self._teller.async_tell(device, action)
        self._lanes.coordinator(device).async_tell(device.id)
