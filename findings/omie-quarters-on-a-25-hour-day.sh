#!/usr/bin/env bash
# pyomie's localize_quarter_hourly_data on the days when the clocks change.
# Expected: it is made for these days (its own description says so): 100 and 92 quarters
# get the times at which they begin.
# Happens: 15 minutes are added on the wall clock. In October the second 02:00 is left
# out, each quarter after it is an hour late, and the last four are of the next day. In
# March four quarters get times that do not exist, each of which is the same instant as
# a later one. Seen with pyomie 1.1.3.
# Why it matters: for most of two days a year, the price is that of another hour.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(pyomie==1.1.3 tzdata==2026.1)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from datetime import date, datetime, timedelta
from importlib.metadata import version

from pyomie.util import localize_quarter_hourly_data

print("pyomie", version("pyomie"))
seen = {}
for day, count in ((date(2026, 10, 25), 100), (date(2026, 3, 29), 92)):
    times = list(localize_quarter_hourly_data(day, list(range(count))))
    instants = [datetime.fromisoformat(text) for text in times]
    steps = {
        later - sooner
        for sooner, later in zip(instants, instants[1:])
        if later - sooner != timedelta(minutes=15)
    }
    other_day = sum(not text.startswith(day.isoformat()) for text in times)
    seen[day.month] = (len(times), len(set(instants)), other_day, steps)
    print(
        f"{day}: {len(times)} quarters, {len(set(instants))} instants,"
        f" {other_day} of them on another day, last {times[-1]},"
        f" odd steps {[step / timedelta(minutes=1) for step in steps]} minutes"
    )
assert seen == {
    10: (100, 100, 4, {timedelta(minutes=75)}),
    3: (92, 88, 0, {timedelta(minutes=-45)}),
}, seen
EOF
