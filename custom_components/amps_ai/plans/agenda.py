"""The agenda: which occurrences of plans are open, and which were missed."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..api.clock import Clock
from .plan import LEAST, Plan
from .records import Record, Records, Standing
from .times import Occurrence


class Agenda:
    """What is to come of plans, as far as it is not settled."""

    def __init__(self, records: Records, clock: Clock) -> None:
        """Go by the API's clock, which its times are given in."""
        self._records = records
        self._clock = clock

    def record(self, plan: Plan) -> Record:
        """Return up to when a plan is settled; a new one counts from now on."""
        plans = self._records.plans
        if (record := plans.get(plan.id)) is None:
            record = plans[plan.id] = Record(self._clock.now())
            self._records.memory.async_save()
        return record

    def open(self, plan: Plan, after: datetime) -> Iterator[Occurrence]:
        """Go through the occurrences that are neither over, nor carried out."""
        record = self.record(plan)
        zone = dt_util.get_default_time_zone()
        for occurrence in plan.occurrences(max(after, record.since), zone):
            if record.last is None or occurrence.day > record.last:
                yield occurrence

    def coming(self, plan: Plan) -> Occurrence | None:
        """Return what begins next."""
        now = self._clock.now()
        zone = dt_util.get_default_time_zone()
        for occurrence in plan.occurrences(now, zone):
            if occurrence.start > now:
                return occurrence
        return None

    def target(
        self, plans: Iterable[Plan], standing: Standing | None
    ) -> tuple[Plan, Occurrence] | None:
        """Return what is to stand at Amps AI."""
        now = self._clock.now()
        found = []
        for plan in plans:
            for occurrence in self.open(plan, now):
                if occurrence.end - now >= LEAST or (
                    standing is not None and standing.is_for(plan, occurrence)
                ):
                    found.append((occurrence.start, plan.id, plan, occurrence))
                    break
        if not found:
            return None
        _, _, plan, occurrence = min(found, key=lambda item: item[:2])
        return plan, occurrence

    def missed(self, plan: Plan, standing: Standing | None) -> Iterator[Occurrence]:
        """Go through what is over, settling it; what stands is found out first."""
        now = self._clock.now()
        record = self.record(plan)
        for occurrence in self.open(plan, record.since):
            if occurrence.end > now or (
                standing is not None
                and standing.plan_id == plan.id
                and standing.day == occurrence.day
            ):
                return
            record.last = occurrence.day
            record.missed += 1
            self._records.memory.async_save()
            yield occurrence

    def is_then(self, plan: Plan, standing: Standing) -> bool:
        """Tell whether what stands is at the time that the plan says by now."""
        zone = dt_util.get_default_time_zone()
        occurrence = plan.times.on(standing.day, zone)
        return occurrence is not None and occurrence.start == standing.start

    @callback
    def async_kept(self, record: Record, day: date) -> None:
        """Settle an occurrence that was carried out."""
        record.last = day if record.last is None else max(record.last, day)
        record.missed = 0
        self._records.memory.async_save()


def overlapping(plans: Iterable[Plan], plan: Plan) -> Plan | None:
    """Return a plan that is on, and gets in the way of another one."""
    return next(
        (item for item in plans if item.is_enabled and item.overlaps(plan)), None
    )
