"""Repairs: the flows in which a person mends something."""

import asyncio
from dataclasses import replace
from datetime import timedelta
import json
from typing import Any, Final

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey
import voluptuous as vol

from .api import Push, Quantity
from .api.models import instant, mapping, number, text
from .api.vocabulary import Strategy
from .common.const import DOMAIN
from .common.names import without_markup
from .common.refusals import SCHEDULES
from .runtime import AmpsConfigEntry

# A window can begin so soon.
_SOON: Final = timedelta(minutes=1)
# Held by whoever mends an issue, by its id.
_LOCKS: Final[HassKey[dict[str, asyncio.Lock]]] = HassKey(f"{DOMAIN}_mending")


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
        self._step_id = "confirm"

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Begin by asking, with whose schedule it is."""
        if (schedule := self._data.get("schedule")) in SCHEDULES:
            self._step_id = f"confirm_{schedule}"
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Push again, and let the schedule make way."""
        errors: dict[str, str] = {}
        placeholders = {
            "device": without_markup(str(self._data.get("device"))),
            "command": without_markup(str(self._data.get("command"))),
            "error": "",
        }
        if user_input is not None:
            try:
                await self._async_push_once()
            except HomeAssistantError as err:
                errors["base"] = "push_failed"
                placeholders["error"] = str(err)
            else:
                return self.async_create_entry(data={})
        return self.async_show_form(
            step_id=self._step_id,
            data_schema=vol.Schema({}),
            description_placeholders=placeholders,
            errors=errors,
        )

    # Each with words of its own.
    async_step_confirm_owner = async_step_confirm
    async_step_confirm_third_party = async_step_confirm
    async_step_confirm_earlier = async_step_confirm

    async def _async_push_once(self) -> None:
        """Push, unless somebody has done so while this one waited."""
        locks = self.hass.data.setdefault(_LOCKS, {})
        async with locks.setdefault(self.issue_id, asyncio.Lock()):
            if ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id):
                await self._async_push()
                ir.async_delete_issue(self.hass, DOMAIN, self.issue_id)

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
            local = dt_util.as_local(end)
            if end <= runtime.account.clock.now() + _SOON:
                raise HomeAssistantError(
                    translation_domain=DOMAIN,
                    translation_key="end_before_start",
                    translation_placeholders={"device": str(self._data.get("device"))},
                )
            if local.fold:
                # The API takes wall-clock time, which cannot say the second of two.
                raise HomeAssistantError(
                    translation_domain=DOMAIN,
                    translation_key="time_comes_twice",
                    translation_placeholders={
                        "device": str(self._data.get("device")),
                        "field": "end",
                        "time": local.isoformat(" ", "minutes"),
                    },
                )
            push = replace(push, start="1m", end=local.replace(tzinfo=None))
        await runtime.pushes.async_command(
            coordinator, coordinator.data[device_id], push, wait=10
        )
