"""How the entities of a platform come and go, as devices change."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_current_platform,
)
from homeassistant.helpers.event import async_call_later

from ..api import Device
from ..api.clock import mark, passed
from ..common.const import DOMAIN
from ..readings import AmpsCoordinator
from ..runtime import AmpsConfigEntry
from .entity import AmpsEntityDescription, Table

# An entity goes once what it shows was not told for so long.
ABSENCE: Final = timedelta(days=7)
# So many seconds may it take to add entities in one go; so many are added in the
# first one, at least and at most.
_SLICE: Final = 0.003
_AT_FIRST: Final = 16
_FEWEST: Final = 8
_MOST: Final = 64


@callback
def disabled_entities(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, set[str]]:
    """Return what of an account is disabled: unique ids, by platform.

    It is there only to be enabled, and nothing is made of it: Home Assistant sets
    the account up anew once somebody does that.
    """
    found: dict[str, set[str]] = {}
    for item in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        if item.disabled_by is not None:
            found.setdefault(item.domain, set()).add(item.unique_id)
    return found


async def async_setup_entities[DescriptionT: AmpsEntityDescription](
    entry: AmpsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    table: Table[DescriptionT],
    create: Callable[[AmpsCoordinator, Device, DescriptionT, DeviceEntry], Entity],
) -> None:
    """Have what the devices have of a platform's table, now and later."""
    platform = async_get_current_platform()
    registry = er.async_get(platform.hass)
    turns = _Turns(async_add_entities, entry.runtime_data.account.at_work)
    for device_type, descriptions in table.items():
        adder = _Adder(
            entry=entry,
            coordinator=entry.runtime_data.coordinators[device_type],
            descriptions=descriptions,
            create=create,
            async_add_entities=async_add_entities,
            registry=registry,
            domain=platform.domain,
            disabled=entry.runtime_data.disabled.get(platform.domain, set()),
        )
        await adder.async_start(turns)
    await turns.async_take()


@dataclass(slots=True, eq=False, repr=False)
class _Turns:
    """Add the entities of a table some at a time.

    The loop is everybody's, and the platforms take turns.
    """

    async_add_entities: AddConfigEntryEntitiesCallback
    at_work: asyncio.Lock
    size: int = _AT_FIRST
    has_first: bool = False
    new: list[Entity] = field(default_factory=list)

    async def async_add(self, entities: Iterator[Entity]) -> None:
        """Take some more, and add those that have come together."""
        if not self.has_first and (first := next(entities, None)) is not None:
            # Objects share the table of their attributes' names as far as the
            # first had them when the second was made. So that one goes ahead,
            # and the others take a third of the memory.
            self.has_first = True
            self.new.append(first)
            await self.async_take()
        self.new += entities
        if len(self.new) >= self.size:
            await self.async_take()

    async def async_take(self) -> None:
        """Take a turn, and add what has come together."""
        if not self.new:
            return
        async with self.at_work:
            new, self.new = self.new, []
            began = mark()
            self.async_add_entities(new)
            self._adapt(len(new), passed(began))
            await asyncio.sleep(0)

    def _adapt(self, count: int, took: float) -> None:
        """Take as many in one go as this machine adds in a moment."""
        if took > _SLICE:
            self.size = max(self.size // 2, _FEWEST)
        elif count >= self.size and took < _SLICE / 2:
            self.size = min(self.size * 2, _MOST)


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class _Adder[DescriptionT: AmpsEntityDescription]:
    """Add and remove one type's entities of a platform, as devices change."""

    entry: AmpsConfigEntry
    coordinator: AmpsCoordinator
    descriptions: tuple[DescriptionT, ...]
    create: Callable[[AmpsCoordinator, Device, DescriptionT, DeviceEntry], Entity]
    async_add_entities: AddConfigEntryEntitiesCallback
    registry: er.EntityRegistry
    domain: str
    disabled: set[str]
    # Keys by device. Most devices have the same, which are kept once.
    added: dict[str, frozenset[str]] = field(default_factory=dict)
    same: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)
    # What ends the waiting for a field that is not reported any more.
    waiting: dict[str, CALLBACK_TYPE] = field(default_factory=dict)

    async def async_start(self, turns: _Turns) -> None:
        """Listen for what comes and goes, and add what there is."""
        self.entry.async_on_unload(
            self.coordinator.async_add_shape_listener(self._reshaped)
        )
        self.entry.async_on_unload(self._stop)
        for device_id in tuple(self.coordinator.data):
            if (device := self.coordinator.data.get(device_id)) is not None:
                await turns.async_add(self._change(device))

    @callback
    def _stop(self) -> None:
        for stop in self.waiting.values():
            stop()
        self.waiting.clear()

    def _change(self, device: Device) -> Iterator[Entity]:
        """Make what a device has now for the first time; remove what it lost."""
        before = self.added.get(device.id, frozenset())
        added = set(before)
        new: list[DescriptionT] = []
        for description in self.descriptions:
            unique_id = f"{device.id}_{description.key}"
            if description.exists(device):
                if (stop := self.waiting.pop(unique_id, None)) is not None:
                    stop()
            elif not self._is_kept(device, description, unique_id):
                added.discard(description.key)
                continue
            if description.key not in added:
                added.add(description.key)
                if unique_id not in self.disabled:
                    new.append(description)
        if added != before:
            self._keep(device.id, frozenset(added))
        if not new:
            return iter(())
        device_entry = self.coordinator.account.async_device_entry(device)
        return (
            self.create(self.coordinator, device, item, device_entry) for item in new
        )

    def _keep(self, device_id: str, added: frozenset[str]) -> None:
        self.added[device_id] = self.same.setdefault(added, added)

    def _is_kept(
        self, device: Device, description: DescriptionT, unique_id: str
    ) -> bool:
        """Tell whether an entity stays whose field or command is not told now.

        Nothing goes because of one reading, or of a time alone: helpers and
        history hang on it. It goes once full and fresh readings have left it out
        for a week; and what a person deleted stays away until it is told again.
        """
        entity_id = self.registry.async_get_entity_id(self.domain, DOMAIN, unique_id)
        if entity_id is None:
            return False
        if device.is_whole and unique_id not in self.waiting:
            self._wait(device.id, description, unique_id)
        return True

    @callback
    def _wait(self, device_id: str, description: DescriptionT, unique_id: str) -> None:
        @callback
        def _over(_now: datetime) -> None:
            del self.waiting[unique_id]
            device = self.coordinator.data.get(device_id)
            if device is not None and not device.is_whole:
                self._wait(device_id, description, unique_id)
                return
            self._keep(device_id, self.added[device_id] - {description.key})
            if entity_id := self.registry.async_get_entity_id(
                self.domain, DOMAIN, unique_id
            ):
                self.registry.async_remove(entity_id)

        self.waiting[unique_id] = async_call_later(
            self.coordinator.hass, ABSENCE, HassJob(_over, cancel_on_shutdown=True)
        )

    @callback
    def _reshaped(self, device_id: str, device: Device | None) -> None:
        if device is None:
            self.added.pop(device_id, None)
            for description in self.descriptions:
                if stop := self.waiting.pop(f"{device_id}_{description.key}", None):
                    stop()
        elif entities := list(self._change(device)):
            self.async_add_entities(entities)
