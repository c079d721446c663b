"""The Energy dashboard, set up as docs/energy.md says, over a day that has 25 hours."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.energy.validate import async_validate
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import (
    list_statistic_ids,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from develop.demo.demo_home.furnishing import energy
from sandbox import Sandbox

from .helpers import done, set_up

# Midnight of the house, before the clocks go back.
START: Final = datetime(2026, 10, 24, 22, tzinfo=UTC)
HOURS: Final = 25


@pytest.fixture
def mock_recorder_before_hass(async_test_recorder: Any) -> None:
    """Have the recorder ready before the core is."""


@pytest.fixture(autouse=True)
def _then(freezer: FrozenDateTimeFactory, sandbox: Sandbox) -> None:
    """Let it be then."""
    freezer.move_to(START)
    sandbox.clock.set(START)


def _named(preferences: Any) -> set[str]:
    """Return the statistics that a set-up names."""
    if isinstance(preferences, dict):
        return {
            name
            for key, value in preferences.items()
            for name in (
                {value}
                if key.startswith("stat_") and isinstance(value, str)
                else _named(value)
            )
        }
    if isinstance(preferences, list):
        return {name for item in preferences for name in _named(item)}
    return set()


async def test_day_with_two_hours_of_two(
    hass: HomeAssistant,
    recorder_mock: Any,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
) -> None:
    """All that is named is there and right, also over a restart."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    assert await async_setup_component(hass, "sensor", {})
    assert await async_setup_component(hass, "energy", {})
    assert await set_up(hass, entry)
    manager = await async_get_manager(hass)
    preferences = energy(hass)
    await manager.async_update(preferences)
    inverter = sandbox.device("device_inverter_001")
    assert inverter.captured is not None
    before = inverter.captured["energyTotal"]
    for quarter in range(4 * HOURS):
        if quarter == 2 * HOURS:
            assert await hass.config_entries.async_unload(entry.entry_id)
        begin = START + quarter * timedelta(minutes=15)
        # Just before the quarter is over, so that it has what is its own.
        at = begin + timedelta(minutes=14, seconds=45)
        freezer.move_to(at)
        sandbox.clock.set(at)
        for device in sandbox.home.devices:
            device.capture()
        if quarter == 2 * HOURS:
            assert await hass.config_entries.async_setup(entry.entry_id)
        async_fire_time_changed(hass)
        await done(hass)
        await async_wait_recording_done(hass)
        for period in range(3):
            do_adhoc_statistics(hass, start=begin + period * timedelta(minutes=5))
        await async_wait_recording_done(hass)
    found = await async_validate(hass)
    parts = found.as_dict()
    assert [issue for part in parts.values() for item in part for issue in item] == []
    named = _named(preferences)
    instance = get_instance(hass)
    known = await instance.async_add_executor_job(list_statistic_ids, hass)
    # What names nothing is not complained of.
    assert named <= {item["statistic_id"] for item in known}
    days = await instance.async_add_executor_job(
        lambda: statistics_during_period(
            hass, START, None, named, "day", None, {"change"}
        )
    )
    energies = {name for name in named if "energy" in name}
    changes: dict[str, float] = {}
    for name in energies:
        (day,) = days[name]
        assert day["start"] == START.timestamp()
        assert day["change"] is not None
        changes[name] = day["change"]
    assert all(change > 0 for change in changes.values()), changes
    assert inverter.captured is not None
    produced = inverter.captured["energyTotal"] - before
    assert changes["sensor.se5000h_total_energy"] == pytest.approx(produced, rel=0.02)
