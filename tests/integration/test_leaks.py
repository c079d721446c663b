"""The watch that every test stands under: it sees what it should."""

from collections.abc import Callable
import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.api import AmpsError
from sandbox import TEST_KEY

from .leaks import Leaks

LOGGER = logging.getLogger("custom_components.amps_ai.test")


def _logged(hass: HomeAssistant) -> None:
    LOGGER.debug("the key is %s", TEST_KEY)


def _raised(hass: HomeAssistant) -> None:
    LOGGER.error("oh", exc_info=ValueError(TEST_KEY))


def _shown(hass: HomeAssistant) -> None:
    hass.states.async_set("sensor.x", "1", {"note": TEST_KEY})


def _said(hass: HomeAssistant) -> None:
    AmpsError(f"no such key: {TEST_KEY}")


@pytest.mark.parametrize("leak", [_logged, _raised, _shown, _said])
async def test_a_leak_is_seen(
    hass: HomeAssistant,
    leaks: Leaks,
    loaded: MockConfigEntry,
    leak: Callable[[HomeAssistant], None],
) -> None:
    leak(hass)
    await hass.async_block_till_done()
    assert len(leaks.found) == 1
    leaks.found.clear()


async def test_a_leak_into_a_file_is_seen(
    hass: HomeAssistant,
    leaks: Leaks,
    loaded: MockConfigEntry,
    hass_storage: dict[str, Any],
) -> None:
    store: Store[dict[str, str]] = Store(hass, 1, "amps_ai.notes")
    await store.async_save({"key": TEST_KEY})
    leaks.stored(hass_storage)
    assert len(leaks.found) == 1
    leaks.found.clear()
    hass_storage.clear()


async def test_it_looks(leaks: Leaks, loaded: MockConfigEntry) -> None:
    """Set-up alone logs, shows and writes enough to look at."""
    assert leaks.looked_at > 50
    await leaks.finish()
    assert not leaks.found
