#!/usr/bin/env bash
# The Spanish tariff's periods (P1, P2, P3), from the library esios-api.
# Expected: the periods follow from the weekday, the hour and the public holidays, of any year.
# Happens: the holidays are a table that ends with 2028, without a word or a default. From the
# last weekend of 2028 on, asking for the present period raises KeyError, because it looks for
# the next one as well. Good Friday was cheap all day (P3) until 2025, and is not in the table
# from 2026 on. Seen with esios-api 4.4.0.
# Why it matters: the sensor of the period stops before a New Year, in houses that nobody
# updates, and a holiday's price changed without any rule having changed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(esios-api==4.4.0)
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

from esios_api.pvpc_tariff import get_current_and_next_tariff_periods

seen = {}
for name, moment in (
    ("Good Friday 2025", datetime(2025, 4, 18, 11)),
    ("Good Friday 2026", datetime(2026, 4, 3, 11)),
    ("a Friday of 2028", datetime(2028, 12, 29, 11)),
    ("30 December 2028", datetime(2028, 12, 30, 11)),
    ("2 January 2029", datetime(2029, 1, 2, 11)),
):
    try:
        seen[name] = get_current_and_next_tariff_periods(moment, False)[0]
    except KeyError as err:
        seen[name] = f"KeyError {err}"
    print(f"{name}: {seen[name]}")
print("esios-api", version("esios-api"))
assert seen == {
    "Good Friday 2025": "P3",
    "Good Friday 2026": "P1",
    "a Friday of 2028": "P1",
    "30 December 2028": "KeyError 2029",
    "2 January 2029": "KeyError 2029",
}, seen
EOF
