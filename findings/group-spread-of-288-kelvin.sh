#!/usr/bin/env bash
# How far the top and the bottom of a hot water tank are apart: a group of type "range".
# Expected: 60 °C and 45 °C are 15 °C apart; shown in K, which the dialog of the sensor
# offers, that is 15 K, and 27 in °F.
# Happens: the group calls a spread a temperature, so 15 °C becomes 288.15 K, and 59 °F.
# The standard deviation goes the same way. Home Assistant has a device class for
# differences (temperature_delta), and the group does not use it. Seen with Home
# Assistant 2026.11.0.
# Why it matters: K is what an engineer picks for a difference. "Spread above 10 K" is
# then true for ever.
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
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

logging.disable()


async def start(folder, *domains, config=None):
    """Start a Home Assistant with no more than is asked for."""
    hass = HomeAssistant(folder)
    loader.async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    await async_setup_component(hass, "homeassistant", {})
    for domain in domains:
        assert await async_setup_component(hass, domain, config or {}), domain
    await hass.async_start()
    await hass.async_block_till_done()
    return hass


async def main():
    groups = [
        {
            "platform": "group",
            "type": kind,
            "name": kind,
            "unique_id": kind,
            "entities": ["sensor.top", "sensor.bottom"],
        }
        for kind in ("range", "stdev")
    ]
    hass = await start(sys.argv[1], "sensor", config={"sensor": groups})
    for name, value in (("top", "60"), ("bottom", "45")):
        hass.states.async_set(
            f"sensor.{name}",
            value,
            {"device_class": "temperature", "unit_of_measurement": "°C"},
        )
    await hass.async_block_till_done()
    registry = er.async_get(hass)
    seen = {}
    for unit in ("°C", "K", "°F"):
        for kind in ("range", "stdev"):
            # What the dialog of the sensor does when a unit is picked.
            registry.async_update_entity_options(
                f"sensor.{kind}", "sensor", {"unit_of_measurement": unit}
            )
            await hass.async_block_till_done()
            state = hass.states.get(f"sensor.{kind}")
            assert state.attributes["device_class"] == "temperature", state
            assert state.attributes["unit_of_measurement"] == unit, state
            seen[kind, unit] = round(float(state.state), 2)
            print(f"{kind} of 60 °C and 45 °C: {seen[kind, unit]} {unit}")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == {
        ("range", "°C"): 15.0,
        ("range", "K"): 288.15,
        ("range", "°F"): 59.0,
        ("stdev", "°C"): 10.61,
        ("stdev", "K"): 283.76,
        ("stdev", "°F"): 51.09,
    }, seen


asyncio.run(main())
EOF
