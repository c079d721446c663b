"""Numbers: settings of batteries, and the power cap of EV chargers."""

from dataclasses import dataclass
from math import ceil, floor
from types import MappingProxyType
from typing import Any, Final, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
    RestoreNumber,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import (
    Action,
    ActionState,
    Device,
    DeviceType,
    Push,
    Quantity,
    Setting,
    setting_bounds,
    takes_power_cap_command,
)
from .api.models import number
from .api.vocabulary import SETTING_UNITS, Commands, Parameters, Settings, Units
from .common.units import UNITS
from .entities import (
    AmpsControlEntity,
    AmpsEntityDescription,
    Table,
    async_setup_entities,
)
from .pushes import REST
from .readings import AmpsCoordinator
from .runtime import AmpsConfigEntry

PARALLEL_UPDATES = 0

# What a setting measures, by the API's unit.
_DEVICE_CLASSES: Final[dict[str, NumberDeviceClass]] = {
    Units.WATTS: NumberDeviceClass.POWER,
    Units.KW: NumberDeviceClass.POWER,
    Units.KWH: NumberDeviceClass.ENERGY_STORAGE,
    Units.AMPS: NumberDeviceClass.CURRENT,
    Units.VOLTS: NumberDeviceClass.VOLTAGE,
    Units.HOURS: NumberDeviceClass.DURATION,
    Units.MINUTES: NumberDeviceClass.DURATION,
}
_STEPS: Final[dict[str, float]] = {Units.KW: 0.1, Units.AMPS: 0.1}
# What an ampere is on three phases of 230 V, in tenths of a kW.
_TENTHS: Final = 6.9
# A form needs an end, even where nothing bounds a setting.
_NO_END: Final = 100_000


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AmpsNumberDescription(AmpsEntityDescription, NumberEntityDescription):
    """A number over a setting."""

    setting: Settings


def _setting(setting: Settings) -> AmpsNumberDescription:
    return AmpsNumberDescription(
        key=setting,
        translation_key=setting,
        entity_category=EntityCategory.CONFIG,
        setting=setting,
        exists_fn=lambda device: setting in (device.settings or {}),
        shows=(),
    )


SETTINGS: Final[Table[AmpsNumberDescription]] = MappingProxyType(
    {
        DeviceType.BATTERY: (
            _setting(Settings.SAFETY_RESERVE),
            _setting(Settings.DISCHARGE_FLOOR),
            _setting(Settings.CHARGE_CEILING),
            _setting(Settings.EXPORT_LIMIT),
            _setting(Settings.MAX_CHARGE_RATE),
            _setting(Settings.MAX_DISCHARGE_RATE),
        ),
    }
)

CAPS: Final[Table[AmpsNumberDescription]] = MappingProxyType(
    {
        DeviceType.EV_CHARGER: (
            AmpsNumberDescription(
                key="max_power",
                translation_key="max_power",
                setting=Settings.MAX_CHARGE_RATE,
                exists_fn=lambda device: (
                    Settings.MAX_CHARGE_RATE in (device.settings or {})
                    or takes_power_cap_command(device)
                ),
                shows=("power_rate_limit", "max_current"),
            ),
        ),
    }
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the numbers of the devices."""
    await async_setup_entities(entry, async_add_entities, SETTINGS, AmpsSettingNumber)
    await async_setup_entities(entry, async_add_entities, CAPS, AmpsPowerCapNumber)


class AmpsSettingNumber(AmpsControlEntity, NumberEntity):
    """A setting, which lasts until it is written again."""

    _told_in = "settings"

    entity_description: AmpsNumberDescription

    # As in `AmpsEntity`: what is the same for all stands here once.
    extra_state_attributes = None
    mode = NumberMode.AUTO
    supported_features = None

    def __init__(
        self,
        coordinator: AmpsCoordinator,
        device: Device,
        description: AmpsNumberDescription,
        device_entry: DeviceEntry,
    ) -> None:
        """Describe the number of a setting."""
        super().__init__(coordinator, device, description, device_entry)
        self._setting = self._as_told

    @property
    def _as_told(self) -> Setting:
        """Return the setting, or what it would be where the device has none."""
        device, name = self.device, self.entity_description.setting
        settings = device.settings or {}
        return settings.get(name) or Setting(unit=SETTING_UNITS[device.type][name])

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        # Home Assistant asks a number for its bounds, and more, many times at once.
        self._setting = self._as_told
        super()._handle_coordinator_update()

    @property
    def _bounds(self) -> tuple[float, float | None]:
        return setting_bounds(self._setting)

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        """Return the unit, as the device has it."""
        return UNITS.get(self._setting.unit or "")

    @property
    @override
    def device_class(self) -> NumberDeviceClass | None:
        """Return what the unit measures."""
        return _DEVICE_CLASSES.get(self._setting.unit or "")

    @property
    @override
    def native_step(self) -> float:
        """Return the step of the unit."""
        return _STEPS.get(self._setting.unit or "", 1)

    @property
    @override
    def native_min_value(self) -> float:
        """Return the least that the device takes."""
        return self._bounds[0]

    @property
    @override
    def native_max_value(self) -> float:
        """Return the most that the device takes."""
        highest = self._bounds[1]
        return _NO_END if highest is None else highest

    @property
    @override
    def native_value(self) -> float | None:
        """Return the setting as asked for, else as read."""
        description = self.entity_description
        intended = self.pushes.intents.async_intended(
            self.device_id, description.key, description.setting
        )
        if intended is not None:
            return number(intended)
        return number(self._setting.value)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Write the setting."""
        await self.pushes.async_set(
            self.coordinator,
            self.device,
            self.entity_description.key,
            self.entity_description.setting,
            value,
        )


class AmpsPowerCapNumber(AmpsSettingNumber, RestoreNumber):
    """The most that a charger may draw: a setting, or a command of older ones.

    Older chargers do not tell their cap: the last one set here stands for it.
    """

    _last_cap: float | None = None
    # The greatest power that the charger was seen to know.
    _greatest: float | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Take up the last cap."""
        await super().async_added_to_hass()
        if (stored := await self.async_get_last_number_data()) is not None:
            self._last_cap = number(stored.native_value)
            most = number(stored.native_max_value)
            if most is not None and most < super().native_max_value:
                self._greatest = most

    @callback
    @override
    def _action_ended(self, action: Action) -> None:
        super()._action_ended(action)
        if (
            action.command == Commands.SET_MAX_POWER
            and action.state == ActionState.COMPLETED
        ):
            cap = number((action.parameters or {}).get(Parameters.MAX_POWER))
            if cap is not None:
                self._last_cap = cap
                self.async_write_ha_state()

    @property
    @override
    def native_max_value(self) -> float:
        """Return the charger's own bound, else the greatest power it knows of.

        Where it tells no power that it is limited to, the documented bound.
        """
        bound = super().native_max_value
        state: Any = self.device.state
        unit = self._setting.unit
        if (
            self._setting.max is not None
            or unit != Units.KW
            or state.power_rate_limit is None
        ):
            return bound
        known = (
            self._greatest,
            state.power_rate_limit,
            self.native_value,
            # What its current makes of three phases, so that none is cut short.
            None
            if state.max_current is None
            else floor(state.max_current * _TENTHS) / 10,
        )
        greatest = max(power for power in known if power is not None)
        self._greatest = min(ceil(round(greatest * 10, 6)) / 10, bound)
        return self._greatest

    @property
    @override
    def native_value(self) -> float | None:
        """Return the cap as asked for, as read, or as last set."""
        if not takes_power_cap_command(self.device):
            return super().native_value
        state: Any = self.shown.state
        cap: float | None = state.power_rate_limit
        return self._last_cap if cap is None else cap

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the cap."""
        if not takes_power_cap_command(self.device):
            await super().async_set_native_value(value)
            return
        await self.async_push(
            Push(
                command=Commands.SET_MAX_POWER,
                parameters={Parameters.MAX_POWER: Quantity(value=value)},
            ),
            {"power_rate_limit": value},
            rest=REST,
        )
