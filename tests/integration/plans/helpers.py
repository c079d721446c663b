"""What the tests of plans do again and again."""

from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from custom_components.amps_ai.common.const import DOMAIN
from sandbox import TEST_KEY, Sandbox

from ..helpers import done

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
HVAC = "device_hvac_001"
CALENDAR = "calendar.amps_ai_sandbox_schedule"
HOUR = 3600
# What stands of the plan "Night" at 14:00 in Berlin, on 1 June; and the night after.
TONIGHT = ("charge", "2026-06-01T20:00", "2026-06-02T03:00")
TOMORROW = ("charge", "2026-06-02T20:00", "2026-06-03T03:00")
DAILY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

NIGHT = {
    "device_id": BATTERY,
    "command": "charge",
    "parameters": {"target": {"value": 90.0, "unit": "percent"}},
    "weekdays": DAILY,
    "start": "22:00:00",
    "end": "05:00:00",
    "name": "Night",
}


def subentry(name: str = "Night", **changes: Any) -> ConfigSubentry:
    """Return a plan as the dialog makes it; what is None is left out."""
    data = {**NIGHT, "name": name, **changes}
    return ConfigSubentry(
        data=MappingProxyType({k: v for k, v in data.items() if v is not None}),
        subentry_type="plan",
        title=name,
        unique_id=None,
    )


async def add(
    hass: HomeAssistant, entry: ConfigEntry, name: str = "Night", **changes: Any
) -> str:
    """Add a plan; return its id."""
    plan = subentry(name, **changes)
    hass.config_entries.async_add_subentry(entry, plan)
    await done(hass)
    return plan.subentry_id


async def change(
    hass: HomeAssistant, entry: ConfigEntry, plan_id: str, **changes: Any
) -> None:
    """Change a plan as the dialog does."""
    plan = entry.subentries[plan_id]
    hass.config_entries.async_update_subentry(
        entry, plan, data={**plan.data, **changes}
    )
    await done(hass)


def pushed(sandbox: Sandbox, device_id: str = BATTERY) -> list[dict[str, Any]]:
    """Return what was pushed to a device, in order."""
    kind = sandbox.device(device_id).kind.path
    return [
        item.body["action"]
        for item in sandbox.requests.of("POST", f"/{kind}/{device_id}")
        if isinstance(item.body, dict)
    ]


def planned(sandbox: Sandbox, device_id: str = BATTERY) -> list[tuple[str, str, str]]:
    """Return what stands at Amps AI: command, start and end in UTC."""
    return [
        (
            str(record["command"]),
            str(record["start"])[:16],
            str(record["end"])[:16] if record["end"] else "",
        )
        for action in sandbox.device(device_id).actions
        if action.state == "scheduled"
        for record in (action.record(),)
    ]


async def elsewhere(
    hass: HomeAssistant,
    sandbox: Sandbox,
    body: dict[str, Any] | None = None,
    path: str = f"/battery/{BATTERY}",
) -> dict[str, Any]:
    """Post something past Home Assistant, as somebody else does."""
    async with async_get_clientsession(hass).post(
        f"{sandbox.url}{path}", headers={"x-api-key": TEST_KEY}, json=body
    ) as response:
        reply = await response.json()
    data: dict[str, Any] = reply.get("data", {})
    return data


def entity_of(hass: HomeAssistant, plan_id: str, platform: str) -> str | None:
    """Return the entity id of a plan's switch or sensor."""
    key = {"switch": "plan", "sensor": "next"}[platform]
    return er.async_get(hass).async_get_entity_id(platform, DOMAIN, f"{plan_id}_{key}")


def state_of(hass: HomeAssistant, plan_id: str, platform: str) -> str | None:
    """Return what a plan's entity shows."""
    entity_id = entity_of(hass, plan_id, platform)
    state = hass.states.get(entity_id) if entity_id else None
    return None if state is None else state.state


def is_on(hass: HomeAssistant, plan_id: str) -> bool:
    """Tell whether a plan's switch is on."""
    return state_of(hass, plan_id, "switch") == STATE_ON


def status_of(hass: HomeAssistant, plan_id: str) -> str | None:
    """Return how a plan fares."""
    entity_id = entity_of(hass, plan_id, "sensor")
    state = hass.states.get(entity_id) if entity_id else None
    return None if state is None else str(state.attributes["status"])


async def switch(hass: HomeAssistant, plan_id: str, to: str) -> None:
    """Turn a plan on or off."""
    await hass.services.async_call(
        "switch",
        f"turn_{to}",
        {"entity_id": entity_of(hass, plan_id, "switch")},
        blocking=True,
    )
    await done(hass)


async def ask(hass: HomeAssistant, action: str, **data: Any) -> dict[str, Any]:
    """Call an action, and return its response."""
    response = await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )
    assert response is not None
    await done(hass)
    return dict(response)


async def events(hass: HomeAssistant, start: str, days: float) -> list[dict[str, Any]]:
    """Return the calendar's events of a span of local time."""
    begin = datetime.fromisoformat(start)
    response = await hass.services.async_call(
        "calendar",
        "get_events",
        {
            "entity_id": CALENDAR,
            "start_date_time": begin,
            "end_date_time": begin + timedelta(days=days),
        },
        blocking=True,
        return_response=True,
    )
    assert response is not None
    calendar = response[CALENDAR]
    assert isinstance(calendar, dict)
    found: Any = calendar["events"]
    return [dict(event) for event in found]


def repairs(hass: HomeAssistant) -> set[str]:
    """Return what is open, by translation key."""
    return {
        str(issue.translation_key)
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and issue.active
    }
