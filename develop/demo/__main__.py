"""Run the demo: `scripts/demo`."""

import argparse
import asyncio
import contextlib
import errno
import fcntl
import os
from pathlib import Path
import re
import shutil
import signal
import socket
import sys
import time
from typing import Final

import aiohttp

from develop.children import Child
from sandbox import TEST_KEY

from . import options
from .clock import HomeClock
from .config import LOG, Configuration
from .front_door import DoorError, FrontDoor
from .home import HOST, PAST
from .home_assistant import CLOCK

DOMAIN: Final = "amps_ai"
DEMO: Final = "demo_home"
APP_ID: Final = "app_demo"
# With this status Home Assistant asks to be started again.
RESTART: Final = 100
# The first start takes longest: it makes the database and reads all else.
START_PATIENCE: Final = 180
STOP_PATIENCE: Final = 30


class DemoError(Exception):
    """What is wrong, in words for a person, and what else may help."""

    def __init__(self, text: str, *more: str) -> None:
        """Take the words."""
        super().__init__(text)
        self.more = more


def say(text: str) -> None:
    """Show what is being done."""
    print(text, file=sys.stderr, flush=True)


def _take_port(port: int) -> int:
    """Return the port, or a free one for 0; it must not be in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError as err:
            raise DemoError(f"Port {port} is for the system's own services.") from err
        except OSError as err:
            if err.errno != errno.EADDRINUSE:
                raise
            raise DemoError(
                f"Port {port} is taken: another program listens there.",
                "End that one, or take another port: scripts/demo --port 8124",
            ) from err
        taken: int = probe.getsockname()[1]
        return taken


def _take_state(folder: Path) -> int:
    """Return a lock on the folder with the state, which two demos cannot share."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as err:
        os.close(lock)
        raise DemoError(
            f"A demo of this home runs already, with its state in {folder}.",
            "End that one, or choose another folder: scripts/demo --state FOLDER",
        ) from err
    return lock


class Demo:
    """Home Assistant and the sandbox, from the start to the end of both."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Take the arguments; nothing is done yet."""
        self._home: str = arguments.home
        self._speed: float = arguments.speed
        self._start: float | None = arguments.start
        self._no_entry: bool = arguments.no_entry
        self._bare: bool = arguments.bare
        # What is to be tried from the start, is; and a home with a clock of its
        # own cannot go on from where the world's clock is.
        self._own_clock = self._start is not None or self._speed != 1
        self._fresh: bool = arguments.fresh or self._no_entry or self._own_clock
        self._clock = HomeClock.starting(self._start)
        self._port: int = arguments.port
        parts = {
            "no-entry": self._no_entry,
            "own-clock": self._own_clock,
            "bare": self._bare,
        }
        name = "-".join([self._home, *(part for part, there in parts.items() if there)])
        self._folder: Path = arguments.state.resolve() / name
        self._children: list[Child] = []

    @property
    def url(self) -> str:
        """The address of Home Assistant."""
        return f"http://{HOST}:{self._port}"

    async def run(self) -> None:
        """Run until a signal comes, or one of the two ends by itself."""
        self._port = _take_port(self._port)
        lock = _take_state(self._folder)
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._end, ended)
        try:
            work = asyncio.create_task(self._work())
            waiting = asyncio.create_task(ended.wait())
            await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if not work.done():
                say("\n- Ending Home Assistant and the sandbox")
                work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
        finally:
            # Home Assistant first, while what it talks to is still there.
            for child in reversed(self._children):
                await child.stop(STOP_PATIENCE)
            os.close(lock)
        if ended.is_set():
            say("  All ended.")

    def _end(self, ended: asyncio.Event) -> None:
        """End in good order; at once where it is asked for again."""
        if ended.is_set():
            for child in self._children:
                child.kill()
        ended.set()

    async def _work(self) -> None:
        """Start everything, and start Home Assistant again when it asks for it."""
        if self._fresh:
            for path in self._folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        say(f"- The Amps sandbox, with the home '{self._home}'")
        sandbox, address = await self._start_sandbox()
        past = self._folder / PAST
        if self._bare:
            past.unlink(missing_ok=True)
        Configuration(
            folder=self._folder / "config",
            port=self._port,
            with_entry=not self._no_entry,
            sandbox=address,
            past=past,
            bare=self._bare,
        ).write()
        while True:
            home_assistant = await self._start_home_assistant(address)
            await self._open(home_assistant, address)
            self._announce(address)
            await _first_end(home_assistant, sandbox)
            self._check(sandbox)
            if home_assistant.process.returncode != RESTART:
                self._check(home_assistant)
            self._children.remove(home_assistant)
            say("- Home Assistant starts again, as it was asked to")

    async def _start_sandbox(self) -> tuple[Child, str]:
        """Start the sandbox; return it and its address."""
        command = ["-m", "develop.demo.home", f"--home={self._home}"]
        command += [f"--clock={self._clock.as_text()}", f"--folder={self._folder}"]
        child = await Child.start("sandbox", command, self._folder / "sandbox.out")
        self._children.append(child)
        for _ in range(START_PATIENCE * 10):
            if match := re.search(r"http://\S+", "\n".join(child.last_lines())):
                return child, match[0]
            self._check(child)
            await asyncio.sleep(0.1)
        raise DemoError("The sandbox does not start.")

    async def _start_home_assistant(self, address: str) -> Child:
        """Start Home Assistant, with the sandbox as its Amps."""
        from homeassistant.const import __version__

        say(f"- Home Assistant {__version__}")
        child = await Child.start(
            "Home Assistant",
            [
                "-m",
                "develop.demo.home_assistant",
                f"--config={self._folder / 'config'}",
                "--log-no-color",
            ],
            self._folder / "home-assistant.out",
            environment={
                "AMPS_AI_API_URL": address,
                "AMPS_AI_LINK_URL": f"{address}/link",
                **({CLOCK: self._clock.as_text()} if self._own_clock else {}),
            },
        )
        self._children.append(child)
        return child

    async def _open(self, child: Child, address: str) -> None:
        """Wait for Home Assistant, and add the integration where it is missing."""
        began = told = time.monotonic()
        async with FrontDoor(self.url) as door:
            logged_in = False
            while True:
                self._check(child)
                if logged_in or await door.answers():
                    if not logged_in:
                        await door.log_in()
                        logged_in = True
                    if await door.state() == "RUNNING":
                        break
                now = time.monotonic()
                # Instead of ending, it may go on without most of itself.
                lost = any("recovery mode" in line for line in child.last_lines())
                if lost or now - began > START_PATIENCE:
                    raise DemoError("Home Assistant does not start.", *self._why(child))
                if now - told >= 10:
                    told = now
                    say(f"    still starting after {now - began:.0f} s")
                await asyncio.sleep(0.2)
            if self._no_entry:
                return
            if await door.entry(DOMAIN) is None:
                say("- The Amps AI integration")
                await door.add(DOMAIN, {"api_key": TEST_KEY, "app_id": APP_ID})
            if not await door.entry_loaded(DOMAIN, 60):
                raise DemoError(
                    "The Amps AI integration could not be set up.", *self._why(child)
                )
            if (self._folder / PAST).exists():
                say("- The week before")
            await door.call(DEMO, "furnish")
            if self._speed != 1:
                await self._live_fast(door, address)

    async def _live_fast(self, door: FrontDoor, address: str) -> None:
        """Let the home and Home Assistant live faster, from the same moment on."""
        await door.call(DEMO, "live", speed=self._speed)
        async with aiohttp.ClientSession() as session:
            url = f"{address}/_sandbox/clock"
            async with session.post(url, json={"speed": self._speed}):
                self._clock = self._clock.going(self._speed)

    def _announce(self, address: str) -> None:
        """Say where everything is."""
        log = self._folder / "config" / LOG
        print(
            f"\nHome Assistant is ready: {self.url}\n"
            f"  Amps sandbox: {address} (API key {TEST_KEY}, app ID {APP_ID})\n"
            f"  Log: {log}\n"
            "  Ctrl-C ends both.",
            flush=True,
        )

    def _check(self, child: Child) -> None:
        """Raise where a process has ended by itself."""
        if not child.running:
            raise DemoError(
                f"The {child.name} process has ended by itself."
                if child.name == "sandbox"
                else f"{child.name} has ended by itself.",
                *self._why(child),
            )

    def _why(self, child: Child) -> list[str]:
        """Return what a process said last, and where it said all of it."""
        lines = [f"| {line}" for line in child.last_lines()]
        lines.append(f"All of it: {child.output}")
        if not self._fresh:
            lines.append("To forget what earlier runs have left: scripts/demo --fresh")
        return lines


async def _first_end(*children: Child) -> None:
    """Wait until one of several processes has ended."""
    ends = [asyncio.create_task(child.process.wait()) for child in children]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()


def main() -> int:
    """Run the demo; return the exit status."""
    arguments = options.parse()
    try:
        asyncio.run(Demo(arguments).run())
    except (DemoError, DoorError) as err:
        say(f"error: {err}")
        for line in getattr(err, "more", ()):
            say(f"  {line}")
        return 1
    except OSError as err:
        say(f"error: {err}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
