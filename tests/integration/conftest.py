"""A real Home Assistant core, and an entry that talks to the sandbox."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
import logging
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.amps_ai.api import AmpsError
from custom_components.amps_ai.const import CONF_APP_ID, DOMAIN
from sandbox import TEST_KEY, Sandbox

from .leaks import Leaks

APP_ID = "app_demo"

type Pass = Callable[[float], Awaitable[None]]


@pytest.fixture
def leaks(hass_storage: dict[str, Any]) -> Generator[Leaks]:
    """Watch over what is logged and written, from before the core to after it."""
    watch = Leaks()
    own = logging.getLogger("custom_components.amps_ai")
    level = own.level
    own.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(watch)
    with patch.object(AmpsError, "__init__", _watched(watch)):
        yield watch
    logging.getLogger().removeHandler(watch)
    own.setLevel(level)
    watch.stored(hass_storage)
    assert not watch.found


def _watched(watch: Leaks) -> Callable[..., None]:
    """Return what makes an error of the client, and looks at what it says."""
    usual = AmpsError.__init__

    def _init(self: AmpsError, *args: Any, **kwargs: Any) -> None:
        usual(self, *args, **kwargs)
        watch.look(f"{self} {self.details}", "an error")

    return _init


@pytest.fixture(autouse=True)
async def _watched_over(
    leaks: Leaks, hass: HomeAssistant, sandbox: Sandbox
) -> AsyncGenerator[None]:
    """Watch over what is shown."""
    leaks.begin(hass, sandbox)
    yield
    await leaks.finish()


@pytest.fixture(autouse=True)
def _integration(
    leaks: Leaks,
    enable_custom_integrations: None,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Let Home Assistant find the integration, and that the sandbox."""
    monkeypatch.setenv("AMPS_AI_API_URL", sandbox.url)
    monkeypatch.setenv("AMPS_AI_LINK_URL", f"{sandbox.url}/link")


@pytest.fixture
def entry() -> MockConfigEntry:
    """Return an entry as the flow makes it."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Amps AI (sandbox)",
        unique_id=f"sandbox:{APP_ID}:*",
        data={CONF_API_KEY: TEST_KEY, CONF_APP_ID: APP_ID},
    )


@pytest.fixture
async def loaded(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Set the entry up."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


@pytest.fixture
def pass_time(
    hass: HomeAssistant, sandbox: Sandbox, freezer: FrozenDateTimeFactory
) -> Pass:
    """Return what lets time pass, here and in the sandbox, bit by bit."""

    async def _pass(seconds: float) -> None:
        while seconds > 0:
            bit = min(seconds, 15)
            seconds -= bit
            freezer.tick(bit)
            sandbox.clock.advance(bit)
            async_fire_time_changed(hass)
            await hass.async_block_till_done(wait_background_tasks=True)

    return _pass
