"""The run: each integration at each size in a process of its own."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
import sys
from typing import Any, Final

from develop import ROOT

from .cloud import Cloud, cloud_of

INTEGRATION: Final = "amps_ai"
SUBJECTS: Final = (INTEGRATION, "floor")
PLAN: Final = "plan.json"
KINDS: Final = ("changed", "unchanged", "moved", "one")
FIRST: Final = "first set-up"
AGAIN: Final = "set-up"
UNTOLD: Final = "set-up, settings untold"
NO_ESTIMATES: Final = "moved, no estimates"
_WARM_UPS: Final = 2
# An answer can be long: a profile, or the entities of 750 devices.
_LONGEST_LINE: Final = 64 * 1024**2
_LAST_LINES: Final = 20

type Json = dict[str, Any]


class RunError(Exception):
    """What broke."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is asked for."""

    devices: tuple[int, ...]
    polls: int
    holds: int
    set_ups: int
    memory: bool
    rest: bool


@dataclass(kw_only=True)
class Figures:
    """What was measured of one integration at one size."""

    subject: str
    devices: int
    entities: int = 0
    # By what was done, each time that it was.
    work: dict[str, list[Json]] = field(default_factory=dict)
    holds: dict[str, list[Json]] = field(default_factory=dict)
    # What is held more than before the set-up, in bytes.
    memory: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> Json:
        """Return all figures."""
        return dict(vars(self))


class Process:
    """A process of `subject`, which takes orders."""

    def __init__(
        self, subject: str, process: asyncio.subprocess.Process, log: Path
    ) -> None:
        """Hold a process that runs."""
        self.subject = subject
        self._process = process
        self._log = log

    async def order(self, what: str, **more: object) -> Json:
        """Have something done, and return what it says."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")
        await stdin.drain()
        line = await stdout.readline()
        answer: Json = json.loads(line or b'{"error": "The process ended"}')
        if "error" in answer:
            text = self._log.read_text(encoding="utf-8", errors="replace")
            last = "\n".join(text.splitlines()[-_LAST_LINES:])
            raise RunError(f"{answer['error']}\n{last}")
        return answer


@asynccontextmanager
async def process_of(
    subject: str, cloud: Cloud, folder: Path, *, trace: bool = False
) -> AsyncGenerator[Process]:
    """Run a Home Assistant with one of the two integrations."""
    log = folder / f"{subject}.log"
    with log.open("wb") as stream:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "develop.measures.bench.subject",
            subject,
            cloud.url,
            str(folder / PLAN),
            *(["--trace"] if trace else []),
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": "0"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stream,
            limit=_LONGEST_LINE,
        )
    try:
        running = Process(subject, process, log)
        await running.order("warm_up")
        yield running
        if process.stdin is not None:
            process.stdin.close()
        async with asyncio.timeout(30):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def say(text: str) -> None:
    """Show what is being done."""
    print(text, file=sys.stderr, flush=True)


class Bench:
    """Both integrations at one size, in turn, so that none has a better day."""

    def __init__(
        self, cloud: Cloud, folder: Path, devices: int, options: Options
    ) -> None:
        """Take what is needed."""
        self.cloud = cloud
        self.folder = folder
        self.options = options
        self.figures = {
            subject: Figures(subject=subject, devices=devices) for subject in SUBJECTS
        }

    async def run(self) -> None:
        """Measure everything."""
        await self.cloud.change("changed")
        await self.cloud.settings_in_lists(told=True)
        say("  set-up, unload")
        async with self._processes() as processes:
            await self._set_ups(processes)
            await self.cloud.settings_in_lists(told=False)
            say("  polls")
            await self._polls(processes)
        await self._untold_set_up()
        await self.cloud.settings_in_lists(told=True)
        say("  first set-ups")
        for _ in range(self.options.set_ups - 1):
            async with self._processes() as processes:
                for process in processes:
                    await self._measure(process, FIRST, "set_up")
        async with self._processes() as processes:
            for process in processes:
                await self._holds(process, FIRST, "set_up")
        if self.options.memory:
            say("  memory")
            await self._memory()

    @asynccontextmanager
    async def _processes(
        self, *, trace: bool = False
    ) -> AsyncGenerator[tuple[Process, ...]]:
        """Run a process with each integration."""
        async with AsyncExitStack() as stack:
            yield tuple(
                [
                    await stack.enter_async_context(
                        process_of(subject, self.cloud, self.folder, trace=trace)
                    )
                    for subject in SUBJECTS
                ]
            )

    async def _measure(self, process: Process, name: str, what: str) -> None:
        """Measure a piece of work, and count its requests."""
        figures = self.figures[process.subject]
        before = await self.cloud.requests()
        work = await process.order(what, how="cpu")
        work["requests"] = await self.cloud.requests() - before
        figures.work.setdefault(name, []).append(work)

    async def _holds(self, process: Process, name: str, what: str) -> None:
        """Measure how long a piece of work holds the loop."""
        holds = await process.order(what, how="holds")
        self.figures[process.subject].holds.setdefault(name, []).append(holds)

    async def _set_ups(self, processes: tuple[Process, ...]) -> None:
        """Measure the first set-up, then some as after a restart."""
        for process in processes:
            await self._measure(process, FIRST, "set_up")
            found = await process.order("entities")
            self.figures[process.subject].entities = found["count"]
            if process.subject == INTEGRATION:
                (self.folder / PLAN).write_text(
                    json.dumps(found["plan"]), encoding="utf-8"
                )
        for _ in range(self.options.set_ups):
            for process in processes:
                await self._measure(process, "unload", "unload")
                await self._measure(process, AGAIN, "set_up")
        for _ in range(self.options.set_ups):
            for process in processes:
                await self._holds(process, "unload", "unload")
                await self._holds(process, AGAIN, "set_up")

    async def _polls(self, processes: tuple[Process, ...]) -> None:
        """Measure polls of all kinds."""
        for turn in range(_WARM_UPS + self.options.polls):
            for kind in KINDS:
                await self.cloud.change(kind)
                for process in processes:
                    if turn < _WARM_UPS:
                        await process.order("poll", how="cpu")
                    else:
                        await self._measure(process, kind, "poll")
            if turn >= _WARM_UPS:
                for process in processes:
                    await self._measure(process, "fetch", "fetch")
        for _ in range(self.options.holds):
            for kind in KINDS:
                await self.cloud.change(kind)
                for process in processes:
                    await self._holds(process, kind, "poll")
        if self.options.rest:
            say("  a minute of nothing")
            for process in processes:
                work = await process.order("wait", seconds=60)
                self.figures[process.subject].work["rest"] = [work]
        process = processes[SUBJECTS.index(INTEGRATION)]
        await process.order("no_estimates")
        for turn in range(1 + self.options.polls):
            await self.cloud.change("moved")
            if turn:
                await self._measure(process, NO_ESTIMATES, "poll")
            else:
                await process.order("poll", how="cpu")

    async def _untold_set_up(self) -> None:
        """Measure a first set-up where lists tell no settings, as they may."""
        async with process_of(INTEGRATION, self.cloud, self.folder) as process:
            await self._measure(process, UNTOLD, "set_up")

    async def _memory(self) -> None:
        """Measure what is held, in a process that traces it."""
        async with self._processes(trace=True) as processes:
            before = [await process.order("memory") for process in processes]
            for process in processes:
                await process.order("set_up", how="cpu")
            for _ in range(2):
                await self.cloud.change("changed")
                for process in processes:
                    await process.order("poll", how="cpu")
            for process, then in zip(processes, before, strict=True):
                now = await process.order("memory")
                self.figures[process.subject].memory = {
                    name: now[name] - then[name] for name in then
                }


async def run(options: Options, folder: Path) -> list[Figures]:
    """Measure both integrations at all sizes."""
    found: list[Figures] = []
    for devices in options.devices:
        say(f"{devices} devices")
        async with cloud_of(devices, folder) as cloud:
            bench = Bench(cloud, folder, devices, options)
            await bench.run()
            found += bench.figures.values()
    return found


async def profile(what: str, devices: int, by: str, folder: Path) -> str:
    """Profile one piece of the integration's work."""
    async with cloud_of(devices, folder) as cloud:
        await cloud.change("changed")
        await cloud.settings_in_lists(told=True)
        async with process_of(INTEGRATION, cloud, folder) as process:
            if what == FIRST:
                return str((await process.order("set_up", how=by))["text"])
            await process.order("set_up", how="cpu")
            if what in ("unload", AGAIN):
                order = {"how": by if what == "unload" else "cpu"}
                answer = await process.order("unload", **order)
                if what == AGAIN:
                    answer = await process.order("set_up", how=by)
                return str(answer["text"])
            await cloud.settings_in_lists(told=False)
            for _ in range(_WARM_UPS):
                for kind in KINDS:
                    await cloud.change(kind)
                    await process.order("poll", how="cpu")
            await cloud.change(what)
            return str((await process.order("poll", how=by))["text"])
