"""Actions: what was pushed, and the states it has been in."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.kinds import BATTERY, Kind
from sandbox.values import Json, iso, maybe_iso


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an action is going to end."""

    state: str = "completed"
    code: str | None = None
    message: str | None = None
    reason: str | None = None
    seconds: float | None = None


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
    device_id: str
    kind: Kind
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
                "type": f"{self.kind.path}:{push.older}",
                "createdAt": iso(self.created),
            }
            # Replies about batteries had a start in any case.
            if push.start is not None or self.kind is BATTERY:
                body["start"] = maybe_iso(push.start)
            return body
        body = {
            "id": self.id,
            "deviceId": self.device_id,
            "deviceType": self.kind.type,
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
        body: Json = {"id": self.id, "deviceId": self.device_id}
        if push.older is not None:
            body["type"] = f"{self.kind.path}:{push.older}"
        else:
            body["deviceType"] = self.kind.type
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
