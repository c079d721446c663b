"""The dashboard strategy, as Home Assistant's front end loads it.

A page loads the few lines of `www/amps-ai.js`, which say that there is such a
strategy. A dashboard that uses it loads the rest.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final

from homeassistant.components.frontend import (
    DOMAIN as FRONTEND_DOMAIN,
    add_extra_js_url,
)
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant

from ..common.const import DOMAIN

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
