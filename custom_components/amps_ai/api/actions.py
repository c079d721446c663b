"""Pushed commands and what became of them."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, Self

from .reported import Model, key
from .values import (
    Json,
    MalformedError,
    identifier,
    instant,
    is_too_deep,
    mapping,
    text,
    texts,
    told,
    word,
)
from .vocabulary import FINAL_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Model):
    """A pushed command and what became of it, in either generation's words."""

    id: str = key("id", text)
    device_id: str | None = key("deviceId", text)
    device_type: str | None = key("deviceType", word)
    command: str | None = key("command", word)
    parameters: Json | None = key("parameters", mapping)
    state: str | None = key("state", word)
    result: Json | None = key("result", mapping)
    error_code: str | None = key("errorCode", word)
    error_message: str | None = key("errorMessage", told)
    created_at: datetime | None = key("createdAt", instant)
    updated_at: datetime | None = key("updatedAt", instant)
    acknowledged_at: datetime | None = key("acknowledgedAt", instant)
    completed_at: datetime | None = key("completedAt", instant)
    start: datetime | None = key("start", instant)
    end: datetime | None = key("end", instant)
    links: Json | None = key("links", texts)
    # The older generation's word for type of device and command.
    type: str | None = key("type", word)

    def filled_from(self, known: Self) -> Self:
        """Return the action with what it does not tell as it was known."""
        return replace(
            known,
            **{
                item.name: value
                for item in fields(self)
                if (value := getattr(self, item.name)) is not None
            },
        )

    def as_record(self) -> Json:
        """Return the action in the API's words, with times in ISO format."""
        return {
            said: value.isoformat() if isinstance(value, datetime) else value
            for name, said in self.names().items()
            for value in (getattr(self, name),)
        }

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more will become of this action."""
        return self.state in FINAL_STATES

    @classmethod
    def from_raw(cls, raw: object) -> Self:
        """Read an action; the older generation's names are carried over.

        Raises MalformedError where there is no id to know it by.
        """
        if (found := mapping(raw)) is None:
            raise MalformedError("an action is not an object")
        if is_too_deep(found):
            raise MalformedError("an action is nested too deeply")
        if text(found.get("id")) is None:
            found = {**found, "id": found.get("actionId")}
        if identifier(found["id"]) is None:
            raise MalformedError("an action has no id")
        if (error := mapping(found.get("error"))) is not None:
            found = _filled(
                found,
                {"errorCode": error.get("code"), "errorMessage": error.get("message")},
            )
        found = _filled(found, {"completedAt": found.get("failedAt")})
        kind = text(found.get("type")) or text(found.get("actionType"))
        if kind is not None and text(found.get("command")) is None:
            found = _filled(found, _older_kind(kind, mapping(found.get("parameters"))))
        return cls.from_dict(found)


def _filled(found: Json, other: Json) -> Json:
    """Return an object with what it lacks, or has as null, filled in."""
    return found | {
        name: value for name, value in other.items() if found.get(name) is None
    }


# How the older generation named what is now a command.
_OLDER_COMMANDS: Final = MappingProxyType(
    {"start_charging": "charge", "stop_charging": "idle", "off": "idle"}
)


def _older_kind(kind: str, parameters: Json | None) -> Json:
    """Return device type and command of an older `type`, as `ev-charger:…`."""
    device_type, _, command = kind.rpartition(":")
    mode = text((parameters or {}).get("mode"))
    command = mode or command
    named: Json = {"command": _OLDER_COMMANDS.get(command, command)}
    if device_type:
        named["deviceType"] = device_type.replace("-", "_")
    return named
