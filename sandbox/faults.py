"""Faults on order."""

from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from typing import Any, Final

from .errors import STATUS
from .values import Json

# These answer by themselves; the request does not get through.
ANSWERS: Final = frozenset({"error", "drop", "html", "empty", "json"})
# These spoil the answer that the request would have had.
SPOILERS: Final = frozenset(
    {"cut", "cut_transfer", "lie_has_more", "shift_total", "shift_items"}
)
KINDS: Final = ANSWERS | SPOILERS | {"delay"}

_ids = count(1)


@dataclass(eq=False, kw_only=True)
class Fault:
    """One fault: which requests it meets, and what it does to them."""

    method: str | None = None
    path: str = "*"
    times: int | None = None
    kind: str = "error"
    status: int | None = None
    code: str | None = None
    message: str | None = None
    details: Json | None = None
    retry_after: float | None = None
    delay: float = 0.0
    body: Any = None
    amount: int = 1
    id: int = field(default_factory=lambda: next(_ids))
    hits: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no fault."""
        if self.kind not in KINDS:
            raise ValueError(f"There is no kind of fault {self.kind!r}")
        if self.times is not None and self.times < 1:
            raise ValueError("`times` must be at least 1")

    @property
    def answers(self) -> bool:
        """Whether the request does not get through."""
        return self.kind in ANSWERS

    @property
    def answer_status(self) -> int:
        """The status of the answer."""
        if self.status is not None:
            return self.status
        if self.kind in ("html", "error"):
            return STATUS.get(self.code or "", 500)
        return 200

    def as_json(self) -> Json:
        """Return the fault for the control routes."""
        return asdict(self)


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
        """Take a fault back; one that is used up is gone already."""
        if fault in self._faults:
            self._faults.remove(fault)

    def clear(self) -> None:
        """Take all faults back."""
        self._faults.clear()

    def all(self) -> list[Fault]:
        """Return the faults on order."""
        return list(self._faults)

    def meet(self, method: str, path: str) -> Fault | None:
        """Return the fault that meets a request, and count it."""
        for fault in self._faults:
            if fault.method not in (None, method):
                continue
            if not fnmatchcase(path, fault.path):
                continue
            fault.hits += 1
            if fault.times is not None and fault.hits >= fault.times:
                self._faults.remove(fault)
            return fault
        return None
