"""Run the sandbox: `python -m sandbox`."""

import argparse
import asyncio
import logging
import signal
import sys

from .clock import Clock
from .cloud import LIVE_KEY, TEST_KEY
from .devices import LENIENCIES
from .homes import FURNISH
from .kinds import GENERATIONS
from .server import PortTakenError, Sandbox

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A local Amps API.",
        epilog="Homes, faults and what else it can play: sandbox/README.md",
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=8470)
    parser.add_argument("--home", choices=sorted(FURNISH), default="home")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--start", help="begin at this time, such as 2026-06-01T10:00Z")
    parser.add_argument("--devices", type=int, default=250, help="for the big home")
    parser.add_argument(
        "--generation",
        choices=GENERATIONS,
        help="how old the form of the answers is; of itself, that of the home",
    )
    parser.add_argument(
        "--lenient",
        action="append",
        choices=sorted(LENIENCIES),
        default=[],
        help="let pass what the documentation does not; may be given twice",
    )
    parser.add_argument(
        "--no-guests",
        action="store_true",
        help="no other car comes to a charger while that of the house is away",
    )
    parser.add_argument("--no-log", action="store_true", help="show no requests")
    return parser.parse_args(given)


async def _run(arguments: argparse.Namespace) -> None:
    """Run until a signal comes."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, ended.set)
    sandbox = Sandbox(
        home=arguments.home,
        seed=arguments.seed,
        devices=arguments.devices,
        generation=arguments.generation,
        lenient=arguments.lenient,
        guests=not arguments.no_guests,
        clock=Clock.real(arguments.start, speed=arguments.speed),
    )
    sandbox.log_requests = not arguments.no_log
    url = await sandbox.start(arguments.host, arguments.port)
    print(
        f"Amps sandbox: {url} keys {TEST_KEY} {LIVE_KEY} app {sandbox.app_id}",
        flush=True,
    )
    await ended.wait()
    await sandbox.stop()
    for number in SIGNALS:
        loop.remove_signal_handler(number)


def main(given: list[str] | None = None) -> int:
    """Run the sandbox; return the exit status."""
    arguments = _arguments(given)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        asyncio.run(_run(arguments))
    except (PortTakenError, ValueError) as err:
        reason = err.strerror if isinstance(err, PortTakenError) else err
        print(f"sandbox: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
