"""Homes and generations that are told apart by the forms of their answers."""

from typing import Any

from aiohttp import ClientSession
import pytest

from sandbox import LIVE_KEY, SANDBOX_KEY, Clock, Sandbox
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

WINDOW: dict[str, Any] = {"start": "30m", "end": "2026-06-01T14:00:00"}


@pytest.mark.parametrize("home", ["foxess"])
async def test_what_takes_windows_only(api: Api, clock: Clock) -> None:
    read = await api.get(BATTERY)
    assert (read["vendor"], read["metadata"]["model"]) == ("foxess", "FoxESS H1-5.0-E")
    assert {name: item["execution"] for name, item in read["commands"].items()} == {
        "charge": ["windowed"],
        "discharge": ["windowed"],
    }
    assert list(read["commands"]["discharge"]["parameters"]) == [
        "target",
        "power",
        "reserve",
    ]
    assert read["settings"]["charge_ceiling"] == {"value": 100, "unit": "percent"}
    # Another command stands than any that it takes.
    assert read["state"]["currentMode"] == "auto.balanced"
    for start, requested in ((None, "immediate"), ("30m", "scheduled")):
        error = await api.push(BATTERY, "charge", start=start, status=422)
        assert error["code"] == "EXECUTION_NOT_SUPPORTED"
        assert error["details"] == {
            "command": "charge",
            "requestedExecution": requested,
            "supportedExecution": ["windowed"],
        }
    await api.push(BATTERY, "charge", power=quantity(5, "kw"), **WINDOW)
    clock.advance(1804)
    assert (await api.state(BATTERY))["currentMode"] == "charge"


@pytest.mark.parametrize("home", ["foxess"])
async def test_the_others_of_the_foxess_home(api: Api) -> None:
    _, other, third = await api.items("/battery")
    assert (other["vendor"], other["state"]["capacity"]) == ("FoxESS", 10400)
    assert "currentMode" not in other["state"]
    assert list(other["commands"]) == ["charge", "auto.balanced"]
    assert third["commands"] == {
        "charge": {
            "parameters": {"target": {"unit": "percent", "min": 10, "max": 100}},
            "execution": ["scheduled"],
        }
    }
    assert len(await api.items("/solar-inverter")) == 1


@pytest.mark.parametrize("home", ["units"])
async def test_fahrenheit(api: Api, clock: Clock) -> None:
    before = await api.get(HVAC)
    assert before["commands"]["heat"]["parameters"]["target"] == {
        "unit": "fahrenheit",
        "min": 50,
        "max": 95,
    }
    assert before["state"]["heatSetpoint"] == 66.2
    error = await api.push(HVAC, "heat", target=quantity(21, "celsius"), status=422)
    assert error["code"] == "UNSUPPORTED_UNIT"
    error = await api.push(HVAC, "heat", target=quantity(21, "fahrenheit"), status=422)
    assert error["code"] == "PARAMETER_OUT_OF_RANGE"
    assert error["details"]["unit"] == "fahrenheit"
    await api.push(
        HVAC,
        "auto",
        heatSetpoint=quantity(70, "fahrenheit"),
        coolSetpoint=quantity(78, "fahrenheit"),
    )
    state = await api.state(HVAC)
    assert (state["heatSetpoint"], state["coolSetpoint"]) == (70, 78)
    assert 60 < state["temperature"] < 90


@pytest.mark.parametrize("home", ["units"])
async def test_settings_in_other_units(api: Api) -> None:
    settings = (await api.get(BATTERY))["settings"]
    assert {item["unit"] for item in settings.values()} == {
        "volts",
        "kwh",
        "hours",
        "minutes",
    }
    body = {"rest": quantity(3, "hours")}
    answer = await api.ask("POST", f"{BATTERY}/settings", body)
    assert answer["data"]["updated"] == ["rest"]


@pytest.mark.parametrize("key", [SANDBOX_KEY, f"amps_{SANDBOX_KEY}"])
async def test_keys_of_before(api: Api, key: str) -> None:
    answer = await api.ask("GET", BATTERY, key=key)
    assert answer["meta"]["environment"] == "sandbox"
    assert answer["data"]["id"] == "device_battery_001"


async def test_settings_are_in_single_reads_only(api: Api) -> None:
    for path in ("/battery", "/ev-charger"):
        for key in ("sk_test_demo", LIVE_KEY):
            assert all(
                "settings" not in item for item in await api.items(path, key=key)
            )
    assert "settings" in await api.get(BATTERY)


@pytest.mark.parametrize("generation", ["before", "oldest"])
async def test_generations(socket_enabled: None, generation: str) -> None:
    clock = Clock.manual(START)
    async with (
        Sandbox(clock=clock, generation=generation) as sandbox,
        ClientSession() as session,
    ):
        api = Api(session, sandbox.url)
        for path in (BATTERY, CHARGER, HVAC, SOLAR, VEHICLE):
            read = await api.ask("GET", f"{path}?expedite=true")
            assert ("features" in read) is (generation == "oldest")
            assert not {"commands", "settings", "lastAction", "success"} & set(read)
            if generation == "oldest":
                assert read["metadata"]["cacheType"] == "expedite"
                told = {entry["key"] for entry in read["features"]["pull"]}
                assert set(read["state"]) <= told
        reply: Any = await api.ask(
            "POST", CHARGER, {"action": "stop_charging"}, status=202
        )
        assert reply["type"] == "ev-charger:stop_charging"
        page = await api.ask("GET", "/vehicle")
        assert page["pagination"]["total"] == 1
