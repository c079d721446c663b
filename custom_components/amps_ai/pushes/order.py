"""Order: one push after the other for each device, and only the newest tap."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from ..api import Action, ActionState, Device
from ..common.errors import action_error
from .following import Follower
from .intents import Intents
from .lane import Intent, Lanes
from .sending import Sender

# How long a control's call waits for the end of its action.
CONTROL_WAIT: Final = 3

# Sends, unless what it is given tells that a newer tap replaced this one.
type Send = Callable[[Callable[[], bool]], Awaitable[Action | None]]


class Order:
    """Let the taps of controls have their turn."""

    def __init__(
        self, lanes: Lanes, intents: Intents, follower: Follower, sender: Sender
    ) -> None:
        """Begin with nobody who waits."""
        self._lanes = lanes
        self._intents = intents
        self._follower = follower
        self._sender = sender

    async def async_take(
        self, device: Device, intent: Intent, send: Send, rest: float = 0
    ) -> None:
        """Send when it is this one's turn, unless a newer tap replaced it."""
        lane = self._lanes.of(device.id)
        control = intent.control
        ticket = lane.newest[control] = object()

        def _replaced() -> bool:
            return lane.newest.get(control) is not ticket

        self._intents.async_begin(device, intent)
        try:
            if rest:
                await asyncio.sleep(rest)
            if _replaced():
                self._intents.async_end(device, intent)
                return
            async with lane.order:
                if _replaced():
                    self._intents.async_end(device, intent)
                    return
                with self._sender.speaking(device):
                    action = await send(_replaced)
        except BaseException:
            self._intents.async_end(device, intent)
            raise
        finally:
            if not _replaced():
                del lane.newest[control]
        if action is None:
            # A setting, which has no action, or a tap that was replaced.
            if self._intents.async_await_reading(device, intent, None):
                self._lanes.async_read_soon(device)
            return
        await self._async_outcome(device, intent, action)

    async def _async_outcome(
        self, device: Device, intent: Intent, action: Action
    ) -> None:
        """Follow an action; raise if it fails while the call still waits."""
        future = self._follower.async_follow(device, action, intent)
        done, _ = await asyncio.wait([future], timeout=CONTROL_WAIT)
        if not done:
            return
        ended = future.result()
        if ended is not None and ended.state == ActionState.FAILED:
            name = self._lanes.account.async_spoken_name(device)
            raise action_error(ended, name)
