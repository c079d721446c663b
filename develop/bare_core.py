"""A real Home Assistant with no more than is asked for, on this machine alone."""

from collections.abc import Iterable, Mapping
import json
from pathlib import Path
import socket
from types import MappingProxyType
from typing import Final

from homeassistant import bootstrap, loader
from homeassistant.config_entries import ConfigEntries
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.helpers.recorder import async_initialize_recorder
from homeassistant.setup import async_setup_component

HOST: Final = "127.0.0.1"
TIME_ZONE: Final = "Europe/Berlin"


class CoreError(Exception):
    """What kept Home Assistant from starting."""


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


async def start(
    folder: Path,
    name: str,
    components: Iterable[str],
    *,
    port: int | None = None,
    configs: Mapping[str, Mapping[str, object]] = MappingProxyType({}),
) -> HomeAssistant:
    """Start a Home Assistant in a folder that it has for itself."""
    port = port or free_port()
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    http = {"server_host": [HOST], "server_port": port}
    (storage / "http").write_text(
        json.dumps({"version": 1, "minor_version": 1, "key": "http", "data": http}),
        encoding="utf-8",
    )
    hass = HomeAssistant(str(folder))
    loader.async_setup(hass)
    # What is not installed has been forgotten, and is not fetched in secret.
    hass.config.skip_pip = True
    hass.config_entries = ConfigEntries(hass, {})
    await loader.async_get_custom_components(hass)
    if not await bootstrap.async_load_base_functionality(hass):
        raise CoreError("Home Assistant does not start")
    for domain in ("homeassistant", "persistent_notification"):
        await set_up(hass, domain)
    await async_process_ha_core_config(
        hass,
        {
            "name": name,
            "latitude": 52.52,
            "longitude": 13.405,
            "elevation": 34,
            "unit_system": "metric",
            "country": "DE",
            "time_zone": TIME_ZONE,
            "internal_url": f"http://{HOST}:{port}",
            # The usual ones need packages that nothing here uses.
            "auth_mfa_modules": [],
        },
    )
    components = tuple(components)
    if "recorder" in components:
        async_initialize_recorder(hass)
    for domain in components:
        await set_up(hass, domain, configs.get(domain))
    await hass.async_start()
    return hass


async def set_up(
    hass: HomeAssistant, domain: str, config: Mapping[str, object] | None = None
) -> None:
    """Set up a component."""
    # Where http has a configuration, its stored one does not count.
    if not await async_setup_component(
        hass, domain, {domain: dict(config)} if config else {}
    ):
        raise CoreError(f"Home Assistant does not set up {domain}")
