"""A plan: what a subentry says, and what is pushed for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final, Self

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_DEVICE_ID, CONF_NAME, WEEKDAYS
from homeassistant.util import dt as dt_util

from ..api import Action, Device, Push, Quantity, capabilities
from ..api.values import mapping, number, text, words
from ..api.vocabulary import Execution
from ..pushes.sending import TOLERANCE
from .times import Occurrence, Weekly

SUBENTRY_TYPE: Final = "plan"

CONF_COMMAND: Final = "command"
CONF_PARAMETERS: Final = "parameters"
CONF_WEEKDAYS: Final = "weekdays"
CONF_START: Final = "start"
CONF_END: Final = "end"
# What became of it after it was made: not asked for by the form.
CONF_ENABLED: Final = "enabled"
CONF_SKIPPED: Final = "skipped"
CONF_LAST_DAY: Final = "last_day"

# What begins at once is said as a span from now, which is this at the least.
_AT_ONCE: Final = "1m"
# With less left than this, it is not worth to begin any more.
LEAST: Final = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A command for a device, again and again."""

    id: str
    name: str
    # As Amps AI knows it.
    device_id: str
    command: str
    parameters: Mapping[str, Quantity]
    times: Weekly
    is_enabled: bool = True
    skipped: frozenset[date] = frozenset()
    # The last day on which it may begin.
    last_day: date | None = None

    @classmethod
    def from_subentry(cls, subentry: ConfigSubentry) -> Self | None:
        """Read a subentry; None where it says no plan."""
        return cls.from_data(subentry.subentry_id, subentry.title, subentry.data)

    @classmethod
    def from_data(
        cls, plan_id: str, title: str, data: Mapping[str, Any]
    ) -> Self | None:
        """Read what a form or a subentry says; None where that is no plan."""
        device_id, command = (
            text(data.get(CONF_DEVICE_ID)),
            text(data.get(CONF_COMMAND)),
        )
        start, end = (_time(data.get(name)) for name in (CONF_START, CONF_END))
        weekdays = frozenset(
            WEEKDAYS.index(day)
            for day in words(data.get(CONF_WEEKDAYS))
            if day in WEEKDAYS
        )
        if device_id is None or command is None or start is None or not weekdays:
            return None
        return cls(
            id=plan_id,
            name=title or text(data.get(CONF_NAME)) or command,
            device_id=device_id,
            command=command,
            parameters=_parameters(data.get(CONF_PARAMETERS)),
            times=Weekly(weekdays=weekdays, start=start, end=end),
            is_enabled=data.get(CONF_ENABLED) is not False,
            skipped=frozenset(
                day
                for item in words(data.get(CONF_SKIPPED))
                if (day := day_of(item)) is not None
            ),
            last_day=day_of(data.get(CONF_LAST_DAY)),
        )

    @property
    def is_window(self) -> bool:
        """Tell whether it has an end."""
        return self.times.end is not None

    def occurrences(self, after: datetime, zone: tzinfo) -> Iterator[Occurrence]:
        """Go through what is not over at a moment, and not skipped."""
        for occurrence in self.times.after(after, zone):
            if self.last_day is not None and occurrence.day > self.last_day:
                return
            if occurrence.day not in self.skipped:
                yield occurrence

    def is_over(self, now: datetime, zone: tzinfo) -> bool:
        """Tell whether nothing comes any more."""
        return next(self.occurrences(now, zone), None) is None

    def overlaps(self, other: Plan) -> bool:
        """Tell whether the other one gets in its way."""
        return (
            other.id != self.id
            and other.device_id == self.device_id
            and self.times.overlaps(other.times)
        )

    def push(self, device: Device, occurrence: Occurrence, now: datetime) -> Push:
        """Return what to push for an occurrence, or for what is left of it."""
        end = _plant_time(occurrence.end) if self.is_window else None
        start: datetime | str | None = _plant_time(occurrence.start)
        if occurrence.start <= now + timedelta(seconds=30):
            command = capabilities(device).get(self.command)
            at_once = command and Execution.IMMEDIATE in (command.execution or ())
            start = None if at_once and not self.is_window else _AT_ONCE
        return Push(
            command=self.command, parameters=self.parameters, start=start, end=end
        )

    def is_action(self, action: Action, occurrence: Occurrence) -> bool:
        """Tell whether an action that is planned is an occurrence itself."""
        if action.command != self.command or action.start is None:
            return False
        if (action.end is not None) is not self.is_window:
            return False
        end = action.end or occurrence.end
        return (
            abs(action.start - occurrence.start) < TOLERANCE
            and abs(end - occurrence.end) < TOLERANCE
        )

    def parameters_as_data(self) -> dict[str, dict[str, Any]]:
        """Return the parameters as a subentry keeps them."""
        return {
            str(name): {"value": quantity.value, "unit": quantity.unit}
            for name, quantity in self.parameters.items()
        }

    def record(self) -> dict[str, Any]:
        """Return what the plan says, for actions and diagnostics."""
        start, end = self.times.start, self.times.end
        return {
            "id": self.id,
            "name": self.name,
            "command": self.command,
            "parameters": self.parameters_as_data(),
            "weekdays": [WEEKDAYS[day] for day in sorted(self.times.weekdays)],
            "start": start.isoformat(),
            "end": end and end.isoformat(),
            "enabled": self.is_enabled,
            "skipped": sorted(day.isoformat() for day in self.skipped),
            "last_day": self.last_day and self.last_day.isoformat(),
        }


def takes_plans(device: Device) -> dict[str, tuple[str, ...]]:
    """Return the commands of a device that can be planned, and how."""
    later = (Execution.SCHEDULED, Execution.WINDOWED)
    return {
        name: ways
        for name, command in capabilities(device).items()
        if (ways := tuple(way for way in later if way in (command.execution or ())))
    }


def _plant_time(at: datetime) -> datetime:
    """Return a moment as the API takes it: what the clocks show, without a zone."""
    return dt_util.as_local(at).replace(tzinfo=None)


def _parameters(value: object) -> dict[str, Quantity]:
    """Read parameters: a number, or a number with its unit."""
    found: dict[str, Quantity] = {}
    for name, item in dict(value if isinstance(value, Mapping) else {}).items():
        said = mapping(item) or {"value": item}
        if (amount := number(said.get("value"))) is not None:
            found[name] = Quantity(value=amount, unit=text(said.get("unit")))
    return found


def _time(value: object) -> time | None:
    return dt_util.parse_time(value) if isinstance(value, str) else None


def day_of(value: object) -> date | None:
    """Read a day, as it is kept."""
    return dt_util.parse_date(value) if isinstance(value, str) else None
