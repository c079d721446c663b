"""A home for the blueprints to run in."""

from collections.abc import AsyncGenerator, Generator
import logging
from pathlib import Path
import shutil
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_CALL_SERVICE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.util import yaml as yaml_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.common.const import DOMAIN
from sandbox import Sandbox

from .house import AUTOMATION, BLUEPRINTS, SERVICES, ZONE, House, Rest, fields


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Have the blueprints where Home Assistant looks for them."""
    shutil.copytree(
        BLUEPRINTS, Path(hass_tmp_config_dir) / "blueprints/automation" / DOMAIN
    )
    return hass_tmp_config_dir


@pytest.fixture(autouse=True)
def quick(sandbox: Sandbox) -> Generator[None]:
    """Wait little for what ends at once."""
    sandbox.action_seconds = 0
    with (
        patch("custom_components.amps_ai.pushes.following._POLLS", (0.02,)),
        patch("custom_components.amps_ai.pushes.manager.REST", 0.01),
        patch("custom_components.amps_ai.number.REST", 0.01),
    ):
        yield


@pytest.fixture
def rest() -> Generator[Rest]:
    """Watch when an automation waits."""
    rest = Rest()
    with rest.watched():
        yield rest


@pytest.fixture(autouse=True)
async def _zone(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    await hass.config.async_set_time_zone(str(ZONE))


@pytest.fixture(autouse=True)
def sound_calls(hass: HomeAssistant) -> Generator[None]:
    """See to it that only actions and fields are used that there are."""
    known = yaml_util.load_yaml_dict(SERVICES)
    unknown: list[str] = []

    @callback
    def _called(event: Event) -> None:
        if event.data["domain"] != DOMAIN:
            return
        name = event.data["service"]
        allowed = fields(known.get(name, {}))
        unknown.extend(
            f"{name}.{field}"
            for field in event.data["service_data"]
            if field not in allowed
        )

    hass.bus.async_listen(EVENT_CALL_SERVICE, _called)
    yield
    assert not unknown


@pytest.fixture
def said_wrong(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Name what may be complained about in the log; nothing by default."""
    return []


@pytest.fixture(autouse=True)
def clean_log(
    caplog: pytest.LogCaptureFixture, said_wrong: list[str]
) -> Generator[None]:
    """No template and no step of an automation goes wrong unnoticed."""
    yield
    wrong = [
        record.getMessage()
        for record in caplog.get_records("call")
        if record.levelno >= logging.WARNING
        and record.name.startswith(
            (
                "homeassistant.components.automation",
                "homeassistant.components.blueprint",
                "homeassistant.helpers.template",
                "homeassistant.helpers.script",
                "homeassistant.helpers.trigger",
                "homeassistant.helpers.condition",
            )
        )
    ]
    assert [line for line in wrong if not any(w in line for w in said_wrong)] == []
    for expected in said_wrong:
        assert any(expected in line for line in wrong), expected


@pytest.fixture
async def house(
    hass: HomeAssistant,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
    rest: Rest,
) -> AsyncGenerator[House]:
    """Return the home; at the end, the automation waits for nothing any more."""
    house = House(hass, sandbox, freezer, entry, rest)
    yield house
    if hass.states.get(AUTOMATION) is not None:
        await hass.services.async_call(
            "automation", "turn_off", {"entity_id": AUTOMATION}, blocking=True
        )
