#!/usr/bin/env bash
# The cheapest three hours between two times, with awattar's best_slot().
# Expected: a slot of that length which begins at the first time or later, and ends at
# the second or earlier; or none, when no such slot is there.
# Happens: the end is not looked at for the last slot that the prices allow. "Until
# 23:00" may end at 24:00, if that is cheaper and it is the only slot too late; until
# 22:00 it does not. Both times lose their minutes, so "from 10:50" may begin at 10:00.
# And three hours in a window of one are not "none" but the same last slot, where the
# window is the last of the day. Seen with awattar 0.8.1.
# Why it matters: the car is charged in an hour in which it is gone, or the dishes are
# not done when they are wanted; only on days with a certain order of prices.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(awattar==0.8.1 typing-extensions==4.15.0)
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
from unittest.mock import Mock, patch

from awattar.client import AwattarClient

MIDNIGHT = datetime(2026, 11, 10, tzinfo=UTC)


def at(clock):
    """Return the time of the day in UTC."""
    hour, minute = map(int, clock.split(":"))
    return MIDNIGHT + timedelta(hours=hour, minutes=minute)


def prices(cheap):
    """Return the service's answer for a day of equal prices but for some hours."""
    return {
        "data": [
            {
                "start_timestamp": int(at(f"{hour}:00").timestamp()) * 1000,
                "end_timestamp": int(at(f"{hour + 1}:00").timestamp()) * 1000,
                "marketprice": 20 if hour in cheap else 100,
                "unit": "Eur/MWh",
            }
            for hour in range(24)
        ]
    }


print("awattar", version("awattar"))
seen = {}
for cheap, hours, begin, end in (
    ((2, 3, 4), 3, "00:00", "23:00"),
    ((21, 22, 23), 3, "00:00", "23:00"),
    ((21, 22, 23), 3, "00:00", "22:00"),
    ((21, 22, 23), 3, "21:00", "22:00"),
    ((10, 11, 12), 3, "10:50", "20:00"),
):
    client = AwattarClient("DE")
    answer = Mock(status_code=200, json=lambda cheap=cheap: prices(cheap))
    with patch("requests.get", return_value=answer):
        client.request(MIDNIGHT, at("24:00"))
    slot = client.best_slot(hours, at(begin), at(end))
    if slot is None:
        found = None
    else:
        found = tuple(
            f"{int((time - MIDNIGHT) / timedelta(hours=1)):02}:00"
            for time in (slot.start_datetime, slot.end_datetime)
        )
    seen[cheap[0], begin, end] = found
    print(f"cheap from {cheap[0]}:00, {hours} hours of {begin}-{end}: {found}")
assert seen == {
    (2, "00:00", "23:00"): ("02:00", "05:00"),
    (21, "00:00", "23:00"): ("21:00", "24:00"),
    (21, "00:00", "22:00"): ("19:00", "22:00"),
    (21, "21:00", "22:00"): ("21:00", "24:00"),
    (10, "10:50", "20:00"): ("10:00", "13:00"),
}, seen
EOF
