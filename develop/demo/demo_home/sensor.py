"""The meter of the house, as the sandbox counts it."""

from datetime import timedelta
import logging
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import UnitOfEnergy, UnitOfPower
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.helpers.typing import ConfigType, DiscoveryInfoType
from homeassistant.helpers.update_coordinator import (
    CoordinatorEntity,
    DataUpdateCoordinator,
)

_LOGGER: Final = logging.getLogger(__name__)
_EVERY: Final = timedelta(seconds=15)


def _power(key: str, name: str, icon: str) -> SensorEntityDescription:
    return SensorEntityDescription(
        key=key,
        name=name,
        icon=icon,
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.KILO_WATT,
        suggested_display_precision=2,
    )


def _energy(key: str, name: str, icon: str) -> SensorEntityDescription:
    return SensorEntityDescription(
        key=key,
        name=name,
        icon=icon,
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=1,
    )


# The keys are those of the sandbox.
SENSORS: Final = (
    _power("grid", "Grid power", "mdi:transmission-tower"),
    _energy("imported", "Grid import", "mdi:transmission-tower-export"),
    _energy("exported", "Grid export", "mdi:transmission-tower-import"),
    _power("house", "House power", "mdi:home-lightning-bolt"),
    _energy("used", "House energy", "mdi:home-lightning-bolt"),
)


async def async_setup_platform(
    hass: HomeAssistant,
    _config: ConfigType,
    async_add_entities: AddEntitiesCallback,
    discovered: DiscoveryInfoType | None = None,
) -> None:
    """Add the sensors of the meter."""
    assert discovered is not None
    url: str = discovered["meter"]
    session = async_get_clientsession(hass)

    async def _read() -> dict[str, Any]:
        async with session.get(url, raise_for_status=True) as reply:
            read: dict[str, Any] = await reply.json()
            return read

    coordinator = DataUpdateCoordinator(
        hass,
        _LOGGER,
        config_entry=None,
        name="The meter of the house",
        update_interval=_EVERY,
        update_method=_read,
    )
    await coordinator.async_refresh()
    async_add_entities(Meter(coordinator, description) for description in SENSORS)


class Meter(CoordinatorEntity[DataUpdateCoordinator[dict[str, Any]]], SensorEntity):
    """One figure of the meter."""

    def __init__(
        self,
        coordinator: DataUpdateCoordinator[dict[str, Any]],
        description: SensorEntityDescription,
    ) -> None:
        """Show one figure."""
        super().__init__(coordinator)
        self.entity_description = description
        self._attr_unique_id = f"house_{description.key}"

    @property
    @override
    def native_value(self) -> float:
        """Return what was read."""
        value: float = self.coordinator.data[self.entity_description.key]
        return round(value, 3)
