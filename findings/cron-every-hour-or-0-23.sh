#!/usr/bin/env bash
# "0 * * * *" and "0 0-23 * * *" for a meter that starts anew each hour.
# Expected: both mean every hour, so on the 25-hour day both give 25 hours.
# Happens: cronsim, which Home Assistant's utility_meter uses, goes by the real clock
# only for "*": "0-23" runs once for the hour that comes twice, so one hour lasts two.
# "*/2" runs at 02:00 twice, and "0,30 2" runs once at 03:00 when the clock skips 02:00,
# for both of its times. Seen with cronsim 2.7.
# Why it matters: hourly and quarterly meters of tariffs are a day of 24 hours with one
# spelling, and one of 25 with the other.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(cronsim==2.7)
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
from zoneinfo import ZoneInfo

from cronsim import CronSim

BERLIN = ZoneInfo("Europe/Berlin")


def runs(expression, year, month, day):
    """Return when it runs on a day, with the offset from UTC."""
    begin = datetime(year, month, day, tzinfo=BERLIN)
    end = begin + timedelta(days=1)
    found = []
    for moment in CronSim(expression, begin - timedelta(seconds=1)):
        if moment >= end:
            return found
        found.append(f"{moment:%H:%M%z}"[:-2])


autumn, spring = (2026, 10, 25), (2026, 3, 29)
print("cronsim", version("cronsim"))
counts = {}
for expression in ("0 * * * *", "0 0-23 * * *"):
    counts[expression] = (len(runs(expression, *autumn)), len(runs(expression, *spring)))
    print(f"{expression}: {counts[expression]} runs on the days of 25 and of 23 hours")
even = runs("0 */2 * * *", *autumn)[:4]
print("0 */2 * * * in autumn:", *even)
pair = runs("0,30 2 * * *", *spring)
print("0,30 2 * * * in spring:", *pair)
assert counts == {"0 * * * *": (25, 23), "0 0-23 * * *": (24, 23)}, counts
assert even == ["00:00+02", "02:00+02", "02:00+01", "04:00+01"], even
assert pair == ["03:00+02"], pair
EOF
