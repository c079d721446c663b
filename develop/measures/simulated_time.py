"""Time that passes as soon as there is nothing else to do.

The event loop, the clock on the wall and the sandbox's clock jump together to
whatever is due next. Nothing is skipped: every timer runs at its own time, and
what is under way over loopback HTTP or in a thread is waited for first.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
import selectors
from types import TracebackType
from typing import Any, Final, Self, override

import freezegun
from freezegun.api import FrozenDateTimeFactory
from pytest_homeassistant_custom_component import patch_time

from sandbox import Clock

# How long to wait, in real seconds, for what other threads do.
_PATIENCE: Final = 0.05
# What a turn of the loop costs, in simulated seconds: one that turns for nothing
# gets on in time as well, and is seen to do so.
_TURN: Final = 1e-4
# The clocks follow after so many turns.
_TURNS: Final = 20
# Usual are about a hundred turns in a second in which much happens; with so many
# it turns for nothing, and in the real world as fast as the machine can.
_BUSY: Final = 700


class _Selector(selectors.DefaultSelector):
    """Waits for nothing but what is really under way."""

    loop: SimulatedLoop

    @override
    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; let time pass if nothing is."""
        ready = super().select(0)
        self.loop.turn()
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None or self.loop.others_work:
            return super().select(_PATIENCE)
        self.loop.pass_time(timeout)
        return super().select(0)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits for a timer."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._now = 0.0
        self._jobs = 0
        self._turns = 0
        self._second = 0
        self._in_second = 0
        # The seconds that were busy.
        self.busy: list[float] = []
        # How long until something outside of the loop is due, if anything is.
        self.until_due: Callable[[], float | None] = lambda: None
        self.on_pass: Callable[[float], None] = lambda _: None
        # Whether threads that the loop knows nothing of have to be waited for.
        self.waits_for: Callable[[], bool] = lambda: False
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    @override
    def time(self) -> float:
        """Return the simulated seconds since the start."""
        return self._now

    @property
    def others_work(self) -> bool:
        """Whether a thread works on something."""
        return self._jobs > 0 or self.waits_for()

    def turn(self) -> None:
        """Let the time pass that a turn of the loop takes."""
        if self.others_work:
            # How often it turns then, depends on the machine.
            return
        self._now += _TURN
        self._turns += 1
        if self._turns % _TURNS == 0:
            self.on_pass(self._now)
        if int(self._now) != self._second:
            self._second = int(self._now)
            self._in_second = 0
        self._in_second += 1
        if self._in_second == _BUSY:
            self.busy.append(self._now)

    def pass_time(self, seconds: float) -> None:
        """Jump ahead, but over nothing that is due outside of the loop."""
        if (due := self.until_due()) is not None:
            seconds = min(seconds, max(0.0, due))
        self._now += seconds
        self.on_pass(self._now)

    @override
    def run_in_executor[*Ts, T](
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Let a thread work, which time stands still for."""
        future = super().run_in_executor(executor, func, *args)
        self._jobs += 1
        future.add_done_callback(self._job_done)
        return future

    def _job_done(self, _: asyncio.Future[Any]) -> None:
        self._jobs -= 1

    @override
    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the threads in real time."""
        self._jobs += 1
        try:
            await super().shutdown_default_executor(timeout)
        finally:
            self._jobs -= 1


class SimulatedTime:
    """The one time of the loop, the clock on the wall, and the sandbox."""

    def __init__(self, start: datetime) -> None:
        """Begin at a moment."""
        self.start = start
        self.clock = Clock.manual(start)
        self._loop = SimulatedLoop()
        self._loop.on_pass = self._passed
        self._freeze = freezegun.freeze_time(start)
        self._frozen: FrozenDateTimeFactory | None = None

    def __enter__(self) -> Self:
        """Stop the real time."""
        # As the tests do it: Home Assistant's dates know about folds.
        for name, value in {
            "FakeDate": patch_time.HAFakeDate,
            "FakeDatetime": patch_time.HAFakeDatetime,
            "datetime_to_fakedatetime": patch_time.ha_datetime_to_fakedatetime,
            "_get_module_attributes": patch_time.ha_get_module_attributes,
            "_get_module_attributes_hash": patch_time.ha_get_module_attributes_hash,
            "_should_use_real_time": patch_time.ha_should_use_real_time,
            "get_current_time": patch_time.ha_get_current_time,
        }.items():
            setattr(freezegun.api, name, value)
        frozen = self._freeze.start()
        assert isinstance(frozen, FrozenDateTimeFactory)
        self._frozen = frozen
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let the real time go on."""
        self._freeze.stop()

    def runner(
        self,
        next_due: Callable[[], float | None],
        waits_for: Callable[[], bool] = lambda: False,
    ) -> asyncio.Runner:
        """Return what runs a coroutine in this time.

        `next_due` tells when the sandbox is to be woken, as seconds since 1970;
        `waits_for`, whether a thread that the loop does not know is still at work.
        """

        def _until_due() -> float | None:
            due = next_due()
            return None if due is None else due - self.clock.time()

        self._loop.until_due = _until_due
        self._loop.waits_for = waits_for
        return asyncio.Runner(loop_factory=lambda: self._loop)

    @property
    def busy(self) -> list[float]:
        """Return the seconds in which the loop turned for nothing."""
        return self._loop.busy

    @property
    def elapsed(self) -> float:
        """Return the simulated seconds since the start."""
        return self._loop.time()

    def _passed(self, elapsed: float) -> None:
        """Bring all clocks to the same moment."""
        now = self.start + timedelta(seconds=elapsed)
        if self._frozen is not None:
            self._frozen.time_to_freeze = now.astimezone(UTC).replace(tzinfo=None)
        self.clock.set(self.start.timestamp() + elapsed)
