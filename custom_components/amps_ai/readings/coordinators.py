"""All coordinators of an account, and the devices that they have."""

from collections.abc import Iterator

from ..api import Device, DeviceType
from .coordinator import AmpsCoordinator


class Coordinators(dict[DeviceType, AmpsCoordinator]):
    """The coordinators of an account, by type."""

    def find(self, device_id: str) -> AmpsCoordinator | None:
        """Return the coordinator that has this device."""
        for coordinator in self.values():
            if device_id in coordinator.data:
                return coordinator
        return None

    def device(self, device_id: str) -> Device | None:
        """Return a device, if one of them has it."""
        coordinator = self.find(device_id)
        return coordinator.data[device_id] if coordinator else None

    def has(self, device_id: str) -> bool:
        """Tell whether one of them has this device."""
        return self.find(device_id) is not None

    def devices(self) -> Iterator[tuple[AmpsCoordinator, Device]]:
        """Go through all devices; more may come and go meanwhile."""
        for coordinator in self.values():
            for device in tuple(coordinator.data.values()):
                yield coordinator, device
