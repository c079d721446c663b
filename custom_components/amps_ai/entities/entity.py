"""The base entities, and what their descriptions can say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Literal, override

from homeassistant.const import EntityCategory
from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from ..api import Action, ActionState, Device, DeviceType, Push, capabilities
from ..api.models import Reported
from ..pushes import PushManager
from ..readings import AmpsCoordinator, Watch
from ..runtime import AmpsRuntimeData


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
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
            if isinstance(self.reads, str):
                return reported.has(self.reads)
            return any(map(reported.has, self.reads))
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

    # What is the same for all stands here once: else Home Assistant keeps in each
    # entity what its own properties return, and with thirty names of what it keeps
    # an entity takes four times as much memory as with fewer.
    assumed_state = False
    attribution = None
    device_info = None
    entity_picture = None
    entity_registry_visible_default = True
    force_update = False
    has_entity_name = True
    icon = None
    internal_integration_suggested_object_id = None
    should_poll = False
    # No name has any: else there is an empty dictionary for each entity.
    _attr_translation_placeholders: Mapping[str, str] = MappingProxyType({})
    # Whether readings matter that brought nothing new but their time.
    _follows_readings = False

    entity_description: AmpsEntityDescription

    def __init__(
        self,
        coordinator: AmpsCoordinator,
        device: Device,
        description: AmpsEntityDescription,
        device_entry: DeviceEntry,
    ) -> None:
        """Describe the entity of a device, which is registered."""
        super().__init__(
            coordinator, Watch(device.id, description.fields, self._follows_readings)
        )
        self.entity_description = description
        self._device = device
        self.device_entry = device_entry

    @property
    @override
    def unique_id(self) -> str:
        """Return what it is known by: the device, and what it is of it."""
        return f"{self._device.id}_{self.entity_description.key}"

    @property
    def device_id(self) -> str:
        """Return the id of the device at Amps AI."""
        return self._device.id

    @property
    def device(self) -> Device:
        """Return the device as last read."""
        known = self._device
        return self.coordinator.data.get(known.id, known)

    @property
    @override
    def entity_category(self) -> EntityCategory | None:
        """Return what the description says."""
        return self.entity_description.entity_category

    @property
    @override
    def translation_key(self) -> str | None:
        """Return what the description says."""
        return self.entity_description.translation_key

    @property
    @override
    def available(self) -> bool:
        """Return whether the device is there and answers."""
        return self.coordinator.async_is_usable(self._device.id)

    @property
    def spoken_name(self) -> str:
        """Return what the person calls the device."""
        return self.coordinator.account.async_spoken_name(self.device)

    @property
    def pushes(self) -> PushManager:
        """Return what sends commands, and knows of those under way."""
        runtime: AmpsRuntimeData = self.coordinator.config_entry.runtime_data
        return runtime.pushes

    @property
    def reported(self) -> Any:
        """Return the value of the description's field of the state."""
        return self.entity_description.value_of(self.device)


class AmpsControlEntity(AmpsEntity):
    """An entity that steers a device."""

    # The part of a reply that tells of what is steered.
    _told_in = "commands"

    @override
    async def async_added_to_hass(self) -> None:
        """Hear of the ends of the device's actions."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.pushes.teller.async_listen(self.device_id, self._action_ended)
        )

    @callback
    def _action_ended(self, action: Action) -> None:
        """Let Activity say why the control goes back."""
        if action.state != ActionState.COMPLETED:
            self.async_set_context(self.pushes.teller.async_told_in(self.device_id))

    @property
    @override
    def available(self) -> bool:
        """Return whether the device is there and tells that it can be steered so."""
        device = self.device
        return (
            super().available
            and self._told_in not in device.left_out
            and self.entity_description.exists(device)
        )

    @property
    def shown(self) -> Device:
        """Return the device as read, or as this control was asked for it."""
        return self.pushes.intents.async_shown(self.device, self.entity_description.key)

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
