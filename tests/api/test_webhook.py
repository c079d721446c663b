"""Deliveries: which are genuine, and what they tell."""

from base64 import b64encode
from datetime import UTC, datetime
import json
import time
from typing import Any

from hypothesis import given, strategies as st
from multidict import CIMultiDict
import pytest

from custom_components.amps_ai.api import ActionState, DeviceType
from custom_components.amps_ai.api.webhook import (
    DeviceConnected,
    DeviceDisconnected,
    InvalidSecretError,
    PushEnded,
    RefusedDeliveryError,
    WebhookVerifier,
    parse_event,
)
from sandbox.webhooks import headers_of
from tests.api.helpers import Json, documented

SECRET = "whsec_" + b64encode(b"a secret of twenty-four.").decode()
OTHER = "whsec_" + b64encode(b"another one, and longer..").decode()
AT = "2026-06-01T11:00:00.000Z"
LINK = "http://127.0.0.1:1/link"


def parse(body: Any, **more: str) -> Any:
    """Read a body."""
    return parse_event(json.dumps(body).encode(), **more)


def connection(**more: Any) -> dict[str, Any]:
    """Return a body about a device's connection."""
    return {"deviceId": "device_1", "deviceType": "battery", "timestamp": AT} | more


def end(**more: Any) -> dict[str, Any]:
    """Return a body about an action, with nothing about its end."""
    return {
        "actionId": "act_1",
        "deviceId": "device_1",
        "deviceType": "battery",
        "command": "charge",
        "parameters": None,
    } | more


# Secrets.


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec",
        "c2VjcmV0c2VjcmV0",
        "whsec_a",
        "whsec_aaaaa",
        "whsec_not base64",
        "whsec_c2Vjcm V0",
        "whsec_c2Vjcm-V0_w==",
        "whsec_c2VjcmV0===",
        "whsec_====",
        "WHSEC_c2VjcmV0",
        "whsec_c2VjcmV0\n",
        " whsec_c2VjcmV0",
        "whsec_schlüssel",
        "sk_test_demo",
    ],
)
def test_no_secret(secret: str) -> None:
    with pytest.raises(InvalidSecretError) as caught:
        WebhookVerifier(secret)
    # An error may be logged.
    assert len(secret) < 7 or secret not in str(caught.value)


@pytest.mark.parametrize("length", [1, 16, 17, 18, 24, 32, 64])
@pytest.mark.parametrize("padded", [True, False])
def test_secret(length: int, padded: bool) -> None:
    secret = "whsec_" + b64encode(bytes(range(length))).decode()
    headers = headers_of([secret], "msg_1", int(time.time()), b"{}")
    verifier = WebhookVerifier(secret if padded else secret.rstrip("="))
    assert verifier.verify(b"{}", CIMultiDict(headers)) == "msg_1"


# Signatures.


def test_names_of_headers_in_any_case() -> None:
    headers = headers_of([SECRET], "msg_1", int(time.time()), b"{}")
    shouted = CIMultiDict({name.upper(): value for name, value in headers.items()})
    assert WebhookVerifier(SECRET).verify(b"{}", shouted) == "msg_1"


def test_only_the_headers_of_a_delivery_count() -> None:
    headers = headers_of([SECRET], "msg_1", int(time.time()), b"{}")
    renamed = {name.replace("svix", "webhook"): headers[name] for name in headers}
    with pytest.raises(RefusedDeliveryError):
        WebhookVerifier(SECRET).verify(b"{}", CIMultiDict(renamed))


@given(
    st.binary(max_size=50),
    st.dictionaries(
        st.sampled_from(["svix-id", "svix-timestamp", "svix-signature"]),
        st.one_of(
            st.text(max_size=40),
            st.just(str(int(time.time()))),
            st.text(max_size=20).map(lambda text: f"v1,{text}"),
        ),
    ),
)
def test_whatever_comes_is_refused(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(RefusedDeliveryError) as caught:
        WebhookVerifier(SECRET).verify(body, CIMultiDict(headers))
    assert str(caught.value) == ""


@pytest.mark.parametrize("off", [-299, 0, 299])
def test_in_time(off: int) -> None:
    headers = headers_of([OTHER, SECRET], "msg_1", int(time.time()) + off, b"")
    assert WebhookVerifier(SECRET).verify(b"", CIMultiDict(headers)) == "msg_1"


@pytest.mark.parametrize("off", [-302, 302, -(10**9), 10**12])
def test_out_of_time(off: int) -> None:
    headers = headers_of([SECRET], "msg_1", int(time.time()) + off, b"")
    with pytest.raises(RefusedDeliveryError):
        WebhookVerifier(SECRET).verify(b"", CIMultiDict(headers))


# Nothing known.


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        7,
        {},
        {"deviceId": None},
        {"timestamp": AT},
        connection(deviceId=""),
        connection(deviceId=7),
        connection(timestamp=None),
        connection(timestamp="yesterday"),
        connection(timestamp=7),
        end(),
        end(actionId=None, completedAt=AT),
        end(actionId=7, completedAt=AT),
        end(actionId="", completedAt=AT),
        end(deviceId=None, completedAt=AT),
        end(completedAt=None, result=None, errorCode=None),
        end(state="acknowledged", completedAt=AT),
        end(state="cancelled", completedAt=AT),
        end(state="paused", completedAt=AT),
    ],
)
def test_not_known(body: Any) -> None:
    assert parse(body) is None


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"{}{}", b"NaN"])
def test_no_json(raw: bytes) -> None:
    assert parse_event(raw) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "deviceId",
                        "deviceType",
                        "actionId",
                        "actionType",
                        "timestamp",
                        "reconnectionUrl",
                        "parameters",
                        "result",
                        "error",
                        "state",
                        "completedAt",
                        "failedAt",
                    ]
                ),
                inner,
            )
        ),
        max_leaves=15,
    )
)
def test_no_body_trips_it(body: Any) -> None:
    parse(body)


# Ends of actions.


def test_older_completed() -> None:
    event = parse(documented("before/webhook-push-completed"))
    assert isinstance(event, PushEnded)
    action = event.action
    assert action.id == "act_inflight_002"
    assert action.device_id == "dev_abc123"
    assert action.device_type == "battery"
    assert action.command == "charge"
    assert action.state == ActionState.COMPLETED
    assert action.error_code is None
    assert action.completed_at == datetime(2026, 5, 8, 22, 0, 5, tzinfo=UTC)


def test_older_failed() -> None:
    event = parse(documented("before/webhook-push-failed"))
    assert isinstance(event, PushEnded)
    action = event.action
    assert action.state == ActionState.FAILED
    assert action.error_code == "SCHEDULER_ACTIVE"
    assert action.error_message is not None
    assert action.completed_at == datetime(2026, 5, 8, 22, 0, 32, tzinfo=UTC)


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"completedAt": AT}, "completed"),
        ({"completedAt": AT, "result": None}, "completed"),
        ({"result": {"success": True}}, "completed"),
        ({"result": {}}, "completed"),
        ({"state": "completed"}, "completed"),
        ({"completedAt": AT, "errorCode": None, "failedAt": None}, "completed"),
        ({"completedAt": AT, "failedAt": AT}, "failed"),
        ({"failedAt": AT}, "failed"),
        ({"errorCode": "NO"}, "failed"),
        ({"errorMessage": "Never"}, "failed"),
        ({"error": {"code": "NO"}}, "failed"),
        ({"completedAt": AT, "result": {"success": False}}, "failed"),
        ({"state": "failed"}, "failed"),
    ],
)
def test_ends(more: dict[str, Any], state: str) -> None:
    event = parse(end(**more))
    assert isinstance(event, PushEnded)
    assert event.action.state == state
    assert event.action.is_final


# Connections.


def test_connected() -> None:
    assert parse(connection()) == DeviceConnected(
        device_id="device_1",
        device_type=DeviceType.BATTERY,
        at=datetime(2026, 6, 1, 11, tzinfo=UTC),
    )


def test_disconnected() -> None:
    event = parse(documented("webhook-device-disconnected"))
    assert event == DeviceDisconnected(
        device_id="device_abc123",
        device_type=DeviceType.BATTERY,
        at=datetime(2026, 6, 1, 11, tzinfo=UTC),
        reconnection_url="https://auth.amps.ai/?reconnect=true&token=...",
    )


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("ev_charger", DeviceType.EV_CHARGER),
        ("ev-charger", DeviceType.EV_CHARGER),
        ("toaster", None),
        (None, None),
        (7, None),
    ],
)
def test_device_types(word: Any, kind: DeviceType | None) -> None:
    assert parse(connection(deviceType=word)).device_type is kind


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://auth.amps.ai/?reconnect=true&token=a.b-c~d_e%20f", True),
        ("https://login.example:8443/a;b=c/d,e#f", True),
        # Brackets are markup where the address is shown.
        ("https://[2001:db8::1]/", False),
        ("https://auth.amps.ai/" + "a" * 2000, True),
        ("https://auth.amps.ai/" + "a" * 3000, False),
        ("http://auth.amps.ai/", False),
        ("HTTPS://auth.amps.ai/", True),
        ("//auth.amps.ai/", False),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https:///path", False),
        ("https://[/", False),
        ("https://auth.amps.ai@elsewhere.example/", False),
        ("https://:pass@elsewhere.example/", False),
        ("https://auth.amps.ai/ and more", False),
        ("https://auth.amps.ai/\n", False),
        ('https://auth.amps.ai/"onclick=', False),
        ("https://auth.amps.ai/<script>", False),
        ("https://аmps.example/", False),
        ("", False),
        (None, False),
        ({"url": "https://auth.amps.ai/"}, False),
        (f"{LINK}/app?reconnect=1", True),
        (f"{LINK}?reconnect=1", True),
        (f"{LINK}.example/", False),
        ("http://127.0.0.1:2/link/", False),
    ],
)
def test_reconnection_url(url: Any, good: bool) -> None:
    event = parse(connection(reconnectionUrl=url), link_base=LINK)
    assert isinstance(event, DeviceDisconnected)
    assert event.reconnection_url == (url if good else None)


def test_other_link_base() -> None:
    event = parse(connection(reconnectionUrl=f"{LINK}/app"))
    assert event.reconnection_url is None


@pytest.mark.parametrize(
    "more",
    [
        {"scheduleId": "sched_1"},
        {"event": "schedule.created"},
        {"slot": {"start": "2026-06-01T10:30:00.000Z"}},
    ],
)
@pytest.mark.parametrize(
    "name", ["webhook-device-connected", "webhook-device-disconnected"]
)
def test_a_body_with_other_fields_is_no_event_of_a_device(
    name: str, more: Json
) -> None:
    assert parse(documented(name)) is not None
    assert parse({**documented(name), **more}) is None


@pytest.mark.parametrize(
    "name",
    [
        "webhook-device-connected",
        "webhook-device-disconnected",
        "webhook-device-reconnected",
        "before/webhook-push-completed",
        "before/webhook-push-failed",
    ],
)
def test_the_oldest_form_is_unwrapped(name: str) -> None:
    body = documented(name)
    assert parse({"eventId": "evt_1", "data": body}) == parse(body) is not None
    assert parse({"eventId": "evt_1", "data": "nothing"}) is None
