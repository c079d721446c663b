"""Energies: what the counters of an account's devices have counted, kept safe.

A counter belongs to a device's id, whatever its entity is called. What it
counted is shown once it is written: a power cut takes back nothing that
anybody has seen.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_utc_time_change
from homeassistant.helpers.storage import Store

from ..account import AmpsAccount
from ..api.models import mapping
from ..common.const import DOMAIN
from ..common.memory import async_read
from .coordinators import Coordinators

_MEMORY: Final = "energies"
_STORE_VERSION: Final = 1
# Statistics are made of what is there at each fifth minute.
_MINUTES: Final = range(4, 60, 5)
_SECOND: Final = 56
# Whatever else happens, what was counted is written after so many seconds.
_LATEST: Final = 600


class Counter(Protocol):
    """What counts, and can be kept."""

    def as_dict(self) -> dict[str, Any]:
        """Return what to keep."""

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Self:
        """Read what was kept; what cannot be read counts as nothing."""


def _store(hass: HomeAssistant, entry: ConfigEntry) -> Store[dict[str, Any]]:
    return Store(
        hass,
        _STORE_VERSION,
        f"{DOMAIN}.{_MEMORY}.{entry.entry_id}",
        private=True,
        atomic_writes=True,
    )


async def async_remove(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove what an entry leaves behind."""
    await _store(hass, entry).async_remove()


@dataclass(eq=False, repr=False)
class Energies:
    """Keep the counters of an account's devices.

    Where `is_paced` says so, what they counted is written and shown once in
    five minutes: that is all that statistics use.
    """

    hass: HomeAssistant
    account: AmpsAccount
    coordinators: Coordinators
    is_paced: Callable[[], bool]
    # By device and key: a counter, or what an earlier run kept of it.
    _kept: dict[str, dict[str, Counter | dict[str, Any]]] = field(default_factory=dict)
    # Who shows something new once it is written.
    _waiting: dict[tuple[str, str], CALLBACK_TYPE] = field(default_factory=dict)
    _unsaved: bool = False
    # Also until the counters of a set-up are all there: they are written at once.
    _saving: bool = True
    # Whether nothing was ever kept here, or nothing that is of use.
    is_new: bool = False

    def __post_init__(self) -> None:
        """Name the file that the counters are kept in."""
        self._store = _store(self.hass, self.account.entry)

    async def async_load(self) -> None:
        """Remember what was counted."""
        stored = await async_read(self._store, _MEMORY)
        self.is_new = not stored
        self._kept = {
            device_id: {
                key: dict(kept)
                for key, item in (mapping(items) or {}).items()
                if (kept := mapping(item)) is not None
            }
            for device_id, items in (mapping(stored.get("energies")) or {}).items()
        }

    @callback
    def async_begin(self) -> None:
        """Begin to write now and then, and to forget what is removed."""
        self.account.entry.async_on_unload(
            async_track_utc_time_change(
                self.hass, self._tick, minute=list(_MINUTES), second=_SECOND
            )
        )
        self.account.async_on_removed(self._forget_removed)
        self._saving = False
        if self._waiting:
            self._save()

    async def async_stop(self) -> None:
        """Write what is not written yet."""
        self._waiting.clear()
        if self._unsaved:
            await self._store.async_save(self._data())

    @callback
    def async_counter[CounterT: Counter](
        self, device_id: str, key: str, kind: type[CounterT]
    ) -> CounterT | None:
        """Return a counter as it was kept; None where it is new."""
        kept = self._kept.get(device_id, {}).get(key)
        if kept is None:
            return None
        if not isinstance(kept, dict):
            kept = kept.as_dict()
        counter = kind.from_dict(kept)
        self._kept[device_id][key] = counter
        return counter

    @callback
    def async_add(self, device_id: str, key: str, counter: Counter) -> None:
        """Keep a counter that is new."""
        self._kept.setdefault(device_id, {})[key] = counter

    @callback
    def async_keep(
        self, device_id: str, key: str, show: CALLBACK_TYPE, *, at_once: bool = False
    ) -> None:
        """Write what a counter has counted, and then have it shown."""
        self._waiting[device_id, key] = show
        self._unsaved = True
        # Should Home Assistant stop before.
        self._store.async_delay_save(self._data, _LATEST)
        if at_once or not self.is_paced():
            self._save()

    @callback
    def async_leave(self, device_id: str, key: str) -> None:
        """Show nothing more of a counter; what it counted is kept."""
        self._waiting.pop((device_id, key), None)

    @callback
    def _tick(self, _now: datetime) -> None:
        if self._unsaved:
            self._save()

    @callback
    def _save(self) -> None:
        """Write soon; what comes meanwhile is written next."""
        if not self._saving:
            self._saving = True
            self.account.entry.async_create_task(
                self.hass, self._async_save(), f"{DOMAIN} energies", False
            )

    async def _async_save(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, {}
                await self._store.async_save(self._data())
                for show in waiting.values():
                    show()
        finally:
            self._saving = False

    @callback
    def _data(self) -> dict[str, Any]:
        self._unsaved = False
        return {
            "energies": {
                device_id: {
                    key: kept if isinstance(kept, dict) else kept.as_dict()
                    for key, kept in items.items()
                }
                for device_id, items in self._kept.items()
            }
        }

    @callback
    def _forget_removed(self) -> None:
        """Forget the counters of devices that nobody knows any more."""
        for device_id in tuple(self._kept):
            if (
                not self.coordinators.has(device_id)
                and self.account.async_registered(device_id) is None
            ):
                del self._kept[device_id]
                self._unsaved = True
                self._store.async_delay_save(self._data, _LATEST)
