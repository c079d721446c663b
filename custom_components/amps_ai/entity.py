"""The base entities, and what their descriptions can say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast, override

from homeassistant.core import callback
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .account import AmpsConfigEntry
from .api import Action, Device, DeviceType, Push, capabilities
from .coordinator import AmpsCoordinator, Watch
from .push import PushManager


@dataclass(frozen=True, kw_only=True)
class AmpsEntityDescription(EntityDescription):
    """What all descriptions say.

    An entity exists where the device reports the field
    `reads` of its state, and where
    `exists_fn` agrees.
    """

    reads: str | None = None
    exists_fn: Callable[[Device], bool] | None = None

    def exists(self, device: Device) -> bool:
        """Tell whether a device has this entity."""
        if self.reads is not None and not device.state.has(self.reads):
            return False
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
        super().__init__(coordinator, Watch(device.id, readings=self._follows_readings))
        self.entity_description = description
        self._device = device
        self._device_id = device.id
        self._attr_unique_id = f"{device.id}_{description.key}"
        self._attr_device_info = coordinator.account.async_device_info(device)

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
        return getattr(self.device.state, cast("str", self.entity_description.reads))


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


@callback
def async_setup_entities[DescriptionT: AmpsEntityDescription](
    entry: AmpsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    table: Table[DescriptionT],
    create: Callable[[AmpsCoordinator, Device, DescriptionT], Entity],
) -> None:
    """Add what the devices have of a platform's table, now and later."""
    for device_type, descriptions in table.items():
        coordinator = entry.runtime_data.coordinators[device_type]
        _Adder(entry, coordinator, descriptions, create, async_add_entities).start()


@dataclass(slots=True)
class _Adder[DescriptionT: AmpsEntityDescription]:
    """Add the entities of one type's devices as they turn up."""

    entry: AmpsConfigEntry
    coordinator: AmpsCoordinator
    descriptions: tuple[DescriptionT, ...]
    create: Callable[[AmpsCoordinator, Device, DescriptionT], Entity]
    async_add_entities: AddConfigEntryEntitiesCallback
    added: dict[str, set[str]] = field(default_factory=dict)

    @callback
    def start(self) -> None:
        """Add what there is, and listen for what comes."""
        self.async_add_entities(
            [
                entity
                for device in self.coordinator.data.values()
                for entity in self._new(device)
            ]
        )
        self.entry.async_on_unload(
            self.coordinator.async_add_shape_listener(self._reshaped)
        )

    def _new(self, device: Device) -> list[Entity]:
        added = self.added.setdefault(device.id, set())
        new = [
            description
            for description in self.descriptions
            if description.key not in added and description.exists(device)
        ]
        added.update(description.key for description in new)
        return [
            self.create(self.coordinator, device, description) for description in new
        ]

    @callback
    def _reshaped(self, device_id: str, device: Device | None) -> None:
        if device is None:
            self.added.pop(device_id, None)
        elif entities := self._new(device):
            self.async_add_entities(entities)
