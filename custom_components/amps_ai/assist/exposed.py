"""Exposed: the devices that an assistant may know of."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from homeassistant.components.homeassistant import async_should_expose
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er, llm

from ..api import Device, capabilities
from ..common.const import DOMAIN
from ..entities.plan import is_of_plan
from ..readings import AmpsCoordinator
from ..runtime import AmpsConfigEntry

# So many devices are looked at in one go.
_AT_A_TIME: Final = 5
_MOST_AT_ONCE: Final = 100
# Whoever may speak to one of these may steer its device.
_CONTROLS: Final = frozenset({Platform.CLIMATE, Platform.SELECT, Platform.SWITCH})


class Exposed(NamedTuple):
    """A device that an assistant may know of, by these of its entities."""

    coordinator: AmpsCoordinator
    device: Device
    registered: dr.DeviceEntry
    entities: tuple[tuple[er.RegistryEntry, State], ...]

    @property
    def name(self) -> str:
        """Return what the person calls the device."""
        return self.coordinator.account.async_spoken_name(self.device)

    @property
    def is_steerable(self) -> bool:
        """Tell whether a control of the device is exposed."""
        return bool(capabilities(self.device)) and any(
            entity.domain in _CONTROLS and not is_of_plan(entity)
            for entity, _ in self.entities
        )


@callback
def exposed_of(
    coordinator: AmpsCoordinator, device: Device, assistant: str | None
) -> Exposed | None:
    """Return a device, if an assistant may know of it."""
    hass = coordinator.hass
    registered = coordinator.account.async_registered(device.id)
    if registered is None or not assistant:
        return None
    entities = tuple(
        (entity, state)
        for entity in er.async_entries_for_device(er.async_get(hass), registered.id)
        if entity.config_entry_id == coordinator.config_entry.entry_id
        and (state := hass.states.get(entity.entity_id)) is not None
        and async_should_expose(hass, assistant, entity.entity_id)
    )
    if not entities:
        return None
    return Exposed(
        coordinator=coordinator,
        device=device,
        registered=registered,
        entities=entities,
    )


@callback
def _devices(hass: HomeAssistant) -> Iterator[tuple[AmpsCoordinator, Device]]:
    entries: list[AmpsConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        yield from entry.runtime_data.coordinators.devices()


@callback
def may_know_any(hass: HomeAssistant, assistant: str | None) -> bool:
    """Tell whether an assistant may know of a device, as far as one can look at once.

    Where many are not exposed, one of the others may be.
    """
    if not assistant:
        return False
    for count, (coordinator, device) in enumerate(_devices(hass)):
        if count >= _MOST_AT_ONCE:
            return True
        if exposed_of(coordinator, device, assistant) is not None:
            return True
    return False


async def async_exposed(
    hass: HomeAssistant,
    llm_context: llm.LLMContext,
    fits: Callable[[Exposed], bool] = lambda _item: True,
) -> list[Exposed]:
    """Return the devices that an assistant may know of, found bit by bit."""
    found: list[Exposed] = []
    for count, (coordinator, device) in enumerate(_devices(hass), 1):
        item = exposed_of(coordinator, device, llm_context.assistant)
        if item is not None and fits(item):
            found.append(item)
        if count % _AT_A_TIME == 0:
            # The loop is everybody's.
            await asyncio.sleep(0)
    return found


def failed(why: str) -> llm.ToolResult:
    """Return a result that says why there is none."""
    return llm.ToolResult(data={"error": why}, error=True)
