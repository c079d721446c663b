"""The address that Amps AI can send to."""

import sys

from homeassistant.components import webhook
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers.network import NoURLAvailableError

from ..common.const import CONF_CLOUDHOOK_URL, LOGGER


async def async_address(hass: HomeAssistant, entry: ConfigEntry) -> str | None:
    """Return the address that Amps AI can send to, or None if there is none."""
    webhook_id = entry.data[CONF_WEBHOOK_ID]
    if (url := await _async_cloudhook(hass, entry, webhook_id)) is not None:
        return url
    try:
        url = webhook.async_generate_url(hass, webhook_id, allow_internal=False)
    except NoURLAvailableError:
        return None
    return url if url.startswith("https://") else None


def _has_cloud() -> bool:
    """Tell whether Home Assistant Cloud may be there.

    It is a heavy import, so only what is imported already is used.
    """
    return "homeassistant.components.cloud" in sys.modules


async def _async_cloudhook(
    hass: HomeAssistant, entry: ConfigEntry, webhook_id: str
) -> str | None:
    """Return the address in Home Assistant Cloud, where that is active."""
    if not _has_cloud():
        return None
    from homeassistant.components import cloud

    if not cloud.async_active_subscription(hass):
        return None
    known: str | None = entry.data.get(CONF_CLOUDHOOK_URL)
    try:
        url = await cloud.async_get_or_create_cloudhook(hass, webhook_id)
    except Exception as err:  # noqa: BLE001
        # Not connected, not available, or trouble of its own; the address stays.
        LOGGER.debug("Home Assistant Cloud gives no address: %s", type(err).__name__)
        return known
    if url != known:
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, CONF_CLOUDHOOK_URL: url}
        )
    return url


async def async_delete_cloudhook(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Delete the address in Home Assistant Cloud, if there is one."""
    if CONF_CLOUDHOOK_URL not in entry.data or not _has_cloud():
        return
    from homeassistant.components import cloud

    try:
        await cloud.async_delete_cloudhook(hass, entry.data[CONF_WEBHOOK_ID])
    except Exception as err:  # noqa: BLE001
        # It may be gone already, and an entry must always be removable.
        LOGGER.debug("The cloudhook was not deleted: %s", type(err).__name__)
