"""Repairs: what a person has to decide or to mend."""

from dataclasses import replace
from datetime import datetime, timedelta
import json
from typing import Any, Final

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .account import AmpsConfigEntry
from .api import Action, Device, Push, Quantity
from .api.models import instant, mapping, number, text
from .api.vocabulary import Strategy
from .const import DOMAIN

SCHEDULER_ACTIVE: Final = "scheduler_active"
DISPLACED: Final = "displaced"


def _scheduler_issue(device_id: str) -> str:
    return f"{SCHEDULER_ACTIVE}_{device_id}"


def _displaced_issue(action_id: str) -> str:
    return f"{DISPLACED}_{action_id}"


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
    ir.async_create_issue(
        hass,
        DOMAIN,
        _scheduler_issue(device.id),
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=SCHEDULER_ACTIVE,
        translation_placeholders={"device": name, "command": action.command or "-"},
        data={
            "entry_id": entry.entry_id,
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
    ir.async_delete_issue(hass, DOMAIN, _scheduler_issue(device_id))


@callback
def async_displaced(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
    name: str,
    action: Action,
    until: datetime,
) -> None:
    """Warn that a scheduled action made way for a newer one.

    The warning stands until the action's time is over.
    """

    def _said(at: datetime | None) -> str:
        return "-" if at is None else dt_util.as_local(at).strftime("%Y-%m-%d %H:%M")

    ir.async_create_issue(
        hass,
        DOMAIN,
        _displaced_issue(action.id),
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=DISPLACED,
        translation_placeholders={
            "device": name,
            "command": action.command or "-",
            "start": _said(action.start),
            "end": _said(action.end),
        },
        data={
            "entry_id": entry.entry_id,
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

    @callback
    def _over(_now: datetime) -> None:
        ir.async_delete_issue(hass, DOMAIN, _displaced_issue(action_id))

    # By the API's clock, which its times are given in.
    left = until - entry.runtime_data.account.client.now()
    entry.async_on_unload(
        async_call_later(
            hass, max(left, timedelta()), HassJob(_over, cancel_on_shutdown=True)
        )
    )


def _issues(hass: HomeAssistant, entry: AmpsConfigEntry) -> list[ir.IssueEntry]:
    """Return the issues that were opened here for an entry."""
    return [
        issue
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
        and (issue.data or {}).get("entry_id") == entry.entry_id
    ]


@callback
def async_take_up(hass: HomeAssistant, entry: AmpsConfigEntry) -> None:
    """Watch over the warnings that stand from before a reload."""
    for issue in _issues(hass, entry):
        data = issue.data or {}
        until, action_id = instant(data.get("until")), text(data.get("action_id"))
        if until is not None and action_id is not None:
            _end_displaced(hass, entry, action_id, until)


@callback
def async_forget(hass: HomeAssistant, entry: AmpsConfigEntry) -> None:
    """Close what is open for an entry that goes."""
    for issue in _issues(hass, entry):
        ir.async_delete_issue(hass, DOMAIN, issue.issue_id)


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the flow that mends an issue."""
    return SchedulerActiveFlow(data or {})


class SchedulerActiveFlow(RepairsFlow):
    """Clear the manufacturer's schedule, once a person confirmed it."""

    def __init__(self, data: dict[str, Any]) -> None:
        """Keep what was to be done."""
        self._data = data

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Begin by asking."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Push again, and let the schedule make way."""
        errors: dict[str, str] = {}
        placeholders = {
            "device": str(self._data.get("device")),
            "command": str(self._data.get("command")),
            "error": "",
        }
        if user_input is not None:
            try:
                await self._async_push()
            except HomeAssistantError as err:
                errors["base"] = "push_failed"
                placeholders["error"] = str(err)
            else:
                return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders=placeholders,
            errors=errors,
        )

    async def _async_push(self) -> None:
        entry: AmpsConfigEntry | None = self.hass.config_entries.async_get_entry(
            str(self._data.get("entry_id"))
        )
        device_id = str(self._data.get("device_id"))
        runtime = getattr(entry, "runtime_data", None)
        coordinator = runtime.find(device_id) if runtime else None
        if runtime is None or coordinator is None:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="no_such_device",
                translation_placeholders={"device": str(self._data.get("device"))},
            )
        parameters: dict[str, Quantity] = {}
        for name, item in json.loads(self._data.get("parameters") or "{}").items():
            value = number((mapping(item) or {}).get("value"))
            if value is not None:
                parameters[name] = Quantity(value=value, unit=text(item.get("unit")))
        push = Push(
            command=str(self._data.get("command")),
            parameters=parameters,
            on_conflict=Strategy.CANCEL_AND_REPLACE,
        )
        end = instant(self._data.get("end"))
        if end is not None:
            # What was to end goes on to do so; it can begin in a minute.
            start = dt_util.now() + timedelta(minutes=1)
            if end <= start:
                raise HomeAssistantError(
                    translation_domain=DOMAIN,
                    translation_key="end_before_start",
                    translation_placeholders={"device": str(self._data.get("device"))},
                )
            push = replace(
                push,
                start=start.replace(tzinfo=None),
                end=dt_util.as_local(end).replace(tzinfo=None),
            )
        await runtime.pushes.async_command(
            coordinator, coordinator.data[device_id], push, wait=10
        )
