"""How work on the event loop is measured.

CPU is that of the whole process, so that work given to a thread counts as well.
A piece of work is over when the loop has had nothing to do for a while: what an
integration puts off or spreads belongs to it.
"""

import asyncio
from asyncio import events
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
import gc
from time import perf_counter_ns, process_time_ns, thread_time_ns
from typing import Any, Final

# So long must the loop be idle for work to count as done.
QUIET: Final = 0.12
# How many turns of the loop the waiting itself takes.
_TURNS_OF_WAITING: Final = 3
# What the loop calls for each callback that is due.
_RUN: Final = "_run"


@dataclass(kw_only=True)
class Work:
    """What a piece of work took; times are in nanoseconds."""

    cpu: int = 0
    loop_cpu: int = 0
    wall: int = 0
    collecting: int = 0
    state_changes: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


@dataclass(kw_only=True)
class Holds:
    """How long the loop was held: by a callback, and by a turn of callbacks."""

    callback: int = 0
    callback_cpu: int = 0
    turn: int = 0
    turn_cpu: int = 0
    collecting: int = 0
    callbacks: int = 0
    longest: str = ""
    top: list[tuple[int, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


def _describe(handle: asyncio.Handle) -> str:
    """Say what a callback is."""
    function = getattr(handle, "_callback", None)
    owner = getattr(function, "__self__", None)
    if isinstance(owner, asyncio.Task):
        coroutine = owner.get_coro()
        return f"task {getattr(coroutine, '__qualname__', coroutine)}"
    return str(getattr(function, "__qualname__", function))


class Meter:
    """Measures one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Count the turns of a loop from now on."""
        self._turns = 0
        self._collecting = 0
        self._collection_began = 0
        self.state_changes = 0
        self._loop = loop
        run_once: Callable[[], None] = loop._run_once  # type: ignore[attr-defined]  # noqa: SLF001

        def _counted() -> None:
            self._turns += 1
            run_once()

        loop._run_once = _counted  # type: ignore[attr-defined]  # noqa: SLF001
        gc.callbacks.append(self._collected)

    def _collected(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._collection_began = perf_counter_ns()
        else:
            self._collecting += perf_counter_ns() - self._collection_began

    async def work(self, begin: Callable[[], Awaitable[object]]) -> Work:
        """Do a piece of work, and wait for all that comes of it."""
        collecting, changes = self._collecting, self.state_changes
        wall, loop_cpu, cpu = perf_counter_ns(), thread_time_ns(), process_time_ns()
        await begin()
        while True:
            cpu_then, loop_then = process_time_ns(), thread_time_ns()
            wall_then, turns = perf_counter_ns(), self._turns
            await asyncio.sleep(QUIET)
            if self._turns - turns <= _TURNS_OF_WAITING:
                break
        return Work(
            cpu=cpu_then - cpu,
            loop_cpu=loop_then - loop_cpu,
            wall=wall_then - wall,
            collecting=self._collecting - collecting,
            state_changes=self.state_changes - changes,
        )

    async def holds(self, begin: Callable[[], Awaitable[object]]) -> Holds:
        """Do a piece of work with every callback timed."""
        found = Holds()

        async def _begin() -> None:
            # The callback that runs now began before the timing did.
            await asyncio.sleep(0)
            await begin()

        with self._timing(found):
            await self.work(_begin)
        found.top.sort(reverse=True)
        del found.top[5:]
        return found

    @contextmanager
    def _timing(self, found: Holds) -> Generator[None]:
        """Time each callback, by standing where the loop runs it."""
        run: Callable[[asyncio.Handle], None] = getattr(events.Handle, _RUN)
        turn = self._turns
        turn_wall = turn_cpu = 0

        def _timed(handle: asyncio.Handle) -> None:
            nonlocal turn, turn_wall, turn_cpu
            collecting = self._collecting
            wall, cpu = perf_counter_ns(), thread_time_ns()
            run(handle)
            cpu = thread_time_ns() - cpu
            wall = perf_counter_ns() - wall
            found.callbacks += 1
            found.callback_cpu = max(found.callback_cpu, cpu)
            if wall > found.callback:
                found.callback = wall
                found.longest = _describe(handle)
                found.collecting = self._collecting - collecting
            if wall > 1_000_000:
                found.top.append((wall, _describe(handle)))
            if turn != self._turns:
                turn, turn_wall, turn_cpu = self._turns, 0, 0
            turn_wall += wall
            turn_cpu += cpu
            found.turn = max(found.turn, turn_wall)
            found.turn_cpu = max(found.turn_cpu, turn_cpu)

        setattr(events.Handle, _RUN, _timed)
        try:
            yield
        finally:
            setattr(events.Handle, _RUN, run)


@contextmanager
def swept() -> Generator[None]:
    """Keep what is there out of the collector's sight, so that only new counts."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
