"""HomeKit: what accessories there are, and what the sandbox receives."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final
from unittest.mock import patch

from homeassistant.components.homekit.accessories import (
    HomeAccessory,
    HomeBridge,
    HomeDriver,
    get_accessory,
)
from homeassistant.components.homekit.iidmanager import AccessoryIIDStorage
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.integration.helpers import done

from .conftest import CAP, CLIMATE, MODE, SWITCH, Sent, command

type Tap = Callable[..., Awaitable[None]]

_OFF: Final = 0
_HEAT: Final = 1
_COOL: Final = 2
_BAND: Final = 3


@pytest.fixture
async def accessories(
    hass: HomeAssistant, furnished: MockConfigEntry
) -> AsyncGenerator[dict[str, HomeAccessory]]:
    """Return the real accessories of a bridge, which is told of on no network."""
    storage = AccessoryIIDStorage(hass, "bridge")
    await storage.async_initialize()
    with (
        patch("pyhap.accessory_driver.AsyncZeroconf"),
        patch("pyhap.accessory_driver.AccessoryDriver.persist"),
    ):
        driver = HomeDriver(
            hass,
            "bridge",
            "Bridge",
            "Bridge",
            iid_storage=storage,
            address="127.0.0.1",
            port=0,
            loop=hass.loop,
        )
        bridge = HomeBridge(hass, driver, "Bridge")
        found: dict[str, HomeAccessory] = {}
        for aid, state in enumerate(hass.states.async_all(), start=2):
            accessory = get_accessory(hass, driver, state, aid, {})
            if accessory is not None:
                found[state.entity_id] = accessory
                bridge.add_accessory(accessory)
                accessory.run()
        driver.add_accessory(bridge)
        yield found
        for accessory in found.values():
            await accessory.stop()


def _values(accessory: HomeAccessory) -> dict[str, Any]:
    return {
        characteristic.display_name: characteristic
        for service in accessory.services
        for characteristic in service.characteristics
    }


def _value(accessory: HomeAccessory, name: str) -> Any:
    return _values(accessory)[name].value


@pytest.fixture
def tap(hass: HomeAssistant, accessories: dict[str, HomeAccessory]) -> Tap:
    """Return what writes characteristics together, as a phone does."""

    async def _tap(entity_id: str, **values: Any) -> None:
        accessory = accessories[entity_id]
        known = _values(accessory)
        accessory.driver.set_characteristics(
            {
                "characteristics": [
                    {
                        "aid": accessory.aid,
                        "iid": accessory.iid_manager.get_iid(known[name]),
                        "value": value,
                    }
                    for name, value in values.items()
                ]
            },
            ("127.0.0.1", 1),
        )
        await done(hass)

    return _tap


async def test_what_is_exposed(accessories: dict[str, HomeAccessory]) -> None:
    """Thermostat, switch, temperature; and the battery's mode as six outlets."""
    kinds = {name: type(item).__name__ for name, item in accessories.items()}
    assert kinds[CLIMATE] == "Thermostat"
    assert kinds[SWITCH] == "Switch"
    assert kinds["sensor.smart_thermostat_premium_temperature"] == "TemperatureSensor"
    assert kinds[MODE] == "SelectSwitch"
    assert CAP not in kinds


async def test_what_is_told(
    accessories: dict[str, HomeAccessory], american: bool
) -> None:
    """HomeKit counts in °C, whatever the house does."""
    thermostat = accessories[CLIMATE]
    assert _value(thermostat, "TemperatureDisplayUnits") == int(american)
    assert _value(thermostat, "TargetHeatingCoolingState") == _BAND
    for name, celsius in (
        ("CurrentTemperature", 21),
        ("HeatingThresholdTemperature", 19),
        ("CoolingThresholdTemperature", 25),
    ):
        assert _value(thermostat, name) == pytest.approx(celsius, abs=0.3)


@pytest.mark.parametrize("hvac_mode", ["auto", "heat", "cool"])
@pytest.mark.parametrize(
    ("values", "body"),
    [
        (
            # Both come in one go, and are one command.
            {"TargetHeatingCoolingState": _HEAT, "TargetTemperature": 22.0},
            command("heat", target=22),
        ),
        (
            {"TargetHeatingCoolingState": _COOL, "TargetTemperature": 23.0},
            command("cool", target=23),
        ),
        (
            {
                "TargetHeatingCoolingState": _BAND,
                "HeatingThresholdTemperature": 20.0,
                "CoolingThresholdTemperature": 24.0,
            },
            command("auto", heatSetpoint=20, coolSetpoint=24),
        ),
        ({"TargetHeatingCoolingState": _OFF}, command("idle")),
    ],
    ids=["heat", "cool", "band", "off"],
)
async def test_thermostat(
    tap: Tap,
    sent: Sent,
    accessories: dict[str, HomeAccessory],
    values: dict[str, Any],
    body: dict[str, Any],
) -> None:
    """Mode and temperatures are one command, from any mode."""
    await tap(CLIMATE, **values)
    assert sent()[-1:] == [body]
    assert len(sent()) == 1
    for name, value in values.items():
        shown = _value(accessories[CLIMATE], name)
        assert shown == pytest.approx(value, abs=0.3)


@pytest.mark.parametrize("hvac_mode", ["off"])
async def test_from_off(tap: Tap, sent: Sent) -> None:
    """From off, the mode goes first: HomeKit leaves the temperature away."""
    await tap(CLIMATE, TargetTemperature=22.0)
    assert sent() == []
    await tap(CLIMATE, TargetHeatingCoolingState=_HEAT, TargetTemperature=22.0)
    assert sent() == [command("heat", target=19)]
    await tap(CLIMATE, TargetTemperature=22.0)
    assert sent()[-1] == command("heat", target=22)


async def test_charger(
    tap: Tap, sent: Sent, accessories: dict[str, HomeAccessory]
) -> None:
    """The switch shows what it was told."""
    for on, name in ((True, "charge"), (False, "idle")):
        await tap(SWITCH, On=on)
        assert sent()[-1] == command(name)
        assert bool(_value(accessories[SWITCH], "On")) is on
