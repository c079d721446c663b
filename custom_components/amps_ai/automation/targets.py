"""Which devices the target of a trigger or a condition means."""

from typing import Any, Final

from homeassistant.const import (
    ATTR_AREA_ID,
    ATTR_FLOOR_ID,
    ATTR_LABEL_ID,
    CONF_EXCLUDE,
    CONF_TARGET,
)
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)
from homeassistant.helpers.typing import ConfigType, VolDictType
from homeassistant.util.event_type import EventType
import voluptuous as vol

from ..common.const import DOMAIN
from ..common.names import given_name

# What tells of changes of what a target can mean.
_REGISTRIES: Final[tuple[EventType[Any], ...]] = (
    dr.EVENT_DEVICE_REGISTRY_UPDATED,
    er.EVENT_ENTITY_REGISTRY_UPDATED,
    ar.EVENT_AREA_REGISTRY_UPDATED,
)
# Without a target, all devices of all accounts are meant.
OPTIONAL_TARGET: Final[VolDictType] = {vol.Optional(CONF_TARGET): cv.TARGET_FIELDS}


@callback
def async_check_target(hass: HomeAssistant, target: ConfigType | None) -> None:
    """Refuse a target that can never mean a device of Amps AI.

    What is not there, or not yet, is let be as long as something else is:
    one removed device must not stop an automation that serves others.
    """
    if not target:
        return
    selection = TargetSelection(target)
    if not selection.has_any_target:
        raise vol.Invalid(
            "The target names nothing. Name devices of Amps AI, or leave the target"
            " out to mean all of them"
        )
    entities = er.async_get(hass)
    known = False
    for entity_id in selection.entity_ids:
        if (entity := entities.async_get(entity_id)) is None:
            continue
        if entity.device_id is None or not _is_ours(hass, entity.device_id):
            raise vol.Invalid(f"{entity_id} does not belong to a device of Amps AI")
        known = True
    for device_id in selection.device_ids:
        if (device := dr.async_get(hass).async_get(device_id)) is None:
            continue
        if not _is_ours(hass, device_id):
            name = given_name(device)
            raise vol.Invalid(f"{name} ({device_id}) is not a device of Amps AI")
        known = True
    places = (ATTR_AREA_ID, ATTR_FLOOR_ID, ATTR_LABEL_ID)
    if not known and not any(target.get(place) for place in places):
        names = ", ".join(sorted(selection.entity_ids | selection.device_ids))
        raise vol.Invalid(f"Home Assistant has no device or entity called {names}")


@callback
def async_targeted_devices(hass: HomeAssistant, target: ConfigType | None) -> set[str]:
    """Return the registry's ids of what a target means now.

    An entity stands for its device, an account for all of its devices.
    """
    registry = dr.async_get(hass)
    accounts = {
        entry.entry_id: {
            device.id
            for device in dr.async_entries_for_config_entry(registry, entry.entry_id)
        }
        for entry in hass.config_entries.async_entries(DOMAIN)
    }
    ours = set().union(*accounts.values())
    if not target:
        return ours

    def _with_those_of_accounts(device_ids: set[str]) -> set[str]:
        for entry_id, devices in accounts.items():
            service = registry.async_get_device_by_identifier(
                (DOMAIN, entry_id), entry_id
            )
            if service is not None and service.id in device_ids:
                device_ids = device_ids | devices
        return device_ids

    selected = async_extract_referenced_entity_ids(
        hass, TargetSelection(target), expand_group=False, primary_entities_only=False
    )
    entities = er.async_get(hass)
    device_ids = set(selected.referenced_devices)
    for entity_id in selected.referenced | selected.indirectly_referenced:
        entity = entities.async_get(entity_id)
        if entity is not None and entity.device_id is not None:
            device_ids.add(entity.device_id)
    found = _with_those_of_accounts(device_ids)
    if exclude := target.get(CONF_EXCLUDE):
        # Home Assistant leaves them out itself, but not what an account stands for.
        excluded = async_extract_referenced_entity_ids(
            hass, TargetSelection(exclude), expand_group=False
        )
        found -= _with_those_of_accounts(set(excluded.referenced_devices))
    return found & ours


class TargetedDevices:
    """What a target means, looked up again once a registry has changed.

    A place with hundreds of devices takes its time, and events come in bursts.
    """

    def __init__(self, hass: HomeAssistant, target: ConfigType | None) -> None:
        """Begin with nothing looked up."""
        self._hass = hass
        self._target = target
        self._known: set[str] | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Begin to hear of changes; returns how to end it."""
        stops = [
            self._hass.bus.async_listen(event_type, self._changed)
            for event_type in _REGISTRIES
        ]

        @callback
        def _stop() -> None:
            for stop in stops:
                stop()

        return _stop

    @callback
    def _changed(self, _event: Event[Any]) -> None:
        self._known = None

    def __contains__(self, device_id: str | None) -> bool:
        """Tell whether a device is meant; no target means any, known or not."""
        if not self._target:
            return True
        if self._known is None:
            self._known = async_targeted_devices(self._hass, self._target)
        return device_id in self._known


def _is_ours(hass: HomeAssistant, device_id: str) -> bool:
    _, entry = dr.async_get_device_and_config_entry_for_domain(
        hass, device_id, domain=DOMAIN
    )
    return entry is not None
