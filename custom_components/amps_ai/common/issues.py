"""What a person has to decide or to mend: opened here, and closed here.

The flows that mend something are in `repairs`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
import json
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..api import Action, Device, DeviceType
from ..api.models import instant, text
from .const import DOMAIN
from .names import without_markup
from .refusals import whose_schedule
from .words import command_name, moment, span

SCHEDULER_ACTIVE: Final = "scheduler_active"
DISPLACED: Final = "displaced"
LINK: Final = "device_disconnected"
LINK_OF_USER: Final = "device_disconnected_user"
OWNED_ELSEWHERE: Final = "owned_elsewhere"
NOT_OPEN_YET: Final = "not_open_yet"
LIVE_ACCESS_DISABLED: Final = "live_access_disabled"
INSUFFICIENT_PERMISSIONS: Final = "insufficient_permissions"
DENIALS: Final = (LIVE_ACCESS_DISABLED, INSUFFICIENT_PERMISSIONS)
WEBHOOK_SECRET_WRONG: Final = "webhook_secret_wrong"
PLAN_WAITS: Final = "plan_waits"
PLAN_MISSED: Final = "plan_missed"
PLAN_ANOTHER_ZONE: Final = "plan_another_zone"
PLAN_WITHOUT_DEVICE: Final = "plan_without_device"
# What is asked about a device of the account itself, and goes with it.
_OF_A_DEVICE: Final = frozenset({SCHEDULER_ACTIVE, DISPLACED, PLAN_WAITS})


@callback
def _open(
    hass: HomeAssistant,
    entry: ConfigEntry,
    issue_id: str,
    key: str,
    placeholders: Mapping[str, str],
    *,
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
    data: Mapping[str, str | None] | None = None,
    is_fixable: bool = False,
    learn_more_url: str | None = None,
) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=is_fixable,
        severity=severity,
        learn_more_url=learn_more_url,
        translation_key=key,
        translation_placeholders={
            name: value if name == "url" else without_markup(value)
            for name, value in placeholders.items()
        },
        data={"entry_id": entry.entry_id, "key": key, **(data or {})},
    )


@callback
def _close(hass: HomeAssistant, issue_id: str) -> None:
    ir.async_delete_issue(hass, DOMAIN, issue_id)


def _issues(hass: HomeAssistant, entry: ConfigEntry) -> list[ir.IssueEntry]:
    """Return what is open for an entry."""
    return [
        issue
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
        and (issue.data or {}).get("entry_id") == entry.entry_id
    ]


def _said(hass: HomeAssistant, at: datetime | None) -> str:
    """Return a time as a person reads it."""
    return "-" if at is None else moment(hass, at)


@callback
def async_forget_devices(
    hass: HomeAssistant, entry: ConfigEntry, is_known: Callable[[str], bool]
) -> None:
    """Close what is open for devices that nobody has any more."""
    for issue in _issues(hass, entry):
        data = issue.data or {}
        if data["key"] in _OF_A_DEVICE and not is_known(str(data["device_id"])):
            _close(hass, issue.issue_id)


@callback
def async_forget(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Close what is open for an entry that goes."""
    for issue in _issues(hass, entry):
        _close(hass, issue.issue_id)


def _again(device_id: str, name: str, action: Action) -> dict[str, str | None]:
    """Return what is needed to push an action again."""
    return {
        "device_id": device_id,
        "device": name,
        "command": action.command,
        "parameters": json.dumps(action.parameters or {}),
        "end": action.end.isoformat() if action.end else None,
    }


# The manufacturer's own schedule


def _scheduler_issue(device_id: str) -> str:
    return f"{SCHEDULER_ACTIVE}_{device_id}"


@callback
def async_scheduler_active(
    hass: HomeAssistant,
    entry: ConfigEntry,
    device: Device,
    name: str,
    action: Action,
) -> None:
    """Ask whether the manufacturer's own schedule may be cleared.

    That cannot be undone, so it is done only when a person says so.
    """
    _open(
        hass,
        entry,
        _scheduler_issue(device.id),
        SCHEDULER_ACTIVE,
        {
            "device": name,
            "command": command_name(hass, action.command, device.type),
        },
        is_fixable=True,
        data={
            **_again(device.id, name, action),
            "schedule": whose_schedule(action.result or {}),
        },
    )


@callback
def async_scheduler_cleared(hass: HomeAssistant, device_id: str) -> None:
    """Take back the question: a command went through."""
    _close(hass, _scheduler_issue(device_id))


# A scheduled action that made way


def _displaced_issue(action_id: str) -> str:
    return f"{DISPLACED}_{action_id}"


@callback
def async_displaced(
    hass: HomeAssistant,
    entry: ConfigEntry,
    device_id: str,
    name: str,
    action: Action,
    until: datetime,
) -> None:
    """Ask whether a scheduled action that made way is to be planned again.

    The question stands until the action's time is over.
    """
    _open(
        hass,
        entry,
        _displaced_issue(action.id),
        DISPLACED,
        {
            "device": name,
            "command": command_name(hass, action.command, action.device_type),
            "when": span(hass, action.start or until, action.end),
        },
        is_fixable=True,
        data={
            **_again(device_id, name, action),
            "action_id": action.id,
            "start": action.start.isoformat() if action.start else None,
            "until": until.isoformat(),
        },
    )


@callback
def async_displaced_over(hass: HomeAssistant, action_id: str) -> None:
    """Take back the warning: the action's time is over."""
    _close(hass, _displaced_issue(action_id))


@callback
def displaced(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, datetime]:
    """Return the actions that are warned of, and when their time is over."""
    return {
        action_id: until
        for issue in _issues(hass, entry)
        for data in (issue.data or {},)
        if (action_id := text(data.get("action_id"))) is not None
        and (until := instant(data.get("until"))) is not None
    }


# A device that must be linked again


def _link_issue(device_id: str) -> str:
    return f"link_{device_id}"


@callback
def async_link_lost(
    hass: HomeAssistant,
    entry: ConfigEntry,
    device_id: str,
    name: str,
    url: str,
    *,
    stays: bool,
) -> None:
    """Ask to link a device again; it `stays` its user's if linked at that address."""
    _open(
        hass,
        entry,
        _link_issue(device_id),
        LINK if stays else LINK_OF_USER,
        {"device": name, "url": url},
        learn_more_url=url,
    )


@callback
def async_link_restored(hass: HomeAssistant, device_id: str) -> None:
    """Take back the question: the device is linked."""
    _close(hass, _link_issue(device_id))


# What the account may not do


def _denied_issue(entry: ConfigEntry, key: str) -> str:
    return f"{key}_{entry.entry_id}"


@callback
def async_denied(hass: HomeAssistant, entry: ConfigEntry, key: str) -> None:
    """Ask to have the account enabled, or the key given the permission."""
    _open(
        hass,
        entry,
        _denied_issue(entry, key),
        key,
        {"title": entry.title},
        severity=ir.IssueSeverity.ERROR,
    )


@callback
def async_allowed(hass: HomeAssistant, entry: ConfigEntry, key: str) -> None:
    """Take back the question: the lists are told."""
    _close(hass, _denied_issue(entry, key))


def _not_open_issue(entry: ConfigEntry, device_type: DeviceType) -> str:
    return f"{NOT_OPEN_YET}_{device_type}_{entry.entry_id}"


@callback
def async_not_open_yet(
    hass: HomeAssistant, entry: ConfigEntry, device_type: DeviceType, name: str
) -> None:
    """Tell that Amps AI takes no commands for a type of device yet."""
    _open(
        hass,
        entry,
        _not_open_issue(entry, device_type),
        f"{NOT_OPEN_YET}_{device_type}",
        {"device": name},
    )


@callback
def async_open_by_now(
    hass: HomeAssistant, entry: ConfigEntry, device_type: DeviceType
) -> None:
    """Take that back: a command was taken."""
    _close(hass, _not_open_issue(entry, device_type))


# A device of another entry


@callback
def async_owned_elsewhere(
    hass: HomeAssistant,
    entry: ConfigEntry,
    device_type: DeviceType,
    owned: Mapping[str, tuple[str, str]],
) -> None:
    """Tell which devices of a type another entry has already.

    `owned` holds, by device id, the device's name and the other entry's
    title; what is not in it any more is taken back.
    """
    for issue in _issues(hass, entry):
        data = issue.data or {}
        if (
            data["key"] == OWNED_ELSEWHERE
            and data["device_type"] == device_type
            and data["device_id"] not in owned
        ):
            _close(hass, issue.issue_id)
    for device_id, (name, other) in owned.items():
        _open(
            hass,
            entry,
            f"{OWNED_ELSEWHERE}_{entry.entry_id}_{device_id}",
            OWNED_ELSEWHERE,
            {"device": name, "title": entry.title, "other": other},
            data={"device_type": device_type, "device_id": device_id},
        )


# Webhooks


def _secret_issue(entry: ConfigEntry) -> str:
    return f"{WEBHOOK_SECRET_WRONG}_{entry.entry_id}"


@callback
def async_secret_wrong(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Tell that deliveries cannot be verified."""
    _open(
        hass,
        entry,
        _secret_issue(entry),
        WEBHOOK_SECRET_WRONG,
        {"title": entry.title},
    )


@callback
def async_secret_right(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Take that back: one could be."""
    _close(hass, _secret_issue(entry))


# Plans


def _plan_issue(key: str, plan_id: str) -> str:
    return f"{key}_{plan_id}"


@callback
def async_plan_waits(
    hass: HomeAssistant,
    entry: ConfigEntry,
    device_id: str,
    device: str,
    plan: str,
    command: str,
    other: Action,
) -> None:
    """Tell that a plan waits for what somebody else planned."""
    _open(
        hass,
        entry,
        f"{PLAN_WAITS}_{device_id}",
        PLAN_WAITS,
        {
            "plan": plan,
            "device": device,
            "command": command,
            "start": _said(hass, other.start),
            "end": _said(hass, other.end),
        },
        data={"device_id": device_id},
    )


@callback
def async_plan_waits_no_more(hass: HomeAssistant, device_id: str) -> None:
    """Take that back."""
    _close(hass, f"{PLAN_WAITS}_{device_id}")


@callback
def async_plan_missed(
    hass: HomeAssistant,
    entry: ConfigEntry,
    plan_id: str,
    plan: str,
    device: str,
    start: datetime,
    count: int,
    error: str,
) -> None:
    """Tell that a plan was not carried out, several times in a row."""
    _open(
        hass,
        entry,
        _plan_issue(PLAN_MISSED, plan_id),
        PLAN_MISSED,
        {
            "plan": plan,
            "device": device,
            "start": _said(hass, start),
            "count": str(count),
            "error": error,
        },
    )


@callback
def async_plan_kept(hass: HomeAssistant, plan_id: str) -> None:
    """Take that back: it was carried out."""
    _close(hass, _plan_issue(PLAN_MISSED, plan_id))


@callback
def async_plan_another_zone(
    hass: HomeAssistant,
    entry: ConfigEntry,
    plan_id: str,
    plan: str,
    device: str,
    error: str,
) -> None:
    """Tell that the clocks of the plant show another time."""
    _open(
        hass,
        entry,
        _plan_issue(PLAN_ANOTHER_ZONE, plan_id),
        PLAN_ANOTHER_ZONE,
        {"plan": plan, "device": device, "error": error},
    )


@callback
def async_plan_same_zone(hass: HomeAssistant, plan_id: str) -> None:
    """Take that back: it is planned."""
    _close(hass, _plan_issue(PLAN_ANOTHER_ZONE, plan_id))


@callback
def async_plan_without_device(
    hass: HomeAssistant, entry: ConfigEntry, plan_id: str, plan: str
) -> None:
    """Ask for another device, as the plan's own is gone."""
    _open(
        hass,
        entry,
        _plan_issue(PLAN_WITHOUT_DEVICE, plan_id),
        PLAN_WITHOUT_DEVICE,
        {"plan": plan, "title": entry.title},
    )


@callback
def async_plan_has_device(hass: HomeAssistant, plan_id: str) -> None:
    """Take that back."""
    _close(hass, _plan_issue(PLAN_WITHOUT_DEVICE, plan_id))


@callback
def async_forget_plan(hass: HomeAssistant, plan_id: str) -> None:
    """Close what is open for a plan that is not, or not now."""
    for key in (PLAN_MISSED, PLAN_ANOTHER_ZONE, PLAN_WITHOUT_DEVICE):
        _close(hass, _plan_issue(key, plan_id))
