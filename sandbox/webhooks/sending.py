"""Sending: to whom, how often, and again where it failed."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
import orjson

from sandbox.account import Account
from sandbox.clock import wall
from sandbox.cloud import Cloud
from sandbox.devices import Action, Device
from sandbox.homes import Event
from sandbox.kinds import is_older
from sandbox.values import Json
from sandbox.waiting import wait_until

from .bodies import device_body, push_body, schedule_body
from .signing import checked_secret, headers_of, new_secret

KINDS: Final = (
    "push.completed",
    "push.failed",
    "device.connected",
    "device.reconnected",
    "device.disconnected",
)
# What comes with the scheduler: never by itself, only by order.
SCHEDULE_KINDS: Final = (
    "schedule.created",
    "schedule.updated",
    "schedule.cancelled",
    "schedule.slot_failed",
    "schedule.slot_skipped",
)
ORDERED: Final = (*KINDS[2:], *SCHEDULE_KINDS)
# How long to wait before each further attempt, in real seconds.
BACKOFF: Final = (5.0, 60.0, 300.0, 1800.0)
ANSWER_WITHIN: Final = 30.0
# How often somebody looks whether something is due, in real seconds.
LOOK: Final = 0.2
_KEPT: Final = 1000


@dataclass(eq=False, kw_only=True)
class Message:
    """Something to be told, and whether it was."""

    id: str
    kind: str
    body: Json
    attempts: int = 0
    delivered: bool = False

    @property
    def raw(self) -> bytes:
        """The body as it is sent."""
        return orjson.dumps(self.body)


@dataclass(kw_only=True)
class Attempt:
    """One attempt to deliver a message."""

    endpoint: int
    id: str
    kind: str
    number: int
    # None where no answer came.
    status: int | None

    def as_json(self) -> Json:
        """Return the attempt for the control routes."""
        return {
            "endpoint": self.endpoint,
            "id": self.id,
            "kind": self.kind,
            "number": self.number,
            "status": self.status,
        }


@dataclass(eq=False, kw_only=True)
class Endpoint:
    """Where the webhooks of an account go, and how."""

    id: int
    url: str
    account: Account
    # The newest first; after a rotation there are two.
    secrets: list[str]
    # None is every kind.
    events: frozenset[str] | None = None
    # On order: each message this many times more than once, and messages held
    # back until there are so many of them, to be sent the newest first.
    duplicates: int = 0
    reorder: int = 0
    # Each told this many times more, with an id of its own each time.
    copies: int = 0
    # How far ahead the times in the bodies are, and those that are signed, in
    # seconds.
    ahead: float = 0.0
    signed_ahead: float = 0.0
    held: list[Message] = field(default_factory=list)
    queue: deque[Message] = field(default_factory=deque)

    def rotate(self, secret: str) -> None:
        """Sign with a new secret, and with the one before for a while."""
        self.secrets = [checked_secret(secret), self.secrets[0]]

    def as_json(self) -> Json:
        """Return the endpoint for the control routes, without its secret."""
        return {
            "id": self.id,
            "url": self.url,
            "account": self.account.name,
            "events": sorted(self.events or KINDS),
            "duplicates": self.duplicates,
            "reorder": self.reorder,
            "copies": self.copies,
            "ahead": self.ahead,
            "signedAhead": self.signed_ahead,
            "waiting": len(self.queue) + len(self.held),
        }


class Webhooks:
    """Send what happens in the homes to whoever registered an address."""

    def __init__(self, cloud: Cloud, is_allowed: Callable[[str], bool]) -> None:
        """Begin with no address; `is_allowed` tells which hosts are."""
        self.cloud = cloud
        self.endpoints: list[Endpoint] = []
        self.attempts: deque[Attempt] = deque(maxlen=_KEPT)
        self.backoff: tuple[float, ...] = BACKOFF
        self.answer_within = ANSWER_WITHIN
        # The receiver's time, whatever the sandbox's clock is set to.
        self.now: Callable[[], float] = wall
        # Whether a device that is disconnected can be linked again by itself.
        self.relink = True
        self._is_allowed = is_allowed
        self._random = Random(cloud.seed)
        self._ids = count(1)
        self._running = False
        self._loop: asyncio.AbstractEventLoop
        self._stopping = asyncio.Event()
        self._session: ClientSession | None = None
        self._watch: asyncio.Task[None] | None = None
        self._workers: dict[Endpoint, asyncio.Task[None]] = {}
        self._retries: set[asyncio.Task[None]] = set()

    # Addresses.

    def add(
        self,
        url: str,
        secret: str | None = None,
        *,
        account: str = "test",
        events: list[str] | None = None,
    ) -> Endpoint:
        """Register an address; without a secret it is given one."""
        if unknown := set(events or ()) - {*KINDS, *SCHEDULE_KINDS}:
            raise ValueError(f"There is no event {', '.join(sorted(unknown))}")
        parts = urlsplit(url)
        if parts.scheme != "http" or not self._is_allowed(parts.hostname or ""):
            raise ValueError("Webhooks go to http addresses of this machine only")
        endpoint = Endpoint(
            id=next(self._ids),
            url=url,
            account=self.cloud.account(account),
            secrets=[self.new_secret() if secret is None else checked_secret(secret)],
            events=None if events is None else frozenset(events),
        )
        self.endpoints.append(endpoint)
        self._look_out()
        return endpoint

    def endpoint(self, number: int) -> Endpoint:
        """Return an address by its number."""
        for endpoint in self.endpoints:
            if endpoint.id == number:
                return endpoint
        raise KeyError(f"webhook {number}")

    def remove(self, endpoint: Endpoint) -> None:
        """Send nothing more to an address."""
        self.endpoints.remove(endpoint)
        endpoint.queue.clear()
        endpoint.held.clear()

    def new_secret(self) -> str:
        """Return a secret as the dashboard makes one."""
        return new_secret(self._random)

    # What is told.

    def tell(self, event: Event) -> None:
        """Tell of an event, where the API sends a webhook for it."""
        if not self._running or event.kind not in KINDS:
            return
        for endpoint in self.endpoints:
            if endpoint.account.home is event.home:
                older = is_older(endpoint.account.generation)
                at = event.at + endpoint.ahead
                body = self.body(event.kind, event.device, event.action, at, older)
                self.send(endpoint, event.kind, body)

    def body(
        self, kind: str, device: Device, action: Action | None, at: float, older: bool
    ) -> Json:
        """Return the body of an event."""
        if action is not None:
            return push_body(action, at, older=older)
        if kind in SCHEDULE_KINDS:
            return schedule_body(device, at)
        body = device_body(device, at)
        if kind == "device.disconnected" and self.relink:
            query = {
                "sandbox": str(device.home.environment == "sandbox").lower(),
                "reconnect": device.id,
                "token": self._random.randbytes(16).hex(),
            }
            link = f"{self.cloud.url}/link/{self.cloud.app_id}"
            body["reconnectionUrl"] = f"{link}?{urlencode(query)}"
        return body

    def send(self, endpoint: Endpoint, kind: str, body: Json) -> None:
        """Send a body to an address, if it wants this kind."""
        if endpoint.events is not None and kind not in endpoint.events:
            return
        oldest = endpoint.account.generation == "oldest"
        for _ in range(1 + endpoint.copies):
            token = self._random.randbytes(12).hex()
            sent = {"eventId": f"evt_{token}", "data": body} if oldest else body
            endpoint.held.append(Message(id=f"msg_{token}", kind=kind, body=sent))
        if len(endpoint.held) >= endpoint.reorder:
            self.release(endpoint)

    def order(
        self,
        endpoint: Endpoint,
        *,
        kind: str,
        device: str | Device,
        times: int = 1,
        **more: Any,
    ) -> Json:
        """Tell of a device by order, whether it is so or not; return the body.

        Each of the `times` has an id of its own. `more` is put into the body.
        """
        if kind not in ORDERED:
            raise ValueError(f"{kind} cannot be sent by order")
        found = self.cloud.device(device) if isinstance(device, str) else device
        at = self.cloud.clock.time() + endpoint.ahead
        body = self.body(kind, found, None, at, older=False) | more
        for _ in range(times):
            self.send(endpoint, kind, body)
        return body

    def release(self, endpoint: Endpoint) -> None:
        """Send what is held back, the newest first."""
        for message in reversed(endpoint.held):
            endpoint.queue.extend([message] * (1 + endpoint.duplicates))
        endpoint.held.clear()
        if self._running and endpoint not in self._workers:
            task = self._loop.create_task(self._work(endpoint))
            self._workers[endpoint] = task

    # Sending.

    def start(self) -> None:
        """Begin to send."""
        self._running = True
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        for endpoint in self.endpoints:
            self.release(endpoint)
        self._look_out()

    async def stop(self) -> None:
        """Stop sending; no task is left behind."""
        self._running = False
        self._stopping.set()
        tasks = [*self._workers.values(), *self._retries]
        if self._watch is not None:
            tasks.append(self._watch)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._watch = None
        self._workers.clear()
        self._retries.clear()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def settled(self) -> None:
        """Wait until everything was delivered or given up."""
        while tasks := [*self._workers.values(), *self._retries]:
            await asyncio.wait(tasks)

    def _look_out(self) -> None:
        """Notice what happens by the clock, while somebody wants to hear of it."""
        if self._running and self.endpoints and self._watch is None:
            self._watch = self._loop.create_task(self._notice())

    async def _notice(self) -> None:
        """Let happen what is due; a clock held by hand does so when it is moved."""
        while not await wait_until(self._stopping, self._until_due()):
            if self.cloud.clock.running:
                self.cloud.settle()

    def _until_due(self) -> float:
        """Return how many real seconds to wait before looking again."""
        clock, due = self.cloud.clock, self.cloud.next_due
        if not clock.running or due is None:
            return LOOK
        return min(LOOK, max(0.001, (due - clock.time()) / clock.speed))

    async def _work(self, endpoint: Endpoint) -> None:
        """Send what is queued for an address, one after the other."""
        try:
            while endpoint.queue:
                message = endpoint.queue.popleft()
                if not await self._attempt(endpoint, message):
                    task = self._loop.create_task(self._retry(endpoint, message))
                    self._retries.add(task)
                    task.add_done_callback(self._retries.discard)
        finally:
            self._workers.pop(endpoint, None)

    async def _retry(self, endpoint: Endpoint, message: Message) -> None:
        """Send a message again and again, ever more seldom."""
        for seconds in self.backoff:
            if await wait_until(self._stopping, seconds):
                return
            if endpoint not in self.endpoints or message.delivered:
                return
            if await self._attempt(endpoint, message):
                return

    async def _attempt(self, endpoint: Endpoint, message: Message) -> bool:
        """Try to deliver a message; tell whether it was taken."""
        message.attempts += 1
        answered = asyncio.Event()
        post = asyncio.ensure_future(self._post(endpoint, message))
        post.add_done_callback(lambda _: answered.set())
        status: int | None = None
        try:
            if await wait_until(answered, self.answer_within):
                with suppress(ClientError, OSError):
                    status = post.result()
        finally:
            post.cancel()
            await asyncio.gather(post, return_exceptions=True)
        self.attempts.append(
            Attempt(
                endpoint=endpoint.id,
                id=message.id,
                kind=message.kind,
                number=message.attempts,
                status=status,
            )
        )
        taken = status is not None and 200 <= status < 300
        message.delivered = message.delivered or taken
        return taken

    async def _post(self, endpoint: Endpoint, message: Message) -> int:
        """Send a message once; return the status of the answer."""
        if self._session is None:
            # No timer of its own, as a test may have stopped the time.
            self._session = ClientSession(
                connector=TCPConnector(force_close=True),
                timeout=ClientTimeout(total=None, sock_connect=None),
            )
        raw = message.raw
        signed = int(self.now() + endpoint.signed_ahead)
        headers = headers_of(endpoint.secrets, message.id, signed, raw)
        async with self._session.post(
            endpoint.url, data=raw, headers=headers, allow_redirects=False
        ) as response:
            return response.status
