"""A real Home Assistant with no more than the integration needs."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
import json
from pathlib import Path
import shutil
import socket
from typing import Final
from zipfile import ZipFile

from homeassistant import bootstrap, loader
from homeassistant.config_entries import ConfigEntries
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.setup import async_setup_component

from .log import DOMAIN

HOST: Final = "127.0.0.1"
# What the integration depends on, and what a person who wants help uses.
COMPONENTS: Final = ("http", "diagnostics", "repairs", "system_health", "webhook")


class SmokeError(Exception):
    """What is not as it should be."""


def _install(integration: Path, folder: Path) -> None:
    """Put the integration where a person puts it: a folder, or what a zip holds."""
    target = folder / "custom_components" / DOMAIN
    if integration.is_dir():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(integration, target, ignore=ignored)
        return
    target.mkdir(parents=True)
    with ZipFile(integration) as archive:
        archive.extractall(target)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


async def _start(folder: Path) -> HomeAssistant:
    port = _free_port()
    storage = folder / ".storage"
    storage.mkdir(parents=True)
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
    if not await bootstrap.async_load_base_functionality(hass):
        raise SmokeError("Home Assistant does not start")
    for domain in ("homeassistant", "persistent_notification"):
        await set_up(hass, domain)
    await async_process_ha_core_config(
        hass,
        {
            "name": "Smoke",
            "latitude": 52.52,
            "longitude": 13.405,
            "elevation": 34,
            "unit_system": "metric",
            "country": "DE",
            "time_zone": "Europe/Berlin",
            "internal_url": f"http://{HOST}:{port}",
            # The usual ones need packages that nothing here uses.
            "auth_mfa_modules": [],
        },
    )
    for domain in COMPONENTS:
        await set_up(hass, domain)
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
        raise SmokeError(f"Home Assistant does not set up {domain}")


@asynccontextmanager
async def started(integration: Path, folder: Path) -> AsyncGenerator[HomeAssistant]:
    """Start Home Assistant with the integration, and stop it in the end."""
    _install(integration, folder)
    hass = await _start(folder)
    try:
        yield hass
    finally:
        await hass.async_stop(force=True)
