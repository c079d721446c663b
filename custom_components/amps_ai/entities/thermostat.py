"""What the commands of a device make of a thermostat."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, Self

from homeassistant.components.climate import ClimateEntityFeature, HVACMode
from homeassistant.const import UnitOfTemperature
from homeassistant.util.unit_conversion import TemperatureConverter

from ..api import Command
from ..api.vocabulary import Commands, HvacMode, Units
from ..common.units import TEMPERATURE_UNITS

PRESET_SCHEDULE: Final = "schedule"
PRESET_HOLD: Final = "hold"

# The steps of set-points.
STEPS: Final = MappingProxyType(
    {UnitOfTemperature.CELSIUS: 0.5, UnitOfTemperature.FAHRENHEIT: 1.0}
)
# In °C, for devices that do not say their own.
_BOUNDS: Final = (10.0, 35.0)

SINGLE: Final = ClimateEntityFeature.TARGET_TEMPERATURE
BAND: Final = ClimateEntityFeature.TARGET_TEMPERATURE_RANGE

MODES: Final = MappingProxyType(
    {
        HvacMode.HEAT: HVACMode.HEAT,
        HvacMode.COOL: HVACMode.COOL,
        HvacMode.AUTO: HVACMode.HEAT_COOL,
        HvacMode.OFF: HVACMode.OFF,
    }
)
COMMANDS: Final = MappingProxyType(
    {
        HVACMode.HEAT: Commands.HEAT,
        HVACMode.COOL: Commands.COOL,
        HVACMode.HEAT_COOL: Commands.AUTO,
        HVACMode.OFF: Commands.IDLE,
    }
)


class Ability(NamedTuple):
    """What the commands of a device make of a thermostat."""

    commands: Mapping[str, Command]
    unit: UnitOfTemperature
    modes: list[HVACMode]
    presets: list[str]
    features: ClimateEntityFeature
    # The bounds of the temperatures that a mode takes, and of those of all modes.
    ranges: Mapping[HVACMode | None, tuple[float, float]]

    @classmethod
    def of(cls, commands: Mapping[str, Command], unit: UnitOfTemperature) -> Self:
        """Work it out."""
        modes = [mode for mode, command in COMMANDS.items() if command in commands]
        presets = [PRESET_HOLD]
        if Commands.FOLLOW_SCHEDULE in commands:
            presets.insert(0, PRESET_SCHEDULE)
        return cls(
            commands=commands,
            unit=unit,
            modes=modes,
            presets=presets,
            features=_features(commands),
            ranges={
                None: _range(commands, modes, unit),
                **{mode: _range(commands, [mode], unit) for mode in modes},
            },
        )


def _features(commands: Mapping[str, Command]) -> ClimateEntityFeature:
    features = ClimateEntityFeature.PRESET_MODE
    if Commands.HEAT in commands or Commands.COOL in commands:
        features |= SINGLE
    if Commands.AUTO in commands:
        # One temperature moves the band.
        features |= BAND | SINGLE
    if Commands.IDLE in commands:
        features |= ClimateEntityFeature.TURN_OFF
    if Commands.FOLLOW_SCHEDULE in commands or features & SINGLE:
        features |= ClimateEntityFeature.TURN_ON
    return features


def _range(
    commands: Mapping[str, Command],
    modes: Sequence[HVACMode],
    unit: UnitOfTemperature,
) -> tuple[float, float]:
    """Return the bounds of the temperatures that some modes take."""
    parameters = [
        parameter
        for mode in modes
        if (command := commands.get(COMMANDS[mode]))
        for parameter in command.parameters.values()
    ]

    def _bounds(values: Iterable[tuple[float | None, str | None]]) -> list[float]:
        return [
            TemperatureConverter.convert(
                value, TEMPERATURE_UNITS.get(spoken or "", unit), unit
            )
            for value, spoken in values
            if value is not None
        ]

    lows = _bounds((item.min, item.unit) for item in parameters)
    highs = _bounds((item.max, item.unit) for item in parameters)
    low, high = _bounds((bound, Units.CELSIUS) for bound in _BOUNDS)
    return min(lows, default=low), max(highs, default=high)
