"""Run the mutation: `scripts/mutate`.

Which tests run a line is asked of coverage first. Each mutant then meets the tests
of its line, narrowest first, in a process that is forked from one which has Home
Assistant loaded already, and in which the mutant's source stands for the file's.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import SourceFileLoader
import json
import os
from pathlib import Path
import random
import signal
import subprocess
import sys
import tempfile
from threading import Timer
from types import CodeType
from typing import Any, Final

from coverage import CoverageData

from develop import ROOT

from .mutants import Mutant, mutants

INTEGRATION: Final = "custom_components/amps_ai"
USUAL: Final = (
    f"{INTEGRATION}/pushes",
    f"{INTEGRATION}/readings/freshness.py",
    f"{INTEGRATION}/account/limits.py",
)
# Tests that run the whole project once more in a process of its own.
NOT_ASKED: Final = ("tests/browser", "tests/integration/test_soak.py")
# The narrowest tests of a line first; where these notice nothing, the others.
ROUNDS: Final = (6, 60)
# A mutant that takes so long, in seconds, hangs: that is noticed.
PATIENCE: Final = 240

type Tests = dict[str, dict[int, list[str]]]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a mutant."""

    mutant: Mutant
    tests: int
    noticed: bool


def _files(paths: list[str]) -> list[str]:
    """Return the files that are meant, from the project's folder on."""
    found: list[Path] = []
    for path in paths:
        place = ROOT / path
        found += sorted(place.rglob("*.py")) if place.is_dir() else [place]
    return [str(item.relative_to(ROOT)) for item in found]


def _trace(data: Path, tests: list[str]) -> None:
    """Run the tests, and note which of them runs which line.

    The quickest way to measure notes the first test of a line only.
    """
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n", "auto", "--dist", "loadfile"),
            *("-p", "no:cacheprovider", "--cov", "--cov-context=test", "--cov-report="),
            *(f"--ignore={path}" for path in NOT_ASKED),
            *tests,
        ],
        check=True,
        cwd=ROOT,
        env={**os.environ, "COVERAGE_FILE": str(data), "COVERAGE_CORE": "ctrace"},
    )


def _tests(data: Path, files: list[str]) -> Tests:
    """Return the tests of each line, those that run the fewest lines first."""
    known = CoverageData(str(data))
    known.read()
    by_file = {path: known.contexts_by_lineno(str(ROOT / path)) for path in files}
    width: Counter[str] = Counter()
    for lines in by_file.values():
        for contexts in lines.values():
            width.update({name.partition("|")[0] for name in contexts if name})
    return {
        path: {
            line: sorted(
                {name.partition("|")[0] for name in contexts if name},
                key=lambda name: (width[name], name),
            )
            for line, contexts in lines.items()
        }
        for path, lines in by_file.items()
    }


def _prepare() -> None:
    """Load what every test needs, and nothing of the integration.

    The tools for tests come first, as they put things in the core's place.
    """
    for name in (
        "pytest_homeassistant_custom_component.plugins",
        "homeassistant.bootstrap",
    ):
        import_module(name)


def _stand_in(mutant: Mutant) -> None:
    """Let a mutant's source be imported in place of the file's."""
    path = str(ROOT / mutant.path)
    get_code = SourceFileLoader.get_code

    def mutated(self: SourceFileLoader, fullname: str) -> CodeType | None:
        if os.path.realpath(self.path) == path:
            return compile(mutant.source, path, "exec", dont_inherit=True)
        return get_code(self, fullname)

    SourceFileLoader.get_code = mutated  # type: ignore[assignment, method-assign]


def _run_tests(mutant: Mutant | None, tests: list[str]) -> int:
    """Run tests in a process of their own; return pytest's exit status."""
    child = os.fork()
    if child:
        # What hangs may not listen to signals that it can hear.
        limit = Timer(PATIENCE, os.kill, (child, signal.SIGKILL))
        limit.start()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        limit.cancel()
        return status
    # From here on in the child, which never returns.
    status = 70
    try:
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(quiet, stream)
        if mutant is not None:
            _stand_in(mutant)
        import pytest

        status = pytest.main(
            ["-x", "-q", "--no-cov", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
        )
    finally:
        os._exit(status)


def _worker(job: Path) -> None:
    """Work on a share of the mutants, and write a line for each."""
    share = json.loads(job.read_text())
    os.chdir(ROOT)
    _prepare()
    for item in share:
        mutant, tests = Mutant(**item["mutant"]), item["tests"]
        noticed = False
        begun = 0
        for count in ROUNDS:
            asked = tests[begun:count]
            if asked and not noticed:
                noticed = _run_tests(mutant, asked) != 0
            begun = count
        print(json.dumps({"number": item["number"], "noticed": noticed}), flush=True)


def _verdicts(chosen: list[Mutant], tests: Tests, jobs: int) -> Iterator[Verdict]:
    """Meet all mutants, some at a time; yield each as it is known."""
    items: list[dict[str, Any]] = [
        {
            "number": number,
            "mutant": vars(mutant),
            "tests": tests[mutant.path].get(mutant.line, []),
        }
        for number, mutant in enumerate(chosen)
    ]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:

        def work(number: int) -> list[dict[str, Any]]:
            job = Path(folder) / f"{number}.json"
            job.write_text(json.dumps(items[number::jobs]))
            run = [
                sys.executable,
                "-m",
                "develop.measures.mutation",
                "--worker",
                str(job),
            ]
            answer: list[dict[str, Any]] = []
            with subprocess.Popen(run, cwd=ROOT, stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    answer.append(json.loads(line))
                    print(".", end="", file=sys.stderr, flush=True)
            if process.returncode:
                raise SystemExit("A worker failed: see above.")
            return answer

        for answers in pool.map(work, range(jobs)):
            for answer in answers:
                item = items[answer["number"]]
                yield Verdict(
                    mutant=chosen[answer["number"]],
                    tests=len(item["tests"]),
                    noticed=answer["noticed"],
                )


def _report(verdicts: list[Verdict]) -> None:
    """Print the shares, and each mutant that nobody noticed."""
    by_file: defaultdict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_file[verdict.mutant.path.removeprefix(f"{INTEGRATION}/")].append(verdict)
    by_file["all"] = verdicts
    print("| file | mutants | noticed | |\n| --- | ---: | ---: | ---: |")
    for path, some in by_file.items():
        noticed = sum(verdict.noticed for verdict in some)
        share = 100 * noticed / len(some)
        print(f"| {path} | {len(some)} | {noticed} | {share:.0f} % |")
    for verdict in verdicts:
        if not verdict.noticed:
            mutant = verdict.mutant
            print(f"\n{mutant.path}:{mutant.line} ({verdict.tests} tests)")
            print(mutant.diff)


def main() -> int:
    """Run it; return 0, however many mutants nobody notices."""
    parser = argparse.ArgumentParser(prog="scripts/mutate")
    parser.add_argument("paths", nargs="*", default=list(USUAL))
    parser.add_argument("--count", type=int, help="of mutants, at random; all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--tests", nargs="+", default=[], help="to ask; all")
    parser.add_argument("--trace", type=Path, help="keep, or take, what runs what")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker is not None:
        _worker(options.worker)
        return 0
    files = _files(options.paths)
    with tempfile.TemporaryDirectory() as folder:
        data = options.trace or Path(folder) / "coverage"
        if not data.exists():
            _trace(data, options.tests)
        tests = _tests(data, files)
    chosen = [mutant for path in files for mutant in mutants(ROOT, path)]
    if options.count is not None and options.count < len(chosen):
        chosen = random.Random(options.seed).sample(chosen, options.count)
    _report(
        sorted(
            _verdicts(chosen, tests, options.jobs),
            key=lambda verdict: (verdict.mutant.path, verdict.mutant.line),
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
