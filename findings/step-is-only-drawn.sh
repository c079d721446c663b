#!/usr/bin/env bash
# Setting a number and a thermostat to a value between two of their steps.
# Expected: min, max and step are told by the entity alike, and kept alike.
# Happens: min and max are kept, the step is not: 7.3 reaches a charger whose limit goes
# by whole amperes, and 21.3 a thermostat with steps of half a degree. Google Assistant,
# too, hands on 22.222 for "72 °F" as it is. Seen with Home Assistant 2026.11.0.
# Why it matters: the card rounds, so nobody sees it by hand; templates and voice do
# not. The integration has to round or refuse before it sends.
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
from homeassistant.exceptions import ServiceValidationError

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
    hass = await start(sys.argv[1], "number", "climate")
    from homeassistant.components.climate import (
        ClimateEntity,
        ClimateEntityFeature,
        HVACMode,
    )
    from homeassistant.components.number import NumberEntity

    reached = []

    class Limit(NumberEntity):
        _attr_name = "Limit"
        _attr_native_max_value = 32
        _attr_native_min_value = 6
        _attr_native_step = 1
        _attr_native_value = 16
        _attr_should_poll = False

        async def async_set_native_value(self, value):
            reached.append(value)

    class Room(ClimateEntity):
        _attr_hvac_mode = HVACMode.HEAT
        _attr_hvac_modes = [HVACMode.HEAT]
        _attr_max_temp = 30
        _attr_min_temp = 7
        _attr_name = "Room"
        _attr_native_temperature_unit = "°C"
        _attr_should_poll = False
        _attr_supported_features = ClimateEntityFeature.TARGET_TEMPERATURE
        _attr_target_temperature_step = 0.5

        async def async_set_temperature(self, **kwargs):
            reached.append(kwargs["temperature"])

    await hass.data["number"].async_add_entities([Limit()])
    await hass.data["climate"].async_add_entities([Room()])
    seen = {}
    for entity_id, action, key, values in (
        ("number.limit", "set_value", "value", (7.3, 33)),
        ("climate.room", "set_temperature", "temperature", (21.3, 31)),
    ):
        for value in values:
            reached.clear()
            try:
                await hass.services.async_call(
                    entity_id.partition(".")[0],
                    action,
                    {"entity_id": entity_id, key: value},
                    blocking=True,
                )
                seen[value] = reached[0]
            except ServiceValidationError:
                seen[value] = "refused"
            print(f"{entity_id} {value}: {seen[value]}")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == {7.3: 7.3, 33: "refused", 21.3: 21.3, 31: "refused"}, seen


asyncio.run(main())
EOF
