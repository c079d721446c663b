"""Devices, states and actions: presence, nulls, wrong kinds, and identity."""

from datetime import UTC, datetime
from itertools import product
import json
import math
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.amps_ai.api import (
    FINAL_STATES,
    Action,
    ActionState,
    BatteryState,
    Command,
    Device,
    DeviceType,
    EvChargerState,
    HvacState,
    Parameter,
    Setting,
    State,
    Sync,
    VehicleState,
)
from custom_components.amps_ai.api.models import (
    STATES,
    MalformedError,
    flag,
    instant,
    mapping,
    number,
    text,
    words,
)

from .helpers import Json, battery, documented_data, fields_of, listed, older, read

# One of each kind that JSON has.
ODDITIES: tuple[Any, ...] = (None, True, 7, -1.5, "word", "", [1], {"a": 1})


def state(device_type: DeviceType, **raw: Any) -> State:
    """Return the state of a device that reports this."""
    return read(device_type, {"id": "x", "state": raw}).state


DOCUMENTED = {
    DeviceType.BATTERY: "battery-list",
    DeviceType.EV_CHARGER: "ev-charger-list",
    DeviceType.HVAC: "hvac-list",
    DeviceType.VEHICLE: "vehicle-list",
}


def documented_state(device_type: DeviceType) -> Json:
    """Return a state that has every field."""
    if device_type in DOCUMENTED:
        raw = listed(DOCUMENTED[device_type])
    else:
        raw = documented_data("solar-inverter-read")
    found: Json = raw["state"]
    return found


# Single values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (7, 7),
        (-1.5, -1.5),
        (1e15, 1e15),
        (-(10**15), -(10**15)),
        (1e300, None),
        (10**30, None),
        (10**400, None),
        (math.nan, None),
        (math.inf, None),
        (-math.inf, None),
        (True, None),
        (False, None),
        (None, None),
        ("7", None),
        ([7], None),
        ({}, None),
    ],
)
def test_number(value: object, expected: float | None) -> None:
    found = number(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        (1, None),
        (0, None),
        (1.0, None),
        ("true", None),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_flag(value: object, expected: bool | None) -> None:
    assert flag(value) is expected


@pytest.mark.parametrize(("reader", "kind"), [(text, str), (mapping, dict)])
@pytest.mark.parametrize("value", ODDITIES)
def test_one_kind_only(reader: Any, kind: type, value: object) -> None:
    expected = value if isinstance(value, kind) and value != "" else None
    assert reader(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-06-01T10:30:00.000Z", datetime(2026, 6, 1, 10, 30, tzinfo=UTC)),
        ("2026-06-01T10:30:00.125Z", datetime(2026, 6, 1, 10, 30, 0, 125_000, UTC)),
        ("2026-06-01T12:30:00+02:00", datetime(2026, 6, 1, 10, 30, tzinfo=UTC)),
        ("2026-06-01T10:30:00", datetime(2026, 6, 1, 10, 30, tzinfo=UTC)),
        ("yesterday", None),
        ("2026-13-01T00:00:00Z", None),
        ("", None),
        (1_780_000_000, None),
        (None, None),
        ({}, None),
    ],
)
def test_instant(value: object, expected: datetime | None) -> None:
    found = instant(value)
    assert found == expected
    assert found is None or found.tzinfo is not None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["a", "b"], ("a", "b")),
        (["a", 1, None, "", "b", ["c"]], ("a", "b")),
        ([], ()),
        ("ab", ()),
        ({"a": 1}, ()),
        (None, ()),
    ],
)
def test_words(value: object, expected: tuple[str, ...]) -> None:
    assert words(value) == expected


# States


@pytest.mark.parametrize("device_type", DeviceType)
def test_presence(device_type: DeviceType) -> None:
    kind = STATES[device_type]
    fields = fields_of(kind)
    nothing = state(device_type)
    nulls = state(device_type, **dict.fromkeys(fields.values()))
    assert isinstance(nothing, kind)
    for name in fields:
        assert not nothing.has(name)
        assert nulls.has(name)
        assert getattr(nothing, name) is None
        assert getattr(nulls, name) is None


@pytest.mark.parametrize("device_type", DeviceType)
def test_wrong_kinds_are_null_and_spoil_nothing(device_type: DeviceType) -> None:
    fields = fields_of(STATES[device_type])
    sound = documented_state(device_type)
    for (name, alias), oddity in product(fields.items(), ODDITIES):
        usual = sound[alias]
        kinds = (int, float) if type(usual) in (int, float) else (type(usual),)
        expected = oddity if type(oddity) in kinds and oddity != "" else None
        found = state(device_type, **{**sound, alias: oddity})
        assert getattr(found, name) == expected
        assert type(getattr(found, name)) is type(expected)
        for other in fields.keys() - {name}:
            assert getattr(found, other) == sound[fields[other]]


@pytest.mark.parametrize(
    ("raw", "name", "expected"),
    [
        ({"level": "67"}, "level", None),
        ({"level": True}, "level", None),
        ({"level": 10**400}, "level", None),
        ({"level": math.nan}, "level", None),
        ({"level": -5}, "level", -5),
        ({"chargeRate": -1.8}, "charge_rate", -1.8),
        ({"status": 3}, "status", None),
        ({"status": ""}, "status", None),
        ({"status": "balancing_cells"}, "status", "balancing_cells"),
        ({"currentMode": "auto.trading"}, "current_mode", "auto.trading"),
        # Some replies speak of Wh.
        ({"capacity": 10400}, "capacity", 10.4),
        ({"capacity": 1000}, "capacity", 1000),
        ({"capacity": 1000.5}, "capacity", 1.0005),
        ({"capacity": 13.5}, "capacity", 13.5),
        ({"capacity": 0}, "capacity", 0),
        ({"capacity": "ten"}, "capacity", None),
        ({"capacity": None}, "capacity", None),
        ({"capacity": math.inf}, "capacity", None),
    ],
)
def test_battery_state(raw: Json, name: str, expected: object) -> None:
    assert getattr(state(DeviceType.BATTERY, **raw), name) == expected


def test_a_vehicles_capacity_in_wh() -> None:
    found = state(DeviceType.VEHICLE, batteryCapacity=77400)
    assert isinstance(found, VehicleState)
    assert found.battery_capacity == 77.4


def test_negative_zero_is_zero() -> None:
    one = state(DeviceType.BATTERY, chargeRate=-0.0)
    two = state(DeviceType.BATTERY, chargeRate=0)
    assert one == two
    assert isinstance(one, BatteryState)
    assert one.charge_rate == 0


def test_unknown_fields_are_kept_aside() -> None:
    raw = {"level": 5, "cellTemperatures": [21.5, 22.0], "stateOfHealth": 97}
    found = state(DeviceType.BATTERY, **raw)
    assert found.raw == raw
    assert found == state(DeviceType.BATTERY, level=5)
    assert "cellTemperatures" not in repr(found)


@pytest.mark.parametrize("name", ["raw", "", " ", "names", "self"])
def test_unknown_fields_with_names_of_our_own(name: str) -> None:
    for value in ODDITIES:
        raw = {"level": 5, name: value}
        found = read(DeviceType.BATTERY, {"id": "x", "state": raw}).state
        assert isinstance(found, BatteryState)
        assert found.level == 5
        assert found.raw == raw


# Devices


@pytest.mark.parametrize("raw", [None, 17, "device_as_a_string", [], True, 1.5])
def test_no_object_is_malformed(raw: object) -> None:
    with pytest.raises(MalformedError, match="a device is not an object"):
        read(DeviceType.BATTERY, raw)


@pytest.mark.parametrize("device_id", [None, "", 17, ["x"], {"id": "x"}])
def test_no_id_is_malformed(device_id: object) -> None:
    with pytest.raises(MalformedError, match="a device has no id"):
        read(DeviceType.BATTERY, {"id": device_id, "state": {}})
    with pytest.raises(MalformedError, match="a device has no id"):
        read(DeviceType.BATTERY, {"state": {}})


@pytest.mark.parametrize("raw", ["charging", ["charging", 55], 7, True])
def test_a_state_that_is_none_is_malformed(raw: object) -> None:
    with pytest.raises(MalformedError, match="a device's state is not an object"):
        read(DeviceType.BATTERY, {"id": "x", "state": raw})


@pytest.mark.parametrize("detailed", [False, True])
def test_an_id_is_enough(detailed: bool) -> None:
    found = read(DeviceType.HVAC, {"id": "x"}, detailed=detailed)
    assert found == Device(
        id="x",
        type=DeviceType.HVAC,
        vendor=None,
        model=None,
        sync=Sync(),
        state=HvacState(),
        commands=None,
        settings={} if detailed else None,
        conflict_strategies=(),
        last_action=None,
        detailed=detailed,
        source=None,
        raw={},
    )
    assert isinstance(found.state, HvacState)


@pytest.mark.parametrize("oddity", [None, True, 7, "", [1], [{"unit": "kw"}]])
@pytest.mark.parametrize(
    ("part", "name", "expected"),
    [
        ("vendor", "vendor", None),
        ("metadata", "model", None),
        ("metadata", "source", None),
        ("sync", "sync", Sync()),
        # Nothing can be steered; that is not the older generation.
        ("commands", "commands", {}),
        ("settings", "settings", {}),
        ("conflictStrategies", "conflict_strategies", ()),
        ("lastAction", "last_action", None),
    ],
)
def test_malformed_parts_count_as_absent(
    part: str, name: str, expected: object, oddity: object
) -> None:
    assert getattr(battery(**{part: oddity}), name) == expected


@pytest.mark.parametrize(
    ("metadata", "model", "source"),
    [
        ({"model": "A", "source": "live"}, "A", "live"),
        ({"model": "", "source": None}, None, None),
        ({"model": 7, "source": {}}, None, None),
        ({}, None, None),
    ],
)
def test_metadata(metadata: Json, model: str | None, source: str | None) -> None:
    found = battery(metadata=metadata)
    assert (found.model, found.source) == (model, source)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"available": "yes", "lastPulledAt": "yesterday"}, Sync()),
        ({"available": False}, Sync(available=False)),
        ({"lastPulledAt": 5, "available": 7}, Sync()),
        (
            {"available": True, "lastPulledAt": "2026-06-01T10:30:00Z"},
            Sync(
                available=True,
                last_pulled_at=datetime(2026, 6, 1, 10, 30, tzinfo=UTC),
            ),
        ),
    ],
)
def test_sync(raw: Json, expected: Sync) -> None:
    assert battery(sync=raw).sync == expected


def test_presence_of_freshness() -> None:
    nothing, nulls = Sync(), battery(sync={"available": None, "lastPulledAt": None})
    for name in ("available", "last_pulled_at"):
        assert not nothing.has(name)
        assert nulls.sync.has(name)
    assert not battery(sync={"available": True}).sync.has("last_pulled_at")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({}, Command(parameters={}, execution=None)),
        ({"execution": []}, Command(parameters={}, execution=())),
        ({"execution": "immediate"}, Command(parameters={}, execution=None)),
        (
            {"execution": ["immediate", 7, "market_hours"]},
            Command(parameters={}, execution=("immediate", "market_hours")),
        ),
        ({"parameters": [1]}, Command(parameters={}, execution=None)),
        (
            {"parameters": {"a": 7, "b": {}, "c": {"unit": 7, "min": "0", "max": 5}}},
            Command(
                parameters={"b": Parameter(), "c": Parameter(max=5)}, execution=None
            ),
        ),
    ],
)
def test_command(raw: Json, expected: Command) -> None:
    found = battery(commands={"charge": raw, "odd": "word", "none": None})
    assert found.commands == {"charge": expected}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({}, Setting()),
        ({"value": None}, Setting()),
        ({"value": False, "unit": "boolean"}, Setting(value=False, unit="boolean")),
        ({"value": "VDE", "min": "0"}, Setting(value="VDE")),
        (
            {"value": 5, "unit": "kw", "min": 0, "max": 50, "step": 1},
            Setting(value=5, unit="kw", min=0, max=50),
        ),
    ],
)
def test_setting(raw: Json, expected: Setting) -> None:
    found = battery(settings={"one": raw, "odd": "word", "none": None, "list": [1]})
    assert found.settings == {"one": expected}


PERCENT = ("safety_reserve", "discharge_floor", "charge_ceiling")
AMPS = ("max_charge_rate", "max_discharge_rate")


@pytest.mark.parametrize(
    ("device_type", "units"),
    [
        (
            DeviceType.BATTERY,
            {
                **dict.fromkeys(PERCENT, "percent"),
                **dict.fromkeys(AMPS, "amps"),
                "export_limit": "watts",
                "scheduler_enabled": None,
                "ramp_rate": None,
            },
        ),
        (DeviceType.EV_CHARGER, {"max_charge_rate": "kw", "export_limit": None}),
        (DeviceType.HVAC, {"max_charge_rate": None}),
    ],
)
def test_settings_without_units(
    device_type: DeviceType, units: dict[str, str | None]
) -> None:
    raw = {"id": "x", "settings": {name: {"value": 1} for name in units}}
    found = read(device_type, raw)
    assert found.settings == {
        name: Setting(value=1, unit=unit) for name, unit in units.items()
    }
    # What a device says itself goes first.
    raw = {"id": "x", "settings": {name: {"unit": "own"} for name in units}}
    assert read(device_type, raw).settings == dict.fromkeys(units, Setting(unit="own"))


@pytest.mark.parametrize(
    "raw", [None, {}, {"id": None}, {"id": ""}, "act_1", [], {"command": "charge"}]
)
def test_a_last_action_without_id_is_none(raw: object) -> None:
    assert battery(lastAction=raw).last_action is None


# Older devices


@pytest.mark.parametrize(
    ("commands", "detailed", "is_older"),
    [
        ({"commands": {"charge": {}}}, True, False),
        ({"commands": {}}, True, False),
        ({}, True, True),
        ({}, False, False),
        ({"commands": {}}, False, False),
    ],
)
def test_is_older(commands: Json, detailed: bool, is_older: bool) -> None:
    found = read(DeviceType.EV_CHARGER, {"id": "x", **commands}, detailed=detailed)
    assert found.detailed is detailed
    assert found.is_older is is_older


def test_a_device_stays_older_in_lists() -> None:
    first = older(DeviceType.EV_CHARGER, status="charging")
    raw = {**first.raw, "state": {"status": "available"}}
    second = Device.from_raw(DeviceType.EV_CHARGER, raw, known=first)
    assert second.is_older
    assert second.detailed


# What a list leaves out, and what a single read does


def test_a_list_keeps_what_it_leaves_out() -> None:
    known = battery()
    raw = {"id": known.id, "state": {"level": 84}}
    found = Device.from_raw(DeviceType.BATTERY, raw, known=known)
    assert found.commands is known.commands
    assert found.settings is known.settings
    assert found.detailed
    # So is what only a partial reply leaves out.
    assert found.last_action is known.last_action
    assert (found.vendor, found.model) == (known.vendor, known.model)
    assert found.conflict_strategies == known.conflict_strategies
    assert found.sync == Sync()


@pytest.mark.parametrize("value", [None, [], "none", 7])
def test_a_list_keeps_what_it_gives_as_nothing(value: object) -> None:
    known = battery()
    raw = {**known.raw, "commands": value, "settings": value}
    found = Device.from_raw(DeviceType.BATTERY, raw, known=known)
    assert found.commands is known.commands
    assert found.settings is known.settings


def test_a_list_replaces_what_it_has() -> None:
    known = battery()
    raw = {**known.raw, "commands": {"idle": {}}, "settings": {}}
    found = Device.from_raw(DeviceType.BATTERY, raw, known=known)
    assert found.commands == {"idle": Command(parameters={}, execution=None)}
    assert found.settings == {}


def test_what_a_single_read_leaves_out_is_kept() -> None:
    known = battery()
    raw = {"id": known.id, "state": {"level": 84}}
    found = Device.from_raw(DeviceType.BATTERY, raw, known=known, detailed=True)
    assert found.commands is known.commands
    assert found.settings is known.settings
    assert found.left_out == {"commands", "settings"}
    assert not found.is_older
    assert not found.is_whole
    again = Device.from_raw(DeviceType.BATTERY, known.raw, known=found, detailed=True)
    assert again.left_out == set()


def test_a_first_read_that_tells_other_new_things_is_no_older_one() -> None:
    raw = {"id": "dev_1", "state": {"level": 84}, "conflictStrategies": []}
    found = Device.from_raw(DeviceType.BATTERY, raw, detailed=True)
    assert found.commands == {}
    assert not found.is_older


def test_settings_are_unknown_until_a_single_read() -> None:
    raw = listed("battery-list")
    first = Device.from_raw(DeviceType.BATTERY, raw)
    assert first.settings is None
    assert not first.detailed
    second = Device.from_raw(DeviceType.BATTERY, raw, known=first, detailed=True)
    assert second is not first
    assert second.settings == {}
    assert second.detailed


# Identity


@pytest.mark.parametrize("detailed", [False, True])
@pytest.mark.parametrize(
    ("name", "device_type"),
    [
        ("battery-read", DeviceType.BATTERY),
        ("ev-charger-read", DeviceType.EV_CHARGER),
        ("solar-inverter-read", DeviceType.SOLAR_INVERTER),
        ("before/ev-charger-read", DeviceType.EV_CHARGER),
    ],
)
def test_an_equal_body_is_the_same_device(
    name: str, device_type: DeviceType, detailed: bool
) -> None:
    first = Device.from_raw(device_type, documented_data(name), detailed=detailed)
    again = Device.from_raw(
        device_type, documented_data(name), known=first, detailed=detailed
    )
    assert again is first
    # A list that says the same takes nothing away from a single read.
    assert Device.from_raw(device_type, documented_data(name), known=first) is first


PARTS = ("sync", "state", "commands", "settings", "last_action")


@pytest.mark.parametrize("detailed", [False, True])
@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"state": {"level": 84}}, "state"),
        ({"sync": {"available": False}}, "sync"),
        ({"commands": {"idle": {}}}, "commands"),
        ({"settings": {"export_limit": {"value": 5}}}, "settings"),
        ({"lastAction": {"id": "act_new"}}, "last_action"),
        ({"vendor": "other"}, None),
        ({"metadata": {"model": "other"}}, None),
        ({"tags": ["cellar"]}, None),
    ],
)
def test_unchanged_parts_are_the_same_objects(
    change: Json, changed: str | None, detailed: bool
) -> None:
    known = battery()
    found = Device.from_raw(
        DeviceType.BATTERY, {**known.raw, **change}, known=known, detailed=detailed
    )
    assert found is not known
    for part in PARTS:
        same = getattr(found, part) is getattr(known, part)
        assert same is (part != changed), part


def test_devices_that_are_told_the_same_share_it() -> None:
    raw = documented_data("battery-read")
    one = Device.from_raw(DeviceType.BATTERY, raw)
    other = Device.from_raw(
        DeviceType.BATTERY, {**documented_data("battery-read"), "id": "other"}
    )
    assert one.commands
    assert one.settings
    assert other.commands is one.commands
    assert other.settings is one.settings

    # To Python these are equal; they are not the same.
    yes, number_one = (
        battery(settings={"export_limit": {"value": value}}) for value in (True, 1)
    )
    assert yes.settings is not None
    assert yes.settings["export_limit"].value is True
    assert number_one.settings is not None
    assert number_one.settings["export_limit"].value == 1
    assert number_one.settings["export_limit"].value is not True


def test_a_map_that_is_too_long_to_be_kept_is_read_as_any() -> None:
    told = {f"command_{number}": {"execution": ["immediate"]} for number in range(500)}
    one, other = battery(commands=told), battery(commands=told)
    assert one.commands is not None
    assert len(one.commands) == len(told)
    assert one.commands == other.commands
    assert one.commands is not other.commands
    meant = {f"setting_{number}": {"value": number} for number in range(500)}
    many = battery(settings=meant).settings
    assert many is not None
    assert [setting.value for setting in many.values()] == list(range(500))


@pytest.mark.parametrize("part", ["sync", "state"])
def test_what_nests_too_deeply_is_refused_whenever_it_is_told(part: str) -> None:
    deep: Json = {}
    for _ in range(40):
        deep = {"level": deep}
    known = battery()
    for before in (None, known):
        with pytest.raises(MalformedError, match="nested too deeply"):
            Device.from_raw(DeviceType.BATTERY, {**known.raw, part: deep}, known=before)


def test_a_single_read_after_a_list_keeps_the_objects() -> None:
    first = battery()
    raw = {key: value for key, value in first.raw.items() if key != "settings"}
    between = Device.from_raw(DeviceType.BATTERY, raw, known=first)
    last = Device.from_raw(DeviceType.BATTERY, first.raw, known=between, detailed=True)
    assert last == first
    for part in PARTS:
        assert getattr(last, part) is getattr(first, part), part


def test_another_device_lends_nothing() -> None:
    known = battery()
    found = Device.from_raw(DeviceType.BATTERY, {"id": "other"}, known=known)
    assert found.id == "other"
    assert found.commands is None
    assert found.settings is None
    assert not found.detailed


@pytest.mark.parametrize(
    ("before", "after", "is_charging", "power"),
    [
        # To Python these are equal.
        (1, True, True, None),
        (True, 1, None, 1),
        (0, False, False, None),
        (False, 0, None, 0),
        (1.0, True, True, None),
    ],
)
def test_a_number_is_no_truth_value(
    before: object, after: object, is_charging: bool | None, power: float | None
) -> None:
    known = older(DeviceType.EV_CHARGER, isCharging=before, currentPower=before)
    raw = {**known.raw, "state": {"isCharging": after, "currentPower": after}}
    found = Device.from_raw(DeviceType.EV_CHARGER, raw, known=known, detailed=True)
    assert isinstance(found.state, EvChargerState)
    assert found.state.is_charging is is_charging
    assert found.state.current_power == power


def test_the_same_again() -> None:
    """It is the same device; the next body is compared with the newest one."""
    known = battery()
    raw = documented_data("battery-read")
    again = Device.from_raw(DeviceType.BATTERY, raw, known=known, detailed=True)
    assert again is known
    assert known.raw is raw


def test_the_order_of_a_body_says_nothing() -> None:
    def turned(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: turned(value[name]) for name in reversed(value)}

    known = battery()
    again = Device.from_raw(
        DeviceType.BATTERY, turned(known.raw), known=known, detailed=True
    )
    assert again is known


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"sync": {"available": True, "lastPulledAt": "2026-06-01T11:00:00Z"}}, True),
        ({"metadata": {"model": "Powerwall 2", "source": "cache"}}, True),
        ({"tags": ["cellar"]}, True),
        ({"sync": {"available": False, "lastPulledAt": None}}, False),
        # A field that goes, or comes as null, is a change.
        ({"sync": {"available": True}}, False),
        ({"sync": {"lastPulledAt": "2026-06-01T10:30:00.000Z"}}, False),
        ({"state": {**documented_data("battery-read")["state"], "x": None}}, False),
        ({"state": {"level": 84}}, False),
        ({"lastAction": {"id": "act_new"}}, False),
        ({"lastAction": None}, False),
        ({"commands": {"idle": {}}}, False),
        ({"settings": {}}, False),
        ({"vendor": "other"}, False),
        ({"metadata": {"model": "other"}}, False),
        ({"conflictStrategies": ["queue_after"]}, False),
    ],
)
def test_same_but_for_sync(change: Json, same: bool) -> None:
    one, two = battery(), battery(**change)
    assert (one.changes(two) == frozenset()) is same
    assert (two.changes(one) == frozenset()) is same


def test_a_single_read_is_not_the_same_as_a_list() -> None:
    raw = documented_data("battery-read")
    one = read(DeviceType.BATTERY, raw, detailed=False)
    assert one.changes(read(DeviceType.BATTERY, raw)) is None


def test_a_field_that_comes_as_null_is_a_change() -> None:
    one = battery(state={"level": 5})
    two = battery(state={"level": 5, "status": None})
    assert one.changes(two) is None


def test_changes_of_the_state_are_told_by_name() -> None:
    one = battery(state={"level": 5, "status": "idle", "capacity": 13.5})
    two = battery(state={"level": 6, "status": "charging", "capacity": 13.5})
    assert one.changes(two) == frozenset({"level", "status"})
    assert one.changes(battery(state=one.state.raw)) == frozenset()


# Actions


@pytest.mark.parametrize("raw", [None, 17, "act_1", []])
def test_an_action_is_an_object(raw: object) -> None:
    with pytest.raises(MalformedError, match="an action is not an object"):
        Action.from_raw(raw)


@pytest.mark.parametrize(
    "raw", [{}, {"id": None}, {"id": 7}, {"id": "", "actionId": ""}, {"actionId": []}]
)
def test_an_action_has_an_id(raw: Json) -> None:
    with pytest.raises(MalformedError, match="an action has no id"):
        Action.from_raw(raw)


@pytest.mark.parametrize(
    ("raw", "device_type", "command"),
    [
        # The words of today stand as they are.
        ({"deviceType": "battery", "command": "charge"}, "battery", "charge"),
        ({"deviceType": "hvac", "command": "off"}, "hvac", "off"),
        (
            {"command": "idle", "type": "ev-charger:start_charging"},
            None,
            "idle",
        ),
        ({"type": "ev-charger:start_charging"}, "ev_charger", "charge"),
        ({"type": "ev-charger:stop_charging"}, "ev_charger", "idle"),
        ({"type": "ev-charger:set_max_power"}, "ev_charger", "set_max_power"),
        ({"actionType": "hvac:follow_schedule"}, "hvac", "follow_schedule"),
        (
            {"type": "hvac:set_permanent_hold", "parameters": {"mode": "auto"}},
            "hvac",
            "auto",
        ),
        (
            {"type": "hvac:set_permanent_hold", "parameters": {"mode": "off"}},
            "hvac",
            "idle",
        ),
        (
            {"actionType": "battery:set_operation_mode", "parameters": {"mode": 7}},
            "battery",
            "set_operation_mode",
        ),
        (
            {"type": "battery:set_operation_mode", "parameters": []},
            "battery",
            "set_operation_mode",
        ),
        ({"type": "solar-inverter:curtail"}, "solar_inverter", "curtail"),
        ({"type": "start_charging"}, None, "charge"),
        (
            {"type": "start_charging", "deviceType": "ev_charger"},
            "ev_charger",
            "charge",
        ),
        (
            {
                "type": "ev-charger:start_charging",
                "command": None,
                "deviceType": None,
            },
            "ev_charger",
            "charge",
        ),
        ({"type": 7}, None, None),
        ({}, None, None),
    ],
)
def test_the_words_of_either_generation(
    raw: Json, device_type: str | None, command: str | None
) -> None:
    action = Action.from_raw({"id": "act_1", **raw})
    assert (action.device_type, action.command) == (device_type, command)


def test_the_id_of_either_generation() -> None:
    assert Action.from_raw({"actionId": "a"}).id == "a"
    assert Action.from_raw({"id": "b", "actionId": "a"}).id == "b"
    assert Action.from_raw({"id": None, "actionId": "a"}).id == "a"


@pytest.mark.parametrize(
    ("raw", "code", "message"),
    [
        ({"errorCode": "A", "errorMessage": "b"}, "A", "b"),
        ({"error": {"code": "A", "message": "b"}}, "A", "b"),
        (
            {
                "errorCode": None,
                "errorMessage": None,
                "error": {"code": "A", "message": "b"},
            },
            "A",
            "b",
        ),
        ({"errorCode": "A", "error": {"code": "C"}}, "A", None),
        ({"error": {"code": 7}}, None, None),
        ({"error": "broken"}, None, None),
        ({}, None, None),
    ],
)
def test_the_error_of_either_generation(
    raw: Json, code: str | None, message: str | None
) -> None:
    action = Action.from_raw({"id": "a", **raw})
    assert (action.error_code, action.error_message) == (code, message)


@pytest.mark.parametrize(
    ("raw", "hour"),
    [
        ({"completedAt": "2026-06-01T10:00:00Z"}, 10),
        ({"failedAt": "2026-06-01T11:00:00Z"}, 11),
        ({"failedAt": "2026-06-01T11:00:00Z", "completedAt": None}, 11),
        (
            {"failedAt": "2026-06-01T11:00:00Z", "completedAt": "2026-06-01T10:00:00Z"},
            10,
        ),
    ],
)
def test_a_failure_ends_an_action_too(raw: Json, hour: int) -> None:
    ended = Action.from_raw({"id": "a", **raw}).completed_at
    assert ended == datetime(2026, 6, 1, hour, tzinfo=UTC)


def test_links_of_an_action_are_texts() -> None:
    links = {"self": "/actions/a", "next": float("nan"), "last": ["/actions/b"]}
    action = Action.from_raw({"id": "a", "links": links})
    assert action.links == {"self": "/actions/a"}
    assert Action.from_raw({"id": "a", "links": []}).links is None


def test_an_action_of_wrong_kinds() -> None:
    raw = dict.fromkeys(
        (
            "deviceId",
            "deviceType",
            "command",
            "state",
            "errorCode",
            "errorMessage",
            "createdAt",
            "updatedAt",
            "acknowledgedAt",
            "completedAt",
            "start",
            "end",
        ),
        7,
    )
    found = Action.from_raw({**raw, "id": "a", "parameters": [1], "result": "fine"})
    assert found == Action(id="a")


@pytest.mark.parametrize("name", ["action", "before/action", "hvac-push-reply"])
def test_a_record_is_an_action_again(name: str) -> None:
    action = Action.from_raw(documented_data(name))
    record = action.as_record()
    assert Action.from_raw(record) == action
    # It can go wherever JSON goes.
    assert json.loads(json.dumps(record)) == record


def test_the_record_of_an_action() -> None:
    raw = documented_data("action")
    times = ("createdAt", "updatedAt", "start")
    assert Action.from_raw(raw).as_record() == raw | {
        "type": None,
        **{name: raw[name].replace(".000Z", "+00:00") for name in times},
    }


@pytest.mark.parametrize(
    "name",
    [
        "action",
        "action-cancelled",
        "before/action",
        "before/action-auto-balanced",
        "before/action-cancelled",
        "before/action-hvac-hold",
    ],
)
def test_a_record_holds_all_that_is_documented(name: str) -> None:
    """Of either generation; what the older one lacks is filled in from its word."""
    raw = documented_data(name)
    record = Action.from_raw(raw).as_record()
    for field, value in raw.items():
        said = record[field]
        if isinstance(value, str) and value.endswith("Z"):
            assert said is not None and said.startswith(value[:19]), field
        else:
            assert said == value, field
    assert record["command"] and record["deviceType"]


@pytest.mark.parametrize(
    ("word", "is_final"),
    [
        ("scheduled", False),
        ("acknowledged", False),
        ("completed", True),
        ("failed", True),
        ("cancelled", True),
        ("paused", False),
        (None, False),
    ],
)
def test_is_final(word: str | None, is_final: bool) -> None:
    assert Action.from_raw({"id": "a", "state": word}).is_final is is_final


def test_final_states() -> None:
    assert set(ActionState) - FINAL_STATES == {"scheduled", "acknowledged"}


@pytest.mark.parametrize(
    ("device_type", "path"),
    [
        (DeviceType.BATTERY, "battery"),
        (DeviceType.EV_CHARGER, "ev-charger"),
        (DeviceType.HVAC, "hvac"),
        (DeviceType.SOLAR_INVERTER, "solar-inverter"),
        (DeviceType.VEHICLE, "vehicle"),
    ],
)
def test_paths(device_type: DeviceType, path: str) -> None:
    assert device_type.path == path


# Anything at all

_ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
_PARTS = (
    "id",
    "vendor",
    "sync",
    "metadata",
    "state",
    "commands",
    "settings",
    "conflictStrategies",
    "lastAction",
)


# Hypothesis warns of a generator of its own.
@pytest.mark.filterwarnings("ignore:It looks like `register_random`")
@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    device_type=st.sampled_from(DeviceType),
    raw=_ANYTHING | st.dictionaries(st.sampled_from(_PARTS), _ANYTHING),
    detailed=st.booleans(),
)
def test_anything_is_read_or_malformed(
    device_type: DeviceType, raw: object, detailed: bool
) -> None:
    try:
        first = Device.from_raw(device_type, raw, detailed=detailed)
    except MalformedError:
        return
    known = battery()
    for other in (first, known):
        again = Device.from_raw(device_type, raw, known=other, detailed=detailed)
        assert again.id == first.id
    hash(first.id)
    repr(first)


def test_words_of_an_error_are_one_line_with_an_end() -> None:
    action = Action.from_raw(
        {
            "id": "act_1",
            "errorCode": "ODD\x00\nCODE",
            "errorMessage": "first\r\n\tsecond " + "x" * 1_000_000,
        }
    )
    assert action.error_code == "ODD CODE"
    assert action.error_message is not None
    assert action.error_message.startswith("first second xxx")
    assert action.error_message.endswith("x…")
    assert len(action.error_message) <= 501
    assert Action.from_raw({"id": "act_1", "errorMessage": "\n"}).error_message is None


def test_a_name_is_one_line_with_an_end() -> None:
    found = battery(vendor="Some\nmaker\x07", metadata={"model": "x" * 10_000})
    assert found.vendor == "Some maker"
    assert found.model == "x" * 500 + "…"


def test_a_word_is_one_line_with_an_end() -> None:
    found = battery(state={"status": "odd\nstatus\x07", "currentMode": "x" * 10_000})
    assert isinstance(found.state, BatteryState)
    assert found.state.status == "odd status"
    assert found.state.current_mode == "x" * 100 + "…"


def test_what_cannot_be_a_name_is_left_out() -> None:
    """A word that is sent must be the very word that was told."""
    found = battery(
        commands={"charge": {"execution": ["immediate", "a\nb", 5]}, "x" * 101: {}},
        settings={"\x07": {"value": 1}, "safety_reserve": {"value": 5}},
        conflictStrategies=["queue_after", None, "", "line\nline"],
    )
    assert found.commands == {
        "charge": Command(parameters={}, execution=("immediate",))
    }
    assert found.settings is not None
    assert list(found.settings) == ["safety_reserve"]
    assert found.conflict_strategies == ("queue_after",)
