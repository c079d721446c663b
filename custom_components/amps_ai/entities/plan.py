"""Entities of plans: they belong to the plan's device, and go with the plan.

Not by Home Assistant's own ties of subentries: a device can have one only, and loses
what the others put there.
"""

from collections.abc import Callable, Mapping
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_current_platform,
)

from ..common.const import DOMAIN
from ..plans import Plan, Plans
from ..runtime import AmpsConfigEntry

# The keys of what a plan has, and the platforms.
PLAN: Final = "plan"
NEXT: Final = "next"
_KEYS: Final[Mapping[str, str]] = {Platform.SWITCH: PLAN, Platform.SENSOR: NEXT}


class AmpsPlanEntity(Entity):
    """An entity of a plan."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self,
        plans: Plans,
        plan: Plan,
        device: DeviceEntry,
        description: EntityDescription,
    ) -> None:
        """Describe the entity of a plan."""
        self.entity_description = description
        self.plans = plans
        self._plan = plan
        self._attr_unique_id = f"{plan.id}_{description.key}"
        self._attr_translation_placeholders = {"plan": plan.name}
        self.device_entry = device

    @property
    def plan(self) -> Plan:
        """Return the plan as it is now."""
        return self.plans.get(self._plan.id) or self._plan

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for what changes."""
        await super().async_added_to_hass()
        self.async_on_remove(self.plans.async_listen(self.async_write_ha_state))


def is_of_plan(entity: er.RegistryEntry) -> bool:
    """Tell whether an entity is a plan's."""
    key = _KEYS.get(entity.domain)
    return key is not None and entity.translation_key == key


@callback
def async_remove_plan_entities(
    hass: HomeAssistant, entry: ConfigEntry, plans: Plans
) -> None:
    """Remove what went while the entry was not loaded; later changes are heard of."""
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        if is_of_plan(entity):
            plan_id = entity.unique_id.removesuffix(f"_{entity.translation_key}")
            if plans.get(plan_id) is None:
                registry.async_remove(entity.entity_id)


@callback
def async_setup_plan_entities(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[Plans, Plan, DeviceEntry], AmpsPlanEntity],
) -> None:
    """Have an entity for each plan, now and later."""
    plans = entry.runtime_data.plans
    platform = async_get_current_platform()
    registry = er.async_get(hass)
    key = _KEYS[platform.domain]
    # By plan: whose and what they were called when they were added.
    added: dict[str, tuple[str, str]] = {}

    @callback
    def _entity_id(plan_id: str) -> str | None:
        return registry.async_get_entity_id(platform.domain, DOMAIN, f"{plan_id}_{key}")

    @callback
    def _remove(plan_id: str) -> None:
        """Remove the entity of a plan that is not there any more."""
        # One that is still being added goes with the next change.
        if (entity_id := _entity_id(plan_id)) is not None:
            added.pop(plan_id, None)
            registry.async_remove(entity_id)

    async def _async_renew(entity_id: str, entity: AmpsPlanEntity) -> None:
        """Add an entity anew, under another name or at another device."""
        if (old := platform.entities.get(entity_id)) is not None:
            await old.async_remove()
        async_add_entities([entity])

    @callback
    def _changed() -> None:
        for plan_id in [plan_id for plan_id in added if plans.get(plan_id) is None]:
            _remove(plan_id)
        for plan in plans:
            if (device := plans.async_registered(plan)) is None:
                # Its entities went with the device.
                added.pop(plan.id, None)
                continue
            what = (device.id, plan.name)
            if (known := added.get(plan.id)) == what:
                continue
            added[plan.id] = what
            entity = create(plans, plan, device)
            entity_id = _entity_id(plan.id)
            if known is None or entity_id is None:
                async_add_entities([entity])
            else:
                entry.async_create_task(hass, _async_renew(entity_id, entity))

    _changed()
    entry.async_on_unload(plans.async_listen(_changed))
