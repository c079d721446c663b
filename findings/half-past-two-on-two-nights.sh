#!/usr/bin/env bash
# Something that shall happen at 02:30, on the nights when the clocks change.
# Expected: whatever runs at 02:30 in Home Assistant agrees about these nights.
# Happens: a time trigger (async_track_time_change) fires twice in October, and not at
# all in March. A meter's cron "30 2 * * *" runs once in October, and at 03:00 in March.
# Two answers for each night. Seen with Home Assistant 2026.11.0.
# Why it matters: "start charging at 02:30, reset the meter at 02:30" come apart: the
# car charges twice, or never, in what the meter takes for one day.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(homeassistant==2026.11.0 cronsim==2.7)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim
from homeassistant.const import __version__
from homeassistant.util import dt as dt_util

BERLIN = ZoneInfo("Europe/Berlin")


def triggers(begin, end):
    """Return when a time trigger fires, in the way that its tracker asks."""
    found = []
    while True:
        moment = dt_util.find_next_time_expression_time(
            begin.astimezone(BERLIN), [0], [30], [2]
        )
        if moment >= end:
            return found
        found.append(f"{moment:%H:%M%z}"[:-2])
        begin = moment.astimezone(UTC) + timedelta(seconds=1)


def crons(begin, end):
    """Return when a meter's cron runs."""
    found = []
    for moment in CronSim("30 2 * * *", begin):
        if moment >= end:
            return found
        found.append(f"{moment:%H:%M%z}"[:-2])


print("Home Assistant", __version__)
seen = {}
for name, day in (
    ("October", datetime(2026, 10, 25, tzinfo=BERLIN)),
    ("March", datetime(2026, 3, 29, tzinfo=BERLIN)),
):
    tomorrow = day + timedelta(days=1)
    seen[name] = (triggers(day, tomorrow), crons(day, tomorrow))
    print(f"{name}: time trigger {seen[name][0]}, cron {seen[name][1]}")
assert seen == {
    "October": (["02:30+02", "02:30+01"], ["02:30+02"]),
    "March": ([], ["03:00+02"]),
}, seen
EOF
