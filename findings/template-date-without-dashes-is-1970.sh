#!/usr/bin/env bash
# A date as many tariffs and meters write it, "20261125", in a template of Home
# Assistant.
# Expected: as_datetime and as_timestamp are the same instant in two forms, so both take
# the text for 25 November 2026 (ISO 8601 without its dashes), or neither does.
# Happens: as_timestamp reads the date. as_datetime tries a number of seconds first, and
# it is one: 23 August 1970, 12:05. "2026" is 1 January 1970 for it. With dashes both
# agree. Seen with Home Assistant 2026.11.0.
# Why it matters: nothing is raised, and what ended in 1970 has ended: contracts, tariffs
# and events that are compared with now() are over.
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
    await hass.config.async_set_time_zone("Europe/Berlin")
    seen = {}
    for text in ("2026-11-25", "20261125"):
        for template in (
            f"{{{{ as_datetime('{text}') }}}}",
            f"{{{{ as_timestamp('{text}') | timestamp_local }}}}",
        ):
            found = Template(template, hass).async_render(parse_result=False)
            seen[template] = found[:10]
            print(f"{template}: {found}")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert list(seen.values()) == [
        "2026-11-25",
        "2026-11-25",
        "1970-08-23",
        "2026-11-25",
    ], seen


asyncio.run(main())
EOF
