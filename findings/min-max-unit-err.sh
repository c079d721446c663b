#!/usr/bin/env bash
# A battery of 1.5 kW and one of 900 W, put together by two helpers.
# Expected: both helpers combine numeric sensors, so both cope with kW and W.
# Happens: the group converts and says 2.4 kW. The helper "Combine the state of several
# sensors" (min_max) turns unknown with the unit of measurement "ERR". Seen with Home
# Assistant 2026.11.0.
# Why it matters: the two look alike in the list of helpers, and "ERR" stands where
# every card, template and export looks for a unit.
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
    sources = ["sensor.one", "sensor.two"]
    hass = await start(
        sys.argv[1],
        "sensor",
        config={
            "sensor": [
                {
                    "platform": "min_max",
                    "name": "combined",
                    "type": "sum",
                    "entity_ids": sources,
                },
                {
                    "platform": "group",
                    "name": "grouped",
                    "type": "sum",
                    "entities": sources,
                },
            ]
        },
    )
    for entity_id, value, unit in (
        ("sensor.one", "1.5", "kW"),
        ("sensor.two", "900", "W"),
    ):
        hass.states.async_set(
            entity_id,
            value,
            {
                "device_class": "power",
                "state_class": "measurement",
                "unit_of_measurement": unit,
            },
        )
    await hass.async_block_till_done()
    seen = {}
    for name in ("combined", "grouped"):
        state = hass.states.get(f"sensor.{name}")
        seen[name] = (state.state, state.attributes["unit_of_measurement"])
        print(name, *seen[name])
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == {"combined": ("unknown", "ERR"), "grouped": ("2.4", "kW")}, seen


asyncio.run(main())
EOF
