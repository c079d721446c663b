#!/usr/bin/env bash
# "Add plan" on the page of an integration whose cloud cannot be reached.
# Expected: the dialog of a subentry opens when its entry is loaded, since it offers
# what the entry knows.
# Happens: it opens in every state of the entry: while the set-up is tried again, and
# when the entry is disabled. What the integration keeps in runtime_data is not there,
# and a step that reads it raises AttributeError. Seen with Home Assistant 2026.10.4 and
# 2026.11.0.
# Why it matters: each step has to look at entry.state itself, and abort in words.
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
from homeassistant.exceptions import ConfigEntryNotReady

async def async_setup_entry(hass, entry):
    raise ConfigEntryNotReady("the cloud does not answer")
"""
FLOW = """
from homeassistant.config_entries import ConfigFlow, ConfigSubentryFlow
from homeassistant.core import callback

class House(ConfigFlow, domain="house"):
    @classmethod
    @callback
    def async_get_supported_subentry_types(cls, entry):
        return {"plan": Plan, "careless": Careless}

    async def async_step_user(self, user_input=None):
        return self.async_create_entry(title="House", data={})

class Plan(ConfigSubentryFlow):
    async def async_step_user(self, user_input=None):
        return self.async_show_form(step_id="user")

class Careless(ConfigSubentryFlow):
    async def async_step_user(self, user_input=None):
        devices = self._get_entry().runtime_data
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
    seen = []
    for kind in ("plan", "careless"):
        try:
            flow = await hass.config_entries.subentries.async_init(
                (entry.entry_id, kind), context={"source": "user"}
            )
            answer = str(flow["type"])
        except AttributeError as err:
            answer = type(err).__name__
        seen.append((str(entry.state), kind, answer))
    from homeassistant.config_entries import ConfigEntryDisabler

    await hass.config_entries.async_set_disabled_by(
        entry.entry_id, ConfigEntryDisabler.USER
    )
    flow = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "plan"), context={"source": "user"}
    )
    seen.append((f"disabled by {entry.disabled_by}", "plan", str(flow["type"])))
    for line in seen:
        print(*line, sep=", ")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert [line[2] for line in seen] == ["form", "AttributeError", "form"], seen
    assert seen[0][0].endswith("SETUP_RETRY"), seen


asyncio.run(main())
EOF
