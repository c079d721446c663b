"""The integration in Home Assistant's own front end, as people meet it."""

import re

from playwright.async_api import Browser, expect
import pytest

from .conftest import SCREENSHOTS
from .demo import DemoProcess
from .front_end import FrontEnd

pytestmark = pytest.mark.browser

KEY = "sk_test_demo"
APP = "app_demo"
LISTS = ("/battery", "/ev-charger", "/hvac", "/solar-inverter", "/vehicle")
# A word of a program rather than one for people.
RAW = re.compile(r"[a-z0-9]_[a-z0-9]|component\.|undefined|\[object")


async def _add(empty: FrontEnd) -> None:
    """Add the integration through its dialog, unless a test before has."""
    await empty.open()
    if await empty.entries():
        return
    await empty.open_dialog()
    await empty.fill(api_key=f" {KEY} ", app_id=APP)
    await empty.shoot("filled")
    await empty.submit()
    finish = empty.dialog.get_by_role(
        "button", name=re.compile("finish", re.IGNORECASE)
    )
    await finish.wait_for()
    await empty.shoot("added")
    await finish.click()
    await expect(empty.dialog.locator("ha-dialog")).to_have_count(0)
    await empty.shoot("integration")


async def test_wrong_key(empty: FrontEnd) -> None:
    await empty.open_dialog()
    await empty.shoot("form")
    await empty.fill(api_key="sk_test_wrong", app_id=APP)
    await empty.submit()
    await expect(
        empty.dialog.get_by_text("Amps AI does not know this API key")
    ).to_be_visible()
    await expect(empty.dialog.locator("input[name=app_id]")).to_have_value(APP)
    await empty.shoot("refused")
    assert [r["status"] for r in await empty.requests("GET", "/battery")] == [401]
    assert await empty.entries() == []


async def test_add_integration(empty: FrontEnd) -> None:
    await _add(empty)
    assert [entry["title"] for entry in await empty.entries()] == ["Amps AI (sandbox)"]
    assert [entry["state"] for entry in await empty.entries()] == ["loaded"]
    assert set(await empty.devices()) == {
        "Amps AI (sandbox)",
        "Powerwall 2",
        "Pulsar Plus",
        "Smart Thermostat Premium",
        "SE5000H",
        "iX3",
    }
    for path in LISTS:
        assert 200 in [r["status"] for r in await empty.requests("GET", path)], path
    # All words are for people.
    spoken = await empty.spoken()
    assert len(spoken) > 40
    raw = {
        entity_id: [word for word in words if RAW.search(word)]
        for entity_id, words in spoken.items()
    }
    assert {entity_id: words for entity_id, words in raw.items() if words} == {}


async def test_charger(empty: FrontEnd) -> None:
    await _add(empty)
    await empty.open_device("Pulsar Plus")
    await empty.forget_requests()
    toggle = empty.row("toggle", "Pulsar Plus").locator("ha-switch")
    switch = toggle.locator("input")
    await expect(switch).to_be_checked()
    await empty.shoot("charging")

    await toggle.click()
    body = await empty.wait_for_request("/ev-charger/device_ev_001")
    assert body == {"action": {"command": "idle"}}
    await expect(switch).not_to_be_checked()
    # What was measured follows, and the switch stays where it was put.
    await empty.wait_for_state("sensor.pulsar_plus_status", "paused")
    await empty.wait_for_state("sensor.pulsar_plus_power", "0")
    await expect(switch).not_to_be_checked()
    await empty.shoot("paused")

    # It is a slider, which ends where the charger does.
    cap = empty.row("number", "Maximum power")
    await expect(cap).to_contain_text("11.0 kW")
    await cap.locator("ha-slider").evaluate(
        "e => { e.value = 7.4; e.dispatchEvent(new Event('change')); }"
    )
    body = await empty.wait_for_request("/ev-charger/device_ev_001/settings")
    assert body == {"max_charge_rate": {"value": 7.4, "unit": "kw"}}
    await empty.wait_for_state("number.pulsar_plus_maximum_power", "7.4")
    await expect(cap).to_contain_text("7.4 kW")

    await empty.forget_requests()
    await toggle.click()
    body = await empty.wait_for_request("/ev-charger/device_ev_001")
    assert body == {"action": {"command": "charge"}}
    await expect(switch).to_be_checked()
    # The cap caps.
    await empty.wait_for_state("sensor.pulsar_plus_power", "7.4")
    await empty.shoot("capped")


async def test_battery(empty: FrontEnd) -> None:
    await _add(empty)
    await empty.open_device("Powerwall 2")
    await empty.forget_requests()
    mode = empty.row("select", "Mode")
    await expect(mode).to_contain_text("Self-consumption")
    await mode.locator("ha-picker-field").click()
    await empty.shoot("modes")
    await mode.get_by_role("menuitem", name="Grid export").click()
    body = await empty.wait_for_request("/battery/device_battery_001")
    assert body == {"action": {"command": "auto.export"}}
    await expect(mode.locator("ha-picker-field")).to_contain_text("Grid export")
    await empty.wait_for_state("sensor.powerwall_2_last_command", "completed")
    await empty.wait_for_state("select.powerwall_2_mode", "auto_export")
    await empty.shoot("exporting")


async def test_thermostat(empty: FrontEnd) -> None:
    await _add(empty)
    await empty.open_device("Smart Thermostat Premium")
    await empty.forget_requests()
    await empty.row("climate", "Smart Thermostat Premium").click()
    dialog = empty.page.locator("ha-more-info-dialog")
    await dialog.locator("more-info-climate").wait_for()
    await empty.shoot("dialog")

    menus = dialog.locator("ha-control-select-menu")
    await menus.filter(has_text="Mode").click()
    await empty.shoot("modes")
    await menus.get_by_role("menuitem", name="Heat", exact=True).click()
    body = await empty.wait_for_request("/hvac/device_hvac_001")
    assert body["action"]["command"] == "heat"
    await empty.wait_for_state("climate.smart_thermostat_premium", "heat")
    before = await empty.state("climate.smart_thermostat_premium")
    assert before["attributes"]["preset_mode"] == "hold"
    await expect(menus.filter(has_text="Preset")).to_contain_text("Hold")

    await empty.forget_requests()
    await dialog.locator("ha-outlined-icon-button").last.click()
    body = await empty.wait_for_request("/hvac/device_hvac_001")
    wanted = before["attributes"]["temperature"] + 0.5
    assert body["action"]["command"] == "heat"
    assert body["action"]["parameters"]["target"]["value"] == wanted
    await expect(dialog.locator("ha-big-number").first).to_contain_text(f"{wanted:g}")
    await empty.shoot("warmer")

    await empty.forget_requests()
    await menus.filter(has_text="Preset").click()
    await menus.get_by_role("menuitem", name="Schedule").click()
    body = await empty.wait_for_request("/hvac/device_hvac_001")
    assert body == {"action": {"command": "follow_schedule"}}
    await expect(menus.filter(has_text="Preset")).to_contain_text("Schedule")
    await empty.shoot("schedule")


async def test_other_devices(empty: FrontEnd) -> None:
    await _add(empty)
    for name in ("SE5000H", "iX3", "Amps AI (sandbox)"):
        await empty.open_device(name)
        await expect(empty.page.get_by_text("Amps AI").first).to_be_visible()
        await empty.shoot(name.split()[0].lower())


async def test_start_page(full: FrontEnd) -> None:
    """The demo opens with the dashboard, and its controls work."""
    await full.open()
    await full.page.locator("hui-tile-card").first.wait_for()
    await expect(full.page.locator("hui-error-card, hui-warning")).to_have_count(0)
    await full.shoot("start")

    charging = full.page.locator("hui-tile-card").filter(
        has=full.page.locator("hui-toggle-card-feature")
    )
    await expect(charging).to_contain_text("On")
    await charging.get_by_role("switch").click()
    body = await full.wait_for_request("/ev-charger/device_ev_001")
    assert body == {"action": {"command": "idle"}}
    await expect(charging).to_contain_text("Off")
    await full.shoot("paused")

    # Home Assistant accepts the energy sensors as they are.
    found = await full.page.evaluate(
        "document.querySelector('home-assistant').hass.callWS({type: 'energy/validate'})"
    )
    # Statistics come with time.
    early = {"statistics_not_defined"}
    issues = {
        issue["type"] for part in found.values() for item in part for issue in item
    }
    assert issues <= early


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_sizes(browser: Browser, full_demo: DemoProcess, scheme: str) -> None:
    """Take pictures of a phone and a wide screen; nothing sticks out of them."""
    for size, width, height in (("phone", 390, 844), ("wide", 1400, 1000)):
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        page = await context.new_page()
        front_end = FrontEnd(
            page,
            full_demo.url,
            full_demo.sandbox_url,
            SCREENSHOTS / f"sizes-{scheme}-{size}",
        )
        await front_end.open()
        await page.locator("hui-tile-card").first.wait_for()
        await front_end.shoot("dashboard")
        for device in ("Powerwall 2", "Pulsar Plus") if size == "phone" else ():
            await front_end.open_device(device)
            await front_end.shoot(device.split()[0].lower())
            overflow = await page.evaluate(
                "document.documentElement.scrollWidth - window.innerWidth"
            )
            assert overflow <= 0
        await context.close()


def test_logs(empty_demo: DemoProcess, full_demo: DemoProcess) -> None:
    """Neither demo has anything to complain of; this test comes last."""
    assert empty_demo.log() == []
    assert full_demo.log() == []
