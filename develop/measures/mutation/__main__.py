"""Run the mutation: `scripts/mutate`.

Which tests run a line is asked of coverage first. Each mutant then meets the tests
of its line, narrowest first, in a process that is forked from one which has Home
Assistant loaded already, and in which the mutant's source stands for the file's.
It counts as noticed if a test fails that passes, run likewise, without the mutant.
"""

import argparse
import ast
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.machinery import SourceFileLoader
import json
from math import ceil
import os
from pathlib import Path
from queue import Empty, SimpleQueue
import random
import re
import signal
import subprocess
import sys
import tempfile
from threading import Timer
from types import CodeType
from typing import IO, Final, NoReturn

from coverage import CoverageData
import pytest

from develop import ROOT

from .mutants import Mutant, mutants

INTEGRATION: Final = "custom_components/amps_ai"
USUAL: Final = (
    f"{INTEGRATION}/pushes",
    f"{INTEGRATION}/readings/freshness.py",
    f"{INTEGRATION}/readings/levels.py",
    f"{INTEGRATION}/account/limits.py",
)
# Tests that run the whole project once more in a process of its own.
NOT_ASKED: Final = ("tests/browser", "tests/integration/test_soak.py")
# So many of the narrowest tests of a line are asked first, then so many of the others.
FIRST: Final = 6
THEN: Final = 24
# A test that takes so long, in seconds, hangs, and so does a round of them: that is
# noticed, unless it is the machine that is slow.
PATIENCE: Final = 150
PATIENCE_WITH_ALL: Final = 900

type Lines = dict[int, list[str]]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a mutant."""

    mutant: Mutant
    tests: int
    # The test that noticed.
    noticed: str | None


def _files(paths: list[str]) -> list[str]:
    """Return the files that are meant, from the project's folder on."""
    found: list[Path] = []
    for path in paths:
        place = ROOT / path
        found += sorted(place.rglob("*.py")) if place.is_dir() else [place]
    return [str(item.relative_to(ROOT)) for item in found]


def _trace(data: Path, files: list[str], tests: list[str]) -> None:
    """Run the tests, and note which of them runs which line.

    The quickest way to measure notes the first test of a line only.
    """
    config = data.with_name(f"lines_of_{data.name}.ini")
    config.write_text(
        "\n".join(["[run]", "include =", *(f"  {path}" for path in files)])
    )
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n", "auto", "--dist", "loadfile"),
            *("-p", "no:cacheprovider", "--cov", "--cov-context=test", "--cov-report="),
            f"--cov-config={config}",
            *(f"--ignore={path}" for path in NOT_ASKED),
            *tests,
        ],
        check=True,
        cwd=ROOT,
        env={**os.environ, "COVERAGE_FILE": str(data), "COVERAGE_CORE": "ctrace"},
    )


def _traced(data: Path, files: list[str]) -> dict[str, Lines]:
    """Return the tests of each line: those of whose own part it is, then the narrow.

    What a test's fixtures run, it rarely looks at.
    """
    known = CoverageData(str(data))
    known.read()
    by_file = {path: known.contexts_by_lineno(str(ROOT / path)) for path in files}
    width = Counter(
        name.partition("|")[0]
        for lines in by_file.values()
        for contexts in lines.values()
        for name in contexts
    )

    def ordered(contexts: list[str]) -> list[str]:
        own = {name.partition("|")[0] for name in contexts if name.endswith("|run")}
        every = {name.partition("|")[0] for name in contexts if name}
        return sorted(every, key=lambda name: (name not in own, width[name], name))

    return {
        path: {line: ordered(contexts) for line, contexts in lines.items()}
        for path, lines in by_file.items()
    }


def _of_tests(mutant: Mutant, tree: ast.Module, lines: Lines) -> list[str]:
    """Return the tests of a mutant, those to ask first in front.

    A line that only an import runs is asked of by those that run what it is for:
    the body of a function, or the lines that use a name.
    """
    if tests := lines.get(mutant.line):
        return tests
    statement: ast.stmt | None = None
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.stmt)
            and node.lineno <= mutant.line <= (node.end_lineno or node.lineno)
            and (statement is None or node.lineno >= statement.lineno)
        ):
            statement = node
    if statement is None:
        return []
    used = set(range(statement.lineno, (statement.end_lineno or 0) + 1))
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        names = {
            node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Name)
            if isinstance(node.ctx, ast.Store)
        }
        for number, text in enumerate((ROOT / mutant.path).read_text().splitlines(), 1):
            if names & set(re.findall(r"\w+", text)):
                used.add(number)
    found = [lines[number] for number in sorted(used) if number in lines]
    # The first of each line, then the second, …
    longest = max(map(len, found), default=0)
    return list(
        dict.fromkeys(
            some[place]
            for place in range(longest)
            for some in found
            if place < len(some)
        )
    )


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


class _Diary:
    """A part of pytest: write down which test is run."""

    def __init__(self, paper: IO[str]) -> None:
        """Write to a file that whoever waits for the tests has, too."""
        self._paper = paper

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Take note of a test that begins."""
        print(nodeid, file=self._paper, flush=True)


def _run_tests(mutant: Mutant | None, tests: list[str]) -> str | None:
    """Run tests in a process of their own; return the first one that failed."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as paper:
        child = os.fork()
        if not child:
            _run_here(mutant, tests, paper)
        # What hangs may not listen to signals that it can hear.
        limit = Timer(PATIENCE_WITH_ALL, os.kill, (child, signal.SIGKILL))
        limit.start()
        _, status = os.waitpid(child, 0)
        limit.cancel()
        paper.seek(0)
        begun = paper.read().splitlines()
    # The last one that began ended it. Where none did, not even imports went well.
    return (begun or tests)[-1] if status else None


def _run_here(mutant: Mutant | None, tests: list[str], paper: IO[str]) -> NoReturn:
    """Run tests, and end the process."""
    status = 70
    try:
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(quiet, stream)
        if mutant is not None:
            _stand_in(mutant)
        status = pytest.main(
            [
                *("-x", "-q", "--no-cov", "-p", "no:cacheprovider", "-p", "no:xdist"),
                f"--timeout={PATIENCE}",
                *tests,
            ],
            plugins=[_Diary(paper)],
        )
    finally:
        os._exit(status)


def _rounds(tests: list[str]) -> tuple[list[str], list[str]]:
    """Choose whom to ask, of tests that are in order.

    First one case each of the narrowest tests, then some from all over the others:
    those beside each other mostly look at the same.
    """
    one_each = {name.partition("[")[0]: name for name in reversed(tests)}
    first = [name for name in tests if name in one_each.values()][:FIRST]
    others = [name for name in tests if name not in first]
    return first, others[:: ceil(len(others) / THEN) or 1]


def _meet(mutant: Mutant, tests: list[str], sound: dict[str, bool]) -> str | None:
    """Let a mutant meet tests; return the one that noticed."""
    for asked in _rounds(tests):
        while asked and (failed := _run_tests(mutant, asked)):
            if failed not in sound:
                sound[failed] = _run_tests(None, [failed]) is None
            if sound[failed]:
                return failed
            asked = [test for test in asked if test != failed]
    return None


def _worker() -> None:
    """Answer each mutant that comes in a line with the test that notices it."""
    os.chdir(ROOT)
    _prepare()
    sound: dict[str, bool] = {}
    for line in sys.stdin:
        mutant, tests = json.loads(line)
        print(json.dumps(_meet(Mutant(**mutant), tests, sound)), flush=True)


def _verdicts(chosen: list[tuple[Mutant, list[str]]], jobs: int) -> list[Verdict]:
    """Have all mutants met, some at a time and in their order."""
    left: SimpleQueue[tuple[Mutant, list[str]]] = SimpleQueue()
    for item in chosen:
        left.put(item)
    verdicts: list[Verdict] = []

    def work(_: int) -> None:
        run = [sys.executable, "-m", "develop.measures.mutation", "--worker"]
        with subprocess.Popen(
            run, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            while True:
                try:
                    mutant, tests = left.get_nowait()
                except Empty:
                    return
                print(
                    json.dumps((asdict(mutant), tests)), file=process.stdin, flush=True
                )
                noticed = json.loads(process.stdout.readline())
                verdict = Verdict(mutant=mutant, tests=len(tests), noticed=noticed)
                verdicts.append(verdict)
                print(_told(verdict), file=sys.stderr, flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, range(jobs)))
    return sorted(verdicts, key=lambda item: (item.mutant.path, item.mutant.line))


def _told(verdict: Verdict) -> str:
    """Return a line about what became of a mutant."""
    mutant = verdict.mutant
    noticed = verdict.noticed or f"nobody of {min(verdict.tests, FIRST + THEN)}"
    return f"{mutant.path}:{mutant.line} {mutant.operator}: {noticed}"


def _report(verdicts: list[Verdict]) -> None:
    """Print the shares, and each mutant that nobody noticed."""
    by_file: defaultdict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_file[verdict.mutant.path.removeprefix(f"{INTEGRATION}/")].append(verdict)
    by_file["all"] = verdicts
    print("| file | mutants | noticed | |\n| --- | ---: | ---: | ---: |")
    for path, some in by_file.items():
        noticed = sum(verdict.noticed is not None for verdict in some)
        share = 100 * noticed / len(some)
        print(f"| {path} | {len(some)} | {noticed} | {share:.0f} % |")
    for verdict in verdicts:
        if verdict.noticed is None:
            print(f"\n{_told(verdict)}\n{verdict.mutant.diff}")


def main() -> int:
    """Run it; return 0, however many mutants nobody notices."""
    parser = argparse.ArgumentParser(prog="scripts/mutate")
    parser.add_argument("paths", nargs="*", default=list(USUAL))
    parser.add_argument("--count", type=int, help="of mutants, at random; all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--tests", nargs="+", default=[], help="to ask; all")
    parser.add_argument("--trace", type=Path, help="keep, or take, what runs what")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        _worker()
        return 0
    files = _files(options.paths)
    with tempfile.TemporaryDirectory() as folder:
        data = options.trace or Path(folder) / "coverage"
        if not data.exists():
            _trace(data, files, options.tests)
        traced = _traced(data, files)
    chosen = [mutant for path in files for mutant in mutants(ROOT, path)]
    if options.count is not None and options.count < len(chosen):
        chosen = random.Random(options.seed).sample(chosen, options.count)
    trees = {path: ast.parse((ROOT / path).read_text()) for path in files}
    _report(
        _verdicts(
            [
                (mutant, _of_tests(mutant, trees[mutant.path], traced[mutant.path]))
                for mutant in chosen
            ],
            options.jobs,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
