"""Documents that nobody should send: generated ones, and good ones gone wrong.

How many are tried is a profile's business. `suite` is small and always the
same; `AMPS_AI_PROPERTIES=thorough` tries many more, and others each time, for
which the suite's time limit is to be lifted (`--timeout 0`).
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
import json
from math import isfinite
import os
from typing import Any, Final

from hypothesis import HealthCheck, Phase, settings, strategies as st
import orjson
import pytest

from tests.api.helpers import documented, documented_data, listed

_COMMON: Final = settings(
    # How fast a machine is proves nothing: what never ends meets the suite's limit.
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile("suite", parent=_COMMON, derandomize=True)
settings.register_profile("thorough", parent=_COMMON, print_blob=True)
_PROFILE: Final = os.environ.get("AMPS_AI_PROPERTIES", "suite")
_FACTOR: Final = {"suite": 1, "thorough": 20}[_PROFILE]


def examples(count: int, *, slow: bool = False) -> settings:
    """Try so many examples, or a multiple where it is to be thorough.

    What is found by a slow one is shown as it was found: to look for a
    smaller one would take minutes.
    """
    return settings(
        settings.get_profile(_PROFILE),
        max_examples=count * _FACTOR,
        phases=(Phase.explicit, Phase.generate) if slow else tuple(Phase),
        report_multiple_bugs=not slow,
    )


# Hypothesis warns of a generator of its own, and of its own representations.
QUIET: Final = [
    pytest.mark.filterwarnings("ignore:It looks like `register_random`"),
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]

# Markup, and what else should not reach a person as it is.
MARKUP: Final = (
    "[x](http://evil.example/)",
    "![x](http://evil.example/p.png)",
    "<img src=http://evil.example/p.png>",
    "<a href='http://evil.example/'>x</a>",
    "http://evil.example/x",
    "www.evil.example",
    "<http://evil.example/>",
    "a@evil.example",
    "**x** _y_ `z` ~~w~~",
    "# x\n\n- y\n\n> z\n\n---\n",
    "- x",
    "1. x",
    "[x]: http://evil.example/\n\n[x]",
    "| a | b |\n|---|---|\n| c | d |",
    "&lt;img src=x&gt; &#x5b;x](http://evil.example/)",
    "\\[x](http://evil.example/)",
    "<script>alert(1)</script>",
    "<ha-alert>x</ha-alert>",
)
_PLACEHOLDERS: Final = (
    "{device}",
    "{0}",
    "{",
    "}{",
    "{device.__class__}",
    "{{ states('sensor.x') }}",
    "{% for x in range(9**9) %}{% endfor %}",
    "%s %n %(x)d",
    "$(x)",
)
# What turns text around, hides it, or moves a terminal's cursor.
UNSEEN: Final = (
    "\u202egnp.exe",
    "\u2066x\u2069",
    "a\u200fb",
    "\x00",
    "\x1b[31mred",
    "a\nb\r\nc\td",
    "\u2028x\u2029",
    "\x7f\x85",
    "\ufeff\u200b",
)
# All of these but the last, and what Unicode calls control characters.
UNWANTED: Final = frozenset(
    {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))}
    | {"\u061c", "\u200e", "\u200f", "\u2028", "\u2029"}
    | {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
)
_PATHS: Final = (".", "..", "../../x", "%2e%2e", "a/b", "a?b=c#d", "/", "\\", ";")
_LONG: Final = ("x" * 256, "ab " * 400, "😀" * 300, "Z\u0337\u0322" * 200)
_WORDS: Final = (
    "",
    " ",
    "charging",
    "discharging",
    "charge",
    "auto.balanced",
    "auto_balanced",
    "heat",
    "off",
    "auto",
    "follow_schedule",
    "permanent",
    "scheduled",
    "completed",
    "failed",
    "SCHEDULER_ACTIVE",
    "set_max_power",
    "maxPower",
    "percent",
    "kw",
    "true",
    "null",
    "17",
    "NaN",
    "__proto__",
)
# Also times that cannot be said in another zone.
TIMES: Final = (
    "2026-06-01T11:59:00.000Z",
    "2026-06-01T12:00:00.000Z",
    "2026-06-01T12:30:00.000Z",
    "2026-06-02T12:00:00",
    "0001-01-01T00:00:00+23:59",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "9999-12-31T23:59:59.999999Z",
    "2026-02-30T00:00:00Z",
    "2026-W23-1",
    "20260601T120000Z",
)

nasty_texts: Final = st.sampled_from(
    (*MARKUP, *_PLACEHOLDERS, *UNSEEN, *_PATHS, *_LONG, *_WORDS, *TIMES)
)
# What can come in JSON: everything but halves of pairs.
texts: Final = nasty_texts | st.text(max_size=20)

nasty_numbers: Final = st.sampled_from(
    (
        0,
        1,
        -1,
        -0.0,
        0.1,
        100,
        1000,
        1001,
        1e15,
        1e16,
        1.7e308,
        -1.7e308,
        5e-324,
        2**53 + 1,
        2**63,
        2**64 - 1,
        -(2**63),
    )
)
numbers: Final = (
    nasty_numbers
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
# These no JSON can say, but Python's own parser reads them.
impossible_numbers: Final = st.sampled_from(
    (float("nan"), float("inf"), float("-inf"), 10**400, -(10**400))
)

# As deep as the parser goes, and deeper than its writer. Those in between can
# end the whole process: they are tried in one of their own, in test_models.
DEPTHS: Final = (40, 100, 300, 1000)


@dataclass(frozen=True)
class Nested:
    """A value inside of many others, made only where it is needed."""

    depth: int
    in_objects: bool

    def unfolded(self) -> Any:
        """Return it as an object."""
        value: Any = 1
        for _ in range(self.depth):
            value = {"a": value} if self.in_objects else [value]
        return value

    def said(self) -> str:
        """Return it as JSON."""
        left, right = ('{"a": ', "}") if self.in_objects else ("[", "]")
        return left * self.depth + "1" + right * self.depth


deep: Final = st.builds(Nested, st.sampled_from(DEPTHS), st.booleans())


def _wide(count: int, in_object: bool) -> Any:
    if in_object:
        return {f"k{number}": number for number in range(count)}
    return list(range(count))


wide: Final = st.builds(_wide, st.sampled_from((50, 500)), st.booleans())


def _json(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
        ),
        max_leaves=8,
    )


anything: Final = _json(st.none() | st.booleans() | numbers | texts) | deep | wide


def dump(value: Any) -> bytes:
    """Return a document as it goes over the wire."""
    return _said(value).encode("utf-8", "surrogatepass")


def _said(value: Any) -> str:
    if isinstance(value, Nested):
        return value.said()
    if isinstance(value, dict):
        items = (f"{json.dumps(name)}:{_said(item)}" for name, item in value.items())
        return "{" + ",".join(items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_said, value)) + "]"
    return json.dumps(value)


def received(value: Any) -> Any:
    """Return a document as it is received."""
    return orjson.loads(dump(value))


def unfolded(value: Any) -> Any:
    """Return a document as an object, also where no JSON could say it."""
    if isinstance(value, Nested):
        return value.unfolded()
    if isinstance(value, dict):
        return {name: unfolded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [unfolded(item) for item in value]
    return value


# Good ones gone wrong

type Path = tuple[str | int, ...]


def _paths(value: Any, before: Path = ()) -> Iterator[Path]:
    yield before
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for name, item in items:
        yield from _paths(item, (*before, name))


def _change(document: Any, path: Path, change: Callable[[Any, Any], None]) -> Any:
    """Apply a change to the container at a path, and the name in there."""
    document = {"root": deepcopy(document)}
    place: Any = document
    path = ("root", *path)
    for name in path[:-1]:
        place = place[name]
    change(place, path[-1])
    return document.get("root")


@st.composite
def mutated(
    draw: st.DrawFn,
    documents: st.SearchStrategy[Any],
    values: st.SearchStrategy[Any] = anything,
    most: int = 4,
) -> Any:
    """Draw a document of which some places are not as they should be."""
    document = draw(documents)
    for _ in range(draw(st.integers(1, most))):
        path = draw(st.sampled_from(list(_paths(document))))
        kind = draw(
            st.sampled_from(
                ("replace", "retype", "remove", "double", "wrap", "rename", "add")
            )
        )
        value = draw(values)
        name = draw(texts)

        def _mutate(
            place: Any, at: Any, kind: str = kind, value: Any = value, name: str = name
        ) -> None:
            old = place[at]
            match kind:
                case "replace":
                    place[at] = value
                case "retype":
                    place[at] = old if isinstance(old, Nested) else _retyped(old)
                case "remove":
                    del place[at]
                case "double" if isinstance(place, list):
                    place.insert(at, deepcopy(old))
                case "double":
                    place[name] = deepcopy(old)
                case "wrap":
                    place[at] = [old] if isinstance(at, int) else {name: old}
                case "rename" if isinstance(place, dict) and len(place) > 1:
                    place[name] = place.pop(at)
                case "add" if isinstance(old, dict):
                    old[name] = value
                case "add" if isinstance(old, list):
                    old.append(value)
                case _:
                    place[at] = value

        document = _change(document, path, _mutate)
    return document


def _retyped(value: Any) -> Any:
    """Return what says nearly the same in another type."""
    match value:
        case bool():
            return int(value)
        case int() | float():
            return str(value)
        case str():
            return [value]
        case None:
            return "null"
        case dict():
            return list(value.values())
        case _:
            return json.dumps(len(value))


def documented_devices() -> dict[str, list[Any]]:
    """Return the documented devices, by type."""
    return {
        "battery": [documented_data("battery-read"), listed("battery-list")],
        "ev_charger": [
            documented_data("ev-charger-read"),
            listed("ev-charger-list"),
            documented_data("before/ev-charger-read"),
            documented_data("before/ev-charger-read-capped"),
        ],
        "hvac": [listed("hvac-list")],
        "solar_inverter": [documented_data("solar-inverter-read")],
        "vehicle": [listed("vehicle-list")],
    }


DEVICES: Final = documented_devices()
ACTIONS: Final = (
    documented_data("action"),
    documented_data("before/action"),
    documented_data("ev-charger-push-reply"),
    documented_data("before/ev-charger-push-reply"),
    documented_data("battery-read")["lastAction"],
    documented("before/webhook-push-failed"),
)
actions: Final = mutated(st.sampled_from(ACTIONS)) | anything


def devices(device_type: str) -> st.SearchStrategy[Any]:
    """Draw documents that are nearly a device of a type, or nothing like one."""
    return mutated(st.sampled_from(DEVICES[device_type])) | anything


def no_end_in(value: Any) -> bool:
    """Tell whether all numbers in there are finite."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            left += item.values()
        elif isinstance(item, list | tuple):
            left += item
        elif isinstance(item, int | float) and not _is_finite(item):
            return False
    return True


def _is_finite(value: float) -> bool:
    try:
        return isfinite(value)
    except OverflowError:
        return False


def start_of(text: str) -> str:
    """Return how a text begins, as the name of a case."""
    return ascii(text)[1:20]
