"""Refused: a key that was no good when the entry was to be set up.

Nobody polls then. The key is tried now and then: once it is good again, nobody
needs to type a new one.
"""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_API_KEY
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util.hass_dict import HassKey

from ..api import AmpsError, DeviceType
from ..common.const import CONF_USER_ID, DOMAIN, LOGGER
from .account import create_client

_AGAIN: Final = timedelta(minutes=10)

_TRYING: Final[HassKey[dict[str, CALLBACK_TYPE]]] = HassKey(f"{DOMAIN}_refused")


@callback
def async_try_again(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Try the key of an entry later, and set the entry up once it is good."""

    async def _async_try(_now: datetime) -> None:
        client = create_client(
            hass, entry.data[CONF_API_KEY], entry.data.get(CONF_USER_ID)
        )
        try:
            await client.async_count_devices(DeviceType.BATTERY)
        except AmpsError as err:
            LOGGER.debug("The key of %s is no good yet: %s", entry.title, err)
            if entry.entry_id in trying:
                async_try_again(hass, entry)
            return
        if trying.pop(entry.entry_id, None) is not None:
            # Home Assistant closes the request for a new key, too.
            hass.config_entries.async_schedule_reload(entry.entry_id)

    trying = hass.data.setdefault(_TRYING, {})
    trying[entry.entry_id] = async_call_later(
        hass, _AGAIN, HassJob(_async_try, cancel_on_shutdown=True)
    )


@callback
def async_stop_trying(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Try no more: the entry is set up, switched off or gone."""
    if stop := hass.data.get(_TRYING, {}).pop(entry.entry_id, None):
        stop()
