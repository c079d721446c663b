"""The words of the API, and those that mean the same."""

from enum import StrEnum

import pytest

from custom_components.amps_ai.api import ActionState, DeviceType
from custom_components.amps_ai.api.commands import OLDER_COMMANDS
from custom_components.amps_ai.api.vocabulary import (
    READ_ONLY_SETTINGS,
    SETTING_BOUNDS,
    STEERABLE,
    WITH_SETTINGS,
    BatteryStatus,
    Commands,
    EvChargerStatus,
    Execution,
    HoldType,
    HvacMode,
    Parameters,
    Settings,
    SolarInverterStatus,
    Strategy,
    Units,
    understand,
)

KINDS: tuple[type[StrEnum], ...] = (
    ActionState,
    BatteryStatus,
    Commands,
    DeviceType,
    EvChargerStatus,
    Execution,
    HoldType,
    HvacMode,
    Parameters,
    Settings,
    SolarInverterStatus,
    Strategy,
    Units,
)


@pytest.mark.parametrize("kind", KINDS)
def test_spelling_does_not_matter(kind: type[StrEnum]) -> None:
    for word in kind:
        assert understand(kind, word.value) is word
        if not word.value.islower():
            continue
        parts = word.value.split("_")
        for spelling in (
            word.value.upper(),
            word.value.title(),
            f"  {word.value}\n",
            "-".join(parts),
            " ".join(parts),
            "  ".join(parts),
            "".join(part.title() for part in parts),
            parts[0] + "".join(part.title() for part in parts[1:]),
        ):
            assert understand(kind, spelling) is word, spelling


@pytest.mark.parametrize(
    ("kind", "word", "meaning"),
    [
        (BatteryStatus, "charge", BatteryStatus.CHARGING),
        (BatteryStatus, "Discharge", BatteryStatus.DISCHARGING),
        (BatteryStatus, "FULL", BatteryStatus.IDLE),
        (BatteryStatus, "sleep", BatteryStatus.STANDBY),
        (BatteryStatus, "sleeping", BatteryStatus.STANDBY),
        (EvChargerStatus, "ready", EvChargerStatus.AVAILABLE),
        (EvChargerStatus, "disconnected", EvChargerStatus.AVAILABLE),
        (EvChargerStatus, "Not Connected", EvChargerStatus.AVAILABLE),
        (EvChargerStatus, "unplugged", EvChargerStatus.AVAILABLE),
        (EvChargerStatus, "plugged", EvChargerStatus.CONNECTED),
        (EvChargerStatus, "pluggedIn", EvChargerStatus.CONNECTED),
        (EvChargerStatus, "OCCUPIED", EvChargerStatus.CONNECTED),
        (EvChargerStatus, "Preparing", EvChargerStatus.CONNECTED),
        (EvChargerStatus, "awaiting-start", EvChargerStatus.CONNECTED),
        (EvChargerStatus, "suspended", EvChargerStatus.PAUSED),
        (EvChargerStatus, "SuspendedEV", EvChargerStatus.PAUSED),
        (EvChargerStatus, "SuspendedEVSE", EvChargerStatus.PAUSED),
        (EvChargerStatus, "suspended-ev", EvChargerStatus.PAUSED),
        (EvChargerStatus, "SUSPENDED_EVSE", EvChargerStatus.PAUSED),
        (EvChargerStatus, "stopped", EvChargerStatus.PAUSED),
        (EvChargerStatus, "Finishing", EvChargerStatus.FINISHED),
        (EvChargerStatus, "complete", EvChargerStatus.FINISHED),
        (EvChargerStatus, "completed", EvChargerStatus.FINISHED),
        (EvChargerStatus, "charged", EvChargerStatus.FINISHED),
        (EvChargerStatus, "Unavailable", EvChargerStatus.OUT_OF_SERVICE),
        (EvChargerStatus, "inoperative", EvChargerStatus.OUT_OF_SERVICE),
        (SolarInverterStatus, "generating", SolarInverterStatus.PRODUCING),
        (SolarInverterStatus, "on", SolarInverterStatus.PRODUCING),
        (SolarInverterStatus, "On-Grid", SolarInverterStatus.PRODUCING),
        (SolarInverterStatus, "not producing", SolarInverterStatus.IDLE),
        (SolarInverterStatus, "waiting", SolarInverterStatus.IDLE),
        (SolarInverterStatus, "sleep", SolarInverterStatus.STANDBY),
        (SolarInverterStatus, "sleeping", SolarInverterStatus.STANDBY),
        (SolarInverterStatus, "night", SolarInverterStatus.STANDBY),
        *(
            (kind, word, kind.FAULT)
            for kind in (BatteryStatus, EvChargerStatus, SolarInverterStatus)
            for word in ("Faulted", "ERROR", "failure", "alarm")
        ),
        (HvacMode, "heating", HvacMode.HEAT),
        (HvacMode, "Cooling", HvacMode.COOL),
        (HvacMode, "heat-cool", HvacMode.AUTO),
        (HvacMode, "HeatCool", HvacMode.AUTO),
        (HvacMode, "idle", HvacMode.OFF),
        (HoldType, "Schedule", HoldType.FOLLOW_SCHEDULE),
        (HoldType, "followSchedule", HoldType.FOLLOW_SCHEDULE),
        (HoldType, "hold", HoldType.PERMANENT),
    ],
)
def test_synonyms(kind: type[StrEnum], word: str, meaning: StrEnum) -> None:
    assert understand(kind, word) is meaning


@pytest.mark.parametrize(
    "word", [None, "", "   ", "-", "balancing_cells", "ch arging", "charging!", "1"]
)
def test_unknown_words(word: str | None) -> None:
    for kind in KINDS:
        assert understand(kind, word) is None


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        # A word of one kind says nothing to another.
        (BatteryStatus, "suspended"),
        (HvacMode, "producing"),
        (HoldType, "heating"),
        (Commands, "start_charging"),
    ],
)
def test_each_kind_has_its_own_synonyms(kind: type[StrEnum], word: str) -> None:
    assert understand(kind, word) is None


def test_command_words() -> None:
    assert [command.value for command in Commands] == [
        "charge",
        "discharge",
        "idle",
        "auto.balanced",
        "auto.reserve",
        "auto.export",
        "heat",
        "cool",
        "auto",
        "follow_schedule",
        "set_max_power",
    ]
    assert {word.value for word in Parameters} == {
        "target",
        "power",
        "reserve",
        "heatSetpoint",
        "coolSetpoint",
        "maxPower",
    }
    assert {word.value for word in Execution} == {"immediate", "scheduled", "windowed"}
    assert {word.value for word in Strategy} == {"cancel_and_replace", "queue_after"}


def test_setting_words() -> None:
    assert {word.value for word in Settings} == {
        "safety_reserve",
        "discharge_floor",
        "charge_ceiling",
        "export_limit",
        "max_charge_rate",
        "max_discharge_rate",
        "scheduler_enabled",
    }
    assert {"scheduler_enabled"} == READ_ONLY_SETTINGS
    assert dict(SETTING_BOUNDS) == {
        "percent": (0, 100),
        "watts": (0, None),
        "amps": (0, 1000),
        "kw": (0, 50),
    }


def test_what_can_be_steered() -> None:
    assert {"battery", "ev_charger", "hvac"} == STEERABLE
    assert {"battery", "ev_charger"} == WITH_SETTINGS


def test_older_commands() -> None:
    shown = {
        device_type.value: {
            name: {
                item: (bounds.unit, bounds.min, bounds.max)
                for item, bounds in command.parameters.items()
            }
            for name, command in commands.items()
        }
        for device_type, commands in OLDER_COMMANDS.items()
    }
    celsius = ("celsius", 10, 35)
    assert shown == {
        "ev_charger": {"charge": {}, "idle": {}},
        "hvac": {
            "heat": {"target": celsius},
            "cool": {"target": celsius},
            "idle": {},
            "auto": {"heatSetpoint": celsius, "coolSetpoint": celsius},
            "follow_schedule": {},
        },
    }
    assert {
        command.execution
        for commands in OLDER_COMMANDS.values()
        for command in commands.values()
    } == {("immediate",)}
