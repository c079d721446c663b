"""Both ways: options and webhooks, actions, what is planned, and repairs."""

from datetime import datetime, timedelta
import re
from typing import Any
from zoneinfo import ZoneInfo

from playwright.async_api import Locator, expect
import pytest

from .demo import DemoProcess
from .front_end import FrontEnd

pytestmark = pytest.mark.browser

BATTERY = "device_battery_001"
PUSHES = f"/battery/{BATTERY}"
# Where the demo's Home Assistant is, and the plant of the sandbox as well.
ZONE = ZoneInfo("Europe/Berlin")
# What is said of a call that is refused, in the log of Home Assistant itself.
REFUSALS = re.compile(
    r"ERROR .+(websocket_api_script|websocket_api\.http\.connection).+Powerwall 2"
)


def _freshness(home: FrontEnd, name: str) -> Locator:
    return home.dialog.get_by_role("radio", name=re.compile(name))


async def test_options(present: FrontEnd) -> None:
    """Turn webhooks on, the wrong ways first; they come from then on."""
    await present.open_options()
    for name in ("Relaxed", "Standard", "Fast", "Live"):
        await expect(_freshness(present, name)).to_be_visible()
    await expect(_freshness(present, "Standard")).to_be_checked()
    switch = present.dialog.get_by_label("Receive webhooks").get_by_role("switch")
    await expect(switch).not_to_be_checked()
    secret = present.dialog.locator("input[name=webhook_secret]")
    await expect(secret).to_have_attribute("type", "password")
    # No https address leads here, and the form says so.
    address = present.dialog.get_by_text("Address: ")
    await expect(address).to_contain_text("no webhook can arrive here")
    path = re.search(r"/api/webhook/\w{64}", await address.inner_text())
    assert path
    await present.shoot("form")

    await _freshness(present, "Fast").click()
    await switch.click(force=True)
    await present.submit()
    await expect(present.dialog.get_by_text("Webhooks need the secret")).to_be_visible()
    await present.shoot("missing")

    await present.fill(webhook_secret="whsec_wrong!")
    await present.submit()
    await expect(
        present.dialog.get_by_text("not the secret of a webhook")
    ).to_be_visible()
    await present.shoot("wrong")

    # As in the dashboard: the address goes there, the secret comes back.
    added = await present.control(
        "POST", "/webhooks", {"url": f"{present.url}{path[0]}"}
    )
    assert added["secret"].startswith("whsec_")
    await present.fill(webhook_secret=added["secret"])
    await present.submit()
    await expect(present.dialog.get_by_text("successfully saved")).to_be_visible()
    await present.shoot("saved")
    await present.finish()

    await present.open_options()
    await expect(_freshness(present, "Fast")).to_be_checked()
    await expect(switch).to_be_checked()
    await expect(secret).to_have_value("")
    await expect(present.dialog.get_by_text("Address: ")).to_contain_text(path[0])
    assert added["secret"] not in await present.page.content()
    await present.shoot("again")

    # An empty secret keeps the one that is there.
    await _freshness(present, "Relaxed").click()
    await present.submit()
    await present.finish()
    await present.open("/config/repairs")
    await present.wait_for_no_issues()
    charger = "/devices/device_ev_001"
    await present.control("PATCH", charger, {"credentials_refused": True})
    issue = present.page.get_by_text("Pulsar Plus has to be linked again")
    await issue.click()
    await expect(present.page.get_by_text("Open http")).to_be_visible()
    await present.shoot("disconnected")
    await present.page.keyboard.press("Escape")
    await present.control("PATCH", charger, {"credentials_refused": False})
    await present.wait_for_no_issues()
    await present.shoot("reconnected")


async def test_actions(present: FrontEnd) -> None:
    """Perform an action, one that is refused, and one that only answers."""
    await present.forget_requests()
    await present.open_action("amps_ai.charge")
    await present.shoot("action")
    await present.choose_device("Powerwall 2")
    await present.set_field("Target", "190")
    await present.perform()
    await expect(
        present.page.get_by_text("Powerwall 2 does not take 190 for “Target”")
    ).to_be_visible()
    await present.shoot("refused")
    assert await present.requests("POST", PUSHES) == []

    await present.set_field("Target", "90")
    await present.perform()
    action = (await present.response())["action"]
    target = {"target": {"value": 90, "unit": "percent"}}
    assert action["command"] == "charge"
    assert action["parameters"] == target
    assert action["state"] in ("completed", "acknowledged")
    assert action["createdAt"] is not None
    await present.shoot("response")
    assert [request["body"] for request in await present.requests("POST", PUSHES)] == [
        {"action": {"command": "charge", "parameters": target}}
    ]
    await present.wait_for_state("sensor.powerwall_2_last_command", "completed")

    await present.forget_requests()
    await present.open_action("amps_ai.list_actions")
    await present.perform()
    listed = (await present.response())["actions"]
    assert [item["id"] for item in listed].count(action["id"]) == 1
    assert {"charge"} <= {item["command"] for item in listed}
    await present.shoot("list")
    assert await present.requests("GET", "/actions")


async def _schedule(home: FrontEnd) -> dict[str, Any]:
    """Have the battery charge for an hour, in two hours."""
    await home.open_action("amps_ai.charge")
    await home.choose_device("Powerwall 2")
    await home.set_field("Target", "80")
    await home.set_field("Delay", "2", part="hours")
    await home.set_field("Duration", "1", part="hours")
    await home.shoot("planned")
    await home.perform()
    action: dict[str, Any] = (await home.response())["action"]
    await home.shoot("response")
    return action


async def test_schedule(present: FrontEnd) -> None:
    """Plan a command, find it in the calendar, and cancel it there."""
    await present.forget_requests()
    action = await _schedule(present)
    assert action["state"] == "scheduled"
    start, end = (datetime.fromisoformat(action[name]) for name in ("start", "end"))
    assert end - start == timedelta(hours=1)
    # What was sent is the time on the plant's clock.
    sent = (await present.wait_for_request(PUSHES))["action"]
    assert sent["start"] == start.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S")
    assert sent["end"] == end.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S")
    await present.wait_for_state("sensor.powerwall_2_last_command", "scheduled")

    await present.page.get_by_role("link", name="Calendar").click()
    event = present.page.locator(".fc-event")
    await expect(event).to_have_count(1)
    await expect(event).to_contain_text("Powerwall 2: Charge")
    await present.shoot("calendar")
    await event.click()
    dialog = present.page.locator("dialog-calendar-event-detail")
    # Home Assistant shows it in the browser's own time zone.
    begins = await present.page.evaluate(
        """start => new Date(start).toLocaleTimeString(
            "en-US", {hour: "numeric", minute: "2-digit"})""",
        action["start"],
    )
    await expect(dialog.locator(".value")).to_contain_text(begins)
    await expect(dialog.locator(".description")).to_contain_text("80")
    await present.shoot("event")

    await present.forget_requests()
    await dialog.get_by_role("button", name="Delete event").click()
    await present.shoot("question")
    await present.page.get_by_role("button", name="Delete", exact=True).click()
    await expect(event).to_have_count(0)
    cancelled = await present.requests("POST", f"/actions/{action['id']}/cancel")
    assert [request["status"] for request in cancelled] == [200]
    await present.shoot("cancelled")

    await present.wait_for_state("sensor.powerwall_2_last_command", "cancelled")
    ended = await present.state("event.powerwall_2_command")
    assert ended["attributes"]["event_type"] == "cancelled"
    assert ended["attributes"]["id"] == action["id"]
    await present.open_device("Powerwall 2")
    activity = present.page.locator("ha-logbook")
    await expect(activity.get_by_text("Charge: Cancelled").first).to_be_visible()
    await present.shoot("activity")


async def test_manufacturers_schedule(present: FrontEnd) -> None:
    """Nothing clears the manufacturer's schedule but a person, who is asked."""
    # Soon enough that the tap is still waited for.
    changes = {"native_scheduler": True, "action_seconds": 1}
    await present.control("PATCH", f"/devices/{BATTERY}", changes)
    await present.open_device("Powerwall 2")
    await present.forget_requests()
    before = (await present.state("select.powerwall_2_mode"))["state"]
    mode = present.row("select", "Mode")
    await mode.locator("ha-picker-field").click()
    await mode.get_by_role("menuitem", name="Grid export").click()
    toast = present.page.locator("ha-toast .message")
    await expect(toast).to_contain_text("Powerwall 2: the manufacturer's own schedule")
    await present.shoot("toast")
    await present.wait_for_state("select.powerwall_2_mode", before)
    push = {"action": {"command": "auto.export"}}
    assert [request["body"] for request in await present.requests("POST", PUSHES)] == [
        push
    ]

    await present.forget_requests()
    await present.open("/config/repairs")
    issue = present.page.get_by_text("Powerwall 2: schedule in the way")
    await issue.wait_for()
    await present.shoot("issue")
    await issue.click()
    await expect(
        present.dialog.get_by_text("Clear the manufacturer's schedule?")
    ).to_be_visible()
    await expect(
        present.dialog.get_by_text(re.compile("The command .+ for Powerwall 2 failed"))
    ).to_be_visible()
    await present.shoot("question")
    assert await present.requests("POST", PUSHES) == []

    await present.submit()
    await expect(present.dialog.get_by_text("The issue is repaired")).to_be_visible()
    assert await present.wait_for_request(PUSHES) == {
        **push,
        "onConflict": "cancel_and_replace",
    }
    await present.shoot("repaired")
    await present.finish()
    await present.wait_for_no_issues()
    await present.wait_for_state("select.powerwall_2_mode", "auto_export")
    await present.shoot("gone")
    await present.control("PATCH", f"/devices/{BATTERY}", {"action_seconds": None})


def test_two_way_log(present_demo: DemoProcess) -> None:
    """Home Assistant logs the calls that it refused, and nothing else is there."""
    others = [line for line in present_demo.log() if not REFUSALS.search(line)]
    assert others == []
