"""What is going to happen, in the order of the clock."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count


class Agenda:
    """Things that happen at a time; they happen when somebody looks."""

    def __init__(self) -> None:
        """Begin with nothing to come."""
        self._entries: list[tuple[float, int, Callable[[float], None]]] = []
        self._count = count()
        # Who wants to look before each thing happens.
        self.before: Callable[[float], None] | None = None

    @property
    def next_due(self) -> float | None:
        """When the next thing happens."""
        return self._entries[0][0] if self._entries else None

    def add(self, at: float, call: Callable[[float], None]) -> None:
        """Have something called when the clock gets there."""
        heappush(self._entries, (at, next(self._count), call))

    def settle(self, now: float) -> None:
        """Let everything happen that is due, each at its own time."""
        entries = self._entries
        while entries and entries[0][0] <= now:
            at, _, call = heappop(entries)
            if self.before is not None:
                self.before(at)
            call(at)
