"""Pushes, settings, and the life of an action."""

from typing import Any

import pytest

from sandbox import LIVE_KEY, Clock, Event, Sandbox
from tests.sandbox.helpers import BATTERY, CHARGER, HVAC, SOLAR, VEHICLE, Api, quantity

LIVE_BATTERY = "/battery/device_live_battery_001"
TOMORROW = "2026-06-02T06:00:00"


async def state_of(api: Api, action_id: str) -> Any:
    """Return the state of an action."""
    return (await api.get(f"/actions/{action_id}"))["state"]


# The answer, the record, the end.


async def test_reply_and_record(api: Api, clock: Clock) -> None:
    target = quantity(90, "percent")
    reply = await api.push(BATTERY, "charge", target=target)
    assert reply == {
        "id": reply["id"],
        "deviceId": "device_battery_001",
        "deviceType": "battery",
        "command": "charge",
        "parameters": {"target": target},
        "state": "acknowledged",
        "createdAt": "2026-06-01T10:00:00.000Z",
        "start": None,
        "links": {"self": f"/actions/{reply['id']}"},
    }
    clock.advance(4)
    assert await api.get(f"/actions/{reply['id']}") == {
        "id": reply["id"],
        "deviceId": "device_battery_001",
        "deviceType": "battery",
        "command": "charge",
        "parameters": {"target": target},
        "state": "completed",
        "result": {"success": True, "message": "Mode applied"},
        "errorCode": None,
        "errorMessage": None,
        "createdAt": "2026-06-01T10:00:00.000Z",
        "updatedAt": "2026-06-01T10:00:04.000Z",
        "acknowledgedAt": "2026-06-01T10:00:00.000Z",
        "completedAt": "2026-06-01T10:00:04.000Z",
        "start": None,
        "end": None,
        "links": {"self": f"/actions/{reply['id']}"},
    }


async def test_without_parameters(api: Api) -> None:
    reply = await api.push(CHARGER, "charge")
    assert reply["parameters"] is None


async def test_ends_by_the_clock(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    action = await api.push(BATTERY, "idle")
    clock.advance(3.9)
    assert await state_of(api, action["id"]) == "acknowledged"
    clock.advance(0.1)
    assert await state_of(api, action["id"]) == "completed"
    sandbox.action_seconds = 60
    slow = await api.push(BATTERY, "charge")
    clock.advance(59)
    assert await state_of(api, slow["id"]) == "acknowledged"
    clock.advance(1)
    assert await state_of(api, slow["id"]) == "completed"
    sandbox.device("device_battery_001").action_seconds = 1
    quick = await api.push(BATTERY, "idle")
    clock.advance(1)
    assert await state_of(api, quick["id"]) == "completed"


async def test_a_failure_on_order(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    sandbox.device("device_battery_001").next_action(
        "failed", code="DEVICE_OFFLINE", message="Not there", seconds=2
    )
    action = await api.push(BATTERY, "discharge")
    assert (await api.state(BATTERY))["currentMode"] == "auto.balanced"
    clock.advance(2)
    record = await api.get(f"/actions/{action['id']}")
    assert record["state"] == "failed"
    assert record["errorCode"] == "DEVICE_OFFLINE"
    assert record["errorMessage"] == "Not there"
    assert record["result"] is None
    assert record["completedAt"] is None
    last = (await api.get(BATTERY))["lastAction"]
    assert last["state"] == "failed"
    assert last["errorCode"] == "DEVICE_OFFLINE"
    assert (await api.state(BATTERY))["currentMode"] == "auto.balanced"
    after = await api.push(BATTERY, "discharge")
    clock.advance(4)
    assert await state_of(api, after["id"]) == "completed"


async def test_transient_trouble_fails_a_push(
    api: Api, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.device("device_battery_001").transient_fault = "TIMEOUT"
    action = await api.push(BATTERY, "idle")
    clock.advance(4)
    record = await api.get(f"/actions/{action['id']}")
    assert (record["state"], record["errorCode"]) == ("failed", "TIMEOUT")
    await api.error(
        "POST",
        f"{BATTERY}/settings",
        {"charge_ceiling": quantity(90, "percent")},
        status=504,
        code="TIMEOUT",
    )


async def test_the_native_scheduler(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    device = sandbox.device("device_battery_001")
    device.native_scheduler = True
    device.capture()
    setting = (await api.get(BATTERY))["settings"]["scheduler_enabled"]
    assert setting["value"] is True
    action = await api.push(BATTERY, "charge")
    clock.advance(4)
    record = await api.get(f"/actions/{action['id']}")
    assert (record["state"], record["errorCode"]) == ("failed", "SCHEDULER_ACTIVE")
    action = await api.push(BATTERY, "charge", on_conflict="cancel_and_replace")
    clock.advance(4)
    assert await state_of(api, action["id"]) == "completed"
    assert device.native_scheduler is False
    read = await api.get(BATTERY)
    assert read["settings"]["scheduler_enabled"]["value"] is False


@pytest.mark.parametrize(
    "reason", ["owner_schedule", "third_party_schedule", "earlier_action"]
)
async def test_the_native_scheduler_and_its_reason(
    api: Api, sandbox: Sandbox, clock: Clock, reason: str
) -> None:
    sandbox.device("device_battery_001").native_scheduler = reason
    # As documented, it is looked at before a window only.
    action = await api.push(BATTERY, "charge")
    clock.advance(4)
    assert await state_of(api, action["id"]) == "completed"
    window: dict[str, Any] = {"start": "30m", "end": "2026-06-01T14:00:00"}
    action = await api.push(BATTERY, "charge", **window)
    clock.advance(1804)
    record = await api.get(f"/actions/{action['id']}")
    assert (record["state"], record["errorCode"]) == ("failed", "SCHEDULER_ACTIVE")
    assert record["result"] == {"success": False, "reason": reason}
    action = await api.push(
        BATTERY, "charge", on_conflict="cancel_and_replace", **window
    )
    clock.advance(1804)
    assert await state_of(api, action["id"]) == "completed"


async def test_last_action_may_lag(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    sandbox.home.last_action_lag = 10
    action = await api.push(BATTERY, "idle")
    assert (await api.get(BATTERY))["lastAction"] is None
    clock.advance(11)
    last = (await api.get(BATTERY))["lastAction"]
    assert last == {
        "id": action["id"],
        "command": "idle",
        "state": "acknowledged",
        "createdAt": "2026-06-01T10:00:00.000Z",
        "updatedAt": "2026-06-01T10:00:00.000Z",
        "links": {"self": f"/actions/{action['id']}"},
    }
    clock.advance(3)
    assert (await api.get(BATTERY))["lastAction"]["state"] == "completed"


# When the effect shows.


async def test_in_sandbox_a_push_shows_at_once(api: Api, clock: Clock) -> None:
    clock.advance(600)
    await api.push(BATTERY, "charge", power=quantity(4, "kw"))
    for body in (await api.get(BATTERY), (await api.items("/battery"))[0]):
        assert body["state"]["currentMode"] == "charge"
        assert body["state"]["chargeRate"] == 4
        assert body["sync"]["lastPulledAt"] == "2026-06-01T10:10:00.000Z"


async def test_the_sandbox_can_be_as_slow_as_live(
    api: Api, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.home.push_shows_at_once = False
    await api.push(BATTERY, "charge")
    assert (await api.state(BATTERY))["currentMode"] == "auto.balanced"
    clock.advance(61)
    assert (await api.state(BATTERY))["currentMode"] == "auto.balanced"
    assert (await api.state(f"{BATTERY}?expedite=true"))["currentMode"] == "charge"


async def test_live_shows_it_when_completed_and_pulled(api: Api, clock: Clock) -> None:
    await api.push(LIVE_BATTERY, "charge", key=LIVE_KEY)
    clock.advance(61)
    cached = await api.state(LIVE_BATTERY, key=LIVE_KEY)
    assert cached["currentMode"] == "auto.balanced"
    pulled = await api.state(f"{LIVE_BATTERY}?expedite=true", key=LIVE_KEY)
    assert pulled["currentMode"] == "charge"


async def test_live_is_not_changed_before_completion(
    api: Api, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.device("device_live_battery_001").action_seconds = 120
    await api.push(LIVE_BATTERY, "charge", key=LIVE_KEY)
    clock.advance(61)
    state = await api.state(f"{LIVE_BATTERY}?expedite=true", key=LIVE_KEY)
    assert state["currentMode"] == "auto.balanced"


async def test_live_pushes_are_for_batteries(api: Api, sandbox: Sandbox) -> None:
    for path, command in (
        ("/ev-charger/device_live_ev_001", "charge"),
        ("/hvac/device_live_hvac_001", "idle"),
    ):
        error = await api.push(path, command, key=LIVE_KEY, status=422)
        assert error["code"] == "COMMAND_NOT_SUPPORTED"
    sandbox.accounts[LIVE_KEY].live_control = True
    await api.push("/ev-charger/device_live_ev_001", "charge", key=LIVE_KEY)


# What is refused.


@pytest.mark.parametrize("path", [SOLAR, VEHICLE])
async def test_no_direct_actions(api: Api, path: str) -> None:
    error = await api.push(path, "charge", status=422)
    assert error["code"] == "DIRECT_ACTION_UNSUPPORTED"


async def test_command_not_supported(api: Api) -> None:
    error = await api.push(CHARGER, "discharge", status=422)
    assert error["code"] == "COMMAND_NOT_SUPPORTED"
    assert error["details"] == {
        "deviceCapabilities": {"supportedActions": ["charge", "idle"]}
    }


async def test_unsupported_parameter(api: Api) -> None:
    error = await api.push(
        BATTERY, "charge", reserve=quantity(20, "percent"), status=422
    )
    assert error["code"] == "UNSUPPORTED_PARAMETER"
    assert error["details"] == {
        "unsupportedParameters": ["reserve"],
        "deviceCapabilities": {"supportedParameters": ["target", "power"]},
    }


async def test_unsupported_unit(api: Api) -> None:
    error = await api.push(BATTERY, "charge", power=quantity(50, "percent"), status=422)
    assert error["code"] == "UNSUPPORTED_UNIT"
    assert error["message"] == (
        "Parameter `power` unit `percent` is not supported. Expected `kw`."
    )
    assert error["details"] == {
        "parameter": "power",
        "providedUnit": "percent",
        "supportedUnits": ["kw"],
    }


@pytest.mark.parametrize(
    ("path", "command", "name", "unit", "low", "high"),
    [
        (BATTERY, "charge", "target", "percent", 10, 100),
        (BATTERY, "charge", "power", "kw", 0, 5),
        (BATTERY, "auto.reserve", "reserve", "percent", 0, 100),
        (HVAC, "heat", "target", "celsius", 10, 35),
        (HVAC, "auto", "coolSetpoint", "celsius", 10, 35),
    ],
)
async def test_out_of_range(
    api: Api, path: str, command: str, name: str, unit: str, low: float, high: float
) -> None:
    for value in (low - 0.1, high + 0.1):
        given: dict[str, Any] = {name: quantity(value, unit)}
        error = await api.push(path, command, status=422, **given)
        assert error["code"] == "PARAMETER_OUT_OF_RANGE"
        assert error["details"] == {
            "parameter": name,
            "value": value,
            "unit": unit,
            "min": low,
            "max": high,
        }


@pytest.mark.parametrize("value", [10, 100])
async def test_bounds_are_in_range(api: Api, value: float) -> None:
    await api.push(BATTERY, "charge", target=quantity(value, "percent"))


async def test_a_band_upside_down(api: Api) -> None:
    error = await api.push(
        HVAC,
        "auto",
        heatSetpoint=quantity(24, "celsius"),
        coolSetpoint=quantity(20, "celsius"),
        status=422,
    )
    assert error["code"] == "PARAMETER_OUT_OF_RANGE"


async def test_execution(api: Api) -> None:
    error = await api.push(HVAC, "follow_schedule", start="1h", status=422)
    assert error["code"] == "EXECUTION_NOT_SUPPORTED"
    assert error["details"]["supportedExecution"] == ["immediate"]
    error = await api.push(
        CHARGER, "idle", start="1h", end="2026-06-01T18:00:00", status=422
    )
    assert error["code"] == "EXECUTION_NOT_SUPPORTED"
    assert error["details"]["supportedExecution"] == ["immediate", "scheduled"]


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        # It is twelve o'clock in Berlin.
        ("2026-06-01T11:59:59", None, "START_IN_PAST"),
        ("2026-05-01T12:00:00", None, "START_IN_PAST"),
        ("2026-07-01T12:00:01", None, "START_OUT_OF_RANGE"),
        ("721h", None, "START_OUT_OF_RANGE"),
        ("2026-06-01T13:00:00", "2026-06-01T13:00:00", "INVALID_TIME_WINDOW"),
        ("2026-06-01T13:00:00", "2026-06-01T12:30:00", "INVALID_TIME_WINDOW"),
        (None, "2026-06-01T13:00:00", "INVALID_TIME_WINDOW"),
    ],
)
async def test_wrong_times(
    api: Api, start: str | None, end: str | None, code: str
) -> None:
    error = await api.push(BATTERY, "charge", start=start, end=end, status=422)
    assert error["code"] == code


@pytest.mark.parametrize(
    ("start", "meant"),
    [
        ("2026-06-01T12:00:00", "2026-06-01T10:00:00.000Z"),
        ("2026-06-01T22:00:00", "2026-06-01T20:00:00.000Z"),
        ("2026-07-01T12:00:00", "2026-07-01T10:00:00.000Z"),
        ("30m", "2026-06-01T10:30:00.000Z"),
        ("1.5h", "2026-06-01T11:30:00.000Z"),
        ("2h", "2026-06-01T12:00:00.000Z"),
    ],
)
async def test_start(api: Api, start: str, meant: str) -> None:
    reply = await api.push(BATTERY, "charge", start=start)
    assert reply["state"] == "scheduled"
    assert reply["start"] == meant
    assert "end" not in reply


async def test_the_zone_is_that_of_the_plant(api: Api, sandbox: Sandbox) -> None:
    sandbox.home.time_zone = "America/New_York"
    start = "2026-06-01T07:00:00"
    reply = await api.push(BATTERY, "charge", start=start)
    assert reply["start"] == "2026-06-01T11:00:00.000Z"
    sandbox.device("device_hvac_001").time_zone = "Asia/Tokyo"
    reply = await api.push(HVAC, "heat", start="2026-06-01T20:00:00")
    assert reply["start"] == "2026-06-01T11:00:00.000Z"


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"action": None},
        {"action": {}},
        {"action": {"command": 3}},
        {"action": {"command": "charge", "parameters": []}},
        {"action": {"command": "charge", "parameters": {"target": 90}}},
        {"action": {"command": "charge", "parameters": {"target": {"value": 90}}}},
        {
            "action": {
                "command": "charge",
                "parameters": {"target": {"value": "90", "unit": "percent"}},
            }
        },
        {
            "action": {
                "command": "charge",
                "parameters": {"target": {"value": True, "unit": "percent"}},
            }
        },
        {"action": {"command": "charge", "start": 5}},
        {"action": {"command": "charge", "start": "soon"}},
        {"action": {"command": "charge", "start": "2026-06-01T22:00:00Z"}},
        {"action": {"command": "charge", "start": "2026-06-01T22:00:00+02:00"}},
        {"action": {"command": "charge", "start": "2026-06-01T22:00"}},
        {"action": {"command": "charge", "start": "2026-02-30T22:00:00"}},
        {"action": {"command": "charge", "start": "1h", "end": "2h"}},
        {"action": {"command": "charge", "power": 3}},
        {"action": {"command": "charge"}, "onConflict": "replace"},
        {"action": {"command": "charge"}, "conflict": "queue_after"},
        {"action": {"command": "explode"}},
        {
            "action": {
                "command": "charge",
                "parameters": {"speed": {"value": 9, "unit": "percent"}},
            }
        },
        {
            "action": {
                "command": "charge",
                "parameters": {"target": {"value": 9, "unit": "furlongs"}},
            }
        },
    ],
)
async def test_malformed(api: Api, body: Any) -> None:
    await api.error("POST", BATTERY, body, status=400, code="VALIDATION_ERROR")


async def test_no_json(api: Api, sandbox: Sandbox) -> None:
    async with api.session.post(
        api.url + BATTERY, data=b"{", headers={"x-api-key": "sk_test_demo"}
    ) as response:
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "VALIDATION_ERROR"
    assert sandbox.requests[-1].body == "{"


async def test_what_is_refused_leaves_nothing(api: Api) -> None:
    await api.push(CHARGER, "discharge", status=422)
    assert await api.items("/actions") == []


# Settings.


async def test_settings(api: Api, sandbox: Sandbox) -> None:
    body = {
        "discharge_floor": quantity(25, "percent"),
        "export_limit": quantity(123456, "watts"),
    }
    answer = await api.ask("POST", f"{BATTERY}/settings", body)
    assert answer["data"] == {
        "deviceId": "device_battery_001",
        "updated": ["discharge_floor", "export_limit"],
    }
    read = await api.get(BATTERY)
    assert read["settings"]["discharge_floor"]["value"] == 25
    assert read["settings"]["export_limit"]["value"] == 123456
    assert read["state"]["dischargeLimit"] == 25
    assert read["lastAction"] is None
    assert await api.items("/actions") == []


async def test_live_settings_show_when_pulled(api: Api, clock: Clock) -> None:
    body = {"charge_ceiling": quantity(80, "percent")}
    await api.ask("POST", f"{LIVE_BATTERY}/settings", body, key=LIVE_KEY)
    read = await api.get(LIVE_BATTERY, key=LIVE_KEY)
    assert read["settings"]["charge_ceiling"]["value"] == 100
    clock.advance(60)
    read = await api.get(f"{LIVE_BATTERY}?expedite=true", key=LIVE_KEY)
    assert read["settings"]["charge_ceiling"]["value"] == 80


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "details"),
    [
        (
            BATTERY,
            {"max_charge_rate": quantity(1, "amps"), "export_limit": 1},
            400,
            "VALIDATION_ERROR",
            {"field": "export_limit"},
        ),
        (
            CHARGER,
            {"discharge_floor": quantity(1, "percent")},
            422,
            "UNSUPPORTED_SETTING",
            {"setting": "discharge_floor"},
        ),
        (
            BATTERY,
            {"scheduler_enabled": quantity(1, "boolean")},
            422,
            "READ_ONLY_SETTING",
            {"setting": "scheduler_enabled"},
        ),
        (
            CHARGER,
            {"max_charge_rate": quantity(50.1, "kw")},
            422,
            "SETTING_OUT_OF_RANGE",
            {"setting": "max_charge_rate", "min": 0, "max": 50, "value": 50.1},
        ),
        (
            BATTERY,
            {"export_limit": quantity(-1, "watts")},
            422,
            "SETTING_OUT_OF_RANGE",
            {"setting": "export_limit", "min": 0, "max": None, "value": -1},
        ),
        (
            CHARGER,
            {"max_charge_rate": quantity(16, "amps")},
            422,
            "UNSUPPORTED_UNIT",
            {
                "parameter": "max_charge_rate",
                "providedUnit": "amps",
                "supportedUnits": ["kw"],
            },
        ),
        (CHARGER, {}, 400, "VALIDATION_ERROR", {}),
        (CHARGER, [], 400, "VALIDATION_ERROR", {}),
        (CHARGER, {"max_charge_rate": 7.4}, 400, "VALIDATION_ERROR", {}),
    ],
)
async def test_refused_settings(
    api: Api, path: str, body: Any, status: int, code: str, details: dict[str, Any]
) -> None:
    error = await api.error("POST", f"{path}/settings", body, status=status, code=code)
    assert details.items() <= error["details"].items()


async def test_one_wrong_setting_spoils_them_all(api: Api) -> None:
    body = {
        "discharge_floor": quantity(25, "percent"),
        "charge_ceiling": quantity(101, "percent"),
    }
    await api.error(
        "POST", f"{BATTERY}/settings", body, status=422, code="SETTING_OUT_OF_RANGE"
    )
    read = await api.get(BATTERY)
    assert read["settings"]["discharge_floor"]["value"] == 10


# Scheduled and windowed.


async def test_scheduled(api: Api, clock: Clock) -> None:
    action = await api.push(BATTERY, "charge", start="30m")
    clock.advance(1799)
    assert await state_of(api, action["id"]) == "scheduled"
    assert (await api.state(BATTERY))["currentMode"] == "auto.balanced"
    clock.advance(1)
    assert await state_of(api, action["id"]) == "acknowledged"
    clock.advance(4)
    record = await api.get(f"/actions/{action['id']}")
    assert record["state"] == "completed"
    assert record["acknowledgedAt"] == "2026-06-01T10:30:00.000Z"
    assert record["completedAt"] == "2026-06-01T10:30:04.000Z"
    assert (await api.state(BATTERY))["currentMode"] == "charge"


async def test_windowed_reverts(api: Api, clock: Clock) -> None:
    await api.push(BATTERY, "auto.reserve", reserve=quantity(60, "percent"))
    clock.advance(10)
    reply = await api.push(
        BATTERY,
        "discharge",
        start="2026-06-01T13:00:00",
        end="2026-06-01T14:00:00",
        power=quantity(2, "kw"),
    )
    assert reply["start"] == "2026-06-01T11:00:00.000Z"
    assert reply["end"] == "2026-06-01T12:00:00.000Z"
    clock.set("2026-06-01T11:30:00Z")
    state = await api.state(f"{BATTERY}?expedite=true")
    assert (state["currentMode"], state["chargeRate"]) == ("discharge", -2)
    assert await state_of(api, reply["id"]) == "completed"
    clock.set("2026-06-01T12:00:00Z")
    assert (await api.state(BATTERY))["currentMode"] == "auto.reserve"


async def test_windowed_even_if_nobody_looks(api: Api, clock: Clock) -> None:
    await api.push(
        LIVE_BATTERY,
        "discharge",
        key=LIVE_KEY,
        start="2026-06-01T13:00:00",
        end="2026-06-01T14:00:00",
        power=quantity(1.35, "kw"),
    )
    await api.push(LIVE_BATTERY, "idle", key=LIVE_KEY, on_conflict="queue_after")
    clock.set("2026-06-01T15:00:00Z")
    state = await api.state(LIVE_BATTERY, key=LIVE_KEY)
    # 57 % and an hour of the documented day at 7 %, then 10 % less, then nothing.
    assert state["level"] == pytest.approx(57 + 7 - 10, abs=0.2)
    assert state["currentMode"] == "idle"


async def test_a_newer_command_outlives_a_window(api: Api, clock: Clock) -> None:
    await api.push(CHARGER, "charge", start="1h", end="2026-06-01T14:00:00")
    clock.set("2026-06-01T11:30:00Z")
    await api.push(CHARGER, "idle")
    clock.set("2026-06-01T12:30:00Z")
    assert (await api.state(CHARGER))["status"] == "paused"


async def test_a_window_of_heat(api: Api, clock: Clock) -> None:
    await api.push(
        HVAC,
        "heat",
        target=quantity(26, "celsius"),
        start="30m",
        end="2026-06-01T18:30:00",
    )
    clock.set("2026-06-01T12:00:00Z")
    state = await api.state(HVAC)
    assert (state["mode"], state["heatSetpoint"]) == ("heat", 26)
    assert state["holdType"] == "permanent"
    clock.set("2026-06-01T16:30:00Z")
    state = await api.state(HVAC)
    # The programme has gone on meanwhile.
    assert (state["mode"], state["heatSetpoint"]) == ("auto", 21)
    assert state["holdType"] == "follow_schedule"


async def test_a_window_shorter_than_its_action(api: Api, clock: Clock) -> None:
    action = await api.push(
        BATTERY, "idle", start="2026-06-01T12:00:00", end="2026-06-01T12:00:02"
    )
    clock.advance(5)
    assert await state_of(api, action["id"]) == "completed"
    assert (await api.state(BATTERY))["currentMode"] == "auto.balanced"


async def test_cancel(api: Api, clock: Clock) -> None:
    action = await api.push(BATTERY, "charge", start="30m")
    path = f"/actions/{action['id']}/cancel"
    answer = await api.ask("POST", path)
    assert answer["data"]["state"] == "cancelled"
    assert answer["data"]["completedAt"] == "2026-06-01T10:00:00.000Z"
    assert answer["data"]["id"] == action["id"]
    error = await api.error("POST", path, status=409, code="ACTION_NOT_CANCELLABLE")
    assert error == {
        "code": "ACTION_NOT_CANCELLABLE",
        "message": "Action in state 'cancelled' cannot be cancelled",
    }
    clock.advance(3600)
    assert await state_of(api, action["id"]) == "cancelled"
    assert (await api.state(BATTERY))["currentMode"] == "auto.balanced"
    await api.error(
        "POST", "/actions/nothing/cancel", status=404, code="ACTION_NOT_FOUND"
    )


async def test_cancel_comes_too_late(api: Api, clock: Clock) -> None:
    action = await api.push(BATTERY, "charge")
    path = f"/actions/{action['id']}/cancel"
    for state in ("acknowledged", "completed"):
        error = await api.error("POST", path, status=409, code="ACTION_NOT_CANCELLABLE")
        assert f"'{state}'" in error["message"]
        clock.advance(4)


# Conflicts.


async def test_conflict_with_a_scheduled_one(api: Api) -> None:
    first = await api.push(BATTERY, "charge", start="1h")
    for start in (None, "2h"):
        error = await api.push(BATTERY, "discharge", status=409, start=start)
        assert error["code"] == "CONFLICT"
        assert error["details"] == {
            "reason": "no_strategy_supplied",
            "conflictingActionIds": [first["id"]],
            "strategies": ["cancel_and_replace", "queue_after"],
        }
    assert len(await api.items("/actions")) == 1


async def test_cancel_and_replace(api: Api, clock: Clock) -> None:
    first = await api.push(BATTERY, "charge", start="1h")
    second = await api.push(BATTERY, "discharge", on_conflict="cancel_and_replace")
    assert second["state"] == "acknowledged"
    assert await state_of(api, first["id"]) == "cancelled"
    clock.advance(7200)
    assert (await api.state(BATTERY))["currentMode"] == "discharge"


@pytest.mark.parametrize("on_conflict", [None, "cancel_and_replace"])
async def test_conflict_with_one_in_flight(
    api: Api, clock: Clock, on_conflict: str | None
) -> None:
    first = await api.push(BATTERY, "charge")
    error = await api.push(BATTERY, "idle", on_conflict=on_conflict, status=409)
    assert error["code"] == "CONFLICT"
    assert error["details"] == {"conflictingActionIds": [first["id"]]}
    clock.advance(4)
    await api.push(BATTERY, "idle", on_conflict=on_conflict)


async def test_nothing_queues_behind_what_has_no_end(
    api: Api, sandbox: Sandbox, clock: Clock
) -> None:
    for start in (None, "1h"):
        first = await api.push(BATTERY, "charge", start=start)
        error = await api.push(BATTERY, "idle", on_conflict="queue_after", status=409)
        assert error["code"] == "CONFLICT"
        assert error["details"] == {
            "reason": "no_end",
            "conflictingActionIds": [first["id"]],
        }
        clock.advance(4)
    assert len(await api.items("/actions")) == 2


async def test_queue_after_one_in_flight(
    api: Api, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.lenient = {"queue"}
    first = await api.push(BATTERY, "charge")
    second = await api.push(BATTERY, "discharge", on_conflict="queue_after")
    assert second["state"] == "scheduled"
    assert (await api.state(BATTERY))["currentMode"] == "charge"
    clock.advance(4)
    assert await state_of(api, first["id"]) == "completed"
    assert await state_of(api, second["id"]) == "acknowledged"
    clock.advance(4)
    assert await state_of(api, second["id"]) == "completed"
    assert (await api.state(BATTERY))["currentMode"] == "discharge"


async def test_queue_after_a_scheduled_one(
    api: Api, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.lenient = {"queue"}
    first = await api.push(BATTERY, "charge", start="1h")
    second = await api.push(BATTERY, "idle", on_conflict="queue_after")
    clock.advance(1800)
    assert await state_of(api, second["id"]) == "scheduled"
    await api.ask("POST", f"/actions/{first['id']}/cancel")
    assert await state_of(api, second["id"]) == "acknowledged"


async def test_queue_after_a_window(api: Api, clock: Clock) -> None:
    await api.push(BATTERY, "charge", start="1h", end="2026-06-01T14:00:00")
    second = await api.push(BATTERY, "idle", on_conflict="queue_after")
    assert second["start"] == "2026-06-01T12:00:00.000Z"
    clock.set("2026-06-01T11:59:59Z")
    assert await state_of(api, second["id"]) == "scheduled"
    assert (await api.state(BATTERY))["currentMode"] == "charge"
    clock.set("2026-06-01T12:00:00Z")
    assert await state_of(api, second["id"]) == "acknowledged"
    assert (await api.state(BATTERY))["currentMode"] == "idle"


async def test_a_window_after_a_window(api: Api, clock: Clock) -> None:
    await api.push(BATTERY, "charge", start="1h", end="2026-06-01T14:00:00")
    # They need not overlap to collide, and the second one begins where the first
    # one ends.
    later: dict[str, Any] = {
        "start": "2026-06-01T20:00:00",
        "end": "2026-06-01T22:00:00",
    }
    error = await api.push(BATTERY, "discharge", status=409, **later)
    assert error["details"]["reason"] == "no_strategy_supplied"
    second = await api.push(BATTERY, "discharge", on_conflict="queue_after", **later)
    assert second["start"] == "2026-06-01T12:00:00.000Z"
    clock.set("2026-06-01T12:00:00Z")
    assert (await api.state(BATTERY))["currentMode"] == "discharge"
    clock.set("2026-06-01T20:00:00Z")
    assert (await api.state(BATTERY))["currentMode"] == "auto.balanced"
    error = await api.push(
        BATTERY, "charge", start="2026-06-02T06:00:00", end="2026-06-02T08:00:00"
    )
    error = await api.push(
        BATTERY,
        "idle",
        start="2026-06-02T07:00:00",
        end="2026-06-02T08:00:00",
        on_conflict="queue_after",
        status=422,
    )
    assert error["code"] == "INVALID_TIME_WINDOW"


async def test_many_planned(api: Api, sandbox: Sandbox) -> None:
    sandbox.lenient = {"overlap"}
    day = "2026-06-02T"
    for hour in range(0, 22, 2):
        await api.push(
            BATTERY,
            "charge",
            start=f"{day}{hour:02}:00:00",
            end=f"{day}{hour:02}:30:00",
        )
    planned = await api.get("/actions?state=scheduled&limit=5")
    assert planned["pagination"]["total"] == 11
    error = await api.push(BATTERY, "idle", start=f"{day}04:10:00", status=409)
    assert len(error["details"]["conflictingActionIds"]) == 1
    with pytest.raises(ValueError, match="no leniency"):
        sandbox.lenient = {"everything"}


async def test_a_window_missed_in_the_queue(
    api: Api, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.lenient = {"queue"}
    sandbox.device("device_battery_001").next_action(seconds=7200)
    await api.push(BATTERY, "charge")
    second = await api.push(
        BATTERY,
        "discharge",
        start="30m",
        end="2026-06-01T13:00:00",
        on_conflict="queue_after",
    )
    clock.advance(7200)
    record = await api.get(f"/actions/{second['id']}")
    assert (record["state"], record["errorCode"]) == ("failed", "TIMEOUT")
    assert (await api.state(BATTERY))["currentMode"] == "charge"


async def test_a_strategy_the_device_does_not_take(api: Api) -> None:
    error = await api.push(HVAC, "cool", on_conflict="queue_after", status=422)
    assert error["code"] == "STRATEGY_NOT_SUPPORTED"
    assert error["details"] == {
        "strategy": "queue_after",
        "supportedStrategies": ["cancel_and_replace"],
    }
    assert await api.items("/actions") == []


async def test_devices_do_not_conflict(api: Api) -> None:
    await api.push(BATTERY, "charge")
    await api.push(CHARGER, "charge")
    await api.push(HVAC, "idle")


# The list of actions.


async def test_actions(api: Api, clock: Clock) -> None:
    ids = []
    for number in range(12):
        command = "idle" if number % 2 else "charge"
        ids.append((await api.push(BATTERY, command))["id"])
        clock.advance(5)
    ids.append((await api.push(CHARGER, "idle"))["id"])
    page = await api.get("/actions")
    assert [item["id"] for item in page["items"]] == ids[::-1][:10]
    assert page["pagination"] == {
        "limit": 10,
        "offset": 0,
        "total": 13,
        "hasMore": True,
    }
    rest = await api.items("/actions?offset=10")
    assert [item["id"] for item in rest] == ids[::-1][10:]
    mine = await api.get("/actions?deviceId=device_battery_001&limit=50")
    assert [item["id"] for item in mine["items"]] == ids[:-1][::-1]
    flying = await api.items("/actions?state=acknowledged")
    assert [item["id"] for item in flying] == ids[-1:]
    assert await api.items("/actions?state=failed") == []
    assert len(set(ids)) == 13
    of_type = await api.get("/actions?deviceType=ev_charger&userId=user_abc123")
    assert [item["id"] for item in of_type["items"]] == ids[-1:]
    assert await api.items("/actions?userId=user_nobody") == []
    assert await api.items("/actions?deviceId=device_of_somebody_else") == []
    for wrong in ("deviceType=toaster", "state=asleep"):
        await api.error("GET", f"/actions?{wrong}", status=400, code="VALIDATION_ERROR")


async def test_live_does_not_see_the_actions_of_the_sandbox(api: Api) -> None:
    action = await api.push(BATTERY, "idle")
    assert await api.items("/actions", key=LIVE_KEY) == []
    await api.error(
        "GET",
        f"/actions/{action['id']}",
        status=404,
        code="ACTION_NOT_FOUND",
        key=LIVE_KEY,
    )


# The older bodies.


async def older(api: Api, path: str, body: Any, status: int = 202) -> Any:
    """Push an older body; return the bare answer, or the error."""
    answer = await api.ask("POST", path, body, status=status)
    return answer if status == 202 else answer["error"]


@pytest.mark.parametrize("home", ["classic"])
async def test_older_cap(api: Api, clock: Clock) -> None:
    reply = await older(api, CHARGER, {"action": "set_max_power", "maxPower": 3.6})
    assert reply == {
        "actionId": reply["actionId"],
        "state": "acknowledged",
        "type": "ev-charger:set_max_power",
        "createdAt": "2026-06-01T10:00:00.000Z",
    }
    clock.advance(4)
    record = await api.ask("GET", f"/actions/{reply['actionId']}")
    assert record == {
        "id": reply["actionId"],
        "deviceId": "device_ev_001",
        "type": "ev-charger:set_max_power",
        "state": "completed",
        "parameters": {"maxPower": 3.6},
        "result": {"success": True, "message": "Power cap applied"},
        "errorCode": None,
        "errorMessage": None,
        "createdAt": "2026-06-01T10:00:00.000Z",
        "updatedAt": "2026-06-01T10:00:04.000Z",
        "acknowledgedAt": "2026-06-01T10:00:00.000Z",
        "completedAt": "2026-06-01T10:00:04.000Z",
    }
    state = (await api.ask("GET", CHARGER))["state"]
    assert state["currentPower"] == 3.6
    assert "powerRateLimit" not in state
    page = await api.ask("GET", "/actions")
    assert page["items"] == [record]


@pytest.mark.parametrize("home", ["classic"])
async def test_older_charging(api: Api, clock: Clock) -> None:
    reply = await older(api, CHARGER, {"action": "stop_charging"})
    assert reply["type"] == "ev-charger:stop_charging"
    state = (await api.ask("GET", CHARGER))["state"]
    assert (state["isCharging"], state["currentPower"]) == (False, 0)
    clock.advance(4)
    record = await api.ask("GET", f"/actions/{reply['actionId']}")
    assert record["parameters"] is None
    await older(api, CHARGER, {"action": "start_charging"})
    assert (await api.ask("GET", CHARGER))["state"]["isCharging"] is True


@pytest.mark.parametrize("home", ["classic"])
async def test_older_holds(api: Api, clock: Clock) -> None:
    for body, state in (
        (
            {"mode": "auto", "heatSetpoint": 20, "coolSetpoint": 24},
            {"mode": "auto", "heatSetpoint": 20, "coolSetpoint": 24},
        ),
        ({"mode": "heat", "heatSetpoint": 23}, {"mode": "heat", "heatSetpoint": 23}),
        ({"mode": "cool", "coolSetpoint": 21}, {"mode": "cool", "coolSetpoint": 21}),
        ({"mode": "off"}, {"mode": "off", "active": False}),
    ):
        reply = await older(api, HVAC, {"action": "set_permanent_hold"} | body)
        assert reply["type"] == "hvac:set_permanent_hold"
        shown = (await api.ask("GET", HVAC))["state"]
        assert (state | {"holdType": "permanent"}).items() <= shown.items()
        clock.advance(4)
        record = await api.ask("GET", f"/actions/{reply['actionId']}")
        assert record["parameters"] == body
    await older(api, HVAC, {"action": "follow_schedule"})
    shown = (await api.ask("GET", HVAC))["state"]
    assert shown["holdType"] == "follow_schedule"


@pytest.mark.parametrize("home", ["classic"])
async def test_older_batteries(api: Api) -> None:
    body = {
        "action": "set_operation_mode",
        "mode": "charge",
        "target": quantity(90, "percent"),
    }
    reply = await older(api, BATTERY, body)
    assert reply["type"] == "battery:set_operation_mode"
    assert (await api.ask("GET", BATTERY))["state"]["currentMode"] == "charge"


@pytest.mark.parametrize("home", ["classic"])
@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (CHARGER, {"action": {"command": "charge"}}, 422, "COMMAND_NOT_SUPPORTED"),
        (CHARGER, {"action": "dance"}, 422, "COMMAND_NOT_SUPPORTED"),
        (CHARGER, {"action": "set_max_power"}, 400, "VALIDATION_ERROR"),
        (
            CHARGER,
            {"action": "set_max_power", "maxPower": "7"},
            400,
            "VALIDATION_ERROR",
        ),
        (
            CHARGER,
            {"action": "set_max_power", "maxPower": 50.5},
            422,
            "PARAMETER_OUT_OF_RANGE",
        ),
        (
            CHARGER,
            {"action": "set_max_power", "maxPower": -1},
            422,
            "PARAMETER_OUT_OF_RANGE",
        ),
        (CHARGER, {"action": "start_charging", "fast": 1}, 400, "VALIDATION_ERROR"),
        (
            HVAC,
            {"action": "set_permanent_hold", "mode": "dry"},
            422,
            "UNSUPPORTED_MODE",
        ),
        (
            HVAC,
            {"action": "set_permanent_hold", "mode": "heat"},
            400,
            "VALIDATION_ERROR",
        ),
        (
            HVAC,
            {"action": "set_permanent_hold", "mode": "heat", "heatSetpoint": 36},
            422,
            "PARAMETER_OUT_OF_RANGE",
        ),
        (
            HVAC,
            {
                "action": "set_permanent_hold",
                "mode": "auto",
                "heatSetpoint": 25,
                "coolSetpoint": 20,
            },
            422,
            "PARAMETER_OUT_OF_RANGE",
        ),
        (
            BATTERY,
            {"action": "set_operation_mode", "mode": "party"},
            422,
            "UNSUPPORTED_MODE",
        ),
        (
            CHARGER,
            {"action": "start_charging", "start": "2026-06-01T13:00:00"},
            400,
            "VALIDATION_ERROR",
        ),
    ],
)
async def test_older_refusals(
    api: Api, path: str, body: Any, status: int, code: str
) -> None:
    assert (await older(api, path, body, status))["code"] == code


@pytest.mark.parametrize("home", ["classic"])
async def test_older_settings_are_none(api: Api) -> None:
    await api.error(
        "POST",
        f"{CHARGER}/settings",
        {"max_charge_rate": quantity(7, "kw")},
        status=422,
        code="UNSUPPORTED_SETTING",
    )


@pytest.mark.parametrize("home", ["classic"])
async def test_older_times_carry_an_offset(api: Api, clock: Clock) -> None:
    body = {"action": "stop_charging", "start": "2026-06-01T13:00:00+02:00"}
    reply = await older(api, CHARGER, body)
    assert reply["state"] == "scheduled"
    assert reply["start"] == "2026-06-01T11:00:00.000Z"
    clock.advance(3605)
    record = await api.ask("GET", f"/actions/{reply['actionId']}")
    assert record["state"] == "completed"


@pytest.mark.parametrize("home", ["classic"])
async def test_older_cancel_is_bare(api: Api) -> None:
    body = {"action": "stop_charging", "start": "2026-06-01T11:00:00Z"}
    reply = await older(api, CHARGER, body)
    path = f"/actions/{reply['actionId']}/cancel"
    assert (await api.ask("POST", path))["state"] == "cancelled"


async def test_newer_devices_take_the_older_cap_only(api: Api) -> None:
    body = {"action": "set_max_power", "maxPower": 5}
    answer = await api.ask("POST", CHARGER, body, status=202)
    assert answer["data"]["type"] == "ev-charger:set_max_power"
    read = await api.get(CHARGER)
    assert read["settings"]["max_charge_rate"]["value"] == 5
    assert read["state"]["powerRateLimit"] == 5
    error = await older(api, HVAC, {"action": "follow_schedule"}, 422)
    assert error["code"] == "COMMAND_NOT_SUPPORTED"


# Events.


async def test_events(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    told: list[Event] = []
    sandbox.on_event = told.append
    device = sandbox.device("device_battery_001")
    await api.push(BATTERY, "idle")
    clock.advance(10)
    assert [(e.kind, e.at) for e in told] == [("push.completed", clock.time() - 6)]
    assert told[0].action is not None
    assert told[0].device is device
    device.next_action("failed", code="TIMEOUT")
    await api.push(BATTERY, "charge")
    clock.advance(10)
    cancelled = await api.push(BATTERY, "charge", start="1h")
    await api.ask("POST", f"/actions/{cancelled['id']}/cancel")
    device.credentials_refused = True
    device.credentials_refused = False
    added = sandbox.home.add_device("hvac")
    sandbox.home.remove_device(added.id)
    assert [event.kind for event in told] == [
        "push.completed",
        "push.failed",
        "push.cancelled",
        "device.disconnected",
        "device.reconnected",
        "device.connected",
        "device.disconnected",
    ]
    assert [event.kind for event in sandbox.events] == [e.kind for e in told]


async def test_next_due(api: Api, sandbox: Sandbox, clock: Clock) -> None:
    due = sandbox.next_due
    assert due is None
    await api.push(BATTERY, "idle")
    due = sandbox.next_due
    assert due == clock.time() + 4
    clock.advance(4)
    due = sandbox.next_due
    assert due is None
