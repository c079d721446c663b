"""The life of an action, and what two of them on one device do to each other."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sandbox.errors import ApiError
from sandbox.values import Json, iso

from .actions import Action, Outcome, Push
from .device import Device

# What stands in the manufacturer's own scheduler, by the reason that is told.
SCHEDULER_ROWS: Final = {
    "owner_schedule": "rows of the owner's app",
    "third_party_schedule": "rows of a third party",
    "earlier_action": "rows of an earlier action",
}


def submit(device: Device, push: Push, action_id: str, now: float) -> Action:
    """Take a push on, or refuse it because of the actions before it."""
    push, waits_for = _make_room(device, push, now)
    action = Action(
        id=action_id,
        device_id=device.id,
        kind=device.kind,
        push=push,
        created=now,
        updated=now,
        outcome=_outcome(device, push),
        waits_for=waits_for,
    )
    device.actions.append(action)
    if waits_for or push.start is not None:
        action.enter("scheduled", now)
        if push.start is not None:
            _at(device, push.start, lambda at: _begin(device, action, at))
    else:
        _begin(device, action, now)
    return action


def cancel(device: Device, action: Action, at: float) -> None:
    """Cancel an action that has not begun."""
    if action.state != "scheduled":
        raise ApiError(
            "ACTION_NOT_CANCELLABLE",
            f"Action in state '{action.state}' cannot be cancelled",
        )
    if action.push.older is None:
        action.completed = at
    action.enter("cancelled", at)
    _end(device, action, at)


def _make_room(device: Device, push: Push, now: float) -> tuple[Push, list[Action]]:
    """Return a push as it can be done, and the actions it has to wait for."""
    lenient = device.home.lenient
    in_the_way = [a for a in device.actions if a.state in ("scheduled", "acknowledged")]
    if "overlap" in lenient:
        in_the_way = [
            a
            for a in in_the_way
            if a.state == "acknowledged" or _touch(a.push, push, now)
        ]
    if not in_the_way:
        return push, []
    flying = [a for a in in_the_way if a.state == "acknowledged"]
    if push.on_conflict == "queue_after":
        before = [a for a in device.actions if not a.over]
        if "queue" in lenient or push.older is not None:
            return push, before
        return _behind(push, in_the_way, now), before
    if flying:
        raise _conflict(
            "The conflicting action is already in progress and cannot be cancelled. "
            "Wait for it to complete or fail.",
            flying,
        )
    if push.on_conflict is None:
        raise _conflict(
            "A conflicting action is already pending for this device. Provide "
            "onConflict to resolve automatically, or cancel the existing action.",
            in_the_way,
            reason="no_strategy_supplied",
            strategies=device.taken_strategies,
        )
    for action in in_the_way:
        cancel(device, action, now)
    return push, []


def _behind(push: Push, in_the_way: list[Action], now: float) -> Push:
    """Return a push that begins where those in the way end."""
    ends = [a.push.end for a in in_the_way if a.push.end is not None]
    if len(ends) < len(in_the_way):
        raise _conflict(
            "There is nothing to queue behind: the conflicting action has no end.",
            [a for a in in_the_way if a.push.end is None],
            reason="no_end",
        )
    start = max(now, *ends)
    if push.end is not None and push.end <= start:
        raise ApiError(
            "INVALID_TIME_WINDOW",
            "`end` must be after the end of the action in the way.",
            {"start": iso(start), "end": iso(push.end)},
        )
    return replace(push, start=start)


def _touch(one: Push, other: Push, now: float) -> bool:
    """Whether the times of two pushes touch; one without an end is a moment."""
    spans = []
    for push in (one, other):
        begin = now if push.start is None else push.start
        spans.append((begin, begin + 1 if push.end is None else push.end))
    (begin, end), (start, stop) = spans
    return max(begin, start) < min(end, stop)


def _conflict(
    message: str,
    actions: list[Action],
    *,
    reason: str | None = None,
    strategies: list[str] | None = None,
) -> ApiError:
    """Return the error that names the actions in the way."""
    details: Json = {} if reason is None else {"reason": reason}
    details["conflictingActionIds"] = [action.id for action in actions]
    if strategies is not None:
        details["strategies"] = strategies
    return ApiError("CONFLICT", message, details)


def _outcome(device: Device, push: Push) -> Outcome:
    """Return how the next action on a device ends."""
    ordered = device.take_next_outcome()
    reason = device.native_scheduler
    if reason in SCHEDULER_ROWS and push.end is None:
        # As documented, only a window is looked at with the scheduler's eyes.
        reason = False
    if reason:
        if push.on_conflict != "cancel_and_replace":
            return _scheduler_active(reason)
        device.native_scheduler = False
    if ordered is None and device.transient_fault is not None:
        return Outcome(
            state="failed",
            code=device.transient_fault,
            message="The manufacturer could not be reached.",
        )
    return ordered or Outcome()


def _scheduler_active(reason: bool | str) -> Outcome:
    """Return the end of an action that the manufacturer's scheduler forbids."""
    message = "Native scheduler is active"
    if isinstance(reason, str):
        message += f" ({SCHEDULER_ROWS.get(reason, reason)})"
    return Outcome(
        state="failed",
        code="SCHEDULER_ACTIVE",
        message=f"{message}; clear it before issuing a direct command.",
        reason=reason if isinstance(reason, str) else None,
    )


def _at(device: Device, at: float, call: Callable[[float], None]) -> None:
    """Have something happen when the clock gets there."""
    device.home.agenda.add(at, call)


def _begin(device: Device, action: Action, at: float) -> None:
    """Hand an action to the manufacturer, unless others are still before it."""
    start, end = action.push.start, action.push.end
    if action.state != "scheduled" or (start is not None and at < start):
        return
    if any(not other.over for other in action.waits_for):
        return
    if end is not None and at >= end:
        # It waited for others until its window was over.
        action.error_code = "TIMEOUT"
        action.error_message = "The window was over before the action could begin."
        action.enter("failed", at)
        _end(device, action, at)
        return
    action.acknowledged = at
    action.enter("acknowledged", at)
    if device.home.at_once and action.outcome.state == "completed":
        _apply(device, action, at)
    seconds = action.outcome.seconds
    if seconds is None:
        seconds = device.action_seconds
    if seconds is None:
        seconds = device.home.action_seconds
    _at(device, at + seconds, lambda then: _finish(device, action, then))


def _finish(device: Device, action: Action, at: float) -> None:
    """End an action that is in flight."""
    if action.state != "acknowledged":
        return
    outcome = action.outcome
    if outcome.state == "completed":
        _apply(device, action, at)
        action.completed = at
        action.result = {"success": True, "message": _praise(action)}
    else:
        action.error_code = outcome.code or "UNKNOWN_ERROR"
        action.error_message = outcome.message or "The manufacturer refused."
        if outcome.reason is not None:
            action.result = {"success": False, "reason": outcome.reason}
    action.enter(outcome.state, at)
    end = action.push.end
    if outcome.state != "completed" or end is None or end <= at:
        if end is not None:
            _revert(device, action, at)
        _end(device, action, at)
        return
    _at(device, end, lambda then: _close(device, action, then))
    device.tell(f"push.{action.state}", action, at)


def _close(device: Device, action: Action, at: float) -> None:
    """Close a window."""
    _revert(device, action, at)
    action.over = True
    _release(device, at)


def _apply(device: Device, action: Action, at: float) -> None:
    """Let the command work on the device."""
    if action.applied:
        return
    action.applied = True
    push = action.push
    device.physics.advance(at)
    if push.setting is not None:
        device.write_setting(push.setting, push.values["value"])
    else:
        action.before = device.physics.standing()
        device.physics.command(push.command, push.values)
        device.standing_action = action
        # A newer command ends the windows of those before it.
        for other in device.actions:
            if other is not action and other.state == "completed":
                other.over = True
    device.show_at_once(at)


def _revert(device: Device, action: Action, at: float) -> None:
    """Go back to what stood before a window, unless something newer stands."""
    if not action.applied or device.standing_action is not action:
        return
    device.physics.advance(at)
    device.physics.restore(action.before)
    device.standing_action = None
    device.show_at_once(at)


def _end(device: Device, action: Action, at: float) -> None:
    """Note that an action is over, and let those begin that waited for it."""
    action.over = True
    device.tell(f"push.{action.state}", action, at)
    _release(device, at)


def _release(device: Device, at: float) -> None:
    """Begin what waited for others to end."""
    for action in tuple(device.actions):
        if action.state == "scheduled" and action.waits_for:
            _begin(device, action, at)


def _praise(action: Action) -> str:
    """Return the message of a result."""
    if action.push.setting is not None:
        return "Power cap applied"
    if action.push.older == "set_permanent_hold":
        return "Hold applied"
    return "Mode applied"
