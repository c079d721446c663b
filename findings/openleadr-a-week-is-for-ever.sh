#!/usr/bin/env bash
# An OpenADR 2.0b event of one week, read with openleadr.
# Expected: "P1W" is seven days, as iCalendar (RFC 5545), whose durations OpenADR 2.0b
# takes, writes them; what is not understood is refused with a ValueError.
# Happens: the letter P is taken and the rest is not looked at: one week and ten weeks
# are zero. Zero is how OpenADR says "without end", so the event is active for good.
# Written again, zero is a bare "P", which is no duration, and a quarter of an hour
# before ("-PT15M") becomes "P-1DT23H45M". Seen with openleadr 0.5.36.
# Why it matters: a limit of a week is kept for ever by what is steered by it, and
# neither side hears of it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(openleadr==0.5.36)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from openleadr.utils import determine_event_status, parse_duration, timedeltaformat

print("openleadr", version("openleadr"))
begin = datetime.now(UTC) - timedelta(days=300)
seen = {}
for text in ("P7D", "P1W", "P10W", "PT0S", "-PT15M"):
    duration = parse_duration(text)
    status = determine_event_status({"dtstart": begin, "duration": duration})
    seen[text] = (duration, status, timedeltaformat(duration))
    print(f"{text} is {duration}; 300 days after its start the event is {status};")
    print(f"  written again it is {seen[text][2]}")
zero = (timedelta(0), "active", "P")
assert seen["P7D"] == (timedelta(days=7), "completed", "P7D"), seen
assert seen["P1W"] == seen["P10W"] == seen["PT0S"] == zero, seen
assert seen["-PT15M"][::2] == (-timedelta(minutes=15), "P-1DT23H45M"), seen
EOF
