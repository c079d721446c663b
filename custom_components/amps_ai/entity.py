"""The base entities, and what their descriptions can say."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from operator import attrgetter
from typing import Any, Final, Literal, override

from homeassistant.core import CALLBACK_TYPE, HassJob, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_current_platform,
)
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .account import AmpsConfigEntry
from .api import Action, Device, DeviceType, Push, capabilities
from .api.models import Reported
from .const import DOMAIN
from .coordinator import AmpsCoordinator, Watch
from .push import PushManager

# An entity goes once its field was not reported for so long.
ABSENCE: Final = timedelta(days=1)
# So many entities are added in one go, and those of one more device.
_AT_A_TIME: Final = 16


@dataclass(frozen=True, kw_only=True)
class AmpsEntityDescription(EntityDescription):
    """What all descriptions say.

    An entity exists where the device reports the field `reads` of its state,
    or of its sync, or one of several; else where `exists_fn` finds the command
    or the setting.
    """

    reads: str | tuple[str, ...] | None = None
    part: Literal["state", "sync"] = "state"
    exists_fn: Callable[[Device], bool] | None = None
    # The fields of the state that are shown. If not said: what it reads, or all.
    shows: tuple[str, ...] | None = None

    @cached_property
    def fields(self) -> frozenset[str] | None:
        """Return the fields of the state that matter; None if all may."""
        if self.shows is not None or self.reads is None:
            return None if self.shows is None else frozenset(self.shows)
        if self.part == "sync":
            return frozenset()
        return frozenset((self.reads,) if isinstance(self.reads, str) else self.reads)

    @cached_property
    def value_of(self) -> Callable[[Device], Any]:
        """Return what takes the field that is read from a device."""
        return attrgetter(f"{self.part}.{self.reads}")

    def exists(self, device: Device) -> bool:
        """Tell whether a device has this entity."""
        if self.reads is not None:
            reported: Reported = getattr(device, self.part)
            names = (self.reads,) if isinstance(self.reads, str) else self.reads
            return any(reported.has(name) for name in names)
        return self.exists_fn is None or self.exists_fn(device)


def takes_commands(device: Device) -> bool:
    """Tell whether anything can be sent to a device."""
    return bool(capabilities(device)) or device.last_action is not None


def action_attributes(action: Action) -> dict[str, Any]:
    """Return what entities say of an action, beside its state."""
    return {
        "command": action.command,
        "id": action.id,
        "error": action.error_code,
        "error_message": action.error_message,
    }


type Table[DescriptionT: AmpsEntityDescription] = Mapping[
    DeviceType, tuple[DescriptionT, ...]
]


class AmpsEntity(CoordinatorEntity[AmpsCoordinator]):
    """An entity of a device."""

    _attr_has_entity_name = True
    # Whether readings matter that brought nothing new but their time.
    _follows_readings = False

    entity_description: AmpsEntityDescription

    def __init__(
        self,
        coordinator: AmpsCoordinator,
        device: Device,
        description: AmpsEntityDescription,
    ) -> None:
        """Describe the entity of a device."""
        super().__init__(
            coordinator, Watch(device.id, description.fields, self._follows_readings)
        )
        self.entity_description = description
        self._device = device
        self._device_id = device.id
        self._attr_unique_id = f"{device.id}_{description.key}"
        self.device_entry = coordinator.account.async_device_entry(device)

    @property
    def device(self) -> Device:
        """Return the device as last read."""
        return self.coordinator.data.get(self._device_id, self._device)

    @property
    @override
    def available(self) -> bool:
        """Return whether the device is there and answers."""
        return self.coordinator.async_is_usable(self._device_id)

    @property
    def spoken_name(self) -> str:
        """Return what the person calls the device."""
        return self.coordinator.account.async_spoken_name(self.device)

    @property
    def pushes(self) -> PushManager:
        """Return what sends commands, and knows of those under way."""
        return self.coordinator.config_entry.runtime_data.pushes

    @property
    def reported(self) -> Any:
        """Return the value of the description's field of the state."""
        return self.entity_description.value_of(self.device)


class AmpsControlEntity(AmpsEntity):
    """An entity that steers a device."""

    @property
    def shown(self) -> Device:
        """Return the device as read, or as this control was asked for it."""
        return self.pushes.async_shown(self.device, self.entity_description.key)

    async def async_push(
        self, push: Push, changes: Mapping[str, Any], *, rest: float = 0
    ) -> None:
        """Push a command; `changes` is what to show until it is read."""
        await self.pushes.async_control(
            self.coordinator,
            self.device,
            self.entity_description.key,
            push,
            changes,
            rest=rest,
        )


async def async_setup_entities[DescriptionT: AmpsEntityDescription](
    entry: AmpsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    table: Table[DescriptionT],
    create: Callable[[AmpsCoordinator, Device, DescriptionT], Entity],
) -> None:
    """Have what the devices have of a platform's table, now and later."""
    platform = async_get_current_platform()
    registry = er.async_get(platform.hass)
    for device_type, descriptions in table.items():
        await _Adder(
            entry=entry,
            coordinator=entry.runtime_data.coordinators[device_type],
            descriptions=descriptions,
            create=create,
            async_add_entities=async_add_entities,
            registry=registry,
            domain=platform.domain,
        ).async_start()


@dataclass(slots=True, kw_only=True)
class _Adder[DescriptionT: AmpsEntityDescription]:
    """Add and remove one type's entities of a platform, as devices change."""

    entry: AmpsConfigEntry
    coordinator: AmpsCoordinator
    descriptions: tuple[DescriptionT, ...]
    create: Callable[[AmpsCoordinator, Device, DescriptionT], Entity]
    async_add_entities: AddConfigEntryEntitiesCallback
    registry: er.EntityRegistry
    domain: str
    added: dict[str, set[str]] = field(default_factory=dict)
    # What ends the waiting for a field that is not reported any more.
    waiting: dict[str, CALLBACK_TYPE] = field(default_factory=dict)

    async def async_start(self) -> None:
        """Listen for what comes and goes, and add what there is.

        The loop is everybody's: many entities are added a few at a time, and
        the platforms take turns.
        """
        self.entry.async_on_unload(
            self.coordinator.async_add_shape_listener(self._reshaped)
        )
        self.entry.async_on_unload(self._stop)
        new: list[Entity] = []
        for device_id in tuple(self.coordinator.data):
            if (device := self.coordinator.data.get(device_id)) is not None:
                new += self._change(device)
            if len(new) >= _AT_A_TIME:
                async with self.coordinator.account.at_work:
                    self.async_add_entities(new)
                    await asyncio.sleep(0)
                new = []
        if new:
            self.async_add_entities(new)

    @callback
    def _stop(self) -> None:
        for stop in self.waiting.values():
            stop()
        self.waiting.clear()

    def _change(self, device: Device) -> list[Entity]:
        """Return what a device has now for the first time; remove what it lost."""
        added = self.added.setdefault(device.id, set())
        new: list[Entity] = []
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
                new.append(self.create(self.coordinator, device, description))
        return new

    def _is_kept(
        self, device: Device, description: DescriptionT, unique_id: str
    ) -> bool:
        """Tell whether an entity stays whose field or command is not there.

        A field can be left out for a while, such as the time to go of a car
        that does not charge: then it is unknown, and the entity goes after a
        day. A command or a setting that a single read does not tell is gone.
        """
        entity_id = self.registry.async_get_entity_id(self.domain, DOMAIN, unique_id)
        if entity_id is None:
            return False
        if description.reads is None:
            if device.detailed and not device.unread:
                self.registry.async_remove(entity_id)
                return False
            return description.key in self.added[device.id]
        if unique_id not in self.waiting:

            @callback
            def _over(_now: datetime) -> None:
                del self.waiting[unique_id]
                self.added[device.id].discard(description.key)
                if entity_id := self.registry.async_get_entity_id(
                    self.domain, DOMAIN, unique_id
                ):
                    self.registry.async_remove(entity_id)

            self.waiting[unique_id] = async_call_later(
                self.coordinator.hass, ABSENCE, HassJob(_over, cancel_on_shutdown=True)
            )
        return True

    @callback
    def _reshaped(self, device_id: str, device: Device | None) -> None:
        if device is None:
            self.added.pop(device_id, None)
            for description in self.descriptions:
                if stop := self.waiting.pop(f"{device_id}_{description.key}", None):
                    stop()
        elif entities := self._change(device):
            self.async_add_entities(entities)
