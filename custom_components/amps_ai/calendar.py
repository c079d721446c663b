"""Calendar: what is planned for the devices."""

import asyncio
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Final, override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEntityFeature,
    CalendarEvent,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .api import Action, Device
from .api.values import number, told
from .common.errors import refused
from .runtime import AmpsConfigEntry

PARALLEL_UPDATES = 0

SCHEDULE: Final = CalendarEntityDescription(key="schedule", translation_key="schedule")

# So many events are made in one go.
_AT_A_TIME: Final = 50
# A command without a window has no end, and a calendar wants one.
_SHORT: Final = timedelta(minutes=15)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the calendar of the account."""
    async_add_entities([AmpsScheduleCalendar(entry)])


class AmpsScheduleCalendar(CalendarEntity):
    """The scheduled and windowed commands of all devices of an account."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    _attr_supported_features = CalendarEntityFeature.DELETE_EVENT

    def __init__(self, entry: AmpsConfigEntry) -> None:
        """Describe the calendar."""
        self.entity_description = SCHEDULE
        self._account = entry.runtime_data.account
        self._runtime = entry.runtime_data
        self._schedule = entry.runtime_data.schedule
        self._attr_unique_id = f"{entry.entry_id}_{SCHEDULE.key}"
        self._attr_device_info = self._account.service_info

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for changes of what is planned."""
        await super().async_added_to_hass()
        self.async_on_remove(self._schedule.async_listen(self.async_write_ha_state))

    def _event(self, device: Device, action: Action, start: datetime) -> CalendarEvent:
        name = self._account.async_spoken_name(device)
        return CalendarEvent(
            start=dt_util.as_local(start),
            end=dt_util.as_local(_end_of(action, start)),
            summary=f"{name}: {action.command}",
            description=_details(action),
            uid=action.id,
        )

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return what is on, else what comes next."""
        now = self._account.clock.now()
        coming = [
            (action.start, action.id, device, action)
            for device, action in self._schedule
            if action.start is not None and _end_of(action, action.start) > now
        ]
        if not coming:
            return None
        start, _, device, action = min(coming, key=itemgetter(0, 1))
        return self._event(device, action, start)

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return what is planned in a span of time."""
        events: list[CalendarEvent] = []
        for device, action in tuple(self._schedule):
            if (start := action.start) is None or start >= end_date:
                continue
            if _end_of(action, start) > start_date:
                events.append(self._event(device, action, start))
                if len(events) % _AT_A_TIME == 0:
                    # The loop is everybody's.
                    await asyncio.sleep(0)
        return sorted(events, key=lambda event: event.start_datetime_local)

    @override
    async def async_delete_event(
        self,
        uid: str,
        recurrence_id: str | None = None,
        recurrence_range: str | None = None,
    ) -> None:
        """Cancel a command that has not begun yet."""
        for device, action in self._schedule:
            if action.id == uid:
                await self._runtime.async_cancel(device, uid)
                return
        raise refused("action_unknown", self._account.entry.title, action=uid)


def _end_of(action: Action, start: datetime) -> datetime:
    """Return when an action is over, as a calendar shows it."""
    end = action.end
    return end if end is not None and end > start else start + _SHORT


def _details(action: Action) -> str | None:
    """Say an action's parameters in one line."""
    parameters: dict[str, Any] = action.parameters or {}
    said = [
        f"{name}: {amount:g} {value.get('unit') or ''}".strip()
        for name, value in parameters.items()
        if isinstance(value, dict)
        and (amount := number(value.get("value"))) is not None
    ]
    return told(", ".join(said))
