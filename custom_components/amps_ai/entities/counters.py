"""Sensors that count an energy: estimated from power, or as a device counts it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import UnitOfEnergy
from homeassistant.core import callback
from homeassistant.helpers.restore_state import RestoreEntity
from homeassistant.helpers.typing import StateType

from ..readings import Energies
from ..runtime import AmpsRuntimeData
from .energy_meter import EnergyMeter, LifetimeEnergy
from .measuring import AmpsPlainSensorDescription, AmpsSensorEntity, plain

# An energy is written to the watt-hour.
_COUNTED: Final = 3


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AmpsMeterDescription(AmpsPlainSensorDescription):
    """An energy, estimated from a power.

    `power` returns how much flows this way (kW), never less than 0; `content`,
    what rises by as much as flows (kWh). A power that `bridges` is taken to go
    on over a long gap at whose both ends there is some.
    """

    power: Callable[[Any], float | None]
    content: Callable[[Any], float | None] | None = None
    bridges: bool = False


class AmpsCounter(AmpsSensorEntity):
    """An energy that only ever rises, and is shown once it is kept."""

    device_class = SensorDeviceClass.ENERGY
    extra_state_attributes = None
    native_unit_of_measurement = UnitOfEnergy.KILO_WATT_HOUR
    native_value: StateType = None
    state_class = SensorStateClass.TOTAL_INCREASING
    _follows_readings = True
    _was_available: bool | None = None

    @property
    def _energies(self) -> Energies:
        runtime: AmpsRuntimeData = self.coordinator.config_entry.runtime_data
        return runtime.energies

    @property
    def _captured(self) -> datetime | None:
        """Return when the device was captured; a time to come counts as now."""
        captured = self.device.sync.last_pulled_at
        return captured and min(captured, self.coordinator.account.clock.now())

    def _take(self) -> bool:
        """Take a reading; tell whether there is anything new to keep."""
        raise NotImplementedError

    @property
    def _counted(self) -> float | None:
        """Return what was counted so far, in kWh."""
        raise NotImplementedError

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Show nothing more."""
        self._energies.async_leave(self.device_id, self.entity_description.key)
        await super().async_will_remove_from_hass()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        if self._take():
            self._keep()
        # Most readings find nothing that goes one of the two ways.
        if self.available is not self._was_available:
            self._was_available = self.available
            super()._handle_coordinator_update()

    @callback
    def _keep(self, *, at_once: bool = False) -> None:
        key = self.entity_description.key
        self._energies.async_keep(self.device_id, key, self._show, at_once=at_once)

    @callback
    def _show(self) -> None:
        """Show what is kept now."""
        counted = self._counted
        shown = None if counted is None else plain(counted, _COUNTED)
        if shown != self.native_value:
            self.native_value = shown
            self.async_write_ha_state()


class AmpsMeter(AmpsCounter, RestoreEntity):
    """An energy, added up from the power at each reading."""

    entity_description: AmpsMeterDescription

    _meter = EnergyMeter()

    @override
    async def async_added_to_hass(self) -> None:
        """Go on from where the meter stood."""
        key = self.entity_description.key
        meter = self._energies.async_counter(self.device_id, key, EnergyMeter)
        if meter is None:
            meter = EnergyMeter.from_dict(await self._async_kept_before())
            self._energies.async_add(self.device_id, key, meter)
        self._meter = meter
        self.native_value = plain(meter.energy, _COUNTED)
        if self._take():
            self._keep(at_once=True)
        self._was_available = self.available
        await super().async_added_to_hass()

    async def _async_kept_before(self) -> dict[str, Any]:
        """Return what was kept before there was a place for it.

        That was kept by the name of the entity, which another one may have by
        now: it counts for those only that were there before.
        """
        entry = self.coordinator.config_entry
        state = await self.async_get_last_state()
        stored = await self.async_get_last_extra_data()
        if (
            stored is None
            or state is None
            or not self._energies.is_new
            or entry.state is not ConfigEntryState.SETUP_IN_PROGRESS
            or state.last_updated < entry.created_at
        ):
            return {}
        return stored.as_dict()

    @property
    @override
    def _counted(self) -> float:
        return self._meter.energy

    @override
    def _take(self) -> bool:
        if (captured := self._captured) is None:
            return False
        description, state, meter = (
            self.entity_description,
            self.device.state,
            self._meter,
        )
        before = meter.energy, meter.power
        meter.add(
            description.power(state),
            captured,
            content=description.content(state) if description.content else None,
            bridges=description.bridges,
        )
        return bool(before[1] or meter.power) or meter.energy != before[0]


class AmpsLifetimeSensor(AmpsCounter):
    """An energy that a device counts over its life."""

    _lifetime = LifetimeEnergy()

    @override
    async def async_added_to_hass(self) -> None:
        """Go on from what was believed."""
        key = self.entity_description.key
        lifetime = self._energies.async_counter(self.device_id, key, LifetimeEnergy)
        if lifetime is None:
            lifetime = LifetimeEnergy()
            self._energies.async_add(self.device_id, key, lifetime)
        self._lifetime = lifetime
        if self._take():
            self._keep(at_once=True)
        if (believed := lifetime.believed) is not None:
            self.native_value = plain(believed, _COUNTED)
        self._was_available = self.available
        await super().async_added_to_hass()

    @property
    @override
    def _counted(self) -> float | None:
        return self._lifetime.believed

    @override
    def _take(self) -> bool:
        before = replace(self._lifetime)
        captured = self._captured or self.coordinator.account.clock.now()
        self._lifetime.add(self.reported, captured)
        return before != self._lifetime
