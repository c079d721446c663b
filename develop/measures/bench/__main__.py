"""Run the benchmark: `scripts/bench`."""

import argparse
import asyncio
import json
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
from typing import Final

from .cloud import CloudError
from .report import as_json, show
from .run import KINDS, Options, RunError, profile, run

PROFILES: Final = (*KINDS, "first set-up", "set-up", "unload")


def _sizes(text: str) -> tuple[int, ...]:
    """Read numbers of devices."""
    sizes = tuple(int(part) for part in text.split(","))
    if not all(5 <= size <= 2000 for size in sizes):
        raise argparse.ArgumentTypeError("from 5 to 2000 devices")
    return sizes


def _count(text: str) -> int:
    """Read how often something is done."""
    if (count := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return count


def _arguments(given: list[str] | None) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure what the integration costs in a real Home Assistant,"
        " beside the least that an integration over the same data could be.",
    )
    parser.add_argument(
        "--devices",
        type=_sizes,
        default=(5, 50, 250, 750),
        help="how many, separated by commas (default: 5,50,250,750)",
    )
    parser.add_argument("--polls", type=_count, default=11, help="of each kind")
    parser.add_argument(
        "--holds", type=_count, default=9, help="polls with every callback timed"
    )
    parser.add_argument("--set-ups", type=_count, default=3, help="of each kind")
    parser.add_argument("--no-memory", action="store_true", help="leave memory out")
    parser.add_argument("--rest", action="store_true", help="also a minute of nothing")
    parser.add_argument("--json", type=Path, help="write all figures to a file")
    parser.add_argument(
        "--profile", choices=PROFILES, help="profile this instead, of the integration"
    )
    parser.add_argument(
        "--by",
        choices=("tottime", "cumulative"),
        default="tottime",
        help="of a profile",
    )
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Run it; return the exit status."""
    arguments = _arguments(given)
    options = Options(
        devices=arguments.devices,
        polls=arguments.polls,
        holds=arguments.holds,
        set_ups=arguments.set_ups,
        memory=not arguments.no_memory,
        rest=arguments.rest,
    )
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        try:
            if arguments.profile:
                size = arguments.devices[0] if len(arguments.devices) == 1 else 250
                print(
                    asyncio.run(profile(arguments.profile, size, arguments.by, folder))
                )
                return 0
            found = asyncio.run(run(options, folder))
        except (CloudError, RunError) as err:
            print(f"bench: {err}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
    if arguments.json:
        arguments.json.write_text(
            json.dumps(as_json(options, found), indent=2) + "\n", encoding="utf-8"
        )
    show(options, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
