"""Calendar: what is planned for the devices."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
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
from .common.errors import refused
from .common.names import given_name
from .common.words import command_name, parameters_said
from .plans import Occurrence, Plan
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


class AmpsCalendarEvent(CalendarEvent):
    """An event whose times are compared as what they are, not by what clocks show.

    The core compares times of one zone by their hands: in the hour that comes
    twice, what has begun would look as if it were still to come.
    """

    @property
    @override
    def start_datetime_local(self) -> datetime:
        """Return the start, in local time."""
        return _at_its_offset(super().start_datetime_local)

    @property
    @override
    def end_datetime_local(self) -> datetime:
        """Return the end, in local time."""
        return _at_its_offset(super().end_datetime_local)


class AmpsScheduleCalendar(CalendarEntity):
    """The scheduled and windowed commands of all devices of an account."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    # Nothing can be made or changed here, and a person is told where.
    _attr_supported_features = (
        CalendarEntityFeature.CREATE_EVENT
        | CalendarEntityFeature.DELETE_EVENT
        | CalendarEntityFeature.UPDATE_EVENT
    )

    def __init__(self, entry: AmpsConfigEntry) -> None:
        """Describe the calendar."""
        self.entity_description = SCHEDULE
        self._account = entry.runtime_data.account
        self._runtime = entry.runtime_data
        self._schedule = entry.runtime_data.schedule
        self._plans = entry.runtime_data.plans
        self._attr_unique_id = f"{entry.entry_id}_{SCHEDULE.key}"
        self._attr_device_info = self._account.service_info

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for changes of what is planned."""
        await super().async_added_to_hass()
        self.async_on_remove(self._schedule.async_listen(self.async_write_ha_state))
        self.async_on_remove(self._plans.async_listen(self.async_write_ha_state))

    def _planned(self) -> Iterator[tuple[Device, Action, datetime]]:
        """Go through what is planned, but for plans: these are shown as such."""
        for device, action in tuple(self._schedule):
            if action.start is not None and not self._plans.is_shown(action):
                yield device, action, action.start

    def _occurrence(self, plan: Plan, occurrence: Occurrence) -> CalendarEvent:
        device = self._plans.async_registered(plan)
        name = given_name(device)
        known = self._runtime.coordinators.device(plan.device_id)
        device_type = known.type if known else None
        end = occurrence.end if plan.is_window else occurrence.start + _SHORT
        start, end = on_the_wall(occurrence.start, end)
        return AmpsCalendarEvent(
            start=start,
            end=end,
            summary=f"{name}: {plan.name}" if name else plan.name,
            description=parameters_said(self.hass, plan.parameters_as_data())
            or command_name(self.hass, plan.command, device_type),
            uid=plan.id,
            recurrence_id=occurrence.day.isoformat(),
            rrule=plan.times.rule,
        )

    def _event(self, device: Device, action: Action, start: datetime) -> CalendarEvent:
        name = self._account.async_spoken_name(device)
        begin, end = on_the_wall(start, _end_of(action, start))
        return AmpsCalendarEvent(
            start=begin,
            end=end,
            summary=f"{name}: {command_name(self.hass, action.command, device.type)}",
            description=parameters_said(self.hass, action.parameters),
            uid=action.id,
        )

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return what is on, else what comes next."""
        now = self._account.clock.now()
        found: list[tuple[datetime, str, Callable[[], CalendarEvent]]] = [
            (start, action.id, partial(self._event, device, action, start))
            for device, action, start in self._planned()
            if _end_of(action, start) > now
        ]
        for plan in self._plans:
            if occurrence := next(self._plans.occurrences(plan), None):
                make = partial(self._occurrence, plan, occurrence)
                found.append((occurrence.start, plan.id, make))
        if not found:
            return None
        return min(found, key=itemgetter(0, 1))[2]()

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return what is planned in a span of time."""
        events: list[CalendarEvent] = []
        for device, action, start in self._planned():
            if start < end_date and _end_of(action, start) > start_date:
                events.append(self._event(device, action, start))
                await _breathe(events)
        for plan in self._plans:
            for occurrence in self._plans.occurrences(plan, start_date):
                if occurrence.start >= end_date:
                    break
                events.append(self._occurrence(plan, occurrence))
                await _breathe(events)
        return sorted(events, key=lambda event: event.start_datetime_local)

    @override
    async def async_delete_event(
        self,
        uid: str,
        recurrence_id: str | None = None,
        recurrence_range: str | None = None,
    ) -> None:
        """Skip a plan once, end it, or cancel a command that has not begun yet."""
        if (plan := self._plans.get(uid)) is not None:
            self._delete_plan(plan, recurrence_id, recurrence_range)
            return
        for device, action in self._schedule:
            if action.id == uid:
                await self._runtime.async_cancel(device, uid)
                return
        raise refused("action_unknown", self._account.entry.title, action=uid)

    def _delete_plan(
        self, plan: Plan, recurrence_id: str | None, recurrence_range: str | None
    ) -> None:
        if recurrence_id is None:
            self._plans.async_turn(plan, on=False)
            return
        if (day := dt_util.parse_date(recurrence_id[:10])) is None:
            raise refused("plan_not_then", plan.name)
        if recurrence_range:
            self._plans.async_end_before(plan, day)
        else:
            self._plans.async_skip(plan, day)

    @override
    async def async_create_event(self, **kwargs: Any) -> None:
        """Say where that is done."""
        raise refused("calendar_is_read", self._account.entry.title)

    @override
    async def async_update_event(
        self,
        uid: str,
        event: dict[str, Any],
        recurrence_id: str | None = None,
        recurrence_range: str | None = None,
    ) -> None:
        """Say where that is done."""
        raise refused("calendar_is_read", self._account.entry.title)


async def _breathe(events: list[CalendarEvent]) -> None:
    """Let others have their turn: the loop is everybody's."""
    if len(events) % _AT_A_TIME == 0:
        await asyncio.sleep(0)


def _at_its_offset(at: datetime) -> datetime:
    """Return a time in a zone of its own, so that it is compared as a moment."""
    return at.replace(tzinfo=timezone(at.utcoffset() or timedelta()))


def on_the_wall(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return what the clocks show at a start and an end.

    A calendar refuses what ends before it begins. That is what clocks show of a
    window that ends in the hour that comes twice, after they were put back.
    """
    begin, over = dt_util.as_local(start), dt_util.as_local(end)
    return begin, over if over > begin else begin + _SHORT


def _end_of(action: Action, start: datetime) -> datetime:
    """Return when an action is over, as a calendar shows it."""
    end = action.end
    return end if end is not None and end > start else start + _SHORT
