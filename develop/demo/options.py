"""What the demo's command line says.

`scripts/demo` reads this before it sets anything up, with whatever Python is there
(3.11 or newer): a wrong option is told at once.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
import sys
from typing import Final

ROOT: Final = Path(__file__).parents[2]
# Those of the sandbox, which cannot be asked yet.
HOMES: Final = (
    "big",
    "classic",
    "documented",
    "empty",
    "foxess",
    "home",
    "odd",
    "two",
    "units",
)
FASTEST: Final = 600


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r}: a port is from 0 to 65535")
    return port


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0
    if not 1 <= speed <= FASTEST:
        raise argparse.ArgumentTypeError(f"{text!r}: the speed is from 1 to {FASTEST}")
    return speed


def _start(text: str) -> float:
    try:
        start = datetime.fromisoformat(text)
    except ValueError as err:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time such as 2026-06-01T10:00Z"
        ) from err
    if start.tzinfo is None:
        start = start.replace(tzinfo=UTC)
    if not 2020 <= start.year < 2037:
        raise argparse.ArgumentTypeError("the home lives from 2020 to 2036")
    return start.timestamp()


def _state(text: str) -> Path:
    folder = Path(text).resolve()
    if folder.exists() and not folder.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder")
    return folder


def parse(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line says; end the process where that is wrong."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Open a real Home Assistant on this machine, with a home that"
        " the project's own Amps sandbox plays. Ctrl-C ends all of it.",
    )
    parser.add_argument(
        "--port", type=_port, default=8123, help="of Home Assistant; 0 takes a free one"
    )
    parser.add_argument(
        "--home",
        choices=HOMES,
        default="home",
        help="which home the sandbox plays (default: one device of each type)",
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        help="how many times faster than the world everything lives",
    )
    parser.add_argument(
        "--start",
        type=_start,
        help="the time to begin with, such as 2026-06-01T10:00Z",
    )
    parser.add_argument(
        "--bare",
        action="store_true",
        help="no week behind it, no areas, no blueprints, nothing planned",
    )
    parser.add_argument(
        "--no-entry",
        action="store_true",
        help="leave the integration out, to try its set-up dialog",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="forget what an earlier run has left"
    )
    parser.add_argument(
        "--state",
        type=_state,
        default=ROOT / ".demo",
        help="the folder for what is kept (default: .demo)",
    )
    return parser.parse_args(given)


if __name__ == "__main__":
    parse(sys.argv[1:])
