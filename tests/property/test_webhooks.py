"""Whatever is delivered, signed or not: an answer, and nothing broken."""

from collections.abc import Awaitable, Callable
from itertools import count
import json
import time
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amps_ai.common.const import EVENT_ACTION
from sandbox.webhooks import headers_of

from .helpers import SECRET, WEBHOOK_ID, Checks
from .strategies import (
    DEPTHS,
    QUIET,
    TIMES,
    Nested,
    anything,
    dump,
    examples,
    mutated,
    nasty_texts,
    texts,
)

pytestmark = QUIET

BATTERY = "device_battery_001"
OTHER_SECRET = "whsec_" + "A" * 32

# No two deliveries have the same id: one that is known already does nothing.
_message_ids = map("msg_{}".format, count())

type Send = Callable[[bytes, dict[str, str]], Awaitable[int]]


@pytest.fixture
async def send(
    loaded: MockConfigEntry, hass_client_no_auth: ClientSessionGenerator
) -> Send:
    """Return what sends bytes and returns the status of an answer that says nothing."""
    client: TestClient[Any, Any] = await hass_client_no_auth()

    async def _send(raw: bytes, headers: dict[str, str]) -> int:
        path = f"/api/webhook/{WEBHOOK_ID}"
        async with client.post(path, data=raw, headers=headers) as response:
            said = await response.read()
            # A body that does not unpack can be refused by the server itself,
            # which depends on how it comes over the wire.
            if response.status != 400 or "Content-Encoding" not in headers:
                assert said == b""
            return response.status

    return _send


def _signed(raw: bytes, message_id: str, secret: str = SECRET) -> dict[str, str]:
    return headers_of([secret], message_id, int(time.time()), raw)


def _measured(hass: HomeAssistant) -> dict[str, str]:
    """Return what devices measure, which no webhook tells."""
    return {
        state.entity_id: state.state
        for state in hass.states.async_all(("sensor", "binary_sensor", "number"))
        if "last_command" not in state.entity_id
        and "last_action" not in state.entity_id
        and "estimate" not in state.entity_id
        and "last_captured" not in state.entity_id
    }


ENDED = {
    "actionId": "act_1",
    "deviceId": BATTERY,
    "deviceType": "battery",
    "command": "charge",
    "parameters": {"target": {"value": 90, "unit": "percent"}},
    "result": {"success": True},
    "completedAt": "2026-06-01T12:00:01.000Z",
}
FAILED = {
    "actionId": "act_2",
    "deviceId": BATTERY,
    "actionType": "battery:set_operation_mode",
    "parameters": {"mode": "charge", "target": {"value": 95, "unit": "percent"}},
    "error": {"code": "SCHEDULER_ACTIVE", "message": "Native scheduler is active."},
    "failedAt": "2026-06-01T12:00:02.000Z",
}
DISCONNECTED = {
    "deviceId": BATTERY,
    "deviceType": "battery",
    "timestamp": "2026-06-01T12:00:03.000Z",
    "reconnectionUrl": "https://auth.amps.ai/?reconnect=true&token=abc",
}
CONNECTED = {name: DISCONNECTED[name] for name in list(DISCONNECTED)[:3]}
events = st.sampled_from((ENDED, FAILED, DISCONNECTED, CONNECTED))
# The device is meant, whatever else is wrong.
told = mutated(events).map(
    lambda body: {**body, "deviceId": BATTERY} if isinstance(body, dict) else body
)
timed = st.builds(
    lambda body, at: {
        name: at if name in ("timestamp", "completedAt", "failedAt") else value
        for name, value in body.items()
    },
    events,
    st.sampled_from(TIMES),
)


@examples(60, slow=True)
@given(
    st.lists(told | timed | mutated(events) | anything, min_size=1, max_size=3),
)
async def test_signed(
    hass: HomeAssistant,
    send: Send,
    checks: Checks,
    documents: list[Any],
) -> None:
    """What is genuine is taken, or not understood; what is measured stays."""
    before = _measured(hass)
    for document in documents:
        raw = dump(document)
        assert await send(raw, _signed(raw, next(_message_ids))) == 200
    await hass.async_block_till_done(wait_background_tasks=True)
    checks.all()
    assert _measured(hass) == before


header_values = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40
) | st.sampled_from(
    (
        "",
        " ",
        "v1,",
        "v1",
        "v1,%%%",
        "v1,é",
        "v1a,v1b v1,c",
        "nan",
        "inf",
        "1e308",
        "9" * 400,
        "-1",
        "x" * 5000,
    )
)


@examples(80, slow=True)
@given(
    raw=st.binary(max_size=100) | told.map(dump),
    headers=st.dictionaries(
        st.sampled_from(
            ("svix-id", "svix-timestamp", "svix-signature", "webhook-signature")
        ),
        header_values,
    ),
    base=st.sampled_from(("nothing", "other", "signed elsewhere")),
    more=st.dictionaries(
        st.sampled_from(("Content-Type", "Content-Encoding")),
        st.sampled_from(("gzip", "deflate", "nonsense", "text/html; charset=x")),
    ),
)
async def test_not_genuine(
    hass: HomeAssistant,
    send: Send,
    checks: Checks,
    raw: bytes,
    headers: dict[str, str],
    base: str,
    more: dict[str, str],
) -> None:
    """What is not genuine is refused, and does nothing."""
    states = {state.entity_id: state.state for state in hass.states.async_all()}
    signed: dict[str, str] = {}
    if base == "other":
        signed = _signed(raw, next(_message_ids), OTHER_SECRET)
    elif base == "signed elsewhere":
        signed = _signed(raw + b" ", next(_message_ids))
    status = await send(raw, {**signed, **headers, **more})
    assert status in (400, 401)
    await hass.async_block_till_done(wait_background_tasks=True)
    checks.all()
    assert states == {state.entity_id: state.state for state in hass.states.async_all()}


@examples(20, slow=True)
@given(st.sampled_from((65_535, 65_536, 65_537, 200_000)), st.booleans())
async def test_too_much(
    hass: HomeAssistant, send: Send, checks: Checks, size: int, genuine: bool
) -> None:
    """Nothing is read to its end that is longer than anything genuine."""
    raw = b" " * size
    headers = _signed(raw, next(_message_ids), SECRET if genuine else OTHER_SECRET)
    status = await send(raw, headers)
    assert status == (413 if size > 65_536 else 200 if genuine else 401)
    checks.all()


@examples(40, slow=True)
@given(
    word=nasty_texts,
    field=st.sampled_from(("command", "errorCode", "errorMessage", "actionId")),
    more=texts,
)
async def test_words(
    hass: HomeAssistant,
    send: Send,
    checks: Checks,
    word: str,
    field: str,
    more: str,
) -> None:
    """Whatever an end is told with: states, attributes and issues stay sound."""
    body = {**ENDED, "actionId": f"act_{more}", "state": "failed", field: word}
    raw = json.dumps(body).encode()
    assert await send(raw, _signed(raw, next(_message_ids))) == 200
    await hass.async_block_till_done(wait_background_tasks=True)
    checks.all()


@pytest.mark.parametrize("in_objects", [True, False])
@pytest.mark.parametrize("field", ["result", "parameters", "error", "timestamp"])
async def test_any_depth(
    hass: HomeAssistant, send: Send, checks: Checks, field: str, in_objects: bool
) -> None:
    """However deep a genuine body is nested: it is taken, or not understood."""
    ends = async_capture_events(hass, EVENT_ACTION)
    for depth in (20, *DEPTHS, 1100, 5000):
        value = {"a": Nested(depth, in_objects)}
        end = {**ENDED, "actionId": f"act_{depth}", "failedAt": ENDED["completedAt"]}
        for body in ({**end, field: value}, {**DISCONNECTED, field: value}):
            raw = dump(body)
            assert await send(raw, _signed(raw, next(_message_ids))) == 200
        await hass.async_block_till_done(wait_background_tasks=True)
        checks.all()
    # Too deep is not understood, and nothing is made of half of it.
    assert [event.data["action_id"] for event in ends] == ["act_20"]
