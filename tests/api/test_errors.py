"""What each refusal means, for the account and for a device."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
import logging
import traceback
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from custom_components.amps_ai.api import (
    AmpsAccountError,
    AmpsClient,
    AmpsConflictError,
    AmpsConnectionError,
    AmpsDeviceCredentialsError,
    AmpsDeviceError,
    AmpsDeviceNotFoundError,
    AmpsDeviceOfflineError,
    AmpsError,
    AmpsInvalidKeyError,
    AmpsLiveAccessError,
    AmpsMalformedReplyError,
    AmpsManufacturerError,
    AmpsNotCancellableError,
    AmpsNotImplementedError,
    AmpsOverloadedError,
    AmpsPermissionError,
    AmpsRefusedError,
    AmpsServerError,
    AmpsTimeoutError,
    DeviceType,
    Push,
)
from custom_components.amps_ai.api.errors import Scope, error_type
from sandbox import LIVE_KEY, TEST_KEY, Sandbox

from .helpers import battery, documented, serve

BATTERY = "device_battery_001"
DEVICE = battery(id=BATTERY)

type Request = Callable[[AmpsClient], Awaitable[object]]

ACCOUNT: dict[str, Request] = {
    "list": lambda client: client.async_list_devices(DeviceType.BATTERY),
    "count": lambda client: client.async_count_devices(DeviceType.BATTERY),
    "actions": lambda client: client.async_list_actions(device_id=BATTERY),
}
ONE_DEVICE: dict[str, Request] = {
    "read": lambda client: client.async_get_device(DeviceType.BATTERY, BATTERY),
    "push": lambda client: client.async_push(DEVICE, Push(command="idle")),
    "settings": lambda client: client.async_update_settings(
        DEVICE, {"discharge_floor": 20}
    ),
    "action": lambda client: client.async_get_action("act_1"),
    "cancel": lambda client: client.async_cancel_action("act_1"),
}
EVERY = ACCOUNT | ONE_DEVICE

# Code, status, and what it means for the account and for a device.
CODES: tuple[tuple[str, int, type[AmpsError], type[AmpsError]], ...] = (
    ("UNAUTHORIZED", 401, AmpsOverloadedError, AmpsOverloadedError),
    ("INVALID_API_KEY", 401, AmpsInvalidKeyError, AmpsDeviceCredentialsError),
    ("EXPIRED_TOKEN", 401, AmpsInvalidKeyError, AmpsDeviceCredentialsError),
    ("RATE_LIMIT_EXCEEDED", 429, AmpsOverloadedError, AmpsOverloadedError),
    ("RATE_LIMIT_EXCEEDED", 401, AmpsOverloadedError, AmpsOverloadedError),
    ("INSUFFICIENT_PERMISSIONS", 403, AmpsPermissionError, AmpsPermissionError),
    ("LIVE_ACCESS_DISABLED", 403, AmpsLiveAccessError, AmpsLiveAccessError),
    *(
        (code, status, AmpsDeviceCredentialsError, AmpsDeviceCredentialsError)
        for code, status in (
            ("INVALID_CREDENTIALS", 401),
            ("MFA_REQUIRED", 403),
            ("INVALID_MFA_CODE", 403),
            ("ACCOUNT_LOCKED", 403),
        )
    ),
    ("DEVICE_NOT_FOUND", 404, AmpsDeviceNotFoundError, AmpsDeviceNotFoundError),
    ("DEVICE_OFFLINE", 400, AmpsDeviceOfflineError, AmpsDeviceOfflineError),
    ("DEVICE_OFFLINE", 409, AmpsDeviceOfflineError, AmpsDeviceOfflineError),
    ("NETWORK_ERROR", 502, AmpsServerError, AmpsManufacturerError),
    ("RATE_LIMITED", 503, AmpsOverloadedError, AmpsManufacturerError),
    ("RATE_LIMITED", 429, AmpsOverloadedError, AmpsManufacturerError),
    ("SERVICE_UNAVAILABLE", 503, AmpsServerError, AmpsManufacturerError),
    ("TIMEOUT", 504, AmpsServerError, AmpsManufacturerError),
    ("UNKNOWN_ERROR", 502, AmpsServerError, AmpsManufacturerError),
    ("CONFLICT", 409, AmpsConflictError, AmpsConflictError),
    ("ACTION_NOT_CANCELLABLE", 409, AmpsNotCancellableError, AmpsNotCancellableError),
    *(
        (code, 422, AmpsRefusedError, AmpsRefusedError)
        for code in (
            "UNSUPPORTED_MODE",
            "COMMAND_NOT_SUPPORTED",
            "UNSUPPORTED_PARAMETER",
            "UNSUPPORTED_UNIT",
            "PARAMETER_OUT_OF_RANGE",
            "EXECUTION_NOT_SUPPORTED",
            "START_IN_PAST",
            "START_OUT_OF_RANGE",
            "INVALID_TIME_WINDOW",
            "DIRECT_ACTION_UNSUPPORTED",
            "UNSUPPORTED_SETTING",
            "READ_ONLY_SETTING",
            "SETTING_OUT_OF_RANGE",
        )
    ),
    ("INTERNAL_ERROR", 500, AmpsServerError, AmpsServerError),
    ("NOT_IMPLEMENTED", 501, AmpsNotImplementedError, AmpsNotImplementedError),
    # Codes that are not known yet go by their status.
    ("SOMETHING_NEW", 400, AmpsRefusedError, AmpsRefusedError),
    ("SOMETHING_NEW", 401, AmpsOverloadedError, AmpsOverloadedError),
    ("SOMETHING_NEW", 402, AmpsRefusedError, AmpsRefusedError),
    ("SOMETHING_NEW", 403, AmpsPermissionError, AmpsPermissionError),
    ("SOMETHING_NEW", 404, AmpsMalformedReplyError, AmpsDeviceNotFoundError),
    ("SOMETHING_NEW", 409, AmpsConflictError, AmpsConflictError),
    ("SOMETHING_NEW", 418, AmpsRefusedError, AmpsRefusedError),
    ("SOMETHING_NEW", 422, AmpsRefusedError, AmpsRefusedError),
    ("SOMETHING_NEW", 429, AmpsOverloadedError, AmpsOverloadedError),
    ("SOMETHING_NEW", 500, AmpsServerError, AmpsServerError),
    ("SOMETHING_NEW", 501, AmpsNotImplementedError, AmpsNotImplementedError),
    ("SOMETHING_NEW", 503, AmpsServerError, AmpsServerError),
    ("SOMETHING_NEW", 599, AmpsServerError, AmpsServerError),
)

MEANINGS = [
    (name, code, status, for_account if name in ACCOUNT else for_device)
    for code, status, for_account, for_device in CODES
    for name in EVERY
]


async def failure(client: AmpsClient, name: str) -> AmpsError:
    """Return the error that a request ends with."""
    with pytest.raises(AmpsError) as caught:
        await EVERY[name](client)
    return caught.value


async def test_meanings(sandbox: Sandbox, client: AmpsClient) -> None:
    """One test for the whole table: each line is a request or two."""
    assert {code for code, *_ in CODES} >= DOCUMENTED
    for name, code, status, kind in MEANINGS:
        case = f"{code} {status} on {name}"
        sandbox.faults.add(
            times=1,
            code=code,
            status=status,
            message=f"About {code}.",
            details={"why": code},
            retry_after=7,
        )
        err = await failure(client, name)
        assert type(err) is kind, case
        assert (err.code, err.status, err.message) == (
            code,
            status,
            f"About {code}.",
        ), case
        assert err.details == {"why": code}, case
        assert err.retry_after == 7, case
        assert err.request_id is not None, case
        assert err.request_id.startswith("req_"), case
        assert str(err) == f"{code}: About {code}. (request {err.request_id})", case


DOCUMENTED = {
    "UNAUTHORIZED",
    "INVALID_API_KEY",
    "EXPIRED_TOKEN",
    "RATE_LIMIT_EXCEEDED",
    "INSUFFICIENT_PERMISSIONS",
    "LIVE_ACCESS_DISABLED",
    "INVALID_CREDENTIALS",
    "MFA_REQUIRED",
    "INVALID_MFA_CODE",
    "ACCOUNT_LOCKED",
    "DEVICE_NOT_FOUND",
    "DEVICE_OFFLINE",
    "NETWORK_ERROR",
    "RATE_LIMITED",
    "SERVICE_UNAVAILABLE",
    "TIMEOUT",
    "UNKNOWN_ERROR",
    "CONFLICT",
    "ACTION_NOT_CANCELLABLE",
    "UNSUPPORTED_MODE",
    "COMMAND_NOT_SUPPORTED",
    "UNSUPPORTED_PARAMETER",
    "UNSUPPORTED_UNIT",
    "PARAMETER_OUT_OF_RANGE",
    "EXECUTION_NOT_SUPPORTED",
    "START_IN_PAST",
    "START_OUT_OF_RANGE",
    "INVALID_TIME_WINDOW",
    "DIRECT_ACTION_UNSUPPORTED",
    "UNSUPPORTED_SETTING",
    "READ_ONLY_SETTING",
    "SETTING_OUT_OF_RANGE",
    "INTERNAL_ERROR",
    "NOT_IMPLEMENTED",
}


@pytest.mark.parametrize("status", [200, 202, 400, 404, 418, 500, 503])
async def test_the_code_decides(
    sandbox: Sandbox, client: AmpsClient, status: int
) -> None:
    by_status = {"SOMETHING_NEW"} | {
        code for code, _, kind, _ in CODES if kind is AmpsRefusedError
    }
    for code, _, for_account, for_device in CODES:
        if code in by_status:
            continue
        for name, kind in (("list", for_account), ("read", for_device)):
            sandbox.faults.add(times=1, code=code, status=status)
            err = await failure(client, name)
            assert type(err) is kind, f"{code} {status} on {name}"
            assert err.status == status


@pytest.mark.parametrize(
    ("error", "code", "message", "details"),
    [
        ({"code": "NEW", "message": "Oh."}, "NEW", "Oh.", {}),
        ({"code": "NEW"}, "NEW", "HTTP status {status}", {}),
        ({"code": None, "message": None, "details": None}, None, None, {}),
        ({"code": 7, "message": ["x"], "details": "x"}, None, "x", {}),
        ({"code": "", "message": ""}, None, None, {}),
        ({"details": {"a": [1, {"b": None}]}}, None, None, {"a": [1, {"b": None}]}),
        ({}, None, None, {}),
        ("broken", None, None, {}),
        (None, None, None, {}),
        ([], None, None, {}),
    ],
)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, AmpsMalformedReplyError),
        (401, AmpsOverloadedError),
        (422, AmpsRefusedError),
        (500, AmpsServerError),
    ],
)
async def test_odd_errors(
    sandbox: Sandbox,
    client: AmpsClient,
    error: object,
    code: str | None,
    message: str | None,
    details: dict[str, Any],
    status: int,
    kind: type[AmpsError],
) -> None:
    body = {"success": False, "error": error}
    sandbox.faults.add(kind="json", status=status, body=body)
    err = await failure(client, "list")
    text = (message or "HTTP status {status}").format(status=status)
    assert type(err) is kind
    assert (err.code, err.status, err.message) == (code, status, text)
    assert err.details == details
    assert err.request_id is None
    assert err.retry_after is None
    assert str(err) == (f"{code}: {text}" if code else text)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            {"statusCode": 400, "message": ["`power` is wrong", "`end` is wrong"]},
            None,
            "`power` is wrong, `end` is wrong",
        ),
        (
            {"message": "No such command.", "error": "Bad Request", "statusCode": 400},
            None,
            "No such command.",
        ),
        ({"code": "NEW", "message": "Oh.", "details": {"a": 1}}, "NEW", "Oh."),
        ({"message": None}, None, "HTTP status 400"),
        ({"message": "x" * 2000}, None, f"{'x' * 500}…"),
    ],
)
async def test_words_of_a_bare_refusal(
    sandbox: Sandbox,
    client: AmpsClient,
    body: dict[str, Any],
    code: str | None,
    message: str,
) -> None:
    """A body outside the vocabulary is refused, with words, whatever they stand in."""
    sandbox.faults.add(kind="json", status=400, body=body)
    err = await failure(client, "push")
    assert type(err) is AmpsRefusedError
    assert (err.code, err.status, err.message) == (code, 400, message)
    assert err.details == body.get("details", {})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ()),
        ("act_1", ()),
        ([], ()),
        (["act_1", 7, None, "act_2"], ("act_1", "act_2")),
    ],
)
def test_conflict_details(value: object, expected: tuple[str, ...]) -> None:
    err = AmpsConflictError(
        "x", details={"conflictingActionIds": value, "strategies": value}
    )
    assert err.conflicting_action_ids == expected
    assert err.strategies == expected
    assert AmpsConflictError("x").strategies == ()
    assert AmpsConflictError("x").conflicting_action_ids == ()


def test_an_error_of_its_own() -> None:
    err = AmpsError("no")
    assert (err.code, err.status, err.request_id, err.retry_after) == (None,) * 4
    assert err.details == {}
    assert str(err) == "no"
    assert str(AmpsError("no", request_id="req_1")) == "no (request req_1)"


@pytest.mark.parametrize(
    ("kind", "bases"),
    [
        (AmpsTimeoutError, {AmpsConnectionError}),
        (AmpsOverloadedError, {AmpsServerError}),
        (AmpsInvalidKeyError, {AmpsAccountError}),
        (AmpsPermissionError, {AmpsAccountError}),
        (AmpsLiveAccessError, {AmpsAccountError, AmpsPermissionError}),
        (AmpsDeviceCredentialsError, {AmpsDeviceError}),
        (AmpsDeviceNotFoundError, {AmpsDeviceError}),
        (AmpsDeviceOfflineError, {AmpsDeviceError}),
        (AmpsManufacturerError, {AmpsDeviceError}),
        (AmpsConflictError, {AmpsDeviceError}),
        (AmpsNotCancellableError, {AmpsDeviceError}),
        (AmpsRefusedError, {AmpsDeviceError}),
        (AmpsNotImplementedError, set()),
        (AmpsMalformedReplyError, set()),
    ],
)
def test_families(kind: type[AmpsError], bases: set[type[AmpsError]]) -> None:
    assert set(kind.__mro__[1:]) == bases | {
        AmpsError,
        Exception,
        BaseException,
        object,
    }


# As the sandbox itself answers


async def test_unknown_key(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    client = AmpsClient(session, "sk_test_wrong", base_url=sandbox.url)
    for name in EVERY:
        err = await failure(client, name)
        assert err.code == "INVALID_API_KEY"
        assert type(err) is (
            AmpsInvalidKeyError if name in ACCOUNT else AmpsDeviceCredentialsError
        )


async def test_no_key(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    err = await failure(AmpsClient(session, "", base_url=sandbox.url), "list")
    assert type(err) is AmpsOverloadedError
    assert (err.code, err.status) == ("UNAUTHORIZED", 401)


@pytest.mark.parametrize(
    ("changes", "kind", "code"),
    [
        ({"expired": True}, AmpsInvalidKeyError, "EXPIRED_TOKEN"),
        ({"live_enabled": False}, AmpsLiveAccessError, "LIVE_ACCESS_DISABLED"),
        (
            {"permissions": frozenset({"write"})},
            AmpsPermissionError,
            "INSUFFICIENT_PERMISSIONS",
        ),
    ],
)
async def test_accounts_that_may_not(
    sandbox: Sandbox,
    session: aiohttp.ClientSession,
    changes: dict[str, Any],
    kind: type[AmpsError],
    code: str,
) -> None:
    for name, value in changes.items():
        setattr(sandbox.accounts[LIVE_KEY], name, value)
    client = AmpsClient(session, LIVE_KEY, base_url=sandbox.url)
    err = await failure(client, "list")
    assert type(err) is kind
    assert err.code == code


@pytest.mark.parametrize(
    ("trouble", "kind", "code"),
    [
        (
            {"credentials_refused": True},
            AmpsDeviceCredentialsError,
            "INVALID_CREDENTIALS",
        ),
        (
            {"credentials_refused": "INVALID_API_KEY"},
            AmpsDeviceCredentialsError,
            "INVALID_API_KEY",
        ),
        ({"offline": True}, AmpsDeviceOfflineError, "DEVICE_OFFLINE"),
        ({"gone": True}, AmpsDeviceNotFoundError, "DEVICE_NOT_FOUND"),
    ],
)
async def test_devices_in_trouble(
    sandbox: Sandbox,
    client: AmpsClient,
    trouble: dict[str, Any],
    kind: type[AmpsError],
    code: str,
) -> None:
    for attribute, value in trouble.items():
        setattr(sandbox.device(BATTERY), attribute, value)
    for name in ("read", "push", "settings"):
        err = await failure(client, name)
        assert type(err) is kind
        assert err.code == code


async def test_unknown_action(client: AmpsClient) -> None:
    for name in ("action", "cancel"):
        err = await failure(client, name)
        assert type(err) is AmpsDeviceNotFoundError
        assert err.code == "ACTION_NOT_FOUND"


@pytest.mark.parametrize(
    ("style", "code", "status", "waits"),
    [
        ("429", "RATE_LIMIT_EXCEEDED", 429, True),
        ("before", "RATE_LIMIT_EXCEEDED", 401, False),
        ("401", "UNAUTHORIZED", 401, False),
    ],
)
async def test_rate_limit(
    sandbox: Sandbox,
    client: AmpsClient,
    style: str,
    code: str,
    status: int,
    waits: bool,
) -> None:
    sandbox.rate_limit(2, style=style)
    for _ in range(2):
        await client.async_count_devices(DeviceType.BATTERY)
    for name in EVERY:
        err = await failure(client, name)
        assert type(err) is AmpsOverloadedError
        assert (err.code, err.status) == (code, status)
        assert err.retry_after == (30 if waits else None)
    sandbox.clock.advance(30)
    await client.async_count_devices(DeviceType.BATTERY)


# Retry-After


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("-3", 0),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("soon", None),
        ("", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jun 2026 99:00:00 GMT", None),
        # Without a zone there is no telling.
        ("Mon, 01 Jun 2026 10:00:00 -0000", None),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after(
    session: aiohttp.ClientSession,
    header: str | None,
    seconds: float | None,
    status: int,
) -> None:
    headers = {} if header is None else {"Retry-After": header}
    async with serve(lambda _: web.Response(status=status, headers=headers)) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        err = await failure(client, "list")
    assert err.retry_after == seconds
    assert isinstance(err, AmpsServerError)


async def test_retry_after_a_date(session: aiohttp.ClientSession) -> None:
    when = datetime.now(UTC) + timedelta(minutes=2)
    headers = {"Retry-After": format_datetime(when, usegmt=True)}
    async with serve(lambda _: web.Response(status=429, headers=headers)) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        err = await failure(client, "list")
    assert err.retry_after is not None
    assert 100 < err.retry_after <= 120


# Secrets

KEY = "sk_test_Wj7-secret"
USER = "anna.b+home@example.org"
QUOTED = "anna.b%2Bhome%40example.org"


def secretive(
    session: aiohttp.ClientSession, url: str, key: str = KEY, user_id: str | None = USER
) -> AmpsClient:
    """Return a client with something to hide."""
    return AmpsClient(session, key, user_id=user_id, base_url=url)


def all_words(err: AmpsError) -> str:
    """Return all that an error might tell, and a traceback of it."""
    told = [str(err), repr(err), repr(err.args), repr(vars(err)), repr(err.details)]
    return "\n".join([*told, *traceback.format_exception(err)])


async def test_echoed_secrets(
    sandbox: Sandbox,
    session: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.faults.add(
        kind="json",
        status=403,
        body={
            "success": False,
            "error": {
                "code": f"NEW_{KEY}",
                "message": f"{KEY} of {USER} ({USER}) at /battery?userId={QUOTED}",
                "details": {
                    "key": KEY,
                    "deep": [{"user": f"<{USER}>"}, [KEY], 5, None, True],
                    KEY: USER,
                },
            },
            "meta": {"requestId": f"req_{USER}"},
        },
    )
    hidden = "**REDACTED**"
    for name in EVERY:
        err = await failure(secretive(session, sandbox.url), name)
        for words in (all_words(err), caplog.text):
            for secret in (KEY, USER, QUOTED):
                assert secret not in words
        assert err.code == f"NEW_{hidden}"
        assert (
            err.message
            == f"{hidden} of {hidden} ({hidden}) at /battery?userId={hidden}"
        )
        assert err.details == {
            "key": hidden,
            "deep": [{"user": f"<{hidden}>"}, [hidden], 5, None, True],
            hidden: hidden,
        }
        assert err.request_id == f"req_{hidden}"


@pytest.mark.parametrize(
    ("key", "user_id"),
    [
        ("sk_test_annaXYZ", "anna"),
        ("sk_test_annaXYZ", "sk_test_anna"),
        ("sk_test_annaXYZ", "annaXYZ"),
        ("anna", "anna@example.org"),
        ("sk_test", "sk_test_anna"),
        ("XYZ", "annaXYZ@example.org"),
    ],
)
async def test_a_secret_within_a_secret(
    sandbox: Sandbox, session: aiohttp.ClientSession, key: str, user_id: str
) -> None:
    body = {"error": {"code": "NEW", "message": f"{key}, {user_id}"}}
    sandbox.faults.add(kind="json", status=400, body=body)
    err = await failure(secretive(session, sandbox.url, key, user_id), "list")
    assert err.message == "**REDACTED**, **REDACTED**"


async def test_nothing_to_hide(
    sandbox: Sandbox, session: aiohttp.ClientSession
) -> None:
    sandbox.faults.add(code="NEW", status=400, message="As it is.", details={"": ""})
    client = AmpsClient(session, "", user_id=None, base_url=sandbox.url)
    err = await failure(client, "list")
    assert (err.message, err.details) == ("As it is.", {"": ""})


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop"},
        {"kind": "html"},
        {"kind": "empty"},
        {"kind": "cut"},
        {"kind": "cut_transfer"},
        {"kind": "json", "body": KEY},
        {"kind": "json", "body": {"success": True, "data": {"items": USER}}},
        {"delay": 60},
    ],
)
async def test_no_secret_in_other_trouble(
    sandbox: Sandbox,
    session: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    fault: dict[str, Any],
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.add_account(KEY)
    sandbox.faults.add(**fault)
    client = AmpsClient(
        session,
        KEY,
        user_id=USER,
        base_url=sandbox.url,
        timeout=aiohttp.ClientTimeout(total=0.1),
    )
    for name in ("list", "push"):
        err = await failure(client, name)
        for words in (all_words(err), caplog.text):
            for secret in (KEY, USER, QUOTED):
                assert secret not in words


async def test_no_secret_in_the_log(
    sandbox: Sandbox, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.add_account(KEY)
    client = secretive(session, sandbox.url)
    await client.async_list_devices(DeviceType.BATTERY)
    device = await client.async_get_device(DeviceType.BATTERY, BATTERY)
    await client.async_push(device, Push(command="idle"))
    await client.async_list_actions()
    sent = [message for message in caplog.messages if " -> " in message]
    assert [message.partition(" in ")[0] for message in sent] == [
        'GET /battery {"offset":"0","limit":"50","userId":"**REDACTED**"} -> 200',
        f"GET /battery/{BATTERY} {{}} -> 200",
        f'POST /battery/{BATTERY} {{"action":{{"command":"idle"}}}} -> 202',
        'GET /actions {"offset":"0","limit":"50"} -> 200',
    ]
    assert client.requests == {
        "GET /battery 200": 1,
        "GET /battery/{id} 200": 1,
        "POST /battery/{id} 202": 1,
        "GET /actions 200": 1,
    }
    for secret in (KEY, USER, QUOTED):
        assert secret not in caplog.text
    assert KEY not in repr(client)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("CREDENTIAL_NOT_FOUND", 404),
        ("UNSUPPORTED_CREDENTIAL_TYPE", 400),
        ("UNSUPPORTED_AUTH_PATH", 400),
    ],
)
@pytest.mark.parametrize("scope", Scope)
def test_credentials_that_have_to_be_given_again(
    scope: Scope, code: str, status: int
) -> None:
    assert error_type(scope, status, code) is AmpsDeviceCredentialsError


def test_a_conflict_says_why() -> None:
    said = documented("conflict-409-no-strategy-error-object")
    conflict = AmpsConflictError(said["message"], details=said["details"])
    assert conflict.reason == "no_strategy_supplied"
    assert conflict.strategies == ("cancel_and_replace", "queue_after")
    assert conflict.conflicting_action_ids == ("action_abc123",)
    assert AmpsConflictError("", details={"reason": 5}).reason is None
    assert AmpsConflictError("").reason is None
