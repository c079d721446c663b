"""A plan: made in the dialog, seen on the calendar, skipped once, turned off."""

from playwright.async_api import expect
import pytest

from .front_end import FrontEnd

pytestmark = pytest.mark.browser

BATTERY = "device_battery_001"
SWITCH = "switch.powerwall_2_plan_morning"


async def _time(home: FrontEnd, number: int, hours: int, minutes: int) -> None:
    """Fill in one of the dialog's times, in the morning."""
    field = home.dialog.locator("ha-time-input").nth(number)
    await field.locator("input[name=hours]").fill(str(hours))
    await field.locator("input[name=minutes]").fill(str(minutes))
    await field.locator("input[name=minutes]").press("Tab")


async def test_plan(present: FrontEnd) -> None:
    await present.forget_requests()
    await present.open("/config/integrations/integration/amps_ai")
    await present.page.get_by_text("Add plan").first.click()
    await expect(present.dialog.get_by_text("Which device?")).to_be_visible()
    await present.shoot("device")
    await present.submit()
    await expect(present.dialog.get_by_text("What should it do?")).to_be_visible()
    await present.shoot("command")
    await present.submit()
    await expect(present.dialog.get_by_text("How, and when?")).to_be_visible()
    # What cannot work is said where it stands.
    await present.dialog.locator("ha-selector-number input").first.fill("190")
    await _time(present, 0, 9, 30)
    await _time(present, 1, 11, 0)
    await present.fill(name="Morning")
    await present.submit()
    await expect(
        present.dialog.get_by_text("The device takes 10 to 100 %.")
    ).to_be_visible()
    await present.shoot("refused")
    await present.dialog.locator("ha-selector-number input").first.fill("90")
    await present.shoot("times")
    await present.submit()
    await present.finish()
    await present.shoot("made")

    # It stands at Amps AI at once.
    action = (await present.wait_for_request(f"/battery/{BATTERY}"))["action"]
    assert action["command"] == "charge"
    assert action["parameters"] == {"target": {"value": 90, "unit": "percent"}}
    assert action["end"].endswith("T11:00:00")

    # The calendar shows each that is to come; one is skipped there.
    await present.page.get_by_role("link", name="Calendar").click()
    event = present.page.locator(".fc-event", has_text="Powerwall 2: Morning")
    await expect(event.first).to_be_visible()
    await present.shoot("calendar")
    await present.page.get_by_label("Next").first.click()
    await present.shoot("next")
    count = await event.count()
    await event.nth(10).click()
    dialog = present.page.locator("dialog-calendar-event-detail")
    await expect(dialog.locator(".description")).to_contain_text("90%")
    await present.shoot("event")
    await dialog.get_by_role("button", name="Delete event").click()
    await present.shoot("question")
    await present.page.get_by_role("button", name="Delete", exact=True).click()
    await expect(event).to_have_count(count - 1)
    await present.shoot("skipped")
    assert (await present.state(SWITCH))["state"] == "on"

    # Off takes away what is planned.
    await present.wait_for_state("sensor.powerwall_2_last_command", "scheduled")
    await present.open_device("Powerwall 2")
    row = present.row("toggle", "Plan Morning")
    await row.scroll_into_view_if_needed()
    await present.shoot("on")
    await row.locator("ha-entity-toggle").click()
    await present.wait_for_state(SWITCH, "off")
    await present.wait_for_state("sensor.powerwall_2_last_command", "cancelled")
    await present.shoot("off")
