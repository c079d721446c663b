"""Faults that the integration has to live with: late, partial, lost and lying."""

import asyncio
from typing import Any

from aiohttp import ClientError, ServerDisconnectedError
import pytest

from sandbox import TEST_KEY, Clock, Sandbox
from tests.sandbox.helpers import BATTERY, CHARGER, HVAC, Api, quantity

HEADERS = {"x-api-key": TEST_KEY}
BATTERY_ID = "device_battery_001"


async def control(api: Api, method: str, path: str, body: Any = None) -> Any:
    """Ask a control route."""
    status = 201 if (method, path) == ("POST", "/faults") else 200
    return await api.ask(method, f"/_sandbox{path}", body, status=status)


# Time.


async def test_a_clock_that_is_ahead(api: Api, sandbox: Sandbox) -> None:
    async def said() -> tuple[str, str]:
        async with api.session.get(api.url + "/battery", headers=HEADERS) as response:
            answer = await response.json()
            return answer["meta"]["timestamp"], response.headers["Date"]

    right = ("2026-06-01T10:00:00.000Z", "Mon, 01 Jun 2026 10:00:00 GMT")
    assert await said() == right
    sandbox.faults.add(kind="clock", seconds=7200, times=1)
    ahead = ("2026-06-01T12:00:00.000Z", "Mon, 01 Jun 2026 12:00:00 GMT")
    assert await said() == ahead
    assert await said() == right
    fault = sandbox.faults.add(kind="clock", seconds=-86400)
    assert (await said())[0] == "2026-05-31T10:00:00.000Z"
    assert (await said())[0] == "2026-05-31T10:00:00.000Z"
    answer = await api.ask("GET", "/battery/none", status=404)
    assert answer["meta"]["timestamp"] == "2026-05-31T10:00:00.000Z"
    sandbox.faults.remove(fault)
    assert await said() == right


async def test_a_capture_in_the_future(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(kind="pulled", path=BATTERY, seconds=3600, times=1)
    ahead = "2026-06-01T11:00:00.000Z"
    right = "2026-06-01T10:00:00.000Z"
    assert (await api.get(BATTERY))["sync"]["lastPulledAt"] == ahead
    assert (await api.get(BATTERY))["sync"]["lastPulledAt"] == right
    sandbox.faults.add(kind="pulled", seconds=3600)
    for path in ("/battery", "/vehicle"):
        [item] = await api.items(path)
        assert item["sync"]["lastPulledAt"] == ahead


# Late answers.


async def test_an_answer_that_is_overtaken(api: Api, sandbox: Sandbox) -> None:
    hold = sandbox.faults.add(kind="hold_answer", path="/battery", times=1)
    late = asyncio.create_task(api.items("/battery"))
    await hold.reached()
    assert hold.held == 1
    await api.push(BATTERY, "charge")
    assert (await api.state(BATTERY))["currentMode"] == "charge"
    assert not late.done()
    hold.release()
    # It tells what was so before the push.
    assert (await late)[0]["state"]["currentMode"] == "auto.balanced"
    assert hold.held == 0


async def test_a_request_that_comes_late(api: Api, sandbox: Sandbox) -> None:
    hold = sandbox.faults.add(kind="hold_request", method="GET", path=BATTERY)
    late = [asyncio.create_task(api.state(BATTERY)) for _ in range(2)]
    await hold.reached(2)
    await api.push(BATTERY, "charge")
    hold.release(1)
    done, waiting = await asyncio.wait(late, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result()["currentMode"] for task in done] == ["charge"]
    assert len(waiting) == 1
    sandbox.faults.remove(hold)
    assert [state["currentMode"] for state in await asyncio.gather(*late)] == [
        "charge"
    ] * 2


async def test_what_is_held_ends_with_the_client_and_the_sandbox(
    api: Api, sandbox: Sandbox
) -> None:
    hold = sandbox.faults.add(kind="hold_answer")
    late = asyncio.create_task(api.get(BATTERY))
    await hold.reached()
    late.cancel()
    while hold.held:
        await asyncio.sleep(0.01)
    late = asyncio.create_task(api.get(BATTERY))
    await hold.reached(2)
    await sandbox.stop()
    with pytest.raises(ClientError):
        await late


async def test_holding_over_http(api: Api, sandbox: Sandbox) -> None:
    order = {"kind": "hold_answer", "path": BATTERY, "times": 1}
    fault = await control(api, "POST", "/faults", order)
    late = asyncio.create_task(api.get(BATTERY))
    while not sandbox.requests.reads():
        await asyncio.sleep(0.01)
    while not late.done():
        await control(api, "POST", f"/faults/{fault['id']}/release", {})
    assert (await late)["id"] == BATTERY_ID
    await api.ask("POST", "/_sandbox/faults/0/release", {}, status=404)


# Partial answers.


async def test_what_is_left_out(api: Api, sandbox: Sandbox) -> None:
    whole = await api.get(BATTERY)
    keys = ["commands", "settings", "lastAction", "vendor", "metadata"]
    sandbox.faults.add(kind="without", path=BATTERY, keys=keys, times=1)
    assert set(await api.get(BATTERY)) == set(whole) - set(keys)
    keys = ["state.level", "metadata.model", "commands.auto.balanced", "nothing.at.all"]
    sandbox.faults.add(kind="without", path=BATTERY, keys=keys, times=1)
    read = await api.get(BATTERY)
    assert "level" not in read["state"]
    assert "model" not in read["metadata"]
    assert "auto.balanced" not in read["commands"]
    sandbox.faults.add(kind="only", path=BATTERY, keys=["id", "state"], times=1)
    assert set(await api.get(BATTERY)) == {"id", "state"}
    assert await api.get(BATTERY) == whole


async def test_changes_add_up(api: Api, sandbox: Sandbox) -> None:
    """As a live read that failed: last known, and with little in it."""
    sandbox.faults.add(kind="fallback")
    sandbox.faults.add(kind="without", keys=["commands", "settings"])
    sandbox.faults.add(kind="merge", body={"state": {"level": 3}, "tags": ["x"]})
    read = await api.get(BATTERY)
    assert read["metadata"]["source"] == "fallback"
    assert read["sync"]["available"] is False
    assert not {"commands", "settings"} & set(read)
    assert (read["state"]["level"], read["tags"]) == (3, ["x"])
    assert read["state"]["capacity"] == 13.5
    assert sandbox.requests[-1].fault == "fallback+without+merge"
    sandbox.faults.add(status=503, times=1)
    await api.error("GET", BATTERY, status=503, code="INTERNAL_ERROR")


@pytest.mark.parametrize("home", ["two"])
async def test_one_device_of_a_list(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(kind="only", keys=["id", "state"], device=BATTERY_ID, skip=1)
    for expected in (9, 2):
        first, second = await api.items("/battery")
        assert len(first) == expected
        assert len(second) == 9


# Answers to pushes that are lost.


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"kind": "empty", "status": 204}, 204),
        ({"kind": "empty", "status": 202}, 202),
        ({"kind": "redirect"}, 302),
        ({"kind": "html", "status": 502}, 502),
        ({"kind": "error", "status": 500}, 500),
    ],
)
async def test_done_but_not_said(
    api: Api, sandbox: Sandbox, order: dict[str, Any], status: int
) -> None:
    sandbox.faults.add(method="POST", done=True, times=1, **order)
    async with api.session.post(
        api.url + BATTERY,
        json={"action": {"command": "charge"}},
        headers=HEADERS,
        allow_redirects=False,
    ) as response:
        assert response.status == status
        if status == 302:
            assert response.headers["Location"] == "/elsewhere"
    assert sandbox.requests.pushes()[-1].status == status
    [action] = await api.items("/actions")
    assert action["command"] == "charge"
    assert (await api.state(BATTERY))["currentMode"] == "charge"


async def test_done_and_hung_up(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(method="POST", kind="drop", done=True, times=1)
    with pytest.raises(ServerDisconnectedError):
        await api.push(BATTERY, "charge")
    assert len(await api.items("/actions")) == 1


async def test_done_and_never_answered(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(method="POST", kind="hang", done=True, times=1)
    push = asyncio.create_task(api.push(BATTERY, "charge"))
    while not await api.items("/actions"):
        await asyncio.sleep(0.01)
    assert not push.done()
    push.cancel()
    await asyncio.gather(push, return_exceptions=True)


async def test_done_without_an_id(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(method="POST", kind="without", keys=["id"], times=1)
    reply = await api.push(BATTERY, "charge")
    assert "id" not in reply
    assert reply["command"] == "charge"
    assert len(await api.items("/actions")) == 1


def test_what_cannot_be_done() -> None:
    faults = Sandbox("empty").faults
    with pytest.raises(ValueError, match="means nothing"):
        faults.add(kind="cut", done=True)


# Ids, pages and texts.


async def test_an_id_again(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    first = await api.push(BATTERY, "charge")
    clock.advance(5)
    sandbox.faults.add(method="POST", kind="reuse_id")
    second = await api.push(BATTERY, "idle")
    third = await api.push(CHARGER, "idle")
    assert first["id"] == second["id"] == third["id"]
    assert len(await api.items("/actions")) == 3
    record = await api.get(f"/actions/{first['id']}")
    assert record["deviceId"] == "device_ev_001"
    clock.advance(5)
    assert [event.kind for event in sandbox.events] == ["push.completed"] * 3
    sandbox.faults.clear()
    sandbox.faults.add(method="POST", kind="reuse_id", body="act_1")
    assert (await api.push(BATTERY, "charge"))["id"] == "act_1"


@pytest.mark.parametrize("home", ["two"])
@pytest.mark.parametrize("amount", [0, 1])
async def test_endless_pages(api: Api, sandbox: Sandbox, amount: int) -> None:
    sandbox.faults.add(kind="endless", path="/battery", amount=amount)
    ids: list[str] = []
    for offset in (0, 3, 900):
        page = await api.get(f"/battery?limit=3&offset={offset}")
        assert page["pagination"]["hasMore"] is True
        assert len(page["items"]) == 3
        ids += [item["id"] for item in page["items"]]
    assert len(set(ids)) == (9 if amount else 2)
    assert ids[0] == BATTERY_ID
    sandbox.faults.clear()
    sandbox.faults.add(kind="endless", path="/battery", amount=amount, per_page=2)
    page = await api.get("/battery?limit=3")
    assert page["pagination"]["hasMore"] is True
    assert len(page["items"]) == 2
    sandbox.faults.add(kind="endless", path="/actions")
    assert (await api.get("/actions"))["items"] == []
    await api.push(BATTERY, "idle")
    assert len(await api.items("/actions?limit=50&offset=100")) == 50


async def test_an_id_in_two_lists(api: Api, sandbox: Sandbox) -> None:
    sandbox.home.add_device("hvac", device_id=BATTERY_ID)
    for path in ("/battery", "/hvac"):
        assert BATTERY_ID in [item["id"] for item in await api.items(path)]
    assert "currentMode" in await api.state(BATTERY)
    assert "heatSetpoint" in await api.state(f"/hvac/{BATTERY_ID}")


async def test_texts_without_end(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(code="INTERNAL_ERROR", message="No! ", length=1_000_000)
    error = await api.error("GET", HVAC, status=500, code="INTERNAL_ERROR")
    assert len(error["message"]) == 1_000_000
    assert error["message"].startswith("No! No! ")


# Refusals of one route.


async def test_offline_for_a_push_only(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.add(method="POST", path=BATTERY, code="DEVICE_OFFLINE")
    body = {"action": {"command": "charge"}}
    await api.error("POST", BATTERY, body, status=400, code="DEVICE_OFFLINE")
    await api.get(BATTERY)
    assert await api.items("/actions") == []


async def test_a_limit_of_actions_only(api: Api, sandbox: Sandbox) -> None:
    action = await api.push(BATTERY, "charge")
    sandbox.faults.add(
        path="/actions*", code="RATE_LIMIT_EXCEEDED", retry_after=300, times=2
    )
    for path in ("/actions", f"/actions/{action['id']}"):
        async with api.session.get(api.url + path, headers=HEADERS) as response:
            assert response.status == 429
            assert response.headers["Retry-After"] == "300"
        await api.get(BATTERY)
    await api.get("/actions")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("CREDENTIAL_NOT_FOUND", 404),
        ("UNSUPPORTED_CREDENTIAL_TYPE", 400),
        ("UNSUPPORTED_AUTH_PATH", 400),
    ],
)
async def test_credentials(api: Api, sandbox: Sandbox, code: str, status: int) -> None:
    sandbox.device(BATTERY_ID).credentials_refused = code
    await api.error("GET", BATTERY, status=status, code=code)
    body = {"charge_ceiling": quantity(90, "percent")}
    await api.error("POST", f"{BATTERY}/settings", body, status=status, code=code)
    assert len(await api.items("/battery")) == 1


# How the home behaves, over HTTP.


async def test_habits_over_http(api: Api, sandbox: Sandbox) -> None:
    order = {"lenient": ["queue"], "action_seconds": 9, "last_action_lag": 2}
    told = await control(api, "PATCH", "/home", order)
    assert (told["lenient"], told["action_seconds"]) == (["queue"], 9)
    assert sandbox.live_home.lenient == {"queue"}
    for wrong in ({"lenient": ["all"]}, {"colour": "red"}):
        await api.ask("PATCH", "/_sandbox/home", wrong, status=400)
