"""Waiting in real seconds, whatever a test does to the time of its event loop."""

import asyncio
from contextlib import suppress
import os
import time


async def wait_until(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, at most some real seconds; tell whether it came."""
    if seconds > 0 and not event.is_set():
        if hasattr(os, "timerfd_create"):
            await _by_descriptor(event, seconds)
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await event.wait()
    return event.is_set()


async def _by_descriptor(event: asyncio.Event, seconds: float) -> None:
    """Wait on a timer of the kernel, which frozen time does not hold up."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    timer = os.timerfd_create(
        time.CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC
    )
    try:
        os.timerfd_settime(timer, initial=seconds)
        loop.add_reader(timer, over.set)
        await wait_for_either(event, over)
    finally:
        loop.remove_reader(timer)
        os.close(timer)


async def wait_for_either(*events: asyncio.Event) -> None:
    """Wait for the first of some events, however long."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
