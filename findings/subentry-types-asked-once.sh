#!/usr/bin/env bash
# async_get_supported_subentry_types(entry), which gets the config entry.
# Expected: an integration can offer "Add plan" as soon as the entry has a device that
# takes plans, since it is asked for each entry, with the entry.
# Happens: what the page of integrations offers is the first answer. It is kept for the
# rest of Home Assistant's run, past changes of the entry and reloads; a dialog started
# by its name asks anew, and is there. Seen with Home Assistant 2026.10.4 and 2026.11.0.
# Why it matters: a type that depends on the account, its options or its devices appears
# after a restart only, or stays on offer when it no longer works.
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
    return True

async def async_unload_entry(hass, entry):
    return True
"""
FLOW = """
from homeassistant.config_entries import ConfigFlow, ConfigSubentryFlow
from homeassistant.core import callback

class House(ConfigFlow, domain="house"):
    @classmethod
    @callback
    def async_get_supported_subentry_types(cls, entry):
        return {"plan": Plan} if entry.data["battery"] else {}

    async def async_step_user(self, user_input=None):
        return self.async_create_entry(title="House", data={"battery": False})

class Plan(ConfigSubentryFlow):
    async def async_step_user(self, user_input=None):
        return self.async_show_form(step_id="user")
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
    result = await hass.config_entries.flow.async_init(
        "house", context={"source": "user"}
    )
    await hass.async_block_till_done()
    entry = result["result"]
    seen = [dict(entry.supported_subentry_types)]
    hass.config_entries.async_update_entry(entry, data={"battery": True})
    seen.append(dict(entry.supported_subentry_types))
    await hass.config_entries.async_reload(entry.entry_id)
    seen.append(dict(entry.supported_subentry_types))
    flow = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "plan"), context={"source": "user"}
    )
    for when, offered in zip(("at first", "with a battery", "reloaded"), seen):
        print(f"{when}: offered {offered}")
    print("the dialog started by name:", flow["type"])
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == [{}, {}, {}], seen
    assert flow["type"] == "form", flow


asyncio.run(main())
EOF
