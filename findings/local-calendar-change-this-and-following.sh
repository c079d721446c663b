#!/usr/bin/env bash
# "This and all following" in a series of six nights, changed in the local calendar.
# Expected: from the third night on, the new times count; the number of nights stays.
# Happens: the new end is dropped. "Until 07:00" changes nothing at all, and "from 23:00
# until 06:00" becomes 23:00 until 07:00, since the series keeps its length. A series
# that is moved later also loses its last night: six become five. Changing one night, or
# all, works. Seen with Home Assistant 2026.11.0 and ical 14.3.1.
# Why it matters: plans for charging or heating are exactly such series, and nothing
# says that what was typed was not taken.
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
from datetime import datetime
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
BERLIN = ZoneInfo("Europe/Berlin")


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


async def local_calendar(hass):
    """Return the entity of a new local calendar."""
    flow = await hass.config_entries.flow.async_init(
        "local_calendar", context={"source": "user"}
    )
    await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"calendar_name": "Plans", "import": "create_empty"}
    )
    await hass.async_block_till_done()
    return hass.data["calendar"].get_entity("calendar.plans")


async def events(hass, calendar):
    """Return the occurrences of two weeks."""
    return await calendar.async_get_events(
        hass, datetime(2027, 2, 22, tzinfo=BERLIN), datetime(2027, 3, 8, tzinfo=BERLIN)
    )


async def six_nights(hass, calendar):
    """Make a series of six nights, the only one of the calendar, and return them."""
    for uid in {event.uid for event in await events(hass, calendar)}:
        await calendar.async_delete_event(uid)
    await calendar.async_create_event(
        dtstart=datetime(2027, 2, 23, 22, tzinfo=BERLIN),
        dtend=datetime(2027, 2, 24, 6, tzinfo=BERLIN),
        summary="Night",
        rrule="FREQ=DAILY;COUNT=6",
    )
    return await events(hass, calendar)


async def main():
    hass = await start(sys.argv[1], "calendar")
    calendar = await local_calendar(hass)
    seen = {}
    for begin, end in ((22, 7), (23, 6)):
        third = (await six_nights(hass, calendar))[2]
        await calendar.async_update_event(
            third.uid,
            {
                "dtstart": third.start.replace(hour=begin),
                "dtend": third.end.replace(hour=end),
                "summary": "Night",
                "rrule": third.rrule,
            },
            recurrence_id=third.recurrence_id,
            recurrence_range="THISANDFUTURE",
        )
        nights = [f"{e.start:%H}-{e.end:%H}" for e in await events(hass, calendar)]
        seen[begin, end] = nights
        print(f"22-06, from the third on to be {begin:02}-{end:02}:", *nights)
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == {
        (22, 7): ["22-06"] * 6,
        (23, 6): ["22-06"] * 2 + ["23-07"] * 3,
    }, seen


asyncio.run(main())
EOF
