"""A month of plans, in which all that can happen does.

Two plans on a battery, one on a charger and one on a thermostat, over the night in
which the clocks are put back, with restarts, outages, taps, what others plan and
refusals at random. What could be kept was kept once, and nobody else's was touched.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import logging
import random
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.amps_ai.common.const import EVENT_ACTION
from custom_components.amps_ai.plans import Plan
from custom_components.amps_ai.plans.plan import LEAST
from develop.measures.soak.plans import Judgement, carries_out, ended, had_time
from sandbox import Sandbox

from ...lean import rested
from ..helpers import set_up
from ..leaks import Leaks
from .helpers import BATTERY, CHARGER, DAILY, HVAC, add, elsewhere, planned

ZONE = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 10, 5, 10, tzinfo=UTC)
DAYS = 30
STEP = 15 * 60
# A loop that waits for so long, in seconds, has nothing to do.
IDLE = 0.004

PLANS: dict[str, dict[str, Any]] = {
    "Night": {
        "device_id": BATTERY,
        "command": "charge",
        "parameters": {"target": {"value": 90, "unit": "percent"}},
        "weekdays": DAILY,
        "start": "23:30:00",
        "end": "04:00:00",
    },
    "Evening": {
        "device_id": BATTERY,
        "command": "discharge",
        "parameters": {},
        "weekdays": ["mon", "tue", "wed", "thu", "fri"],
        "start": "17:00:00",
        "end": "20:00:00",
    },
    "Car": {
        "device_id": CHARGER,
        "command": "charge",
        "parameters": {},
        "weekdays": ["tue", "thu", "sun"],
        "start": "02:15:00",
        "end": "06:00:00",
    },
    "Morning": {
        "device_id": HVAC,
        "command": "heat",
        "parameters": {"target": {"value": 21, "unit": "celsius"}},
        "weekdays": DAILY,
        "start": "06:00:00",
        "end": "08:00:00",
    },
}

pytestmark = pytest.mark.usefixtures("stopped_clock", "quick")


@pytest.fixture(autouse=True)
def _quiet(leaks: Leaks) -> None:
    """Have no line logged for each of many thousand requests; others look at these."""
    logging.getLogger("custom_components.amps_ai").setLevel(logging.INFO)


@dataclass
class Month:
    """What happens in it, and what came of it."""

    hass: HomeAssistant
    entry: MockConfigEntry
    sandbox: Sandbox
    freezer: FrozenDateTimeFactory
    dice: random.Random
    # What others planned, by id; and what was done.
    foreign: dict[str, str] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    # When nothing could be kept, in spans.
    bad: list[tuple[datetime, datetime]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.sandbox.clock.now()

    async def step(self) -> None:
        """Let some minutes pass, and what is due happen."""
        for seconds in (STEP - 5, 5):
            self.sandbox.clock.advance(seconds)
            self.freezer.tick(timedelta(seconds=seconds))
            async_fire_time_changed(self.hass)
            await rested(IDLE)

    async def tap(self) -> None:
        """Tap a control, of which nobody hears why it did not work."""
        calls: list[tuple[str, str, dict[str, Any]]] = [
            (
                "select",
                "select_option",
                {"entity_id": "select.powerwall_2_mode", "option": "idle"},
            ),
            ("switch", "turn_off", {"entity_id": "switch.pulsar_plus"}),
            (
                "climate",
                "set_temperature",
                {
                    "entity_id": "climate.smart_thermostat_premium",
                    "temperature": self.dice.choice((19, 20, 22)),
                    "hvac_mode": "heat",
                },
            ),
        ]
        domain, service, data = self.dice.choice(calls)
        await self.hass.services.async_call(domain, service, data)
        self.done["taps"] += 1
        await rested(IDLE)

    async def others(self) -> None:
        """Let somebody else plan something, where nothing stands there."""
        device_id = self.dice.choice((BATTERY, CHARGER, HVAC))
        device = self.sandbox.device(device_id)
        for action in device.actions:
            # They are somebody: what is planned there makes way for them.
            if action.state == "scheduled" and action.id not in self.foreign:
                await elsewhere(
                    self.hass, self.sandbox, path=f"/actions/{action.id}/cancel"
                )
        start = (self.now.astimezone(ZONE) + timedelta(minutes=20)).replace(
            tzinfo=None, microsecond=0
        )
        reply = await elsewhere(
            self.hass,
            self.sandbox,
            {
                "action": {
                    "command": "charge" if device_id == CHARGER else "idle",
                    "start": start.isoformat(),
                }
            },
            f"/{device.kind.path}/{device_id}",
        )
        if "id" in reply:
            self.foreign[reply["id"]] = device_id
            self.done["foreign"] += 1
            # Nothing else can be planned till that has ended.
            self.bad.append((self.now, self.now + timedelta(minutes=60)))

    async def outage(self, steps: int) -> None:
        """Let Amps AI answer nothing, or take what it does not answer."""
        fault = self.sandbox.faults.add(
            **self.dice.choice(
                (
                    {"kind": "error", "status": 503},
                    {"kind": "drop"},
                    {"kind": "drop", "method": "POST", "done": True},
                    {"kind": "error", "status": 500, "method": "POST"},
                )
            )
        )
        begin = self.now
        for _ in range(steps):
            await self.step()
        self.sandbox.faults.remove(fault)
        self.bad.append((begin, self.now + timedelta(minutes=45)))
        self.done["outages"] += 1

    async def off(self, steps: int) -> None:
        """Stop Home Assistant for a while."""
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)
        begin = self.now
        for _ in range(steps):
            self.sandbox.clock.advance(STEP)
            self.freezer.tick(STEP)
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await rested(IDLE)
        self.bad.append((begin, self.now + timedelta(minutes=15)))
        self.done["restarts"] += 1

    async def refuse(self) -> None:
        """Let the manufacturer refuse what begins."""
        device = self.sandbox.device(self.dice.choice((BATTERY, CHARGER, HVAC)))
        device.next_action("failed", code="TIMEOUT", message="Not now")
        self.done["refusals"] += 1

    async def happen(self) -> None:
        """Let one of all these happen, or nothing."""
        what = self.dice.random()
        if what < 0.03:
            await self.tap()
        elif what < 0.04:
            await self.others()
        elif what < 0.048:
            await self.outage(self.dice.randint(1, 12))
        elif what < 0.056:
            await self.off(self.dice.randint(0, 30))
        elif what < 0.07:
            await self.refuse()


# A long life, and a busy machine takes longer for it.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1])
async def test_month(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    seed: int,
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    sandbox.clock.advance((BEGIN - sandbox.clock.now()).total_seconds())
    freezer.move_to(sandbox.clock.now())
    sandbox.action_seconds = 2
    told = async_capture_events(hass, EVENT_ACTION)
    assert await set_up(hass, entry)
    for name, data in PLANS.items():
        await add(hass, entry, name, **data)
    month = Month(hass, entry, sandbox, freezer, random.Random(seed))
    while month.now < BEGIN + timedelta(days=DAYS):
        await month.happen()
        await month.step()
    # All that could happen did.
    assert min(month.done[what] for what in ("taps", "foreign", "outages")) > 5
    assert min(month.done[what] for what in ("restarts", "refusals")) > 5

    missed = {
        (event.data["plan"], event.data["start"])
        for event in told
        if event.data["state"] == "missed"
    }
    judgement = Judgement()
    carried: set[str] = set()
    for name, data in PLANS.items():
        plan = Plan.from_data(name, name, data)
        assert plan is not None
        device = sandbox.device(plan.device_id)
        for occurrence in ended(plan, BEGIN, month.now - timedelta(hours=1), ZONE):
            actions = [
                action.id
                for action in device.actions
                if action.id not in month.foreign
                and action.state == "completed"
                and carries_out(action, plan, occurrence)
            ]
            carried.update(actions)
            judgement.judge(
                plan,
                occurrence,
                len(actions),
                told=(name, occurrence.start.isoformat()) in missed,
                could=had_time(
                    month.bad,
                    occurrence.start,
                    occurrence.end - LEAST,
                    timedelta(minutes=30),
                ),
            )
    # Once, and no more; and what was missed was told, and could not be kept.
    assert not judgement.wrong
    assert judgement.kept > 60
    assert judgement.missed < judgement.kept / 5

    # Nobody else's was touched, and nothing was sent that was nobody's.
    for action_id in month.foreign:
        (action,) = (
            action
            for device_id in (BATTERY, CHARGER, HVAC)
            for action in sandbox.device(device_id).actions
            if action.id == action_id
        )
        assert action.state in ("completed", "failed", "scheduled"), action.record()
    for device_id in (BATTERY, CHARGER, HVAC):
        for action in sandbox.device(device_id).actions:
            if action.state == "completed" and action.push.end is not None:
                begun = action.push.start or 0
                if begun < (month.now - timedelta(hours=12)).timestamp():
                    assert action.id in carried, action.record()
        assert len(planned(sandbox, device_id)) <= 1
        # Never a strategy: what is in the way is waited for.
    for request in sandbox.requests:
        if request.method == "POST" and isinstance(request.body, dict):
            assert "onConflict" not in request.body
