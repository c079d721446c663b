"""Webhooks: what Amps AI tells by itself, the moment that it happens.

A delivery is verified, answered, and only then worked on. The answers make
the sender behave: 401 and 413 refuse it, 500 has it sent again, and 200 ends
it, also where it brings nothing (known already, not of this entry, not
understood), as sending it again would not help.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from aiohttp import ClientError, StreamReader, hdrs
from aiohttp.web import Request, Response
from aiohttp.web_protocol import RequestPayloadError
from homeassistant.components import webhook
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback

from ..api.clock import Clock, mark, passed
from ..api.models import mapping, number
from ..api.webhook import (
    InvalidSecretError,
    RefusedDeliveryError,
    WebhookEvent,
    WebhookVerifier,
    parse_event,
)
from ..common import issues
from ..common.const import (
    CONF_WEBHOOK,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    LOGGER,
    link_base_url,
)
from ..common.memory import Memory, async_remove as async_remove_memory
from .address import async_delete_cloudhook
from .silence import Silence

_MEMORY: Final = "webhook"
# A delivery is a small object; nothing genuine comes near this.
_MOST_BYTES: Final = 64 * 1024
# A delivery is sent again for a day and more; so long its id is remembered.
_REMEMBER: Final = timedelta(days=3)
_MOST_IDS: Final = 5000
# Deliveries that come while the entry is being set up wait for its end, as many
# and as long as this; the sender gives up after 30 seconds.
_MOST_WAITING: Final = 1000
_SET_UP_WAIT: Final = 20
# The secret must be wrong after so many refused deliveries within this time.
_REFUSED: Final = 5
_REFUSED_WITHIN: Final = timedelta(hours=1)


# The life of an entry


async def async_register(
    hass: HomeAssistant, entry: ConfigEntry
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


async def async_remove(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove what an entry leaves behind: issues, memory and cloudhook."""
    if CONF_WEBHOOK_ID not in entry.data:
        return
    await _async_forget(hass, entry)
    await async_delete_cloudhook(hass, entry)


async def _async_forget(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget which webhooks came."""
    issues.async_secret_right(hass, entry)
    await async_remove_memory(hass, entry, _MEMORY)


class WebhookReceiver:
    """Receive the webhooks of one entry."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, verifier: WebhookVerifier
    ) -> None:
        """Start with nothing received."""
        self.hass = hass
        self._entry = entry
        # The machine's own, which deliveries are verified by.
        self._clock = Clock()
        self._verifier = verifier
        self._memory = Memory(hass, entry, _MEMORY, self._data)
        # The ids of deliveries, oldest first, and when they came.
        self._seen: dict[str, float] = {}
        self._refused: deque[float] = deque(maxlen=_REFUSED)
        self._verified = False
        # How many told what is not known, such as events that are to come.
        self._unknown = 0
        self._take: Callable[[WebhookEvent], None] | None = None
        # Set once it is known what becomes of deliveries, which wait until then.
        self._settled = asyncio.Event()
        self._waiting = 0
        self.silence = Silence(hass, entry)

    async def async_load(self) -> None:
        """Remember what earlier runs have seen."""
        stored = await self._memory.async_load()
        seen = mapping(stored.get("seen")) or {}
        self._seen = {
            delivery_id: at
            for delivery_id, value in seen.items()
            if (at := number(value)) is not None
        }

    @callback
    def async_begin(self, take: Callable[[WebhookEvent], None]) -> None:
        """Hand on what comes, now that the entry is set up."""
        self._take = take
        self.silence.async_begin(self._verified)
        self._settled.set()

    async def async_stop(self) -> None:
        """Stop, and leave nothing behind but the memory."""
        self._take = None
        self._settled.set()
        self.silence.async_stop()
        await self._memory.async_save_now()

    @property
    def works(self) -> bool:
        """Tell whether webhooks come, and on time."""
        return self.silence.works

    def as_dict(self) -> dict[str, Any]:
        """Return the state, for diagnostics."""
        return {
            "verified": self._verified,
            "work": self.works,
            "deliveries_remembered": len(self._seen),
            "not_understood": self._unknown,
            "refused_lately": len(self._refused),
            "waiting": self._waiting,
            "overdue": len(self.silence),
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
        if self._has_ended:
            return HTTPStatus.SERVICE_UNAVAILABLE
        try:
            delivery_id = self._verifier.verify(body, request.headers)
        except RefusedDeliveryError:
            self._note_refused()
            return HTTPStatus.UNAUTHORIZED
        self._note_verified()
        if (take := await self._async_taker()) is None:
            # It is sent again, and there may be somebody who takes it then.
            return HTTPStatus.SERVICE_UNAVAILABLE
        if delivery_id not in self._seen:
            event = parse_event(body, link_base=link_base_url())
            if event is None:
                self._unknown += 1
                LOGGER.debug("A webhook told something that is not known")
            else:
                take(event)
            # What failed until here is to be taken when it is sent again.
            self._remember(delivery_id)
        # Only what is remembered over a sudden end is answered for.
        await self._memory.async_save_now()
        return HTTPStatus.OK

    @property
    def _has_ended(self) -> bool:
        return self._settled.is_set() and self._take is None

    async def _async_taker(self) -> Callable[[WebhookEvent], None] | None:
        """Return who takes an event, None if there is nobody; set-up is waited for."""
        if self._settled.is_set() or self._waiting >= _MOST_WAITING:
            return self._take
        self._waiting += 1
        try:
            async with asyncio.timeout(_SET_UP_WAIT):
                await self._settled.wait()
        except TimeoutError:
            LOGGER.debug("A webhook came long before the set-up was done")
        finally:
            self._waiting -= 1
        return self._take

    @callback
    def _note_refused(self) -> None:
        """Take note of a delivery that is not genuine."""
        self._refused.append(mark())
        LOGGER.debug("A webhook was refused")
        if (
            len(self._refused) == _REFUSED
            and passed(self._refused[0]) < _REFUSED_WITHIN.total_seconds()
        ):
            issues.async_secret_wrong(self.hass, self._entry)

    @callback
    def _note_verified(self) -> None:
        """Take note of a genuine delivery."""
        self._verified = True
        self._refused.clear()
        issues.async_secret_right(self.hass, self._entry)
        self.silence.async_heard()

    @callback
    def _remember(self, delivery_id: str) -> None:
        """Remember a delivery, and forget those that nobody sends any more."""
        now = self._clock.now().timestamp()
        self._seen[delivery_id] = now
        oldest = now - _REMEMBER.total_seconds()
        for known, at in tuple(self._seen.items()):
            if at >= oldest and len(self._seen) <= _MOST_IDS:
                break
            del self._seen[known]
        self._memory.async_save()

    @callback
    def _data(self) -> dict[str, Any]:
        return {"seen": self._seen}


async def _async_read(content: StreamReader) -> bytes | None:
    """Return a body as it came, or None where there is too much of it."""
    body = bytearray()
    while chunk := await content.read(_MOST_BYTES + 1 - len(body)):
        body += chunk
        if len(body) > _MOST_BYTES:
            return None
    return bytes(body)
