"""The dialog that makes a plan, or changes one."""

from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from sandbox import Sandbox

from ..helpers import done, set_up
from .helpers import BATTERY, DAILY, HVAC, add, planned, switch

pytestmark = pytest.mark.usefixtures("in_berlin", "quick")

TIMES = {"weekdays": DAILY, "start": "22:00:00", "end": "05:00:00", "name": "Night"}


async def _begin(
    hass: HomeAssistant, entry: MockConfigEntry, plan_id: str | None = None
) -> Any:
    context: dict[str, Any] = {"source": SOURCE_USER}
    if plan_id is not None:
        context = {"source": SOURCE_RECONFIGURE, "subentry_id": plan_id}
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, "plan"),
        context=context,  # type: ignore[arg-type]
    )


async def _answer(hass: HomeAssistant, result: Any, *answers: dict[str, Any]) -> Any:
    for answer in answers:
        assert result["type"] is FlowResultType.FORM, result
        result = await hass.config_entries.subentries.async_configure(
            result["flow_id"], answer
        )
    await done(hass)
    return result


def _defaults(result: Any) -> dict[str, Any]:
    """Return what a form is filled in with."""
    found = {}
    for key in result["data_schema"].schema:
        suggested = (key.description or {}).get("suggested_value")
        if suggested is not None:
            found[str(key)] = suggested
        elif callable(key.default):
            found[str(key)] = key.default()
    return found


async def test_plan_is_made(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    result = await _begin(hass, loaded)
    assert result["step_id"] == "device"
    options = result["data_schema"].schema["device_id"].config["options"]
    # The inverter and the car take nothing.
    assert [item["label"] for item in options] == [
        "Powerwall 2",
        "Pulsar Plus",
        "Smart Thermostat Premium",
    ]
    result = await _answer(hass, result, {"device_id": BATTERY})
    assert result["step_id"] == "command"
    options = result["data_schema"].schema["command"].config["options"]
    assert {item["value"]: item["label"] for item in options} == {
        "charge": "Charge",
        "discharge": "Discharge",
        "idle": "Idle",
        "auto.balanced": "Self-consumption",
        "auto.reserve": "Backup",
        "auto.export": "Grid export",
    }
    result = await _answer(hass, result, {"command": "charge"})
    assert result["step_id"] == "times"
    assert _defaults(result) == {"weekdays": DAILY, "name": "Charge"}
    result = await _answer(hass, result, {**TIMES, "target": 90, "power": 2.5})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (plan,) = loaded.subentries.values()
    assert plan.title == "Night"
    assert plan.subentry_type == "plan"
    assert dict(plan.data) == {
        "device_id": BATTERY,
        "command": "charge",
        "parameters": {
            "target": {"value": 90, "unit": "percent"},
            "power": {"value": 2.5, "unit": "kw"},
        },
        "weekdays": DAILY,
        "start": "22:00:00",
        "end": "05:00:00",
        "name": "Night",
    }
    assert planned(sandbox) == [("charge", "2026-06-01T20:00", "2026-06-02T03:00")]


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"target": 101}, {"target": "out_of_range"}),
        ({"power": -1}, {"power": "out_of_range"}),
        ({"weekdays": []}, {"weekdays": "weekdays_needed"}),
        ({"end": "23:30:00"}, {"end": "end_is_start"}),
        ({"name": "  "}, {"name": "required"}),
        ({"start": "21:00:00", "end": "23:00:00"}, {"start": "overlaps"}),
        # On Sunday evening it goes on into Monday.
        (
            {"weekdays": ["sun"], "start": "23:00:00", "end": "00:30:00"},
            {"start": "overlaps"},
        ),
    ],
)
async def test_what_cannot_work_is_refused_and_mended(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    changes: dict[str, Any],
    errors: dict[str, str],
) -> None:
    await add(hass, loaded, "Other", weekdays=["mon"], start="00:15:00", end="01:00:00")
    await add(hass, loaded, "Evening", start="20:00:00", end="21:30:00")
    good = {**TIMES, "weekdays": ["tue"], "start": "23:30:00", "end": "05:00:00"}
    result = await _answer(
        hass,
        await _begin(hass, loaded),
        {"device_id": BATTERY},
        {"command": "charge"},
        {**good, **changes},
    )
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    # What was typed is there still.
    assert _defaults(result)["start"] == {**good, **changes}["start"]
    result = await _answer(hass, result, good)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_number_that_is_none(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    result = await _answer(
        hass, await _begin(hass, loaded), {"device_id": BATTERY}, {"command": "charge"}
    )
    with pytest.raises(Exception, match="validation failed at 'target'"):
        await _answer(hass, result, {**TIMES, "target": "full"})


@pytest.mark.parametrize("home", ["foxess"])
async def test_end_is_asked_for_as_the_device_takes_it(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Windows need one, what is scheduled only has none."""
    begun = await _begin(hass, loaded)
    options = begun["data_schema"].schema["device_id"].config["options"]
    required = {}
    for item in options:
        result = await _answer(
            hass,
            await _begin(hass, loaded),
            {"device_id": item["value"]},
            {"command": "charge"},
        )
        keys = {str(key): key for key in result["data_schema"].schema}
        required[item["label"]] = type(keys["end"]).__name__ if "end" in keys else None
    assert "Required" in required.values()
    assert None in required.values()


async def test_end_that_is_needed(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Where the device lost the other way while the form was open."""
    result = await _answer(
        hass, await _begin(hass, loaded), {"device_id": BATTERY}, {"command": "charge"}
    )
    sandbox.device(BATTERY).body_override = {
        "commands": {"charge": {"parameters": {}, "execution": ["windowed"]}}
    }
    await loaded.runtime_data.coordinators.find(BATTERY).async_read(BATTERY, force=True)
    without_end = {key: value for key, value in TIMES.items() if key != "end"}
    result = await _answer(hass, result, without_end)
    assert result["errors"] == {"end": "end_needed"}


async def test_band_of_a_thermostat_in_the_houses_unit(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox
) -> None:
    hass.config.units = US_CUSTOMARY_SYSTEM
    sandbox.device(HVAC).body_override = {
        "commands": {
            "auto": {
                "parameters": {
                    name: {"unit": "celsius", "min": 10, "max": 35}
                    for name in ("heatSetpoint", "coolSetpoint")
                },
                "execution": ["windowed"],
            }
        }
    }
    assert await set_up(hass, entry)
    result = await _answer(
        hass, await _begin(hass, entry), {"device_id": HVAC}, {"command": "auto"}
    )
    field = result["data_schema"].schema["heat_setpoint"]
    assert field.config["unit_of_measurement"] == "°F"
    assert (field.config["min"], field.config["max"]) == (50, 95)
    upside_down = {**TIMES, "heat_setpoint": 75, "cool_setpoint": 68}
    result = await _answer(hass, result, upside_down)
    assert result["errors"] == {"heat_setpoint": "band_upside_down"}
    result = await _answer(
        hass, result, {**TIMES, "heat_setpoint": 68, "cool_setpoint": 96}
    )
    assert result["errors"] == {"cool_setpoint": "out_of_range"}
    assert result["description_placeholders"]["max"] == "95"
    result = await _answer(
        hass, result, {**TIMES, "heat_setpoint": 68, "cool_setpoint": 75.2}
    )
    (plan,) = entry.subentries.values()
    assert plan.data["parameters"] == {
        "heatSetpoint": {"value": 20, "unit": "celsius"},
        "coolSetpoint": {"value": 24, "unit": "celsius"},
    }
    result = await _answer(
        hass,
        await _begin(hass, entry, plan.subentry_id),
        {"device_id": HVAC},
        {"command": "auto"},
    )
    assert _defaults(result)["cool_setpoint"] == 75.2


async def test_plan_is_changed(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What became of it stays; that it had ended does not."""
    plan_id = await add(
        hass, loaded, skipped=["2026-06-02"], last_day="2026-06-03", end="05:00:00"
    )
    result = await _begin(hass, loaded, plan_id)
    assert _defaults(result) == {"device_id": BATTERY}
    result = await _answer(hass, result, {"device_id": BATTERY})
    assert _defaults(result) == {"command": "charge"}
    result = await _answer(hass, result, {"command": "charge"})
    assert _defaults(result) == {**TIMES, "target": 90}
    result = await _answer(hass, result, {**TIMES, "end": "06:00:00", "name": "Later"})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    plan = loaded.subentries[plan_id]
    assert plan.title == "Later"
    assert plan.data["skipped"] == ["2026-06-02"]
    assert "last_day" not in plan.data
    assert plan.data["parameters"] == {}
    assert planned(sandbox) == [("charge", "2026-06-01T20:00", "2026-06-02T04:00")]


async def test_plan_that_is_off_may_overlap(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    plan_id = await add(hass, loaded)
    await switch(hass, plan_id, "off")
    answers = ({"device_id": BATTERY}, {"command": "charge"}, {**TIMES, "name": "New"})
    result = await _answer(hass, await _begin(hass, loaded), *answers)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    # The one that is off may be changed to whatever.
    result = await _answer(hass, await _begin(hass, loaded, plan_id), *answers)
    assert result["type"] is FlowResultType.ABORT


async def test_lost_device_is_asked_for(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    plan_id = await add(hass, loaded, device_id="device_gone")
    result = await _begin(hass, loaded, plan_id)
    assert _defaults(result) == {}
    await _answer(hass, result, {"device_id": BATTERY}, {"command": "charge"}, TIMES)
    assert planned(sandbox) == [("charge", "2026-06-01T20:00", "2026-06-02T03:00")]


# Where it cannot begin, or go on


async def test_account_that_is_not_loaded(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    begun = await _begin(hass, loaded)
    await hass.config_entries.async_unload(loaded.entry_id)
    result = await _begin(hass, loaded)
    assert result["reason"] == "entry_not_loaded"
    result = await _answer(hass, begun, {"device_id": BATTERY})
    assert result["reason"] == "entry_not_loaded"


@pytest.mark.parametrize("home", ["classic", "empty"])
async def test_no_device_takes_plans(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    assert (await _begin(hass, loaded))["reason"] == "no_devices"


@pytest.mark.parametrize("answers", [1, 2])
async def test_device_goes_meanwhile(
    hass: HomeAssistant, loaded: MockConfigEntry, answers: int
) -> None:
    result = await _begin(hass, loaded)
    all_answers = ({"device_id": BATTERY}, {"command": "charge"}, TIMES)
    result = await _answer(hass, result, *all_answers[:answers])
    loaded.runtime_data.coordinators.find(BATTERY).async_forget(BATTERY)
    result = await _answer(hass, result, all_answers[answers])
    assert result["reason"] == "device_gone"
