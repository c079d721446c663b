"""What Home Assistant's own page of its health says of Amps AI."""

from base64 import b64encode
import json
import time
from typing import Any

from homeassistant.const import CONF_API_KEY, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.amps_ai.common.const import (
    CONF_APP_ID,
    CONF_WEBHOOK,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
)
from sandbox import LIVE_KEY, TEST_KEY, Sandbox

from .conftest import Pass
from .helpers import done

WEBHOOK_ID = "0123456789abcdef" * 4
SECRET = "whsec_" + b64encode(b"a secret of twenty-four.").decode()


pytestmark = pytest.mark.usefixtures("stopped_clock", "at_once")


async def _set_up(
    hass: HomeAssistant, key: str = TEST_KEY, options: dict[str, Any] | None = None
) -> MockConfigEntry:
    data = {CONF_API_KEY: key, CONF_APP_ID: "app_demo"}
    if options:
        data |= {CONF_WEBHOOK_ID: WEBHOOK_ID, CONF_WEBHOOK_SECRET: SECRET}
    entry = MockConfigEntry(
        domain=DOMAIN, title=key[:7], unique_id=key, data=data, options=options or {}
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    return entry


async def _health(hass: HomeAssistant, ws: WebSocketGenerator) -> dict[str, Any]:
    """Return what the page shows once everything is known, as the frontend asks."""
    assert await async_setup_component(hass, "system_health", {})
    assert await async_setup_component(hass, DOMAIN, {})
    await done(hass)
    client = await ws(hass)
    await client.send_json_auto_id({"type": "system_health/info"})
    assert (await client.receive_json())["success"]
    info: dict[str, Any] = {}
    while True:
        event = (await client.receive_json())["event"]
        if event["type"] == "finish":
            break
        if event["type"] == "initial":
            info = event["data"][DOMAIN]["info"]
        elif event["domain"] == DOMAIN:
            assert event["success"]
            info[event["key"]] = event["data"]
    await client.close()
    translations = await async_get_translations(hass, "en", "system_health", [DOMAIN])
    for name in info:
        assert f"component.{DOMAIN}.system_health.info.{name}" in translations
    for secret in (TEST_KEY, LIVE_KEY, WEBHOOK_ID, SECRET):
        assert secret not in json.dumps(info)
    return info


async def test_all_is_well(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
) -> None:
    asked = sandbox.requests.total
    info = await _health(hass, hass_ws_client)
    # One look whether there is anybody, without a key.
    assert sandbox.requests.total <= asked + 1
    assert info == {
        "can_reach_api": "ok",
        "accounts_loaded": "1/1",
        "environment": "Sandbox",
        "devices": "5",
        "plans": "0",
        "requests": str(asked),
        "holds_back": "0 s",
        "webhooks": "Off",
    }


async def test_no_entry(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    info = await _health(hass, hass_ws_client)
    assert info == {
        "can_reach_api": "ok",
        "accounts_loaded": "0/0",
        "environment": "-",
        "devices": "-",
        "plans": "-",
        "requests": "-",
        "holds_back": "-",
        "webhooks": "-",
    }


@pytest.mark.parametrize("how", ["fails", "unloaded", "stopped"])
async def test_no_entry_is_loaded(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    """The page is there when it is needed most."""
    if how == "fails":
        sandbox.faults.add(code="INTERNAL_ERROR")
    elif how == "stopped":
        monkeypatch.setenv("AMPS_AI_API_URL", "http://127.0.0.1:1")
    entry = await _set_up(hass)
    if how == "unloaded":
        assert await hass.config_entries.async_unload(entry.entry_id)
    info = await _health(hass, hass_ws_client)
    assert info["accounts_loaded"] == "0/1"
    assert info["devices"] == "-"
    if how == "stopped":
        assert info["can_reach_api"] == {"type": "failed", "error": "unreachable"}
    else:
        assert info["can_reach_api"] == "ok"


async def test_not_reachable_any_more(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AMPS_AI_API_URL", "http://127.0.0.1:1")
    info = await _health(hass, hass_ws_client)
    assert info["can_reach_api"] == {"type": "failed", "error": "unreachable"}
    assert info["accounts_loaded"] == "1/1"


async def test_two_accounts(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, sandbox: Sandbox
) -> None:
    """Each account is told of, in the same order."""
    await _set_up(hass)
    await _set_up(hass, LIVE_KEY)
    for number in range(3):
        sandbox.live_home.add_device("vehicle", device_id=f"more_{number}")
    for entry in hass.config_entries.async_entries(DOMAIN):
        assert await hass.config_entries.async_reload(entry.entry_id)
    await done(hass)
    info = await _health(hass, hass_ws_client)
    assert info["accounts_loaded"] == "2/2"
    assert info["environment"] == "Sandbox, Live"
    assert info["devices"] == "5, 8"
    assert info["holds_back"] == "0 s, 0 s"
    assert info["webhooks"] == "Off, Off"


async def test_holds_back(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """After too many requests, the page says how long the account waits."""
    sandbox.faults.add(code="RATE_LIMIT_EXCEEDED", retry_after=300)
    await pass_time(75)
    info = await _health(hass, hass_ws_client)
    seconds = float(info["holds_back"].removesuffix(" s"))
    # The first of the lists, which are spread over the minute, was told so.
    assert 225 <= seconds <= 300


async def test_webhooks(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """On and nothing came, on and working, on and without a secret."""
    entry = await _set_up(hass, options={CONF_WEBHOOK: True})
    assert (await _health(hass, hass_ws_client))["webhooks"] == "Silent"
    client = await hass_client_no_auth()
    sandbox.webhooks.now = time.time
    endpoint = sandbox.webhooks.add(
        str(client.make_url(f"/api/webhook/{WEBHOOK_ID}")), SECRET
    )
    device = sandbox.device("device_battery_001")
    device.credentials_refused = True
    device.credentials_refused = None
    await sandbox.webhooks.settled()
    await done(hass)
    assert (await _health(hass, hass_ws_client))["webhooks"] == "Working"
    # An end that no webhook tells: they have fallen silent.
    sandbox.webhooks.remove(endpoint)
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": "select.powerwall_2_mode", "option": "charge"},
        blocking=True,
    )
    await pass_time(90)
    assert (await _health(hass, hass_ws_client))["webhooks"] == "Silent"
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_WEBHOOK_SECRET: ""}
    )
    assert await hass.config_entries.async_reload(entry.entry_id)
    await done(hass)
    assert (await _health(hass, hass_ws_client))["webhooks"] == "No secret"
