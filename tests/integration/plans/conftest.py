"""What tests of plans live with."""

from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from sandbox import Sandbox

from ..conftest import Pass
from ..helpers import done


@pytest.fixture
def jump(hass: HomeAssistant, sandbox: Sandbox, freezer: FrozenDateTimeFactory) -> Pass:
    """Return what lets time pass in one go."""

    async def _jump(seconds: float) -> None:
        sandbox.clock.advance(seconds)
        freezer.tick(timedelta(seconds=seconds))
        async_fire_time_changed(hass)
        await done(hass)

    return _jump
