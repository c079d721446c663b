"""A real Home Assistant core, and an entry that talks to the sandbox."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
import logging
from typing import Any, override
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion
from syrupy.location import PyTestLocation

from custom_components.amps_ai.api import AmpsError
from custom_components.amps_ai.common.const import CONF_APP_ID, DOMAIN
from sandbox import TEST_KEY, Sandbox

from .battery import Battery
from .helpers import done, set_up
from .leaks import Leaks

APP_ID = "app_demo"

type Pass = Callable[[float], Awaitable[None]]


class _Snapshots(HomeAssistantSnapshotExtension):
    """Home Assistant's snapshots, where syrupy looks for them by itself."""

    @classmethod
    @override
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        """Return the usual directory."""
        return super(HomeAssistantSnapshotExtension, cls).dirname(
            test_location=test_location
        )


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Keep snapshots where syrupy looks for them by itself."""
    return snapshot.use_extension(_Snapshots)


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
def only() -> str | None:
    """Return of which type alone devices are there; None is all.

    Of fifty entities that nobody looks at, set-up takes half of a test's time.
    """
    return None


@pytest.fixture(autouse=True)
def _only(sandbox: Sandbox, only: str | None) -> None:
    """Let nothing be in the home but devices of one type, where a test says so."""
    if only is not None:
        for device in sandbox.home.devices:
            if device.kind.type != only:
                sandbox.home.remove_device(device.id)


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
def stopped_clock(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Stop the clock; the core is there first, as it sets the time of its loop."""


@pytest.fixture
async def in_berlin(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, sandbox: Sandbox
) -> None:
    """Live at the sandbox's time, in its zone: it is 14:00 there, of 1 June."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to(sandbox.clock.now())
    sandbox.action_seconds = 0


@pytest.fixture
def quick() -> Generator[None]:
    """Ask for actions often."""
    with patch("custom_components.amps_ai.pushes.following._POLLS", (0.02,)):
        yield


@pytest.fixture
def at_once(quick: None, sandbox: Sandbox) -> None:
    """Have actions end at once, and ask for them often."""
    sandbox.action_seconds = 0


@pytest.fixture
async def loaded(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Set the entry up."""
    assert await set_up(hass, entry)
    return entry


@pytest.fixture
def battery(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> Battery:
    """Return the home's battery; time passes when a test says so."""
    return Battery(hass, loaded, sandbox, freezer)


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
            await done(hass)

    return _pass
