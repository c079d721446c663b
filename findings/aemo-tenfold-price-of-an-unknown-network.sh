#!/usr/bin/env bash
# What a kilowatt hour costs in Melbourne, from the spot price, with aemo-to-tariff.
# Expected: CitiPower is one of the five networks of Victoria. What the library does not
# know it refuses, as it does an unknown tariff of Ausgrid (ValueError) or Jemena
# (KeyError).
# Happens: an unknown network has a price all the same, and the dollars per MWh, which
# are a tenth of a cent per kWh for the others, are cents: 100 $/MWh are 122 c/kWh, and
# -100 are -107. An unknown tariff is guessed for Energex, SAPN, Essential and
# TasNetworks, and an error for the others. Seen with aemo-to-tariff 0.7.28.
# Why it matters: a misspelt network gives figures that move as they should. A battery
# sells at ten times what it is paid.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(aemo-to-tariff==0.7.28 tzdata==2026.1)
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

from aemo_to_tariff import spot_to_tariff

print("aemo-to-tariff", version("aemo-to-tariff"))
NOON = datetime(2026, 11, 10, 12, 5, tzinfo=ZoneInfo("Australia/Sydney"))
seen = {}
for network, tariff in (
    ("Ausgrid", "EA010"),
    ("CitiPower", "EA010"),
    ("Ausgrid", "no such tariff"),
    ("Jemena", "no such tariff"),
    ("Energex", "no such tariff"),
):
    found = []
    for price in (-100, 100, 300):
        try:
            found.append(round(spot_to_tariff(NOON, network, tariff, price)))
        except (KeyError, ValueError) as err:
            found.append(type(err).__name__)
    seen[network, tariff] = found
    print(f"{network}, {tariff}: -100, 100 and 300 $/MWh are, in c/kWh,", *found)
assert list(seen.values()) == [
    [3, 25, 47],
    [-107, 122, 351],
    ["ValueError"] * 3,
    ["KeyError"] * 3,
    [-6, 17, 40],
], seen
EOF
