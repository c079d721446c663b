"""The days: which house, which blueprint, and what goes wrong in them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sandbox import Fault, Sandbox
from sandbox.kinds import BATTERY, EV_CHARGER, HVAC, SOLAR, VEHICLE, Kind

from .house import DAY, FORECAST, GRID, HOUR, PRICE, ZONE, Counts, House, price

BATTERY_ID: Final = "device_battery_001"
CHARGER_ID: Final = "device_ev_001"
HVAC_ID: Final = "device_hvac_001"


def night_rate(at: float) -> float:
    """Return the price of a contract with cheap nights."""
    hour = datetime.fromtimestamp(at, ZONE).hour
    return 0.18 if hour >= 22 or hour < 5 else 0.34


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A blueprint in a house, and what it is there for."""

    blueprint: str
    start: datetime
    device_id: str
    # What goes wrong, one after the other, and at which hour of the house.
    wrong: tuple[Callable[[House, Scenario], Awaitable[None]], ...]
    fails_at: float
    inputs: Callable[[House], Mapping[str, object]]
    # What is looked at: its words, and the figure of a day.
    goal: str
    figure: Callable[[Counts, float], float]
    # Of the usual home, what stands in this one.
    kinds: tuple[Kind, ...]
    chargers: int = 1
    level: str = "standard"
    limit: float = 1000.0
    tariff: Callable[[float], float] = price

    def furnish(self, sandbox: Sandbox) -> None:
        """Have in the house what the blueprint is about."""
        home = sandbox.home
        for device in home.devices:
            if device.kind not in self.kinds:
                home.remove_device(device.id)
        for number in range(1, self.chargers):
            home.add_device(EV_CHARGER, model="Pulsar Plus")
            home.add_device(VEHICLE, offset=-4.0 * number)
        for device in home.devices:
            if device.kind is EV_CHARGER:
                device.physics.command("charge", {})

    def per_day(self, counts: Counts, days: float) -> dict[str, float]:
        """Return the figures of a day."""
        return {
            "from the grid": counts.imported / days,
            "cost": counts.cost / days,
            "commands": counts.commands / days,
            "cars": counts.cars / days,
            "goal": self.figure(counts, days),
        }


async def _fail(house: House, scenario: Scenario) -> None:
    """Let the manufacturer not answer the next command."""
    device = house.sandbox.device(scenario.device_id)
    device.next_action("failed", code="TIMEOUT", message="No answer.")


async def _refuse(house: House, scenario: Scenario) -> None:
    """Let Amps AI refuse what is pushed for half an hour."""
    fault: Fault = house.sandbox.faults.add(
        method="POST",
        path=f"/*/{scenario.device_id}*",
        status=500,
        code="INTERNAL_ERROR",
    )
    await asyncio.sleep(HOUR / 2)
    house.sandbox.faults.remove(fault)


async def _restart(house: House, _scenario: Scenario) -> None:
    """Have Home Assistant off for twenty minutes."""
    await house.stop()
    await asyncio.sleep(HOUR / 3)
    await house.start()


async def _silence(house: House, _scenario: Scenario) -> None:
    """Let the meters be silent for three hours."""
    house.silent = True
    await asyncio.sleep(3 * HOUR)
    house.silent = False


def _chargers(house: House) -> Mapping[str, object]:
    return {
        f"charger_{number}": house.device(f"device_ev_{number:03d}")
        for number in (1, 2, 3)
    }


def _share_of_low(counts: Counts, _days: float) -> float:
    return 100 * counts.low_charged / counts.low


# From noon to noon, over the night in which the clocks are put forward.
SPRING: Final = datetime(2026, 3, 27, 11, tzinfo=UTC)
# From midnight to midnight.
SUMMER: Final = datetime(2026, 6, 1, 22, tzinfo=UTC)
WINTER: Final = datetime(2026, 1, 12, 23, tzinfo=UTC)

SCENARIOS: Final = (
    Scenario(
        blueprint="charge_in_cheap_hours",
        start=SPRING,
        device_id=BATTERY_ID,
        wrong=(_fail, _restart, _refuse, _silence),
        fails_at=19.9,
        tariff=night_rate,
        inputs=lambda house: {"battery": house.device(BATTERY_ID)},
        goal="% of the cheap hours in which it may charge",
        figure=_share_of_low,
        kinds=(BATTERY, HVAC),
    ),
    Scenario(
        blueprint="charge_at_low_prices",
        start=SPRING,
        device_id=BATTERY_ID,
        wrong=(_fail, _restart, _refuse, _silence),
        fails_at=2.2,
        inputs=lambda house: {
            "battery": house.device(BATTERY_ID),
            "price": PRICE,
            "limit": house.low,
            "slot": "15",
        },
        goal="% of the time with a low price in which it may charge",
        figure=_share_of_low,
        kinds=(BATTERY, HVAC),
    ),
    Scenario(
        blueprint="charge_in_cheapest_hours",
        start=SPRING,
        device_id=BATTERY_ID,
        wrong=(_fail, _restart, _refuse, _silence),
        fails_at=17.9,
        inputs=lambda house: {
            "device": house.device(BATTERY_ID),
            "prices": [FORECAST],
            "hours": 3,
        },
        goal="hours charged, of 3",
        figure=lambda counts, days: counts.charged / days,
        kinds=(BATTERY, HVAC),
    ),
    Scenario(
        blueprint="keep_under_supply_limit",
        start=WINTER,
        device_id=CHARGER_ID,
        wrong=(_fail, _silence),
        fails_at=22.0,
        inputs=lambda house: {
            "charger": house.device(CHARGER_ID),
            "house_meter": GRID,
            "supply_limit": house.limit,
        },
        goal="minutes over the limit",
        figure=lambda counts, days: counts.over * 60 / days,
        level="live",
        limit=8.0,
        kinds=(EV_CHARGER, VEHICLE, HVAC),
    ),
    Scenario(
        blueprint="share_supply_between_chargers",
        start=WINTER,
        device_id=CHARGER_ID,
        wrong=(_fail, _silence),
        fails_at=22.0,
        inputs=lambda house: {
            **_chargers(house),
            "house_meter": GRID,
            "supply_limit": house.limit,
        },
        goal="minutes over the limit",
        figure=lambda counts, days: counts.over * 60 / days,
        level="live",
        limit=16.0,
        kinds=(EV_CHARGER, VEHICLE, HVAC),
        chargers=3,
    ),
    Scenario(
        blueprint="charge_from_solar_surplus",
        start=SUMMER,
        device_id=CHARGER_ID,
        wrong=(_fail, _silence),
        fails_at=14.0,
        inputs=lambda house: {
            "charger": house.device(CHARGER_ID),
            "takes": [GRID],
            "gives": [house.entity("sensor", f"{BATTERY_ID}_power")],
        },
        goal="kWh of the house battery used at night",
        figure=lambda counts, days: counts.given / days,
        level="live",
        kinds=(EV_CHARGER, VEHICLE, BATTERY, SOLAR),
    ),
    Scenario(
        blueprint="preheat_before_dear_hours",
        start=WINTER,
        device_id=HVAC_ID,
        wrong=(_fail, _restart, _refuse, _silence),
        fails_at=16.9,
        inputs=lambda house: {
            "thermostat": house.entity("climate", f"{HVAC_ID}_climate")
        },
        goal="kWh from the grid in the expensive hours",
        figure=lambda counts, days: counts.dear / days,
        kinds=(HVAC,),
    ),
)


async def go_wrong(house: House, scenario: Scenario, days: int) -> None:
    """Let all of it go wrong once, each day some of it."""
    begins = datetime.fromtimestamp(scenario.start.timestamp(), ZONE).hour
    first = scenario.start.timestamp() + (scenario.fails_at - begins) % 24 * HOUR
    for day in range(days):
        await asyncio.sleep(max(0.0, first + day * DAY - house.now))
        for happen in scenario.wrong[day::days]:
            await happen(house, scenario)
