"""The Energy dashboard, with a day behind it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.async_api import expect
import pytest

from sandbox import Clock, Sandbox

from .front_end import HASS, FrontEnd

pytestmark = pytest.mark.browser

SOLAR = "sensor.se5000h_total_energy"
CHARGED = "sensor.powerwall_2_energy_charged_estimate"
DISCHARGED = "sensor.powerwall_2_energy_discharged_estimate"
DELIVERED = "sensor.pulsar_plus_energy_delivered_estimate"
POWERS = {
    "sensor.se5000h_power": ("device_inverter_001", "currentPower", 1),
    "sensor.powerwall_2_power": ("device_battery_001", "chargeRate", -1),
    "sensor.pulsar_plus_power": ("device_ev_001", "currentPower", 1),
}
STEPS = 12


def _live(hours: int) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Let a home live for some hours in June; return energies and powers."""
    now = datetime.now(UTC).replace(month=6, day=10, minute=0, second=0, microsecond=0)
    clock = Clock.manual(now - timedelta(hours=hours))
    home = Sandbox(clock=clock).home
    powers: dict[str, list[float]] = {name: [] for name in POWERS}
    sums: dict[str, list[float]] = {
        name: [0.0] for name in (SOLAR, CHARGED, DISCHARGED, DELIVERED)
    }
    for _hour in range(hours):
        means = dict.fromkeys(POWERS, 0.0)
        for _step in range(STEPS):
            clock.advance(3600 / STEPS)
            home.settle()
            for name, (device_id, field, sign) in POWERS.items():
                body = home.device(device_id).read_body(
                    clock.time(), environment="sandbox", expedite=True
                )
                means[name] += sign * body["state"][field] / STEPS
        solar, battery, charger = means.values()
        for name, energy in (
            (SOLAR, solar),
            (CHARGED, max(-battery, 0)),
            (DISCHARGED, max(battery, 0)),
            (DELIVERED, charger),
        ):
            sums[name].append(sums[name][-1] + energy)
        for name, mean in means.items():
            powers[name].append(mean)
    return {name: values[1:] for name, values in sums.items()}, powers


async def _import(front_end: FrontEnd, hours: int) -> None:
    """Give Home Assistant the statistics that it would have by now."""
    energies, powers = _live(hours)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    starts = [
        (now - timedelta(hours=hours - index)).isoformat() for index in range(hours)
    ]
    for name, values in (energies | powers).items():
        is_energy = name in energies
        await _call(
            front_end,
            "recorder/import_statistics",
            metadata={
                "has_sum": is_energy,
                "mean_type": 0 if is_energy else 1,
                "name": None,
                "source": "recorder",
                "statistic_id": name,
                "unit_class": "energy" if is_energy else "power",
                "unit_of_measurement": "kWh" if is_energy else "kW",
            },
            stats=[
                {"start": start, "state": value, "sum": value}
                if is_energy
                else {"start": start, "mean": value, "min": value, "max": value}
                for start, value in zip(starts, values, strict=True)
            ],
        )


async def _call(front_end: FrontEnd, command: str, **data: Any) -> Any:
    return await front_end.page.evaluate(
        f"message => {HASS}.callWS(message)", {"type": command, **data}
    )


async def test_energy(present: FrontEnd) -> None:
    """All that the integration gives is counted, and nothing is complained of."""
    await present.open()
    await _import(present, 72)
    await present.open("/energy")
    await present.shoot("today")
    await present.page.get_by_label("Previous").first.click()
    await present.shoot("yesterday")
    for part in ("solar", "battery", "home"):
        shown = present.page.locator(f"hui-energy-distribution-card div.{part}")
        await expect(shown.first).to_contain_text("kWh")
    await present.open("/config/energy")
    await present.shoot("configuration")
    found = await _call(present, "energy/validate")
    issues = [issue for part in found.values() for item in part for issue in item]
    assert issues == []
    await expect(present.page.locator("hui-error-card, hui-warning")).to_have_count(0)
