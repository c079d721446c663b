"""The documented bodies, held against what the sandbox says."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
import json
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientSession
import pytest

from sandbox import Clock, Sandbox
from sandbox.kinds import BY_PATH
from tests.sandbox.helpers import BATTERY, CHARGER, HVAC, SOLAR, VEHICLE, Api, quantity

FIXTURES = Path(__file__).parents[1] / "fixtures"
# Early enough for what is documented to be planned.
EARLY = "2026-05-08T10:00:00Z"
BARE = "sk_test_bare"
# What some of the documented bodies have, and others do not.
LOOSE = frozenset({"errorCode", "errorMessage", "type", "min", "max", "cacheType"})


def documented(name: str) -> Any:
    """Return a documented body."""
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def missing(known: Any, ours: Any, path: str = "") -> list[str]:
    """Return what a documented body has, and ours does not have or has otherwise."""
    if known is None or ours is None:
        return []
    if isinstance(known, dict) and isinstance(ours, dict):
        found = []
        for key, value in known.items():
            if key in ours:
                found += missing(value, ours[key], f"{path}.{key}")
            elif key not in LOOSE:
                found.append(f"{path}.{key}")
        return found
    if isinstance(known, list) and isinstance(ours, list):
        return missing(known[0], ours[0], f"{path}[0]") if known and ours else []
    numbers = (int, float)
    alike = (
        isinstance(known, numbers) and isinstance(ours, numbers)
        if not isinstance(known, bool)
        else isinstance(ours, bool)
    )
    return [] if alike or type(known) is type(ours) else [f"{path}: {ours!r}"]


@asynccontextmanager
async def running(
    home: str = "home", generation: str | None = None
) -> AsyncGenerator[tuple[Api, Sandbox, Clock]]:
    """Run a sandbox, with a key that answers bare as well."""
    clock = Clock.manual(EARLY)
    async with (
        Sandbox(home, clock=clock, generation=generation) as sandbox,
        ClientSession() as session,
    ):
        sandbox.add_account(BARE, generation="before")
        yield Api(session, sandbox.url), sandbox, clock
        assert not sandbox.crashes


# What is read.

READS: Final[dict[str, tuple[str, str, str | None]]] = {
    "battery-list": ("/battery", "home", None),
    "ev-charger-list": ("/ev-charger", "home", None),
    "hvac-list": ("/hvac", "home", None),
    "vehicle-list": ("/vehicle", "home", None),
    "battery-read": (BATTERY, "home", None),
    "battery-read-self-describing": (BATTERY, "home", None),
    "ev-charger-read": (CHARGER, "home", None),
    "hvac-read": (HVAC, "home", None),
    "solar-inverter-read": (SOLAR, "home", None),
    "vehicle-read": (VEHICLE, "home", None),
    "before/ev-charger-read": (CHARGER, "classic", None),
    "before/ev-charger-read-capped": (CHARGER, "classic", None),
    "before/hvac-read": (HVAC, "classic", None),
    "before/battery-read-windowed-only": (BATTERY, "foxess", BARE),
    "before/battery-read-discharge-windowed-only": (BATTERY, "foxess", BARE),
    "before/battery-read-wh": ("/battery/device_battery_002", "foxess", BARE),
    "oldest/vehicle-read-schema": (VEHICLE, "oldest", None),
}


@pytest.mark.parametrize("name", READS)
async def test_reads(socket_enabled: None, name: str) -> None:
    path, home, key = READS[name]
    oldest = home == "oldest"
    async with running("home" if oldest else home, "oldest" if oldest else None) as (
        api,
        _,
        clock,
    ):
        if home == "home":
            for place in (BATTERY, CHARGER, HVAC):
                await api.push(place, "idle")
            clock.advance(10)
        ours = await api.ask("GET", path, key=key or "sk_test_demo")
    assert missing(documented(name), ours) == []


# What is pushed, and what is answered.

PUSHES: Final[dict[str, tuple[str, str, str, str | None]]] = {
    "battery-push-request": (BATTERY, "home", "battery-push-reply", None),
    "battery-push-request-windowed": (BATTERY, "home", "battery-push-reply", None),
    "ev-charger-push-request": (CHARGER, "home", "ev-charger-push-reply", None),
    "hvac-push-request": (HVAC, "home", "hvac-push-reply", None),
    "hvac-push-request-heat": (HVAC, "home", "hvac-push-reply-heat", None),
    "before/ev-charger-push-request": (
        CHARGER,
        "classic",
        "before/ev-charger-push-reply",
        None,
    ),
    "before/hvac-push-request": (HVAC, "classic", "before/hvac-push-reply", None),
    # A newer body, in a time when replies were bare and times had an offset.
    "before/discharge-windowed-request": (
        BATTERY,
        "foxess",
        "battery-push-reply",
        BARE,
    ),
}


@pytest.mark.parametrize("name", PUSHES)
async def test_pushes(socket_enabled: None, name: str) -> None:
    path, home, answer, key = PUSHES[name]
    async with running(home) as (api, _, _):
        ours = await api.ask(
            "POST", path, documented(name), status=202, key=key or "sk_test_demo"
        )
    known = documented(answer)
    reply = known.get("data", known)
    given = ours.get("data", ours)
    if "parameters" in reply:
        # What was asked for is answered, whatever the documented reply is about.
        del reply["parameters"]
        asked = documented(name)["action"].get("parameters")
        assert given["parameters"] == asked
    assert missing(reply if key else known, ours) == []


# Each makes the sandbox say what a documented body says.
type Scene = Callable[[Api, Sandbox, Clock], Awaitable[Any]]


async def _scheduled(api: Api, sandbox: Sandbox, clock: Clock) -> Any:
    target = quantity(100, "percent")
    pushed = await api.push(
        BATTERY, "charge", start="2026-06-01T04:00:00", target=target
    )
    return await api.ask("GET", f"/actions/{pushed['id']}")


async def _cancelled(api: Api, sandbox: Sandbox, clock: Clock) -> Any:
    planned = (await _scheduled(api, sandbox, clock))["data"]
    return await api.ask("POST", f"/actions/{planned['id']}/cancel")


async def _actions(api: Api, sandbox: Sandbox, clock: Clock) -> Any:
    await _scheduled(api, sandbox, clock)
    await api.push(HVAC, "follow_schedule")
    clock.advance(10)
    return await api.items("/actions")


async def _schedules(api: Api, sandbox: Sandbox, clock: Clock) -> Any:
    return await api.ask("GET", "/schedules", status=501)


async def _schedule(api: Api, sandbox: Sandbox, clock: Clock) -> Any:
    return await api.ask("GET", "/schedules/sched_unknown_999", status=404)


async def _unit(api: Api, sandbox: Sandbox, clock: Clock) -> Any:
    power = {"power": quantity(50, "percent")}
    body = {"action": {"command": "charge", "parameters": power}}
    return await api.ask("POST", BATTERY, body, status=422)


async def _conflict(api: Api, sandbox: Sandbox, clock: Clock) -> Any:
    await _scheduled(api, sandbox, clock)
    return await api.ask("POST", BATTERY, {"action": {"command": "idle"}}, status=409)


async def _conflict_alone(api: Api, sandbox: Sandbox, clock: Clock) -> Any:
    return (await _conflict(api, sandbox, clock))["error"]


async def _in_flight(api: Api, sandbox: Sandbox, clock: Clock) -> Any:
    await api.push(BATTERY, "charge")
    body = {"action": {"command": "idle"}, "onConflict": "cancel_and_replace"}
    return await api.ask("POST", BATTERY, body, status=409)


async def _not_cancellable(api: Api, sandbox: Sandbox, clock: Clock) -> Any:
    pushed = await api.push(BATTERY, "charge")
    return (await api.ask("POST", f"/actions/{pushed['id']}/cancel", status=409))[
        "error"
    ]


async def _offline(api: Api, sandbox: Sandbox, clock: Clock) -> Any:
    sandbox.device("device_battery_001").offline = True
    return await api.ask("GET", BATTERY, status=400)


async def _no_key(api: Api, sandbox: Sandbox, clock: Clock) -> Any:
    return await api.ask("GET", BATTERY, key=None, status=401)


async def _settings(api: Api, sandbox: Sandbox, clock: Clock) -> Any:
    body = documented("ev-charger-settings-request")
    return await api.ask("POST", f"{CHARGER}/settings", body)


async def _bare_settings(api: Api, sandbox: Sandbox, clock: Clock) -> Any:
    body = documented("before/battery-settings")["request"]
    reply = await api.ask("POST", f"{BATTERY}/settings", body, key=BARE)
    return {"request": body, "reply": reply}


SCENES: Final[dict[str, Scene]] = {
    "action": _scheduled,
    "action-cancelled": _cancelled,
    "action-list-items-1-2": _actions,
    "schedules-501": _schedules,
    "schedule-404": _schedule,
    "unsupported-unit-422": _unit,
    "conflict-409": _conflict,
    "conflict-409-no-strategy-error-object": _conflict_alone,
    "conflict-409-in-flight": _in_flight,
    "not-cancellable-error-object": _not_cancellable,
    "device-offline": _offline,
    "before/unauthorized": _no_key,
    "ev-charger-settings-reply": _settings,
    "before/battery-settings": _bare_settings,
}


@pytest.mark.parametrize("name", SCENES)
async def test_answers(socket_enabled: None, name: str) -> None:
    async with running() as (api, sandbox, clock):
        ours = await SCENES[name](api, sandbox, clock)
    known = documented(name)
    assert missing(known, ours) == []
    if isinstance(known, dict) and (known.get("success") is False or "code" in known):
        error, said = known.get("error", known), ours.get("error", ours)
        assert said["code"] == error["code"]
        # Where two messages are documented, the sandbox says the newer one.
        if name != "conflict-409":
            assert said["message"] == error["message"]
        assert set(said.get("details", {})) >= set(error.get("details", {}))
    if name == "action-cancelled":
        assert ours["data"]["completedAt"] == ours["data"]["updatedAt"]


OLDER: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "before/action": (CHARGER, {"action": "set_max_power", "maxPower": 7.4}),
    "before/action-auto-balanced": (
        BATTERY,
        {"action": "set_operation_mode", "mode": "auto.balanced"},
    ),
    "before/action-hvac-hold": (
        HVAC,
        {
            "action": "set_permanent_hold",
            "mode": "auto",
            "heatSetpoint": 20,
            "coolSetpoint": 24,
        },
    ),
    "before/action-cancelled": (
        BATTERY,
        {
            "action": "set_operation_mode",
            "mode": "charge",
            "target": quantity(100, "percent"),
            "start": "2026-05-09T22:00:00Z",
        },
    ),
    "before/battery-push-reply": (
        BATTERY,
        {"action": "set_operation_mode", "mode": "charge"},
    ),
    "before/battery-push-reply-scheduled": (
        BATTERY,
        {
            "action": "set_operation_mode",
            "mode": "charge",
            "start": "2026-05-09T22:00:00Z",
        },
    ),
    "before/ev-charger-push-start": (CHARGER, {"action": "start_charging"}),
}


@pytest.mark.parametrize("name", OLDER)
async def test_older_actions(socket_enabled: None, name: str) -> None:
    path, body = OLDER[name]
    known = documented(name)
    async with running("classic") as (api, _, clock):
        ours = await api.ask("POST", path, body, status=202)
        if name == "before/ev-charger-push-start":
            assert body == known["request"]
            known = known["reply"]
        if "deviceId" in known:
            place = f"/actions/{ours['actionId']}"
            if known["state"] == "cancelled":
                await api.ask("POST", f"{place}/cancel")
            clock.advance(10)
            ours = await api.ask("GET", place)
            assert ours["parameters"] == known["parameters"]
            assert ours["completedAt"] is None or known["completedAt"] is not None
    assert missing(known, ours) == []
    assert ours["type"] == known["type"]
    if "push" not in name:
        assert ours["state"] == known["state"]
        assert ours["result"] == known["result"]


# What is told by webhooks.

TOLD: Final = (
    "webhook-device-connected",
    "webhook-device-reconnected",
    "webhook-device-disconnected",
    "before/webhook-push-completed",
    "before/webhook-push-failed",
)


@pytest.mark.parametrize("name", TOLD)
async def test_webhooks(socket_enabled: None, name: str) -> None:
    older = name.startswith("before/")
    async with running() as (api, sandbox, clock):
        device = sandbox.device("device_battery_001")
        if older:
            await api.push(BATTERY, "charge", target=quantity(90, "percent"))
            [action] = device.actions
            if name.endswith("failed"):
                device.next_action("failed", code="SCHEDULER_ACTIVE")
                clock.advance(5)
                await api.push(BATTERY, "charge", target=quantity(90, "percent"))
                action = device.actions[-1]
            clock.advance(5)
            kind = f"push.{action.state}"
            ours = sandbox.webhooks.body(kind, device, action, clock.time(), older=True)
        else:
            kind = name.removeprefix("webhook-").replace("-", ".")
            ours = sandbox.webhooks.body(kind, device, None, clock.time(), older=False)
    known = documented(name)
    parameters = known.pop("parameters", None)
    if parameters is not None:
        assert ours["parameters"].keys() <= parameters.keys()
    assert missing(known, ours) == []
    assert set(ours) - {"parameters"} == set(known)


# What the API does not do yet.

NOT_BUILT: Final = (
    "schedule-put-request",
    "schedule-put-reply",
    "before/schedules-list",
)


async def test_schedules_are_not_there_yet(socket_enabled: None) -> None:
    async with running() as (api, _, _):
        for path in BY_PATH:
            await api.error(
                "PUT",
                f"/{path}/device_abc123/schedule",
                documented("schedule-put-request"),
                status=501,
                code="NOT_IMPLEMENTED",
            )


REQUESTS: Final = ("ev-charger-settings-request",)
BODIES: Final = frozenset(
    {
        *READS,
        *PUSHES,
        *(answer for _, _, answer, _ in PUSHES.values()),
        *SCENES,
        *OLDER,
        *TOLD,
        *NOT_BUILT,
        *REQUESTS,
    }
)


def test_every_documented_body_is_held_against_the_sandbox() -> None:
    assert {
        str(path.relative_to(FIXTURES).with_suffix(""))
        for path in FIXTURES.rglob("*.json")
    } == BODIES
