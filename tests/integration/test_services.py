"""What the actions send, answer, refuse and wait for."""

import asyncio
from datetime import datetime, timedelta
import json
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY
from homeassistant.core import Context, HomeAssistant, SupportsResponse
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_capture_events,
    async_fire_time_changed,
)
import voluptuous as vol

from custom_components.amps_ai.common.const import (
    CONF_APP_ID,
    CONF_USER_ID,
    DOMAIN,
    EVENT_ACTION,
)
from sandbox import TEST_KEY, Sandbox

from ..lean import rested
from .conftest import APP_ID
from .helpers import done, registered

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
HVAC = "device_hvac_001"
INVERTER = "device_inverter_001"
VEHICLE = "device_vehicle_001"

NAMES = {
    BATTERY: "Powerwall 2",
    CHARGER: "Pulsar Plus",
    HVAC: "Smart Thermostat Premium",
    INVERTER: "SE5000H",
    VEHICLE: "iX3",
}

SERVICES = {
    "send_command": SupportsResponse.OPTIONAL,
    "charge": SupportsResponse.OPTIONAL,
    "discharge": SupportsResponse.OPTIONAL,
    "hold_temperature": SupportsResponse.OPTIONAL,
    "update_settings": SupportsResponse.OPTIONAL,
    "cancel_action": SupportsResponse.OPTIONAL,
    "skip_plan": SupportsResponse.OPTIONAL,
    "get_action": SupportsResponse.ONLY,
    "list_actions": SupportsResponse.ONLY,
    "list_plans": SupportsResponse.ONLY,
}

ZONE = "Europe/Berlin"
TYPES = {
    BATTERY: "battery",
    CHARGER: "ev_charger",
    HVAC: "hvac",
    INVERTER: "solar_inverter",
    VEHICLE: "vehicle",
}


@pytest.fixture
def only(request: pytest.FixtureRequest) -> str | None:
    """Have devices alone of the type that a row is about."""
    row = getattr(request.node, "callspec", None)
    return row and TYPES.get(row.params.get("device_id"))


pytestmark = pytest.mark.usefixtures("in_berlin", "quick")


@pytest.fixture
def user(hass: HomeAssistant) -> MockConfigEntry:
    """Return an entry for one user of two."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Amps AI (sandbox)",
        unique_id=f"sandbox:{APP_ID}:user_abc123",
        data={
            CONF_API_KEY: TEST_KEY,
            CONF_APP_ID: APP_ID,
            CONF_USER_ID: "user_abc123",
        },
    )
    entry.add_to_hass(hass)
    return entry


def _live_in(
    sandbox: Sandbox, freezer: FrozenDateTimeFactory, moment: str | datetime
) -> None:
    """Go to another day, in the sandbox and here."""
    sandbox.clock.set(moment)
    freezer.move_to(sandbox.clock.now())


async def _set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    if hass.config_entries.async_get_entry(entry.entry_id) is None:
        entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)


async def _ask(hass: HomeAssistant, service: str, **data: Any) -> dict[str, Any]:
    """Call an action and return its response."""
    response = await hass.services.async_call(
        DOMAIN, service, data, blocking=True, return_response=True
    )
    assert response is not None
    # What is returned goes to scripts and to the browser.
    json.dumps(response)
    return response


async def _push(
    hass: HomeAssistant, service: str, device_id: str, **data: Any
) -> dict[str, Any]:
    """Call an action for a device and return the record in its response."""
    response = await _ask(hass, service, device_id=registered(hass, device_id), **data)
    assert list(response) == ["action"]
    record: dict[str, Any] = response["action"]
    return record


def _bodies(sandbox: Sandbox, device_id: str) -> list[Any]:
    return [record.body for record in sandbox.requests.pushes(device_id)]


def _command(name: str, **parameters: Any) -> dict[str, Any]:
    action: dict[str, Any] = {"command": name}
    if parameters:
        action["parameters"] = parameters
    return {"action": action}


def _percent(value: float) -> dict[str, Any]:
    return {"value": value, "unit": "percent"}


def _kw(value: float) -> dict[str, Any]:
    return {"value": value, "unit": "kw"}


def _celsius(value: float) -> dict[str, Any]:
    return {"value": value, "unit": "celsius"}


# At any time


async def test_registered_without_an_entry(hass: HomeAssistant) -> None:
    """Automations know the actions at any time."""
    assert await async_setup_component(hass, DOMAIN, {})
    assert set(hass.services.async_services_for_domain(DOMAIN)) == set(SERVICES)
    for service, supports in SERVICES.items():
        assert hass.services.supports_response(DOMAIN, service) is supports


async def test_registered_while_the_entry_cannot_be_set_up(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox
) -> None:
    """An account that does not answer takes no action away."""
    sandbox.faults.add(times=None, status=500, code="INTERNAL_ERROR")
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert set(hass.services.async_services_for_domain(DOMAIN)) == set(SERVICES)
    with pytest.raises(ServiceValidationError) as caught:
        await _ask(hass, "list_actions", config_entry_id=entry.entry_id)
    assert caught.value.translation_key == "service_config_entry_not_loaded"


BAD_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("send_command", {"command": "charge"}),
    ("send_command", {"device_id": "x"}),
    ("send_command", {"device_id": "x", "command": "charge", "else": 1}),
    ("send_command", {"device_id": [], "command": "charge"}),
    (
        "send_command",
        {"device_id": "x", "command": "charge", "parameters": {"target": "full"}},
    ),
    (
        "send_command",
        {"device_id": "x", "command": "charge", "parameters": {"target": None}},
    ),
    (
        "send_command",
        {"device_id": "x", "command": "charge", "parameters": {"target": {}}},
    ),
    (
        "send_command",
        {
            "device_id": "x",
            "command": "charge",
            "parameters": {"target": {"value": 1, "unit": "percent", "more": 2}},
        },
    ),
    ("send_command", {"device_id": "x", "command": "charge", "on_conflict": "merge"}),
    ("charge", {}),
    ("charge", {"device_id": "x", "target": "full"}),
    ("charge", {"device_id": "x", "start": "soon"}),
    ("charge", {"device_id": "x", "delay": {"minutes": -5}}),
    ("charge", {"device_id": "x", "wait": "perhaps"}),
    (
        "charge",
        {"device_id": "x", "start": "2026-06-01 20:00", "delay": {"minutes": 5}},
    ),
    (
        "charge",
        {
            "device_id": "x",
            "start": "2026-06-01 20:00",
            "end": "2026-06-01 21:00",
            "duration": {"hours": 1},
        },
    ),
    ("discharge", {"device_id": "x", "power": "much"}),
    ("hold_temperature", {"device_id": "x", "target": 21}),
    ("hold_temperature", {"device_id": "x", "mode": "off"}),
    ("update_settings", {"device_id": "x"}),
    ("update_settings", {"device_id": "x", "settings": {}}),
    ("update_settings", {"device_id": "x", "settings": {"safety_reserve": "low"}}),
    ("get_action", {"device_id": "x"}),
    ("get_action", {"device_id": "x", "config_entry_id": "y", "action_id": "z"}),
    ("get_action", {"device_id": ["x", "y"], "action_id": "z"}),
    ("cancel_action", {"device_id": [], "action_id": "z"}),
    ("cancel_action", {"config_entry_id": "y"}),
    ("list_actions", {"device_id": "x", "config_entry_id": "y"}),
    ("list_actions", {"state": "waiting"}),
    ("list_actions", {"limit": 0}),
    ("list_actions", {"limit": 501}),
]


@pytest.mark.parametrize(("service", "data"), BAD_CALLS)
async def test_call_that_cannot_be_read_is_refused(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    service: str,
    data: dict[str, Any],
) -> None:
    """What an action does not take, its schema refuses."""
    sandbox.requests.clear()
    if data.get("device_id") == "x":
        data = data | {"device_id": registered(hass, BATTERY)}
    with pytest.raises(vol.Invalid):
        await _ask(hass, service, **data)
    assert not list(sandbox.requests)


# Whose


async def test_unknown_device(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """A device that Home Assistant does not have is refused."""
    for service, data in (
        ("charge", {}),
        ("update_settings", {"settings": {"safety_reserve": 20}}),
        ("list_actions", {}),
        ("get_action", {"action_id": "x"}),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await _ask(hass, service, device_id="nothing", **data)
        assert caught.value.translation_key == "service_device_not_found"


async def test_device_of_another_integration(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A device of somebody else's is refused."""
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", BATTERY)}, name="Lamp"
    )
    with pytest.raises(ServiceValidationError) as caught:
        await _ask(hass, "charge", device_id=device.id)
    assert caught.value.translation_key == "service_device_wrong_domain"
    assert "Lamp" in str(caught.value)


@pytest.mark.parametrize("service", ["charge", "discharge"])
async def test_entry_that_is_not_loaded(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, service: str
) -> None:
    """A device of an account that is not loaded is refused."""
    device_id = registered(hass, BATTERY)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    sandbox.requests.clear()
    with pytest.raises(ServiceValidationError) as caught:
        await _ask(hass, service, device_id=device_id)
    assert caught.value.translation_key == "service_config_entry_not_loaded"
    assert loaded.title in str(caught.value)
    assert not list(sandbox.requests)


@pytest.mark.parametrize(
    ("service", "data"),
    [
        ("send_command", {"command": "charge"}),
        ("charge", {}),
        ("discharge", {}),
        ("hold_temperature", {"mode": "heat", "target": 21}),
        ("update_settings", {"settings": {"safety_reserve": 20}}),
    ],
)
async def test_the_account_itself_takes_no_command(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    service: str,
    data: dict[str, Any],
) -> None:
    """The account's service device is no device to steer."""
    with pytest.raises(ServiceValidationError) as caught:
        await _ask(hass, service, device_id=registered(hass, loaded.entry_id), **data)
    assert caught.value.translation_key == "no_such_device"
    assert loaded.title in str(caught.value)
    assert not sandbox.requests.of("POST")


async def test_the_account_itself_has_actions(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Where actions are asked for, the account's service device is the account."""
    account = registered(hass, loaded.entry_id)
    pushed = await _push(hass, "charge", BATTERY, delay="01:00")
    await done(hass)
    sandbox.requests.clear()
    response = await _ask(hass, "list_actions", device_id=account)
    assert [action["id"] for action in response["actions"]] == [pushed["id"]]
    assert "deviceId" not in sandbox.requests[0].query
    for service in ("get_action", "cancel_action"):
        response = await _ask(hass, service, device_id=account, action_id=pushed["id"])
        assert response["action"]["id"] == pushed["id"]
    await done(hass)


async def test_device_that_is_gone(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A device that the registry has and the account has not is refused."""
    gone = dr.async_get(hass).async_get_or_create(
        config_entry_id=loaded.entry_id,
        identifiers={(DOMAIN, "device_battery_009")},
        name="Old battery",
    )
    with pytest.raises(ServiceValidationError) as caught:
        await _ask(hass, "charge", device_id=gone.id)
    assert caught.value.translation_key == "no_such_device"
    assert "Old battery" in str(caught.value)
    assert not sandbox.requests.of("POST")


async def test_errors_use_the_name_that_a_person_gave(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """An error names the device as its owner calls it."""
    device_id = registered(hass, BATTERY)
    dr.async_get(hass).async_update_device(device_id, name_by_user="Cellar")
    with pytest.raises(ServiceValidationError) as caught:
        await _push(hass, "charge", BATTERY, target=101)
    assert str(caught.value).startswith("Cellar ")


# Of one in a list, and of several


SECOND = "device_battery_second"


@pytest.fixture
async def two_batteries(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> list[str]:
    """Set a home with a second battery up; return what Home Assistant calls them."""
    sandbox.home.add_device("battery", device_id=SECOND)
    await _set_up(hass, entry)
    names = {BATTERY: "Cellar", SECOND: "Garage"}
    for device_id, name in names.items():
        dr.async_get(hass).async_update_device(
            registered(hass, device_id), name_by_user=name
        )
    return [registered(hass, device_id) for device_id in names]


async def test_list_of_one_is_one(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A list of one device is answered as the device is."""
    battery, hvac = [registered(hass, BATTERY)], [registered(hass, HVAC)]
    for service, data in (
        ("charge", {}),
        ("discharge", {"target": 20}),
        ("send_command", {"command": "idle"}),
        ("hold_temperature", {"device_id": hvac, "mode": "heat", "target": 21}),
    ):
        response = await _ask(hass, service, **{"device_id": battery} | data)
        action_id = response["action"]["id"]
        again = await _ask(
            hass,
            "get_action",
            device_id=data.get("device_id", battery),
            action_id=action_id,
        )
        assert again["action"]["id"] == action_id
    response = await _ask(
        hass, "update_settings", device_id=battery, settings={"safety_reserve": 30}
    )
    assert response == {"updated": ["safety_reserve"]}
    response = await _ask(hass, "list_actions", device_id=battery)
    assert len(response["actions"]) == 3
    waiting = await _ask(hass, "charge", device_id=battery, delay="01:00")
    response = await _ask(
        hass, "cancel_action", device_id=battery, action_id=waiting["action"]["id"]
    )
    assert response["action"]["state"] == "cancelled"
    with pytest.raises(ServiceValidationError) as caught:
        await _ask(hass, "charge", device_id=battery, target=101)
    assert caught.value.translation_key == "parameter_out_of_range"
    await done(hass)


async def test_several_are_each_done(
    hass: HomeAssistant, sandbox: Sandbox, two_batteries: list[str]
) -> None:
    """Each device is sent the command, once, and the response names each."""
    response = await _ask(
        hass, "charge", device_id=[*two_batteries, two_batteries[0]], target=80
    )
    assert [
        (item["device_id"], item["name"], item["action"]["state"])
        for item in response["devices"]
    ] == [
        (two_batteries[0], "Cellar", "completed"),
        (two_batteries[1], "Garage", "completed"),
    ]
    body = _command("charge", target=_percent(80))
    assert _bodies(sandbox, BATTERY) == _bodies(sandbox, SECOND) == [body]
    response = await _ask(
        hass,
        "update_settings",
        device_id=two_batteries,
        settings={"safety_reserve": 30},
    )
    assert response["devices"] == [
        {"device_id": device_id, "name": name, "updated": ["safety_reserve"]}
        for device_id, name in zip(two_batteries, ("Cellar", "Garage"), strict=True)
    ]
    await done(hass)


@pytest.mark.parametrize("asks", [True, False])
async def test_one_of_several_that_fails_stops_no_other(
    hass: HomeAssistant, sandbox: Sandbox, two_batteries: list[str], asks: bool
) -> None:
    """What fails is told with its device, after all were tried."""
    sandbox.faults.add(
        method="POST", path=f"/battery/{BATTERY}", status=500, code="INTERNAL_ERROR"
    )
    inverter, nobody = registered(hass, INVERTER), "nobody"
    call = hass.services.async_call(
        DOMAIN,
        "charge",
        {"device_id": [inverter, two_batteries[0], nobody, two_batteries[1]]},
        blocking=True,
        return_response=asks,
    )
    words = {
        inverter: "SE5000H is not a device for “Charge”",
        two_batteries[0]: "Cellar: Amps AI has trouble of its own",
        nobody: "nobody",
    }
    if asks:
        response = await call
        assert response is not None
        answers: Any = response["devices"]
        told = {item["device_id"]: item.get("error", "") for item in answers}
        assert list(told) == [inverter, two_batteries[0], nobody, two_batteries[1]]
        assert answers[3]["action"]["state"] == "completed"
        assert answers[2]["name"] is None
        for device_id, word in words.items():
            assert word in told[device_id]
    else:
        with pytest.raises(HomeAssistantError) as caught:
            await call
        assert caught.value.translation_key == "several_failed"
        assert not isinstance(caught.value, ServiceValidationError)
        for word in ("3 of 4 devices", *words.values()):
            assert word in str(caught.value)
        assert "Garage" not in str(caught.value)
    assert _bodies(sandbox, SECOND) == [_command("charge")]
    await done(hass)


async def test_several_that_cannot_do_it(
    hass: HomeAssistant, sandbox: Sandbox, two_batteries: list[str]
) -> None:
    """What none of them can do is wrong input, and told of some of many."""
    odd = [f"nobody_{number}" for number in range(12)]
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            DOMAIN,
            "charge",
            {"device_id": [*two_batteries, *odd], "target": 101},
            blocking=True,
        )
    assert "14 of 14 devices" in str(caught.value)
    assert str(caught.value).endswith("+ 4")
    assert not sandbox.requests.of("POST")


async def test_several_with_an_entry_that_is_not_loaded(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry
) -> None:
    """What is told of an account is told with the device that was named."""
    await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            DOMAIN,
            "charge",
            {"device_id": [registered(hass, BATTERY), registered(hass, CHARGER)]},
            blocking=True,
        )
    assert "Powerwall 2: " in str(caught.value)
    assert "Pulsar Plus: " in str(caught.value)


async def test_several_of_which_one_may_not_be_steered(
    hass: HomeAssistant,
    sandbox: Sandbox,
    two_batteries: list[str],
    hass_read_only_user: MockUser,
) -> None:
    """Who may not steer one of them is refused before anything is sent."""
    hass_read_only_user.mock_policy(
        {"entities": {"entity_ids": {"select.powerwall_2_mode": True}}}
    )
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "charge",
            {"device_id": two_batteries},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert not sandbox.requests.of("POST")


# Temperatures in the house's unit


def _speaks_fahrenheit(sandbox: Sandbox) -> None:
    """Let the thermostat declare °F."""
    device = sandbox.device(HVAC)
    assert device.commands is not None
    for command in device.commands.values():
        command["parameters"] = {
            name: {"unit": "fahrenheit", "min": 50, "max": 95}
            for name in command["parameters"]
        }


@pytest.mark.parametrize(
    ("american", "theirs", "data", "sent"),
    [
        (False, "celsius", {"mode": "heat", "target": 21.55}, {"target": 21.55}),
        (False, "fahrenheit", {"mode": "heat", "target": 21}, {"target": 70}),
        (True, "fahrenheit", {"mode": "cool", "target": 71}, {"target": 71}),
        (True, "celsius", {"mode": "heat", "target": 70}, {"target": 21.1}),
        (
            True,
            "celsius",
            {"mode": "auto", "heat_setpoint": 50, "cool_setpoint": 95},
            {"heatSetpoint": 10, "coolSetpoint": 35},
        ),
        (
            False,
            "fahrenheit",
            {"mode": "auto", "heat_setpoint": 10, "cool_setpoint": 35},
            {"heatSetpoint": 50, "coolSetpoint": 95},
        ),
    ],
)
async def test_temperature_is_held_in_the_units_of_house_and_device(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    american: bool,
    theirs: str,
    data: dict[str, Any],
    sent: dict[str, float],
) -> None:
    """A temperature is given in the house's unit and sent in the device's."""
    if american:
        hass.config.units = US_CUSTOMARY_SYSTEM
    if theirs == "fahrenheit":
        _speaks_fahrenheit(sandbox)
    await _set_up(hass, entry)
    await _push(hass, "hold_temperature", HVAC, **data)
    [body] = _bodies(sandbox, HVAC)
    assert body["action"]["parameters"] == {
        name: {"value": value, "unit": theirs} for name, value in sent.items()
    }
    await done(hass)


@pytest.mark.parametrize(
    ("american", "theirs", "target", "word"),
    [
        (True, "celsius", 100, "100 for “Target”. It takes 50 to 95 °F"),
        (True, "celsius", 20, "20 for “Target”. It takes 50 to 95 °F"),
        (True, "fahrenheit", 100, "100 for “Target”. It takes 50 to 95 °F"),
        (False, "fahrenheit", 70, "70 for “Target”. It takes 10 to 35 °C"),
        (False, "celsius", 70, "70 for “Target”. It takes 10 to 35 °C"),
    ],
)
async def test_temperature_is_refused_in_the_unit_of_the_house(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    american: bool,
    theirs: str,
    target: float,
    word: str,
) -> None:
    """What a thermostat does not take is said as it was given."""
    if american:
        hass.config.units = US_CUSTOMARY_SYSTEM
    if theirs == "fahrenheit":
        _speaks_fahrenheit(sandbox)
    await _set_up(hass, entry)
    with pytest.raises(ServiceValidationError) as caught:
        await _push(hass, "hold_temperature", HVAC, mode="heat", target=target)
    assert word in str(caught.value)
    assert not sandbox.requests.of("POST")


async def test_temperature_without_a_lower_bound(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """What is not bounded stays so in the other unit."""
    _speaks_fahrenheit(sandbox)
    commands = sandbox.device(HVAC).commands
    assert commands is not None
    del commands["heat"]["parameters"]["target"]["min"]
    await _set_up(hass, entry)
    with pytest.raises(ServiceValidationError) as caught:
        await _push(hass, "hold_temperature", HVAC, mode="heat", target=70)
    said = caught.value.translation_placeholders
    assert said is not None
    assert (said["value"], said["min"], said["max"]) == ("70", "-", "35")
    assert said["unit"] == "°C"


async def test_temperature_is_refused_as_the_language_writes_it(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """A comma is no reason to leave a number in the other unit."""
    hass.config.language = "de"
    hass.config.units = US_CUSTOMARY_SYSTEM
    await _set_up(hass, entry)
    await async_get_translations(hass, "de", "services", [DOMAIN])
    with pytest.raises(ServiceValidationError) as caught:
        await _push(hass, "hold_temperature", HVAC, mode="heat", target=100)
    said = caught.value.translation_placeholders
    assert said is not None
    assert (said["value"], said["min"], said["max"]) == ("100", "50", "95")
    assert said["unit"] == "°F"
    assert not sandbox.requests.of("POST")


# What is sent

PUSHES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    *(
        ("send_command", BATTERY, {"command": name}, _command(name))
        for name in (
            "charge",
            "discharge",
            "idle",
            "auto.balanced",
            "auto.reserve",
            "auto.export",
        )
    ),
    # As the form has it.
    (
        "send_command",
        BATTERY,
        {"command": "auto_reserve"},
        _command("auto.reserve"),
    ),
    (
        "send_command",
        BATTERY,
        {"command": "charge", "parameters": {"target": 90}},
        _command("charge", target=_percent(90)),
    ),
    (
        "send_command",
        BATTERY,
        {
            "command": "charge",
            "parameters": {
                "target": {"value": 90, "unit": "percent"},
                "power": {"value": 2.5},
            },
        },
        _command("charge", target=_percent(90), power=_kw(2.5)),
    ),
    (
        "send_command",
        BATTERY,
        {"command": "auto.export", "parameters": {"reserve": "20", "power": 5}},
        _command("auto.export", reserve=_percent(20), power=_kw(5)),
    ),
    (
        "send_command",
        HVAC,
        {"command": "auto", "parameters": {"heatSetpoint": 19, "coolSetpoint": 24.5}},
        _command("auto", heatSetpoint=_celsius(19), coolSetpoint=_celsius(24.5)),
    ),
    (
        # As the form of the action has them.
        "send_command",
        HVAC,
        {"command": "auto", "parameters": {"heat_setpoint": 19, "cool_setpoint": 24}},
        _command("auto", heatSetpoint=_celsius(19), coolSetpoint=_celsius(24)),
    ),
    (
        "send_command",
        HVAC,
        {"command": "follow_schedule"},
        _command("follow_schedule"),
    ),
    ("send_command", CHARGER, {"command": "idle"}, _command("idle")),
    ("charge", BATTERY, {}, _command("charge")),
    ("charge", BATTERY, {"target": 90}, _command("charge", target=_percent(90))),
    (
        "charge",
        BATTERY,
        {"target": 10, "power": 0},
        _command("charge", target=_percent(10), power=_kw(0)),
    ),
    ("charge", CHARGER, {}, _command("charge")),
    ("discharge", BATTERY, {}, _command("discharge")),
    (
        "discharge",
        BATTERY,
        {"target": 20, "power": 4.9},
        _command("discharge", target=_percent(20), power=_kw(4.9)),
    ),
    (
        "hold_temperature",
        HVAC,
        {"mode": "heat", "target": 21.5},
        _command("heat", target=_celsius(21.5)),
    ),
    (
        "hold_temperature",
        HVAC,
        {"mode": "cool", "target": 35},
        _command("cool", target=_celsius(35)),
    ),
    (
        "hold_temperature",
        HVAC,
        {"mode": "auto", "heat_setpoint": 20, "cool_setpoint": 24},
        _command("auto", heatSetpoint=_celsius(20), coolSetpoint=_celsius(24)),
    ),
    *(
        (
            "charge",
            BATTERY,
            {"on_conflict": strategy},
            _command("charge") | {"onConflict": strategy},
        )
        for strategy in ("cancel_and_replace", "queue_after")
    ),
]


@pytest.mark.parametrize(
    ("service", "device_id", "data", "body"),
    PUSHES,
    ids=[f"{push[0]}-{json.dumps(push[2])}" for push in PUSHES],
)
async def test_push_sends_exactly_this(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    service: str,
    device_id: str,
    data: dict[str, Any],
    body: dict[str, Any],
) -> None:
    """Each call sends one body, is followed to its end, and answers with it."""
    ends = async_capture_events(hass, EVENT_ACTION)
    record = await _push(hass, service, device_id, **data)
    await done(hass)
    assert _bodies(sandbox, device_id) == [body]
    action = sandbox.home.actions[-1]
    assert record["id"] == action.id
    assert record["deviceId"] == device_id
    assert record["deviceType"] == sandbox.device(device_id).kind.type
    assert record["command"] == body["action"]["command"]
    assert record["parameters"] == body["action"].get("parameters")
    assert record["state"] == "completed"
    assert record["errorCode"] is None
    assert [dict(event.data) for event in ends] == [
        {
            "device_id": registered(hass, device_id),
            "action_id": action.id,
            "command": record["command"],
            "state": "completed",
            "error": None,
        }
    ]


async def test_record_is_the_apis(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """The response holds the record as the API has it, times and all."""
    record = await _push(hass, "charge", BATTERY, target=90)
    told = sandbox.home.actions[-1].record()
    # Older records have a word that newer ones do not.
    assert record.keys() == told.keys() | {"type"}
    assert record["type"] is None
    for name, value in told.items():
        if name.endswith("At") and value is not None:
            assert datetime.fromisoformat(record[name]) == datetime.fromisoformat(value)
        else:
            assert record[name] == value


async def test_reserve_where_the_device_has_it(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A reserve is sent to a device whose command takes one."""
    device = sandbox.device(BATTERY)
    assert device.commands is not None
    device.commands["charge"]["parameters"]["reserve"] = {"unit": "percent"}
    await loaded.runtime_data.find(BATTERY).async_refresh()
    await _push(hass, "charge", BATTERY, reserve=30)
    assert _bodies(sandbox, BATTERY) == [_command("charge", reserve=_percent(30))]


async def test_call_without_a_response(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Nobody has to ask for the response."""
    await hass.services.async_call(
        DOMAIN, "charge", {"device_id": registered(hass, BATTERY)}, blocking=True
    )
    assert _bodies(sandbox, BATTERY) == [_command("charge")]


@pytest.mark.parametrize("home", ["odd"])
async def test_command_that_nobody_knows_yet(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A command that a device lists can be sent, whatever it is."""
    record = await _push(
        hass,
        "send_command",
        "odd_battery_unknown",
        command="auto.arbitrage",
        parameters={"aggressiveness": 0.5, "horizon": 6},
    )
    assert _bodies(sandbox, "odd_battery_unknown") == [
        _command(
            "auto.arbitrage",
            aggressiveness={"value": 0.5, "unit": "ratio"},
            horizon={"value": 6, "unit": "hours"},
        )
    ]
    assert record["command"] == "auto.arbitrage"


OLDER: list[tuple[str, str, dict[str, Any], dict[str, Any], str]] = [
    ("charge", CHARGER, {}, {"action": "start_charging"}, "charge"),
    (
        "send_command",
        CHARGER,
        {"command": "charge"},
        {"action": "start_charging"},
        "charge",
    ),
    (
        "send_command",
        CHARGER,
        {"command": "idle"},
        {"action": "stop_charging"},
        "idle",
    ),
    (
        "send_command",
        CHARGER,
        {"command": "set_max_power", "parameters": {"maxPower": 7.4}},
        {"action": "set_max_power", "maxPower": 7.4},
        "set_max_power",
    ),
    (
        "charge",
        CHARGER,
        {"on_conflict": "cancel_and_replace"},
        {"action": "start_charging", "onConflict": "cancel_and_replace"},
        "charge",
    ),
    (
        "hold_temperature",
        HVAC,
        {"mode": "heat", "target": 21},
        {"action": "set_permanent_hold", "mode": "heat", "heatSetpoint": 21},
        "heat",
    ),
    (
        "hold_temperature",
        HVAC,
        {"mode": "cool", "target": 25.5},
        {"action": "set_permanent_hold", "mode": "cool", "coolSetpoint": 25.5},
        "cool",
    ),
    (
        "hold_temperature",
        HVAC,
        {"mode": "auto", "heat_setpoint": 20, "cool_setpoint": 24},
        {
            "action": "set_permanent_hold",
            "mode": "auto",
            "heatSetpoint": 20,
            "coolSetpoint": 24,
        },
        "auto",
    ),
    (
        "send_command",
        HVAC,
        {"command": "idle"},
        {"action": "set_permanent_hold", "mode": "off"},
        "idle",
    ),
    (
        "send_command",
        HVAC,
        {"command": "follow_schedule"},
        {"action": "follow_schedule"},
        "follow_schedule",
    ),
]


@pytest.mark.parametrize("home", ["classic"])
@pytest.mark.parametrize(
    ("service", "device_id", "data", "body", "command"),
    OLDER,
    ids=[f"{push[0]}-{json.dumps(push[2])}" for push in OLDER],
)
async def test_older_device_is_sent_the_older_body(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    service: str,
    device_id: str,
    data: dict[str, Any],
    body: dict[str, Any],
    command: str,
) -> None:
    """Devices of the older generation get the older words, in today's names."""
    ends = async_capture_events(hass, EVENT_ACTION)
    record = await _push(hass, service, device_id, **data)
    await done(hass)
    assert _bodies(sandbox, device_id) == [body]
    assert record["id"] == sandbox.home.actions[-1].id
    assert record["deviceId"] == device_id
    assert record["state"] == "completed"
    assert record["command"] == command
    assert [event.data["command"] for event in ends] == [command]


@pytest.mark.parametrize("home", ["classic"])
@pytest.mark.parametrize(
    ("service", "device_id", "data", "key"),
    [
        ("charge", CHARGER, {"delay": {"hours": 1}}, "only_at_once"),
        ("charge", CHARGER, {"power": 7}, "parameter_not_supported"),
        ("send_command", CHARGER, {"command": "pause"}, "command_not_supported"),
        ("send_command", CHARGER, {"command": "set_max_power"}, "parameter_missing"),
        (
            "send_command",
            CHARGER,
            {"command": "set_max_power", "parameters": {"maxPower": 51}},
            "parameter_out_of_range",
        ),
        ("hold_temperature", HVAC, {"mode": "heat"}, "hold_needs"),
        (
            "hold_temperature",
            HVAC,
            {"mode": "heat", "target": 36},
            "parameter_out_of_range",
        ),
        (
            "hold_temperature",
            HVAC,
            {"mode": "heat", "target": 21, "duration": {"hours": 1}, "delay": "01:00"},
            "only_at_once",
        ),
    ],
)
async def test_older_device_refuses(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    service: str,
    device_id: str,
    data: dict[str, Any],
    key: str,
) -> None:
    """What the older bodies cannot say is refused before sending."""
    with pytest.raises(ServiceValidationError) as caught:
        await _push(hass, service, device_id, **data)
    assert caught.value.translation_key == key
    assert NAMES[device_id] in str(caught.value)
    assert not sandbox.requests.of("POST")


# What is refused before sending

NAN = float("nan")
INF = float("inf")

REFUSALS: list[tuple[str, str, dict[str, Any], str, tuple[str, ...]]] = [
    (
        "send_command",
        BATTERY,
        {"command": "explode"},
        "command_not_supported",
        (
            "explode",
            "Charge, Discharge, Idle, Self-consumption, Backup, Grid export",
        ),
    ),
    (
        "send_command",
        HVAC,
        {"command": "charge"},
        "command_not_supported",
        ("Heat, Cool", "Follow the schedule"),
    ),
    ("send_command", BATTERY, {"command": ""}, "command_not_supported", ()),
    ("send_command", INVERTER, {"command": "idle"}, "not_steerable", ()),
    ("send_command", VEHICLE, {"command": "charge"}, "not_steerable", ()),
    (
        "send_command",
        BATTERY,
        {"command": "idle", "parameters": {"target": 50}},
        "parameter_not_supported",
        ("“Target”", "“Idle”"),
    ),
    (
        "send_command",
        BATTERY,
        {"command": "charge", "parameters": {"speed": 50}},
        "parameter_not_supported",
        ("speed", "Target, Power"),
    ),
    (
        "send_command",
        BATTERY,
        {"command": "charge", "parameters": {"power": {"value": 3, "unit": "watts"}}},
        "unit_not_supported",
        ("in W,", "in kW"),
    ),
    ("charge", BATTERY, {"reserve": 20}, "parameter_not_supported", ("Target, Power",)),
    ("charge", CHARGER, {"target": 80}, "parameter_not_supported", ("“Target”",)),
    *(
        ("charge", BATTERY, {"target": value}, "parameter_out_of_range", words)
        for value, words in (
            (9.9, ("9.9", "10 to 100 %")),
            (101, ("101", "10 to 100 %")),
            (-1, ("-1", "10 to 100 %")),
            (NAN, ("nan", "10 to 100 %")),
            (INF, ("inf", "10 to 100 %")),
            (-INF, ("-inf", "10 to 100 %")),
        )
    ),
    ("discharge", BATTERY, {"power": 5.1}, "parameter_out_of_range", ("0 to 5 kW",)),
    (
        "send_command",
        BATTERY,
        {"command": "charge", "parameters": {"power": {"value": NAN, "unit": "kw"}}},
        "parameter_out_of_range",
        ("nan", "0 to 5 kW"),
    ),
    ("charge", HVAC, {}, "wrong_type", ("“Charge”", "Battery, EV charger")),
    ("charge", INVERTER, {}, "wrong_type", ("Battery, EV charger",)),
    ("charge", VEHICLE, {}, "wrong_type", ("Battery, EV charger",)),
    ("discharge", CHARGER, {}, "wrong_type", ("“Discharge”", "Battery")),
    (
        "hold_temperature",
        BATTERY,
        {"mode": "heat", "target": 20},
        "wrong_type",
        ("“Hold temperature”", "Thermostat"),
    ),
    (
        "hold_temperature",
        HVAC,
        {"mode": "heat"},
        "hold_needs",
        ("“Heat”", "Target temperature"),
    ),
    (
        "hold_temperature",
        HVAC,
        {"mode": "auto", "target": 21},
        "hold_needs",
        ("“Keep within a band”", "Upper temperature, Lower temperature"),
    ),
    (
        "hold_temperature",
        HVAC,
        {"mode": "auto", "heat_setpoint": 20},
        "hold_needs",
        ("Upper temperature, Lower temperature",),
    ),
    (
        "hold_temperature",
        HVAC,
        {"mode": "cool", "target": 21, "cool_setpoint": 24},
        "hold_needs",
        ("Target temperature",),
    ),
    (
        "hold_temperature",
        HVAC,
        {"mode": "auto", "heat_setpoint": 25, "cool_setpoint": 20},
        "band_upside_down",
        (),
    ),
    (
        "hold_temperature",
        HVAC,
        {"mode": "auto", "heat_setpoint": NAN, "cool_setpoint": 20},
        "parameter_out_of_range",
        ("10 to 35 °C",),
    ),
    (
        "hold_temperature",
        HVAC,
        {"mode": "heat", "target": 9.5},
        "parameter_out_of_range",
        ("10 to 35 °C",),
    ),
    (
        "update_settings",
        BATTERY,
        {"settings": {"colour": 1}},
        "setting_not_supported",
        ("colour", "Safety reserve, Discharge floor"),
    ),
    (
        "update_settings",
        BATTERY,
        {"settings": {"scheduler_enabled": 1}},
        "setting_read_only",
        ("“Manufacturer scheduler”",),
    ),
    (
        "update_settings",
        BATTERY,
        {"settings": {"safety_reserve": 20, "charge_ceiling": 101}},
        "setting_out_of_range",
        ("“Charge ceiling”", "101", "0 to 100 %"),
    ),
    (
        "update_settings",
        BATTERY,
        {"settings": {"export_limit": -1}},
        "setting_out_of_range",
        ("“Export limit”",),
    ),
    (
        "update_settings",
        BATTERY,
        {"settings": {"export_limit": INF}},
        "setting_out_of_range",
        ("“Export limit”",),
    ),
    (
        "update_settings",
        CHARGER,
        {"settings": {"max_charge_rate": NAN}},
        "setting_out_of_range",
        ("0 to 50 kW",),
    ),
    (
        "update_settings",
        HVAC,
        {"settings": {"max_charge_rate": 7}},
        "setting_not_supported",
        ("“Charge rate limit”",),
    ),
]


@pytest.mark.parametrize(
    ("service", "device_id", "data", "key", "words"),
    REFUSALS,
    ids=[f"{item[3]}-{item[0]}-{item[2]}" for item in REFUSALS],
)
async def test_what_cannot_work_is_not_sent(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    service: str,
    device_id: str,
    data: dict[str, Any],
    key: str,
    words: tuple[str, ...],
) -> None:
    """It is refused in words that name the device and what would work."""
    with pytest.raises(ServiceValidationError) as caught:
        await _push(hass, service, device_id, **data)
    assert caught.value.translation_domain == DOMAIN
    assert caught.value.translation_key == key
    told = str(caught.value)
    for word in (NAMES[device_id], *words):
        assert word in told
    assert "{" not in told
    assert not sandbox.requests.of("POST")


@pytest.mark.parametrize("home", ["odd"])
@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"mode": "auto"}, "command_not_supported"),
        ({"mode": "auto", "target": 21}, "command_not_supported"),
        (
            {"mode": "auto", "heat_setpoint": 20, "cool_setpoint": 24},
            "command_not_supported",
        ),
        ({"mode": "cool", "target": 21}, "command_not_supported"),
        ({"mode": "cool"}, "command_not_supported"),
        ({"mode": "heat", "target": NAN}, "parameter_out_of_range"),
        ({"mode": "heat", "target": INF}, "parameter_out_of_range"),
    ],
)
async def test_mode_that_a_thermostat_lacks(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    data: dict[str, Any],
    key: str,
) -> None:
    """A thermostat that can only heat refuses the other modes, in words."""
    with pytest.raises(ServiceValidationError) as caught:
        await _push(hass, "hold_temperature", "odd_hvac_heat_only", **data)
    assert caught.value.translation_key == key
    if key == "command_not_supported":
        assert "It takes: Heat" in str(caught.value)
    assert not sandbox.requests.of("POST")


# Settings


@pytest.mark.parametrize(
    ("device_id", "settings", "body"),
    [
        (BATTERY, {"safety_reserve": 25}, {"safety_reserve": _percent(25)}),
        (
            BATTERY,
            {"charge_ceiling": "90", "export_limit": 0, "max_charge_rate": 1000},
            {
                "charge_ceiling": _percent(90),
                "export_limit": {"value": 0, "unit": "watts"},
                "max_charge_rate": {"value": 1000, "unit": "amps"},
            },
        ),
        (CHARGER, {"max_charge_rate": 7.4}, {"max_charge_rate": _kw(7.4)}),
    ],
)
async def test_settings_are_written_and_read_back(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    device_id: str,
    settings: dict[str, Any],
    body: dict[str, Any],
) -> None:
    """One request writes the settings; the response names them."""
    response = await _ask(
        hass,
        "update_settings",
        device_id=registered(hass, device_id),
        settings=settings,
    )
    assert response == {"updated": list(settings)}
    assert [item.body for item in sandbox.requests.settings(device_id)] == [body]
    await done(hass)
    assert sandbox.requests.reads(device_id)[-1].query == {"expedite": "true"}
    known = loaded.runtime_data.find(device_id).data[device_id].settings
    for name, quantity in body.items():
        assert known[name].value == quantity["value"]


async def test_settings_that_the_api_refuses(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A refusal of the API's is told with its code and message."""
    sandbox.faults.add(
        method="POST",
        path="/battery/*",
        status=422,
        code="SETTING_OUT_OF_RANGE",
        message="Not with this firmware",
    )
    with pytest.raises(HomeAssistantError) as caught:
        await _ask(
            hass,
            "update_settings",
            device_id=registered(hass, BATTERY),
            settings={"safety_reserve": 25},
        )
    assert caught.value.translation_key == "refused"
    for word in ("Powerwall 2", "SETTING_OUT_OF_RANGE", "Not with this firmware"):
        assert word in str(caught.value)


# What the API refuses


@pytest.mark.parametrize(
    ("fault", "key", "word"),
    [
        ({"status": 429, "code": "RATE_LIMIT_EXCEEDED"}, "rate_limited", "too many"),
        ({"status": 401, "code": "UNAUTHORIZED"}, "rate_limited", "too many"),
        ({"status": 401, "code": "INVALID_API_KEY"}, "device_credentials", "Link UI"),
        ({"status": 403, "code": "MFA_REQUIRED"}, "device_credentials", "Link UI"),
        (
            {"status": 403, "code": "INSUFFICIENT_PERMISSIONS"},
            "insufficient_permissions",
            "permission",
        ),
        ({"status": 403, "code": "LIVE_ACCESS_DISABLED"}, "live_access_disabled", ""),
        ({"status": 404, "code": "DEVICE_NOT_FOUND"}, "device_not_found", "Link UI"),
        ({"status": 400, "code": "DEVICE_OFFLINE"}, "device_offline", "offline"),
        ({"status": 422, "code": "COMMAND_NOT_SUPPORTED"}, "not_open_yet", ""),
        (
            {"status": 422, "code": "PARAMETER_OUT_OF_RANGE", "message": "Too low"},
            "refused",
            "PARAMETER_OUT_OF_RANGE: Too low",
        ),
        (
            {"status": 422, "code": "SOMETHING_NEW", "message": "Why not"},
            "refused",
            "SOMETHING_NEW: Why not",
        ),
        (
            {"status": 503, "code": "SERVICE_UNAVAILABLE"},
            "manufacturer_trouble",
            "SERVICE_UNAVAILABLE",
        ),
        ({"status": 500, "code": "INTERNAL_ERROR"}, "server_trouble", "INTERNAL_ERROR"),
        ({"kind": "html", "status": 200}, "unknown_outcome", "not known"),
        ({"kind": "html", "status": 502}, "unknown_outcome", "not known"),
        ({"kind": "html", "status": 503}, "server_trouble", "503"),
        ({"kind": "drop"}, "unknown_outcome", "not known"),
    ],
)
async def test_each_refusal_has_its_words(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    fault: dict[str, Any],
    key: str,
    word: str,
) -> None:
    """Every refusal is an error with its own words, which name the device."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.faults.add(method="POST", path="/battery/*", **fault)
    with pytest.raises(HomeAssistantError) as caught:
        await _push(hass, "charge", BATTERY)
    await done(hass)
    assert not isinstance(caught.value, ServiceValidationError)
    assert caught.value.translation_key == key
    assert "Powerwall 2" in str(caught.value)
    assert word in str(caught.value)
    assert not ends
    assert len(sandbox.requests.pushes(BATTERY)) == 1


def _refusal(code: str, **details: Any) -> dict[str, Any]:
    """Return how the sandbox plays a refusal with details."""
    return {"status": 422, "code": code, "message": "No.", "details": details}


LONG = "very_" * 100


@pytest.mark.parametrize(
    ("fault", "key", "words"),
    [
        (
            _refusal(
                "PARAMETER_OUT_OF_RANGE",
                parameter="target",
                value=90,
                unit="percent",
                min=10,
                max=80,
            ),
            "refused_range",
            ("“Target”", "10 – 80 %"),
        ),
        (
            _refusal("PARAMETER_OUT_OF_RANGE", parameter="power", unit="kw", max=3.5),
            "refused_range",
            ("“Power”", "≤ 3.5 kW"),
        ),
        (
            _refusal("PARAMETER_OUT_OF_RANGE", parameter="a_new_one", min=3),
            "refused_range",
            ("“a new one”", "≥ 3"),
        ),
        (_refusal("PARAMETER_OUT_OF_RANGE", min="low"), "refused", ("No.",)),
        (
            _refusal(
                "UNSUPPORTED_UNIT",
                parameter="heatSetpoint",
                providedUnit="celsius",
                supportedUnits=["fahrenheit", "celsius"],
            ),
            "refused_unit",
            ("“Lower temperature”", "°F, °C"),
        ),
        (
            _refusal(
                "UNSUPPORTED_PARAMETER",
                unsupportedParameters=["power", "coolSetpoint"],
                deviceCapabilities={"supportedParameters": ["target", "reserve"]},
            ),
            "refused_parameters",
            ("Power, Upper temperature", "Target, Reserve"),
        ),
        (
            _refusal("UNSUPPORTED_PARAMETER", unsupportedParameters=["very_odd"] * 500),
            "refused_parameters",
            ("very odd", "…", "It takes: -"),
        ),
        (
            _refusal(
                "UNSUPPORTED_MODE",
                deviceCapabilities={"supportedModes": ["auto.balanced", "boost_now"]},
            ),
            "refused_command",
            ("Self-consumption, boost now",),
        ),
        (
            _refusal(
                "DIRECT_ACTION_UNSUPPORTED",
                deviceCapabilities={"supportedActions": ["charge", "idle"]},
            ),
            "refused_command",
            ("Charge, Idle",),
        ),
        (
            _refusal(
                "EXECUTION_NOT_SUPPORTED",
                requestedExecution="immediate",
                supportedExecution=["windowed"],
            ),
            "window_needed",
            ("Give an end or a duration",),
        ),
        (
            _refusal("SCHEDULER_ACTIVE", reason="owner_schedule"),
            "scheduler_active_owner",
            ("in the manufacturer's app",),
        ),
        (
            _refusal("SCHEDULER_ACTIVE", reason="THIRD_PARTY"),
            "scheduler_active_third_party",
            ("another service",),
        ),
        (
            _refusal("SCHEDULER_ACTIVE", reason="earlier_action"),
            "scheduler_active_earlier",
            ("earlier command",),
        ),
        (
            _refusal("SCHEDULER_ACTIVE", reason=f"maintenance_{LONG}"),
            "scheduler_active_because",
            ("(maintenance very",),
        ),
        (_refusal("SCHEDULER_ACTIVE"), "scheduler_active", ("own schedule",)),
        (
            _refusal("STRATEGY_NOT_SUPPORTED"),
            "strategy_refused",
            ("stands in the way",),
        ),
        (
            {"status": 400, "code": "BAD_REQUEST", "message": "power must be positive"},
            "refused",
            ("power must be positive",),
        ),
    ],
)
async def test_details_of_a_refusal_are_said_in_words(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    fault: dict[str, Any],
    key: str,
    words: tuple[str, ...],
) -> None:
    """What the API knows better is told so that a person can act on it."""
    sandbox.faults.add(method="POST", path="/battery/*", **fault)
    with pytest.raises(HomeAssistantError) as caught:
        await _push(hass, "charge", BATTERY)
    await done(hass)
    assert caught.value.translation_key == key
    said = str(caught.value)
    assert "Powerwall 2" in said
    for word in words:
        assert word in said
    assert len(said) < 1000
    if key != "refused":
        assert "_" not in said


async def test_details_in_the_language_of_the_house(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox
) -> None:
    """The words in a sentence are those of the fields that a person filled in."""
    hass.config.language = "de"
    await _set_up(hass, entry)
    await async_get_translations(hass, "de", "services", [DOMAIN])
    sandbox.faults.add(
        method="POST",
        path="/battery/*",
        **_refusal("PARAMETER_OUT_OF_RANGE", parameter="power", max=3, unit="kw"),
    )
    with pytest.raises(HomeAssistantError) as caught:
        await _push(hass, "charge", BATTERY)
    placeholders = caught.value.translation_placeholders
    assert placeholders is not None
    assert placeholders["parameter"] == "Leistung"


# Waiting for the end


async def test_call_waits_ten_seconds(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A command that takes longer is followed on, after ten seconds."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 60
    call = hass.async_create_task(_push(hass, "charge", BATTERY))
    await rested(0.2)
    freezer.tick(timedelta(seconds=4))
    await rested(0.2)
    assert not call.done()
    freezer.tick(timedelta(seconds=6))
    async with asyncio.timeout(60):
        record = await call
    assert record["state"] == "acknowledged"
    assert record["id"] == sandbox.home.actions[-1].id
    assert not ends
    sandbox.clock.advance(61)
    await rested(0.1)
    await done(hass)
    assert [event.data["state"] for event in ends] == ["completed"]


async def test_call_returns_with_the_end(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A command that ends earlier is answered with its end."""
    sandbox.action_seconds = 5
    call = hass.async_create_task(_push(hass, "charge", BATTERY))
    await rested(0.2)
    assert not call.done()
    sandbox.clock.advance(6)
    async with asyncio.timeout(1):
        record = await call
    assert record["state"] == "completed"
    assert record["completedAt"] is not None


async def test_call_that_does_not_wait(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """With `wait: false` the call returns at once, and the end is told later."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.device(BATTERY).next_action("failed", code="NO", message="-", seconds=30)
    async with asyncio.timeout(2):
        record = await _push(hass, "charge", BATTERY, wait=False)
    assert record["state"] == "acknowledged"
    assert not ends
    sandbox.clock.advance(31)
    await rested(0.1)
    await done(hass)
    assert [(event.data["state"], event.data["error"]) for event in ends] == [
        ("failed", "NO")
    ]


async def test_failure_by_then_is_raised(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A command that fails while the call waits raises, and that is told too."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.device(BATTERY).next_action(
        "failed", code="DEVICE_REFUSED", message="Not now", seconds=0
    )
    with pytest.raises(HomeAssistantError) as caught:
        await _push(hass, "charge", BATTERY)
    await done(hass)
    assert caught.value.translation_key == "action_failed"
    for word in ("Powerwall 2", "“Charge”", "DEVICE_REFUSED", "Not now"):
        assert word in str(caught.value)
    assert [event.data["error"] for event in ends] == ["DEVICE_REFUSED"]


async def test_later_failure_is_told(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A command that fails after the call is told by event, state and bus."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.device(BATTERY).next_action("failed", code="NO", message="-", seconds=30)
    with patch("custom_components.amps_ai.services.push.WAIT", 0.05):
        record = await _push(hass, "charge", BATTERY)
    assert record["state"] == "acknowledged"
    assert not ends
    sandbox.clock.advance(31)
    await rested(0.1)
    await done(hass)
    assert [dict(event.data) for event in ends] == [
        {
            "device_id": registered(hass, BATTERY),
            "action_id": record["id"],
            "command": "charge",
            "state": "failed",
            "error": "NO",
        }
    ]
    told = hass.states.get("event.powerwall_2_command")
    assert told is not None
    assert told.attributes["event_type"] == "failed"
    last = hass.states.get("sensor.powerwall_2_last_command")
    assert last is not None
    assert last.state == "failed"


async def test_manufacturers_schedule_is_never_cleared_in_silence(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A native schedule in the way is an error, and nothing more is sent."""
    sandbox.device(BATTERY).native_scheduler = True
    with pytest.raises(HomeAssistantError) as caught:
        await _push(hass, "charge", BATTERY)
    await done(hass)
    assert caught.value.translation_key == "scheduler_active"
    assert "Powerwall 2" in str(caught.value)
    assert _bodies(sandbox, BATTERY) == [_command("charge")]
    assert sandbox.device(BATTERY).native_scheduler


async def test_unload_while_a_call_waits(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """An entry that goes ends the waiting, and says nothing false."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 1000
    call = hass.async_create_task(_push(hass, "charge", BATTERY))
    await rested(0.1)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    async with asyncio.timeout(2):
        record = await call
    assert record["state"] == "acknowledged"
    await done(hass)
    assert not ends


# What is in the way


async def test_conflict_names_what_is_in_the_way(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Without a strategy, a conflict changes nothing, and says what would."""
    waiting = await _push(
        hass,
        "discharge",
        BATTERY,
        start="2026-06-01 20:00",
        end="2026-06-01 22:30",
    )
    await done(hass)
    sandbox.requests.clear()
    with pytest.raises(HomeAssistantError) as caught:
        await _push(hass, "charge", BATTERY)
    assert not isinstance(caught.value, ServiceValidationError)
    assert caught.value.translation_key == "conflict_with"
    for word in (
        "Powerwall 2",
        waiting["id"],
        "Discharge, 1 June 2026, 20:00 – 22:30",
        "Cancel it and replace it, Wait until it is done",
    ):
        assert word in str(caught.value)
    assert _bodies(sandbox, BATTERY) == [_command("charge")]
    assert sandbox.home.action(waiting["id"]).state == "scheduled"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("planned", "offered"),
    [
        ({"delay": "01:00"}, "Cancel it and replace it"),
        (
            {"delay": "01:00", "duration": "01:00"},
            "Cancel it and replace it, Wait until it is done",
        ),
    ],
)
async def test_waiting_is_offered_behind_an_end_only(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    planned: dict[str, Any],
    offered: str,
) -> None:
    """What has no end could be waited for for ever, and Amps AI refuses it."""
    await _push(hass, "discharge", BATTERY, **planned)
    sandbox.faults.add(
        method="POST",
        path="/battery/*",
        kind="merge",
        body={
            "error": {"details": {"strategies": ["cancel_and_replace", "queue_after"]}}
        },
    )
    with pytest.raises(HomeAssistantError) as caught:
        await _push(hass, "charge", BATTERY)
    assert str(caught.value).endswith(f"about it: {offered}")
    await done(hass)


@pytest.mark.parametrize("ids", [[], ["act_gone"], [f"act_{n}" for n in range(9)]])
async def test_waiting_is_not_offered_behind_what_nobody_knows(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, ids: list[str]
) -> None:
    """Nor where it is the only way that is left."""
    details = {"conflictingActionIds": ids, "strategies": ["queue_after"]}
    sandbox.faults.add(
        method="POST", path="/battery/*", status=409, code="CONFLICT", details=details
    )
    with pytest.raises(HomeAssistantError) as caught:
        await _push(hass, "charge", BATTERY)
    assert caught.value.translation_key == "conflict_to_wait_for"
    assert "queue_after" not in str(caught.value)
    for action_id in ids[:5]:
        assert action_id in str(caught.value)


async def test_conflict_of_a_schedule(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A later command can be in the way of another later one."""
    waiting = await _push(hass, "send_command", CHARGER, command="idle", delay="01:00")
    with pytest.raises(HomeAssistantError) as caught:
        await _push(hass, "charge", CHARGER, delay={"hours": 2})
    assert caught.value.translation_key == "conflict_with"
    for word in (waiting["id"], "Pause charging, 1 June 2026, 15:00", "Cancel it and"):
        assert word in str(caught.value)
    assert "Wait until" not in str(caught.value)


async def test_replacing_what_waits_is_told(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What the caller lets make way is told as cancelled, and gone."""
    waiting = await _push(hass, "discharge", BATTERY, delay={"hours": 1})
    await done(hass)
    ends = async_capture_events(hass, EVENT_ACTION)
    record = await _push(hass, "charge", BATTERY, on_conflict="cancel_and_replace")
    await done(hass)
    assert _bodies(sandbox, BATTERY)[-1] == _command("charge") | {
        "onConflict": "cancel_and_replace"
    }
    assert {(event.data["action_id"], event.data["state"]) for event in ends} == {
        (waiting["id"], "cancelled"),
        (record["id"], "completed"),
    }
    # Nothing is planned any more, and nobody needs to wait to see that.
    state = hass.states.get("calendar.amps_ai_sandbox_schedule")
    assert state is not None
    assert "start_time" not in state.attributes


@pytest.mark.parametrize("is_down", [False, True])
async def test_replacing_is_told_where_the_answer_is_lost(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    is_down: bool,
) -> None:
    """What a command displaced is told, whether its answer came or not.

    Where the schedule cannot be asked for at once either, a minute later.
    """
    waiting = await _push(hass, "discharge", BATTERY, delay={"hours": 1})
    await done(hass)
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.faults.add(
        method="POST", path="/battery/*", kind="drop", done=True, times=1
    )
    if is_down:
        sandbox.faults.add(method="GET", path="/actions", kind="drop")
    with pytest.raises(HomeAssistantError) as caught:
        await _push(hass, "charge", BATTERY, on_conflict="cancel_and_replace")
    assert caught.value.translation_key == "unknown_outcome"
    await done(hass)
    if is_down:
        assert waiting["id"] not in {event.data["action_id"] for event in ends}
        sandbox.faults.clear()
        freezer.tick(61)
        sandbox.clock.advance(61)
        async_fire_time_changed(hass)
        await done(hass)
    assert (waiting["id"], "cancelled") in {
        (event.data["action_id"], event.data["state"]) for event in ends
    }
    state = hass.states.get("calendar.amps_ai_sandbox_schedule")
    assert state is not None
    assert "start_time" not in state.attributes
    assert len(sandbox.requests.pushes(BATTERY)) == 2


async def test_queueing_after_what_is_in_flight(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A queued command returns on the 202, and is followed to its end."""
    sandbox.lenient = {"queue"}
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 20
    first = await _push(hass, "discharge", BATTERY, wait=False)
    async with asyncio.timeout(2):
        second = await _push(hass, "charge", BATTERY, on_conflict="queue_after")
    assert (first["state"], second["state"]) == ("acknowledged", "scheduled")
    for _ in range(2):
        sandbox.clock.advance(21)
        await rested(0.1)
    await done(hass)
    assert [(event.data["action_id"], event.data["state"]) for event in ends] == [
        (first["id"], "completed"),
        (second["id"], "completed"),
    ]


async def test_one_in_flight_is_waited_for(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A command that cannot make way is waited for."""
    sandbox.action_seconds = 20
    await _push(hass, "discharge", BATTERY, wait=False)
    call = hass.async_create_task(_push(hass, "charge", BATTERY, wait=False))
    await rested(0.2)
    assert not call.done()
    sandbox.clock.advance(21)
    async with asyncio.timeout(2):
        record = await call
    assert record["command"] == "charge"
    sandbox.clock.advance(21)
    await rested(0.1)
    await done(hass)
    accepted = [
        item.body for item in sandbox.requests.pushes(BATTERY) if item.status == 202
    ]
    assert accepted == [_command("discharge"), _command("charge")]


async def test_busy_for_too_long(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A device that stays busy for ten seconds is an error, and that is that."""
    sandbox.action_seconds = 1000
    await _push(hass, "discharge", BATTERY, wait=False)
    call = hass.async_create_task(_push(hass, "charge", BATTERY))
    await rested(0.2)
    freezer.tick(timedelta(seconds=9))
    await rested(0.1)
    assert not call.done()
    freezer.tick(timedelta(seconds=2))
    with pytest.raises(HomeAssistantError) as caught:
        async with asyncio.timeout(2):
            await call
    assert caught.value.translation_key == "device_busy"
    assert "Powerwall 2" in str(caught.value)
    sandbox.requests.clear()
    sandbox.clock.advance(1001)
    await rested(0.1)
    await done(hass)
    assert not sandbox.requests.pushes()


async def test_calls_are_never_merged(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Each call with a response is sent, one after the other."""
    sandbox.faults.add(method="POST", path="/battery/*", kind="delay", delay=0.2)
    records = await asyncio.gather(
        *(
            _push(hass, "send_command", BATTERY, command=name)
            for name in ("charge", "idle", "discharge")
        )
    )
    await done(hass)
    assert [record["command"] for record in records] == ["charge", "idle", "discharge"]
    assert [
        item.body["action"]["command"]
        for item in sandbox.requests.pushes(BATTERY)
        if item.status == 202
    ] == ["charge", "idle", "discharge"]


# When

TIMES: list[tuple[dict[str, Any], dict[str, str], str, str | None]] = [
    (
        {"start": "2026-06-01 22:00:00"},
        {"start": "2026-06-01T22:00:00"},
        "2026-06-01T20:00:00+00:00",
        None,
    ),
    (
        {"start": datetime(2026, 6, 1, 22)},  # noqa: DTZ001
        {"start": "2026-06-01T22:00:00"},
        "2026-06-01T20:00:00+00:00",
        None,
    ),
    (
        {"start": "2026-06-01T22:00:00", "end": "2026-06-02T05:00:00"},
        {"start": "2026-06-01T22:00:00", "end": "2026-06-02T05:00:00"},
        "2026-06-01T20:00:00+00:00",
        "2026-06-02T03:00:00+00:00",
    ),
    (
        {"start": "2026-06-01T20:00:00Z"},
        {"start": "2026-06-01T22:00:00"},
        "2026-06-01T20:00:00+00:00",
        None,
    ),
    (
        {"start": "2026-06-01T20:00:00-04:00", "end": "2026-06-02T10:30:00+05:30"},
        {"start": "2026-06-02T02:00:00", "end": "2026-06-02T07:00:00"},
        "2026-06-02T00:00:00+00:00",
        "2026-06-02T05:00:00+00:00",
    ),
    (
        # A span, which no zone can spoil.
        {"delay": {"minutes": 90}},
        {"start": "1.5h"},
        "2026-06-01T13:30:00+00:00",
        None,
    ),
    (
        {"delay": {"minutes": 20}},
        {"start": "20m"},
        "2026-06-01T12:20:00+00:00",
        None,
    ),
    (
        # From now on: a window begins a minute ahead.
        {"end": "2026-06-01 17:00"},
        {"start": "2026-06-01T14:01:00", "end": "2026-06-01T17:00:00"},
        "2026-06-01T12:01:00+00:00",
        "2026-06-01T15:00:00+00:00",
    ),
    (
        {"duration": {"hours": 2}, "delay": 0},
        {"start": "2026-06-01T14:01:00", "end": "2026-06-01T16:01:00"},
        "2026-06-01T12:01:00+00:00",
        "2026-06-01T14:01:00+00:00",
    ),
    (
        {"delay": "00:30:00", "duration": {"hours": 2}},
        {"start": "2026-06-01T14:30:00", "end": "2026-06-01T16:30:00"},
        "2026-06-01T12:30:00+00:00",
        "2026-06-01T14:30:00+00:00",
    ),
    (
        {"delay": 60, "end": "2026-06-01 18:00"},
        {"start": "2026-06-01T14:01:00", "end": "2026-06-01T18:00:00"},
        "2026-06-01T12:01:00+00:00",
        "2026-06-01T16:00:00+00:00",
    ),
    (
        {"start": "2026-06-01 23:30", "duration": "01:00"},
        {"start": "2026-06-01T23:30:00", "end": "2026-06-02T00:30:00"},
        "2026-06-01T21:30:00+00:00",
        "2026-06-01T22:30:00+00:00",
    ),
    (
        {"start": "2026-07-01 13:59"},
        {"start": "2026-07-01T13:59:00"},
        "2026-07-01T11:59:00+00:00",
        None,
    ),
]


@pytest.mark.parametrize(("given", "sent", "start", "end"), TIMES)
async def test_times_are_sent_as_the_plants(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    given: dict[str, Any],
    sent: dict[str, str],
    start: str,
    end: str | None,
) -> None:
    """Times go out as wall-clock time, and what they became is returned."""
    async with asyncio.timeout(5):
        record = await _push(hass, "charge", BATTERY, target=90, **given)
    body = _command("charge", target=_percent(90))
    body["action"] |= sent
    assert _bodies(sandbox, BATTERY) == [body]
    assert record["state"] == "scheduled"
    assert (record["start"], record["end"]) == (start, end)
    await done(hass)


async def test_times_of_another_zone(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Naive is Home Assistant's zone, wherever that is."""
    await hass.config.async_set_time_zone("Asia/Kolkata")
    sandbox.home.time_zone = "Asia/Kolkata"
    record = await _push(hass, "charge", BATTERY, start="2026-06-01 18:00")
    assert record["start"] == "2026-06-01T12:30:00+00:00"
    await done(hass)


WRONG_TIMES: list[tuple[dict[str, Any], str, tuple[str, ...]]] = [
    ({"end": "2026-06-01 13:00"}, "end_before_start", ()),
    ({"end": "2026-06-01 14:00:30"}, "end_before_start", ()),
    ({"start": "2026-06-01 13:59:59"}, "start_in_past", ("1 June 2026, 13:59",)),
    ({"start": "2026-06-01 14:00"}, "start_in_past", ()),
    ({"start": "2026-06-01T11:00:00Z"}, "start_in_past", ("1 June 2026, 13:00",)),
    ({"start": "1970-01-01 00:00"}, "start_in_past", ()),
    ({"start": "0001-01-01 00:00"}, "time_does_not_exist", ("1 January 1, 00:00",)),
    (
        {"start": "2026-06-01 22:00", "end": "2026-06-01 22:00"},
        "end_before_start",
        (),
    ),
    (
        {"start": "2026-06-01 22:00", "end": "2026-06-01 05:00"},
        "end_before_start",
        (),
    ),
    (
        {"start": "2026-06-01T22:00:00", "end": "2026-06-01T19:59:00Z"},
        "end_before_start",
        (),
    ),
    ({"delay": {"hours": 1}, "duration": {"hours": 0}}, "end_before_start", ()),
    ({"start": "2026-07-01 14:01"}, "too_far_ahead", ("“Start”", "30")),
    ({"delay": {"days": 31}}, "too_far_ahead", ("“Delay”", "30")),
    ({"start": "9999-12-31 23:59"}, "too_far_ahead", ("“Start”", "30")),
    ({"delay": {"days": 4_000_000}}, "too_far_ahead", ("“Delay”", "30")),
    (
        {"delay": {"hours": 1}, "duration": {"days": 4_000_000}},
        "too_far_ahead",
        ("“Duration”", "30"),
    ),
]


@pytest.mark.parametrize(("given", "key", "words"), WRONG_TIMES)
async def test_times_that_cannot_work_are_not_sent(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    given: dict[str, Any],
    key: str,
    words: tuple[str, ...],
) -> None:
    """A time that no plant can keep is refused in words."""
    with pytest.raises(ServiceValidationError) as caught:
        await _push(hass, "charge", BATTERY, **given)
    assert caught.value.translation_key == key
    for word in ("Powerwall 2", *words):
        assert word in str(caught.value)
    assert not sandbox.requests.of("POST")


LATER = {"delay": "01:00"}
WINDOW = {"delay": "01:00", "duration": "01:00"}


@pytest.mark.parametrize(
    ("taken", "given", "key", "word"),
    [
        ("immediate", LATER, "only_at_once", "only at once"),
        ("immediate", WINDOW, "only_at_once", "only at once"),
        ("scheduled", {}, "only_with_start", "Give a start or a delay"),
        ("scheduled", WINDOW, "only_with_start", "no end or duration"),
        ("windowed", {}, "window_needed", "Give an end or a duration"),
        ("windowed", LATER, "window_needed", "Give an end or a duration"),
        ("immediate scheduled", WINDOW, "no_end", "Leave out end and duration"),
        ("immediate windowed", LATER, "end_needed", "as well"),
        ("scheduled windowed", {}, "start_needed", "not take this command at once"),
        ("some day", {}, "execution_not_supported", "some, day"),
    ],
)
async def test_execution_that_the_device_lacks(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    taken: str,
    given: dict[str, Any],
    key: str,
    word: str,
) -> None:
    """A command that cannot be planned so is refused, with how it can be."""
    commands = sandbox.device(BATTERY).commands
    assert commands is not None
    commands["charge"]["execution"] = taken.split()
    await _set_up(hass, entry)
    with pytest.raises(ServiceValidationError) as caught:
        await _push(hass, "charge", BATTERY, **given)
    assert caught.value.translation_key == key
    for said in ("Powerwall 2", word):
        assert said in str(caught.value)
    if key != "execution_not_supported":
        for said in ("immediate", "scheduled", "windowed"):
            assert said not in str(caught.value)
    assert not sandbox.requests.of("POST")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"start": "2026-03-29 02:30"}, "start"),
        ({"start": "2026-03-29 02:00"}, "start"),
        ({"start": "2026-03-29 01:00", "end": "2026-03-29 02:59:59"}, "end"),
        ({"delay": "01:00", "end": "2026-03-29 02:30"}, "end"),
    ],
)
async def test_time_that_the_clocks_leave_out(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    given: dict[str, Any],
    field: str,
) -> None:
    """A time between two and three in spring does not exist."""
    _live_in(sandbox, freezer, "2026-03-28T12:00:00Z")
    await _set_up(hass, entry)
    with pytest.raises(ServiceValidationError) as caught:
        await _push(hass, "charge", BATTERY, **given)
    assert caught.value.translation_key == "time_does_not_exist"
    for word in ("Powerwall 2", "29 March 2026, 02:", f"“{field.capitalize()}”"):
        assert word in str(caught.value)
    assert not sandbox.requests.of("POST")


@pytest.mark.parametrize(
    ("given", "start"),
    [
        ({"start": "2026-03-29 01:59"}, "2026-03-29T00:59:00+00:00"),
        ({"start": "2026-03-29 03:00"}, "2026-03-29T01:00:00+00:00"),
        # Aware times exist always.
        ({"start": "2026-03-29T02:30:00+01:00"}, "2026-03-29T01:30:00+00:00"),
        ({"delay": {"hours": 14}}, "2026-03-29T02:00:00+00:00"),
    ],
)
async def test_times_beside_the_gap(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    given: dict[str, Any],
    start: str,
) -> None:
    """Before and after the gap, times are what they are."""
    _live_in(sandbox, freezer, "2026-03-28T12:00:00Z")
    await _set_up(hass, entry)
    record = await _push(hass, "charge", BATTERY, **given)
    assert record["start"] == start
    await done(hass)


@pytest.mark.parametrize(
    ("given", "start", "end"),
    [
        # Half past two comes twice: the first one is meant.
        ({"start": "2026-10-25 02:30"}, "2026-10-25T00:30:00+00:00", None),
        ({"start": "2026-10-25T00:30:00Z"}, "2026-10-25T00:30:00+00:00", None),
        (
            {"start": "2026-10-25 01:00", "end": "2026-10-25 02:30"},
            "2026-10-24T23:00:00+00:00",
            "2026-10-25T00:30:00+00:00",
        ),
        (
            {"start": "2026-10-25 01:30", "duration": {"hours": 3}},
            "2026-10-24T23:30:00+00:00",
            "2026-10-25T02:30:00+00:00",
        ),
    ],
)
async def test_time_that_the_clocks_show_twice(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    given: dict[str, Any],
    start: str,
    end: str | None,
) -> None:
    """Of a time that comes twice in autumn, the first is meant."""
    _live_in(sandbox, freezer, "2026-10-24T12:00:00Z")
    await _set_up(hass, entry)
    record = await _push(hass, "charge", BATTERY, **given)
    assert (record["start"], record["end"]) == (start, end)
    await done(hass)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        # The plant can only be told the first half past two.
        ({"start": "2026-10-25T01:30:00Z"}, "start"),
        (
            {"delay": {"hours": 13, "minutes": 30}, "duration": {"hours": 1}},
            "start",
        ),
        ({"start": "2026-10-25 01:30", "duration": {"hours": 2}}, "end"),
        ({"start": "2026-10-25 01:30", "end": "2026-10-25T01:30:00Z"}, "end"),
    ],
)
async def test_second_time_is_never_taken_for_the_first(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    given: dict[str, Any],
    field: str,
) -> None:
    """A time that wall-clock time cannot say is refused, and nothing is sent."""
    _live_in(sandbox, freezer, "2026-10-24T12:00:00Z")
    await _set_up(hass, entry)
    with pytest.raises(ServiceValidationError) as caught:
        await _push(hass, "charge", BATTERY, **given)
    assert caught.value.translation_key == "time_comes_twice"
    for word in ("Powerwall 2", "25 October 2026, 02:30", field.capitalize()):
        assert word in str(caught.value)
    assert not sandbox.requests.of("POST")


async def test_plant_in_another_zone(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A start that was understood otherwise is taken back, and told."""
    sandbox.home.time_zone = "America/New_York"
    with pytest.raises(HomeAssistantError) as caught:
        await _push(hass, "charge", BATTERY, start="2026-06-01 20:00")
    assert caught.value.translation_key == "another_zone"
    for word in ("Powerwall 2", "1 June 2026, 20:00", "2 June 2026, 02:00"):
        assert word in str(caught.value)
    assert [action.state for action in sandbox.home.actions] == ["cancelled"]
    await done(hass)
    assert not list(loaded.runtime_data.schedule)


async def test_plant_further_east(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A start that is over at the plant is refused with a word about zones."""
    sandbox.home.time_zone = "Asia/Tokyo"
    with pytest.raises(HomeAssistantError) as caught:
        await _push(hass, "charge", BATTERY, start="2026-06-01 20:00")
    assert caught.value.translation_key == "start_in_past_there"
    for word in ("Powerwall 2", "time zone"):
        assert word in str(caught.value)
    assert not sandbox.home.actions


async def test_plant_in_another_zone_that_cannot_be_told_so(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What could not be taken back is not kept from the person."""
    sandbox.home.time_zone = "America/New_York"
    sandbox.faults.add(
        method="POST", path="/actions/*", status=503, code="SERVICE_UNAVAILABLE"
    )
    with pytest.raises(HomeAssistantError) as caught:
        await _push(hass, "charge", BATTERY, start="2026-06-01 20:00")
    assert "Powerwall 2" in str(caught.value)
    await done(hass)
    # It is still planned, and so it is shown.
    assert [action.state for action in sandbox.home.actions] == ["scheduled"]
    shown = [action.id for _, action in loaded.runtime_data.schedule]
    assert shown == [sandbox.home.actions[0].id]


async def test_plant_by_another_name_of_the_zone(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A zone with the same clock is the same."""
    sandbox.home.time_zone = "Africa/Johannesburg"
    record = await _push(hass, "charge", BATTERY, start="2026-06-01 20:00")
    assert record["state"] == "scheduled"
    await done(hass)


# Actions by id


async def test_get_action(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """An action is found by its device, its account, or by neither."""
    pushed = await _push(hass, "charge", BATTERY, target=90)
    await done(hass)
    sandbox.requests.clear()
    for whose in (
        {"device_id": registered(hass, BATTERY)},
        {"device_id": registered(hass, loaded.entry_id)},
        {"config_entry_id": loaded.entry_id},
        {},
    ):
        response = await _ask(hass, "get_action", action_id=pushed["id"], **whose)
        assert response == {"action": pushed}
    assert [item.path for item in sandbox.requests] == [f"/actions/{pushed['id']}"] * 4


async def test_cancel_action(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """An action that waits is cancelled, told, and gone from the schedule."""
    pushed = await _push(hass, "charge", BATTERY, delay="01:00")
    await done(hass)
    assert [action.id for _, action in loaded.runtime_data.schedule] == [pushed["id"]]
    ends = async_capture_events(hass, EVENT_ACTION)
    response = await _ask(
        hass,
        "cancel_action",
        device_id=registered(hass, BATTERY),
        action_id=pushed["id"],
    )
    await done(hass)
    assert list(response) == ["action"]
    assert response["action"]["id"] == pushed["id"]
    assert response["action"]["state"] == "cancelled"
    assert [item.path for item in sandbox.requests.of("POST")][1:] == [
        f"/actions/{pushed['id']}/cancel"
    ]
    assert [(event.data["action_id"], event.data["state"]) for event in ends] == [
        (pushed["id"], "cancelled")
    ]
    assert not list(loaded.runtime_data.schedule)


async def test_action_that_cannot_be_cancelled(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """An action that is over cannot be cancelled, and that is told."""
    pushed = await _push(hass, "charge", BATTERY)
    await done(hass)
    ends = async_capture_events(hass, EVENT_ACTION)
    with pytest.raises(HomeAssistantError) as caught:
        await _ask(hass, "cancel_action", action_id=pushed["id"])
    assert "Powerwall 2" in str(caught.value)
    assert "ACTION_NOT_CANCELLABLE" in str(caught.value)
    await done(hass)
    assert not ends


@pytest.mark.parametrize("service", ["get_action", "cancel_action"])
async def test_action_that_nobody_knows(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, service: str
) -> None:
    """An id that the API does not know is refused, with what was asked."""
    for action_id in ("nothing", "../battery/x", "a b?c=d"):
        with pytest.raises(ServiceValidationError) as caught:
            await _ask(
                hass,
                service,
                device_id=registered(hass, BATTERY),
                action_id=action_id,
            )
        assert caught.value.translation_key == "action_unknown"
        assert "Powerwall 2" in str(caught.value)
        assert action_id in str(caught.value)
    assert not sandbox.requests.of("POST")


@pytest.mark.parametrize("service", ["get_action", "cancel_action"])
async def test_action_of_another_device(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, service: str
) -> None:
    """An action is not found by a device that it does not belong to."""
    pushed = await _push(hass, "charge", CHARGER, delay="01:00")
    with pytest.raises(ServiceValidationError) as caught:
        await _ask(
            hass,
            service,
            device_id=registered(hass, BATTERY),
            action_id=pushed["id"],
        )
    assert caught.value.translation_key == "action_unknown"
    assert sandbox.home.actions[-1].state == "scheduled"
    await done(hass)


@pytest.mark.parametrize(
    ("service", "data", "path"),
    [
        ("get_action", {"action_id": "x"}, "/actions/x"),
        ("cancel_action", {"action_id": "x"}, "/actions/x"),
        ("list_actions", {}, "/actions"),
    ],
)
@pytest.mark.parametrize(
    ("fault", "key"),
    [
        ({"status": 429, "code": "RATE_LIMIT_EXCEEDED"}, "rate_limited"),
        ({"status": 500, "code": "INTERNAL_ERROR"}, "server_trouble"),
        ({"kind": "html", "status": 200}, "malformed_reply"),
        ({"kind": "drop", "times": None}, "cannot_connect"),
    ],
)
async def test_asking_for_actions_can_fail(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    service: str,
    data: dict[str, Any],
    path: str,
    fault: dict[str, Any],
    key: str,
) -> None:
    """What keeps an action from being read is told, with the account's name."""
    sandbox.faults.add(method="GET", path=path, **fault)
    with pytest.raises(HomeAssistantError) as caught:
        await _ask(hass, service, **data)
    assert caught.value.translation_key == key
    assert loaded.title in str(caught.value)


@pytest.mark.parametrize(
    ("service", "data"),
    [
        ("get_action", {"action_id": "x"}),
        ("cancel_action", {"action_id": "x"}),
        ("list_actions", {}),
        ("charge", {"device_id": BATTERY}),
        ("update_settings", {"device_id": BATTERY, "settings": {"safety_reserve": 5}}),
    ],
)
async def test_overload_is_honoured(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    service: str,
    data: dict[str, Any],
) -> None:
    """After a 429 the account holds back for as long as the API asked for."""
    if "device_id" in data:
        data = data | {"device_id": registered(hass, BATTERY)}
    fault = sandbox.faults.add(
        status=429, code="RATE_LIMIT_EXCEEDED", retry_after=200, times=None
    )
    with pytest.raises(HomeAssistantError) as caught:
        await _ask(hass, service, **data)
    assert caught.value.translation_key == "rate_limited"
    sandbox.faults.remove(fault)
    sandbox.requests.clear()
    for _ in range(3):
        sandbox.clock.advance(65)
        freezer.tick(timedelta(seconds=65))
        async_fire_time_changed(hass)
        await done(hass)
    assert not list(sandbox.requests)


async def test_two_accounts_have_to_be_told_apart(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Where there are two accounts, a call says which one it means."""
    sandbox.add_account("sk_test_other", home="home", prefix="other_")
    other = MockConfigEntry(
        domain=DOMAIN,
        title="Amps AI (sandbox) 2",
        unique_id="sandbox:app_other:*",
        data={CONF_API_KEY: "sk_test_other", CONF_APP_ID: "app_other"},
    )
    await _set_up(hass, other)
    pushed = await _push(hass, "charge", BATTERY)
    with pytest.raises(ServiceValidationError):
        await _ask(hass, "get_action", action_id=pushed["id"])
    response = await _ask(
        hass, "get_action", config_entry_id=loaded.entry_id, action_id=pushed["id"]
    )
    assert response["action"]["id"] == pushed["id"]
    with pytest.raises(ServiceValidationError) as caught:
        await _ask(
            hass, "get_action", config_entry_id=other.entry_id, action_id=pushed["id"]
        )
    assert caught.value.translation_key == "action_unknown"
    assert "Amps AI (sandbox) 2" in str(caught.value)


# Lists of actions


async def _several(
    hass: HomeAssistant, sandbox: Sandbox, *device_ids: str
) -> list[str]:
    """Push one command after the other; return the actions, newest first."""
    made: list[str] = []
    for device_id in device_ids:
        record = await _push(hass, "send_command", device_id, command="idle")
        made.insert(0, record["id"])
        sandbox.clock.advance(1)
    await done(hass)
    sandbox.requests.clear()
    return made


async def test_list_actions(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """An account's actions are asked for in one request, newest first."""
    made = await _several(hass, sandbox, BATTERY, CHARGER, BATTERY, HVAC)
    response = await _ask(hass, "list_actions")
    assert list(response) == ["actions"]
    assert [action["id"] for action in response["actions"]] == made
    assert response["actions"][0]["deviceId"] == HVAC
    assert response["actions"][0]["command"] == "idle"
    [request] = sandbox.requests
    assert request.path == "/actions"
    assert set(request.query) == {"limit", "offset"}


async def test_list_actions_of_a_device(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A device's actions are those of the device."""
    made = await _several(hass, sandbox, BATTERY, CHARGER, BATTERY)
    response = await _ask(
        hass, "list_actions", device_id=registered(hass, BATTERY), limit=10
    )
    assert [action["id"] for action in response["actions"]] == [made[0], made[2]]
    [request] = sandbox.requests
    assert request.query == {"limit": "10", "offset": "0", "deviceId": BATTERY}


async def test_list_actions_in_a_state(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Only the actions in a state are listed, if that is asked for."""
    await _several(hass, sandbox, BATTERY)
    planned = await _push(hass, "charge", CHARGER, delay="01:00")
    await done(hass)
    sandbox.requests.clear()
    response = await _ask(
        hass,
        "list_actions",
        config_entry_id=loaded.entry_id,
        state="scheduled",
    )
    assert [action["id"] for action in response["actions"]] == [planned["id"]]
    assert [item.query["state"] for item in sandbox.requests] == ["scheduled"]
    response = await _ask(hass, "list_actions", state="failed")
    assert response == {"actions": []}


async def test_list_actions_reads_pages(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """More than a page is read page by page, and no more than is wanted."""
    made = await _several(hass, sandbox, *[BATTERY] * 60)
    response = await _ask(hass, "list_actions", limit=55)
    assert [action["id"] for action in response["actions"]] == made[:55]
    assert [item.query["offset"] for item in sandbox.requests] == ["0", "50"]
    sandbox.requests.clear()
    response = await _ask(hass, "list_actions")
    assert [action["id"] for action in response["actions"]] == made[:50]
    assert len(sandbox.requests) == 1
    response = await _ask(hass, "list_actions", limit=500)
    assert [action["id"] for action in response["actions"]] == made


# An entry for one user


@pytest.mark.parametrize("home", ["two"])
@pytest.mark.parametrize("service", ["get_action", "cancel_action"])
async def test_foreign_action_is_refused(
    hass: HomeAssistant,
    user: MockConfigEntry,
    sandbox: Sandbox,
    service: str,
) -> None:
    """The action of another user's device is not this entry's to touch."""
    await _set_up(hass, user)
    device = sandbox.device("device_battery_002")
    assert device.user != "user_abc123"
    foreign = await _pushed_elsewhere(hass, sandbox, "device_battery_002")
    sandbox.requests.clear()
    for whose in (
        {"device_id": registered(hass, BATTERY)},
        {"config_entry_id": user.entry_id},
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await _ask(hass, service, action_id=foreign, **whose)
        assert caught.value.translation_key == "action_unknown"
    assert not sandbox.requests.of("POST")
    assert sandbox.home.actions[-1].state == "scheduled"


@pytest.mark.parametrize("home", ["two"])
async def test_one_user_lists_by_device(
    hass: HomeAssistant, user: MockConfigEntry, sandbox: Sandbox
) -> None:
    """An entry for one user asks for its devices only, and sorts them itself."""
    await _set_up(hass, user)
    made = await _several(hass, sandbox, BATTERY, CHARGER, HVAC, BATTERY)
    await _pushed_elsewhere(hass, sandbox, "device_battery_002")
    sandbox.requests.clear()
    response = await _ask(hass, "list_actions")
    assert [action["id"] for action in response["actions"]] == made
    own = {device.id for device in sandbox.home.devices if device.user == "user_abc123"}
    asked = [item.query.get("deviceId") for item in sandbox.requests]
    assert set(asked) <= own
    assert {BATTERY, CHARGER, HVAC} <= set(asked)
    assert len(asked) == len(set(asked))
    response = await _ask(hass, "list_actions", limit=3)
    assert [action["id"] for action in response["actions"]] == made[:3]


async def _pushed_elsewhere(
    hass: HomeAssistant, sandbox: Sandbox, device_id: str
) -> str:
    """Plan a command for a device, past Home Assistant; return its action."""
    async with async_get_clientsession(hass).post(
        f"{sandbox.url}/battery/{device_id}",
        headers={"x-api-key": TEST_KEY},
        json={"action": {"command": "discharge", "start": "2h"}},
    ) as response:
        body = await response.json()
    action_id: str = body["data"]["id"]
    return action_id
