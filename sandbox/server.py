"""The sandbox itself: a local Amps API over HTTP."""

import asyncio
import errno
from ipaddress import ip_address
import logging
from random import Random
from typing import Any, Self, Unpack

from aiohttp import web
import orjson

from .account import Account
from .answers import Envelopes, by_order, hang_up, send
from .api import Call, Reply, dispatch
from .changes import changed, clock_shift
from .clock import ticks
from .cloud import SANDBOX_KEY, TEST_KEY, Cloud, Options
from .control import Control
from .errors import ApiError
from .faults import Fault
from .journal import RequestRecord
from .link import LinkPage
from .waiting import wait_until
from .webhooks import Webhooks

LOGGER = logging.getLogger(__package__)


class PortTakenError(OSError):
    """The port is in use by something else."""


class Sandbox(Cloud):
    """A local Amps: a cloud that is served, with all that stands beside its API."""

    def __init__(self, home: str = "home", **options: Unpack[Options]) -> None:
        """Prepare the sandbox with its two usual accounts."""
        super().__init__(home, **options)
        # What went wrong inside; a test of anything else wants this empty.
        self.crashes: list[BaseException] = []
        self.log_requests = False
        self._actions = 0
        self._random = Random(self.seed)
        self._envelopes = Envelopes(self.clock, self._random)
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()
        self.webhooks = Webhooks(self, _is_loopback)
        self.listeners.append(self.webhooks.tell)
        self._control = Control(self, self.webhooks)
        self._link = LinkPage(self)

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
        began = ticks()
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
        met = self.faults.meet(request.method, path)
        fault, shift = met.fault, clock_shift(met.changes)
        record.fault = met.kinds
        stopping, envelopes = self._stopping, self._envelopes
        if fault is not None:
            if await wait_until(stopping, fault.delay):
                return hang_up(request)
            if fault.kind == "hold_request" and await fault.hold(stopping):
                return hang_up(request)
            if fault.answers and not fault.done:
                return await by_order(
                    request, fault, record, envelopes, began, shift, stopping
                )
        headers: dict[str, str] = {}
        try:
            reply = self._let_in(request, raw, account, fault, record)
            status, body = reply.status, changed(reply.data, met.changes)
            if account is not None and not reply.bare:
                body = envelopes.success(body, account.environment, began, shift)
        except ApiError as err:
            status, headers = err.status, err.headers
            record.code = err.code
            body = envelopes.failure(err, path, began, shift)
        except Exception as err:
            self.crashes.append(err)
            LOGGER.exception("The sandbox itself failed on %s", path)
            internal = ApiError("INTERNAL_ERROR", "The sandbox itself failed.")
            status, record.code, fault = internal.status, internal.code, None
            body = envelopes.failure(internal, path, began)
        record.status = status
        if self.log_requests:
            LOGGER.info("%s %s %s %s", record.method, path, status, record.code or "")
        headers = envelopes.date(shift) | headers
        if fault is not None:
            if fault.answers:
                return await by_order(
                    request, fault, record, envelopes, began, shift, stopping
                )
            if fault.kind == "hold_answer" and await fault.hold(stopping):
                return hang_up(request)
        return await send(request, status, body, fault, headers)

    def _account(self, key: str | None) -> Account | None:
        """Return the account that a key opens."""
        if key is None:
            return None
        if key.removeprefix("amps_") == SANDBOX_KEY:
            key = TEST_KEY
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


def _no_account(key: str | None) -> ApiError:
    """Return the error for a key that is missing or opens nothing."""
    if not key:
        return ApiError("UNAUTHORIZED", "Invalid or missing API key")
    return ApiError("INVALID_API_KEY", "Invalid API key.")
