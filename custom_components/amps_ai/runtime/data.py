"""What lives as long as a loaded entry: it is the first to know all parts."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from ..account import AmpsAccount
from ..api import Action, Device
from ..common.const import DOMAIN
from ..plans import Plans
from ..pushes import PushManager
from ..readings import (
    AmpsCoordinator,
    Coordinators,
    Energies,
    FreshnessPlanner,
    Links,
    Schedule,
)
from ..webhooks import WebhookReceiver

type AmpsConfigEntry = ConfigEntry[AmpsRuntimeData]


@dataclass(kw_only=True, eq=False, repr=False)
class AmpsRuntimeData:
    """The parts of an account that work together."""

    account: AmpsAccount
    coordinators: Coordinators
    pushes: PushManager
    planner: FreshnessPlanner
    schedule: Schedule
    plans: Plans
    links: Links
    energies: Energies
    webhooks: WebhookReceiver | None
    # What was disabled when the account was set up: unique ids, by platform.
    disabled: Mapping[str, set[str]]

    async def async_look_for_devices(self) -> None:
        """Ask for the types that have no device, which are asked for seldom."""
        await asyncio.gather(
            *(
                coordinator.async_request_refresh()
                for coordinator in self.coordinators.values()
                if not coordinator.data
            )
        )

    async def async_cancel(self, device: Device, action_id: str) -> Action:
        """Cancel an action for a person, and tell of it; raises in words.

        What cannot be cancelled is not what it was thought to be: what is planned
        is asked for anew in any case.
        """
        account = self.account
        try:
            with account.speaking(account.async_spoken_name(device)):
                cancelled = await account.async_run(
                    account.client.async_cancel_action(action_id)
                )
        finally:
            self.schedule.async_changed(device)
        # A plan would plan it again.
        self.plans.async_cancelled(action_id)
        self.pushes.follower.async_cancelled(device, cancelled)
        return cancelled

    def find(self, device_id: str) -> AmpsCoordinator | None:
        """Return the coordinator that has this device."""
        return self.coordinators.find(device_id)


@callback
def async_device_of(
    hass: HomeAssistant, registered: dr.DeviceEntry | dr.ChildDeviceEntry
) -> Device | None:
    """Return a registered device as it was last read, if its entry is loaded."""
    entries: list[AmpsConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        for domain, device_id in registered.identifiers:
            device = entry.runtime_data.coordinators.device(device_id)
            if domain == DOMAIN and device is not None:
                return device
    return None
