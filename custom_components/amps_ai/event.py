"""Events: what became of commands."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import FINAL_STATES, Action, ActionState
from .api.vocabulary import STEERABLE
from .entities import (
    AmpsEntity,
    AmpsEntityDescription,
    Table,
    action_attributes,
    async_setup_entities,
    takes_commands,
)
from .runtime import AmpsConfigEntry

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AmpsEventDescription(AmpsEntityDescription, EventEntityDescription):
    """An event."""


EVENTS: Final[Table[AmpsEventDescription]] = MappingProxyType(
    {
        device_type: (
            AmpsEventDescription(
                key="action",
                translation_key="action",
                exists_fn=takes_commands,
                shows=(),
            ),
        )
        for device_type in sorted(STEERABLE)
    }
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the events of the devices."""
    await async_setup_entities(entry, async_add_entities, EVENTS, AmpsActionEvent)


class AmpsActionEvent(AmpsEntity, EventEntity):
    """The end of an action."""

    entity_description: AmpsEventDescription

    # As in `AmpsEntity`: what is the same for all stands here once.
    extra_state_attributes = None
    supported_features = None
    unit_of_measurement = None

    _attr_event_types = [state.value for state in ActionState if state in FINAL_STATES]

    @property
    @override
    def available(self) -> bool:
        """Return that what was is known still.

        Else it would change to an old time once the device is there again,
        which automations take for a new event.
        """
        return True

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for the ends of the device's actions."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.pushes.teller.async_listen(self.device_id, self._action_ended)
        )

    @callback
    def _action_ended(self, action: Action) -> None:
        self._trigger_event(str(action.state), action_attributes(action))
        self.async_write_ha_state()
