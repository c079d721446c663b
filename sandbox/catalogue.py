"""The models of the sandbox, with what each can be told."""

from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from .kinds import BATTERY, EV_CHARGER, HVAC, SOLAR, VEHICLE, Kind
from .physics import (
    BatteryPhysics,
    ChargerPhysics,
    HvacPhysics,
    Physics,
    SolarPhysics,
    VehiclePhysics,
)
from .values import Json

EVERY: Final = ["immediate", "scheduled", "windowed"]
WINDOWED: Final = ["windowed"]
NO_WINDOW: Final = ["immediate", "scheduled"]
BOTH_STRATEGIES: Final = ["cancel_and_replace", "queue_after"]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model of a manufacturer, and the figures its physics needs."""

    kind: Kind
    vendor: str
    name: str
    figures: dict[str, float] = field(default_factory=dict)
    # What it can be told, where that is not what its type usually takes.
    commands: Json | None = None
    settings: Json | None = None
    unit: str = "celsius"


CATALOGUE: Final[dict[str, tuple[Model, ...]]] = {
    BATTERY.type: (
        Model(
            kind=BATTERY,
            vendor="tesla",
            name="Powerwall 2",
            figures={"capacity": 13.5, "max_power": 5.0},
        ),
        Model(
            kind=BATTERY,
            vendor="enphase",
            name="IQ Battery 5P",
            figures={"capacity": 5.0, "max_power": 3.84},
        ),
        Model(
            kind=BATTERY,
            vendor="growatt",
            name="ARK 10.2H",
            figures={"capacity": 10.2, "max_power": 5.0},
        ),
    ),
    EV_CHARGER.type: (
        Model(
            kind=EV_CHARGER,
            vendor="wallbox",
            name="Pulsar Plus",
            figures={"max_power": 11.0, "max_current": 16},
        ),
        Model(
            kind=EV_CHARGER,
            vendor="chargepoint",
            name="ChargePoint Home Flex",
            figures={"max_power": 11.5, "max_current": 48},
        ),
        Model(
            kind=EV_CHARGER,
            vendor="easee",
            name="Home",
            figures={"max_power": 22.0, "max_current": 32},
        ),
    ),
    HVAC.type: (
        Model(kind=HVAC, vendor="ecobee", name="Smart Thermostat Premium"),
        Model(kind=HVAC, vendor="honeywell", name="T6 Pro"),
        Model(kind=HVAC, vendor="daikin", name="One Touch"),
    ),
    SOLAR.type: (
        Model(kind=SOLAR, vendor="solaredge", name="SE5000H", figures={"peak": 5.0}),
        Model(kind=SOLAR, vendor="fronius", name="Primo 6.0-1", figures={"peak": 6.0}),
        Model(kind=SOLAR, vendor="sma", name="Tripower 8.0", figures={"peak": 8.0}),
    ),
    VEHICLE.type: (
        Model(
            kind=VEHICLE,
            vendor="bmw",
            name="iX3",
            figures={"capacity": 74.0, "miles_per_kwh": 3.6},
        ),
        Model(
            kind=VEHICLE,
            vendor="hyundai",
            name="IONIQ 5",
            figures={"capacity": 77.4, "miles_per_kwh": 3.7},
        ),
        Model(
            kind=VEHICLE,
            vendor="volkswagen",
            name="ID.3",
            figures={"capacity": 58.0, "miles_per_kwh": 4.0},
        ),
    ),
}


def range_of(unit: str, low: float | None = None, high: float | None = None) -> Json:
    """Return a parameter of a capability map."""
    parameter: Json = {"unit": unit}
    if low is not None:
        parameter["min"] = low
    if high is not None:
        parameter["max"] = high
    return parameter


def command(execution: list[str], **parameters: Json) -> Json:
    """Return a command of a capability map."""
    return {"parameters": parameters, "execution": list(execution)}


def setting(value: Any, unit: str, *bounds: float) -> Json:
    """Return a setting with its bounds."""
    return {"value": value, **range_of(unit, *bounds)}


_PERCENT: Final = range_of("percent", 10, 100)
_POWER: Final = range_of("kw", 0, 5)

# Models that are found by their name only, and stand in no row of the big home.
SPECIAL: Final[tuple[Model, ...]] = (
    Model(
        kind=BATTERY,
        vendor="foxess",
        name="FoxESS H1-5.0-E",
        figures={"capacity": 10.4, "max_power": 5.0},
        commands={
            "charge": command(WINDOWED, target=_PERCENT, power=_POWER),
            "discharge": command(
                WINDOWED,
                target=_PERCENT,
                power=_POWER,
                reserve=range_of("percent", 0, 100),
            ),
        },
        settings={
            "charge_ceiling": setting(100, "percent"),
            "discharge_floor": setting(10, "percent", 0, 100),
        },
    ),
    Model(
        kind=BATTERY,
        vendor="FoxESS",
        name="H1-5.0-E",
        figures={"capacity": 10.4, "max_power": 5.0},
        commands={
            "charge": command(EVERY, power=_POWER),
            "auto.balanced": command(NO_WINDOW),
        },
        settings={"discharge_floor": setting(10, "percent", 0, 100)},
    ),
    Model(
        kind=BATTERY,
        vendor="givenergy",
        name="Hybrid Gen 2",
        figures={"capacity": 9.5, "max_power": 3.6},
        commands={"charge": command(["scheduled"], target=_PERCENT)},
        settings={},
    ),
    Model(
        kind=BATTERY,
        vendor="example_vendor_u",
        name="Every Unit",
        figures={"capacity": 10.0, "max_power": 5.0},
        settings={
            "cutoff_voltage": setting(48, "volts", 44, 56),
            "backup_energy": setting(2.5, "kwh", 0, 10),
            "rest": setting(2, "hours", 0, 24),
            "ramp": setting(15, "minutes", 0, 240),
        },
    ),
    Model(kind=HVAC, vendor="sensi", name="Touch 2", unit="fahrenheit"),
    Model(
        kind=SOLAR, vendor="foxess", name="FoxESS H1-5.0-E PV", figures={"peak": 6.0}
    ),
)


def commands_of(model: Model) -> Json | None:
    """Return the commands that a model takes."""
    if model.commands is not None:
        return deepcopy(model.commands)
    if model.kind is BATTERY:
        target = range_of("percent", 10, 100)
        reserve = range_of("percent", 0, 100)
        power = range_of("kw", 0, model.figures["max_power"])
        return {
            "charge": command(EVERY, target=target, power=power),
            "discharge": command(EVERY, target=target, power=power),
            "idle": command(EVERY),
            "auto.balanced": command(NO_WINDOW, reserve=reserve),
            "auto.reserve": command(NO_WINDOW, reserve=reserve),
            "auto.export": command(NO_WINDOW, reserve=reserve, power=power),
        }
    if model.kind is EV_CHARGER:
        return {"charge": command(EVERY), "idle": command(NO_WINDOW)}
    if model.kind is HVAC:
        bounds = (50, 95) if model.unit == "fahrenheit" else (10, 35)
        degrees = range_of(model.unit, *bounds)
        return {
            "heat": command(EVERY, target=degrees),
            "cool": command(EVERY, target=degrees),
            "idle": command(NO_WINDOW),
            "auto": command(NO_WINDOW, heatSetpoint=degrees, coolSetpoint=degrees),
            "follow_schedule": command(["immediate"]),
        }
    return None


def settings_of(model: Model) -> Json:
    """Return the settings of a model, as they come from the factory."""
    if model.settings is not None:
        return deepcopy(model.settings)
    if model.kind is BATTERY:
        return {
            "safety_reserve": setting(10, "percent", 0, 100),
            "discharge_floor": setting(10, "percent", 0, 100),
            "charge_ceiling": setting(100, "percent", 0, 100),
            "export_limit": setting(5000, "watts", 0),
            "max_charge_rate": setting(100, "amps", 0, 1000),
            "max_discharge_rate": setting(100, "amps", 0, 1000),
            "scheduler_enabled": {"value": False, "unit": "boolean"},
        }
    if model.kind is EV_CHARGER:
        return {"max_charge_rate": setting(model.figures["max_power"], "kw", 0, 50)}
    return {}


def strategies_of(model: Model) -> list[str] | None:
    """Return the conflict strategies that a model takes."""
    if model.kind is BATTERY:
        return list(BOTH_STRATEGIES)
    return ["cancel_and_replace"] if model.kind.pushable else None


def physics_of(model: Model, now: float, seed: str, *, offset: float = 0.0) -> Physics:
    """Return the physics behind a model."""
    figures = model.figures
    if model.kind is BATTERY:
        return BatteryPhysics(now, offset=offset, **figures)
    if model.kind is EV_CHARGER:
        return ChargerPhysics(now, **figures)
    if model.kind is HVAC:
        return HvacPhysics(
            now, offset=offset / 4, fahrenheit=model.unit == "fahrenheit"
        )
    if model.kind is SOLAR:
        produced = round(5000 + 10000 * Random(seed).random(), 1)
        return SolarPhysics(now, energy=produced, seed=seed, **figures)
    return VehiclePhysics(now, offset=offset, **figures)
