"""Climate: thermostats."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType
from typing import Any, ClassVar, Final, override

from homeassistant.components.climate import (
    ATTR_HVAC_MODE,
    ATTR_TARGET_TEMP_HIGH,
    ATTR_TARGET_TEMP_LOW,
    ClimateEntity,
    ClimateEntityDescription,
    ClimateEntityFeature,
    HVACAction,
    HVACMode,
)
from homeassistant.const import ATTR_TEMPERATURE, SERVICE_TURN_ON, UnitOfTemperature
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util.unit_conversion import TemperatureConverter

from .api import (
    Command,
    DeviceType,
    HvacState,
    Parameter,
    Push,
    Quantity,
    capabilities,
    in_order,
    temperature_unit,
)
from .api.vocabulary import Commands, HoldType, HvacMode, Parameters, understand
from .common.const import ATTR_REPORTED_STATUS
from .common.errors import refused
from .common.units import DECIMALS, TEMPERATURE_UNITS
from .entities import (
    AmpsControlEntity,
    AmpsEntityDescription,
    Table,
    async_setup_entities,
)
from .entities.thermostat import (
    BAND,
    COMMANDS,
    MODES,
    PRESET_HOLD,
    PRESET_SCHEDULE,
    SINGLE,
    STEPS,
    Ability,
)
from .runtime import AmpsConfigEntry

PARALLEL_UPDATES = 0

# A mode and a temperature that come within so many seconds are one command.
GATHER: Final = 0.2

_REPORTED: Final = MappingProxyType({shown: mode for mode, shown in MODES.items()})
_PRESETS: Final = MappingProxyType(
    {HoldType.FOLLOW_SCHEDULE: PRESET_SCHEDULE, HoldType.PERMANENT: PRESET_HOLD}
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AmpsClimateDescription(AmpsEntityDescription, ClimateEntityDescription):
    """A thermostat."""


CLIMATES: Final[Table[AmpsClimateDescription]] = MappingProxyType(
    {
        DeviceType.HVAC: (
            AmpsClimateDescription(
                key="climate",
                translation_key="climate",
                # The thermostat's main entity is called as the thermostat.
                name=None,
                exists_fn=lambda device: bool(capabilities(device)),
            ),
        ),
    }
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the thermostats."""
    await async_setup_entities(entry, async_add_entities, CLIMATES, AmpsClimate)


class AmpsClimate(AmpsControlEntity, ClimateEntity):
    """A thermostat.

    Home Assistant 2026.11 calls native what was called by plain names before;
    both releases are served, so some values stand under both names.
    """

    entity_description: AmpsClimateDescription

    _known_ability: Ability | None = None
    # The one that was worked out last: most thermostats take the same commands.
    _last_ability: ClassVar[Ability | None] = None
    # Whether the state is being written, which shows what can be used now.
    _is_showing = False
    # The mode to turn on with, where there is no schedule to go back to.
    _last_mode: HVACMode | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Take note of the mode."""
        await super().async_added_to_hass()
        self._note_mode()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._note_mode()
        super()._handle_coordinator_update()

    def _note_mode(self) -> None:
        if (mode := self.hvac_mode) not in (None, HVACMode.OFF):
            self._last_mode = mode

    # What it can do

    @property
    def _ability(self) -> Ability:
        """Return what the commands allow, worked out once for each map of them."""
        commands = capabilities(self.device)
        known = self._known_ability
        if known is None or known.commands is not commands:
            known = AmpsClimate._last_ability
            if known is None or known.commands is not commands:
                unit = TEMPERATURE_UNITS[temperature_unit(self.device)]
                known = AmpsClimate._last_ability = Ability.of(commands, unit)
            self._known_ability = known
        return known

    @property
    def _commands(self) -> Mapping[str, Command]:
        return self._ability.commands

    @property
    def _state(self) -> HvacState:
        state: Any = self.shown.state
        shown: HvacState = state
        return shown

    @property
    @override
    def hvac_modes(self) -> list[HVACMode]:
        """Return the modes that the device's commands allow."""
        return self._ability.modes

    @property
    @override
    def preset_modes(self) -> list[str] | None:
        """Return `schedule` where the device has one, and `hold`."""
        return self._ability.presets

    @callback
    @override
    def _async_write_ha_state(self) -> None:
        """Show the target features only while a dial would move something.

        What is off takes a temperature together with a mode all the same, and
        half a band can be set whole: the actions find all features.
        """
        self._is_showing = True
        try:
            super()._async_write_ha_state()
        finally:
            self._is_showing = False

    @property
    @override
    def supported_features(self) -> ClimateEntityFeature:
        """Return what the device's commands allow, or show what is of use now."""
        features = self._ability.features
        if self._is_showing and not self._has_target:
            features &= ~(SINGLE | BAND)
        return features

    @property
    def _has_target(self) -> bool:
        """Tell whether a temperature without a mode would mean something now."""
        mode = self.hvac_mode
        if mode is HVACMode.HEAT_COOL:
            state = self._state
            return None not in (state.heat_setpoint, state.cool_setpoint)
        return mode is not HVACMode.OFF

    def _parameter(self, mode: HVACMode, name: Parameters) -> Parameter | None:
        command = self._commands.get(COMMANDS[mode])
        return command.parameters.get(name) if command else None

    @property
    def native_temperature_unit(self) -> str:
        """Return the unit that the device speaks."""
        return self._ability.unit

    temperature_unit = native_temperature_unit

    @property
    def _house_unit(self) -> UnitOfTemperature:
        return self.hass.config.units.temperature_unit

    @property
    @override
    def target_temperature_step(self) -> float:
        """Return the step, which Home Assistant takes in the unit of the house."""
        return STEPS[self._house_unit]

    def _as_offered(self, bound: float) -> float:
        """Return a bound as a card offers it: in whole digits of the house."""
        unit = self._ability.unit
        shown = TemperatureConverter.convert(bound, unit, self._house_unit)
        return TemperatureConverter.convert(
            round(shown, DECIMALS[self._house_unit]), self._house_unit, unit
        )

    @property
    @override
    def min_temp(self) -> float:
        """Return the lowest temperature that any mode takes."""
        return self._as_offered(self._ability.ranges[None][0])

    @property
    @override
    def max_temp(self) -> float:
        """Return the highest temperature that any mode takes."""
        return self._as_offered(self._ability.ranges[None][1])

    def _to_step(self, temperature: float) -> float:
        step = STEPS[self._ability.unit]
        return round(temperature / step) * step

    def _fitted(self, mode: HVACMode, temperature: float) -> float:
        """Return a temperature on the device's step, within what a mode takes.

        What is beyond that by more than the rounding of a card stays so, and
        is refused.
        """
        low, high = self._ability.ranges[mode]
        stepped = self._to_step(temperature)
        least = min(low, self._as_offered(low))
        most = max(high, self._as_offered(high))
        if not least <= temperature <= most:
            return stepped
        return min(max(stepped, low), high)

    # What it does

    @property
    @override
    def hvac_mode(self) -> HVACMode | None:
        """Return the mode; unknown where no command could set it."""
        mode = understand(HvacMode, self._state.mode)
        shown = None if mode is None else MODES[mode]
        return shown if shown in self.hvac_modes else None

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return the mode as reported, where it is none that is shown."""
        reported = self._state.mode
        if reported is None or self.hvac_mode is not None:
            return None
        return {ATTR_REPORTED_STATUS: reported}

    @property
    @override
    def hvac_action(self) -> HVACAction | None:
        """Return what the device is doing, from mode and temperatures."""
        # Measured, so never what was only asked for.
        state: Any = self.device.state
        mode = understand(HvacMode, state.mode)
        if mode is HvacMode.OFF:
            return HVACAction.OFF
        if state.active is None:
            return None
        if not state.active:
            return HVACAction.IDLE
        if mode is HvacMode.HEAT:
            return HVACAction.HEATING
        if mode is HvacMode.COOL:
            return HVACAction.COOLING
        if None in (state.temperature, state.heat_setpoint, state.cool_setpoint):
            return None
        middle = (state.heat_setpoint + state.cool_setpoint) / 2
        return HVACAction.HEATING if state.temperature < middle else HVACAction.COOLING

    @property
    @override
    def preset_mode(self) -> str | None:
        """Return whether the device follows its schedule or holds."""
        hold = understand(HoldType, self._state.hold_type)
        preset = None if hold is None else _PRESETS[hold]
        return preset if preset in (self.preset_modes or ()) else None

    @property
    def native_current_temperature(self) -> float | None:
        """Return the measured temperature, in the device's unit."""
        state: Any = self.device.state
        temperature: float | None = state.temperature
        return temperature

    @property
    def native_target_temperature(self) -> float | None:
        """Return the one setpoint of heating or cooling."""
        if self.hvac_mode is HVACMode.HEAT:
            return self._state.heat_setpoint
        if self.hvac_mode is HVACMode.COOL:
            return self._state.cool_setpoint
        return None

    @property
    def native_target_temperature_low(self) -> float | None:
        """Return the lower end of the band."""
        return (
            self._state.heat_setpoint if self.hvac_mode is HVACMode.HEAT_COOL else None
        )

    @property
    def native_target_temperature_high(self) -> float | None:
        """Return the upper end of the band."""
        return (
            self._state.cool_setpoint if self.hvac_mode is HVACMode.HEAT_COOL else None
        )

    current_temperature = native_current_temperature
    target_temperature = native_target_temperature
    target_temperature_low = native_target_temperature_low
    target_temperature_high = native_target_temperature_high

    # What it is told

    @override
    async def async_set_hvac_mode(self, hvac_mode: HVACMode) -> None:
        """Hold a mode, with the setpoints that there are."""
        state = self._state
        await self._async_hold(hvac_mode, state.heat_setpoint, state.cool_setpoint)

    @override
    async def async_set_temperature(self, **kwargs: Any) -> None:
        """Hold a temperature or a band, in the mode given or the present one."""
        mode: HVACMode | None = kwargs.get(ATTR_HVAC_MODE) or self.hvac_mode
        state = self._state
        heat, cool = state.heat_setpoint, state.cool_setpoint
        one: Any = kwargs.get(ATTR_TEMPERATURE)
        low: Any = kwargs.get(ATTR_TARGET_TEMP_LOW)
        high: Any = kwargs.get(ATTR_TARGET_TEMP_HIGH)
        for value in (one, low, high):
            if value is not None and not isfinite(value):
                raise refused(
                    "parameter_out_of_range",
                    self.spoken_name,
                    name=ATTR_TEMPERATURE,
                    value=str(value),
                    min=f"{self.min_temp:g}",
                    max=f"{self.max_temp:g}",
                    unit=self._ability.unit,
                )
        if mode is None:
            raise refused("mode_unknown", self.spoken_name)
        if mode is HVACMode.OFF and ATTR_HVAC_MODE not in kwargs:
            raise refused("temperature_while_off", self.spoken_name)
        if mode in (HVACMode.HEAT, HVACMode.COOL) and one is None:
            # A band says that a band is meant, unless another mode is said.
            if ATTR_HVAC_MODE in kwargs or HVACMode.HEAT_COOL not in self.hvac_modes:
                raise refused("band_in_single_mode", self.spoken_name)
            mode = HVACMode.HEAT_COOL
        if mode is HVACMode.HEAT:
            heat = self._fitted(mode, one)
        elif mode is HVACMode.COOL:
            cool = self._fitted(mode, one)
        elif mode is HVACMode.HEAT_COOL and low is not None:
            heat, cool = self._fitted(mode, low), self._fitted(mode, high)
        elif mode is HVACMode.HEAT_COOL:
            heat, cool = self._moved_band(one)
        await self._async_hold(mode, heat, cool)

    def _moved_band(self, middle: float) -> tuple[float, float]:
        """Return the band around a temperature, as wide as before."""
        state = self._state
        if state.heat_setpoint is None or state.cool_setpoint is None:
            raise refused("setpoints_unknown", self.spoken_name)
        width = self._to_step(state.cool_setpoint - state.heat_setpoint)
        lowest, highest = self._ability.ranges[HVACMode.HEAT_COOL]
        low = max(min(self._to_step(middle - width / 2), highest - width), lowest)
        return low, min(low + width, highest)

    @override
    async def async_set_preset_mode(self, preset_mode: str) -> None:
        """Go back to the schedule, or hold what is now."""
        if preset_mode == PRESET_SCHEDULE:
            await self._async_follow_schedule()
            return
        state = self._state
        mode = self.hvac_mode
        if mode is None:
            raise refused("mode_unknown", self.spoken_name)
        if mode is HVACMode.OFF:
            raise refused("hold_while_off", self.spoken_name)
        heat, cool = state.heat_setpoint, state.cool_setpoint
        if (mode is not HVACMode.COOL and heat is None) or (
            mode is not HVACMode.HEAT and cool is None
        ):
            raise refused("setpoints_unknown", self.spoken_name)
        await self._async_hold(mode, heat, cool)

    @override
    async def async_turn_on(self) -> None:
        """Go from off to the schedule where there is one, else to the last mode."""
        if self.hvac_mode is None:
            raise refused("mode_unknown", self.spoken_name)
        if self.hvac_mode is not HVACMode.OFF:
            # It is on: what it holds stays.
            return
        if Commands.FOLLOW_SCHEDULE in self._commands:
            await self._async_follow_schedule()
            return
        modes = [mode for mode in self.hvac_modes if mode is not HVACMode.OFF]
        if not modes:
            raise refused(
                "command_not_supported",
                self.spoken_name,
                command=SERVICE_TURN_ON,
                supported=", ".join(in_order(self._commands)),
            )
        await self.async_set_hvac_mode(
            self._last_mode if self._last_mode in modes else modes[0]
        )

    @override
    async def async_turn_off(self) -> None:
        """Pause the device."""
        await self.async_set_hvac_mode(HVACMode.OFF)

    async def _async_follow_schedule(self) -> None:
        await self.async_push(
            Push(command=Commands.FOLLOW_SCHEDULE),
            {"hold_type": HoldType.FOLLOW_SCHEDULE.value},
            rest=GATHER,
        )

    async def _async_hold(
        self, mode: HVACMode, heat: float | None, cool: float | None
    ) -> None:
        """Push a mode with the setpoints that it takes."""
        wanted: dict[Parameters, float | None] = {}
        changes: dict[str, Any] = {"mode": _REPORTED[mode].value}
        if mode is not HVACMode.OFF:
            changes["hold_type"] = HoldType.PERMANENT.value
        if mode is HVACMode.HEAT:
            wanted = {Parameters.TARGET: heat}
        elif mode is HVACMode.COOL:
            wanted = {Parameters.TARGET: cool}
        elif mode is HVACMode.HEAT_COOL:
            wanted = {Parameters.HEAT_SETPOINT: heat, Parameters.COOL_SETPOINT: cool}
        if mode in (HVACMode.HEAT, HVACMode.HEAT_COOL) and heat is not None:
            changes["heat_setpoint"] = heat
        if mode in (HVACMode.COOL, HVACMode.HEAT_COOL) and cool is not None:
            changes["cool_setpoint"] = cool
        await self.async_push(
            Push(
                command=COMMANDS[mode],
                parameters={
                    # With its unit: a number alone means another temperature
                    # to a device that speaks another one.
                    name: Quantity(value=value, unit=temperature_unit(self.device))
                    for name, value in wanted.items()
                    if value is not None and self._parameter(mode, name) is not None
                },
            ),
            changes,
            rest=GATHER,
        )
