#!/usr/bin/env bash
# Durations of an OpenADR 3 event: a month, and for ever, with openadr3-client.
# Expected: "P1M" from 1 February ends on 1 March, and "P9999Y", which OpenADR uses for
# "without end", can be put behind a start.
# Happens: both become a timedelta, which knows no months: P1M is 30 days in every month,
# P1Y is 365 days in every year, and start + duration of P9999Y raises OverflowError.
# Written again, P1Y stays P1Y and P1M is P30D. Seen with openadr3-client 2.4.2.
# Why it matters: monthly tariffs drift away from the calendar, and the plainest event of
# all, one price for ever, is the one whose end cannot be computed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(openadr3-client==2.4.2)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from datetime import UTC, datetime
from importlib.metadata import version

from openadr3_client._models.common.interval_period import IntervalPeriod

seen = {}
for start, duration in (
    (datetime(2027, 2, 1, tzinfo=UTC), "P1M"),
    (datetime(2027, 3, 1, tzinfo=UTC), "P1M"),
    (datetime(2028, 1, 1, tzinfo=UTC), "P1Y"),
    (datetime(2027, 1, 1, tzinfo=UTC), "P9999Y"),
):
    period = IntervalPeriod.model_validate({"start": start, "duration": duration})
    try:
        end = f"{period.start + period.duration:%Y-%m-%d}"
    except OverflowError as err:
        end = type(err).__name__
    written = period.model_dump(mode="json")["duration"]
    seen[f"{start:%Y-%m-%d} {duration}"] = (end, written)
    print(f"from {start:%Y-%m-%d} for {duration}: until {end}, written as {written}")
print("openadr3-client", version("openadr3-client"))
assert seen == {
    "2027-02-01 P1M": ("2027-03-03", "P30D"),
    "2027-03-01 P1M": ("2027-03-31", "P30D"),
    "2028-01-01 P1Y": ("2028-12-31", "P1Y"),
    "2027-01-01 P9999Y": ("OverflowError", "P9999Y"),
}, seen
EOF
