#!/usr/bin/env bash
# Asking astral for the sunset of 21 June in Los Angeles, with two of its releases.
# Expected: sunrise(observer, date) and sunset(observer, date) are of one day, and of the
# same day in each release.
# Happens: with 2.2, which Home Assistant pins, the sunset follows that day's sunrise.
# With 3.2 a date is one of UTC unless tzinfo is given: the sunset is at 20:07 of 20 June,
# nine and a half hours before the sunrise of the same call. Nothing is raised, and in
# Europe both say the same. Seen with astral 2.2 and 3.2.
# Why it matters: a program beside Home Assistant that plans or forecasts installs 3.2,
# asks what Home Assistant asks, and gets days of minus ten hours wherever the sun sets
# after midnight of UTC.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
for release in 2.2 3.2; do
  packages=("astral==$release" pytz==2026.1 tzdata==2026.1)
  if command -v uv >/dev/null; then
    uv venv --quiet --python "${PYTHON:-python3.14}" "$work/$release"
    uv pip install --quiet --python "$work/$release/bin/python" "${packages[@]}"
  else
    "${PYTHON:-python3.14}" -m venv "$work/$release"
    "$work/$release/bin/pip" install --quiet "${packages[@]}"
  fi

  "$work/$release/bin/python" -I - "$release" <<'EOF'
from datetime import date
import sys
from zoneinfo import ZoneInfo

from astral import Observer
from astral.sun import sunrise, sunset

print("astral", sys.argv[1])
seen = []
for zone, latitude, longitude in (
    ("America/Los_Angeles", 34.05, -118.24),
    ("Europe/Berlin", 52.52, 13.4),
):
    observer = Observer(latitude, longitude, 0)
    for event in (sunrise, sunset):
        found = event(observer, date(2026, 6, 21)).astimezone(ZoneInfo(zone))
        seen.append(f"{found:%d %H}")
        print(f"{event.__name__} of 21 June 2026 in {zone}: {found:%d %B %H:%M}")
evening = {"2.2": "21 20", "3.2": "20 20"}[sys.argv[1]]
assert seen == ["21 05", evening, "21 04", "21 21"], seen
EOF
done
