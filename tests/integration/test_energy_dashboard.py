"""The Energy dashboard, set up as docs/energy.md says: Home Assistant takes all of it.

`energy/validate` looks at energies only. Whether powers, levels and capacities are
what their settings are for is looked at here, by what the dialogs offer.
"""

from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any, Final, get_args, get_type_hints

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.energy import data as energy_data
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import list_statistic_ids
from homeassistant.components.sensor import (
    ATTR_STATE_CLASS,
    SensorDeviceClass,
    SensorStateClass,
)
from homeassistant.const import (
    ATTR_DEVICE_CLASS,
    ATTR_UNIT_OF_MEASUREMENT,
    PERCENTAGE,
    UnitOfEnergy,
    UnitOfPower,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from develop.demo.demo_home.furnishing import energy
from sandbox import Sandbox
from tests.energy_page import KINDS, preferences, settings

from .helpers import set_up

# What an entity has to be for each setting: its device class, state class and unit,
# and what kind of unit the dialog offers statistics of. A level is offered by unit.
ENERGY: Final = (
    SensorDeviceClass.ENERGY,
    SensorStateClass.TOTAL_INCREASING,
    UnitOfEnergy.KILO_WATT_HOUR,
    "energy",
)
POWER: Final = (
    SensorDeviceClass.POWER,
    SensorStateClass.MEASUREMENT,
    UnitOfPower.KILO_WATT,
    "power",
)
LEVEL: Final = (
    SensorDeviceClass.BATTERY,
    SensorStateClass.MEASUREMENT,
    PERCENTAGE,
    "unitless",
)
WANTED: Final = {
    "stat_energy_from": ENERGY,
    "stat_energy_to": ENERGY,
    "stat_consumption": ENERGY,
    "stat_rate": POWER,
    "stat_soc": LEVEL,
}
# Of other integrations, or a name.
NOT_OURS: Final = {"type", "name", "config_entry_solar_forecast", "included_in_stat"}


@pytest.fixture
def mock_recorder_before_hass(async_test_recorder: Any) -> None:
    """Have the recorder ready before the core is."""


@pytest.fixture
async def loaded(
    hass: HomeAssistant,
    recorder_mock: Any,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
) -> MockConfigEntry:
    """Set all up, with statistics of the first five minutes."""
    freezer.move_to(sandbox.clock.now())
    for domain in ("sensor", "energy"):
        assert await async_setup_component(hass, domain, {})
    assert await set_up(hass, entry)
    await async_wait_recording_done(hass)
    freezer.tick(timedelta(minutes=5))
    do_adhoc_statistics(hass, start=dt_util.utcnow() - timedelta(minutes=5))
    await async_wait_recording_done(hass)
    return entry


class Dashboard:
    """The settings of the Energy dashboard, as its page talks to Home Assistant."""

    def __init__(self, hass: HomeAssistant, client: Any) -> None:
        """Talk over a client."""
        self._hass = hass
        self._client = client

    async def save(self, saved: dict[str, Any]) -> dict[str, Any]:
        """Save settings; return what became of them."""
        return await self._ask({"type": "energy/save_prefs"} | saved)

    async def complaints(self) -> list[str]:
        """Return what Home Assistant says against them."""
        found = await self._ask({"type": "energy/validate"})
        return [
            issue["type"] for part in found.values() for item in part for issue in item
        ]

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        await self._client.send_json_auto_id(message)
        reply = await self._client.receive_json()
        assert reply["success"], reply
        result: dict[str, Any] = reply["result"]
        return result

    async def wrong(self, saved: dict[str, Any]) -> list[str]:
        """Return what is named that does not fit, with the setting that names it."""
        offered = {
            item["statistic_id"]: item
            for item in await get_instance(self._hass).async_add_executor_job(
                list_statistic_ids, self._hass
            )
        }
        return [
            f"{key}: {statistic_id}"
            for key, statistic_id in _named(saved)
            if not self._fits(key, statistic_id, offered)
        ]

    def _fits(self, key: str, statistic_id: str, offered: dict[str, Any]) -> bool:
        state = self._hass.states.get(statistic_id)
        statistics = offered.get(statistic_id)
        if state is None or statistics is None:
            return False
        has_sum = WANTED[key] is ENERGY
        return (
            state.attributes.get(ATTR_DEVICE_CLASS),
            state.attributes.get(ATTR_STATE_CLASS),
            state.attributes.get(ATTR_UNIT_OF_MEASUREMENT),
            statistics["unit_class"],
            statistics["has_sum"],
            bool(statistics["mean_type"]),
        ) == (*WANTED[key], has_sum, not has_sum)


def _named(saved: Any) -> Iterator[tuple[str, str]]:
    """Return each statistic that is named, with its setting."""
    if isinstance(saved, list):
        for item in saved:
            yield from _named(item)
    elif isinstance(saved, dict):
        for key, value in saved.items():
            if key.startswith("stat_"):
                yield key, value
            else:
                yield from _named(value)


@pytest.fixture
async def dashboard(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> Dashboard:
    """Open the page of the settings."""
    return Dashboard(hass, await hass_ws_client(hass))


def test_page_names_each_setting() -> None:
    """A setting that Home Assistant gets is one that the page has to speak of."""
    kinds = {
        get_args(get_type_hints(source)["type"])[0]: source
        for source in get_args(energy_data.SourceType.__value__)
    }
    # The page says of the others that Amps AI has none of it.
    assert set(kinds) - {"grid", "gas", "water"} == {"solar", "battery"}
    kinds["device_consumption"] = energy_data.DeviceConsumption
    for kind in ("solar", "battery", "device_consumption"):
        told = {setting.key for setting in settings() if setting.kind == kind}
        assert told | NOT_OURS >= set(kinds[kind].__annotations__), kind
    assert len(list(settings())) == sum(len(keys) for _, _, keys in KINDS.values())
    for setting in settings():
        usual = "kWh" if setting.key == "capacity" else ""
        wanted = WANTED.get(setting.key)
        assert setting.unit == (wanted[2] if wanted else usual)


@pytest.mark.parametrize(
    ("home", "batteries", "chargers"),
    [("home", 1, 1), ("two", 2, 2), ("classic", 1, 1), ("foxess", 3, 0)],
)
async def test_taken_as_the_page_says(
    hass: HomeAssistant, dashboard: Dashboard, batteries: int, chargers: int
) -> None:
    """Of devices of all kinds, also several: nobody complains, and all of it fits."""
    wanted = preferences(hass)
    sources = wanted["energy_sources"]
    assert [source["type"] for source in sources].count("battery") == batteries
    assert len(wanted["device_consumption"]) == chargers
    saved = await dashboard.save(wanted)
    assert await dashboard.complaints() == []
    assert await dashboard.wrong(saved) == []
    named = dict.fromkeys(name for _, name in _named(wanted))
    # None of them twice, and all of them some entity's.
    assert len(named) == sum(1 for _ in _named(wanted))
    for source in saved["energy_sources"]:
        if source["type"] == "battery":
            assert source["stat_rate"] == source["power_config"]["stat_rate"]
            assert source["capacity"] > 1


@pytest.mark.parametrize("home", ["home", "two"])
async def test_nothing_is_left_out(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What five types of devices count is chosen, and what flows, but for cars."""
    assert len({device.kind.type for device in sandbox.home.devices}) == 5
    registry = er.async_get(hass)
    ours = {
        entity.entity_id: entity.unique_id
        for entity in er.async_entries_for_config_entry(registry, loaded.entry_id)
    }
    named = {name for _, name in _named(preferences(hass))}
    left = {
        ours[state.entity_id]
        for state in hass.states.async_all("sensor")
        if state.entity_id in ours.keys() - named
        and ATTR_STATE_CLASS in state.attributes
        and state.attributes.get(ATTR_DEVICE_CLASS)
        in (SensorDeviceClass.ENERGY, SensorDeviceClass.POWER)
    }
    assert left == {
        f"{device.id}_power"
        for device in sandbox.home.devices
        if device.kind.type == "vehicle"
    }


@pytest.mark.parametrize("home", ["home", "two"])
async def test_demo_is_set_up_alike(hass: HomeAssistant, dashboard: Dashboard) -> None:
    """What the demo has is what the page says, with names."""
    demo: Any = deepcopy(energy(hass))
    for part in demo.values():
        for item in part:
            assert item.pop("name")

    def _names(item: Any) -> list[str]:
        return [name for _, name in _named(item)]

    for part, items in preferences(hass).items():
        assert sorted(demo[part], key=_names) == sorted(items, key=_names)


# What does not fit, and whether Home Assistant says so.
NOBODY: Final = "sensor.nobody"
A_POWER: Final = "sensor.powerwall_2_power"
AN_ENERGY: Final = "sensor.se5000h_total_energy"
A_CAPACITY: Final = "sensor.powerwall_2_capacity"
MISTAKES: Final = (
    ("energy_sources", "solar", "stat_energy_from", NOBODY, True),
    ("energy_sources", "solar", "stat_energy_from", A_POWER, True),
    ("energy_sources", "solar", "stat_rate", NOBODY, False),
    ("energy_sources", "solar", "stat_rate", AN_ENERGY, False),
    ("energy_sources", "battery", "stat_energy_from", A_CAPACITY, True),
    ("energy_sources", "battery", "stat_energy_to", NOBODY, True),
    ("energy_sources", "battery", "stat_rate", NOBODY, False),
    ("energy_sources", "battery", "stat_rate", AN_ENERGY, False),
    ("energy_sources", "battery", "stat_soc", NOBODY, False),
    ("energy_sources", "battery", "stat_soc", A_POWER, False),
    ("device_consumption", None, "stat_consumption", A_POWER, True),
    ("device_consumption", None, "stat_rate", NOBODY, False),
    ("device_consumption", None, "stat_rate", A_CAPACITY, False),
)


async def test_what_does_not_fit_is_found(
    hass: HomeAssistant, dashboard: Dashboard
) -> None:
    """Also where Home Assistant takes whatever is named."""
    for mistake in MISTAKES:
        part, kind, key, other, is_told = mistake
        wanted = preferences(hass)
        (item,) = (item for item in wanted[part] if item.get("type") == kind)
        if key in item:
            item[key] = other
        else:
            item["power_config"] = {key: other}
        saved = await dashboard.save(wanted)
        assert f"{key}: {other}" in await dashboard.wrong(saved), mistake
        assert bool(await dashboard.complaints()) is is_told, mistake
