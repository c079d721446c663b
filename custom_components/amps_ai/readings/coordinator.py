"""One coordinator per device type: its list, its single reads, its news.

A coordinator tells its listeners only of devices that changed. What a
listener wants to hear is its context: None for everything, else a `Watch`.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from ..account import AmpsAccount
from ..account.limits import REFUSED_WAIT
from ..api import (
    Action,
    AmpsConnectionError,
    AmpsDeviceCredentialsError,
    AmpsDeviceNotFoundError,
    AmpsDeviceOfflineError,
    AmpsError,
    AmpsInvalidKeyError,
    Device,
    DeviceType,
    Listing,
)
from ..api.clock import mark
from ..api.errors import INVALID_KEY
from ..common.const import LOGGER
from ..common.errors import spoken
from ..common.listeners import Listeners
from .captures import EXPEDITED_TTL, Captures
from .news import News, Watch
from .pace import BUSY, HASTE, Grace, Pace
from .presence import Presence
from .shape import shape

# Called with a device's id and the device, or None where it is gone.
type ShapeCallback = Callable[[str, Device | None], None]


class AmpsCoordinator(DataUpdateCoordinator[dict[str, Device]]):
    """Keep the devices of one type."""

    config_entry: ConfigEntry

    def __init__(
        self, hass: HomeAssistant, account: AmpsAccount, device_type: DeviceType
    ) -> None:
        """Start with no device."""
        name = f"{account.entry.title} {device_type.path}"
        super().__init__(hass, LOGGER, config_entry=account.entry, name=name)
        self.account, self.device_type = account, device_type
        self.data = {}
        self._pace = Pace(device_type)
        self._grace = Grace()
        self._answered_at: datetime | None = None
        self._prepared: Listing | AmpsError | None = None
        self._prepared_at = mark()
        self.news = News(account, self.name)
        self._shape_listeners = Listeners[str, Device | None]()
        # Hear of each reading of a device that may have been captured anew.
        self.readings = Listeners[Device]()
        # Hear of a device, and why a request for it failed.
        self.refusals = Listeners[Device, AmpsError]()
        # Hear of a device, and its newest action when a reading brings news of it.
        self.actions = Listeners[Device, Action]()
        self._reshaped: dict[str, Device] = {}
        self._told_trusted = True
        self._stop_grace: CALLBACK_TYPE | None = None
        # How many lists in a row were told as a whole.
        self.complete_lists = 0
        self.presence = Presence(account)
        self._captures = Captures(account.clock)
        account.troubled.async_add(self.async_hurry)
        self._blaming = asyncio.Lock()

    # What is known

    @property
    def trusted(self) -> bool:
        """Tell whether the data may still be shown.

        A type keeps its data for a few minutes of failed polls: one lost
        answer must not turn a whole home unavailable.
        """
        if self.last_update_success:
            return True
        return not self.account.limits.key_refused and self._grace.left > 0

    @callback
    def async_is_usable(self, device_id: str) -> bool:
        """Tell whether a device is there and answers."""
        return (
            self._told_trusted
            and device_id in self.data
            and self.presence.is_fine(device_id)
        )

    @callback
    def async_pulled_at(
        self, device_id: str, *, single: bool = False
    ) -> datetime | None:
        """Return when a device was last captured, as far as is known.

        With `single`, by a single read: only that tells settings.
        """
        if single:
            return self._captures.single(device_id)
        device = self.data.get(device_id)
        return device.sync.last_pulled_at if device else None

    @callback
    def async_was_just_read(self, device_id: str) -> bool:
        """Tell whether a single read captured the device within a minute."""
        pulled = self._captures.single(device_id)
        return pulled is not None and self.account.clock.age(pulled) < EXPEDITED_TTL

    def as_dict(self) -> dict[str, Any]:
        """Return the state, for diagnostics."""
        return {
            "devices": len(self.data),
            "last_update_success": self.last_update_success,
            "last_answer": self._answered_at and self._answered_at.isoformat(),
            "last_error": str(self.last_exception) if self.last_exception else None,
            "interval": self._pace.interval.total_seconds(),
            "complete_lists": self.complete_lists,
            **self.presence.as_dict(),
        }

    # Listeners

    @callback
    @override
    def async_add_listener(
        self, update_callback: CALLBACK_TYPE, context: Any = None
    ) -> CALLBACK_TYPE:
        """Listen for everything, or for what a Watch names."""
        if not isinstance(context, Watch):
            return super().async_add_listener(update_callback, context)
        return self.news.async_listen(update_callback, context)

    @callback
    def async_add_shape_listener(self, shape_callback: ShapeCallback) -> CALLBACK_TYPE:
        """Hear of devices that are new, report other fields than before, or go.

        This listener also keeps the polling alive where no entity does.
        """
        forget = self._shape_listeners.async_add(shape_callback)
        stop = super().async_add_listener(lambda: None)

        @callback
        def _remove() -> None:
            stop()
            forget()

        return _remove

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Tell the listeners of what changed, and nobody else."""
        self.presence.async_log(self.data)
        reshaped, self._reshaped = self._reshaped, {}
        trusted = self.trusted
        if trusted is not self._told_trusted:
            self._told_trusted = trusted
            self.news.take_all()
        changed = self.news.async_tell()
        for device_id, device in reshaped.items():
            self.account.async_redescribe(device)
            self._shape_listeners.async_call(device_id, device)
        if changed:
            super().async_update_listeners()

    @callback
    def async_tell(self, device_id: str) -> None:
        """Tell a device's listeners, at once, that something about it changed."""
        self.news.take(device_id, None)
        self.news.async_tell_of(device_id)
        self.async_update_listeners()
        super().async_update_listeners()

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Tell of the end of the grace, which no change of data would."""
        if self._stop_grace is not None:
            self._stop_grace()
            self._stop_grace = None
        if self.trusted is not self._told_trusted:
            self.async_update_listeners()
        if self.trusted and not self.last_update_success:
            # The next poll may be further away than the end of the grace.
            left = self._grace.left
            self._stop_grace = async_call_later(
                self.hass, left, HassJob(self._grace_over, cancel_on_shutdown=True)
            )

    @callback
    def _grace_over(self, _now: datetime) -> None:
        self._stop_grace = None
        self.async_update_listeners()

    @override
    async def async_shutdown(self) -> None:
        """Stop asking, and whatever else waits."""
        if self._stop_grace is not None:
            self._stop_grace()
            self._stop_grace = None
        self.news.async_clear()
        await super().async_shutdown()

    # Lists

    async def async_prepare(self) -> None:
        """Ask for the first list, without using it yet.

        All types ask side by side; what they bring is used in their order,
        so that it does not depend on who answers first.
        """
        limits = self.account.limits
        self._prepared_at = mark()
        if limits.wait(self.device_type):
            self._prepared = limits.held_back()
            return
        try:
            self._prepared = await self.account.client.async_list_devices(
                self.device_type
            )
        except AmpsError as err:
            self._prepared = err
            limits.refused(err, self.device_type)
            self.account.async_list_refused(self.device_type, err)

    @property
    def prepare_error(self) -> AmpsError | None:
        """Return why there is no first list."""
        return self._prepared if isinstance(self._prepared, AmpsError) else None

    @override
    async def _async_update_data(self) -> dict[str, Device]:
        """Read the list."""
        limits = self.account.limits
        self.update_interval = self._pace.interval
        if self._prepared is None and (wait := limits.wait(self.device_type)):
            self._grace.async_failed()
            if self.last_update_success and (left := self._grace.left) > 0:
                # To wait for others is no failure yet, and nothing to log.
                wait = limits.held(wait, self.device_type)
                self.update_interval = timedelta(seconds=min(wait, left + 1))
                return self.data
            raise self._failed(limits.held_back(), wait)
        prepared = self._prepared is not None
        asked_at = self._prepared_at if prepared else mark()
        known = self.data.copy()
        try:
            listing = await self._async_list()
        except AmpsError as err:
            self._list_failed(err)
            if not prepared:
                limits.refused(err, self.device_type)
                self.account.async_list_refused(self.device_type, err)
            loaded = self.config_entry.state is ConfigEntryState.LOADED
            if limits.key_refused and loaded:
                # A raised ConfigEntryAuthFailed would end the polling for good.
                self.config_entry.async_start_reauth(self.hass)
            wait = limits.remaining
            if limits.key_refused:
                wait = max(wait, REFUSED_WAIT.total_seconds())
            raise self._failed(err, wait) from err
        self._grace.async_answered()
        self._answered_at = self.account.clock.now()
        self.account.async_answered(self.device_type, asked_at)
        self.account.async_tell_odd(self.device_type, listing)
        data = self._take_list(listing, asked_at, known)
        self.update_interval = self._pace.async_listed(bool(data) and listing.ended)
        return data

    @override
    async def async_request_refresh(self) -> None:
        """Ask for the list now, and often from now on."""
        self._pace.async_hurry()
        await super().async_request_refresh()

    @callback
    def async_hurry(self, calm: timedelta = HASTE) -> None:
        """Ask often from now on, as something happens; now, if that was seldom."""
        if self._pace.async_hurry(calm):
            self.config_entry.async_create_background_task(
                self.hass, self.async_request_refresh(), name=f"{self.name} list"
            )

    @callback
    def _list_failed(self, err: AmpsError) -> None:
        """Try again soon, and let others find out whether they are cut off too.

        Where too much was asked, the others do not hurry: it would be too much again.
        """
        self.complete_lists = 0
        self._grace.async_failed()
        self._pace.async_hurry(BUSY)
        self.update_interval = self._pace.interval
        if isinstance(err, AmpsConnectionError):
            self.account.troubled.async_call()

    def _failed(self, err: AmpsError, wait: float) -> UpdateFailed:
        """Return an error of the API as one of the coordinator's."""
        held = self.account.limits.held(wait, self.device_type) if wait else None
        return spoken(err, self.config_entry.title, UpdateFailed, retry_after=held)

    async def _async_list(self) -> Listing:
        prepared, self._prepared = self._prepared, None
        if isinstance(prepared, AmpsError):
            raise prepared
        if prepared is not None:
            return prepared
        return await self.account.client.async_list_devices(self.device_type, self.data)

    @callback
    def _take_list(
        self, listing: Listing, asked_at: float, before: dict[str, Device]
    ) -> dict[str, Device]:
        """Return the devices after a list, and note what changed.

        What was read singly since the list was asked for is newer than it, and
        tells more.
        """
        data: dict[str, Device] = {}
        elsewhere: list[Device] = []
        twice: list[Device] = []
        for device_id, device in listing.devices.items():
            known = self.data.get(device_id)
            if known is None and not listing.ended:
                # What never ends tells of devices that nobody has.
                continue
            if known is None and self.account.async_is_elsewhere(device):
                elsewhere.append(device)
                continue
            if known is None and not self.account.async_claim(device):
                twice.append(device)
                continue
            if known is not None and (
                known is not before.get(device_id)
                or self._captures.is_older(device, known)
            ):
                device = known
            if device is not known:
                device = self._captures.settled(device)
            data[device_id] = device
            if device is not known:
                if self._captures.async_listed(device, known, asked_at):
                    self._pace.async_hurry(BUSY)
                elif known is None:
                    self._pace.async_hurry()
                self._note(known, device)
            if self.presence.async_listed(device_id):
                self.news.take(device_id, None)
        for device_id, known in self.data.items():
            if device_id in data:
                continue
            data[device_id] = known
            if listing.complete and self.presence.async_left_out(device_id):
                self._pace.async_hurry(BUSY)
                self.news.take(device_id, None)
        self.account.async_tell_elsewhere(self.device_type, elsewhere)
        self.account.async_tell_twice(self.device_type, twice)
        self.complete_lists = self.complete_lists + 1 if listing.complete else 0
        return data

    @callback
    def _note(self, known: Device | None, device: Device) -> None:
        """Note what a new reading of a device changed."""
        changes = device.changes(known) if known else None
        is_reading = (
            known is None or device.sync.last_pulled_at != known.sync.last_pulled_at
        )
        if is_reading and self.presence.async_answered(device.id):
            changes = None
        if is_reading or changes != frozenset():
            self.news.take(device.id, changes, is_reading=is_reading)
        if is_reading:
            self.readings.async_call(device)
        if changes is not None:
            return
        if known is None or shape(known) != shape(device):
            self._reshaped[device.id] = device
        # What a first reading tells, or one that told no action before, is old.
        if (
            known is not None
            and (known.last_action is not None or "lastAction" in known.raw)
            and device.last_action is not None
            and device.last_action != known.last_action
        ):
            self.actions.async_call(device, device.last_action)

    # Single reads

    async def async_read(
        self, device_id: str, *, expedite: bool = False, force: bool = False
    ) -> Device:
        """Read one device and tell of it; raises the client's errors.

        An expedited read within a minute of the last one is not made, as the
        API would answer from its cache, unless something was pushed since
        (`force`).
        """
        known = self.data[device_id]
        if self.account.limits.remaining:
            raise self.account.limits.held_back()
        if expedite and not self._captures.async_expedite(device_id, force=force):
            return known
        asked_at, since = mark(), self.account.clock.now()
        try:
            with self._captures.reading(device_id):
                device = await self.account.client.async_get_device(
                    self.device_type, device_id, known=known, expedite=expedite
                )
        except AmpsError as err:
            self._captures.async_failed(device_id)
            blamed = await self.async_blame(err)
            self.async_take_error(known, blamed)
            raise blamed from err
        if (current := self.data.get(device_id)) is None:
            return device
        device = self._captures.settled(device)
        if self._captures.is_from_cache(device, known, since):
            self.async_hurry(BUSY)
        if self._captures.is_overtaken(device, current, asked_at):
            return current
        self._captures.async_read(device, asked_at)
        if self.presence.async_answered(device_id):
            self.news.take(device_id, None)
        self.data[device_id] = device
        # One that no list has stays unavailable, whatever it is like now.
        if not self.presence.is_missing(device_id):
            self._note(current, device)
        self.async_update_listeners()
        return device

    async def async_blame(self, err: AmpsError) -> AmpsError:
        """Return an error as it is, or as the key's, if that is to blame.

        The API says the same of a key that ended as of credentials that the
        manufacturer refuses. The next list knows which it is.
        """
        if isinstance(err, AmpsDeviceCredentialsError) and err.code == INVALID_KEY:
            refused_at = mark()
            async with self._blaming:
                if not self._grace.has_answered_since(refused_at):
                    await self.async_refresh()
            if self.account.limits.key_refused:
                return AmpsInvalidKeyError(err.message, code=err.code)
        return err

    @callback
    def async_take_error(self, device: Device, err: AmpsError) -> None:
        """Take note of an error of a request for one device."""
        device_id = device.id
        self.refusals.async_call(device, err)
        # A page of a proxy that says 404 has no code, and says nothing of a device.
        if isinstance(err, AmpsDeviceNotFoundError) and err.is_final:
            if self.presence.is_doubted(device_id):
                self._remove(device_id)
                return
            self.presence.async_failed(device_id, err)
        elif isinstance(err, AmpsDeviceOfflineError):
            self.presence.async_failed(device_id, err)
        else:
            self.account.limits.refused(err)
            return
        self.async_tell(device_id)

    @callback
    def _remove(self, device_id: str) -> None:
        """Remove a device that the account does not have any more."""
        self.async_forget(device_id)
        self.account.async_remove_device(device_id)

    @callback
    def async_forget(self, device_id: str) -> None:
        """Forget a device, and have others forget it."""
        self.data.pop(device_id, None)
        self.presence.async_forget(device_id)
        self._captures.async_forget(device_id)
        self.account.async_forget(device_id)
        self._shape_listeners.async_call(device_id, None)
