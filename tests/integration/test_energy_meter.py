"""Energy from power: the meter alone, and in Home Assistant."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
import json
from math import isclose
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.button import SERVICE_PRESS
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from hypothesis import example, given, settings, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_restore_state_shutdown_restart,
    mock_restore_cache_with_extra_data,
)

from custom_components.amps_ai.common.const import DOMAIN
from custom_components.amps_ai.entities.energy_meter import EnergyMeter
from sandbox import REMOVE, Sandbox
from tests.conftest import NOON

from .helpers import done, set_up

START: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
GAP: Final = timedelta(minutes=30)

type Reading = tuple[float | None, datetime | None]

POWERS = st.none() | st.floats(min_value=0, max_value=1000, allow_subnormal=False)
SECONDS = st.integers(min_value=1, max_value=3 * 1800)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@st.composite
def _series(draw: st.DrawFn) -> list[tuple[float | None, datetime]]:
    """Draw readings in the order of their capture."""
    readings, captured = [], START
    for power, seconds in draw(st.lists(st.tuples(POWERS, SECONDS), max_size=30)):
        readings.append((power, captured))
        captured += timedelta(seconds=seconds)
    return readings


def _sum(readings: Iterable[tuple[float | None, datetime]]) -> float:
    """Return the left Riemann sum, in exact numbers."""
    total, known = Fraction(0), list(readings)
    for (power, begin), (_, end) in pairwise(known):
        if power is not None and end - begin <= GAP:
            total += Fraction(power) * Fraction((end - begin) / timedelta(seconds=1))
    return float(total / 3600)


def _fed(readings: Iterable[Reading], meter: EnergyMeter | None = None) -> EnergyMeter:
    meter = EnergyMeter() if meter is None else meter
    for power, captured in readings:
        meter.add(power, captured, longest_gap=GAP)
    return meter


def _is(energy: float, expected: float) -> bool:
    return isclose(energy, expected, rel_tol=1e-9, abs_tol=1e-9)


class TestMeter:
    """The meter, without Home Assistant."""

    @pytest.fixture(autouse=True)
    def _integration(self) -> None:
        """Leave Home Assistant out."""

    @pytest.fixture(autouse=True)
    def noon(self) -> None:
        """Leave the time alone."""

    @settings(deadline=None)
    @given(_series())
    def test_is_the_left_riemann_sum(
        self, readings: list[tuple[float | None, datetime]]
    ) -> None:
        """Each power counts from its capture to the next one."""
        assert _is(_fed(readings).energy, _sum(readings))

    @settings(deadline=None)
    @given(
        st.lists(
            st.tuples(
                POWERS,
                st.none()
                | st.integers(min_value=-9000, max_value=9000).map(
                    lambda seconds: START + timedelta(seconds=seconds)
                ),
            )
        )
    )
    def test_never_falls(self, readings: list[Reading]) -> None:
        """In whatever order readings come, and with whatever is missing."""
        meter, before = EnergyMeter(), 0.0
        for reading in readings:
            _fed([reading], meter)
            assert meter.energy >= before
            before = meter.energy

    @settings(deadline=None)
    @given(_series(), st.data())
    def test_does_not_depend_on_the_polling(
        self, readings: list[tuple[float | None, datetime]], data: st.DataObject
    ) -> None:
        """Readings that are told again, now or later, change nothing."""
        told: list[Reading] = []
        for count, reading in enumerate(readings):
            told += [reading] * data.draw(st.integers(min_value=1, max_value=3))
            # A list that is late, and still holds an older capture.
            told += data.draw(
                st.lists(st.sampled_from(readings[: count + 1]), max_size=2)
            )
        assert _fed(told) == _fed(readings)

    @settings(deadline=None)
    @given(_series(), st.data())
    def test_a_late_reading_with_another_power_changes_nothing(
        self, readings: list[tuple[float | None, datetime]], data: st.DataObject
    ) -> None:
        """What was captured no later than the last one is no news."""
        meter = _fed(readings)
        if not readings:
            return
        before = meter.as_dict()
        late = data.draw(st.integers(min_value=0, max_value=10_000))
        _fed([(999, readings[-1][1] - timedelta(seconds=late))], meter)
        assert meter.as_dict() == before

    @pytest.mark.parametrize(
        ("minutes", "energy"), [(29, 29), (30, 30), (30.02, 0), (31, 0), (600, 0)]
    )
    def test_long_gap_counts_nothing(self, minutes: float, energy: float) -> None:
        """What is not known for too long is not made up."""
        end = START + timedelta(minutes=minutes)
        meter = _fed([(60, START), (60, end)])
        assert _is(meter.energy, energy)
        # From there on it counts again.
        _fed([(0, end + timedelta(minutes=1))], meter)
        assert _is(meter.energy, energy + 1)

    def test_unknown_power_counts_nothing(self) -> None:
        """Not from before it, and not to what comes after it."""
        readings: list[Reading] = [
            (60, START),
            (None, START + timedelta(minutes=1)),
            (60, START + timedelta(minutes=11)),
            (0, START + timedelta(minutes=12)),
        ]
        assert _is(_fed(readings).energy, 2)
        # A power without a time is none.
        assert _fed([(60, START), (90, None)]) == _fed([(60, START)])

    @settings(deadline=None)
    @given(_series(), st.integers(min_value=0, max_value=30))
    def test_round_trip(
        self, readings: list[tuple[float | None, datetime]], cut: int
    ) -> None:
        """A restart in the middle changes nothing."""
        meter = _fed(readings[:cut])
        stored = json.loads(json.dumps(meter.as_dict()))
        restored = EnergyMeter.from_dict(stored)
        assert restored == meter
        assert _fed(readings[cut:], restored) == _fed(readings)

    @settings(deadline=None)
    @given(
        st.dictionaries(st.sampled_from(["energy", "power", "captured", "more"]), JSON)
    )
    @example({"energy": "12"})
    @example({"energy": -5, "power": -3, "captured": "2026-06-01T11:59:00+00:00"})
    @example({"energy": True, "power": True})
    @example({"energy": 10**400})
    @example({"energy": 1, "power": 2, "captured": "2026-06-01T11:59:00"})
    @example({"energy": 1, "power": 2, "captured": "2026-13-45T99:00:00"})
    @example({"energy": 1, "power": 2, "captured": "2026-06-01"})
    @example({"energy": 1, "power": 2, "captured": 1780315200})
    def test_garbage(self, stored: dict[str, Any]) -> None:
        """What was stored and cannot be read counts as nothing."""
        meter = EnergyMeter.from_dict(stored)
        before = meter.energy
        assert before >= 0
        _fed([(3, START + timedelta(days=n * 40_000)) for n in range(2)], meter)
        assert meter.energy >= before

    def test_what_can_be_read_is_kept(self) -> None:
        """One bad value does not take the others along."""
        meter = EnergyMeter.from_dict({"energy": 7.5, "power": "?", "captured": 3})
        assert _is(meter.energy, 7.5)
        _fed([(60, START), (0, START + timedelta(minutes=1))], meter)
        assert _is(meter.energy, 8.5)


# In Home Assistant

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"

CHARGED = "sensor.energy_charged"
DISCHARGED = "sensor.energy_discharged"
DELIVERED = "sensor.energy_delivered"


@pytest.fixture(autouse=True)
def noon(freezer: FrozenDateTimeFactory) -> None:
    """Let it be noon here as it is in the sandbox."""
    freezer.move_to(NOON)


def _id(hass: HomeAssistant, device_id: str, entity: str) -> str:
    platform, _, key = entity.partition(".")
    entity_id = er.async_get(hass).async_get_entity_id(
        platform, DOMAIN, f"{device_id}_{key}"
    )
    assert entity_id is not None
    return entity_id


def _energy(hass: HomeAssistant, device_id: str, entity: str) -> float:
    state = hass.states.get(_id(hass, device_id, entity))
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
        device = self.sandbox.device(device_id)
        device.state_override = state
        device.capture()
        async_fire_time_changed(self.hass)
        await done(self.hass)

    async def refresh(self, device_id: str) -> None:
        """Press the device's button, which makes a single read."""
        await self.hass.services.async_call(
            Platform.BUTTON,
            SERVICE_PRESS,
            {ATTR_ENTITY_ID: _id(self.hass, device_id, "button.refresh")},
            blocking=True,
        )
        await done(self.hass)


@pytest.fixture
def house(
    hass: HomeAssistant, sandbox: Sandbox, freezer: FrozenDateTimeFactory
) -> House:
    """Return the house, with a charger that draws 6 kW and a battery that rests."""
    sandbox.device(CHARGER).state_override = {"currentPower": 6}
    sandbox.device(BATTERY).state_override = {"chargeRate": 0}
    return House(hass, sandbox, freezer)


async def test_charger(hass: HomeAssistant, house: House, loaded: Any) -> None:
    """A charger's energy is its power, each until the next capture."""
    assert _energy(hass, CHARGER, DELIVERED) == 0
    await house.captured(CHARGER, 10, currentPower=3)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(1)
    await house.captured(CHARGER, 10, currentPower=0)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(1.5)
    await house.captured(CHARGER, 10, currentPower=11)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(1.5)
    # A power below nothing counts nothing.
    await house.captured(CHARGER, 6, currentPower=-4)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(2.6)
    await house.captured(CHARGER, 6, currentPower=0)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(2.6)


async def test_same_power_counts_on(
    hass: HomeAssistant, house: House, loaded: Any
) -> None:
    """A reading that brings nothing but its time counts."""
    for count in range(1, 6):
        await house.captured(CHARGER, 2, currentPower=6)
        assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(count / 5)


async def test_battery_in_both_directions(
    hass: HomeAssistant, house: House, loaded: Any
) -> None:
    """What goes in and what comes out are counted apart."""
    readings = [(5, 10), (0, 10), (-4, 15), (2, 15), (0, 15)]
    for rate, minutes in readings:
        await house.captured(BATTERY, minutes, chargeRate=rate)
    assert _energy(hass, BATTERY, CHARGED) == pytest.approx(5 / 6 + 2 / 4)
    assert _energy(hass, BATTERY, DISCHARGED) == pytest.approx(4 / 4)


async def test_polls_without_a_capture_count_nothing(
    hass: HomeAssistant, house: House, sandbox: Sandbox, loaded: Any
) -> None:
    """How often Home Assistant asks changes nothing."""
    for _ in range(5):
        await house.wait(61)
    assert sandbox.requests.of("GET", "/ev-charger")
    assert _energy(hass, CHARGER, DELIVERED) == 0
    sandbox.device(CHARGER).capture()
    await house.wait(61)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(6 * 305 / 3600)


async def test_single_reads_count_as_lists_do(
    hass: HomeAssistant, house: House, sandbox: Sandbox, loaded: Any
) -> None:
    """Who told of a capture does not matter, nor how often."""
    sandbox.clock.advance(600)
    await house.refresh(CHARGER)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(1)
    for _ in range(3):
        await house.wait(1)
        await house.refresh(CHARGER)
    await house.wait(61)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(1)


async def test_planner_reads_what_counts(
    hass: HomeAssistant, house: House, sandbox: Sandbox, loaded: Any
) -> None:
    """Left alone, a device is read often enough to count everything."""
    for _ in range(4 * 60):
        await house.wait(30)
    # Two hours, less what was not captured yet.
    assert 6 * 1.7 < _energy(hass, CHARGER, DELIVERED) <= 6 * 2


async def test_long_gap_in_home_assistant(
    hass: HomeAssistant, house: House, sandbox: Sandbox, loaded: Any
) -> None:
    """A manufacturer that was silent for long leaves a gap, not an invention."""
    sandbox.device(CHARGER).transient_fault = True
    for _ in range(8):
        await house.wait(300)
    sandbox.device(CHARGER).transient_fault = None
    await house.captured(CHARGER, 2, currentPower=6)
    assert _energy(hass, CHARGER, DELIVERED) == 0
    await house.captured(CHARGER, 10, currentPower=6)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(1)


async def test_unknown_power_in_home_assistant(
    hass: HomeAssistant, house: House, loaded: Any
) -> None:
    """Without a power nothing counts, and what was counted stays."""
    await house.captured(CHARGER, 10, currentPower=None)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(1)
    await house.captured(CHARGER, 10, currentPower=REMOVE)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(1)
    await house.captured(CHARGER, 10, currentPower=6)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(1)
    await house.captured(CHARGER, 10, currentPower=6)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(2)


async def test_device_that_goes_offline(
    hass: HomeAssistant, house: House, sandbox: Sandbox, loaded: Any
) -> None:
    """A device that was away goes on from where it stood."""
    await house.captured(CHARGER, 10, currentPower=6)
    sandbox.device(CHARGER).unlisted = True
    await house.wait(61)
    state = hass.states.get(_id(hass, CHARGER, DELIVERED))
    assert state is not None
    assert state.state == "unavailable"
    sandbox.device(CHARGER).unlisted = False
    await house.wait(61)
    assert _energy(hass, CHARGER, DELIVERED) >= 1


async def test_reload_goes_on(hass: HomeAssistant, house: House, loaded: Any) -> None:
    """A reload forgets nothing, and counts on from the last capture."""
    await house.captured(CHARGER, 10, currentPower=3)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(1)
    await house.captured(CHARGER, 10, currentPower=0)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(1.5)


async def test_restart_goes_on(
    hass: HomeAssistant, house: House, sandbox: Sandbox, loaded: Any
) -> None:
    """A restart forgets nothing, and what was captured meanwhile counts."""
    await house.captured(CHARGER, 10, currentPower=3)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    await async_mock_restore_state_shutdown_restart(hass)
    await house.captured(CHARGER, 20, currentPower=9)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await done(hass)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(2)
    await house.captured(CHARGER, 10, currentPower=0)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(3.5)


@pytest.mark.parametrize(
    ("stored", "energy"),
    [
        ({"energy": 7, "power": 6, "captured": "2026-06-01T11:50:00+00:00"}, 8),
        ({"energy": 7, "power": 6, "captured": "2026-06-01T13:50:00+02:00"}, 8),
        # Too long ago to be known.
        ({"energy": 7, "power": 6, "captured": "2026-06-01T11:20:00+00:00"}, 7),
        # Nothing was captured since.
        ({"energy": 7, "power": 6, "captured": "2026-06-01T12:00:00+00:00"}, 7),
        ({"energy": 7, "power": None, "captured": "2026-06-01T11:50:00+00:00"}, 7),
        ({"energy": 7}, 7),
        ({}, 0),
        ({"energy": -7}, 0),
        ({"energy": "much", "power": [6], "captured": 12}, 0),
        ({"energy": 7, "power": 6, "captured": "yesterday"}, 7),
        ({"energy": 7, "power": 6, "captured": "2026-13-01T12:00:00"}, 7),
    ],
)
async def test_restored(
    hass: HomeAssistant,
    house: House,
    entry: MockConfigEntry,
    stored: dict[str, Any],
    energy: float,
) -> None:
    """What was stored counts, and garbage does not keep the sensor from working."""
    mock_restore_cache_with_extra_data(
        hass,
        [(State("sensor.pulsar_plus_energy_delivered_estimate", "999"), stored)],
    )
    assert await set_up(hass, entry)
    assert _id(hass, CHARGER, DELIVERED) == (
        "sensor.pulsar_plus_energy_delivered_estimate"
    )
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(energy)
    before = _energy(hass, CHARGER, DELIVERED)
    await house.captured(CHARGER, 10, currentPower=0)
    assert _energy(hass, CHARGER, DELIVERED) == pytest.approx(before + 1)


async def test_afternoon(
    hass: HomeAssistant, sandbox: Sandbox, freezer: FrozenDateTimeFactory, loaded: Any
) -> None:
    """With the sandbox's own devices, all meters rise as the powers say."""
    house = House(hass, sandbox, freezer)
    meters = [
        (BATTERY, CHARGED, "chargeRate", 1),
        (BATTERY, DISCHARGED, "chargeRate", -1),
        (CHARGER, DELIVERED, "currentPower", 1),
    ]
    told: dict[str, dict[datetime, float]] = {meter[1]: {} for meter in meters}
    shown = dict.fromkeys(told, 0.0)
    for _ in range(8 * 20):
        for device_id, entity, field, sign in meters:
            device = sandbox.device(device_id)
            assert device.captured is not None
            assert device.captured_at is not None
            captured = datetime.fromtimestamp(device.captured_at, UTC)
            told[entity][captured] = max(0, sign * device.captured[field])
        await house.wait(180)
        for device_id, entity, _, _ in meters:
            state = hass.states.get(_id(hass, device_id, entity))
            assert state is not None
            assert state.state != STATE_UNKNOWN
            assert float(state.state) >= shown[entity]
            shown[entity] = float(state.state)
    for device_id, entity, field, sign in meters:
        device = sandbox.device(device_id)
        assert device.captured is not None
        assert device.captured_at is not None
        captured = datetime.fromtimestamp(device.captured_at, UTC)
        told[entity][captured] = max(0, sign * device.captured[field])
        readings = [(power, at) for at, power in sorted(told[entity].items())]
        assert shown[entity] == pytest.approx(_sum(readings))
        assert shown[entity] > 2, shown
