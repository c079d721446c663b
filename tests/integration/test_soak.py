"""The soak: a short run of it, and that it finds what it is there to find."""

import os
import re
import subprocess
import sys
from typing import Any

import pytest

from develop import ROOT
from develop.measures.soak.__main__ import main
from develop.measures.soak.figures import TOLERANCES, USUAL, contents, verdicts
from develop.measures.soak.ledger import Arrived, Expected, Ledger, Tap

# A leak, a push that is lost and one that is sent twice, now and then. Of plans:
# those of batteries are kept again and again, those of chargers and thermostats
# never, and nobody is told so of the latter; what others planned is taken away.
SABOTAGE = """
import sys
from develop.measures.soak.__main__ import main
from custom_components.amps_ai.api import AmpsClient
from custom_components.amps_ai.plans.agenda import Agenda
from custom_components.amps_ai.plans.keeper import Keeper
from custom_components.amps_ai.plans.telling import PlanTeller
from custom_components.amps_ai.readings import AmpsCoordinator

pushed, written, leaked = [], [], []
read, push, write = (
    AmpsCoordinator.async_read, AmpsClient.async_push, AmpsClient.async_update_settings
)
plan, tell = Keeper._async_plan, PlanTeller.async_missed

async def leaky(self, *given, **named):
    leaked.append(self.async_add_listener(lambda: None))
    return await read(self, *given, **named)

async def doubled(self, device, wanted):
    pushed.append(device.id)
    if len(pushed) % 5 == 0:
        await push(self, device, wanted)
    return await push(self, device, wanted)

async def lost(self, device, values):
    written.append(device.id)
    if len(written) % 3 == 0:
        return tuple(values)
    return await write(self, device, values)

async def unkept(self, device, wanted, occurrence):
    for action in self._others(device, self._clock.now()):
        await self._account.client.async_cancel_action(action.id)
    if device.type == "battery":
        await plan(self, device, wanted, occurrence)

def untold(self, plan, *given):
    if plan.command != "heat":
        tell(self, plan, *given)

AmpsCoordinator.async_read = leaky
AmpsClient.async_push = doubled
AmpsClient.async_update_settings = lost
Agenda.async_kept = lambda *_: None
Keeper._async_plan = unkept
PlanTeller.async_missed = untold
sys.exit(main(sys.argv[1:]))
"""


def _run(*command: str, seed: int = 3) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command, "--no-trace", "--seed", str(seed)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def _count(what: str, output: str) -> int:
    found = re.search(rf"^ +(\d+)  {re.escape(what)}$", output, re.MULTILINE)
    return int(found[1]) if found else 0


def test_short_run_is_flat_and_loses_nothing() -> None:
    result = _run("-m", "develop.measures.soak", "--days", "0.1", "--devices", "8")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "All flat, none lost." in result.stdout
    # That much was really done.
    assert _count("sent", result.stdout) > 20
    assert _count("completed", result.stdout) > 10
    assert _count("kept", result.stdout) > 2


def test_sabotage_is_found() -> None:
    # With this seed, a plan is missed while nothing else goes wrong.
    result = _run("-c", SABOTAGE, "--days", "0.1", "--devices", "8", seed=7)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "GROWING: coordinator listeners" in result.stdout
    assert "FAILED: pushes missed" in result.stdout
    assert "FAILED: pushes doubled" in result.stdout
    assert "FAILED: occurrences of plans doubled" in result.stdout
    assert "FAILED: occurrences of plans lost" in result.stdout
    assert "FAILED: occurrences of plans missed with nothing" in result.stdout
    assert "FAILED: others' planned actions touched" in result.stdout


@pytest.mark.parametrize("given", [("--days", "0"), ("--devices", "1")])
def test_odd_arguments_are_refused(
    given: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(list(given))
    assert given[0] in capsys.readouterr().err


# What counts as growing


@pytest.mark.parametrize(
    ("figures", "grows"),
    [
        # The first part is for warming up.
        ([5, 100, 100, 100], False),
        ([100, 100, 102, 102], False),
        ([100, 100, 102, 103], True),
        ([100, 100, 200, 100], False),
    ],
)
def test_growth_is_told_from_what_varies(figures: list[int], *, grows: bool) -> None:
    parts = [[{"things": float(number)}] * 3 for number in figures]
    (verdict,) = verdicts(parts, {})
    assert verdict.grows is grows


def test_one_odd_sample_is_no_growth() -> None:
    odd = [{"things": 1.0}, {"things": 99.0}, {"things": 1.0}]
    (verdict,) = verdicts([odd, odd, odd], {})
    assert list(verdict.medians) == [1, 1, 1]
    assert not verdict.grows


def test_what_is_new_later_counts_from_nothing() -> None:
    parts: list[list[dict[str, float]]] = [[{}], [{}], [{"things": 3}]]
    (verdict,) = verdicts(parts, {})
    assert verdict.grows
    assert verdict.said == "GROWING"


def test_bounded_figure_may_fill_up_and_no_more() -> None:
    parts = [[{"held: kept": float(number)}] for number in (1, 10, 50)]
    assert not verdicts(parts, {"kept": 50})[0].grows
    assert verdicts(parts, {"kept": 49})[0].grows


def test_parts_without_samples_are_passed_over() -> None:
    parts: list[list[dict[str, float]]] = [[{"n": 1}], [], [{"n": 1}], [{"n": 9}], []]
    (verdict,) = verdicts(parts, {})
    assert list(verdict.medians) == [1, None, 1, 9, None]
    assert verdict.grows


def test_structure_is_judged_more_strictly_than_memory() -> None:
    assert USUAL.share < TOLERANCES["resident, MB"].share


def test_containers_are_counted_by_their_place() -> None:
    found = contents({"a": [1, 2], "b": [3]}, "root", set())
    assert found == {"root": 2, "root[]": 3}


# What counts as lost, and as doubled


def _tap(ledger: Ledger, began: float, ended: float | None, **given: Any) -> Tap:
    expected = Expected(kind="push", device="device", commands=frozenset({"charge"}))
    tap = Tap(
        control="switch.charger",
        service="switch.turn_on",
        data={},
        expected=given.pop("expected", expected),
        began=began,
        **given,
    )
    ledger.begin(tap)
    if ended is not None:
        ledger.end(tap, ended)
    return tap


def _arrived(at: float, command: str = "charge", device: str = "device") -> Arrived:
    return Arrived(kind="push", device=device, at=at, values={}, command=command)


def _reconciled(ledger: Ledger, *arrived: Arrived) -> tuple[int, int]:
    ledger.reconcile(arrived, lambda tap, push: None)
    return len(ledger.missed), len(ledger.doubled)


def test_tap_and_push_match() -> None:
    ledger = Ledger()
    _tap(ledger, 10, 12)
    assert _reconciled(ledger, _arrived(11)) == (0, 0)
    assert ledger.counts["sent"] == 1


@pytest.mark.parametrize(
    ("arrived", "wrong"),
    [
        ([], (1, 0)),
        ([_arrived(11), _arrived(11.5)], (0, 1)),
        ([_arrived(12 + 196)], (1, 1)),
        ([_arrived(11, command="idle")], (1, 1)),
        ([_arrived(11, device="other")], (1, 1)),
    ],
    ids=["lost", "twice", "too late", "something else", "elsewhere"],
)
def test_lost_and_doubled_pushes_are_found(
    arrived: list[Arrived], wrong: tuple[int, int]
) -> None:
    ledger = Ledger()
    _tap(ledger, 10, 12)
    assert _reconciled(ledger, *arrived) == wrong


def test_replaced_tap_needs_no_push_but_the_newest_does() -> None:
    ledger = Ledger()
    first = _tap(ledger, 10, None)
    second = _tap(ledger, 10.5, None)
    ledger.end(first, 11)
    ledger.end(second, 12)
    assert _reconciled(ledger, _arrived(11.5)) == (0, 0)
    assert ledger.counts["replaced by a newer tap"] == 1
    _tap(ledger, 20, 21)
    assert _reconciled(ledger) == (1, 0)


def test_tap_that_waits_is_replaced_after_its_call() -> None:
    """The call of one that waits returns after a while; a newer one replaces it."""
    ledger = Ledger()
    _tap(ledger, 10, 13.2)
    _tap(ledger, 20, 21)
    assert _reconciled(ledger, _arrived(20.5)) == (0, 0)
    assert ledger.counts["replaced by a newer tap"] == 1


def test_failure_that_is_told_after_the_call_is_not_lost() -> None:
    ledger = Ledger()
    _tap(ledger, 10, 13.2)
    ledger.tell("device", 40)
    assert _reconciled(ledger) == (0, 0)
    assert ledger.counts["returned, and then told of trouble"] == 1


def test_taps_share_pushes_as_they_have_to() -> None:
    """A push that only one of two can have sent is left to that one."""
    ledger = Ledger()
    wide = _tap(ledger, 10, None, replaceable=False)
    narrow = _tap(ledger, 11, 12, replaceable=False)
    ledger.end(wide, 20)
    assert _reconciled(ledger, _arrived(11.5), _arrived(15)) == (0, 0)
    assert narrow.must_arrive
    assert wide.must_arrive


def test_running_tap_is_left_for_the_next_time() -> None:
    ledger = Ledger()
    tap = _tap(ledger, 10, None)
    assert _reconciled(ledger, _arrived(11)) == (0, 0)
    ledger.end(tap, 12)
    assert _reconciled(ledger) == (0, 0)
    assert ledger.counts["sent"] == 1
