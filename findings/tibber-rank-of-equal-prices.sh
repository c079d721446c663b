#!/usr/bin/env bash
# pyTibber's rank of the present price among those of the day, at a fixed price.
# Expected: where all prices of the day are the same, all of them rank the same.
# Happens: equal prices are told apart by the order of the day: the first quarter is the
# cheapest (0.01), noon is in the middle (0.51), and the last quarter the dearest (1.0).
# Seen with pyTibber 0.37.6.
# Why it matters: fixed prices and days capped at zero exist; "charge while the rank is
# below 0.3" then means "charge from midnight until seven", and stops.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(pyTibber==0.37.6 tzdata==2026.1)
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
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from tibber.home import TibberHome

OSLO = ZoneInfo("Europe/Oslo")
# All of the home that the calculation looks at.
home = SimpleNamespace(_tibber_control=SimpleNamespace(time_zone=OSLO))


def rank(hour, minute):
    """Return the rank of a quarter of a day with one price."""
    begin = datetime(2026, 11, 16, tzinfo=OSLO).astimezone(UTC)
    quarters = [begin + timedelta(minutes=15 * number) for number in range(96)]
    prices = {quarter.isoformat(): 0.5 for quarter in quarters}
    moment = datetime(2026, 11, 16, hour, minute, tzinfo=OSLO)
    return round(TibberHome.current_price_rank(home, prices, moment), 2)


seen = {}
for hour, minute in ((0, 0), (7, 0), (12, 0), (23, 45)):
    seen[f"{hour:02}:{minute:02}"] = rank(hour, minute)
    print(f"one price all day, {hour:02}:{minute:02}: rank {rank(hour, minute)}")
print("pyTibber", version("pyTibber"))
assert seen == {"00:00": 0.01, "07:00": 0.3, "12:00": 0.51, "23:45": 1.0}, seen
EOF
