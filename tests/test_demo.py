"""The parts of the demo: its clock, its week before, what it keeps and remembers."""

from itertools import pairwise
import json
from pathlib import Path
import subprocess
import sys
from typing import Any

from homeassistant.core import State
import pytest

from develop import ROOT
from develop.demo import options
from develop.demo.clock import HomeClock
from develop.demo.demo_home.memory import Series, fits
from develop.demo.home import KEPT, PAST, open_home
from develop.demo.past import DAYS, STEP, keep, remember, sandbox_before
from sandbox.homes import FURNISH

NOW = 1_781_080_000.0
DAY = 86400.0
CHARGER = "device_ev_001"
VEHICLE = "device_vehicle_001"
BATTERY = "device_battery_001"


def test_homes() -> None:
    """The command line knows all homes that the sandbox has."""
    assert set(options.HOMES) == set(FURNISH)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--port", "80x"], "a port is from 0 to 65535"),
        (["--port", "65536"], "a port is from 0 to 65535"),
        (["--speed", "fast"], "the speed is from 1 to 600"),
        (["--speed", "nan"], "the speed is from 1 to 600"),
        (["--start", "soon"], "'soon' is no time such as 2026-06-01T10:00Z"),
        (["--start", "2050-01-01"], "the home lives from 2020 to 2036"),
        (["--home", "nowhere"], "invalid choice: 'nowhere'"),
        (["--state", __file__], "is no folder"),
    ],
)
def test_wrong_options(
    capsys: pytest.CaptureFixture[str], given: list[str], told: str
) -> None:
    """Each is told at once, in words."""
    with pytest.raises(SystemExit):
        options.parse(given)
    assert told in capsys.readouterr().err


def _past(folder: Path) -> dict[str, Any]:
    past: dict[str, Any] = json.loads((folder / PAST).read_text(encoding="utf-8"))
    return past


def _points(past: dict[str, Any], device_id: str) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = past["devices"][device_id]["points"]
    return points


def test_week_before(tmp_path: Path) -> None:
    """It is whole, fits to what is there now, and all of it adds up."""
    sandbox = open_home(tmp_path, "home", NOW)
    past = _past(tmp_path)
    assert len(past["times"]) == pytest.approx(DAYS * DAY / STEP, abs=1)
    assert past["times"][-1] == sandbox.clock.time() == NOW
    for device in sandbox.home.devices:
        points = _points(past, device.id)
        assert len(points) == len(past["times"])
        assert device.captured is not None
        assert device.captured.items() <= points[-1].items()

    # What flows in at one place flows out at another, at any moment.
    for flows in past["house"]:
        assert flows["solar"] + flows["battery"] + flows["grid"] == pytest.approx(
            flows["house"] + flows["charging"], abs=1e-3
        )
    first, last = past["house"][0], past["house"][-1]
    used = {key: last[key] - first[key] for key in ("imported", "exported", "used")}
    assert all(amount > 10 for amount in used.values())
    battery, charger = (_points(past, name)[-1] for name in (BATTERY, CHARGER))
    solar = _points(past, "device_inverter_001")
    produced = solar[-1]["energyTotal"] - solar[0]["energyTotal"]
    assert (
        used["imported"] + produced + battery["_given"] - battery["_charged"]
    ) == pytest.approx(used["exported"] + used["used"] + charger["_charged"], abs=0.5)
    for points in (past["devices"][name]["points"] for name in (BATTERY, CHARGER)):
        for before, after in pairwise(points):
            assert before["_charged"] <= after["_charged"]


def test_no_car_no_charging(tmp_path: Path) -> None:
    """A charger never feeds a car that is not there."""
    open_home(tmp_path, "home", NOW)
    past = _past(tmp_path)
    pairs = list(zip(_points(past, CHARGER), _points(past, VEHICLE), strict=True))
    assert any(charger["currentPower"] for charger, _ in pairs)
    assert not all(car["plugged"] for _, car in pairs)
    for charger, car in pairs:
        assert charger["isConnected"] is car["plugged"]
        assert charger["currentPower"] == car["chargeRate"]


def test_what_is_kept(tmp_path: Path) -> None:
    """A home goes on from where it was left, and lives on while it is closed."""
    before = open_home(tmp_path, "home", NOW)
    before.device(CHARGER).write_setting("max_charge_rate", 7.4)
    counted = before.home.house.as_json()
    kept = json.loads(json.dumps(keep(before)))
    again = remember(kept, home="home")
    assert again.home.house.as_json() == counted
    assert keep(again) == kept
    assert again.device(CHARGER).settings["max_charge_rate"]["value"] == 7.4

    (tmp_path / KEPT).write_text(json.dumps(kept), encoding="utf-8")
    (tmp_path / PAST).unlink()
    later = open_home(tmp_path, "home", NOW + DAY)
    assert not (tmp_path / PAST).exists()
    assert later.clock.time() == NOW + DAY
    assert later.home.house.as_json()["imported"] > counted["imported"] + 5
    # A clock that went back since then begins anew.
    open_home(tmp_path, "home", NOW - DAY)
    assert (tmp_path / PAST).exists()


def test_charger_that_one_believes(tmp_path: Path) -> None:
    """Its cap ends where the charger does, also after the next start."""
    sandbox = open_home(tmp_path, "home", NOW)
    for home in (sandbox, remember(keep(sandbox), home="home")):
        cap = home.device(CHARGER).settings["max_charge_rate"]
        assert cap["max"] == cap["value"] == 11
    documented = sandbox_before(NOW, home="documented")
    assert documented.device(CHARGER).settings["max_charge_rate"]["max"] == 50


def test_home_without_a_past(tmp_path: Path) -> None:
    """It would take too long for so many devices."""
    sandbox = open_home(tmp_path, "big", NOW)
    assert sandbox.clock.time() == NOW
    assert not (tmp_path / PAST).exists()
    assert "house" not in keep(sandbox)


def test_home_clock() -> None:
    """All processes have the same time, also after it went faster."""
    clock = HomeClock.starting(NOW)
    other = HomeClock.from_text(clock.as_text())
    assert other == clock
    fast = clock.going(600)
    assert NOW <= fast.at <= clock.time()
    assert fast.time() > fast.at
    assert fast.sandbox().speed == 600


_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from develop.demo.clock import HomeClock, ProcessClock
clock = ProcessClock(HomeClock.starting(float(sys.argv[2])))
clock.install()
import asyncio, datetime, functools, json, time

async def told():
    loop = asyncio.get_running_loop()
    clock.set_speed(600)
    began, lived = time.time(), loop.time()
    await asyncio.sleep(60)
    return time.time() - began, loop.time() - lived

before = time.time()
now = functools.partial(datetime.datetime.now, datetime.UTC)()
after = time.time()
with asyncio.Runner(loop_factory=clock.loop) as runner:
    slept = runner.run(told())
print(json.dumps([type(now) is datetime.datetime, before <= now.timestamp() <= after,
                  now.timestamp(), *slept]))
"""


def test_process_clock() -> None:
    """A process lives in the home's time: dates, timers, and what is written in C."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(ROOT), str(NOW)],
        capture_output=True,
        text=True,
        check=True,
    )
    real, between, now, slept, lived = json.loads(done.stdout)
    assert real
    assert between
    assert now >= NOW
    # A minute of the home, and however long the machine took for it.
    assert slept >= 60
    assert lived >= 60


def _state(entity_id: str, state: str, **attributes: Any) -> State:
    return State(entity_id, state, attributes)


def test_statistics_of_a_counter() -> None:
    """The sum begins with the first value, and the state is what was counted."""
    series = Series(
        now=_state(
            "sensor.energy",
            "12",
            unit_of_measurement="kWh",
            state_class="total_increasing",
        ),
        moments=[
            *((STEP * number, str(number / 10), {}) for number in range(25)),
            # What is not on the grid makes no statistics.
            (STEP * 24 + 7, "12", {}),
        ],
    )
    metadata = series.metadata
    assert metadata is not None
    assert metadata["has_sum"]
    short = list(series.short())
    assert len(short) == 24
    assert short[-1] == {"start_ts": STEP * 23, "state": 2.4, "sum": 2.4}
    assert [row["start_ts"] for row in series.long()] == [0, 3600]
    assert [row["sum"] for row in series.long()] == [1.2, 2.4]


def test_statistics_of_a_power() -> None:
    series = Series(
        now=_state("sensor.power", "1", unit_of_measurement="kW"),
        moments=[(STEP * number, str(number % 2), {}) for number in range(13)],
    )
    assert next(series.short()) == {"start_ts": 0, "mean": 0.5, "min": 0, "max": 1}
    assert list(series.long()) == [{"start_ts": 0, "mean": 0.5, "min": 0, "max": 1}]


def test_no_statistics_of_words() -> None:
    series = Series(now=_state("sensor.status", "idle"), moments=[(0, "idle", {})])
    assert series.metadata is None


@pytest.mark.parametrize(
    ("was", "now", "does"),
    [
        ("12", "12.5", True),
        ("12", "30", False),
        ("idle", "idle", True),
        ("idle", "fault", False),
        (None, "12", False),
        ("12", "unknown", False),
    ],
)
def test_what_fits(was: str | None, now: str, does: bool) -> None:
    """Only a past that leads to what is there now is remembered."""
    assert fits(was, now) is does
