"""Entries that another release of the integration has written."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.common.const import CONF_APP_ID, DOMAIN, ENTRY_VERSION
from custom_components.amps_ai.config_flow import AmpsConfigFlow
from sandbox import TEST_KEY, Sandbox

from .helpers import set_up


def _entry(version: int, minor_version: int, **more: Any) -> MockConfigEntry:
    return MockConfigEntry(
        domain=DOMAIN,
        title="Amps AI (sandbox)",
        unique_id="sandbox:app_demo:*",
        version=version,
        minor_version=minor_version,
        data={CONF_API_KEY: TEST_KEY, CONF_APP_ID: "app_demo", **more},
    )


def test_versions_agree() -> None:
    """What the flow writes is what the set-up reads."""
    assert AmpsConfigFlow.VERSION == ENTRY_VERSION == 1
    assert AmpsConfigFlow.MINOR_VERSION == 1


@pytest.mark.parametrize("minor_version", [1, 2, 17])
async def test_same_major_version(
    hass: HomeAssistant, sandbox: Sandbox, minor_version: int
) -> None:
    """Going back a release works, and what the newer one wrote stays."""
    entry = _entry(1, minor_version, something_new={"a": 1})
    before = dict(entry.data)
    assert await set_up(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert (entry.version, entry.minor_version) == (1, minor_version)
    assert dict(entry.data) == before
    assert hass.states.get("sensor.powerwall_2_battery") is not None


@pytest.mark.parametrize("version", [2, 3])
async def test_newer_major_version(
    hass: HomeAssistant, sandbox: Sandbox, version: int
) -> None:
    """What cannot be read is refused: nothing is asked, nothing is lost."""
    before = _entry(1, 1)
    assert await set_up(hass, before)
    devices = dr.async_get(hass)
    registered = {
        device.id
        for device in dr.async_entries_for_config_entry(devices, before.entry_id)
    }
    entities = set(er.async_get(hass).entities)
    assert await hass.config_entries.async_unload(before.entry_id)
    hass.config_entries.async_update_entry(before, version=version)
    data = dict(before.data)
    sandbox.requests.clear()
    assert not await hass.config_entries.async_setup(before.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert before.state is ConfigEntryState.MIGRATION_ERROR
    assert before.version == version
    assert dict(before.data) == data
    assert not list(sandbox.requests)
    assert not hass.config_entries.flow.async_progress()
    assert {
        device.id
        for device in dr.async_entries_for_config_entry(devices, before.entry_id)
    } == registered
    assert set(er.async_get(hass).entities) == entities
    # It can be removed, and one that can be read takes its place.
    await hass.config_entries.async_remove(before.entry_id)
    assert await set_up(hass, _entry(1, 1))
