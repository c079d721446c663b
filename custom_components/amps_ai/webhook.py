"""Webhooks: what Amps AI tells by itself, the moment that it happens.

A delivery is verified, answered, and only then worked on. The answers make
the sender behave: 401 and 413 refuse it, 500 has it sent again, and 200 ends
it, also where it brings nothing (known already, not of this entry, not
understood), as sending it again would not help.
"""

from collections import deque
from collections.abc import Coroutine
from datetime import datetime, timedelta
from http import HTTPStatus
import sys
from typing import Any, Final

from aiohttp import ClientError, StreamReader, hdrs
from aiohttp.web import Request, Response
from aiohttp.web_protocol import RequestPayloadError
from homeassistant.components import webhook
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import CALLBACK_TYPE, Event, HassJob, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from . import issues
from .account import AmpsConfigEntry, AmpsRuntimeData
from .api import Action, ActionState
from .api.models import mapping, number
from .api.webhook import (
    DeviceConnected,
    InvalidSecretError,
    PushEnded,
    RefusedDeliveryError,
    WebhookEvent,
    WebhookVerifier,
    parse_event,
)
from .const import (
    CONF_CLOUDHOOK_URL,
    CONF_WEBHOOK,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    EVENT_ACTION,
    LOGGER,
    link_base_url,
)
from .schedule import takes_scheduling

_STORE_VERSION: Final = 1
_SAVE_DELAY: Final = 10
# A delivery is a small object; nothing genuine comes near this.
_MOST_BYTES: Final = 64 * 1024
# A delivery is sent again for a day and more; so long its id is remembered.
_REMEMBER: Final = timedelta(days=3)
_MOST_IDS: Final = 5000
# Deliveries that come while the entry is being set up wait for its end.
_MOST_WAITING: Final = 1000
# The secret must be wrong after so many refused deliveries within this time.
_REFUSED: Final = 5
_REFUSED_WITHIN: Final = timedelta(hours=1)
# Webhooks have fallen silent if one did not tell an end so long after it.
SILENCE: Final = 60


def _store(hass: HomeAssistant, entry: AmpsConfigEntry) -> Store[dict[str, Any]]:
    return Store(
        hass,
        _STORE_VERSION,
        f"{DOMAIN}.webhook.{entry.entry_id}",
        private=True,
        atomic_writes=True,
    )


# The address


async def async_address(hass: HomeAssistant, entry: AmpsConfigEntry) -> str | None:
    """Return the address that Amps AI can send to, or None if there is none."""
    webhook_id = entry.data[CONF_WEBHOOK_ID]
    if (url := await _async_cloudhook(hass, entry, webhook_id)) is not None:
        return url
    try:
        url = webhook.async_generate_url(hass, webhook_id, allow_internal=False)
    except NoURLAvailableError:
        return None
    return url if url.startswith("https://") else None


def _has_cloud() -> bool:
    """Tell whether Home Assistant Cloud may be there.

    It is a heavy import, so only what is imported already is used.
    """
    return "homeassistant.components.cloud" in sys.modules


async def _async_cloudhook(
    hass: HomeAssistant, entry: AmpsConfigEntry, webhook_id: str
) -> str | None:
    """Return the address in Home Assistant Cloud, where that is active."""
    if not _has_cloud():
        return None
    from homeassistant.components import cloud

    if not cloud.async_active_subscription(hass):
        return None
    known: str | None = entry.data.get(CONF_CLOUDHOOK_URL)
    try:
        url = await cloud.async_get_or_create_cloudhook(hass, webhook_id)
    except Exception as err:  # noqa: BLE001
        # Not connected, not available, or trouble of its own; the address stays.
        LOGGER.debug("Home Assistant Cloud gives no address: %s", type(err).__name__)
        return known
    if url != known:
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, CONF_CLOUDHOOK_URL: url}
        )
    return url


# The life of an entry


async def async_register(
    hass: HomeAssistant, entry: AmpsConfigEntry
) -> WebhookReceiver | None:
    """Register the webhook where it is switched on.

    Home Assistant answers 200 for a webhook that it does not know, and the
    event is lost. So this comes first, and what is delivered from then on
    waits until the rest is set up.
    """
    if CONF_WEBHOOK_ID not in entry.data:
        return None
    if not entry.options.get(CONF_WEBHOOK):
        await _async_forget(hass, entry)
        return None
    try:
        verifier = WebhookVerifier(entry.data.get(CONF_WEBHOOK_SECRET, ""))
    except InvalidSecretError:
        LOGGER.warning("Webhooks are on, but there is no secret to verify them with")
        return None
    # What was refused so far was refused with another secret.
    issues.async_secret_right(hass, entry)
    receiver = WebhookReceiver(hass, entry, verifier)
    await receiver.async_load()
    webhook_id = entry.data[CONF_WEBHOOK_ID]
    webhook.async_register(
        hass,
        DOMAIN,
        entry.title,
        webhook_id,
        receiver.async_handle,
        allowed_methods=(hdrs.METH_POST,),
    )
    entry.async_on_unload(receiver.async_stop)
    entry.async_on_unload(lambda: webhook.async_unregister(hass, webhook_id))
    return receiver


async def async_remove(hass: HomeAssistant, entry: AmpsConfigEntry) -> None:
    """Remove what an entry leaves behind: issues, memory and cloudhook."""
    if CONF_WEBHOOK_ID not in entry.data:
        return
    await _async_forget(hass, entry)
    if CONF_CLOUDHOOK_URL not in entry.data or not _has_cloud():
        return
    from homeassistant.components import cloud

    try:
        await cloud.async_delete_cloudhook(hass, entry.data[CONF_WEBHOOK_ID])
    except Exception as err:  # noqa: BLE001
        # It may be gone already, and an entry must always be removable.
        LOGGER.debug("The cloudhook was not deleted: %s", type(err).__name__)


async def _async_forget(hass: HomeAssistant, entry: AmpsConfigEntry) -> None:
    """Forget which webhooks came."""
    issues.async_secret_right(hass, entry)
    await _store(hass, entry).async_remove()


class WebhookReceiver:
    """Receive the webhooks of one entry."""

    def __init__(
        self, hass: HomeAssistant, entry: AmpsConfigEntry, verifier: WebhookVerifier
    ) -> None:
        """Start with nothing received."""
        self.hass = hass
        self._entry = entry
        self._verifier = verifier
        self._store = _store(hass, entry)
        self._unsaved = False
        # The ids of deliveries, oldest first, and when they came.
        self._seen: dict[str, float] = {}
        self._refused: deque[datetime] = deque(maxlen=_REFUSED)
        self._verified = False
        self._runtime: AmpsRuntimeData | None = None
        self._waiting: deque[WebhookEvent] = deque(maxlen=_MOST_WAITING)
        # The actions whose end was told, and those whose should be soon.
        self._told: deque[str] = deque(maxlen=500)
        self._overdue: dict[str, CALLBACK_TYPE] = {}

    async def async_load(self) -> None:
        """Remember what earlier runs have seen."""
        stored = await self._store.async_load() or {}
        seen = mapping(stored.get("seen")) or {}
        self._seen = {
            delivery_id: at
            for delivery_id, value in seen.items()
            if (at := number(value)) is not None
        }

    @callback
    def async_begin(self, runtime: AmpsRuntimeData) -> None:
        """Work on what comes, now that the entry is set up."""
        self._runtime = runtime
        runtime.pushes.webhooks_work = self._verified
        self._entry.async_on_unload(
            self.hass.bus.async_listen(EVENT_ACTION, self._action_ended)
        )
        while self._waiting:
            self._take(runtime, self._waiting.popleft())

    async def async_stop(self) -> None:
        """Stop, and leave nothing behind but the memory."""
        self._runtime = None
        for stop in self._overdue.values():
            stop()
        self._overdue.clear()
        if self._unsaved:
            await self._store.async_save(self._data())

    def as_dict(self) -> dict[str, Any]:
        """Return the state, for diagnostics."""
        return {
            "verified": self._verified,
            "work": self._runtime is not None and self._runtime.pushes.webhooks_work,
            "deliveries_remembered": len(self._seen),
            "refused_lately": len(self._refused),
            "waiting": len(self._waiting),
            "overdue": len(self._overdue),
        }

    # Deliveries

    async def async_handle(
        self, hass: HomeAssistant, webhook_id: str, request: Request
    ) -> Response:
        """Answer a delivery; Home Assistant would answer an exception with 200.

        Neither the answer nor the log says anything of what was delivered.
        """
        try:
            status = await self._async_receive(request)
        except Exception as err:  # noqa: BLE001
            LOGGER.error("A webhook could not be taken: %s", type(err).__name__)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        return Response(status=status)

    async def _async_receive(self, request: Request) -> HTTPStatus:
        """Verify a delivery and have it worked on; return how to answer."""
        try:
            body = await _async_read(request.content)
        except ClientError, OSError, RequestPayloadError:
            return HTTPStatus.BAD_REQUEST
        if body is None:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        try:
            delivery_id = self._verifier.verify(body, request.headers)
        except RefusedDeliveryError:
            self._note_refused()
            return HTTPStatus.UNAUTHORIZED
        self._note_verified()
        if delivery_id in self._seen:
            return HTTPStatus.OK
        event = parse_event(body, link_base=link_base_url())
        if event is None:
            LOGGER.debug("A webhook told something that is not known")
        elif self._runtime is None:
            self._waiting.append(event)
        else:
            self._take(self._runtime, event)
        # Last: what failed until here is to be taken when it is sent again.
        self._remember(delivery_id)
        return HTTPStatus.OK

    @callback
    def _note_refused(self) -> None:
        """Take note of a delivery that is not genuine."""
        now = dt_util.utcnow()
        self._refused.append(now)
        LOGGER.debug("A webhook was refused")
        if len(self._refused) == _REFUSED and now - self._refused[0] < _REFUSED_WITHIN:
            issues.async_secret_wrong(self.hass, self._entry)

    @callback
    def _note_verified(self) -> None:
        """Take note of a genuine delivery."""
        self._verified = True
        self._refused.clear()
        issues.async_secret_right(self.hass, self._entry)
        if self._runtime is not None:
            self._runtime.pushes.webhooks_work = True

    @callback
    def _remember(self, delivery_id: str) -> None:
        """Remember a delivery, and forget those that nobody sends any more."""
        now = dt_util.utcnow().timestamp()
        self._seen[delivery_id] = now
        oldest = now - _REMEMBER.total_seconds()
        for known, at in tuple(self._seen.items()):
            if at >= oldest and len(self._seen) <= _MOST_IDS:
                break
            del self._seen[known]
        self._save()

    @callback
    def _save(self) -> None:
        self._unsaved = True
        self._store.async_delay_save(self._data, _SAVE_DELAY)

    @callback
    def _data(self) -> dict[str, Any]:
        self._unsaved = False
        return {"seen": self._seen}

    # Events

    @callback
    def _take(self, runtime: AmpsRuntimeData, event: WebhookEvent) -> None:
        """Take an event; one about a device of others is none of our business."""
        if isinstance(event, PushEnded):
            self._take_end(runtime, event.action)
            return
        coordinator = runtime.find(event.device_id)
        if coordinator is not None:
            runtime.links.async_told(coordinator.data[event.device_id], event)
        elif isinstance(event, DeviceConnected):
            # A new one, if the list then has it.
            for asked in runtime.coordinators.values():
                if event.device_type in (None, asked.device_type):
                    self._in_background(asked.async_request_refresh())

    @callback
    def _take_end(self, runtime: AmpsRuntimeData, action: Action) -> None:
        """Take the end of an action."""
        coordinator = runtime.find(action.device_id or "")
        if coordinator is None:
            return
        self._told.append(action.id)
        if (stop := self._overdue.pop(action.id, None)) is not None:
            stop()
        device = coordinator.data[action.device_id or ""]
        self._in_background(runtime.pushes.async_take_end(device, action))
        if takes_scheduling(device):
            runtime.pushes.async_schedule_changed(device)

    @callback
    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        self._entry.async_create_background_task(
            self.hass, work, name="Amps AI webhook"
        )

    # Silence

    @callback
    def _action_ended(self, event: Event) -> None:
        """Expect a webhook for an end that was found by asking."""
        action_id: str = event.data["action_id"]
        if (
            event.data["state"] not in (ActionState.COMPLETED, ActionState.FAILED)
            or action_id in self._told
            or not self._is_own(event.data["device_id"])
        ):
            return

        @callback
        def _silent(_now: datetime) -> None:
            self._overdue.pop(action_id, None)
            if self._runtime is not None:
                self._runtime.pushes.webhooks_work = False

        self._overdue[action_id] = async_call_later(
            self.hass, SILENCE, HassJob(_silent, cancel_on_shutdown=True)
        )

    def _is_own(self, device_id: str | None) -> bool:
        """Tell whether a device of Home Assistant's is one of this entry."""
        device = dr.async_get(self.hass).async_get(device_id) if device_id else None
        return device is not None and device.config_entry_id == self._entry.entry_id


async def _async_read(content: StreamReader) -> bytes | None:
    """Return a body as it came, or None where there is too much of it."""
    body = bytearray()
    while chunk := await content.read(_MOST_BYTES + 1 - len(body)):
        body += chunk
        if len(body) > _MOST_BYTES:
            return None
    return bytes(body)
