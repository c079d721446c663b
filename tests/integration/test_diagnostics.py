"""What people paste into public places when they ask for help."""

from base64 import b64encode
from http import HTTPStatus
import json
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from custom_components.amps_ai.common.const import (
    CONF_APP_ID,
    CONF_CLOUDHOOK_URL,
    CONF_FRESHNESS,
    CONF_USER_ID,
    CONF_WEBHOOK,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
)
from sandbox import TEST_KEY, Sandbox

from .conftest import Pass
from .helpers import done

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
VEHICLE = "device_vehicle_001"

# One of the sandbox's users: an address, as the Link UI takes.
USER = "anna@example.org"
WEBHOOK_ID = "fedcba9876543210" * 4
SECRET = "whsec_" + b64encode(b"a secret of twenty-four.").decode()
CLOUDHOOK = "https://hooks.example.org/gAAAAABcloudhook"
SECRETS = {
    CONF_API_KEY: TEST_KEY,
    CONF_USER_ID: USER,
    CONF_WEBHOOK_ID: WEBHOOK_ID,
    CONF_WEBHOOK_SECRET: SECRET,
    CONF_CLOUDHOOK_URL: CLOUDHOOK,
}


pytestmark = pytest.mark.usefixtures("stopped_clock", "at_once")


@pytest.fixture
async def full(hass: HomeAssistant, sandbox: Sandbox) -> MockConfigEntry:
    """Set up an entry with every secret that an entry can have."""
    for device in sandbox.home.devices:
        device.user = USER
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Amps AI (sandbox)",
        unique_id=f"sandbox:app_demo:{USER}",
        data={CONF_APP_ID: "app_demo", **SECRETS},
        options={CONF_WEBHOOK: True, CONF_FRESHNESS: "fast"},
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    return entry


async def _download(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    device_id: str | None = None,
) -> Any:
    """Download the diagnostics as a person does; hold that nothing secret is in it."""
    assert await async_setup_component(hass, "diagnostics", {})
    await hass.async_block_till_done()
    path = f"/api/diagnostics/config_entry/{entry.entry_id}"
    if device_id is not None:
        path += f"/device/{_registered(hass, entry, device_id).id}"
    client = await hass_client()
    response = await client.get(path)
    text = await response.text()
    assert response.status == HTTPStatus.OK, text
    for secret in SECRETS.values():
        assert secret not in text
        assert secret not in response.headers["Content-Disposition"]
    return json.loads(text)["data"]


def _registered(
    hass: HomeAssistant, entry: MockConfigEntry, device_id: str
) -> dr.DeviceEntry:
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, device_id), entry.entry_id
    )
    assert device is not None
    return device


def _shape(value: Any) -> Any:
    """Return what fields there are and of which kind, and none of the figures."""
    if isinstance(value, dict):
        return {name: _shape(item) for name, item in sorted(value.items())}
    if isinstance(value, list):
        shapes: list[Any] = []
        for item in value:
            if (shape := _shape(item)) not in shapes:
                shapes.append(shape)
        return shapes
    if value == REDACTED:
        return value
    return "null" if value is None else type(value).__name__


# What is in it.


async def test_shape(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    full: MockConfigEntry,
    snapshot: SnapshotAssertion,
) -> None:
    """Every field is there, whatever the figures are today."""
    told = await _download(hass, hass_client, full)
    told["account"]["requests"] = {}
    assert _shape(told) == snapshot


async def test_what_helps(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    full: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """Capabilities, settings, the last commands, freshness, requests and limits."""
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": "select.powerwall_2_mode", "option": "charge"},
        blocking=True,
    )
    await done(hass)
    await pass_time(30)
    told = await _download(hass, hass_client, full)
    assert set(told["devices"]) == {device.id for device in sandbox.home.devices}
    battery = told["devices"][BATTERY]
    assert battery["type"] == "battery"
    assert battery["detailed"] is True
    assert battery["is_older"] is False
    device = sandbox.device(BATTERY)
    assert battery["body"]["commands"] == device.commands
    assert battery["body"]["settings"] == device.captured_settings
    assert battery["body"]["state"] == device.captured
    assert battery["freshness"]["usable"] is True
    assert 0 <= battery["freshness"]["age"] <= 45
    assert 0 <= battery["freshness"]["age_of_single_read"] <= 45
    latest = battery["pushes"]["latest"]
    assert latest["command"] == "charge"
    assert latest["state"] == "completed"
    assert battery["pushes"]["ended"] == {latest["id"]: "completed"}
    assert battery["entities"]["mode"] == {
        "entity_id": "select.powerwall_2_mode",
        "disabled_by": None,
        "state": "charge",
    }
    assert battery["entities"]["last_pulled"]["disabled_by"] == "integration"
    vehicle = told["devices"][VEHICLE]
    assert vehicle["pushes"] == {}
    account = told["account"]
    assert account["environment"] == "sandbox"
    assert account["time"].startswith("2026-06-01T12:00")
    assert account["freshness"]["chosen"] == "fast"
    assert account["freshness"]["target"] == 300
    assert account["freshness"]["expedites"] is True
    assert account["requests"]["POST /battery/{id} 202"] == 1
    assert account["requests"]["GET /vehicle 200"] >= 1
    assert account["limits"]["holds_back_for"] == 0
    assert account["limits"]["key_refused_by"] == []
    assert account["webhooks"]["verified"] is False
    assert account["to_be_linked_again"] == []
    assert told["types"]["battery"]["devices"] == 1
    assert told["types"]["battery"]["last_update_success"] is True
    assert told["entry"]["version"] == "1.1"
    assert told["entry"]["options"] == {CONF_WEBHOOK: True, CONF_FRESHNESS: "fast"}
    assert told["entry"]["data"] == {
        CONF_APP_ID: "app_demo",
        **dict.fromkeys(SECRETS, REDACTED),
    }


async def test_what_is_wrong(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    full: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """What somebody who helps looks for: what fails, and since when it waits."""
    await pass_time(75)
    sandbox.device(CHARGER).credentials_refused = True
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(
            "button",
            "press",
            {"entity_id": "button.pulsar_plus_refresh"},
            blocking=True,
        )
    sandbox.device(VEHICLE).unlisted = True
    sandbox.faults.add(path="/hvac", code="INTERNAL_ERROR", message="Out of order")
    await pass_time(75)
    sandbox.faults.add(path="/battery", code="RATE_LIMIT_EXCEEDED", retry_after=120)
    await pass_time(60)
    told = await _download(hass, hass_client, full)
    assert told["account"]["to_be_linked_again"] == [CHARGER]
    assert 0 < told["account"]["limits"]["holds_back_for"] <= 120
    assert told["types"]["hvac"]["last_update_success"] is False
    assert "INTERNAL_ERROR" in str(told["types"]["hvac"]["last_error"])
    assert told["types"]["hvac"]["complete_lists"] == 0
    assert told["types"]["vehicle"]["missing"][VEHICLE] >= 1
    assert told["devices"][VEHICLE]["freshness"]["usable"] is False
    assert told["account"]["requests"]["GET /battery 429"] >= 1
    assert told["account"]["requests"]["GET /ev-charger/{id} 401"] >= 1


async def test_without_webhooks(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    loaded: MockConfigEntry,
) -> None:
    told = await _download(hass, hass_client, loaded)
    assert told["account"]["webhooks"] is None
    assert told["entry"]["data"] == {
        CONF_API_KEY: REDACTED,
        CONF_APP_ID: "app_demo",
    }


@pytest.mark.parametrize("home", ["two", "classic", "documented", "odd", "empty"])
async def test_every_home(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    loaded: MockConfigEntry,
) -> None:
    """However odd a device is, it is told of."""
    told = await _download(hass, hass_client, loaded)
    assert set(told["devices"]) == {
        device_id
        for coordinator in loaded.runtime_data.coordinators.values()
        for device_id in coordinator.data
    }


# One device.


async def test_one_device(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    full: MockConfigEntry,
) -> None:
    """One device's diagnostics are its part of the whole, with the account's."""
    whole = await _download(hass, hass_client, full)
    told = await _download(hass, hass_client, full, BATTERY)
    assert told["devices"] == {BATTERY: whole["devices"][BATTERY]}
    assert told.keys() == whole.keys()


async def test_the_account_as_a_device(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    full: MockConfigEntry,
) -> None:
    """The account is a device too, and tells of itself only."""
    told = await _download(hass, hass_client, full, full.entry_id)
    assert told["devices"] == {}
    assert told["account"]["environment"] == "sandbox"


async def test_a_leftover(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    full: MockConfigEntry,
) -> None:
    """A device that the account does not have is no mistake."""
    dr.async_get(hass).async_get_or_create(
        config_entry_id=full.entry_id, identifiers={(DOMAIN, "long_gone")}
    )
    told = await _download(hass, hass_client, full, "long_gone")
    assert told["devices"] == {}


async def test_ids_that_begin_alike(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    full: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """Each device's entities are its own, whatever the ids are."""
    before = await _download(hass, hass_client, full, BATTERY)
    sandbox.home.add_device("battery", device_id=f"{BATTERY}_b", user=USER)
    await pass_time(150)
    told = await _download(hass, hass_client, full)
    keys = set(before["devices"][BATTERY]["entities"])
    assert set(told["devices"][f"{BATTERY}_b"]["entities"]) == keys
    assert set(told["devices"][BATTERY]["entities"]) == keys


# What must not be in it.


PRIVATE: Final = (
    "vin",
    "VIN",
    "email",
    "serialNumber",
    "serial_number",
    "address",
    "latitude",
    "location",
    "owner",
    "phone",
    "userId",
    "licensePlate",
    "accessToken",
    "macAddress",
    "ipAddress",
    # Names that are made of several words.
    "vehicleVin",
    "ownerName",
    "ownerEmail",
    "homeAddress",
    "siteAddress",
    "streetName",
    "phoneNumber",
    "gpsLocation",
    "deviceSerial",
    "inverterSerialNumber",
    "wifiSsid",
    "refresh_token_id",
    "lat",
    "lng",
    "lon",
    "coordinates",
    "firstName",
    "lastName",
)


async def test_private_fields(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    subtests: pytest.Subtests,
) -> None:
    """Fields that appear in a body one day are not told, wherever they stand."""
    private = {field: f"privately {field}" for field in PRIVATE}
    device = sandbox.device(BATTERY)
    device.body_override = private | {
        "metadata": {"model": "Powerwall 2", "source": "live"} | private,
        "site": [private, {"deeper": private}],
    }
    device.state_override = {
        field: {"nested": value} for field, value in private.items()
    }
    await pass_time(75)
    told = await _download(hass, hass_client, loaded)
    body = told["devices"][BATTERY]["body"]
    for field, value in private.items():
        with subtests.test(field):
            assert f'"{value}"' not in json.dumps(told)
            assert body[field] == REDACTED
            assert body["metadata"][field] == REDACTED
            assert body["state"][field] == REDACTED
    # And what is not private is told still.
    assert body["metadata"]["model"] == "Powerwall 2"
    assert body["state"]["level"] == (device.captured or {})["level"]


async def test_nothing_too_much_is_hidden(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """Fields that only sound alike are what a helper needs."""
    harmless: dict[str, Any] = {
        "allocation": 1,
        "provisioned": True,
        "plated": "yes",
        "longTermAverage": 2,
        "emailed": False,
        "zipped": 3,
        "serialised": 4,
        "platform": "x",
        "latency": 5,
        "loneliness": 6,
        "saving": 7,
        "capacity": 13,
    }
    sandbox.device(BATTERY).body_override = {"more": harmless}
    await pass_time(75)
    told = await _download(hass, hass_client, loaded)
    assert told["devices"][BATTERY]["body"]["more"] == harmless


async def test_addresses_and_ids_in_texts(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    full: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """What the API echoes in a text is taken out of it."""
    sandbox.device(BATTERY).body_override = {
        "note": f"belongs to {USER} with {TEST_KEY}, ask bob@example.com",
        f"of {USER}": 1,
        "tags": [USER, ["bob@example.com"]],
    }
    sandbox.faults.add(
        path="/hvac",
        status=422,
        code="NEW_RULE",
        message=f"No room for {USER} nor bob@example.com with {TEST_KEY}",
    )
    await pass_time(75)
    text = json.dumps(await _download(hass, hass_client, full))
    assert "bob@example.com" not in text
    assert "belongs to" in text
    assert "No room for" in text


async def test_reconnection_address(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    full: MockConfigEntry,
    sandbox: Sandbox,
) -> None:
    """The address of a reconnection has a token in it."""
    url = "https://auth.amps.ai/app_demo?reconnect=1&token=very-private"
    coordinator = full.runtime_data.find(BATTERY)
    assert coordinator is not None
    sandbox.device(BATTERY).body_override = {"reconnectionUrl": url, "link": url}
    await coordinator.async_refresh()
    await done(hass)
    told = await _download(hass, hass_client, full)
    assert told["devices"][BATTERY]["body"]["reconnectionUrl"] == REDACTED


async def test_what_no_json_is_made_of(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """Deep, long and odd values are no reason to tell nothing."""
    deep: Any = "bottom"
    for _ in range(25):
        deep = [deep]
    sandbox.device(BATTERY).body_override = {
        "deep": deep,
        "": None,
        "large": 2**63,
        "tiny": 1e-300,
        "text": "é\u0000\u2028" * 100,
    }
    await pass_time(75)
    told = await _download(hass, hass_client, loaded)
    assert told["devices"][BATTERY]["body"]["large"] == 2**63


# When nothing works.


@pytest.mark.parametrize("why", ["never loaded", "unloaded", "key refused"])
async def test_entry_that_is_not_loaded(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    why: str,
) -> None:
    """Whoever cannot even set up an entry is the one who asks for help."""
    if why == "never loaded":
        sandbox.faults.add(code="INTERNAL_ERROR")
    elif why == "key refused":
        sandbox.accounts[TEST_KEY].expired = True
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    if why == "unloaded":
        assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is not ConfigEntryState.LOADED
    told = await _download(hass, hass_client, entry)
    assert told["entry"]["data"] == {CONF_API_KEY: REDACTED, CONF_APP_ID: "app_demo"}


async def test_device_of_an_entry_that_is_not_loaded(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    loaded: MockConfigEntry,
) -> None:
    assert await hass.config_entries.async_unload(loaded.entry_id)
    told = await _download(hass, hass_client, loaded, BATTERY)
    assert told["entry"]["title"] == "Amps AI (sandbox)"
