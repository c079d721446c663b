"""The Amps AI client: routes, the one unwrap, paging and time limits."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from itertools import count
import logging
from math import ceil
from typing import Any, Final

import aiohttp
import attr
import orjson

from .actions import Action
from .addresses import (
    API_URL,
    Environment,
    action_path,
    device_path,
    environment_of_key,
    route,
)
from .clock import Clock, mark, passed
from .commands import Push, push_body, settings_body
from .device import Device
from .errors import (
    AmpsClosedError,
    AmpsDeviceNotFoundError,
    AmpsInvalidKeyError,
    AmpsMalformedReplyError,
    AmpsRefusedError,
    Scope,
    error_type,
)
from .listing import Listing, ListPass, Pace, Page, page_of
from .lost import no_answer, sent_once
from .pages import PageMemory
from .redact import REDACTED, map_texts, pattern_of, redacted
from .values import (
    Json,
    MalformedError,
    instant,
    mapping,
    number,
    text,
    told,
    word,
    words,
)
from .vocabulary import DeviceType

PAGE_SIZE: Final = 50
# A live read waits for the manufacturer, which can take its time.
TIMEOUT: Final = aiohttp.ClientTimeout(total=30, connect=10)
# Far more than a page of 50 devices; a bound on what a broken proxy can send.
_MOST_BYTES: Final = 8 * 1024 * 1024
_LIST_PASSES: Final = 3
# Nobody is silenced for longer by one answer.
_LONGEST_WAIT: Final = 86400
# So much of a body is logged.
_MOST_LOGGED: Final = 4000
_LOGGER: Final = logging.getLogger(__package__)


class AmpsClient:
    """Talk to Amps AI with one key, for one end user or for all of them.

    The session is the caller's: it is used, never closed. Every method
    raises an AmpsError of `errors` and nothing else.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        api_key: str,
        *,
        user_id: str | None = None,
        base_url: str = API_URL,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        """Keep what every request needs."""
        self._session = session
        self._headers = {"x-api-key": api_key, "Accept": "application/json"}
        self._user_id = user_id
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._secrets = pattern_of(api_key, user_id)
        self._reported_environment: Environment | None = None
        self._key_environment = environment_of_key(api_key)
        self.clock = Clock()
        self._closed = False
        # Page by page; what says the same as before is not read again.
        self._pages: dict[DeviceType, list[PageMemory]] = {}
        # How often which route was asked, and how that ended.
        self.requests: Counter[str] = Counter()

    def close(self) -> None:
        """Send nothing any more: whoever asks after this raises AmpsClosedError."""
        self._closed = True

    @property
    def environment(self) -> Environment:
        """Return where the devices are: as the API says, else as the key does."""
        return self._reported_environment or self._key_environment

    # Devices

    async def async_list_devices(
        self, device_type: DeviceType, known: Mapping[str, Device] | None = None
    ) -> Listing:
        """List all devices of a type, with their state as last captured.

        `known` are the devices of the last time: what did not change is
        handed out again as the same object. Devices that cannot be read are
        left out and told in `malformed`.
        """
        seen: dict[str, Device] = dict(known or {})
        found: dict[str, Device] = {}
        ended = False
        pace = Pace()
        for _ in range(_LIST_PASSES):
            one_pass = await self._async_list_once(device_type, seen, pace)
            if one_pass.stable and one_pass.ended:
                return Listing(
                    devices=one_pass.devices,
                    complete=one_pass.complete,
                    malformed=tuple(one_pass.malformed),
                )
            # Something came or went meanwhile, so a device may have slipped
            # between two pages: read them once more.
            found |= one_pass.devices
            seen |= one_pass.devices
            ended |= one_pass.ended
            if pace.is_over:
                break
        return Listing(
            devices=found,
            complete=False,
            malformed=tuple(one_pass.malformed),
            ended=ended,
        )

    async def async_count_devices(self, device_type: DeviceType) -> int:
        """Return how many devices of a type there are, with one small request."""
        page = await self._async_page(device_type, 0, limit=1)
        return len(page.items) if page.total is None else page.total

    async def async_get_device(
        self,
        device_type: DeviceType,
        device_id: str,
        *,
        known: Device | None = None,
        expedite: bool = False,
    ) -> Device:
        """Read one device; at most 15 minutes old, 1 minute if expedited."""
        data = await self._async_request(
            "GET",
            device_path(device_type, device_id),
            params={"expedite": "true"} if expedite else None,
            scope=Scope.DEVICE,
        )
        try:
            device = Device.from_raw(device_type, data, known=known, detailed=True)
        except MalformedError as err:
            raise AmpsMalformedReplyError(str(err)) from err
        if device.id != device_id:
            raise AmpsMalformedReplyError("the reply is about another device")
        return device

    # Commands

    async def async_push(self, device: Device, push: Push) -> Action:
        """Push a command to a device and return the action that it became."""
        body = push_body(device, push)
        with sent_once():
            return _action(
                await self._async_request(
                    "POST",
                    device_path(device.type, device.id),
                    json=body,
                    scope=Scope.DEVICE,
                )
            )

    async def async_update_settings(
        self, device: Device, values: Mapping[str, float]
    ) -> tuple[str, ...]:
        """Write settings of a device; return the names of those written.

        Raises RequestRefusedError where the device has no such setting.
        """
        body = settings_body(device, values)
        with sent_once():
            data = await self._async_request(
                "POST",
                f"{device_path(device.type, device.id)}/settings",
                json=body,
                scope=Scope.DEVICE,
            )
        return words((mapping(data) or {}).get("updated"))

    # Actions

    async def async_get_action(self, action_id: str) -> Action:
        """Read what became of an action."""
        return _action(
            await self._async_request("GET", action_path(action_id), scope=Scope.DEVICE)
        )

    async def async_cancel_action(self, action_id: str) -> Action:
        """Cancel an action that has not begun yet."""
        return _action(
            await self._async_request(
                "POST", f"{action_path(action_id)}/cancel", scope=Scope.DEVICE
            )
        )

    async def async_list_actions(
        self,
        *,
        device_id: str | None = None,
        device_type: DeviceType | None = None,
        user_id: str | None = None,
        state: str | None = None,
        limit: int = PAGE_SIZE,
    ) -> tuple[Action, ...]:
        """List actions, newest first, at most `limit` of them."""
        filters = {
            "deviceId": device_id,
            "deviceType": device_type,
            "userId": user_id,
            "state": state,
        }
        actions: dict[str, Action] = {}
        offset = 0
        for _page in range(ceil(limit / PAGE_SIZE) + 1):
            params = {
                "offset": str(offset),
                "limit": str(min(PAGE_SIZE, limit - len(actions))),
            }
            params |= {name: str(by) for name, by in filters.items() if by is not None}
            page = page_of(await self._async_request("GET", "/actions", params=params))
            for item in page.items:
                try:
                    action = Action.from_raw(item)
                except MalformedError as err:
                    _LOGGER.debug("Left out of the actions: %s", err)
                else:
                    actions.setdefault(action.id, action)
            offset += len(page.items)
            if len(actions) >= limit or not page.items or not page.has_more:
                break
        return tuple(actions.values())[:limit]

    # How it is done

    async def _async_list_once(
        self, device_type: DeviceType, known: Mapping[str, Device], pace: Pace
    ) -> ListPass:
        """Read the pages of a list from first to last."""
        one_pass = ListPass()
        offset = 0
        total: int | None = None
        previous: list[Any] = []
        before = self._pages.get(device_type, [])
        pages: list[PageMemory] = []
        for number_of_page in count():
            pages += before[number_of_page : number_of_page + 1] or [PageMemory()]
            await pace.async_next()
            page = await self._async_page(device_type, offset, known=pages[-1])
            if offset and page.total != total:
                one_pass.stable = False
            total = page.total
            new = one_pass.read(device_type, page.items, known)
            offset += len(page.items)
            # Rows that came twice leave others out: what counts is what was read.
            if total is None:
                one_pass.complete = not page.has_more or not page.items
            else:
                one_pass.complete = one_pass.count >= total
            if not page.items or not (page.has_more or not one_pass.complete):
                break
            if total is not None and offset > total + 2 * len(page.items):
                break
            # A server that goes on repeating itself has no more to say.
            if previous and not new:
                break
            if page.items == previous:
                break
            if pace.is_over:
                one_pass.ended = one_pass.complete = False
                # So much is nothing to remember.
                pages.clear()
                break
            previous = page.items
        # Kept only now: a list that broke off on its way may have had no end.
        self._pages[device_type] = pages
        return one_pass

    async def _async_page(
        self,
        device_type: DeviceType,
        offset: int,
        limit: int = PAGE_SIZE,
        known: PageMemory | None = None,
    ) -> Page:
        params = {"offset": str(offset), "limit": str(limit)}
        if self._user_id is not None:
            params["userId"] = self._user_id
        return page_of(
            await self._async_request(
                "GET", f"/{device_type.path}", params=params, known=known
            )
        )

    async def _async_request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Json | None = None,
        scope: Scope = Scope.ACCOUNT,
        known: PageMemory | None = None,
    ) -> Any:
        """Send a request and return the unwrapped `data` of its reply.

        It is the object of the last time where it says the same as `known`.
        """
        if self._closed:
            raise AmpsClosedError("the client is closed")
        headers = self._headers
        body: bytes | None = None
        if json is not None:
            headers = {**headers, "Content-Type": "application/json"}
            body = orjson.dumps(json)
        started = mark()
        outcome = "no answer"
        content = b""
        try:
            # The library's own limit of the whole would swallow one of the caller's,
            # or an end of the task, that comes in the same moment.
            async with (
                asyncio.timeout(self._timeout.total),
                self._session.request(
                    method,
                    f"{self._base_url}{path}",
                    params=params,
                    data=body,
                    headers=headers,
                    timeout=attr.evolve(self._timeout, total=None),
                    # A redirect would carry the key to wherever it leads.
                    allow_redirects=False,
                ) as response,
            ):
                content = await _async_read(response)
                status = response.status
                outcome = str(status)
                retry_after = self._seconds(response.headers.get("Retry-After"))
        # The library's own words can hold the whole address, and with it the
        # user id: neither they nor the cause go any further.
        except (TimeoutError, aiohttp.ClientError, OSError, RuntimeError) as err:
            raise no_answer(err) from None
        except ValueError:
            raise AmpsInvalidKeyError("the API key cannot be sent") from None
        finally:
            self.requests[f"{method} {route(path)} {outcome}"] += 1
            if _LOGGER.isEnabledFor(logging.DEBUG):
                _LOGGER.debug(
                    "%s %s %s -> %s in %.0f ms: %s",
                    method,
                    path,
                    self._told(json if json is not None else params or {}),
                    outcome,
                    1e3 * passed(started),
                    self._told(content),
                )
        if known is None or status != HTTPStatus.OK:
            return self._unwrap(content, status, retry_after, scope)
        if (recalled := known.recall(content)) is not None:
            data, meta = recalled
            self._take_meta(meta)
            return data
        data = self._unwrap(content, status, retry_after, scope)
        known.keep(content, data)
        return data

    def _seconds(self, value: str | None) -> float | None:
        """Read a Retry-After, given in seconds or as a date."""
        if value is None:
            return None
        try:
            seconds = number(float(value))
        except ValueError:
            try:
                seconds = self.clock.seconds_until(parsedate_to_datetime(value))
            except TypeError, ValueError:
                return None
        return None if seconds is None else min(max(0, seconds), _LONGEST_WAIT)

    def _take_meta(self, meta: Json) -> None:
        """Take note of what a good reply says of the API itself."""
        environment = text(meta.get("environment"))
        if environment is not None and environment in Environment:
            self._reported_environment = Environment(environment)
        if (timestamp := instant(meta.get("timestamp"))) is not None:
            self.clock.told(timestamp)

    def _unwrap(
        self, content: bytes, status: int, retry_after: float | None, scope: Scope
    ) -> Any:
        """Return what a reply carries, enveloped or bare, or raise its error."""
        try:
            reply = orjson.loads(content)
        except orjson.JSONDecodeError:
            reply = None
        envelope = reply if isinstance(reply, dict) else {}
        meta = mapping(envelope.get("meta")) or {}
        good = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
        error = mapping(envelope.get("error"))
        if error is None and not good and envelope.keys() & {"code", "message"}:
            # Refused before the API's own words for it.
            error = envelope
        if good and envelope and error is None and envelope.get("success") is not False:
            self._take_meta(meta)
            return envelope.get("data") if "success" in envelope else envelope
        kind = error_type(scope, status, code := text((error or {}).get("code")))
        # A page says nothing of a device, or of an action, whatever its status.
        if (
            error is None
            and not envelope
            and (good or kind in (AmpsRefusedError, AmpsDeviceNotFoundError))
        ):
            raise AmpsMalformedReplyError("the answer is not the API's", status=status)
        error = error or {}
        message = error.get("message")
        said = text(message) or ", ".join(words(message))
        raise kind(
            told(self.scrub(said)) or f"HTTP status {status}",
            code=word(self.scrub(code)),
            status=status,
            details=self.scrub(mapping(error.get("details"))),
            request_id=word(self.scrub(text(meta.get("requestId")))),
            retry_after=retry_after,
        )

    def _told(self, body: object) -> str:
        """Return a body as it may be logged: nobody's secrets, nobody's name."""
        said = body
        if isinstance(body, bytes):
            try:
                said = orjson.loads(body)
            except orjson.JSONDecodeError:
                return f"{len(body)} bytes that are no JSON"
        told = orjson.dumps(redacted(self.scrub(said))).decode()
        return told if len(told) <= _MOST_LOGGED else f"{told[:_MOST_LOGGED]}…"

    def scrub[ValueT](self, value: ValueT) -> ValueT:
        """Take the key and the user id out of a JSON value, such as the API echoes."""
        scrubbed: ValueT = map_texts(value, self._scrub_text)
        return scrubbed

    def _scrub_text(self, text: str) -> str:
        return text if self._secrets is None else self._secrets.sub(REDACTED, text)


def _action(data: object) -> Action:
    try:
        return Action.from_raw(data)
    except MalformedError as err:
        raise AmpsMalformedReplyError(str(err)) from err


async def _async_read(response: aiohttp.ClientResponse) -> bytes:
    """Read a reply's body, up to a bound."""
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > _MOST_BYTES:
            raise AmpsMalformedReplyError("the answer is too large")
    return bytes(content)
