"""Amps AI: batteries, EV chargers, thermostats, solar inverters and vehicles."""

import asyncio
from collections.abc import Iterable

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.typing import ConfigType

from .account import LIMITS, AmpsAccount, async_stop_trying, async_try_again
from .api import AmpsInvalidKeyError, DeviceType
from .assist import async_register_commands_api
from .common import issues
from .common.const import DOMAIN, ENTRY_VERSION
from .common.errors import spoken
from .entities import disabled_entities
from .entities.plan import async_remove_plan_entities
from .frontend import async_setup_frontend
from .plans import Plans
from .plans.records import async_remove as async_remove_plans
from .pushes import PushManager
from .pushes.notices import async_remove as async_remove_notices
from .readings import (
    AmpsCoordinator,
    Coordinators,
    Ends,
    Energies,
    FreshnessPlanner,
    Links,
    Schedule,
)
from .readings.ends import async_remove as async_remove_ends
from .readings.energies import async_remove as async_remove_energies
from .readings.leftovers import async_watch_leftovers
from .readings.links import async_remove as async_remove_links
from .runtime import AmpsConfigEntry, AmpsRuntimeData, async_begin_deliveries
from .services import async_setup_services
from .webhooks import (
    async_register as async_register_webhook,
    async_remove as async_remove_webhook,
)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.CLIMATE,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register what is there whether an account is loaded or not."""
    async_setup_services(hass)
    async_register_commands_api(hass)
    await async_setup_frontend(hass)

    @callback
    def _entry_changed(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        # One that never loaded is not unloaded when it is switched off.
        if entry.domain == DOMAIN and entry.disabled_by is not None:
            issues.async_forget(hass, entry)
            async_stop_trying(hass, entry)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, _entry_changed)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: AmpsConfigEntry) -> bool:
    """Set up an account: ask for its devices and add their entities."""
    async_stop_trying(hass, entry)
    webhooks = await async_register_webhook(hass, entry)
    account = AmpsAccount(hass, entry)
    coordinators = Coordinators(
        {
            device_type: AmpsCoordinator(hass, account, device_type)
            for device_type in DeviceType
        }
    )
    links = Links(hass, account, coordinators)
    await links.async_load()
    planner = FreshnessPlanner(hass, account, coordinators)
    energies = Energies(hass, account, coordinators, lambda: planner.level.expedite)
    await energies.async_load()
    await asyncio.gather(*(item.async_prepare() for item in coordinators.values()))
    _raise_if_unusable(account, coordinators.values())
    # Entries are set up side by side: what one takes is known at once.
    account.async_share(coordinators.has)
    for coordinator in coordinators.values():
        await coordinator.async_refresh()
        # Nothing has to be waited for; but the loop is everybody's.
        await asyncio.sleep(0)

    ends = Ends(hass, entry)
    await ends.async_load()
    schedule = Schedule(hass, account, coordinators, ends)
    pushes = PushManager(
        account,
        coordinators,
        ends,
        schedule,
        lambda: webhooks is not None and webhooks.works,
    )
    plans = Plans(account, coordinators, ends, schedule, pushes)
    await plans.async_load()
    entry.runtime_data = AmpsRuntimeData(
        account=account,
        coordinators=coordinators,
        pushes=pushes,
        planner=planner,
        schedule=schedule,
        plans=plans,
        links=links,
        energies=energies,
        webhooks=webhooks,
        disabled=disabled_entities(hass, entry),
    )
    account.async_register_service()
    # Named in one order, whoever is the first to ask.
    for _, device in coordinators.devices():
        account.async_name(device)
    async_remove_plan_entities(hass, entry, plans)
    await planner.async_read_new()
    await asyncio.sleep(0)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    entry.async_on_unload(planner.async_start())
    entry.async_on_unload(schedule.async_start())
    plans.async_start()
    entry.async_on_unload(plans.async_stop)
    pushes.async_take_up()
    entry.async_on_unload(pushes.async_stop)
    entry.async_on_unload(ends.async_stop)
    entry.async_on_unload(links.async_stop)
    links.async_begin()
    entry.async_on_unload(energies.async_stop)
    energies.async_begin()
    async_watch_leftovers(account, coordinators)
    async_begin_deliveries(entry.runtime_data)
    return True


def _raise_if_unusable(
    account: AmpsAccount, coordinators: Iterable[AmpsCoordinator]
) -> None:
    """Give up where the key is refused or no type answers.

    A type that fails alone does so on its own.
    """
    title = account.entry.title
    errors = [coordinator.prepare_error for coordinator in coordinators]
    failed = [error for error in errors if error is not None]
    for error in failed:
        if isinstance(error, AmpsInvalidKeyError) or (
            # A bare refusal too often, and then alone.
            account.limits.key_refused and error.status is not None
        ):
            async_try_again(account.hass, account.entry)
            raise spoken(error, title, ConfigEntryAuthFailed) from error
    if len(failed) == len(errors):
        account.async_keep_limits()
        raise spoken(failed[0], title, ConfigEntryNotReady) from failed[0]


async def async_unload_entry(hass: HomeAssistant, entry: AmpsConfigEntry) -> bool:
    """Unload an account."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_migrate_entry(hass: HomeAssistant, entry: AmpsConfigEntry) -> bool:
    """Bring an entry of an older version up to date; refuse one of a newer.

    A newer minor version can be read, so that going back one release works.
    """
    return entry.version <= ENTRY_VERSION


async def async_remove_entry(hass: HomeAssistant, entry: AmpsConfigEntry) -> None:
    """Remove what an account leaves behind."""
    async_stop_trying(hass, entry)
    issues.async_forget(hass, entry)
    async_remove_notices(hass, entry)
    await async_remove_ends(hass, entry)
    hass.data.get(LIMITS, {}).pop(entry.entry_id, None)
    await async_remove_links(hass, entry)
    await async_remove_plans(hass, entry)
    await async_remove_energies(hass, entry)
    await async_remove_webhook(hass, entry)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: AmpsConfigEntry, device: DeviceEntry
) -> bool:
    """Let a person remove a device by hand once the account does not have it."""
    if entry.state is not ConfigEntryState.LOADED:
        return False
    for domain, device_id in device.identifiers:
        if domain != DOMAIN:
            continue
        coordinator = entry.runtime_data.find(device_id)
        if coordinator is not None and coordinator.presence.is_missing(device_id):
            coordinator.async_forget(device_id)
        elif coordinator is not None or device_id == entry.entry_id:
            return False
    return True
