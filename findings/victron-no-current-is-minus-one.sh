#!/usr/bin/env bash
# A Victron battery monitor that cannot tell its current, read with victron-ble.
# Expected: each field of the advertisement has a value for "not available", and the
# library gives None for it, as it does for voltage, state of charge and consumed Ah.
# Happens: for the current that value is 22 bits of ones. They are read as a signed
# number, -1, and then compared with 0x3FFFFF, which a signed number of 22 bits never
# is. The current is -0.001 A. Seen with victron-ble 0.9.3.
# Why it matters: nothing is missing: the sensor stays available, and shows a battery
# that is neither charged nor used.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(victron-ble==0.9.3)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from importlib.metadata import version

from victron_ble.devices.battery_monitor import BatteryMonitor, BatteryMonitorData


def record(voltage, current, charge):
    """Pack a record: each field behind the one before it, lowest bit first."""
    number = place = 0
    for value, bits in (
        (0xFFFF, 16),  # time to go: not available
        (voltage, 16),
        (0, 16),  # alarm: none
        (0, 16),  # auxiliary input
        (3, 2),  # which is not used
        (current, 22),
        (0xFFFFF, 20),  # consumed Ah: not available
        (charge, 10),
    ):
        number |= (value & (1 << bits) - 1) << place
        place += bits
    return number.to_bytes(16, "little")


print("victron-ble", version("victron-ble"))
monitor = BatteryMonitor("00" * 16)
seen = {}
for name, fields in {
    "charging": (1320, 1500, 800),
    "discharging": (1320, -1500, 800),
    "not available": (0x7FFF, 0x3FFFFF, 0x3FF),
}.items():
    data = BatteryMonitorData(0, monitor.parse_decrypted(record(*fields)))
    seen[name] = (data.get_voltage(), data.get_current(), data.get_soc())
    print(f"{name}: {seen[name][0]} V, {seen[name][1]} A, {seen[name][2]} %")
assert seen == {
    "charging": (13.2, 1.5, 80.0),
    "discharging": (13.2, -1.5, 80.0),
    "not available": (None, -0.001, None),
}, seen
EOF
