"""What a person has to decide or to mend: opened here, and closed here.

The flows that mend something are in `repairs`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
import json
from typing import TYPE_CHECKING, Final

from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .api import Action, Device, DeviceType
from .api.models import instant, text
from .const import DOMAIN
from .names import without_markup

if TYPE_CHECKING:
    from .account import AmpsConfigEntry

SCHEDULER_ACTIVE: Final = "scheduler_active"
DISPLACED: Final = "displaced"
LINK: Final = "device_disconnected"
OWNED_ELSEWHERE: Final = "owned_elsewhere"
NOT_OPEN_YET: Final = "not_open_yet"
LIVE_ACCESS_DISABLED: Final = "live_access_disabled"
INSUFFICIENT_PERMISSIONS: Final = "insufficient_permissions"
DENIALS: Final = (LIVE_ACCESS_DISABLED, INSUFFICIENT_PERMISSIONS)
WEBHOOK_SECRET_WRONG: Final = "webhook_secret_wrong"
# What is asked about a device of the account itself, and goes with it.
_OF_A_DEVICE: Final = frozenset({SCHEDULER_ACTIVE, DISPLACED})


@callback
def _open(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
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


def _issues(hass: HomeAssistant, entry: AmpsConfigEntry) -> list[ir.IssueEntry]:
    """Return what is open for an entry."""
    return [
        issue
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
        and (issue.data or {}).get("entry_id") == entry.entry_id
    ]


@callback
def async_take_up(hass: HomeAssistant, entry: AmpsConfigEntry) -> None:
    """Watch over what is open, also from before a reload."""
    timers = entry.runtime_data.account.displaced

    @callback
    def _stop() -> None:
        for stop in timers.values():
            stop()

    entry.async_on_unload(_stop)
    for issue in _issues(hass, entry):
        data = issue.data or {}
        until, action_id = instant(data.get("until")), text(data.get("action_id"))
        if until is not None and action_id is not None:
            _end_displaced(hass, entry, action_id, until)

    entry.runtime_data.account.async_on_removed(lambda: _forget_removed(hass, entry))


@callback
def _forget_removed(hass: HomeAssistant, entry: AmpsConfigEntry) -> None:
    """Close what is open for devices that nobody has any more."""
    account = entry.runtime_data.account
    for issue in _issues(hass, entry):
        data = issue.data or {}
        if data["key"] not in _OF_A_DEVICE:
            continue
        device_id = str(data["device_id"])
        if entry.runtime_data.find(device_id) is not None:
            continue
        if account.async_registered(device_id) is not None:
            continue
        if stop := account.displaced.pop(str(data.get("action_id")), None):
            stop()
        _close(hass, issue.issue_id)


@callback
def async_forget(hass: HomeAssistant, entry: AmpsConfigEntry) -> None:
    """Close what is open for an entry that goes."""
    for issue in _issues(hass, entry):
        _close(hass, issue.issue_id)


# The manufacturer's own schedule


def _scheduler_issue(device_id: str) -> str:
    return f"{SCHEDULER_ACTIVE}_{device_id}"


@callback
def async_scheduler_active(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
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
        {"device": name, "command": action.command or "-"},
        is_fixable=True,
        data={
            "device_id": device.id,
            "device": name,
            "command": action.command,
            "parameters": json.dumps(action.parameters or {}),
            "end": action.end.isoformat() if action.end else None,
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
    entry: AmpsConfigEntry,
    device_id: str,
    name: str,
    action: Action,
    until: datetime,
) -> None:
    """Warn that a scheduled action made way for a newer one.

    The warning stands until the action's time is over.
    """

    def _said(at: datetime | None) -> str:
        return "-" if at is None else dt_util.as_local(at).strftime("%Y-%m-%d %H:%M")

    _open(
        hass,
        entry,
        _displaced_issue(action.id),
        DISPLACED,
        {
            "device": name,
            "command": action.command or "-",
            "start": _said(action.start),
            "end": _said(action.end),
        },
        data={
            "device_id": device_id,
            "action_id": action.id,
            "until": until.isoformat(),
        },
    )
    _end_displaced(hass, entry, action.id, until)


@callback
def _end_displaced(
    hass: HomeAssistant, entry: AmpsConfigEntry, action_id: str, until: datetime
) -> None:
    """Take back the warning once the action's time is over."""
    account = entry.runtime_data.account
    timers = account.displaced

    @callback
    def _over(_now: datetime) -> None:
        del timers[action_id]
        _close(hass, _displaced_issue(action_id))

    if (stop := timers.get(action_id)) is not None:
        stop()
    # By the API's clock, which its times are given in.
    left = until - account.client.now()
    timers[action_id] = async_call_later(
        hass, max(left, timedelta()), HassJob(_over, cancel_on_shutdown=True)
    )


# A device that must be linked again


def _link_issue(device_id: str) -> str:
    return f"link_{device_id}"


@callback
def async_link_lost(
    hass: HomeAssistant, entry: AmpsConfigEntry, device_id: str, name: str, url: str
) -> None:
    """Ask to link a device again."""
    _open(
        hass,
        entry,
        _link_issue(device_id),
        LINK,
        {"device": name, "url": url},
        learn_more_url=url,
    )


@callback
def async_link_restored(hass: HomeAssistant, device_id: str) -> None:
    """Take back the question: the device is linked."""
    _close(hass, _link_issue(device_id))


# What the account may not do


def _denied_issue(entry: AmpsConfigEntry, key: str) -> str:
    return f"{key}_{entry.entry_id}"


@callback
def async_denied(hass: HomeAssistant, entry: AmpsConfigEntry, key: str) -> None:
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
def async_allowed(hass: HomeAssistant, entry: AmpsConfigEntry, key: str) -> None:
    """Take back the question: the lists are told."""
    _close(hass, _denied_issue(entry, key))


def _not_open_issue(entry: AmpsConfigEntry, device_type: DeviceType) -> str:
    return f"{NOT_OPEN_YET}_{device_type}_{entry.entry_id}"


@callback
def async_not_open_yet(
    hass: HomeAssistant, entry: AmpsConfigEntry, device_type: DeviceType, name: str
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
    hass: HomeAssistant, entry: AmpsConfigEntry, device_type: DeviceType
) -> None:
    """Take that back: a command was taken."""
    _close(hass, _not_open_issue(entry, device_type))


# A device of another entry


@callback
def async_owned_elsewhere(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
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


def _secret_issue(entry: AmpsConfigEntry) -> str:
    return f"{WEBHOOK_SECRET_WRONG}_{entry.entry_id}"


@callback
def async_secret_wrong(hass: HomeAssistant, entry: AmpsConfigEntry) -> None:
    """Tell that deliveries cannot be verified."""
    _open(
        hass,
        entry,
        _secret_issue(entry),
        WEBHOOK_SECRET_WRONG,
        {"title": entry.title},
    )


@callback
def async_secret_right(hass: HomeAssistant, entry: AmpsConfigEntry) -> None:
    """Take that back: one could be."""
    _close(hass, _secret_issue(entry))
