"""What the demo shows a person at its first start: a home that one believes."""

from collections.abc import Generator
from typing import Any

from playwright.async_api import Page, expect
import pytest

from develop import ROOT

from .conftest import SCREENSHOTS
from .demo import DemoProcess, running_demo
from .front_end import HASS, FrontEnd

pytestmark = pytest.mark.browser

START = "2026-06-10T08:20Z"


@pytest.fixture(scope="module")
def demo(
    chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Generator[DemoProcess]:
    """Run the demo as a person does who wants to see a morning in June."""
    state = tmp_path_factory.mktemp("whole")
    with running_demo(state, "--port=0", f"--start={START}") as demo:
        yield demo


@pytest.fixture
def home(page: Page, demo: DemoProcess, request: pytest.FixtureRequest) -> FrontEnd:
    """Visit it."""
    name = request.node.name.removeprefix("test_")
    return FrontEnd(page, demo.url, demo.sandbox_url, SCREENSHOTS / name)


async def _call(home: FrontEnd, command: str, **data: Any) -> Any:
    return await home.page.evaluate(
        f"message => {HASS}.callWS(message)", {"type": command, **data}
    )


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
    await home.open("/energy")
    await expect(home.page.locator("hui-energy-distribution-card")).to_be_visible()
    await home.shoot("today")
    await home.page.get_by_label("Previous").first.click()
    await home.shoot("yesterday")
    for part in ("solar", "battery", "grid", "home"):
        shown = home.page.locator(f"hui-energy-distribution-card div.{part}")
        await expect(shown.first).to_contain_text("kWh")
    await expect(home.page.locator("hui-error-card, hui-warning")).to_have_count(0)


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
        assert demo.log() == []


def test_demo_home_logs(demo: DemoProcess) -> None:
    """Home Assistant has nothing to complain of; this test comes last."""
    assert demo.log() == []
