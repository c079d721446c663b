"""The floor's flow: entries are made without one, but none loads without it."""

from homeassistant.config_entries import ConfigFlow

from . import DOMAIN


class FloorConfigFlow(ConfigFlow, domain=DOMAIN):
    """Asks nothing."""
