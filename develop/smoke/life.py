"""What the integration has to do in its short life."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import Event, HomeAssistant, State
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er

from develop.bare_core import set_up
from sandbox import TEST_KEY, Sandbox

from .core import SmokeError
from .log import DOMAIN

# Nothing here takes long; a machine under load may.
PATIENCE: Final = 60
TYPES: Final = {"battery", "ev_charger", "hvac", "solar_inverter", "vehicle"}
HEARD: Final = "smoke_heard"


@dataclass(frozen=True, kw_only=True)
class Tap:
    """A tap on a control, and what must have come of it."""

    device_type: str
    # The platform and the key of the entity.
    platform: str
    key: str
    service: str
    data: dict[str, Any] = field(default_factory=dict)
    # What the entity shows then: its state, or an attribute of it.
    attribute: str | None = None
    shows: str | float


TAPS: Final = (
    Tap(
        device_type="battery",
        platform="select",
        key="mode",
        service="select_option",
        data={"option": "charge"},
        shows="charge",
    ),
    Tap(
        device_type="ev_charger",
        platform="switch",
        key="charge",
        service="turn_off",
        shows="off",
    ),
    Tap(
        device_type="ev_charger",
        platform="number",
        key="max_power",
        service="set_value",
        data={"value": 5.5},
        shows="5.5",
    ),
    Tap(
        device_type="hvac",
        platform="climate",
        key="climate",
        service="set_temperature",
        data={"hvac_mode": "heat", "temperature": 21.5},
        attribute="temperature",
        shows=21.5,
    ),
)


class Life:
    """The life of an entry, from its set-up to its removal."""

    def __init__(self, hass: HomeAssistant, sandbox: Sandbox) -> None:
        """Begin with nothing set up."""
        self._hass = hass
        self._sandbox = sandbox
        self._devices = {device.kind.type: device for device in sandbox.home.devices}
        self._heard: list[Event[Any]] = []

    @property
    def steps(self) -> tuple[tuple[str, Callable[[], Awaitable[None]]], ...]:
        """Return what is done, in its order."""
        return (
            ("set up through the dialog", self._set_up),
            ("all five types of devices", self._see),
            ("an automation with its trigger and condition", self._automate),
            *(
                (f"a tap on {tap.platform}.{tap.key}", self._tapped(tap))
                for tap in TAPS
            ),
            ("the automation ran", self._automated),
            ("an action with a response", self._ask),
            ("the calendar", self._look_ahead),
            ("diagnostics and system health", self._help),
            ("changed options", self._change),
            ("unload and set up again", self._reload),
            ("removal", self._remove),
        )

    # Helpers

    @property
    def _entry(self) -> ConfigEntry:
        (entry,) = self._hass.config_entries.async_entries(DOMAIN)
        return entry

    async def _until(self, what: str, reached: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not reached():
                    await asyncio.sleep(0.05)
        except TimeoutError as err:
            raise SmokeError(f"{what}: not within {PATIENCE} s") from err

    def _entity_id(self, device_type: str, platform: str, key: str) -> str:
        unique_id = f"{self._devices[device_type].id}_{key}"
        found = er.async_get(self._hass).async_get_entity_id(
            platform, DOMAIN, unique_id
        )
        if found is None:
            raise SmokeError(f"There is no {platform} with the unique id {unique_id}")
        return found

    def _state(self, entity_id: str) -> State:
        state = self._hass.states.get(entity_id)
        if state is None:
            raise SmokeError(f"{entity_id} has no state")
        return state

    def _device_id(self, device_type: str) -> str:
        device = dr.async_get(self._hass).async_get_device_by_identifier(
            (DOMAIN, self._devices[device_type].id), self._entry.entry_id
        )
        if device is None:
            raise SmokeError(f"Home Assistant has no device for the {device_type}")
        return device.id

    def _states(self) -> dict[str, str]:
        """Return the states of all entities of the integration."""
        registry = er.async_get(self._hass)
        return {
            state.entity_id: state.state
            for state in self._hass.states.async_all()
            if (entry := registry.async_get(state.entity_id)) is not None
            and entry.platform == DOMAIN
        }

    # Steps

    async def _set_up(self) -> None:
        flows = self._hass.config_entries.flow
        form = await flows.async_init(DOMAIN, context={"source": "user"})
        if form["type"] is not FlowResultType.FORM:
            raise SmokeError(f"The dialog does not begin with a form: {form}")
        answer = {"api_key": f" {TEST_KEY} ", "app_id": self._sandbox.app_id}
        done = await flows.async_configure(form["flow_id"], answer)
        if done["type"] is not FlowResultType.CREATE_ENTRY:
            raise SmokeError(f"No entry was made: {done.get('errors')}")
        await self._until(
            "The entry is loaded", lambda: self._entry.state is ConfigEntryState.LOADED
        )
        await self._hass.async_block_till_done()

    async def _see(self) -> None:
        if set(self._devices) != TYPES:
            raise SmokeError(f"The sandbox has other devices: {set(self._devices)}")
        for device_type in TYPES:
            device_id = self._device_id(device_type)
            if not er.async_entries_for_device(er.async_get(self._hass), device_id):
                raise SmokeError(f"The {device_type} has no entity")
        states = self._states()
        gone = [name for name, state in states.items() if state == "unavailable"]
        if gone or len(states) < 50:
            raise SmokeError(f"{len(states)} entities; unavailable: {gone}")

    async def _automate(self) -> None:
        self._hass.bus.async_listen(HEARD, self._heard.append)
        climate = self._entity_id("hvac", "climate", "climate")
        automation = {
            "id": "smoke",
            "alias": "Smoke",
            "triggers": {
                "trigger": f"{DOMAIN}.command_completed",
                "target": {"device_id": self._device_id("battery")},
            },
            "conditions": {
                "condition": f"{DOMAIN}.following_schedule",
                "target": {"entity_id": climate},
            },
            "actions": {"event": HEARD},
        }
        await set_up(self._hass, "automation", automation)
        await self._hass.async_block_till_done()
        if (state := self._state("automation.smoke").state) != "on":
            raise SmokeError(f"The automation is {state}")

    def _tapped(self, tap: Tap) -> Callable[[], Awaitable[None]]:
        async def _tap() -> None:
            entity_id = self._entity_id(tap.device_type, tap.platform, tap.key)
            device = self._devices[tap.device_type]
            path = f"{device.kind.path}/{device.id}"
            before = len(self._sandbox.requests.of("POST", f"*{path}*"))
            await self._hass.services.async_call(
                tap.platform,
                tap.service,
                {"entity_id": entity_id, **tap.data},
                blocking=True,
            )

            def _shown() -> bool:
                state = self._state(entity_id)
                said: Any = state.state
                if tap.attribute is not None:
                    said = state.attributes.get(tap.attribute)
                sent = self._sandbox.requests.of("POST", f"*{path}*")[before:]
                return said == tap.shows and bool(sent)

            await self._until(f"{entity_id} shows {tap.shows}", _shown)
            sent = self._sandbox.requests.of("POST", f"*{path}*")[before:]
            if any(request.status not in (200, 202) for request in sent):
                raise SmokeError(f"The sandbox refused the tap on {entity_id}: {sent}")

        return _tap

    async def _automated(self) -> None:
        await self._until("The automation ran", lambda: bool(self._heard))

    async def _ask(self) -> None:
        response = await self._hass.services.async_call(
            DOMAIN,
            "list_actions",
            {"config_entry_id": self._entry.entry_id},
            blocking=True,
            return_response=True,
        )
        actions = (response or {}).get("actions")
        # A setting is no action; the other taps are.
        if not isinstance(actions, list) or len(actions) < len(TAPS) - 1:
            raise SmokeError(f"The actions are not all told: {response}")

    async def _look_ahead(self) -> None:
        (calendar,) = self._hass.states.async_entity_ids("calendar")
        response = await self._hass.services.async_call(
            "calendar",
            "get_events",
            {"entity_id": calendar, "duration": {"hours": 24}},
            blocking=True,
            return_response=True,
        )
        if response != {calendar: {"events": []}}:
            raise SmokeError(f"The calendar is not empty: {response}")

    async def _help(self) -> None:
        # What Home Assistant has loaded, from its own folder, and not before.
        from custom_components.amps_ai import diagnostics, system_health

        told = await diagnostics.async_get_config_entry_diagnostics(
            self._hass, self._entry
        )
        if set(told["devices"]) != {device.id for device in self._devices.values()}:
            raise SmokeError(f"The diagnostics tell of {set(told['devices'])}")
        if TEST_KEY in str(told):
            raise SmokeError("The diagnostics tell the API key")
        if not await system_health.async_system_health_info(self._hass):
            raise SmokeError("The system health says nothing")

    async def _change(self) -> None:
        options = self._hass.config_entries.options
        form = await options.async_init(self._entry.entry_id)
        done = await options.async_configure(
            form["flow_id"], {"freshness": "relaxed", "webhook": False}
        )
        if done["type"] is not FlowResultType.CREATE_ENTRY:
            raise SmokeError(f"The options were refused: {done.get('errors')}")
        await self._hass.async_block_till_done()
        await self._loaded_with(freshness="relaxed")

    async def _loaded_with(self, *, freshness: str) -> None:
        await self._until(
            "The entry is loaded again",
            lambda: (
                self._entry.state is ConfigEntryState.LOADED
                and self._entry.options.get("freshness") == freshness
            ),
        )
        gone = [
            name for name, state in self._states().items() if state == "unavailable"
        ]
        if gone:
            raise SmokeError(f"Unavailable after loading again: {gone}")

    async def _reload(self) -> None:
        entries = self._hass.config_entries
        if not await entries.async_unload(self._entry.entry_id):
            raise SmokeError("The entry does not unload")
        there = {n: s for n, s in self._states().items() if s != "unavailable"}
        if there or self._entry.state is not ConfigEntryState.NOT_LOADED:
            raise SmokeError(f"Left after the unloading: {self._entry.state} {there}")
        if not await entries.async_setup(self._entry.entry_id):
            raise SmokeError("The entry cannot be set up again")
        await self._hass.async_block_till_done()
        await self._loaded_with(freshness="relaxed")

    async def _remove(self) -> None:
        entry_id = self._entry.entry_id
        await self._hass.config_entries.async_remove(entry_id)
        await self._hass.async_block_till_done()
        left = [
            *self._states(),
            *dr.async_entries_for_config_entry(dr.async_get(self._hass), entry_id),
        ]
        if left:
            raise SmokeError(f"Left after the removal: {left}")
