"""A client of the sandbox, with a session as anybody would make one."""

from collections.abc import AsyncGenerator

import aiohttp
import pytest

from custom_components.amps_ai.api import AmpsClient
from sandbox import TEST_KEY, Sandbox


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    """Return a plain session."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def client(sandbox: Sandbox, session: aiohttp.ClientSession) -> AmpsClient:
    """Return a client with the key of the sandbox account."""
    return AmpsClient(session, TEST_KEY, base_url=sandbox.url)
