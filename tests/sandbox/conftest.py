"""What the tests of the sandbox share."""

from collections.abc import AsyncIterator

from aiohttp import ClientSession
import pytest

from sandbox import Clock, Sandbox
from tests.sandbox.helpers import START, Api


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still."""
    return Clock.manual(START)


@pytest.fixture
def home() -> str:
    """Return the home to furnish; tests override it by parameters."""
    return "home"


@pytest.fixture
async def sandbox(
    socket_enabled: None, clock: Clock, home: str
) -> AsyncIterator[Sandbox]:
    """Run a sandbox on a free port."""
    async with Sandbox(home, clock=clock) as running:
        yield running
        assert not running.crashes


@pytest.fixture
async def api(sandbox: Sandbox) -> AsyncIterator[Api]:
    """Return a client of the sandbox."""
    async with ClientSession() as session:
        yield Api(session, sandbox.url)
