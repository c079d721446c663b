"""Whatever a server answers: the client's own errors, within bounds."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from compression import zstd
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
import gzip
from itertools import count
import logging
from math import isfinite
import tracemalloc
from typing import Any
from unittest.mock import patch
import zlib

import aiohttp
from aiohttp import web
from homeassistant.util import dt as dt_util
from hypothesis import given, strategies as st
import pytest

from custom_components.amps_ai.account import Limits
from custom_components.amps_ai.api import (
    Action,
    AmpsClient,
    AmpsError,
    AmpsInvalidKeyError,
    Device,
    DeviceType,
    Listing,
    Push,
    Quantity,
)
from tests.api.helpers import battery, documented, page, serve

from .strategies import (
    ACTIONS,
    DEVICES,
    QUIET,
    UNSEEN,
    Nested,
    actions,
    anything,
    deep,
    dump,
    examples,
    mutated,
    no_end_in,
    start_of,
    texts,
)

pytestmark = QUIET

KEY = "sk_test_not_to_be_told"
USER = "anna.not.to.be.told@example.org"
BATTERY = "device_abc123"

type Call = Callable[[AmpsClient], Awaitable[Any]]

# All that a client can be asked for.
CALLS: dict[str, Call] = {
    "list": lambda client: client.async_list_devices(DeviceType.BATTERY),
    "list_known": lambda client: client.async_list_devices(
        DeviceType.BATTERY, {BATTERY: battery()}
    ),
    "count": lambda client: client.async_count_devices(DeviceType.BATTERY),
    "get": lambda client: client.async_get_device(
        DeviceType.BATTERY, BATTERY, known=battery(), expedite=True
    ),
    "push": lambda client: client.async_push(
        battery(),
        Push(
            command="charge", parameters={"target": Quantity(value=50, unit="percent")}
        ),
    ),
    "settings": lambda client: client.async_update_settings(
        battery(), {"discharge_floor": 20}
    ),
    "action": lambda client: client.async_get_action("act_1"),
    "cancel": lambda client: client.async_cancel_action("act_1"),
    "actions": lambda client: client.async_list_actions(limit=200),
}

STATUSES = (200, 201, 202, 204, 301, 302, 304, 307, 400, 401, 403, 404, 409, 422, 429)
statuses = st.sampled_from((*STATUSES, 500, 501, 502, 503, 504, 599)) | st.just(200)

waits = st.sampled_from(
    (
        "0",
        "-1",
        "1.5",
        "60",
        "1e3",
        "1e308",
        "-1e308",
        "1e999",
        "nan",
        "inf",
        "-inf",
        "9" * 400,
        "1_0",
        "٣",
        "0x10",
        "",
        " 5 ",
        "soon",
        "Mon, 01 Jun 2026 12:00:00 GMT",
        "Mon, 01 Jun 2026 12:00:00",
        "Mon, 01 Jun 2026 12:00:00 -0000",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Mon, 99 Foo 99999 99:99:99 +9999",
        "Mon, 01 Jun 2026 12:00:00 +99999999999999999999",
    )
) | st.text(
    st.characters(codec="latin-1", categories=("L", "N", "P", "S", "Zs")), max_size=12
)


def _envelopes() -> st.SearchStrategy[Any]:
    pages = [page(DEVICES["battery"], total=1), documented("battery-list")]
    replies = [
        documented("battery-read"),
        documented("conflict-409"),
        documented("unsupported-unit-422"),
        documented("ev-charger-settings-reply"),
    ]
    good = [{"success": True, "data": action} for action in ACTIONS]
    secrets = {"success": False, "error": {"code": KEY, "message": f"{USER} {KEY}"}}
    documents = st.sampled_from([*pages, *replies, *good, secrets])
    return (
        mutated(documents)
        | anything
        | st.fixed_dictionaries(
            {"success": st.just(False), "error": st.just({})},
            optional={"meta": anything, "data": anything},
        ).flatmap(
            lambda reply: st.fixed_dictionaries(
                {
                    "code": texts,
                    "message": texts | anything,
                    "details": anything | deep,
                }
            ).map(lambda error: {**reply, "error": error})
        )
    )


bodies = _envelopes().map(dump) | st.binary(max_size=60)


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def check_result(result: Any) -> None:
    if isinstance(result, Listing):
        assert all(isinstance(device, Device) for device in result.devices.values())
    elif isinstance(result, Action):
        assert result.id and no_end_in(result.as_record())
    elif isinstance(result, int):
        assert isfinite(result)
    elif isinstance(result, tuple):
        assert all(isinstance(item, (str, Action)) for item in result)
    else:
        assert isinstance(result, Device)


def check_error(err: AmpsError) -> None:
    said = f"{err} {err!r} {err.message} {err.code} {err.details} {err.request_id}"
    assert KEY not in said and USER not in said
    assert err.__cause__ is None or isinstance(err.__cause__, ValueError)
    assert err.retry_after is None or (
        isfinite(err.retry_after) and err.retry_after >= 0
    )
    # What the account makes of it: a wait, and one that ends.
    limits = Limits()
    limits.refused(err, DeviceType.BATTERY)
    assert 0 <= limits.remaining <= timedelta(days=1).total_seconds()


@examples(120)
@given(
    status=statuses,
    body=bodies,
    wait=st.none() | waits,
    headers=st.dictionaries(
        st.sampled_from(("Location", "Content-Type", "Set-Cookie", "ETag")),
        st.sampled_from(
            ("", "http://127.0.0.1:1/elsewhere", "//", "a/b", "=;=", "text/html", "x")
        ),
    ),
)
async def test_any_answer(
    session: aiohttp.ClientSession,
    status: int,
    body: bytes,
    wait: str | None,
    headers: dict[str, str],
) -> None:
    def _answer(request: web.Request) -> web.Response:
        more = {} if wait is None else {"Retry-After": wait}
        return web.Response(status=status, body=body, headers={**headers, **more})

    async with serve(_answer) as server:
        for call in CALLS.values():
            server.requests.clear()
            client = AmpsClient(session, KEY, user_id=USER, base_url=server.url)
            try:
                check_result(await call(client))
            except AmpsError as err:
                check_error(err)
            # Each of a list's passes ends with the first page that brings nothing.
            assert len(server.requests) <= 6
            client.clock.now()
            assert abs(client.clock.now() - dt_util.utcnow()) < timedelta(days=3651)


@examples(80)
@given(st.sampled_from((401, 409, 429, 503)), waits)
async def test_any_wait(session: aiohttp.ClientSession, status: int, wait: str) -> None:
    """A `Retry-After` is a time to wait for, or nothing."""

    def _answer(request: web.Request) -> web.Response:
        return web.json_response({}, status=status, headers={"Retry-After": wait})

    async with serve(_answer) as server:
        client = AmpsClient(session, KEY, base_url=server.url)
        with pytest.raises(AmpsError) as caught:
            await client.async_list_devices(DeviceType.BATTERY)
        check_error(caught.value)


@pytest.mark.parametrize("name", ["get", "action", "push"])
async def test_deep_details(session: aiohttp.ClientSession, name: str) -> None:
    """What an error tells is gone through to the bottom, for its secrets."""
    depth = 1000
    details = '{"a":' * depth + f'"{KEY}"' + "}" * depth
    body = f'{{"success": false, "error": {{"code": "X", "details": {details}}}}}'

    async with serve(lambda _: web.Response(status=422, text=body)) as server:
        client = AmpsClient(session, KEY, base_url=server.url)
        with pytest.raises(AmpsError) as caught:
            await CALLS[name](client)
    inner: Any = caught.value.details
    while isinstance(inner, dict) and inner:
        inner = inner["a"]
    assert inner != KEY


# Around where it is too deep, and what the parser of JSON does not read.
LISTS = ("list", "list_known", "actions")
DEPTHS = (20, 32, 33, 51, 52, 100, 300, 1000, 1100, 100_000)


def _nested(name: str, depth: int, in_objects: bool) -> tuple[Any, ...]:
    """Return replies of a kind that are nested in one place or another."""
    nested = Nested(depth, in_objects)
    device = {**DEVICES["battery"][0], "id": BATTERY}
    good = {**ACTIONS[0], "id": "act_1"}
    deep_devices = [
        {**device, **more}
        for more in (
            {"state": {"x": nested}},
            {"commands": {"charge": {"parameters": nested}}},
            {"settings": {"x": {"value": nested}}},
            {"lastAction": {**good, "result": nested}},
            {"metadata": {"model": nested}},
            {"id": nested},
            {"x": nested},
        )
    ]
    deep_actions = [
        {**good, part: {"x": nested}} for part in ("parameters", "result", "error")
    ]
    match name:
        case "list" | "list_known" | "count":
            items = [*deep_devices, nested, {**device, "id": "sound"}]
            # The same again: pages are compared.
            return ({"items": items, "pagination": {"hasMore": True}},)
        case "actions":
            items = [*deep_actions, nested, {**good, "id": "sound"}]
            return ({"items": items, "pagination": {"hasMore": True}},)
        case "get":
            return (*deep_devices, nested)
        case "settings":
            return ({"updated": nested}, {"updated": [nested, "a"]}, nested)
        case _:
            return (*deep_actions, nested)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("in_objects", [True, False])
async def test_any_depth(
    session: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    depth: int,
    in_objects: bool,
) -> None:
    """However deep a reply is nested: it is read, left out or refused, and logged."""
    caplog.set_level(logging.DEBUG, "custom_components.amps_ai")
    bodies: list[bytes] = []
    async with serve(lambda _: web.Response(body=bodies[0])) as server:
        client = AmpsClient(session, KEY, user_id=USER, base_url=server.url)
        for name, call in CALLS.items():
            for reply in _nested(name, depth, in_objects):
                bodies[:] = [dump({"success": True, "data": reply})]
                try:
                    result = await call(client)
                except AmpsError as err:
                    check_error(err)
                    result = None
                if result is None:
                    # In a list, one that is too deep costs the others nothing.
                    assert depth > 1000 or name not in LISTS
                    continue
                check_result(result)
                if isinstance(result, Listing):
                    assert "sound" in result.devices
                    assert (BATTERY in result.devices) == (depth < 30)
                elif name == "actions":
                    assert "sound" in {action.id for action in result}
                elif isinstance(result, Device | Action):
                    assert depth <= 30
    for record in caplog.records:
        assert KEY not in record.getMessage()
        assert len(record.getMessage()) < 10_000
    assert len(caplog.records) >= len(server.requests)


# Pages


@examples(60)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.booleans(),
            st.none() | st.integers(-5, 500) | st.sampled_from((2**63, 1e308, -1e9)),
            st.booleans(),
        ),
        min_size=1,
        max_size=6,
    )
)
async def test_pages_that_lie(
    session: aiohttp.ClientSession,
    drawn: list[tuple[int, bool, float | None, bool]],
) -> None:
    """Whatever pages say of what is to come, there is an end."""
    numbers = count()
    asked = count()

    def _answer(request: web.Request) -> web.Response:
        amount, fresh, total, more = drawn[next(asked) % len(drawn)]
        items = [
            {"id": f"d{next(numbers) if fresh else number}", "state": {}}
            for number in range(amount)
        ]
        reply = page(items, more=more)
        if total is not None:
            reply["data"]["pagination"]["total"] = total
        return web.json_response(reply)

    most = 8
    with patch("custom_components.amps_ai.api.listing._MOST_PAGES", most):
        async with serve(_answer) as server:
            client = AmpsClient(session, KEY, base_url=server.url)
            listing = await client.async_list_devices(DeviceType.BATTERY)
            assert len(server.requests) <= most
            assert len(listing.devices) <= sum(4 for _ in server.requests)
            server.requests.clear()
            assert isinstance(await client.async_count_devices(DeviceType.HVAC), int)
            assert len(server.requests) == 1
            server.requests.clear()
            assert len(await client.async_list_actions(limit=120)) <= 120
            assert len(server.requests) <= 4


# Not even HTTP


@asynccontextmanager
async def _serve_raw(reply: bytes) -> AsyncGenerator[tuple[str, list[int]]]:
    """Run a server that reads a little, says something, and hangs up."""
    connections: list[int] = []

    async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(reply)
            await writer.drain()
        except OSError, asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(_talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", connections
    finally:
        server.close()
        await server.wait_closed()


LINES = (
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 429 Slow",
    b"HTTP/1.0 200 OK",
    b"HTTP/1.1 999 Odd",
    b"HTTP/1.1 99 Odd",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
    b"HTTP/1.1 101 Switching Protocols",
    b"HTTP/1.1 -1 Odd",
    b"HTTP/9.9 200 OK",
    b"HTTP/1.1 200",
    b"ICY 200 OK",
    b"",
    b"\x16\x03\x01\x02\x00",
)
HEADERS = (
    b"Content-Length: 2",
    b"Content-Length: 1000",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Content-Length: 2, 3",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Content-Encoding: gzip",
    b"Content-Encoding: deflate",
    b"Content-Encoding: br",
    b"Content-Encoding: zstd",
    b"Content-Encoding: nonsense",
    b"Content-Type: application/json; charset=nonsense",
    b"Retry-After: \xff\xfe",
    b"Retry-After: 1\r\nRetry-After: 2",
    b"Set-Cookie: \xff=\x01; expires=never; domain=..; Max-Age=1e99",
    b"Location: http://[::1/",
    b"Connection: upgrade\r\nUpgrade: h2c",
    b": nameless",
    b"no colon",
    b"Folded: a\r\n b",
    b"X-Long: " + b"x" * 20_000,
)
CONTENTS = (
    b"{}",
    b'{"success": true, "data": {"items": []}}',
    b"2\r\n{}\r\n0\r\n\r\n",
    b"ffffffffffffffffffff\r\n{}",
    b"-2\r\n{}\r\n",
    b"zz\r\n",
    gzip.compress(b'{"success": true, "data": {"items": []}}'),
    gzip.compress(b"{}")[:-4],
    zlib.compress(b"{}"),
    zstd.compress(b"{}"),
    b"\x00" * 10,
    b"",
)


def assert_key_is_right(err: AmpsError) -> None:
    """Check that nothing says that the key is wrong."""
    assert not isinstance(err, AmpsInvalidKeyError)


@examples(150)
@given(
    st.sampled_from(LINES),
    st.lists(st.sampled_from(HEADERS), max_size=3),
    st.sampled_from(CONTENTS) | st.binary(max_size=30),
    st.sampled_from(sorted(CALLS)),
)
async def test_nearly_http(
    session: aiohttp.ClientSession,
    line: bytes,
    headers: list[bytes],
    content: bytes,
    name: str,
) -> None:
    reply = b"\r\n".join((line, *headers, b"", content))
    async with _serve_raw(reply) as (url, connections):
        client = AmpsClient(
            session, KEY, base_url=url, timeout=aiohttp.ClientTimeout(total=2)
        )
        try:
            check_result(await CALLS[name](client))
        except AmpsError as err:
            check_error(err)
            assert_key_is_right(err)
        # aiohttp asks once more where a connection breaks before an answer.
        assert len(connections) <= 12


# Bounded


@pytest.mark.parametrize("encoding", [None, "gzip", "deflate", "zstd"])
@pytest.mark.parametrize("name", ["list", "get", "push"])
async def test_a_huge_answer(
    session: aiohttp.ClientSession, encoding: str | None, name: str
) -> None:
    """What is unpacked counts, not what comes over the wire."""
    size = 200 * 1024 * 1024
    zeros = bytes(1024 * 1024)
    match encoding:
        case "gzip" | "deflate":
            packer: Any = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
        case "zstd":
            packer = zstd.ZstdCompressor()
        case _:
            packer = None
    chunks = (
        [zeros] * 16
        if packer is None
        else [packer.compress(zeros) for _ in range(size // len(zeros))]
        + [packer.flush()]
    )
    body = b"".join(chunks)

    def _answer(request: web.Request) -> web.Response:
        headers = {} if encoding is None else {"Content-Encoding": encoding}
        return web.Response(body=body, headers=headers)

    async with serve(_answer) as server:
        client = AmpsClient(session, KEY, base_url=server.url)
        tracemalloc.start()
        try:
            with pytest.raises(AmpsError):
                await CALLS[name](client)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(server.requests) == 1
    assert peak < 64 * 1024 * 1024


@pytest.mark.parametrize(
    "ident", [".", "..", "../..", "%2e%2e", "a/../b", *UNSEEN], ids=start_of
)
async def test_an_id_stays_in_its_route(
    session: aiohttp.ClientSession, ident: str
) -> None:
    """No id makes a request go elsewhere than to its own route."""

    def _answer(request: web.Request) -> web.Response:
        return web.json_response({"success": True, "data": {}})

    device = replace(battery(), id=ident)
    async with serve(_answer) as server:
        client = AmpsClient(session, KEY, base_url=server.url)
        for call in (
            client.async_get_device(DeviceType.BATTERY, ident),
            client.async_push(device, Push(command="charge")),
            client.async_update_settings(device, {"discharge_floor": 20}),
            client.async_get_action(ident),
            client.async_cancel_action(ident),
        ):
            with suppress(AmpsError):
                await call
        for request in server.requests:
            parts = request.raw_path.split("/")
            assert parts[1] in ("battery", "actions")
            assert parts[2] not in ("", ".", "..")
            assert len(parts) == 3 or parts[3:] in (["settings"], ["cancel"])


@examples(100)
@given(actions)
async def test_an_action_or_an_error(
    session: aiohttp.ClientSession, document: Any
) -> None:
    body = b'{"success": true, "data": ' + dump(document) + b"}"
    async with serve(lambda _: web.Response(body=body)) as server:
        client = AmpsClient(session, KEY, base_url=server.url)
        try:
            check_result(await client.async_get_action("act_1"))
        except AmpsError as err:
            check_error(err)
