"""What importing the integration costs: it, and all platforms that Home Assistant asks for.

Each import is done in a fresh process, from compiled files, where everything that
is not the integration's is imported before. The least of several is what counts:
whatever else the machine does only adds.
"""

import argparse
import gc
from importlib import import_module
import json
import os
from pathlib import Path
import subprocess
import sys
from tempfile import TemporaryDirectory
from time import process_time
from typing import Final, NamedTuple

from .days import folder_of

_PACKAGE: Final = "custom_components.amps_ai"


class Import(NamedTuple):
    """One import: its CPU in ms, how many files, and whatever else was imported."""

    cpu: float
    files: int
    others: list[str]


def _import(before: list[str]) -> Import:
    """Import the integration in this process, after some other modules."""
    for name in ("homeassistant.bootstrap", "custom_components", *before):
        import_module(name)
    known = set(sys.modules)
    # The folder that is measured is the one in which this process runs.
    files = Path(*_PACKAGE.split(".")).glob("*.py")
    names = sorted(f"{_PACKAGE}.{file.stem}" for file in files)
    gc.collect()
    gc.freeze()
    began = process_time()
    for name in names:
        import_module(name.removesuffix(".__init__"))
    cpu = (process_time() - began) * 1000
    new = [name for name in sys.modules if name not in known]
    others = [name for name in new if not name.startswith(_PACKAGE)]
    return Import(cpu, len(new) - len(others), others)


def _measured(folder: Path, before: list[str]) -> Import:
    """Import it in a process of its own."""
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, "--child"],
        input=json.dumps(before),
        env=environment,
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return Import(*json.loads(done.stdout))


def main() -> None:
    """Run it, in turns with an older commit where one is given."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench --imports",
        description="Measure the CPU of importing the integration.",
    )
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument(
        "--beside", metavar="COMMIT", help="import an older one as well"
    )
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        sys.stdout.write(json.dumps(_import(json.load(sys.stdin))))
        return
    subjects = {"now": None}
    if options.beside:
        subjects["before"] = options.beside
    with TemporaryDirectory() as place:
        folders = {
            name: folder_of(Path(place, name), commit)
            for name, commit in subjects.items()
        }
        # These also compile.
        first = [_measured(folder, []) for folder in folders.values()]
        others = list(dict.fromkeys(name for one in first for name in one.others))
        runs = [
            {name: _measured(folder, others) for name, folder in folders.items()}
            for _ in range(options.runs)
        ]
    least = {name: min(run[name] for run in runs) for name in folders}
    for name, one in least.items():
        sys.stdout.write(f"{name}: {one.cpu:.1f} ms of CPU, {one.files} files\n")
    if options.beside:
        sys.stdout.write(f"ratio: {least['now'].cpu / least['before'].cpu:.2f}\n")


if __name__ == "__main__":
    main()
