"""What may be sent to a device, and how it is said."""

from datetime import datetime
import math
from typing import Any

import pytest

from custom_components.amps_ai.api import (
    Device,
    DeviceType,
    Push,
    Quantity,
    RequestRefusedError,
    Setting,
    capabilities,
    check_push,
    in_order,
    setting_bounds,
    settings_body,
    takes_power_cap_command,
)
from custom_components.amps_ai.api.commands import OLDER_COMMANDS, push_body
from custom_components.amps_ai.api.vocabulary import Execution
from sandbox.catalogue import CATALOGUE, commands_of

from .helpers import Json, battery, charger, documented_data, older, read, thermostat

NIGHT = datetime(2026, 6, 1, 22, 0)  # noqa: DTZ001
MORNING = datetime(2026, 6, 2, 5, 0)  # noqa: DTZ001

OLDER_CHARGER = older(DeviceType.EV_CHARGER, status="charging")
OLDER_HVAC = older(DeviceType.HVAC, temperature=21)
# A command map, no setting for the cap: it is read in the state, and pushed.
CAPPED_CHARGER = charger(settings=None)


def push(command: str, /, **parts: Any) -> Push:
    """Return a push; what is no part of one is a parameter, maybe with a unit."""
    known = {
        name: parts.pop(name)
        for name in ("start", "end", "on_conflict")
        if name in parts
    }
    parameters = {
        name: Quantity(value=value[0], unit=value[1])
        if isinstance(value, tuple)
        else Quantity(value=value)
        for name, value in parts.items()
    }
    return Push(command=command, parameters=parameters, **known)


def of_model(device_type: DeviceType) -> Device:
    """Return a device that takes every documented command of its type."""
    commands = commands_of(CATALOGUE[device_type.value][0])
    return read(device_type, {"id": "device_1", "state": {}, "commands": commands})


@pytest.mark.parametrize(
    ("start", "end", "execution"),
    [
        (None, None, Execution.IMMEDIATE),
        (NIGHT, None, Execution.SCHEDULED),
        ("30m", None, Execution.SCHEDULED),
        (NIGHT, MORNING, Execution.WINDOWED),
        ("1.5h", MORNING, Execution.WINDOWED),
    ],
)
def test_execution(
    start: datetime | str | None, end: datetime | None, execution: Execution
) -> None:
    assert push("charge", start=start, end=end).execution is execution


# What a device takes


def test_capabilities() -> None:
    assert capabilities(battery()) == battery().commands
    assert capabilities(OLDER_CHARGER) == OLDER_COMMANDS[DeviceType.EV_CHARGER]
    assert capabilities(OLDER_HVAC) == OLDER_COMMANDS[DeviceType.HVAC]


@pytest.mark.parametrize(
    "device",
    [
        older(DeviceType.BATTERY),
        older(DeviceType.SOLAR_INVERTER),
        older(DeviceType.VEHICLE),
        # Nothing is known of it until its single read.
        read(DeviceType.HVAC, {"id": "x"}, detailed=False),
        battery(commands={}),
    ],
)
def test_no_capabilities(device: Device) -> None:
    assert capabilities(device) == {}
    with pytest.raises(RequestRefusedError) as caught:
        check_push(device, push("charge"))
    assert caught.value.reason == "not_steerable"
    assert caught.value.context == {}


@pytest.mark.parametrize(
    ("device", "takes"),
    [
        (OLDER_CHARGER, True),
        (older(DeviceType.EV_CHARGER), True),
        (older(DeviceType.EV_CHARGER, powerRateLimit=7.4), True),
        (CAPPED_CHARGER, True),
        (charger(settings={"other": {"value": 1}}), True),
        # Even where it is null: no cap was set.
        (charger(settings=None, state={"powerRateLimit": None}), True),
        # The setting is the cap.
        (charger(), False),
        (charger(commands=None), False),
        # Neither of the two.
        (charger(settings=None, state={"status": "charging"}), False),
        # Nothing is known before the single read.
        (
            read(
                DeviceType.EV_CHARGER,
                {"id": "x", "state": {"powerRateLimit": 7.4}},
                detailed=False,
            ),
            False,
        ),
        (OLDER_HVAC, False),
        (older(DeviceType.BATTERY), False),
        (battery(), False),
    ],
)
def test_takes_power_cap_command(device: Device, takes: bool) -> None:
    assert takes_power_cap_command(device) is takes


def test_in_order() -> None:
    names = [
        "zeta",
        "auto",
        "follow_schedule",
        "alpha",
        "idle",
        "auto.export",
        "charge",
    ]
    assert in_order(dict.fromkeys(names)) == [
        "charge",
        "idle",
        "auto.export",
        "auto",
        "follow_schedule",
        "alpha",
        "zeta",
    ]
    assert in_order({}) == []


# Refusals

LIMITED = battery(
    commands={
        "charge": {
            "parameters": {
                "target": {"unit": "percent", "min": 10, "max": 100},
                "power": {"unit": "kw", "max": 5},
                "price": {"min": 0.5},
                "free": {},
            },
            "execution": ["immediate", "scheduled"],
        },
        "auto.balanced": {},
        "discharge": {"execution": ["windowed"]},
        "idle": {"execution": []},
        "zen": {},
    }
)
PERCENT = {"min": "10", "max": "100", "unit": "percent"}
KW = {"min": "0", "max": "50", "unit": "kw"}


@pytest.mark.parametrize(
    ("device", "refused", "reason", "context"),
    [
        (
            LIMITED,
            push("heat"),
            "command_not_supported",
            {
                "command": "heat",
                "supported": "charge, discharge, idle, auto.balanced, zen",
            },
        ),
        (
            charger(),
            push("set_max_power", maxPower=7),
            "command_not_supported",
            {"command": "set_max_power", "supported": "charge, idle"},
        ),
        (
            OLDER_CHARGER,
            push("discharge"),
            "command_not_supported",
            {"command": "discharge", "supported": "charge, idle, set_max_power"},
        ),
        (
            LIMITED,
            push("charge", start=NIGHT, end=MORNING),
            "execution_not_supported",
            {
                "command": "charge",
                "execution": "windowed",
                "supported": "immediate, scheduled",
            },
        ),
        (
            LIMITED,
            push("discharge"),
            "execution_not_supported",
            {
                "command": "discharge",
                "execution": "immediate",
                "supported": "windowed",
            },
        ),
        (
            LIMITED,
            push("idle", start="30m"),
            "execution_not_supported",
            {"command": "idle", "execution": "scheduled", "supported": "-"},
        ),
        (
            thermostat(),
            push("follow_schedule", start=NIGHT),
            "execution_not_supported",
            {
                "command": "follow_schedule",
                "execution": "scheduled",
                "supported": "immediate",
            },
        ),
        (
            OLDER_HVAC,
            push("heat", target=20, start=NIGHT),
            "execution_not_supported",
            {"command": "heat", "execution": "scheduled", "supported": "immediate"},
        ),
        (
            LIMITED,
            push("charge", reserve=20),
            "parameter_not_supported",
            {
                "command": "charge",
                "name": "reserve",
                "supported": "target, power, price, free",
            },
        ),
        (
            LIMITED,
            push("auto.balanced", target=20),
            "parameter_not_supported",
            {"command": "auto.balanced", "name": "target", "supported": "-"},
        ),
        (
            LIMITED,
            push("charge", power=(50, "percent")),
            "unit_not_supported",
            {"name": "power", "unit": "percent", "supported": "kw"},
        ),
        (
            LIMITED,
            push("charge", target=9),
            "parameter_out_of_range",
            {"name": "target", "value": "9", **PERCENT},
        ),
        (
            LIMITED,
            push("charge", target=100.5),
            "parameter_out_of_range",
            {"name": "target", "value": "100.5", **PERCENT},
        ),
        (
            LIMITED,
            push("charge", power=5.1),
            "parameter_out_of_range",
            {"name": "power", "value": "5.1", "min": "-", "max": "5", "unit": "kw"},
        ),
        (
            LIMITED,
            push("charge", price=0.25),
            "parameter_out_of_range",
            {"name": "price", "value": "0.25", "min": "0.5", "max": "-", "unit": ""},
        ),
        (
            LIMITED,
            push("charge", price=(0.25, "eur")),
            "parameter_out_of_range",
            {"name": "price", "value": "0.25", "min": "0.5", "max": "-", "unit": "eur"},
        ),
        (
            LIMITED,
            push("charge", target=math.inf),
            "parameter_out_of_range",
            {"name": "target", "value": "inf", **PERCENT},
        ),
        (
            LIMITED,
            push("charge", target=math.nan),
            "parameter_out_of_range",
            {"name": "target", "value": "nan", **PERCENT},
        ),
        (
            OLDER_HVAC,
            push("auto", heatSetpoint=20, coolSetpoint=36),
            "parameter_out_of_range",
            {
                "name": "coolSetpoint",
                "value": "36",
                "min": "10",
                "max": "35",
                "unit": "celsius",
            },
        ),
        (
            OLDER_CHARGER,
            push("set_max_power", maxPower=50.5),
            "parameter_out_of_range",
            {"name": "maxPower", "value": "50.5", **KW},
        ),
        (
            CAPPED_CHARGER,
            push("set_max_power", maxPower=-1),
            "parameter_out_of_range",
            {"name": "maxPower", "value": "-1", **KW},
        ),
        (
            OLDER_CHARGER,
            push("set_max_power", maxPower=math.nan),
            "parameter_out_of_range",
            {"name": "maxPower", "value": "nan", **KW},
        ),
    ],
)
def test_refused_pushes(
    device: Device, refused: Push, reason: str, context: dict[str, str]
) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        check_push(device, refused)
    assert caught.value.reason == reason
    assert caught.value.context == context
    assert str(caught.value).startswith(f"{reason}: ")


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (push("set_max_power", maxPower=(7, "watts")), "unit_not_supported"),
        (push("set_max_power", power=7), "parameter_not_supported"),
        (push("set_max_power", maxPower=7, target=80), "parameter_not_supported"),
        (push("set_max_power", maxPower=7, start="1h"), "execution_not_supported"),
        (
            push("set_max_power", maxPower=7, start=NIGHT, end=MORNING),
            "execution_not_supported",
        ),
    ],
)
@pytest.mark.parametrize("device", [OLDER_CHARGER, CAPPED_CHARGER])
def test_refused_power_caps(device: Device, refused: Push, reason: str) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        check_push(device, refused)
    assert caught.value.reason == reason


def test_a_power_cap_needs_its_number() -> None:
    with pytest.raises(RequestRefusedError) as caught:
        check_push(OLDER_CHARGER, push("set_max_power"))
    assert caught.value.reason == "parameter_missing"
    assert caught.value.context == {"command": "set_max_power", "name": "maxPower"}


@pytest.mark.parametrize(
    ("device", "given", "checked"),
    [
        # Units are filled in, and bounds belong to what they bound.
        (LIMITED, push("charge"), push("charge")),
        (LIMITED, push("charge", target=10), push("charge", target=(10, "percent"))),
        (LIMITED, push("charge", target=100), push("charge", target=(100, "percent"))),
        (
            LIMITED,
            push("charge", target=(55.5, "percent"), power=5),
            push("charge", target=(55.5, "percent"), power=(5, "kw")),
        ),
        (LIMITED, push("charge", power=-1), push("charge", power=(-1, "kw"))),
        (LIMITED, push("charge", price=0.5), push("charge", price=0.5)),
        (LIMITED, push("charge", price=(9, "eur")), push("charge", price=(9, "eur"))),
        (LIMITED, push("charge", free=-1e9), push("charge", free=-1e9)),
        # Without a word about execution, nothing is restricted.
        (
            LIMITED,
            push("auto.balanced", start=NIGHT, end=MORNING),
            push("auto.balanced", start=NIGHT, end=MORNING),
        ),
        (
            LIMITED,
            push("charge", start="30m", on_conflict="queue_after"),
            push("charge", start="30m", on_conflict="queue_after"),
        ),
        (LIMITED, push("zen"), push("zen")),
        (OLDER_HVAC, push("heat", target=35), push("heat", target=(35, "celsius"))),
        (OLDER_CHARGER, push("idle"), push("idle")),
    ],
)
def test_accepted_pushes(device: Device, given: Push, checked: Push) -> None:
    assert check_push(device, given) == checked


@pytest.mark.parametrize("value", [0, 7.4, 50])
@pytest.mark.parametrize("device", [OLDER_CHARGER, CAPPED_CHARGER])
def test_accepted_power_caps(device: Device, value: float) -> None:
    checked = check_push(device, push("set_max_power", maxPower=value))
    assert push_body(device, checked) == {"action": "set_max_power", "maxPower": value}


@pytest.mark.parametrize("device_type", ["battery", "ev_charger", "hvac"])
def test_every_documented_command_at_its_bounds(device_type: str) -> None:
    device = of_model(DeviceType(device_type))
    for name, command in capabilities(device).items():
        for end in ("min", "max"):
            values = {
                parameter: getattr(bounds, end)
                for parameter, bounds in command.parameters.items()
            }
            checked = check_push(device, push(name, **values))
            assert push_body(device, checked) == {
                "action": {
                    "command": name,
                    **(
                        {
                            "parameters": {
                                parameter: {
                                    "value": value,
                                    "unit": command.parameters[parameter].unit,
                                }
                                for parameter, value in values.items()
                            }
                        }
                        if values
                        else {}
                    ),
                }
            }


# Bodies


def quantity(value: float, unit: str) -> Json:
    """Return a number with its unit, as the API has it."""
    return {"value": value, "unit": unit}


BATTERY = of_model(DeviceType.BATTERY)
CHARGER = of_model(DeviceType.EV_CHARGER)
HVAC = of_model(DeviceType.HVAC)


@pytest.mark.parametrize(
    ("device", "given", "body"),
    [
        # The documented one.
        (
            BATTERY,
            push(
                "charge",
                target=90,
                power=5,
                start=NIGHT,
                end=MORNING,
                on_conflict="cancel_and_replace",
            ),
            {
                "action": {
                    "command": "charge",
                    "parameters": {
                        "target": quantity(90, "percent"),
                        "power": quantity(5, "kw"),
                    },
                    "start": "2026-06-01T22:00:00",
                    "end": "2026-06-02T05:00:00",
                },
                "onConflict": "cancel_and_replace",
            },
        ),
        (
            BATTERY,
            push("discharge", target=20, start="1.5h"),
            {
                "action": {
                    "command": "discharge",
                    "parameters": {"target": quantity(20, "percent")},
                    "start": "1.5h",
                }
            },
        ),
        (
            BATTERY,
            push("idle", start=NIGHT, on_conflict="queue_after"),
            {
                "action": {"command": "idle", "start": "2026-06-01T22:00:00"},
                "onConflict": "queue_after",
            },
        ),
        (BATTERY, push("auto.balanced"), {"action": {"command": "auto.balanced"}}),
        (
            BATTERY,
            push("auto.reserve", reserve=30),
            {
                "action": {
                    "command": "auto.reserve",
                    "parameters": {"reserve": quantity(30, "percent")},
                }
            },
        ),
        (
            BATTERY,
            push("auto.export", reserve=0, power=2.5),
            {
                "action": {
                    "command": "auto.export",
                    "parameters": {
                        "reserve": quantity(0, "percent"),
                        "power": quantity(2.5, "kw"),
                    },
                }
            },
        ),
        (CHARGER, push("charge"), {"action": {"command": "charge"}}),
        (
            CHARGER,
            push("charge", start="30m", end=MORNING),
            {
                "action": {
                    "command": "charge",
                    "start": "30m",
                    "end": "2026-06-02T05:00:00",
                }
            },
        ),
        (CHARGER, push("idle"), {"action": {"command": "idle"}}),
        (
            HVAC,
            push("heat", target=21.5),
            {
                "action": {
                    "command": "heat",
                    "parameters": {"target": quantity(21.5, "celsius")},
                }
            },
        ),
        (
            HVAC,
            push("cool", target=(24, "celsius")),
            {
                "action": {
                    "command": "cool",
                    "parameters": {"target": quantity(24, "celsius")},
                }
            },
        ),
        (
            HVAC,
            push("auto", heatSetpoint=20, coolSetpoint=24),
            {
                "action": {
                    "command": "auto",
                    "parameters": {
                        "heatSetpoint": quantity(20, "celsius"),
                        "coolSetpoint": quantity(24, "celsius"),
                    },
                }
            },
        ),
        (HVAC, push("idle"), {"action": {"command": "idle"}}),
        (HVAC, push("follow_schedule"), {"action": {"command": "follow_schedule"}}),
        # The older generation.
        (OLDER_CHARGER, push("charge"), {"action": "start_charging"}),
        (OLDER_CHARGER, push("idle"), {"action": "stop_charging"}),
        (
            OLDER_CHARGER,
            push("set_max_power", maxPower=7.4),
            {"action": "set_max_power", "maxPower": 7.4},
        ),
        (
            CAPPED_CHARGER,
            push("set_max_power", maxPower=0),
            {"action": "set_max_power", "maxPower": 0},
        ),
        (
            OLDER_HVAC,
            push("heat", target=20),
            {"action": "set_permanent_hold", "mode": "heat", "heatSetpoint": 20},
        ),
        (
            OLDER_HVAC,
            push("cool", target=24),
            {"action": "set_permanent_hold", "mode": "cool", "coolSetpoint": 24},
        ),
        (
            OLDER_HVAC,
            push("auto", heatSetpoint=20, coolSetpoint=24),
            {
                "action": "set_permanent_hold",
                "mode": "auto",
                "heatSetpoint": 20,
                "coolSetpoint": 24,
            },
        ),
        (OLDER_HVAC, push("idle"), {"action": "set_permanent_hold", "mode": "off"}),
        (OLDER_HVAC, push("follow_schedule"), {"action": "follow_schedule"}),
    ],
)
def test_bodies(device: Device, given: Push, body: Json) -> None:
    assert push_body(device, check_push(device, given)) == body


@pytest.mark.parametrize(
    ("device", "given"),
    [
        (OLDER_CHARGER, push("charge", on_conflict="cancel_and_replace")),
        (
            CAPPED_CHARGER,
            push("set_max_power", maxPower=7, on_conflict="cancel_and_replace"),
        ),
        (OLDER_HVAC, push("idle", on_conflict="cancel_and_replace")),
    ],
)
def test_older_bodies_say_what_to_do_on_a_conflict(device: Device, given: Push) -> None:
    body = push_body(device, check_push(device, given))
    assert body["onConflict"] == "cancel_and_replace"


# Settings


@pytest.mark.parametrize(
    ("setting", "bounds"),
    [
        (Setting(unit="percent"), (0, 100)),
        (Setting(unit="watts"), (0, None)),
        (Setting(unit="amps"), (0, 1000)),
        (Setting(unit="kw"), (0, 50)),
        (Setting(), (0, None)),
        (Setting(unit="furlongs"), (0, None)),
        # What the device says goes first, each end for itself.
        (Setting(unit="percent", min=10), (10, 100)),
        (Setting(unit="percent", max=90), (0, 90)),
        (Setting(unit="kw", min=1.4, max=22), (1.4, 22)),
        (Setting(unit="kw", min=0, max=0), (0, 0)),
        (Setting(unit="watts", min=-5000, max=5000), (-5000, 5000)),
    ],
)
def test_setting_bounds(setting: Setting, bounds: tuple[float, float | None]) -> None:
    assert setting_bounds(setting) == bounds


FULL = battery(
    settings={
        "discharge_floor": {"value": 10, "unit": "percent", "min": 10, "max": 100},
        "export_limit": {"value": 5000, "unit": "watts"},
        "max_charge_rate": {"value": 100, "unit": "amps"},
        "unitless": {"value": 1},
        "grid_support": {"value": True},
        "scheduler_enabled": {"value": False, "unit": "boolean"},
    }
)


@pytest.mark.parametrize(
    ("values", "body"),
    [
        ({}, {}),
        ({"discharge_floor": 10}, {"discharge_floor": quantity(10, "percent")}),
        ({"discharge_floor": 100}, {"discharge_floor": quantity(100, "percent")}),
        (
            {"export_limit": 1e6, "max_charge_rate": 0},
            {
                "export_limit": quantity(1e6, "watts"),
                "max_charge_rate": quantity(0, "amps"),
            },
        ),
        ({"export_limit": 1e15}, {"export_limit": quantity(1e15, "watts")}),
        ({"unitless": 3.5}, {"unitless": {"value": 3.5, "unit": None}}),
    ],
)
def test_settings_body(values: dict[str, float], body: Json) -> None:
    assert settings_body(FULL, values) == body


def test_the_documented_cap() -> None:
    device = read(DeviceType.EV_CHARGER, documented_data("ev-charger-read"))
    assert settings_body(device, {"max_charge_rate": 7.4}) == {
        "max_charge_rate": {"value": 7.4, "unit": "kw"}
    }


@pytest.mark.parametrize(
    ("device", "values", "reason", "context"),
    [
        (
            FULL,
            {"discharge_floor": 20, "safety_reserve": 20},
            "setting_not_supported",
            {
                "name": "safety_reserve",
                "supported": "discharge_floor, export_limit, max_charge_rate, "
                "unitless, grid_support",
            },
        ),
        (
            battery(settings=None),
            {"safety_reserve": 20},
            "setting_not_supported",
            {"name": "safety_reserve", "supported": "-"},
        ),
        (
            read(DeviceType.BATTERY, {"id": "x"}, detailed=False),
            {"safety_reserve": 20},
            "setting_not_supported",
            {"name": "safety_reserve", "supported": "-"},
        ),
        (
            FULL,
            {"scheduler_enabled": 1},
            "setting_read_only",
            {"name": "scheduler_enabled"},
        ),
        (FULL, {"grid_support": 1}, "setting_read_only", {"name": "grid_support"}),
        (
            FULL,
            {"discharge_floor": 9.5},
            "setting_out_of_range",
            {"name": "discharge_floor", "value": "9.5", **PERCENT},
        ),
        (
            FULL,
            {"max_charge_rate": 1001},
            "setting_out_of_range",
            {
                "name": "max_charge_rate",
                "value": "1001",
                "min": "0",
                "max": "1000",
                "unit": "amps",
            },
        ),
        (
            FULL,
            {"export_limit": -1},
            "setting_out_of_range",
            {
                "name": "export_limit",
                "value": "-1",
                "min": "0",
                "max": "-",
                "unit": "watts",
            },
        ),
        (
            FULL,
            {"export_limit": 2 * 10**15},
            "setting_out_of_range",
            {
                "name": "export_limit",
                "value": "2e+15",
                "min": "0",
                "max": "-",
                "unit": "watts",
            },
        ),
        (
            FULL,
            {"unitless": -1},
            "setting_out_of_range",
            {"name": "unitless", "value": "-1", "min": "0", "max": "-", "unit": ""},
        ),
        (
            FULL,
            {"discharge_floor": math.nan},
            "setting_out_of_range",
            {"name": "discharge_floor", "value": "nan", **PERCENT},
        ),
        (
            FULL,
            {"export_limit": math.inf},
            "setting_out_of_range",
            {
                "name": "export_limit",
                "value": "inf",
                "min": "0",
                "max": "-",
                "unit": "watts",
            },
        ),
    ],
)
def test_refused_settings(
    device: Device, values: dict[str, float], reason: str, context: dict[str, str]
) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        settings_body(device, values)
    assert caught.value.reason == reason
    assert caught.value.context == context


@pytest.mark.parametrize("strategy", ["cancel_and_replace", "queue_after"])
def test_only_a_strategy_that_the_device_takes(strategy: str) -> None:
    push = Push(command="charge", on_conflict=strategy)
    one = battery(conflictStrategies=["cancel_and_replace"])
    if strategy == "queue_after":
        with pytest.raises(RequestRefusedError) as caught:
            check_push(one, push)
        assert caught.value.reason == "strategy_not_supported"
        assert caught.value.context == {
            "strategy": "queue_after",
            "supported": "cancel_and_replace",
        }
    else:
        assert check_push(one, push).on_conflict == strategy
    # A device that lists none restricts nothing.
    assert check_push(battery(conflictStrategies=[]), push).on_conflict == strategy
