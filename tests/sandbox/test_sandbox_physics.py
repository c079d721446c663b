"""The physics: levels follow power, energy is its integral."""

from typing import Any

import pytest

from sandbox import Clock, Sandbox
from sandbox.clock import to_seconds
from sandbox.physics import (
    BatteryPhysics,
    ChargerPhysics,
    HvacPhysics,
    SolarPhysics,
    VehiclePhysics,
)
from tests.sandbox.helpers import BATTERY, CHARGER, HVAC, SOLAR, VEHICLE, Api, quantity

JUNE = "2026-06-01T"
MIDNIGHT = to_seconds(f"{JUNE}00:00:00Z")


def at(hour: float) -> float:
    """Return an hour of the first of June."""
    return MIDNIGHT + hour * 3600


async def now(api: Api, sandbox: Sandbox, path: str) -> Any:
    """Return the state of a device as it is."""
    sandbox.device(path.rpartition("/")[2]).capture()
    return await api.state(path)


# Batteries.


@pytest.mark.parametrize(
    ("begin", "end", "first", "last"),
    [(6, 9, 70, 46), (9, 15, 50, 92), (15, 21, 90, 30), (23, 30, 30, 70)],
)
def test_the_documented_day_of_a_battery(
    begin: float, end: float, first: float, last: float
) -> None:
    battery = BatteryPhysics(at(0))
    slope = (last - first) / (end - begin)
    # Where the documented day jumps, the level needs a while to get there.
    for quarter in range(3, int((end - begin) * 4)):
        hour = begin + quarter / 4
        battery.advance(at(hour))
        assert battery.level == pytest.approx(first + slope * (hour - begin), abs=0.5)
        assert battery.power == pytest.approx(slope * 13.5 / 100, abs=0.3)
        assert (battery.power > 0) is (slope > 0)


def test_a_battery_rests_in_the_evening() -> None:
    battery = BatteryPhysics(at(0))
    battery.advance(at(22.5))
    assert battery.state()["status"] == "idle"
    assert battery.state()["chargeRate"] == 0


@pytest.mark.parametrize("minutes", [1, 7, 60, 1440])
def test_a_level_is_the_integral_of_the_power(minutes: int) -> None:
    battery = BatteryPhysics(at(0))
    level = battery.level
    begin = battery.time
    energy = 0.0
    while battery.time < begin + 86400:
        for _ in range(minutes):
            energy += battery.power / 60
            battery.advance(battery.time + 60)
    assert battery.level - level == pytest.approx(energy / 13.5 * 100, abs=0.01)


async def test_charging_adds_up(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    before = await api.state(BATTERY)
    await api.push(BATTERY, "charge", power=quantity(2.7, "kw"))
    for minutes in (10, 20, 30):
        clock.advance(minutes * 60)
        state = await now(api, sandbox, BATTERY)
        assert state["chargeRate"] == 2.7
        assert state["status"] == "charging"
    assert state["level"] == pytest.approx(
        before["level"] + 2.7 / state["capacity"] * 100, abs=0.05
    )


async def test_discharging_is_negative(
    api: Api, sandbox: Sandbox, clock: Clock
) -> None:
    before = await api.state(BATTERY)
    await api.push(BATTERY, "discharge", power=quantity(1.35, "kw"))
    clock.advance(3600)
    state = await now(api, sandbox, BATTERY)
    assert state["status"] == "discharging"
    assert state["chargeRate"] == -1.35
    assert state["level"] == pytest.approx(before["level"] - 10, abs=0.05)


async def test_a_target_is_reached(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    await api.push(BATTERY, "charge", target=quantity(80, "percent"))
    clock.advance(4 * 3600)
    state = await now(api, sandbox, BATTERY)
    assert state["level"] == 80
    assert state["status"] == "idle"
    assert state["currentMode"] == "charge"
    assert state["chargeRate"] == 0
    assert str(state["chargeRate"]) == "0"
    # It stays so, until somebody says otherwise.
    clock.advance(86400)
    assert (await now(api, sandbox, BATTERY))["level"] == 80


async def test_full_is_full(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    await api.push(BATTERY, "charge")
    clock.advance(86400)
    state = await now(api, sandbox, BATTERY)
    assert (state["level"], state["chargeRate"]) == (100, 0)


@pytest.mark.parametrize(
    ("settings", "target", "lowest"),
    [
        ({}, None, 10),
        ({}, 40, 40),
        ({"discharge_floor": 25}, None, 25),
        ({"safety_reserve": 35, "discharge_floor": 25}, None, 35),
        ({"discharge_floor": 45}, 20, 45),
    ],
)
async def test_floors(
    api: Api,
    sandbox: Sandbox,
    clock: Clock,
    settings: dict[str, float],
    target: float | None,
    lowest: float,
) -> None:
    if settings:
        body = {name: quantity(value, "percent") for name, value in settings.items()}
        await api.ask("POST", f"{BATTERY}/settings", body)
    parameters: dict[str, Any] = {}
    if target is not None:
        parameters["target"] = quantity(target, "percent")
    await api.push(BATTERY, "discharge", **parameters)
    clock.advance(86400)
    state = await now(api, sandbox, BATTERY)
    assert (state["level"], state["chargeRate"]) == (lowest, 0)


async def test_ceiling(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    body = {"charge_ceiling": quantity(75, "percent")}
    await api.ask("POST", f"{BATTERY}/settings", body)
    await api.push(BATTERY, "charge")
    clock.advance(86400)
    assert (await now(api, sandbox, BATTERY))["level"] == 75
    # One that stands higher already neither charges nor falls.
    body = {"charge_ceiling": quantity(60, "percent")}
    await api.ask("POST", f"{BATTERY}/settings", body)
    clock.advance(3600)
    state = await now(api, sandbox, BATTERY)
    assert (state["level"], state["chargeRate"]) == (75, 0)


async def test_current_limits(api: Api, sandbox: Sandbox) -> None:
    body = {
        "max_charge_rate": quantity(25, "amps"),
        "max_discharge_rate": quantity(50, "amps"),
    }
    await api.ask("POST", f"{BATTERY}/settings", body)
    await api.push(BATTERY, "charge")
    assert (await now(api, sandbox, BATTERY))["chargeRate"] == 1.28
    sandbox.clock.advance(5)
    await api.push(BATTERY, "discharge")
    assert (await now(api, sandbox, BATTERY))["chargeRate"] == -2.56


async def test_idle_moves_nothing(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    await api.push(BATTERY, "idle")
    before = await now(api, sandbox, BATTERY)
    clock.advance(86400)
    after = await now(api, sandbox, BATTERY)
    assert after == before
    assert (after["status"], after["chargeRate"]) == ("idle", 0)


async def test_auto_goes_back_to_the_day(
    api: Api, sandbox: Sandbox, clock: Clock
) -> None:
    await api.push(BATTERY, "idle")
    clock.set(f"{JUNE}14:00:00Z")
    assert (await now(api, sandbox, BATTERY))["level"] == 57
    await api.push(BATTERY, "auto.balanced")
    clock.set(f"{JUNE}20:00:00Z")
    assert (await now(api, sandbox, BATTERY))["level"] == pytest.approx(40, abs=0.5)


async def test_reserve_and_export(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    await api.push(BATTERY, "auto.reserve", reserve=quantity(80, "percent"))
    clock.set(f"{JUNE}20:00:00Z")
    assert (await now(api, sandbox, BATTERY))["level"] == 80
    body = {"export_limit": quantity(1500, "watts")}
    await api.ask("POST", f"{BATTERY}/settings", body)
    await api.push(BATTERY, "auto.export", reserve=quantity(50, "percent"))
    assert (await now(api, sandbox, BATTERY))["chargeRate"] == -1.5
    clock.advance(6 * 3600)
    state = await now(api, sandbox, BATTERY)
    assert (state["level"], state["chargeRate"]) == (50, 0)


# Chargers and vehicles.


async def test_a_paused_charger_draws_nothing(
    api: Api, sandbox: Sandbox, clock: Clock
) -> None:
    await api.push(CHARGER, "idle")
    level = sandbox.device("device_ev_001").physics.guest.level  # type: ignore[attr-defined]
    for _ in range(3):
        state = await now(api, sandbox, CHARGER)
        assert state["isConnected"] is True
        assert state["isCharging"] is False
        assert state["currentPower"] == 0
        assert state["status"] == "paused"
        clock.advance(3600)
    after = sandbox.device("device_ev_001").physics.guest.level  # type: ignore[attr-defined]
    assert after == level
    await api.push(CHARGER, "charge")
    assert (await now(api, sandbox, CHARGER))["currentPower"] == 7.4


async def test_the_cap_caps(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    assert (await now(api, sandbox, CHARGER))["currentPower"] == 7.4
    for cap, drawn in ((3.7, 3.7), (0, 0), (50, 7.4), (7.3, 7.3)):
        body = {"max_charge_rate": quantity(cap, "kw")}
        await api.ask("POST", f"{CHARGER}/settings", body)
        read = await api.get(CHARGER)
        assert read["state"]["currentPower"] == drawn
        assert read["state"]["isCharging"] is (drawn > 0)
        assert read["state"]["powerRateLimit"] == cap
        assert read["settings"]["max_charge_rate"]["value"] == cap
    # It survives charge and idle.
    for command in ("idle", "charge"):
        await api.push(CHARGER, command)
        clock.advance(5)
    assert (await api.state(CHARGER))["currentPower"] == 7.3


def test_what_a_charger_gives_arrives_in_a_car() -> None:
    charger = ChargerPhysics(at(9.5))
    guest = charger.guest
    level, given = guest.level, 0.0
    for _ in range(12 * 60):
        given += charger.power / 60
        charger.advance(charger.time + 60)
        if charger.time >= at(20):
            break
    assert guest.level == pytest.approx(80, abs=0.3)
    assert (guest.level - level) / 100 * guest.capacity == pytest.approx(given, abs=0.1)
    assert charger.state()["status"] == "finished"


@pytest.mark.parametrize(
    ("begin", "end", "first", "last", "plugged"),
    [
        (6, 9, 80, 95, True),
        (9, 17, 95, 71, False),
        (17, 21, 70, 50, False),
        (21, 30, 50, 82, True),
    ],
)
def test_the_documented_day_of_a_vehicle(
    begin: float, end: float, first: float, last: float, plugged: bool
) -> None:
    charger, vehicle = ChargerPhysics(at(0)), VehiclePhysics(at(0))
    charger.link(vehicle)
    low, high = sorted((first, last))
    for quarter in range(1, int((end - begin) * 4)):
        vehicle.advance(at(begin + quarter / 4))
        state = vehicle.state()
        assert low - 0.5 <= state["batteryLevel"] <= high + 0.5
        assert state["plugged"] is plugged
        assert state["charging"] is plugged
        assert state["chargeRate"] == charger.state()["currentPower"] or not plugged


async def test_charger_and_vehicle_go_together(
    api: Api, sandbox: Sandbox, clock: Clock
) -> None:
    clock.set(f"{JUNE}23:00:00Z")
    before = await now(api, sandbox, VEHICLE)
    await api.push(CHARGER, "charge")
    body = {"max_charge_rate": quantity(7.4, "kw")}
    await api.ask("POST", f"{CHARGER}/settings", body)
    clock.advance(3600)
    charger = await now(api, sandbox, CHARGER)
    vehicle = await now(api, sandbox, VEHICLE)
    assert charger["currentPower"] == vehicle["chargeRate"] == 7.4
    assert vehicle["batteryLevel"] - before["batteryLevel"] == pytest.approx(
        10, abs=0.15
    )
    assert vehicle["chargeTimeRemaining"] == pytest.approx(
        (95 - vehicle["batteryLevel"]) / 100 * 74 / 7.4 * 60, abs=1
    )
    await api.push(CHARGER, "idle")
    vehicle = await now(api, sandbox, VEHICLE)
    assert (vehicle["plugged"], vehicle["charging"]) == (True, False)
    assert vehicle["chargeRate"] == 0


async def test_a_vehicle_gets_full(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    clock.set(f"{JUNE}21:30:00Z")
    await api.push(CHARGER, "charge")
    clock.set("2026-06-02T05:00:00Z")
    vehicle = await now(api, sandbox, VEHICLE)
    assert vehicle["batteryLevel"] == 95
    assert vehicle["fullyCharged"] is True
    assert vehicle["charging"] is False
    assert vehicle["chargeTimeRemaining"] == 0
    assert (await now(api, sandbox, CHARGER))["status"] == "finished"


async def test_without_its_vehicle_or_charger(
    api: Api, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.home.remove_device("device_vehicle_001")
    clock.set(f"{JUNE}23:00:00Z")
    assert (await now(api, sandbox, CHARGER))["isCharging"] is True
    sandbox.home.add_device("vehicle", device_id="device_vehicle_001")
    sandbox.home.remove_device("device_ev_001")
    clock.advance(1800)
    assert (await now(api, sandbox, VEHICLE))["charging"] is True


def test_nobody_at_the_plug() -> None:
    charger = ChargerPhysics(at(20.9))
    assert charger.state()["status"] == "available"
    assert charger.state()["isConnected"] is False
    charger.command("charge", {})
    assert charger.state()["isCharging"] is False
    assert charger.state()["currentPower"] == 0


# Heating and cooling.


@pytest.mark.parametrize(("command", "target"), [("heat", 26), ("cool", 18)])
async def test_a_room_gets_where_it_should(
    api: Api, sandbox: Sandbox, clock: Clock, command: str, target: float
) -> None:
    before = (await api.state(HVAC))["temperature"]
    await api.push(HVAC, command, target=quantity(target, "celsius"))
    state = await api.state(HVAC)
    assert state["active"] is True
    assert state["mode"] == command
    assert state["holdType"] == "permanent"
    assert state[f"{command}Setpoint"] == target
    clock.advance(1800)
    between = (await now(api, sandbox, HVAC))["temperature"]
    assert (between > before) is (command == "heat")
    seen = set()
    clock.advance(3 * 3600)
    for _ in range(60):
        clock.advance(300)
        state = await now(api, sandbox, HVAC)
        assert state["temperature"] == pytest.approx(target, abs=0.5)
        seen.add(state["active"])
    assert seen == {True, False}


async def test_off_drifts(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    await api.push(HVAC, "idle")
    before = await api.state(HVAC)
    assert (before["mode"], before["active"]) == ("off", False)
    clock.set("2026-06-02T02:00:00Z")
    after = await now(api, sandbox, HVAC)
    assert after["active"] is False
    assert 12 < after["temperature"] < before["temperature"]


async def test_the_programme_of_a_day(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    for hour, heat, cool in ((12, 19, 25), (17, 21, 24), (23, 18, 25), (30, 21, 24)):
        clock.set(at(hour))
        state = await now(api, sandbox, HVAC)
        assert (state["heatSetpoint"], state["coolSetpoint"]) == (heat, cool)
        assert state["holdType"] == "follow_schedule"
        assert state["mode"] == "auto"
    await api.push(HVAC, "auto", heatSetpoint=quantity(20.5, "celsius"))
    clock.advance(86400)
    state = await now(api, sandbox, HVAC)
    assert (state["heatSetpoint"], state["coolSetpoint"]) == (20.5, 24)
    assert state["holdType"] == "permanent"
    await api.push(HVAC, "follow_schedule")
    assert (await api.state(HVAC))["heatSetpoint"] == 21


def test_a_winter_night_is_heated() -> None:
    room = HvacPhysics(to_seconds("2026-01-15T00:00:00Z"))
    active = 0
    for _ in range(24 * 12):
        room.advance(room.time + 300)
        active += room.active
        assert room.heat - 3 < room.temperature < room.cool + 0.5
    assert active > 12


def test_one_end_of_a_band_pushes_the_other() -> None:
    room = HvacPhysics(at(10))
    room.command("auto", {"heatSetpoint": 30.0})
    assert (room.heat, room.cool) == (30, 30)


# The sun.


@pytest.mark.parametrize("step", [60, 420, 3600, 86400])
def test_energy_is_the_integral_of_the_power(step: int) -> None:
    inverter = SolarPhysics(at(0), energy=100.0)
    fine = SolarPhysics(at(0), energy=100.0)
    total = 0.0
    for _ in range(2880):
        before = fine.power
        fine.advance(fine.time + 30)
        total += (before + fine.power) / 2 * 30 / 3600
    while inverter.time < at(24):
        inverter.advance(min(inverter.time + step, at(24)))
    assert fine.energy - 100 == pytest.approx(total, abs=0.001)
    assert inverter.energy == pytest.approx(fine.energy, abs=0.01)
    assert total > 20


def test_the_documented_day_of_the_sun() -> None:
    inverter = SolarPhysics(at(0))
    energy = inverter.energy
    peak = 0.0
    for quarter in range(96):
        inverter.advance(at(quarter / 4))
        hour = quarter / 4
        state = inverter.state()
        assert inverter.energy >= energy
        energy = inverter.energy
        night = hour <= 6 or hour >= 18
        assert (state["currentPower"] == 0) is night
        assert state["producing"] is not night
        assert state["status"] == ("idle" if night else "producing")
        if 9 <= hour <= 15:
            assert 3.5 < state["currentPower"] <= 5
        peak = max(peak, state["currentPower"])
    assert peak > 4


def test_less_in_winter() -> None:
    winter = SolarPhysics(to_seconds("2026-01-01T12:00:00Z"))
    summer = SolarPhysics(to_seconds("2026-07-01T12:00:00Z"))
    assert winter.power < summer.power / 2


async def test_energy_over_the_api(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    state = await now(api, sandbox, SOLAR)
    energy, power, total = state["energyTotal"], state["currentPower"], 0.0
    for _ in range(60):
        clock.advance(60)
        state = await now(api, sandbox, SOLAR)
        total += (power + state["currentPower"]) / 2 / 60
        power = state["currentPower"]
    assert state["energyTotal"] - energy == pytest.approx(total, abs=0.01)


# Looking changes nothing.


async def test_looking_changes_nothing(socket_enabled: None) -> None:
    start = f"{JUNE}04:00:00Z"
    watched = Sandbox("home", clock=Clock.manual(start))
    alone = Sandbox("home", clock=Clock.manual(start))
    for _ in range(96):
        watched.clock.advance(600)
        for device in watched.home.devices:
            device.capture()
    alone.clock.advance(96 * 600)
    for one, other in zip(watched.home.devices, alone.home.devices, strict=True):
        other.capture()
        assert one.captured == other.captured


async def test_a_clock_set_back(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    await api.push(BATTERY, "charge", power=quantity(1.35, "kw"))
    clock.advance(3600)
    assert (await now(api, sandbox, BATTERY))["level"] == 67
    clock.set(f"{JUNE}08:00:00Z")
    state = await now(api, sandbox, BATTERY)
    assert state["level"] == 67
    assert (await api.get(BATTERY))["sync"]["lastPulledAt"].startswith(f"{JUNE}08")
    clock.advance(3600)
    assert (await now(api, sandbox, BATTERY))["level"] == 77
    for path in (CHARGER, VEHICLE, HVAC, SOLAR):
        await now(api, sandbox, path)


async def test_months_pass_quickly(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    clock.advance(90 * 86400)
    for path in (BATTERY, CHARGER, VEHICLE, HVAC, SOLAR):
        await now(api, sandbox, path)
    assert (await api.state(BATTERY))["level"] == pytest.approx(57, abs=0.5)
