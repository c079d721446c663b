#!/usr/bin/env bash
# An OpenADR 3 interval of ten days, read and written again with the library openadr3.
# Expected: what it writes is a duration as ISO 8601 has it, and it reads its own.
# Happens: whole weeks are taken out of the days: P10D is written as P1W3D, P30D as
# P4W2D. ISO 8601 has weeks alone or not at all, and the library itself refuses to read
# that. P7D, P14D and all below a week come back well. openadr3-client, a library for the
# same standard, takes both forms. Seen with openadr3 0.5.0 and openadr3-client 2.4.2.
# Why it matters: a test with an hour, a day or a week is green. A month of 30 days is
# the usual length of a tariff's event, and goes out in a form that the other side may
# refuse.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(openadr3==0.5.0 openadr3-client==2.4.2)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from importlib.metadata import version

from openadr3 import IntervalPeriod
from openadr3_client._models.common.interval_period import IntervalPeriod as Other

for name in ("openadr3", "openadr3-client"):
    print(name, version(name))
START = "2027-01-01T00:00:00Z"


def read(model, duration):
    """Return how many days a library reads, or that it cannot."""
    try:
        period = model({"start": START, "duration": duration})
    except ValueError:
        return "refused"
    return period.duration.days


seen = {}
for duration in ("P6D", "P7D", "P10D", "P30D"):
    period = IntervalPeriod.from_raw({"start": START, "duration": duration})
    written = period.model_dump(mode="json")["duration"]
    again = read(IntervalPeriod.from_raw, written)
    seen[duration] = (written, again, read(Other.model_validate, written))
    print(f"{duration} is written as {written}; read again: openadr3 {again}", end=", ")
    print(f"openadr3-client {seen[duration][2]}")
assert seen == {
    "P6D": ("P6D", 6, 6),
    "P7D": ("P1W", 7, 7),
    "P10D": ("P1W3D", "refused", 10),
    "P30D": ("P4W2D", "refused", 30),
}, seen
EOF
