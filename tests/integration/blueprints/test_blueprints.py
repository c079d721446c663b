"""The blueprints: loaded by Home Assistant, and run to what they push."""

from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from pathlib import Path
import re
from typing import Any, cast
from unittest.mock import patch

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.blueprint import importer
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.const import EVENT_CALL_SERVICE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er, selector, service
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util, yaml as yaml_util
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

import custom_components.amps_ai as integration
from custom_components.amps_ai.common.const import DOMAIN, EVENT_ACTION, EVENT_LINK

from ..plans.helpers import subentry
from .house import (
    AUTOMATION,
    BATTERY,
    BLUEPRINTS,
    CHARGER,
    HOUR,
    HVAC,
    SERVICES,
    ZONE,
    House,
    Json,
    capped,
    charged,
    commanded,
)

MANIFEST = Path(integration.__file__).with_name("manifest.json")
TRIGGERS = Path(integration.__file__).with_name("triggers.yaml")

CHEAP = "charge_in_cheap_hours"
PRICE = "charge_at_low_prices"
LIMIT = "keep_under_supply_limit"
SOLAR = "charge_from_solar_surplus"
PREHEAT = "preheat_before_dear_hours"
TROUBLE = "tell_about_trouble"
CHEAPEST = "charge_in_cheapest_hours"
SHARE = "share_supply_between_chargers"
ALL = (CHEAP, PRICE, LIMIT, SOLAR, PREHEAT, TROUBLE, CHEAPEST, SHARE)

METER = "sensor.house"
THERMOSTAT = "climate.smart_thermostat_premium"


# What all of them are


def _walk(node: Any) -> Generator[Json]:
    """Go through all maps of a document."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value)


def _blueprint(name: str) -> Blueprint:
    path = BLUEPRINTS / f"{name}.yaml"
    return Blueprint(
        yaml_util.load_yaml_dict(path),
        path=str(path),
        expected_domain="automation",
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )


def test_all_are_known() -> None:
    assert sorted(path.stem for path in BLUEPRINTS.glob("**/*")) == sorted(ALL)


@pytest.mark.parametrize("name", ALL)
def test_blueprint_is_complete(name: str) -> None:
    """It names what it is and needs; each input has words and a way to choose."""
    blueprint = _blueprint(name)
    assert blueprint.validate() is None
    assert blueprint.name.startswith("Amps AI: ")
    metadata = blueprint.metadata
    assert metadata["homeassistant"] == {"min_version": "2026.10.0"}
    assert len(metadata["description"]) > 100
    project = yaml_util.load_yaml_dict(MANIFEST)["documentation"]
    assert metadata["source_url"] == (
        f"{project}/blob/main/blueprints/automation/{DOMAIN}/{name}.yaml"
    )
    assert importer.GITHUB_FILE_PATTERN.match(metadata["source_url"])
    for key, value in blueprint.inputs.items():
        assert value["name"], key
        assert value["selector"], key
        assert value["description"], key
        kind = next(iter(value["selector"]))
        if "default" in value and kind not in ("action", "entity", "device"):
            check = cast("Callable[[Any], Any]", selector.selector(value["selector"]))
            assert check(value["default"]) == value["default"], key


@pytest.mark.parametrize("name", ALL)
def test_every_input_is_used(name: str) -> None:
    blueprint = _blueprint(name)
    assert yaml_util.extract_inputs(blueprint.data) == set(blueprint.inputs)


@pytest.mark.parametrize("name", ALL)
def test_written_as_of_today(name: str) -> None:
    """No word of older releases; and it survives being imported and stored."""
    blueprint = _blueprint(name)
    body = {key: value for key, value in blueprint.data.items() if key != "blueprint"}
    assert {"triggers", "conditions", "actions", "mode"} <= set(body)
    for node in _walk(body):
        assert not {"platform", "service", "data_template", "entity_namespace"} & set(
            node
        )
    stored = yaml_util.parse_yaml(blueprint.yaml())
    assert isinstance(stored, dict)
    again = Blueprint(
        stored, expected_domain="automation", schema=AUTOMATION_BLUEPRINT_SCHEMA
    )
    assert again.data == blueprint.data


@pytest.mark.parametrize("name", ALL)
def test_uses_only_what_there_is(name: str) -> None:
    """Its actions are those of services.yaml, with their fields; so its triggers."""
    known = yaml_util.load_yaml_dict(SERVICES)
    triggers = yaml_util.load_yaml_dict(TRIGGERS)
    for node in _walk(_blueprint(name).data):
        action = node.get("action")
        trigger = node.get("trigger")
        if isinstance(trigger, str) and trigger.startswith(f"{DOMAIN}."):
            assert trigger.removeprefix(f"{DOMAIN}.") in triggers
        if not isinstance(action, str) or not action.startswith(f"{DOMAIN}."):
            continue
        rows = known[action.removeprefix(f"{DOMAIN}.")]["fields"]
        fields = [field for row in rows for field in rows[row].get("fields", [row])]
        data = node["data"]
        used = data if isinstance(data, dict) else re.findall(r"(\w+)=", data)
        assert set(used) <= set(fields)


@pytest.mark.parametrize("name", [LIMIT, SOLAR, PREHEAT, CHEAPEST, SHARE])
def test_says_what_is_not_open_yet(name: str) -> None:
    assert "Today Amps AI refuses commands for real " in _blueprint(name).metadata[
        "description"
    ].replace("\n", " ")


def test_limit_says_what_it_is_not() -> None:
    for name in (LIMIT, SHARE):
        description = _blueprint(name).metadata["description"]
        assert "This is no protection device." in description
    for name in (LIMIT, SOLAR, SHARE):
        assert "freshness **Live**" in _blueprint(name).metadata["description"]


async def test_home_assistant_finds_them(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "automation", {})
    found = await async_get_blueprints(hass).async_get_blueprints()
    for name in ALL:
        assert isinstance(found[f"{DOMAIN}/{name}.yaml"], Blueprint)


@pytest.mark.parametrize(
    ("name", "field", "device_id", "others"),
    [
        (CHEAP, "battery", BATTERY, (CHARGER, HVAC)),
        (PRICE, "battery", BATTERY, (CHARGER, HVAC)),
        (LIMIT, "charger", CHARGER, (BATTERY, HVAC)),
        (SOLAR, "charger", CHARGER, (BATTERY, HVAC)),
        (SHARE, "charger_6", CHARGER, (BATTERY, HVAC)),
    ],
)
async def test_offers_the_right_devices(
    house: House, name: str, field: str, device_id: str, others: tuple[str, ...]
) -> None:
    """A device that can be chosen is one that has what the choice asks for.

    A plan makes no charger of a battery.
    """
    await house.begin("2026-06-01T14:00")
    await _plan(house, BATTERY)
    chosen = _blueprint(name).inputs[field]["selector"]["device"]
    assert chosen["filter"] == [{"integration": DOMAIN}]
    [wanted] = chosen["entity"]
    assert wanted["integration"] == DOMAIN
    registry = er.async_get(house.hass)

    def _offered(one: str) -> bool:
        entities = er.async_entries_for_device(registry, house.device(one))
        return any(
            entity.domain in wanted["domain"]
            and entity.original_device_class
            in wanted.get("device_class", [entity.original_device_class])
            for entity in entities
        )

    assert _offered(device_id)
    assert not any(_offered(other) for other in others)


async def _plan(house: House, device_id: str) -> str:
    """Make a plan for a device; return its switch."""
    plan = subentry(device_id=device_id, parameters=None)
    house.hass.config_entries.async_add_subentry(house.entry, plan)
    await house.calm()
    return house.entity("switch", f"{plan.subentry_id}_plan")


# Charge in the cheap hours


@pytest.mark.parametrize(
    ("now", "window", "expected"),
    [
        (
            "2026-06-01T19:59:50",
            ("22:00:00", "05:00:00"),
            ("2026-06-01T22:00:00", "2026-06-02T05:00:00"),
        ),
        # A window in the day: planned in the evening, for the next day.
        (
            "2026-06-01T19:59:50",
            ("12:30:00", "15:00:00"),
            ("2026-06-02T12:30:00", "2026-06-02T15:00:00"),
        ),
        # After midnight.
        (
            "2026-06-01T19:59:50",
            ("01:00:00", "05:00:00"),
            ("2026-06-02T01:00:00", "2026-06-02T05:00:00"),
        ),
        # The window that begins this moment is not in the future any more.
        (
            "2026-06-01T19:59:50",
            ("20:00:00", "20:30:00"),
            ("2026-06-02T20:00:00", "2026-06-02T20:30:00"),
        ),
        # The night in which the clocks are put forward, around the gap.
        (
            "2026-03-28T19:59:50",
            ("22:00:00", "05:00:00"),
            ("2026-03-28T22:00:00", "2026-03-29T05:00:00"),
        ),
        # In the gap: half past two is half past three there.
        (
            "2026-03-28T19:59:50",
            ("02:30:00", "05:00:00"),
            ("2026-03-29T03:30:00", "2026-03-29T05:00:00"),
        ),
        (
            "2026-03-28T19:59:50",
            ("22:00:00", "02:30:00"),
            ("2026-03-28T22:00:00", "2026-03-29T03:30:00"),
        ),
        # And back: a time that comes twice is the first one.
        (
            "2026-10-24T19:59:50",
            ("02:15:00", "05:00:00"),
            ("2026-10-25T02:15:00", "2026-10-25T05:00:00"),
        ),
        (
            "2026-10-24T19:59:50",
            ("22:00:00", "02:15:00"),
            ("2026-10-24T22:00:00", "2026-10-25T02:15:00"),
        ),
    ],
)
async def test_plans_the_next_window(
    house: House, now: str, window: tuple[str, str], expected: tuple[str, str]
) -> None:
    await house.begin(now)
    await house.automate(
        CHEAP,
        battery=house.device(BATTERY),
        window_start=window[0],
        window_end=window[1],
    )
    await house.let_pass(9, 9)
    assert house.pushes(BATTERY) == []
    await house.let_pass(5)
    assert house.pushes(BATTERY) == [charged(*expected)]
    [action] = house.sandbox.home.device(BATTERY).actions
    assert action.state == "scheduled"


async def test_window_is_carried_out(house: House) -> None:
    """With the defaults alone: it begins, and what was before comes back."""
    await house.begin("2026-06-01T19:59:50")
    await house.automate(CHEAP, battery=house.device(BATTERY))
    await house.let_pass(15)
    assert house.pushes(BATTERY) == [
        charged("2026-06-01T22:00:00", "2026-06-02T05:00:00")
    ]
    mode = house.entity("select", f"{BATTERY}_mode")
    before = house.hass.states.get(mode)
    assert before is not None and before.state != "charge"
    await house.until("2026-06-01T22:01:10")
    during = house.hass.states.get(mode)
    assert during is not None and during.state == "charge"
    await house.until("2026-06-02T05:02:00")
    after = house.hass.states.get(mode)
    assert after is not None and after.state == before.state
    assert len(house.pushes(BATTERY)) == 1
    await house.until("2026-06-02T20:00:30")
    assert house.pushes(BATTERY)[1:] == [
        charged("2026-06-02T22:00:00", "2026-06-03T05:00:00")
    ]


async def test_power_and_conflict_are_said_where_chosen(house: House) -> None:
    await house.begin("2026-06-01T19:59:50")
    await house.automate(
        CHEAP,
        battery=house.device(BATTERY),
        target=75,
        power=2.5,
        on_conflict="cancel_and_replace",
    )
    await house.let_pass(15)
    assert house.pushes(BATTERY) == [
        charged(
            "2026-06-01T22:00:00",
            "2026-06-02T05:00:00",
            75,
            power=2.5,
            onConflict="cancel_and_replace",
        )
    ]


@pytest.mark.parametrize("choice", ["keep", "cancel_and_replace", "queue_after"])
async def test_something_is_planned_already(
    house: House, choice: str, said_wrong: list[str]
) -> None:
    """Nothing is replaced unless the person has chosen so."""
    await house.begin("2026-06-01T19:59:40")
    await house.hass.services.async_call(
        DOMAIN,
        "discharge",
        {
            "device_id": house.device(BATTERY),
            "start": "2026-06-01 21:00",
            "end": "2026-06-01 23:00",
        },
        blocking=True,
    )
    [other] = house.sandbox.home.device(BATTERY).actions
    if choice == "keep":
        said_wrong.append("Error executing script")
    await house.automate(CHEAP, battery=house.device(BATTERY), on_conflict=choice)
    await house.let_pass(30)
    assert (AUTOMATION in house.told) is (choice == "keep")
    replaced = choice == "cancel_and_replace"
    assert other.state == ("cancelled" if replaced else "scheduled")
    assert len(house.sandbox.home.device(BATTERY).actions) == (
        1 if choice == "keep" else 2
    )


async def test_only_if_keeps_it_from_planning(house: House) -> None:
    await house.begin("2026-06-01T19:59:50")
    house.show("sensor.sun_tomorrow", 12, "kWh")
    await house.automate(
        CHEAP,
        battery=house.device(BATTERY),
        only_if=[
            {
                "condition": "numeric_state",
                "entity_id": "sensor.sun_tomorrow",
                "below": 10,
            }
        ],
    )
    await house.let_pass(30)
    assert house.pushes(BATTERY) == []
    house.show("sensor.sun_tomorrow", 8, "kWh")
    await house.until("2026-06-02T20:00:30")
    assert len(house.pushes(BATTERY)) == 1


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        # It was planned, as every evening.
        ("2026-06-01T21:00", "2026-06-01T20:00", None),
        ("2026-06-01T23:00", "2026-06-01T20:00", None),
        # Home Assistant was off at eight; the window is to come.
        (
            "2026-06-01T21:00",
            "2026-05-31T20:00",
            ("2026-06-01T22:00:00", "2026-06-02T05:00:00"),
        ),
        # Or has begun: what is left of it, before and after midnight.
        (
            "2026-06-01T23:00",
            "2026-05-31T20:00",
            ("2026-06-01T23:01:15", "2026-06-02T05:00:00"),
        ),
        (
            "2026-06-02T03:00",
            "2026-05-31T20:00",
            ("2026-06-02T03:01:15", "2026-06-02T05:00:00"),
        ),
        # Too little is left: the next night.
        (
            "2026-06-02T04:50",
            "2026-05-31T20:00",
            ("2026-06-02T22:00:00", "2026-06-03T05:00:00"),
        ),
        # It was made since; the evening will plan.
        ("2026-06-01T21:00", None, None),
    ],
)
async def test_plan_missed_while_off(
    house: House, now: str, last: str | None, expected: tuple[str, str] | None
) -> None:
    house.was_on_before(
        None if last is None else datetime.fromisoformat(last).replace(tzinfo=ZONE)
    )
    await house.begin(now)
    house.hass.set_state(CoreState.not_running)
    await house.automate(CHEAP, battery=house.device(BATTERY))
    assert house.pushes(BATTERY) == []
    await house.hass.async_start()
    await house.let_pass(15)
    assert house.pushes(BATTERY) == ([charged(*expected)] if expected else [])


@pytest.mark.parametrize(
    ("now", "start"),
    [
        ("2026-06-01T21:00", "2026-06-01T22:00:00"),
        # The window begins while it waits.
        ("2026-06-01T21:58", "2026-06-01T22:05:10"),
    ],
)
async def test_missed_plan_waits_for_the_battery(
    house: House, now: str, start: str
) -> None:
    """A start of Home Assistant can be over before Amps AI has answered."""
    house.was_on_before(datetime(2026, 5, 31, 20, tzinfo=ZONE))
    await house.begin(now)
    await house.hass.config_entries.async_unload(house.entry.entry_id)
    house.hass.set_state(CoreState.not_running)
    await house.automate(CHEAP, battery=house.device(BATTERY))
    await house.hass.async_start()
    await house.let_pass(6 * 60, 60)
    assert house.pushes(BATTERY) == []
    assert await house.hass.config_entries.async_setup(house.entry.entry_id)
    await house.calm()
    assert house.pushes(BATTERY) == []
    await house.let_pass(10)
    assert house.pushes(BATTERY) == [charged(start, "2026-06-02T05:00:00")]


# Charge while electricity is cheap


async def _price(house: House, now: str, price: float | str, **inputs: Any) -> None:
    await house.begin(now)
    house.show("sensor.price", price, "EUR/kWh")
    await house.automate(
        PRICE,
        **{
            "battery": house.device(BATTERY),
            "price": "sensor.price",
            "limit": 0.2,
            **inputs,
        },
    )


async def test_charges_while_the_price_is_low(house: House) -> None:
    await _price(house, "2026-06-01T14:00:10", 0.31)
    house.show("sensor.price", 0.2, "EUR/kWh")
    await house.calm()
    first = charged("2026-06-01T14:02:00", "2026-06-01T15:02:00")
    assert house.pushes(BATTERY) == [first]
    # Once for each hour, however often the price is told.
    house.show("sensor.price", 0.19, "EUR/kWh")
    await house.until("2026-06-01T14:57:00", 60)
    assert house.pushes(BATTERY) == [first]
    battery = house.sandbox.home.device(BATTERY)
    mode = house.entity("select", f"{BATTERY}_mode")
    shown = house.hass.states.get(mode)
    assert shown is not None and shown.state == "charge"
    # The same price in the next hour.
    await house.until("2026-06-01T15:00:40", 20)
    assert house.pushes(BATTERY)[1:] == [
        charged("2026-06-01T15:02:00", "2026-06-01T16:02:00")
    ]
    # And a higher one: the window ends by itself, and none follows.
    await house.until("2026-06-01T15:59:50", 300)
    house.show("sensor.price", 0.4, "EUR/kWh")
    await house.until("2026-06-01T16:31:00", 60)
    assert len(house.pushes(BATTERY)) == 2
    assert all(action.over for action in battery.actions)
    shown = house.hass.states.get(mode)
    assert shown is not None and shown.state != "charge"


@pytest.mark.parametrize(
    ("slot", "now", "expected"),
    [
        ("30", "2026-06-01T14:29:50", ("2026-06-01T14:32:00", "2026-06-01T15:02:00")),
        ("15", "2026-06-01T14:34:50", ("2026-06-01T14:36:30", "2026-06-01T14:47:00")),
        # An hour that is nearly over is not begun.
        ("15", "2026-06-01T14:41:00", ("2026-06-01T14:47:00", "2026-06-01T15:02:00")),
        # Before and over the gap.
        ("60", "2026-03-29T00:59:50", ("2026-03-29T01:02:00", "2026-03-29T03:02:00")),
        ("60", "2026-03-29T03:04:50", ("2026-03-29T03:06:30", "2026-03-29T04:02:00")),
        # Up to the hour that comes twice.
        ("60", "2026-10-25T01:04:50", ("2026-10-25T01:06:30", "2026-10-25T02:02:00")),
    ],
)
async def test_window_ends_when_the_price_may_change(
    house: House, slot: str, now: str, expected: tuple[str, str]
) -> None:
    await _price(house, now, -0.01, limit=0, slot=slot)
    await house.let_pass(300, 10)
    assert house.pushes(BATTERY) == [charged(*expected)]


async def test_hour_that_comes_twice_is_left_out(house: House) -> None:
    await _price(house, "2026-10-25T01:59:50", 0.1)
    await house.let_pass(2 * HOUR - 60, 300)
    assert house.pushes(BATTERY) == []
    await house.let_pass(120, 10)
    assert house.pushes(BATTERY) == [
        charged("2026-10-25T03:02:00", "2026-10-25T04:02:00")
    ]


@pytest.mark.parametrize("price", ["unknown", "unavailable", "", "cheap", 0.21])
async def test_price_that_is_unknown_or_high(house: House, price: float | str) -> None:
    await _price(house, "2026-06-01T14:00:10", price)
    await house.let_pass(600, 60)
    assert house.pushes(BATTERY) == []
    assert house.last_triggered() is None


async def test_price_that_nobody_tells(house: House) -> None:
    await house.begin("2026-06-01T14:00:10")
    await house.automate(
        PRICE, battery=house.device(BATTERY), price="sensor.price", limit=0.2
    )
    await house.let_pass(600, 60)
    assert house.pushes(BATTERY) == []


@pytest.mark.parametrize(("last", "expected"), [("14:02", 0), ("13:02", 1)])
async def test_window_goes_on_over_a_restart(
    house: House, last: str, expected: int
) -> None:
    """Home Assistant knows after a restart which hour it has planned."""
    house.was_on_before(
        datetime.fromisoformat(f"2026-06-01T{last}").replace(tzinfo=ZONE)
    )
    await _price(house, "2026-06-01T14:20:10", 0.1)
    await house.let_pass(600, 60)
    assert len(house.pushes(BATTERY)) == expected


async def test_low_price_without_the_battery(house: House) -> None:
    """What cannot be sent is no attempt: it is made when the battery is there."""
    await house.begin("2026-06-01T14:00:10")
    battery = house.device(BATTERY)
    await house.hass.config_entries.async_unload(house.entry.entry_id)
    house.show("sensor.price", 0.1, "EUR/kWh")
    await house.automate(PRICE, battery=battery, price="sensor.price", limit=0.2)
    await house.let_pass(400, 60)
    assert house.last_triggered() is None
    assert await house.hass.config_entries.async_setup(house.entry.entry_id)
    await house.let_pass(300, 60)
    assert len(house.pushes(BATTERY)) == 1


# Keep the house under a supply limit


def _charger(house: House) -> Json:
    return {
        key: house.hass.states.get(house.entity(platform, f"{CHARGER}_{key}"))
        for key, platform in {
            "charge": "switch",
            "max_power": "number",
            "power": "sensor",
            "connected": "binary_sensor",
        }.items()
    }


async def _limit(
    house: House, meter: float | str, unit: str = "W", **inputs: Any
) -> None:
    """At two in the afternoon, a car charges with 7.4 kW; the cap is 11 kW."""
    await house.begin("2026-06-01T14:00:20")
    shown = _charger(house)
    assert shown["charge"].state == "on"
    assert shown["connected"].state == "on"
    assert float(shown["power"].state) == 7.4
    assert float(shown["max_power"].state) == 11
    house.show(METER, meter, unit)
    await house.automate(
        LIMIT,
        **{
            "charger": house.device(CHARGER),
            "house_meter": METER,
            "supply_limit": 12,
            **inputs,
        },
    )


@pytest.mark.parametrize(
    ("meter", "unit", "expected"),
    [
        (15000, "W", 4.4),
        (15, "kW", 4.4),
        # Rounded down.
        (15.04, "kW", 4.3),
        # Under the limit, but not with what the charger might draw.
        (11, "kW", 8.4),
        (8.9, "kW", 10.5),
    ],
)
async def test_caps_what_is_free(
    house: House, meter: float, unit: str, expected: float
) -> None:
    """The limit, less what the house draws without the charger."""
    await _limit(house, meter, unit)
    await house.let_pass(15)
    assert house.settings(CHARGER) == [capped(expected)]
    assert house.pushes(CHARGER) == []
    assert float(_charger(house)["max_power"].state) == expected


async def test_a_cap_that_is_not_used_is_left_for_a_little(house: House) -> None:
    """The car takes 7.4 kW: what is free goes down to 10.6, and then to 10.5."""
    await _limit(house, 8.5, "kW")
    for meter in (8.6, 8.7, 8.8):
        house.show(METER, meter, "kW")
        await house.let_pass(130)
    assert house.settings(CHARGER) == []
    house.show(METER, 8.9, "kW")
    await house.let_pass(30)
    assert house.settings(CHARGER) == [capped(10.5)]


async def test_passing_the_limit_caps_at_once(house: House) -> None:
    await _limit(house, 8000)
    await house.let_pass(60)
    assert house.settings(CHARGER) == []
    await house.let_pass(5)
    house.show(METER, 14000)
    await house.calm()
    assert house.settings(CHARGER) == [capped(5.4)]


async def test_one_cap_in_two_minutes(house: House) -> None:
    await _limit(house, 15000)
    await house.let_pass(10, 10)
    assert house.settings(CHARGER) == [capped(4.4)]
    first = house.last_triggered()
    for number in range(7):
        house.show(METER, 13000 + number)
        await house.let_pass(15)
    assert house.settings(CHARGER) == [capped(4.4)]
    # Now the charger draws 4.4 kW: 13 kW leave 3.4 kW for it.
    house.show(METER, 13000)
    await house.let_pass(30)
    assert house.settings(CHARGER) == [capped(4.4), capped(3.4)]
    second = house.last_triggered()
    assert first is not None and second is not None
    assert second - first >= timedelta(minutes=2)
    await house.let_pass(90)
    assert len(house.settings(CHARGER)) == 2


@pytest.mark.parametrize(("ago", "expected"), [(40, 0), (119, 0), (121, 1)])
async def test_two_minutes_hold_over_a_restart(
    house: House, ago: float, expected: int
) -> None:
    house.was_on_before(
        datetime(2026, 6, 1, 14, 0, 30, tzinfo=ZONE) - timedelta(seconds=ago)
    )
    await _limit(house, 15000)
    await house.let_pass(10, 10)
    assert len(house.settings(CHARGER)) == expected
    await house.let_pass(max(0, 121 - ago) + 30)
    assert house.settings(CHARGER) == [capped(4.4)]


async def test_raised_only_for_more_than_a_little(house: House) -> None:
    await _limit(house, 15000)
    await house.let_pass(10, 10)
    assert house.settings(CHARGER) == [capped(4.4)]
    # 7.6 kW without the charger's 4.4: a cap of 4.8 would fit, 0.4 more.
    house.show(METER, 11600)
    await house.let_pass(180)
    assert house.settings(CHARGER) == [capped(4.4)]
    house.show(METER, 11500)
    await house.let_pass(60)
    assert house.settings(CHARGER) == [capped(4.4), capped(4.9)]
    # A little less is enough to lower it.
    house.show(METER, 12100)
    await house.let_pass(180)
    assert house.settings(CHARGER)[2:] == [capped(4.8)]


async def test_cap_ends_at_what_the_charger_takes(house: House) -> None:
    await _limit(house, 15000)
    await house.let_pass(10, 10)
    house.show(METER, 5000)
    await house.let_pass(180)
    # There would be 11.4 kW; the charger's own bound is 50.
    assert house.settings(CHARGER) == [capped(4.4), capped(11)]
    house.show(METER, -9000)
    await house.let_pass(180)
    assert len(house.settings(CHARGER)) == 2


async def test_pauses_and_goes_on(house: House) -> None:
    await _limit(house, 18.1, "kW")
    await house.let_pass(10, 10)
    # 1.3 kW are less than a car can charge with.
    assert house.settings(CHARGER) == [capped(1.4)]
    assert house.pushes(CHARGER) == [commanded("idle")]
    assert _charger(house)["charge"].state == "off"
    # 1.8 kW would be enough for the car, but not for going up and down.
    house.show(METER, 10.2, "kW")
    await house.let_pass(180)
    assert len(house.pushes(CHARGER)) == 1
    house.show(METER, 10, "kW")
    await house.let_pass(60)
    assert house.settings(CHARGER) == [capped(1.4), capped(2)]
    assert house.pushes(CHARGER) == [commanded("idle"), commanded("charge")]
    assert _charger(house)["charge"].state == "on"


async def test_pause_counts_as_the_cap_of_two_minutes(house: House) -> None:
    await _limit(house, 19000)
    await house.let_pass(10, 10)
    house.show(METER, 2000)
    await house.let_pass(105)
    assert house.pushes(CHARGER) == [commanded("idle")]
    await house.let_pass(30)
    assert house.pushes(CHARGER) == [commanded("idle"), commanded("charge")]


async def test_goes_on_after_a_restart(house: House) -> None:
    """That it was paused here, the cap tells."""
    charger = house.sandbox.home.device(CHARGER)
    charger.write_setting("max_charge_rate", 1.4)
    charger.physics.command("idle", {})
    await house.begin("2026-06-01T14:00:20")
    house.show(METER, 4000)
    await house.automate(
        LIMIT, charger=house.device(CHARGER), house_meter=METER, supply_limit=12
    )
    await house.let_pass(10, 10)
    assert house.settings(CHARGER) == [capped(8)]
    assert house.pushes(CHARGER) == [commanded("charge")]


async def test_who_paused_it_begins_again(house: House) -> None:
    """A charger that somebody else has paused stays so, whatever the cap."""
    await _limit(house, 5000)
    await house.hass.services.async_call(
        "switch",
        "turn_off",
        {"entity_id": house.entity("switch", f"{CHARGER}_charge")},
        blocking=True,
    )
    assert house.pushes(CHARGER) == [commanded("idle")]
    for meter in (1000, 11500, 14000, 500):
        house.show(METER, meter)
        await house.let_pass(150, 30)
    assert house.settings(CHARGER) == []
    assert house.pushes(CHARGER) == [commanded("idle")]


@pytest.mark.parametrize(
    ("meter", "unit"),
    [
        ("unknown", "W"),
        ("unavailable", "W"),
        ("15 kilowatts", "W"),
        ("15", "A"),
        ("15", None),
    ],
)
async def test_meter_that_says_nothing(
    house: House, meter: str, unit: str | None
) -> None:
    await house.begin("2026-06-01T14:00:20")
    house.show(METER, meter, unit)
    await house.automate(
        LIMIT, charger=house.device(CHARGER), house_meter=METER, supply_limit=1
    )
    await house.let_pass(180, 30)
    assert house.settings(CHARGER) == house.pushes(CHARGER) == []
    house.show(METER, 8400, "W")
    await house.let_pass(30, 30)
    assert house.pushes(CHARGER) == [commanded("idle")]


async def test_meter_that_fell_silent(house: House) -> None:
    await _limit(house, 8000)
    await house.let_pass(330, 30)
    assert house.settings(CHARGER) == []
    # Only the car is new: it would be told of by the meter, too.
    house.sandbox.home.device(CHARGER).write_setting("max_charge_rate", 3)
    house.sandbox.home.device(CHARGER).capture()
    await house.hass.services.async_call(
        "button",
        "press",
        {"entity_id": house.entity("button", f"{CHARGER}_refresh")},
        blocking=True,
    )
    await house.let_pass(60, 30)
    assert float(_charger(house)["max_power"].state) == 3
    assert house.settings(CHARGER) == []
    # The same value, told again, is a reading.
    house.show(METER, 8000)
    await house.let_pass(30, 30)
    assert house.settings(CHARGER) == [capped(7)]


async def test_meter_that_only_reports_changes(house: House) -> None:
    await _limit(house, 8000, meter_age=0)
    await house.let_pass(600, 60)
    house.sandbox.home.device(CHARGER).write_setting("max_charge_rate", 3)
    house.sandbox.home.device(CHARGER).capture()
    await house.hass.services.async_call(
        "button",
        "press",
        {"entity_id": house.entity("button", f"{CHARGER}_refresh")},
        blocking=True,
    )
    await house.let_pass(60, 30)
    assert house.settings(CHARGER) == [capped(7)]


async def test_car_that_nobody_knows_of_yet(house: House) -> None:
    """The meter shows it before Amps AI does: the charger is asked, and capped."""
    charger = house.sandbox.home.device(CHARGER)
    charger.state_override = {
        "isConnected": False,
        "isCharging": False,
        "currentPower": 0,
    }
    await house.begin("2026-06-01T14:00:20")
    house.show(METER, 4000)
    await house.automate(
        LIMIT, charger=house.device(CHARGER), house_meter=METER, supply_limit=9
    )
    await house.let_pass(90, 30)
    assert _charger(house)["connected"].state == "off"
    charger.state_override = {}
    charger.capture()
    house.show(METER, 11400)
    await house.let_pass(25, 5)
    assert _charger(house)["connected"].state == "on"
    assert house.settings(CHARGER) == [capped(5)]


async def test_no_car_no_cap(house: House) -> None:
    charger = house.sandbox.home.device(CHARGER)
    charger.state_override = {"isConnected": False, "isCharging": True}
    await house.begin("2026-06-01T14:00:20")
    house.show(METER, 15000)
    await house.automate(
        LIMIT, charger=house.device(CHARGER), house_meter=METER, supply_limit=12
    )
    await house.let_pass(120, 30)
    assert _charger(house)["connected"].state == "off"
    assert _charger(house)["charge"].state == "on"
    assert house.settings(CHARGER) == house.pushes(CHARGER) == []


@pytest.mark.parametrize(
    "override",
    [{"currentPower": None}, {"isConnected": None}, {"isCharging": None}],
)
async def test_charger_of_which_too_little_is_known(
    house: House, override: Json
) -> None:
    house.sandbox.home.device(CHARGER).state_override = override
    await house.begin("2026-06-01T14:00:20")
    house.show(METER, 15000)
    await house.automate(
        LIMIT, charger=house.device(CHARGER), house_meter=METER, supply_limit=12
    )
    await house.let_pass(60, 30)
    assert house.settings(CHARGER) == house.pushes(CHARGER) == []


async def test_charger_that_is_not_there(house: House) -> None:
    await _limit(house, 8000)
    house.sandbox.home.device(CHARGER).offline = True
    await house.hass.config_entries.async_unload(house.entry.entry_id)
    house.show(METER, 20000)
    await house.let_pass(90, 30)
    assert house.settings(CHARGER) == house.pushes(CHARGER) == []
    assert house.last_triggered() is None


async def test_old_reading_of_the_charger_is_no_room(house: House) -> None:
    """A charger does not draw more than its cap, whatever it last told."""
    charger = house.sandbox.home.device(CHARGER)
    charger.state_override = {"currentPower": 7.4}
    await _limit(house, 15000)
    await house.let_pass(10, 10)
    assert house.settings(CHARGER) == [capped(4.4)]
    # It draws 4.4 now, so that the house is at the limit; it tells of 7.4.
    house.show(METER, 12000)
    await house.let_pass(300)
    assert float(_charger(house)["power"].state) == 7.4
    assert house.settings(CHARGER) == [capped(4.4)]


async def test_failed_pause_is_tried_again(house: House, said_wrong: list[str]) -> None:
    said_wrong.append("Error executing script")
    said_wrong.append("Error while executing automation")
    charger = house.sandbox.home.device(CHARGER)
    charger.next_action("failed", code="TIMEOUT", message="No answer.")
    await _limit(house, 19000)
    await house.let_pass(40, 10)
    assert house.pushes(CHARGER) == [commanded("idle")]
    assert _charger(house)["charge"].state == "on"
    await house.let_pass(75, 15)
    assert len(house.pushes(CHARGER)) == 1
    await house.let_pass(60, 30)
    assert house.pushes(CHARGER) == [commanded("idle"), commanded("idle")]
    assert _charger(house)["charge"].state == "off"


@pytest.mark.parametrize("home", ["classic"])
async def test_limit_with_an_older_charger(house: House) -> None:
    """Without a known cap, the first one is set; the words are the older ones."""
    await house.begin("2026-06-01T14:00:20")
    shown = _charger(house)
    assert shown["max_power"].state == "unknown"
    assert shown["charge"].state == "on"
    house.show(METER, 15000)
    await house.automate(
        LIMIT, charger=house.device(CHARGER), house_meter=METER, supply_limit=12
    )
    await house.let_pass(10, 10)
    assert house.pushes(CHARGER) == [{"action": "set_max_power", "maxPower": 4.4}]


async def test_running_it_by_hand_pushes_nothing_without_need(house: House) -> None:
    await _limit(house, 5000)
    await house.hass.services.async_call(
        "automation", "trigger", {"entity_id": AUTOMATION}, blocking=True
    )
    assert house.settings(CHARGER) == house.pushes(CHARGER) == []


# Charge the car from solar surplus


EXPORT = "sensor.export"


async def _solar(
    house: House, *, paused: bool, export: float | str | None, **inputs: Any
) -> None:
    """At two in the afternoon, a car is there."""
    if paused:
        house.sandbox.home.device(CHARGER).physics.command("idle", {})
    await house.begin("2026-06-01T14:00:20")
    assert _charger(house)["charge"].state == ("off" if paused else "on")
    if export is not None:
        house.show(EXPORT, export)
        house.reporting.add(EXPORT)
        inputs.setdefault("adds", [EXPORT])
    await house.automate(SOLAR, charger=house.device(CHARGER), **inputs)


async def test_begins_when_there_is_enough_for_long_enough(house: House) -> None:
    await _solar(house, paused=True, export=3250)
    await house.let_pass(280)
    assert house.pushes(CHARGER) == house.settings(CHARGER) == []
    await house.let_pass(90)
    assert house.settings(CHARGER) == [capped(3.2)]
    assert house.pushes(CHARGER) == [commanded("charge")]
    assert _charger(house)["charge"].state == "on"


async def test_a_moment_of_sun_is_not_enough(house: House) -> None:
    await _solar(house, paused=True, export=3000)
    for _ in range(3):
        await house.let_pass(200)
        house.show(EXPORT, 1500)
        await house.let_pass(60)
        house.show(EXPORT, 3000)
    assert house.pushes(CHARGER) == house.settings(CHARGER) == []


async def test_begins_below_nothing(house: House) -> None:
    await _solar(house, paused=True, export=1590)
    await house.let_pass(600, 30)
    assert house.pushes(CHARGER) == house.settings(CHARGER) == []


@pytest.mark.parametrize(
    ("inputs", "meters"),
    [
        ({"takes": ["sensor.grid"]}, {"sensor.grid": (-3.25, "kW")}),
        (
            {"adds": ["sensor.roof", "sensor.barn"], "takes": ["sensor.house"]},
            {
                "sensor.roof": (4.0, "kW"),
                "sensor.barn": (1250, "W"),
                "sensor.house": (2000, "W"),
            },
        ),
    ],
)
async def test_surplus_by_any_meters(
    house: House, inputs: Json, meters: dict[str, tuple[float, str]]
) -> None:
    for entity_id, (value, unit) in meters.items():
        house.show(entity_id, value, unit)
    await _solar(house, paused=True, export=None, start_delay=0, **inputs)
    await house.let_pass(60)
    assert house.settings(CHARGER) == [capped(3.2)]
    assert house.pushes(CHARGER) == [commanded("charge")]


@pytest.mark.parametrize("export", ["unknown", "unavailable", "3000 W"])
@pytest.mark.parametrize("paused", [True, False])
async def test_surplus_unknown(house: House, paused: bool, export: str) -> None:
    """One of two meters is not enough to go by."""
    house.show("sensor.more", 9000)
    await _solar(
        house,
        paused=paused,
        export=export,
        adds=[EXPORT, "sensor.more"],
        start_delay=0,
        stop_delay=0,
    )
    await house.let_pass(180, 30)
    assert house.pushes(CHARGER) == house.settings(CHARGER) == []


async def test_no_meter_is_no_surplus(house: House) -> None:
    await _solar(house, paused=False, export=None, start_delay=0, stop_delay=0)
    await house.let_pass(180, 30)
    assert house.pushes(CHARGER) == house.settings(CHARGER) == []


@pytest.mark.parametrize("charging", [True, False])
async def test_no_car_no_charge(house: House, charging: bool) -> None:
    house.sandbox.home.device(CHARGER).state_override = {
        "isConnected": False,
        "isCharging": charging,
    }
    await house.begin("2026-06-01T14:00:20")
    house.show(EXPORT, -9000 if charging else 9000)
    await house.automate(
        SOLAR,
        charger=house.device(CHARGER),
        adds=[EXPORT],
        start_delay=0,
        stop_delay=0,
    )
    await house.let_pass(300, 30)
    assert house.pushes(CHARGER) == house.settings(CHARGER) == []


async def test_car_that_comes(house: House) -> None:
    charger = house.sandbox.home.device(CHARGER)
    charger.state_override = {"isConnected": False}
    await _solar(house, paused=True, export=4000, start_delay=0)
    await house.let_pass(120, 30)
    assert house.pushes(CHARGER) == []
    charger.state_override = {}
    await house.let_pass(150, 30)
    assert house.pushes(CHARGER) == [commanded("charge")]


async def test_follows_the_surplus(house: House) -> None:
    """It exports 1 kW beside the 7.4 kW of the car: 8.4 kW are there."""
    await _solar(house, paused=False, export=1000)
    await house.let_pass(60)
    assert house.settings(CHARGER) == [capped(8.4)]
    # The car takes no more; a cloud: 2 kW are drawn.
    house.show(EXPORT, -2000)
    await house.let_pass(105)
    assert house.settings(CHARGER) == [capped(8.4)]
    await house.let_pass(75)
    assert house.settings(CHARGER) == [capped(8.4), capped(5.4)]
    # A little more or less is not worth a cap.
    house.show(EXPORT, 200)
    await house.let_pass(240, 30)
    assert len(house.settings(CHARGER)) == 2
    assert house.pushes(CHARGER) == []


async def test_caps_go_no_lower_than_a_car_takes(house: House) -> None:
    await _solar(house, paused=False, export=-6200, stop_power=1)
    await house.let_pass(60)
    assert house.settings(CHARGER) == [capped(1.4)]


async def test_does_not_follow_where_not_asked(house: House) -> None:
    await _solar(house, paused=True, export=3000, follow=False, start_delay=0)
    await house.let_pass(60)
    assert house.pushes(CHARGER) == [commanded("charge")]
    house.show(EXPORT, -1000)
    await house.let_pass(240, 30)
    assert house.settings(CHARGER) == []


async def test_pauses_when_it_is_over_for_long_enough(house: House) -> None:
    # 7.4 kW of the car less 7 kW from the grid.
    await _solar(house, paused=False, export=-7000)
    await house.let_pass(580)
    assert house.pushes(CHARGER) == []
    await house.let_pass(90)
    assert house.pushes(CHARGER) == [commanded("idle")]
    assert house.settings(CHARGER) == []
    assert _charger(house)["charge"].state == "off"


async def test_a_cloud_pauses_nothing(house: House) -> None:
    await _solar(house, paused=False, export=-7000)
    await house.let_pass(400, 30)
    house.show(EXPORT, 3600)
    await house.let_pass(60)
    house.show(EXPORT, -7000)
    await house.let_pass(400, 30)
    assert house.pushes(CHARGER) == []


async def test_one_wait_is_not_taken_for_the_other(house: House) -> None:
    """Started by hand while it waited for the sun, and the sun went."""
    await _solar(house, paused=True, export=3000)
    await house.let_pass(120)
    await house.hass.services.async_call(
        "switch",
        "turn_on",
        {"entity_id": house.entity("switch", f"{CHARGER}_charge")},
        blocking=True,
    )
    house.show(EXPORT, -9000)
    await house.let_pass(300, 30)
    assert house.pushes(CHARGER) == [commanded("charge")]
    await house.let_pass(400, 30)
    assert house.pushes(CHARGER) == [commanded("charge"), commanded("idle")]


async def test_car_that_takes_nothing_is_not_asked_every_minute(house: House) -> None:
    charger = house.sandbox.home.device(CHARGER)
    charger.state_override = {"isCharging": False, "currentPower": 0}
    await house.begin("2026-06-01T14:00:20")
    house.show(EXPORT, 4000)
    house.reporting.add(EXPORT)
    await house.automate(
        SOLAR, charger=house.device(CHARGER), adds=[EXPORT], start_delay=0
    )
    await house.let_pass(60)
    assert house.pushes(CHARGER) == [commanded("charge")]
    await house.let_pass(3300, 300)
    assert len(house.pushes(CHARGER)) == 1
    # It may charge, and does so by itself when it takes something again.
    assert _charger(house)["charge"].state == "on"
    await house.let_pass(900, 60)
    assert len(house.pushes(CHARGER)) == 1


async def test_only_if_keeps_the_sun_out(house: House) -> None:
    house.show("input_boolean.solar", "off", None)
    await _solar(
        house,
        paused=False,
        export=-7000,
        stop_delay=0,
        only_if=[
            {"condition": "state", "entity_id": "input_boolean.solar", "state": "on"}
        ],
    )
    await house.let_pass(180, 30)
    assert house.pushes(CHARGER) == []
    house.show("input_boolean.solar", "on", None)
    await house.let_pass(60)
    assert house.pushes(CHARGER) == [commanded("idle")]


# Heat or cool before the dear hours


async def _preheat(house: House, now: str, **inputs: Any) -> None:
    await house.begin(now)
    await house.automate(PREHEAT, thermostat=THERMOSTAT, **inputs)


def _thermostat(house: House) -> tuple[str, str | None, float | None]:
    state = house.hass.states.get(THERMOSTAT)
    assert state is not None
    return (
        state.state,
        state.attributes.get("preset_mode"),
        state.attributes.get("temperature"),
    )


@pytest.mark.parametrize(
    ("day", "mode", "before", "during"),
    [("2026-01-12", "heat", 22, 19), ("2026-07-13", "cool", 22, 26)],
)
async def test_a_dear_evening(
    house: House, day: str, mode: str, before: float, during: float
) -> None:
    await _preheat(house, f"{day}T13:59:50")
    assert _thermostat(house)[1] == "schedule"
    await house.let_pass(15)
    assert house.pushes(HVAC) == [commanded(mode, target=before)]
    assert _thermostat(house) == (mode, "hold", before)
    await house.until(f"{day}T16:59:50", 1800)
    assert len(house.pushes(HVAC)) == 1
    await house.let_pass(15)
    assert house.pushes(HVAC)[1:] == [commanded(mode, target=during)]
    assert _thermostat(house) == (mode, "hold", during)
    await house.until(f"{day}T19:59:50", 1800)
    assert len(house.pushes(HVAC)) == 2
    await house.let_pass(15)
    assert house.pushes(HVAC)[2:] == [commanded("follow_schedule")]
    assert _thermostat(house)[1] == "schedule"
    await house.until(f"{day}T23:59:50", 1800)
    assert len(house.pushes(HVAC)) == 3


async def test_dear_hours_over_midnight(house: House) -> None:
    inputs = {
        "begin_at": "21:00:00",
        "dear_start": "23:00:00",
        "dear_end": "01:30:00",
        # It begins on a Monday, and not on a Tuesday.
        "days": ["0"],
    }
    await _preheat(house, "2026-01-12T20:59:50", **inputs)
    await house.until("2026-01-13T01:30:20", 1800)
    assert house.pushes(HVAC) == [
        commanded("heat", target=22),
        commanded("heat", target=19),
        commanded("follow_schedule"),
    ]
    await house.until("2026-01-14T02:00:00")
    assert len(house.pushes(HVAC)) == 3


@pytest.mark.parametrize(
    "inputs",
    [
        {"heat_months": ["11"]},
        {"days": ["1", "2", "3", "4", "5", "6"]},
        {"people": ["person.anna", "person.ben"]},
    ],
)
async def test_a_day_without(house: House, inputs: Json) -> None:
    """Not in this month, not on a Monday, or with nobody home."""
    house.show("person.anna", "not_home", None)
    house.show("person.ben", "unknown", None)
    await _preheat(house, "2026-01-12T13:59:50", **inputs)
    await house.until("2026-01-12T20:00:30", 1800)
    assert house.pushes(HVAC) == []


async def test_someone_is_home(house: House) -> None:
    """And the schedule is given back though everybody has left."""
    house.show("person.anna", "home", None)
    await _preheat(house, "2026-01-12T13:59:50", people=["person.anna", "person.ben"])
    await house.let_pass(15)
    assert house.pushes(HVAC) == [commanded("heat", target=22)]
    house.show("person.anna", "not_home", None)
    await house.until("2026-01-12T20:00:30", 1800)
    assert house.pushes(HVAC)[1:] == [
        commanded("heat", target=19),
        commanded("follow_schedule"),
    ]


@pytest.mark.parametrize("own", ["off", "hold"])
async def test_what_the_person_holds_is_left_alone(house: House, own: str) -> None:
    await house.begin("2026-01-12T13:59:30")
    await house.hass.services.async_call(
        "climate",
        "set_hvac_mode" if own == "off" else "set_temperature",
        {
            "entity_id": THERMOSTAT,
            "hvac_mode": "off" if own == "off" else "heat",
            **({} if own == "off" else {"temperature": 20.5}),
        },
        blocking=True,
    )
    await house.calm()
    house.sandbox.requests.clear()
    await house.automate(PREHEAT, thermostat=THERMOSTAT)
    await house.until("2026-01-12T20:30:30", 1800)
    assert house.pushes(HVAC) == []


async def test_person_takes_over(house: House) -> None:
    """Whoever turns it up in the dear hours keeps what they chose."""
    await _preheat(house, "2026-01-12T16:59:50")
    await house.let_pass(15)
    assert house.pushes(HVAC) == [commanded("heat", target=19)]
    await house.hass.services.async_call(
        "climate",
        "set_temperature",
        {"entity_id": THERMOSTAT, "temperature": 23},
        blocking=True,
    )
    await house.until("2026-01-12T20:30:30", 1800)
    assert house.pushes(HVAC)[1:] == [commanded("heat", target=23)]


@pytest.mark.parametrize(
    ("held", "now", "expected"),
    [
        # Off since it has begun to heat.
        (22, "2026-01-12T15:00", []),
        (22, "2026-01-12T18:00", [commanded("heat", target=19)]),
        (22, "2026-01-12T23:00", [commanded("follow_schedule")]),
        # Off since the dear hours began.
        (19, "2026-01-12T18:00", []),
        (19, "2026-01-13T09:00", [commanded("follow_schedule")]),
        # Off since before.
        (None, "2026-01-12T13:00", []),
        (None, "2026-01-12T15:00", [commanded("heat", target=22)]),
        (None, "2026-01-12T18:00", [commanded("heat", target=19)]),
        (None, "2026-01-12T23:00", []),
    ],
)
@pytest.mark.parametrize("slow", [False, True])
async def test_restart_in_between(
    house: House,
    held: float | None,
    now: str,
    expected: list[Json],
    slow: bool,
) -> None:
    """Also where the thermostat is there only after Home Assistant has started."""
    if held is not None:
        house.sandbox.home.device(HVAC).physics.command("heat", {"target": held})
    await house.begin(now)
    if slow:
        await house.hass.config_entries.async_unload(house.entry.entry_id)
    house.hass.set_state(CoreState.not_running)
    await house.automate(PREHEAT, thermostat=THERMOSTAT)
    await house.hass.async_start()
    await house.calm()
    if slow:
        assert house.pushes(HVAC) == []
        assert await house.hass.config_entries.async_setup(house.entry.entry_id)
    await house.let_pass(15)
    assert house.pushes(HVAC) == expected


@pytest.mark.parametrize(("days", "expected"), [(["0"], 1), (["1"], 0)])
async def test_the_day_is_the_one_on_which_it_begins(
    house: House, days: list[str], expected: int
) -> None:
    """Back on Tuesday, half an hour after midnight, of what began on Monday."""
    await house.begin("2026-01-13T00:30")
    house.hass.set_state(CoreState.not_running)
    await house.automate(
        PREHEAT,
        thermostat=THERMOSTAT,
        begin_at="21:00:00",
        dear_start="23:00:00",
        dear_end="01:30:00",
        days=days,
    )
    await house.hass.async_start()
    await house.let_pass(15)
    assert house.pushes(HVAC) == [commanded("heat", target=19)] * expected


async def test_giving_back_is_tried_again(house: House, said_wrong: list[str]) -> None:
    said_wrong.append("Error executing script")
    thermostat = house.sandbox.home.device(HVAC)
    thermostat.physics.command("heat", {"target": 19})
    await _preheat(house, "2026-01-12T19:59:50")
    thermostat.next_action("failed", code="TIMEOUT", message="No answer.")
    await house.let_pass(20)
    assert house.pushes(HVAC) == [commanded("follow_schedule")]
    assert _thermostat(house) == ("heat", "hold", 19)
    assert "did not go back to its schedule at 20:00" in house.told[AUTOMATION]
    await house.until("2026-01-12T20:05:30", 30)
    assert house.pushes(HVAC)[1:] == [commanded("follow_schedule")]
    assert _thermostat(house)[1] == "schedule"
    assert house.told == {}


async def test_hold_at_the_same_temperature_at_night_is_kept(house: House) -> None:
    """What somebody holds long after the dear hours is theirs."""
    await _preheat(house, "2026-01-12T22:30:00")
    await house.hass.services.async_call(
        "climate",
        "set_temperature",
        {"entity_id": THERMOSTAT, "hvac_mode": "heat", "temperature": 19},
        blocking=True,
    )
    await house.until("2026-01-13T13:00:00", 1200)
    assert house.pushes(HVAC) == [commanded("heat", target=19)]


async def test_house_in_fahrenheit(house: House) -> None:
    house.hass.config.units = US_CUSTOMARY_SYSTEM
    await _preheat(house, "2026-01-12T16:59:50", heat_during=19.5)
    await house.let_pass(15)
    assert house.pushes(HVAC) == [commanded("heat", target=19.5)]
    shown = _thermostat(house)[2]
    assert shown is not None and shown > 60
    await house.until("2026-01-12T20:00:30", 1800)
    assert house.pushes(HVAC)[1:] == [commanded("follow_schedule")]


@pytest.mark.parametrize("choice", ["keep", "cancel_and_replace"])
async def test_preheat_and_what_is_planned(
    house: House, choice: str, said_wrong: list[str]
) -> None:
    await house.begin("2026-01-12T13:59:30")
    await house.hass.services.async_call(
        DOMAIN,
        "hold_temperature",
        {
            "device_id": house.device(HVAC),
            "mode": "heat",
            "target": 24,
            "start": "2026-01-12 21:00",
        },
        blocking=True,
    )
    [other] = house.sandbox.home.device(HVAC).actions
    if choice == "keep":
        said_wrong.append("Error executing script")
    await house.automate(PREHEAT, thermostat=THERMOSTAT, on_conflict=choice)
    await house.let_pass(45)
    assert (AUTOMATION in house.told) is (choice == "keep")
    assert other.state == ("scheduled" if choice == "keep" else "cancelled")
    assert _thermostat(house)[1] == ("schedule" if choice == "keep" else "hold")


# Tell about trouble


async def test_tells_of_a_failed_command(house: House) -> None:
    """In words, with what the manufacturer said; run to its end."""
    await house.begin("2026-06-01T14:00")
    told = async_mock_service(house.hass, "persistent_notification", "create")
    await house.automate(TROUBLE)
    battery = house.sandbox.home.device(BATTERY)
    battery.next_action("failed", code="TIMEOUT", message="Gateway timed out.")
    await house.hass.services.async_call(
        DOMAIN,
        "charge",
        {"device_id": house.device(BATTERY), "wait": False},
        blocking=True,
    )
    await house.let_pass(5, 1)
    [call] = told
    assert call.data == {
        "title": "Powerwall 2 did not do what it was told",
        "message": (
            'The command "charge" failed. The manufacturer did not answer in time. '
            "(Gateway timed out.) [TIMEOUT]"
        ),
        "notification_id": f"amps_ai_failed_{house.device(BATTERY)}",
    }


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (
            "ODD_CODE",
            "The inverter is busy.",
            'The command "charge" failed. The inverter is busy. [ODD_CODE]',
        ),
        (
            "SCHEDULER_ACTIVE",
            "Native.",
            (
                'The command "charge" failed. A schedule of the manufacturer is in '
                "the way. Settings → System → Repairs offers to clear it. (Native.) "
                "[SCHEDULER_ACTIVE]"
            ),
        ),
    ],
)
async def test_error_in_words(
    house: House, code: str, message: str, expected: str
) -> None:
    await house.begin("2026-06-01T14:00")
    told = async_mock_service(house.hass, "notify", "send")
    await house.automate(
        TROUBLE,
        tell=[{"action": "notify.send", "data": {"message": "{{ message }}"}}],
    )
    house.sandbox.home.device(BATTERY).next_action("failed", code=code, message=message)
    await house.hass.services.async_call(
        DOMAIN,
        "charge",
        {"device_id": house.device(BATTERY), "wait": False},
        blocking=True,
    )
    await house.let_pass(5, 1)
    assert [call.data for call in told] == [{"message": expected}]


async def test_failure_of_which_nothing_is_said(house: House) -> None:
    """A device whose event entity is turned off; a code that is not there."""
    await house.begin("2026-06-01T14:00")
    told = async_mock_service(house.hass, "persistent_notification", "create")
    await house.automate(TROUBLE)
    house.hass.bus.async_fire(
        EVENT_ACTION,
        {
            "device_id": house.device(HVAC),
            "action_id": "action_elsewhere",
            "command": "heat",
            "state": "failed",
            "error": None,
        },
    )
    await house.let_pass(3, 1)
    assert [call.data["message"] for call in told] == [
        'The command "heat" failed. Nobody said why.'
    ]


async def test_only_failures_are_told(house: House) -> None:
    await house.begin("2026-06-01T14:00")
    told = async_mock_service(house.hass, "persistent_notification", "create")
    await house.automate(TROUBLE)
    await house.hass.services.async_call(
        DOMAIN, "charge", {"device_id": house.device(BATTERY)}, blocking=True
    )
    await house.let_pass(5, 1)
    assert house.sandbox.home.device(BATTERY).actions[-1].state == "completed"
    assert told == []


def _lose(house: House, device_id: str) -> None:
    house.hass.bus.async_fire(
        EVENT_LINK, {"device_id": house.device(device_id), "state": "lost"}
    )


def _fail(house: House, device_id: str) -> None:
    house.hass.bus.async_fire(
        EVENT_ACTION,
        {
            "device_id": house.device(device_id),
            "action_id": "action_1",
            "command": "charge",
            "state": "failed",
            "error": "TIMEOUT",
        },
    )


async def test_tells_of_a_lost_link(house: House) -> None:
    await house.begin("2026-06-01T14:00")
    told = async_mock_service(house.hass, "persistent_notification", "create")
    await house.automate(TROUBLE)
    _lose(house, CHARGER)
    house.hass.bus.async_fire(
        EVENT_LINK, {"device_id": house.device(CHARGER), "state": "restored"}
    )
    await house.let_pass(3, 1)
    [call] = told
    assert call.data == {
        "title": "Pulsar Plus must be linked again",
        "message": (
            "The manufacturer does not let Amps AI reach Pulsar Plus any more. "
            "Link it again: Settings → System → Repairs says where."
        ),
        "notification_id": f"amps_ai_lost_{house.device(CHARGER)}",
    }


async def test_link_lost_for_real(house: House) -> None:
    """A single read that the manufacturer refuses is told of."""
    await house.begin("2026-06-01T14:00")
    told = async_mock_service(house.hass, "persistent_notification", "create")
    await house.automate(TROUBLE)
    house.sandbox.home.device(BATTERY).credentials_refused = True
    await house.let_pass(20 * 60, 60)
    assert [call.data["title"] for call in told] == ["Powerwall 2 must be linked again"]


async def test_tells_of_a_plan_that_was_not_carried_out(house: House) -> None:
    await house.begin("2026-06-01T14:00")
    told = async_mock_service(house.hass, "persistent_notification", "create")
    await house.automate(TROUBLE)
    house.hass.bus.async_fire(
        EVENT_ACTION,
        {
            "device_id": house.device(BATTERY),
            "plan": "Night",
            "command": "charge",
            "state": "missed",
            "start": "2026-06-01T22:00:00+02:00",
            "error": "DEVICE_OFFLINE",
        },
    )
    await house.let_pass(3, 1)
    [call] = told
    assert call.data["title"] == "Powerwall 2: a plan was not carried out"
    assert call.data["message"] == (
        'The time of the plan "Night" is over, and it was not carried out. '
        "The device is offline. [DEVICE_OFFLINE]"
    )


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"troubles": ["lost"]}, {"lost battery", "lost charger"}),
        ({"troubles": ["failed"]}, {"failed battery", "failed charger"}),
        ({"devices": [BATTERY]}, {"failed battery", "lost battery"}),
    ],
)
async def test_tells_only_what_was_asked_for(
    house: House, inputs: Json, expected: set[str]
) -> None:
    await house.begin("2026-06-01T14:00")
    told = async_mock_service(house.hass, "notify", "send")
    if "devices" in inputs:
        inputs = {"devices": [house.device(one) for one in inputs["devices"]]}
    await house.automate(
        TROUBLE,
        tell=[
            {
                "action": "notify.send",
                "data": {"message": "{{ trouble }} {{ device }}"},
            }
        ],
        **inputs,
    )
    names = {house.device(BATTERY): "battery", house.device(CHARGER): "charger"}
    for device_id in (BATTERY, CHARGER):
        _fail(house, device_id)
        _lose(house, device_id)
    await house.let_pass(15, 1)
    assert sorted(
        " ".join(names.get(word, word) for word in call.data["message"].split())
        for call in told
    ) == sorted(expected)


async def test_trouble_with_the_real_notification(
    house: House,
) -> None:
    """The default is an action that Home Assistant has."""
    await house.begin("2026-06-01T14:00")
    assert await async_setup_component(house.hass, "persistent_notification", {})
    await house.automate(TROUBLE)
    _fail(house, BATTERY)
    await house.let_pass(3, 1)
    shown = house.hass.data["persistent_notification"]
    assert list(shown) == [f"amps_ai_failed_{house.device(BATTERY)}"]
    descriptions = await service.async_get_all_descriptions(house.hass)
    assert "create" in descriptions["persistent_notification"]


# What all do when something is not as it should be


def _helper(house: House, domain: str, name: str, on: str, **attributes: str) -> str:
    """Put a helper of the person on a device, as the helpers' forms do."""
    entry = MockConfigEntry(domain="template", title=name)
    entry.add_to_hass(house.hass)
    found = er.async_get(house.hass).async_get_or_create(
        domain,
        "template",
        name,
        config_entry=entry,
        device_id=house.device(on),
        suggested_object_id=f"a_{name}",
        original_device_class=attributes.get("device_class"),
    )
    house.hass.states.async_set(found.entity_id, attributes.pop("state"), attributes)
    return found.entity_id


@pytest.mark.parametrize("name", [LIMIT, SHARE])
async def test_a_helper_on_the_charger_is_not_the_charger(
    house: House, name: str
) -> None:
    """A switch, a plug, a power and a number that somebody has put there."""
    await house.begin("2026-06-01T14:00:20")
    helpers = {
        _helper(house, "switch", "lamp", CHARGER, state="off"),
        _helper(
            house, "binary_sensor", "plug", CHARGER, state="off", device_class="plug"
        ),
        _helper(
            house,
            "sensor",
            "power",
            CHARGER,
            state="0",
            device_class="power",
            state_class="measurement",
            unit_of_measurement="kW",
        ),
        _helper(
            house,
            "number",
            "cap",
            CHARGER,
            state="3",
            device_class="power",
            unit_of_measurement="kW",
        ),
    }
    # They come first, and would be taken.
    assert set(er.async_get(house.hass).entities) >= helpers
    called: list[str] = []
    house.hass.bus.async_listen(
        EVENT_CALL_SERVICE,
        lambda event: called.append(
            str(event.data["service_data"].get("entity_id", ""))
        ),
    )
    house.show(METER, 15000)
    charger = house.device(CHARGER)
    await house.automate(
        name,
        house_meter=METER,
        supply_limit=12,
        **(
            {"charger": charger}
            if name == LIMIT
            else {"charger_1": charger, "charger_2": ""}
        ),
    )
    await house.let_pass(15)
    # The one for several leaves a little free.
    assert house.settings(CHARGER) == [capped(4.4 if name == LIMIT else 3.9)]
    assert not [call for call in called if any(one in call for one in helpers)]
    assert house.told == {}


@pytest.mark.parametrize("name", [LIMIT, SOLAR])
@pytest.mark.parametrize(
    ("platform", "key", "word"),
    [
        ("binary_sensor", "connected", "plug"),
        ("switch", "charge", "switch"),
        ("sensor", "power", "power"),
        ("number", "max_power", "power cap"),
    ],
)
async def test_what_is_turned_off_is_told(
    house: House, name: str, platform: str, key: str, word: str
) -> None:
    """And what comes back is taken back, and worked with."""
    await house.begin("2026-06-01T14:00:20")
    registry = er.async_get(house.hass)
    entity_id = house.entity(platform, f"{CHARGER}_{key}")
    registry.async_update_entity(entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    await house.calm()
    house.show(METER, 15000)
    house.reporting.add(METER)
    await house.automate(
        name,
        charger=house.device(CHARGER),
        **(
            {"house_meter": METER, "supply_limit": 12}
            if name == LIMIT
            else {"takes": [METER]}
        ),
    )
    await house.let_pass(60, 30)
    assert house.told == {}
    await house.let_pass(180, 30)
    assert house.told[AUTOMATION].endswith(f"device: Pulsar Plus: {word}.")
    assert house.pushes(CHARGER) == house.settings(CHARGER) == []
    registry.async_update_entity(entity_id, disabled_by=None)
    await house.hass.config_entries.async_reload(house.entry.entry_id)
    await house.let_pass(300, 60)
    assert house.told == {}
    await house.let_pass(60, 30)
    assert house.settings(CHARGER) or name == SOLAR


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        (LIMIT, {"house_meter": "sensor.nowhere", "supply_limit": 12}),
        (SOLAR, {"adds": ["sensor.nowhere"]}),
        (SOLAR, {}),
        (PRICE, {"price": "sensor.nowhere", "limit": 0.2}),
    ],
)
async def test_meter_that_is_not_there_is_told(
    house: House, name: str, inputs: Json
) -> None:
    await house.begin("2026-06-01T14:00:20")
    device = (
        {"battery": house.device(BATTERY)}
        if name == PRICE
        else {"charger": house.device(CHARGER)}
    )
    await house.automate(name, **device, **inputs)
    await house.let_pass(8 * 60, 30)
    expected = "sensor.nowhere." if inputs else "a meter of the surplus."
    assert house.told[AUTOMATION].endswith(expected)


async def test_battery_that_is_gone_is_told(house: House) -> None:
    await house.begin("2026-06-01T19:59:50")
    await house.automate(CHEAP, battery="0123456789abcdef0123456789abcdef")
    await house.let_pass(240, 30)
    assert house.told[AUTOMATION].endswith("Battery: mode.")


async def test_thermostat_that_is_gone_is_told(house: House) -> None:
    await house.begin("2026-01-12T13:59:50")
    await house.automate(PREHEAT, thermostat="climate.nowhere")
    await house.let_pass(60, 30)
    assert house.told[AUTOMATION].endswith("climate.nowhere.")


@pytest.mark.parametrize("name", [LIMIT, SOLAR, SHARE])
async def test_the_switch_of_a_plan_is_not_the_charger(house: House, name: str) -> None:
    """Also where it comes first: nothing turns a plan off."""
    await house.begin("2026-06-01T14:00:20")
    plan = await _plan(house, CHARGER)
    charge = house.entity("switch", f"{CHARGER}_charge")
    er.async_get(house.hass).async_remove(charge)
    await house.hass.config_entries.async_reload(house.entry.entry_id)
    await house.calm()
    house.sandbox.requests.clear()
    charger = house.device(CHARGER)
    house.show(METER, 25000)
    house.reporting.add(METER)
    await house.automate(
        name,
        **{
            LIMIT: {"charger": charger, "house_meter": METER, "supply_limit": 12},
            SOLAR: {"charger": charger, "takes": [METER], "stop_delay": 0},
            SHARE: {
                "charger_1": charger,
                "charger_2": "",
                "house_meter": METER,
                "supply_limit": 12,
            },
        }[name],
    )
    assert _charger(house)["charge"].state == "on"
    await house.let_pass(90)
    assert commanded("idle") in house.pushes(CHARGER)
    assert _charger(house)["charge"].state == "off"
    shown = house.hass.states.get(plan)
    assert shown is not None and shown.state == "on"


# One failure does not lose the night


async def test_cheap_night_with_a_refused_plan(
    house: House, said_wrong: list[str]
) -> None:
    """What stands in the way is told, and gone in time."""
    said_wrong.append("Error executing script")
    await house.begin("2026-06-01T19:59:40")
    await house.hass.services.async_call(
        DOMAIN,
        "discharge",
        {
            "device_id": house.device(BATTERY),
            "start": "2026-06-01 20:30",
            "end": "2026-06-01 20:40",
        },
        blocking=True,
    )
    await house.automate(CHEAP, battery=house.device(BATTERY))
    await house.let_pass(60)
    assert "Powerwall 2 was not charged at 20:00" in house.told[AUTOMATION]
    await house.until("2026-06-01T20:59:00", 60)
    assert house.pushes(BATTERY)[-1] == charged(
        "2026-06-01T22:00:00", "2026-06-02T05:00:00"
    )
    assert house.told == {}
    [action] = [
        one
        for one in house.sandbox.home.device(BATTERY).actions
        if one.push.command == "charge"
    ]
    assert action.state == "scheduled"


async def test_cheap_night_in_which_the_charge_fails(house: House) -> None:
    """It fails when it begins, and is pushed again for the rest of the window."""
    await house.begin("2026-06-01T19:59:50")
    await house.automate(
        CHEAP,
        battery=house.device(BATTERY),
        # What was so in the evening is not asked again at night.
        only_if=[{"condition": "time", "before": "21:00:00"}],
    )
    battery = house.sandbox.home.device(BATTERY)
    battery.next_action("failed", code="TIMEOUT", message="No answer.")
    await house.until("2026-06-01T22:01:00", 60)
    assert len(house.pushes(BATTERY)) == 1
    assert "(TIMEOUT). It is tried again" in house.told[AUTOMATION]
    await house.until("2026-06-01T22:10:00", 30)
    [again] = house.pushes(BATTERY)[1:]
    assert again["action"]["end"] == "2026-06-02T05:00:00"
    assert again["action"]["start"] > "2026-06-01T22:05:00"
    assert house.told == {}
    mode = house.hass.states.get(house.entity("select", f"{BATTERY}_mode"))
    assert mode is not None and mode.state == "charge"


async def test_schedule_of_the_manufacturer_is_not_pushed_against(
    house: House,
) -> None:
    await house.begin("2026-06-01T19:59:50")
    await house.automate(CHEAP, battery=house.device(BATTERY))
    battery = house.sandbox.home.device(BATTERY)
    battery.next_action("failed", code="SCHEDULER_ACTIVE", message="Native.")
    await house.until("2026-06-01T23:00:00", 300)
    assert len(house.pushes(BATTERY)) == 1
    assert "It is not tried again" in house.told[AUTOMATION]


async def test_failure_of_somebody_else_is_not_made_good(house: House) -> None:
    """A charge that a person has asked for in the window, and that failed."""
    await house.begin("2026-06-01T19:59:50")
    await house.automate(CHEAP, battery=house.device(BATTERY))
    await house.until("2026-06-02T01:00:00")
    house.sandbox.home.device(BATTERY).next_action("failed", code="TIMEOUT")
    await house.hass.services.async_call(
        DOMAIN,
        "charge",
        {"device_id": house.device(BATTERY), "wait": False},
        blocking=True,
    )
    await house.let_pass(600, 60)
    assert len(house.pushes(BATTERY)) == 2
    assert house.told == {}


async def test_low_price_with_a_failure(house: House, said_wrong: list[str]) -> None:
    """Refused at once, and then failed at its beginning: charged all the same."""
    said_wrong.append("Error executing script")
    house.sandbox.faults.add(
        method="POST", path="/battery/*", status=500, code="INTERNAL_ERROR", times=1
    )
    battery = house.sandbox.home.device(BATTERY)
    battery.next_action("failed", code="TIMEOUT", message="No answer.")
    await _price(house, "2026-06-01T14:00:20", 0.1)
    await house.let_pass(60, 10)
    assert len(house.pushes(BATTERY)) == 1
    assert "was not charged at 14:00" in house.told[AUTOMATION]
    # The second is taken, and fails when it begins.
    await house.until("2026-06-01T14:05:00", 10)
    assert [one.state for one in battery.actions] == ["failed"]
    await house.until("2026-06-01T14:10:00", 10)
    assert battery.actions[-1].state == "completed"
    assert house.told == {}
    mode = house.hass.states.get(house.entity("select", f"{BATTERY}_mode"))
    assert mode is not None and mode.state == "charge"


async def test_low_quarters_touch(house: House) -> None:
    """From the first to the last low quarter, the battery charges all the time."""
    await _price(house, "2026-06-01T14:00:20", 0.1, slot="15", target=100)
    await house.until("2026-06-01T14:03:00", 10)
    mode = house.entity("select", f"{BATTERY}_mode")
    shown = set()
    while house.hass.states.get(mode) is not None:
        state = house.hass.states.get(mode)
        assert state is not None
        shown.add(state.state)
        await house.let_pass(30, 30)
        if dt_util.now().hour == 15:
            break
    assert shown == {"charge"}
    windows = [push["action"] for push in house.pushes(BATTERY)]
    assert [(one["start"][11:16], one["end"][11:16]) for one in windows] == [
        ("14:02", "14:17"),
        ("14:17", "14:32"),
        ("14:32", "14:47"),
        ("14:47", "15:02"),
    ]


# What is surplus, and what is not


SUN = "device_inverter_001"


async def test_what_the_house_battery_gives_is_no_surplus(house: House) -> None:
    """In the dark, the battery covers the car: nothing is drawn from the grid."""
    house.show("sensor.battery", 7.4, "kW")
    house.reporting.add("sensor.battery")
    await _solar(house, paused=False, export=0, gives=["sensor.battery"])
    await house.let_pass(12 * 60, 60)
    assert house.pushes(CHARGER) == [commanded("idle")]
    # The battery charges with what the sun leaves: that is its own, not less there.
    house.show("sensor.battery", -2, "kW")
    house.show(EXPORT, 3250)
    await house.let_pass(12 * 60, 60)
    assert house.settings(CHARGER)[:1] == [capped(3.2)]
    assert house.pushes(CHARGER)[1:] == [commanded("charge")]


async def test_meter_of_the_grid_that_froze(house: House) -> None:
    """What it showed last raises nothing, and begins nothing."""
    await _solar(house, paused=False, export=-3000)
    await house.let_pass(60)
    assert house.settings(CHARGER) == [capped(4.4)]
    house.show(EXPORT, 9000)
    house.reporting.clear()
    await house.let_pass(30)
    house.sandbox.requests.clear()
    # The reading is older than five minutes when the next cap is due.
    house.freezer.tick(6 * 60)
    house.sandbox.clock.advance(6 * 60)
    await house.let_pass(30 * 60, 60)
    assert house.settings(CHARGER) == house.pushes(CHARGER) == []


async def test_meter_that_tells_only_changes_of_the_surplus(house: House) -> None:
    await _solar(house, paused=True, export=3250, meter_age=0)
    house.reporting.clear()
    await house.let_pass(7 * 60, 60)
    assert house.pushes(CHARGER) == [commanded("charge")]


@pytest.mark.parametrize("reached", [True, False])
async def test_sun_that_cannot_be_reached(house: House, reached: bool) -> None:
    """The inverter of Amps AI shows what it showed last; Connectivity says so."""
    inverter = house.sandbox.home.device(SUN)
    house.sandbox.home.device(CHARGER).physics.command("idle", {})
    await house.begin("2026-06-01T14:00:20")
    if not reached:
        inverter.transient_fault = "TIMEOUT"
        await house.let_pass(20 * 60, 60)
    sync = house.hass.states.get(house.entity("binary_sensor", f"{SUN}_sync"))
    assert sync is not None and sync.state == ("on" if reached else "off")
    house.show("sensor.house", 500)
    house.reporting.add("sensor.house")
    await house.automate(
        SOLAR,
        charger=house.device(CHARGER),
        adds=[house.entity("sensor", f"{SUN}_power")],
        takes=["sensor.house"],
    )
    await house.let_pass(10 * 60, 60)
    assert house.pushes(CHARGER) == ([commanded("charge")] if reached else [])


# What a person has chosen for the thermostat


async def _choose(house: House, **wanted: Any) -> None:
    """Set the thermostat by hand."""
    name = "set_preset_mode" if "preset_mode" in wanted else "set_temperature"
    await house.hass.services.async_call(
        "climate", name, {"entity_id": THERMOSTAT, **wanted}, blocking=True
    )
    await house.calm()


async def _flap(house: House) -> None:
    """Let the thermostat be away for a moment."""
    await house.hass.config_entries.async_unload(house.entry.entry_id)
    await house.let_pass(60, 60)
    assert await house.hass.config_entries.async_setup(house.entry.entry_id)
    await house.let_pass(60, 15)


async def test_back_to_the_schedule_by_hand_stays_so(house: House) -> None:
    """Also when the thermostat was away for a moment; the next phase is its own."""
    await _preheat(house, "2026-01-12T13:59:50")
    await house.let_pass(15)
    assert _thermostat(house) == ("heat", "hold", 22)
    await _choose(house, preset_mode="schedule")
    await _flap(house)
    await house.until("2026-01-12T16:59:00", 1800)
    assert house.pushes(HVAC) == [
        commanded("heat", target=22),
        commanded("follow_schedule"),
    ]
    await house.until("2026-01-12T17:00:30", 30)
    assert house.pushes(HVAC)[2:] == [commanded("heat", target=19)]
    await _choose(house, preset_mode="schedule")
    await _flap(house)
    await house.until("2026-01-12T20:30:00", 1800)
    assert house.pushes(HVAC)[3:] == [commanded("follow_schedule")]


async def test_warm_evening_by_hand_stays_so(house: House) -> None:
    """Somebody wants in the dear hours what was held before them, and keeps it."""
    await _preheat(house, "2026-01-12T16:59:50")
    await house.let_pass(15)
    await _choose(house, temperature=22)
    await house.until("2026-01-12T19:59:00", 600)
    assert house.pushes(HVAC) == [
        commanded("heat", target=19),
        commanded("heat", target=22),
    ]


async def test_hold_after_the_dear_hours_stays_so(house: House) -> None:
    """The schedule was given back: who holds 19 degrees then, means it."""
    await _preheat(house, "2026-01-12T16:59:50")
    await house.until("2026-01-12T20:00:30", 1800)
    assert _thermostat(house)[1] == "schedule"
    await _choose(house, hvac_mode="heat", temperature=19)
    await _flap(house)
    await house.until("2026-01-12T23:00:00", 600)
    assert _thermostat(house) == ("heat", "hold", 19)
    assert len(house.pushes(HVAC)) == 3


async def test_failed_pre_heating_is_tried_again(
    house: House, said_wrong: list[str]
) -> None:
    said_wrong.append("Error executing script")
    house.sandbox.home.device(HVAC).next_action("failed", code="TIMEOUT")
    await _preheat(house, "2026-01-12T13:59:50")
    await house.let_pass(30)
    assert "did not take its temperature at 14:00" in house.told[AUTOMATION]
    await house.until("2026-01-12T14:06:00", 60)
    assert house.pushes(HVAC) == [commanded("heat", target=22)] * 2
    assert _thermostat(house) == ("heat", "hold", 22)
    assert house.told == {}


async def test_failed_pre_heating_is_left_to_the_person(
    house: House, said_wrong: list[str]
) -> None:
    """Who sets the thermostat meanwhile has it as they want it."""
    said_wrong.append("Error executing script")
    house.sandbox.home.device(HVAC).next_action("failed", code="TIMEOUT")
    await _preheat(house, "2026-01-12T13:59:50")
    await house.let_pass(30)
    await _choose(house, hvac_mode="heat", temperature=20.5)
    await house.until("2026-01-12T14:20:00", 60)
    assert house.pushes(HVAC) == [
        commanded("heat", target=22),
        commanded("heat", target=20.5),
    ]
    assert house.told == {}


async def test_giving_back_that_fails_late(house: House) -> None:
    """The answer came after the automation had gone on."""
    thermostat = house.sandbox.home.device(HVAC)
    thermostat.physics.command("heat", {"target": 19})
    await _preheat(house, "2026-01-12T19:59:50")
    thermostat.next_action("failed", code="TIMEOUT", seconds=40)
    house.leave_following = True
    with patch("custom_components.amps_ai.services.push.WAIT", 0.1):
        await house.let_pass(20, 5)
    await house.let_pass(40, 5)
    house.leave_following = False
    await house.until("2026-01-12T20:10:00", 15)
    assert house.pushes(HVAC) == [commanded("follow_schedule")] * 2
    assert _thermostat(house)[1] == "schedule"
