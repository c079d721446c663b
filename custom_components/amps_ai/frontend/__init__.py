"""The dashboard strategy, as Home Assistant's front end loads it.

A page loads the few lines of `www/amps-ai.js`, which say that there is such a
strategy. A dashboard that uses it loads the rest.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from homeassistant.components import websocket_api
from homeassistant.components.frontend import (
    DOMAIN as FRONTEND_DOMAIN,
    add_extra_js_url,
)
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant, callback
import voluptuous as vol

from ..api import capabilities
from ..api.vocabulary import Execution
from ..common.const import DOMAIN
from ..runtime import AmpsConfigEntry

FOLDER: Final = Path(__file__).parent / "www"
MODULE: Final = "amps-ai.js"


def _version() -> str:
    """Return what changes with any of the files, so that each can be cached."""
    digest = sha256()
    for path in sorted(FOLDER.rglob("*.js*")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


async def async_setup_frontend(hass: HomeAssistant) -> None:
    """Serve the strategy and have it known, where there is a front end."""
    if FRONTEND_DOMAIN not in hass.config.components:
        return
    version = await hass.async_add_executor_job(_version)
    url = f"/{DOMAIN}/frontend/{version}"
    await hass.http.async_register_static_paths(
        [StaticPathConfig(url, str(FOLDER), cache_headers=True)]
    )
    add_extra_js_url(hass, f"{url}/{MODULE}")
    websocket_api.async_register_command(hass, _timed_commands)


@callback
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/timed_commands"})
def _timed_commands(
    hass: HomeAssistant,
    connection: websocket_api.ActiveConnection,
    message: dict[str, Any],
) -> None:
    """Tell which commands each device takes for a while: from a time to a time."""
    commands: dict[str, list[str]] = {}
    entries: list[AmpsConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        runtime = entry.runtime_data
        for coordinator in runtime.coordinators.values():
            for device in coordinator.data.values():
                registered = runtime.account.async_registered(device.id)
                if registered is not None:
                    commands[registered.id] = [
                        name
                        for name, command in capabilities(device).items()
                        if command.execution is None
                        or Execution.WINDOWED in command.execution
                    ]
    connection.send_result(message["id"], commands)
