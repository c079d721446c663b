"""Lists, single reads, the tiers of freshness, keys and users."""

import json
from pathlib import Path
from typing import Any

import pytest

import sandbox as package
from sandbox import LIVE_KEY, REMOVE, TEST_KEY, Clock, Sandbox
from tests.sandbox.helpers import (
    BATTERY,
    CHARGER,
    HVAC,
    SOLAR,
    START,
    VEHICLE,
    Api,
    quantity,
)

DATA = Path(package.__file__).parent / "data"


async def test_envelope(api: Api) -> None:
    first = await api.ask("GET", "/battery")
    second = await api.ask("GET", "/battery")
    assert first["success"] is True
    assert first["meta"]["environment"] == "sandbox"
    assert first["meta"]["timestamp"] == "2026-06-01T10:00:00.000Z"
    assert isinstance(first["meta"]["latencyMs"], int)
    assert first["meta"]["requestId"] != second["meta"]["requestId"]


async def test_failure_envelope(api: Api) -> None:
    answer = await api.ask("GET", "/battery/nothing", status=404)
    assert answer["success"] is False
    assert answer["error"]["code"] == "DEVICE_NOT_FOUND"
    assert set(answer["meta"]) == {"requestId", "timestamp", "path", "latencyMs"}
    assert answer["meta"]["path"] == "/battery/nothing"


@pytest.mark.parametrize(
    ("path", "state"),
    [
        (
            BATTERY,
            {
                "status": "charging",
                "level": 57,
                "capacity": 13.5,
                "chargeRate": 0.945,
                "dischargeLimit": 10,
                "currentMode": "auto.balanced",
            },
        ),
        (
            CHARGER,
            {
                "status": "charging",
                "isConnected": True,
                "isCharging": True,
                "currentPower": 7.4,
                "maxCurrent": 16,
                "powerRateLimit": 11,
            },
        ),
        (
            HVAC,
            {
                "temperature": 22.3,
                "active": False,
                "heatSetpoint": 19,
                "coolSetpoint": 25,
                "holdType": "follow_schedule",
                "mode": "auto",
            },
        ),
        (
            VEHICLE,
            {
                "batteryLevel": 92,
                "range": 245,
                "plugged": False,
                "charging": False,
                "fullyCharged": False,
                "batteryCapacity": 74,
                "chargeLimit": 95,
                "chargeRate": 0,
                "chargeTimeRemaining": 0,
                "maxCurrent": 16,
            },
        ),
    ],
)
async def test_states(api: Api, path: str, state: dict[str, Any]) -> None:
    assert await api.state(path) == state


async def test_solar_state(api: Api) -> None:
    state = await api.state(SOLAR)
    assert set(state) == {"status", "currentPower", "producing", "energyTotal"}
    assert state["status"] == "producing"
    assert state["producing"] is True
    assert 3 < state["currentPower"] <= 5


async def test_shape_of_a_battery(api: Api) -> None:
    body = await api.get(BATTERY)
    assert body["vendor"] == "tesla"
    assert body["metadata"] == {
        "model": "Powerwall 2",
        "source": "projection",
        "cacheType": "normal",
    }
    assert body["sync"] == {
        "available": True,
        "lastPulledAt": "2026-06-01T10:00:00.000Z",
    }
    assert set(body["commands"]) == {
        "charge",
        "discharge",
        "idle",
        "auto.balanced",
        "auto.reserve",
        "auto.export",
    }
    assert set(body["settings"]) == {
        "safety_reserve",
        "discharge_floor",
        "charge_ceiling",
        "export_limit",
        "max_charge_rate",
        "max_discharge_rate",
        "scheduler_enabled",
    }
    assert body["conflictStrategies"] == ["cancel_and_replace", "queue_after"]
    assert body["lastAction"] is None
    assert body["currentSchedule"] is None


async def test_types_without_commands(api: Api) -> None:
    for path in (SOLAR, VEHICLE):
        body = await api.get(path)
        assert set(body) == {"id", "vendor", "sync", "metadata", "state"}


async def test_a_list_leaves_settings_out(api: Api, sandbox: Sandbox) -> None:
    assert "settings" not in (await api.items("/battery"))[0]
    sandbox.home.settings_in_list = True
    assert "settings" in (await api.items("/battery"))[0]


@pytest.mark.parametrize("home", ["big"])
async def test_paging(api: Api, sandbox: Sandbox) -> None:
    page = await api.get("/battery")
    assert len(page["items"]) == 10
    assert page["pagination"] == {
        "limit": 10,
        "offset": 0,
        "total": 50,
        "hasMore": True,
    }
    last = await api.get("/battery?limit=20&offset=40")
    assert len(last["items"]) == 10
    assert last["pagination"]["hasMore"] is False
    exact = await api.get("/battery?limit=50")
    assert len(exact["items"]) == 50
    assert exact["pagination"]["hasMore"] is False
    beyond = await api.get("/battery?limit=50&offset=50")
    assert beyond["items"] == []
    assert beyond["pagination"] == {
        "limit": 50,
        "offset": 50,
        "total": 50,
        "hasMore": False,
    }
    seen = [
        item["id"]
        for offset in range(0, 50, 7)
        for item in await api.items(f"/battery?limit=7&offset={offset}")
    ]
    wanted = [d.id for d in sandbox.home.devices if d.kind.type == "battery"]
    assert seen == wanted
    assert len(set(seen)) == 50


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=51", "limit=-1", "limit=ten", "limit=", "offset=-1", "offset=x"],
)
@pytest.mark.parametrize("path", ["/battery", "/actions"])
async def test_bad_paging(api: Api, path: str, query: str) -> None:
    await api.error("GET", f"{path}?{query}", status=400, code="VALIDATION_ERROR")


async def test_the_list_of_limits(api: Api) -> None:
    assert len(await api.items("/battery?limit=1")) == 1
    assert len(await api.items("/battery?limit=50")) == 1


async def test_unknown_paths(api: Api) -> None:
    for path in (
        "/",
        "/nothing",
        "/battery/device_battery_001/nothing",
        "/ev_charger",
        "/actions/act_1/nothing",
    ):
        await api.error("GET", path, status=404, code="NOT_FOUND")
    await api.error("POST", f"{HVAC}/settings", {}, status=404, code="NOT_FOUND")
    await api.error("GET", "/actions/x", status=404, code="ACTION_NOT_FOUND")
    await api.error("PUT", BATTERY, {}, status=405, code="METHOD_NOT_ALLOWED")
    await api.error("POST", "/battery", {}, status=405, code="METHOD_NOT_ALLOWED")


async def test_schedules_are_not_implemented(api: Api) -> None:
    for method, path in (
        ("PUT", f"{BATTERY}/schedule"),
        ("PUT", f"{VEHICLE}/schedule"),
        ("GET", "/schedules"),
        ("POST", "/schedules"),
    ):
        await api.error(method, path, status=501, code="NOT_IMPLEMENTED")


# Keys.


@pytest.mark.parametrize(
    ("key", "environment"),
    [
        ("sk_test_demo", "sandbox"),
        ("amps_sk_test_demo", "sandbox"),
        ("sk_live_demo", "live"),
        ("amps_sk_live_demo", "live"),
    ],
)
async def test_environment_by_key(api: Api, key: str, environment: str) -> None:
    answer = await api.ask("GET", "/battery", key=key)
    assert answer["meta"]["environment"] == environment
    source = answer["data"]["items"][0]["metadata"]["source"]
    assert (source == "projection") is (environment == "sandbox")


async def test_missing_and_unknown_keys(api: Api) -> None:
    await api.error("GET", "/battery", status=401, code="UNAUTHORIZED", key=None)
    for key in ("sk_test_other", "nonsense", "SK_TEST_DEMO"):
        await api.error("GET", "/hvac", status=401, code="INVALID_API_KEY", key=key)


async def test_closed_accounts(api: Api, sandbox: Sandbox) -> None:
    sandbox.add_account("sk_test_old", expired=True)
    sandbox.add_account("sk_test_none", permissions=set())
    sandbox.add_account("sk_test_read", permissions={"read"})
    sandbox.add_account("sk_live_off", live_enabled=False)
    for key, status, code in (
        ("sk_test_old", 401, "EXPIRED_TOKEN"),
        ("sk_test_none", 403, "INSUFFICIENT_PERMISSIONS"),
        ("sk_live_off", 403, "LIVE_ACCESS_DISABLED"),
    ):
        await api.error("GET", "/battery", status=status, code=code, key=key)
    await api.ask("GET", "/battery", key="sk_test_read")
    await api.error(
        "POST",
        BATTERY,
        {"action": {"command": "idle"}},
        status=403,
        code="INSUFFICIENT_PERMISSIONS",
        key="sk_test_read",
    )
    sandbox.accounts["sk_test_old"].expired = False
    await api.ask("GET", "/battery", key="sk_test_old")


async def test_accounts_share_or_own_a_home(api: Api, sandbox: Sandbox) -> None:
    sandbox.add_account("sk_test_same")
    sandbox.add_account("sk_test_own", home="two", prefix="own_")
    shared = await api.items("/battery", key="sk_test_same")
    assert shared == await api.items("/battery")
    own = await api.items("/battery", key="sk_test_own")
    assert [item["id"] for item in own] == [
        "device_own_battery_001",
        "device_own_battery_002",
    ]
    await api.error(
        "GET", BATTERY, status=404, code="DEVICE_NOT_FOUND", key="sk_test_own"
    )


async def test_live_and_sandbox_are_apart(api: Api) -> None:
    live = await api.items("/battery", key=LIVE_KEY)
    assert [item["id"] for item in live] == ["device_live_battery_001"]
    await api.error("GET", BATTERY, status=404, code="DEVICE_NOT_FOUND", key=LIVE_KEY)


# Users.


@pytest.mark.parametrize("home", ["two"])
async def test_users(api: Api, sandbox: Sandbox) -> None:
    everybody = await api.items("/battery")
    assert [item["id"] for item in everybody] == [
        "device_battery_001",
        "device_battery_002",
    ]
    assert everybody[0]["metadata"] == everybody[1]["metadata"]
    annas = await api.get("/battery?userId=anna@example.org")
    assert [item["id"] for item in annas["items"]] == ["device_battery_002"]
    assert annas["pagination"]["total"] == 1
    assert await api.items("/battery?userId=user_abc123") == everybody[:1]
    assert await api.items("/battery?userId=user_nobody") == []

    await api.push(BATTERY, "idle")
    await api.push("/battery/device_battery_002", "idle")
    actions = await api.items("/actions?userId=anna@example.org")
    assert [action["deviceId"] for action in actions] == ["device_battery_002"]


async def test_users_of_an_account(api: Api, sandbox: Sandbox) -> None:
    sandbox.add_account("sk_test_u", users={"device_battery_001": "bert@example.org"})
    path = "/battery?userId=bert@example.org"
    assert len(await api.items(path, key="sk_test_u")) == 1
    assert await api.items(path) == []


# Freshness.


@pytest.mark.parametrize("key", [TEST_KEY, LIVE_KEY])
async def test_a_list_pulls_nothing(
    api: Api, sandbox: Sandbox, clock: Clock, key: str
) -> None:
    before = (await api.items("/battery", key=key))[0]
    clock.advance(7200)
    after = (await api.items("/battery", key=key))[0]
    assert after["state"] == before["state"]
    assert after["sync"] == before["sync"]
    assert sandbox.live_calls.total() == 0


@pytest.mark.parametrize(("query", "ttl"), [("", 900), ("?expedite=true", 60)])
async def test_cache_and_live(
    api: Api, sandbox: Sandbox, clock: Clock, query: str, ttl: int
) -> None:
    path = f"/battery/device_live_battery_001{query}"
    clock.advance(ttl - 1)
    cached = await api.get(path, key=LIVE_KEY)
    assert cached["metadata"]["source"] == "cache"
    assert cached["metadata"]["cacheType"] == ("expedited" if query else "normal")
    assert cached["sync"]["lastPulledAt"] == "2026-06-01T10:00:00.000Z"
    assert sandbox.live_calls["device_live_battery_001"] == 0
    clock.advance(1)
    live = await api.get(path, key=LIVE_KEY)
    assert live["metadata"]["source"] == "live"
    assert live["sync"]["lastPulledAt"] > cached["sync"]["lastPulledAt"]
    assert sandbox.live_calls["device_live_battery_001"] == 1
    again = await api.get(path, key=LIVE_KEY)
    assert again["metadata"]["source"] == "cache"
    assert sandbox.live_calls["device_live_battery_001"] == 1
    listed = (await api.items("/battery", key=LIVE_KEY))[0]
    assert listed["state"] == live["state"]
    assert listed["sync"] == live["sync"]


async def test_sandbox_obeys_the_same_times(
    api: Api, sandbox: Sandbox, clock: Clock
) -> None:
    clock.advance(899)
    cached = await api.get(BATTERY)
    clock.advance(1)
    pulled = await api.get(BATTERY)
    assert cached["metadata"]["source"] == pulled["metadata"]["source"] == "projection"
    assert cached["sync"]["lastPulledAt"] == "2026-06-01T10:00:00.000Z"
    assert pulled["sync"]["lastPulledAt"] == "2026-06-01T10:15:00.000Z"
    assert sandbox.live_calls["device_battery_001"] == 1


async def test_bad_expedite(api: Api) -> None:
    await api.error(
        "GET", f"{BATTERY}?expedite=yes", status=400, code="VALIDATION_ERROR"
    )


@pytest.mark.parametrize("fault", [True, "TIMEOUT"])
async def test_fallback(
    api: Api, sandbox: Sandbox, clock: Clock, fault: bool | str
) -> None:
    device = sandbox.device("device_live_battery_001")
    device.transient_fault = fault
    clock.advance(3600)
    path = "/battery/device_live_battery_001"
    body = await api.get(path, key=LIVE_KEY)
    assert body["metadata"]["source"] == "fallback"
    assert body["sync"] == {
        "available": False,
        "lastPulledAt": "2026-06-01T10:00:00.000Z",
    }
    assert body["state"]["level"] == 57
    listed = (await api.items("/battery", key=LIVE_KEY))[0]
    assert listed["sync"]["available"] is False
    device.transient_fault = None
    body = await api.get(path, key=LIVE_KEY)
    assert body["metadata"]["source"] == "live"
    assert body["sync"]["available"] is True
    assert body["state"]["level"] > 57


async def test_no_data_at_any_tier(api: Api, sandbox: Sandbox) -> None:
    device = sandbox.device("device_battery_001")
    device.forget()
    listed = (await api.items("/battery"))[0]
    assert "state" not in listed
    assert listed["sync"]["lastPulledAt"] is None
    device.transient_fault = True
    await api.error("GET", BATTERY, status=404, code="DEVICE_NOT_FOUND")


async def test_unreachable_devices(api: Api, sandbox: Sandbox) -> None:
    device = sandbox.device("device_battery_001")
    push = {"action": {"command": "idle"}}

    device.offline = True
    await api.error("GET", BATTERY, status=400, code="DEVICE_OFFLINE")
    await api.error("POST", BATTERY, push, status=400, code="DEVICE_OFFLINE")
    device.offline_status = 424
    await api.error("GET", BATTERY, status=424, code="DEVICE_OFFLINE")
    assert len(await api.items("/battery")) == 1
    device.offline = False
    await api.get(BATTERY)

    for refused, status, code in (
        (True, 401, "INVALID_CREDENTIALS"),
        ("INVALID_API_KEY", 401, "INVALID_API_KEY"),
        ("MFA_REQUIRED", 403, "MFA_REQUIRED"),
        ("INVALID_MFA_CODE", 403, "INVALID_MFA_CODE"),
        ("ACCOUNT_LOCKED", 403, "ACCOUNT_LOCKED"),
    ):
        device.credentials_refused = refused
        await api.error("GET", BATTERY, status=status, code=code)
        await api.error("POST", BATTERY, push, status=status, code=code)
    device.credentials_refused = None

    device.gone = True
    await api.error("GET", BATTERY, status=404, code="DEVICE_NOT_FOUND")
    await api.error("POST", BATTERY, push, status=404, code="DEVICE_NOT_FOUND")
    assert await api.items("/battery") == []
    device.gone = False
    device.unlisted = True
    assert await api.items("/battery") == []
    await api.get(BATTERY)


async def test_overrides(api: Api, sandbox: Sandbox) -> None:
    device = sandbox.device("device_battery_001")
    device.state_override = {"level": 12, "extra": None, "capacity": REMOVE}
    device.body_override = {"commands": REMOVE, "colour": "white"}
    for body in (await api.get(BATTERY), (await api.items("/battery"))[0]):
        assert body["state"]["level"] == 12
        assert body["state"]["extra"] is None
        assert "capacity" not in body["state"]
        assert "commands" not in body
        assert body["colour"] == "white"
    device.state_override = {}
    assert (await api.state(BATTERY))["level"] == 57


async def test_capture(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    clock.advance(3600)
    sandbox.device("device_battery_001").capture()
    listed = (await api.items("/battery"))[0]
    assert listed["sync"]["lastPulledAt"] == "2026-06-01T11:00:00.000Z"
    assert listed["state"]["level"] == 64


# Homes.


async def test_adding_and_removing(api: Api, sandbox: Sandbox) -> None:
    added = sandbox.home.add_device("battery", vendor="enphase", user="user_new")
    items = await api.items("/battery")
    assert [item["id"] for item in items] == ["device_battery_001", added.id]
    assert items[1]["metadata"]["model"] == "IQ Battery 5P"
    assert len(await api.items("/battery?userId=user_new")) == 1
    sandbox.home.remove_device("device_battery_001")
    assert [item["id"] for item in await api.items("/battery")] == [added.id]
    await api.error("GET", BATTERY, status=404, code="DEVICE_NOT_FOUND")
    with pytest.raises(KeyError):
        sandbox.device("device_battery_001")
    with pytest.raises(ValueError, match="already"):
        sandbox.home.add_device("battery", device_id=added.id)
    with pytest.raises(ValueError, match="no device type"):
        sandbox.home.add_device("toaster")


@pytest.mark.parametrize("home", ["empty"])
async def test_empty(api: Api) -> None:
    for path in ("battery", "ev-charger", "hvac", "solar-inverter", "vehicle"):
        page = await api.get(f"/{path}")
        assert page["items"] == []
        assert page["pagination"]["total"] == 0


@pytest.mark.parametrize("home", ["documented"])
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/battery", "battery-list"),
        ("/ev-charger", "ev-charger-list"),
        ("/hvac", "hvac-list"),
        ("/vehicle", "vehicle-list"),
        ("/battery/device_abc123", "battery-read"),
        ("/ev-charger/device_ev_001", "ev-charger-read"),
        ("/solar-inverter/device_inverter_001", "solar-inverter-read"),
    ],
)
async def test_documented(api: Api, clock: Clock, path: str, name: str) -> None:
    wanted = json.loads((DATA / f"{name}.json").read_text())["data"]
    assert await api.get(path) == wanted
    clock.advance(86400)
    assert await api.get(path) == wanted


@pytest.mark.parametrize("home", ["documented"])
async def test_documented_older_read(api: Api) -> None:
    wanted = json.loads((DATA / "ev-charger-read-before.json").read_text())
    assert await api.ask("GET", "/ev-charger/dev_ev_001") == wanted


@pytest.mark.parametrize("home", ["documented"])
async def test_documented_devices_take_pushes(api: Api, clock: Clock) -> None:
    path = "/battery/device_abc123"
    error = await api.push(path, "charge", status=422, power=quantity(50, "percent"))
    assert error["details"] == {
        "parameter": "power",
        "providedUnit": "percent",
        "supportedUnits": ["kw"],
    }
    action = await api.push(path, "charge", power=quantity(3, "kw"))
    clock.advance(5)
    last = (await api.get(path))["lastAction"]
    assert last["id"] == action["id"]
    assert last["state"] == "completed"


@pytest.mark.parametrize("home", ["odd"])
async def test_odd(api: Api) -> None:
    items = await api.items("/battery?limit=50")
    assert "device_as_a_string" in items
    assert any(isinstance(item, dict) and "id" not in item for item in items)
    by_id = {i["id"]: i for i in items if isinstance(i, dict) and "id" in i}
    assert isinstance(by_id["odd_battery_list_state"]["state"], list)
    minimal = by_id["odd_battery_minimal"]
    assert set(minimal) == {"id", "sync", "state"}
    unknown = by_id["odd_battery_unknown"]
    assert unknown["state"]["status"] == "balancing_cells"
    assert unknown["state"]["capacity"] == 10400
    assert "auto.arbitrage" in unknown["commands"]
    read = await api.get("/battery/odd_battery_unknown")
    assert read["settings"]["grid_code"]["unit"] == "text"
    assert by_id["odd_battery_null"]["commands"] is None
    assert by_id["odd_battery_null"]["state"]["level"] is None
    assert by_id["odd_battery_words"]["state"]["level"] == "67"
    shared = [await api.get(f"/{path}/odd_shared_id") for path in ("battery", "hvac")]
    assert "level" in shared[0]["state"]
    assert "temperature" in shared[1]["state"]
    hvacs = await api.items("/hvac")
    assert None in hvacs
    assert "until_next_transition" in [i["state"]["holdType"] for i in hvacs if i]


async def test_big_is_the_same_each_time(clock: Clock) -> None:
    one, two, other = (
        Sandbox("big", devices=60, seed=seed, clock=Clock.manual(START))
        for seed in (1, 1, 2)
    )
    bodies = [
        [d.list_body(0, environment="live") for d in s.home.devices]
        for s in (one, two, other)
    ]
    assert len(bodies[0]) == 60
    assert bodies[0] == bodies[1]
    assert bodies[0] != bodies[2]
    assert len(one.home.users()) == 12


# The older shape.


@pytest.mark.parametrize("home", ["classic"])
async def test_classic_is_bare(api: Api) -> None:
    page = await api.ask("GET", "/ev-charger")
    assert set(page) == {"items", "pagination"}
    assert set(page["items"][0]) == {"id", "vendor", "sync", "metadata", "state"}
    read = await api.ask("GET", CHARGER)
    assert set(read) == {"id", "vendor", "sync", "metadata", "state"}
    assert set(read["state"]) == {
        "status",
        "isConnected",
        "isCharging",
        "currentPower",
        "maxCurrent",
    }
    await api.error("GET", "/battery/nothing", status=404, code="DEVICE_NOT_FOUND")


async def test_a_single_older_device(api: Api, sandbox: Sandbox) -> None:
    older = sandbox.home.add_device("ev_charger", generation="before")
    listed = await api.items("/ev-charger")
    assert "commands" in listed[0]
    assert "commands" not in listed[1]
    bare = await api.ask("GET", f"/ev-charger/{older.id}")
    assert bare["id"] == older.id
    assert (await api.ask("GET", CHARGER))["success"] is True


async def test_a_bare_account_over_new_devices(api: Api, sandbox: Sandbox) -> None:
    sandbox.add_account("sk_test_bare", generation="before")
    page = await api.ask("GET", "/battery", key="sk_test_bare")
    assert "commands" in page["items"][0]
    read = await api.ask("GET", BATTERY, key="sk_test_bare")
    assert "settings" in read
