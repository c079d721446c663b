"""Run the soak: `scripts/soak`."""

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime
import logging
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
import tracemalloc
from typing import Final

from .figures import Log, Verdict
from .run import Options, Report, run

# A week in which the clocks of the house go back.
START: Final = "2026-10-22T00:00:00+00:00"
_MOST_LINES: Final = 12


def _arguments(given: list[str] | None) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        prog="scripts/soak",
        description="Run the integration for a simulated week against the sandbox,"
        " with random trouble and random taps, and see that nothing grows and"
        " nothing is lost.",
    )
    parser.add_argument("--days", type=float, default=7, help="default: 7")
    parser.add_argument(
        "--devices", type=int, default=10, help="of both accounts together"
    )
    parser.add_argument("--seed", type=int, default=1, help="of what is random")
    parser.add_argument(
        "--start", default=START, help=f"the time to begin with (default: {START})"
    )
    parser.add_argument(
        "--no-trace", action="store_true", help="do not trace memory, to be faster"
    )
    parser.add_argument(
        "--all", action="store_true", help="show every figure, not the telling ones"
    )
    arguments = parser.parse_args(given)
    if not 0 < arguments.days <= 366:
        parser.error("argument --days: over 0, at most 366")
    if not 2 <= arguments.devices <= 500:
        parser.error("argument --devices: from 2 to 500")
    return arguments


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if value % 1 else f"{value:.0f}"


def _row(verdict: Verdict) -> str:
    cells = "".join(f"{_number(value):>8}" for value in verdict.medians)
    allowed = f"{_number(verdict.allowed):>8}"
    return f"{verdict.name:<44}{cells}{allowed}  {verdict.said}"


def _show(report: Report, *, everything: bool) -> None:
    """Print what was found."""
    options = report.options
    parts = len(report.verdicts[0].medians) if report.verdicts else 0
    length = options.days * 24 / max(1, parts)
    print(
        f"Soak: {options.days:g} simulated days, {options.devices} devices,"
        f" seed {options.seed}, {report.requests} requests,"
        f" {report.seconds:.0f} s of real time"
    )
    print(
        f"\nMedians of parts of {length:g} h; 'most' is what the second part allows"
        " the last one"
    )
    heads = "".join(f"{number:>8}" for number in range(1, parts + 1))
    print(f"{'':<44}{heads}{'most':>8}")
    hidden = 0
    for verdict in report.verdicts:
        telling = not verdict.name.startswith(("held: ", "objects: "))
        if telling or everything or verdict.grows:
            print(_row(verdict))
        else:
            hidden += 1
    if hidden:
        print(
            f"and {hidden} figures of single containers and classes, all of them flat"
        )
    _show_counts("Troubles", report.troubles)
    _show_counts("Taps and calls", report.ledger)
    _show_counts("Occurrences of plans", report.plans)
    _show_counts("Refusals, by their words", report.refusals)
    _show_counts("Ends of actions", report.ends)
    _show_counts("Log lines", report.log.counts)
    _show_counts("Warnings", report.log.warnings)
    for what, lines in report.failures.items():
        print(f"\nFAILED: {what} ({len(lines)})")
        for line in lines[:_MOST_LINES]:
            print(f"  {line}")
        if len(lines) > _MOST_LINES:
            print(f"  and {len(lines) - _MOST_LINES} more")
    if report.growing or everything:
        for name, counts in report.details.items():
            _show_counts(f"In the end: {name}", counts)
    print()
    for verdict in report.growing:
        print(f"GROWING: {verdict.name}")
    print("All flat, none lost." if report.good else "Not good.")


def _show_counts(title: str, counts: Mapping[str, int]) -> None:
    """Print counts, the most frequent first."""
    if not counts:
        return
    print(f"\n{title}")
    for name, number in sorted(counts.items(), key=lambda item: -item[1]):
        print(f"{number:>8}  {name}")


def main(given: list[str] | None = None) -> int:
    """Run it; return the exit status."""
    arguments = _arguments(given)
    start = datetime.fromisoformat(arguments.start)
    options = Options(
        days=arguments.days,
        devices=arguments.devices,
        seed=arguments.seed,
        start=start if start.tzinfo else start.replace(tzinfo=UTC),
    )
    print(f"seed {options.seed}", file=sys.stderr, flush=True)
    log = Log()
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(log)
    # As Home Assistant has it.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    if not arguments.no_trace:
        tracemalloc.start()
    with TemporaryDirectory(prefix="soak-") as folder:
        report = run(options, Path(folder), log)
    report.fail("errors in the log", *log.errors)
    report.fail("secrets in the log", *log.secrets)
    _show(report, everything=arguments.all)
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
