#!/usr/bin/env bash
# A person deletes a subentry on the integration's page.
# Expected: the integration is asked or told, as with a config entry (async_unload_entry,
# async_remove_entry) and a device (async_remove_config_entry_device).
# Happens: nothing of the integration is called. An update listener hears "the entry changed" when
# the subentry is gone, and without one the entry runs on, with what it had made of the subentry.
# Adding a subentry sets nothing up either. Seen with Home Assistant 2026.10.4 and 2026.11.0.
# Why it matters: what the subentry stands for at a device or in a cloud (a plan, a reservation)
# has to be found by comparing.
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
calls = []

async def async_setup_entry(hass, entry):
    calls.append("set up")
    if entry.title == "listens":
        entry.async_on_unload(entry.add_update_listener(updated))
    return True

async def updated(hass, entry):
    calls.append(f"updated, {len(entry.subentries)} subentries")

async def async_unload_entry(hass, entry):
    calls.append("unloaded")
    return True

async def async_remove_entry(hass, entry):
    calls.append("removed")
"""
FLOW = """
from homeassistant.config_entries import ConfigFlow, ConfigSubentryFlow
from homeassistant.core import callback

class House(ConfigFlow, domain="house"):
    @classmethod
    @callback
    def async_get_supported_subentry_types(cls, entry):
        return {"plan": Plan}

    async def async_step_import(self, data):
        return self.async_create_entry(title=data["title"], data={})

class Plan(ConfigSubentryFlow):
    async def async_step_user(self, user_input=None):
        return self.async_create_entry(title="Night", data={})
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
    component(sys.argv[1], INIT, FLOW)
    hass = await start(sys.argv[1])
    seen = {}
    for title in ("listens", "does not"):
        result = await hass.config_entries.flow.async_init(
            "house", context={"source": "import"}, data={"title": title}
        )
        await hass.async_block_till_done()
        from custom_components.house import calls

        entry = result["result"]
        calls.clear()
        await hass.config_entries.subentries.async_init(
            (entry.entry_id, "plan"), context={"source": "user"}
        )
        await hass.async_block_till_done()
        (plan,) = entry.subentries
        hass.config_entries.async_remove_subentry(entry, plan)
        await hass.async_block_till_done()
        seen[title] = list(calls)
        print(f"an entry that {title}: {calls}")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == {
        "listens": ["updated, 1 subentries", "updated, 0 subentries"],
        "does not": [],
    }, seen


asyncio.run(main())
EOF
