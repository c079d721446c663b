#!/usr/bin/env bash
# The helper "Times of the day", from 22:00 until 06:00, half an hour later and earlier.
# Expected: after_offset and before_offset move the two times every day.
# Happens: they do so for the window in which Home Assistant starts: on from 22:30 until
# 05:30. When it has passed, the next one is made from the clock's times without the
# offsets, and so are all after it: from 22:00 until 06:00, until the next start. Offsets
# of sunrise and sunset stay. Seen with Home Assistant 2026.11.0.
# Why it matters: who keeps half an hour away from the edges of a tariff does so in the
# first night, which is the one that is watched.
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
from datetime import UTC, datetime
import logging
import sys
from unittest.mock import patch
from zoneinfo import ZoneInfo

from homeassistant import bootstrap, loader
from homeassistant.config_entries import ConfigEntries
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

logging.disable()
BERLIN = ZoneInfo("Europe/Berlin")


async def start(folder, *domains, config=None):
    """Start a Home Assistant with no more than is asked for."""
    hass = HomeAssistant(folder)
    loader.async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    await async_setup_component(hass, "homeassistant", {})
    await hass.config.async_set_time_zone("Europe/Berlin")
    for domain in domains:
        assert await async_setup_component(hass, domain, config or {}), domain
    await hass.async_start()
    await hass.async_block_till_done()
    return hass


async def main():
    sensor = {
        "platform": "tod",
        "name": "cheap",
        "after": "22:00",
        "after_offset": "00:30",
        "before": "06:00",
        "before_offset": "-00:30",
    }
    now = datetime(2026, 11, 2, 12, tzinfo=BERLIN)
    seen = []
    with patch.object(dt_util, "utcnow", lambda: now.astimezone(UTC)):
        hass = await start(
            sys.argv[1], "binary_sensor", config={"binary_sensor": [sensor]}
        )
        entity = hass.data[DATA_INSTANCES]["binary_sensor"].get_entity(
            "binary_sensor.cheap"
        )
        for _ in range(6):
            state = hass.states.get("binary_sensor.cheap")
            now = datetime.fromisoformat(state.attributes["next_update"])
            entity._point_in_time_listener(now)  # what the entity's timer calls
            await hass.async_block_till_done()
            state = hass.states.get("binary_sensor.cheap")
            seen.append(f"{now:%d %H:%M} {state.state}")
            print(f"{now:%d November %H:%M}: {state.state}")
        await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == [
        "02 22:30 on",
        "03 05:30 off",
        "03 22:00 on",
        "04 06:00 off",
        "04 22:00 on",
        "05 06:00 off",
    ], seen


asyncio.run(main())
EOF
