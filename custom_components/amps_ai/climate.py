"""Climate: thermostats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Self, override

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
from homeassistant.const import ATTR_TEMPERATURE, UnitOfTemperature
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import Command, DeviceType, HvacState, Parameter, Push, Quantity, capabilities
from .api.vocabulary import Commands, HoldType, HvacMode, Parameters, understand
from .common.const import ATTR_REPORTED_STATUS
from .common.errors import refused
from .entities import (
    AmpsControlEntity,
    AmpsEntityDescription,
    Table,
    async_setup_entities,
)
from .runtime import AmpsConfigEntry

PARALLEL_UPDATES = 0

PRESET_SCHEDULE: Final = "schedule"
PRESET_HOLD: Final = "hold"

_STEP: Final = 0.5
_BOUNDS: Final = (10.0, 35.0)

_MODES: Final = MappingProxyType(
    {
        HvacMode.HEAT: HVACMode.HEAT,
        HvacMode.COOL: HVACMode.COOL,
        HvacMode.AUTO: HVACMode.HEAT_COOL,
        HvacMode.OFF: HVACMode.OFF,
    }
)
_COMMANDS: Final = MappingProxyType(
    {
        HVACMode.HEAT: Commands.HEAT,
        HVACMode.COOL: Commands.COOL,
        HVACMode.HEAT_COOL: Commands.AUTO,
        HVACMode.OFF: Commands.IDLE,
    }
)
_REPORTED: Final = MappingProxyType({shown: mode for mode, shown in _MODES.items()})
_PRESETS: Final = MappingProxyType(
    {HoldType.FOLLOW_SCHEDULE: PRESET_SCHEDULE, HoldType.PERMANENT: PRESET_HOLD}
)


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ability:
    """What the commands of a device make of a thermostat."""

    commands: Mapping[str, Command]
    modes: list[HVACMode]
    presets: list[str]
    features: ClimateEntityFeature
    # The bounds of the temperatures that a mode takes; of all, where it takes none.
    ranges: Mapping[HVACMode | None, tuple[float, float]]

    @classmethod
    def of(cls, commands: Mapping[str, Command]) -> Self:
        """Work it out."""
        modes = [mode for mode, command in _COMMANDS.items() if command in commands]
        presets = [PRESET_HOLD]
        if Commands.FOLLOW_SCHEDULE in commands:
            presets.insert(0, PRESET_SCHEDULE)
        return cls(
            commands=commands,
            modes=modes,
            presets=presets,
            features=_features(commands),
            ranges={
                None: _range(commands, modes),
                **{mode: _range(commands, [mode]) for mode in modes},
                HVACMode.OFF: _range(commands, modes),
            },
        )


def _features(commands: Mapping[str, Command]) -> ClimateEntityFeature:
    features = ClimateEntityFeature.PRESET_MODE
    if Commands.HEAT in commands or Commands.COOL in commands:
        features |= ClimateEntityFeature.TARGET_TEMPERATURE
    if Commands.AUTO in commands:
        features |= ClimateEntityFeature.TARGET_TEMPERATURE_RANGE
        # One temperature moves the band.
        features |= ClimateEntityFeature.TARGET_TEMPERATURE
    if Commands.IDLE in commands:
        features |= ClimateEntityFeature.TURN_OFF
    if commands.keys() - {Commands.IDLE}:
        features |= ClimateEntityFeature.TURN_ON
    return features


def _range(
    commands: Mapping[str, Command], modes: Sequence[HVACMode]
) -> tuple[float, float]:
    """Return the bounds of the temperatures that some modes take."""
    parameters = [
        parameter
        for mode in modes
        if (command := commands.get(_COMMANDS.get(mode, "")))
        for parameter in command.parameters.values()
    ]
    lows = [item.min for item in parameters if item.min is not None]
    highs = [item.max for item in parameters if item.max is not None]
    return min(lows, default=_BOUNDS[0]), max(highs, default=_BOUNDS[1])


def _to_step(temperature: float) -> float:
    return round(temperature / _STEP) * _STEP


class AmpsClimate(AmpsControlEntity, ClimateEntity):
    """A thermostat.

    Home Assistant 2026.11 calls native what was called by plain names before;
    both releases are served, so some values stand under both names.
    """

    entity_description: AmpsClimateDescription

    _attr_temperature_unit = UnitOfTemperature.CELSIUS
    _attr_native_temperature_unit = UnitOfTemperature.CELSIUS
    _attr_target_temperature_step = _STEP

    _known_ability: _Ability | None = None
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
    def _ability(self) -> _Ability:
        """Return what the commands allow, worked out once for each map of them."""
        commands = capabilities(self.device)
        known = self._known_ability
        if known is None or known.commands is not commands:
            known = self._known_ability = _Ability.of(commands)
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

    @property
    @override
    def supported_features(self) -> ClimateEntityFeature:
        """Return what the device's commands allow, in whatever mode it is."""
        return self._ability.features

    def _parameter(self, mode: HVACMode, name: Parameters) -> Parameter | None:
        command = self._commands.get(_COMMANDS[mode])
        return command.parameters.get(name) if command else None

    @property
    @override
    def min_temp(self) -> float:
        """Return the lowest temperature that the present mode takes."""
        return self._ability.ranges[self.hvac_mode][0]

    @property
    @override
    def max_temp(self) -> float:
        """Return the highest temperature that the present mode takes."""
        return self._ability.ranges[self.hvac_mode][1]

    # What it does

    @property
    @override
    def hvac_mode(self) -> HVACMode | None:
        """Return the mode; unknown where no command could set it."""
        mode = understand(HvacMode, self._state.mode)
        shown = None if mode is None else _MODES[mode]
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
        """Return the measured temperature, in °C."""
        state: Any = self.device.state
        temperature: float | None = state.temperature
        return temperature

    @property
    def native_target_temperature(self) -> float | None:
        """Return the one setpoint of heating or cooling, in °C."""
        if self.hvac_mode is HVACMode.HEAT:
            return self._state.heat_setpoint
        if self.hvac_mode is HVACMode.COOL:
            return self._state.cool_setpoint
        return None

    @property
    def native_target_temperature_low(self) -> float | None:
        """Return the lower end of the band, in °C."""
        return (
            self._state.heat_setpoint if self.hvac_mode is HVACMode.HEAT_COOL else None
        )

    @property
    def native_target_temperature_high(self) -> float | None:
        """Return the upper end of the band, in °C."""
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
        one = kwargs.get(ATTR_TEMPERATURE)
        low = kwargs.get(ATTR_TARGET_TEMP_LOW)
        high = kwargs.get(ATTR_TARGET_TEMP_HIGH)
        if mode is None:
            raise refused("mode_unknown", self.spoken_name)
        if mode is HVACMode.OFF and ATTR_HVAC_MODE not in kwargs:
            raise refused("temperature_while_off", self.spoken_name)
        if low is not None and high is not None:
            heat, cool = _to_step(low), _to_step(high)
        elif one is not None and mode is HVACMode.HEAT_COOL:
            heat, cool = self._moved_band(one)
        elif one is not None and mode is HVACMode.HEAT:
            heat = _to_step(one)
        elif one is not None and mode is HVACMode.COOL:
            cool = _to_step(one)
        await self._async_hold(mode, heat, cool)

    def _moved_band(self, middle: float) -> tuple[float, float]:
        """Return the band around a temperature, as wide as before."""
        state = self._state
        if state.heat_setpoint is None or state.cool_setpoint is None:
            raise refused("setpoints_unknown", self.spoken_name)
        width = _to_step(state.cool_setpoint - state.heat_setpoint)
        lowest, highest = self._ability.ranges[HVACMode.HEAT_COOL]
        low = min(max(_to_step(middle - width / 2), lowest), highest - width)
        return low, low + width

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
        """Go back to the schedule where there is one, else to the last mode."""
        if Commands.FOLLOW_SCHEDULE in self._commands:
            await self._async_follow_schedule()
            return
        modes = [mode for mode in self.hvac_modes if mode is not HVACMode.OFF]
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
                command=_COMMANDS[mode],
                parameters={
                    name: Quantity(value=value)
                    for name, value in wanted.items()
                    if value is not None and self._parameter(mode, name) is not None
                },
            ),
            changes,
        )
