"""The sandbox itself: a local Amps API over HTTP."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
import errno
from ipaddress import ip_address
import logging
from random import Random
import time
from typing import Any, Final, Self

from aiohttp import web
import orjson

from .account import Account, environment_of
from .clock import Clock
from .control import Control
from .devices import Device
from .errors import ApiError
from .faults import Fault, Faults
from .homes import Event, Home
from .journal import Journal, RequestRecord
from .kinds import Kind
from .link import LinkPage
from .routes import Call, Reply, dispatch
from .values import Json, iso
from .waiting import wait_until
from .webhooks import Webhooks

LOGGER = logging.getLogger(__package__)

TEST_KEY: Final = "sk_test_demo"
LIVE_KEY: Final = "sk_live_demo"
ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


class PortTakenError(OSError):
    """The port is in use by something else."""


class Sandbox:
    """A local Amps: accounts with their homes, faults, and a log of requests."""

    def __init__(
        self,
        home: str = "home",
        *,
        seed: int = 1,
        clock: Clock | None = None,
        devices: int = 250,
        action_seconds: float = 4.0,
        time_zone: str = "Europe/Berlin",
        push_shows_at_once: bool = True,
        settings_in_list: bool = False,
        last_action_lag: float = 0.0,
        live_control: bool = False,
        generation: str | None = None,
        app_id: str = "app_demo",
    ) -> None:
        """Prepare the sandbox with its two usual accounts."""
        self.clock = clock or Clock.real()
        self.seed = seed
        self.app_id = app_id
        self.requests = Journal()
        self.faults = Faults()
        self.accounts: dict[str, Account] = {}
        self.on_event: Callable[[Event], None] | None = None
        self.events: deque[Event] = deque(maxlen=1000)
        # What went wrong inside; a test of anything else wants this empty.
        self.crashes: list[BaseException] = []
        self.log_requests = False
        self._random = Random(seed)
        self._actions = 0
        self._requests = 0
        self._url: str | None = None
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()
        self._options: dict[str, Any] = {
            "seed": seed,
            "devices": devices,
            "time_zone": time_zone,
            "action_seconds": action_seconds,
            "push_shows_at_once": push_shows_at_once,
            "settings_in_list": settings_in_list,
            "last_action_lag": last_action_lag,
        }
        self.webhooks = Webhooks(self, _is_loopback)
        self._stop_listening = self.clock.on_move(self.settle)
        self.add_account(
            TEST_KEY,
            home=home,
            name="test",
            generation=generation,
            live_control=live_control,
        )
        self.add_account(
            LIVE_KEY,
            home=home,
            name="live",
            prefix="live_",
            generation=generation,
            live_control=live_control,
        )
        self._control = Control(self)
        self._link = LinkPage(self)

    # The accounts and what they hold.

    @property
    def home(self) -> Home:
        """The home of the sandbox account."""
        return self.accounts[TEST_KEY].home

    @property
    def live_home(self) -> Home:
        """The home of the live account."""
        return self.accounts[LIVE_KEY].home

    @property
    def homes(self) -> list[Home]:
        """All homes, each once."""
        return list({id(a.home): a.home for a in self.accounts.values()}.values())

    @property
    def action_seconds(self) -> float:
        """How long an action takes, where its device says nothing else."""
        return self.home.action_seconds

    @action_seconds.setter
    def action_seconds(self, seconds: float) -> None:
        """Let actions of all homes take longer or shorter."""
        self._options["action_seconds"] = seconds
        for home in self.homes:
            home.action_seconds = seconds

    @property
    def live_calls(self) -> Counter[str]:
        """How often the manufacturer was called, by device."""
        return sum((home.live_calls for home in self.homes), Counter())

    def add_account(
        self,
        key: str,
        *,
        home: str | Home | None = None,
        name: str | None = None,
        environment: str | None = None,
        generation: str | None = None,
        prefix: str = "",
        users: dict[str, str] | None = None,
        expired: bool = False,
        permissions: set[str] | None = None,
        live_enabled: bool = True,
        live_control: bool = False,
    ) -> Account:
        """Open an account; its key is good in the `amps_…` form too.

        `home` is the name of a home to furnish, a home that is there, or nothing
        for that of the sandbox account. `prefix` keeps device ids apart.
        """
        environment = environment or environment_of(key)
        if home is None:
            home = self.home
        if isinstance(home, str):
            home = Home(
                self.clock,
                name=home,
                prefix=prefix,
                environment=environment,
                **self._options,
            )
            home.on_event = self._tell
        account = Account(
            key=key,
            name=name or key,
            home=home,
            environment=environment,
            generation=generation or home.generation,
            users=users or {},
            expired=expired,
            permissions=None if permissions is None else frozenset(permissions),
            live_enabled=live_enabled,
            live_control=live_control,
            app_id=self.app_id,
        )
        self.accounts[key] = account
        return account

    def account(self, name: str) -> Account:
        """Return an account by its key or its name."""
        for key, account in self.accounts.items():
            if name in (key, account.name, f"amps_{key}"):
                return account
        raise KeyError(name)

    def device(self, device_id: str, kind: Kind | str | None = None) -> Device:
        """Return a device of any home."""
        for home in self.homes:
            if (device := home.find(device_id, kind)) is not None:
                return device
        raise KeyError(device_id)

    def rate_limit(
        self, per_minute: int | None, style: str = "429", account: str | None = None
    ) -> None:
        """Limit the requests of each key, or lift the limit with none.

        The style is `429`, `401` (a bare `UNAUTHORIZED`) or `before`
        (`RATE_LIMIT_EXCEEDED` with 401).
        """
        for candidate in self.accounts.values():
            if account in (None, candidate.key, candidate.name):
                candidate.limit(self.clock, per_minute, style)

    def settle(self) -> None:
        """Let everything happen that is due by now."""
        for home in self.homes:
            home.settle()

    @property
    def next_due(self) -> float | None:
        """When the next thing happens by itself, as seconds since 1970."""
        due = [home.agenda.next_due for home in self.homes]
        return min((at for at in due if at is not None), default=None)

    def _tell(self, event: Event) -> None:
        """Pass an event on."""
        self.events.append(event)
        self.webhooks.tell(event)
        if self.on_event is not None:
            self.on_event(event)

    # The server.

    @property
    def url(self) -> str:
        """The base address, once started."""
        if self._url is None:
            raise RuntimeError("The sandbox is not running")
        return self._url

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, on the loopback interface only; return the base address."""
        if not _is_loopback(host):
            raise ValueError(f"The sandbox listens on loopback only, not on {host}")
        if self._runner is not None:
            raise RuntimeError("The sandbox is running already")
        self._stopping = asyncio.Event()
        app = web.Application(client_max_size=4 * 1024**2)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=1
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as err:
            await runner.cleanup()
            if err.errno == errno.EADDRINUSE:
                raise PortTakenError(
                    err.errno, f"Port {port} of {host} is in use already"
                ) from err
            raise
        self._runner = runner
        address = runner.addresses[0]
        shown = f"[{address[0]}]" if ":" in address[0] else address[0]
        self._url = f"http://{shown}:{address[1]}"
        self.webhooks.start()
        return self._url

    async def stop(self) -> None:
        """Stop listening; nothing is left behind."""
        runner, self._runner, self._url = self._runner, None, None
        if runner is not None:
            self._stopping.set()
            await self.webhooks.stop()
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        """Start on any free port."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any request."""
        path = request.path
        if path == "/_sandbox" or path.startswith("/_sandbox/"):
            return await self._control.handle(request)
        if path.startswith("/link/"):
            return await self._link.handle(request)
        return await self._answer(request, path)

    async def _answer(self, request: web.Request, path: str) -> web.StreamResponse:
        """Answer a request of the API, or spoil it as ordered."""
        began = time.clock_gettime(time.CLOCK_MONOTONIC)
        raw = await request.read()
        record = RequestRecord(
            method=request.method,
            path=path,
            query=dict(request.query),
            body=_loosely(raw),
            at=self.clock.time(),
        )
        self.requests.add(record)
        account = self._account(request.headers.get("x-api-key"))
        record.account = account.name if account is not None else None
        fault = self.faults.meet(request.method, path)
        if fault is not None:
            record.fault = fault.kind
            if await wait_until(self._stopping, fault.delay):
                return _hang_up(request)
        try:
            if fault is not None and fault.answers:
                return self._by_order(request, fault, record, began)
            reply = self._let_in(request, raw, account, fault, record)
            body = reply.data
            if account is not None and not reply.bare:
                body = {
                    "success": True,
                    "data": reply.data,
                    "meta": self._meta(began, environment=account.environment),
                }
            return await self._send(request, record, reply.status, body, fault)
        except ApiError as err:
            return await self._send(
                request,
                record,
                err.status,
                self._failure(err, path, began),
                fault,
                code=err.code,
                headers=err.headers,
            )
        except Exception as err:
            self.crashes.append(err)
            LOGGER.exception("The sandbox itself failed on %s", path)
            internal = ApiError("INTERNAL_ERROR", "The sandbox itself failed.")
            return await self._send(
                request,
                record,
                500,
                self._failure(internal, path, began),
                None,
                code=internal.code,
            )

    def _by_order(
        self, request: web.Request, fault: Fault, record: RequestRecord, began: float
    ) -> web.StreamResponse:
        """Answer as a fault has it; the request does not get through."""
        if fault.kind == "drop":
            return _hang_up(request)
        status = fault.answer_status
        record.status = status
        if fault.kind == "empty":
            return web.Response(status=status, headers=_retry_after(fault))
        if fault.kind == "html":
            return web.Response(
                status=status,
                text="<html><body><h1>Bad gateway</h1></body></html>",
                content_type="text/html",
                headers=_retry_after(fault),
            )
        if fault.kind == "json":
            return _json(status, fault.body, _retry_after(fault))
        record.code = fault.code or "INTERNAL_ERROR"
        error = ApiError(
            record.code, fault.message or "A fault on order.", fault.details
        )
        body = self._failure(error, record.path, began)
        return _json(status, body, _retry_after(fault))

    async def _send(
        self,
        request: web.Request,
        record: RequestRecord,
        status: int,
        body: Any,
        fault: Fault | None,
        *,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> web.StreamResponse:
        """Send an answer, cut where a fault has it so."""
        record.status = status
        record.code = code
        if self.log_requests:
            LOGGER.info("%s %s %s %s", record.method, record.path, status, code or "")
        if fault is None or fault.kind not in ("cut", "cut_transfer"):
            return _json(status, body, headers)
        whole = orjson.dumps(body)
        half = whole[: len(whole) // 2]
        if fault.kind == "cut":
            return web.Response(
                status=status, body=half, content_type="application/json"
            )
        response = web.StreamResponse(status=status, headers=headers)
        response.content_type = "application/json"
        response.content_length = len(whole)
        await response.prepare(request)
        await response.write(half)
        if request.transport is not None:
            request.transport.close()
        return response

    def _failure(self, error: ApiError, path: str, began: float) -> Json:
        """Return the envelope of a failure."""
        return {
            "success": False,
            "error": error.body(),
            "meta": self._meta(began, path=path),
        }

    def _meta(self, began: float, **more: str) -> Json:
        """Return the `meta` of an envelope."""
        self._requests += 1
        token = "".join(self._random.choices(ALPHABET, k=8))
        spent = time.clock_gettime(time.CLOCK_MONOTONIC) - began
        return {
            "requestId": f"req_{token}{self._requests}",
            **more,
            "timestamp": iso(self.clock.time()),
            "latencyMs": int(spent * 1000),
        }

    def _account(self, key: str | None) -> Account | None:
        """Return the account that a key opens."""
        if key is None:
            return None
        return self.accounts.get(key) or self.accounts.get(key.removeprefix("amps_"))

    def _let_in(
        self,
        request: web.Request,
        raw: bytes,
        account: Account | None,
        fault: Fault | None,
        record: RequestRecord,
    ) -> Reply:
        """Check the key, and follow the route."""
        if account is None:
            raise _no_account(request.headers.get("x-api-key"))
        account.refuse_if_closed()
        if account.bucket is not None:
            account.bucket.take(self.clock.time())
        account.need("read" if request.method == "GET" else "write")
        account.home.settle()
        return dispatch(
            Call(
                method=record.method,
                path=record.path,
                query=record.query,
                raw=raw,
                account=account,
                fault=fault,
                now=self.clock.time(),
                new_action_id=self._new_action_id,
            )
        )

    def _new_action_id(self) -> str:
        """Return an id that no action had yet."""
        self._actions += 1
        token = "".join(self._random.choices("0123456789abcdef", k=8))
        day = self.clock.now().strftime("%Y%m%d")
        return f"act_{day}{token}{self._actions:04d}"


def _hang_up(request: web.Request) -> web.Response:
    """Close the connection; the answer goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _is_loopback(host: str) -> bool:
    """Whether a host can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _loosely(raw: bytes) -> Any:
    """Return a body for the log: its JSON, or what there is."""
    if not raw:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw.decode(errors="replace")


def _json(
    status: int, body: Any, headers: dict[str, str] | None = None
) -> web.Response:
    """Return an answer of JSON."""
    return web.Response(
        status=status,
        body=orjson.dumps(body),
        content_type="application/json",
        headers=headers,
    )


def _retry_after(fault: Fault) -> dict[str, str]:
    """Return the header that says when to come again."""
    if fault.retry_after is None:
        return {}
    return {"Retry-After": f"{fault.retry_after:g}"}


def _no_account(key: str | None) -> ApiError:
    """Return the error for a key that is missing or opens nothing."""
    if not key:
        return ApiError("UNAUTHORIZED", "Missing API key.")
    return ApiError("INVALID_API_KEY", "Invalid API key.")
