#!/usr/bin/env bash
# A year of monthly values of ENTSO-E, whose times entsoe-apy adds (add_timestamps).
# Expected: months of Central Europe begin at midnight there, which is 23:00 of the last
# day before in UTC, and 22:00 in summer. The document gives the first of them, and P1M.
# Happens: calendar months are added to the time in UTC. From March on (28 February,
# 23:00), April begins on 28 March at 23:00, three days early, and every month after it
# on a 28th. Days (P1D) are an hour late or early after the clocks change. Seen with
# entsoe-apy 1.2.0.
# Why it matters: installed capacity and load per month go to the wrong month, and prices
# per day to the wrong day's last hour. Whether it happens depends on the month one asks
# from.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(entsoe-apy==1.2.0 tzdata==2026.1)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from datetime import datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

from entsoe.utils import add_timestamps

print("entsoe-apy", version("entsoe-apy"))
BRUSSELS = ZoneInfo("Europe/Brussels")
seen = {}
for start, resolution in (
    ("2026-02-28T23:00Z", "P1M"),
    ("2025-12-31T23:00Z", "P1M"),
    ("2026-10-23T22:00Z", "P1D"),
):
    records = [
        {
            "time_series.period.time_interval.start": start,
            "time_series.period.resolution": resolution,
            "time_series.period.point.position": position,
        }
        for position in (1, 2, 3, 4)
    ]
    seen[start] = [
        f"{datetime.fromisoformat(record['timestamp']).astimezone(BRUSSELS):%d %b %H:%M}"
        for record in add_timestamps(records)
    ]
    print(f"{resolution} from {start} begin, by the clock in Brussels, on")
    print("  ", ", ".join(seen[start]))
assert list(seen.values()) == [
    ["01 Mar 00:00", "29 Mar 00:00", "29 Apr 01:00", "29 May 01:00"],
    ["01 Jan 00:00", "01 Feb 00:00", "01 Mar 00:00", "01 Apr 01:00"],
    ["24 Oct 00:00", "25 Oct 00:00", "25 Oct 23:00", "26 Oct 23:00"],
], seen
EOF
