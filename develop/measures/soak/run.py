"""The run: hours of trouble and taps, and what is found in between."""

import asyncio
from collections import Counter, deque
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from math import ceil
from pathlib import Path
import random
from random import Random
import sys
import time
from typing import Any, Final

from homeassistant.components import persistent_notification
from homeassistant.components.climate import HVACMode
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, callback
from homeassistant.helpers.dispatcher import DATA_DISPATCHER

from custom_components.amps_ai.common.const import DOMAIN, EVENT_ACTION, STATE_MISSED
from sandbox import LIVE_KEY, TEST_KEY, Action, Device, Event as Told, Sandbox

from ..common import in_simulated_time
from ..simulated_time import SimulatedTime
from .figures import (
    OWN,
    Log,
    Verdict,
    is_whole,
    live_timers,
    memory,
    memory_by_line,
    not_loaded,
    open_repairs,
    own_objects,
    sample,
    tasks,
    unavailable,
    verdicts,
)
from .house import LIVELY, House, built, furnish
from .ledger import Arrived, Ledger, Tap
from .plans import MOST, Plans
from .taps import Tapper
from .trouble import HARMLESS, LASTING, RARE, TROUBLES, Troublemaker

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
# A part of the run is a day; of a run of less than a week, a seventh.
PARTS: Final = 7
ROUNDS_PER_PART: Final = 3
# How long everything is left alone before the end is looked at.
REST: Final = 0.75 * HOUR
# How long the sandbox keeps actions that are over.
KEPT: Final = 1 * DAY
# Ids of deliveries are remembered so long.
REMEMBERED: Final = 3 * DAY
# What web servers and clients clean up by themselves.
_NOT_LEFT: Final = (
    "timers of AsyncEngine._async_cache_cleanup",
    "timers of RequestHandler._process_keepalive",
    "timers of TimeoutHandle.__call__",
    "timers of _weakref_handle",
)
# In this share of a round is tapped. What waits, is followed and then read back
# takes ten minutes at most; an hour's sample comes after that.
_TAPPED: Final = 0.8
# How the notifications of failures begin; the device's id comes after it.
_FAILED: Final = f"{DOMAIN}_failed_"
_PRESETS: Final = {"follow_schedule": "schedule", "permanent": "hold"}
_MODES: Final = {
    "heat": HVACMode.HEAT,
    "cool": HVACMode.COOL,
    "auto": HVACMode.HEAT_COOL,
    "off": HVACMode.OFF,
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says."""

    days: float = 7
    devices: int = 10
    seed: int = 1
    start: datetime
    # Taps and calls for each device, and troubles, in an hour.
    taps: float = 3
    troubles: float = 5


@dataclass(kw_only=True)
class Report:
    """What was found."""

    options: Options
    verdicts: list[Verdict] = field(default_factory=list)
    # What must not be, by what it is.
    failures: dict[str, list[str]] = field(default_factory=dict)
    ledger: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    troubles: Mapping[str, int] = field(default_factory=dict)
    log: Log = field(default_factory=Log)
    ends: Counter[str] = field(default_factory=Counter)
    plans: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    seconds: float = 0.0
    details: dict[str, Counter[str]] = field(default_factory=dict)

    def fail(self, what: str, *lines: str) -> None:
        """Take note of what must not be."""
        if lines:
            self.failures.setdefault(what, []).extend(lines)

    @property
    def growing(self) -> list[Verdict]:
        """Return the figures that grow."""
        return [verdict for verdict in self.verdicts if verdict.grows]

    @property
    def good(self) -> bool:
        """Tell whether all is flat and nothing was lost."""
        return not self.growing and not self.failures


class Soak:
    """One run."""

    def __init__(self, house: House, options: Options, report: Report) -> None:
        """Prepare; nothing happens yet."""
        self.house = house
        self.options = options
        self.report = report
        self.random = Random(options.seed)
        self.ledger = Ledger()
        self.tapper = Tapper(house=house, ledger=self.ledger, random=self.random)
        self.trouble = Troublemaker(house=house, random=self.random)
        self.plans = Plans(house=house)
        self._made = count()
        self._lasting: set[asyncio.Task[None]] = set()
        self._differences: dict[str, str] = {}
        self._told: Counter[str] = Counter()
        # When actions ended, how, and of which device.
        self._ended: dict[str, tuple[float, str, str]] = {}
        # Actions whose ends nobody can hear of: their ids were lost, or their device.
        self._unanswered: set[str] = set()
        self._deliveries: deque[float] = deque()
        self._most_deliveries = 0
        self._known: set[str] = set()

    async def run(self) -> None:
        """Live through it all."""
        house, report = self.house, self.report
        house.sandbox.on_event = self._event
        persistent_notification.async_register_callback(house.hass, self._notified)
        baseline = await self._without_entries()
        house.hass.bus.async_listen(EVENT_ACTION, self._end_told)
        self.plans.make()
        parts_count = max(PARTS, round(self.options.days))
        part_length = self.options.days * DAY / parts_count
        rounds = max(ROUNDS_PER_PART, ceil(part_length / HOUR))
        parts: list[list[dict[str, float]]] = []
        held: list[Counter[str]] = []
        for _ in range(parts_count):
            parts.append([])
            at = self.options.start + timedelta(seconds=house.time.elapsed)
            print(f"{at:%d %b %H:%M}", file=sys.stderr, flush=True)
            for _ in range(rounds):
                await self._round(part_length / rounds)
                if is_whole(house) and not self.trouble.changed:
                    parts[-1].append(sample(house))
                self._look()
            held.append(memory_by_line())
            for one in parts[-1]:
                # Looked for once in a part, as it takes long.
                one |= memory(held[-1])
        report.details = {
            "timers": live_timers(),
            "tasks": tasks(),
            "lines with more memory than in part two, in bytes": Counter(
                dict((held[-1] - held[1]).most_common(25))
            ),
        }
        await self._end()
        report.verdicts = verdicts(parts, self._bounds())
        await self._check_unloaded(baseline)

    # An hour of it

    async def _round(self, length: float) -> None:
        """Make trouble, and tap meanwhile; leave a little rest at the end."""
        until = self.house.time.elapsed + length
        tasks: list[asyncio.Task[None]] = []
        share = length / HOUR
        for _ in range(self._about(self.options.troubles * share)):
            kind = self.random.choice(list(TROUBLES))
            if kind in RARE and self.random.random() < 0.8:
                continue
            after = self.random.uniform(0, 0.6) * length
            lasts = self.random.uniform(20, max(60, min(0.3 * length, 900)))
            if kind in LASTING and self.random.random() < 0.4:
                lasts = self.random.uniform(1, 6) * length
                self._start(self._lasting, self._trouble(kind, after, lasts))
            else:
                tasks.append(self._task(self._trouble(kind, after, lasts)))
        tapped = self._about(self.options.taps * share * self.options.devices)
        tasks += [
            self._task(self._later(self.random.uniform(0, _TAPPED) * length))
            for _ in range(tapped)
        ]
        await asyncio.gather(*tasks)
        await self.trouble.log_in_again()
        self.plans.answer(self.trouble.successors)
        await asyncio.sleep(max(0.0, until - self.house.time.elapsed))

    def _about(self, mean: float) -> int:
        return int(self.random.uniform(0.5, 1.5) * mean + self.random.random())

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.create_task(work, name=OWN)

    def _start(
        self, kept: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]
    ) -> None:
        task = self._task(work)
        kept.add(task)
        task.add_done_callback(kept.discard)

    def _chance(self) -> Random:
        """Return a chance of its own: what one does, changes nothing for others."""
        return Random(f"{self.options.seed} {next(self._made)}")

    async def _trouble(self, kind: str, after: float, seconds: float) -> None:
        trouble = replace(self.trouble, random=self._chance())
        await asyncio.sleep(after)
        began = self.plans.now
        try:
            await trouble.trouble(kind, seconds)
        except Exception as err:  # noqa: BLE001
            # Home Assistant could not be meddled with as anybody may do it.
            self.report.fail(f"trouble that went wrong: {kind}", repr(err))
        finally:
            if kind not in HARMLESS:
                self.plans.was_bad(began, trouble.met)

    async def _later(self, after: float) -> None:
        tapper = replace(self.tapper, random=self._chance())
        await asyncio.sleep(after)
        await tapper.tap_something()

    # What is seen

    @callback
    def _event(self, event: Told) -> None:
        """Count what the sandbox tells by webhooks."""
        lively = self.house.sandbox.account(LIVELY).home
        if event.home is lively and event.kind != "push.cancelled":
            self._deliveries.append(event.at)
        if event.action is not None:
            action = event.action
            self._ended[action.id] = (event.at, action.state, action.device_id)
            if any(d.gone for d in self.house.devices if d.id == action.device_id):
                # Nobody waits for the ends of a device that is not there.
                self._unanswered.add(action.id)
            self._plans_look(action, event.at)

    def _plans_look(self, action: Action, at: float) -> None:
        """Count what ended for plans, or was in their way."""
        if self.plans.of(action) is not None:
            self.plans.ended(action)
            return
        began = datetime.fromtimestamp(action.created, UTC)
        self.plans.was_bad(began, action.device_id)
        if action.state == "cancelled" and not self.ledger.may_act(
            action.device_id, at
        ):
            self.plans.touched.append(str(Arrived.of_action(action)))

    @callback
    def _end_told(self, event: Event) -> None:
        """Count how often the end of an action is told."""
        if event.data["state"] == STATE_MISSED:
            self.plans.told(event)
            return
        action_id = event.data["action_id"]
        self._told[action_id] += 1
        if self._told[action_id] > 1:
            self.report.fail(
                "ends of actions told twice",
                f"{action_id} {event.data['command']} {event.data['state']}",
            )

    @callback
    def _notified(
        self,
        kind: persistent_notification.UpdateType,
        notifications: Mapping[str, persistent_notification.Notification],
    ) -> None:
        """Take note of failures that are told when their calls have returned."""
        if kind is persistent_notification.UpdateType.REMOVED:
            return
        for name in notifications:
            if name.startswith(_FAILED):
                self.ledger.tell(
                    name.removeprefix(_FAILED), self.house.time.clock.time()
                )

    def _look(self) -> None:
        """Match taps and pushes, and see whether anything is stuck."""
        self._reconcile()
        differences = dict(self._all_differences())
        for what, how in differences.items():
            if self._differences.get(what) == how:
                self.report.fail("controls that differ for an hour", f"{what}: {how}")
        self._differences = differences
        now = self.house.time.clock.time()
        while self._deliveries and self._deliveries[0] < now - REMEMBERED - 2 * HOUR:
            self._deliveries.popleft()
        self._most_deliveries = max(self._most_deliveries, len(self._deliveries))
        for action_id, (at, state, device_id) in tuple(self._ended.items()):
            if at < now - HOUR:
                del self._ended[action_id]
                self.report.ends[state] += 1
                if not self._told.pop(action_id, 0):
                    self.report.ends[f"{state}, and never told"] += 1
                    self._judge_untold(action_id, state, at, device_id)
                self._unanswered.discard(action_id)
        if (missing := not_loaded(self.house)) and not self._lasting:
            self.report.log.told.append(f"not loaded at a sample: {missing}")

    def _judge_untold(
        self, action_id: str, state: str, at: float, device_id: str
    ) -> None:
        """See whether the end of an action should have been told.

        Nobody can know of one whose answer was lost and that another one followed,
        and what is gone has no ends any more.
        """
        if action_id in self._unanswered or device_id not in {
            device.id for device in self.house.devices
        }:
            return
        ended = datetime.fromtimestamp(at, UTC)
        self.report.fail(
            "ends of actions never told",
            f"{action_id} of {device_id}: {state} at {ended:%d %H:%M:%S}",
        )

    def _matched(self, tap: Tap, arrived: Arrived) -> None:
        """Remember what was planned, and what nobody was told the id of."""
        self.tapper.matched(tap, arrived)
        if arrived.action_id is not None and tap.is_unanswered:
            self._unanswered.add(arrived.action_id)

    def _reconcile(self) -> None:
        """Take what arrived since the last time out of the sandbox's record."""
        sandbox = self.house.sandbox
        arrived: list[Arrived] = []
        for home in sandbox.homes:
            arrived += [
                Arrived.of_action(action)
                for action in home.actions
                if action.id not in self._known and self.plans.of(action) is None
            ]
            self._known |= {action.id for action in home.actions}
        arrived += [
            Arrived(
                kind="settings",
                device=record.path.split("/")[2],
                at=record.at,
                values={name: item["value"] for name, item in record.body.items()},
            )
            for record in sandbox.requests.settings()
            if record.status == 200
        ]
        sandbox.requests.clear()
        self.ledger.reconcile(arrived, self._matched)
        self._forget()

    def _forget(self) -> None:
        """Let the sandbox forget what is long over, so that it does not grow."""
        before = self.house.time.clock.time() - KEPT
        for home in self.house.sandbox.homes:
            self._known -= home.forget_actions(before)

    def _all_differences(self) -> Iterator[tuple[str, str]]:
        """Go through the controls that show other than their device is."""
        for device in self.house.devices:
            entry = self.house.entry_of(device)
            if entry.pref_disable_polling or device.gone or device.unlisted:
                continue
            if device.state_override or device.body_override:
                # What it tells is not what it is.
                continue
            for entity in self.house.entities(device):
                state = self.house.hass.states.get(entity.entity_id)
                if state is None or state.state == STATE_UNAVAILABLE:
                    continue
                key = entity.unique_id.removeprefix(f"{device.id}_")
                real = _real(device, entity.domain, key)
                if real is None:
                    continue
                shown = {
                    name: state.state if name == "state" else state.attributes.get(name)
                    for name in real
                }
                if not _alike(shown, real):
                    yield entity.entity_id, f"shows {shown}, is {real}"

    # The end

    async def _end(self) -> None:
        """Take all trouble back, rest, and look at everything."""
        house, report = self.house, self.report
        for task in tuple(self._lasting):
            task.cancel()
        await asyncio.gather(*self._lasting, return_exceptions=True)
        house.sandbox.faults.clear()
        for device in house.devices:
            self.trouble.restore(device)
        await self.trouble.log_in_again()
        await asyncio.sleep(REST)
        self.plans.answer(self.trouble.successors)
        self._judge_plans()
        self.plans.remove()
        await self._tap_all()
        await asyncio.sleep(REST)
        await self._refresh_all()
        await asyncio.sleep(300)
        self._reconcile()
        self.plans.plans.clear()
        ledger = self.ledger
        report.ledger, report.refusals = ledger.counts, ledger.refusals
        report.troubles = self.trouble.counts
        report.requests = house.sandbox.requests.total
        report.fail("pushes missed", *ledger.missed)
        report.fail("pushes doubled, or nobody's", *ledger.doubled)
        report.fail("calls that broke", *ledger.broken)
        report.fail("refusals without words", *ledger.wordless)
        report.fail("webhooks", *self.trouble.broken)
        report.fail(
            "seconds in which the event loop turned for nothing",
            *(
                f"{self.options.start + timedelta(seconds=at):%d %H:%M:%S}"
                for at in house.time.busy
            ),
        )
        report.fail("the sandbox crashed", *map(repr, house.sandbox.crashes))
        report.fail(
            "controls that differ in the end",
            *(f"{what}: {how}" for what, how in self._all_differences()),
        )
        report.fail("entries not loaded in the end", *not_loaded(house))
        report.fail("repairs open in the end", *open_repairs(house))
        report.fail(
            "flows open in the end",
            *(str(flow) for flow in house.hass.config_entries.flow.async_progress()),
        )
        if count := unavailable(house):
            report.fail("unavailable in the end", f"{count} entities")
        for device in house.devices:
            if house.registered(device) is None:
                report.fail("devices missing in the end", device.id)

    def _judge_plans(self) -> None:
        """See what became of the plans."""
        found = self.plans.judge()
        self.report.plans.update({"kept": found.kept, "missed": found.missed})
        for what, lines in found.wrong.items():
            self.report.fail(f"occurrences of plans {what}", *lines)
        self.report.fail("others' planned actions touched", *self.plans.touched)

    async def _tap_all(self) -> None:
        """Send each device a command, which ends what waits for one."""
        for device in self.house.devices:
            if not device.kind.pushable or self.house.registered(device) is None:
                continue
            self.tapper.settle(device)
            await asyncio.sleep(60)

    async def _refresh_all(self) -> None:
        """Press the refresh button of every device."""
        for device in self.house.devices:
            for entity in self.house.entities(device):
                if entity.domain == "button":
                    await self.house.hass.services.async_call(
                        "button",
                        "press",
                        {"entity_id": entity.entity_id},
                        blocking=True,
                    )

    def _bounds(self) -> dict[str, float]:
        """Return what fills up first, and how far.

        A device has one of each from when there was something to keep of it;
        one that is gone, none.
        """
        devices = ceil(self.options.devices / 2)
        each = ("_lanes", "_asked", "_expedited", "_single", "_known", "._actions")
        return {
            # Of so many actions it is known for which plan they stand.
            "teller._known": 100,
            "teller._known[]": 2 * 100,
            # What was in the way of each plan the last time.
            "tries._troubles": MOST,
            "tries._troubles[]": 3 * MOST,
            "tries.what": 2 * devices,
            **dict.fromkeys(each, devices),
            "ends._devices": devices,
            "ends._devices[].told": 50 * devices,
            "ends._devices[].open": 50 * devices,
            "_lanes[].ends.told": 50 * devices,
            "_lanes[].ends.open": 50 * devices,
            "_lanes[].told": 20 * devices,
            # What begins later, and windows that are not over: each has two timers.
            "_lanes[].later": 2 * devices,
            "_lanes[].later[]": 4 * devices,
            "silence._told": 500,
            "webhooks._seen": self._most_deliveries,
            # One for each route and what it was answered with.
            ".client.requests": 150,
            # Odd things are told once each.
            "account._told": 40,
            # Of each type's list, the devices of the others.
            "account._twice": 5,
            "account._twice[]": 10 * devices,
            # The energies: two of a device, and who waits to show one.
            "energies._kept": devices,
            "energies._kept[]": 2 * devices,
            "energies._waiting": 2 * devices,
            # The last action of a device is kept as long as it is.
            "objects: Link": 2 * devices,
            "objects: _Standing": 2 * devices,
            "objects: _Lane": 2 * devices,
            "objects: EnergyMeter": 2 * devices,
            "objects: LifetimeEnergy": devices,
        }

    # Nothing is left behind

    async def _without_entries(self) -> Counter[str]:
        """Count what there is without the entries, once they were there."""
        await self._unload()
        counted = self._left()
        for entry in self.house.entries.values():
            await self.house.hass.config_entries.async_setup(entry.entry_id)
        await self.house.hass.async_block_till_done()
        return counted

    async def _unload(self) -> None:
        for entry in self.house.entries.values():
            await self.house.hass.config_entries.async_unload(entry.entry_id)
        await asyncio.sleep(600)

    def _left(self) -> Counter[str]:
        hass = self.house.hass
        counted = Counter(
            {
                f"listeners of {name}": n
                for name, n in hass.bus.async_listeners().items()
            }
        )
        counted += Counter(
            {f"timers of {name}": n for name, n in live_timers().items()}
        )
        counted["dispatcher signals"] = sum(
            len(targets) for targets in hass.data.get(DATA_DISPATCHER, {}).values()
        )
        counted += Counter(
            {f"objects of {name}": n for name, n in own_objects().items()}
        )
        return counted

    async def _check_unloaded(self, baseline: Counter[str]) -> None:
        await self._unload()
        left = self._left() - baseline
        for name in _NOT_LEFT:
            del left[name]
        # Home Assistant keeps what an entity wants to have back.
        del left["objects of _Standing"]
        # The listener for the ends of actions is the soak's own.
        left[f"listeners of {EVENT_ACTION}"] -= 1
        self.report.fail(
            "left behind by unloaded entries",
            *(f"{number} {name}" for name, number in (+left).items()),
        )


def _real(device: Device, domain: str, key: str) -> dict[str, Any] | None:
    """Return what a control is to show, by what the cloud knows of its device."""
    state = device.captured or {}
    match domain:
        case "select":
            mode = state.get("currentMode")
            if mode not in (device.commands or {}):
                return {"state": STATE_UNKNOWN}
            return {"state": str(mode).replace(".", "_")}
        case "switch":
            # It shows permission; what charges, may.
            return {"state": "on"} if state.get("isCharging") else None
        case "number":
            if device.generation == "before":
                return None
            name = "max_charge_rate" if key == "max_power" else key
            setting = device.captured_settings.get(name)
            return None if setting is None else {"state": setting["value"]}
        case "climate":
            return _real_climate(state)
    return None


def _real_climate(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a thermostat is to show."""
    mode = _MODES[state["mode"]]
    heat, cool = state["heatSetpoint"], state["coolSetpoint"]
    one = {HVACMode.HEAT: heat, HVACMode.COOL: cool}.get(mode)
    band = mode is HVACMode.HEAT_COOL
    return {
        "state": mode.value,
        "preset_mode": _PRESETS[state["holdType"]],
        "temperature": one,
        "target_temp_low": heat if band else None,
        "target_temp_high": cool if band else None,
    }


def _alike(shown: Mapping[str, Any], real: Mapping[str, Any]) -> bool:
    """Tell whether a control shows what is."""
    for name, value in real.items():
        other = shown[name]
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                if abs(float(other) - value) > 0.05:
                    return False
            except TypeError, ValueError:
                return False
        elif other != value:
            return False
    return True


def run(options: Options, folder: Path, log: Log) -> Report:
    """Run it in simulated time; return what was found."""
    report = Report(options=options, log=log)
    log.unspeakable = (TEST_KEY, LIVE_KEY, "whsec_")
    # Home Assistant spreads its polls at random.
    random.seed(options.seed)
    began = time.clock_gettime(time.CLOCK_MONOTONIC)
    with SimulatedTime(options.start) as simulated, in_simulated_time():
        sandbox = Sandbox(
            "empty",
            seed=options.seed,
            clock=simulated.clock,
            live_control=True,
            last_action_lag=2.0,
            # People queue behind what has no end, too.
            lenient={"queue"},
        )
        furnish(sandbox, options.devices)
        log.now = lambda: datetime.fromtimestamp(simulated.clock.time(), UTC)

        async def _live() -> None:
            async with built(folder, sandbox, simulated, options.seed) as house:
                await Soak(house, options, report).run()

        with simulated.runner(lambda: sandbox.next_due) as runner:
            runner.run(_live())
    report.seconds = time.clock_gettime(time.CLOCK_MONOTONIC) - began
    return report
