"""Actions that tell of plans, or leave one out."""

from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.core import ServiceCall, ServiceResponse

from ..common.errors import refused
from ..plans import Plan
from .fields import ATTR_DATE, ATTR_PLAN
from .permission import async_check
from .whose import Whose, whose_of


def _plans(whose: Whose) -> list[Plan]:
    """Return the plans that a call is about."""
    return [
        plan
        for plan in whose.entry.runtime_data.plans
        if whose.device is None or plan.device_id == whose.device.id
    ]


async def _async_check(
    call: ServiceCall, whose: Whose, plans: list[Plan], policy: str
) -> None:
    runtime = whose.entry.runtime_data
    devices = {
        device.id: device
        for plan in plans
        if (device := runtime.plans.device(plan)) is not None
    }
    await async_check(call, whose.entry, devices.values(), policy)


async def async_list_plans(call: ServiceCall) -> ServiceResponse:
    """Return the plans, and when they come next."""
    whose = whose_of(call)
    plans = _plans(whose)
    await _async_check(call, whose, plans, POLICY_READ)
    record = whose.entry.runtime_data.plans.record
    return {"plans": [record(plan) for plan in plans]}


async def async_skip_plan(call: ServiceCall) -> ServiceResponse:
    """Leave out one time of a plan."""
    whose = whose_of(call)
    wanted: str = call.data[ATTR_PLAN]
    plans = _plans(whose)
    found = [plan for plan in plans if plan.id == wanted] or [
        plan for plan in plans if plan.name.casefold() == wanted.strip().casefold()
    ]
    if not found:
        raise refused("plan_unknown", whose.name, plan=wanted)
    if len(found) > 1:
        raise refused("plan_ambiguous", whose.name, plan=wanted)
    (plan,) = found
    await _async_check(call, whose, found, POLICY_CONTROL)
    kept = whose.entry.runtime_data.plans
    day = kept.async_skip(plan, call.data.get(ATTR_DATE))
    return {"plan": kept.record(kept.get(plan.id) or plan), "skipped": day.isoformat()}
