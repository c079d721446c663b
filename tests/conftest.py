"""What the tests share: a sandbox over real loopback HTTP."""

import asyncio
from collections.abc import AsyncGenerator

import freezegun
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_socket import enable_socket, socket_allow_hosts

from sandbox import Clock, Sandbox

# Noon, UTC, of the day on which most documented bodies were taken.
NOON = "2026-06-01T12:00:00Z"


@pytest.fixture(autouse=True)
def loopback() -> None:
    """Let tests talk to this machine, and to nothing else."""
    socket_allow_hosts(["127.0.0.1"])
    enable_socket()


@pytest.fixture(autouse=True)
async def enable_event_loop_debug() -> None:
    """Let the loop check who calls it, without noting where from.

    Half of the time of all tests went into the stack that asyncio keeps of each
    future, task and handle, and the stacks kept finished cores alive.
    PYTHONASYNCIODEBUG=1 brings them back, to see who left something behind.
    """
    loop = asyncio.get_running_loop()
    if loop.get_debug():
        return
    loop.set_debug(True)
    # The loop's own checks ask a field; who keeps a stack asks this.
    loop.get_debug = lambda: False  # type: ignore[method-assign]


@pytest.fixture
def home() -> str:
    """Return the home that the sandbox holds; tests choose another one."""
    return "home"


@pytest.fixture
async def sandbox(home: str) -> AsyncGenerator[Sandbox]:
    """Run the sandbox, with a clock that moves by hand."""
    server = Sandbox(home=home, clock=Clock.manual(NOON))
    await server.start()
    yield server
    await server.stop()
    assert not server.crashes


@pytest.fixture
async def freezer() -> AsyncGenerator[FrozenDateTimeFactory]:
    """Stop the clock on the wall; the event loop's runs on, and jumps along.

    With a loop whose time stands still, nothing that waits a little would
    ever go on; with one that does not jump, no timer would be due.
    """
    loop = asyncio.get_running_loop()
    usual = loop.time
    with freezegun.freeze_time() as frozen:
        assert isinstance(frozen, FrozenDateTimeFactory)
        start = frozen.time_to_freeze

        def _time() -> float:
            # By its whole name: one imported here would be frozen as well.
            real = freezegun.api.real_monotonic()
            return real + (frozen.time_to_freeze - start).total_seconds()

        loop.time = _time  # type: ignore[method-assign]
        try:
            yield frozen
        finally:
            loop.time = usual  # type: ignore[method-assign]
