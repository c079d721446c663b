"""The dashboard of the integration, in Home Assistant's own front end."""

import asyncio
from collections import Counter
from collections.abc import Generator
import json
import re
from typing import Any

from playwright.async_api import Browser, Locator, Page, Route, expect
import pytest

from develop import ROOT

from .conftest import SCREENSHOTS
from .demo import DemoProcess, running_demo
from .front_end import HASS, PATIENCE, FrontEnd

pytestmark = pytest.mark.browser

WORDS = ROOT / "custom_components" / "amps_ai" / "frontend" / "www" / "words"
DASHBOARD = "/amps-home"
BATTERY = "device_battery_001"
MODULE = re.compile(r"/amps_ai/frontend/[0-9a-f]+/amps-ai\.js$")
REST = re.compile(r"/amps_ai/frontend/[0-9a-f]+/(strategy\.js|words/.+)$")


def _words(language: str) -> dict[str, str]:
    text = (WORDS / f"{language}.json").read_text(encoding="utf-8")
    words: dict[str, str] = json.loads(text)
    return words


def _card(home: FrontEnd, kind: str, words: str) -> Locator:
    return home.page.locator(f"hui-{kind}-card").filter(has_text=words)


def _heading(home: FrontEnd, words: str) -> Locator:
    return home.page.get_by_role("heading", name=words, exact=True)


async def _open(home: FrontEnd, path: str = DASHBOARD) -> None:
    """Open a view, and wait until its cards are there."""
    await home.open(path)
    await home.page.locator("hui-tile-card").first.wait_for()
    await expect(home.page.locator("hui-error-card, hui-warning")).to_have_count(0)


async def _speak(page: Page, language: str) -> None:
    """Let a person speak a language, whatever the home speaks."""
    await page.add_init_script(
        f"localStorage.setItem('selectedLanguage', '\"{language}\"')"
    )


async def _press(home: FrontEnd, words: str) -> None:
    """Tap a quick choice."""
    await _card(home, "shortcut", words).first.click()


async def _call(home: FrontEnd, message: dict[str, Any]) -> Any:
    """Send a message to Home Assistant."""
    return await home.page.evaluate(f"message => {HASS}.callWS(message)", message)


async def test_add_dashboard(full: FrontEnd) -> None:
    """Add the dashboard as a person does; what it says is in one's language."""
    await _speak(full.page, "de")
    await full.open("/config/lovelace/dashboards")
    await full.page.get_by_text("Dashboard hinzufügen").first.click()
    dialog = full.page.locator("ha-dialog-new-dashboard")
    choice = dialog.locator("dashboard-card").filter(has_text="Amps AI")
    await expect(choice).to_contain_text("Was deine Batterien")
    await choice.scroll_into_view_if_needed()
    await full.shoot("choice")
    await choice.click()
    detail = full.page.locator("dialog-lovelace-dashboard-detail")
    await expect(detail.locator("input").first).to_have_value("Amps AI")
    await full.shoot("detail")
    await detail.get_by_role("button", name="Erstellen").click()
    await expect(detail.locator("ha-dialog")).to_have_count(0)
    listed = await _call(full, {"type": "lovelace/dashboards/list"})
    [added] = [item for item in listed if item["url_path"] != DASHBOARD[1:]]
    config = await _call(
        full, {"type": "lovelace/config", "url_path": added["url_path"]}
    )
    assert config["strategy"] == {"type": "custom:amps-ai"}
    await _open(full, f"/{added['url_path']}")
    await expect(_heading(full, "Powerwall 2")).to_be_visible()
    await _call(
        full,
        {"type": "lovelace/dashboards/delete", "dashboard_id": added["id"]},
    )


async def test_few_lines(full: FrontEnd) -> None:
    """A page without the dashboard loads the lines that register it, and no more."""
    asked: list[str] = []
    full.page.on("request", lambda request: asked.append(request.url))
    await full.open("/history")
    await full.page.locator("ha-panel-history").wait_for()
    await full.page.wait_for_function(
        "customElements.get('ll-strategy-dashboard-amps-ai') !== undefined"
    )
    assert [url for url in asked if "/amps_ai/" in url and MODULE.search(url)]
    assert not [url for url in asked if REST.search(url)]

    await _open(full)
    assert [url for url in asked if REST.search(url)]
    for url in {url for url in asked if "/amps_ai/frontend/" in url}:
        reply = await full.page.context.request.get(url)
        assert "max-age=" in reply.headers["cache-control"], url


async def test_whatever_is_loaded_first(full: FrontEnd) -> None:
    """The front end may well be there after what it is to know."""
    defined = asyncio.Event()

    async def _later(route: Route) -> None:
        await defined.wait()
        await route.continue_()

    await full.page.route(re.compile(r"/frontend_latest/app\."), _later)
    async with full.page.expect_response(MODULE):
        await full.page.goto(f"{full.url}{DASHBOARD}", wait_until="commit")
    await full.page.wait_for_function("window.customStrategies?.length > 0")
    defined.set()
    await full.page.locator("hui-tile-card").first.wait_for()


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["phone", "wide"])
async def test_looks(
    browser: Browser, full_demo: DemoProcess, language: str, scheme: str, size: str
) -> None:
    """Take pictures; nothing sticks out, and nothing is said in another language."""
    context = await browser.new_context(
        viewport={"width": 390, "height": 844}
        if size == "phone"
        else {"width": 1400, "height": 1400},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = await context.new_page()
    await _speak(page, language)
    pictures = SCREENSHOTS / f"dashboard-{language}-{scheme}-{size}"
    home = FrontEnd(page, full_demo.url, full_demo.sandbox_url, pictures)
    await _open(home)
    await expect(_heading(home, _words(language)["flow"])).to_be_visible()
    await home.shoot("overview")
    await _heading(home, "Powerwall 2").click()
    await expect(_heading(home, _words(language)["controls"])).to_have_count(1)
    await home.shoot("device")
    overflow = await page.evaluate(
        "document.documentElement.scrollWidth - window.innerWidth"
    )
    assert overflow <= 0
    await context.close()


async def test_overview(full: FrontEnd) -> None:
    """Every device is there, and no two cards have one name for who hears them."""
    await _open(full)
    for name in ("Powerwall 2", "SE5000H", "Pulsar Plus", "iX3"):
        await expect(_heading(full, name)).to_have_count(1)
    await expect(full.page.locator("hui-power-sankey-card")).to_have_count(1)
    status = _card(full, "tile", "Powerwall 2 Status")
    await expect(status).to_contain_text("ago")
    names = Counter(
        await full.page.locator("hui-tile-card, hui-shortcut-card").evaluate_all(
            """cards => cards.map(card => [...card.shadowRoot
                .querySelectorAll('ha-tile-info')].map(info =>
                    [...info.childNodes, info.primary, info.shadowRoot]
                        .map(part => part?.textContent ?? part ?? '')
                        .join(' ').trim()).join(' '))"""
        )
    )
    assert len(names) > 10
    assert [name for name, count in names.items() if count > 1] == []


async def test_quick_choice(present: FrontEnd) -> None:
    """One tap charges for two hours: it is under way, and planned."""
    await _open(present)
    planned = _heading(present, "Planned")
    await expect(planned).not_to_be_visible()
    await present.forget_requests()
    await _press(present, "Charge for 2 hours")
    body = (await present.wait_for_request(f"/battery/{BATTERY}"))["action"]
    assert body["command"] == "charge"
    assert {"start", "end"} <= set(body)
    await present.wait_for_state("sensor.powerwall_2_last_command", "scheduled")
    row = present.page.locator("hui-sensor-entity-row").filter(has_text="Charge")
    await expect(row).to_contain_text("Scheduled")
    event = present.page.locator("hui-calendar-card .fc-event, hui-calendar-card tr")
    await expect(event.filter(has_text="Powerwall 2").first).to_be_visible()
    await expect(planned).to_be_visible()
    await present.shoot("planned")

    # It waits for nothing any more.
    listed = await present.page.evaluate(
        f"""() => {HASS}.callService("amps_ai", "list_actions", {{state: "scheduled"}},
            undefined, false, true)"""
    )
    for action in listed["response"]["actions"]:
        await present.page.evaluate(
            f"""id => {HASS}.callService(
                "amps_ai", "cancel_action", {{action_id: id}})""",
            action["id"],
        )
    await expect(row).to_have_count(0)
    await expect(planned).not_to_be_visible()


async def test_activity_tells_each_tap_once(present: FrontEnd) -> None:
    """A tap that works is one row there; one that fails goes back by itself."""
    await present.control("PATCH", f"/devices/{BATTERY}", {"action_seconds": 0})
    await _open(present)
    device = (await present.devices())["Powerwall 2"]
    await _open(present, f"{DASHBOARD}/device-{device}")
    # It shows only the rows that are in sight.
    await present.page.set_viewport_size({"width": 1280, "height": 2600})
    activity = present.page.locator("hui-logbook-card .entry")
    mode = _card(present, "tile", "Mode")

    async def _tap(name: str) -> None:
        await mode.locator("hui-select-options-card-feature").click()
        await mode.get_by_role("menuitem", name=name, exact=True).click()

    await _tap("Grid export")
    await present.wait_for_state("sensor.powerwall_2_last_command", "completed")
    row = activity.filter(has_text="Grid export")
    await expect(row.filter(has_text="Mode")).to_have_count(1)
    await present.control(
        "PATCH",
        f"/devices/{BATTERY}",
        {"next_action": {"state": "failed", "code": "DEVICE_OFFLINE"}},
    )
    await _tap("Charge")
    # There, and back again.
    await expect(row).to_have_count(2)
    await expect(activity.filter(has_text="Command")).to_have_count(0)
    await present.shoot("activity")
    # That was nobody's tap.
    await row.first.click()
    what = present.page.locator(".chain-row").filter(has_text="Powerwall 2")
    await expect(what.first).to_be_visible()
    await present.shoot("why")
    await present.control("PATCH", f"/devices/{BATTERY}", {"action_seconds": None})


async def test_awaited(present: FrontEnd) -> None:
    """While a tap is carried out, the dashboard says so, in words."""
    await present.control("PATCH", f"/devices/{BATTERY}", {"action_seconds": 3600})
    await _open(present)
    await present.forget_requests()
    mode = _card(present, "tile", "Mode")
    await mode.locator("hui-select-options-card-feature").click()
    await mode.get_by_role("menuitem", name="Backup").click()
    await present.wait_for_request(f"/battery/{BATTERY}")
    row = present.page.locator("hui-sensor-entity-row").filter(has_text="Backup")
    await expect(row).to_contain_text("In progress")
    await present.shoot("under-way")
    await present.control("PATCH", f"/devices/{BATTERY}", {"action_seconds": None})


async def test_trouble_comes_first(present: FrontEnd) -> None:
    """What is amiss stands over all else, and goes with its cause."""
    await _open(present)
    trouble = _card(present, "entities", "Needs attention")
    await expect(trouble).to_have_count(0)
    charger = "/devices/device_ev_001"
    await present.control("PATCH", charger, {"state": {"status": "fault"}})
    await present.control("PATCH", charger, {"capture": True})
    entry = (await present.entries())[0]["entry_id"]
    await _reload(present, entry)
    await present.wait_for_state("sensor.pulsar_plus_status", "fault")
    await expect(trouble).to_contain_text("Pulsar Plus Status")
    await expect(trouble).to_contain_text("Fault")
    above = await trouble.bounding_box()
    flow = await _heading(present, "Power now").bounding_box()
    assert above
    assert flow
    assert above["y"] < flow["y"]
    await present.shoot("trouble")
    await present.control("PATCH", charger, {"state": None, "capture": True})
    await _reload(present, entry)
    await expect(trouble).to_have_count(0)


async def _reload(home: FrontEnd, entry: str) -> None:
    """Have all devices read anew."""
    await home.page.evaluate(
        f"""id => {HASS}.callApi(
            "POST", `config/config_entries/entry/${{id}}/reload`)""",
        entry,
    )


async def test_what_changes_is_shown(present: FrontEnd) -> None:
    """A device's new name, and a device that is new, without a reload of the page."""
    await _open(present)
    device = (await present.devices())["SE5000H"]
    rename = {"type": "config/device_registry/update", "device_id": device}
    await _call(present, {**rename, "name_by_user": "Roof, south"})
    await expect(_heading(present, "Roof, south")).to_have_count(1)
    await _call(present, {**rename, "name_by_user": None})

    added = await present.control(
        "POST", "/devices", {"type": "solar-inverter", "model": "Later"}
    )
    await _reload(present, (await present.entries())[0]["entry_id"])
    await expect(_heading(present, "Later")).to_have_count(1)
    await present.shoot("later")
    await present.control("DELETE", f"/devices/{added['id']}", {})


async def test_age_of_readings(present: FrontEnd) -> None:
    """Where it is turned on, one sees how long ago a device was read."""
    await _open(present)
    listed = await _call(present, {"type": "config/entity_registry/list"})
    battery = (await present.devices())["Powerwall 2"]
    [pulled] = [
        entity["entity_id"]
        for entity in listed
        if entity["device_id"] == battery and entity["translation_key"] == "last_pulled"
    ]
    await _open(present, f"{DASHBOARD}/device-{battery}")
    hint = _card(present, "shortcut", _words("en")["age"])
    await expect(hint).to_contain_text("Last captured")
    update = {"type": "config/entity_registry/update", "entity_id": pulled}
    await _call(present, {**update, "disabled_by": None})
    await _reload(present, (await present.entries())[0]["entry_id"])
    badge = present.page.locator("hui-entity-heading-badge")
    await expect(badge.first).to_contain_text(re.compile("ago|now", re.IGNORECASE))
    await expect(hint).to_have_count(0)
    await present.shoot("age")
    await _call(present, {**update, "disabled_by": "user"})


async def test_several_accounts(present: FrontEnd) -> None:
    """Each account has a view of its own, with its own devices."""
    await _open(present)
    step = await _post(present, "config/config_entries/flow", {"handler": "amps_ai"})
    added = await _post(
        present,
        f"config/config_entries/flow/{step['flow_id']}",
        {"api_key": "sk_live_demo", "app_id": "app_demo"},
    )
    assert added["type"] == "create_entry"
    tabs = present.page.get_by_role("tab")
    await expect(tabs).to_have_count(2)
    await expect(_heading(present, "Powerwall 2")).to_have_count(1)
    await present.shoot("accounts")
    await tabs.nth(1).click()
    await expect(_heading(present, "Powerwall 2")).to_have_count(1)
    await present.page.evaluate(
        f"""id => {HASS}.callApi("DELETE", `config/config_entries/entry/${{id}}`)""",
        added["result"]["entry_id"],
    )
    await expect(tabs).to_have_count(0)


async def _post(home: FrontEnd, path: str, body: dict[str, Any]) -> Any:
    """Post something to Home Assistant."""
    return await home.page.evaluate(
        f"([path, body]) => {HASS}.callApi('POST', path, body)", [path, body]
    )


@pytest.fixture(scope="module", params=["two", "big", "odd", "classic"])
def other_demo(
    request: pytest.FixtureRequest,
    chromium: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[DemoProcess]:
    """Run the demo with another home."""
    arguments = ("--port=0", "--bare", f"--home={request.param}")
    with running_demo(tmp_path_factory.mktemp(request.param), *arguments) as demo:
        yield demo


@pytest.fixture
def other(
    page: Page, other_demo: DemoProcess, request: pytest.FixtureRequest
) -> FrontEnd:
    """Visit the demo with another home."""
    name = request.node.name.removeprefix("test_")
    return FrontEnd(page, other_demo.url, other_demo.sandbox_url, SCREENSHOTS / name)


async def test_other_homes(other: FrontEnd) -> None:
    """Whatever devices there are, each is shown, and has a view of its own."""
    other.page.set_default_timeout(3 * PATIENCE)
    await _open(other)
    await other.shoot("overview")
    devices = {
        name: device_id
        for name, device_id in (await other.devices()).items()
        if name != "Amps AI (sandbox)"
    }
    assert len(devices) > 4
    text = await other.page.locator("hui-sections-view").evaluate(
        """view => {
            const said = [];
            const walk = node => {
                if (node.nodeType === Node.TEXT_NODE) said.push(node.textContent);
                if (node.primary) said.push(node.primary);
                if (node.shadowRoot) walk(node.shadowRoot);
                node.childNodes.forEach(walk);
            };
            walk(view);
            return said.join("\\n");
        }"""
    )
    assert [name for name in devices if name not in text] == []
    name, device_id = min(devices.items())
    await _open(other, f"{DASHBOARD}/device-{device_id}")
    await expect(_heading(other, name).first).to_be_visible()
    # For a while it is told only what it takes for a while.
    timed = await _call(other, {"type": "amps_ai/timed_commands"})
    known = {"charge", "discharge", "heat", "cool"} & set(timed[device_id])
    await expect(_card(other, "shortcut", "for 2 hours")).to_have_count(len(known))
    await other.shoot("device")


async def test_areas(other: FrontEnd) -> None:
    """Many devices stand by area; those that are in none, by kind."""
    other.page.set_default_timeout(3 * PATIENCE)
    await _open(other)
    devices = await other.devices()
    if len(devices) <= 7:
        # A few are shown whole, one by one.
        await expect(_heading(other, "Batteries")).to_have_count(0)
        return
    name, device_id = min(devices.items(), key=lambda item: (len(item[0]), item))
    await expect(_heading(other, "Batteries")).to_have_count(1)
    area = await _call(other, {"type": "config/area_registry/create", "name": "Cellar"})
    await _call(
        other,
        {
            "type": "config/device_registry/update",
            "device_id": device_id,
            "area_id": area["area_id"],
        },
    )
    cellar = other.page.locator("hui-section").filter(
        has=other.page.get_by_role("heading", name="Cellar", exact=True)
    )
    tile = cellar.locator("hui-tile-card")
    await expect(tile).to_have_count(1)
    await expect(tile).to_contain_text(name)
    await other.shoot("areas")

    # A tap leads to the device, and back.
    await tile.click()
    await expect(other.page).to_have_url(re.compile(f"device-{device_id}$"))
    await expect(_heading(other, name).first).to_be_visible()
    await other.page.go_back()
    await expect(tile).to_have_count(1)


def test_dashboard_logs(full_demo: DemoProcess, present_demo: DemoProcess) -> None:
    """Home Assistant has nothing to complain of; this test comes last."""
    assert full_demo.log() == []
    # It tells of the one tap that is refused on purpose.
    told = "the command “Charge” failed (the device is offline"
    assert [line for line in present_demo.log() if told not in line] == []
