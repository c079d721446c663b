#!/usr/bin/env bash
# A meter that stays on winter time all year, read with dsmr_parser.
# Expected: a P1 time ends with S or W, so that it is plain at any time of the year:
# 12:00 W in July is 11:00 UTC.
# Happens: the letter only counts in the hour that comes twice. Outside of it W is read
# as the Amsterdam time of that day: 12:00 W in July is 10:00 UTC, like 12:00 S. Without
# a letter the first of the two hours is taken. Seen with dsmr-parser 1.11.2.
# Why it matters: the parser is used for meters outside the Netherlands, too. Readings
# of half a year are an hour early, and hourly gas is booked to another hour's price.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(dsmr-parser==1.11.2)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from importlib.metadata import version

from dsmr_parser.value_types import timestamp

print("dsmr-parser", version("dsmr-parser"))
seen = {}
for text in (
    "260115120000W",
    "260715120000S",
    "260715120000W",
    "261025023000S",
    "261025023000W",
    "261025023000",
):
    seen[text] = f"{timestamp(text):%d %H:%M}"
    print(f"{text:13} -> {timestamp(text)}")
assert seen == {
    "260115120000W": "15 11:00",
    "260715120000S": "15 10:00",
    "260715120000W": "15 10:00",
    "261025023000S": "25 00:30",
    "261025023000W": "25 01:30",
    "261025023000": "25 00:30",
}, seen
EOF
