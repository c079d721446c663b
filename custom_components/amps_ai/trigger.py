"""Triggers: what became of commands, plans, links and plugs."""

from typing import Any, ClassVar, Final, cast, override

from homeassistant.components.binary_sensor import (
    DOMAIN as BINARY_SENSOR_DOMAIN,
    BinarySensorDeviceClass,
)
from homeassistant.const import (
    ATTR_DEVICE_ID,
    CONF_OPTIONS,
    CONF_TARGET,
    STATE_OFF,
    STATE_ON,
)
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.trigger import (
    EntityTargetStateTriggerBase,
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .api import ActionState, Device
from .api.models import text
from .api.vocabulary import command_of
from .automation.targets import OPTIONAL_TARGET, TargetedDevices, async_check_target
from .common.const import DOMAIN, EVENT_ACTION, EVENT_LINK, STATE_MISSED
from .common.names import given_name
from .common.words import ended, plan_missed, said
from .runtime import async_device_of

CONF_COMMAND: Final = "command"
ATTR_DEVICE_NAME: Final = "device_name"
ATTR_STATE: Final = "state"
STATE_LOST: Final = "lost"

_PLAIN_SCHEMA: Final = vol.Schema(
    {**OPTIONAL_TARGET, vol.Required(CONF_OPTIONS, default=dict): {}}
)
_COMMAND_SCHEMA: Final = vol.Schema(
    {
        **OPTIONAL_TARGET,
        vol.Required(CONF_OPTIONS, default=dict): {
            vol.Optional(CONF_COMMAND, default=list): vol.All(
                cv.ensure_list, [cv.string]
            )
        },
    }
)


class DeviceEventTrigger(Trigger):
    """Something happened to a device, as the integration's own event tells it.

    It listens to the bus: neither disabled entities nor a reload of the entry
    are in its way. What the target means is looked up at each event, so that
    devices count from the moment that they are there.
    """

    _schema: ClassVar[vol.Schema]
    _event_type: ClassVar[str]
    _state: ClassVar[str]
    # What the event tells, as the trigger passes it on.
    _fields: ClassVar[tuple[str, ...]]

    @classmethod
    @override
    async def async_validate_config(
        cls, hass: HomeAssistant, config: ConfigType
    ) -> ConfigType:
        """Check the options, and that the target is one of ours."""
        checked = cast("ConfigType", cls._schema(config))
        async_check_target(hass, checked.get(CONF_TARGET))
        return checked

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take note of the target."""
        super().__init__(hass, config)
        self._targeted = TargetedDevices(hass, config.target)

    def _is_asked_for(self, data: dict[str, Any]) -> bool:
        """Tell whether the options ask for what an event tells."""
        return True

    def _describe(self, name: str, device: Device | None, data: dict[str, Any]) -> str:
        """Say what happened, for the trace and the logbook."""
        raise NotImplementedError

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Run the action at each event that is meant."""

        @callback
        def _is_meant(data: Any) -> bool:
            return (
                data.get(ATTR_STATE) == self._state
                and self._is_asked_for(data)
                and data.get(ATTR_DEVICE_ID) in self._targeted
            )

        @callback
        def _happened(event: Event[dict[str, Any]]) -> None:
            data = event.data
            registry = dr.async_get(self._hass)
            registered = registry.async_get(data.get(ATTR_DEVICE_ID) or "")
            name = given_name(registered)
            device = async_device_of(self._hass, registered) if registered else None
            run_action(
                {
                    ATTR_DEVICE_NAME: name,
                    **{field: data.get(field) for field in self._fields},
                },
                self._describe(name or "Amps AI", device, data),
                event.context,
            )

        stop_looking = self._targeted.async_start()
        stop_listening = self._hass.bus.async_listen(
            self._event_type, _happened, event_filter=_is_meant
        )

        @callback
        def _stop() -> None:
            stop_listening()
            stop_looking()

        return _stop


class CommandTrigger(DeviceEventTrigger):
    """A command came to an end."""

    _schema = _COMMAND_SCHEMA
    _event_type = EVENT_ACTION
    _fields = (ATTR_DEVICE_ID, "action_id", CONF_COMMAND, ATTR_STATE, "error")

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take note of the commands; none stands for every command."""
        super().__init__(hass, config)
        commands: list[str] = (config.options or {}).get(CONF_COMMAND, [])
        self._commands = frozenset(command_of(command) for command in commands)

    @override
    def _is_asked_for(self, data: dict[str, Any]) -> bool:
        return not self._commands or data.get(CONF_COMMAND) in self._commands

    @override
    def _describe(self, name: str, device: Device | None, data: dict[str, Any]) -> str:
        command, error = text(data.get(CONF_COMMAND)), text(data.get("error"))
        kind = device.type if device else None
        return f"{name}: {ended(self._hass, command, self._state, error, kind)}"


class CommandCompletedTrigger(CommandTrigger):
    """The manufacturer accepted a command."""

    _state = ActionState.COMPLETED


class CommandFailedTrigger(CommandTrigger):
    """A command failed."""

    _state = ActionState.FAILED


class PlanMissedTrigger(DeviceEventTrigger):
    """The time of a plan is over, and it was not carried out."""

    _schema = _PLAIN_SCHEMA
    _event_type = EVENT_ACTION
    _state = STATE_MISSED
    _fields = (ATTR_DEVICE_ID, "plan", CONF_COMMAND, "start", "error")

    @override
    def _describe(self, name: str, device: Device | None, data: dict[str, Any]) -> str:
        message = plan_missed(
            self._hass,
            text(data.get("plan")),
            text(data.get(CONF_COMMAND)),
            text(data.get("error")),
            device.type if device else None,
        )
        return f"{name}: {message}"


class LinkLostTrigger(DeviceEventTrigger):
    """A device must be linked to its manufacturer again."""

    _schema = _PLAIN_SCHEMA
    _event_type = EVENT_LINK
    _state = STATE_LOST
    _fields = (ATTR_DEVICE_ID, ATTR_STATE)

    @override
    def _describe(self, name: str, device: Device | None, data: dict[str, Any]) -> str:
        return f"{name}: {said(self._hass, 'triggers.link_lost.name')}"


class PlugTrigger(EntityTargetStateTriggerBase):
    """The plug of a charger or a vehicle of Amps AI was put in or out.

    Home Assistant has no trigger for plugs.
    """

    _domain_specs = {
        BINARY_SENSOR_DOMAIN: DomainSpec(device_class=BinarySensorDeviceClass.PLUG)
    }

    @classmethod
    @override
    async def async_validate_config(
        cls, hass: HomeAssistant, config: ConfigType
    ) -> ConfigType:
        """Check the options, and that the target is one of ours."""
        checked = await super().async_validate_config(hass, config)
        async_check_target(hass, checked[CONF_TARGET])
        return checked

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Return the plugs of this integration."""
        registry = er.async_get(self._hass)
        return {
            entity_id
            for entity_id in super().entity_filter(entities)
            if (entry := registry.async_get(entity_id)) and entry.platform == DOMAIN
        }


class PluggedInTrigger(PlugTrigger):
    """Something was plugged in."""

    _to_states = {STATE_ON}


class UnpluggedTrigger(PlugTrigger):
    """Something was unplugged."""

    _to_states = {STATE_OFF}


TRIGGERS: Final[dict[str, type[Trigger]]] = {
    "command_completed": CommandCompletedTrigger,
    "command_failed": CommandFailedTrigger,
    "link_lost": LinkLostTrigger,
    "plan_missed": PlanMissedTrigger,
    "plugged_in": PluggedInTrigger,
    "unplugged": UnpluggedTrigger,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return TRIGGERS
