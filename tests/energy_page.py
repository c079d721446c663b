"""The Energy dashboard as docs/energy.md says to set it up.

The page names the fields of Home Assistant's dialogs. What each of them is called,
the front end's own words tell; what it becomes in what the dialog saves, is here.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
import json
from pathlib import Path
import re
from typing import Any, Final

import hass_frontend
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from custom_components.amps_ai.api import DeviceType

from .pages import ROOT

PAGE: Final = ROOT / "docs" / "energy.md"

# What is set up, by the name of the button; whose it is; and what the words of each
# dialog's fields become.
KINDS: Final[Mapping[str, tuple[DeviceType, str, Mapping[str, str]]]] = {
    "solar.add_solar_production": (
        DeviceType.SOLAR_INVERTER,
        "solar",
        {
            "solar_production_energy": "stat_energy_from",
            "solar_production_power": "stat_rate",
        },
    ),
    "battery.add_battery_system": (
        DeviceType.BATTERY,
        "battery",
        {
            "energy_out_of_battery": "stat_energy_from",
            "energy_into_battery": "stat_energy_to",
            "sensor_type": "power_config",
            "power": "stat_rate",
            "state_of_charge": "stat_soc",
            "capacity": "capacity",
        },
    ),
    "device_consumption.add_device": (
        DeviceType.EV_CHARGER,
        "device_consumption",
        {
            "device_consumption_energy": "stat_consumption",
            "device_consumption_power": "stat_rate",
        },
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A line of the page: a field, what to choose there, and in which unit that is."""

    kind: str
    key: str
    field: str
    chosen: str
    unit: str


@cache
def words(kind: str) -> dict[str, str]:
    """Return the words of the front end's energy settings, such as `battery`."""
    found: dict[str, str] = {}
    folder = Path(str(hass_frontend.where())) / "static" / "translations" / "config"
    (path,) = (
        path
        for path in folder.glob("en-*.json")
        if re.match(r"en-[0-9a-f]+\.", path.name)
    )
    begin = f"ui.panel.config.energy.{kind}."
    for key, word in json.loads(path.read_text(encoding="utf-8")).items():
        if key.startswith(begin):
            found[key.removeprefix(begin)] = word
    return found


def settings() -> Iterator[Setting]:
    """Return what the page says, button by button."""
    text = PAGE.read_text(encoding="utf-8")
    for button, (_, kind, keys) in KINDS.items():
        part, _, name = button.partition(".")
        said = words(part)
        fields = {said[f"dialog.{field}"]: key for field, key in keys.items()}
        (table,) = re.findall(
            rf"^\*\*{re.escape(said[name])}\*\*, for each [^\n]*\n\n((?:\|.*\n)+)",
            text,
            re.MULTILINE,
        )
        for line in table.splitlines()[2:]:
            field, chosen, unit = (cell.strip() for cell in line.strip("|").split("|"))
            yield Setting(
                kind=kind, key=fields[field], field=field, chosen=chosen, unit=unit
            )


def preferences(hass: HomeAssistant) -> dict[str, Any]:
    """Return what the dialogs save when a person does what the page says."""
    lines: dict[str, list[Setting]] = defaultdict(list)
    for setting in settings():
        lines[setting.kind].append(setting)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for device_type, kind, _ in KINDS.values():
        for entities in _devices(hass, device_type):
            found[kind].append(_saved(hass, kind, lines[kind], entities))
    return {
        "energy_sources": [*found["solar"], *found["battery"]],
        "device_consumption": found["device_consumption"],
    }


def _devices(
    hass: HomeAssistant, device_type: DeviceType
) -> Iterator[dict[str | None, str]]:
    """Return the devices of a type, each with its sensors by what they are called."""
    registry = er.async_get(hass)
    for entry in hass.config_entries.async_entries("amps_ai"):
        of_type = entry.runtime_data.coordinators[device_type].data
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        ):
            if {identifier for _, identifier in device.identifiers} & set(of_type):
                yield {
                    entity.name or entity.original_name: entity.entity_id
                    for entity in er.async_entries_for_device(registry, device.id)
                    if entity.domain == "sensor"
                }


def _saved(
    hass: HomeAssistant,
    kind: str,
    lines: list[Setting],
    entities: Mapping[str | None, str],
) -> dict[str, Any]:
    """Return what a dialog saves."""
    saved: dict[str, Any] = {}
    for line in lines:
        # An entity is written as it is named, in italics.
        named = re.search(r"\*(.+?)\*", line.chosen)
        if line.key == "power_config":
            # The power then is its own, as the front end has it for this choice.
            assert line.chosen == words("battery")["dialog.type_standard"]
            saved["power_config"] = {}
            continue
        assert named is not None, line
        entity_id = entities[named[1]]
        if line.key == "capacity":
            state = hass.states.get(entity_id)
            assert state is not None
            saved["capacity"] = float(state.state)
        elif line.key == "stat_rate" and "power_config" in saved:
            saved["power_config"]["stat_rate"] = entity_id
        else:
            saved[line.key] = entity_id
    if kind == "solar":
        saved["config_entry_solar_forecast"] = None
    return saved if kind == "device_consumption" else {"type": kind} | saved
