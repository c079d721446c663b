"""Repairs: the flows in which a person mends something."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
import json
from typing import Any, Final, override

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
from .common.errors import refused_by_state
from .common.issues import DISPLACED
from .common.refusals import SCHEDULES
from .common.words import moment, told
from .runtime import AmpsConfigEntry

# A window can begin so soon.
_SOON: Final = timedelta(minutes=1)
# Held by whoever mends an issue, by its id.
_LOCKS: Final[HassKey[dict[str, asyncio.Lock]]] = HassKey(f"{DOMAIN}_mending")


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the flow that mends an issue."""
    kind = DisplacedFlow if (data or {}).get("key") == DISPLACED else ScheduleFlow
    return kind(data or {})


class PushFlow(RepairsFlow):
    """Push a command again, once a person confirmed it."""

    _step_id = "confirm"

    def __init__(self, data: dict[str, Any]) -> None:
        """Keep what was to be done."""
        self._data = data
        self._device = str(data.get("device"))
        self._said: dict[str, str] = {}

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Begin by asking."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        if issue is not None:
            self._said = issue.translation_placeholders or {}
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Push again."""
        errors: dict[str, str] = {}
        placeholders = {**self._said, "error": ""}
        if user_input is not None:
            try:
                await self._async_push_once()
            except HomeAssistantError as err:
                errors["base"] = "push_failed"
                placeholders["error"] = told(self.hass, err)
            else:
                return self.async_create_entry(data={})
        return self.async_show_form(
            step_id=self._step_id,
            data_schema=vol.Schema({}),
            description_placeholders=placeholders,
            errors=errors,
        )

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
            raise refused_by_state("no_such_device", self._device)
        parameters: dict[str, Quantity] = {}
        for name, item in json.loads(self._data.get("parameters") or "{}").items():
            value = number((mapping(item) or {}).get("value"))
            if value is not None:
                parameters[name] = Quantity(value=value, unit=text(item.get("unit")))
        push = Push(command=str(self._data.get("command")), parameters=parameters)
        await runtime.pushes.async_command(
            coordinator,
            coordinator.data[device_id],
            self._timed(push, runtime.account.clock.now()),
            wait=10,
        )

    def _timed(self, push: Push, now: datetime) -> Push:
        """Return the push with its times."""
        raise NotImplementedError

    def _at(self, name: str, at: datetime) -> datetime:
        """Return a time as the API takes it: wall-clock time.

        That cannot say the second of two.
        """
        local = dt_util.as_local(at)
        if local.fold:
            raise refused_by_state(
                "time_comes_twice",
                self._device,
                field=name,
                time=moment(self.hass, local),
            )
        return local.replace(tzinfo=None)


class ScheduleFlow(PushFlow):
    """Clear the manufacturer's schedule, as it is in the way."""

    # Each with words of its own: whose schedule it is.
    async_step_confirm_owner = PushFlow.async_step_confirm
    async_step_confirm_third_party = PushFlow.async_step_confirm
    async_step_confirm_earlier = PushFlow.async_step_confirm

    def __init__(self, data: dict[str, Any]) -> None:
        """Ask with whose schedule it is, where that is known."""
        super().__init__(data)
        if (schedule := data.get("schedule")) in SCHEDULES:
            self._step_id = f"confirm_{schedule}"

    @override
    def _timed(self, push: Push, now: datetime) -> Push:
        push = replace(push, on_conflict=Strategy.CANCEL_AND_REPLACE)
        if (end := instant(self._data.get("end"))) is None:
            return push
        # What was to end goes on to do so; it can begin in a minute.
        if end <= now + _SOON:
            raise refused_by_state("end_before_start", self._device)
        return replace(push, start="1m", end=self._at("end", end))


class DisplacedFlow(PushFlow):
    """Plan again what made way for a newer command."""

    @override
    def _timed(self, push: Push, now: datetime) -> Push:
        start, end = (instant(self._data.get(name)) for name in ("start", "end"))
        if end is not None:
            push = replace(push, end=self._at("end", end))
        if start is not None and start > now + _SOON:
            return replace(push, start=self._at("start", start))
        # It would be under way by now.
        return replace(push, start="1m")
