"""The blueprint for the cheapest hours: with each form that prices come in."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from sandbox.devices.actions import Outcome

from .house import AUTOMATION, BATTERY, CHARGER, ZONE, House

CHEAPEST = "charge_in_cheapest_hours"

# Of each quarter of an hour from 18:00 on: cheap from 20:00 to 20:30, from 01:00 to
# 02:15 and from 03:30 on, until four.
CHEAP = {8: 10, 9: 11, **dict.fromkeys(range(28, 33), 5), 38: 7, 39: 6}
EVENING = datetime(2026, 6, 1, 18, tzinfo=ZONE)
QUARTER = timedelta(minutes=15)

type Row = tuple[datetime, float]


def _prices(begin: datetime = EVENING, quarters: int = 72) -> list[Row]:
    return [(begin + n * QUARTER, CHEAP.get(n, 30)) for n in range(quarters)]


def _integration(
    hass: HomeAssistant,
    domain: str,
    service: str,
    answer: Callable[[ServiceCall], Any],
) -> str:
    """Put in what an integration has: an entity, and an action that answers."""
    entry = MockConfigEntry(domain=domain)
    entry.add_to_hass(hass)
    entity = er.async_get(hass).async_get_or_create(
        "sensor", domain, "price", config_entry=entry
    )
    hass.states.async_set(entity.entity_id, "30")
    hass.services.async_register(
        domain, service, answer, supports_response=SupportsResponse.ONLY
    )
    return entity.entity_id


def _nordpool(hass: HomeAssistant, rows: list[Row]) -> str:
    """Of a day, by area; a day that is not there is an empty list."""
    return _integration(
        hass,
        "nordpool",
        "get_prices_for_date",
        lambda call: {
            "SE3": [
                {
                    "start": at.astimezone(dt_util.UTC).isoformat(),
                    "end": (at + QUARTER).astimezone(dt_util.UTC).isoformat(),
                    "price": price,
                }
                for at, price in rows
                if str(at.date()) == str(call.data["date"])
            ]
        },
    )


def _tibber(hass: HomeAssistant, rows: list[Row]) -> str:
    """By home, without ends."""
    return _integration(
        hass,
        "tibber",
        "get_prices",
        lambda call: {
            "prices": {
                "My home": [
                    {"start_time": at.isoformat(), "price": price} for at, price in rows
                ]
            }
        },
    )


def _zero(domain: str, service: str) -> Callable[[HomeAssistant, list[Row]], str]:
    """Return what puts in one of those that tell times with a space."""

    def _put(hass: HomeAssistant, rows: list[Row]) -> str:
        return _integration(
            hass,
            domain,
            service,
            lambda call: {
                "prices": [
                    {"timestamp": str(at.astimezone(dt_util.UTC)), "price": price}
                    for at, price in rows
                    if str(at.date()) == str(call.data["start"])
                ]
            },
        )

    return _put


def _attributes(
    key: str, value: str, start: str = "start", *, end: bool = True
) -> Callable[[HomeAssistant, list[Row]], str]:
    """Return what puts in an entity that tells prices in an attribute."""

    def _put(hass: HomeAssistant, rows: list[Row]) -> str:
        hass.states.async_set(
            "event.rates",
            "x",
            {
                key: [
                    {start: at, value: price} | ({"end": at + QUARTER} if end else {})
                    for at, price in rows
                ]
            },
        )
        return "event.rates"

    return _put


FORMS = {
    "nordpool": _nordpool,
    "tibber": _tibber,
    "energyzero": _zero("energyzero", "get_energy_prices"),
    "easyenergy": _zero("easyenergy", "get_energy_usage_prices"),
    "octopus": _attributes("rates", "value_inc_vat"),
    "raw": _attributes("raw_today", "value"),
    "hour": _attributes("raw_tomorrow", "price", "hour", end=False),
}


async def _begin(
    house: House, form: str = "octopus", rows: list[Row] | None = None, **inputs: Any
) -> None:
    await house.begin("2026-06-01T17:59:50")
    prices = FORMS[form](house.hass, _prices() if rows is None else rows)
    await house.automate(
        CHEAPEST, **{"device": house.device(BATTERY), "prices": [prices], **inputs}
    )


def _windows(house: House, device_id: str = BATTERY) -> list[tuple[str, str]]:
    return [
        (push["action"]["start"][5:16], push["action"]["end"][5:16])
        for push in house.pushes(device_id)
    ]


@pytest.mark.parametrize("form", FORMS)
async def test_each_form_of_prices(house: House, form: str) -> None:
    """An hour and a half: the cheapest quarters touch, and are one window."""
    await _begin(house, form, hours=1.5)
    await house.let_pass(60)
    assert _windows(house) == [("06-02T01:00", "06-02T02:15")]
    assert house.told == {}
    # The next stretch is planned when the first one is over.
    await house.until("2026-06-02T02:14:00", 900)
    assert len(_windows(house)) == 1
    await house.until("2026-06-02T02:16:00", 30)
    assert _windows(house)[1:] == [("06-02T03:45", "06-02T04:00")]
    await house.until("2026-06-02T08:00:00", 900)
    assert len(_windows(house)) == 2
    assert house.told == {}


async def test_to_a_level(house: House) -> None:
    """Half an hour is enough for it; then, the battery has what it needs."""
    await _begin(
        house, level_entity=["sensor.level"], target=80, capacity=10, charge_power=2
    )
    house.show("sensor.level", 70, "%")
    await house.until("2026-06-01T18:16:00", 30)
    [push] = house.pushes(BATTERY)
    assert _windows(house) == [("06-02T01:00", "06-02T01:30")]
    assert push["action"]["parameters"]["target"]["value"] == 80
    house.show("sensor.level", 80, "%")
    await house.until("2026-06-02T06:00:00", 900)
    assert len(house.pushes(BATTERY)) == 1


async def test_a_charger_takes_no_target(house: House) -> None:
    await house.begin("2026-06-01T17:59:50")
    prices = FORMS["octopus"](house.hass, _prices())
    await house.automate(
        CHEAPEST, device=house.device(CHARGER), prices=[prices], hours=1
    )
    await house.let_pass(60)
    [push] = house.pushes(CHARGER)
    assert "parameters" not in push["action"]
    assert _windows(house, CHARGER) == [("06-02T01:00", "06-02T02:00")]


async def test_forecast_that_does_not_reach_the_departure(house: House) -> None:
    """It waits and says so; when time runs out, it charges all the same."""
    await _begin(house, rows=_prices(quarters=24))
    await house.until("2026-06-02T02:44:00", 900)
    assert house.pushes(BATTERY) == []
    assert "does not reach the departure yet" in house.told[AUTOMATION]
    await house.until("2026-06-02T03:01:00", 30)
    assert _windows(house) == [("06-02T03:01", "06-02T06:01")]


async def test_forecast_that_comes_later(house: House) -> None:
    await _begin(house, rows=_prices(quarters=24), hours=1)
    await house.until("2026-06-01T19:05:00", 900)
    assert house.pushes(BATTERY) == []
    FORMS["octopus"](house.hass, _prices())
    await house.until("2026-06-01T19:16:00", 60)
    assert _windows(house) == [("06-02T01:00", "06-02T02:00")]
    assert house.told == {}


async def test_failed_window_is_planned_again(house: House) -> None:
    await _begin(house, hours=1)
    await house.let_pass(60)
    [action] = house.sandbox.home.device(BATTERY).actions
    action.outcome = Outcome(state="failed", code="TIMEOUT")
    await house.until("2026-06-02T00:59:30", 900)
    await house.until("2026-06-02T01:01:00", 20)
    assert "The charge failed" in house.told[AUTOMATION]
    [first, second] = _windows(house)
    assert first == ("06-02T01:00", "06-02T02:00")
    assert second == ("06-02T01:01", "06-02T02:01")
    await house.until("2026-06-02T01:16:00", 60)
    assert house.told == {}


@pytest.mark.parametrize("choice", ["keep", "cancel_and_replace"])
async def test_something_else_is_planned(
    house: House, choice: str, said_wrong: list[str]
) -> None:
    if choice == "keep":
        said_wrong.append("Error executing script")
    await house.begin("2026-06-01T17:59:30")
    await house.hass.services.async_call(
        "amps_ai",
        "discharge",
        {
            "device_id": house.device(BATTERY),
            "start": "2026-06-01 18:30",
            "end": "2026-06-01 19:00",
        },
        blocking=True,
    )
    prices = FORMS["octopus"](house.hass, _prices())
    await house.automate(
        CHEAPEST,
        device=house.device(BATTERY),
        prices=[prices],
        hours=1,
        on_conflict=choice,
    )
    await house.let_pass(90)
    assert (AUTOMATION in house.told) is (choice == "keep")
    await house.until("2026-06-01T18:46:00", 60)
    assert _windows(house)[-1] == ("06-02T01:00", "06-02T02:00")
    assert house.told == {}


async def test_restart_counts_what_was_charged(house: House) -> None:
    """What Amps AI has carried out is known there."""
    await _begin(house, hours=1.5)
    await house.until("2026-06-02T02:10:00", 900)
    assert await house.hass.config_entries.async_reload(house.entry.entry_id)
    for name in ("turn_off", "turn_on"):
        await house.hass.services.async_call(
            "automation", name, {"entity_id": AUTOMATION}, blocking=True
        )
    await house.until("2026-06-02T02:16:00", 60)
    assert _windows(house)[1:] == [("06-02T03:45", "06-02T04:00")]


async def test_what_is_missing_is_told(house: House) -> None:
    await house.begin("2026-06-01T17:59:50")
    await house.automate(
        CHEAPEST, device=house.device(BATTERY), prices=["sensor.nowhere"]
    )
    await house.let_pass(60)
    assert "sensor.nowhere" in house.told[AUTOMATION]
    assert house.pushes(BATTERY) == []
