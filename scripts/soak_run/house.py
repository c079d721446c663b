"""The house: a real Home Assistant, and the sandbox as its Amps."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, override
from unittest.mock import patch

from homeassistant.components import webhook
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_API_KEY, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er

from custom_components.amps_ai.common.const import (
    CONF_APP_ID,
    CONF_FRESHNESS,
    CONF_WEBHOOK,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
)
from sandbox import LIVE_KEY, TEST_KEY, Device, Endpoint, Fault, Sandbox
from sandbox.catalogue import CATALOGUE
from sandbox.faults import Faults, Met
from scripts import bare_core
from scripts.bare_core import HOST

from .simulated_time import SimulatedTime

# The accounts: one that is left alone, and one that is meddled with.
STEADY: Final = "test"
LIVELY: Final = "live"
# What is connected, in this order and over again; the older shape among it.
CONNECTED: Final = {
    STEADY: (
        ("battery", "now"),
        ("ev_charger", "now"),
        ("hvac", "now"),
        ("ev_charger", "before"),
        ("hvac", "before"),
        ("vehicle", "now"),
        ("solar_inverter", "now"),
    ),
    LIVELY: (
        ("battery", "now"),
        ("ev_charger", "now"),
        ("hvac", "now"),
        ("solar_inverter", "now"),
        ("vehicle", "now"),
    ),
}


class HouseError(bare_core.CoreError):
    """What kept the house from being built."""


class Weather(Faults):
    """Faults, and the usual time that an answer takes where there is none."""

    def __init__(self, seed: int) -> None:
        """Begin with fair weather."""
        super().__init__()
        self._seed = seed
        self._met: Counter[str] = Counter()

    @override
    def meet(self, method: str, path: str) -> Met:
        """Return the faults on order, else a little delay."""
        met = super().meet(method, path)
        if met.fault is not None:
            return met
        # Whatever else is asked meanwhile, a request takes the same time.
        # Of actions there are ever more, so theirs count as one.
        place = "/actions" if path.startswith("/actions") else path
        self._met[place] += 1
        random = Random(f"{self._seed} {method} {place} {self._met[place]}")
        usual = Fault(kind="delay", delay=random.uniform(0.05, 0.9))
        return Met(fault=usual, changes=met.changes)


async def _wait_until(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event in simulated time; tell whether it came."""
    if seconds > 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
    return event.is_set()


@contextmanager
def in_simulated_time() -> Generator[None]:
    """Let the sandbox wait in simulated time, where it would in real time."""
    with (
        patch("sandbox.server.wait_until", _wait_until),
        patch("sandbox.webhooks.sending.wait_until", _wait_until),
        # The clock is moved by hand, and whoever moves it settles what is due.
        patch("sandbox.webhooks.sending.LOOK", 86400.0),
    ):
        yield


@dataclass(kw_only=True)
class House:
    """Everything that the soak works with."""

    hass: HomeAssistant
    sandbox: Sandbox
    time: SimulatedTime
    port: int
    entries: dict[str, ConfigEntry]
    endpoint: Endpoint | None = None

    @property
    def devices(self) -> list[Device]:
        """Return the devices of both accounts."""
        return [
            device
            for name in (STEADY, LIVELY)
            for device in self.sandbox.account(name).home.devices
        ]

    def entry_of(self, device: Device) -> ConfigEntry:
        """Return the entry that has a device."""
        live = device.home is self.sandbox.account(LIVELY).home
        return self.entries[LIVELY if live else STEADY]

    def registered(self, device: Device) -> dr.DeviceEntry | None:
        """Return a device as Home Assistant knows it."""
        return dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, device.id), self.entry_of(device).entry_id
        )

    def entities(self, device: Device) -> list[er.RegistryEntry]:
        """Return the entities of a device."""
        if (registered := self.registered(device)) is None:
            return []
        return er.async_entries_for_device(
            er.async_get(self.hass), registered.id, include_disabled_entities=True
        )

    async def change_options(self, entry: ConfigEntry, **changes: Any) -> None:
        """Change options as a person does it, and wait for the reload."""
        flow = await self.hass.config_entries.options.async_init(entry.entry_id)
        options = {CONF_FRESHNESS: "standard", CONF_WEBHOOK: False, **entry.options}
        result = await self.hass.config_entries.options.async_configure(
            flow["flow_id"], {**options, **changes}
        )
        if result["type"] is not FlowResultType.CREATE_ENTRY:
            raise HouseError(f"The options were refused: {result.get('errors')}")


def furnish(sandbox: Sandbox, count: int) -> None:
    """Connect so many devices, to both accounts in turn."""
    for number in range(count):
        name = (STEADY, LIVELY)[number % 2]
        turn = number // 2
        kind, generation = CONNECTED[name][turn % len(CONNECTED[name])]
        models = CATALOGUE[kind]
        sandbox.account(name).home.add_device(
            kind, model=models[number % len(models)], generation=generation
        )


async def _add_entry(hass: HomeAssistant, key: str, app_id: str) -> ConfigEntry:
    """Add the integration, as a person does it."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": "user"},
        data={CONF_API_KEY: key, CONF_APP_ID: app_id},
    )
    if result["type"] is not FlowResultType.CREATE_ENTRY:
        raise HouseError(f"The entry was refused: {result.get('errors')}")
    entry: ConfigEntry = result["result"]
    return entry


@asynccontextmanager
async def built(
    folder: Path, sandbox: Sandbox, time: SimulatedTime, seed: int
) -> AsyncGenerator[House]:
    """Build the house, and take it down again."""
    sandbox.webhooks.now = time.clock.time
    await sandbox.start(HOST)
    port = bare_core.free_port()
    with patch.dict(
        "os.environ",
        {"AMPS_AI_API_URL": sandbox.url, "AMPS_AI_LINK_URL": f"{sandbox.url}/link"},
    ):
        hass = await bare_core.start(
            folder, "Soak", ("http", "webhook", "repairs"), port=port
        )
        try:
            entries = {
                STEADY: await _add_entry(hass, TEST_KEY, sandbox.app_id),
                LIVELY: await _add_entry(hass, LIVE_KEY, sandbox.app_id),
            }
            house = House(
                hass=hass,
                sandbox=sandbox,
                time=time,
                port=port,
                entries=entries,
            )
            await _switch_webhooks_on(house)
            await hass.async_block_till_done()
            sandbox.faults = Weather(seed)
            yield house
        finally:
            await hass.async_stop(force=True)
            await sandbox.stop()


async def _switch_webhooks_on(house: House) -> None:
    """Let the second account send webhooks."""
    entry = house.entries[LIVELY]
    # The form makes the address.
    flow = await house.hass.config_entries.options.async_init(entry.entry_id)
    house.hass.config_entries.options.async_abort(flow["flow_id"])
    path = webhook.async_generate_path(entry.data[CONF_WEBHOOK_ID])
    endpoint = house.sandbox.webhooks.add(
        f"http://{HOST}:{house.port}{path}", account=LIVELY
    )
    await house.change_options(
        entry, **{CONF_WEBHOOK: True, CONF_WEBHOOK_SECRET: endpoint.secrets[0]}
    )
    house.endpoint = endpoint
