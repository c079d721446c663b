"""Hours and days in the sandbox's own house: what is promised holds all the time."""

from datetime import datetime

from sandbox.physics import BatteryPhysics, ChargerPhysics, VehiclePhysics

from .house import BATTERY, CHARGER, ZONE, House

GRID = "sensor.grid"
STEP = 30


def _grid(house: House) -> float:
    return float(house.sandbox.home.house.as_json()["grid"])


def _furnish(house: House, *kinds: str) -> None:
    """Leave of the usual home what a test is about."""
    for device in house.sandbox.home.devices:
        if device.kind.type not in kinds:
            house.sandbox.home.remove_device(device.id)


async def _watch(house: House, hours: float) -> float:
    """Let hours pass; return for how long in a row more than 8 kW were drawn."""
    longest = over = 0.0
    for _ in range(round(hours * 3600 / STEP)):
        await house.let_pass(STEP, STEP)
        over = over + STEP if _grid(house) > 8.01 else 0
        longest = max(longest, over)
    return longest


async def test_an_evening_under_the_limit(house: House) -> None:
    """A car comes home at ten and is full at five; the heating goes on and off."""
    _furnish(house, "ev_charger", "vehicle", "hvac")
    charger = house.sandbox.home.device(CHARGER).physics
    assert isinstance(charger, ChargerPhysics)
    charger.command("charge", {})
    house.live()
    await house.begin("2026-01-13T21:50:20")
    house.meters[GRID] = lambda: _grid(house)
    house.show(GRID, _grid(house), "kW")
    await house.automate(
        "keep_under_supply_limit",
        charger=house.device(CHARGER),
        house_meter=GRID,
        supply_limit=8,
    )
    assert await _watch(house, 7) <= 180
    car = house.sandbox.home.device("device_vehicle_001").physics
    assert isinstance(car, VehiclePhysics)
    assert car.level > 94
    assert len(house.settings(CHARGER)) + len(house.pushes(CHARGER)) < 70


async def test_an_evening_with_several_cars(house: House) -> None:
    """Three come at once and get what is there: no more, and not much less."""
    _furnish(house, "ev_charger", "vehicle", "hvac")
    home = house.sandbox.home
    chargers = [CHARGER]
    for _ in range(2):
        chargers.append(home.add_device("ev_charger", model="Pulsar Plus").id)
        home.add_device("vehicle")
    for device_id in chargers:
        home.device(device_id).physics.command("charge", {})
    house.live()
    await house.begin("2026-01-13T21:50:20")
    house.meters[GRID] = lambda: _grid(house)
    house.show(GRID, _grid(house), "kW")
    await house.automate(
        "share_supply_between_chargers",
        house_meter=GRID,
        supply_limit=8,
        **{
            f"charger_{number}": house.device(device_id)
            for number, device_id in enumerate(chargers, 1)
        },
    )
    await _watch(house, 0.25)
    begun = home.house.imported
    assert await _watch(house, 6) <= 120
    assert home.house.imported - begun > 0.8 * 8 * 6
    commands = sum(len(house.settings(one) + house.pushes(one)) for one in chargers)
    assert commands < 150


async def test_a_week_end_with_the_clocks_put_forward(house: House) -> None:
    """One command for each night; it may charge in the cheap hours, and in no other."""
    _furnish(house, "battery")
    battery = house.sandbox.home.device(BATTERY).physics
    assert isinstance(battery, BatteryPhysics)
    await house.begin("2026-03-27T12:00:00")
    await house.automate("charge_in_cheap_hours", battery=house.device(BATTERY))
    wrong = []
    while (now := house.sandbox.clock.now().astimezone(ZONE)).day < 31:
        await house.let_pass(600, 600)
        house.sandbox.home.settle()
        now = house.sandbox.clock.now().astimezone(ZONE)
        hour = now.hour + now.minute / 60
        cheap = hour > 22.05 or hour < 4.95
        dear = 5.05 < hour < 21.95
        charges = battery.mode == "charge"
        if (cheap and not charges) or (dear and charges):
            wrong.append(now)
    assert wrong == []
    nights = datetime(2026, 3, 31, tzinfo=ZONE) - datetime(2026, 3, 27, tzinfo=ZONE)
    assert len(house.pushes(BATTERY)) == nights.days
