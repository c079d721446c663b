#!/usr/bin/env bash
# A utility meter whose source shows Wh for a moment instead of kWh.
# Expected: 11 kWh and 11000 Wh are the same; the meter converts, or starts anew.
# Happens: the bare numbers are subtracted. 11 kWh, 11500 Wh, 12 kWh is 1 kWh of energy,
# and the meter shows 11490 kWh; the step back to small numbers is taken for a reset, so
# the jump stays. Seen with Home Assistant 2026.11.0.
# Why it matters: the unit is a setting of the sensor's dialog, and many meters are
# billed from; a value once counted stays until the meter is calibrated.
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
    hass = await start(
        sys.argv[1],
        "utility_meter",
        config={"utility_meter": {"meter": {"source": "sensor.energy"}}},
    )
    seen = []
    for value, unit in (
        ("10", "kWh"),
        ("11", "kWh"),
        ("11500", "Wh"),
        ("12", "kWh"),
        ("12.5", "kWh"),
    ):
        hass.states.async_set(
            "sensor.energy",
            value,
            {
                "device_class": "energy",
                "state_class": "total_increasing",
                "unit_of_measurement": unit,
            },
        )
        await hass.async_block_till_done()
        state = hass.states.get("sensor.meter")
        seen.append((state.state, state.attributes["unit_of_measurement"]))
        print(f"source {value} {unit}: meter {seen[-1][0]} {seen[-1][1]}")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen[1:] == [
        ("1", "kWh"),
        ("11490", "Wh"),
        ("11490", "kWh"),
        ("11490.5", "kWh"),
    ], seen


asyncio.run(main())
EOF
