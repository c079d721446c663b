"""A real Home Assistant core, and an account that can be anything."""

from collections.abc import AsyncGenerator, Callable
from itertools import count

from aiohttp import web
from homeassistant.const import CONF_API_KEY, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.common.const import (
    CONF_APP_ID,
    CONF_WEBHOOK,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
)
from sandbox import TEST_KEY, Sandbox
from tests.api.helpers import serve

from .helpers import APP_ID, SECRET, WEBHOOK_ID, Checks, Stage

type MakeEntry = Callable[[], MockConfigEntry]


@pytest.fixture(autouse=True)
def _distinct_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Home Assistant's ids differ from example to example.

    They are random, and Hypothesis begins each example with the same seed.
    """
    numbers = count(1)
    monkeypatch.setattr("homeassistant.util.uuid.getrandbits", lambda _: next(numbers))


@pytest.fixture
def make_entry() -> MakeEntry:
    """Return what makes entries, as the flow does, with webhooks on."""

    def _make() -> MockConfigEntry:
        return MockConfigEntry(
            domain=DOMAIN,
            title="Amps AI (sandbox)",
            unique_id=f"sandbox:{APP_ID}:*",
            data={
                CONF_API_KEY: TEST_KEY,
                CONF_APP_ID: APP_ID,
                CONF_WEBHOOK_ID: WEBHOOK_ID,
                CONF_WEBHOOK_SECRET: SECRET,
            },
            options={CONF_WEBHOOK: True},
        )

    return _make


@pytest.fixture
def reach(
    enable_custom_integrations: None, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Return what points the integration to a server."""

    def _reach(url: str) -> None:
        monkeypatch.setenv("AMPS_AI_API_URL", url)
        monkeypatch.setenv("AMPS_AI_LINK_URL", f"{url}/link")

    return _reach


@pytest.fixture
async def stage(
    hass: HomeAssistant,
    reach: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[Stage]:
    """Run an account that lists what it is told to."""
    stage = Stage()
    # It knows no action, whatever a device says of one.
    monkeypatch.setattr("custom_components.amps_ai.pushes.following._POLLS", (0.02,))

    def _answer(request: web.Request) -> web.Response:
        return stage.answer(request)

    async with serve(_answer) as server:
        reach(server.url)
        yield stage


@pytest.fixture
async def loaded(
    hass: HomeAssistant,
    sandbox: Sandbox,
    reach: Callable[[str], None],
    make_entry: MakeEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> MockConfigEntry:
    """Set an entry up that talks to the sandbox."""
    reach(sandbox.url)
    sandbox.action_seconds = 0
    monkeypatch.setattr("custom_components.amps_ai.pushes.following._POLLS", (0.02,))
    entry = make_entry()
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


@pytest.fixture
def checks(hass: HomeAssistant, caplog: pytest.LogCaptureFixture) -> Checks:
    """Return what looks for anything out of order."""
    return Checks(hass, caplog)


@pytest.fixture
def everything_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add also the entities that are off by default."""
    monkeypatch.setattr(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default", True
    )
