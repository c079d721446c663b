#!/usr/bin/env bash
# The bits of a status register, with pymodbus' DATATYPE.BITS.
# Expected: register 1 has bit 0 set, register 0x0100 bit 8, as every list of a device's
# registers counts them: the list of bits is [True, False, ...] for 1.
# Happens: the two bytes of the register are taken in the order in which they travel:
# bit 0 is number 8 of the list, and number 0 is bit 8. Writing does the same, so a test
# that writes and reads back is green. Seen with pymodbus 3.13.1.
# Why it matters: "fault in bit 2" of an inverter or charger is found at number 10, and
# a control word that is made this way sets the wrong switch.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(pymodbus==3.13.1)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
import pymodbus
from pymodbus.client.mixin import ModbusClientMixin as Client

print("pymodbus", pymodbus.__version__)
seen = {}
for bit in (0, 2, 8, 15):
    bits = Client.convert_from_registers([1 << bit], Client.DATATYPE.BITS)
    seen[bit] = bits.index(True)
    print(f"register {1 << bit:#06x}, bit {bit}: number {seen[bit]} of {len(bits)}")
first = [True] + 15 * [False]
written = Client.convert_to_registers(first, Client.DATATYPE.BITS)
back = Client.convert_from_registers(written, Client.DATATYPE.BITS)
print(f"only number 0 written: register {written[0]:#06x}, read back alike: {back == first}")
assert seen == {0: 8, 2: 10, 8: 0, 15: 7}, seen
assert written == [0x0100], written
assert back == first, back
EOF
