"""Order: one push after the other for each device, and only the newest tap."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError

from ..api import Action, ActionState, Device
from ..api.clock import mark, passed
from ..common.const import LOGGER
from ..common.errors import action_error
from ..common.words import command_name, setting_name
from .following import Follower
from .intents import Intents
from .lane import Intent, Lane, Lanes, Turn
from .notices import Notices
from .sending import Sender

# How long a control's call waits for the end of its action, and for its turn.
CONTROL_WAIT: Final = 3
# A slider that never rests is sent now and then.
MOST_REST: Final = 3

type Send = Callable[[Turn], Awaitable[Action | None]]


class Order:
    """Let the taps of controls have their turn."""

    def __init__(
        self,
        lanes: Lanes,
        intents: Intents,
        follower: Follower,
        sender: Sender,
        notices: Notices,
    ) -> None:
        """Begin with nobody who waits."""
        self._lanes = lanes
        self._intents = intents
        self._follower = follower
        self._sender = sender
        self._notices = notices

    async def async_take(
        self, device: Device, intent: Intent, send: Send, rest: float = 0
    ) -> None:
        """Send when it is this one's turn, unless a newer tap replaced it.

        One that has to wait for others goes on after its call, which then
        returns: the control shows what is wanted.
        """
        account = self._lanes.account
        lane = self._lanes.of(device.id)
        turn = Turn(lane, intent.control, account.hass.loop.create_future())
        lane.newest[intent.control] = turn
        self._intents.async_begin(device, intent)
        task = account.hass.async_create_task(
            self._async_tap(device, intent, send, rest, turn),
            "Amps AI tap",
        )
        try:
            await asyncio.wait([task, turn.parked], return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await asyncio.wait([task], timeout=CONTROL_WAIT)
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            turn.parked.cancel()
        if task.done():
            task.result()
        else:
            task.add_done_callback(lambda done: self._ended_later(device, intent, done))

    @callback
    def _ended_later(
        self, device: Device, intent: Intent, task: asyncio.Task[None]
    ) -> None:
        """Tell of a failure after the call has returned."""
        if task.cancelled():
            return
        err = task.exception()
        if isinstance(err, HomeAssistantError):
            LOGGER.warning("%s", err)
            hass = self._lanes.hass
            what = (
                setting_name(hass, intent.control)
                if intent.command is None
                else command_name(hass, intent.command, device.type)
            )
            self._notices.async_failed(device, what, err)
        elif err is not None:
            LOGGER.error("Unexpected error of a tap", exc_info=err)

    async def _async_tap(
        self, device: Device, intent: Intent, send: Send, rest: float, turn: Turn
    ) -> None:
        """Send, and wait a while for the end; raise if it fails by then."""
        sent = await self._lanes.account.async_run(
            self._async_turn(device, intent, send, rest, turn)
        )
        if sent is None:
            return
        action, future = sent
        await asyncio.wait([future], timeout=CONTROL_WAIT)
        if not future.done():
            turn.lane.unheard.append(action.id)
        elif (ended := future.result()) and ended.state == ActionState.FAILED:
            name = self._lanes.account.async_spoken_name(device)
            raise action_error(ended, name)

    async def _async_turn(
        self, device: Device, intent: Intent, send: Send, rest: float, turn: Turn
    ) -> tuple[Action, asyncio.Future[Action | None]] | None:
        """Send when it is time; return the action and what tells its end."""
        lane = turn.lane
        try:
            if rest:
                await self._async_rest(lane, intent.control, rest)
            if turn.is_replaced():
                self._intents.async_end(device, intent)
                return None
            lane.restless.pop(intent.control, None)
            if lane.order.locked():
                turn.async_park()
            async with lane.order:
                if turn.is_replaced():
                    self._intents.async_end(device, intent)
                    return None
                async with self._sender.speaking(device):
                    action = await send(turn)
        except BaseException:
            self._intents.async_end(device, intent)
            raise
        finally:
            if not turn.is_replaced():
                del lane.newest[intent.control]
        if action is None:
            # A setting, which has no action, or a tap that was replaced.
            if intent.command is None:
                self._notices.async_dismiss(device.id)
            if self._intents.async_await_reading(device, intent, None):
                self._lanes.async_read_soon(device)
            return None
        return action, self._follower.async_follow(device, action, intent)

    async def _async_rest(self, lane: Lane, control: str, rest: float) -> None:
        """Wait until a slider rests, but not for ever."""
        since = lane.restless.setdefault(control, mark())
        await asyncio.sleep(min(rest, MOST_REST - passed(since)))
