#!/usr/bin/env bash
# A GoodWe battery that reports a fault, read with goodwe, the library of Home Assistant.
# Expected: the sensor "Battery Error" names what the two registers say: all sixteen
# errors that the library knows are in the lower one, "Battery Error L".
# Happens: the two are joined with "high << 16 + low", which Python reads as high << (16
# + low). The high one is 0, and 0 shifted is 0: whatever is wrong, the text is empty,
# and the number stands next to it in battery_error_l. "Battery Warning" is made the same
# way. Seen with goodwe 0.4.10.
# Why it matters: an automation on "Battery Error is not empty" has never gone off, and
# will not: not for a broken cell, nor for a DC bus fault.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(goodwe==0.4.10)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from importlib.metadata import version

from goodwe.const import BMS_ALARM_CODES
from goodwe.et import ET
from goodwe.protocol import ProtocolResponse

FIRST, COUNT = 37000, 24  # the registers of the battery, as the library reads them
inverter = ET("127.0.0.1", 8899)
command = inverter._READ_BATTERY_INFO
assert command.first_address == FIRST, command
sensors = {sensor.id_: sensor for sensor in inverter._sensors_battery}


def read(**registers):
    """Return what the library makes of an answer with these registers."""
    data = bytearray(2 * COUNT)
    for name, value in registers.items():
        at = 2 * (sensors[name].offset - FIRST)
        data[at : at + 2] = value.to_bytes(2)
    answer = bytes(5) + bytes(data) + bytes(2)  # the header and the checksum go off
    response = ProtocolResponse(answer, command)
    return {name: sensors[name].read(response) for name in NAMES}


NAMES = ("battery_error_l", "battery_error", "battery_warning_l", "battery_warning")
print("goodwe", version("goodwe"))
assert max(BMS_ALARM_CODES) == 15, BMS_ALARM_CODES
seen = set()
for bit, name in sorted(BMS_ALARM_CODES.items()):
    found = read(battery_error_l=1 << bit, battery_warning_l=1 << bit)
    assert found["battery_error_l"] == 1 << bit, found
    assert found["battery_warning_l"] == 1 << bit, found
    seen |= {found["battery_error"], found["battery_warning"]}
    print(f"bit {bit:2} ({name}): battery_error is {found['battery_error']!r}")
assert seen == {""}, seen
EOF
