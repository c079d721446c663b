#!/usr/bin/env bash
# A charging event of eight hours (DURATION:PT8H) over the night in October.
# Expected: from 22:00 summer time, eight hours end at 05:00 winter time. iCalendar (RFC
# 5545, 3.3.6) tells days from hours: P1D is until the same time of the next day, 25
# hours in that night, and PT24H is 24 hours.
# Happens: three libraries take both kinds for the clock's figures: PT8H ends at 06:00,
# after nine hours, and PT24H lasts 25. In March PT8H is seven hours. Seen with ical
# 14.3.1, icalendar 7.3.2 and recurring-ical-events 3.8.2.
# Why it matters: what is booked, billed or heated by the hour gets another length twice
# a year, though the format has a way to say it, and the file uses it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(ical==14.3.1 icalendar==7.3.2 recurring-ical-events==3.8.2 tzdata==2026.1)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from datetime import UTC
from importlib.metadata import version

from ical.calendar_stream import IcsCalendarStream
from icalendar import Calendar
import recurring_ical_events

TEXT = """BEGIN:VCALENDAR
PRODID:-//test//test//EN
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
DTSTART:19810329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:charge
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Berlin:{begin}
DURATION:{duration}
SUMMARY:Charge
END:VEVENT
END:VCALENDAR
"""


def hours(begin, end):
    """Return how long that is by a real clock."""
    return (end.astimezone(UTC) - begin.astimezone(UTC)).total_seconds() / 3600


for name in ("ical", "icalendar", "recurring-ical-events"):
    print(name, version(name))
seen = {}
for begin in ("20261024T220000", "20260328T220000"):
    for duration in ("PT8H", "PT24H", "P1D"):
        text = TEXT.format(begin=begin, duration=duration).replace("\n", "\r\n")
        event = IcsCalendarStream.calendar_from_ics(text).events[0]
        found = [hours(event.start, event.end)]
        calendar = Calendar.from_ical(text)
        event = calendar.walk("VEVENT")[0]
        found.append(hours(event.start, event.end))
        [event] = recurring_ical_events.of(calendar).all()
        found.append(hours(event.start, event.end))
        seen[begin[4:6], duration] = found
        print(f"{duration} from {begin}: hours by each library", *found)
assert seen == {
    ("10", "PT8H"): [9, 9, 9],
    ("10", "PT24H"): [25, 25, 25],
    ("10", "P1D"): [25, 25, 25],
    ("03", "PT8H"): [7, 7, 7],
    ("03", "PT24H"): [23, 23, 23],
    ("03", "P1D"): [23, 23, 23],
}, seen
EOF
