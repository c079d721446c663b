"""All plans of an account: who they are, and what a person does with them."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import CALLBACK_TYPE, Event, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util

from ..account import AmpsAccount
from ..api import Action, Device
from ..api.values import words
from ..common.errors import refused
from ..common.listeners import Listeners
from ..pushes import InTheWayError, PushManager
from ..pushes.sending import TOLERANCE
from ..readings import Coordinators, Ends, Schedule
from .agenda import Agenda, overlapping
from .keeper import Keeper, Parts
from .plan import CONF_ENABLED, CONF_LAST_DAY, CONF_SKIPPED, SUBENTRY_TYPE, Plan
from .records import Records
from .telling import PlanTeller
from .times import Occurrence

# What was missed longer ago is not told any more.
_TOLD: Final = timedelta(days=7)


class Plans:
    """Keep the plans of an account."""

    def __init__(
        self,
        account: AmpsAccount,
        coordinators: Coordinators,
        ends: Ends,
        schedule: Schedule,
        pushes: PushManager,
    ) -> None:
        """Begin with no plan."""
        self._account = account
        self._entry = account.entry
        self._coordinators = coordinators
        self._schedule = schedule
        self._pushes = pushes
        self._records = Records(account.hass, account.entry)
        self._agenda = Agenda(self._records, account.clock)
        self._teller = PlanTeller(account)
        self._parts = Parts(
            account=account,
            coordinators=coordinators,
            ends=ends,
            schedule=schedule,
            pushes=pushes,
            records=self._records,
            agenda=self._agenda,
            teller=self._teller,
        )
        self._plans: dict[str, Plan] = {}
        self._keepers: dict[str, Keeper] = {}
        self._started = False
        self._changed: Listeners[[]] = Listeners()

    # With the entry

    async def async_load(self) -> None:
        """Remember what earlier runs have pushed."""
        await self._records.async_load()
        now = self._account.clock.now()
        for record in self._records.plans.values():
            record.since = max(record.since, now - _TOLD)
        for standing in self._records.standing.values():
            self._teller.async_stands(standing)
        self._pushes.teller.plan_of = self._teller.async_name_of
        self._pushes.displaced.comes_back = lambda action_id: (
            self._teller.async_name_of(action_id) is not None
        )
        self._plans = self._read()

    @callback
    def async_start(self) -> None:
        """Begin to keep the plans, as long as the entry is loaded."""
        self._started = True
        hass, entry = self._account.hass, self._entry
        for plan_id in self._records.plans.keys() - self._plans.keys():
            self._forget(plan_id)
        for stop in (
            async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._updated),
            hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, self._look_everywhere),
            self._schedule.async_listen(self._freed),
            self._schedule.async_listen_gone(self._gone),
            *(
                coordinator.async_add_shape_listener(self._reshaped)
                for coordinator in self._coordinators.values()
            ),
        ):
            entry.async_on_unload(stop)
        self._account.async_on_removed(self._look_for_devices)
        for device_id in {plan.device_id for plan in self} | {*self._records.standing}:
            self._keeper(device_id).async_start()

    async def async_stop(self) -> None:
        """Keep no more, and write what is not written yet."""
        self._started = False
        for keeper in self._keepers.values():
            keeper.async_stop()
        await self._records.memory.async_save_now()

    def _read(self) -> dict[str, Plan]:
        return {
            plan.id: plan
            for subentry in self._entry.subentries.values()
            if subentry.subentry_type == SUBENTRY_TYPE
            and (plan := Plan.from_subentry(subentry)) is not None
        }

    def _keeper(self, device_id: str) -> Keeper:
        if (keeper := self._keepers.get(device_id)) is None:
            keeper = self._keepers[device_id] = Keeper(
                self._parts,
                device_id,
                lambda: [
                    plan
                    for plan in self
                    if plan.device_id == device_id and plan.is_enabled
                ],
                self._changed.async_call,
            )
        return keeper

    # What is known

    def __iter__(self) -> Iterator[Plan]:
        """Go through all plans."""
        return iter(tuple(self._plans.values()))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._plans)

    def get(self, plan_id: str) -> Plan | None:
        """Return a plan, if it is there."""
        return self._plans.get(plan_id)

    @callback
    def async_listen(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Hear of every change: of plans, and of how they fare."""
        return self._changed.async_add(listener)

    def device(self, plan: Plan) -> Device | None:
        """Return the device of a plan, if it is there."""
        return self._coordinators.device(plan.device_id)

    @callback
    def async_registered(self, plan: Plan) -> dr.DeviceEntry | None:
        """Return the device of a plan as registered."""
        if (device := self.device(plan)) is not None:
            return self._account.async_device_entry(device)
        return self._account.async_registered(plan.device_id)

    def is_on(self, plan: Plan) -> bool:
        """Tell whether a plan is on, and not over."""
        zone = dt_util.get_default_time_zone()
        return plan.is_enabled and not plan.is_over(self._account.clock.now(), zone)

    def coming(self, plan: Plan) -> Occurrence | None:
        """Return what begins next of a plan that is on."""
        return self._agenda.coming(plan) if plan.is_enabled else None

    def status(self, plan: Plan) -> str:
        """Return how a plan fares, in a word."""
        if not self.is_on(plan):
            return "off" if not plan.is_enabled else "ended"
        if self.device(plan) is None:
            return "no_device"
        keeper = self._keeper(plan.device_id)
        standing = keeper.standing
        if standing is not None and standing.plan_id == plan.id:
            return "planned" if standing.action_id is not None else "checking"
        if keeper.tries.what is not None and keeper.tries.what[0] == plan.id:
            if keeper.others or keeper.tries.code == InTheWayError.code:
                return "waiting"
            if keeper.tries:
                return "retrying"
        return "pending"

    def occurrences(
        self, plan: Plan, after: datetime | None = None
    ) -> Iterator[Occurrence]:
        """Go through what is to come, or is on, of a plan that is on."""
        if not plan.is_enabled:
            return
        now = self._account.clock.now()
        zone = dt_util.get_default_time_zone()
        yield from plan.occurrences(now if after is None else max(after, now), zone)

    def is_shown(self, action: Action) -> bool:
        """Tell whether an action is shown as an occurrence of its plan."""
        plan_id = self._teller.async_plan_of(action.id)
        plan = None if plan_id is None else self.get(plan_id)
        # What is left of one begins later.
        return (
            plan is not None
            and action.start is not None
            and any(
                occurrence.start - TOLERANCE < action.start < occurrence.end
                for occurrence in islice(self.occurrences(plan), 2)
            )
        )

    def action_of(self, plan: Plan) -> str | None:
        """Return the id of the action that stands for a plan."""
        standing = self._records.standing.get(plan.device_id)
        if standing is not None and standing.plan_id == plan.id:
            return standing.action_id
        return None

    def record(self, plan: Plan) -> dict[str, Any]:
        """Return what is known of a plan."""
        coming = self.coming(plan)
        registered = self.async_registered(plan)
        return {
            **plan.record(),
            "device_id": registered.id if registered else None,
            "status": self.status(plan),
            "next": coming and dt_util.as_local(coming.start).isoformat(),
            "action_id": self.action_of(plan),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return everything, for diagnostics."""
        return {
            "plans": [{**self.record(plan), "device": plan.device_id} for plan in self],
            "kept": self._records.as_dict(),
            "tried": {
                device_id: keeper.tries.as_dict()
                for device_id, keeper in self._keepers.items()
            },
        }

    # What a person does

    @callback
    def async_turn(self, plan: Plan, *, on: bool) -> None:
        """Switch a plan; one that is over begins anew."""
        changes: dict[str, Any] = {CONF_ENABLED: on}
        if on:
            if (other := overlapping(self, plan)) is not None:
                raise refused("plan_overlaps", plan.name, other=other.name)
            changes[CONF_LAST_DAY] = None
        self._async_update(plan, changes)

    @callback
    def async_skip(self, plan: Plan, day: date | None) -> date:
        """Leave out what begins on a day, or what comes next; return the day."""
        occurrence = next(
            (item for item in self.occurrences(plan) if day is None or item.day >= day),
            None,
        )
        if occurrence is not None and day is None and self._has_begun(plan, occurrence):
            occurrence = self.coming(plan)
        if occurrence is None or day not in (None, occurrence.day):
            raise refused("plan_not_then", plan.name)
        if self._has_begun(plan, occurrence):
            raise refused("plan_has_begun", plan.name)
        self._leave_out(plan, occurrence.day)
        return occurrence.day

    def _has_begun(self, plan: Plan, occurrence: Occurrence) -> bool:
        """Tell whether an occurrence is carried out already."""
        last = self._agenda.record(plan).last
        if last is not None and last >= occurrence.day:
            return True
        standing = self._records.standing.get(plan.device_id)
        return (
            standing is not None
            # Nobody may have told of it yet.
            and standing.is_for(plan, occurrence)
            and occurrence.start <= self._account.clock.now()
        )

    @callback
    def _leave_out(self, plan: Plan, day: date) -> None:
        self._async_update(
            plan,
            {CONF_SKIPPED: sorted(item.isoformat() for item in plan.skipped | {day})},
        )

    @callback
    def async_end_before(self, plan: Plan, day: date) -> None:
        """Let a plan end before a day; what would never come again is turned off."""
        first = next(self.occurrences(plan), None)
        if first is None or first.day >= day:
            self.async_turn(plan, on=False)
        else:
            last = (day - timedelta(days=1)).isoformat()
            self._async_update(plan, {CONF_LAST_DAY: last})

    @callback
    def async_cancelled(self, action_id: str) -> None:
        """Leave out an occurrence that a person cancelled by its action."""
        for device_id, standing in self._records.standing.items():
            if standing.action_id == action_id:
                plan = self.get(standing.plan_id)
                if plan is not None and plan.device_id == device_id:
                    self._leave_out(plan, standing.day)
                return

    @callback
    def _async_update(self, plan: Plan, changes: dict[str, Any]) -> None:
        subentry = self._entry.subentries[plan.id]
        yesterday = dt_util.as_local(self._account.clock.now()).date() - timedelta(2)
        data = {
            name: value
            for name, value in (subentry.data | changes).items()
            if value is not None
        }
        if CONF_SKIPPED in data:
            # What is over needs no more to be left out.
            data[CONF_SKIPPED] = [
                day for day in words(data[CONF_SKIPPED]) if day >= yesterday.isoformat()
            ]
        self._account.hass.config_entries.async_update_subentry(
            self._entry, subentry, data=data
        )

    # What changes

    @callback
    def _updated(self, _change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Take over what was changed, added or removed."""
        if entry.entry_id != self._entry.entry_id or not self._started:
            return
        before, self._plans = self._plans, self._read()
        if before == self._plans:
            return
        now = self._account.clock.now()
        devices: set[str] = set()
        for plan_id in before.keys() | self._plans.keys():
            old, new = before.get(plan_id), self._plans.get(plan_id)
            if old == new:
                continue
            devices |= {plan.device_id for plan in (old, new) if plan is not None}
            if new is None or not new.is_enabled:
                self._teller.async_forget(plan_id)
            if new is None:
                self._forget(plan_id)
            elif old is None or _is_new(old, new):
                # What was before is not missed.
                record = self._agenda.record(new)
                record.since, record.missed = now, 0
                if old is not None and _is_another(old, new):
                    # Nor does what was kept at another time count.
                    record.last = None
                if old is not None and old.device_id != new.device_id:
                    # Nor what the device does still that was its own.
                    self._leave_behind(old)
                self._records.memory.async_save()
                self._teller.async_forget(plan_id)
        self._look_for_devices()
        for device_id in devices:
            # What a person changed is tried at once.
            self._keeper(device_id).tries.end()
            self._keeper(device_id).async_start()
        self._changed.async_call()

    @callback
    def _leave_behind(self, plan: Plan) -> None:
        standing = self._records.standing.get(plan.device_id)
        if standing is not None and standing.plan_id == plan.id:
            standing.counts = False

    @callback
    def _forget(self, plan_id: str) -> None:
        self._records.plans.pop(plan_id, None)
        self._records.memory.async_save()
        self._teller.async_forget(plan_id)

    @callback
    def _reshaped(self, device_id: str, device: Device | None) -> None:
        """Go on with a device that comes, or wait for one that is gone."""
        if (keeper := self._keepers.get(device_id)) is None:
            return
        if device is None:
            keeper.async_stop()
            keeper.async_look()
        else:
            keeper.async_start()
        self._look_for_devices()

    @callback
    def _look_for_devices(self) -> None:
        """Ask for another device where one is gone for good, and would be needed."""
        for plan in self:
            is_there = not self.is_on(plan) or self.async_registered(plan) is not None
            self._teller.async_look_for_device(plan, is_there=is_there)

    @callback
    def _freed(self) -> None:
        """Look again where somebody is waited for, as what is planned changed."""
        for keeper in self._keepers.values():
            keeper.async_freed()

    @callback
    def _gone(self, device: Device, action_ids: tuple[str, ...]) -> None:
        if (keeper := self._keepers.get(device.id)) is not None:
            keeper.async_doubt(action_ids)

    @callback
    def _look_everywhere(self, _event: Event[Any]) -> None:
        for keeper in self._keepers.values():
            keeper.async_look()


def _is_new(old: Plan, new: Plan) -> bool:
    """Tell whether a plan has to be seen as another one from now on."""
    return (
        _is_another(old, new)
        or (new.is_enabled and not old.is_enabled)
        or old.last_day != new.last_day
    )


def _is_another(old: Plan, new: Plan) -> bool:
    """Tell whether a plan says another thing than before."""
    return (old.device_id, old.command, old.times) != (
        new.device_id,
        new.command,
        new.times,
    )
