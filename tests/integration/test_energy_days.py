"""The Energy dashboard, set up as docs/energy.md says, over whole days.

Each day has a restart in it, and two of them change the clocks. What Home Assistant
shows of an hour and of the day is held against what flowed in the sandbox.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from math import sqrt
import re
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.energy.validate import async_validate
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_test_home_assistant,
)
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from develop.measures.bench.days import Truth, uneven_days
from sandbox import Clock, Sandbox
from tests.energy_page import preferences
from tests.pages import ROOT

from .helpers import done, set_up

QUARTER: Final = timedelta(minutes=15)
# Before a quarter is over, so that it has what is its own.
BEFORE: Final = timedelta(seconds=20)
# Midnight in Berlin, how many hours there are until the next one, and after which
# quarter Home Assistant stops for the next one: in the sun, in the second one of the
# two hours from 2 to 3, and as soon as it is 3.
DAYS: Final = (
    (datetime(2026, 6, 9, 22, tzinfo=UTC), 24, 50),
    (datetime(2026, 10, 24, 22, tzinfo=UTC), 25, 13),
    (datetime(2026, 3, 28, 23, tzinfo=UTC), 23, 8),
)
# Which counter is which in docs/performance.md.
MEASURED: Final = {
    "energy_charged": r"error of an hour, \*Energy charged\*, kWh",
    "energy_discharged": r"the same, \*Energy discharged\*",
    "energy_delivered": r"the same, \*Energy delivered\*",
    "energy_total": r"the same, \*Total energy\*, % of a mean hour",
}


@pytest.fixture
def persistent_database() -> bool:
    """Keep what is recorded over a restart."""
    return True


@pytest.fixture
def enable_missing_statistics() -> bool:
    """Let the recorder make up for statistics that it missed, as it always does."""
    return True


@pytest.fixture
def mock_recorder_before_hass(async_test_recorder: Any) -> None:
    """Have the recorder ready before the core is."""


@pytest.fixture
async def sandbox(start: datetime) -> AsyncGenerator[Sandbox]:
    """Run the sandbox from the first moment of the day."""
    with uneven_days(1):
        server = Sandbox(home="home", clock=Clock.manual(start))
        await server.start()
        yield server
        await server.stop()
        assert not server.crashes


class Life:
    """Home Assistant's, over a restart, and what truly flows meanwhile."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: MockConfigEntry,
        recorder: Any,
        files: dict[str, Any],
        sandbox: Sandbox,
        freezer: FrozenDateTimeFactory,
    ) -> None:
        """Begin with a core that runs, and has nothing in it."""
        self.hass = hass
        self._entry = entry
        self._recorder = recorder
        self._files = files
        self._sandbox = sandbox
        self._freezer = freezer
        self._stack = AsyncExitStack()
        self.truth: dict[str, Truth] = {}
        for device in sandbox.home.devices:
            self.truth[device.id] = truth = Truth()
            truth.watch(device.physics)

    def at(self, moment: datetime) -> None:
        """Let it be a moment."""
        self._freezer.move_to(moment)
        self._sandbox.clock.set(moment)

    async def begin(self) -> None:
        """Set all up."""
        await self.hass.config.async_set_time_zone("Europe/Berlin")
        await self._stack.enter_async_context(self._recorder(self.hass))
        for domain in ("sensor", "energy"):
            assert await async_setup_component(self.hass, domain, {})
        assert await set_up(self.hass, self._entry)

    async def stop(self) -> None:
        """Stop Home Assistant, the recorder last."""
        await async_wait_recording_done(self.hass)
        await self.hass.async_stop(force=True)
        files = deepcopy(self._files)
        # No real core does that; the tools for tests look for timers that are left.
        await self.hass.config_entries.async_unload(self._entry.entry_id)
        self._files.clear()
        self._files.update(files)
        await self._stack.aclose()
        # As in a process of its own, the next core has a loop that is not over.
        vars(asyncio.get_running_loop()).pop("_shutdown_run_callback_threadsafe", None)

    async def start_again(self) -> None:
        """Start another core over the same files."""
        self.hass = await self._stack.enter_async_context(async_test_home_assistant())
        self.hass.data.pop(DATA_CUSTOM_COMPONENTS)
        self._stack.push_async_callback(self.hass.async_stop, force=True)
        entry = self._entry
        self._entry = MockConfigEntry(
            domain=entry.domain,
            title=entry.title,
            unique_id=entry.unique_id,
            entry_id=entry.entry_id,
            data=dict(entry.data),
        )
        await self.begin()

    async def live(self, quarter: datetime) -> None:
        """Let a quarter pass, at whose end all devices are captured."""
        end = quarter + QUARTER
        self.at(end - BEFORE)
        for device in self._sandbox.home.devices:
            device.capture()
        async_fire_time_changed(self.hass)
        await done(self.hass)
        # As often as it takes to have the hour's; nothing else is looked at.
        do_adhoc_statistics(self.hass, start=end - timedelta(minutes=5))
        await async_wait_recording_done(self.hass)

    def counters(self) -> dict[str, tuple[str, str]]:
        """Return device and key of what counts, by entity."""
        registry = er.async_get(self.hass)
        found: dict[str, tuple[str, str]] = {}
        for device_id, truth in self.truth.items():
            for key in truth.hours:
                entity_id = registry.async_get_entity_id(
                    "sensor", "amps_ai", f"{device_id}_{key}"
                )
                assert entity_id is not None
                found[entity_id] = (device_id, key)
        return found

    async def changes(
        self, begin: datetime, period: Any
    ) -> dict[str, dict[float, float]]:
        """Return how much each counter rose in each period, as the dashboard asks."""
        instance = get_instance(self.hass)
        rows = await instance.async_add_executor_job(
            lambda: statistics_during_period(
                self.hass,
                begin,
                None,
                set(self.counters()),
                period,
                {"energy": "kWh"},
                {"change"},
            )
        )
        found: dict[str, dict[float, float]] = {}
        for entity_id, of_entity in rows.items():
            starts = [row["start"] for row in of_entity]
            assert len(set(starts)) == len(starts)
            found[entity_id] = {
                row["start"]: row["change"]
                for row in of_entity
                if row["change"] is not None
            }
        return found


@pytest.fixture
async def life(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    async_test_recorder: Any,
    hass_storage: dict[str, Any],
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> AsyncGenerator[Life]:
    """Live; whatever runs at the end is stopped."""
    life = Life(hass, entry, async_test_recorder, hass_storage, sandbox, freezer)
    yield life
    await life.stop()


def _promised(key: str) -> float:
    """Return what docs/performance.md says of an hour's error, with Standard."""
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    row = rf"^\| {MEASURED[key]} \| [\d.]+ \| ([\d.]+) \|"
    (now,) = re.findall(row, text, re.MULTILINE)
    return float(now)


@pytest.mark.parametrize(("start", "hours", "off"), DAYS, ids=("24", "25", "23"))
async def test_day_is_what_flowed(
    life: Life, start: datetime, hours: int, off: int
) -> None:
    """No hour is lost or counted twice, nothing falls, and all is as good as said."""
    life.at(start)
    await life.begin()
    manager = await async_get_manager(life.hass)
    await manager.async_update(preferences(life.hass))  # type: ignore[arg-type]
    for quarter in range(4 * hours):
        begin = start + quarter * QUARTER
        if quarter == off:
            await life.stop()
            continue
        if quarter == off + 1:
            life.at(begin)
            await life.start_again()
        await life.live(begin)
    found = (await async_validate(life.hass)).as_dict()
    assert [issue for part in found.values() for item in part for issue in item] == []
    by_hour = await life.changes(start, "hour")
    by_day = await life.changes(start, "day")
    starts = [start.timestamp() + 3600 * hour for hour in range(hours)]
    for entity_id, (device_id, key) in life.counters().items():
        assert list(by_hour[entity_id]) == starts
        counted = list(by_hour[entity_id].values())
        assert min(counted) >= 0
        assert by_day[entity_id] == {starts[0]: pytest.approx(sum(counted))}
        of_device = life.truth[device_id].hours[key]
        true = [of_device[int(at // 3600)] for at in starts]
        _compare(key, counted, true)


def _compare(key: str, counted: list[float], true: list[float]) -> None:
    """Hold the hours of a counter against what flowed, as docs/performance.md says."""
    errors = [one - other for one, other in zip(counted, true, strict=True)]
    rms = sqrt(sum(error**2 for error in errors) / len(errors))
    if key == "energy_total":
        mean = sum(true) / sum(1 for energy in true if energy > 0.005)
        assert rms / mean < _promised(key) / 100
        assert sum(counted) == pytest.approx(sum(true), abs=0.002)
        return
    # A day has less to even it out than the eight of the page.
    assert rms < 1.5 * _promised(key)
    assert sum(counted) == pytest.approx(sum(true), rel=0.05)
    steady = [
        hour
        for hour in range(1, len(true) - 1)
        if true[hour] > 0.5
        and true[hour - 1 : hour + 2] == [pytest.approx(true[hour], rel=0.1)] * 3
    ]
    # What neither begins nor ends is told as exactly as the power.
    assert steady
    for hour in steady:
        assert counted[hour] == pytest.approx(true[hour], rel=0.02), hour
