"""Every documented body is read, field by field."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from custom_components.amps_ai.api import (
    Action,
    AmpsClient,
    AmpsConflictError,
    AmpsRefusedError,
    BatteryState,
    Command,
    Device,
    DeviceType,
    Environment,
    EvChargerState,
    HvacState,
    Parameter,
    Push,
    Quantity,
    Setting,
    SolarInverterState,
    State,
    Sync,
    VehicleState,
)
from tests.sandbox.test_sandbox_documented import BODIES

from .helpers import (
    FIXTURES,
    battery,
    charger,
    documented,
    documented_data,
    fields_of,
    older,
    serve,
    thermostat,
)

KEY = "sk_test_key"

EVERY = ("immediate", "scheduled", "windowed")
NO_WINDOW = ("immediate", "scheduled")
BOTH = ("cancel_and_replace", "queue_after")
REPLACE = ("cancel_and_replace",)

PERCENT = Parameter(unit="percent", min=10, max=100)
POWER = Parameter(unit="kw", min=0, max=5)
CELSIUS = Parameter(unit="celsius", min=10, max=35)


def at(text: str) -> datetime:
    """Return a time of day in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def command(execution: tuple[str, ...], **parameters: Parameter) -> Command:
    """Return a command of a capability map."""
    return Command(parameters=parameters, execution=execution)


def pulled(text: str) -> Sync:
    """Return the `sync` of a device that can be reached."""
    return Sync(available=True, last_pulled_at=at(text))


def newer(**parts: Any) -> Action:
    """Return an action as it is told now, with where it is read."""
    return Action(links={"self": f"/actions/{parts['id']}"}, **parts)


def device(device_id: str, device_type: DeviceType, **parts: Any) -> Device:
    """Return a device; what is not given, it does not have."""
    usual: dict[str, Any] = {
        "vendor": "example_vendor_a",
        "model": None,
        "sync": Sync(),
        "commands": None,
        "settings": None,
        "conflict_strategies": (),
        "last_action": None,
        "detailed": False,
        "source": None,
        "raw": {},
    }
    return Device(id=device_id, type=device_type, **usual | parts)


CHARGER_COMMANDS = {"charge": command(EVERY), "idle": command(NO_WINDOW)}
HVAC_COMMANDS = {
    "heat": command(EVERY, target=CELSIUS),
    "cool": command(EVERY, target=CELSIUS),
    "idle": command(NO_WINDOW),
    "auto": command(NO_WINDOW, heatSetpoint=CELSIUS, coolSetpoint=CELSIUS),
    "follow_schedule": command(("immediate",)),
}

BATTERY_ONE = device(
    "device_abc123",
    DeviceType.BATTERY,
    model="Hybrid 5kWh",
    source="cache",
    sync=pulled("2026-05-07T09:23:45"),
    state=BatteryState(
        status="idle",
        level=67,
        capacity=10.4,
        charge_rate=0,
        discharge_limit=10,
        current_mode="auto.balanced",
    ),
    commands={
        "charge": command(EVERY, target=PERCENT, power=POWER),
        "discharge": command(EVERY, target=PERCENT),
        "auto.balanced": command(NO_WINDOW),
    },
    conflict_strategies=BOTH,
    last_action=newer(
        id="action_def456",
        command="charge",
        state="completed",
        created_at=at("2026-05-07T08:15"),
        updated_at=at("2026-05-07T08:18"),
    ),
)
BATTERY_TWO = device(
    "device_xyz789",
    DeviceType.BATTERY,
    vendor="example_vendor_b",
    model="Hybrid Gen 2",
    source="live",
    sync=pulled("2026-05-07T09:24:10"),
    state=BatteryState(
        status="discharging",
        level=42,
        capacity=9.5,
        charge_rate=-1.8,
        discharge_limit=10,
        current_mode="discharge",
    ),
    commands={
        "charge": command(NO_WINDOW, target=PERCENT),
        "discharge": command(NO_WINDOW, target=PERCENT),
        "idle": command(NO_WINDOW),
    },
    conflict_strategies=BOTH,
)
CHARGER_STATE = EvChargerState(
    status="charging",
    is_connected=True,
    is_charging=True,
    current_power=7,
    max_current=32,
    power_rate_limit=7.4,
)
CHARGER_ONE = device(
    "device_ev_001",
    DeviceType.EV_CHARGER,
    model="Wallbox 7kW",
    source="live",
    sync=pulled("2026-05-07T09:23:45"),
    state=CHARGER_STATE,
    commands=CHARGER_COMMANDS,
    conflict_strategies=REPLACE,
    last_action=newer(
        id="action_ev_def456",
        command="charge",
        state="acknowledged",
        created_at=at("2026-05-07T09:21"),
        updated_at=at("2026-05-07T09:21:18"),
    ),
)
CHARGER_TWO = device(
    "device_ev_002",
    DeviceType.EV_CHARGER,
    vendor="example_vendor_b",
    model="Wallbox 22kW",
    source="cache",
    sync=pulled("2026-05-07T09:24:10"),
    state=EvChargerState(
        status="available",
        is_connected=False,
        is_charging=False,
        current_power=0,
        max_current=32,
        power_rate_limit=22,
    ),
    commands=CHARGER_COMMANDS,
    conflict_strategies=REPLACE,
)
HVAC_ONE = device(
    "device_hvac_001",
    DeviceType.HVAC,
    model="Smart Thermostat 4",
    source="live",
    sync=pulled("2026-05-07T09:23:45"),
    state=HvacState(
        temperature=21.5,
        active=True,
        heat_setpoint=20,
        cool_setpoint=24,
        hold_type="follow_schedule",
        mode="auto",
    ),
    commands=HVAC_COMMANDS,
    conflict_strategies=REPLACE,
    last_action=newer(
        id="action_hvac_def456",
        command="heat",
        state="completed",
        created_at=at("2026-05-07T08:15"),
        updated_at=at("2026-05-07T08:18"),
    ),
)
HVAC_TWO = device(
    "device_hvac_002",
    DeviceType.HVAC,
    vendor="example_vendor_b",
    model="Smart Thermostat 3",
    source="cache",
    sync=pulled("2026-05-07T09:24:10"),
    state=HvacState(
        temperature=23.8,
        active=False,
        heat_setpoint=18,
        cool_setpoint=22,
        hold_type="permanent",
        mode="cool",
    ),
    commands=HVAC_COMMANDS,
    conflict_strategies=REPLACE,
)
VEHICLE_ONE = device(
    "device_vehicle_001",
    DeviceType.VEHICLE,
    model="EV Sedan",
    source="live",
    sync=pulled("2026-05-07T09:23:45"),
    state=VehicleState(
        battery_level=64,
        range=184,
        plugged=True,
        charging=True,
        fully_charged=False,
        battery_capacity=75,
        charge_limit=80,
        charge_rate=7,
        charge_time_remaining=110,
        max_current=32,
    ),
)
VEHICLE_TWO = device(
    "device_vehicle_002",
    DeviceType.VEHICLE,
    vendor="example_vendor_b",
    model="EV SUV",
    source="cache",
    sync=pulled("2026-05-07T09:24:10"),
    state=VehicleState(
        battery_level=88,
        range=296,
        plugged=False,
        charging=False,
        fully_charged=False,
        battery_capacity=100,
        charge_limit=90,
        charge_rate=0,
        charge_time_remaining=0,
        max_current=32,
    ),
)

LISTS: dict[str, tuple[DeviceType, list[Device]]] = {
    "battery-list": (DeviceType.BATTERY, [BATTERY_ONE, BATTERY_TWO]),
    "ev-charger-list": (DeviceType.EV_CHARGER, [CHARGER_ONE, CHARGER_TWO]),
    "hvac-list": (DeviceType.HVAC, [HVAC_ONE, HVAC_TWO]),
    "vehicle-list": (DeviceType.VEHICLE, [VEHICLE_ONE, VEHICLE_TWO]),
}

READS: dict[str, Device] = {
    "battery-read": device(
        "device_abc123",
        DeviceType.BATTERY,
        vendor="tesla",
        model="Powerwall 2",
        source="projection",
        detailed=True,
        is_whole=True,
        sync=pulled("2026-06-01T10:30"),
        state=BatteryState(
            status="charging",
            level=85,
            capacity=13.5,
            charge_rate=5.2,
            discharge_limit=10,
            current_mode="charge",
        ),
        commands={
            "charge": command(NO_WINDOW, target=PERCENT, power=POWER),
            "discharge": command(NO_WINDOW, target=PERCENT, power=POWER),
            "auto.balanced": command(NO_WINDOW),
        },
        settings={
            "discharge_floor": Setting(value=10, unit="percent", min=10, max=100),
            "charge_ceiling": Setting(value=100, unit="percent", min=10, max=100),
        },
        conflict_strategies=BOTH,
        last_action=newer(
            id="act_abc123",
            command="auto.balanced",
            state="completed",
            created_at=at("2026-06-01T09:15"),
            updated_at=at("2026-06-01T09:15:03"),
        ),
    ),
    "ev-charger-read": device(
        "device_ev_001",
        DeviceType.EV_CHARGER,
        model="Wallbox 7kW",
        source="live",
        detailed=True,
        is_whole=True,
        sync=pulled("2026-05-07T09:23:45"),
        state=CHARGER_STATE,
        commands=CHARGER_COMMANDS,
        settings={"max_charge_rate": Setting(value=11, unit="kw", min=0, max=50)},
        conflict_strategies=REPLACE,
        last_action=newer(
            id="action_ev_def456",
            command="charge",
            state="completed",
            created_at=at("2026-05-07T08:15"),
            updated_at=at("2026-05-07T08:18"),
        ),
    ),
    "solar-inverter-read": device(
        "device_inverter_001",
        DeviceType.SOLAR_INVERTER,
        model="Hybrid 5kW",
        source="live",
        detailed=True,
        is_whole=True,
        settings={},
        sync=pulled("2026-05-07T10:23:45"),
        state=SolarInverterState(
            status="producing", current_power=3.8, producing=True, energy_total=11540.6
        ),
    ),
    "before/ev-charger-read": device(
        "dev_ev_001",
        DeviceType.EV_CHARGER,
        vendor="chargepoint",
        model="ChargePoint Home Flex",
        source="live",
        detailed=True,
        settings={},
        sync=pulled("2026-05-08T11:30"),
        state=EvChargerState(
            status="charging",
            is_connected=True,
            is_charging=True,
            current_power=11,
            max_current=48,
        ),
    ),
    "before/ev-charger-read-capped": device(
        "dev_ev_001",
        DeviceType.EV_CHARGER,
        vendor=None,
        detailed=True,
        settings={},
        state=EvChargerState(
            status="charging",
            is_connected=True,
            is_charging=True,
            current_power=7.4,
            max_current=32,
        ),
    ),
}

ACTIONS: dict[str, Action] = {
    "action": newer(
        id="act_2026050709a1b2c3",
        device_id="device_abc123",
        device_type="battery",
        command="charge",
        parameters={"target": {"value": 100, "unit": "percent"}},
        state="scheduled",
        created_at=at("2026-05-07T08:00"),
        updated_at=at("2026-05-07T08:00"),
        start=at("2026-06-01T02:00"),
    ),
    "ev-charger-push-reply": newer(
        id="act_2026050712000ev02",
        device_id="dev_ev7a3b1f",
        device_type="ev_charger",
        command="charge",
        state="acknowledged",
        created_at=at("2026-05-07T12:00"),
    ),
    "hvac-push-reply": newer(
        id="act_hvac_004",
        device_id="device_hvac_001",
        device_type="hvac",
        command="auto",
        parameters={
            "heatSetpoint": {"value": 20, "unit": "celsius"},
            "coolSetpoint": {"value": 24, "unit": "celsius"},
        },
        state="acknowledged",
        created_at=at("2026-06-01T10:30"),
    ),
    "before/action": Action(
        type="ev-charger:set_max_power",
        id="act_ev_006",
        device_id="dev_ev_001",
        device_type="ev_charger",
        command="set_max_power",
        parameters={"maxPower": 7.4},
        state="completed",
        result={"success": True, "message": "Power cap applied"},
        created_at=at("2026-05-08T11:30"),
        updated_at=at("2026-05-08T11:30:01"),
        acknowledged_at=at("2026-05-08T11:30:00.500"),
        completed_at=at("2026-05-08T11:30:01"),
    ),
    "before/ev-charger-push-reply": Action(
        type="ev-charger:set_max_power",
        id="act_ev_006",
        device_type="ev_charger",
        command="set_max_power",
        state="acknowledged",
        created_at=at("2026-05-08T11:30"),
    ),
    "before/webhook-push-completed": Action(
        id="act_inflight_002",
        device_id="dev_abc123",
        device_type="battery",
        command="charge",
        parameters={
            "mode": "charge",
            "target": {"value": 90, "unit": "percent"},
            "power": {"value": 3, "unit": "kw"},
        },
        result={"success": True, "message": "Mode applied"},
        completed_at=at("2026-05-08T22:00:05"),
    ),
    "before/webhook-push-failed": Action(
        id="act_inflight_002",
        device_id="dev_abc123",
        device_type="battery",
        command="charge",
        parameters={"mode": "charge", "target": {"value": 95, "unit": "percent"}},
        error_code="SCHEDULER_ACTIVE",
        error_message=(
            "Native scheduler is active; clear it before issuing a direct command."
        ),
        completed_at=at("2026-05-08T22:00:32"),
    ),
}

REQUESTS: dict[str, tuple[Device, Push]] = {
    "ev-charger-push-request": (charger(), Push(command="charge")),
    "hvac-push-request": (
        thermostat(),
        Push(
            command="auto",
            parameters={
                "heatSetpoint": Quantity(value=20, unit="celsius"),
                "coolSetpoint": Quantity(value=24, unit="celsius"),
            },
        ),
    ),
    "before/ev-charger-push-request": (
        older(DeviceType.EV_CHARGER),
        Push(command="set_max_power", parameters={"maxPower": Quantity(value=7.4)}),
    ),
    "before/hvac-push-request": (
        older(DeviceType.HVAC),
        Push(
            command="auto",
            parameters={
                "heatSetpoint": Quantity(value=20, unit="celsius"),
                "coolSetpoint": Quantity(value=24, unit="celsius"),
            },
        ),
    ),
}

# Those that have a test of their own below.
OTHERS = {
    "conflict-409",
    "unsupported-unit-422",
    "ev-charger-settings-reply",
    "webhook-device-disconnected",
}


def test_every_documented_body_is_tested() -> None:
    found = {
        str(path.relative_to(FIXTURES).with_suffix(""))
        for path in FIXTURES.rglob("*.json")
    }
    assert found == {*LISTS, *READS, *ACTIONS, *REQUESTS, *OTHERS, *BODIES}


def replying(name: str, status: int = 200) -> Callable[[web.Request], web.Response]:
    """Answer every request with a documented body."""
    return lambda _: web.json_response(documented(name), status=status)


@pytest.mark.parametrize("name", LISTS)
async def test_list(name: str, session: aiohttp.ClientSession) -> None:
    device_type, expected = LISTS[name]
    async with serve(replying(name)) as server:
        client = AmpsClient(session, KEY, base_url=server.url)
        listing = await client.async_list_devices(device_type)
    assert list(listing.devices.values()) == expected
    assert list(listing.devices) == [item.id for item in expected]
    assert [item.source for item in listing.devices.values()] == [
        item.source for item in expected
    ]
    assert listing.complete
    assert listing.malformed == ()
    assert len(server.requests) == 1
    assert client.environment is Environment.SANDBOX


@pytest.mark.parametrize("name", READS)
async def test_single_read(name: str, session: aiohttp.ClientSession) -> None:
    expected = READS[name]
    async with serve(replying(name)) as server:
        client = AmpsClient(session, KEY, base_url=server.url)
        found = await client.async_get_device(expected.type, expected.id)
    assert found == expected
    assert found.source == expected.source
    assert found.raw == documented_data(name)
    assert found.is_older is name.startswith("before/") or found.commands is None


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("battery-read", set()),
        ("ev-charger-read", set()),
        ("solar-inverter-read", set()),
        ("before/ev-charger-read", {"power_rate_limit"}),
        ("before/ev-charger-read-capped", {"power_rate_limit"}),
    ],
)
def test_what_a_documented_state_has(name: str, absent: set[str]) -> None:
    state = Device.from_raw(READS[name].type, documented_data(name)).state
    assert {name for name in fields_of(type(state)) if not state.has(name)} == absent


def test_documented_states_have_every_field() -> None:
    kinds: set[type[State]] = set()
    for device_type, devices in LISTS.values():
        for item in devices:
            kinds.add(type(item.state))
            values = [getattr(item.state, name) for name in fields_of(type(item.state))]
            assert None not in values, device_type
    kinds.add(type(READS["solar-inverter-read"].state))
    assert len(kinds) == len(DeviceType)


@pytest.mark.parametrize("name", ACTIONS)
def test_action(name: str) -> None:
    found = Action.from_raw(documented_data(name))
    assert found == ACTIONS[name]


@pytest.mark.parametrize("name", ["action", "before/action"])
async def test_action_over_http(name: str, session: aiohttp.ClientSession) -> None:
    async with serve(replying(name)) as server:
        client = AmpsClient(session, KEY, base_url=server.url)
        found = await client.async_get_action(ACTIONS[name].id)
    assert found == ACTIONS[name]
    assert server.requests[0].path == f"/actions/{found.id}"


@pytest.mark.parametrize(
    ("name", "request_name"),
    [
        ("ev-charger-push-reply", "ev-charger-push-request"),
        ("hvac-push-reply", "hvac-push-request"),
        ("before/ev-charger-push-reply", "before/ev-charger-push-request"),
        ("before/ev-charger-push-reply", "before/hvac-push-request"),
    ],
)
async def test_push(
    name: str, request_name: str, session: aiohttp.ClientSession
) -> None:
    target, push = REQUESTS[request_name]
    async with serve(replying(name, 202)) as server:
        client = AmpsClient(session, KEY, base_url=server.url)
        action = await client.async_push(target, push)
        assert action == ACTIONS[name]
        request = server.requests[0]
        assert request.method == "POST"
        assert request.path == f"/{target.type.path}/{target.id}"
        assert request.content_type == "application/json"
        assert request.headers["x-api-key"] == KEY
        assert await request.json() == documented(request_name)


async def test_settings(session: aiohttp.ClientSession) -> None:
    async with serve(replying("ev-charger-settings-reply")) as server:
        client = AmpsClient(session, KEY, base_url=server.url)
        updated = await client.async_update_settings(
            charger(), {"max_charge_rate": 7.4}
        )
        assert updated == ("max_charge_rate",)
        request = server.requests[0]
        assert request.path == "/ev-charger/device_ev_001/settings"
        assert await request.json() == {
            "max_charge_rate": {"value": 7.4, "unit": "kw"},
        }


async def test_conflict(session: aiohttp.ClientSession) -> None:
    async with serve(replying("conflict-409", 409)) as server:
        client = AmpsClient(session, KEY, base_url=server.url)
        with pytest.raises(AmpsConflictError) as caught:
            await client.async_push(battery(), Push(command="charge"))
    err = caught.value
    assert err.code == "CONFLICT"
    assert err.status == 409
    assert err.message == "A conflicting action is pending for this device."
    assert err.request_id == "req_2cB5gNqR"
    assert err.conflicting_action_ids == ("act_pending_001",)
    assert err.strategies == ("cancel_and_replace", "queue_after")


async def test_unsupported_unit(session: aiohttp.ClientSession) -> None:
    async with serve(replying("unsupported-unit-422", 422)) as server:
        client = AmpsClient(session, KEY, base_url=server.url)
        with pytest.raises(AmpsRefusedError) as caught:
            await client.async_push(battery(), Push(command="charge"))
    err = caught.value
    assert err.code == "UNSUPPORTED_UNIT"
    assert err.status == 422
    assert err.details == {
        "parameter": "power",
        "providedUnit": "percent",
        "supportedUnits": ["kw"],
    }
    assert str(err) == (
        "UNSUPPORTED_UNIT: Parameter `power` unit `percent` is not supported. "
        "Expected `kw`. (request req_2cB5gNqR)"
    )


def test_a_webhook_about_a_device_carries_no_action() -> None:
    with pytest.raises(ValueError, match="an action has no id"):
        Action.from_raw(documented("webhook-device-disconnected"))
