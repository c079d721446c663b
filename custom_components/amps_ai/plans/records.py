"""Records: what was pushed for plans, and up to when they are settled.

They outlive a restart: what was pushed once is not pushed again.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant, callback

from ..account.account import create_client
from ..api import Action, AmpsError
from ..api.values import instant, mapping, number, text
from ..common.const import CONF_USER_ID, LOGGER
from ..common.memory import Memory, async_remove as async_remove_memory
from ..pushes.sending import TOLERANCE
from .plan import Plan, day_of
from .times import Occurrence

_MEMORY: Final = "plans"
# So many seconds an account that is removed waits for what it takes back.
_PATIENCE: Final = 10


@dataclass(slots=True, kw_only=True)
class Standing:
    """An occurrence that was pushed, and has not ended as far as is known.

    Without an id its answer is still to come, or was lost.
    """

    plan_id: str
    name: str
    day: date
    start: datetime
    end: datetime
    command: str
    parameters: dict[str, Any]
    sent: datetime
    is_window: bool = True
    action_id: str | None = None
    # Whether its end says anything of the plan, which may have moved away.
    counts: bool = True

    @classmethod
    def of(cls, plan: Plan, occurrence: Occurrence, now: datetime) -> Self:
        """Return what stands once an occurrence is pushed."""
        return cls(
            plan_id=plan.id,
            name=plan.name,
            day=occurrence.day,
            start=occurrence.start,
            end=occurrence.end,
            command=plan.command,
            parameters=plan.parameters_as_data(),
            sent=now,
            is_window=plan.is_window,
        )

    def is_for(self, plan: Plan, occurrence: Occurrence) -> bool:
        """Tell whether this is what is wanted."""
        return (
            self.plan_id == plan.id
            and self.day == occurrence.day
            and self.start == occurrence.start
            and self.end == occurrence.end
            and self.command == plan.command
            and self.parameters == plan.parameters_as_data()
        )

    def is_action(self, action: Action) -> bool:
        """Tell whether an action is the one that was pushed."""
        if action.command != self.command or (
            action.created_at is not None and action.created_at < self.sent - TOLERANCE
        ):
            return False
        if (action.end is not None) is not self.is_window:
            return False
        if action.end is not None and abs(action.end - self.end) >= TOLERANCE:
            return False
        # What has no start was begun at once.
        start = max(self.start, self.sent)
        return abs((action.start or action.created_at or start) - start) < TOLERANCE

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept over a restart."""
        return {
            "plan": self.plan_id,
            "name": self.name,
            "day": self.day.isoformat(),
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "command": self.command,
            "parameters": self.parameters,
            "sent": self.sent.isoformat(),
            "is_window": self.is_window,
            "action_id": self.action_id,
            "counts": self.counts,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self | None:
        """Return what was kept, if it is to be understood."""
        plan_id, command = text(stored.get("plan")), text(stored.get("command"))
        day = day_of(stored.get("day"))
        start, end, sent = (
            instant(stored.get(name)) for name in ("start", "end", "sent")
        )
        if not (plan_id and command and day and start and end and sent):
            return None
        return cls(
            plan_id=plan_id,
            name=text(stored.get("name")) or command,
            day=day,
            start=start,
            end=end,
            command=command,
            parameters=mapping(stored.get("parameters")) or {},
            sent=sent,
            is_window=stored.get("is_window") is not False,
            action_id=text(stored.get("action_id")),
            counts=stored.get("counts") is not False,
        )


@dataclass(slots=True)
class Record:
    """Up to when a plan is settled.

    It counts from `since` on, and `last` was the last of its days that was carried
    out, or missed; `missed` is how many were, in a row.
    """

    since: datetime
    last: date | None = None
    missed: int = 0


class Records:
    """What is kept of the plans of an account."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Begin with nothing known."""
        # By the id that Amps AI has for the device.
        self.standing: dict[str, Standing] = {}
        self.plans: dict[str, Record] = {}
        self.memory = Memory(hass, entry, _MEMORY, self.as_dict)

    async def async_load(self) -> None:
        """Remember what earlier runs knew."""
        stored = await self.memory.async_load()
        for device_id, item in (mapping(stored.get("devices")) or {}).items():
            if (standing := Standing.from_dict(mapping(item) or {})) is not None:
                self.standing[device_id] = standing
        for plan_id, item in (mapping(stored.get("plans")) or {}).items():
            found = mapping(item) or {}
            if (since := instant(found.get("since"))) is not None:
                missed = int(number(found.get("missed")) or 0)
                self.plans[plan_id] = Record(since, day_of(found.get("last")), missed)

    @callback
    def as_dict(self) -> dict[str, Any]:
        """Return what is kept over a restart."""
        return {
            "devices": {
                device_id: standing.as_dict()
                for device_id, standing in self.standing.items()
            },
            "plans": {
                plan_id: {
                    "since": record.since.isoformat(),
                    "last": record.last and record.last.isoformat(),
                    "missed": record.missed,
                }
                for plan_id, record in self.plans.items()
            },
        }

    async def async_save_now(self) -> None:
        """Write at once what has changed."""
        self.memory.async_save()
        await self.memory.async_save_now()


async def async_remove(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Take back what an entry that goes has planned, and forget it."""
    records = Records(hass, entry)
    await records.async_load()
    client = create_client(hass, entry.data[CONF_API_KEY], entry.data.get(CONF_USER_ID))

    async def _take_back(action_id: str) -> None:
        # What has begun goes on: that is not cancelled by the API either.
        try:
            async with asyncio.timeout(_PATIENCE):
                await client.async_cancel_action(action_id)
        except (AmpsError, TimeoutError) as err:
            LOGGER.debug("Taking back what a plan has left failed: %s", err)

    await asyncio.gather(
        *(
            _take_back(standing.action_id)
            for standing in records.standing.values()
            if standing.action_id is not None
        )
    )
    await async_remove_memory(hass, entry, _MEMORY)
