"""What sensors have in common that show how much of something there is."""

from dataclasses import dataclass
from typing import override

from homeassistant.components.sensor import (
    DOMAIN as SENSOR,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.helpers.entity_registry import EntityOptionsType

from .entity import AmpsEntity, AmpsEntityDescription


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AmpsPlainSensorDescription(AmpsEntityDescription, SensorEntityDescription):
    """A sensor over the device as a whole."""


def plain(value: float, decimals: int) -> float:
    """Return a value as far as it is measured, a whole one as a whole number.

    Each other way to write the same would be one more row in the recorder.
    """
    rounded = round(value, decimals)
    return int(rounded) if rounded == int(rounded) else rounded


class AmpsSensorEntity(AmpsEntity, SensorEntity):
    """A sensor of a device, whose description says with how many decimals."""

    entity_description: AmpsPlainSensorDescription

    # As in `AmpsEntity`: what is the same for all stands here once.
    last_reset = None
    suggested_unit_of_measurement = None
    supported_features = None

    @property
    @override
    def options(self) -> list[str] | None:
        """Return what the description says."""
        return self.entity_description.options

    @property
    @override
    def state_class(self) -> SensorStateClass | None:
        """Return what the description says."""
        return self.entity_description.state_class

    @property
    @override
    def suggested_display_precision(self) -> int | None:
        """Return what the description says."""
        return self.entity_description.suggested_display_precision

    @override
    def get_initial_entity_options(self) -> EntityOptionsType | None:
        """Return the options to begin with, the decimals among them.

        Else Home Assistant stores them once the sensor is there, and tells
        everybody of the change: for each of the sensors.
        """
        options = super().get_initial_entity_options() or {}
        if (decimals := self.suggested_display_precision) is not None:
            options = {**options, SENSOR: {"suggested_display_precision": decimals}}
        return options or None
