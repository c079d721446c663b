"""News: who listens to which device, and what they have not heard of yet."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from homeassistant.core import CALLBACK_TYPE, callback

from ..account import AmpsAccount
from ..api.clock import mark, passed
from ..common.const import LOGGER

# News of so many devices are told at once; of more, for so many seconds in one go.
_FEW: Final = 8
_SLICE: Final = 0.001


class Watch(NamedTuple):
    """What a listener wants to hear of: one device.

    `fields` are those of its state that matter, None for all of them. With
    `readings`, also of readings that brought nothing new but their time.
    """

    device_id: str
    fields: frozenset[str] | None = None
    readings: bool = False


@dataclass(slots=True, eq=False, repr=False)
class _Item:
    """What of a device the listeners have not heard of yet.

    `fields` are those of its state that changed, None where more changed.
    """

    fields: frozenset[str] | None = frozenset()
    is_reading: bool = False


@dataclass(slots=True, eq=False, repr=False)
class _Watches:
    """Who listens to a device: all, and those who follow its readings."""

    all: dict[CALLBACK_TYPE, Watch] = field(default_factory=dict)
    # Of these, in this order.
    readings: dict[CALLBACK_TYPE, None] = field(default_factory=dict)

    def concerned(self, item: _Item) -> list[CALLBACK_TYPE]:
        """Return whom an item concerns."""
        changed = item.fields
        if changed is not None and not changed:
            return list(self.readings) if item.is_reading else []
        return [
            update_callback
            for update_callback, watch in self.all.items()
            if changed is None
            or watch.fields is None
            or not changed.isdisjoint(watch.fields)
            or (item.is_reading and watch.readings)
        ]


@callback
def _async_forget(
    known: dict[str, _Watches], device_id: str, update_callback: CALLBACK_TYPE
) -> None:
    """Tell somebody nothing more of a device."""
    watches = known[device_id]
    del watches.all[update_callback]
    watches.readings.pop(update_callback, None)
    if not watches.all:
        del known[device_id]


class News:
    """What there is to tell of the devices of one type.

    A poll visits those who listen to what changed, and nobody else.
    """

    def __init__(self, account: AmpsAccount, name: str) -> None:
        """Begin with nobody who listens."""
        self._account = account
        self._name = name
        self._watches: dict[str, _Watches] = {}
        self._items: dict[str, _Item] = {}
        self._teller: asyncio.Task[None] | None = None

    @callback
    def async_listen(
        self, update_callback: CALLBACK_TYPE, watch: Watch
    ) -> CALLBACK_TYPE:
        """Hear of what a watch names; nobody listens twice."""
        device_id = watch.device_id
        if (watches := self._watches.get(device_id)) is None:
            watches = self._watches[device_id] = _Watches()
        watches.all[update_callback] = watch
        if watch.readings:
            watches.readings[update_callback] = None
        # Smaller than a closure, and there is one for each entity.
        return partial(_async_forget, self._watches, device_id, update_callback)

    def is_watched(self, device_id: str) -> bool:
        """Tell whether anybody listens to a device."""
        return device_id in self._watches

    def take(
        self, device_id: str, fields: frozenset[str] | None, *, is_reading: bool = False
    ) -> None:
        """Note what there is to tell of a device, if somebody listens for it."""
        watches = self._watches.get(device_id)
        if watches is None or (fields == frozenset() and not watches.readings):
            return
        item = self._items.setdefault(device_id, _Item())
        item.is_reading |= is_reading
        if item.fields is not None:
            item.fields = None if fields is None else item.fields | fields

    def take_all(self) -> None:
        """Note that there is something to tell of every device."""
        for device_id in self._watches:
            self.take(device_id, None)

    @callback
    def async_tell(self) -> bool:
        """Tell what there is, or begin to; tell whether it is more than times."""
        changed = any(item.fields != frozenset() for item in self._items.values())
        if len(self._items) <= _FEW:
            for device_id in tuple(self._items):
                self.async_tell_of(device_id)
        elif self._teller is None:
            # The loop is everybody's: so much is told bit by bit.
            self._teller = self._account.entry.async_create_task(
                self._account.hass, self._async_tell_all(), f"{self._name} news", False
            )
        return changed

    async def _async_tell_all(self) -> None:
        """Tell what there is, a moment at a time; the types take turns."""
        try:
            async with self._account.at_work:
                began = mark()
                while self._items:
                    self.async_tell_of(next(iter(self._items)))
                    if passed(began) > _SLICE:
                        await asyncio.sleep(0)
                        began = mark()
        finally:
            self._teller = None

    @callback
    def async_tell_of(self, device_id: str) -> None:
        """Tell a device's listeners what they have not heard of yet."""
        item = self._items.pop(device_id, None)
        watches = self._watches.get(device_id)
        if item is None or watches is None:
            return
        for update_callback in watches.concerned(item):
            try:
                update_callback()
            except Exception:  # noqa: BLE001
                LOGGER.exception("Unexpected error updating %s", self._name)

    @callback
    def async_clear(self) -> None:
        """Forget what there is to tell."""
        self._items.clear()
