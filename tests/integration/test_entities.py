"""Which entities a device has, what they are called and what they show."""

from collections.abc import AsyncGenerator, Generator, Iterable
from datetime import timedelta
from typing import Any, Final, NamedTuple
from unittest.mock import PropertyMock, patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.button import SERVICE_PRESS
from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.energy.validate import async_validate
from homeassistant.components.number import (
    ATTR_VALUE,
    DOMAIN as NUMBER_DOMAIN,
    SERVICE_SET_VALUE,
)
from homeassistant.components.number.const import (
    DEVICE_CLASS_UNITS as NUMBER_DEVICE_CLASS_UNITS,
)
from homeassistant.components.sensor import (
    DEVICE_CLASS_STATE_CLASSES,
    DEVICE_CLASS_UNITS,
    SensorDeviceClass,
    SensorStateClass,
)
from homeassistant.const import (
    ATTR_DEVICE_CLASS,
    ATTR_ENTITY_ID,
    ATTR_FRIENDLY_NAME,
    ATTR_ICON,
    ATTR_SUPPORTED_FEATURES,
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    EntityCategory,
    Platform,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import async_get_platforms
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
    async_mock_restore_state_shutdown_restart,
    mock_restore_cache_with_extra_data,
    snapshot_platform,
)
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
from syrupy.assertion import SnapshotAssertion

from custom_components.amps_ai import PLATFORMS
from custom_components.amps_ai.common.const import DOMAIN
from custom_components.amps_ai.entities import AmpsEntity
from sandbox import REMOVE, Clock, Sandbox
from tests.conftest import NOON

from .helpers import done, set_up

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
HVAC = "device_hvac_001"
INVERTER = "device_inverter_001"
VEHICLE = "device_vehicle_001"
DEVICES = (BATTERY, CHARGER, HVAC, INVERTER, VEHICLE)

HOMES = ("home", "classic", "odd", "two", "documented", "big")


@pytest.fixture
async def sandbox(home: str) -> AsyncGenerator[Sandbox]:
    """Run the sandbox; a big home is a small one here."""
    server = Sandbox(home=home, clock=Clock.manual(NOON), devices=10)
    await server.start()
    yield server
    await server.stop()
    assert not server.crashes


@pytest.fixture
def entry(entry: MockConfigEntry) -> MockConfigEntry:
    """Return the entry under an id that every run gives it."""
    return MockConfigEntry(
        entry_id="01JZZZZZZZZZZZZZZZZZZZZZZZ",
        domain=DOMAIN,
        title=entry.title,
        unique_id=entry.unique_id,
        data=entry.data,
    )


@pytest.fixture(autouse=True)
def noon(freezer: FrozenDateTimeFactory) -> None:
    """Let it be noon here as it is in the sandbox."""
    freezer.move_to(NOON)


@pytest.fixture
def all_enabled() -> Generator[None]:
    """Enable what is disabled by default."""
    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default",
        new_callable=PropertyMock,
        return_value=True,
    ):
        yield


async def _pass(
    hass: HomeAssistant,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    seconds: float = 61,
) -> None:
    """Let time pass, everywhere, and what is due happen."""
    sandbox.clock.advance(seconds)
    freezer.tick(timedelta(seconds=seconds))
    async_fire_time_changed(hass)
    await done(hass)


async def _press_refresh(hass: HomeAssistant, device_id: str) -> None:
    await hass.services.async_call(
        Platform.BUTTON,
        SERVICE_PRESS,
        {ATTR_ENTITY_ID: _entity_id(hass, device_id, "button.refresh")},
        blocking=True,
    )
    await done(hass)


def _entity_id(hass: HomeAssistant, device_id: str, entity: str) -> str:
    """Return the id of an entity, given as `platform.key`."""
    platform, _, key = entity.partition(".")
    entity_id = er.async_get(hass).async_get_entity_id(
        platform, DOMAIN, f"{device_id}_{key}"
    )
    assert entity_id is not None, f"{device_id} has no {entity}"
    return entity_id


def _state(hass: HomeAssistant, device_id: str, entity: str) -> State:
    state = hass.states.get(_entity_id(hass, device_id, entity))
    assert state is not None
    return state


def _entities(
    hass: HomeAssistant, entry: MockConfigEntry, device_id: str
) -> dict[str, er.RegistryEntry]:
    """Return all that a device has, by `platform.key`."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {
        f"{item.domain}.{item.unique_id.removeprefix(f'{device_id}_')}": item
        for item in entities
        if item.unique_id.startswith(f"{device_id}_")
    }


# What there is: the contract


class Row(NamedTuple):
    """One entity of the contract."""

    entity: str
    unit: str | None = None
    device_class: str | None = None
    state_class: str | None = None
    category: EntityCategory | None = None
    enabled: bool = True


_DIAGNOSTIC = EntityCategory.DIAGNOSTIC
_CONFIG = EntityCategory.CONFIG
_MEASUREMENT = "measurement"
_RISING = "total_increasing"


def _diagnostic(
    entity: str,
    unit: str | None = None,
    device_class: str | None = None,
    state_class: str | None = None,
    *,
    enabled: bool = True,
) -> Row:
    return Row(entity, unit, device_class, state_class, _DIAGNOSTIC, enabled)


_EVERY = (
    _diagnostic("binary_sensor.sync", None, "connectivity"),
    _diagnostic("sensor.last_pulled", None, "timestamp", enabled=False),
    _diagnostic("button.refresh"),
)
_COMMANDED = (_diagnostic("sensor.last_action", None, "enum"), Row("event.action"))

CONTRACT: Final[dict[str, tuple[Row, ...]]] = {
    BATTERY: (
        *_EVERY,
        *_COMMANDED,
        Row("sensor.level", "%", "battery", _MEASUREMENT),
        Row("sensor.power", "kW", "power", _MEASUREMENT),
        Row("sensor.status", None, "enum"),
        _diagnostic("sensor.capacity", "kWh", "energy_storage"),
        _diagnostic("sensor.discharge_limit", "%"),
        Row("binary_sensor.charging", None, "battery_charging"),
        Row("sensor.energy_charged", "kWh", "energy", _RISING),
        Row("sensor.energy_discharged", "kWh", "energy", _RISING),
        Row("select.mode"),
        Row("number.safety_reserve", "%", None, None, _CONFIG),
        Row("number.discharge_floor", "%", None, None, _CONFIG),
        Row("number.charge_ceiling", "%", None, None, _CONFIG),
        Row("number.export_limit", "W", "power", None, _CONFIG),
        Row("number.max_charge_rate", "A", "current", None, _CONFIG),
        Row("number.max_discharge_rate", "A", "current", None, _CONFIG),
        _diagnostic("binary_sensor.scheduler_enabled"),
    ),
    CHARGER: (
        *_EVERY,
        *_COMMANDED,
        Row("sensor.status", None, "enum"),
        Row("sensor.power", "kW", "power", _MEASUREMENT),
        _diagnostic("sensor.max_current", "A", "current"),
        _diagnostic("sensor.power_limit", "kW", "power"),
        Row("binary_sensor.connected", None, "plug"),
        Row("binary_sensor.charging", None, "battery_charging"),
        Row("sensor.energy_delivered", "kWh", "energy", _RISING),
        Row("switch.charge", None, "switch"),
        Row("number.max_power", "kW", "power"),
    ),
    HVAC: (
        *_EVERY,
        *_COMMANDED,
        Row("climate.climate"),
        Row("sensor.temperature", "°C", "temperature", _MEASUREMENT),
    ),
    INVERTER: (
        *_EVERY,
        Row("sensor.power", "kW", "power", _MEASUREMENT),
        Row("sensor.energy_total", "kWh", "energy", _RISING),
        Row("sensor.status", None, "enum"),
        Row("binary_sensor.producing"),
    ),
    VEHICLE: (
        *_EVERY,
        Row("sensor.battery_level", "%", "battery", _MEASUREMENT),
        # Told in miles, and shown as Home Assistant is set.
        Row("sensor.range", "km", "distance"),
        Row("sensor.power", "kW", "power", _MEASUREMENT),
        Row("sensor.charge_limit", "%"),
        Row("sensor.charge_time_remaining", "min", "duration"),
        _diagnostic("sensor.battery_capacity", "kWh", "energy_storage"),
        _diagnostic("sensor.max_current", "A", "current"),
        Row("binary_sensor.plugged", None, "plug"),
        Row("binary_sensor.charging", None, "battery_charging"),
        Row("binary_sensor.fully_charged"),
    ),
}

# What goes where a device of the older shape tells neither commands nor settings.
# Chargers and thermostats take the older commands instead.
_ONLY_NOW: Final = {
    BATTERY: {row.entity for row in (*_COMMANDED, Row("select.mode"))}
    | {
        row.entity
        for row in CONTRACT[BATTERY]
        if row.entity.startswith("number.") or row.entity.endswith("scheduler_enabled")
    },
    # The older shape has the cap nowhere in its reads.
    CHARGER: {"sensor.power_limit"},
    HVAC: set[str](),
    INVERTER: set[str](),
    VEHICLE: set[str](),
}


def _names(device_id: str) -> set[str]:
    return {row.entity for row in CONTRACT[device_id]}


@pytest.mark.parametrize("device_id", DEVICES)
async def test_contract(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    device_id: str,
) -> None:
    """A device has exactly these entities, and each is just so."""
    entities = _entities(hass, loaded, device_id)
    assert entities.keys() == _names(device_id)
    assert len(CONTRACT[device_id]) == len(_names(device_id))
    for row in CONTRACT[device_id]:
        entity = entities[row.entity]
        assert entity.unique_id == f"{device_id}_{row.entity.partition('.')[2]}"
        assert entity.has_entity_name
        assert entity.entity_category is row.category, row.entity
        assert (entity.disabled_by is None) is row.enabled, row.entity
        assert entity.original_device_class == row.device_class, row.entity
        capabilities = entity.capabilities or {}
        assert capabilities.get("state_class") == row.state_class, row.entity
        if not row.enabled:
            assert hass.states.get(entity.entity_id) is None
            continue
        state = hass.states.get(entity.entity_id)
        assert state is not None
        assert state.state != STATE_UNAVAILABLE
        assert state.attributes.get(ATTR_UNIT_OF_MEASUREMENT) == row.unit, row.entity
        assert state.attributes.get(ATTR_DEVICE_CLASS) == row.device_class
        # Icons belong to icons.json.
        assert ATTR_ICON not in state.attributes


@pytest.mark.parametrize("home", ["classic"])
@pytest.mark.parametrize("device_id", DEVICES)
async def test_contract_of_the_older_shape(
    hass: HomeAssistant, loaded: MockConfigEntry, device_id: str
) -> None:
    """Devices of the older shape have the same, as far as they tell it."""
    entities = _entities(hass, loaded, device_id)
    assert entities.keys() == _names(device_id) - _ONLY_NOW[device_id]


async def test_contract_of_the_account(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The account itself has its schedule, and nothing else."""
    devices = {
        item.entity_id
        for device_id in DEVICES
        for item in _entities(hass, loaded, device_id).values()
    }
    account = _entities(hass, loaded, loaded.entry_id)
    assert account.keys() == {"calendar.schedule"}
    entities = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    assert {item.entity_id for item in entities} - devices == {
        item.entity_id for item in account.values()
    }


# What they show at noon, where the sandbox's own devices are not tampered with.
VALUES: Final = [
    (BATTERY, "sensor.level", "level", None),
    (BATTERY, "sensor.power", "chargeRate", -1),
    (BATTERY, "sensor.status", "status", None),
    (BATTERY, "sensor.capacity", "capacity", None),
    (BATTERY, "sensor.discharge_limit", "dischargeLimit", None),
    (CHARGER, "sensor.status", "status", None),
    (CHARGER, "sensor.power", "currentPower", None),
    (CHARGER, "sensor.max_current", "maxCurrent", None),
    (CHARGER, "sensor.power_limit", "powerRateLimit", None),
    (CHARGER, "binary_sensor.connected", "isConnected", None),
    (CHARGER, "binary_sensor.charging", "isCharging", None),
    (CHARGER, "switch.charge", "isCharging", None),
    (INVERTER, "sensor.power", "currentPower", None),
    (INVERTER, "sensor.energy_total", "energyTotal", None),
    (INVERTER, "sensor.status", "status", None),
    (INVERTER, "binary_sensor.producing", "producing", None),
    (VEHICLE, "sensor.battery_level", "batteryLevel", None),
    (VEHICLE, "sensor.range", "range", 1.609344),
    (VEHICLE, "sensor.power", "chargeRate", None),
    (VEHICLE, "sensor.charge_limit", "chargeLimit", None),
    (VEHICLE, "sensor.charge_time_remaining", "chargeTimeRemaining", None),
    (VEHICLE, "sensor.battery_capacity", "batteryCapacity", None),
    (VEHICLE, "sensor.max_current", "maxCurrent", None),
    (VEHICLE, "binary_sensor.plugged", "plugged", None),
    (VEHICLE, "binary_sensor.charging", "charging", None),
    (VEHICLE, "binary_sensor.fully_charged", "fullyCharged", None),
]


@pytest.mark.parametrize("home", ["home", "classic"])
async def test_values(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, home: str
) -> None:
    """Each entity shows its own field, and no other one."""
    for device_id, entity, field, factor in VALUES:
        captured = sandbox.device(device_id).captured
        assert captured is not None
        if field not in captured:
            assert home == "classic"
            continue
        value, shown = captured[field], _state(hass, device_id, entity).state
        if isinstance(value, bool):
            assert shown == (STATE_ON if value else STATE_OFF), entity
        elif isinstance(value, str):
            assert shown == value
        else:
            assert float(shown) == pytest.approx(value * (factor or 1)), entity


async def test_values_all_differ(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """No field is taken for another one of the same kind."""
    for device_id in DEVICES:
        device = sandbox.device(device_id)
        numbers = [
            name
            for name, value in (device.captured or {}).items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        device.state_override = {name: 11 + count for count, name in enumerate(numbers)}
    assert await set_up(hass, entry)
    for device_id, entity, field, factor in VALUES:
        if field in (override := sandbox.device(device_id).state_override):
            shown = float(_state(hass, device_id, entity).state)
            assert shown == pytest.approx(override[field] * (factor or 1)), entity


@pytest.mark.parametrize(
    ("device_id", "flag", "entities"),
    [
        (CHARGER, "isConnected", {"binary_sensor.connected"}),
        (CHARGER, "isCharging", {"binary_sensor.charging", "switch.charge"}),
        (INVERTER, "producing", {"binary_sensor.producing"}),
        (VEHICLE, "plugged", {"binary_sensor.plugged"}),
        (VEHICLE, "charging", {"binary_sensor.charging"}),
        (VEHICLE, "fullyCharged", {"binary_sensor.fully_charged"}),
    ],
)
async def test_flags(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    device_id: str,
    flag: str,
    entities: set[str],
) -> None:
    """A flag turns its own entities on and off, and no other ones."""
    device = sandbox.device(device_id)
    flags = {
        name: False
        for name, value in (device.captured or {}).items()
        if isinstance(value, bool)
    }
    device.state_override = flags
    assert await set_up(hass, entry)

    def on() -> set[str]:
        return {
            name
            for name, item in _entities(hass, entry, device_id).items()
            if (state := hass.states.get(item.entity_id)) and state.state == STATE_ON
        } - {"binary_sensor.sync"}

    assert on() == set()
    device.state_override = flags | {flag: True}
    await _pass(hass, sandbox, freezer)
    assert on() == entities


# What there is not


def _without_settings(*names: str) -> dict[str, Any]:
    return {"settings": names}


# What goes where a device does not tell these: of its state, its settings, itself.
ABSENT: Final[list[tuple[str, tuple[str, ...], dict[str, Any], set[str]]]] = [
    (BATTERY, ("status",), {}, {"sensor.status"}),
    (BATTERY, ("level",), {}, {"sensor.level"}),
    (BATTERY, ("capacity",), {}, {"sensor.capacity"}),
    (
        BATTERY,
        ("chargeRate",),
        {},
        {"sensor.power", "sensor.energy_charged", "sensor.energy_discharged"},
    ),
    (BATTERY, ("dischargeLimit",), {}, {"sensor.discharge_limit"}),
    (BATTERY, ("currentMode",), {}, set()),
    (
        BATTERY,
        ("status", "chargeRate"),
        {},
        {
            "sensor.status",
            "sensor.power",
            "sensor.energy_charged",
            "sensor.energy_discharged",
            "binary_sensor.charging",
        },
    ),
    *(
        (BATTERY, (), _without_settings(name), {f"{platform}.{name}"})
        for platform, name in (
            ("number", "safety_reserve"),
            ("number", "discharge_floor"),
            ("number", "charge_ceiling"),
            ("number", "export_limit"),
            ("number", "max_charge_rate"),
            ("number", "max_discharge_rate"),
            ("binary_sensor", "scheduler_enabled"),
        )
    ),
    (
        BATTERY,
        (),
        {"commands": {}},
        {"select.mode", "sensor.last_action", "event.action"},
    ),
    (CHARGER, ("status",), {}, {"sensor.status"}),
    (CHARGER, ("currentPower",), {}, {"sensor.power", "sensor.energy_delivered"}),
    (CHARGER, ("maxCurrent",), {}, {"sensor.max_current"}),
    (CHARGER, ("powerRateLimit",), {}, {"sensor.power_limit"}),
    (CHARGER, ("isConnected",), {}, {"binary_sensor.connected"}),
    (CHARGER, ("isCharging",), {}, {"binary_sensor.charging"}),
    (CHARGER, (), _without_settings("max_charge_rate"), set()),
    (
        CHARGER,
        ("powerRateLimit",),
        _without_settings("max_charge_rate"),
        {"sensor.power_limit", "number.max_power"},
    ),
    (
        CHARGER,
        (),
        {"commands": {}},
        {"switch.charge", "sensor.last_action", "event.action"},
    ),
    (HVAC, ("temperature",), {}, {"sensor.temperature"}),
    *(
        (HVAC, (field,), {}, set[str]())
        for field in (
            "active",
            "heatSetpoint",
            "coolSetpoint",
            "holdType",
            "mode",
        )
    ),
    (
        HVAC,
        (),
        {"commands": {}},
        {"climate.climate", "sensor.last_action", "event.action"},
    ),
    (INVERTER, ("currentPower",), {}, {"sensor.power"}),
    (INVERTER, ("energyTotal",), {}, {"sensor.energy_total"}),
    (INVERTER, ("status",), {}, {"sensor.status"}),
    (INVERTER, ("producing",), {}, {"binary_sensor.producing"}),
    (VEHICLE, ("batteryLevel",), {}, {"sensor.battery_level"}),
    (VEHICLE, ("range",), {}, {"sensor.range"}),
    (VEHICLE, ("chargeRate",), {}, {"sensor.power"}),
    (VEHICLE, ("chargeLimit",), {}, {"sensor.charge_limit"}),
    (VEHICLE, ("chargeTimeRemaining",), {}, {"sensor.charge_time_remaining"}),
    (VEHICLE, ("batteryCapacity",), {}, {"sensor.battery_capacity"}),
    (VEHICLE, ("maxCurrent",), {}, {"sensor.max_current"}),
    (VEHICLE, ("plugged",), {}, {"binary_sensor.plugged"}),
    (VEHICLE, ("charging",), {}, {"binary_sensor.charging"}),
    (VEHICLE, ("fullyCharged",), {}, {"binary_sensor.fully_charged"}),
    *(
        (device_id, (), {"sync": REMOVE}, {"binary_sensor.sync", "sensor.last_pulled"})
        for device_id in DEVICES
    ),
    (BATTERY, (), {"sync": {"available": True}}, {"sensor.last_pulled"}),
    (
        VEHICLE,
        (),
        {"sync": {"lastPulledAt": "2026-06-01T11:59:00.000Z"}},
        {"binary_sensor.sync"},
    ),
]


@pytest.mark.parametrize(
    ("device_id", "fields", "more", "absent"),
    ABSENT,
    ids=[
        "-".join((item[0], *item[1], *map(str, item[2]), *sorted(item[3])))
        for item in ABSENT
    ],
)
async def test_presence(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    device_id: str,
    fields: tuple[str, ...],
    more: dict[str, Any],
    absent: set[str],
) -> None:
    """What a device does not tell has no entity, until it tells it."""
    device = sandbox.device(device_id)
    settings, body = dict(device.settings), dict(more)
    for name in body.pop("settings", ()):
        del device.settings[name]
    device.state_override = dict.fromkeys(fields, REMOVE)
    device.body_override = body
    device.capture()
    assert await set_up(hass, entry)
    assert _entities(hass, entry, device_id).keys() == _names(device_id) - absent
    for other in set(DEVICES) - {device_id}:
        assert _entities(hass, entry, other).keys() == _names(other)

    device.state_override, device.body_override = {}, {}
    device.settings = settings
    await _pass(hass, sandbox, freezer)
    # A list has no settings: those come with a single read.
    await _press_refresh(hass, device_id)
    entities = _entities(hass, entry, device_id)
    assert entities.keys() == _names(device_id)
    for entity in absent - {"sensor.last_pulled"}:
        state = hass.states.get(entities[entity].entity_id)
        assert state is not None
        assert state.state != STATE_UNAVAILABLE
        if entity not in ("sensor.last_action", "event.action"):
            assert state.state != STATE_UNKNOWN, entity


async def test_field_that_goes(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What a device no longer tells is unknown; its entity stays."""
    assert _state(hass, BATTERY, "sensor.level").state != STATE_UNKNOWN
    sandbox.device(BATTERY).state_override = {"level": REMOVE, "status": REMOVE}
    await _pass(hass, sandbox, freezer)
    assert _state(hass, BATTERY, "sensor.level").state == STATE_UNKNOWN
    assert _state(hass, BATTERY, "sensor.status").state == STATE_UNKNOWN
    # What is left tells whether the battery charges.
    assert _state(hass, BATTERY, "binary_sensor.charging").state == STATE_ON
    assert _entities(hass, loaded, BATTERY).keys() == _names(BATTERY)


async def test_all_is_registered_at_once(
    hass: HomeAssistant, entry: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    """Nothing is registered only to be changed at once, and told again."""
    told = async_capture_events(hass, er.EVENT_ENTITY_REGISTRY_UPDATED)
    assert await set_up(hass, entry)
    assert {event.data["action"] for event in told} == {"create"}
    power = entity_registry.async_get("sensor.powerwall_2_power")
    assert power is not None
    assert power.options["sensor"] == {"suggested_display_precision": 2}


async def test_disabled_entity_is_not_made(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    entity_registry: er.EntityRegistry,
) -> None:
    """What is disabled costs nothing after a restart, and is there once it is not."""
    disabled = [
        _entity_id(hass, BATTERY, entity)
        for entity in ("sensor.last_pulled", "sensor.level", "number.safety_reserve")
    ]
    for entity_id in disabled[1:]:
        entity_registry.async_update_entity(
            entity_id, disabled_by=er.RegistryEntryDisabler.USER
        )
    await done(hass)
    registered = _entities(hass, loaded, BATTERY)
    with patch.object(
        AmpsEntity, "__init__", autospec=True, side_effect=AmpsEntity.__init__
    ) as made:
        assert await hass.config_entries.async_reload(loaded.entry_id)
        await done(hass)
    keys = [call.args[3].key for call in made.mock_calls if call.args[2].id == BATTERY]
    assert len(keys) == len(registered) - len(disabled)
    assert not {"last_pulled", "level", "safety_reserve"} & set(keys)
    assert _entities(hass, loaded, BATTERY) == registered

    for entity_id in disabled:
        entity_registry.async_update_entity(entity_id, disabled_by=None)
    await _pass(hass, sandbox, freezer)
    for entity_id in disabled:
        state = hass.states.get(entity_id)
        assert state is not None
        assert state.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)


async def test_new_device_has_all_at_once(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A device that is connected later needs no reload."""
    device = sandbox.home.add_device("vehicle")
    await _pass(hass, sandbox, freezer)
    assert _entities(hass, loaded, device.id).keys() == _names(VEHICLE)
    assert _state(hass, device.id, "sensor.range").attributes[ATTR_FRIENDLY_NAME] == (
        "iX3 #2 Range"
    )


# Odd values

# What shows the state; meters start at 0 whatever is reported.
SHOWN: Final = {
    BATTERY: {
        "sensor.level",
        "sensor.power",
        "sensor.status",
        "sensor.capacity",
        "sensor.discharge_limit",
        "binary_sensor.charging",
        "select.mode",
    },
    CHARGER: {
        "sensor.status",
        "sensor.power",
        "sensor.max_current",
        "sensor.power_limit",
        "binary_sensor.connected",
        "binary_sensor.charging",
        "switch.charge",
    },
    HVAC: {"climate.climate", "sensor.temperature"},
    INVERTER: {
        "sensor.power",
        "sensor.energy_total",
        "sensor.status",
        "binary_sensor.producing",
    },
    VEHICLE: {row.entity for row in CONTRACT[VEHICLE]} - {row.entity for row in _EVERY},
}


def _wrong(value: Any) -> Any:
    """Return a value that looks right, and is of another kind."""
    if isinstance(value, bool):
        return str(value).lower()
    return 17 if isinstance(value, str) else str(value)


def _flipped(value: Any) -> Any:
    """Return a value that Python alone might take for the right kind."""
    if isinstance(value, bool):
        return 2
    return True if isinstance(value, int | float) else ""


@pytest.mark.parametrize("device_id", DEVICES)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda value: None, id="null"),
        pytest.param(lambda value: [value], id="list"),
        pytest.param(lambda value: {"value": value}, id="object"),
        pytest.param(_wrong, id="wrong"),
        pytest.param(_flipped, id="flipped"),
    ],
)
async def test_values_that_say_nothing(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    device_id: str,
    change: Any,
) -> None:
    """A field that is null or of the wrong kind is there, and unknown."""
    device = sandbox.device(device_id)
    device.state_override = {
        name: change(value) for name, value in (device.captured or {}).items()
    }
    assert await set_up(hass, entry)
    assert _entities(hass, entry, device_id).keys() == _names(device_id)
    for entity in SHOWN[device_id]:
        assert _state(hass, device_id, entity).state == STATE_UNKNOWN, entity
    for entity in ("energy_charged", "energy_discharged", "energy_delivered"):
        if f"sensor.{entity}" in _names(device_id):
            assert float(_state(hass, device_id, f"sensor.{entity}").state) == 0
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("device_id", DEVICES)
@pytest.mark.parametrize(
    "sync",
    [
        {"available": None, "lastPulledAt": None},
        {"available": "yes", "lastPulledAt": "yesterday"},
    ],
    ids=["null", "wrong"],
)
@pytest.mark.usefixtures("all_enabled")
async def test_sync_that_says_nothing(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    device_id: str,
    sync: dict[str, Any],
) -> None:
    """What `sync` tells is unknown where it is null or of the wrong kind."""
    sandbox.device(device_id).body_override = {"sync": sync}
    assert await set_up(hass, entry)
    assert _entities(hass, entry, device_id).keys() == _names(device_id)
    assert _state(hass, device_id, "binary_sensor.sync").state == STATE_UNKNOWN
    assert _state(hass, device_id, "sensor.last_pulled").state == STATE_UNKNOWN


async def test_settings_that_say_nothing(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """A setting without a number is there, and unknown."""
    device = sandbox.device(BATTERY)
    device.body_override = {
        "settings": {
            "safety_reserve": {"value": None, "unit": "percent"},
            "discharge_floor": {"value": "20", "unit": "percent"},
            "charge_ceiling": {"value": True, "unit": "percent"},
            "export_limit": {"unit": "watts"},
            "max_charge_rate": {"value": 16},
            "max_discharge_rate": {"value": 2.5, "unit": "kw", "min": 1, "max": 5},
            "scheduler_enabled": {"value": "off"},
        }
    }
    assert await set_up(hass, entry)
    assert _entities(hass, entry, BATTERY).keys() == _names(BATTERY)
    for entity in (
        "number.safety_reserve",
        "number.discharge_floor",
        "number.charge_ceiling",
        "number.export_limit",
        "binary_sensor.scheduler_enabled",
    ):
        assert _state(hass, BATTERY, entity).state == STATE_UNKNOWN, entity
    amps = _state(hass, BATTERY, "number.max_charge_rate")
    assert float(amps.state) == 16
    assert amps.attributes[ATTR_UNIT_OF_MEASUREMENT] == "A"
    assert (amps.attributes["min"], amps.attributes["max"]) == (0, 1000)
    other = _state(hass, BATTERY, "number.max_discharge_rate")
    assert float(other.state) == 2.5
    assert other.attributes[ATTR_UNIT_OF_MEASUREMENT] == "kW"
    assert (other.attributes["min"], other.attributes["max"]) == (1, 5)


@pytest.mark.parametrize(
    ("unit", "shown", "device_class"),
    [
        ("percent", "%", None),
        ("watts", "W", "power"),
        ("kw", "kW", "power"),
        ("kwh", "kWh", "energy_storage"),
        ("amps", "A", "current"),
        ("volts", "V", "voltage"),
        ("hours", "h", "duration"),
        ("minutes", "min", "duration"),
        ("furlongs", None, None),
    ],
)
async def test_units_of_settings(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    unit: str,
    shown: str | None,
    device_class: str | None,
) -> None:
    """A setting has the unit that the device says, whatever is usual for it."""
    sandbox.device(BATTERY).body_override = {
        "settings": {"max_charge_rate": {"value": 3, "unit": unit, "max": 9}}
    }
    assert await set_up(hass, entry)
    state = _state(hass, BATTERY, "number.max_charge_rate")
    assert float(state.state) == 3
    assert state.attributes.get(ATTR_UNIT_OF_MEASUREMENT) == shown
    assert state.attributes.get(ATTR_DEVICE_CLASS) == device_class
    assert "valid unit" not in caplog.text


@pytest.mark.parametrize(
    ("setting", "entity", "bounds"),
    [
        ({"value": 30, "unit": "percent", "min": 5, "max": 80}, "safety_reserve", None),
        ({"value": 30, "unit": "percent"}, "safety_reserve", (0, 100)),
        ({"value": 30, "unit": "amps"}, "max_charge_rate", (0, 1000)),
    ],
)
async def test_bounds_are_the_devices(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    setting: dict[str, Any],
    entity: str,
    bounds: tuple[float, float] | None,
) -> None:
    """A number goes as far as the device says, else as the documentation does."""
    sandbox.device(BATTERY).body_override = {"settings": {entity: setting}}
    assert await set_up(hass, entry)
    attributes = _state(hass, BATTERY, f"number.{entity}").attributes
    expected = bounds or (setting["min"], setting["max"])
    assert (attributes["min"], attributes["max"]) == expected


@pytest.mark.parametrize(
    ("device_id", "field", "entity", "word"),
    [
        (BATTERY, "status", "sensor.status", "balancing_cells"),
        (BATTERY, "currentMode", "select.mode", "auto.trading"),
        (CHARGER, "status", "sensor.status", "Warming Up"),
        (INVERTER, "status", "sensor.status", "curtailed"),
        (HVAC, "mode", "climate.climate", "emergency"),
    ],
)
async def test_unknown_word(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    device_id: str,
    field: str,
    entity: str,
    word: str,
) -> None:
    """A word that nobody knows is unknown, and told as it was reported."""
    device = sandbox.device(device_id)
    device.state_override = {field: word}
    assert await set_up(hass, entry)
    state = _state(hass, device_id, entity)
    assert state.state == STATE_UNKNOWN
    assert state.attributes["reported_status"] == word
    device.state_override = {}
    await _pass(hass, sandbox, freezer)
    state = _state(hass, device_id, entity)
    assert state.state != STATE_UNKNOWN
    assert "reported_status" not in state.attributes


@pytest.mark.parametrize(
    ("device_id", "words"),
    [
        (
            BATTERY,
            {
                "charging": "charging",
                "Discharging": "discharging",
                "IDLE": "idle",
                "standby": "standby",
                "sleeping": "standby",
                "full": "idle",
                "faulted": "fault",
            },
        ),
        (
            CHARGER,
            {
                "charging": "charging",
                "available": "available",
                "Not Connected": "available",
                "plugged_in": "connected",
                "Preparing": "connected",
                "SuspendedEV": "paused",
                "suspended-evse": "paused",
                "Finishing": "finished",
                "completed": "finished",
                "reserved": "reserved",
                "Unavailable": "out_of_service",
                "Faulted": "fault",
            },
        ),
        (
            INVERTER,
            {
                "producing": "producing",
                "generating": "producing",
                "on-grid": "producing",
                "Waiting": "idle",
                "night": "standby",
                "off": "off",
                "error": "fault",
            },
        ),
    ],
    ids=["battery", "charger", "inverter"],
)
async def test_synonyms(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    device_id: str,
    words: dict[str, str],
) -> None:
    """Manufacturers' words for the same thing are one."""
    for word, shown in words.items():
        sandbox.device(device_id).state_override = {"status": word}
        # As somebody else has it captured, its list is asked for each minute.
        sandbox.device(device_id).capture()
        await _pass(hass, sandbox, freezer)
        state = _state(hass, device_id, "sensor.status")
        assert state.state == shown, word
        assert shown in state.attributes["options"]
        assert "reported_status" not in state.attributes


@pytest.mark.parametrize(
    ("device_id", "field", "entity"),
    [
        (BATTERY, "capacity", "sensor.capacity"),
        (VEHICLE, "batteryCapacity", "sensor.battery_capacity"),
    ],
)
@pytest.mark.parametrize(
    ("reported", "shown"),
    [(13.5, 13.5), (10400, 10.4), (1000, 1000), (1001, 1.001), (0, 0)],
)
async def test_capacity_in_watt_hours(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    device_id: str,
    field: str,
    entity: str,
    reported: float,
    shown: float,
) -> None:
    """A capacity over 1000 can only be in Wh."""
    sandbox.device(device_id).state_override = {field: reported}
    assert await set_up(hass, entry)
    assert float(_state(hass, device_id, entity).state) == pytest.approx(shown)


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(2.5, "-2.5"), (-1.8, "1.8"), (-5, "5"), (0, "0"), (0.0, "0"), (-0.0, "0")],
)
async def test_battery_power_is_positive_while_discharging(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    rate: float,
    shown: str,
) -> None:
    """The sign is that of the Energy dashboard, and nothing is not minus nothing."""
    sandbox.device(BATTERY).state_override = {"chargeRate": rate}
    assert await set_up(hass, entry)
    assert _state(hass, BATTERY, "sensor.power").state == shown


async def test_vehicle_power_is_positive_while_charging(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """A vehicle counts the other way round than a battery."""
    sandbox.device(VEHICLE).state_override = {"chargeRate": 7.2}
    assert await set_up(hass, entry)
    assert _state(hass, VEHICLE, "sensor.power").state == "7.2"


@pytest.mark.parametrize(
    ("status", "rate", "shown"),
    [
        ("charging", 0, STATE_ON),
        ("charging", None, STATE_ON),
        ("idle", 2, STATE_OFF),
        ("discharging", -2, STATE_OFF),
        ("standby", REMOVE, STATE_OFF),
        ("balancing_cells", 0.5, STATE_ON),
        ("balancing_cells", 0, STATE_OFF),
        ("balancing_cells", -0.5, STATE_OFF),
        ("balancing_cells", None, STATE_UNKNOWN),
        (None, 0.5, STATE_ON),
        (REMOVE, 0.5, STATE_ON),
        (REMOVE, -0.5, STATE_OFF),
        (17, "0.5", STATE_UNKNOWN),
    ],
)
async def test_battery_charging(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    status: Any,
    rate: Any,
    shown: str,
) -> None:
    """The status tells whether a battery charges, else the power does."""
    sandbox.device(BATTERY).state_override = {"status": status, "chargeRate": rate}
    assert await set_up(hass, entry)
    assert _state(hass, BATTERY, "binary_sensor.charging").state == shown


async def test_sync_keeps_the_last_values(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A manufacturer that does not answer leaves the values as they were."""

    def values(device_id: str) -> dict[str, str]:
        return {
            name: state.state
            for name, item in _entities(hass, loaded, device_id).items()
            if (state := hass.states.get(item.entity_id)) is not None
            and name not in ("binary_sensor.sync", "button.refresh")
        }

    for device_id in DEVICES:
        assert _state(hass, device_id, "binary_sensor.sync").state == STATE_ON
        before = values(device_id)
        sandbox.device(device_id).transient_fault = True
        # No more than a minute, or the planner reads the rest as well.
        await _pass(hass, sandbox, freezer)
        await _press_refresh(hass, device_id)
        assert _state(hass, device_id, "binary_sensor.sync").state == STATE_OFF
        assert values(device_id) == before
        assert STATE_UNAVAILABLE not in before.values()
        sandbox.device(device_id).transient_fault = None
        await _pass(hass, sandbox, freezer)
        await _press_refresh(hass, device_id)
        assert _state(hass, device_id, "binary_sensor.sync").state == STATE_ON


# The power cap


CAP = "number.max_power"


async def _cap(hass: HomeAssistant, value: float) -> None:
    with (
        patch("custom_components.amps_ai.pushes.following._POLLS", (0.02,)),
        patch("custom_components.amps_ai.number.REST", 0.01),
        patch("custom_components.amps_ai.pushes.manager.REST", 0.01),
    ):
        await hass.services.async_call(
            NUMBER_DOMAIN,
            SERVICE_SET_VALUE,
            {ATTR_ENTITY_ID: _entity_id(hass, CHARGER, CAP), ATTR_VALUE: value},
            blocking=True,
        )
        await done(hass)


@pytest.mark.parametrize("home", ["classic"])
async def test_cap_of_the_older_shape_is_remembered(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An older charger never tells its cap: the last one that worked stands for it."""
    state = _state(hass, CHARGER, CAP)
    assert state.state == STATE_UNKNOWN
    limits = [state.attributes[name] for name in ("min", "max", "step")]
    assert limits == [0, 50, 0.1]
    sandbox.action_seconds = 0
    await _cap(hass, 7.4)
    # Long after the optimistic state has gone.
    for _ in range(5):
        await _pass(hass, sandbox, freezer)
    assert float(_state(hass, CHARGER, CAP).state) == 7.4

    sandbox.device(CHARGER).next_action("failed", code="NO", message="-", seconds=0)
    with pytest.raises(HomeAssistantError):
        await _cap(hass, 11)
    await done(hass)
    assert float(_state(hass, CHARGER, CAP).state) == 7.4

    await async_mock_restore_state_shutdown_restart(hass)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert float(_state(hass, CHARGER, CAP).state) == 7.4


@pytest.mark.parametrize("home", ["classic"])
@pytest.mark.parametrize(
    ("stored", "shown"),
    [(7.4, "7.4"), (None, STATE_UNKNOWN), ("much", STATE_UNKNOWN)],
)
async def test_cap_of_the_older_shape_is_restored(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    stored: Any,
    shown: str,
) -> None:
    """The last cap comes back with a restart, where it can be read."""
    data = {
        "native_max_value": 50,
        "native_min_value": 0,
        "native_step": 0.1,
        "native_unit_of_measurement": "kW",
        "native_value": stored,
    }
    mock_restore_cache_with_extra_data(
        hass, [(State("number.pulsar_plus_maximum_power", "3"), data)]
    )
    assert await set_up(hass, entry)
    assert _state(hass, CHARGER, CAP).state == shown


async def test_cap_by_command_where_there_is_no_setting(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """Without the setting, the state's limit is the cap, and a command sets it."""
    device = sandbox.device(CHARGER)
    device.settings = {}
    device.capture()
    device.state_override = {"powerRateLimit": 9.5}
    sandbox.action_seconds = 0
    assert await set_up(hass, entry)
    assert float(_state(hass, CHARGER, CAP).state) == 9.5
    await _cap(hass, 6.5)
    assert [record.body for record in sandbox.requests.pushes(CHARGER)] == [
        {"action": "set_max_power", "maxPower": 6.5}
    ]


async def test_cap_is_the_setting_where_there_is_one(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """The setting is the cap, whatever else limits the power."""
    device = sandbox.device(CHARGER)
    device.settings["max_charge_rate"] = {
        "value": 8,
        "unit": "kw",
        "min": 1.4,
        "max": 22,
    }
    device.capture()
    device.state_override = {"powerRateLimit": 3.7}
    assert await set_up(hass, entry)
    state = _state(hass, CHARGER, CAP)
    assert float(state.state) == 8
    limits = [state.attributes[name] for name in ("min", "max", "step")]
    assert limits == [1.4, 22, 0.1]


# What commands allow

_MODE_COMMANDS: Final = {
    "heat": "heat",
    "cool": "cool",
    "auto": "heat_cool",
    "idle": "off",
}


@pytest.mark.parametrize(
    "commands",
    [
        ("heat",),
        ("cool", "idle"),
        ("heat", "idle", "follow_schedule"),
        ("auto",),
        ("heat", "cool", "auto", "idle"),
        ("follow_schedule",),
    ],
)
async def test_modes_are_those_of_the_commands(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    commands: tuple[str, ...],
) -> None:
    """A thermostat offers the modes and presets that it takes."""
    device = sandbox.device(HVAC)
    assert device.commands is not None
    device.commands = {name: device.commands[name] for name in commands}
    assert await set_up(hass, entry)
    attributes = _state(hass, HVAC, "climate.climate").attributes
    assert set(attributes["hvac_modes"]) == {
        _MODE_COMMANDS[name] for name in commands if name in _MODE_COMMANDS
    }
    assert ("schedule" in attributes["preset_modes"]) is ("follow_schedule" in commands)


@pytest.mark.parametrize(
    ("commands", "options"),
    [
        (("idle", "charge"), ["charge", "idle"]),
        (
            ("auto.export", "auto.balanced", "discharge"),
            ["discharge", "auto_balanced", "auto_export"],
        ),
        (
            ("zeta", "auto.arbitrage", "auto.reserve", "idle", "charge"),
            ["charge", "idle", "auto_reserve", "auto_arbitrage", "zeta"],
        ),
    ],
)
async def test_options_are_those_of_the_commands(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    commands: tuple[str, ...],
    options: list[str],
) -> None:
    """A battery's modes stand in the vocabulary's order, unknown ones last."""
    device = sandbox.device(BATTERY)
    known = device.commands or {}
    device.commands = {name: known.get(name, known["idle"]) for name in commands}
    device.state_override = {"currentMode": commands[0]}
    assert await set_up(hass, entry)
    state = _state(hass, BATTERY, "select.mode")
    assert state.attributes["options"] == options
    assert state.state == commands[0].replace(".", "_")


async def test_options_follow_the_commands(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A command that is added shows with the next list."""
    device = sandbox.device(BATTERY)
    assert device.commands is not None
    assert "auto_trading" not in _state(hass, BATTERY, "select.mode").attributes
    device.commands = device.commands | {"auto.trading": device.commands["idle"]}
    await _pass(hass, sandbox, freezer)
    options = _state(hass, BATTERY, "select.mode").attributes["options"]
    assert options[-1] == "auto_trading"


@pytest.mark.parametrize("device_id", [BATTERY, CHARGER, HVAC])
async def test_no_commands_nothing_to_steer(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry, device_id: str
) -> None:
    """A device without commands is read only; a later command changes that."""
    sandbox.device(device_id).commands = {}
    assert await set_up(hass, entry)
    platforms = {item.domain for item in _entities(hass, entry, device_id).values()}
    assert not platforms & {Platform.SELECT, Platform.SWITCH, Platform.CLIMATE}
    assert Platform.EVENT not in platforms


@pytest.mark.parametrize("home", ["classic"])
async def test_older_battery_cannot_be_steered(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The older shape has no documented command for batteries."""
    platforms = {item.domain for item in _entities(hass, loaded, BATTERY).values()}
    assert platforms == {Platform.SENSOR, Platform.BINARY_SENSOR, Platform.BUTTON}


# Names

# Named by their device class, so that voice assistants find them.
NAMES: Final = [
    (BATTERY, "sensor.level", "Powerwall 2 Battery"),
    (BATTERY, "sensor.power", "Powerwall 2 Power"),
    (BATTERY, "binary_sensor.charging", "Powerwall 2 Charging"),
    (BATTERY, "binary_sensor.sync", "Powerwall 2 Connectivity"),
    (CHARGER, "sensor.power", "Pulsar Plus Power"),
    (CHARGER, "binary_sensor.connected", "Pulsar Plus Plug"),
    (CHARGER, "binary_sensor.charging", "Pulsar Plus Charging"),
    (CHARGER, "binary_sensor.sync", "Pulsar Plus Connectivity"),
    (HVAC, "binary_sensor.sync", "Smart Thermostat Premium Connectivity"),
    (INVERTER, "sensor.power", "SE5000H Power"),
    (INVERTER, "binary_sensor.sync", "SE5000H Connectivity"),
    (VEHICLE, "sensor.battery_level", "iX3 Battery"),
    (VEHICLE, "sensor.power", "iX3 Power"),
    (VEHICLE, "binary_sensor.plugged", "iX3 Plug"),
    (VEHICLE, "binary_sensor.charging", "iX3 Charging"),
    (VEHICLE, "binary_sensor.sync", "iX3 Connectivity"),
]
MAIN: Final = [
    (CHARGER, "switch.charge", "Pulsar Plus"),
    (HVAC, "climate.climate", "Smart Thermostat Premium"),
]


async def test_names(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Some are named by their device class, the rest by their key's translation."""
    by_class = {(device_id, entity) for device_id, entity, _ in NAMES}
    for device_id, entity, name in [*NAMES, *MAIN]:
        state = _state(hass, device_id, entity)
        assert state.attributes[ATTR_FRIENDLY_NAME] == name
    for device_id, entity, _ in MAIN:
        assert _entities(hass, loaded, device_id)[entity].original_name is None
    for device_id in DEVICES:
        device_name = next(
            name for item, _, name in [*NAMES, *MAIN] if item == device_id
        )
        device_name = device_name.removesuffix(" Battery").removesuffix(" Power")
        for entity, item in _entities(hass, loaded, device_id).items():
            key = entity.partition(".")[2]
            if (device_id, entity) in by_class:
                assert item.translation_key is None, entity
            else:
                assert item.translation_key == key, entity
                if (device_id, entity) not in {(main[0], main[1]) for main in MAIN}:
                    # It has words of its own, and is not called by its key.
                    assert item.original_name
                    assert item.original_name != key


async def test_names_of_all_differ(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """No two entities of a home are called the same."""
    for device_id in DEVICES:
        device = sandbox.device(device_id)
        sandbox.home.add_device(device.kind, vendor=device.vendor, model=device.model)
    assert await set_up(hass, entry)
    states = [
        state
        for item in er.async_entries_for_config_entry(
            er.async_get(hass), entry.entry_id
        )
        if (state := hass.states.get(item.entity_id)) is not None
    ]
    names = {(state.domain, state.attributes[ATTR_FRIENDLY_NAME]) for state in states}
    assert len(names) == len(states) > 100


# What all have


@pytest.mark.usefixtures("all_enabled")
async def test_last_pulled(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It is the time of the capture, also where nothing else changed."""
    for device_id in DEVICES:
        assert _state(hass, device_id, "sensor.last_pulled").state == (
            "2026-06-01T12:00:00+00:00"
        )
    # A body that is the same but for its time.
    sandbox.device(VEHICLE).body_override = {
        "sync": {"available": True, "lastPulledAt": "2026-06-01T12:00:40.500Z"}
    }
    await _pass(hass, sandbox, freezer)
    assert _state(hass, VEHICLE, "sensor.last_pulled").state == (
        "2026-06-01T12:00:40+00:00"
    )
    assert _state(hass, BATTERY, "sensor.last_pulled").state == (
        "2026-06-01T12:00:00+00:00"
    )
    sandbox.device(BATTERY).capture()
    await _pass(hass, sandbox, freezer)
    assert _state(hass, BATTERY, "sensor.last_pulled").state == (
        "2026-06-01T12:01:01+00:00"
    )


def _told(state: Any, **more: Any) -> dict[str, Any]:
    """Return a `lastAction`, as devices report it."""
    return {
        "id": "act_abc123",
        "command": "auto.reserve",
        "state": state,
        "createdAt": "2026-06-01T11:58:00.000Z",
        "updatedAt": "2026-06-01T11:58:20.000Z",
        "links": {"self": "/actions/act_abc123"},
        **more,
    }


@pytest.mark.parametrize(
    ("told", "shown", "error"),
    [
        (None, STATE_UNKNOWN, None),
        (_told("scheduled"), "scheduled", None),
        (_told("acknowledged"), "acknowledged", None),
        (_told("completed"), "completed", None),
        (_told("cancelled"), "cancelled", None),
        (
            _told("failed", errorCode="DEVICE_REFUSED", errorMessage="Not now"),
            "failed",
            "DEVICE_REFUSED",
        ),
    ],
    ids=lambda value: value.get("state") if isinstance(value, dict) else None,
)
@pytest.mark.parametrize("device_id", [BATTERY, CHARGER, HVAC])
async def test_last_action(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    device_id: str,
    told: dict[str, Any] | None,
    shown: str,
    error: str | None,
) -> None:
    """It shows the newest action, whoever sent it, with what it was."""
    sandbox.device(device_id).body_override = {"lastAction": told}
    assert await set_up(hass, entry)
    state = _state(hass, device_id, "sensor.last_action")
    assert state.state == shown
    assert state.attributes["options"] == [
        "scheduled",
        "acknowledged",
        "completed",
        "failed",
        "cancelled",
    ]
    if told is None:
        assert "id" not in state.attributes
        return
    assert state.attributes["command"] == "auto.reserve"
    assert state.attributes["id"] == "act_abc123"
    assert state.attributes["error"] == error


async def test_last_action_of_an_unknown_state(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """An action's unknown state is unknown, and told as it was reported."""
    sandbox.device(BATTERY).body_override = {"lastAction": _told("paused")}
    assert await set_up(hass, entry)
    state = _state(hass, BATTERY, "sensor.last_action")
    assert state.state == STATE_UNKNOWN
    assert state.attributes["id"] == "act_abc123"
    assert state.attributes["reported_status"] == "paused"


async def test_last_action_of_a_device_without_commands(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """A device that tells of an action takes commands, whatever its map says."""
    device = sandbox.device(BATTERY)
    device.commands = {}
    device.body_override = {"lastAction": _told("completed")}
    assert await set_up(hass, entry)
    assert _state(hass, BATTERY, "sensor.last_action").state == "completed"


async def test_event_before_anything_happened(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The event entity is there from the start, and knows what may happen."""
    for device_id in (BATTERY, CHARGER, HVAC):
        state = _state(hass, device_id, "event.action")
        assert state.state == STATE_UNKNOWN
        assert state.attributes["event_types"] == ["completed", "failed", "cancelled"]


@pytest.mark.parametrize("device_id", DEVICES)
async def test_refresh(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    device_id: str,
) -> None:
    """The button asks the manufacturer, and that at most once a minute."""
    await _pass(hass, sandbox, freezer)
    sandbox.requests.clear()
    calls = sandbox.live_calls[device_id]
    for _ in range(3):
        await _press_refresh(hass, device_id)
    assert [record.query for record in sandbox.requests.reads(device_id)] == [
        {"expedite": "true"}
    ]
    assert sandbox.live_calls[device_id] == calls + 1
    await _pass(hass, sandbox, freezer)
    sandbox.requests.clear()
    await _press_refresh(hass, device_id)
    assert len(sandbox.requests.reads(device_id)) == 1


async def test_refresh_shows_what_it_reads(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What is read shows at once."""
    sandbox.device(BATTERY).state_override = {"level": 33}
    assert _state(hass, BATTERY, "sensor.level").state != "33"
    await _press_refresh(hass, BATTERY)
    assert _state(hass, BATTERY, "sensor.level").state == "33"


async def test_refresh_of_a_device_that_is_offline(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It says so in words, and the device is unavailable until it is back."""
    sandbox.device(BATTERY).offline = True
    with pytest.raises(HomeAssistantError) as caught:
        await _press_refresh(hass, BATTERY)
    assert caught.value.translation_key == "device_offline"
    assert "Powerwall 2" in str(caught.value)
    await done(hass)
    for row in CONTRACT[BATTERY]:
        # What an event was, is known still.
        if row.enabled and not row.entity.startswith("event."):
            assert _state(hass, BATTERY, row.entity).state == STATE_UNAVAILABLE
    assert _state(hass, CHARGER, "sensor.power").state != STATE_UNAVAILABLE
    sandbox.device(BATTERY).offline = False
    await _pass(hass, sandbox, freezer)
    sandbox.device(BATTERY).capture()
    await _pass(hass, sandbox, freezer)
    assert _state(hass, BATTERY, "sensor.level").state != STATE_UNAVAILABLE


# What Home Assistant itself demands


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.usefixtures("all_enabled")
async def test_classes_and_units_fit(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Home Assistant accepts class, state class and unit of all of them."""
    checked = 0
    for item in er.async_entries_for_config_entry(entity_registry, loaded.entry_id):
        state = hass.states.get(item.entity_id)
        assert state is not None, item.entity_id
        device_class = state.attributes.get(ATTR_DEVICE_CLASS)
        unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
        if item.domain == Platform.NUMBER and device_class is not None:
            assert unit in NUMBER_DEVICE_CLASS_UNITS[device_class]
        if item.domain != Platform.SENSOR:
            continue
        checked += 1
        state_class = state.attributes.get("state_class")
        if device_class is None:
            assert unit == "%"
            continue
        if device_class == SensorDeviceClass.ENUM:
            options = state.attributes["options"]
            assert state.state in {*options, STATE_UNKNOWN}
            assert len(options) == len(set(options))
        if state_class is not None:
            allowed = DEVICE_CLASS_STATE_CLASSES[SensorDeviceClass(device_class)]
            assert SensorStateClass(state_class) in allowed, item.entity_id
        if (
            units := DEVICE_CLASS_UNITS.get(SensorDeviceClass(device_class))
        ) is not None:
            assert unit in units, item.entity_id
    assert checked > 20
    complaints = [
        record.getMessage()
        for record in caplog.records
        if record.levelname in ("WARNING", "ERROR")
        and record.name.startswith("homeassistant")
        and DOMAIN in record.getMessage()
        and "has not been tested by Home Assistant" not in record.getMessage()
    ]
    assert not complaints


class TestEnergyDashboard:
    """The Energy dashboard, with a recorder behind."""

    @pytest.fixture
    async def mock_recorder_before_hass(self, async_test_recorder: Any) -> None:
        """Prepare the recorder, before there is a Home Assistant."""

    async def test_accepts_what_it_needs(
        self,
        recorder_mock: Any,
        hass: HomeAssistant,
        entry: MockConfigEntry,
        sandbox: Sandbox,
        freezer: FrozenDateTimeFactory,
    ) -> None:
        """Solar, battery and charger can be picked, and nothing is complained of."""
        assert await set_up(hass, entry)
        assert await async_setup_component(hass, "energy", {})
        await async_wait_recording_done(hass)
        # Statistics need a few minutes of states.
        for _ in range(6):
            await _pass(hass, sandbox, freezer)
            for device_id in (BATTERY, CHARGER, INVERTER):
                sandbox.device(device_id).capture()
        await async_wait_recording_done(hass)
        do_adhoc_statistics(hass)
        await async_wait_recording_done(hass)

        def stat(device_id: str, entity: str) -> str:
            return _entity_id(hass, device_id, entity)

        manager = await async_get_manager(hass)
        preferences: Any = {
            "energy_sources": [
                {
                    "type": "solar",
                    "stat_energy_from": stat(INVERTER, "sensor.energy_total"),
                    "stat_rate": stat(INVERTER, "sensor.power"),
                    "config_entry_solar_forecast": None,
                },
                {
                    "type": "battery",
                    "stat_energy_from": stat(BATTERY, "sensor.energy_discharged"),
                    "stat_energy_to": stat(BATTERY, "sensor.energy_charged"),
                    "stat_rate": stat(BATTERY, "sensor.power"),
                    "stat_soc": stat(BATTERY, "sensor.level"),
                },
            ],
            "device_consumption": [
                {
                    "stat_consumption": stat(CHARGER, "sensor.energy_delivered"),
                    "stat_rate": stat(CHARGER, "sensor.power"),
                }
            ],
        }
        await manager.async_update(preferences)
        assert (await async_validate(hass)).as_dict() == {
            "energy_sources": [[], []],
            "device_consumption": [[]],
            "device_consumption_water": [],
        }

        # The check is one: it complains of what does not fit.
        preferences["energy_sources"][1]["stat_energy_to"] = stat(
            BATTERY, "sensor.level"
        )
        await manager.async_update(preferences)
        complaints = (await async_validate(hass)).as_dict()["energy_sources"][1]
        assert "entity_unexpected_device_class" in {item["type"] for item in complaints}


# All of it, as it is


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.usefixtures("all_enabled")
async def test_snapshot(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    platform: Platform,
) -> None:
    """All of the home, in every detail."""
    with patch("custom_components.amps_ai.PLATFORMS", [platform]):
        assert await set_up(hass, entry)
        await snapshot_platform(hass, entity_registry, snapshot, entry.entry_id)


_NOT_TOLD: Final = {
    ATTR_DEVICE_CLASS,
    ATTR_FRIENDLY_NAME,
    ATTR_UNIT_OF_MEASUREMENT,
    "event_types",
    "state_class",
}


def _tell(states: Iterable[tuple[er.RegistryEntry, State]]) -> list[str]:
    """Return a line for each entity: its id, state and unit, and what is special."""
    lines = []
    for item, state in states:
        unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
        parts = [f"{item.entity_id} ({item.unique_id}):", state.state]
        if unit is not None:
            parts.append(str(unit))
        more = {
            str(name): value
            for name, value in state.attributes.items()
            if name not in _NOT_TOLD
            and not (name == "options" and item.domain == Platform.SENSOR)
            and value is not None
        }
        if ATTR_SUPPORTED_FEATURES in more:
            more[ATTR_SUPPORTED_FEATURES] = int(more[ATTR_SUPPORTED_FEATURES])
        parts += [
            f"{name}={'|'.join(map(str, value)) if isinstance(value, list) else value}"
            for name, value in sorted(more.items())
        ]
        lines.append(" ".join(parts))
    return lines


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.usefixtures("all_enabled")
async def test_snapshot_of_a_home(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
) -> None:
    """All entities of a home, a line each."""
    entities = er.async_entries_for_config_entry(entity_registry, loaded.entry_id)
    assert (
        _tell(
            (item, state)
            for item in sorted(entities, key=lambda item: item.entity_id)
            if (state := hass.states.get(item.entity_id)) is not None
        )
        == snapshot
    )


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.usefixtures("all_enabled")
async def test_entities_are_small(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Objects of a class share a table of 29 names; who has more has its own."""
    for platform in async_get_platforms(hass, DOMAIN):
        for entity in platform.entities.values():
            entity.async_write_ha_state()
            if isinstance(entity, AmpsEntity):
                # The one is kept where the fixture does not stand in for it.
                names = {*vars(entity), "entity_registry_enabled_default"}
                assert len(names) < 30, (entity.entity_id, sorted(names))
