"""What sensors have in common that show how much of something there is."""

from dataclasses import dataclass
from typing import override

from homeassistant.components.sensor import (
    DOMAIN as SENSOR,
    SensorEntity,
    SensorEntityDescription,
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


class AmpsMeasuringSensor(AmpsEntity, SensorEntity):
    """A sensor whose description says with how many decimals it is shown."""

    entity_description: AmpsPlainSensorDescription

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
