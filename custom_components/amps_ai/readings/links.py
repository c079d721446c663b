"""Links: what joins a device to its manufacturer, and what tells of its loss.

Webhooks tell when a link is lost or made; without them, a single read or a
push finds the credentials refused. Either way a person has to link the device
again, and a later reading shows that it is done.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..account import AmpsAccount
from ..api import AmpsDeviceCredentialsError, AmpsError, Device
from ..api.models import flag, instant, mapping, text
from ..api.webhook import DeviceConnected, DeviceDisconnected
from ..common import issues
from ..common.const import EVENT_LINK, LOGGER
from ..common.memory import Memory, async_remove as async_remove_memory
from .coordinators import Coordinators
from .news import Watch

_MEMORY: Final = "links"
# Devices that are asked for at a time.
_AT_A_TIME: Final = 2


class Link(NamedTuple):
    """What is known last of a device's link.

    `at` is by the API's clock: when an event says that it was (`told`), else
    when a request was refused.
    """

    at: datetime
    connected: bool
    url: str | None = None
    told: bool = True


async def async_remove(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove what an entry leaves behind."""
    await async_remove_memory(hass, entry, _MEMORY)


def _links(stored: dict[str, Any]) -> dict[str, Link]:
    """Read the stored links, leaving out what is none."""
    items = {
        device_id: mapping(item) or {}
        for device_id, item in (mapping(stored.get("links")) or {}).items()
    }
    return {
        device_id: Link(
            at=at,
            connected=flag(item.get("connected")) is True,
            url=text(item.get("url")),
            told=flag(item.get("told")) is not False,
        )
        for device_id, item in items.items()
        if (at := instant(item.get("at"))) is not None
    }


@dataclass(eq=False, repr=False)
class Links:
    """Keep what is known of the links of an account's devices."""

    hass: HomeAssistant
    account: AmpsAccount
    coordinators: Coordinators
    _known: dict[str, Link] = field(default_factory=dict)
    # What watches the devices that wait to be linked again.
    _watching: dict[str, CALLBACK_TYPE] = field(default_factory=dict)
    # The devices that are read soon, and when a webhook said they were connected.
    _looking: dict[str, datetime | None] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(_AT_A_TIME)
    )
    # What came out during set-up, when the registry may not know the device yet.
    _untold: list[tuple[Device, str]] | None = field(default_factory=list)

    def __post_init__(self) -> None:
        """Name the file that the links are kept in."""
        self._memory = Memory(self.hass, self.account.entry, _MEMORY, self._data)

    @property
    def lost(self) -> list[str]:
        """Return the devices that have to be linked again."""
        return [
            device_id for device_id, link in self._known.items() if not link.connected
        ]

    async def async_load(self) -> None:
        """Remember what earlier runs knew, and hear of refused credentials."""
        self._known = _links(await self._memory.async_load())
        for coordinator in self.coordinators.values():
            self.account.entry.async_on_unload(
                coordinator.refusals.async_add(self.async_refused)
            )

    @callback
    def async_begin(self) -> None:
        """Ask again for what was lost before, now that the entry is set up."""
        entry = self.account.entry
        untold, self._untold = self._untold or [], None
        for device, state in untold:
            self._fire(device, state)
        for coordinator in self.coordinators.values():
            entry.async_on_unload(
                coordinator.async_add_shape_listener(self._device_changed)
            )
            for device in coordinator.data.values():
                self._take_up(device)
        self.account.async_on_removed(self._forget_removed)

    async def async_stop(self) -> None:
        """Stop, and leave nothing behind but the memory."""
        for stop in self._watching.values():
            stop()
        self._watching.clear()
        await self._memory.async_save_now()

    # What is told

    @callback
    def async_told(
        self, device: Device, event: DeviceConnected | DeviceDisconnected
    ) -> None:
        """Take what a webhook told of a device's link."""
        known = self._known_of(device.id)
        at = self.account.clock.past(event.at)
        overtaken = known is not None and known.told and at < known.at
        if isinstance(event, DeviceConnected):
            if overtaken:
                return
            # What is older than a refusal may tell of the same loss.
            is_news = known is None or known.connected or at >= known.at
            self._look(device, at if is_news else None)
            return
        link = Link(at=at, connected=False, url=event.reconnection_url)
        if known is not None and overtaken and (known.connected or link.url is None):
            return
        if known is not None and not known.connected:
            # The loss is known, but not the address to link again. What was
            # refused since then was not linked, whatever was read before.
            link = link._replace(at=max(link.at, known.at), url=link.url or known.url)
        self._lose(device, link)
        self._in_background(self.coordinators[device.type].async_request_refresh())

    @callback
    def async_refused(self, device: Device, err: AmpsError) -> None:
        """Take note that a request for a device was refused."""
        if (
            not isinstance(err, AmpsDeviceCredentialsError)
            # It is the key then, and no device has to be linked again.
            or self.account.limits.key_refused
        ):
            return
        known = self._known_of(device.id)
        if known is None or known.connected:
            now = self.account.clock.now()
            self._lose(device, Link(at=now, connected=False, told=False))

    # Lost, and found again

    def _known_of(self, device_id: str) -> Link | None:
        """Return what is known of a link; it cannot have been later than now.

        A clock that was ahead when it was noted would keep it open until then.
        """
        link = self._known.get(device_id)
        if link is not None and (at := self.account.clock.past(link.at)) != link.at:
            link = self._known[device_id] = link._replace(at=at)
            self._memory.async_save()
        return link

    @callback
    def _look(self, device: Device, connected_at: datetime | None = None) -> None:
        """Read a device soon, once for all who ask for it meanwhile."""
        if device.id in self._looking:
            if connected_at is not None:
                self._looking[device.id] = connected_at
            return
        self._looking[device.id] = connected_at
        self._in_background(self._async_look(device))

    async def _async_look(self, device: Device) -> None:
        """Read a device that was connected, unless it was not.

        The body of a disconnection without an address looks the same, so that
        what a webhook told is believed unless the reading is refused.
        """
        coordinator = self.coordinators[device.type]
        before = self._known.get(device.id)
        async with self._slots:
            await coordinator.async_request_refresh()
            connected_at = self._looking.pop(device.id, None)
            if device.id in coordinator.data:
                try:
                    await coordinator.async_read(device.id, expedite=True, force=True)
                except AmpsDeviceCredentialsError:
                    return
                except AmpsError as err:
                    LOGGER.debug("Reading %s failed: %s", device.id, err)
        known = self._known.get(device.id)
        if connected_at is not None and (
            known is None or known is before or known.at < connected_at
        ):
            self._restore(device, connected_at)

    @callback
    def _take_up(self, device: Device) -> None:
        """Ask again for a device that was lost before."""
        link = self._known_of(device.id)
        if link is None or link.connected or device.id in self._watching:
            return
        if self._is_linked(device.id, link):
            self._restore(device, link.at)
        else:
            self._open(device, link)
            # That it was linked again meanwhile may have been missed.
            self._look(device)

    @callback
    def _lose(self, device: Device, link: Link) -> None:
        """Ask the person to link a device again, unless that is done already."""
        known = self._known.get(device.id)
        if self._open(device, link) and (known is None or known.connected):
            self._fire(device, "lost")
        self._memory.async_save()

    @callback
    def _restore(self, device: Device, at: datetime) -> None:
        """Take the question back."""
        known = self._known.get(device.id)
        self._known[device.id] = Link(at=at, connected=True)
        self._unwatch(device.id)
        issues.async_link_restored(self.hass, device.id)
        if known is not None and not known.connected:
            self._fire(device, "restored")
        self._memory.async_save()

    @callback
    def _open(self, device: Device, link: Link) -> bool:
        """Ask until a reading needs no asking; tell whether that is not now."""
        if self._is_linked(device.id, link):
            self._known[device.id] = link._replace(connected=True, url=None)
            return False
        self._known[device.id] = link
        issues.async_link_lost(
            self.hass,
            self.account.entry,
            device.id,
            self.account.async_spoken_name(device),
            link.url or self.account.link_url_of(device),
            stays=link.url is not None or self.account.can_link,
        )
        coordinator = self.coordinators[device.type]

        @callback
        def _check() -> None:
            known = self._known_of(device.id) or link
            if self._is_linked(device.id, known):
                self._restore(device, known.at)

        self._unwatch(device.id)
        self._watching[device.id] = coordinator.async_add_listener(
            _check, Watch(device.id, readings=True)
        )
        return True

    def _is_linked(self, device_id: str, link: Link) -> bool:
        """Tell whether a device was read after its link was lost."""
        device = self.coordinators.device(device_id)
        if device is None or device.sync.available is False:
            return False
        pulled = device.sync.last_pulled_at
        return pulled is not None and pulled > link.at

    # How it is done

    @callback
    def _unwatch(self, device_id: str) -> None:
        if (stop := self._watching.pop(device_id, None)) is not None:
            stop()

    @callback
    def _fire(self, device: Device, state: str) -> None:
        if self._untold is not None:
            self._untold.append((device, state))
            return
        entry = self.account.async_registered(device.id)
        self.hass.bus.async_fire(
            EVENT_LINK, {"device_id": entry.id if entry else None, "state": state}
        )

    @callback
    def _forget_removed(self) -> None:
        """Forget the links of devices that nobody knows any more."""
        for device_id in tuple(self._known):
            if (
                self.coordinators.device(device_id) is None
                and self.account.async_registered(device_id) is None
            ):
                self._unwatch(device_id)
                issues.async_link_restored(self.hass, device_id)
                del self._known[device_id]
                self._memory.async_save()

    @callback
    def _device_changed(self, device_id: str, device: Device | None) -> None:
        """Ask for a device that is there only now."""
        if device is not None:
            self._take_up(device)

    @callback
    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        self.account.entry.async_create_background_task(
            self.hass, work, name="Amps AI link"
        )

    @callback
    def _data(self) -> dict[str, Any]:
        return {
            "links": {
                device_id: {
                    "at": link.at.isoformat(),
                    "connected": link.connected,
                    "url": link.url,
                    "told": link.told,
                }
                for device_id, link in self._known.items()
            }
        }
