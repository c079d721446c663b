"""Calendar: what is planned for the devices."""

from datetime import datetime, timedelta
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
from .api.models import number
from .common.errors import refused
from .runtime import AmpsConfigEntry

PARALLEL_UPDATES = 0

SCHEDULE: Final = CalendarEntityDescription(key="schedule", translation_key="schedule")

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
        self._schedule = entry.runtime_data.schedule
        self._follower = entry.runtime_data.pushes.follower
        self._attr_unique_id = f"{entry.entry_id}_{SCHEDULE.key}"
        self._attr_device_info = self._account.service_info

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for changes of what is planned."""
        await super().async_added_to_hass()
        self.async_on_remove(self._schedule.async_listen(self.async_write_ha_state))

    def _event(self, device: Device, action: Action) -> CalendarEvent | None:
        if action.start is None:
            return None
        end = action.end
        if end is None or end <= action.start:
            end = action.start + _SHORT
        name = self._account.async_spoken_name(device)
        return CalendarEvent(
            start=dt_util.as_local(action.start),
            end=dt_util.as_local(end),
            summary=f"{name}: {action.command}",
            description=_details(action),
            uid=action.id,
        )

    def _events(self) -> list[CalendarEvent]:
        events = [
            event
            for device, action in self._schedule
            if (event := self._event(device, action)) is not None
        ]
        return sorted(events, key=lambda event: event.start_datetime_local)

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return what is on, else what comes next."""
        now = self._account.clock.now()
        return next(
            (event for event in self._events() if event.end_datetime_local > now), None
        )

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return what is planned in a span of time."""
        return [
            event
            for event in self._events()
            if event.start_datetime_local < end_date
            and event.end_datetime_local > start_date
        ]

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
                name = self._account.async_spoken_name(device)
                with self._account.speaking(name):
                    cancelled = await self._account.client.async_cancel_action(uid)
                self._follower.async_cancelled(device, cancelled)
                await self._schedule.async_ask(device)
                return
        raise refused("action_unknown", self._account.entry.title, action=uid)


def _details(action: Action) -> str | None:
    """Say an action's parameters in one line."""
    parameters: dict[str, Any] = action.parameters or {}
    said = [
        f"{name}: {amount:g} {value.get('unit') or ''}".strip()
        for name, value in parameters.items()
        if isinstance(value, dict)
        and (amount := number(value.get("value"))) is not None
    ]
    return ", ".join(said) or None
