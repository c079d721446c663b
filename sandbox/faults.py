"""Faults on order."""

import asyncio
from collections import deque
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from itertools import count
from typing import Any, Final

from .errors import STATUS
from .values import Json
from .waiting import wait_for_either

# These answer by themselves. The request does not get through; with `done` it does,
# and only its answer is lost.
ANSWERS: Final = frozenset(
    {"error", "drop", "hang", "html", "empty", "json", "redirect"}
)
# These spoil the answer that the request would have had.
SPOILERS: Final = frozenset(
    {
        "cut",
        "cut_transfer",
        "endless",
        "lie_has_more",
        "reuse_id",
        "shift_items",
        "shift_total",
    }
)
# These let a request wait, or its answer, which was true when it was made.
WAITS: Final = frozenset({"delay", "hold_request", "hold_answer"})
# These change what is told. All that fit do so, one after the other, beside any of
# those above.
CHANGES: Final = frozenset({"clock", "fallback", "merge", "only", "pulled", "without"})
KINDS: Final = ANSWERS | SPOILERS | WAITS | CHANGES

_ids = count(1)


@dataclass(eq=False, kw_only=True)
class Fault:
    """One fault: which requests it meets, and what it does to them."""

    method: str | None = None
    path: str = "*"
    # How many requests it meets, and how many that fit it lets pass before.
    times: int | None = None
    skip: int = 0
    kind: str = "error"
    done: bool = False
    status: int | None = None
    code: str | None = None
    message: str | None = None
    # The message is repeated until it is so long.
    length: int | None = None
    details: Json | None = None
    retry_after: float | None = None
    location: str | None = None
    delay: float = 0.0
    # What a `json` answers, `merge` merges, and the id that `reuse_id` gives.
    body: Any = None
    amount: int = 1
    # The most that a page of an `endless` list holds, whatever was asked for.
    per_page: int | None = None
    # By how much `clock` and `pulled` shift times.
    seconds: float = 0.0
    # What `without` takes away and `only` leaves; `state.level` is a key as well.
    keys: list[str] = field(default_factory=list)
    # The only device that is changed, in a list as well.
    device: str | None = None
    id: int = field(default_factory=lambda: next(_ids))
    hits: int = 0
    _gates: deque[asyncio.Event] = field(default_factory=deque, repr=False)
    _held: int = field(default=0, repr=False)
    _news: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no fault."""
        if self.kind not in KINDS:
            raise ValueError(f"There is no kind of fault {self.kind!r}")
        if self.times is not None and self.times < 1:
            raise ValueError("`times` must be at least 1")
        if self.done and self.kind not in ANSWERS:
            raise ValueError(f"`done` means nothing to {self.kind}")

    @property
    def answers(self) -> bool:
        """Whether the answer is the fault's own."""
        return self.kind in ANSWERS

    @property
    def answer_status(self) -> int:
        """The status of the answer."""
        if self.status is not None:
            return self.status
        if self.kind in ("html", "error"):
            return STATUS.get(self.code or "", 500)
        return 302 if self.kind == "redirect" else 200

    @property
    def text(self) -> str:
        """The message of an error, as long as it is to be."""
        message = self.message or "A fault on order."
        if self.length is not None:
            message = (message * (self.length // len(message) + 1))[: self.length]
        return message

    def as_json(self) -> Json:
        """Return the fault for the control routes."""
        known = {
            entry.name: getattr(self, entry.name)
            for entry in fields(self)
            if not entry.name.startswith("_")
        }
        return known | {"held": len(self._gates)}

    # Holding.

    @property
    def held(self) -> int:
        """How many requests are held now."""
        return len(self._gates)

    async def reached(self, times: int = 1) -> None:
        """Wait until so many requests were held, in all."""
        while self._held < times:
            await self._news.wait()

    def release(self, most: int | None = None) -> None:
        """Let go what is held, the oldest first."""
        for _ in range(len(self._gates) if most is None else most):
            if self._gates:
                self._gates.popleft().set()

    async def hold(self, stopping: asyncio.Event) -> bool:
        """Hold a request until it is let go; tell whether all is stopping."""
        gate = asyncio.Event()
        self._gates.append(gate)
        self._held += 1
        news, self._news = self._news, asyncio.Event()
        news.set()
        try:
            await wait_for_either(gate, stopping)
        finally:
            if gate in self._gates:
                self._gates.remove(gate)
        return stopping.is_set()


@dataclass(frozen=True, kw_only=True)
class Met:
    """What meets a request."""

    # The oldest that fits of those that answer, spoil or wait.
    fault: Fault | None
    changes: tuple[Fault, ...]

    @property
    def kinds(self) -> str | None:
        """The kinds of all of them, for the log."""
        found = (() if self.fault is None else (self.fault,)) + self.changes
        return "+".join(fault.kind for fault in found) or None


class Faults:
    """The faults on order; the oldest that fits meets a request."""

    def __init__(self) -> None:
        """Begin with everything in order."""
        self._faults: list[Fault] = []

    def __len__(self) -> int:
        """Return how many faults are on order."""
        return len(self._faults)

    def add(self, **order: Any) -> Fault:
        """Order a fault; the fields are those of `Fault`."""
        if (
            "kind" not in order
            and order.keys() & {"delay"}
            and not (order.keys() & {"status", "code"})
        ):
            order["kind"] = "delay"
        fault = Fault(**order)
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Take a fault back, and let go what it holds."""
        if fault in self._faults:
            self._faults.remove(fault)
        fault.release()

    def clear(self) -> None:
        """Take all faults back."""
        for fault in self.all():
            self.remove(fault)

    def all(self) -> list[Fault]:
        """Return the faults on order."""
        return list(self._faults)

    def meet(self, method: str, path: str) -> Met:
        """Return the faults that meet a request, and count them."""
        first: Fault | None = None
        changes: list[Fault] = []
        for fault in self.all():
            if fault.method not in (None, method):
                continue
            if not fnmatchcase(path, fault.path):
                continue
            is_change = fault.kind in CHANGES
            if first is not None and not is_change:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.hits += 1
            if fault.times is not None and fault.hits >= fault.times:
                self._faults.remove(fault)
            if is_change:
                changes.append(fault)
            else:
                first = fault
        return Met(fault=first, changes=tuple(changes))
