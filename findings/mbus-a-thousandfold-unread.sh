#!/usr/bin/env bash
# A heat meter that tells its energy in MWh on the M-Bus, read with pymeterbus.
# Expected: a meter may put a factor behind the unit (EN 13757-3, combinable VIFE): 0x7D
# is 1000 times, 0x70 to 0x77 are 10^-6 to 10. "1000 kWh" with 0x7D is 1000 MWh.
# Happens: the factor is not applied, in neither direction: 1000 kWh are 1000000 Wh with
# 0x7D, with 0x73 (a thousandth) and without any. All that is left of it is "unknown
# enhancement" in another field. For units that a meter spells out as text the same
# library does know the factors. Seen with pymeterbus 0.8.5.
# Why it matters: large heat meters, of a house with many flats, may use 0x7D. The
# reading looks right, counts up, and is a thousandth.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(pymeterbus==0.8.5)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from importlib.metadata import version

import meterbus

HEAD = bytes.fromhex("08 01 72 78563412 2423 28 04 01 00 0000")


def read(record):
    """Return the value and unit of one record, in a frame as a meter sends it."""
    data = HEAD + bytes.fromhex(record)
    frame = bytes((0x68, len(data), len(data), 0x68)) + data
    telegram = meterbus.load(frame + bytes((sum(data) & 0xFF, 0x16)))
    found = telegram.records[0].interpreted
    return int(found["value"]), found["unit"], found.get("unit_enh")


print("pymeterbus", version("pymeterbus"))
seen = {}
for name, record in (
    ("1000 kWh", "04 06 e8030000"),
    ("1000 kWh, times 1000", "04 86 7d e8030000"),
    ("1000 kWh, times 1/1000", "04 86 73 e8030000"),
):
    seen[name] = read(record)
    print(f"{name} ({record}):", *seen[name])
assert [value for value, *_ in seen.values()] == [1_000_000] * 3, seen
assert {unit for _, unit, _ in seen.values()} == {"MeasureUnit.WH"}, seen
assert seen["1000 kWh, times 1000"][2] == "VIFUnitEnhExt.UNKNOWN_ENHANCEMENT", seen
EOF
