"""The life of an action, and what two of them on one device do to each other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .errors import ApiError
from .values import Json, iso, maybe_iso

if TYPE_CHECKING:
    from .devices import Device


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an action is going to end."""

    state: str = "completed"
    code: str | None = None
    message: str | None = None
    seconds: float | None = None


SCHEDULER_ACTIVE: Final = Outcome(
    state="failed",
    code="SCHEDULER_ACTIVE",
    message="Native scheduler is active; clear it before issuing a direct command.",
)


@dataclass(frozen=True, kw_only=True)
class Push:
    """A push that was found to be right for its device."""

    command: str
    parameters: Json | None
    values: dict[str, float]
    start: float | None = None
    end: float | None = None
    on_conflict: str | None = None
    # What an older body calls it, and the setting it writes where it is no command.
    older: str | None = None
    setting: str | None = None


@dataclass(eq=False, kw_only=True)
class Action:
    """One action, and the states it has been in."""

    id: str
    device: Device
    push: Push
    created: float
    outcome: Outcome
    state: str = "scheduled"
    updated: float
    acknowledged: float | None = None
    completed: float | None = None
    result: Json | None = None
    error_code: str | None = None
    error_message: str | None = None
    waits_for: list[Action] = field(default_factory=list)
    # The command that stood before, to which a window reverts.
    before: Any = None
    applied: bool = False
    over: bool = False
    history: list[tuple[float, str]] = field(default_factory=list)

    def enter(self, state: str, at: float) -> None:
        """Enter a state."""
        self.state = state
        self.updated = at
        self.history.append((at, state))

    @property
    def links(self) -> Json:
        """Where the action is found."""
        return {"self": f"/actions/{self.id}"}

    def reply(self) -> Json:
        """Return what a push is answered with."""
        push = self.push
        if push.older is not None:
            body: Json = {
                "actionId": self.id,
                "state": self.state,
                "type": f"{self.device.kind.path}:{push.older}",
                "createdAt": iso(self.created),
            }
            if push.start is not None:
                body["start"] = iso(push.start)
            return body
        body = {
            "id": self.id,
            "deviceId": self.device.id,
            "deviceType": self.device.kind.type,
            "command": push.command,
            "parameters": push.parameters or None,
            "state": self.state,
            "createdAt": iso(self.created),
            "start": maybe_iso(push.start),
        }
        if push.end is not None:
            body["end"] = iso(push.end)
        body["links"] = self.links
        return body

    def record(self) -> Json:
        """Return the whole record, as `/actions/{id}` answers it."""
        push = self.push
        body: Json = {"id": self.id, "deviceId": self.device.id}
        if push.older is not None:
            body["type"] = f"{self.device.kind.path}:{push.older}"
        else:
            body["deviceType"] = self.device.kind.type
            body["command"] = push.command
            body["parameters"] = push.parameters or None
        body["state"] = self.state
        if push.older is not None:
            body["parameters"] = push.parameters or None
        body |= {
            "result": self.result,
            "errorCode": self.error_code,
            "errorMessage": self.error_message,
            "createdAt": iso(self.created),
            "updatedAt": iso(self.updated),
            "acknowledgedAt": maybe_iso(self.acknowledged),
            "completedAt": maybe_iso(self.completed),
        }
        if push.older is None:
            body["start"] = maybe_iso(push.start)
            body["end"] = maybe_iso(push.end)
            body["links"] = self.links
        elif push.start is not None:
            body["start"] = iso(push.start)
        return body

    def summary(self, at: float) -> Json | None:
        """Return the `lastAction` of a device, as it was known at a moment."""
        known = [entry for entry in self.history if entry[0] <= at]
        if not known:
            return None
        updated, state = known[-1]
        body: Json = {
            "id": self.id,
            "command": self.push.command,
            "state": state,
            "createdAt": iso(self.created),
            "updatedAt": iso(updated),
        }
        if state == "failed":
            body["errorCode"] = self.error_code
            body["errorMessage"] = self.error_message
        body["links"] = self.links
        return body


def submit(
    device: Device, push: Push, action_id: str, now: float, strategies: list[str]
) -> Action:
    """Take a push on, or refuse it because of the actions before it."""
    open_ones = [a for a in device.actions if not a.over]
    waits_for = _settle_conflict(push, open_ones, now, strategies)
    action = Action(
        id=action_id,
        device=device,
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
            _at(action, push.start, lambda at: _begin(action, at))
    else:
        _begin(action, now)
    return action


def cancel(action: Action, at: float) -> None:
    """Cancel an action that has not begun."""
    if action.state != "scheduled":
        raise ApiError(
            "ACTION_NOT_CANCELLABLE",
            f"Action is {action.state}; only scheduled actions can be cancelled.",
            {"actionId": action.id, "state": action.state},
        )
    action.enter("cancelled", at)
    _end(action, at)


def _settle_conflict(
    push: Push, open_ones: list[Action], now: float, strategies: list[str]
) -> list[Action]:
    """Make room for a push; return the actions it has to wait for."""
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
        cancel(action, now)
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


def _at(action: Action, at: float, call: Callable[[float], None]) -> None:
    """Have something happen when the clock gets there."""
    action.device.home.agenda.add(at, call)


def _begin(action: Action, at: float) -> None:
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
        _end(action, at)
        return
    device = action.device
    action.acknowledged = at
    action.enter("acknowledged", at)
    if device.home.at_once and action.outcome.state == "completed":
        _apply(action, at)
    seconds = action.outcome.seconds
    if seconds is None:
        seconds = device.action_seconds
    if seconds is None:
        seconds = device.home.action_seconds
    _at(action, at + seconds, lambda then: _finish(action, then))


def _finish(action: Action, at: float) -> None:
    """End an action that is in flight."""
    if action.state != "acknowledged":
        return
    outcome = action.outcome
    if outcome.state == "completed":
        _apply(action, at)
        action.completed = at
        action.result = {"success": True, "message": _praise(action)}
    else:
        action.error_code = outcome.code or "UNKNOWN_ERROR"
        action.error_message = outcome.message or "The manufacturer refused."
    action.enter(outcome.state, at)
    end = action.push.end
    if outcome.state != "completed" or end is None or end <= at:
        if end is not None:
            _revert(action, at)
        _end(action, at)
        return
    _at(action, end, lambda then: _close(action, then))
    action.device.home.action_ended(action, at)


def _close(action: Action, at: float) -> None:
    """Close a window."""
    _revert(action, at)
    action.over = True
    _release(action.device, at)


def _apply(action: Action, at: float) -> None:
    """Let the command work on the device."""
    if action.applied:
        return
    action.applied = True
    device, push = action.device, action.push
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


def _revert(action: Action, at: float) -> None:
    """Go back to what stood before a window, unless something newer stands."""
    device = action.device
    if not action.applied or device.standing_action is not action:
        return
    device.physics.advance(at)
    device.physics.restore(action.before)
    device.standing_action = None
    device.show_at_once(at)


def _end(action: Action, at: float) -> None:
    """Note that an action is over, and let those begin that waited for it."""
    action.over = True
    action.device.home.action_ended(action, at)
    _release(action.device, at)


def _release(device: Device, at: float) -> None:
    """Begin what waited for others to end."""
    for action in tuple(device.actions):
        if action.state == "scheduled" and action.waits_for:
            _begin(action, at)


def _praise(action: Action) -> str:
    """Return the message of a result."""
    if action.push.setting is not None:
        return "Power cap applied"
    return "Mode applied"
