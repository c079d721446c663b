"""Simulated days: what the energies, the recorder and the requests are worth.

A real Home Assistant with its real recorder lives through days that pass as
soon as nothing is left to do. Beside it the sandbox notes the true energy of
each hour, every request and every capture. Run beside an older commit, each
figure has a ratio.
"""

import argparse
import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
import json
import logging
from math import sqrt
from pathlib import Path
import random
from random import Random
import shutil
import sqlite3
from statistics import median
import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest.mock import patch

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er

from develop import ROOT, bare_core
from sandbox import TEST_KEY, Device, RequestRecord, Sandbox
from sandbox.physics import BatteryPhysics, ChargerPhysics, Physics, SolarPhysics
from sandbox.physics.base import hour_of_day

from ..common import (
    Simulated,
    Weather,
    add_entry,
    in_simulated_time,
    recorder_is_behind,
    where_the_api_is,
)
from ..simulated_time import SimulatedTime

DOMAIN: Final = "amps_ai"
HOUR: Final = 3600.0
DAY: Final = 86400.0
# Midnight of the house, in a month with long days and some night.
START: Final = datetime(2026, 4, 14, 22, tzinfo=UTC)
LEVELS: Final = ("relaxed", "standard", "fast", "live")
# What happens in the middle of a day, beside nothing.
EVENTS: Final = ("stop", "reload", "level", "overload", "away", "cut", "elsewhere")
# When it happens, in UTC: the charger and the battery are at work.
AT: Final = (9.5, 22.4)
# A day is so many seconds early or late, which changes evenly for so long.
_UNEVEN: Final = 20 * 60
_KNOTS: Final = 3 * HOUR
_STEP: Final = 3.0
# How many seconds old a state may be, at rest and active.
TARGETS: Final = {
    "relaxed": (1800, 1800),
    "standard": (900, 900),
    "fast": (300, 300),
    "live": (300, 60),
}
RATED: Final = ("battery", "vehicle")
COMPONENTS: Final = ("http", "recorder", "webhook", "repairs")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says."""

    days: float
    devices: int
    level: str
    event: str | None = None
    seed: int = 1
    # Entities that the recorder leaves out, as patterns.
    without: Sequence[str] = ()


# The truth


@dataclass
class Truth:
    """The true energies of a device, by hour since 1970, in kWh."""

    hours: dict[str, defaultdict[int, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )

    def watch(self, physics: Physics) -> None:
        """Integrate what a device does, step by step, without any error."""
        if isinstance(physics, BatteryPhysics):
            self._watch(physics, self._battery(physics))
        elif isinstance(physics, ChargerPhysics):
            self._watch(physics, self._charger(physics))
        elif isinstance(physics, SolarPhysics):
            self._watch(physics, self._inverter(physics))

    def _watch(
        self,
        physics: Physics,
        measure: Callable[[float], Callable[[], dict[str, float]]],
    ) -> None:
        step = physics._step  # noqa: SLF001

        def _measured(begin: float, end: float) -> None:
            result = measure(begin)
            step(begin, end)
            for key, energy in result().items():
                self.hours[key][int(begin // HOUR)] += energy

        # Only an attribute of the one: others of its kind are others.
        vars(physics)["_step"] = _measured

    @staticmethod
    def _battery(
        physics: BatteryPhysics,
    ) -> Callable[[float], Callable[[], dict[str, float]]]:
        def _begin(_begin: float) -> Callable[[], dict[str, float]]:
            before = physics.level

            def _end() -> dict[str, float]:
                energy = (physics.level - before) / 100 * physics.capacity
                return {
                    "energy_charged": max(energy, 0),
                    "energy_discharged": max(-energy, 0),
                }

            return _end

        return _begin

    @staticmethod
    def _charger(
        physics: ChargerPhysics,
    ) -> Callable[[float], Callable[[], dict[str, float]]]:
        def _begin(begin: float) -> Callable[[], dict[str, float]]:
            car: Any = None
            if physics.vehicle.plugged_at(begin):
                car = physics.vehicle
            elif physics.guest.here(begin):
                car = physics.guest
            before = car.level if car else 0

            def _end() -> dict[str, float]:
                gained = max(0.0, car.level - before) if car else 0.0
                return {"energy_delivered": gained / 100 * car.capacity if car else 0.0}

            return _end

        return _begin

    @staticmethod
    def _inverter(
        physics: SolarPhysics,
    ) -> Callable[[float], Callable[[], dict[str, float]]]:
        def _begin(_begin: float) -> Callable[[], dict[str, float]]:
            before = physics.energy
            return lambda: {"energy_total": physics.energy - before}

        return _begin


# The days


@contextmanager
def uneven_days(seed: int) -> Generator[None]:
    """Let what the sandbox's days turn at come at other moments each day.

    Else all of it happens at whole hours and quarters, at the same place between
    two captures each day, which no year of real days does.
    """

    def _shift(knot: int) -> float:
        return Random(f"{seed} {knot}").uniform(-_UNEVEN, _UNEVEN)

    def _hour_of_day(seconds: float) -> float:
        knot, part = divmod(seconds, _KNOTS)
        before, after = _shift(int(knot)), _shift(int(knot) + 1)
        return hour_of_day(seconds + before + (after - before) * part / _KNOTS)

    with ExitStack() as patched:
        for name in ("base", "battery", "solar", "vehicle"):
            patched.enter_context(
                patch(f"sandbox.physics.{name}.hour_of_day", _hour_of_day)
            )
        # The truth is added up in steps: short ones, or a jump comes late in it.
        patched.enter_context(patch("sandbox.physics.base.STEP", _STEP))
        yield


# The house


@dataclass(kw_only=True)
class House(Simulated):
    """The core, the sandbox, and what is noted of them."""

    options: Options
    truth: dict[str, Truth] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    captures: dict[str, list[tuple[float, bool]]] = field(default_factory=dict)
    lateness: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    # Captures of somebody else that are not known here yet.
    untold: dict[str, float] = field(default_factory=dict)
    cut: Path | None = None

    @property
    def devices(self) -> list[Device]:
        """Return the devices of the account."""
        return self.sandbox.home.devices

    def watch(self) -> None:
        """Note captures, requests and the truth."""
        for device in self.devices:
            truth = self.truth[device.id] = Truth()
            truth.watch(device.physics)
            captures = self.captures[device.id] = []
            vars(device)["capture_at"] = _noted(device, captures)
        add = self.sandbox.requests.add

        def _add(record: RequestRecord) -> None:
            add(record)
            self.requests[_route(record)] += 1

        vars(self.sandbox.requests)["add"] = _add

    async def start(self) -> None:
        """Start the core."""
        without = {"exclude": {"entity_globs": list(self.options.without)}}
        self.hass = await bare_core.start(
            self.folder, "Days", COMPONENTS, configs={"recorder": without}
        )
        if self.hass.config_entries.async_entries(DOMAIN):
            await bare_core.set_up(self.hass, DOMAIN)

    async def stop(self) -> None:
        """Stop the core."""
        await self.core.async_stop(force=True)
        self.hass = None
        # As in a process of its own, the next core has a loop that is not over.
        vars(asyncio.get_running_loop()).pop("_shutdown_run_callback_threadsafe", None)

    async def add_entry(self) -> None:
        """Add the integration, as a person does it."""
        await add_entry(self.core, TEST_KEY, self.sandbox.app_id)
        await self.set_level(self.options.level)

    async def set_level(self, level: str) -> None:
        """Choose the freshness, as a person does it."""
        entry = self.entry
        flow = await self.core.config_entries.options.async_init(entry.entry_id)
        result = await self.core.config_entries.options.async_configure(
            flow["flow_id"], {"freshness": level, "webhook": False}
        )
        assert result["type"] is FlowResultType.CREATE_ENTRY, result
        await self.core.async_block_till_done()

    def known_at(self, device_id: str) -> float | None:
        """Return when what Home Assistant has of a device was captured."""
        for coordinator in self.entry.runtime_data.coordinators.values():
            if (device := coordinator.data.get(device_id)) is not None:
                pulled = device.sync.last_pulled_at
                return pulled.timestamp() if pulled else None
        return None


def _noted(
    device: Device, captures: list[tuple[float, bool]]
) -> Callable[[float], None]:
    """Note each capture, and whether the device was active."""
    capture_at = device.capture_at

    def _capture_at(at: float) -> None:
        capture_at(at)
        state = device.captured or {}
        named = any(state.get(key) for key in ("isCharging", "active", "producing"))
        rated = device.kind.type in RATED and state.get("chargeRate")
        captures.append((at, bool(named or rated)))

    return _capture_at


def _overdue(house: House) -> list[float]:
    """Return how much longer than a state may be old each one stood."""
    resting, active = TARGETS[house.options.level]
    return [
        later - one - (active if is_active else resting)
        for captures in house.captures.values()
        for (one, is_active), (later, _) in pairwise(captures)
    ]


def _before_hours(house: House) -> list[float]:
    """Return how long before an hour's end what counts was captured, while active.

    What began in that hour could not be known in time.
    """
    found = []
    for device in house.devices:
        if not house.truth[device.id].hours:
            continue
        for (one, is_active), (later, _) in pairwise(house.captures[device.id]):
            end = (one // HOUR + 1) * HOUR
            was_active = any(
                at < end - 1900 and end - 3600 <= at and active
                for at, active in house.captures[device.id]
            )
            if later >= end and is_active and was_active:
                found.append(end - one)
    return found


def _route(record: RequestRecord) -> str:
    """Return what kind of request it is."""
    parts = record.path.strip("/").split("/")
    if parts[0] == "actions":
        return "actions"
    if len(parts) == 1:
        return f"list of {parts[0]}"
    return "expedited read" if record.query.get("expedite") else "read"


# A day


async def _sleep_until(house: House, at: float) -> None:
    while (left := at - house.now) > 0:
        await asyncio.sleep(left)


async def _look(house: House) -> None:
    """Note how old what is known is, every minute."""
    while True:
        await asyncio.sleep(60)
        if house.hass is None:
            continue
        for device in house.devices:
            if (known := house.known_at(device.id)) is not None:
                house.ages.append(house.now - known)


async def _somebody_else(house: House) -> None:
    """Have each device captured every 15 minutes, and note when that is known.

    A minute sooner or later, or what is read from here after exactly as long would
    always follow at once.
    """
    chance = Random(house.options.seed)
    # The devices one after the other, all over the quarter.
    due = {device.id: house.now + 900 * chance.random() for device in house.devices}
    while True:
        await asyncio.sleep(5)
        for device in house.devices:
            if house.now >= due[device.id]:
                due[device.id] += 900 + chance.uniform(-60, 60)
                device.capture()
                house.untold[device.id] = house.now
        for device_id, at in tuple(house.untold.items()):
            if (known := house.known_at(device_id)) is not None and known >= at - 0.01:
                house.lateness.append(house.now - at)
                del house.untold[device_id]


async def _live_through(house: House, until: float) -> None:
    """Let the days pass, with what happens in them."""
    day = house.now // DAY
    event = house.options.event
    moments = [
        (day + number // len(AT)) * DAY + AT[number % len(AT)] * HOUR
        for number in range(int(2 * (house.options.days + 1)))
    ]
    for number, at in enumerate(moments):
        if not house.now < at < until - 4 * HOUR or event in (None, "elsewhere"):
            continue
        await _sleep_until(house, at)
        await _happen(house, str(event), number)
    await _sleep_until(house, until)


async def _happen(house: House, event: str, number: int) -> None:
    core = house.core
    match event:
        case "stop":
            await house.stop()
            await asyncio.sleep(20 * 60)
            await house.start()
        case "reload":
            await core.config_entries.async_reload(house.entry.entry_id)
        case "level":
            options = LEVELS[1:]
            now = options.index(house.entry.options["freshness"])
            await house.set_level(options[(now + 1) % len(options)])
        case "overload":
            refused = house.sandbox.faults.add(
                status=429, code="RATE_LIMIT_EXCEEDED", times=None
            )
            await asyncio.sleep((7 + number % 3 * 4) * 60)
            house.sandbox.faults.remove(refused)
        case "away":
            for device in house.devices:
                device.transient_fault = True
            await asyncio.sleep(2 * HOUR)
            for device in house.devices:
                device.transient_fault = None
        case "cut":
            # All that is written is kept, and nothing is written at the end.
            await get_instance(core).async_block_till_done()
            kept = house.folder.with_name(f"{house.folder.name}-{number}")
            shutil.copytree(house.folder, kept)
            await house.stop()
            house.folder = kept
            await house.start()


# The figures


async def _energies(house: House, begin: float, end: float) -> dict[str, Any]:
    """Compare the statistics of each hour with the truth."""
    registry = er.async_get(house.core)
    instance = get_instance(house.core)
    await instance.async_block_till_done()
    ids: dict[str, tuple[str, str]] = {}
    for device_id, truth in house.truth.items():
        for key in truth.hours:
            unique_id = f"{device_id}_{key}"
            if entity_id := registry.async_get_entity_id("sensor", DOMAIN, unique_id):
                ids[entity_id] = (device_id, key)
    found = await instance.async_add_executor_job(
        lambda: statistics_during_period(
            house.core,
            datetime.fromtimestamp(begin, UTC),
            datetime.fromtimestamp(end, UTC),
            set(ids),
            "hour",
            {"energy": "kWh"},
            {"change", "state", "sum"},
        )
    )
    errors: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for entity_id, (device_id, key) in ids.items():
        changes = {
            int(float(row["start"]) // HOUR): float(row.get("change") or 0)
            for row in found.get(entity_id, [])
        }
        for hour in range(int(begin // HOUR), int(end // HOUR)):
            true = house.truth[device_id].hours[key][hour]
            errors[key].append((changes.get(hour, 0.0), true))
    result: dict[str, Any] = {}
    for key, pairs in errors.items():
        true = sum(pair[1] for pair in pairs)
        active = [pair for pair in pairs if pair[1] > 0.005 or pair[0] > 0.005]
        rms = sqrt(sum((a - b) ** 2 for a, b in pairs) / len(pairs))
        mean = true / max(1, len(active))
        result[key] = {
            "true": true,
            "counted": sum(pair[0] for pair in pairs),
            "rms": rms,
            "rms_active": sqrt(
                sum((a - b) ** 2 for a, b in active) / max(1, len(active))
            ),
            "relative": sqrt(sum((a - b) ** 2 for a, b in active) / max(1, len(active)))
            / mean
            if mean
            else 0,
            "worst": max((abs(a - b) for a, b in pairs), default=0.0),
            "least": min((pair[0] for pair in pairs), default=0.0),
        }
    return result


def _database(path: Path) -> dict[str, Any]:
    """Return how much the recorder wrote, and what of."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("vacuum")
        rows = connection.execute(
            "select m.entity_id, count(*) from states s join states_meta m"
            " on m.metadata_id = s.metadata_id group by 1"
        ).fetchall()
        tables = connection.execute(
            "select name, sum(pgsize) from dbstat group by 1"
        ).fetchall()
        counts = {
            name: connection.execute(f"select count(*) from {name}").fetchone()[0]  # noqa: S608
            for name in ("states", "statistics", "statistics_short_term")
        }
        steps = [
            (entity_id, float(state), float(later))
            for entity_id, state, later in connection.execute(
                "select m.entity_id, s.state, lead(s.state) over"
                " (partition by s.metadata_id order by s.last_updated_ts)"
                " from states s join states_meta m"
                " on m.metadata_id = s.metadata_id"
                " where m.entity_id like 'sensor.%energy%'"
                " and s.state not in ('unknown', 'unavailable')"
            )
            if later is not None
        ]
    by_key: Counter[str] = Counter()
    for entity_id, count in rows:
        by_key[entity_id.partition(".")[2]] += count
    return {
        "bytes": sum(size for _, size in tables),
        "tables": dict(tables),
        "rows": counts,
        "by_entity": dict(by_key.most_common(80)),
        "falls": [step for step in steps if step[2] < step[1]],
    }


async def _run(house: House) -> dict[str, Any]:
    options = house.options
    await house.sandbox.start(bare_core.HOST)
    with where_the_api_is(house.sandbox.url):
        await house.start()
        empty = await _size(house)
        await house.add_entry()
        house.sandbox.faults = Weather(options.seed)
        tasks = [asyncio.create_task(_look(house))]
        if options.event == "elsewhere":
            tasks.append(asyncio.create_task(_somebody_else(house)))
        house.requests.clear()
        for captures in house.captures.values():
            captures.clear()
        begin = (house.now // HOUR + 1) * HOUR
        end = begin + options.days * DAY
        await _live_through(house, end)
        requests = dict(house.requests)
        for device in house.devices:
            device.physics.advance(house.now)
        for task in tasks:
            task.cancel()
        # Until the statistics of the last hour are there.
        await asyncio.sleep(400)
        energies = await _energies(house, begin, end)
        await house.stop()
    await house.sandbox.stop()
    assert not house.sandbox.crashes, house.sandbox.crashes
    found = _database(house.folder / "home-assistant_v2.db")
    found["bytes"] -= empty
    gaps = [
        later - one
        for captures in house.captures.values()
        for (one, _), (later, _) in pairwise(captures)
        if later > one
    ]
    return {
        "energies": energies,
        "recorder": found,
        "requests": {name: count / options.days for name, count in requests.items()},
        "between_captures": _spread(gaps),
        "overdue": _spread(_overdue(house)),
        "before_hours": _spread(_before_hours(house)),
        "age": _spread(house.ages),
        "late": _spread(house.lateness),
    }


async def _size(house: House) -> int:
    await get_instance(house.core).async_block_till_done()
    path = house.folder / "home-assistant_v2.db"

    def _look() -> int:
        with closing(sqlite3.connect(path)) as connection:
            found = connection.execute("select sum(pgsize) from dbstat").fetchone()
            return int(found[0])

    return await house.core.async_add_executor_job(_look)


def _spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    ordered = sorted(values)
    return {
        "count": len(ordered),
        "mean": sum(ordered) / len(ordered),
        "median": median(ordered),
        "p95": ordered[int(0.95 * (len(ordered) - 1))],
        "most": ordered[-1],
    }


def run(options: Options, folder: Path) -> dict[str, Any]:
    """Live through the days in this process, with the integration that it finds."""
    random.seed(options.seed)
    with (
        SimulatedTime(START) as simulated,
        in_simulated_time(),
        uneven_days(options.seed),
    ):
        small = options.devices == 5
        sandbox = Sandbox(
            "home" if small else "big",
            seed=options.seed,
            clock=simulated.clock,
            devices=options.devices,
        )
        # The other account is not looked at.
        del sandbox.accounts[next(k for k in sandbox.accounts if k != TEST_KEY)]
        house = House(
            options=options, folder=folder / "core", sandbox=sandbox, time=simulated
        )
        house.watch()
        with simulated.runner(lambda: sandbox.next_due, recorder_is_behind) as runner:
            return runner.run(_run(house))


# Side by side


def folder_of(folder: Path, commit: str | None) -> Path:
    """Return a folder with the measuring as it is now, and the integration of a commit."""
    folder.mkdir()
    for name in ("develop", "sandbox"):
        (folder / name).symlink_to(ROOT / name)
    if commit is None:
        (folder / "custom_components").symlink_to(ROOT / "custom_components")
        return folder
    packed = subprocess.run(
        ["git", "-C", str(ROOT), "archive", commit, "custom_components"],
        check=True,
        stdout=subprocess.PIPE,
    )
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
    return folder


def _child(folder: Path, options: Options) -> dict[str, Any]:
    """Run the days in a process of their own."""
    out = folder / "out.json"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "develop.measures.bench.days",
            "--child",
            str(out),
            "--days",
            str(options.days),
            "--devices",
            str(options.devices),
            "--level",
            options.level,
            "--seed",
            str(options.seed),
            *(("--event", options.event) if options.event else ()),
            *(f"--without={pattern}" for pattern in options.without),
        ],
        check=True,
        cwd=folder,
    )
    result: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return result


def _rows(found: Mapping[str, Any], options: Options) -> dict[str, float]:
    """Return the figures that are compared."""
    rows: dict[str, float] = {}
    for key, energy in sorted(found["energies"].items()):
        rows[f"{key}: error of an hour, kWh (RMS)"] = energy["rms"]
        rows[f"{key}: error of an hour, % of a mean one"] = 100 * energy["relative"]
        true = energy["true"]
        rows[f"{key}: bias, %"] = (energy["counted"] / true - 1) * 100 if true else 0
        rows[f"{key}: not counted, kWh"] = true - energy["counted"]
    recorder = found["recorder"]
    per = options.days * options.devices
    rows["KB a device and day"] = recorder["bytes"] / 1000 / per
    for name, count in recorder["rows"].items():
        rows[f"rows of {name} a device and day"] = count / per
    rows["energies that fell"] = len(recorder["falls"])
    requests = found["requests"]
    rows["requests a day"] = sum(requests.values())
    rows["lists a day"] = sum(
        count for name, count in requests.items() if name.startswith("list")
    )
    for name in ("read", "expedited read", "actions"):
        rows[f"requests a day: {name}"] = requests.get(name, 0)
    for name, said in (
        ("between_captures", "between captures"),
        ("age", "age of what is known"),
        ("late", "captures of others known after"),
    ):
        if found[name]:
            rows[f"{said}, s (median)"] = found[name]["median"]
            rows[f"{said}, s (mean)"] = found[name]["mean"]
    for name, said in (
        ("overdue", "older than it may be, s"),
        ("before_hours", "last capture before an hour's end, s"),
    ):
        if found[name]:
            rows[f"{said} (95 %)"] = found[name]["p95"]
            rows[f"{said} (most)"] = found[name]["most"]
    return rows


def main(given: list[str] | None = None) -> int:
    """Run it; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench --days",
        description="Live through simulated days with the real recorder, and compare"
        " energies, rows and requests with the truth.",
    )
    parser.add_argument("--days", type=float, default=4)
    parser.add_argument("--devices", type=int, default=5)
    parser.add_argument("--level", choices=LEVELS, default="standard")
    parser.add_argument("--event", choices=EVENTS, help="what happens twice a day")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PATTERN",
        help="leave these entities out of the recorder, such as those that an older"
        " commit did not have",
    )
    parser.add_argument("--beside", metavar="COMMIT", help="run an older one as well")
    parser.add_argument("--json", type=Path, help="write all figures to a file")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(given)
    options = Options(
        days=arguments.days,
        devices=arguments.devices,
        level=arguments.level,
        event=arguments.event,
        seed=arguments.seed,
        without=arguments.without,
    )
    logging.getLogger().setLevel(logging.WARNING)
    with TemporaryDirectory(prefix="days-") as name:
        folder = Path(name)
        if arguments.child:
            found = run(options, folder)
            arguments.child.write_text(json.dumps(found), encoding="utf-8")
            return 0
        subjects: dict[str, str | None] = {"now": None}
        if arguments.beside:
            subjects = {"before": arguments.beside} | subjects
        results = {
            subject: _child(folder_of(folder / subject, commit), options)
            for subject, commit in subjects.items()
        }
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2), encoding="utf-8")
    rows = {subject: _rows(found, options) for subject, found in results.items()}
    print(f"{options}")
    for row in rows["now"]:
        values = [rows[subject].get(row, 0) for subject in subjects]
        ratio = f"{values[1] / values[0]:8.3f}" if len(values) > 1 and values[0] else ""
        print(f"{row:<55}" + "".join(f"{value:>12.3f}" for value in values) + ratio)
    return 0


if __name__ == "__main__":
    sys.exit(main())
