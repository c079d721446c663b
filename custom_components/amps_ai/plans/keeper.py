"""Keeping: of a device's plans, the next occurrence stands at Amps AI.

What stands there is carried out whether Home Assistant runs or not. A keeper looks
when something has changed or is due, and asks nothing else.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from homeassistant.core import CALLBACK_TYPE, HassJob, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later

from ..account import AmpsAccount
from ..api import (
    Action,
    ActionState,
    AmpsDeviceNotFoundError,
    AmpsError,
    AmpsUnknownOutcomeError,
    Device,
)
from ..api.commands import FARTHEST
from ..common.const import LOGGER
from ..common.errors import action_error
from ..common.words import told
from ..pushes import ANOTHER_ZONE, InTheWayError, PushManager
from ..pushes.sending import TOLERANCE
from ..readings import Coordinators, Ends, Schedule
from .agenda import Agenda
from .plan import Plan
from .records import Records, Standing
from .telling import PlanTeller
from .times import Occurrence
from .tries import Tries

# So long after its start, an action that nobody told of is looked for.
_LOST: Final = timedelta(minutes=4)
# What was looked for in vain so long after its end is given up.
_GIVEN_UP: Final = timedelta(days=1)
# So many actions are looked through for one whose answer was lost.
_NEWEST: Final = 50
# So far ahead is planned, which the API takes.
_FARTHEST: Final = FARTHEST - timedelta(hours=1)
# It is looked so often in any case: somebody may have set the clock.
_AT_LEAST: Final = timedelta(hours=1)


class Parts(NamedTuple):
    """What the keepers of an account work with."""

    account: AmpsAccount
    coordinators: Coordinators
    ends: Ends
    schedule: Schedule
    pushes: PushManager
    records: Records
    agenda: Agenda
    teller: PlanTeller


class Keeper:
    """Keep the plans of one device."""

    def __init__(
        self,
        parts: Parts,
        device_id: str,
        plans: Callable[[], list[Plan]],
        changed: CALLBACK_TYPE,
    ) -> None:
        """Begin; `plans` tells those of the device that are on."""
        self.device_id = device_id
        self._parts = parts
        self._account = parts.account
        self._clock = parts.account.clock
        self._agenda = parts.agenda
        self._plans = plans
        self._changed = changed
        self._is_working = False
        self._again = False
        self._stop_timer: CALLBACK_TYPE | None = None
        self._stop_listening: CALLBACK_TYPE = lambda: None
        # Whether what stands has to be asked for, to know that it does.
        self._in_doubt = True
        # Whether what is under way was waited for already.
        self._waited = False
        self.tries = Tries(parts.account.clock)
        # What somebody else planned, and stands in the way.
        self.others: tuple[Action, ...] = ()

    # What is known

    @property
    def standing(self) -> Standing | None:
        """Return what was pushed and has not ended."""
        return self._parts.records.standing.get(self.device_id)

    @callback
    def _async_stand(
        self, standing: Standing | None, action_id: str | None = None
    ) -> None:
        if standing is None:
            self._parts.records.standing.pop(self.device_id, None)
        else:
            self._parts.records.standing[self.device_id] = standing
            if action_id is not None:
                standing.action_id = action_id
                self._parts.teller.async_stands(standing)
                self._in_doubt = False
        self._parts.records.memory.async_save()

    @property
    def target(self) -> tuple[Plan, Occurrence] | None:
        """Return what is to stand at Amps AI."""
        return self._agenda.target(self._plans(), self.standing)

    # When to look

    @callback
    def async_start(self) -> None:
        """Listen for the ends of the device's actions, and look."""
        self._stop_listening()
        self._stop_listening = self._parts.pushes.teller.async_listen(
            self.device_id, self._ended
        )
        self.async_look()

    @callback
    def async_stop(self) -> None:
        """Look no more; what stands at Amps AI goes on to do so."""
        self._stop_listening()
        self._stop_listening = lambda: None
        if self._stop_timer is not None:
            self._stop_timer()
            self._stop_timer = None

    @callback
    def async_freed(self) -> None:
        """Look, as what was in the way may have gone."""
        if self.tries.code == InTheWayError.code:
            self.tries.go_on()
        self.async_look()

    @callback
    def async_doubt(self, action_ids: tuple[str, ...]) -> None:
        """Look for what is not planned any more, though it has not begun."""
        standing = self.standing
        if standing is not None and standing.action_id in action_ids:
            self._in_doubt = True
            self.async_look()

    @callback
    def async_look(self, _now: datetime | None = None) -> None:
        """Look what is to be done, in the background."""
        if self._is_working:
            self._again = True
            return
        if self._account.has_ended():
            return
        self._is_working = True
        self._account.entry.async_create_background_task(
            self._account.hass, self._async_work(), name="Amps AI plans"
        )

    async def _async_work(self) -> None:
        try:
            self._again = True
            while self._again:
                self._again = False
                await self._async_step()
        finally:
            self._is_working = False
        self._set_timer()
        self._changed()

    @callback
    def _set_timer(self) -> None:
        """Look again when something is due."""
        if self._stop_timer is not None:
            self._stop_timer()
            self._stop_timer = None
        if self._account.has_ended():
            return
        now = self._clock.now()
        due: list[datetime] = []
        if (standing := self.standing) is not None:
            due += [_lost_at(standing), standing.end]
        for plan in self._plans():
            if (occurrence := next(self._agenda.open(plan, now), None)) is not None:
                due += [occurrence.start, occurrence.end, occurrence.start - _FARTHEST]
        if self.tries.again_at is not None:
            due.append(self.tries.again_at)
        if not due:
            return
        at = min((at for at in due if at > now), default=now + _AT_LEAST)
        self._stop_timer = async_call_later(
            self._account.hass,
            self._clock.seconds_until(min(at, now + _AT_LEAST)) + 1,
            HassJob(self.async_look, cancel_on_shutdown=True),
        )

    # What is done

    async def _async_step(self) -> None:
        device = self._parts.coordinators.device(self.device_id)
        if device is not None and (standing := self.standing) is not None:
            await self._async_find(device, standing)
        self._settle()
        target = self.target
        standing = self.standing
        self.others = ()
        if device is None:
            self._parts.teller.async_waits_no_more(self.device_id)
            return
        if standing is not None and standing.action_id is not None:
            if target is None or not standing.is_for(*target):
                await self._async_take_back(device, standing)
        elif standing is None and target is not None:
            await self._async_plan(device, *target)
        if not self.others:
            self._parts.teller.async_waits_no_more(self.device_id)

    async def _async_find(self, device: Device, standing: Standing) -> None:
        """Find out about what was pushed, where that is not known."""
        now = self._clock.now()
        if standing.action_id is None:
            if not self.tries.is_pause:
                await self._async_find_lost(device, standing)
            return
        ends = self._parts.ends.of(device.id)
        if standing.action_id in ends.told:
            self._take_end(
                device,
                Action(id=standing.action_id, state=ends.told[standing.action_id]),
            )
            return
        late = now > _lost_at(standing)
        if (self._in_doubt or late) and not self.tries.is_pause:
            await self._async_ask(device, standing, standing.action_id)

    async def _async_ask(
        self, device: Device, standing: Standing, action_id: str
    ) -> None:
        """Ask what became of the action that stands."""
        try:
            action = await self._account.client.async_get_action(action_id)
        except AmpsDeviceNotFoundError:
            self._async_stand(None)
            return
        except AmpsError as err:
            self._asked_in_vain(standing, err)
            return
        self._in_doubt = False
        self.tries.go_on()
        # Nobody may have heard of its end yet.
        await self._parts.pushes.async_found(device, action)
        if self.standing is standing:
            if action.is_final:
                self._take_end(device, action)
            elif self._clock.now() > _lost_at(standing):
                self.tries.pause(standing.start)
        self._give_up(standing)

    async def _async_find_lost(self, device: Device, standing: Standing) -> None:
        """Look whether what was pushed was taken, as no answer came."""
        try:
            actions = await self._account.client.async_list_actions(
                device_id=device.id, limit=_NEWEST
            )
        except AmpsError as err:
            self._asked_in_vain(standing, err)
            return
        self.tries.go_on()
        for action in actions:
            if standing.is_action(action):
                self._async_stand(standing, action.id)
                await self._parts.pushes.async_found(device, action)
                self._again = True
                return
        self._async_stand(None)

    @callback
    def _asked_in_vain(self, standing: Standing, err: AmpsError) -> None:
        self._account.limits.refused(err)
        LOGGER.debug("Looking for what %s planned failed: %s", standing.name, err)
        self.tries.pause(standing.start)
        self._give_up(standing)

    @callback
    def _give_up(self, standing: Standing) -> None:
        """Count as lost what nobody could tell of for a day."""
        if self.standing is standing and self._clock.now() > standing.end + _GIVEN_UP:
            self._async_stand(None)

    @callback
    def _settle(self) -> None:
        """Tell what was missed."""
        for plan in self._plans():
            for occurrence in self._agenda.missed(plan, self.standing):
                self._parts.teller.async_missed(
                    plan,
                    occurrence,
                    self._agenda.record(plan).missed,
                    *self.tries.trouble(plan.id, occurrence.day),
                )

    async def _async_take_back(self, device: Device, standing: Standing) -> None:
        """Take away what is planned and not wanted any more."""
        if standing.action_id is None or self.tries.is_pause:
            return
        try:
            gone = await self._parts.pushes.async_take_back(device, standing.action_id)
        except HomeAssistantError as err:
            LOGGER.debug("Taking back what %s planned failed: %s", standing.name, err)
            self.tries.pause(standing.start)
            return
        self.tries.go_on()
        if gone:
            if self.standing is standing:
                self._async_stand(None)
            self._again = True
        else:
            # It has begun, or is not there any more.
            self._in_doubt = True
            self.tries.pause(standing.start)

    async def _async_plan(
        self, device: Device, plan: Plan, occurrence: Occurrence
    ) -> None:
        """Have an occurrence stand at Amps AI, unless something is in the way."""
        now = self._clock.now()
        self.tries.begin((plan.id, occurrence.day))
        if occurrence.start - now > _FARTHEST:
            return
        self.others = tuple(self._others(device, now))
        if self.others:
            for action in self.others:
                if plan.is_action(action, occurrence):
                    self._adopt(plan, occurrence, action)
                    return
            self.tries.in_the_way(InTheWayError.code)
            self._parts.teller.async_waits(device, plan, self.others[0])
            return
        if self.tries.is_pause:
            return
        if (wait := self._account.limits.remaining) and occurrence.start > now:
            self.tries.wait_until(now + timedelta(seconds=wait))
            return
        standing = Standing.of(plan, occurrence, now)
        self._async_stand(standing)
        # Before it is pushed: a restart meanwhile must not push it again.
        await self._parts.records.async_save_now()
        if self.target != (plan, occurrence):
            # Somebody was quicker, or changed it.
            self._async_stand(None)
            self._again = True
            return
        try:
            action = await self._parts.pushes.async_plan(
                device,
                plan.push(device, occurrence, now),
                # What is under way for ever is the API's to tell.
                waits=not self._waited,
            )
        except InTheWayError as err:
            self._async_stand(None)
            self._waited = not err.is_planned
            self.tries.failed(occurrence.start, err.code, None)
            if err.is_planned:
                # Who it is, the schedule says.
                await self._parts.schedule.async_ask(device)
                self._again = any(self._others(device, now))
        except HomeAssistantError as err:
            self._refused(device, plan, occurrence, err)
        else:
            self._async_stand(standing, action.id)
            self._waited = False
            self._parts.teller.async_taken(plan.id)
            self.tries.taken()
            # It may have ended before its reply came.
            self._again = True

    @callback
    def _refused(
        self,
        device: Device,
        plan: Plan,
        occurrence: Occurrence,
        err: HomeAssistantError,
    ) -> None:
        """Take note that an occurrence was not taken, or that nobody knows."""
        if self._account.has_ended():
            # The next run looks what became of it.
            return
        cause = err.__cause__
        if not isinstance(cause, AmpsUnknownOutcomeError):
            self._async_stand(None)
        LOGGER.debug("The plan %s was not taken: %s", plan.name, err)
        code = getattr(cause, "code", None) or err.translation_key
        words = told(self._account.hass, err)
        self.tries.failed(occurrence.start, code, words)
        if err.translation_key == ANOTHER_ZONE:
            # It will be understood so every time.
            self.tries.wait_until(occurrence.end)
            if plan in self._plans():
                # It may have been deleted or changed meanwhile.
                self._parts.teller.async_another_zone(device, plan, words)

    # What others planned

    def _others(self, device: Device, now: datetime) -> Iterator[Action]:
        """Go through what is planned for a device and is not ours."""
        ended = self._parts.ends.of(device.id).told
        for action in self._parts.schedule.of(device):
            if action.state == ActionState.SCHEDULED and action.id not in ended:
                if action.start is not None and action.start > now:
                    yield action

    @callback
    def _adopt(self, plan: Plan, occurrence: Occurrence, action: Action) -> None:
        """Take what is planned already for an occurrence: ours, and forgotten."""
        self.others = ()
        self.tries.taken()
        standing = Standing.of(plan, occurrence, self._clock.now())
        self._async_stand(standing, action.id)

    # How it ended

    @callback
    def _ended(self, action: Action) -> None:
        """Take the end of any action of the device."""
        standing = self.standing
        if standing is not None and standing.action_id == action.id:
            device = self._parts.coordinators.device(self.device_id)
            if device is not None:
                self._take_end(device, action)
        elif action.state == ActionState.COMPLETED:
            self._take_help(action)
        self.async_freed()

    @callback
    def _take_end(self, device: Device, action: Action) -> None:
        """Take the end of what stood."""
        if (standing := self.standing) is None:
            return
        self._async_stand(None)
        self._again = True
        if not standing.counts:
            return
        if action.state == ActionState.COMPLETED:
            plan = next((p for p in self._plans() if p.id == standing.plan_id), None)
            if plan is None or self._agenda.is_then(plan, standing):
                self._kept(standing.plan_id, standing.day)
        elif action.state == ActionState.FAILED:
            name = self._account.async_spoken_name(device)
            self.tries.begin((standing.plan_id, standing.day))
            self.tries.failed(
                standing.start,
                action.error_code,
                told(self._account.hass, action_error(action, name)),
            )
        else:
            self.tries.displaced(standing.start)

    @callback
    def _take_help(self, action: Action) -> None:
        """Take what somebody else did for an occurrence that had failed.

        Who clears the manufacturer's schedule in the repair sends the command again.
        """
        if (target := self.target) is None or action.end is None:
            return
        plan, occurrence = target
        if (
            action.command == plan.command
            and occurrence.start <= self._clock.now()
            and abs(action.end - occurrence.end) < TOLERANCE
        ):
            self._kept(plan.id, occurrence.day)

    @callback
    def _kept(self, plan_id: str, day: date) -> None:
        self.tries.end()
        if (record := self._parts.records.plans.get(plan_id)) is not None:
            self._agenda.async_kept(record, day)
            self._parts.teller.async_kept(plan_id)


def _lost_at(standing: Standing) -> datetime:
    """Return when the end of what stands should have been told."""
    return max(standing.start, standing.sent) + _LOST
