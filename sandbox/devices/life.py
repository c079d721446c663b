"""The life of an action, and what two of them on one device do to each other."""

from collections.abc import Callable
from typing import Final

from sandbox.errors import ApiError

from .actions import Action, Outcome, Push
from .device import Device

SCHEDULER_ACTIVE: Final = Outcome(
    state="failed",
    code="SCHEDULER_ACTIVE",
    message="Native scheduler is active; clear it before issuing a direct command.",
)


def submit(
    device: Device, push: Push, action_id: str, now: float, strategies: list[str]
) -> Action:
    """Take a push on, or refuse it because of the actions before it."""
    waits_for = _settle_conflict(device, push, now, strategies)
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
            f"Action is {action.state}; only scheduled actions can be cancelled.",
            {"actionId": action.id, "state": action.state},
        )
    action.enter("cancelled", at)
    _end(device, action, at)


def _settle_conflict(
    device: Device, push: Push, now: float, strategies: list[str]
) -> list[Action]:
    """Make room for a push; return the actions it has to wait for."""
    open_ones = [a for a in device.actions if not a.over]
    flying = [a for a in open_ones if a.state == "acknowledged"]
    waiting = [a for a in open_ones if a.state == "scheduled"]
    if not flying and not waiting:
        return []
    if push.on_conflict == "queue_after" and "queue_after" in strategies:
        return open_ones
    if flying:
        raise _conflict(flying, [])
    if push.on_conflict not in strategies:
        raise _conflict(waiting, strategies)
    for action in waiting:
        cancel(device, action, now)
    return []


def _conflict(actions: list[Action], strategies: list[str]) -> ApiError:
    """Return the error that names the actions in the way."""
    return ApiError(
        "CONFLICT",
        "A conflicting action is pending for this device.",
        {
            "conflictingActionIds": [action.id for action in actions],
            "strategies": strategies,
        },
    )


def _outcome(device: Device, push: Push) -> Outcome:
    """Return how the next action on a device ends."""
    ordered = device.take_next_outcome()
    if device.native_scheduler:
        if push.on_conflict != "cancel_and_replace":
            return SCHEDULER_ACTIVE
        device.native_scheduler = False
    if ordered is None and device.transient_fault is not None:
        return Outcome(
            state="failed",
            code=device.transient_fault,
            message="The manufacturer could not be reached.",
        )
    return ordered or Outcome()


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
    return "Mode applied"
