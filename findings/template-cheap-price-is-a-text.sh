#!/usr/bin/env bash
# A variable of an automation with a price per watt hour, {{ price / 1000 }}.
# Expected: a template that gives a number gives a number, at any hour.
# Happens: the result is written out as text, and read back as a number if it looks like
# one. Python writes what is below 0.0001 as 5e-05, which does not look like one: at 30
# cents per kWh the variable is 0.0003, at 5 cents it is the text "5e-05". "price_wh <
# 0.0002" is an error then, since a text cannot be compared with a number. "1,234" is
# read as two numbers, 1 and 234. Seen with Home Assistant 2026.11.0.
# Why it matters: the automation works at all prices but the ones it waits for.
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
from homeassistant.exceptions import TemplateError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.template import Template
from homeassistant.setup import async_setup_component

logging.disable()


async def main():
    hass = HomeAssistant(sys.argv[1])
    loader.async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    await async_setup_component(hass, "homeassistant", {})
    variables = cv.SCRIPT_VARIABLES_SCHEMA({"price_wh": "{{ price / 1000 }}"})
    condition = Template("{{ price_wh < 0.0002 }}", hass)
    seen = {}
    for price in (0.3, 0.15, 0.1, 0.05):
        found = variables.async_render(hass, {"price": price})
        try:
            cheap = condition.async_render(found)
        except TemplateError as err:
            cheap = type(err).__name__
        seen[price] = (type(found["price_wh"]).__name__, cheap)
        print(f"{price} per kWh: {found['price_wh']!r} per Wh; below 0.0002: {cheap}")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == {
        0.3: ("float", False),
        0.15: ("float", True),
        0.1: ("float", True),
        0.05: ("str", "TemplateError"),
    }, seen


asyncio.run(main())
EOF
