"""Buttons: read a device anew."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import DeviceType
from .common.errors import spoken_errors
from .entities import AmpsEntity, AmpsEntityDescription, Table, async_setup_entities
from .readings import takes_scheduling
from .runtime import AmpsConfigEntry, AmpsRuntimeData

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AmpsButtonDescription(AmpsEntityDescription, ButtonEntityDescription):
    """A button."""


BUTTONS: Final[Table[AmpsButtonDescription]] = MappingProxyType(
    dict.fromkeys(
        DeviceType,
        (
            AmpsButtonDescription(
                key="refresh",
                translation_key="refresh",
                entity_category=EntityCategory.DIAGNOSTIC,
                shows=(),
            ),
        ),
    )
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of the devices."""
    await async_setup_entities(entry, async_add_entities, BUTTONS, AmpsRefreshButton)


class AmpsRefreshButton(AmpsEntity, ButtonEntity):
    """Ask the manufacturer for a device's state now."""

    entity_description: AmpsButtonDescription

    # As in `AmpsEntity`: what is the same for all stands here once.
    capability_attributes = None
    extra_state_attributes = None
    supported_features = None
    unit_of_measurement = None

    @override
    async def async_press(self) -> None:
        """Read the device anew, at most once a minute; look for news of it too."""
        self.coordinator.async_hurry()
        with spoken_errors(self.spoken_name):
            await self.coordinator.async_read(self.device_id, expedite=True)
        runtime: AmpsRuntimeData = self.coordinator.config_entry.runtime_data
        if takes_scheduling(self.device):
            runtime.schedule.async_changed(self.device)
        await runtime.async_look_for_devices()
