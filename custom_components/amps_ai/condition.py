"""Conditions: what a command or a thermostat is about now."""

from collections.abc import Iterator
from typing import Final, Unpack, cast, override

from homeassistant.components.climate import ATTR_PRESET_MODE, DOMAIN as CLIMATE_DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_OPTIONS, CONF_TARGET
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.condition import (
    ATTR_BEHAVIOR,
    BEHAVIOR_ALL,
    BEHAVIOR_ANY,
    Condition,
    ConditionCheckParams,
    ConditionConfig,
    EntityStateConditionBase,
)
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .api import Device
from .automation.targets import (
    OPTIONAL_TARGET,
    async_check_target,
    async_targeted_devices,
)
from .common.const import DOMAIN
from .entities import takes_commands
from .entities.thermostat import PRESET_SCHEDULE
from .runtime import AmpsConfigEntry, AmpsRuntimeData

_PENDING_SCHEMA: Final = vol.Schema(
    {
        **OPTIONAL_TARGET,
        vol.Required(CONF_OPTIONS, default=dict): {
            vol.Required(ATTR_BEHAVIOR, default=BEHAVIOR_ANY): vol.In(
                [BEHAVIOR_ANY, BEHAVIOR_ALL]
            )
        },
    }
)


class CommandPendingCondition(Condition):
    """A command is on its way.

    One that was sent and has not ended counts, one that begins later does not.
    """

    @classmethod
    @override
    async def async_validate_config(
        cls, hass: HomeAssistant, config: ConfigType
    ) -> ConfigType:
        """Check the options, and that the target is one of ours."""
        checked = cast("ConfigType", _PENDING_SCHEMA(config))
        async_check_target(hass, checked.get(CONF_TARGET))
        return checked

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Take note of the target."""
        super().__init__(hass, config)
        self._target = config.target
        self._all = (config.options or {}).get(ATTR_BEHAVIOR) == BEHAVIOR_ALL

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        """Ask what is known; where there is no device, nothing is pending."""
        pending = [
            bool(runtime.pushes.follower.async_in_flight(device))
            for runtime, device in self._devices()
        ]
        return bool(pending) and (all(pending) if self._all else any(pending))

    def _devices(self) -> Iterator[tuple[AmpsRuntimeData, Device]]:
        """Go through the targeted devices that take commands."""
        targeted = async_targeted_devices(self._hass, self._target)
        entry: AmpsConfigEntry
        for entry in self._hass.config_entries.async_entries(DOMAIN):
            if entry.state is not ConfigEntryState.LOADED:
                continue
            for coordinator in entry.runtime_data.coordinators.values():
                for device in coordinator.data.values():
                    registered = coordinator.account.async_registered(device.id)
                    if registered is None or registered.id not in targeted:
                        continue
                    if takes_commands(device):
                        yield entry.runtime_data, device


class FollowingScheduleCondition(EntityStateConditionBase):
    """A thermostat of Amps AI goes by its own schedule."""

    _domain_specs = {CLIMATE_DOMAIN: DomainSpec(value_source=ATTR_PRESET_MODE)}
    _states = {PRESET_SCHEDULE}

    @classmethod
    @override
    async def async_validate_config(
        cls, hass: HomeAssistant, config: ConfigType
    ) -> ConfigType:
        """Check the options, and that the target is one of ours."""
        checked = await super().async_validate_config(hass, config)
        async_check_target(hass, checked[CONF_TARGET])
        return checked

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Return the thermostats of this integration."""
        registry = er.async_get(self._hass)
        return {
            entity_id
            for entity_id in super().entity_filter(entities)
            if (entry := registry.async_get(entity_id)) and entry.platform == DOMAIN
        }


CONDITIONS: Final[dict[str, type[Condition]]] = {
    "command_pending": CommandPendingCondition,
    "following_schedule": FollowingScheduleCondition,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS
