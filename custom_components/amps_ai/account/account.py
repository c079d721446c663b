"""What all devices of one account share: the client, its limits, its names."""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.const import CONF_API_KEY
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.util.hass_dict import HassKey

from ..api import (
    AmpsClient,
    AmpsError,
    AmpsLiveAccessError,
    AmpsPermissionError,
    Device,
    DeviceType,
    Listing,
    link_url,
)
from ..api.addresses import external_user_ref
from ..api.clock import Clock
from ..common import issues
from ..common.const import (
    CONF_APP_ID,
    CONF_USER_ID,
    DOMAIN,
    LOGGER,
    api_url,
    link_base_url,
)
from ..common.errors import refused_by_state, spoken_errors
from ..common.listeners import Listeners
from ..common.names import (
    distinct_name,
    given_name,
    plain_name,
    plain_text,
    vendor_name,
)
from ..common.words import said
from .limits import LIMITS, Limits

# So many devices are named in one line of the log.
_MOST_NAMED: Final = 5
# By loaded entry: what tells whether it has a device.
_OWNERS: Final[HassKey[dict[str, Callable[[str], bool]]]] = HassKey(f"{DOMAIN}_owners")


def create_client(hass: HomeAssistant, api_key: str, user_id: str | None) -> AmpsClient:
    """Return a client that uses Home Assistant's own session."""
    return AmpsClient(
        async_get_clientsession(hass),
        api_key,
        user_id=user_id,
        base_url=api_url(),
    )


@callback
def async_end_reauth(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Close the request for a new key."""
    for flow in entry.async_get_active_flows(hass, {SOURCE_REAUTH}):
        hass.config_entries.flow.async_abort(flow["flow_id"])


class AmpsAccount:
    """The account behind an entry."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Make the client; nothing is asked yet."""
        self.hass = hass
        self.entry = entry
        self.client = create_client(
            hass, entry.data[CONF_API_KEY], entry.data.get(CONF_USER_ID)
        )
        # What a set-up that came to nothing was told counts for the next one.
        key, limits = hass.data.get(LIMITS, {}).pop(entry.entry_id, (None, None))
        same_key = key == entry.data[CONF_API_KEY]
        self.limits = limits if limits is not None and same_key else Limits()
        self._owners: dict[str, DeviceType] = {}
        # Default names, and whose they are; those of earlier runs stay theirs.
        self._names: dict[str, str] = {}
        self._named: dict[str, str] = {}
        self._told: set[str] = set()
        # Of each type's list, what another one has already.
        self._twice: dict[DeviceType, set[str]] = {}
        # Which types' lists are denied, and as what.
        self._denied: dict[str, str] = {}
        self._elsewhere: dict[DeviceType, frozenset[str]] = {}
        self._ended = False
        entry.async_on_unload(self._end)
        # Held by whoever does much for many devices, bit by bit.
        self.at_work = asyncio.Lock()
        # Told when a list had no answer, or was too much: is it so for all of them?
        self.troubled = Listeners[[]]()
        # As what the devices are registered: vendor and model.
        self._described: dict[str, tuple[str | None, str | None]] = {}
        self._service_id = ""

    @callback
    def _end(self) -> None:
        self._ended = True
        self.client.close()

    def has_ended(self) -> bool:
        """Tell whether the entry was unloaded."""
        return self._ended

    async def async_run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Do something that ends with the entry, for one who waits for it.

        After the end of an entry nothing may be sent, told or opened: who waits
        then, is told so.
        """
        if self.has_ended():
            work.close()
            raise refused_by_state("entry_ended", self.entry.title)
        task = self.entry.async_create_background_task(
            self.hass, work, name="Amps AI call"
        )
        try:
            return await task
        except asyncio.CancelledError:
            if self.has_ended() and task.cancelled():
                raise refused_by_state("entry_ended", self.entry.title) from None
            raise

    @property
    def clock(self) -> Clock:
        """Return the API's clock."""
        return self.client.clock

    @property
    def link_url(self) -> str:
        """Return the address where devices are connected to the account."""
        return self._link_url()

    @property
    def can_link(self) -> bool:
        """Tell whether what is linked there belongs to the user of the entry."""
        user_id: str | None = self.entry.data.get(CONF_USER_ID)
        return user_id is None or external_user_ref(user_id) is not None

    def link_url_of(self, device: Device) -> str:
        """Return the address where a device is linked again."""
        return self._link_url(device_type=device.type, max_devices=1)

    def _link_url(
        self, device_type: DeviceType | None = None, max_devices: int | None = None
    ) -> str:
        user_id: str | None = self.entry.data.get(CONF_USER_ID)
        return link_url(
            self.entry.data[CONF_APP_ID],
            self.client.environment,
            base_url=link_base_url(),
            # Else what is connected there belongs to somebody new.
            external_user_ref=external_user_ref(user_id),
            device_type=device_type,
            max_devices=max_devices,
        )

    # Answers and refusals

    @callback
    def async_keep_limits(self) -> None:
        """Have the next set-up hold back as this one, which came to nothing."""
        self.hass.data.setdefault(LIMITS, {})[self.entry.entry_id] = (
            self.entry.data[CONF_API_KEY],
            self.limits,
        )

    @callback
    def async_answered(self, asker: str, asked_at: float) -> None:
        """Take note of an answer to one who polls."""
        if self.limits.answered(asker, asked_at):
            # The old key is good again: nobody needs to type a new one.
            async_end_reauth(self.hass, self.entry)

        self._denied.pop(asker, None)
        self._async_tell_denied()

    @callback
    def async_list_refused(self, asker: str, err: AmpsError) -> None:
        """Take note that a list is denied, as a person has to mend that."""
        # A page of a proxy that says 403 has no code, and says nothing of a key.
        if isinstance(err, AmpsPermissionError) and err.code is not None:
            self._denied[asker] = (
                issues.LIVE_ACCESS_DISABLED
                if isinstance(err, AmpsLiveAccessError)
                else issues.INSUFFICIENT_PERMISSIONS
            )
            self._async_tell_denied()

    @callback
    def _async_tell_denied(self) -> None:
        for key in issues.DENIALS:
            if key in self._denied.values():
                issues.async_denied(self.hass, self.entry, key)
            else:
                issues.async_allowed(self.hass, self.entry, key)

    @callback
    def async_tell_once(self, text: str) -> None:
        """Log something odd, the first time that it is seen."""
        if text not in self._told:
            self._told.add(text)
            LOGGER.warning("%s", text)

    @callback
    def async_tell_odd(self, device_type: DeviceType, listing: Listing) -> None:
        """Log what is odd about a list."""
        for reason in listing.malformed:
            self.async_tell_once(f"Left out of the {device_type.path} list: {reason}")
        if not listing.ended:
            self.async_tell_once(
                f"The {device_type.path} list does not end: it is asked for seldom,"
                " and devices that are new in it are not used"
            )

    @contextmanager
    def speaking(self, name: str) -> Generator[None]:
        """Let errors out in words, after the account took note of them."""
        with spoken_errors(name):
            try:
                yield
            except AmpsError as err:
                self.limits.refused(err)
                raise

    # Devices

    @callback
    def async_claim(self, device: Device) -> bool:
        """Tell whether a device is this type's; an id belongs to one type."""
        return self._owners.setdefault(device.id, device.type) is device.type

    @callback
    def async_tell_twice(
        self, device_type: DeviceType, devices: Sequence[Device]
    ) -> None:
        """Log once which devices of a type's list are another type's already."""
        told = self._twice.setdefault(device_type, set())
        if not (new := [item.id for item in devices if item.id not in told]):
            return
        told.update(new)
        named = ", ".join(
            f"{item} ({self._owners[item]})" for item in new[:_MOST_NAMED]
        )
        more = len(new) - _MOST_NAMED
        LOGGER.warning(
            "The %s list has devices of other types, which are used as those only: %s",
            device_type.path,
            f"{named} and {more} more" if more > 0 else named,
        )

    @callback
    def async_share(self, has: Callable[[str], bool]) -> None:
        """Let the other entries ask which devices this one has."""
        owners = self.hass.data.setdefault(_OWNERS, {})
        owners[self.entry.entry_id] = has

        @callback
        def _stop() -> None:
            del owners[self.entry.entry_id]

        self.entry.async_on_unload(_stop)

    @callback
    def async_is_elsewhere(self, device: Device) -> bool:
        """Tell whether another entry has a device already."""
        return self._other_owner(device.id) is not None

    def _other_owner(self, device_id: str) -> ConfigEntry | None:
        registry = dr.async_get(self.hass)
        identifier = (DOMAIN, device_id)
        own = self.async_registered(device_id)
        for entry in self.hass.config_entries.async_entries(DOMAIN):
            if entry.entry_id == self.entry.entry_id:
                continue
            other = registry.async_get_device_by_identifier(identifier, entry.entry_id)
            if other is None:
                # One that is being set up has it before the registry does.
                has = self.hass.data.get(_OWNERS, {}).get(entry.entry_id)
                if own is None and has and has(device_id):
                    return entry
            elif own is None or (other.created_at, other.id) < (
                own.created_at,
                own.id,
            ):
                return entry
        return None

    @callback
    def async_tell_elsewhere(
        self, device_type: DeviceType, devices: list[Device]
    ) -> None:
        """Tell which devices of a type are left out, as another entry has them."""
        ids = frozenset(device.id for device in devices)
        if self._elsewhere.get(device_type) == ids:
            return
        self._elsewhere[device_type] = ids
        owned = {
            device.id: (plain_name(device), owner.title)
            for device in devices
            if (owner := self._other_owner(device.id)) is not None
        }
        issues.async_owned_elsewhere(self.hass, self.entry, device_type, owned)

    @callback
    def async_registered(self, device_id: str) -> dr.DeviceEntry | None:
        """Return a device of the account, or the account itself, as registered."""
        return dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, device_id), self.entry.entry_id
        )

    @callback
    def async_on_removed(self, forget: CALLBACK_TYPE) -> None:
        """Have devices forgotten that are not registered any more."""

        @callback
        def _updated(event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
            if event.data["action"] == "remove":
                forget()

        self.entry.async_on_unload(
            self.hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, _updated)
        )
        forget()

    @callback
    def async_remove_device(self, device_id: str) -> None:
        """Remove a device that the account does not have any more."""
        if (entry := self.async_registered(device_id)) is not None:
            dr.async_get(self.hass).async_remove_device(entry.id)

    @callback
    def async_forget(self, device_id: str) -> None:
        """Forget a device that is gone."""
        self._owners.pop(device_id, None)
        self._described.pop(device_id, None)
        if (name := self._names.pop(device_id, None)) is not None:
            self._named.pop(name, None)

    @callback
    def async_register_service(self) -> None:
        """Register the account itself, which all devices are linked to."""
        registry = dr.async_get(self.hass)
        service = registry.async_get_or_create(
            config_entry_id=self.entry.entry_id, **self.service_info
        )
        self._service_id = service.id
        for entry in dr.async_entries_for_config_entry(registry, self.entry.entry_id):
            for domain, device_id in entry.identifiers:
                if domain == DOMAIN and entry.name:
                    self._names[device_id] = entry.name
                    self._named[entry.name] = device_id

    @property
    def service_info(self) -> DeviceInfo:
        """Describe the account as a device."""
        return DeviceInfo(
            identifiers={(DOMAIN, self.entry.entry_id)},
            name=self.entry.title,
            manufacturer="Amps AI",
            # Beside the button that leads to the Link UI.
            model=None if self.can_link else said(self.hass, "common.linked_elsewhere"),
            entry_type=DeviceEntryType.SERVICE,
            configuration_url=self.link_url,
        )

    @callback
    def async_name(self, device: Device) -> str:
        """Return a device's default name, which no other of the account has."""
        given = self._names.get(device.id)

        def _owner(name: str) -> DeviceType | None:
            other = self._named.get(name, device.id)
            # One of an earlier run, or the account itself, may be of any type.
            return None if other == device.id else self._owners.get(other, device.type)

        name = distinct_name(device, given, _owner)
        if name != given:
            if given is not None:
                self._named.pop(given, None)
            self._names[device.id] = name
            self._named[name] = device.id
        return name

    @callback
    def async_spoken_name(self, device: Device) -> str:
        """Return what the person calls a device, for messages."""
        entry = self.async_registered(device.id)
        return given_name(entry) or self.async_name(device)

    @callback
    def async_redescribe(self, device: Device) -> None:
        """Register a device anew, if it is registered as something else."""
        if device.id in self._described:
            self.async_device_entry(device)

    @callback
    def async_device_entry(self, device: Device) -> dr.DeviceEntry:
        """Return a device as registered, for all of its entities.

        Registered once for all of them: to have each entity do it takes a
        sixth of the time of a set-up.
        """
        described = (device.vendor, device.model)
        if self._described.get(device.id) == described:
            if (entry := self.async_registered(device.id)) is not None:
                return entry
        self._described[device.id] = described
        return dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.entry.entry_id,
            identifiers={(DOMAIN, device.id)},
            name=self.async_name(device),
            manufacturer=vendor_name(device.vendor),
            model=plain_text(device.model or "") or None,
            via_device_id=self._service_id,
        )
