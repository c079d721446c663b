"""The house: a real Home Assistant, and the sandbox as its Amps."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from homeassistant.components import webhook
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er

from custom_components.amps_ai.common.const import (
    CONF_FRESHNESS,
    CONF_WEBHOOK,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
)
from develop import bare_core
from develop.bare_core import HOST, CoreError
from sandbox import LIVE_KEY, TEST_KEY, Device, Endpoint, Sandbox
from sandbox.catalogue import CATALOGUE

from ..common import Weather, add_entry
from ..simulated_time import SimulatedTime

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
        """Return the entities of a device, but for those of its plans."""
        if (registered := self.registered(device)) is None:
            return []
        return [
            entity
            for entity in er.async_entries_for_device(
                er.async_get(self.hass), registered.id, include_disabled_entities=True
            )
            if entity.unique_id.startswith(device.id)
        ]

    async def change_options(self, entry: ConfigEntry, **changes: Any) -> None:
        """Change options as a person does it, and wait for the reload."""
        flow = await self.hass.config_entries.options.async_init(entry.entry_id)
        options = {CONF_FRESHNESS: "standard", CONF_WEBHOOK: False, **entry.options}
        result = await self.hass.config_entries.options.async_configure(
            flow["flow_id"], {**options, **changes}
        )
        if result["type"] is not FlowResultType.CREATE_ENTRY:
            raise CoreError(f"The options were refused: {result.get('errors')}")


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
                STEADY: await add_entry(hass, TEST_KEY, sandbox.app_id),
                LIVELY: await add_entry(hass, LIVE_KEY, sandbox.app_id),
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
