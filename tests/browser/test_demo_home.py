"""What the demo shows a person at its first start: a home that one believes."""

from collections.abc import AsyncGenerator, Generator
from typing import Any, Literal

from playwright.async_api import Page, expect
import pytest

from develop import ROOT
from tests.energy_page import settings

from .conftest import SCREENSHOTS, visit
from .demo import DemoProcess, running_demo
from .energy_panel import EnergyPanel, points
from .front_end import HASS, FrontEnd

pytestmark = pytest.mark.browser

START = "2026-06-10T08:20Z"
# How wide and high a page is, to hold all of the Energy dashboard, and its colours.
LOOKS: dict[str, tuple[int, int, Literal["light", "dark"]]] = {
    "light": (1280, 2700, "light"),
    "dark": (1280, 2700, "dark"),
    "phone": (390, 3800, "light"),
}
# Its begin and its end, where the browser is.
YESTERDAY = """() => {
    const midnight = new Date().setHours(0, 0, 0, 0);
    return [new Date(midnight - 86400000), new Date(midnight)].map(d => d.toISOString());
}"""


@pytest.fixture(scope="module")
def demo(
    chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Generator[DemoProcess]:
    """Run the demo as a person does who wants to see a morning in June."""
    state = tmp_path_factory.mktemp("whole")
    with running_demo(state, "--port=0", f"--start={START}") as demo:
        yield demo


@pytest.fixture
async def home(
    page: Page, demo: DemoProcess, request: pytest.FixtureRequest
) -> AsyncGenerator[FrontEnd]:
    """Visit it."""
    async for front_end in visit(page, demo, request):
        yield front_end


async def _call(home: FrontEnd, command: str, **data: Any) -> Any:
    return await home.page.evaluate(
        f"message => {HASS}.callWS(message)", {"type": command, **data}
    )


async def _look_as(home: FrontEnd, look: str) -> None:
    """Look at all that comes on a screen, in a scheme of colours."""
    width, height, scheme = LOOKS[look]
    await home.page.set_viewport_size({"width": width, "height": height})
    await home.page.emulate_media(color_scheme=scheme)


async def _is_neat(home: FrontEnd) -> None:
    """Nothing is wrong with a card, and nothing is wider than the page."""
    await expect(home.page.locator("hui-error-card, hui-warning")).to_have_count(0)
    assert await home.page.evaluate(
        "document.documentElement.scrollWidth <= window.innerWidth"
    )


def _told_apart(flows: dict[str, dict[str, Any]]) -> None:
    """See that what ends a stream has a colour of its own."""
    ends = [
        node["color"]
        for name, node in flows.items()
        if name != "home" and not name.startswith("area_")
    ]
    assert len(set(ends)) == len(ends)


async def test_all_have_one_time(home: FrontEnd) -> None:
    """The browser, Home Assistant and the sandbox are in June."""
    await home.open()
    shown = await home.page.evaluate("new Date().toISOString() + ' ' + Date()")
    assert shown.startswith("2026-06-10T08:2")
    assert " Jun 10 2026 " in shown
    state = await home.state("sensor.powerwall_2_status")
    assert state["last_changed"].startswith("2026-06-10T08:2")
    battery = await home.control("PATCH", "/devices/device_battery_001", {})
    assert battery["now"].startswith("2026-06-10T08:2")


async def test_week_is_remembered(home: FrontEnd) -> None:
    """Statistics and states go over into what runs now, without a jump."""
    await home.open()
    for entity_id in (
        "sensor.grid_import",
        "sensor.se5000h_total_energy",
        "sensor.powerwall_2_energy_charged_estimate",
        "sensor.pulsar_plus_energy_delivered_estimate",
    ):
        found = await _call(
            home,
            "recorder/statistics_during_period",
            start_time="2026-06-03T00:00:00Z",
            statistic_ids=[entity_id],
            period="hour",
            types=["state", "change"],
        )
        rows = found[entity_id]
        assert len(rows) > 7 * 24 - 12
        assert all(0 <= row["change"] < 12 for row in rows if row["change"] is not None)
        now = float((await home.state(entity_id))["state"])
        # Of the hour that is not over yet.
        assert 0 <= now - rows[-1]["state"] < 12
    history = await _call(
        home,
        "history/history_during_period",
        start_time="2026-06-08T00:00:00Z",
        end_time="2026-06-09T00:00:00Z",
        entity_ids=["climate.smart_thermostat_premium", "sensor.powerwall_2_battery"],
    )
    assert len(history["sensor.powerwall_2_battery"]) > 20
    told = await _call(
        home,
        "logbook/get_events",
        start_time="2026-06-08T00:00:00Z",
        end_time="2026-06-09T00:00:00Z",
        entity_ids=["binary_sensor.pulsar_plus_plug"],
    )
    assert [event["state"] for event in told] == ["off", "on"]
    shown = history["climate.smart_thermostat_premium"]
    assert {item["a"]["current_temperature"] for item in shown if "a" in item}


async def test_energy_is_whole(home: FrontEnd) -> None:
    """The meter is there, and Home Assistant has nothing to complain of."""
    await home.open()
    found = await _call(home, "energy/validate")
    assert [issue for part in found.values() for item in part for issue in item] == []
    preferences = await _call(home, "energy/get_prefs")
    kinds = {source["type"] for source in preferences["energy_sources"]}
    assert kinds == {"grid", "solar", "battery"}
    flows = {
        name: float((await home.state(entity_id))["state"])
        for name, entity_id in {
            "grid": "sensor.grid_power",
            "house": "sensor.house_power",
            "solar": "sensor.se5000h_power",
            "battery": "sensor.powerwall_2_power",
            "charger": "sensor.pulsar_plus_power",
        }.items()
    }
    assert flows["solar"] + flows["battery"] + flows["grid"] == pytest.approx(
        flows["house"] + flows["charger"], abs=0.3
    )


@pytest.mark.parametrize("look", LOOKS)
async def test_energy_of_yesterday(home: FrontEnd, look: str) -> None:
    """What went where is told as it was counted, with short names, and nothing is empty."""
    await _look_as(home, look)
    panel = EnergyPanel(home)
    await panel.open("Electricity")
    await home.page.get_by_label("Previous").first.click()
    yesterday = await home.page.evaluate(YESTERDAY)
    energies = {
        key: await panel.change(f"sensor.{entity_id}", *yesterday)
        for key, entity_id in {
            "solar": "se5000h_total_energy",
            "charged": "powerwall_2_energy_charged_estimate",
            "discharged": "powerwall_2_energy_discharged_estimate",
            "delivered": "pulsar_plus_energy_delivered_estimate",
            "imported": "grid_import",
            "exported": "grid_export",
            "used": "house_energy",
        }.items()
    }
    assert min(energies.values()) > 5
    # Until the page is at that day, it shows today.
    solar = home.page.locator("hui-energy-distribution-card div.solar").first
    await expect(solar).to_contain_text(f"{energies['solar']:.1f} kWh")
    battery = home.page.locator("hui-energy-distribution-card div.battery").first
    for key in ("charged", "discharged"):
        await expect(battery).to_contain_text(f"{energies[key]:.1f} kWh")
    table = home.page.locator("hui-energy-sources-table-card")
    for name, energy in (
        ("SE5000H", energies["solar"]),
        ("Powerwall 2 charged", -energies["charged"]),
        ("Powerwall 2 discharged", energies["discharged"]),
        ("Grid import", energies["imported"]),
        ("Grid export", -energies["exported"]),
    ):
        row = table.locator("tr").filter(has_text=name)
        await expect(row).to_contain_text(f"{round(energy, 2):g} kWh")
    bars: dict[str, float] = {}
    for card in ("solar-graph", "usage-graph", "devices-detail-graph"):
        found = points(await panel.data(f"energy-{card}"))
        bars |= {name: sum(values) for name, values in found.items()}
    for name, energy in (
        ("Production SE5000H", energies["solar"]),
        ("Powerwall 2 charged", -energies["charged"]),
        ("Pulsar Plus", energies["delivered"]),
        ("Rest", energies["used"]),
        # Nothing of the house is untold.
        ("Untracked consumption", 0),
    ):
        assert bars[name] == pytest.approx(energy, abs=0.05), name
    assert bars["Powerwall 2 discharged"] > 5
    assert await panel.data("energy-devices-graph")
    flows = await panel.flows("energy-sankey")
    assert {node["label"] for node in flows.values() if node["value"] > 0.1} == {
        *("Solar", "Battery", "Grid", "Home", "Garage", "Pulsar Plus", "Rest")
    }
    _told_apart(flows)
    await home.shoot("yesterday")
    await _is_neat(home)


@pytest.mark.parametrize("look", LOOKS)
async def test_energy_now(home: FrontEnd, look: str) -> None:
    """Powers flow as the entities say, the battery's in the right direction."""
    await _look_as(home, look)
    panel = EnergyPanel(home)
    await panel.open("Now")
    flows = await panel.flows("power-sankey")
    watts = {name: node["value"] for name, node in flows.items()}
    for name, entity_id in (
        ("solar", "sensor.se5000h_power"),
        ("battery", "sensor.powerwall_2_power"),
        ("sensor.pulsar_plus_power", "sensor.pulsar_plus_power"),
        ("sensor.house_power", "sensor.house_power"),
    ):
        power = float((await home.state(entity_id))["state"])
        # The meter is read every 15 seconds.
        assert watts[name] == pytest.approx(1000 * power, abs=100)
        assert watts[name] > 100
    _told_apart(flows)
    await expect(home.page.locator("hui-power-total-badge")).to_contain_text("kW")
    level = (await home.state("sensor.powerwall_2_battery"))["state"]
    await expect(home.page.locator("hui-entity-badge")).to_contain_text(f"{level}%")
    sources = points(await panel.data("power-sources-graph"))
    assert max(sources["Solar"]) > 1
    # By night it charged, as planned; now it gives.
    assert min(sources["Battery"]) < -0.5
    assert max(sources["Battery"]) > 0.5
    await home.shoot("now")
    await _is_neat(home)


async def test_energy_is_set_up_by_hand(home: FrontEnd) -> None:
    """Who does what docs/energy.md says, has what the demo has, but for the meter."""
    panel = EnergyPanel(home)
    await home.open()
    saved = await panel.call("energy/get_prefs")
    capacity = (await home.state("sensor.powerwall_2_capacity"))["state"]
    await panel.forget()
    await panel.begin()
    for kind, device in (
        ("solar", "SE5000H"),
        ("battery", "Powerwall 2"),
        ("device_consumption", "Pulsar Plus"),
    ):
        if kind == "device_consumption":
            await panel.finish()
            await panel.change_settings()
        else:
            await panel.step(kind)
        told = [setting for setting in settings() if setting.kind == kind]
        await panel.add(kind, device, told, capacity)
    by_hand = await panel.call("energy/get_prefs")
    await home.shoot("settings")
    await expect(home.page.locator("ha-alert[alert-type=warning]")).to_have_count(0)
    await panel.call("energy/save_prefs", **saved)
    wanted: dict[str, list[Any]] = {
        part: [item for item in items if item["name"] not in (None, "Rest")]
        for part, items in (
            ("energy_sources", [{"name": None} | s for s in saved["energy_sources"]]),
            ("device_consumption", saved["device_consumption"]),
        )
    }
    for part, items in wanted.items():
        assert sorted(by_hand[part], key=str) == sorted(items, key=str)


async def test_furnished(home: FrontEnd) -> None:
    """Devices stand in areas, blueprints are there, and something is planned."""
    await home.open("/amps-home")
    areas = await home.page.evaluate(
        f"""() => Object.fromEntries(Object.values({HASS}.devices)
            .filter(d => d.area_id).map(d => [d.name, {HASS}.areas[d.area_id].name]))"""
    )
    assert areas == {
        "Powerwall 2": "Utility room",
        "Pulsar Plus": "Garage",
        "iX3": "Garage",
        "Smart Thermostat Premium": "Living room",
        "SE5000H": "Roof",
    }
    listed = await _call(home, "blueprint/list", domain="automation")
    ours = {path for path in listed if path.startswith("amps_ai/")}
    folder = ROOT / "blueprints" / "automation"
    assert ours == {f"amps_ai/{path.name}" for path in folder.glob("amps_ai/*.yaml")}
    assert not any("error" in listed[path] for path in ours)
    planned = home.page.locator("hui-calendar-card")
    await expect(planned).to_contain_text("Smart Thermostat Premium")
    await expect(planned).to_contain_text("Night charge")
    next_night = await home.state("sensor.powerwall_2_plan_night_charge_next")
    assert next_night["state"] == "2026-06-10T21:00:00+00:00"
    await home.shoot("planned")


async def test_lives_fast(
    page: Page, chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An hour in a minute: readings stay fresh, energies are right, plans are ahead."""
    state = tmp_path_factory.mktemp("fast")
    with running_demo(
        state, "--port=0", f"--start={START}", "--speed=60", "--bare"
    ) as demo:
        home = FrontEnd(page, demo.url, demo.sandbox_url, SCREENSHOTS / "fast")
        await home.open()
        total = "sensor.se5000h_total_energy"
        before = await home.state(total)
        # Three readings of the home's time.
        for _ in range(3):
            seen = (await home.state(total))["state"]
            await page.wait_for_function(
                f"([id, seen]) => {HASS}.states[id].state !== seen",
                arg=[total, seen],
                timeout=120_000,
            )
        after = await home.state(total)
        inverter = (await home.control("PATCH", "/devices/device_inverter_001", {}))[
            "state"
        ]
        assert float(after["state"]) <= inverter["energyTotal"]
        hours = await page.evaluate(
            "([one, other]) => (new Date(other) - new Date(one)) / 3600000",
            [before["last_changed"], after["last_changed"]],
        )
        # With the freshness Standard, there are 15 minutes between two.
        assert 0.4 < hours < 1.5
        produced = float(after["state"]) - float(before["state"])
        assert produced / hours == pytest.approx(3.6, abs=1.2)
        # Home Assistant times its entities by the clock that is sixty times as fast:
        # 7 ms are too long by that, which a busy machine takes now and then.
        slow = "[homeassistant.helpers.entity] Updating state for "
        assert [line for line in demo.log() if slow not in line] == []


def test_demo_home_logs(demo: DemoProcess) -> None:
    """Home Assistant has nothing to complain of; this test comes last."""
    assert demo.log() == []
