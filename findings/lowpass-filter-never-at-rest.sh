#!/usr/bin/env bash
# A battery's power in kW, smoothed by Home Assistant's low-pass filter.
# Expected: once the battery rests, the smoothed power goes to 0; the "time constant" is
# how long that takes.
# Happens: it counts changes of the source, not time. A power that falls from 2 kW to 0
# and stays there is smoothed to 1.8 for ever, however often 0 is reported. Where it does
# change, by a watt, each step is rounded before the next one begins from it: with the
# usual constant of 10 it stops at 0.05 kW, and with 100 at 0.49, and never leaves it;
# a power of 0.04 kW is 0.0 all day. Seen with Home Assistant 2026.11.0.
# Why it matters: who makes an energy of it counts 1 to 43 kWh a day of a battery that
# rests, and "charges more than 100 W" is true all night. Sources that are read rarely,
# or rounded to what is measured, have the fewest changes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(homeassistant==2026.11.0 SQLAlchemy==2.0.54 fnv-hash-fast==2.0.3 psutil-home-assistant==0.0.1)
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


CONSTANTS = (10, 100)


async def main():
    hass = await start(
        sys.argv[1],
        "recorder",
        "sensor",
        config={
            "recorder": {"db_url": f"sqlite:///{sys.argv[1]}/test.db"},
            "sensor": [
                {
                    "platform": "filter",
                    "name": f"{case} {constant}",
                    "entity_id": f"sensor.{case}_power",
                    "filters": [{"filter": "lowpass", "time_constant": constant}],
                }
                for case in ("resting", "flickering", "small")
                for constant in CONSTANTS
            ],
        },
    )

    async def power(case, value):
        hass.states.async_set(
            f"sensor.{case}_power",
            str(value),
            {
                "device_class": "power",
                "state_class": "measurement",
                "unit_of_measurement": "kW",
            },
        )
        await hass.async_block_till_done()

    await power("resting", 2.0)
    await power("flickering", 2.0)
    await power("small", 0.0)
    for number in range(1440):
        # Read every minute of a day, after it ended its work.
        await power("resting", 0.0)
        await power("flickering", (0.0, 0.001)[number % 2])
        await power("small", (0.040, 0.041)[number % 2])
    seen = {
        case: tuple(
            float(hass.states.get(f"sensor.{case}_{constant}").state)
            for constant in CONSTANTS
        )
        for case in ("resting", "flickering", "small")
    }
    for case, (usual, slow) in seen.items():
        now = hass.states.get(f"sensor.{case}_power").state
        print(f"{case}, {now} kW after a day: {usual} kW with 10, {slow} kW with 100")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == {
        "resting": (1.8, 1.98),
        "flickering": (0.05, 0.49),
        "small": (0.0, 0.0),
    }, seen


asyncio.run(main())
EOF
