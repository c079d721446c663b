"""The house around the devices, and the car at its charger."""

from typing import Any

import pytest

from sandbox import Clock, Sandbox
from tests.sandbox.helpers import BATTERY, CHARGER, HVAC, START, VEHICLE, Api, quantity


def balance(flows: dict[str, Any]) -> float:
    """Return what is given more than it is taken."""
    given = flows["solar"] + flows["battery"] + flows["grid"]
    return float(given - flows["house"] - flows["charging"])


async def told(api: Api) -> dict[str, Any]:
    """Return what the control route tells of the house."""
    flows: dict[str, Any] = await api.ask("GET", "/_sandbox/house")
    return flows


async def test_flows_add_up(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    assert (await told(api))["imported"] == 0
    for hours in range(48):
        if hours == 12:
            await api.push(BATTERY, "discharge", power=quantity(4, "kw"))
        if hours == 20:
            await api.push(CHARGER, "idle")
            await api.push(HVAC, "heat", target=quantity(25, "celsius"))
        clock.advance(3600)
        flows = await told(api)
        assert balance(flows) == pytest.approx(0, abs=0.001)
        assert flows["solar"] == pytest.approx(
            (await api.state("/solar-inverter/device_inverter_001?expedite=true"))[
                "currentPower"
            ],
            abs=0.001,
        )
        state = await api.state(f"{BATTERY}?expedite=true")
        assert flows["battery"] == pytest.approx(-state["chargeRate"], abs=0.001)
    assert flows["imported"] > 0
    assert flows["used"] > 10


async def test_energies_add_up(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    physics = {device.id: device.physics for device in sandbox.home.devices}
    meter = sandbox.home.house
    before = {name: item.drawn for name, item in physics.items()}
    battery = physics["device_battery_001"].state()
    for _ in range(24):
        clock.advance(3600)
    drawn = {name: item.drawn - before[name] for name, item in physics.items()}
    assert meter.imported - meter.exported == pytest.approx(
        meter.used + sum(drawn.values()) - drawn["device_hvac_001"]
    )
    gained = (physics["device_battery_001"].state()["level"] - battery["level"]) / 100
    assert drawn["device_battery_001"] == pytest.approx(gained * 13.5, abs=0.03)
    assert drawn["device_inverter_001"] < -5
    # What goes through the charger is the charger's, not the car's as well.
    assert drawn["device_vehicle_001"] == 0


async def test_what_was_there_before_the_meter_does_not_count(
    api: Api, sandbox: Sandbox, clock: Clock
) -> None:
    clock.advance(86400)
    meter = sandbox.home.house
    assert (meter.imported, meter.exported) == (0, 0)
    added = sandbox.home.add_device("battery")
    clock.advance(3600)
    sandbox.home.remove_device(added.id)
    clock.advance(3600)
    assert balance(meter.as_json()) == pytest.approx(0, abs=0.001)
    answer = await api.ask("GET", "/_sandbox/house?account=live")
    assert answer["imported"] == 0
    clock.set(START)
    clock.advance(60)
    await told(api)


async def test_charger_and_car_agree(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    await api.ask("PATCH", "/_sandbox/home", {"guests": False})
    seen = set()
    for hour in range(48):
        clock.advance(3600)
        if hour == 14:
            await api.push(CHARGER, "idle")
        if hour == 20:
            await api.push(CHARGER, "charge")
        charger = await api.state(f"{CHARGER}?expedite=true")
        car = await api.state(f"{VEHICLE}?expedite=true")
        assert charger["isConnected"] is car["plugged"]
        assert charger["isCharging"] is car["charging"]
        assert charger["currentPower"] == car["chargeRate"]
        seen.add(charger["status"])
    assert seen == {"available", "charging", "paused", "finished"}


async def test_a_free_charger_from_the_start() -> None:
    clock = Clock.manual("2026-06-01T12:00:00Z")
    alone = Sandbox(clock=clock, guests=False).device("device_ev_001").captured
    assert alone is not None
    assert (alone["status"], alone["currentPower"]) == ("available", 0)
