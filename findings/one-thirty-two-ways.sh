#!/usr/bin/env bash
# The duration "1:30" in Home Assistant.
# Expected: one reading of it throughout the code base.
# Happens: cv.time_period, which validates YAML, actions and triggers, reads hours and
# minutes, 5400 s. dt_util.parse_duration, from which templates' as_timedelta comes,
# reads minutes and seconds, 90 s. "90" is 90 s for both, and "24:00" a day for one, 24
# minutes for the other. Seen with Home Assistant 2026.11.0.
# Why it matters: a boost of "1:30" in an action's data lasts 60 times as long as the
# same text in a template that checks when it ends.
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
import sys

from homeassistant import bootstrap, loader
from homeassistant.config_entries import ConfigEntries
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers import recorder
from homeassistant.setup import async_setup_component
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.template import Template
from homeassistant.util import dt as dt_util


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
    hass = await start(sys.argv[1])
    seen = {}
    for text in ("90", "1:30", "24:00", "1:30:00"):
        validated = cv.time_period(text).total_seconds()
        parsed = dt_util.parse_duration(text).total_seconds()
        template = Template("{{ as_timedelta(text).total_seconds() }}", hass)
        shown = template.async_render({"text": text})
        seen[text] = (validated, parsed, shown)
        print(f"{text}: action {validated} s, parse_duration {parsed} s, template {shown} s")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == {
        "90": (90, 90, 90),
        "1:30": (5400, 90, 90),
        "24:00": (86400, 1440, 1440),
        "1:30:00": (5400, 5400, 5400),
    }, seen


asyncio.run(main())
EOF
