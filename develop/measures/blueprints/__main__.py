"""Simulated days with each blueprint: energy, cost and commands.

A real Home Assistant with its real recorder lives through days in a house of the
sandbox, with a meter and prices; once without the automation, once with the
blueprint as it is now, and once as it was. Some days all is well; on others a
command fails, a push is refused, Home Assistant is off, or the meters are silent.
"""

import argparse
import asyncio
from dataclasses import dataclass
import json
import logging
from pathlib import Path
import random
import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import Final

from develop import ROOT, bare_core
from sandbox import TEST_KEY, Sandbox
from sandbox.physics import BatteryPhysics

from ..common import Weather, in_simulated_time, recorder_is_behind, where_the_api_is
from ..simulated_time import SimulatedTime
from .house import DAY, House, SelfUse
from .scenarios import SCENARIOS, Scenario, go_wrong

FOLDER: Final = Path("blueprints") / "automation" / "amps_ai"

type Figures = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Which days."""

    scenario: Scenario
    blueprints: Path | None
    days: int
    rough: bool
    seed: int = 1


async def _run(house: House, options: Options) -> Figures:
    scenario = options.scenario
    await house.sandbox.start(bare_core.HOST)
    with where_the_api_is(house.sandbox.url):
        await house.start()
        await house.add_entry(scenario.level)
        house.sandbox.faults = Weather(options.seed)
        if options.blueprints is not None:
            await house.automate(scenario.inputs(house))
        wrong = asyncio.create_task(_go_wrong(house, options))
        await house.live(scenario.start.timestamp() + options.days * DAY)
        await wrong
        await house.stop()
    await house.sandbox.stop()
    if house.sandbox.crashes:
        raise RuntimeError(f"The sandbox crashed: {house.sandbox.crashes}")
    return scenario.per_day(house.counts, options.days)


async def _go_wrong(house: House, options: Options) -> None:
    if options.rough:
        await go_wrong(house, options.scenario, options.days)


def run(options: Options, folder: Path) -> Figures:
    """Live through the days in this process."""
    random.seed(options.seed)
    scenario = options.scenario
    with SimulatedTime(scenario.start) as simulated, in_simulated_time():
        sandbox = Sandbox("home", seed=options.seed, clock=simulated.clock)
        # The other account is not looked at.
        del sandbox.accounts[next(k for k in sandbox.accounts if k != TEST_KEY)]
        scenario.furnish(sandbox)
        for device in sandbox.home.devices:
            if isinstance(device.physics, BatteryPhysics):
                SelfUse(sandbox, device.physics)
        house = House(
            folder=folder / "core",
            blueprints=options.blueprints or ROOT / FOLDER,
            blueprint=scenario.blueprint,
            sandbox=sandbox,
            time=simulated,
            limit=scenario.limit,
            tariff=scenario.tariff,
        )
        house.watch()
        with simulated.runner(lambda: sandbox.next_due, recorder_is_behind) as runner:
            return runner.run(_run(house, options))


# Side by side


def _child(options: Options, folder: Path) -> Figures:
    """Run the days in a process of their own."""
    out = folder / "out.json"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "develop.measures.blueprints",
            *("--child", str(out)),
            *("--only", options.scenario.blueprint),
            *("--days", str(options.days)),
            *("--seed", str(options.seed)),
            *(("--rough",) if options.rough else ()),
            *(("--folder", str(options.blueprints)) if options.blueprints else ()),
        ],
        check=True,
        cwd=ROOT,
    )
    result: Figures = json.loads(out.read_text(encoding="utf-8"))
    return result


def _unpack(commit: str, folder: Path) -> Path:
    """Return the blueprints of a commit."""
    packed = subprocess.run(
        ["git", "-C", str(ROOT), "archive", commit, str(FOLDER)],
        check=True,
        stdout=subprocess.PIPE,
    )
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
    return folder / FOLDER


def _row(scenario: Scenario, rough: bool, subject: str, found: Figures) -> str:
    """Return a row of the table."""
    cars = f"{found['cars']:.1f}" if found["cars"] else ""
    return (
        f"| {scenario.blueprint} | {'rough' if rough else 'fair'} | {subject} |"
        f" {found['from the grid']:.1f} | {found['cost']:.2f} | {cars} |"
        f" {found['commands']:.1f} | {found['goal']:.1f} {scenario.goal} |"
    )


def main(given: list[str] | None = None) -> int:
    """Run it; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench --blueprints",
        description="Live through simulated days with each blueprint, and tell energy,"
        " cost and commands of a day.",
    )
    names = [scenario.blueprint for scenario in SCENARIOS]
    parser.add_argument("--only", choices=names, action="append")
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--beside", metavar="COMMIT", help="those of an older one, too")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--rough", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(given)
    # That commands fail is a part of it.
    logging.getLogger().setLevel(logging.CRITICAL)
    with TemporaryDirectory(prefix="blueprints-") as name:
        folder = Path(name)
        if arguments.child:
            scenario = SCENARIOS[names.index(arguments.only[0])]
            options = Options(
                scenario=scenario,
                blueprints=arguments.folder,
                days=arguments.days,
                rough=arguments.rough,
                seed=arguments.seed,
            )
            found = run(options, folder)
            arguments.child.write_text(json.dumps(found), encoding="utf-8")
            return 0
        subjects: dict[str, Path | None] = {"without": None}
        if arguments.beside:
            subjects["before"] = _unpack(arguments.beside, folder)
        subjects["now"] = ROOT / FOLDER
        for scenario in SCENARIOS:
            if arguments.only and scenario.blueprint not in arguments.only:
                continue
            for rough in (False, True):
                for subject, blueprints in subjects.items():
                    path = blueprints and blueprints / f"{scenario.blueprint}.yaml"
                    if (path and not path.exists()) or (rough and path is None):
                        continue
                    options = Options(
                        scenario=scenario,
                        blueprints=blueprints,
                        days=arguments.days,
                        rough=rough,
                        seed=arguments.seed,
                    )
                    found = _child(options, folder)
                    print(_row(scenario, rough, subject, found), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
