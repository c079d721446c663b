#!/usr/bin/env bash
# The generic thermostat with a sensor that shows °F, in a house that uses °C.
# Expected: 60 °F is 15.6 °C, so a room that shall have 21 °C is heated.
# Happens: the sensor's unit is not looked at. The room is 60 °C warm, the heater stays
# off, and the thermostat says "idle". Seen with Home Assistant 2026.11.0.
# Why it matters: the unit of one sensor is a setting of its dialog, and may come with a
# weather station from elsewhere; nothing warns, and a house can freeze.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(homeassistant==2026.11.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
import asyncio
import logging
import sys

from homeassistant import bootstrap, loader
from homeassistant.config_entries import ConfigEntries
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers import recorder
from homeassistant.setup import async_setup_component

logging.disable()


async def start(folder, *domains, config=None):
    """Start a Home Assistant with no more than is asked for."""
    hass = HomeAssistant(folder)
    loader.async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = ConfigEntries(hass, {})
    recorder.async_initialize_recorder(hass)
    await bootstrap.async_load_base_functionality(hass)
    await async_setup_component(hass, "homeassistant", {})
    await hass.config.async_set_time_zone("Europe/Berlin")
    for domain in domains:
        assert await async_setup_component(hass, domain, config or {}), domain
    await hass.async_start()
    await hass.async_block_till_done()
    return hass


async def main():
    thermostat = {
        "platform": "generic_thermostat",
        "name": "room",
        "heater": "input_boolean.heater",
        "target_sensor": "sensor.room",
        "target_temp": 21,
        "initial_hvac_mode": "heat",
    }
    hass = await start(
        sys.argv[1],
        "input_boolean",
        "climate",
        config={"input_boolean": {"heater": None}, "climate": [thermostat]},
    )
    print("the house uses", hass.config.units.temperature_unit)
    seen = []
    for value, unit in (("15.6", "°C"), ("60", "°F")):
        hass.states.async_set(
            "sensor.room",
            value,
            {"device_class": "temperature", "unit_of_measurement": unit},
        )
        await hass.async_block_till_done()
        attributes = hass.states.get("climate.room").attributes
        heater = hass.states.get("input_boolean.heater").state
        seen.append((attributes["current_temperature"], heater))
        print(f"sensor {value} {unit}: the thermostat sees {seen[-1][0]}, heater {heater}")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == [(15.6, "on"), (60.0, "off")], seen


asyncio.run(main())
EOF
