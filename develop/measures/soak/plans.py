"""Plans, and whether they were kept: once each, and nobody else's was touched."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import WEEKDAYS
from homeassistant.core import Event

from custom_components.amps_ai.common.issues import PLAN_WITHOUT_DEVICE
from custom_components.amps_ai.plans.plan import LEAST, SUBENTRY_TYPE, Plan
from custom_components.amps_ai.plans.times import Occurrence
from develop.bare_core import TIME_ZONE
from sandbox import Action, Device

from .figures import open_repairs
from .house import House

ZONE: Final = ZoneInfo(TIME_ZONE)
type Span = tuple[datetime, datetime]

# What is planned for a device of each type.
_COMMANDS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "battery": ("charge", {}),
    "ev_charger": ("charge", {}),
    "hvac": ("heat", {"target": {"value": 21, "unit": "celsius"}}),
}
# They begin at these hours. Nobody else's command ends in such a second.
_HOURS: Final = range(2, 24, 3)
_START: Final = "{:02}:20:17"
_END: Final = "{:02}:40:17"
# So many plans has an account.
MOST: Final = len(_COMMANDS) * len(_HOURS)


# How plans are judged


def ended(
    plan: Plan, begin: datetime, end: datetime, zone: ZoneInfo
) -> list[Occurrence]:
    """Return what began and ended in a span, as the clocks of the house have it."""
    found: list[Occurrence] = []
    for occurrence in plan.occurrences(begin, zone):
        if occurrence.end > end:
            return found
        if occurrence.start >= begin:
            found.append(occurrence)
    return found


def carries_out(action: Action, plan: Plan, occurrence: Occurrence) -> bool:
    """Tell whether an action is for an occurrence, or for what is left of it."""
    push = action.push
    return (
        action.device_id == plan.device_id
        and push.command == plan.command
        and push.end is not None
        and abs(push.end - occurrence.end.timestamp()) < 2
        and push.start is not None
        and occurrence.start.timestamp() - 2 < push.start < occurrence.end.timestamp()
    )


def had_time(
    bad: Iterable[Span], begin: datetime, end: datetime, needed: timedelta
) -> bool:
    """Tell whether all was well for so long at any time of a span."""
    at = begin
    for before, after in sorted(bad):
        if before - at >= needed:
            break
        at = max(at, after)
    return end - at >= needed


@dataclass(kw_only=True)
class Judgement:
    """What became of the occurrences of plans."""

    kept: int = 0
    # Told as missed, with a reason.
    missed: int = 0
    doubled: list[str] = field(default_factory=list)
    # Neither carried out nor told as missed.
    lost: list[str] = field(default_factory=list)
    # Carried out, and told as missed.
    kept_and_missed: list[str] = field(default_factory=list)
    # Missed, though there was time to keep it.
    needless: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> dict[str, list[str]]:
        """Return what must not be, by what it is."""
        found = {
            "doubled": self.doubled,
            "lost": self.lost,
            "kept, and told as missed": self.kept_and_missed,
            "missed with nothing in the way": self.needless,
        }
        return {what: lines for what, lines in found.items() if lines}

    def judge(
        self, plan: Plan, occurrence: Occurrence, done: int, *, told: bool, could: bool
    ) -> None:
        """Judge an occurrence by how often it was carried out, and what was told."""
        said = f"{plan.name} of {occurrence.start:%d %H:%M} UTC"
        if done > 1:
            self.doubled.append(f"{said}: {done} times")
        if done:
            self.kept += 1
            if told:
                self.kept_and_missed.append(said)
        elif not told:
            self.lost.append(said)
        else:
            self.missed += 1
            if could:
                self.needless.append(said)


# The plans of the soak

# What is over needs some time to be tried again.
_RECOVERY: Final = timedelta(minutes=15)
_NEEDED: Final = timedelta(minutes=10) + LEAST


@dataclass(kw_only=True)
class Plans:
    """The plans of the house, and what came of them."""

    house: House
    # Since when each is judged by the device that it is for.
    begun: dict[str, datetime] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    carried: Counter[tuple[str, datetime]] = field(default_factory=Counter)
    # When it was told.
    missed: dict[tuple[str, datetime], datetime] = field(default_factory=dict)
    # When nothing could be kept: by device, or of all of them.
    bad: list[tuple[str | None, Span]] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """Return the simulated time."""
        return datetime.fromtimestamp(self.house.time.clock.time(), UTC)

    def make(self) -> None:
        """Make plans for the first device of each type of each account."""
        chosen: dict[tuple[str, str], Device] = {}
        for device in self.house.devices:
            command, _ = _COMMANDS.get(device.kind.type, ("", {}))
            told = (device.commands or {}).get(command, {})
            if "windowed" in told.get("execution", ()):
                entry = self.house.entry_of(device)
                chosen.setdefault((entry.entry_id, device.kind.type), device)
        for device in chosen.values():
            for hour in _HOURS:
                self._make(device, hour)

    def _make(self, device: Device, hour: int) -> None:
        command, parameters = _COMMANDS[device.kind.type]
        name = f"{device.id} {hour}"
        subentry = ConfigSubentry(
            data=MappingProxyType(
                {
                    "name": name,
                    "device_id": device.id,
                    "command": command,
                    "parameters": parameters,
                    "weekdays": list(WEEKDAYS),
                    "start": _START.format(hour),
                    "end": _END.format((hour + 1) % 24),
                }
            ),
            subentry_type=SUBENTRY_TYPE,
            title=name,
            unique_id=None,
        )
        plan = Plan.from_subentry(subentry)
        assert plan is not None
        self.plans[name] = plan
        self.begun[name] = self.now
        entry = self.house.entry_of(device)
        self.house.hass.config_entries.async_add_subentry(entry, subentry)

    def answer(self, successors: Mapping[str, str]) -> None:
        """Give plans whose device was replaced the one in its place, when asked to.

        A person does so by *Reconfigure*.
        """
        entries = self.house.hass.config_entries
        there = {device.id: device for device in self.house.devices}
        for issue_id in open_repairs(self.house):
            for name, plan in self.plans.items():
                if issue_id != f"{PLAN_WITHOUT_DEVICE}_{plan.id}":
                    continue
                device_id = plan.device_id
                while device_id in successors:
                    device_id = successors[device_id]
                if device_id not in there or not self.house.registered(
                    there[device_id]
                ):
                    # It is not known yet; the question stands.
                    continue
                entry = self.house.entry_of(there[device_id])
                subentry = entry.subentries[plan.id]
                self.plans[name] = replace(plan, device_id=device_id)
                self.begun[name] = self.now
                entries.async_update_subentry(
                    entry, subentry, data={**subentry.data, "device_id": device_id}
                )

    def remove(self) -> None:
        """Remove them all, with what is planned."""
        entries = self.house.hass.config_entries
        for entry in self.house.entries.values():
            for plan in self.plans.values():
                if plan.id in entry.subentries:
                    entries.async_remove_subentry(entry, plan.id)

    # What is seen

    def of(self, action: Action) -> tuple[Plan, Occurrence] | None:
        """Return what an action is for, if it is a plan's."""
        if action.push.end is None:
            return None
        before = datetime.fromtimestamp(action.push.end, UTC) - timedelta(minutes=1)
        for plan in self.plans.values():
            if plan.device_id == action.device_id:
                occurrence = next(plan.occurrences(before, ZONE))
                if carries_out(action, plan, occurrence):
                    return plan, occurrence
        return None

    def ended(self, action: Action) -> None:
        """Count what was carried out."""
        if action.state == "completed" and (found := self.of(action)) is not None:
            self.carried[found[0].name, found[1].start] += 1

    def told(self, event: Event) -> None:
        """Take note of what is told as missed."""
        start = datetime.fromisoformat(event.data["start"])
        self.missed[event.data["plan"], start] = self.now

    def was_bad(self, begin: datetime, device_id: str | None) -> None:
        """Take note that something was in the way until now."""
        self.bad.append((device_id, (begin, self.now + _RECOVERY)))

    def judge(self) -> Judgement:
        """Judge all occurrences that are over, of devices that are there still."""
        judgement = Judgement()
        there = {device.id for device in self.house.devices}
        for plan in self.plans.values():
            if plan.device_id not in there:
                # Nobody was asked yet to give it another one.
                continue
            bad = [span for at, span in self.bad if at in (None, plan.device_id)]
            until = self.now - timedelta(minutes=5)
            for occurrence in ended(plan, self.begun[plan.name], until, ZONE):
                key = plan.name, occurrence.start
                told_at = self.missed.get(key)
                judgement.judge(
                    plan,
                    occurrence,
                    self.carried[key],
                    told=told_at is not None,
                    # Only by a wrong clock it is over before its end.
                    could=told_at is not None
                    and told_at >= occurrence.end
                    and had_time(bad, occurrence.start, occurrence.end, _NEEDED),
                )
        return judgement
