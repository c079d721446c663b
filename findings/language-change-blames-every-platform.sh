#!/usr/bin/env bash
# The language of a Home Assistant that runs is changed in its settings.
# Expected: the words of what is loaded are read in the new language, and the log is
# quiet, as it is when Home Assistant starts with that language.
# Happens: a warning for each platform of each integration, that it could not be loaded
# for its words: `Invalid domain template.sensor`. Its words are there all the same, as
# they are the integration's. Only this change looks for words of platforms, whose names
# have a dot. Seen with Home Assistant 2026.11.0.
# Why it matters: a home has a hundred such lines then, each of which names somebody's
# integration; they are reported as faults of it, and a test that wants a quiet log fails.
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
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component

TEMPLATES = {
    "template": [
        {
            "sensor": [{"name": "One", "state": "1"}],
            "binary_sensor": [{"name": "Two", "state": "on"}],
        }
    ]
}


class Warnings(logging.Handler):
    """Keep what is warned of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())


async def run(folder, language, later=None):
    """Start with a language, change it, and return the warnings and the words."""
    heard = Warnings()
    log = logging.getLogger("homeassistant.helpers.translation")
    log.addHandler(heard)
    log.propagate = False
    hass = HomeAssistant(folder)
    hass.config.language = language
    loader.async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = ConfigEntries(hass, {})
    recorder.async_initialize_recorder(hass)
    await bootstrap.async_load_base_functionality(hass)
    await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "template", TEMPLATES)
    await hass.async_start()
    await hass.async_block_till_done()
    if later is not None:
        await hass.config.async_update(language=later)
        await hass.async_block_till_done()
    words = await async_get_translations(
        hass, later or language, "services", {"template"}
    )
    await hass.async_stop(force=True)
    log.removeHandler(heard)
    return sorted(heard.said), words


async def main():
    quiet, words = await run(sys.argv[1], "de")
    print("started in German:", quiet or "no warning")
    said, later = await run(sys.argv[1], "en", "de")
    print("changed to German:", *said, sep="\n  ")
    print("Home Assistant", __version__)
    assert quiet == [], quiet
    assert later == words
    assert words
    assert said == [
        f"Failed to load integration for translation: Invalid domain {name}"
        for name in ("template.binary_sensor", "template.sensor")
    ], said


asyncio.run(main())
EOF
