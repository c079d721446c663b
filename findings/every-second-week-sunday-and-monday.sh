#!/usr/bin/env bash
# A plan "every second week, on Sunday and Monday", as iCalendar repeats it.
# Expected: Sunday and the day after it, then twelve days of nothing.
# Happens: a week begins on Monday (WKST) unless the rule says otherwise. The Monday
# after the first Sunday is in the next week, which is left out: the two days are eight
# days apart, then six. With WKST=SU they are a pair. Seen with ical 14.3.1.
# Why it matters: cheap nights over a weekend's end, or the weeks of a shared car, come
# out torn apart, and the rule's text looks right.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(ical==14.3.1)
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

from ical.calendar import Calendar
from ical.event import Event
from ical.types import Recur


def gaps(rule):
    """Return the days between the occurrences of three months."""
    calendar = Calendar()
    begin = datetime(2026, 11, 1, 22)  # a Sunday
    calendar.events.append(
        Event(
            summary="Charge",
            start=begin,
            end=begin + timedelta(hours=1),
            rrule=Recur.from_rrule(rule),
        )
    )
    events = calendar.timeline.overlapping(begin, begin + timedelta(days=60))
    starts = [event.start for event in events]
    return [(b - a).days for a, b in zip(starts, starts[1:])][:4]


print("ical", version("ical"))
seen = {}
for rule in (
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU",
):
    seen[rule] = gaps(rule)
    print(f"{rule}: days between {seen[rule]}")
assert list(seen.values()) == [[8, 6, 8, 6], [1, 13, 1, 13]], seen
EOF
