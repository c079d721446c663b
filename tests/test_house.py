"""The picture of the house is that of the contract."""

from pathlib import Path
import re
import tomllib
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent
INTEGRATION: Final = ROOT / "custom_components/amps_ai"
MOST_LINES: Final = 500
MOST_LINES_OF_PUSHES: Final = 350


def _layers() -> list[set[str]]:
    """Return who stands beside whom, from the top, as lint enforces it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts: list[dict[str, Any]] = project["tool"]["importlinter"]["contracts"]
    house = next(contract for contract in contracts if contract["id"] == "house")
    assert house["type"] == "layers"
    assert house["exhaustive"]
    return [set(layer.split(" | ")) for layer in house["layers"]]


def test_the_picture_is_the_contract() -> None:
    """CONTRIBUTING draws each layer, and each above the next one."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    match = re.search(r"```mermaid\n(.*?)```", text, re.DOTALL)
    assert match
    picture = match[1]
    rooms = {
        name: set(label.split(" · "))
        for name, label in re.findall(r"(\w+)\[\"(.*?)\"\]", picture)
    }
    below = dict(re.findall(r"(\w+) --> (\w+)", picture))
    (name,) = rooms.keys() - set(below.values())
    drawn = [rooms[name]]
    while name in below:
        name = below[name]
        drawn.append(rooms[name])
    assert drawn == _layers()


def test_every_package_is_told_of() -> None:
    """CONTRIBUTING says what each package is for."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in INTEGRATION.glob("*/__init__.py")}
    assert packages
    assert {name for name in packages if f"| `{name}/` |" not in text} == set()


def test_there_is_one_clock() -> None:
    """Only one room tells the time or measures it."""
    clock = re.compile(
        r"\butcnow\(|dt_util\.now\(|datetime\.now\(|\bmonotonic|perf_counter|time\.time\("
    )
    assert {
        path.relative_to(INTEGRATION).as_posix()
        for path in INTEGRATION.rglob("*.py")
        if clock.search(path.read_text(encoding="utf-8"))
    } == {"api/clock.py"}


def test_no_room_is_too_large() -> None:
    """A file can be read in one go."""
    lines = {
        path: len(path.read_text(encoding="utf-8").splitlines())
        for path in INTEGRATION.rglob("*.py")
    }
    assert lines
    assert not {
        path.name: count
        for path, count in lines.items()
        if count
        > (MOST_LINES_OF_PUSHES if path.parent.name == "pushes" else MOST_LINES)
    }
