#!/usr/bin/env bash
# A tariff's season that begins each year, as iCalendar repeats it, from 1 April on.
# Expected: FREQ=YEARLY is once a year, and BYMONTHDAY=1 says on which day of the month,
# as BYMONTH=4 says in which month and BYHOUR=2 at which hour.
# Happens: in a yearly rule BYMONTHDAY alone adds days instead of picking one (RFC 5545,
# the table in 3.3.10): it is the first of every month, twelve times a year. BYDAY=WE is
# every Wednesday. BYMONTH and BYHOUR do pick. Two libraries agree. Seen with ical
# 14.3.1, which Home Assistant uses, and python-dateutil 2.9.0.post0.
# Why it matters: the first date is right, the text reads right, and summer prices start
# again in May.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(ical==14.3.1 python-dateutil==2.9.0.post0)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from datetime import datetime, timedelta
from importlib.metadata import version

from dateutil.rrule import rrulestr
from ical.calendar import Calendar
from ical.event import Event
from ical.types import Recur

BEGIN, END = datetime(2026, 4, 1, 2), datetime(2027, 4, 1)
print("ical", version("ical"), "python-dateutil", version("python-dateutil"))
seen = {}
for rule in (
    "FREQ=YEARLY",
    "FREQ=YEARLY;BYMONTHDAY=1",
    "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=1",
    "FREQ=YEARLY;BYDAY=WE",
    "FREQ=YEARLY;BYHOUR=2",
):
    calendar = Calendar()
    calendar.events.append(
        Event(
            summary="Summer prices",
            start=BEGIN,
            end=BEGIN + timedelta(hours=1),
            rrule=Recur.from_rrule(rule),
        )
    )
    found = [event.start for event in calendar.timeline.overlapping(BEGIN, END)]
    other = rrulestr(rule, dtstart=BEGIN).between(BEGIN, END, inc=True)
    assert found == other, (found, other)
    seen[rule] = len(found)
    print(f"{rule}: {len(found)} in a year, {', '.join(f'{day:%d %b}' for day in found[:3])}")
assert list(seen.values()) == [1, 12, 1, 53, 1], seen
EOF
