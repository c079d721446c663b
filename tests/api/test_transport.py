"""What can happen to a request on its way, and to its answer."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
import gzip
import time
from typing import Any

import aiohttp
from aiohttp import ClientTimeout, web
import pytest

from custom_components.amps_ai.api import (
    AmpsClient,
    AmpsConnectionError,
    AmpsError,
    AmpsInvalidKeyError,
    AmpsMalformedReplyError,
    AmpsOverloadedError,
    AmpsServerError,
    AmpsTimeoutError,
    AmpsUnknownOutcomeError,
    Device,
    DeviceType,
    Push,
)
from sandbox import TEST_KEY, Sandbox

from .helpers import battery, charger, page, serve

BATTERY = "device_battery_001"
USER = "anna@example.org"

type Request = Callable[[AmpsClient], Awaitable[object]]


def listing(client: AmpsClient) -> Awaitable[object]:
    return client.async_list_devices(DeviceType.BATTERY)


def reading(client: AmpsClient) -> Awaitable[object]:
    return client.async_get_device(DeviceType.BATTERY, BATTERY)


def pushing(client: AmpsClient) -> Awaitable[object]:
    return client.async_push(_device(), Push(command="idle"))


def writing(client: AmpsClient) -> Awaitable[object]:
    return client.async_update_settings(_device(), {"discharge_floor": 20})


def _device() -> Device:
    return battery(id=BATTERY)


REQUESTS: tuple[Request, ...] = (
    listing,
    lambda client: client.async_count_devices(DeviceType.BATTERY),
    reading,
    pushing,
    writing,
    lambda client: client.async_get_action("act_1"),
    lambda client: client.async_cancel_action("act_1"),
    lambda client: client.async_list_actions(),
)


@pytest.mark.parametrize(
    ("fault", "kind", "status"),
    [
        ({"kind": "drop"}, AmpsConnectionError, None),
        ({"kind": "empty"}, AmpsMalformedReplyError, 200),
        ({"kind": "empty", "status": 204}, AmpsMalformedReplyError, 204),
        ({"kind": "empty", "status": 500}, AmpsServerError, 500),
        ({"kind": "html", "status": 200}, AmpsMalformedReplyError, 200),
        # A page of something in between says nothing about a device.
        ({"kind": "html", "status": 400}, AmpsMalformedReplyError, 400),
        ({"kind": "html", "status": 422}, AmpsMalformedReplyError, 422),
        ({"kind": "html", "status": 401}, AmpsOverloadedError, 401),
        ({"kind": "html", "status": 502}, AmpsServerError, 502),
        ({"kind": "empty", "status": 504}, AmpsServerError, 504),
        ({"kind": "html", "status": 429}, AmpsOverloadedError, 429),
        ({"kind": "json", "body": None}, AmpsMalformedReplyError, 200),
        ({"kind": "json", "body": []}, AmpsMalformedReplyError, 200),
        ({"kind": "json", "body": {}}, AmpsMalformedReplyError, 200),
        ({"kind": "json", "body": "text"}, AmpsMalformedReplyError, 200),
        ({"kind": "json", "body": True}, AmpsMalformedReplyError, 200),
        ({"kind": "json", "body": {"success": False}}, AmpsMalformedReplyError, 200),
        (
            {"kind": "json", "body": [], "status": 503},
            AmpsServerError,
            503,
        ),
    ],
)
async def test_spoilt_answers(
    sandbox: Sandbox,
    client: AmpsClient,
    fault: dict[str, Any],
    kind: type[AmpsError],
    status: int | None,
) -> None:
    sandbox.faults.add(**fault)
    for request in REQUESTS:
        with pytest.raises(AmpsError) as caught:
            await request(client)
        # Nobody knows what became of what was sent once.
        lost = (
            kind is AmpsConnectionError
            or (kind is AmpsMalformedReplyError and (status or 0) < 400)
            or status in (502, 504)
        )
        expected = kind
        if lost and request in (pushing, writing):
            expected = AmpsUnknownOutcomeError
        assert type(caught.value) is expected
        assert caught.value.status == status
        assert caught.value.code is None
        assert caught.value.details == {}
        assert caught.value.retry_after is None
    if fault["kind"] != "drop":
        assert sandbox.requests.total == len(REQUESTS)


@pytest.mark.parametrize(
    ("kind", "error"),
    [("cut", AmpsMalformedReplyError), ("cut_transfer", AmpsConnectionError)],
)
@pytest.mark.parametrize("request_", [listing, reading])
async def test_half_an_answer(
    sandbox: Sandbox,
    client: AmpsClient,
    request_: Request,
    kind: str,
    error: type[AmpsError],
) -> None:
    sandbox.faults.add(kind=kind)
    with pytest.raises(AmpsError) as caught:
        await request_(client)
    assert type(caught.value) is error


@pytest.mark.parametrize("request_", [pushing, writing])
async def test_a_push_is_sent_once(
    sandbox: Sandbox, client: AmpsClient, request_: Request
) -> None:
    # A connection that is in use already is where a library might try again.
    await listing(client)
    sandbox.faults.add(method="POST", kind="drop")
    with pytest.raises(AmpsUnknownOutcomeError):
        await request_(client)
    assert len(sandbox.requests.of("POST")) == 1


async def test_limit_of_the_caller_that_is_due_at_once(
    sandbox: Sandbox, session: aiohttp.ClientSession
) -> None:
    """After a machine slept, all limits are over in one turn of the loop."""
    client = AmpsClient(
        session, TEST_KEY, base_url=sandbox.url, timeout=ClientTimeout(total=0.3)
    )
    await listing(client)
    sandbox.faults.add(delay=60)
    asked = 0

    async def _ask_on() -> None:
        nonlocal asked
        while asked < 3:
            asked += 1
            with suppress(AmpsTimeoutError):
                await listing(client)

    asyncio.get_running_loop().call_later(0.1, time.sleep, 0.5)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await _ask_on()
    assert asked == 1


async def test_time_out(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    client = AmpsClient(
        session, TEST_KEY, base_url=sandbox.url, timeout=ClientTimeout(total=0.05)
    )
    fault = sandbox.faults.add(delay=60)
    with pytest.raises(AmpsUnknownOutcomeError, match="no answer in time"):
        await pushing(client)
    for request in (listing, reading):
        with pytest.raises(AmpsTimeoutError) as caught:
            await request(client)
        assert str(caught.value) == "no answer in time"
        assert isinstance(caught.value, AmpsConnectionError)
    sandbox.faults.remove(fault)
    patient = AmpsClient(session, TEST_KEY, base_url=sandbox.url)
    sandbox.faults.add(delay=0.1)
    await listing(patient)


async def test_cancelling_is_no_error(sandbox: Sandbox, client: AmpsClient) -> None:
    sandbox.faults.add(delay=60)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reading(client), 0.05)


async def test_it_works_again_afterwards(sandbox: Sandbox, client: AmpsClient) -> None:
    for kind in ("drop", "cut", "cut_transfer", "html", "empty", "error"):
        # Twice, since a dropped read of an old connection is tried again.
        fault = sandbox.faults.add(kind=kind, times=2)
        with pytest.raises(AmpsError):
            await reading(client)
        sandbox.faults.remove(fault)
        await reading(client)


async def test_nobody_there(session: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    url = sandbox.url
    await sandbox.stop()
    client = AmpsClient(session, TEST_KEY, user_id=USER, base_url=url)
    for request in REQUESTS:
        with pytest.raises(AmpsConnectionError) as caught:
            await request(client)
        assert caught.value.status is None
        assert str(caught.value).startswith("ClientConnectorError: ")
        assert USER not in repr(caught.value)


@pytest.mark.parametrize(
    "base_url", ["nowhere", "http://", "ftp://127.0.0.1", "http://127.0.0.1:99999"]
)
async def test_no_address_at_all(session: aiohttp.ClientSession, base_url: str) -> None:
    client = AmpsClient(session, TEST_KEY, user_id=USER, base_url=base_url)
    with pytest.raises(AmpsConnectionError) as caught:
        await listing(client)
    assert USER not in str(caught.value)


async def test_a_closed_session(sandbox: Sandbox) -> None:
    session = aiohttp.ClientSession()
    client = AmpsClient(session, TEST_KEY, base_url=sandbox.url)
    await session.close()
    with pytest.raises(AmpsConnectionError):
        await listing(client)


@pytest.mark.parametrize("key", ["sk_test_\nx", "sk_test_\r\nx-other: 1", "sk\0"])
async def test_a_key_that_cannot_be_sent(
    sandbox: Sandbox, session: aiohttp.ClientSession, key: str
) -> None:
    client = AmpsClient(session, key, base_url=sandbox.url)
    with pytest.raises(AmpsInvalidKeyError) as caught:
        await listing(client)
    assert key not in str(caught.value)
    assert sandbox.requests.total == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(
    session: aiohttp.ClientSession, status: int
) -> None:
    async with (
        serve(lambda _: web.json_response(page([]))) as elsewhere,
        serve(
            lambda request: web.Response(
                status=status, headers={"Location": f"{elsewhere.url}{request.path}"}
            )
        ) as server,
    ):
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        for request in REQUESTS:
            with pytest.raises(
                (AmpsMalformedReplyError, AmpsUnknownOutcomeError)
            ) as caught:
                await request(client)
            assert caught.value.status == status
    assert len(server.requests) == len(REQUESTS)
    assert elsewhere.requests == []


async def test_an_oversized_answer(session: aiohttp.ClientSession) -> None:
    huge = b'{"success": true, "data": "' + b"x" * (9 * 1024 * 1024) + b'"}'
    large = b" " * (7 * 1024 * 1024) + b'{"success": true, "data": {"id": "a"}}'
    answers = {"/actions/huge": huge, "/actions/large": large}
    async with serve(
        lambda request: web.Response(
            body=answers[request.path], content_type="application/json"
        )
    ) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        with pytest.raises(AmpsMalformedReplyError, match="the answer is too large"):
            await client.async_get_action("huge")
        assert (await client.async_get_action("large")).id == "a"


async def test_an_answer_that_swells(session: aiohttp.ClientSession) -> None:
    body = gzip.compress(b" " * (32 * 1024 * 1024), 1)
    async with serve(
        lambda _: web.Response(body=body, headers={"Content-Encoding": "gzip"})
    ) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        with pytest.raises(AmpsMalformedReplyError, match="the answer is too large"):
            await listing(client)


async def test_an_answer_of_brackets(session: aiohttp.ClientSession) -> None:
    async with serve(lambda _: web.Response(body=b"[" * 100_000)) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        with pytest.raises(AmpsMalformedReplyError):
            await listing(client)


async def test_numbers_that_json_does_not_have(session: aiohttp.ClientSession) -> None:
    body = '{"success": true, "data": {"id": "a", "result": {"x": %s}}}'
    async with serve(
        lambda request: web.Response(text=body % request.path.rpartition("/")[2])
    ) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        assert (await client.async_get_action("-0.0")).result == {"x": 0}
        for word in ("NaN", "Infinity", "1e999"):
            with pytest.raises(AmpsMalformedReplyError):
                await client.async_get_action(word)


@asynccontextmanager
async def saying(answer: bytes) -> AsyncGenerator[str]:
    """Run a server that says this, whatever it is asked."""

    async def handle(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
    ids=["nothing", "garbage", "header", "length", "short", "chunk"],
)
async def test_no_http(session: aiohttp.ClientSession, answer: bytes) -> None:
    async with saying(answer) as url:
        client = AmpsClient(session, TEST_KEY, user_id=USER, base_url=url)
        with pytest.raises(AmpsConnectionError) as caught:
            await listing(client)
    assert USER not in str(caught.value)


async def test_no_gzip(session: aiohttp.ClientSession) -> None:
    """Which of the two it is depends on the library that unpacks it."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"
    async with saying(answer) as url:
        client = AmpsClient(session, TEST_KEY, user_id=USER, base_url=url)
        with pytest.raises((AmpsConnectionError, AmpsMalformedReplyError)) as caught:
            await listing(client)
    assert USER not in str(caught.value)


async def test_a_number_that_cannot_be_said(
    sandbox: Sandbox, client: AmpsClient
) -> None:
    device = charger(
        settings={"export_limit": {"value": 1, "unit": "watts"}}, id="device_ev_001"
    )
    with pytest.raises(ValueError, match="setting_out_of_range"):
        await client.async_update_settings(device, {"export_limit": 10**400})
    assert sandbox.requests.total == 0
