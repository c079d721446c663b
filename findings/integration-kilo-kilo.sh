#!/usr/bin/env bash
# The Riemann sum of a power sensor whose unit is changed from W to kW.
# Expected: with the prefix "k", 2 kW for an hour are 2 kWh, as 2000 W are.
# Happens: the prefix is put before whatever unit the source has, so that the unit
# becomes "kkWh", and 2 kW for an hour add 0.002. Back at W the unit is kWh again, and
# the hours between are lost. Seen with Home Assistant 2026.11.0.
# Why it matters: a person who picks kW for a sensor in its dialog breaks the energy
# that is made from it, and the energy dashboard takes no "kkWh".
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(homeassistant==2026.11.0 freezegun==1.5.5)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
import asyncio
from datetime import UTC, datetime, timedelta
import logging
import sys

from freezegun import freeze_time
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
    sensor = {
        "platform": "integration",
        "source": "sensor.power",
        "name": "energy",
        "method": "left",
        "unit_prefix": "k",
    }
    seen = []
    with freeze_time(datetime(2026, 11, 2, 12, tzinfo=UTC)) as clock:
        hass = await start(sys.argv[1], "sensor", config={"sensor": [sensor]})
        for value, unit in (
            ("2000", "W"),
            ("2000", "W"),
            ("2", "kW"),
            ("2", "kW"),
            ("2000", "W"),
        ):
            hass.states.async_set(
                "sensor.power",
                value,
                {
                    "device_class": "power",
                    "state_class": "measurement",
                    "unit_of_measurement": unit,
                },
            )
            await hass.async_block_till_done()
            state = hass.states.get("sensor.energy")
            seen.append((state.state, state.attributes["unit_of_measurement"]))
            print(f"{value} {unit}: {seen[-1][0]} {seen[-1][1]}")
            clock.tick(timedelta(hours=1))
        await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == [
        ("unknown", "kWh"),
        ("2.000", "kWh"),
        ("4.000", "kkWh"),
        ("4.002", "kkWh"),
        ("4.004", "kWh"),
    ], seen


asyncio.run(main())
EOF
