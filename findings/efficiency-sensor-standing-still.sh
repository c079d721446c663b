#!/usr/bin/env bash
# A sensor of a car's consumption that is shown in km/kWh, when the car stands still.
# Expected: 0 kWh/100km has no value in km/kWh, so the sensor turns unknown.
# Happens: the conversion divides by zero, the write raises ZeroDivisionError, and the
# state machine keeps the last value. Statistics of the same unit convert 0 to no value
# instead. Seen with Home Assistant 2026.10.4; mended in 2026.11.0.
# Why it matters: an integration whose device tells 0 fills the log with tracebacks as
# soon as a person picks the other unit in the sensor's dialog, and the figure on the
# dashboard is that of the last drive.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(homeassistant==2026.10.4)
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
    hass = await start(sys.argv[1], "sensor")
    from homeassistant.components.sensor import SensorDeviceClass, SensorEntity

    class Consumption(SensorEntity):
        _attr_device_class = SensorDeviceClass.ENERGY_DISTANCE
        _attr_name = "Consumption"
        _attr_native_unit_of_measurement = "kWh/100km"
        _attr_native_value = 20
        _attr_should_poll = False
        _attr_suggested_unit_of_measurement = "km/kWh"
        _attr_unique_id = "consumption"

    sensor = Consumption()
    await hass.data["sensor"].async_add_entities([sensor])
    seen = []
    for value in (20, 0, 25):
        sensor._attr_native_value = value
        error = None
        try:
            sensor.async_write_ha_state()
        except ZeroDivisionError as err:
            error = type(err).__name__
        state = hass.states.get("sensor.consumption")
        seen.append((state.state, error))
        print(f"{value} kWh/100km: {state.state} km/kWh, {error or 'no error'}")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == [("5.0", None), ("5.0", "ZeroDivisionError"), ("4.0", None)], seen


asyncio.run(main())
EOF
