"""Faults, limits, the log, the control routes, the page, and the process."""

import asyncio
from contextlib import suppress
import json
from pathlib import Path
import signal
import sys
import time
from typing import Any

from aiohttp import ClientPayloadError, ClientSession, ServerDisconnectedError
from freezegun.api import FrozenDateTimeFactory
import pytest

import sandbox as package
from sandbox import LIVE_KEY, Clock, PortTakenError, Sandbox
from sandbox.__main__ import main
from tests.sandbox.helpers import BATTERY, CHARGER, START, Api, quantity

ROOT = Path(package.__file__).parents[1]
HEADERS = {"x-api-key": "sk_test_demo"}


async def raw(api: Api, path: str = "/battery") -> tuple[int, str, str | None]:
    """Return status, text and Retry-After of an answer."""
    async with api.session.get(api.url + path, headers=HEADERS) as response:
        text = await response.text()
        return response.status, text, response.headers.get("Retry-After")


# Faults.


async def test_an_error_on_order(api: Api, sandbox: Sandbox) -> None:
    fault = sandbox.faults.add(
        method="GET",
        path="/battery*",
        times=2,
        status=503,
        code="SERVICE_UNAVAILABLE",
        message="Not now",
        retry_after=7,
    )
    for path in ("/battery", BATTERY):
        status, text, retry_after = await raw(api, path)
        assert status == 503
        assert retry_after == "7"
        body = json.loads(text)
        assert body["success"] is False
        assert body["error"] == {"code": "SERVICE_UNAVAILABLE", "message": "Not now"}
        assert body["meta"]["path"] == path
    assert fault.hits == 2
    assert len(sandbox.faults) == 0
    await api.get("/battery")
    assert [record.fault for record in sandbox.requests] == ["error", "error", None]


async def test_a_fault_until_it_is_removed(api: Api, sandbox: Sandbox) -> None:
    fault = sandbox.faults.add(code="RATE_LIMIT_EXCEEDED")
    for _ in range(3):
        await api.error("GET", "/hvac", status=429, code="RATE_LIMIT_EXCEEDED")
    sandbox.faults.remove(fault)
    await api.get("/hvac")
    sandbox.faults.add(status=500)
    sandbox.faults.clear()
    await api.get("/hvac")


async def test_a_fault_meets_what_it_names(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(method="POST", path=BATTERY, status=500)
    await api.get(BATTERY)
    await api.push(CHARGER, "idle")
    await api.error("POST", BATTERY, {"action": {}}, status=500, code="INTERNAL_ERROR")
    assert await api.items("/actions?deviceId=device_battery_001") == []


@pytest.mark.parametrize(
    ("order", "status", "text"),
    [
        ({"kind": "empty"}, 200, ""),
        ({"kind": "empty", "status": 204}, 204, ""),
        ({"kind": "json", "body": {"a": 1}}, 200, '{"a":1}'),
        ({"kind": "json", "body": None, "status": 202}, 202, "null"),
        ({"kind": "json", "body": [1], "status": 418}, 418, "[1]"),
    ],
)
async def test_other_answers(
    api: Api, sandbox: Sandbox, order: dict[str, Any], status: int, text: str
) -> None:
    sandbox.faults.add(times=1, **order)
    assert (await raw(api))[:2] == (status, text)


async def test_html(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(kind="html", status=502)
    async with api.session.get(api.url + "/battery", headers=HEADERS) as response:
        assert response.status == 502
        assert response.content_type == "text/html"
        assert "<html>" in await response.text()


async def test_drop(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(kind="drop")
    with pytest.raises(ServerDisconnectedError):
        await raw(api)
    assert sandbox.requests[-1].status is None
    sandbox.faults.clear()
    await api.get("/battery")


async def test_cut(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(kind="cut", times=1)
    status, text, _ = await raw(api)
    assert status == 200
    assert text.startswith('{"success":true')
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


async def test_cut_in_the_middle_of_the_transfer(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(kind="cut_transfer", times=1)
    with pytest.raises(ClientPayloadError):
        await raw(api)
    await api.get("/battery")


@pytest.mark.parametrize("home", ["two"])
async def test_lies_about_pages(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(kind="lie_has_more", times=2)
    assert (await api.get("/battery?limit=2"))["pagination"]["hasMore"] is True
    assert (await api.get("/battery?limit=1"))["pagination"]["hasMore"] is False
    sandbox.faults.add(kind="shift_total", times=2)
    assert (await api.get("/battery?limit=1"))["pagination"]["total"] == 3
    assert (await api.get("/battery?limit=1"))["pagination"]["total"] == 4
    sandbox.faults.add(kind="shift_items", amount=-1, times=2)
    first = await api.items("/battery?limit=1")
    second = await api.items("/battery?limit=1&offset=1")
    assert first == second
    assert len(await api.items("/battery")) == 2


async def test_delay(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(delay=0.2, times=1)
    began = time.perf_counter()
    await api.get("/battery")
    assert 0.19 < time.perf_counter() - began < 2
    sandbox.faults.add(delay=0.1, status=500, times=1)
    await api.error("GET", "/battery", status=500, code="INTERNAL_ERROR")


async def test_a_delay_is_of_real_seconds(
    api: Api, sandbox: Sandbox, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to("2030-01-01")
    sandbox.faults.add(delay=0.05, times=1)
    answer = await api.ask("GET", "/battery")
    assert answer["meta"]["timestamp"] == "2026-06-01T10:00:00.000Z"


async def test_a_delay_ends_with_the_client(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(delay=600, times=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await api.get("/battery")
    await api.get("/battery")


async def test_a_delay_ends_with_the_sandbox(socket_enabled: None) -> None:
    before = asyncio.all_tasks()
    sandbox = Sandbox(clock=Clock.manual(START))
    await sandbox.start()
    sandbox.faults.add(delay=600)
    async with ClientSession() as session:
        api = Api(session, sandbox.url)
        waiting = asyncio.create_task(api.get("/battery"))
        while not len(sandbox.requests):
            await asyncio.sleep(0.01)
        began = time.perf_counter()
        await sandbox.stop()
        assert time.perf_counter() - began < 1
        with suppress(ServerDisconnectedError, OSError):
            await waiting
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


def test_wrong_orders() -> None:
    faults = Sandbox("empty").faults
    with pytest.raises(ValueError, match="no kind"):
        faults.add(kind="earthquake")
    with pytest.raises(ValueError, match="times"):
        faults.add(times=0)
    with pytest.raises(TypeError):
        faults.add(colour="red")


# Limits.


@pytest.mark.parametrize(
    ("style", "status", "code"),
    [
        ("429", 429, "RATE_LIMIT_EXCEEDED"),
        ("401", 401, "UNAUTHORIZED"),
        ("before", 401, "RATE_LIMIT_EXCEEDED"),
    ],
)
async def test_rate_limit(
    api: Api, sandbox: Sandbox, clock: Clock, style: str, status: int, code: str
) -> None:
    sandbox.rate_limit(6, style)
    for _ in range(6):
        await api.get("/battery")
    await api.error("GET", "/battery", status=status, code=code)
    _, _, retry_after = await raw(api)
    assert retry_after == ("10" if style == "429" else None)
    await api.get("/battery", key=LIVE_KEY)
    clock.advance(10)
    await api.get("/battery")
    await api.error("GET", "/battery", status=status, code=code)
    sandbox.rate_limit(None)
    await api.get("/battery")
    with pytest.raises(ValueError, match="no style"):
        sandbox.rate_limit(5, "500")
    with pytest.raises(ValueError, match="one request at least"):
        sandbox.rate_limit(0)


# The log.


async def test_the_log(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    await api.get("/battery?limit=5&userId=user_abc123")
    clock.advance(10)
    await api.get(f"{BATTERY}?expedite=true", key="sk_test_demo")
    await api.push(BATTERY, "charge", target=quantity(90, "percent"))
    await api.push(CHARGER, "discharge", status=422)
    body = {"max_charge_rate": quantity(5, "kw")}
    await api.ask("POST", f"{CHARGER}/settings", body)
    await api.ask("GET", "/hvac", key="nobody", status=401)
    log = sandbox.requests
    assert len(log) == log.total == 6
    assert log[0].method == "GET"
    assert log[0].path == "/battery"
    assert log[0].query == {"limit": "5", "userId": "user_abc123"}
    assert log[0].body is None
    assert (log[0].status, log[0].code, log[0].account) == (200, None, "test")
    assert log[0].time.isoformat() == "2026-06-01T10:00:00+00:00"
    assert log[1].time.isoformat() == "2026-06-01T10:00:10+00:00"
    assert (log[5].status, log[5].code, log[5].account) == (
        401,
        "INVALID_API_KEY",
        None,
    )
    pushes = log.pushes()
    assert [push.path for push in pushes] == [BATTERY, CHARGER]
    assert pushes[0].body["action"]["command"] == "charge"
    assert (pushes[1].status, pushes[1].code) == (422, "COMMAND_NOT_SUPPORTED")
    assert log.pushes("device_ev_001") == pushes[1:]
    assert [entry.body for entry in log.settings("device_ev_001")] == [body]
    assert log.settings("device_battery_001") == []
    assert [entry.path for entry in log.reads()] == [BATTERY]
    assert [entry.path for entry in log.lists()] == ["/battery", "/hvac"]
    assert len(log.of("GET", "/battery*")) == 2
    assert len(log.of(None, "*")) == 6
    log.clear()
    assert len(log) == 0
    assert log.total == 6


async def test_what_is_no_api_is_not_logged(api: Api, sandbox: Sandbox) -> None:
    async with api.session.get(f"{api.url}/_sandbox/clock") as response:
        assert response.status == 200
    async with api.session.get(f"{api.url}/link/app_demo") as response:
        assert response.status == 200
    assert len(sandbox.requests) == 0


# The control routes.


async def control(
    api: Api, method: str, path: str, body: Any = None, status: int = 200
) -> Any:
    """Ask a control route."""
    async with api.session.request(
        method, f"{api.url}/_sandbox{path}", json=body
    ) as response:
        answer = await response.json()
        assert response.status == status, answer
        return answer


async def test_control_overview(api: Api, sandbox: Sandbox) -> None:
    overview = await control(api, "GET", "")
    assert overview["url"] == sandbox.url
    assert overview["appId"] == "app_demo"
    assert [account["key"] for account in overview["accounts"]] == [
        "sk_test_demo",
        "sk_live_demo",
    ]


async def test_control_clock(api: Api) -> None:
    assert await control(api, "GET", "/clock") == {
        "now": "2026-06-01T10:00:00.000Z",
        "mode": "manual",
        "speed": 1,
    }
    moved = await control(api, "POST", "/clock", {"advance": 90})
    assert moved["now"] == "2026-06-01T10:01:30.000Z"
    moved = await control(api, "POST", "/clock", {"set": "2027-01-01T00:00:00Z"})
    assert moved["now"] == "2027-01-01T00:00:00.000Z"
    moved = await control(api, "POST", "/clock", {"mode": "real", "speed": 3600})
    assert (moved["mode"], moved["speed"]) == ("real", 3600)
    await asyncio.sleep(0.05)
    held = await control(api, "POST", "/clock", {"mode": "manual"})
    assert held["now"] > "2027-01-01T00:02"
    assert (await control(api, "GET", "/clock"))["now"] == held["now"]
    for wrong in ({"speed": 0}, {"mode": "wild"}, {"hour": 3}, {"set": "soon"}):
        await control(api, "POST", "/clock", wrong, status=400)


async def test_control_requests(api: Api) -> None:
    await api.get("/battery?limit=3")
    answer = await control(api, "GET", "/requests")
    assert answer["total"] == 1
    assert answer["items"][0] == {
        "method": "GET",
        "path": "/battery",
        "query": {"limit": "3"},
        "body": None,
        "status": 200,
        "code": None,
        "at": "2026-06-01T10:00:00.000Z",
        "account": "test",
        "fault": None,
    }
    await control(api, "DELETE", "/requests")
    assert (await control(api, "GET", "/requests"))["items"] == []


async def test_control_faults(api: Api) -> None:
    order = {"path": "/hvac", "status": 503, "code": "SERVICE_UNAVAILABLE"}
    fault = await control(api, "POST", "/faults", order, status=201)
    await api.error("GET", "/hvac", status=503, code="SERVICE_UNAVAILABLE")
    assert (await control(api, "GET", "/faults"))["items"][0]["hits"] == 1
    await control(api, "DELETE", f"/faults/{fault['id']}")
    await api.get("/hvac")
    await control(api, "POST", "/faults", order, status=201)
    await control(api, "DELETE", "/faults")
    await api.get("/hvac")
    await control(api, "POST", "/faults", {"kind": "flood"}, status=400)
    await control(api, "POST", "/faults", {"colour": "red"}, status=400)
    await control(api, "POST", "/rate-limit", {"per_minute": 1})
    await api.get("/hvac")
    await api.error("GET", "/hvac", status=429, code="RATE_LIMIT_EXCEEDED")
    await control(api, "POST", "/rate-limit", {})
    await api.get("/hvac")


async def test_control_devices(api: Api, sandbox: Sandbox) -> None:
    path = "/devices/device_battery_001"
    assert len((await control(api, "GET", "/devices"))["items"]) == 5
    live = await control(api, "GET", "/devices?account=live")
    assert live["items"][0]["id"] == "device_live_battery_001"
    await control(
        api,
        "PATCH",
        path,
        {
            "physics": {"level": 33, "mode": "idle"},
            "settings": {"charge_ceiling": 90},
            "capture": True,
        },
    )
    read = await api.get(BATTERY)
    assert (read["state"]["level"], read["state"]["currentMode"]) == (33, "idle")
    assert read["settings"]["charge_ceiling"]["value"] == 90
    await control(
        api, "PATCH", path, {"state": {"level": 5, "x": None}, "remove": ["capacity"]}
    )
    state = await api.state(BATTERY)
    assert state["level"] == 5
    assert state["x"] is None
    assert "capacity" not in state
    await control(api, "PATCH", path, {"state": None})
    assert (await api.state(BATTERY))["level"] == 33
    changed = await control(api, "PATCH", path, {"offline": True})
    assert changed["offline"] is True
    await api.error("GET", BATTERY, status=400, code="DEVICE_OFFLINE")
    await control(
        api, "PATCH", path, {"offline": False, "next_action": {"state": "failed"}}
    )
    await api.push(BATTERY, "charge")
    await control(api, "POST", "/clock", {"advance": 5})
    assert (await api.get(BATTERY))["lastAction"]["state"] == "failed"
    events = await control(api, "GET", "/events")
    assert events["items"][0]["kind"] == "push.failed"
    for wrong in ({"level": 5}, {"physics": {"hue": 1}}, {"physics": {"_x": 1}}):
        await control(api, "PATCH", path, wrong, status=400)
    await control(api, "PATCH", "/devices/none", {}, status=404)
    await control(api, "GET", "/nowhere", status=404)

    added = await control(
        api, "POST", "/devices", {"type": "hvac", "user": "u"}, status=201
    )
    assert len(await api.items("/hvac?userId=u")) == 1
    await control(api, "DELETE", f"/devices/{added['id']}")
    assert await api.items("/hvac?userId=u") == []
    await control(api, "POST", "/devices", {"type": "toaster"}, status=400)
    await control(api, "POST", "/devices", [], status=400)


async def test_control_is_not_for_other_pages(api: Api) -> None:
    async with api.session.post(
        f"{api.url}/_sandbox/clock",
        data=b'{"advance": 5}',
        headers={"Origin": "http://elsewhere.example"},
    ) as response:
        assert response.status == 403
    assert (await control(api, "GET", "/clock"))["now"] == "2026-06-01T10:00:00.000Z"


# The page.


async def test_link_page(api: Api, sandbox: Sandbox) -> None:
    path = (
        f"{api.url}/link/app_1?sandbox=true&deviceType=battery"
        "&externalUserRef=anna@example.org"
    )
    async with api.session.get(path) as response:
        text = await response.text()
        assert response.status == 200
        assert response.content_type == "text/html"
        assert "script" not in text
    assert "app_1" in text
    assert "anna@example.org" in text
    assert "Sandbox" in text
    assert text.count("<button") == 5
    assert text.index('value="battery" class="chosen"') < text.index('value="hvac"')
    async with api.session.post(path, data={"type": "battery"}) as response:
        text = await response.text()
        assert response.status == 200
        assert response.history[0].status == 303
    assert "Connected: <b>enphase IQ Battery 5P</b>" in text
    mine = await api.items("/battery?userId=anna@example.org")
    assert [item["vendor"] for item in mine] == ["enphase"]
    # Without the flag it is the live account.
    live = f"{api.url}/link/app_1"
    async with api.session.post(live, data={"type": "hvac"}) as response:
        assert "Sandbox</span>" not in await response.text()
    assert len(await api.items("/hvac", key=LIVE_KEY)) == 2
    assert len(await api.items("/hvac")) == 1


async def test_link_page_escapes(api: Api) -> None:
    evil = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
    for path in (
        f"/link/{evil.replace('/', '%2F')}x",
        f"/link/app?externalUserRef={evil}",
        f"/link/app?connected={evil}",
        f"/link/app?deviceType={evil}",
        f"/link/app?{evil}={evil}",
    ):
        async with api.session.get(api.url + path) as response:
            text = await response.text()
            assert "<script" not in text
            assert '">' + "<s" not in text
            assert "default-src 'none'" in response.headers.get(
                "Content-Security-Policy", ""
            )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/link/app?deviceType=toaster", 400),
        ("/link/app?maxDevices=0", 400),
        ("/link/app?maxDevices=101", 400),
        ("/link/app?maxDevices=many", 400),
        ("/link/app?maxDevices=100", 200),
        ("/link/app/more", 404),
        ("/link/", 404),
    ],
)
async def test_link_page_refuses(api: Api, path: str, status: int) -> None:
    async with api.session.get(api.url + path) as response:
        assert response.status == status


async def test_link_page_is_not_for_other_pages(api: Api, sandbox: Sandbox) -> None:
    url = f"{api.url}/link/app?sandbox=true"
    for data, headers, status in (
        ({"type": "hvac"}, {"Origin": "http://elsewhere.example"}, 403),
        ({"type": "toaster"}, {}, 400),
        ({}, {}, 400),
    ):
        async with api.session.post(url, data=data, headers=headers) as response:
            assert response.status == status
    async with api.session.put(url) as response:
        assert response.status == 405
    assert len(sandbox.home.devices) == 5
    own = {"Origin": api.url}
    async with api.session.post(url, data={"type": "hvac"}, headers=own) as response:
        assert response.status == 200
    assert len(sandbox.home.devices) == 6


# The clock.


def test_clock_units() -> None:
    clock = Clock.manual("2026-06-01T12:00:00+02:00")
    assert clock.now().isoformat() == "2026-06-01T10:00:00+00:00"
    clock.set("2026-06-01T10:00:00")
    assert clock.now().isoformat() == "2026-06-01T10:00:00+00:00"
    clock.set(clock.now())
    assert clock.now().isoformat() == "2026-06-01T10:00:00+00:00"
    with pytest.raises(ValueError, match="speed"):
        clock.speed = 0


async def test_a_running_clock(freezer: FrozenDateTimeFactory) -> None:
    clock = Clock.real("2026-06-01T10:00:00Z", speed=1000)
    first = clock.time()
    end = time.clock_gettime(time.CLOCK_MONOTONIC) + 0.05
    while time.clock_gettime(time.CLOCK_MONOTONIC) < end:
        pass
    assert 50 <= clock.time() - first < 5000
    clock.hold()
    held = clock.time()
    freezer.tick(3600)
    assert clock.time() == held
    clock.run(speed=1)
    assert clock.running
    assert clock.time() - held < 5


async def test_moving_the_clock_settles(api: Api, sandbox: Sandbox) -> None:
    await api.push(BATTERY, "idle")
    action = sandbox.home.actions[0]
    sandbox.clock.advance(4)
    assert action.state == "completed"


# The life of the server.


async def test_loopback_only() -> None:
    sandbox = Sandbox("empty")
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org", ""):
        with pytest.raises(ValueError, match="loopback"):
            await sandbox.start(host)
    with pytest.raises(RuntimeError):
        _ = sandbox.url


async def test_a_port_that_is_taken(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    other = Sandbox("empty")
    with pytest.raises(PortTakenError, match=f"Port {port}"):
        await other.start(port=port)
    with pytest.raises(RuntimeError, match="already"):
        await sandbox.start()


async def test_start_and_stop_again(socket_enabled: None) -> None:
    before = asyncio.all_tasks()
    sandbox = Sandbox(clock=Clock.manual(START))
    for _ in range(3):
        await sandbox.start()
        async with ClientSession() as session:
            await Api(session, sandbox.url).get("/battery")
            url = sandbox.url
            await sandbox.stop()
            with pytest.raises(OSError):
                await session.get(url)
        await sandbox.stop()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_a_crash_is_told(
    api: Api, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    device = sandbox.device("device_battery_001")
    device.commands = {"idle": {}}
    await api.error(
        "POST",
        BATTERY,
        {"action": {"command": "idle"}},
        status=500,
        code="INTERNAL_ERROR",
    )
    assert isinstance(sandbox.crashes.pop(), KeyError)
    caplog.clear()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_process(socket_enabled: None, number: signal.Signals) -> None:
    arguments = [
        "-m",
        "sandbox",
        "--port",
        "0",
        "--home",
        "two",
        "--start",
        "2026-06-01T10:00:00Z",
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    assert "sk_test_demo" in line
    assert "app_demo" in line
    url = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
    async with ClientSession() as session:
        api = Api(session, url)
        assert len(await api.items("/battery")) == 2
        answer = await api.ask("GET", "/hvac")
        assert answer["meta"]["timestamp"].startswith("2026-06-01T10:00")
        taken = await asyncio.create_subprocess_exec(
            sys.executable,
            *["-m", "sandbox", "--no-log", "--port"],
            url.rpartition(":")[2],
            cwd=ROOT,
            stderr=asyncio.subprocess.PIPE,
        )
        _, complaint = await taken.communicate()
        assert taken.returncode == 1
        assert complaint.decode().strip().endswith("is in use already")
        process.send_signal(number)
        out, err = await process.communicate()
    assert process.returncode == 0
    assert out == b""
    assert err.decode().splitlines() == ["GET /battery 200 ", "GET /hvac 200 "]


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    for given, complaint in (
        (["--host", "0.0.0.0"], "loopback only"),
        (["--speed", "0"], "speed"),
        (["--start", "soon"], "soon"),
    ):
        assert main(given) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("sandbox: ")
        assert complaint in err
    with pytest.raises(SystemExit):
        main(["--home", "castle"])


@pytest.mark.parametrize("home", ["big"])
async def test_a_page_is_cheap(api: Api, sandbox: Sandbox) -> None:
    devices = [d for d in sandbox.home.devices if d.kind.type == "battery"]
    began = time.process_time()
    for _ in range(20):
        for device in devices:
            device.list_body(sandbox.clock.time(), environment="sandbox")
    each = (time.process_time() - began) / 20
    assert each < 0.01
