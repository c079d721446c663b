"""Selects: the standing command of batteries."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, cast, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import BatteryState, Command, DeviceType, Push, capabilities, in_order
from .api.commands import at_once
from .api.vocabulary import Commands
from .common.const import ATTR_REPORTED_STATUS
from .entities import (
    AmpsControlEntity,
    AmpsEntityDescription,
    Table,
    async_setup_entities,
)
from .runtime import AmpsConfigEntry

PARALLEL_UPDATES = 0

# Of more, nobody could choose; those that are known come first.
_MOST_OPTIONS: Final = 50
# What can stand, by the manufacturer's doing or the owner's, though it cannot be
# pushed: a battery that takes windows only goes by `auto.balanced` meanwhile.
_MODES: Final = frozenset(
    {
        Commands.CHARGE,
        Commands.DISCHARGE,
        Commands.IDLE,
        Commands.AUTO_BALANCED,
        Commands.AUTO_RESERVE,
        Commands.AUTO_EXPORT,
    }
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AmpsSelectDescription(AmpsEntityDescription, SelectEntityDescription):
    """A select."""


SELECTS: Final[Table[AmpsSelectDescription]] = MappingProxyType(
    {
        DeviceType.BATTERY: (
            AmpsSelectDescription(
                key="mode",
                translation_key="mode",
                exists_fn=lambda device: bool(capabilities(device)),
                shows=("current_mode",),
            ),
        ),
    }
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AmpsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the selects of the devices."""
    await async_setup_entities(entry, async_add_entities, SELECTS, AmpsModeSelect)


def _option(command: str) -> str:
    """Return a command as an option: translation keys take no dots."""
    return command.replace(".", "_")


class AmpsModeSelect(AmpsControlEntity, SelectEntity):
    """The command that a battery goes by."""

    entity_description: AmpsSelectDescription

    # The commands that may be pushed, by option, and what they were made of.
    _commands: Mapping[str, str] = MappingProxyType({})
    _made_of: Mapping[str, Command] | None = None

    @property
    @override
    def options(self) -> list[str]:
        """Return what can be chosen now, and what stands, if it is another."""
        commands = capabilities(self.device)
        if commands is not self._made_of:
            self._made_of = commands
            self._commands = {
                _option(name): name
                for name in in_order(at_once(self.device))[:_MOST_OPTIONS]
            }
        standing = self._standing
        if standing is None or standing in self._commands:
            return list(self._commands)
        return [*self._commands, standing]

    @property
    def _standing(self) -> str | None:
        """Return the standing command, where it is a known one."""
        mode: str | None = cast("BatteryState", self.shown.state).current_mode
        if mode is None or mode not in _MODES | capabilities(self.device).keys():
            return None
        return _option(mode)

    @property
    @override
    def current_option(self) -> str | None:
        """Return the standing command, whether it can be pushed or not."""
        return self._standing

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return the word as reported, where it is not one of the options."""
        state: Any = self.shown.state
        if state.current_mode is None or self.current_option is not None:
            return None
        return {ATTR_REPORTED_STATUS: state.current_mode}

    @override
    async def async_select_option(self, option: str) -> None:
        """Push the command."""
        # One that can be planned only is refused with words that say so.
        command = self._commands.get(option, option.replace("_", "."))
        await self.async_push(Push(command=command), {"current_mode": command})
