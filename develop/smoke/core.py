"""A real Home Assistant with no more than the integration needs."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
import shutil
from typing import Final
from zipfile import ZipFile

from homeassistant.core import HomeAssistant

from develop import bare_core

from .log import DOMAIN

# What the integration depends on, and what a person who wants help uses.
COMPONENTS: Final = ("http", "diagnostics", "repairs", "system_health", "webhook")


class SmokeError(bare_core.CoreError):
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


@asynccontextmanager
async def started(integration: Path, folder: Path) -> AsyncGenerator[HomeAssistant]:
    """Start Home Assistant with the integration, and stop it in the end."""
    _install(integration, folder)
    hass = await bare_core.start(folder, "Smoke", COMPONENTS)
    try:
        yield hass
    finally:
        await hass.async_stop(force=True)
