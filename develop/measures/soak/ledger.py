"""The ledger: every tap on one side, every push that arrived on the other.

A push is matched with a tap by device, content and time: it must have arrived
while the tap's call was under way. What is left over on the side of the taps
was lost; what is left over on the side of the pushes was sent twice, or by
nobody.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from sandbox import Action

type Kind = Literal["push", "settings"]

# Errors that can only be told of a push that was taken.
_TAKEN: Final = frozenset({"action_failed", "scheduler_active"})
# Times are compared to the millisecond, as they are written.
_SLACK: Final = 0.002


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a tap is to bring about at the API."""

    kind: Kind
    device: str
    # Any of these; none for settings.
    commands: frozenset[str] = frozenset()
    # Settings by name; of a push, numbers that must be among its parameters.
    settings: Mapping[str, float] = field(default_factory=dict)
    numbers: tuple[float, ...] = ()
    # Whether it may be left out, as the device is like that already.
    optional: bool = False
    # What may come in its place, where the device can be told in two ways.
    otherwise: Expected | None = None

    def is_met_by(self, arrived: Arrived) -> bool:
        """Tell whether a push is what was expected."""
        if self.otherwise is not None and self.otherwise.is_met_by(arrived):
            return True
        if (arrived.kind, arrived.device) != (self.kind, self.device):
            return False
        if self.kind == "settings":
            return dict(self.settings) == dict(arrived.values)
        sent = [round(value, 3) for value in arrived.values.values()]
        return arrived.command in self.commands and all(
            round(wanted, 3) in sent for wanted in self.numbers
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Arrived:
    """A push, or settings, that the sandbox took."""

    kind: Kind
    device: str
    at: float
    values: Mapping[str, float]
    command: str = ""
    action_id: str | None = None

    @classmethod
    def of_action(cls, action: Action) -> Arrived:
        """Return what an action of the sandbox tells."""
        return cls(
            kind="push",
            device=action.device_id,
            at=action.created,
            values=action.push.values,
            command=action.push.command,
            action_id=action.id,
        )

    def __str__(self) -> str:
        """Say what arrived, and when."""
        return (
            f"{_said(self.at)} {self.kind} {self.device} {self.command}"
            f" {dict(self.values)} {self.action_id or ''}"
        )


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What is left of an error: it would keep alive what it came from."""

    kind: str
    key: str | None
    text: str
    is_validation: bool

    @classmethod
    def of(cls, error: HomeAssistantError) -> Refusal:
        """Return what an error says."""
        return cls(
            kind=type(error).__name__,
            key=error.translation_key,
            text=str(error),
            is_validation=isinstance(error, ServiceValidationError),
        )


# How long a tap waits at most for a command of its device to end.
_PARKED: Final = 195
# How long the call of one that waits takes at least.
_LONG: Final = 3


@dataclass(eq=False, kw_only=True)
class Tap:
    """One tap, or one call of an action."""

    # What a newer tap of the same replaces.
    control: str
    service: str
    data: Mapping[str, Any]
    expected: Expected | None
    began: float
    replaceable: bool = True
    ended: float | None = None
    error: Refusal | None = None
    # What broke instead of being refused in words.
    broken: str | None = None
    # The action that the call told, where it told one.
    action_id: str | None = None
    newer: bool = False
    # Whether a failure was told after the call had returned.
    told_later: bool = False

    @property
    def device(self) -> str:
        """Return what it is for, as Amps AI knows it."""
        # What expects nothing is an action, whose control ends with the device.
        return self.expected.device if self.expected else self.control.split(" ")[-1]

    @property
    def must_arrive(self) -> bool:
        """Tell whether exactly one push must have come of it."""
        if self.expected is None:
            return False
        if self.error is not None:
            return self.error.key in _TAKEN
        return not (self.newer or self.told_later or self.expected.optional)

    @property
    def is_unanswered(self) -> bool:
        """Tell whether a push that came of it had no answer that was of use."""
        if self.error is not None:
            return self.error.key not in _TAKEN
        return self.told_later

    def may_wait_at(self, at: float) -> bool:
        """Tell whether it may wait for its turn: a newer one then replaces it.

        The call of one that waits returns after a while.
        """
        if self.ended is None:
            return True
        return self.ended - self.began >= _LONG and at - self.ended < _PARKED

    @property
    def may_arrive(self) -> bool:
        """Tell whether a push may have come of it."""
        if self.expected is None:
            return False
        return self.error is None or not self.error.is_validation

    def explains(self, arrived: Arrived) -> bool:
        """Tell whether a push can be this tap's."""
        if self.expected is None or not self.may_arrive:
            return False
        if self.action_id is not None:
            return self.action_id == arrived.action_id
        over = self.ended if self.ended is not None else float("inf")
        if self.replaceable:
            # One that waits for another goes on after its call has returned.
            over += _PARKED
        return (
            self.began - _SLACK <= arrived.at <= over + _SLACK
            and self.expected.is_met_by(arrived)
        )

    def __str__(self) -> str:
        """Say what was tapped, and when."""
        outcome = f"refused: {self.error.text}" if self.error else "returned"
        return (
            f"{_said(self.began)}-{_said(self.ended)} {self.control} {self.service}"
            f" {dict(self.data)} {outcome}"
        )


def _said(at: float | None) -> str:
    if at is None:
        return "?"
    return datetime.fromtimestamp(at, UTC).strftime("%d %H:%M:%S.%f")[:-3]


class Ledger:
    """Keep what was tapped, until it is matched with what arrived."""

    def __init__(self) -> None:
        """Begin with an empty page."""
        self._taps: list[Tap] = []
        self._waiting: list[Arrived] = []
        self._newest: dict[str, Tap] = {}
        # Up to when calls for a device that have returned may bring something about.
        self._over: dict[str, float] = {}
        self.counts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.missed: list[str] = []
        self.doubled: list[str] = []
        self.broken: list[str] = []
        self.wordless: list[str] = []

    def begin(self, tap: Tap) -> None:
        """Take a tap; an older one of the same control may be replaced by it."""
        if tap.replaceable:
            older = self._newest.get(tap.control)
            if older is not None and older.may_wait_at(tap.began):
                older.newer = True
            self._newest[tap.control] = tap
        self._taps.append(tap)

    def end(self, tap: Tap, at: float) -> None:
        """Take note of the end of a tap's call."""
        tap.ended = at
        until = at + _PARKED if tap.replaceable else at
        self._over[tap.device] = max(until, self._over.get(tap.device, until))

    def may_act(self, device: str, at: float) -> bool:
        """Tell whether a tap may bring something about at a device just then."""
        return at <= self._over.get(device, float("-inf")) or any(
            tap.ended is None and tap.device == device for tap in self._taps
        )

    def tell(self, device: str, at: float) -> None:
        """Take note that a failure of a device was told after its call."""
        for tap in self._taps:
            if (
                tap.expected is not None
                and tap.expected.device == device
                and tap.ended is not None
                and tap.ended <= at <= tap.ended + _PARKED
            ):
                tap.told_later = True

    def reconcile(
        self, arrived: Iterable[Arrived], on_match: Callable[[Tap, Arrived], None]
    ) -> None:
        """Match what is over; what still runs is left for the next time."""
        self._waiting += arrived
        running = [tap.began for tap in self._taps if tap.ended is None]
        until = min(running, default=float("inf"))
        taps = [tap for tap in self._taps if tap.began < until]
        pushes = [push for push in self._waiting if push.at < until]
        self._taps = [tap for tap in self._taps if tap.began >= until]
        self._waiting = [push for push in self._waiting if push.at >= until]
        match = _match(taps, pushes)
        matched = set(match.values())
        for push in pushes:
            if push in match:
                on_match(match[push], push)
            else:
                self.doubled.append(str(push))
        for tap in taps:
            self._count(tap, arrived=tap in matched)

    def _count(self, tap: Tap, *, arrived: bool) -> None:
        self.counts["taps"] += 1
        if tap.broken is not None:
            self.broken.append(f"{tap}: {tap.broken}")
        if (error := tap.error) is not None:
            self.refusals[f"{error.kind} {error.key}"] += 1
            if error.key is None or not error.text.strip():
                self.wordless.append(f"{tap}: {error}")
        if tap.must_arrive and not arrived:
            self.missed.append(str(tap))
        elif tap.expected is None:
            self.counts["asked only"] += 1
        elif arrived and error is None:
            self.counts["sent"] += 1
        elif arrived:
            self.counts["sent, and then told of trouble"] += 1
        elif error is not None:
            self.counts["refused in words"] += 1
        elif tap.newer:
            self.counts["replaced by a newer tap"] += 1
        elif tap.told_later:
            self.counts["returned, and then told of trouble"] += 1
        else:
            self.counts["not needed"] += 1


def _match(taps: list[Tap], pushes: list[Arrived]) -> dict[Arrived, Tap]:
    """Match as many as can be, those that must arrive before the others."""
    of_push: dict[int, Tap] = {}
    of_tap: dict[Tap, int] = {}
    fits: dict[Tap, list[int]] = {
        tap: [number for number, push in enumerate(pushes) if tap.explains(push)]
        for tap in taps
    }
    takers: dict[int, list[Tap]] = {}
    for tap, numbers in fits.items():
        for number in numbers:
            takers.setdefault(number, []).append(tap)

    def _place_tap(tap: Tap, tried: set[int]) -> bool:
        for number in fits[tap]:
            if number in tried:
                continue
            tried.add(number)
            if number not in of_push or _place_tap(of_push[number], tried):
                of_push[number] = tap
                of_tap[tap] = number
                return True
        return False

    def _place_push(number: int, tried: set[Tap]) -> bool:
        for tap in takers.get(number, ()):
            if tap in tried:
                continue
            tried.add(tap)
            if tap not in of_tap or _place_push(of_tap[tap], tried):
                of_push[number] = tap
                of_tap[tap] = number
                return True
        return False

    for tap in taps:
        if tap.must_arrive:
            _place_tap(tap, set())
    for number in range(len(pushes)):
        if number not in of_push:
            _place_push(number, set())
    return {pushes[number]: tap for number, tap in of_push.items()}
