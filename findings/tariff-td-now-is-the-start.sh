#!/usr/bin/env bash
# The Spanish tariff's period right now, from the library tariff-td.
# Expected: get_period() and get_price() take a date, or the present one when there is
# none.
# Happens: the date that they take then is that of the moment at which the library was
# imported. A program that was started at noon is in the dear period P1 at night, at the
# weekend and next month. With datetime.now() handed in it is right. Seen with tariff-td
# 1.1.
# Why it matters: on the day of writing it works, in a test that lasts a second it works,
# and what runs for weeks charges at the price of its start.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(tariff-td==1.1 holidays==0.107 freezegun==1.5.5)
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

from freezegun import freeze_time

print("tariff-td", version("tariff-td"))
seen = []
with freeze_time("2026-11-02 12:00") as clock:
    from tariff_td import Tariff20TD

    tariff = Tariff20TD(p1=0.17, p2=0.15, p3=0.10)
    for moment in ("2026-11-02 12:00", "2026-11-03 03:00", "2026-11-07 12:00"):
        clock.move_to(moment)
        period, right = tariff.get_period(), tariff.get_period(datetime.now())
        seen.append((period, tariff.get_price(), right))
        print(f"{moment}: {period} at {tariff.get_price()}, with a date {right}")
assert seen == [("P1", 0.17, "P1"), ("P1", 0.17, "P3"), ("P1", 0.17, "P3")], seen
EOF
