"""The demo as a process of its own, started and ended by tests."""

from collections.abc import Generator
import contextlib
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import time

from develop import ROOT

START_PATIENCE = 150
STOP_PATIENCE = 45
# What Home Assistant says of every integration that is not its own.
NOTICE = "We found a custom integration "


class DemoProcess:
    """A demo: what it says, where it is, how it ends."""

    def __init__(self, state: Path, *arguments: str) -> None:
        """Start it, on free ports."""
        state.mkdir(parents=True, exist_ok=True)
        self.state = state
        self.output = state / "demo.out"
        with self.output.open("wb") as stream:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "develop.demo",
                    f"--state={state}",
                    *arguments,
                ],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self.output.read_text(encoding="utf-8")

    def wait_until_ready(self) -> None:
        """Wait until it says that Home Assistant is ready."""
        for _ in range(START_PATIENCE * 10):
            if "is ready" in self.text and "Ctrl-C ends" in self.text:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"The demo does not start:\n{self.text}")

    @property
    def url(self) -> str:
        """The address of Home Assistant."""
        return self._said(r"is ready: (\S+)")

    @property
    def sandbox_url(self) -> str:
        """The address of the sandbox."""
        return self._said(r"sandbox: (http\S+)")

    def _said(self, pattern: str) -> str:
        match = re.search(pattern, self.text)
        assert match, self.text
        return match[1]

    def log(self) -> list[str]:
        """Return the log of Home Assistant, but for the usual notice."""
        path = Path(self._said(r"Log: (.+)"))
        lines = path.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if NOTICE not in line]

    def members(self) -> list[int]:
        """Return the processes that it has started, and itself."""
        pids = [self.process.pid]
        with contextlib.suppress(FileNotFoundError):
            children = Path(f"/proc/{pids[0]}/task/{pids[0]}/children")
            pids += [int(pid) for pid in children.read_text().split()]
        return pids

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and return its exit status."""
        self.process.send_signal(number)
        return self.process.wait(STOP_PATIENCE)

    def make_sure_of_the_end(self) -> None:
        """End it, by force where words do not help, and its children with it."""
        if self.process.poll() is not None:
            return
        members = self.members()
        try:
            self.end()
        except subprocess.TimeoutExpired:
            # The children lead groups of their own.
            for pid in reversed(members):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
            raise


@contextlib.contextmanager
def running_demo(state: Path, *arguments: str) -> Generator[DemoProcess]:
    """Run a demo until the end of a block."""
    demo = DemoProcess(state, *arguments)
    try:
        demo.wait_until_ready()
        yield demo
    finally:
        demo.make_sure_of_the_end()
