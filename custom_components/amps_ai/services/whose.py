"""Whose: the entry and the device that a call names."""

from dataclasses import dataclass

from homeassistant.core import ServiceCall, callback
from homeassistant.helpers import service

from ..api import Device, DeviceType
from ..common.const import DOMAIN
from ..common.errors import refused
from ..readings import AmpsCoordinator
from ..runtime import AmpsConfigEntry
from .fields import ATTR_CONFIG_ENTRY_ID, ATTR_DEVICE_ID


@dataclass(frozen=True, kw_only=True)
class Whose:
    """What a call is about: an entry, and one of its devices or all."""

    entry: AmpsConfigEntry
    coordinator: AmpsCoordinator | None = None
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
def device_of(call: ServiceCall) -> tuple[Whose, AmpsCoordinator, Device]:
    """Return the device that a call names."""
    entry: AmpsConfigEntry
    registered, entry = service.async_get_device_and_config_entry(
        call.hass, DOMAIN, call.data[ATTR_DEVICE_ID], include_child_devices=False
    )
    for domain, device_id in registered.identifiers:
        if domain != DOMAIN:
            continue
        coordinator = entry.runtime_data.find(device_id)
        if coordinator is not None:
            device = coordinator.data[device_id]
            whose = Whose(entry=entry, coordinator=coordinator, device=device)
            return whose, coordinator, device
    name = registered.name_by_user or registered.name or entry.title
    raise refused("no_such_device", name)


@callback
def whose_of(call: ServiceCall) -> Whose:
    """Return the device or the entry that a call names, else the only entry."""
    entry: AmpsConfigEntry
    if ATTR_DEVICE_ID in call.data:
        registered, entry = service.async_get_device_and_config_entry(
            call.hass, DOMAIN, call.data[ATTR_DEVICE_ID], include_child_devices=False
        )
        # The account is a device, too.
        if (DOMAIN, entry.entry_id) in registered.identifiers:
            return Whose(entry=entry)
        return device_of(call)[0]
    entry = service.async_get_config_entry(
        call.hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID)
    )
    return Whose(entry=entry)


@callback
def require(
    call: ServiceCall, *types: DeviceType
) -> tuple[Whose, AmpsCoordinator, Device]:
    """Return the device that a call names, if it is of a type that it takes."""
    found = device_of(call)
    if found[2].type not in types:
        raise refused(
            "wrong_type",
            found[0].name,
            action=f"{DOMAIN}.{call.service}",
            types=", ".join(item.value for item in types),
        )
    return found
