#!/usr/bin/env bash
# The time of a British meter, as twelve bytes of DLMS/COSEM, in summer and in winter.
# Expected: a deviation of 0 from UTC is a zone; 0x8000 is "not specified" (Blue Book
# 4.1.6.1). What a library writes it reads back the same.
# Happens: dlms-cosem takes 0 for "none". Summer comes back with +01:00, winter as a time
# without a zone, which is the same as what a meter that knows no zone sends. gurux-dlms
# tells the three apart. Seen with dlms-cosem 25.1.0 and gurux-dlms 1.0.203.
# Why it matters: Britain, Ireland, Portugal, and every meter that is set to UTC. What
# compares or subtracts readings works all summer and raises TypeError from October on,
# or the time is taken for local time of another country.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(dlms-cosem==25.1.0 gurux-dlms==1.0.203 tzdata==2026.1)
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

from dlms_cosem.time import datetime_from_bytes, datetime_to_bytes
from gurux_dlms import GXDLMSClient
from gurux_dlms.enums import DataType

print("dlms-cosem", version("dlms-cosem"), "gurux-dlms", version("gurux-dlms"))
LONDON = ZoneInfo("Europe/London")
seen = []
for name, moment in (
    ("summer", datetime(2026, 7, 1, 12, tzinfo=LONDON)),
    ("winter", datetime(2026, 1, 1, 12, tzinfo=LONDON)),
    ("no zone", datetime(2026, 1, 1, 12)),
):
    data = datetime_to_bytes(moment)
    found, _status = datetime_from_bytes(data)
    other = GXDLMSClient.changeType(bytearray(data), DataType.DATETIME).value
    seen.append((found.isoformat(), other.isoformat()))
    print(f"{name}: written {moment.isoformat()}, bytes {data.hex()}")
    print("  dlms-cosem reads", seen[-1][0], "and gurux-dlms", seen[-1][1])
assert seen == [
    ("2026-07-01T12:00:00+01:00", "2026-07-01T12:00:00+01:00"),
    ("2026-01-01T12:00:00", "2026-01-01T12:00:00+00:00"),
    ("2026-01-01T12:00:00", "2026-01-01T12:00:00"),
], seen
EOF
