"""Switches: EV chargers charge or pause, and plans are on or off."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Self, override

from homeassistant.components.switch import (
    SwitchDeviceClass,
    SwitchEntity,
    SwitchEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import ExtraStoredData, RestoreEntity

from .api import Action, ActionState, AmpsError, DeviceType, Push, capabilities
from .api.values import flag, instant
from .api.vocabulary import Commands, EvChargerStatus, understand
from .common.const import LOGGER
from .common.errors import refused
from .entities import (
    AmpsControlEntity,
    AmpsEntityDescription,
    Table,
    async_setup_entities,
)
from .entities.plan import PLAN, AmpsPlanEntity, async_setup_plan_entities
from .runtime import AmpsConfigEntry

PARALLEL_UPDATES = 0

# What the switch was asked for: no field of a charger's, who reports none.
_ALLOWED: Final = "allowed"
# What a status says of the plug, where a charger does not say it itself.
_PLUGGED: Final[Mapping[EvChargerStatus | None, bool]] = MappingProxyType(
    {
        EvChargerStatus.AVAILABLE: False,
        EvChargerStatus.CONNECTED: True,
        EvChargerStatus.CHARGING: True,
        EvChargerStatus.PAUSED: True,
        EvChargerStatus.FINISHED: True,
    }
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AmpsSwitchDescription(AmpsEntityDescription, SwitchEntityDescription):
    """A switch."""


SWITCHES: Final[Table[AmpsSwitchDescription]] = MappingProxyType(
    {
        DeviceType.EV_CHARGER: (
            AmpsSwitchDescription(
                key="charge",
                translation_key="charge",
                # The charger's main entity is called as the charger.
                name=None,
                # So that templates tell it from the switches of plans.
                device_class=SwitchDeviceClass.SWITCH,
                exists_fn=lambda device: bool(
                    {Commands.CHARGE, Commands.IDLE} & capabilities(device).keys()
                ),
                shows=("is_charging", "is_connected", "status"),
            ),
        ),
    }
)

PLAN_SWITCH: Final = SwitchEntityDescription(
    key=PLAN,
    translation_key=PLAN,
    # Not to be switched along with the lights of a room.
    entity_category=EntityCategory.CONFIG,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the switches of the devices."""
    await async_setup_entities(entry, async_add_entities, SWITCHES, AmpsChargeSwitch)
    async_setup_plan_entities(
        hass,
        entry,
        async_add_entities,
        lambda plans, plan, device: AmpsPlanSwitch(plans, plan, device, PLAN_SWITCH),
    )


@dataclass(slots=True)
class _Standing(ExtraStoredData):
    """What a charger was told and took: to charge or to pause, and how long."""

    charges: bool
    since: datetime | None
    until: datetime | None

    @override
    def as_dict(self) -> dict[str, Any]:
        """Return what to keep over a restart."""
        return {
            "charges": self.charges,
            "since": self.since and self.since.isoformat(),
            "until": self.until and self.until.isoformat(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self | None:
        """Return what was kept, if it is to be understood."""
        charges = flag(stored.get("charges"))
        if charges is None:
            return None
        return cls(charges, instant(stored.get("since")), instant(stored.get("until")))

    @classmethod
    def of(cls, action: Action | None) -> Self | None:
        """Return what an action leaves standing, if it was taken."""
        if (
            action is None
            or action.state != ActionState.COMPLETED
            or action.command not in (Commands.CHARGE, Commands.IDLE)
        ):
            return None
        since = action.completed_at or action.updated_at or action.created_at
        return cls(action.command == Commands.CHARGE, since, action.end)


class AmpsChargeSwitch(AmpsControlEntity, SwitchEntity, RestoreEntity):
    """Let a charger charge, or pause it.

    It shows permission, which a full car does not take away; what is drawn is
    told by *Charging*.
    """

    entity_description: AmpsSwitchDescription

    _standing: _Standing | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Take up the standing command."""
        if (stored := await self.async_get_last_extra_data()) is not None:
            self._standing = _Standing.from_dict(stored.as_dict())
        self._note(self.device.last_action)
        await super().async_added_to_hass()

    @property
    @override
    def extra_restore_state_data(self) -> ExtraStoredData | None:
        """Return the standing command, which a later one of another kind hides."""
        return self._standing

    @callback
    @override
    def _action_ended(self, action: Action) -> None:
        super()._action_ended(action)
        self._note(action)
        self.async_write_ha_state()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._note(self.device.last_action)
        super()._handle_coordinator_update()

    def _note(self, action: Action | None) -> None:
        """Take note of a command that was taken, unless a newer one is known."""
        known, new = self._standing, _Standing.of(action)
        if new is None or (
            known is not None
            and known.since is not None
            and (new.since is None or new.since < known.since)
        ):
            return
        self._standing = new

    @property
    def _is_allowed(self) -> bool:
        """Tell whether the standing command is to charge."""
        standing = self._standing
        if standing is None or not standing.charges:
            return False
        # A window is taken back at its end.
        until = standing.until
        return until is None or self.coordinator.account.clock.now() < until

    @property
    def _is_plugged_in(self) -> bool | None:
        """Tell whether a car is connected, None where nothing says so."""
        state: Any = self.device.state
        connected: bool | None = state.is_connected
        if connected is not None:
            return connected
        return _PLUGGED.get(understand(EvChargerStatus, state.status))

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether the charger charges, or would if the car asked."""
        intended: bool | None = self.pushes.intents.async_intended(
            self.device_id, self.entity_description.key, _ALLOWED
        )
        if intended is not None:
            return intended
        state: Any = self.device.state
        if state.is_charging:
            return True
        plugged = self._is_plugged_in
        if plugged and self._is_allowed:
            return True
        return None if state.is_charging is None and plugged is not False else False

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Begin or resume charging, where there is a car."""
        if self._is_plugged_in is False and await self._async_is_empty():
            raise refused("nothing_plugged_in", self.spoken_name)
        await self.async_push(Push(command=Commands.CHARGE), {_ALLOWED: True})

    async def _async_is_empty(self) -> bool:
        """Look again: the car may have come since the last reading."""
        try:
            await self.coordinator.async_read(self.device_id, expedite=True)
        except AmpsError as err:
            # Nobody knows; the charger may.
            LOGGER.debug("Reading %s failed: %s", self.device_id, err)
            return False
        return self._is_plugged_in is False

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Pause charging; the session is held."""
        await self.async_push(Push(command=Commands.IDLE), {_ALLOWED: False})


class AmpsPlanSwitch(AmpsPlanEntity, SwitchEntity):
    """Whether a plan is on; off takes away what is planned."""

    @property
    @override
    def is_on(self) -> bool:
        """Return whether it is on, and not over."""
        return self.plans.is_on(self.plan)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Go on with it from now on."""
        self.plans.async_turn(self.plan, on=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Carry it out no more; what has begun goes on."""
        self.plans.async_turn(self.plan, on=False)
