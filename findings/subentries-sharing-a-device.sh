#!/usr/bin/env bash
# Two subentries of a config entry, each with an entity on the same device.
# Expected: three entities on it: the integration's own, and one of each subentry.
# Happens: a device belongs to one subentry. Each add_entities() with another one moves
# it, and removes what the others had put on it: the last of three entities is left.
# Removing its subentry takes the device away. A deprecation is logged, no error. Seen
# with Home Assistant 2026.10.4 and 2026.11.0.
# Why it matters: entities of several plans of a battery go without config_subentry_id.
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
import json
import logging
from pathlib import Path
import sys

from homeassistant import bootstrap, loader
from homeassistant.config_entries import ConfigEntries
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers import recorder
from homeassistant.setup import async_setup_component

INIT = """
async def async_setup_entry(hass, entry):
    await hass.config_entries.async_forward_entry_setups(entry, ["sensor"])
    return True
"""
FLOW = """
from homeassistant.config_entries import ConfigFlow

class House(ConfigFlow, domain="house"):
    async def async_step_user(self, user_input=None):
        plans = [
            {"subentry_type": "plan", "title": name, "data": {}, "unique_id": name}
            for name in ("night", "noon")
        ]
        return self.async_create_entry(title="House", data={}, subentries=plans)
"""
SENSOR = """
from homeassistant.components.sensor import SensorEntity

class Sensor(SensorEntity):
    _attr_has_entity_name = True
    _attr_native_value = 1
    _attr_should_poll = False

    def __init__(self, name):
        self._attr_name = self._attr_unique_id = name
        self._attr_device_info = {"identifiers": {("house", "1")}, "name": "Battery"}

async def async_setup_entry(hass, entry, async_add_entities):
    async_add_entities([Sensor("power")])
    for plan in entry.subentries.values():
        async_add_entities([Sensor(plan.title)], config_subentry_id=plan.subentry_id)
"""

logging.disable()


def component(folder, init, flow, sensor=""):
    """Write the custom integration "house"."""
    path = Path(folder, "custom_components", "house")
    path.mkdir(parents=True)
    manifest = {
        "domain": "house",
        "name": "House",
        "version": "1.0.0",
        "config_flow": True,
    }
    (path / "manifest.json").write_text(json.dumps(manifest))
    (path / "__init__.py").write_text(init)
    (path / "config_flow.py").write_text(flow)
    (path / "sensor.py").write_text(sensor)


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
    component(sys.argv[1], INIT, FLOW, SENSOR)
    hass = await start(sys.argv[1], "sensor")
    from homeassistant.helpers import device_registry, entity_registry

    result = await hass.config_entries.flow.async_init(
        "house", context={"source": "user"}
    )
    await hass.async_block_till_done()
    entry = result["result"]

    def left():
        entities = entity_registry.async_entries_for_config_entry(
            entity_registry.async_get(hass), entry.entry_id
        )
        devices = device_registry.async_entries_for_config_entry(
            device_registry.async_get(hass), entry.entry_id
        )
        return [entity.entity_id for entity in entities], len(devices)

    seen = [left()]
    print("added: power, night, noon; left:", *seen[0][0], "on", seen[0][1], "device")
    noon = next(s for s in entry.subentries.values() if s.title == "noon")
    hass.config_entries.async_remove_subentry(entry, noon.subentry_id)
    await hass.async_block_till_done()
    seen.append(left())
    print("subentry noon removed; left:", *seen[1])
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == [(["sensor.battery_noon"], 1), ([], 0)], seen


asyncio.run(main())
EOF
