"""The clock of the demo's home, by which all of the demo lives.

It begins when `--start` says, and goes as fast as `--speed` says. The sandbox,
Home Assistant and the browser go by it: what is planned, how old a reading is and
what an hour's energy was is then the same for all three.
"""

import asyncio
import ctypes
from dataclasses import asdict, dataclass, replace
import datetime as dt
import gc
import json
import selectors
import time
from typing import ClassVar, Self, override

from sandbox.clock import Clock, ticks, wall

_real_monotonic = time.monotonic


@dataclass(frozen=True, slots=True)
class HomeClock:
    """Home time: `at` was when the machine had run for `began` seconds."""

    at: float
    began: float
    speed: float = 1.0

    @classmethod
    def starting(cls, at: float | None = None) -> Self:
        """Return a clock that begins now, at a time or at the right one."""
        return cls(at=wall() if at is None else at, began=ticks())

    def time(self) -> float:
        """Return the home's time, as seconds since 1970."""
        return self.at + (ticks() - self.began) * self.speed

    def going(self, speed: float) -> HomeClock:
        """Return a clock that goes on from now at another speed."""
        return replace(self, at=self.time(), began=ticks(), speed=speed)

    def sandbox(self) -> Clock:
        """Return the same clock as the sandbox has it."""
        return Clock.real(self.time(), self.speed)

    def as_text(self) -> str:
        """Return it for another process of this machine."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what another process wrote."""
        return cls(**json.loads(text))


class _Selector(selectors.DefaultSelector):
    """Waits in the home's time."""

    clock: ProcessClock

    @override
    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None:
            timeout /= self.clock.home.speed
        return super().select(timeout)


class ProcessClock:
    """Lets this process live in the home's time, once and for all.

    Do it before anything else is imported: what has taken a function of `time` by
    then goes on with the real one.
    """

    # The one that this process lives by, if it is not the world's.
    installed: ClassVar[ProcessClock | None] = None

    def __init__(self, home: HomeClock) -> None:
        """Take the clock; nothing is changed yet."""
        self.home = home
        # How long the process lives, which no change of the speed takes back.
        self._lived = _real_monotonic()
        self._since = ticks()

    def install(self) -> None:
        """Replace what tells the time."""
        ProcessClock.installed = self

        def _now(tz: dt.tzinfo | None = None) -> dt.datetime:
            return dt.datetime.fromtimestamp(self.home.time(), tz)

        time.time = self._time
        time.time_ns = lambda: int(self.home.time() * 1e9)
        time.monotonic = self.monotonic
        # A class of its own in place of `datetime` would not be one for parts that
        # are written in C. So the one there is gets another `now`; its dictionary
        # is found only this way.
        (methods,) = gc.get_referents(dt.datetime.__dict__)
        methods["now"] = staticmethod(_now)
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(dt.datetime))

    def _time(self) -> float:
        return self.home.time()

    def monotonic(self) -> float:
        """Return the seconds of the home that this process has lived."""
        return self._lived + (ticks() - self._since) * self.home.speed

    def set_speed(self, speed: float) -> None:
        """Go faster or slower from now on."""
        self._lived, self._since = self.monotonic(), ticks()
        self.home = self.home.going(speed)

    def loop(self) -> asyncio.SelectorEventLoop:
        """Return an event loop whose timers go by the home's time."""
        selector = _Selector()
        selector.clock = self
        return asyncio.SelectorEventLoop(selector)
