#!/usr/bin/env bash
# The file of the local calendar, read by another program for calendars.
# Expected: iCalendar is a standard; both show the same nights.
# Happens: an occurrence that was changed is written as a change of the series (RECURRENCE-ID) and as
# an exception from it (EXDATE): Home Assistant shows it, recurring-ical-events does not. A series
# that was changed from one night on is written as two series with one uid, of which the other program
# shows one night. Seen with Home Assistant 2026.11.0, ical 14.3.1 and recurring-ical-events 3.8.2.
# Why it matters: who exports or backs up plans as .ics, or reads them with another library, loses
# exactly those that a person has touched.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(homeassistant==2026.11.0 ical==14.3.1 icalendar==6.3.1 recurring-ical-events==3.8.2)
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
from pathlib import Path
import sys
from zoneinfo import ZoneInfo

from homeassistant import bootstrap, loader
from homeassistant.config_entries import ConfigEntries
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.helpers import recorder
from homeassistant.setup import async_setup_component
import icalendar
import recurring_ical_events

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


def read_by_another(folder):
    """Return the nights that recurring-ical-events finds in the file."""
    (path,) = Path(folder, ".storage").glob("local_calendar.*.ics")
    calendar = icalendar.Calendar.from_ical(path.read_text())
    found = recurring_ical_events.of(calendar).between((2027, 2, 22), (2027, 3, 8))
    return sorted(f"{event['DTSTART'].dt:%d %H:%M}" for event in found)


async def main():
    hass = await start(sys.argv[1], "calendar")
    calendar = await local_calendar(hass)
    seen = {}
    for what, span in (("one night", ""), ("this and following", "THISANDFUTURE")):
        third = (await six_nights(hass, calendar))[2]
        change = {
            "dtstart": third.start.replace(hour=23),
            "dtend": third.end,
            "summary": "Night",
        }
        if span:
            change["rrule"] = third.rrule
        await calendar.async_update_event(
            third.uid,
            change,
            recurrence_id=third.recurrence_id,
            recurrence_range=span,
        )
        own = sorted(f"{e.start:%d %H:%M}" for e in await events(hass, calendar))
        seen[what] = (own, read_by_another(sys.argv[1]))
        print(f"{what} changed to 23:00")
        print("  Home Assistant:", *own, sep="  ")
        print("  the other:     ", *seen[what][1], sep="  ")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert "25 23:00" in seen["one night"][0], seen
    assert set(seen["one night"][0]) - set(seen["one night"][1]) == {"25 23:00"}, seen
    lost = set(seen["this and following"][0]) - set(seen["this and following"][1])
    assert lost == {"26 23:00", "27 23:00"}, lost


asyncio.run(main())
EOF
