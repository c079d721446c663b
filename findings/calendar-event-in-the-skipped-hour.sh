#!/usr/bin/env bash
# A daily event at 02:30 until 03:00, in the local calendar, in March.
# Expected: on the night without a 02:30 the event is left out, or moved.
# Happens: it is 02:30+01:00 until 03:00+02:00, which is half an hour before it starts.
# The check for "ends before it starts" compares the clock's figures of one zone, and
# lets it pass. Seen with Home Assistant 2026.11.0 and ical 14.3.1.
# Why it matters: a reader that takes end - start gets minus 30 minutes: a charging
# window of negative length, or a price for less than no energy.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(homeassistant==2026.11.0 ical==14.3.1)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
import asyncio
from datetime import datetime, timedelta
import logging
import sys
from zoneinfo import ZoneInfo

from homeassistant import bootstrap, loader
from homeassistant.config_entries import ConfigEntries
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.helpers import recorder
from homeassistant.setup import async_setup_component

logging.disable()


async def start(folder, *domains):
    """Prepare a Home Assistant with no more than is asked for; nothing listens."""
    hass = HomeAssistant(folder)
    loader.async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = ConfigEntries(hass, {})
    recorder.async_initialize_recorder(hass)
    await bootstrap.async_load_base_functionality(hass)
    await async_process_ha_core_config(
        hass, {"time_zone": "Europe/Berlin", "auth_mfa_modules": []}
    )
    for domain in ("homeassistant", *domains):
        assert await async_setup_component(hass, domain, {}), domain
    await hass.async_block_till_done()
    return hass


async def main():
    hass = await start(sys.argv[1], "calendar")
    flow = await hass.config_entries.flow.async_init(
        "local_calendar", context={"source": "user"}
    )
    await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"calendar_name": "Plans", "import": "create_empty"}
    )
    await hass.async_block_till_done()
    berlin = ZoneInfo("Europe/Berlin")
    begin = datetime(2027, 3, 27, 2, 30, tzinfo=berlin)
    calendar = hass.data["calendar"].get_entity("calendar.plans")
    await calendar.async_create_event(
        dtstart=begin,
        dtend=begin.replace(hour=3, minute=0),
        summary="Charge",
        rrule="FREQ=DAILY",
    )
    answer = await hass.services.async_call(
        "calendar",
        "get_events",
        {
            "start_date_time": "2027-03-27 00:00:00",
            "end_date_time": "2027-03-29 23:00:00",
        },
        target={"entity_id": "calendar.plans"},
        blocking=True,
        return_response=True,
    )
    seen = {}
    for event in answer["calendar.plans"]["events"]:
        length = datetime.fromisoformat(event["end"]) - datetime.fromisoformat(
            event["start"]
        )
        minutes = length / timedelta(minutes=1)
        seen[event["start"]] = minutes
        print(event["start"], "to", event["end"], "is", minutes, "minutes")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == {
        "2027-03-27T02:30:00+01:00": 30,
        "2027-03-28T02:30:00+01:00": -30,
        "2027-03-29T02:30:00+02:00": 30,
    }, seen


asyncio.run(main())
EOF
