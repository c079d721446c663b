"""A house whose devices are captured when a test says so."""

from datetime import timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.button import SERVICE_PRESS
from homeassistant.const import ATTR_ENTITY_ID, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.amps_ai.common.const import DOMAIN
from sandbox import Sandbox

from .helpers import done

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"

# What does not keep a power from counting.
ACTIVE: Final[dict[str, dict[str, Any]]] = {
    BATTERY: {"status": None},
    CHARGER: {"isConnected": True, "isCharging": True},
}

CHARGED = "sensor.energy_charged"
DISCHARGED = "sensor.energy_discharged"
DELIVERED = "sensor.energy_delivered"


def entity_id_of(hass: HomeAssistant, device_id: str, entity: str) -> str:
    """Return the id of an entity, such as `sensor.power`, of a device."""
    platform, _, key = entity.partition(".")
    entity_id = er.async_get(hass).async_get_entity_id(
        platform, DOMAIN, f"{device_id}_{key}"
    )
    assert entity_id is not None
    return entity_id


def energy_of(hass: HomeAssistant, device_id: str, entity: str) -> float:
    """Return what an energy shows."""
    state = hass.states.get(entity_id_of(hass, device_id, entity))
    assert state is not None
    return float(state.state)


class House:
    """A house in which time passes and powers change."""

    def __init__(
        self, hass: HomeAssistant, sandbox: Sandbox, freezer: FrozenDateTimeFactory
    ) -> None:
        """Begin now."""
        self.hass = hass
        self.sandbox = sandbox
        self.freezer = freezer

    def tell(self, device_id: str, **state: Any) -> None:
        """Have a device tell this state from now on."""
        device = self.sandbox.device(device_id)
        device.state_override = ACTIVE.get(device_id, {}) | state

    async def wait(self, seconds: float) -> None:
        """Let time pass; Home Assistant polls when it is over."""
        self.sandbox.clock.advance(seconds)
        self.freezer.tick(timedelta(seconds=seconds))
        async_fire_time_changed(self.hass)
        await done(self.hass)

    async def captured(self, device_id: str, minutes: float, **state: Any) -> None:
        """Let minutes pass, at whose end the device is captured in this state."""
        self.sandbox.clock.advance(minutes * 60)
        self.freezer.tick(timedelta(minutes=minutes))
        self.tell(device_id, **state)
        self.sandbox.device(device_id).capture()
        async_fire_time_changed(self.hass)
        await done(self.hass)

    async def refresh(self, device_id: str) -> None:
        """Press the device's button, which makes a single read."""
        await self.hass.services.async_call(
            Platform.BUTTON,
            SERVICE_PRESS,
            {ATTR_ENTITY_ID: entity_id_of(self.hass, device_id, "button.refresh")},
            blocking=True,
        )
        await done(self.hass)
