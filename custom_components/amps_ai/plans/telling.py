"""Telling of plans: what was missed, and what a person has to decide or to mend."""

from typing import Final

from homeassistant.core import callback

from ..account import AmpsAccount
from ..api import Action, Device
from ..common import issues
from ..common.const import EVENT_ACTION, STATE_MISSED
from ..common.names import given_name
from ..common.words import command_name
from .plan import Plan
from .records import Standing
from .times import Occurrence

# So many in a row are worth a repair.
_IN_A_ROW: Final = 2
# So many actions are known by their plan.
_REMEMBERED: Final = 100


class PlanTeller:
    """Tell everybody how the plans of an account fare."""

    def __init__(self, account: AmpsAccount) -> None:
        """Begin with nothing told."""
        self._account = account
        self._hass = account.hass
        # Of actions: the plan that they stand for, and what it was called.
        self._known: dict[str, tuple[str, str]] = {}

    @callback
    def async_stands(self, standing: Standing) -> None:
        """Remember which plan an action stands for, also once it has ended."""
        if standing.action_id is not None:
            self._known[standing.action_id] = (standing.plan_id, standing.name)
            if len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]

    @callback
    def async_name_of(self, action_id: str) -> str | None:
        """Return the name of the plan that an action stands for."""
        known = self._known.get(action_id)
        return known and known[1]

    @callback
    def async_plan_of(self, action_id: str) -> str | None:
        """Return the plan that an action stands for."""
        known = self._known.get(action_id)
        return known and known[0]

    @callback
    def async_missed(
        self,
        plan: Plan,
        occurrence: Occurrence,
        count: int,
        code: str | None,
        words: str | None,
    ) -> None:
        """Tell that an occurrence is over and was not carried out."""
        registered = self._account.async_registered(plan.device_id)
        self._hass.bus.async_fire(
            EVENT_ACTION,
            {
                "device_id": registered.id if registered else None,
                "action_id": None,
                "command": plan.command,
                "state": STATE_MISSED,
                "error": code,
                "plan": plan.name,
                "start": occurrence.start.isoformat(),
            },
        )
        if count >= _IN_A_ROW and registered is not None:
            issues.async_plan_missed(
                self._hass,
                self._account.entry,
                plan.id,
                plan.name,
                given_name(registered) or "-",
                occurrence.start,
                count,
                words or code or "-",
            )

    @callback
    def async_kept(self, plan_id: str) -> None:
        """Take back what was told: an occurrence was carried out."""
        issues.async_plan_kept(self._hass, plan_id)

    @callback
    def async_taken(self, plan_id: str) -> None:
        """Take back that the clocks of the plant show another time."""
        issues.async_plan_same_zone(self._hass, plan_id)

    @callback
    def async_another_zone(self, device: Device, plan: Plan, words: str) -> None:
        """Tell that the clocks of the plant show another time."""
        name = self._account.async_spoken_name(device)
        issues.async_plan_another_zone(
            self._hass, self._account.entry, plan.id, plan.name, name, words
        )

    @callback
    def async_waits(self, device: Device, plan: Plan, other: Action) -> None:
        """Tell what a plan waits for, as it is somebody else's."""
        name = self._account.async_spoken_name(device)
        command = command_name(self._hass, other.command, device.type)
        issues.async_plan_waits(
            self._hass, self._account.entry, device.id, name, plan.name, command, other
        )

    @callback
    def async_waits_no_more(self, device_id: str) -> None:
        """Take that back."""
        issues.async_plan_waits_no_more(self._hass, device_id)

    @callback
    def async_look_for_device(self, plan: Plan, *, is_there: bool) -> None:
        """Ask for another device where a plan's is not there any more."""
        if is_there:
            issues.async_plan_has_device(self._hass, plan.id)
        else:
            issues.async_plan_without_device(
                self._hass, self._account.entry, plan.id, plan.name
            )

    @callback
    def async_forget(self, plan_id: str) -> None:
        """Close what is open for a plan that is not, or not now."""
        issues.async_forget_plan(self._hass, plan_id)
