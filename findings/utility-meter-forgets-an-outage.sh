#!/usr/bin/env bash
# A total energy counter that was unavailable while 9 kWh went through it.
# Expected: a counter that says 11 and then 20 has counted 9 kWh, no matter what was in
# between; that is what total_increasing is for.
# Happens: the utility meter only takes the step between two known states that follow
# each other, so the 9 kWh are lost for good. The energy dashboard's cost sensor, on the
# same counter, has them. Seen with Home Assistant 2026.11.0.
# Why it matters: after a night without internet, or a restart of a gateway, the meters
# of a tariff and the dashboard no longer agree, and the meter is the lower.
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


async def main():
    hass = await start(
        sys.argv[1],
        "sensor",
        "utility_meter",
        config={"utility_meter": {"meter": {"source": "sensor.energy"}}},
    )
    from homeassistant.components.energy.sensor import SOURCE_ADAPTERS, EnergyCostSensor

    def counter(value):
        hass.states.async_set(
            "sensor.energy",
            value,
            {
                "device_class": "energy",
                "state_class": "total_increasing",
                "unit_of_measurement": "kWh",
            },
        )

    hass.data["energy"] = {"cost_sensors": {}}
    counter("10")
    cost = EnergyCostSensor(
        next(a for a in SOURCE_ADAPTERS if a.source_type == "grid"),
        {
            "stat_energy_from": "sensor.energy",
            "stat_cost": None,
            "entity_energy_price": None,
            "number_energy_price": 1,
        },
    )
    await hass.data["sensor"].async_add_entities([cost])
    seen = []
    for value in ("10", "11", "unavailable", "20", "21"):
        counter(value)
        await hass.async_block_till_done()
        meter = hass.states.get("sensor.meter").state
        price = hass.states.get("sensor.energy_cost").state
        seen.append((meter, price))
        print(f"counter {value}: meter {meter}, cost at 1 per kWh {price}")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert (float(seen[-1][0]), float(seen[-1][1])) == (2, 11), seen


asyncio.run(main())
EOF
