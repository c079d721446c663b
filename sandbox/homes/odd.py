"""A home of what is missing, unknown, null or plainly wrong."""

from sandbox.catalogue import BOTH_STRATEGIES, command, range_of
from sandbox.devices import REMOVE
from sandbox.kinds import BATTERY, EV_CHARGER, HVAC, SOLAR, VEHICLE

from .home import Home


def odd(home: Home, count: int) -> None:
    """Connect what is missing, unknown, null or plainly wrong."""
    _odd_batteries(home)
    _odd_others(home)
    home.add_malformed(BATTERY, "device_as_a_string")
    home.add_malformed(
        BATTERY,
        {"vendor": "nameless", "metadata": {"model": "No id"}, "state": {"level": 50}},
    )
    home.add_malformed(HVAC, None)
    home.add_malformed(SOLAR, 17)
    listed = home.add_device(BATTERY, device_id="odd_battery_list_state")
    listed.body_override = {"state": ["charging", 55]}
    for kind in (BATTERY, HVAC):
        home.add_device(kind, device_id="odd_shared_id")
    for device in home.devices:
        device.capture()


def _odd_batteries(home: Home) -> None:
    """Connect the odd batteries."""
    bare = home.add_device(BATTERY, device_id="odd_battery_minimal")
    bare.commands, bare.settings, bare.strategies, bare.model = None, {}, None, None
    bare.body_override = {
        "metadata": REMOVE,
        "lastAction": REMOVE,
        "currentSchedule": REMOVE,
        "vendor": REMOVE,
    }
    bare.state_override = {"dischargeLimit": REMOVE, "currentMode": REMOVE}

    unknown = home.add_device(BATTERY, device_id="odd_battery_unknown")
    unknown.commands = (unknown.commands or {}) | {
        "auto.arbitrage": command(
            ["immediate", "market_hours"],
            aggressiveness=range_of("ratio", 0, 1),
            horizon={"unit": "hours"},
        )
    }
    unknown.settings["grid_code"] = {"value": "VDE-AR-N 4105", "unit": "text"}
    unknown.settings["ramp_rate"] = {"value": 5, "unit": "percent_per_second"}
    unknown.strategies = [*BOTH_STRATEGIES, "merge"]
    unknown.state_override = {
        "status": "balancing_cells",
        "currentMode": "auto.trading",
        "capacity": 10400,
        "cellTemperatures": [21.5, 22.0],
        "stateOfHealth": 97,
    }
    unknown.body_override = {"firmware": {"version": "9.1"}, "tags": ["cellar"]}

    nulls = home.add_device(BATTERY, device_id="odd_battery_null")
    nulls.state_override = {
        "status": None,
        "level": None,
        "capacity": None,
        "chargeRate": None,
        "dischargeLimit": None,
        "currentMode": None,
    }
    nulls.body_override = {
        "metadata": None,
        "commands": None,
        "settings": None,
        "conflictStrategies": None,
        "sync": None,
    }

    words = home.add_device(BATTERY, device_id="odd_battery_words")
    words.state_override = {"level": "67", "capacity": "ten", "chargeRate": "-1.5"}
    words.body_override = {"sync": {"available": "yes", "lastPulledAt": "yesterday"}}


def _odd_others(home: Home) -> None:
    """Connect the odd devices of the other types."""
    charger = home.add_device(EV_CHARGER, device_id="odd_ev_unknown")
    charger.state_override = {
        "status": "SuspendedEVSE",
        "currentPower": "7.2",
        "maxCurrent": REMOVE,
        "isConnected": REMOVE,
    }
    charger.settings = {"max_charge_rate": {"value": 11, "unit": "kw"}}
    minimal = home.add_device(EV_CHARGER, device_id="odd_ev_minimal")
    minimal.settings, minimal.strategies, minimal.model = {}, None, None
    minimal.body_override = {"metadata": {}, "sync": REMOVE, "state": {}}

    hold = home.add_device(HVAC, device_id="odd_hvac_unknown")
    hold.state_override = {"holdType": "until_next_transition", "mode": "emergency"}
    heater = home.add_device(HVAC, device_id="odd_hvac_heat_only")
    heater.commands = {"heat": command(["immediate"], target={"unit": "celsius"})}
    heater.state_override = {"coolSetpoint": None, "active": REMOVE}

    night = home.add_device(SOLAR, device_id="odd_inverter_unknown")
    night.state_override = {
        "status": "curtailed",
        "energyTotal": None,
        "producing": REMOVE,
    }
    vehicle = home.add_device(VEHICLE, device_id="odd_vehicle_words")
    vehicle.state_override = {
        "range": "184 mi",
        "batteryLevel": "64",
        "plugged": "true",
        "chargeTimeRemaining": None,
        "odometer": 12345,
    }
    empty = home.add_device(VEHICLE, device_id="odd_vehicle_null")
    empty.state_override = dict.fromkeys(empty.captured or {})
