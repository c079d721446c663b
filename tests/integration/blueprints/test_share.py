"""The blueprint for several chargers: who gets what, and never more than there is."""

from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest

from sandbox import Fault
from sandbox.physics import ChargerPhysics

from .house import AUTOMATION, HOUR, ZONE, House, Json, capped, commanded

SHARE = "share_supply_between_chargers"
METER = "sensor.house"
LIMIT = 20.0

FIRST, SECOND, THIRD = CHARGERS = ("device_ev_001", "device_ev_002", "device_ev_003")


class Cars:
    """Three chargers and their meter: what the cars draw, they draw at once."""

    def __init__(self, house: House) -> None:
        """Connect the chargers beside the first one."""
        self._house = house
        self.base = 1.0
        # What a car takes at most, in kW; a full one takes 0, where none is, None.
        self.takes: dict[str, float | None] = dict.fromkeys(CHARGERS, 11.0)
        for device_id in CHARGERS[1:]:
            house.sandbox.home.add_device(
                "ev_charger", model="Pulsar Plus", device_id=device_id
            )
        for device_id in CHARGERS:
            self.physics(device_id).command("charge", {})
        self.meter()

    def physics(self, device_id: str) -> ChargerPhysics:
        """Return what a charger really does."""
        physics = self._house.sandbox.home.device(device_id).physics
        assert isinstance(physics, ChargerPhysics)
        return physics

    def draws(self, device_id: str) -> float:
        """Return what a car draws now."""
        return self.physics(device_id).most(self.takes[device_id] or 0)

    def caps(self) -> list[float]:
        """Return what the chargers give at most."""
        return [round(self.physics(one).most(50), 3) for one in CHARGERS]

    def may_draw(self) -> float:
        """Return what the cars may draw together without a further command.

        A full one does not count where there is only just enough for the others.
        """
        draw = [self.physics(one).most(50) for one in CHARGERS if self.takes[one]]
        full = [self.physics(one).most(50) for one in CHARGERS if self.takes[one] == 0]
        return sum(draw) + (sum(full) if max([0, *draw, *full]) > 1.5 else 0)

    def meter(self) -> float:
        """Return what the house draws, and let the chargers know what they give."""
        for device_id, takes in self.takes.items():
            power = self.draws(device_id)
            self._house.sandbox.home.device(device_id).state_override = {
                "isConnected": takes is not None,
                "isCharging": power > 0,
                "currentPower": power,
            }
        return round(self.base + sum(self.draws(one) for one in CHARGERS), 3)


@pytest.fixture
def cars(house: House) -> Cars:
    """Have three cars that take 11 kW each."""
    return Cars(house)


async def _share(
    house: House,
    cars: Cars,
    chosen: tuple[str, ...] = CHARGERS,
    told: tuple[str, ...] = CHARGERS,
    **inputs: Any,
) -> None:
    """Share 20 kW between the three, who may all charge, at two in the afternoon."""
    cars.meter()
    await house.begin("2026-06-01T14:00:20")
    for device_id in told:
        await _switch(house, device_id, "on")
    house.sandbox.requests.clear()
    house.meters[METER] = cars.meter
    house.show(METER, cars.meter(), "kW")
    await house.automate(
        SHARE,
        **{
            "house_meter": METER,
            "supply_limit": LIMIT,
            **{
                f"charger_{number}": house.device(device_id)
                for number, device_id in enumerate(chosen, 1)
            },
            **inputs,
        },
    )


async def _switch(house: House, device_id: str, way: str) -> None:
    await house.hass.services.async_call(
        "switch",
        f"turn_{way}",
        {"entity_id": house.entity("switch", f"{device_id}_charge")},
        blocking=True,
    )


def _sent(house: House, device_id: str) -> list[Json]:
    """Return what a charger was told, settings first."""
    return [*house.settings(device_id), *house.pushes(device_id)]


def _commands(house: House) -> int:
    return sum(len(_sent(house, one)) for one in CHARGERS)


def _refuse(house: House, device_id: str) -> Fault:
    """Let a charger refuse all that it is told."""
    return house.sandbox.faults.add(
        method="POST",
        path=f"/ev-charger/{device_id}*",
        status=500,
        code="INTERNAL_ERROR",
    )


async def test_the_first_gets_what_it_takes(house: House, cars: Cars) -> None:
    """Then the next; what all need to charge at all comes first."""
    await _share(house, cars)
    await house.let_pass(60)
    assert cars.caps() == [11, 6, 1.5]
    await house.let_pass(HOUR, 30)
    assert house.settings(SECOND) == [capped(6)]
    assert house.settings(THIRD) == [capped(1.5)]
    assert _commands(house) == 2


async def test_each_has_its_own_least_power(house: House, cars: Cars) -> None:
    await _share(house, cars, supply_limit=14, least_2=4.1)
    await house.let_pass(60)
    assert cars.caps() == [6.8, 4.2, 1.5]
    # Where it is not enough for the second one, it may be for the third.
    cars.base = 9.5
    await house.let_pass(180)
    assert cars.caps() == [2.5, 0, 1.5]
    assert house.settings(SECOND)[-1] == capped(4.1)
    assert house.pushes(SECOND) == [commanded("idle")]


async def test_pauses_the_last_first_and_goes_on(house: House, cars: Cars) -> None:
    await _share(house, cars)
    await house.let_pass(60)
    for base, expected in (
        (15.2, [1.5, 1.5, 1.5]),
        (16.8, [1.5, 1.5, 0]),
        (17.4, [1.5, 0, 0]),
        (19.0, [0, 0, 0]),
    ):
        cars.base = base
        await house.let_pass(180)
        assert cars.caps() == expected
    assert [len(house.pushes(one)) for one in CHARGERS] == [1, 1, 1]
    # Half a kilowatt more than the least power has to be there.
    cars.base = 18.1
    await house.let_pass(900, 30)
    assert cars.caps() == [0, 0, 0]
    cars.base = 18.0
    await house.let_pass(330, 30)
    assert cars.caps() == [1.5, 0, 0]
    cars.base = 1.0
    await house.let_pass(330, 30)
    assert cars.caps() == [11, 6, 1.5]
    assert house.pushes(THIRD) == [commanded("idle"), commanded("charge")]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_under_the_limit_at_any_reading(
    house: House, cars: Cars, seed: int
) -> None:
    """Whatever the house draws and the cars do: over it for two minutes at most."""
    random = Random(seed)
    await _share(house, cars, supply_limit=16)
    begun = dt_util.utcnow()
    over = really = 0.0
    for _ in range(40):
        match random.randrange(4):
            case 0:
                one = random.choice(CHARGERS)
                cars.takes[one] = random.choice((None, 0.0, 3.7, 7.4, 11.0))
            case _:
                cars.base = round(random.uniform(0, 15), 1)
        for _ in range(random.choice((4, 20, 50))):
            await house.let_pass(15)
            might = cars.may_draw()
            over = over + 15 if might and cars.base + might > 16.01 else 0
            assert over <= 165, (cars.base, cars.takes, cars.caps())
            draw = cars.meter() - cars.base
            really = really + 15 if draw and cars.base + draw > 16.01 else 0
            assert really <= 105, (cars.base, cars.takes, cars.caps())
    hours = (dt_util.utcnow() - begun).total_seconds() / HOUR
    assert _commands(house) < 30 * hours


async def test_small_changes_are_no_commands(house: House, cars: Cars) -> None:
    """What goes up and down by less than is kept free costs nothing."""
    random = Random(1)
    await _share(house, cars)
    await house.let_pass(60)
    for _ in range(240):
        cars.base = 1 + random.uniform(-0.4, 0.4)
        await house.let_pass(30)
    assert _commands(house) == 2


async def test_no_cap_is_raised_more_often_than_asked(house: House, cars: Cars) -> None:
    await _share(house, cars, rest=10)
    await house.let_pass(60)
    begun = len(house.settings(SECOND))
    for minute in range(60):
        cars.base = 4 if minute % 2 else 0.5
        await house.let_pass(60)
    raised = [
        later["max_charge_rate"]["value"] > one["max_charge_rate"]["value"]
        for one, later in pairwise(house.settings(SECOND)[begun - 1 :])
    ]
    assert sum(raised) <= 6


async def test_refusal_is_made_up_for_by_the_others(
    house: House, cars: Cars, said_wrong: list[str]
) -> None:
    """The last one draws on: the others leave the room, and it is tried again."""
    said_wrong.append("Error executing script")
    await _share(house, cars)
    fault = _refuse(house, THIRD)
    await house.let_pass(60)
    assert cars.caps() == [6, 1.5, 11]
    assert cars.meter() <= LIMIT
    await house.let_pass(1800, 30)
    assert cars.caps() == [6, 1.5, 11]
    tries = len(house.settings(THIRD))
    assert 3 <= tries <= 8
    # Nobody else was told anything a second time.
    assert len(_sent(house, FIRST)) == len(_sent(house, SECOND)) == 1
    house.sandbox.faults.remove(fault)
    await house.let_pass(660, 30)
    assert cars.caps() == [11, 6, 1.5]
    assert cars.meter() <= LIMIT


async def test_refusal_of_one_does_not_keep_others_from_more(
    house: House, cars: Cars, said_wrong: list[str]
) -> None:
    said_wrong.append("Error executing script")
    cars.base = 12
    await _share(house, cars)
    await house.let_pass(60)
    assert cars.caps() == [4.5, 1.5, 1.5]
    _refuse(house, FIRST)
    cars.base = 2
    await house.let_pass(660, 30)
    first, second, third = cars.caps()
    assert (first, third) == (4.5, 1.5)
    assert second == 11
    assert cars.meter() <= LIMIT


async def test_pause_that_fails_is_tried_again(
    house: House, cars: Cars, said_wrong: list[str]
) -> None:
    said_wrong.append("Error executing script")
    await _share(house, cars)
    await house.let_pass(60)
    house.sandbox.home.device(THIRD).next_action("failed", code="TIMEOUT")
    cars.base = 16.5
    await house.let_pass(45)
    # Its cap is at its least power, and the one before leaves the room.
    assert cars.caps() == [1.6, 0, 1.4]
    await house.let_pass(600, 30)
    assert cars.caps() == [1.5, 1.5, 0]
    assert len(house.pushes(THIRD)) == 2


@pytest.mark.parametrize("shows", ["unknown", "unavailable", "15 kW", None])
async def test_meter_that_is_unknown(
    house: House, cars: Cars, shows: str | None
) -> None:
    """Nothing is raised; after some minutes, only what the house can always spare."""
    cars.base = 12
    await _share(house, cars)
    await house.let_pass(60)
    assert cars.caps() == [4.5, 1.5, 1.5]
    cars.base = 1
    del house.meters[METER]
    if shows is not None:
        house.show(METER, shows, "kW")
    await house.let_pass(280)
    assert cars.caps() == [4.5, 1.5, 1.5]
    await house.let_pass(180)
    assert cars.caps() == [2.2, 1.5, 0]
    await house.let_pass(1800, 60)
    assert cars.caps() == [2.2, 1.5, 0]
    house.meters[METER] = cars.meter
    await house.let_pass(360, 30)
    assert cars.caps() == [11, 6, 1.5]


async def test_meter_that_is_gone(house: House, cars: Cars) -> None:
    """It is told, and the cars get no more than a safe power, too."""
    await _share(house, cars)
    await house.let_pass(60)
    del house.meters[METER]
    house.hass.states.async_remove(METER)
    await house.let_pass(600, 30)
    assert house.told[AUTOMATION].endswith(f"device: {METER}.")
    assert cars.caps() == [2.2, 1.5, 0]
    house.meters[METER] = cars.meter
    await house.let_pass(900, 30)
    assert house.told == {}
    assert cars.caps() == [11, 6, 1.5]


async def test_meter_in_watts_that_only_reports_changes(
    house: House, cars: Cars
) -> None:
    await _share(house, cars, meter_age=0)
    del house.meters[METER]
    house.show(METER, 3000 + 33000, "W")
    await house.let_pass(60)
    assert cars.caps() == [11, 4, 1.5]
    house.show(METER, 3000 + 16500, "W")
    await house.let_pass(3600, 60)
    assert cars.caps() == [11, 4, 1.5]


async def test_charger_that_cannot_be_reached_is_the_house(
    house: House, cars: Cars
) -> None:
    """What it shows is old: it is told nothing, and what it draws counts."""
    await _share(house, cars)
    house.sandbox.home.device(FIRST).transient_fault = "TIMEOUT"
    del house.meters[METER]
    house.show(METER, 10, "kW")
    house.reporting.add(METER)
    await house.let_pass(20 * 60, 60)
    lost = house.hass.states.get(house.entity("binary_sensor", f"{FIRST}_sync"))
    assert lost is not None and lost.state == "off"
    house.sandbox.requests.clear()
    house.reporting.clear()
    house.meters[METER] = cars.meter
    await house.let_pass(600, 30)
    assert _sent(house, FIRST) == []
    assert cars.caps()[1:] == [6, 1.5]
    assert cars.meter() <= LIMIT


async def test_what_a_person_has_paused_stays_so(house: House, cars: Cars) -> None:
    """And the others get what it leaves."""
    await _share(house, cars)
    await house.let_pass(60)
    await _switch(house, FIRST, "off")
    await house.let_pass(1800, 30)
    assert house.pushes(FIRST) == [commanded("idle")]
    assert cars.caps() == [0, 11, 7.5]
    # Started again, it begins with little, and gets what the first one gets.
    await _switch(house, FIRST, "on")
    assert cars.caps()[0] == 1.5
    await house.let_pass(660, 30)
    assert cars.caps() == [11, 6, 1.5]


async def test_car_that_comes_begins_with_little(house: House, cars: Cars) -> None:
    cars.takes[FIRST] = None
    await _share(house, cars, told=(SECOND, THIRD))
    await house.let_pass(660, 30)
    assert cars.caps()[1:] == [11, 7.5]
    assert house.settings(FIRST) == [capped(1.5)]
    cars.takes[FIRST] = 11.0
    assert cars.meter() <= LIMIT + 1.5
    await house.let_pass(900, 30)
    assert cars.caps() == [11, 6, 1.5]


async def test_car_that_takes_less_leaves_the_rest(house: House, cars: Cars) -> None:
    """Of one phase, or full: the next one gets it, once and not to and fro."""
    cars.takes[FIRST] = 3.7
    await _share(house, cars)
    await house.let_pass(1800, 30)
    assert cars.caps() == [4.7, 11, 2.8]
    told = _commands(house)
    await house.let_pass(3600, 30)
    assert _commands(house) == told
    cars.takes[FIRST] = 0
    await house.let_pass(1800, 30)
    assert cars.caps() == [1.5, 11, 6.0]
    told = _commands(house)
    await house.let_pass(3600, 30)
    assert _commands(house) == told
    # It wants some more.
    cars.takes[FIRST] = 11.0
    await house.let_pass(900, 30)
    assert cars.caps() == [11, 6, 1.5]


@pytest.mark.parametrize(("ago", "raised"), [(240, False), (310, True)])
async def test_rest_holds_over_a_restart(
    house: House, cars: Cars, ago: float, raised: bool
) -> None:
    for device_id in CHARGERS:
        house.sandbox.home.device(device_id).write_setting("max_charge_rate", 2)
    at = datetime.fromisoformat("2026-06-01T14:00:30").replace(tzinfo=ZONE)
    house.was_on_before(at - timedelta(seconds=ago))
    await _share(house, cars)
    await house.let_pass(40, 10)
    assert (cars.caps()[0] == 11) is raised
    await house.let_pass(300, 30)
    assert cars.caps()[0] == 11


async def test_what_was_paused_here_goes_on_after_a_restart(
    house: House, cars: Cars
) -> None:
    """That it was this automation, the cap tells."""
    for device_id, cap in ((SECOND, 1.4), (THIRD, 2)):
        house.sandbox.home.device(device_id).write_setting("max_charge_rate", cap)
        cars.physics(device_id).command("idle", {})
    await _share(house, cars, told=())
    await house.let_pass(60)
    assert cars.caps() == [11, 7.5, 0]
    assert house.pushes(THIRD) == []


async def test_plug_that_is_turned_off_is_told_and_the_others_go_on(
    house: House, cars: Cars
) -> None:
    await house.begin("2026-06-01T14:00:20")
    registry = er.async_get(house.hass)
    plug = house.entity("binary_sensor", f"{SECOND}_connected")
    registry.async_update_entity(plug, disabled_by=er.RegistryEntryDisabler.USER)
    await house.calm()
    house.meters[METER] = cars.meter
    house.show(METER, cars.meter(), "kW")
    await house.automate(
        SHARE,
        house_meter=METER,
        supply_limit=LIMIT + 11,
        charger_1=house.device(FIRST),
        charger_2=house.device(SECOND),
        charger_3=house.device(THIRD),
    )
    await house.let_pass(240, 30)
    assert house.told[AUTOMATION].endswith("device: Pulsar Plus #2: plug.")
    assert cars.caps() == [11, 11, 7.5]
    # It goes on while it waits.
    cars.base = 5
    await house.let_pass(180, 30)
    assert cars.caps() == [11, 11, 3.5]
    registry.async_update_entity(plug, disabled_by=None)
    await house.hass.config_entries.async_reload(house.entry.entry_id)
    await house.let_pass(600, 60)
    assert house.told == {}
    assert cars.caps() == [11, 11, 3.5]


async def test_a_charger_chosen_twice_counts_once(house: House, cars: Cars) -> None:
    await _share(house, cars, (FIRST, SECOND, FIRST))
    await house.let_pass(60)
    # What the third one draws is the house's.
    assert cars.caps() == [6, 1.5, 11]
