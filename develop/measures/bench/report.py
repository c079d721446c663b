"""What was measured, as tables: each figure beside the floor's, and its target."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
import os
import platform
from statistics import median
from typing import Any, Final

from homeassistant.const import __version__ as home_assistant

from .run import (
    AGAIN,
    FIRST,
    INTEGRATION,
    KINDS,
    NO_ESTIMATES,
    SUBJECTS,
    UNTOLD,
    Figures,
    Options,
)

type Json = dict[str, Any]

# The targets are meant for so many devices.
AIMED_AT: Final = 250
LONGEST_HOLD: Final = 8.0
# What the cost of an entity may grow by, from 50 devices to the most.
FLAT: Final = 1.1
_FLAT_FROM: Final = 50
_WIDTH: Final = 46


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row of CPU: what, beside what of the floor's, and how much more is allowed."""

    said: str
    name: str
    floor: str | None = None
    target: float | None = None


POLLS: Final = (
    Line(said="poll, all devices changed", name="changed", target=1.15),
    Line(said="poll, none changed", name="unchanged", target=1.0),
    Line(said="poll, only the capture moved", name="moved", floor="unchanged"),
    Line(
        said="  without the estimated energies",
        name=NO_ESTIMATES,
        floor="unchanged",
        target=1.0,
    ),
    Line(said="poll, one device changed", name="one", floor="unchanged", target=1.2),
    Line(said="the requests and their JSON alone", name="fetch"),
)
SET_UPS: Final = (
    Line(said="set-up, the first", name=FIRST, target=1.0),
    Line(said="set-up, after a restart", name=AGAIN, target=1.0),
    Line(said="unload", name="unload"),
)
SAID: Final = {line.name: line.said for line in (*POLLS, *SET_UPS)}


def as_json(options: Options, found: Sequence[Figures]) -> Json:
    """Return everything."""
    return {
        "python": platform.python_version(),
        "home_assistant": home_assistant,
        "processors": os.cpu_count(),
        "options": asdict(options),
        "figures": [figures.as_json() for figures in found],
    }


def _cpu(figures: Figures, name: str) -> list[float]:
    """Return the CPU of each time, in µs for an entity."""
    return [work["cpu"] / 1e3 / figures.entities for work in figures.work.get(name, [])]


def _middle(items: Sequence[Json], what: str) -> float:
    return float(median(item[what] for item in items))


def _verdict(value: float, target: float | None) -> str:
    if target is None:
        return ""
    return f"{target:8.2f}  {'ok' if value <= target else 'OVER'}"


def _row(said: str, *cells: str) -> None:
    print(f"{said:<{_WIDTH}}{''.join(f'{cell:>10}' for cell in cells)}".rstrip())


def _show_cpu(own: Figures, floor: Figures, lines: Sequence[Line]) -> None:
    for line in lines:
        mine, its = _cpu(own, line.name), _cpu(floor, line.floor or line.name)
        if not mine or not its:
            continue
        ratio = median(mine) / median(its)
        _row(
            line.said,
            f"{median(mine):.2f}",
            f"{min(mine):.2f}",
            f"{median(its):.2f}",
            f"{min(its):.2f}",
            f"{ratio:.2f}",
            f"{min(mine) / min(its):.2f}",
            _verdict(ratio, line.target),
        )


def _show_holds(own: Figures, floor: Figures) -> None:
    """Print the longest holds, in ms of CPU: of a turn, and of a callback in it.

    Then the turn by the clock, at the quietest time, and what of the longest
    callback was the collecting of garbage.
    """
    for name in (*KINDS, FIRST, AGAIN, "unload"):
        mine, its = own.holds.get(name), floor.holds.get(name)
        if not mine or not its:
            continue
        turn = _middle(mine, "turn_cpu") / 1e6
        _row(
            SAID[name],
            f"{turn:.1f}",
            f"{_middle(mine, 'callback_cpu') / 1e6:.1f}",
            f"{min(item['turn'] for item in mine) / 1e6:.1f}",
            f"{_middle(mine, 'collecting') / 1e6:.1f}",
            f"{_middle(its, 'turn_cpu') / 1e6:.1f}",
            f"{_middle(its, 'callback_cpu') / 1e6:.1f}",
            f"{min(item['turn'] for item in its) / 1e6:.1f}",
            _verdict(turn, LONGEST_HOLD if name in KINDS else None),
        )


def _show_counts(own: Figures, floor: Figures) -> None:
    """Print what is no time: requests, changed states, time to the end."""
    for name in (*KINDS, FIRST, AGAIN, UNTOLD, "unload", "rest"):
        cells: list[str] = []
        for figures in (own, floor):
            work = figures.work.get(name)
            if not work:
                cells += ["-"] * 4
                continue
            cells += [
                f"{_middle(work, 'requests'):.0f}" if name != "rest" else "-",
                f"{_middle(work, 'state_changes'):.0f}",
                f"{_middle(work, 'cpu') / 1e6:.1f}",
                f"{min(item['wall'] for item in work) / 1e6:.0f}",
            ]
        if set(cells) != {"-"}:
            _row(SAID.get(name, name), *cells)


def _show_memory(own: Figures, floor: Figures) -> None:
    for what, said in (("bytes", "bytes"), ("blocks", "blocks of memory")):
        if what not in own.memory:
            continue
        mine, its = (item.memory[what] / item.entities for item in (own, floor))
        _row(
            f"{said} for an entity",
            f"{mine:.1f}",
            "",
            f"{its:.1f}",
            "",
            f"{mine / its:.2f}",
            "",
            _verdict(mine / its, 1.0) if what == "bytes" else "",
        )


def _show_size(own: Figures, floor: Figures) -> None:
    print(
        f"\n== {own.devices} devices: {own.entities} entities"
        f" beside the floor's {floor.entities}"
    )
    if own.devices != AIMED_AT:
        print(f"   (the targets are meant for {AIMED_AT} devices)")
    _row(
        "CPU for an entity, µs (median, least)",
        *("amps_ai", "least", "floor", "least", "ratio", "of least", "target"),
    )
    _show_cpu(own, floor, (*POLLS, *SET_UPS))
    _show_memory(own, floor)
    print()
    _row(
        "Longest hold of the loop, ms of CPU",
        *("amps_ai", "callback", "clock", "garbage"),
        *("floor", "callback", "clock", "target"),
    )
    _show_holds(own, floor)
    print()
    _row(
        "In all: amps_ai, then the floor",
        *("requests", "states", "CPU ms", "took ms") * 2,
    )
    _show_counts(own, floor)


def _show_growth(pairs: Sequence[tuple[Figures, Figures]]) -> None:
    """Print how the cost of an entity goes with the number of devices."""
    sizes = [own.devices for own, _ in pairs]
    print("\n== The cost of an entity by the number of devices, µs")
    _row("", *map(str, sizes), "growth", "most")
    from_size = next((size for size in sizes if size >= _FLAT_FROM), sizes[0])
    begin = sizes.index(from_size)
    for line in (*POLLS, *SET_UPS):
        for number, subject in enumerate(SUBJECTS):
            costs = [_cpu(pair[number], line.name) for pair in pairs]
            if not all(costs):
                continue
            middles = [median(cost) for cost in costs]
            growth = middles[-1] / middles[begin]
            _row(
                line.said if subject == INTEGRATION else "  the floor's",
                *(f"{cost:.2f}" for cost in middles),
                f"{growth:.2f}",
                _verdict(growth, FLAT) if subject == INTEGRATION else "",
            )


def show(options: Options, found: Sequence[Figures]) -> None:
    """Print the tables."""
    pairs: list[tuple[Figures, Figures]] = []
    for size in options.devices:
        of_size = {item.subject: item for item in found if item.devices == size}
        own, floor = (of_size[subject] for subject in SUBJECTS)
        pairs.append((own, floor))
    print(
        f"Home Assistant {home_assistant}, Python {platform.python_version()},"
        f" {os.cpu_count()} processors, {options.polls} polls of each kind"
    )
    for own, floor in pairs:
        _show_size(own, floor)
    if len(pairs) > 1:
        _show_growth(pairs)
