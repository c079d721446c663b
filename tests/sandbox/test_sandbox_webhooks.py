"""Webhooks that the sandbox sends: signed, again and again, twice, in disorder."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
import json
import time
from typing import Any

from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from sandbox import LIVE_KEY, Clock, Sandbox
from sandbox.webhooks import Endpoint
from tests.sandbox.helpers import BATTERY, CHARGER, HVAC, Api, quantity

SECRET = "whsec_" + b64encode(b"a secret of twenty-four.").decode()
OTHER = "whsec_" + b64encode(b"another one, and longer..").decode()


@dataclass
class Receiver:
    """Somebody who takes webhooks, or not."""

    url: str = ""
    # The answers to come; then 200.
    statuses: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def handle(self, request: web.Request) -> web.Response:
        """Take a delivery."""
        self.got.append((dict(request.headers), await request.read()))
        if self.hold is not None:
            await self.hold.wait()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    @property
    def bodies(self) -> list[Any]:
        """What was delivered."""
        return [json.loads(raw) for _, raw in self.got]

    @property
    def ids(self) -> list[str]:
        """The ids of what was delivered."""
        return [headers["svix-id"] for headers, _ in self.got]

    def verify(self, secret: str, index: int = -1) -> None:
        """Raise unless a delivery is signed with a secret."""
        headers, raw = self.got[index]
        Webhook(secret).verify(
            raw,
            {
                name.lower().replace("svix", "webhook"): value
                for name, value in headers.items()
            },
        )


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    if receiver.hold is not None:
        receiver.hold.set()
    await runner.cleanup()


@pytest.fixture
def endpoint(sandbox: Sandbox, receiver: Receiver) -> Endpoint:
    """Register the receiver."""
    sandbox.webhooks.backoff = (0.02, 0.05)
    return sandbox.webhooks.add(receiver.url, SECRET)


# Nobody takes it.


async def test_sent_again_until_it_is_taken(
    sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    receiver.statuses = [500, 404]
    sandbox.home.add_device("battery")
    await sandbox.webhooks.settled()
    assert len(receiver.got) == 3
    assert len(set(receiver.ids)) == 1
    assert len({raw for _, raw in receiver.got}) == 1
    assert [item.status for item in sandbox.webhooks.attempts] == [500, 404, 200]
    assert [item.number for item in sandbox.webhooks.attempts] == [1, 2, 3]


async def test_given_up(
    sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    receiver.statuses = [500] * 9
    sandbox.home.add_device("battery")
    await sandbox.webhooks.settled()
    assert [item.status for item in sandbox.webhooks.attempts] == [500] * 3


async def test_a_redirect_is_not_followed(
    sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    receiver.statuses = [307]
    sandbox.home.add_device("battery")
    await sandbox.webhooks.settled()
    assert [item.status for item in sandbox.webhooks.attempts] == [307, 200]


async def test_nobody_there(sandbox: Sandbox, unused_tcp_port: int) -> None:
    sandbox.webhooks.backoff = (0.01,)
    sandbox.webhooks.add(f"http://127.0.0.1:{unused_tcp_port}/")
    sandbox.home.add_device("battery")
    await sandbox.webhooks.settled()
    assert [item.status for item in sandbox.webhooks.attempts] == [None, None]


async def test_no_answer_in_time(
    sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    receiver.hold = asyncio.Event()
    sandbox.webhooks.answer_within = 0.05
    sandbox.webhooks.backoff = ()
    sandbox.home.add_device("battery")
    await sandbox.webhooks.settled()
    assert [item.status for item in sandbox.webhooks.attempts] == [None]


async def test_nothing_is_left_behind(
    sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    receiver.hold = asyncio.Event()
    sandbox.home.add_device("battery")
    await asyncio.sleep(0.05)
    assert receiver.got
    await sandbox.webhooks.stop()
    left = [task for task in asyncio.all_tasks() if "Webhooks" in repr(task)]
    assert not left
    sandbox.home.add_device("battery")
    sandbox.webhooks.start()
    await sandbox.webhooks.settled()
    assert len(receiver.got) == 1


async def test_stopped_while_it_waits_to_try_again(
    sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    receiver.statuses = [500, 500]
    sandbox.webhooks.backoff = (60,)
    sandbox.home.add_device("battery")
    while len(sandbox.webhooks.attempts) < 1:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.02)
    await asyncio.wait_for(sandbox.stop(), 1)
    await sandbox.start()


async def test_removed_while_it_waits_to_try_again(
    sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    receiver.statuses = [500]
    sandbox.webhooks.backoff = (0.1,)
    sandbox.home.add_device("battery")
    while len(sandbox.webhooks.attempts) < 1:
        await asyncio.sleep(0.01)
    sandbox.webhooks.remove(endpoint)
    await sandbox.webhooks.settled()
    sandbox.home.add_device("battery")
    await sandbox.webhooks.settled()
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("http://example.org/hook", {}),
        ("http://192.168.1.5/hook", {}),
        ("https://127.0.0.1/hook", {}),
        ("ftp://127.0.0.1/hook", {}),
        ("", {}),
        ("http://127.0.0.1/", {"secret": "whsec_"}),
        ("http://127.0.0.1/", {"secret": "whsec_a"}),
        ("http://127.0.0.1/", {"secret": "c2VjcmV0"}),
        ("http://127.0.0.1/", {"events": ["push.cancelled"]}),
    ],
)
async def test_what_cannot_be_registered(
    sandbox: Sandbox, url: str, more: dict[str, Any]
) -> None:
    with pytest.raises(ValueError):
        sandbox.webhooks.add(url, **more)


async def test_no_account(sandbox: Sandbox) -> None:
    with pytest.raises(KeyError):
        sandbox.webhooks.add("http://127.0.0.1/", account="nobody")


# The signature.


async def test_signature(
    sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    sandbox.home.add_device("battery")
    await sandbox.webhooks.settled()
    receiver.verify(SECRET)
    with pytest.raises(WebhookVerificationError):
        receiver.verify(OTHER)
    headers, _ = receiver.got[0]
    # The receiver's time, not that of the sandbox's clock.
    assert abs(int(headers["svix-timestamp"]) - time.time()) < 5


async def test_rotation(
    sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    endpoint.rotate(OTHER)
    sandbox.home.add_device("battery")
    await sandbox.webhooks.settled()
    assert len(receiver.got[0][0]["svix-signature"].split()) == 2
    receiver.verify(OTHER)
    receiver.verify(SECRET)
    with pytest.raises(ValueError):
        endpoint.rotate("nothing")


async def test_other_time(
    sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    sandbox.webhooks.now = lambda: 1000.7
    sandbox.home.add_device("battery")
    await sandbox.webhooks.settled()
    assert receiver.got[0][0]["svix-timestamp"] == "1000"


# What is told.


async def test_push_ends(
    api: Api, sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint, clock: Clock
) -> None:
    target = quantity(90, "percent")
    action = await api.push(BATTERY, "charge", target=target)
    await sandbox.webhooks.settled()
    assert not receiver.got
    clock.advance(5)
    await sandbox.webhooks.settled()
    assert receiver.bodies == [
        {
            "actionId": action["id"],
            "deviceId": "device_battery_001",
            "deviceType": "battery",
            "command": "charge",
            "parameters": {"target": target},
            "result": {"success": True, "message": "Mode applied"},
            "completedAt": "2026-06-01T10:00:04.000Z",
        }
    ]
    sandbox.device("device_ev_001").next_action("failed", code="NO", message="Never")
    action = await api.push(CHARGER, "idle")
    clock.advance(5)
    await sandbox.webhooks.settled()
    assert receiver.bodies[1:] == [
        {
            "actionId": action["id"],
            "deviceId": "device_ev_001",
            "deviceType": "ev_charger",
            "command": "idle",
            "parameters": None,
            "result": None,
            "errorCode": "NO",
            "errorMessage": "Never",
            "failedAt": "2026-06-01T10:00:09.000Z",
        }
    ]


async def test_cancelled_is_not_told(
    api: Api, sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    action = await api.push(BATTERY, "charge", start="2h")
    await api.ask("POST", f"/actions/{action['id']}/cancel")
    await sandbox.webhooks.settled()
    assert sandbox.events[-1].kind == "push.cancelled"
    assert not receiver.got


async def test_older_bodies(
    api: Api, sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint, clock: Clock
) -> None:
    sandbox.account("test").generation = "before"
    power = quantity(3, "kw")
    cases = [
        (BATTERY, "charge", {"power": power}, "battery:set_operation_mode"),
        (CHARGER, "idle", {}, "ev-charger:stop_charging"),
        (HVAC, "heat", {"target": quantity(20, "celsius")}, "hvac:set_permanent_hold"),
        (HVAC, "follow_schedule", {}, "hvac:follow_schedule"),
    ]
    for path, command, parameters, _ in cases:
        body = {"action": {"command": command, "parameters": parameters}}
        await api.ask("POST", path, body, status=202)
        clock.advance(5)
    sandbox.device("device_battery_001").next_action("failed", code="NO", message="-")
    await api.ask("POST", BATTERY, {"action": {"command": "idle"}}, status=202)
    clock.advance(5)
    await sandbox.webhooks.settled()
    assert [body["actionType"] for body in receiver.bodies[:4]] == [
        case[3] for case in cases
    ]
    assert not {"command", "deviceType"} & set(receiver.bodies[0])
    assert receiver.bodies[0]["parameters"] == {"mode": "charge", "power": power}
    assert receiver.bodies[0]["completedAt"] == "2026-06-01T10:00:04.000Z"
    assert receiver.bodies[4]["error"] == {"code": "NO", "message": "-"}
    assert receiver.bodies[4]["failedAt"]
    assert "completedAt" not in receiver.bodies[4]


async def test_older_push_is_told_as_it_was_made(
    api: Api, sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint, clock: Clock
) -> None:
    await api.ask(
        "POST", CHARGER, {"action": "set_max_power", "maxPower": 7.4}, status=202
    )
    clock.advance(5)
    await sandbox.webhooks.settled()
    assert receiver.bodies[0]["actionType"] == "ev-charger:set_max_power"


async def test_connections(
    sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    device = sandbox.device("device_battery_001")
    device.credentials_refused = True
    device.credentials_refused = None
    sandbox.webhooks.relink = False
    device.gone = True
    device.gone = False
    sandbox.home.add_device("ev_charger")
    await sandbox.webhooks.settled()
    plain = {
        "deviceId": "device_battery_001",
        "deviceType": "battery",
        "timestamp": "2026-06-01T10:00:00.000Z",
    }
    first, *others = receiver.bodies
    url = first.pop("reconnectionUrl")
    assert url.startswith(f"{sandbox.url}/link/app_demo?")
    assert first == plain
    assert others[:3] == [plain] * 3
    assert others[3]["deviceType"] == "ev_charger"
    assert [item.kind for item in sandbox.webhooks.attempts] == [
        "device.disconnected",
        "device.reconnected",
        "device.disconnected",
        "device.reconnected",
        "device.connected",
    ]


async def test_reconnection_page(
    api: Api, sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    device = sandbox.device("device_battery_001")
    device.credentials_refused = True
    await sandbox.webhooks.settled()
    url = receiver.bodies[0]["reconnectionUrl"]
    async with api.session.get(url) as response:
        assert "Connect again: tesla Powerwall 2" in await response.text()
    async with api.session.post(url, data={"again": ""}) as response:
        text = await response.text()
    assert "Connected: <b>tesla Powerwall 2</b>" in text
    assert "Connect again" not in text
    assert device.credentials_refused is None
    await sandbox.webhooks.settled()
    assert sandbox.webhooks.attempts[-1].kind == "device.reconnected"


async def test_only_what_was_asked_for(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks.add(receiver.url, events=["device.disconnected"])
    sandbox.home.add_device("battery")
    sandbox.device("device_battery_001").gone = True
    await sandbox.webhooks.settled()
    assert [item.kind for item in sandbox.webhooks.attempts] == ["device.disconnected"]


async def test_only_the_account(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks.add(receiver.url, account=LIVE_KEY)
    sandbox.home.add_device("battery")
    await sandbox.webhooks.settled()
    assert not receiver.got
    added = sandbox.live_home.add_device("battery")
    await sandbox.webhooks.settled()
    assert [body["deviceId"] for body in receiver.bodies] == [added.id]


# On order.


async def test_duplicates(
    sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    endpoint.duplicates = 2
    sandbox.home.add_device("battery")
    await sandbox.webhooks.settled()
    assert len(receiver.got) == 3
    assert len(set(receiver.ids)) == 1


async def test_disorder(
    sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    endpoint.reorder = 3
    added = [sandbox.home.add_device("battery").id for _ in range(4)]
    await sandbox.webhooks.settled()
    assert [body["deviceId"] for body in receiver.bodies] == added[2::-1]
    sandbox.webhooks.release(endpoint)
    await sandbox.webhooks.settled()
    assert receiver.bodies[-1]["deviceId"] == added[3]


async def test_in_order(
    sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    added = [sandbox.home.add_device("battery").id for _ in range(20)]
    await sandbox.webhooks.settled()
    assert [body["deviceId"] for body in receiver.bodies] == added


# The clock.


async def test_a_running_clock_needs_no_request(
    api: Api, sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint, clock: Clock
) -> None:
    await api.push(BATTERY, "idle")
    requests = sandbox.requests.total
    clock.run(speed=20)
    began = time.perf_counter()
    while not receiver.got and time.perf_counter() - began < 5:
        await asyncio.sleep(0.01)
    assert time.perf_counter() - began < 2
    assert receiver.bodies[0]["completedAt"] == "2026-06-01T10:00:04.000Z"
    assert sandbox.requests.total == requests


async def test_a_held_clock_tells_at_the_next_request(
    api: Api, sandbox: Sandbox, receiver: Receiver, endpoint: Endpoint
) -> None:
    sandbox.action_seconds = 0
    await api.push(BATTERY, "idle")
    assert not receiver.got
    await api.get(HVAC)
    await sandbox.webhooks.settled()
    assert len(receiver.got) == 1


async def test_time_that_stands_still(
    sandbox: Sandbox,
    receiver: Receiver,
    endpoint: Endpoint,
    freezer: FrozenDateTimeFactory,
) -> None:
    receiver.statuses = [500]
    sandbox.home.add_device("battery")
    await sandbox.webhooks.settled()
    assert len(receiver.got) == 2


# On order.


async def test_bursts_copies_and_times_ahead(
    api: Api, sandbox: Sandbox, receiver: Receiver, clock: Clock
) -> None:
    endpoint = sandbox.webhooks.add(receiver.url, SECRET)
    sandbox.webhooks.order(
        endpoint, kind="device.connected", device="device_ev_001", times=20
    )
    await sandbox.webhooks.settled()
    assert len(receiver.got) == len(set(receiver.ids)) == 20
    receiver.got.clear()
    endpoint.copies = 4
    await api.push(BATTERY, "idle")
    clock.advance(5)
    await sandbox.webhooks.settled()
    assert len({body["actionId"] for body in receiver.bodies}) == 1
    assert len(receiver.got) == len(set(receiver.ids)) == 5
    receiver.got.clear()
    endpoint.copies, endpoint.ahead, endpoint.signed_ahead = 0, 3600, 100_000
    sandbox.device("device_battery_001").credentials_refused = True
    await sandbox.webhooks.settled()
    [body] = receiver.bodies
    assert body["timestamp"] == "2026-06-01T11:00:05.000Z"
    with pytest.raises(WebhookVerificationError):
        receiver.verify(SECRET)


@pytest.mark.parametrize(
    "kind",
    [
        "schedule.created",
        "schedule.updated",
        "schedule.cancelled",
        "schedule.slot_failed",
        "schedule.slot_skipped",
    ],
)
async def test_what_the_scheduler_tells(
    sandbox: Sandbox, receiver: Receiver, kind: str
) -> None:
    endpoint = sandbox.webhooks.add(receiver.url, SECRET)
    device = sandbox.device("device_battery_001")
    sandbox.webhooks.order(endpoint, kind=kind, device=device, slot="00:30")
    await sandbox.webhooks.settled()
    assert receiver.bodies == [
        {
            "scheduleId": "sched_device_battery_001",
            "deviceId": "device_battery_001",
            "deviceType": "battery",
            "timestamp": "2026-06-01T10:00:00.000Z",
            "slot": "00:30",
        }
    ]


async def test_the_oldest_envelope(
    api: Api, sandbox: Sandbox, receiver: Receiver, clock: Clock
) -> None:
    sandbox.accounts["sk_test_demo"].generation = "oldest"
    sandbox.webhooks.add(receiver.url, SECRET)
    await api.ask(
        "POST", CHARGER, {"action": "set_max_power", "maxPower": 5}, status=202
    )
    clock.advance(5)
    await sandbox.webhooks.settled()
    [body] = receiver.bodies
    assert set(body) == {"eventId", "data"}
    assert body["data"]["actionType"] == "ev-charger:set_max_power"


# Over HTTP.


async def test_control(
    api: Api, sandbox: Sandbox, receiver: Receiver, clock: Clock
) -> None:
    path = "/_sandbox/webhooks"
    order = {"url": receiver.url, "secret": SECRET, "account": "test"}
    added = await api.ask("POST", path, order, status=201)
    assert added["secret"] == SECRET
    number = added["id"]
    made = await api.ask("POST", path, {"url": receiver.url}, status=201)
    assert made["secret"].startswith("whsec_")
    await api.ask("DELETE", f"{path}/{made['id']}")
    shown = await api.ask("GET", path)
    assert [item["url"] for item in shown["items"]] == [receiver.url]
    assert "secret" not in str(shown)

    await api.ask("PATCH", f"{path}/{number}", {"secret": OTHER, "duplicates": 1})
    change = {"credentials_refused": True}
    await api.ask("PATCH", "/_sandbox/devices/device_battery_001", change)
    await sandbox.webhooks.settled()
    assert len(receiver.got) == 2
    receiver.verify(OTHER)
    tried = await api.ask("GET", f"{path}/attempts")
    assert [item["status"] for item in tried["items"]] == [200, 200]

    times: dict[str, Any] = {"copies": 1, "ahead": 60, "signed_ahead": 1}
    shown = await api.ask("PATCH", f"{path}/{number}", times)
    assert (shown["copies"], shown["ahead"], shown["signedAhead"]) == (1, 60, 1)
    times = {"duplicates": 0, "copies": 0, "reorder": 2}
    await api.ask("PATCH", f"{path}/{number}", times)
    order = {"kind": "device.reconnected", "device": "device_ev_001"}
    await api.ask("POST", f"{path}/{number}/send", order, status=202)
    assert (await api.ask("GET", path))["items"][0]["waiting"] == 1
    await api.ask("DELETE", path)
    assert (await api.ask("GET", path))["items"] == []

    for method, rest, body, status in (
        ("POST", "", {"url": "http://example.org"}, 400),
        ("POST", "", {"nothing": 1}, 400),
        ("POST", "", {"url": receiver.url, "account": "nobody"}, 404),
        ("PATCH", "/9", {"duplicates": 1}, 404),
        ("PATCH", "/x", {"duplicates": 1}, 400),
        ("GET", "/9", None, 404),
    ):
        await api.ask(method, path + rest, body, status=status)
    again = await api.ask("POST", path, {"url": receiver.url}, status=201)
    target = f"{path}/{again['id']}"
    await api.ask("PATCH", target, {"nothing": 1}, status=400)
    for order in (
        {"kind": "push.completed", "device": "device_ev_001"},
        {"kind": "device.connected"},
    ):
        await api.ask("POST", f"{target}/send", order, status=400)
    order = {"kind": "device.connected", "device": "none"}
    await api.ask("POST", f"{target}/send", order, status=404)
