"""A home in which time can go on, and what it pushes."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.script import _ScriptRun
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    mock_restore_cache,
)

import custom_components.amps_ai as integration
from custom_components.amps_ai.common.const import DOMAIN
from sandbox import Sandbox

# Another folder is another state of them, to be compared with this one.
BLUEPRINTS = Path(
    os.environ.get(
        "AMPS_AI_BLUEPRINTS",
        Path(__file__).parents[3] / "blueprints" / "automation" / DOMAIN,
    )
)
SERVICES = Path(integration.__file__).with_name("services.yaml")

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
HVAC = "device_hvac_001"

AUTOMATION = "automation.blueprint"

ZONE = ZoneInfo("Europe/Berlin")
HOUR = 3600

type Json = dict[str, Any]


class Rest:
    """Knows when the automation waits for nothing but time or a state."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waits = 0
        self._begun = asyncio.Event()

    def __bool__(self) -> bool:
        """Tell whether somebody waits."""
        return self._waits > 0

    @contextmanager
    def watched(self) -> Generator[None]:
        """Watch the steps of scripts that wait."""
        with (
            patch.object(_ScriptRun, "_async_step_delay", self._watch("delay")),
            patch.object(
                _ScriptRun, "_async_step_wait_template", self._watch("wait_template")
            ),
        ):
            yield

    def _watch(self, step: str) -> Any:
        usual = getattr(_ScriptRun, f"_async_step_{step}")

        async def _step(run: _ScriptRun) -> None:
            self._waits += 1
            self._begun.set()
            try:
                await usual(run)
            finally:
                self._waits -= 1
                if not self._waits:
                    self._begun.clear()

        return _step

    async def begun(self) -> None:
        """Wait until somebody waits."""
        await self._begun.wait()


def _is_script(task: asyncio.Future[Any]) -> bool:
    """Tell whether a task is one of those that an automation is made of."""
    coro = task.get_coro() if isinstance(task, asyncio.Task) else None
    name = getattr(coro, "__qualname__", "")
    return name.startswith(("AutomationEntity.", "Script.", "_ScriptRun."))


def _is_following(task: asyncio.Future[Any]) -> bool:
    """Tell whether a task follows an action to its end."""
    return isinstance(task, asyncio.Task) and task.get_name().startswith(
        "Amps AI action"
    )


class House:
    """A home with the entry loaded, in which time can go on."""

    def __init__(
        self,
        hass: HomeAssistant,
        sandbox: Sandbox,
        freezer: FrozenDateTimeFactory,
        entry: MockConfigEntry,
        rest: Rest,
    ) -> None:
        """Take over what it is made of."""
        self.hass = hass
        self.rest = rest
        # Meters that report all the time, also what did not change.
        self.reporting: set[str] = set()
        # Meters that show what is so, in kW.
        self.meters: dict[str, Callable[[], float]] = {}
        self.sandbox = sandbox
        self.freezer = freezer
        self.entry = entry
        # Whether what is followed is left alone while time goes on.
        self.leave_following = False

    async def calm(self) -> None:
        """Wait until nothing is under way but what a script waits for."""
        while True:
            # What has just been woken up goes on, and may wait again.
            for _ in range(10):
                await asyncio.sleep(0)
            tasks = {
                task
                for task in self.hass._tasks | self.hass._background_tasks
                if task is not asyncio.current_task()
                and not (self.rest and _is_script(task))
                and not (self.leave_following and _is_following(task))
            }
            if not tasks:
                return
            begun = asyncio.ensure_future(self.rest.begun())
            await asyncio.wait(
                tasks if self.rest else {*tasks, begun},
                return_when=asyncio.FIRST_COMPLETED,
            )
            begun.cancel()

    def live(self) -> None:
        """Choose the freshness that chargers ask for; before it begins."""
        self.entry = MockConfigEntry(
            domain=DOMAIN,
            title=self.entry.title,
            unique_id=self.entry.unique_id,
            data=dict(self.entry.data),
            options={**self.entry.options, "freshness": "live"},
        )

    async def begin(self, moment: str) -> None:
        """Load the entry at a moment, on the clock on the wall."""
        assert await async_setup_component(self.hass, "persistent_notification", {})
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            at = at.replace(tzinfo=ZONE)
        self.sandbox.clock.set(at.astimezone(UTC))
        self.freezer.move_to(self.sandbox.clock.now())
        for device in self.sandbox.home.devices:
            device.capture()
        self.entry.add_to_hass(self.hass)
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.calm()

    async def let_pass(self, seconds: float, bit: float = 15) -> None:
        """Let time pass, bit by bit."""
        while seconds > 0:
            step = min(bit, seconds)
            seconds -= step
            self.freezer.tick(step)
            self.sandbox.clock.advance(step)
            for entity_id, measure in self.meters.items():
                self.show(entity_id, measure(), "kW")
            for entity_id in self.reporting:
                if (state := self.hass.states.get(entity_id)) is not None:
                    self.hass.states.async_set(entity_id, state.state, state.attributes)
            async_fire_time_changed(self.hass)
            await self.calm()

    async def until(self, moment: str, bit: float = HOUR) -> None:
        """Let time pass until a moment on the clock on the wall."""
        at = datetime.fromisoformat(moment).replace(tzinfo=ZONE)
        await self.let_pass(at.timestamp() - dt_util.utcnow().timestamp(), bit)

    def device(self, device_id: str) -> str:
        """Return the id that Home Assistant knows a device by."""
        device = dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, device_id), self.entry.entry_id
        )
        assert device is not None
        return device.id

    def entity(self, platform: str, unique_id: str) -> str:
        """Return the id of an entity."""
        found = er.async_get(self.hass).async_get_entity_id(platform, DOMAIN, unique_id)
        assert found is not None
        return found

    async def automate(self, blueprint: str, **inputs: Any) -> None:
        """Make an automation of a blueprint, as its form does."""
        assert await async_setup_component(
            self.hass,
            "automation",
            {
                "automation": {
                    "id": "of_a_blueprint",
                    "alias": "Blueprint",
                    "use_blueprint": {
                        "path": f"{DOMAIN}/{blueprint}.yaml",
                        "input": inputs,
                    },
                }
            },
        )
        await self.calm()
        state = self.hass.states.get(AUTOMATION)
        assert state is not None and state.state == "on"

    def last_triggered(self) -> datetime | None:
        """Return when the automation last acted."""
        state = self.hass.states.get(AUTOMATION)
        assert state is not None
        at: datetime | None = state.attributes["last_triggered"]
        return at

    def show(
        self, entity_id: str, value: float | str, unit: str | None = "W", **more: Any
    ) -> None:
        """Let a meter of the house show something."""
        attributes = {} if unit is None else {"unit_of_measurement": unit}
        self.hass.states.async_set(entity_id, str(value), {**attributes, **more})

    def was_on_before(self, last_triggered: datetime | None) -> None:
        """Have the automation restored, as after a restart; before all else."""
        mock_restore_cache(
            self.hass,
            [State(AUTOMATION, "on", {"last_triggered": last_triggered})],
        )

    @property
    def told(self) -> dict[str, str]:
        """Return what the notifications say."""
        return {
            key: " ".join(note["message"].split())
            for key, note in self.hass.data.get("persistent_notification", {}).items()
            # Not what the integration tells by itself.
            if not key.startswith(DOMAIN)
        }

    def pushes(self, device_id: str) -> list[Json]:
        """Return the bodies of the commands that were pushed."""
        return [record.body for record in self.sandbox.requests.pushes(device_id)]

    def settings(self, device_id: str) -> list[Json]:
        """Return the bodies of the settings that were pushed."""
        return [record.body for record in self.sandbox.requests.settings(device_id)]


def fields(action: Json) -> Json:
    """Return the fields of an action as services.yaml has them, sections opened."""
    found: Json = {}
    for key, field in action.get("fields", {}).items():
        found |= field["fields"] if "fields" in (field or {}) else {key: field}
    return found


def charged(start: str, end: str, target: float = 90, **more: Any) -> Json:
    """Return a windowed push to the battery."""
    return {
        "action": {
            "command": "charge",
            "parameters": {
                "target": {"value": target, "unit": "percent"},
                **(
                    {"power": {"value": more.pop("power"), "unit": "kw"}}
                    if "power" in more
                    else {}
                ),
            },
            "start": start,
            "end": end,
        },
        **more,
    }


def commanded(name: str, **parameters: float) -> Json:
    """Return an immediate push, with temperatures."""
    action: Json = {"command": name}
    if parameters:
        action["parameters"] = {
            key: {"value": value, "unit": "celsius"}
            for key, value in parameters.items()
        }
    return {"action": action}


def capped(kilowatts: float) -> Json:
    """Return a push of the power cap."""
    return {"max_charge_rate": {"value": kilowatts, "unit": "kw"}}
