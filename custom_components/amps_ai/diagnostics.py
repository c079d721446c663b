"""Diagnostics: everything needed to help somebody, and nothing secret."""

import asyncio
from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntry

from .api import Device
from .api.redact import redacted
from .common.const import CONF_CLOUDHOOK_URL, CONF_USER_ID, CONF_WEBHOOK_SECRET, DOMAIN
from .readings import AmpsCoordinator
from .runtime import AmpsConfigEntry

_SECRET: Final = {
    CONF_API_KEY,
    CONF_USER_ID,
    CONF_WEBHOOK_ID,
    CONF_WEBHOOK_SECRET,
    CONF_CLOUDHOOK_URL,
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: AmpsConfigEntry
) -> dict[str, Any]:
    """Return what is known of an account and of each of its devices."""
    return {**_account(entry), "devices": await _async_devices(hass, entry, None)}


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: AmpsConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Return what is known of one device, and of its account."""
    ids = {device_id for domain, device_id in device.identifiers if domain == DOMAIN}
    return {**_account(entry), "devices": await _async_devices(hass, entry, ids)}


@callback
def _account(entry: AmpsConfigEntry) -> dict[str, Any]:
    """Return what is known of an account; of one that is not loaded, little."""
    told: dict[str, Any] = {
        "entry": {
            "title": entry.title,
            "state": entry.state.value,
            "reason": entry.error_reason_translation_key,
            "version": f"{entry.version}.{entry.minor_version}",
            # A secret that is not set may be told so.
            "data": async_redact_data(dict(entry.data), _SECRET),
            "options": async_redact_data(dict(entry.options), _SECRET),
            "pref_disable_polling": entry.pref_disable_polling,
        },
    }
    if entry.state is not ConfigEntryState.LOADED:
        return told
    runtime = entry.runtime_data
    account = runtime.account
    return told | {
        "account": {
            "environment": account.client.environment.value,
            "time": account.clock.now().isoformat(),
            "limits": account.limits.as_dict(),
            "freshness": runtime.planner.as_dict(),
            "requests": dict(sorted(account.client.requests.items())),
            "webhooks": runtime.webhooks.as_dict() if runtime.webhooks else None,
            "to_be_linked_again": runtime.links.lost,
        },
        "plans": redacted(account.client.scrub(runtime.plans.as_dict())),
        "types": {
            device_type.value: redacted(account.client.scrub(coordinator.as_dict()))
            for device_type, coordinator in runtime.coordinators.items()
        },
    }


async def _async_devices(
    hass: HomeAssistant, entry: AmpsConfigEntry, wanted: set[str] | None
) -> dict[str, Any]:
    """Return what is known of the devices that are wanted, or of all."""
    if entry.state is not ConfigEntryState.LOADED:
        return {}
    runtime = entry.runtime_data
    told: dict[str, Any] = {}
    for _, device in runtime.coordinators.devices():
        if wanted is None or device.id in wanted:
            told[device.id] = {
                **runtime.account.client.scrub(_device(entry, device)),
                "entities": _entities(hass, entry, device.id),
            }
            # The loop is everybody's.
            await asyncio.sleep(0)
    return told


def _freshness(coordinator: AmpsCoordinator, device_id: str) -> dict[str, Any]:
    """Return how fresh a device's data is."""
    age, age_of_single_read = (
        None if at is None else round(coordinator.account.clock.age(at).total_seconds())
        for at in (
            coordinator.async_pulled_at(device_id, single=single)
            for single in (False, True)
        )
    )
    return {
        "usable": coordinator.async_is_usable(device_id),
        "age": age,
        "age_of_single_read": age_of_single_read,
    }


@callback
def _device(entry: AmpsConfigEntry, device: Device) -> dict[str, Any]:
    runtime = entry.runtime_data
    described: dict[str, Any] = redacted(
        {
            "type": device.type.value,
            "is_older": device.is_older,
            "detailed": device.detailed,
            "freshness": _freshness(runtime.coordinators[device.type], device.id),
            "pushes": runtime.pushes.as_dict(device.id),
            "planned": [action.as_record() for action in runtime.schedule.of(device)],
            "body": device.raw,
        }
    )
    return described


@callback
def _entities(
    hass: HomeAssistant, entry: AmpsConfigEntry, device_id: str
) -> dict[str, Any]:
    """Return what a device's entities show."""
    device = entry.runtime_data.account.async_registered(device_id)
    found: dict[str, Any] = {}
    if device is None:
        return found
    for item in er.async_entries_for_device(
        er.async_get(hass), device.id, include_disabled_entities=True
    ):
        if item.platform == DOMAIN:
            state = hass.states.get(item.entity_id)
            found[item.unique_id.removeprefix(f"{device_id}_")] = {
                "entity_id": item.entity_id,
                "disabled_by": item.disabled_by,
                "state": state and state.state,
            }
    return found
