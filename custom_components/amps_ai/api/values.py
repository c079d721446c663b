"""Single values of JSON, read as what they should be, or not at all."""

from collections.abc import Callable
from datetime import UTC, datetime
import marshal
from typing import Any, Final

type Json = dict[str, Any]

# Beyond this, a number is no amount of anything.
MOST: Final = 1e15
# Years that a time can be in; further out, no other zone could say it.
_YEARS: Final = range(1971, 9000)
_LONGEST_ID: Final = 255
# No message says more that anybody reads, and no word or name is as long as that.
_LONGEST_TEXT: Final = 500
_LONGEST_WORD: Final = 100
# No reply nests deeper; what goes through a body is not made for much more.
_DEEPEST: Final = 32
_NESTING: Final = frozenset((dict, list))


class MalformedError(ValueError):
    """A device or action that cannot be told apart from others."""


def number(value: object) -> float | None:
    """Return an amount as it is, anything else as None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # What is no number is in no range.
    return value if -MOST <= value <= MOST else None


def text(value: object) -> str | None:
    """Return a text that says something, anything else as None."""
    return value if isinstance(value, str) and value else None


def identifier(value: object) -> str | None:
    """Return an id that a request can be made with, anything else as None."""
    found = text(value)
    if found is None or found in {".", ".."} or len(found) > _LONGEST_ID:
        return None
    return found if found.isprintable() else None


def flag(value: object) -> bool | None:
    """Return a truth value, anything else as None."""
    return value if isinstance(value, bool) else None


def instant(value: object) -> datetime | None:
    """Return a time of the API, which is in UTC, as an aware datetime."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    if parsed.year not in _YEARS:
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed


def told(value: object, longest: int = _LONGEST_TEXT) -> str | None:
    """Return a text that people may be shown: one line, and not without end."""
    if (found := text(value)) is None:
        return None
    if len(found) <= longest and " " not in found and found.isprintable():
        # Most are such a word already; no other space is printable.
        return found
    seen = found[:longest]
    if not seen.isprintable():
        seen = "".join(c if c.isprintable() else " " for c in seen)
    line = " ".join(seen.split())
    return f"{line}…" if line and len(found) > longest else line or None


def word(value: object) -> str | None:
    """Return a word of the API that may be shown, such as a status or a mode."""
    return told(value, _LONGEST_WORD)


def _is_name(value: object) -> bool:
    """Tell whether this is a word that can be sent as it is shown."""
    return isinstance(value, str) and word(value) == value


def as_it_is(value: object) -> object:
    """Return a value of any kind."""
    return value


def mapping(value: object) -> Json | None:
    """Return an object, anything else as None."""
    return value if isinstance(value, dict) else None


def texts(value: object) -> Json | None:
    """Return the texts of an object, anything else as None."""
    if not isinstance(value, dict):
        return None
    return {name: said for name, item in value.items() if (said := told(item))}


def words(value: object) -> tuple[str, ...]:
    """Return the words of a list, leaving out what is none."""
    if not isinstance(value, list):
        return ()
    return tuple(item for item in value if _is_name(item))


def identifiers(value: object) -> tuple[str, ...]:
    """Return the ids of a list, leaving out what is none."""
    if not isinstance(value, list):
        return ()
    return tuple(item for item in value if identifier(item) is not None)


def each[ItemT](
    value: object, read: Callable[[Json], ItemT]
) -> dict[str, ItemT] | None:
    """Read the objects of a map, leaving out what is none, or has no fit name."""
    if not isinstance(value, dict):
        return None
    return {
        name: read(item)
        for name, item in value.items()
        if isinstance(item, dict) and _is_name(name)
    }


def is_too_deep(value: Json) -> bool:
    """Tell whether objects and lists are nested deeper than in any reply."""
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        nested: list[Any] = []
        for outer in level:
            items = outer.values() if isinstance(outer, dict) else outer
            # Most hold nothing that nests, which is known at once.
            if not _NESTING.isdisjoint(map(type, items)):
                nested += [item for item in items if type(item) in _NESTING]
        if not nested:
            return False
        level = nested
    return True


def printed(value: Any) -> bytes | None:
    """Return what tells a JSON value from any other; None where it is none.

    To Python `true` equals 1, to the API it does not. Not as JSON: what
    writes that must not be given what nests deeply, and nobody has looked yet.
    """
    try:
        # The last version that knows no references, only values.
        return marshal.dumps(value, 2)
    except ValueError:
        return None
