"""Whose: the entry and the devices that a call names."""

from collections.abc import Collection
from typing import NamedTuple

from homeassistant.core import ServiceCall, callback
from homeassistant.helpers import service

from ..api import Device, DeviceType
from ..common.const import DOMAIN
from ..common.errors import refused
from ..common.names import given_name
from ..common.words import said
from ..readings import AmpsCoordinator
from ..runtime import AmpsConfigEntry
from .fields import ATTR_CONFIG_ENTRY_ID, ATTR_DEVICE_ID


class Named(NamedTuple):
    """A device that a call names."""

    entry: AmpsConfigEntry
    coordinator: AmpsCoordinator
    device: Device

    @property
    def name(self) -> str:
        """Return what the person calls it."""
        return self.entry.runtime_data.account.async_spoken_name(self.device)


class Whose(NamedTuple):
    """What a call is about: an entry, and one of its devices or all."""

    entry: AmpsConfigEntry
    device: Device | None = None

    @property
    def name(self) -> str:
        """Return what the person calls it."""
        if self.device is None:
            return self.entry.title
        return self.entry.runtime_data.account.async_spoken_name(self.device)

    @property
    def devices(self) -> list[Device]:
        """Return the devices that a call is about."""
        if self.device is not None:
            return [self.device]
        return [
            device
            for coordinator in self.entry.runtime_data.coordinators.values()
            for device in coordinator.data.values()
        ]


@callback
def device_of(
    call: ServiceCall, ha_device_id: str, types: Collection[DeviceType] = ()
) -> Named:
    """Return a device that a call names, if it is of a type that this takes."""
    entry: AmpsConfigEntry
    registered, entry = service.async_get_device_and_config_entry(
        call.hass, DOMAIN, ha_device_id, include_child_devices=False
    )
    for domain, device_id in registered.identifiers:
        if domain != DOMAIN:
            continue
        coordinator = entry.runtime_data.find(device_id)
        if coordinator is None:
            continue
        device = coordinator.data[device_id]
        named = Named(entry=entry, coordinator=coordinator, device=device)
        if types and device.type not in types:
            raise refused(
                "wrong_type",
                named.name,
                action=said(call.hass, f"services.{call.service}.name"),
                types=", ".join(
                    said(call.hass, f"common.type_{item}") for item in types
                ),
            )
        return named
    raise refused("no_such_device", given_name(registered) or entry.title)


@callback
def whose_of(call: ServiceCall) -> Whose:
    """Return the device or the entry that a call names, else the only entry."""
    entry: AmpsConfigEntry
    if ATTR_DEVICE_ID in call.data:
        ha_device_id = call.data[ATTR_DEVICE_ID]
        registered, entry = service.async_get_device_and_config_entry(
            call.hass, DOMAIN, ha_device_id, include_child_devices=False
        )
        # The account is a device, too.
        if (DOMAIN, entry.entry_id) in registered.identifiers:
            return Whose(entry=entry)
        return Whose(entry=entry, device=device_of(call, ha_device_id).device)
    entry = service.async_get_config_entry(
        call.hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID)
    )
    return Whose(entry=entry)
