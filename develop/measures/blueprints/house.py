"""A house with meters and prices of its own, and one automation that lives in it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import cos, pi
from pathlib import Path
import shutil
from typing import Any, Final
from zoneinfo import ZoneInfo

from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import yaml as yaml_util

from develop import bare_core
from sandbox import TEST_KEY, RequestRecord, Sandbox
from sandbox.physics import BatteryPhysics, ChargerPhysics, HvacPhysics, SolarPhysics
from sandbox.physics.house import usage

from ..common import Simulated, add_entry

DOMAIN: Final = "amps_ai"
ZONE: Final = ZoneInfo(bare_core.TIME_ZONE)
HOUR: Final = 3600.0
DAY: Final = 86400.0
# How often the meters tell, and how often it is looked at what is true.
TELLS: Final = 15.0
COMPONENTS: Final = ("http", "recorder", "webhook", "repairs")

GRID: Final = "sensor.grid"
PRICE: Final = "sensor.price"
# What is paid for what is given to the grid, in euros.
FEED_IN: Final = 0.08
FORECAST: Final = "sensor.forecast"


def price(at: float) -> float:
    """Return the price of a quarter of an hour, in euros: nights and noons are cheap."""
    local = datetime.fromtimestamp(at // 900 * 900, ZONE)
    hour = local.hour + local.minute / 60
    value = 0.28
    for middle, width, more in ((8, 3, 0.1), (19.5, 3.5, 0.16), (3, 4, -0.12)):
        away = min(abs(hour - middle), 24 - abs(hour - middle))
        if away < width:
            value += more * (1 + cos(pi * away / width)) / 2
    # No two quarters are alike, and no two days.
    return round(value + 0.02 * cos(local.day * 2.4 + hour * 1.7), 4)


@dataclass(kw_only=True)
class Counts:
    """What went through the house, in kWh, euros, hours and commands."""

    imported: float = 0.0
    exported: float = 0.0
    cost: float = 0.0
    cars: float = 0.0
    commands: int = 0
    # Over the limit.
    over: float = 0.0
    # Drawn in the dear hours.
    dear: float = 0.0
    # At a low price; and of that, while the battery was told to charge.
    low: float = 0.0
    low_charged: float = 0.0
    # While the battery was told to charge, at any price.
    charged: float = 0.0
    # What the house battery gave at night.
    given: float = 0.0


class SelfUse:
    """What a battery does by itself: it covers the house, and takes what is left."""

    def __init__(self, sandbox: Sandbox, battery: BatteryPhysics) -> None:
        """Take over what the battery does where it is not told."""
        self._sandbox = sandbox
        self._battery = battery
        self._usual = battery._wanted  # noqa: SLF001
        vars(battery)["_wanted"] = self._wanted

    def _wanted(self, at: float) -> float:
        if self._battery.mode != "auto.balanced":
            return self._usual(at)
        left = -usage(at)
        for device in self._sandbox.home.devices:
            match device.physics:
                case SolarPhysics() as sun:
                    left += sun.power_at(at)
                case ChargerPhysics() | HvacPhysics() as load:
                    left -= load.load
        return left


@dataclass(kw_only=True)
class House(Simulated):
    """The core, the sandbox, and what is counted of them."""

    blueprints: Path
    blueprint: str
    limit: float = 1000.0
    config: Mapping[str, object] | None = None
    counts: Counts = field(default_factory=Counts)
    # While they are silent, the meters show what they showed last.
    silent: bool = False
    tariff: Callable[[float], float] = price
    # What a low price is.
    low: float = 0.2
    # From when to when, by the clock on the wall, it is dear.
    dear_hours: tuple[int, int] = (17, 20)
    _seen: tuple[float, float] = (0.0, 0.0)

    @property
    def battery(self) -> BatteryPhysics | None:
        """Return what the battery of the house does."""
        for device in self.sandbox.home.devices:
            if isinstance(device.physics, BatteryPhysics):
                return device.physics
        return None

    def watch(self) -> None:
        """Count commands from now on."""
        add = self.sandbox.requests.add

        def _add(record: RequestRecord) -> None:
            add(record)
            self.counts.commands += record.method == "POST"

        vars(self.sandbox.requests)["add"] = _add

    async def start(self) -> None:
        """Start the core, with the automation where there is one already."""
        again = (DOMAIN, "automation") if self.config else ()
        self.hass = await bare_core.start(
            self.folder,
            "Blueprints",
            (*COMPONENTS, *again),
            configs={"automation": self.config or {}},
        )
        self.tell()

    async def stop(self) -> None:
        """Stop the core."""
        await self.core.async_stop(force=True)
        self.hass = None
        # As in a process of its own, the next core has a loop that is not over.
        vars(asyncio.get_running_loop()).pop("_shutdown_run_callback_threadsafe", None)

    async def add_entry(self, level: str) -> None:
        """Add the integration and choose the freshness, as a person does it."""
        entry = await add_entry(self.core, TEST_KEY, self.sandbox.app_id)
        options = self.core.config_entries.options
        flow = await options.async_init(entry.entry_id)
        result = await options.async_configure(
            flow["flow_id"], {"freshness": level, "webhook": False}
        )
        assert result["type"] is FlowResultType.CREATE_ENTRY, result
        await self.core.async_block_till_done()

    async def automate(self, inputs: Mapping[str, object]) -> None:
        """Make an automation of the blueprint; it takes the inputs that it knows."""
        source = self.blueprints / f"{self.blueprint}.yaml"
        known = yaml_util.extract_inputs(yaml_util.load_yaml_dict(str(source)))
        target = self.folder / "blueprints" / "automation" / DOMAIN
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        self.config = {
            "id": "of_a_blueprint",
            "alias": "Blueprint",
            "use_blueprint": {
                "path": f"{DOMAIN}/{source.name}",
                "input": {key: inputs[key] for key in inputs if key in known},
            },
        }
        await bare_core.set_up(self.core, "automation", self.config)
        await self.core.async_block_till_done()
        state = self.core.states.get("automation.blueprint")
        assert state is not None and state.state == "on", state

    def device(self, device_id: str) -> str:
        """Return the id that Home Assistant knows a device by."""
        device = dr.async_get(self.core).async_get_device_by_identifier(
            (DOMAIN, device_id), self.entry.entry_id
        )
        assert device is not None
        return device.id

    def entity(self, platform: str, unique_id: str) -> str:
        """Return the id of an entity."""
        registry = er.async_get(self.core)
        found = registry.async_get_entity_id(platform, DOMAIN, unique_id)
        assert found is not None
        return found

    # The meters

    def tell(self) -> None:
        """Let the meters show what is so."""
        if self.hass is None or self.silent:
            return
        grid = self.sandbox.home.house.as_json()["grid"]
        show = self.hass.states.async_set
        unit = {"unit_of_measurement": "W", "device_class": "power"}
        show(GRID, str(round(grid * 1000)), unit)
        now = str(self.tariff(self.now))
        if (before := self.hass.states.get(PRICE)) is None or before.state != now:
            show(PRICE, now, {"unit_of_measurement": "EUR/kWh"})
            show(FORECAST, now, {"raw_today": list(self._rows())})

    def _rows(self) -> Iterator[dict[str, Any]]:
        """Return the prices that are known: from 13:00 on, also those of tomorrow."""
        today = datetime.fromtimestamp(self.now, ZONE)
        midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
        end = midnight + timedelta(days=2 if today.hour >= 13 else 1)
        at = midnight.timestamp()
        while at < end.timestamp():
            start = datetime.fromtimestamp(at, UTC)
            yield {
                "start": start,
                "end": start + timedelta(minutes=15),
                "value": self.tariff(at),
            }
            at += 900

    def count(self) -> None:
        """Count what went through since the last time."""
        house = self.sandbox.home.house
        flows = house.as_json()
        imported, exported = house.imported, house.exported
        counts, hours = self.counts, TELLS / HOUR
        drew = imported - self._seen[0]
        gave = exported - self._seen[1]
        cost = self.tariff(self.now - 1)
        counts.imported += drew
        counts.exported += gave
        counts.cost += drew * cost - gave * FEED_IN
        self._seen = (imported, exported)
        counts.cars += flows["charging"] * hours
        if flows["grid"] > self.limit + 0.01:
            counts.over += hours
        begin, end = self.dear_hours
        hour = datetime.fromtimestamp(self.now - 1, ZONE).hour
        if begin <= hour < end:
            counts.dear += drew
        if not 6 <= hour < 21:
            counts.given += max(0.0, flows["battery"]) * hours
        charges = self.battery is not None and self.battery.mode == "charge"
        counts.charged += hours * charges
        if cost <= self.low:
            counts.low += hours
            counts.low_charged += hours * charges

    async def live(self, until: float) -> None:
        """Tell and count until a moment."""
        house = self.sandbox.home.house
        self._seen = (house.imported, house.exported)
        while self.now < until:
            await asyncio.sleep(TELLS - self.now % TELLS or TELLS)
            self.count()
            self.tell()
