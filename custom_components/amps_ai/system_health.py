"""System health: whether Amps AI can be reached, and how the accounts fare."""

from collections.abc import Callable
from typing import Any

from homeassistant.components import system_health
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .common.const import CONF_WEBHOOK, DOMAIN, api_url
from .common.words import said
from .runtime import AmpsConfigEntry, AmpsRuntimeData


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register the page's content."""
    register.async_register_info(async_system_health_info)


async def async_system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return what the page shows."""
    entries: list[AmpsConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    loaded = [entry for entry in entries if entry.state is ConfigEntryState.LOADED]

    def _each(tell: Callable[[AmpsRuntimeData], object]) -> str:
        return ", ".join(str(tell(entry.runtime_data)) for entry in loaded) or "-"

    return {
        "can_reach_api": system_health.async_check_can_reach_url(hass, api_url()),
        "accounts_loaded": f"{len(loaded)}/{len(entries)}",
        "environment": _each(
            lambda runtime: said(
                hass, f"common.environment_{runtime.account.client.environment}"
            )
        ),
        "devices": _each(
            lambda runtime: sum(
                len(item.data) for item in runtime.coordinators.values()
            )
        ),
        "plans": _each(lambda runtime: len(runtime.plans)),
        "requests": _each(lambda runtime: runtime.account.client.requests.total()),
        "holds_back": _each(
            lambda runtime: f"{runtime.account.limits.remaining:.0f} s"
        ),
        "webhooks": _each(lambda runtime: said(hass, _webhooks(runtime))),
    }


def _webhooks(runtime: AmpsRuntimeData) -> str:
    """Return where the word stands that says whether webhooks come."""
    if not runtime.account.entry.options.get(CONF_WEBHOOK):
        return "common.webhooks_off"
    if runtime.webhooks is None:
        return "common.webhooks_no_secret"
    works = runtime.pushes.webhooks_work
    return "common.webhooks_working" if works else "common.webhooks_silent"
