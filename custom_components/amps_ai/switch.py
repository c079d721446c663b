"""Switches: EV chargers charge or pause."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import DeviceType, Push, capabilities
from .api.vocabulary import Commands
from .entities import (
    AmpsControlEntity,
    AmpsEntityDescription,
    Table,
    async_setup_entities,
)
from .runtime import AmpsConfigEntry

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class AmpsSwitchDescription(AmpsEntityDescription, SwitchEntityDescription):
    """A switch."""


SWITCHES: Final[Table[AmpsSwitchDescription]] = MappingProxyType(
    {
        DeviceType.EV_CHARGER: (
            AmpsSwitchDescription(
                key="charge",
                translation_key="charge",
                # The charger's main entity is called as the charger.
                name=None,
                exists_fn=lambda device: bool(
                    {Commands.CHARGE, Commands.IDLE} & capabilities(device).keys()
                ),
                shows=("is_charging",),
            ),
        ),
    }
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the switches of the devices."""
    await async_setup_entities(entry, async_add_entities, SWITCHES, AmpsChargeSwitch)


class AmpsChargeSwitch(AmpsControlEntity, SwitchEntity):
    """Let a charger charge, or pause it."""

    entity_description: AmpsSwitchDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether the charger charges."""
        state: Any = self.shown.state
        charging: bool | None = state.is_charging
        return charging

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Begin or resume charging."""
        await self.async_push(Push(command=Commands.CHARGE), {"is_charging": True})

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Pause charging; the session is held."""
        await self.async_push(Push(command=Commands.IDLE), {"is_charging": False})
