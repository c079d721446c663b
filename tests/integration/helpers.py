"""What the tests of the integration do again and again."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.common.const import DOMAIN
from sandbox import RequestRecord


async def done(hass: HomeAssistant) -> None:
    """Wait until nobody has anything to do, not even in the background."""
    await hass.async_block_till_done(wait_background_tasks=True)


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> bool:
    """Add an entry and set it up; tell whether that went well."""
    entry.add_to_hass(hass)
    result = await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    return result


def is_expedited(record: RequestRecord) -> bool:
    """Tell whether a read went past the usual cache."""
    return record.query.get("expedite") == "true"


def registered(hass: HomeAssistant, device_id: str) -> str:
    """Return the id that Home Assistant knows a device by."""
    registry = dr.async_get(hass)
    for entry in hass.config_entries.async_entries(DOMAIN):
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
            if (DOMAIN, device_id) in device.identifiers:
                return device.id
    raise KeyError(device_id)
