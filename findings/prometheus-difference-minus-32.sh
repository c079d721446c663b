#!/usr/bin/env bash
# A heat pump's flow minus its return, 9 °F, read from Home Assistant by Prometheus.
# Expected: Home Assistant has a device class of its own for differences of temperature,
# so 9 °F of it are 5 K, as its converter for that class says, or stay 9 °F.
# Happens: Prometheus gets sensor_temperature_delta_celsius, and -12.8: every number in
# °F is taken for a temperature, and 32 goes off. A difference that is told in K stays
# what it is. Seen with Home Assistant 2026.11.0.
# Why it matters: heat and efficiency are worked out from that difference. Both get
# another sign, in just those houses that show °F.
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
from homeassistant.util.unit_conversion import TemperatureDeltaConverter
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
    for name, value, unit in (("american", "9", "°F"), ("european", "5", "K")):
        attributes = {"device_class": "temperature_delta", "unit_of_measurement": unit}
        hass.states.async_set(f"sensor.{name}", value, attributes)
        await hass.async_block_till_done()
    right = TemperatureDeltaConverter.convert(9, "°F", "°C")
    print("9 °F of difference, by the converter of that class:", right, "°C")
    seen = {}
    for metric in prometheus_client.REGISTRY.collect():
        for sample in metric.samples:
            if "temperature_delta" in sample.name:
                name = (sample.name, sample.labels["entity"])
                seen[name] = round(sample.value, 1)
                print(*name, seen[name])
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    metric = "homeassistant_sensor_temperature_delta"
    assert right == 5, right
    assert seen == {
        (f"{metric}_celsius", "sensor.american"): -12.8,
        (f"{metric}_k", "sensor.european"): 5.0,
    }, seen


asyncio.run(main())
EOF
