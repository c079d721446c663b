"""Energy from power: the meter alone, and in Home Assistant."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
import json
from math import isclose
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State
from hypothesis import example, given, settings, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_restore_state_shutdown_restart,
    mock_restore_cache_with_extra_data,
)

from custom_components.amps_ai.api.models import BatteryState, EvChargerState
from custom_components.amps_ai.entities.energy_meter import (
    LONGEST_GAP,
    EnergyMeter,
    LifetimeEnergy,
    battery_content,
    battery_power,
    charger_power,
)
from sandbox import REMOVE, Sandbox
from tests.conftest import NOON

from .energy import (
    BATTERY,
    CHARGED,
    CHARGER,
    DELIVERED,
    DISCHARGED,
    House,
    energy_of,
    entity_id_of,
)
from .helpers import done, set_up

START: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)

type Reading = tuple[float | None, datetime]

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
    """Return the sum of the trapezoids, in exact numbers."""
    total, known = Fraction(0), list(readings)
    for (power, begin), (later, end) in pairwise(known):
        if power is not None and later is not None and end - begin <= LONGEST_GAP:
            mean = (Fraction(power) + Fraction(later)) / 2
            total += mean * Fraction((end - begin) / timedelta(seconds=1))
    return float(total / 3600)


def _fed(readings: Iterable[Reading], meter: EnergyMeter | None = None) -> EnergyMeter:
    meter = EnergyMeter() if meter is None else meter
    for power, captured in readings:
        meter.add(power, captured)
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
    def test_is_the_sum_of_trapezoids(
        self, readings: list[tuple[float | None, datetime]]
    ) -> None:
        """Between two captures, the mean of what both say counts."""
        assert _is(_fed(readings).energy, _sum(readings))

    @settings(deadline=None)
    @given(
        st.lists(
            st.tuples(
                POWERS,
                st.integers(min_value=-9000, max_value=9000).map(
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
        assert _is(meter.energy, energy + 0.5)

    def test_unknown_power_counts_nothing(self) -> None:
        """Not from before it, and not to what comes after it."""
        readings: list[Reading] = [
            (60, START),
            (None, START + timedelta(minutes=1)),
            (60, START + timedelta(minutes=11)),
            (30, START + timedelta(minutes=13)),
        ]
        assert _is(_fed(readings).energy, 1.5)

    @pytest.mark.parametrize(
        ("minutes", "before", "after", "energy"),
        [
            # Up to half an hour the power counts, whatever the content says.
            (30, 4, 9, 30),
            (31, 4, 9, 5),
            (31, 9, 4, 0),
            (600, 0, 13.5, 13.5),
            (600, None, 13.5, 0),
            (600, 4, None, 0),
        ],
    )
    def test_content_over_a_long_gap(
        self, minutes: float, before: float | None, after: float | None, energy: float
    ) -> None:
        """What a battery holds tells what flowed, where its power does not."""
        meter = EnergyMeter()
        meter.add(60, START, content=before)
        meter.add(60, START + timedelta(minutes=minutes), content=after)
        assert _is(meter.energy, energy)

    @pytest.mark.parametrize(
        ("before", "after", "hours", "energy"),
        [
            (6, 4, 2, 10),
            (6, 0, 2, 0),
            (0, 6, 2, 0),
            (6, None, 2, 0),
            (None, 6, 2, 0),
            (7, 7, 12, 84),
            (7, 7, 12.01, 0),
        ],
    )
    def test_charging_at_both_ends_of_a_long_gap(
        self, before: float | None, after: float | None, hours: float, energy: float
    ) -> None:
        """One who charges before and after has charged all the time."""
        meter = EnergyMeter()
        meter.add(before, START, bridges=True)
        meter.add(after, START + timedelta(hours=hours), bridges=True)
        assert _is(meter.energy, energy)

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
        st.dictionaries(
            st.sampled_from(["energy", "power", "captured", "content", "more"]), JSON
        )
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
        assert _is(meter.energy, 8)


class TestLifetime:
    """What a device counted over its life."""

    @pytest.fixture(autouse=True)
    def _integration(self) -> None:
        """Leave Home Assistant out."""

    @pytest.fixture(autouse=True)
    def noon(self) -> None:
        """Leave the time alone."""

    @pytest.mark.parametrize(
        ("told", "believed"),
        [
            ([10, 11, 11, 12], [10, 11, 11, 12]),
            # One wrong reading.
            ([10, 0, 11], [10, None, 11]),
            ([10, None, 11], [10, None, 11]),
            # An inverter that was replaced.
            ([10, 0, 0, 1], [10, None, 0, 1]),
            ([10, 2, 1, 2], [10, None, 1, 2]),
            # Nothing told between does not confirm anything.
            ([10, 0, None, 11], [10, None, None, 11]),
            ([10, 0, None, 1], [10, None, None, 1]),
        ],
    )
    def test_lower_value_is_confirmed(
        self, told: list[float | None], believed: list[float | None]
    ) -> None:
        """One reading that is lower is unknown, the second one counts."""
        lifetime = LifetimeEnergy()
        for number, (value, expected) in enumerate(zip(told, believed, strict=True)):
            # As it is kept over a restart, each time.
            lifetime = LifetimeEnergy.from_dict(
                json.loads(json.dumps(lifetime.as_dict()))
            )
            captured = START + timedelta(minutes=number)
            for _ in range(2):
                # The same capture told again is no second one.
                assert lifetime.add(value, captured) == expected

    @settings(deadline=None)
    @given(st.dictionaries(st.sampled_from(["energy", "doubted", "more"]), JSON))
    def test_garbage(self, kept: dict[str, Any]) -> None:
        """What was kept and cannot be read counts as nothing."""
        lifetime = LifetimeEnergy.from_dict(kept)
        for number in range(3):
            lifetime.add(5, datetime(9000, 1, 1 + number, tzinfo=UTC))
        assert lifetime.add(5, datetime(9000, 1, 9, tzinfo=UTC)) == 5


def _battery(**raw: Any) -> BatteryState:
    return BatteryState.from_raw(raw)


def _charger(**raw: Any) -> EvChargerState:
    return EvChargerState.from_raw(raw)


class TestPower:
    """What flows, by what a device says of itself."""

    @pytest.fixture(autouse=True)
    def _integration(self) -> None:
        """Leave Home Assistant out."""

    @pytest.fixture(autouse=True)
    def noon(self) -> None:
        """Leave the time alone."""

    @pytest.mark.parametrize(
        ("state", "power"),
        [
            (_battery(chargeRate=-3.5), -3.5),
            (_battery(chargeRate=3, status="charging"), 3),
            (_battery(chargeRate=3, status="Something new"), 3),
            (_battery(chargeRate=3, status="idle"), 0),
            (_battery(chargeRate=3, status="Standby"), 0),
            (_battery(status="idle"), 0),
            (_battery(), None),
            (_battery(chargeRate=4200), None),
            (_battery(chargeRate=-65535), None),
        ],
    )
    def test_battery(self, state: BatteryState, power: float | None) -> None:
        """A battery that rests has no power, whatever it says."""
        assert battery_power(state) == power

    @pytest.mark.parametrize(
        ("state", "power"),
        [
            (_charger(currentPower=7, isCharging=True, isConnected=True), 7),
            (_charger(currentPower=7, isCharging=True, status="paused"), 7),
            (_charger(currentPower=7, isCharging=False), 0),
            (_charger(currentPower=7, isCharging=True, isConnected=False), 0),
            (_charger(currentPower=7, status="paused"), 0),
            (_charger(currentPower=7, status="charging"), 7),
            (_charger(currentPower=7, status="Something new"), 7),
            (_charger(currentPower=7), 7),
            (_charger(isCharging=True), None),
            (_charger(isCharging=False), 0),
            (_charger(currentPower=65535, isCharging=True), None),
        ],
    )
    def test_charger(self, state: EvChargerState, power: float | None) -> None:
        """A charger that does not charge delivers nothing, whatever it says."""
        assert charger_power(state) == power

    @pytest.mark.parametrize(
        ("state", "content"),
        [
            (_battery(level=50, capacity=13.5), 6.75),
            (_battery(level=50, capacity=13500), 6.75),
            (_battery(level=0, capacity=10), 0),
            (_battery(level=50), None),
            (_battery(capacity=10), None),
            (_battery(level=255, capacity=10), None),
            (_battery(level=-1, capacity=10), None),
            (_battery(level=50, capacity=0), None),
        ],
    )
    def test_content(self, state: BatteryState, content: float | None) -> None:
        """A battery holds what its level says of its capacity."""
        assert battery_content(state) == content


@pytest.fixture(autouse=True)
def noon(freezer: FrozenDateTimeFactory) -> None:
    """Let it be noon here as it is in the sandbox."""
    freezer.move_to(NOON)


@pytest.fixture
def house(
    hass: HomeAssistant, sandbox: Sandbox, freezer: FrozenDateTimeFactory
) -> House:
    """Return the house, with a charger that draws 6 kW and a battery that rests."""
    house = House(hass, sandbox, freezer)
    house.tell(CHARGER, currentPower=6)
    house.tell(BATTERY, chargeRate=0)
    return house


async def test_charger(hass: HomeAssistant, house: House, loaded: Any) -> None:
    """A charger's energy is the mean of two powers, over the time between."""
    assert energy_of(hass, CHARGER, DELIVERED) == 0
    await house.captured(CHARGER, 10, currentPower=3)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(0.75)
    await house.captured(CHARGER, 10, currentPower=0)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(1)
    await house.captured(CHARGER, 6, currentPower=10)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(1.5)
    # A power below nothing counts as nothing.
    await house.captured(CHARGER, 6, currentPower=-4)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(2)
    await house.captured(CHARGER, 6, currentPower=0)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(2)


async def test_same_power_counts_on(
    hass: HomeAssistant, house: House, loaded: Any
) -> None:
    """A reading that brings nothing but its time counts."""
    for count in range(1, 6):
        await house.captured(CHARGER, 2, currentPower=6)
        assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(count / 5)


async def test_battery_in_both_directions(
    hass: HomeAssistant, house: House, loaded: Any
) -> None:
    """What goes in and what comes out are counted apart."""
    readings = [(6, 10), (0, 10), (-4, 15), (2, 15), (0, 15)]
    for rate, minutes in readings:
        await house.captured(BATTERY, minutes, chargeRate=rate)
    assert energy_of(hass, BATTERY, CHARGED) == pytest.approx(6 / 6 + 2 / 4)
    assert energy_of(hass, BATTERY, DISCHARGED) == pytest.approx(4 / 4)


async def test_polls_without_a_capture_count_nothing(
    hass: HomeAssistant, house: House, sandbox: Sandbox, loaded: Any
) -> None:
    """How often Home Assistant asks changes nothing."""
    for _ in range(5):
        await house.wait(61)
    assert sandbox.requests.of("GET", "/ev-charger")
    assert energy_of(hass, CHARGER, DELIVERED) == 0
    sandbox.device(CHARGER).capture()
    await house.wait(61)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(
        6 * 305 / 3600, abs=5e-4
    )


async def test_single_reads_count_as_lists_do(
    hass: HomeAssistant, house: House, sandbox: Sandbox, loaded: Any
) -> None:
    """Who told of a capture does not matter, nor how often."""
    sandbox.clock.advance(600)
    await house.refresh(CHARGER)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(1)
    for _ in range(3):
        await house.wait(1)
        await house.refresh(CHARGER)
    await house.wait(61)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(1)


async def test_planner_reads_what_counts(
    hass: HomeAssistant, house: House, sandbox: Sandbox, loaded: Any
) -> None:
    """Left alone, a device is read often enough to count everything."""
    for _ in range(4 * 60):
        await house.wait(30)
    # Two hours, less what was not captured yet.
    assert 6 * 1.7 < energy_of(hass, CHARGER, DELIVERED) <= 6 * 2


@pytest.mark.parametrize(
    ("after", "energy"),
    [({"currentPower": 6}, 4.2), ({"currentPower": 6, "isCharging": False}, 0)],
)
async def test_long_gap_in_home_assistant(
    hass: HomeAssistant,
    house: House,
    sandbox: Sandbox,
    loaded: Any,
    after: dict[str, Any],
    energy: float,
) -> None:
    """Who charged before and after a long silence, charged; else nobody knows."""
    sandbox.device(CHARGER).transient_fault = True
    for _ in range(7):
        await house.wait(300)
    await house.wait(60)
    sandbox.device(CHARGER).transient_fault = None
    # Lists come every five minutes by now.
    await house.captured(CHARGER, 6, **after)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(energy)


async def test_long_gap_of_a_battery(
    hass: HomeAssistant, house: House, sandbox: Sandbox, loaded: Any
) -> None:
    """What a battery holds tells what flowed while nobody looked."""
    full = {"capacity": 10, "level": 60, "chargeRate": 5}
    await house.captured(BATTERY, 10, **full)
    counted = energy_of(hass, BATTERY, CHARGED)
    sandbox.device(BATTERY).transient_fault = True
    for _ in range(24):
        await house.wait(300)
    sandbox.device(BATTERY).transient_fault = None
    await house.captured(BATTERY, 6, **(full | {"level": 85, "chargeRate": -5}))
    assert energy_of(hass, BATTERY, CHARGED) == pytest.approx(counted + 2.5)
    assert energy_of(hass, BATTERY, DISCHARGED) == 0


async def test_unknown_power_in_home_assistant(
    hass: HomeAssistant, house: House, loaded: Any
) -> None:
    """Without a power nothing counts, and what was counted stays."""
    await house.captured(CHARGER, 10, currentPower=6)
    for power in (None, REMOVE, 4200, 65535, 6):
        await house.captured(CHARGER, 10, currentPower=power)
        assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(1)
    await house.captured(CHARGER, 10, currentPower=6)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(2)


async def test_power_that_no_home_has(
    hass: HomeAssistant, house: House, loaded: Any
) -> None:
    """A power that cannot be is unknown, not shown."""
    power = entity_id_of(hass, CHARGER, "sensor.power")
    await house.captured(CHARGER, 10, currentPower=65535)
    state = hass.states.get(power)
    assert state is not None
    assert state.state == STATE_UNKNOWN


@pytest.mark.parametrize(
    ("device_id", "entity", "state"),
    [
        (CHARGER, DELIVERED, {"currentPower": 7.2, "isCharging": False}),
        (CHARGER, DELIVERED, {"currentPower": 7.2, "isConnected": False}),
        (BATTERY, CHARGED, {"chargeRate": 5, "status": "idle"}),
        (BATTERY, DISCHARGED, {"chargeRate": -5, "status": "standby"}),
    ],
)
async def test_who_rests_moves_nothing(
    hass: HomeAssistant,
    house: House,
    loaded: Any,
    device_id: str,
    entity: str,
    state: dict[str, Any],
) -> None:
    """A device that rests by its own word counts nothing, whatever its power."""
    await house.captured(device_id, 10, **state)
    counted = energy_of(hass, device_id, entity)
    for _ in range(6):
        await house.captured(device_id, 30, **state)
    assert energy_of(hass, device_id, entity) == counted


async def test_device_that_goes_offline(
    hass: HomeAssistant, house: House, sandbox: Sandbox, loaded: Any
) -> None:
    """A device that was away goes on from where it stood."""
    await house.captured(CHARGER, 10, currentPower=6)
    sandbox.device(CHARGER).unlisted = True
    await house.wait(61)
    state = hass.states.get(entity_id_of(hass, CHARGER, DELIVERED))
    assert state is not None
    assert state.state == "unavailable"
    sandbox.device(CHARGER).unlisted = False
    await house.wait(61)
    assert energy_of(hass, CHARGER, DELIVERED) >= 1


async def test_reload_goes_on(hass: HomeAssistant, house: House, loaded: Any) -> None:
    """A reload forgets nothing, and counts on from the last capture."""
    await house.captured(CHARGER, 10, currentPower=3)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(0.75)
    await house.captured(CHARGER, 10, currentPower=0)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(1)


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
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(2.75)
    await house.captured(CHARGER, 10, currentPower=0)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(3.5)


@pytest.mark.parametrize(
    ("stored", "energy"),
    [
        ({"energy": 7, "power": 6, "captured": "2026-06-01T11:50:00+00:00"}, 8),
        ({"energy": 7, "power": 6, "captured": "2026-06-01T13:50:00+02:00"}, 8),
        # It charges as it did then.
        ({"energy": 7, "power": 6, "captured": "2026-06-01T11:00:00+00:00"}, 13),
        # Too long ago to be known.
        ({"energy": 7, "power": 6, "captured": "2026-05-31T11:20:00+00:00"}, 7),
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
    assert entity_id_of(hass, CHARGER, DELIVERED) == (
        "sensor.pulsar_plus_energy_delivered_estimate"
    )
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(energy)
    before = energy_of(hass, CHARGER, DELIVERED)
    await house.captured(CHARGER, 10, currentPower=0)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(before + 0.5)


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
            state = hass.states.get(entity_id_of(hass, device_id, entity))
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
        assert shown[entity] == pytest.approx(_sum(readings), abs=5e-4)
        assert shown[entity] > 2, shown
