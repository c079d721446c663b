#!/usr/bin/env bash
# A new inverter that has produced nothing yet, read with pysunspec2.
# Expected: its energy counter (WH of model 103) is 0, and "not there" is a value of its
# own, as for all other numbers (0x8000, 0xFFFF).
# Happens: for SunSpec's accumulators "not there" is 0. The counter is None on the first
# day, or after each night if it is one of the day, and the same point is a number an
# hour later. Writing None writes 0. Seen with pysunspec2 1.3.7.
# Why it matters: "create a sensor for what the device has" leaves the energy out of a
# new plant, and a total that turns unavailable is no total.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(pysunspec2==1.3.7)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from importlib.metadata import version
import struct

from sunspec2.device import Model


def inverter(**values):
    """Return a three-phase inverter as it is read from its registers."""
    template = Model(103)
    data = b""
    length = sum(point.len for point in template.points.values())
    for name, point in template.points.items():
        if name == "ID":
            data += struct.pack(">H", 103)
        elif name == "L":
            data += struct.pack(">H", length - 2)
        else:
            point.value = values.get(name)
            data += point.get_mb()
    return Model(103, data=data)


print("pysunspec2", version("pysunspec2"))
seen = []
for energy in (0, 1):
    points = inverter(W=0, W_SF=0, WH=energy, WH_SF=0).points
    seen.append((points["W"].cvalue, points["WH"].cvalue, points["DCA"].cvalue))
    print(
        f"registers of {energy} Wh: power {seen[-1][0]}, energy {seen[-1][1]},"
        f" a point that is not there {seen[-1][2]}"
    )
assert seen == [(0, None, None), (0, 1, None)], seen
EOF
