"""How the dashboard comes to the front end."""

from http import HTTPStatus
import re

from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.amps_ai.common.const import CONF_APP_ID, DOMAIN
from sandbox import TEST_KEY, Sandbox

from .helpers import done, registered, set_up

pytestmark = pytest.mark.usefixtures("stopped_clock", "at_once")


def _entry(name: str) -> MockConfigEntry:
    data = {CONF_API_KEY: TEST_KEY, CONF_APP_ID: name}
    return MockConfigEntry(domain=DOMAIN, title=name, unique_id=name, data=data)


async def test_served(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """One address, however often accounts are set up; all of it can be kept."""
    assert await async_setup_component(hass, "frontend", {})
    entry = _entry("one")
    await set_up(hass, entry)
    await hass.config_entries.async_reload(entry.entry_id)
    await done(hass)
    [url] = [url for url in hass.data[DATA_EXTRA_MODULE_URL].urls if DOMAIN in url]
    found = re.fullmatch(r"(/amps_ai/frontend/[0-9a-f]{12}/)amps-ai\.js", url)
    assert found
    client = await hass_client_no_auth()
    for name, kind, said in (
        ("amps-ai.js", "text/javascript", "customStrategies"),
        ("strategy.js", "text/javascript", "export async function dashboard"),
        ("words/de.json", "application/json", "Übersicht"),
    ):
        reply = await client.get(f"{found[1]}{name}")
        assert reply.status == HTTPStatus.OK
        assert reply.content_type == kind
        assert "max-age=" in reply.headers["Cache-Control"]
        assert said in await reply.text()
    # Nothing but the files that are for it.
    reply = await client.get(f"{found[1]}../__init__.py")
    assert reply.status == HTTPStatus.NOT_FOUND


async def test_no_front_end(hass: HomeAssistant) -> None:
    """Home Assistant can do without, and so can the integration."""
    entry = _entry("one")
    await set_up(hass, entry)
    assert "frontend" not in hass.config.components
    assert DATA_EXTRA_MODULE_URL not in hass.data


async def test_timed_commands(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, sandbox: Sandbox
) -> None:
    """The dashboard offers for a while what a device takes for a while."""
    assert await async_setup_component(hass, "frontend", {})
    older = sandbox.home.add_device("ev-charger", generation="before").id
    entry = _entry("one")
    await set_up(hass, entry)
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "amps_ai/timed_commands"})
    reply = await client.receive_json()
    assert reply["success"]
    assert {
        device: set(reply["result"][registered(hass, device)])
        for device in (
            "device_battery_001",
            "device_ev_001",
            "device_hvac_001",
            "device_inverter_001",
            older,
        )
    } == {
        "device_battery_001": {"charge", "discharge", "idle"},
        "device_ev_001": {"charge"},
        "device_hvac_001": {"heat", "cool"},
        "device_inverter_001": set(),
        older: set(),
    }

    await hass.config_entries.async_unload(entry.entry_id)
    await client.send_json_auto_id({"type": "amps_ai/timed_commands"})
    assert (await client.receive_json())["result"] == {}
