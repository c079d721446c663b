"""What the counters counted is kept: by device, at once, and for good."""

import asyncio
from collections.abc import AsyncGenerator
from copy import deepcopy
from datetime import timedelta
from typing import Any, Final, override
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.sensor import ATTR_STATE_CLASS
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.storage import Store
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    mock_restore_cache_with_extra_data,
)

from custom_components.amps_ai.common.const import CONF_FRESHNESS
from sandbox import REMOVE, Clock, Sandbox
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

INVERTER: Final = "device_inverter_001"
VEHICLE: Final = "device_vehicle_001"
TOTAL: Final = "sensor.energy_total"


@pytest.fixture(autouse=True)
def noon(freezer: FrozenDateTimeFactory) -> None:
    """Let it be noon here as it is in the sandbox."""
    freezer.move_to(NOON)


@pytest.fixture
def house(
    hass: HomeAssistant, sandbox: Sandbox, freezer: FrozenDateTimeFactory
) -> House:
    """Return the house, with a charger that draws 6 kW."""
    house = House(hass, sandbox, freezer)
    house.tell(CHARGER, currentPower=6)
    house.tell(BATTERY, chargeRate=0)
    return house


def _key(entry: MockConfigEntry) -> str:
    return f"amps_ai.energies.{entry.entry_id}"


def _kept(hass_storage: dict[str, Any], entry: MockConfigEntry) -> dict[str, Any]:
    kept: dict[str, Any] = hass_storage[_key(entry)]["data"]["energies"]
    return kept


def _state(hass: HomeAssistant, device_id: str, entity: str) -> str:
    state = hass.states.get(entity_id_of(hass, device_id, entity))
    assert state is not None
    return state.state


class Shown(list[str]):
    """What an entity showed, each once."""

    def __init__(self, hass: HomeAssistant, entity_id: str) -> None:
        """Begin to look."""
        super().__init__()

        @callback
        def _changed(event: Event[EventStateChangedData]) -> None:
            if (state := event.data["new_state"]) is not None:
                self.append(state.state)

        async_track_state_change_event(hass, entity_id, _changed)

    @override
    def __repr__(self) -> str:
        """Return what it showed."""
        return f"Shown({super().__repr__()})"


async def test_what_is_shown_is_kept(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    house: House,
    loaded: MockConfigEntry,
) -> None:
    """With each state, the file has what it shows."""
    for count in range(1, 4):
        await house.captured(CHARGER, 10, currentPower=6)
        assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(count)
        kept = _kept(hass_storage, loaded)[CHARGER]["energy_delivered"]
        assert kept["energy"] == pytest.approx(count)


async def test_nothing_is_shown_that_is_not_kept(
    hass: HomeAssistant, house: House, loaded: MockConfigEntry
) -> None:
    """What was counted shows once it is written."""
    may_write = asyncio.Event()
    save = Store.async_save

    async def _save(self: Store[Any], data: Any) -> None:
        if self.key == _key(loaded):
            await may_write.wait()
        await save(self, data)

    with patch.object(Store, "async_save", _save):
        house.sandbox.clock.advance(600)
        house.freezer.tick(600)
        house.sandbox.device(CHARGER).capture()
        async_fire_time_changed(hass)
        planner = loaded.runtime_data.coordinators["ev_charger"]
        await planner.async_refresh()
        assert energy_of(hass, CHARGER, DELIVERED) == 0
        may_write.set()
        await done(hass)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(1)


class TestManyDevices:
    """A home whose counters are not all added in one go."""

    @pytest.fixture
    async def sandbox(self) -> AsyncGenerator[Sandbox]:
        """Run the sandbox with many devices."""
        server = Sandbox(home="big", clock=Clock.manual(NOON), devices=80)
        await server.start()
        yield server
        await server.stop()
        assert not server.crashes

    async def test_set_up_writes_once(
        self,
        hass: HomeAssistant,
        hass_storage: dict[str, Any],
        sandbox: Sandbox,
        entry: MockConfigEntry,
    ) -> None:
        """All counters of a set-up are written together, once they are there."""
        written: list[dict[str, Any]] = []
        save = Store.async_save

        async def _save(self: Store[Any], data: Any) -> None:
            if self.key == _key(entry):
                written.append(data["energies"])
            await save(self, data)

        with patch.object(Store, "async_save", _save):
            assert await set_up(hass, entry)
        (kept,) = written
        assert len(kept) == 48
        assert _kept(hass_storage, entry) == kept


async def test_power_cut(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    house: House,
    loaded: MockConfigEntry,
) -> None:
    """It goes on from what was shown: nothing falls, nothing counts twice."""
    await house.captured(CHARGER, 10, currentPower=6)
    await house.captured(CHARGER, 14, currentPower=6)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(2.4)
    on_disk = deepcopy(hass_storage[_key(loaded)])
    shown = Shown(hass, entity_id_of(hass, CHARGER, DELIVERED))
    assert await hass.config_entries.async_unload(loaded.entry_id)
    # All that was written since is lost, and what core dumped now and then is old.
    hass_storage[_key(loaded)] = on_disk
    mock_restore_cache_with_extra_data(
        hass,
        [(State(entity_id_of(hass, CHARGER, DELIVERED), "1"), {"energy": 1})],
    )
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await done(hass)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(2.4)
    await house.captured(CHARGER, 20, currentPower=6)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(4.4)
    energies = [float(state) for state in shown if state[0].isdigit()]
    assert energies == sorted(energies)
    assert min(energies) >= 2.4


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"energies": None},
        {"energies": [1]},
        {"energies": {CHARGER: 1}},
        {"energies": {CHARGER: {"energy_delivered": "much"}}},
        {"energies": {CHARGER: {"energy_delivered": {"energy": [], "power": {}}}}},
        [],
        "nothing",
    ],
)
async def test_damage(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    house: House,
    entry: MockConfigEntry,
    data: Any,
) -> None:
    """What cannot be read counts as nothing, and keeps nothing from working."""
    hass_storage[_key(entry)] = {
        "version": 1,
        "minor_version": 1,
        "key": _key(entry),
        "data": data,
    }
    assert await set_up(hass, entry)
    assert energy_of(hass, CHARGER, DELIVERED) == 0
    await house.captured(CHARGER, 10, currentPower=6)
    assert energy_of(hass, CHARGER, DELIVERED) == pytest.approx(1)


async def test_renamed_entity_goes_on(
    hass: HomeAssistant, house: House, loaded: MockConfigEntry
) -> None:
    """The counter is the device's, whatever its entity is called."""
    await house.captured(CHARGER, 10, currentPower=6)
    shown = Shown(hass, "sensor.garage")
    er.async_get(hass).async_update_entity(
        entity_id_of(hass, CHARGER, DELIVERED), new_entity_id="sensor.garage"
    )
    await done(hass)
    await house.captured(CHARGER, 10, currentPower=6)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert float(_state(hass, CHARGER, DELIVERED)) == pytest.approx(2)
    assert [state for state in shown if state[0].isdigit()] == ["1", "2", "2"]


async def test_new_device_begins_anew(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    house: House,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
) -> None:
    """One of the same model, even of the same name, counts from 0."""
    await house.captured(CHARGER, 10, currentPower=6)
    entity_id = entity_id_of(hass, CHARGER, DELIVERED)
    sandbox.home.remove_device(CHARGER)
    for _ in range(40):
        await house.wait(61)
        if hass.states.get(entity_id) is None:
            break
    assert hass.states.get(entity_id) is None
    sandbox.home.add_device("ev_charger", device_id="device_ev_777")
    # A type without a device is looked for seldom.
    await house.wait(700)
    assert entity_id_of(hass, "device_ev_777", DELIVERED) == entity_id
    assert energy_of(hass, "device_ev_777", DELIVERED) == 0
    assert await hass.config_entries.async_unload(loaded.entry_id)
    await done(hass)
    assert CHARGER not in _kept(hass_storage, loaded)


async def test_entry_added_again_begins_anew(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    house: House,
    loaded: MockConfigEntry,
) -> None:
    """With the entry goes all that it counted."""
    await house.captured(CHARGER, 10, currentPower=6)
    assert await hass.config_entries.async_remove(loaded.entry_id)
    await done(hass)
    assert _key(loaded) not in hass_storage
    house.freezer.tick(60)
    house.sandbox.clock.advance(60)
    again = MockConfigEntry(
        domain=loaded.domain, title=loaded.title, data=dict(loaded.data)
    )
    assert await set_up(hass, again)
    assert energy_of(hass, CHARGER, DELIVERED) == 0


async def test_older_counter_of_the_same_name_is_not_taken(
    hass: HomeAssistant, house: House, entry: MockConfigEntry
) -> None:
    """What another entry's entity of this name counted is not this one's."""
    old = State(
        "sensor.pulsar_plus_energy_delivered_estimate",
        "9",
        last_updated=entry.created_at - timedelta(seconds=1),
    )
    mock_restore_cache_with_extra_data(hass, [(old, {"energy": 9})])
    assert await set_up(hass, entry)
    assert energy_of(hass, CHARGER, DELIVERED) == 0


@pytest.mark.parametrize("freshness", ["fast", "live"])
async def test_written_once_in_five_minutes(
    hass: HomeAssistant,
    house: House,
    entry: MockConfigEntry,
    freshness: str,
) -> None:
    """Where much is captured, energies show it before each fifth minute."""
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={CONF_FRESHNESS: freshness})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    shown = Shown(hass, entity_id_of(hass, CHARGER, DELIVERED))
    # Until 12:04:57, and the five minutes after it.
    for _ in range(2):
        await house.captured(CHARGER, 2, currentPower=6)
    assert shown == []
    await house.wait(57)
    assert len(shown) == 1
    assert float(shown[0]) >= 0.4
    for _ in range(4):
        await house.captured(CHARGER, 1, currentPower=6)
    assert len(shown) == 1
    await house.wait(60)
    assert len(shown) == 2
    # What was captured since is kept at the end.
    await house.captured(CHARGER, 1, currentPower=6)
    counted = float(shown[-1])
    assert await hass.config_entries.async_reload(entry.entry_id)
    await done(hass)
    assert energy_of(hass, CHARGER, DELIVERED) > counted


async def test_zero_is_written_in_one_way(
    hass: HomeAssistant, house: House, loaded: MockConfigEntry
) -> None:
    """A counter that stands still writes no row, not even after a restart."""
    for entity, device_id in ((CHARGED, BATTERY), (DISCHARGED, BATTERY)):
        assert _state(hass, device_id, entity) == "0"
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    for entity, device_id in ((CHARGED, BATTERY), (DISCHARGED, BATTERY)):
        assert _state(hass, device_id, entity) == "0"


async def test_lifetime_energy_that_drops_once(
    hass: HomeAssistant, house: House, loaded: MockConfigEntry
) -> None:
    """A single lower reading is unknown; a second one counts."""
    shown = Shown(hass, entity_id_of(hass, INVERTER, TOTAL))
    for energy in (99774, 0, 99775, 3, 4, 5):
        await house.captured(INVERTER, 5, energyTotal=energy)
    assert shown == ["99774", STATE_UNKNOWN, "99775", STATE_UNKNOWN, "4", "5"]


async def test_lifetime_energy_that_drops_over_a_restart(
    hass: HomeAssistant, house: House, loaded: MockConfigEntry
) -> None:
    """The highest value is known over a restart."""
    await house.captured(INVERTER, 5, energyTotal=99774)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    await house.captured(INVERTER, 5, energyTotal=0)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await done(hass)
    assert _state(hass, INVERTER, TOTAL) == STATE_UNKNOWN
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert _state(hass, INVERTER, TOTAL) == STATE_UNKNOWN
    await house.captured(INVERTER, 5, energyTotal=99775)
    assert _state(hass, INVERTER, TOTAL) == "99775"
    await house.captured(INVERTER, 5, energyTotal=REMOVE)
    assert _state(hass, INVERTER, TOTAL) == STATE_UNKNOWN


@pytest.mark.parametrize(
    ("device_id", "entity", "field", "told", "state"),
    [
        (BATTERY, "sensor.level", "level", 83.4567, "83"),
        (BATTERY, "sensor.power", "chargeRate", -1.23456, "1.235"),
        (BATTERY, "sensor.power", "chargeRate", 0.0001, "0"),
        (BATTERY, "sensor.power", "chargeRate", 5.0, "-5"),
        (CHARGER, "sensor.power", "currentPower", 7.4000001, "7.4"),
        (VEHICLE, "sensor.battery_level", "batteryLevel", 62.6, "63"),
        (VEHICLE, "sensor.power", "chargeRate", 11.0004, "11"),
        (INVERTER, TOTAL, "energyTotal", 99999.1234567, "99999.123"),
        # Not measured over and over again: as it is told.
        (BATTERY, "sensor.capacity", "capacity", 13.55, "13.55"),
    ],
)
async def test_rounded_to_what_is_measured(
    hass: HomeAssistant,
    house: House,
    loaded: MockConfigEntry,
    device_id: str,
    entity: str,
    field: str,
    told: float,
    state: str,
) -> None:
    """The last bit of a float is no news."""
    await house.captured(device_id, 5, **{field: told})
    assert _state(hass, device_id, entity) == state


async def test_statistics_of_what_has_some_meaning(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Capacities, ranges and times to go have no long-term statistics."""
    measured = {
        entry.unique_id.rsplit("_00", 1)[1].partition("_")[2]
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), loaded.entry_id
        )
        for entry in er.async_entries_for_device(er.async_get(hass), device.id)
        if (state := hass.states.get(entry.entity_id)) is not None
        and state.attributes.get(ATTR_STATE_CLASS) is not None
    }
    assert measured == {
        "battery_level",
        "energy_charged",
        "energy_delivered",
        "energy_discharged",
        "energy_total",
        "level",
        "power",
        "temperature",
    }
