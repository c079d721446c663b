"""The demo's home, as a process of its own: a sandbox that has lived before.

At its first start it lives through the week before, and writes down what it was
like. When it ends, it keeps what it has become; the next one goes on from there.
"""

import argparse
import asyncio
import json
from pathlib import Path
import signal
import sys
from typing import Any, Final

from sandbox import Sandbox
from sandbox.homes import FURNISH

from .clock import HomeClock
from .past import MOST_DEVICES, keep, live, remember, sandbox_before

HOST: Final = "127.0.0.1"
KEPT: Final = "home.json"
PAST: Final = "past.json"


def _arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m develop.demo.home")
    parser.add_argument("--home", choices=sorted(FURNISH), required=True)
    parser.add_argument("--clock", type=HomeClock.from_text, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    return parser.parse_args()


def open_home(folder: Path, name: str, now: float) -> Sandbox:
    """Return the home as it is now: grown from what was kept, or from a week."""
    kept: dict[str, Any] | None = None
    path = folder / KEPT
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
    if kept is not None and kept["at"] <= now:
        sandbox = remember(kept, home=name)
        sandbox.clock.set(now)
        for device in sandbox.home.devices:
            device.capture()
        return sandbox
    sandbox = sandbox_before(now, home=name)
    if len(sandbox.home.devices) <= MOST_DEVICES:
        _write(folder / PAST, live(sandbox, now).as_json())
    return sandbox


def _write(path: Path, data: Any) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(data), encoding="utf-8")
    new.replace(path)


async def _run(arguments: argparse.Namespace) -> None:
    """Run until a signal comes."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    sandbox = open_home(arguments.folder, arguments.home, arguments.clock.time())
    # The week took its time to live through.
    sandbox.clock.set(arguments.clock.time())
    sandbox.clock.run(arguments.clock.speed)
    url = await sandbox.start(HOST, 0)
    print(f"Amps sandbox: {url} app {sandbox.app_id}", flush=True)
    await ended.wait()
    _write(arguments.folder / KEPT, keep(sandbox))
    await sandbox.stop()


def main() -> int:
    """Run the home; return the exit status."""
    asyncio.run(_run(_arguments()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
