"""How numbers and times are written in the sandbox's answers."""

from datetime import UTC, datetime
from typing import Any

type Json = dict[str, Any]


def number(value: float, digits: int = 1) -> int | float:
    """Round a value; whole ones become integers, and nothing is ever -0."""
    rounded = round(value, digits)
    whole = int(rounded)
    return whole if rounded == whole else rounded


def iso(seconds: float) -> str:
    """Write a time as the API does: UTC, with milliseconds."""
    moment = datetime.fromtimestamp(round(seconds * 1000) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def maybe_iso(seconds: float | None) -> str | None:
    """Write a time that may be missing."""
    return None if seconds is None else iso(seconds)


def is_number(value: object) -> bool:
    """Whether a JSON value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
