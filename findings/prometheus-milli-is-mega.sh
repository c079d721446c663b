#!/usr/bin/env bash
# A solar park in MW and a standby meter in mW, read from Home Assistant by Prometheus.
# Expected: a metric's name tells its unit, as Prometheus wants it, so each unit has its
# own: sensor_power_w, sensor_power_kw, and one each for MW and mW.
# Happens: the unit's letters are made small, and both are sensor_power_mw: 2 and 2, of
# which one is a thousand million times the other. It is the same for mWh and MWh. And
# since nothing is converted, a sensor whose unit is changed in its dialog from W to kW
# gets a second metric, and keeps the first, with its last value. Seen with Home
# Assistant 2026.11.0.
# Why it matters: sums over a metric, and alarms on it, are what Prometheus is used for.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(homeassistant==2026.11.0 prometheus-client==0.21.0)
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
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.helpers import recorder
from homeassistant.setup import async_setup_component
import prometheus_client

logging.disable()


async def start(folder, *domains, config=None):
    """Start a Home Assistant with no more than is asked for; nothing listens."""
    hass = HomeAssistant(folder)
    loader.async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = ConfigEntries(hass, {})
    recorder.async_initialize_recorder(hass)
    await bootstrap.async_load_base_functionality(hass)
    await async_process_ha_core_config(
        hass, {"time_zone": "Europe/Berlin", "auth_mfa_modules": []}
    )
    for domain in ("homeassistant", *domains):
        assert await async_setup_component(hass, domain, config or {}), domain
    await hass.async_block_till_done()
    return hass


async def main():
    hass = await start(sys.argv[1], "prometheus", config={"prometheus": {}})
    for name, value, unit in (
        ("park", "2", "MW"),
        ("standby", "2", "mW"),
        ("house", "1000", "W"),
        ("house", "1", "kW"),
    ):
        print(f"sensor.{name} is {value} {unit}")
        attributes = {"device_class": "power", "unit_of_measurement": unit}
        hass.states.async_set(f"sensor.{name}", value, attributes)
        await hass.async_block_till_done()
    seen = set()
    for metric in prometheus_client.REGISTRY.collect():
        for sample in metric.samples:
            if "sensor_power" in sample.name:
                seen.add((sample.name, sample.labels["entity"], sample.value))
                print(sample.name, sample.labels["entity"], sample.value)
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == {
        ("homeassistant_sensor_power_mw", "sensor.park", 2.0),
        ("homeassistant_sensor_power_mw", "sensor.standby", 2.0),
        ("homeassistant_sensor_power_w", "sensor.house", 1000.0),
        ("homeassistant_sensor_power_kw", "sensor.house", 1.0),
    }, seen


asyncio.run(main())
EOF
