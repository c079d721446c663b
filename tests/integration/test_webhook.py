"""What webhooks may do, and what they must not."""

import asyncio
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import timedelta
import json
import logging
import time
from typing import Any
from unittest.mock import AsyncMock, Mock, patch

from aiohttp import ClientPayloadError, StreamReader
from aiohttp.test_utils import TestClient, make_mocked_request
from aiohttp.web_protocol import RequestPayloadError
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_ENTITY_ID, CONF_API_KEY, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    MockHAClientWebSocket,
    WebSocketGenerator,
)

from custom_components.amps_ai.api import Action, AmpsClient, Device, Push
from custom_components.amps_ai.api.webhook import WebhookVerifier
from custom_components.amps_ai.common.const import (
    CONF_APP_ID,
    CONF_CLOUDHOOK_URL,
    CONF_USER_ID,
    CONF_WEBHOOK,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    EVENT_ACTION,
)
from custom_components.amps_ai.diagnostics import async_get_config_entry_diagnostics
from custom_components.amps_ai.webhooks import receiver
from sandbox import TEST_KEY, Sandbox
from sandbox.webhooks import headers_of

from ..lean import rested
from .helpers import done

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
NAME = "Powerwall 2"
SELECT = "select.powerwall_2_mode"
SWITCH = "switch.pulsar_plus"

WEBHOOK_ID = "0123456789abcdef" * 4
SECRET = "whsec_" + b64encode(b"a secret of twenty-four.").decode()
OTHER = "whsec_" + b64encode(b"another one, and longer..").decode()
LINK = f"link_{BATTERY}"
RELINK = "https://auth.amps.ai/?reconnect=true&token=abc"
# The sandbox's clock stands at noon; what comes later is newer.
LATER = "2026-06-01T12:00:01.000Z"
LATEST = "2026-06-01T12:00:02.000Z"
EARLIER = "2026-06-01T11:00:00.000Z"


def connected(device_id: str = BATTERY, at: str = LATER, **more: Any) -> dict[str, Any]:
    """Return the body that tells of a connection."""
    return {"deviceId": device_id, "deviceType": "battery", "timestamp": at} | more


def disconnected(
    device_id: str = BATTERY, at: str = LATER, url: str | None = RELINK
) -> dict[str, Any]:
    """Return the body that tells of a disconnection."""
    return connected(device_id, at, reconnectionUrl=url)


def completed(action_id: str, device_id: str = BATTERY, **more: Any) -> dict[str, Any]:
    """Return the body that tells of an action's end."""
    return {
        "actionId": action_id,
        "deviceId": device_id,
        "deviceType": "battery",
        "command": "charge",
        "parameters": None,
        "result": {"success": True},
        "completedAt": LATER,
    } | more


@dataclass
class Sender:
    """Send deliveries as the API would, and as it would not."""

    client: TestClient[Any, Any]
    count: int = 0

    @property
    def url(self) -> str:
        """The whole address."""
        return str(self.client.make_url(f"/api/webhook/{WEBHOOK_ID}"))

    def headers(self, raw: bytes, **change: Any) -> dict[str, str]:
        """Return the headers of a delivery."""
        self.count += 1
        values: dict[str, Any] = {
            "secrets": [SECRET],
            "message_id": f"msg_{self.count}",
            "timestamp": int(time.time()),
        } | change
        return headers_of(body=raw, **values)

    async def raw(
        self, raw: bytes, headers: dict[str, str], method: str = "POST"
    ) -> int:
        """Send bytes; return the status of the answer, which says nothing."""
        path = f"/api/webhook/{WEBHOOK_ID}"
        async with self.client.request(
            method, path, data=raw, headers=headers
        ) as response:
            assert await response.read() == b""
            return response.status

    async def __call__(self, body: Any, **change: Any) -> int:
        """Send a body; return the status of the answer."""
        raw = json.dumps(body).encode()
        return await self.raw(raw, self.headers(raw, **change))


@pytest.fixture
def entry() -> MockConfigEntry:
    """Return an entry with webhooks on."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Amps AI (sandbox)",
        unique_id=f"sandbox:{'app_demo'}:*",
        data={
            CONF_API_KEY: TEST_KEY,
            CONF_APP_ID: "app_demo",
            CONF_WEBHOOK_ID: WEBHOOK_ID,
            CONF_WEBHOOK_SECRET: SECRET,
        },
        options={CONF_WEBHOOK: True},
    )


@pytest.fixture
async def send(
    loaded: MockConfigEntry, hass_client_no_auth: ClientSessionGenerator
) -> Sender:
    """Return what sends to the loaded entry."""
    return Sender(await hass_client_no_auth())


pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
async def told(sandbox: Sandbox, send: Sender) -> AsyncGenerator[Sandbox]:
    """Let the sandbox send, and nobody ask for the ends of actions."""
    sandbox.webhooks.now = time.time
    sandbox.webhooks.backoff = (0.05, 0.05)
    sandbox.webhooks.add(send.url, SECRET)
    with patch("custom_components.amps_ai.pushes.following._POLLS", (100,)):
        yield sandbox


async def _eventually(check: Callable[[], object]) -> None:
    for _ in range(200):
        if check():
            return
        await asyncio.sleep(0.01)
    assert check()


def _issue(hass: HomeAssistant, issue_id: str = LINK) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id)


def _secret_issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return _issue(hass, f"webhook_secret_wrong_{entry.entry_id}")


async def _tap(hass: HomeAssistant) -> None:
    await hass.services.async_call(
        "select",
        "select_option",
        {ATTR_ENTITY_ID: SELECT, "option": "charge"},
        blocking=True,
    )


async def _restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Unload and set up again, as a restart does, with what was written down."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    await done(hass)
    registry = ir.async_get(hass)
    for domain, issue_id in tuple(registry.issues):
        registry.async_delete(domain, issue_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)


# Not genuine.


@pytest.mark.parametrize(
    ("change", "headers"),
    [
        ({"secrets": [OTHER]}, {}),
        ({"secrets": []}, {}),
        ({"timestamp": -301}, {}),
        ({"timestamp": 301}, {}),
        ({}, {"svix-id": None}),
        ({}, {"svix-timestamp": None}),
        ({}, {"svix-signature": None}),
        ({}, {"svix-id": None, "svix-timestamp": None, "svix-signature": None}),
        ({}, {"svix-id": "msg_other"}),
        ({}, {"svix-id": ""}),
        ({}, {"svix-timestamp": "nan"}),
        ({}, {"svix-timestamp": "inf"}),
        ({}, {"svix-timestamp": "now"}),
        ({}, {"svix-timestamp": "9" * 400}),
        ({}, {"svix-signature": "v1"}),
        ({}, {"svix-signature": "v1,a,b"}),
        ({}, {"svix-signature": "v1,%%%"}),
        ({}, {"svix-signature": "v1,a"}),
        ({}, {"svix-signature": "v1,"}),
        ({}, {"svix-signature": "v2,c2lnbmF0dXJl"}),
        ({}, {"svix-signature": "é,é"}),
        ({}, {"svix-signature": " "}),
    ],
)
async def test_refused(
    hass: HomeAssistant,
    sandbox: Sandbox,
    send: Sender,
    caplog: pytest.LogCaptureFixture,
    change: dict[str, Any],
    headers: dict[str, str | None],
) -> None:
    """A delivery that is not genuine does nothing, and learns nothing."""
    caplog.set_level(logging.DEBUG)
    sandbox.requests.clear()
    raw = json.dumps(disconnected()).encode()
    if "timestamp" in change:
        change = {"timestamp": int(time.time()) + change["timestamp"]}
    signed = send.headers(raw, **change) | headers
    sent = {name: value for name, value in signed.items() if value is not None}
    assert await send.raw(raw, sent) == 401
    await done(hass)
    assert _issue(hass) is None
    assert not len(sandbox.requests)
    for line in caplog.messages:
        assert SECRET.removeprefix("whsec_") not in line
        assert "v1," not in line
        assert "token=" not in line


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"{}", b'{"deviceId": "x"}'])
async def test_altered_body_is_refused(send: Sender, raw: bytes) -> None:
    """A signature is good for one body."""
    headers = send.headers(json.dumps(disconnected()).encode())
    assert await send.raw(raw, headers) == 401


async def test_body_that_is_no_text_is_refused(send: Sender) -> None:
    """The verifier cannot read it, however it is signed."""
    raw = b'{"deviceId": "\xff"}'
    assert await send.raw(raw, send.headers(raw)) == 401


async def test_too_large(hass: HomeAssistant, send: Sender) -> None:
    """What is too large is not even verified."""
    padding = " " * (64 * 1024 - len(json.dumps(disconnected())))
    raw = (json.dumps(disconnected()) + padding).encode()
    assert len(raw) == 64 * 1024
    assert await send.raw(raw + b" ", send.headers(raw + b" ")) == 413
    assert await send.raw(raw * 40, send.headers(raw * 40)) == 413
    assert _issue(hass) is None
    assert await send.raw(raw, send.headers(raw)) == 200
    assert _issue(hass) is not None


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_other_methods(send: Sender, method: str) -> None:
    """A delivery is a POST."""
    raw = json.dumps(disconnected()).encode()
    assert await send.raw(raw, send.headers(raw), method) == 405


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (b"Content-Length: 900\r\n\r\n{", None),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd", None),
    ],
)
async def test_cut_off(
    hass: HomeAssistant,
    send: Sender,
    caplog: pytest.LogCaptureFixture,
    rest: bytes,
    status: bytes | None,
) -> None:
    """Half a delivery is none, and does no harm."""
    host, port = send.client.host, send.client.port
    reader, writer = await asyncio.open_connection(host, port)
    head = f"POST /api/webhook/{WEBHOOK_ID} HTTP/1.1\r\nHost: x\r\n"
    writer.write(head.encode() + rest)
    await writer.drain()
    await rested(0.05)
    if status is not None:
        assert (await reader.readline()).split()[1] == status
    writer.close()
    await writer.wait_closed()
    await rested(0.05)
    assert "could not be taken" not in caplog.text
    assert await send(disconnected()) == 200
    assert _issue(hass) is not None


@pytest.mark.parametrize(
    "trouble", [ConnectionResetError, ClientPayloadError, RequestPayloadError]
)
async def test_connection_that_broke(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    trouble: type[Exception],
) -> None:
    """Whether the web server tells of it or not, it is no trouble of ours."""
    request = make_mocked_request("POST", "/", payload=Mock())
    handler = hass.data["webhook"][WEBHOOK_ID].handler
    with patch.object(request.content, "read", AsyncMock(side_effect=[b"{", trouble])):
        assert (await handler(hass, WEBHOOK_ID, request)).status == 400
    assert "could not be taken" not in caplog.text


async def test_after_a_rotation(hass: HomeAssistant, send: Sender) -> None:
    """Any one of several signatures may be the right one."""
    assert await send(disconnected(), secrets=[OTHER, SECRET]) == 200
    assert _issue(hass) is not None


async def test_several_refused_are_told(
    hass: HomeAssistant, loaded: MockConfigEntry, send: Sender
) -> None:
    """A wrong secret is told, until a delivery can be verified."""
    for _ in range(4):
        assert await send(connected(), secrets=[OTHER]) == 401
    assert _secret_issue(hass, loaded) is None
    assert await send(connected(), secrets=[OTHER]) == 401
    issue = _secret_issue(hass, loaded)
    assert issue is not None
    assert issue.translation_key == "webhook_secret_wrong"
    assert issue.translation_placeholders == {"title": "Amps AI (sandbox)"}
    assert await send(connected()) == 200
    assert _secret_issue(hass, loaded) is None
    # And counting begins anew.
    assert await send(connected(), secrets=[OTHER]) == 401
    assert _secret_issue(hass, loaded) is None


async def test_refused_now_and_then(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    send: Sender,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A few refused over a day say nothing."""
    for _ in range(8):
        assert await send(connected(), secrets=[OTHER]) == 401
        freezer.tick(timedelta(minutes=16))
    assert _secret_issue(hass, loaded) is None


async def test_new_secret_takes_the_complaint_back(
    hass: HomeAssistant, loaded: MockConfigEntry, send: Sender
) -> None:
    """With another secret, what was refused before says nothing."""
    for _ in range(5):
        await send(connected(), secrets=[OTHER])
    assert _secret_issue(hass, loaded) is not None
    await hass.config_entries.async_reload(loaded.entry_id)
    assert _secret_issue(hass, loaded) is None


# Genuine, but of no use.


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nothing",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"deviceId": "device_battery_001"}',
        b'{"deviceId": 7, "timestamp": "2026-06-01T12:00:00Z"}',
        b'{"actionId": "act_1", "deviceId": "device_battery_001"}',
        b'{"actionId": 1, "deviceId": "device_battery_001", "completedAt": 1}',
        # Coming with the scheduler, and not known yet: no event of a device.
        b'{"slot": 1, "deviceId": "device_battery_001", "timestamp": "2026-06-01"}',
    ],
)
async def test_not_understood(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    send: Sender,
    raw: bytes,
) -> None:
    """What is not understood is taken, so that it is not sent for days, and told."""
    ends = async_capture_events(hass, EVENT_ACTION)
    total = sandbox.requests.total
    assert await send.raw(raw, send.headers(raw)) == 200
    await done(hass)
    assert not ends
    assert sandbox.requests.total == total
    told = await async_get_config_entry_diagnostics(hass, loaded)
    assert '"not_understood": 1' in json.dumps(told, default=str)


async def test_replayed(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, send: Sender
) -> None:
    """What came before is answered, and nothing else."""
    assert await send(disconnected(), message_id="msg_first") == 200
    assert await send(connected(at=LATEST)) == 200
    await done(hass)
    assert _issue(hass) is None
    total = sandbox.requests.total
    assert await send(disconnected(at=LATEST), message_id="msg_first") == 200
    await done(hass)
    assert _issue(hass) is None
    assert sandbox.requests.total == total


async def test_replayed_after_a_restart(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    send: Sender,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Deliveries are remembered for days, and not for good."""
    assert await send(connected(), message_id="msg_first") == 200
    await _restart(hass, loaded)
    assert await send(disconnected(), message_id="msg_first") == 200
    assert _issue(hass) is None
    freezer.tick(timedelta(hours=71))
    assert await send(connected(), message_id="msg_second") == 200
    await _restart(hass, loaded)
    assert await send(disconnected(), message_id="msg_first") == 200
    assert _issue(hass) is None
    freezer.tick(timedelta(hours=2))
    # The next one has the oldest forgotten.
    assert await send(connected(), message_id="msg_third") == 200
    assert await send(disconnected(), message_id="msg_first") == 200
    assert _issue(hass) is not None
    assert await send(connected(at=LATEST), message_id="msg_second") == 200
    assert _issue(hass) is not None


async def test_memory_is_bounded(hass: HomeAssistant, send: Sender) -> None:
    """The oldest are forgotten when there are too many."""
    with patch("custom_components.amps_ai.webhooks.receiver._MOST_IDS", 2):
        for number in range(3):
            assert await send(connected(), message_id=f"msg_{number}") == 200
        assert await send(disconnected(), message_id="msg_2") == 200
        assert _issue(hass) is None
        assert await send(disconnected(), message_id="msg_0") == 200
        assert _issue(hass) is not None


async def test_what_is_answered_for_is_written(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    send: Sender,
    hass_storage: dict[str, Any],
) -> None:
    """A delivery is remembered over a sudden end once it was answered."""
    key = f"{DOMAIN}.webhook.{loaded.entry_id}"
    assert await send(connected(), message_id="msg_first") == 200
    assert list(hass_storage[key]["data"]["seen"]) == ["msg_first"]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"seen": None, "links": []},
        {"seen": {"msg": "x"}, "links": {BATTERY: None, CHARGER: {"at": 7}}},
        {"links": {BATTERY: {"at": "soon"}}},
    ],
)
async def test_memory_that_is_odd(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    data: dict[str, Any],
) -> None:
    """Whatever is written there, the entry is set up."""
    for name in ("webhook", "links"):
        key = f"{DOMAIN}.{name}.{entry.entry_id}"
        hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": data}
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    assert _issue(hass) is None


async def test_trouble_of_our_own(
    hass: HomeAssistant, send: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    """Home Assistant would answer an exception with 200, and lose the event."""
    with patch(
        "custom_components.amps_ai.webhooks.receiver.parse_event",
        side_effect=ValueError("the body, and the token"),
    ):
        assert await send(disconnected(), message_id="msg_1") == 500
    assert "A webhook could not be taken: ValueError" in caplog.messages
    assert "the token" not in caplog.text
    assert _issue(hass) is None
    # So it is sent again, and taken.
    assert await send(disconnected(), message_id="msg_1") == 200
    assert _issue(hass) is not None


async def test_sent_again_by_the_sender(hass: HomeAssistant, told: Sandbox) -> None:
    """The same, with one who really sends it again."""
    with patch(
        "custom_components.amps_ai.webhooks.receiver.parse_event",
        side_effect=ValueError,
    ) as broken:
        told.device(BATTERY).credentials_refused = True
        await _eventually(lambda: broken.call_count)
    await told.webhooks.settled()
    assert [item.status for item in told.webhooks.attempts][-1] == 200
    assert _issue(hass) is not None


# Somebody else's.


@pytest.mark.parametrize("home", ["two"])
@pytest.mark.parametrize("body", [disconnected, completed])
async def test_foreign_devices(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    body: Callable[..., dict[str, Any]],
) -> None:
    """An entry for one user takes no notice of the devices of others."""
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_USER_ID: "user_abc123"}
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    send = Sender(await hass_client_no_auth())
    ends = async_capture_events(hass, EVENT_ACTION)
    total = sandbox.requests.total
    foreign = "device_battery_002"
    told = (
        body(foreign) if body is disconnected else completed("act_1", device_id=foreign)
    )
    assert await send(told) == 200
    await done(hass)
    assert not ends
    assert _issue(hass, f"link_{foreign}") is None
    assert sandbox.requests.total == total


# Devices.


async def test_disconnected(
    hass: HomeAssistant, sandbox: Sandbox, send: Sender
) -> None:
    """A disconnected device is a repair, with the address that mends it."""
    sandbox.requests.clear()
    assert await send(disconnected()) == 200
    await done(hass)
    issue = _issue(hass)
    assert issue is not None
    assert issue.translation_key == "device_disconnected"
    assert issue.translation_placeholders == {"device": NAME, "url": RELINK}
    assert issue.learn_more_url == RELINK
    assert not issue.is_fixable
    # The address has a token in it: it stands in no issue that is written down.
    assert not issue.is_persistent
    assert [record.path for record in sandbox.requests] == ["/battery"]
    assert await send(connected(at=LATEST)) == 200
    await done(hass)
    assert _issue(hass) is None
    assert sandbox.requests.reads(BATTERY)


@pytest.mark.parametrize(
    "url",
    [
        None,
        "http://auth.amps.ai/?token=abc",
        "javascript:alert(1)",
        "https://auth.amps.ai/" + "a" * 3000,
        "https://auth.amps.ai/ ](javascript:alert(1))",
        "https://auth.amps.ai@elsewhere.example/",
        "https://[/",
        "https://",
        17,
    ],
)
async def test_disconnected_without_a_good_address(
    hass: HomeAssistant, sandbox: Sandbox, send: Sender, url: Any
) -> None:
    """Where there is none, the person is sent to the account's Link UI."""
    assert await send(disconnected(url=url)) == 200
    issue = _issue(hass)
    assert issue is not None
    assert issue.learn_more_url == (
        f"{sandbox.url}/link/app_demo?sandbox=true&deviceType=battery&maxDevices=1"
    )


async def test_disconnected_and_connected_for_real(
    hass: HomeAssistant, told: Sandbox
) -> None:
    """The same, as the sandbox tells it."""
    told.device(BATTERY).credentials_refused = True
    await told.webhooks.settled()
    await done(hass)
    issue = _issue(hass)
    assert issue is not None
    assert (issue.learn_more_url or "").startswith(f"{told.url}/link/app_demo?")
    told.device(BATTERY).credentials_refused = None
    await told.webhooks.settled()
    await done(hass)
    assert _issue(hass) is None


async def test_disconnection_that_looks_like_a_connection(
    hass: HomeAssistant, told: Sandbox
) -> None:
    """A body without an address may be either: the device is asked for."""
    told.webhooks.relink = False
    told.device(BATTERY).credentials_refused = True
    await told.webhooks.settled()
    await done(hass)
    issue = _issue(hass)
    assert issue is not None
    assert issue.learn_more_url == (
        f"{told.url}/link/app_demo?sandbox=true&deviceType=battery&maxDevices=1"
    )
    told.clock.advance(1)
    told.device(BATTERY).credentials_refused = None
    await told.webhooks.settled()
    await done(hass)
    assert _issue(hass) is None


async def test_connected_but_not_readable(
    hass: HomeAssistant, sandbox: Sandbox, send: Sender
) -> None:
    """Other trouble with the reading proves no disconnection."""
    assert await send(disconnected()) == 200
    sandbox.faults.add(path=f"/battery/{BATTERY}", status=503)
    assert await send(connected(at=LATEST)) == 200
    await done(hass)
    assert _issue(hass) is None


async def test_connected_while_the_account_holds_back(
    hass: HomeAssistant, sandbox: Sandbox, send: Sender
) -> None:
    """An overloaded account asks for nothing more."""
    sandbox.faults.add(path="/battery", status=429, code="RATE_LIMIT_EXCEEDED")
    assert await send(connected()) == 200
    await done(hass)
    assert [r.status for r in sandbox.requests.lists()][-1] == 429
    assert not sandbox.requests.reads(BATTERY)[1:]


async def test_overtaken(hass: HomeAssistant, told: Sandbox, send: Sender) -> None:
    """What was overtaken on the way changes nothing any more."""
    told.webhooks.endpoints[0].reorder = 2
    told.device(BATTERY).credentials_refused = True
    told.clock.advance(1)
    told.device(BATTERY).credentials_refused = None
    await told.webhooks.settled()
    assert [item.kind for item in told.webhooks.attempts] == [
        "device.reconnected",
        "device.disconnected",
    ]
    await done(hass)
    assert _issue(hass) is None


async def test_told_twice(hass: HomeAssistant, told: Sandbox) -> None:
    """A delivery that comes twice is worked on once."""
    told.webhooks.endpoints[0].duplicates = 3
    told.requests.clear()
    told.device(BATTERY).credentials_refused = True
    await told.webhooks.settled()
    await done(hass)
    assert [item.status for item in told.webhooks.attempts] == [200] * 4
    assert len(told.requests.lists()) == 1


async def test_a_reading_closes_it(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, send: Sender
) -> None:
    """A device that was read since is linked, whether that was told or not."""
    assert await send(disconnected()) == 200
    await done(hass)
    coordinator = loaded.runtime_data.find(BATTERY)
    await coordinator.async_read(BATTERY)
    assert _issue(hass) is not None
    sandbox.clock.advance(120)
    await coordinator.async_read(BATTERY, expedite=True)
    assert _issue(hass) is None
    await _restart(hass, loaded)
    assert _issue(hass) is None


async def test_a_reading_that_is_none(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, send: Sender
) -> None:
    """The last known state, given once more, proves nothing."""
    assert await send(disconnected()) == 200
    await done(hass)
    # What was captured later than now, would count as now.
    sandbox.clock.advance(600)
    sandbox.device(BATTERY).body_override = {
        "sync": {"available": False, "lastPulledAt": "2026-06-01T12:05:00Z"}
    }
    await loaded.runtime_data.find(BATTERY).async_refresh()
    assert _issue(hass) is not None
    sandbox.device(BATTERY).body_override["sync"]["lastPulledAt"] = None
    await loaded.runtime_data.find(BATTERY).async_refresh()
    assert _issue(hass) is not None
    sandbox.device(BATTERY).body_override["sync"] = {
        "available": True,
        "lastPulledAt": "2026-06-01T12:06:00Z",
    }
    await loaded.runtime_data.find(BATTERY).async_refresh()
    assert _issue(hass) is None


async def test_late_news(hass: HomeAssistant, sandbox: Sandbox, send: Sender) -> None:
    """A device that was read after it is said to be disconnected is not so."""
    assert await send(disconnected(at=EARLIER)) == 200
    assert _issue(hass) is None


async def test_end_that_comes_before_its_reply(
    hass: HomeAssistant, told: Sandbox
) -> None:
    """A webhook can be quicker than the answer to the push that it is about."""
    told.action_seconds = 0
    ends = async_capture_events(hass, EVENT_ACTION)
    push = AmpsClient.async_push

    async def _late(self: AmpsClient, device: Device, order: Push) -> Action:
        action = await push(self, device, order)
        told.settle()
        await told.webhooks.settled()
        await rested(0.05)
        return action

    with patch.object(AmpsClient, "async_push", _late):
        async with asyncio.timeout(2):
            await _tap(hass)
    await done(hass)
    assert [event.data["state"] for event in ends] == ["completed"]


async def test_asked_again_after_a_restart(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, send: Sender
) -> None:
    """What is not mended yet is a repair after a restart, too."""
    sandbox.device(BATTERY).credentials_refused = True
    assert await send(disconnected()) == 200
    await done(hass)
    await _restart(hass, loaded)
    issue = _issue(hass)
    assert issue is not None
    assert issue.learn_more_url == RELINK
    # And one that was mended meanwhile is none.
    sandbox.clock.advance(120)
    sandbox.device(BATTERY).credentials_refused = None
    await _restart(hass, loaded)
    assert _issue(hass) is None


async def test_gone_at_the_restart(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, send: Sender
) -> None:
    """A device that is not there cannot be linked again."""
    assert await send(disconnected()) == 200
    await done(hass)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    ir.async_get(hass).async_delete(DOMAIN, LINK)
    sandbox.home.remove_device(BATTERY)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await done(hass)
    assert _issue(hass) is None


async def test_removed_with_the_device(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, send: Sender
) -> None:
    """A device that is gone for good takes its repair along."""
    assert await send(disconnected()) == 200
    assert await send(disconnected(CHARGER)) == 200
    await done(hass)
    coordinator = loaded.runtime_data.find(BATTERY)
    assert coordinator is not None
    sandbox.home.remove_device(BATTERY)
    for _ in range(3):
        await coordinator.async_refresh()
    with pytest.raises(Exception, match="not found"):
        await coordinator.async_read(BATTERY)
    await done(hass)
    assert loaded.runtime_data.find(BATTERY) is None
    assert _issue(hass) is None
    assert _issue(hass, f"link_{CHARGER}") is not None


async def test_new_device(hass: HomeAssistant, told: Sandbox) -> None:
    """A new device is there at once."""
    told.home.add_device("battery", model="SolarEdge Home Battery")
    await told.webhooks.settled()
    await done(hass)
    assert hass.states.get("sensor.solaredge_home_battery_battery") is not None


@pytest.mark.parametrize("home", ["empty"])
@pytest.mark.parametrize("word", ["battery", "something_new"])
async def test_first_device_of_a_type(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    send: Sender,
    word: str,
) -> None:
    """A type without devices is asked for seldom, but then at once."""
    sandbox.requests.clear()
    device = sandbox.home.add_device("battery")
    assert await send(connected(device.id, deviceType=word)) == 200
    await done(hass)
    assert loaded.runtime_data.find(device.id) is not None
    asked = [record.path for record in sandbox.requests.lists()]
    assert len(asked) == (1 if word == "battery" else 5)


# Actions.


async def test_end_is_told_at_once(hass: HomeAssistant, told: Sandbox) -> None:
    """A webhook ends the following of its action; nobody asks for it."""
    ends = async_capture_events(hass, EVENT_ACTION)
    call = hass.async_create_task(_tap(hass))
    await _eventually(lambda: told.requests.pushes(BATTERY))
    await rested(0.05)
    told.clock.advance(5)
    async with asyncio.timeout(2):
        await call
    await done(hass)
    assert [event.data["state"] for event in ends] == ["completed"]
    assert not told.requests.of("GET", "/actions/*")


@pytest.mark.parametrize("generation", ["now", "before"])
async def test_failure_is_told_at_once(
    hass: HomeAssistant, told: Sandbox, generation: str
) -> None:
    """A failure is raised by the call that waits, whatever shape tells it."""
    told.webhooks.endpoints[0].account.generation = generation
    told.device(BATTERY).next_action("failed", code="NO", message="Not now")
    ends = async_capture_events(hass, EVENT_ACTION)
    call = hass.async_create_task(_tap(hass))
    await _eventually(lambda: told.requests.pushes(BATTERY))
    await rested(0.05)
    told.clock.advance(5)
    with pytest.raises(Exception, match="Not now"):
        async with asyncio.timeout(2):
            await call
    await done(hass)
    assert [event.data["error"] for event in ends] == ["NO"]
    state = hass.states.get(SELECT)
    assert state is not None
    assert state.state == "auto_balanced"


async def test_end_of_an_action_from_elsewhere(
    hass: HomeAssistant, sandbox: Sandbox, send: Sender
) -> None:
    """What others sent is shown, read back, and no error."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.requests.clear()
    assert await send(completed("act_elsewhere")) == 200
    await done(hass)
    assert [event.data["action_id"] for event in ends] == ["act_elsewhere"]
    assert sandbox.requests.reads(BATTERY)[0].query == {"expedite": "true"}
    # What is planned may have changed.
    assert sandbox.requests.of("GET", "/actions")[0].query["deviceId"] == BATTERY


async def _all_of(bodies: list[dict[str, Any]], send: Sender) -> None:
    """Send many at once, each with an id of its own."""
    assert set(await asyncio.gather(*(send(body) for body in bodies))) == {200}


async def test_many_genuine_connections(
    hass: HomeAssistant, sandbox: Sandbox, send: Sender
) -> None:
    """Two hundred of one device are looked after as one."""
    sandbox.requests.clear()
    await _all_of(
        [connected(at=f"2026-06-01T12:00:01.{part:03}Z") for part in range(200)], send
    )
    await done(hass)
    assert len(sandbox.requests.reads(BATTERY)) <= 4
    assert len(list(sandbox.requests)) <= 10


@pytest.mark.parametrize("same", [False, True])
async def test_many_ends_at_once(
    hass: HomeAssistant, sandbox: Sandbox, send: Sender, same: bool
) -> None:
    """Each end is told once, and the device and its schedule are asked for seldom."""
    ends = async_capture_events(hass, EVENT_ACTION)
    ids = ["act_same"] * 300 if same else [f"act_{number}" for number in range(150)]
    sandbox.requests.clear()
    await _all_of([completed(action_id) for action_id in ids], send)
    await done(hass)
    assert Counter(end.data["action_id"] for end in ends) == Counter(set(ids))
    assert len(sandbox.requests.reads(BATTERY)) <= 4
    assert len(sandbox.requests.of("GET", "/actions")) <= 4


async def test_polling_slows_down_and_comes_back(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    send: Sender,
    freezer: FrozenDateTimeFactory,
) -> None:
    """With webhooks, asking slows down; when they fall silent it comes back."""
    pushes = loaded.runtime_data.pushes
    assert not pushes.webhooks_work
    assert await send(connected(), secrets=[OTHER]) == 401
    assert not pushes.webhooks_work
    assert await send(connected()) == 200
    assert pushes.webhooks_work

    sandbox.action_seconds = 0
    with patch(
        "custom_components.amps_ai.pushes.following._POLLS_BESIDE_WEBHOOKS", (0.02,)
    ):
        await _tap(hass)
    await done(hass)
    assert pushes.webhooks_work
    freezer.tick(timedelta(seconds=61))
    async_fire_time_changed(hass)
    assert not pushes.webhooks_work
    assert await send(connected(at=LATEST)) == 200
    assert pushes.webhooks_work


async def test_a_webhook_that_comes_a_little_late(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    send: Sender,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An end that was found first, and told soon after, is no silence."""
    ends = async_capture_events(hass, EVENT_ACTION)
    sandbox.action_seconds = 0
    await _tap(hass)
    await done(hass)
    action_id = ends[0].data["action_id"]
    assert await send(completed(action_id)) == 200
    freezer.tick(timedelta(seconds=61))
    async_fire_time_changed(hass)
    await done(hass)
    assert loaded.runtime_data.pushes.webhooks_work
    assert len(ends) == 1


async def test_ends_that_no_webhook_is_due_for(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    send: Sender,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Cancelled actions are told by none, and others' are others'."""
    assert await send(connected()) == 200
    await done(hass)
    battery = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, BATTERY), loaded.entry_id
    )
    assert battery is not None
    for device_id, state in (
        (battery.id, "cancelled"),
        (None, "completed"),
        ("nothing", "completed"),
    ):
        data = {"device_id": device_id, "action_id": f"act_{state}", "state": state}
        hass.bus.async_fire(EVENT_ACTION, data)
    await done(hass)
    freezer.tick(timedelta(seconds=61))
    async_fire_time_changed(hass)
    assert loaded.runtime_data.pushes.webhooks_work


# The life of an entry.


async def test_told_while_setting_up(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """What comes while the entry is being set up waits for it."""
    entry.add_to_hass(hass)
    sandbox.faults.add(path="/vehicle", delay=0.5, times=1)
    setting_up = hass.async_create_task(hass.config_entries.async_setup(entry.entry_id))
    await _eventually(lambda: len(sandbox.requests.lists()) == 5)
    send = Sender(await hass_client_no_auth())
    with patch.object(
        WebhookVerifier, "verify", autospec=True, side_effect=WebhookVerifier.verify
    ) as verify:
        sending = hass.async_create_task(send(disconnected()))
        await _eventually(lambda: verify.call_count)
    assert entry.state is ConfigEntryState.SETUP_IN_PROGRESS
    assert _issue(hass) is None
    await setting_up
    assert await sending == 200
    await done(hass)
    assert _issue(hass) is not None
    assert entry.runtime_data.pushes.webhooks_work


async def test_told_before_a_set_up_that_fails(
    hass: HomeAssistant,
    sandbox: Sandbox,
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """What nobody takes in the end is answered 503, so that it is sent again."""
    entry.add_to_hass(hass)
    fault = sandbox.faults.add(path="/vehicle", kind="hold_request", times=1)
    setting_up = hass.async_create_task(hass.config_entries.async_setup(entry.entry_id))
    await fault.reached()
    send = Sender(await hass_client_no_auth())
    with patch.object(
        WebhookVerifier, "verify", autospec=True, side_effect=WebhookVerifier.verify
    ) as verify:
        sending = hass.async_create_task(send(disconnected()))
        await _eventually(lambda: verify.call_count)
    sandbox.accounts[TEST_KEY].expired = True
    fault.release()
    assert not await setting_up
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert await sending == 503
    assert _issue(hass) is None


@pytest.mark.parametrize("end", ["unload", "remove"])
async def test_entry_that_ends_while_a_body_arrives(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    send: Sender,
    end: str,
) -> None:
    """What nobody works on is answered 503, so that it is sent again."""
    raw = json.dumps(disconnected()).encode()
    headers = send.headers(raw) | {"Content-Length": str(len(raw)), "Host": "x"}
    reader, writer = await asyncio.open_connection(send.client.host, send.client.port)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    usual = receiver._async_read
    begun = asyncio.Event()

    async def _read(content: StreamReader) -> bytes | None:
        begun.set()
        return await usual(content)

    with patch.object(receiver, "_async_read", _read):
        writer.write(
            f"POST /api/webhook/{WEBHOOK_ID} HTTP/1.1\r\n{head}\r\n".encode() + raw[:9]
        )
        await writer.drain()
        await begun.wait()
    if end == "unload":
        assert await hass.config_entries.async_unload(loaded.entry_id)
    else:
        await hass.config_entries.async_remove(loaded.entry_id)
    total = sandbox.requests.total
    writer.write(raw[9:])
    await writer.drain()
    assert (await reader.readline()).split()[1] == b"503"
    writer.close()
    await writer.wait_closed()
    await done(hass)
    assert sandbox.requests.total == total
    assert not ir.async_get(hass).issues


async def test_unloaded_in_the_middle(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, send: Sender
) -> None:
    """An entry that goes leaves nothing running and no address behind."""
    sandbox.faults.add(path=f"/battery/{BATTERY}", delay=60)
    assert await send(connected()) == 200
    assert await hass.config_entries.async_unload(loaded.entry_id)
    # Home Assistant answers so for any address that it does not know.
    assert await send(disconnected()) == 200
    assert await send(disconnected(), secrets=[OTHER]) == 200
    assert _issue(hass) is None


async def test_unloaded_with_an_end_overdue(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, send: Sender
) -> None:
    """The timers go as well."""
    assert await send(disconnected()) == 200
    sandbox.action_seconds = 0
    with patch(
        "custom_components.amps_ai.pushes.following._POLLS_BESIDE_WEBHOOKS", (0.02,)
    ):
        await _tap(hass)
    await done(hass)
    assert await hass.config_entries.async_unload(loaded.entry_id)


async def test_failed_set_up_leaves_no_address(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """A set-up that fails can be tried again."""
    entry.add_to_hass(hass)
    sandbox.faults.add(status=500, times=None)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    sandbox.faults.clear()
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize("secret", [None, "whsec_", "nothing"])
async def test_no_good_secret(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
    secret: str | None,
) -> None:
    """Without a secret nothing is received, and all else works."""
    entry.add_to_hass(hass)
    data = {k: v for k, v in entry.data.items() if k != CONF_WEBHOOK_SECRET}
    if secret is not None:
        data[CONF_WEBHOOK_SECRET] = secret
    hass.config_entries.async_update_entry(entry, data=data)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    assert "no secret" in caplog.text
    send = Sender(await hass_client_no_auth())
    assert await send(disconnected()) == 200
    assert _issue(hass) is None


async def test_switched_off(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    send: Sender,
    hass_storage: dict[str, Any],
) -> None:
    """A lost link stays lost; which webhooks came is nobody's business any more."""
    key = f"{DOMAIN}.webhook.{loaded.entry_id}"
    assert await send(disconnected()) == 200
    await done(hass)
    hass.config_entries.async_update_entry(loaded, options={CONF_WEBHOOK: False})
    await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert _issue(hass) is not None
    assert key not in hass_storage
    assert await send(connected(at=LATEST)) == 200
    assert _issue(hass) is not None


@pytest.mark.parametrize("trouble", [None, ValueError("no such hook")])
async def test_removed(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    send: Sender,
    hass_storage: dict[str, Any],
    trouble: Exception | None,
) -> None:
    """An entry takes its repairs, its memory and its cloudhook along."""
    from homeassistant.components import cloud

    hass.config_entries.async_update_entry(
        loaded, data={**loaded.data, CONF_CLOUDHOOK_URL: "https://hooks.example/x"}
    )
    assert await send(disconnected()) == 200
    for _ in range(5):
        await send(connected(), secrets=[OTHER])
    await done(hass)
    with patch.object(
        cloud, "async_delete_cloudhook", AsyncMock(side_effect=trouble)
    ) as delete:
        await hass.config_entries.async_remove(loaded.entry_id)
    delete.assert_awaited_once_with(hass, WEBHOOK_ID)
    assert _issue(hass) is None
    assert _secret_issue(hass, loaded) is None
    assert not [key for key in hass_storage if loaded.entry_id in key]


@pytest.mark.parametrize("has_id", [True, False])
async def test_removed_without_a_cloudhook(
    hass: HomeAssistant, entry: MockConfigEntry, has_id: bool
) -> None:
    """An entry that never had webhooks on is removed just so."""
    entry.add_to_hass(hass)
    data = {k: v for k, v in entry.data.items() if has_id or k != CONF_WEBHOOK_ID}
    hass.config_entries.async_update_entry(entry, data=data, options={})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    assert not hass.config_entries.async_entries(DOMAIN)


async def test_through_the_cloud(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    """What comes by a cloudhook is no request of the web server's."""
    client = await hass_ws_client(hass)
    raw = json.dumps(disconnected()).encode()
    large = raw + b" " * 64 * 1024
    for body, secret, status in ((raw, OTHER, 401), (large, SECRET, 413)):
        reply = await _by_cloud(client, body, secret)
        assert reply["status"] == status
        assert not reply["body"]
        assert _issue(hass) is None
    assert (await _by_cloud(client, raw, SECRET))["status"] == 200
    assert _issue(hass) is not None


async def _by_cloud(
    client: MockHAClientWebSocket, raw: bytes, secret: str
) -> dict[str, Any]:
    await client.send_json_auto_id(
        {
            "type": "webhook/handle",
            "webhook_id": WEBHOOK_ID,
            "method": "POST",
            "body": raw.decode(),
            "headers": headers_of([secret], "msg_1", int(time.time()), raw),
        }
    )
    result: dict[str, Any] = (await client.receive_json())["result"]
    return result
