"""The demo's two processes: they end when the demo does, whatever ends it."""

import asyncio
from collections.abc import Mapping, Sequence
import contextlib
import ctypes
import os
from pathlib import Path
import signal
import sys
from typing import Final, Self

from develop import ROOT

PR_SET_PDEATHSIG: Final = 1


def _die_with_parent() -> None:
    """Ask for an end where the demo is killed and cannot end this process."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """A process, with what it writes kept in a file."""

    def __init__(
        self, name: str, process: asyncio.subprocess.Process, output: Path
    ) -> None:
        """Hold a process that runs."""
        self.name = name
        self.process = process
        self.output = output

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        output: Path,
        *,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Start a Python process, out of reach of the terminal's Ctrl-C."""
        with output.open("wb") as stream:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *command,
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        return cls(name, process, output)

    @property
    def running(self) -> bool:
        """Whether the process still runs."""
        return self.process.returncode is None

    def last_lines(self, count: int = 15) -> list[str]:
        """Return the end of what the process wrote."""
        text = self.output.read_text(encoding="utf-8", errors="replace")
        return text.splitlines()[-count:]

    async def stop(self, patience: float) -> None:
        """End the process and what it may have started; by force after a while."""
        if self.running:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), patience)
        self.kill()
        await self.process.wait()

    def kill(self) -> None:
        """End the process by force, with all that it started."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the group that the process leads."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
