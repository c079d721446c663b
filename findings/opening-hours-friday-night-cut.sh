#!/usr/bin/env bash
# A cheap night rate from Monday to Friday, written as opening hours of OpenStreetMap.
# Expected: "Mo-Fr 22:00-06:00" ends on Saturday at 06:00, and it does. What is added for
# other days ("; Sa,Su off", or a rate for Saturday noon) leaves that night alone.
# Happens: a rule after ";" takes the whole of its days, and with them the end of the
# night that began the evening before: Friday's stops at midnight. With "Su off" it is
# the other way round, too: Monday from 00:00 to 06:00 belongs to a night that Sunday
# does not have, and stays. After "," a rule only adds. Seen with opening-hours-py 2.1.4.
# Why it matters: the rule that was there and is right is changed by a rule that says
# nothing about it, by six hours in each week.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(opening-hours-py==2.1.4 tzdata==2026.1)
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

from opening_hours import OpeningHours

print("opening-hours-py", version("opening-hours-py"))
BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY, TUESDAY = (datetime(2026, 11, day, 12, tzinfo=BERLIN) for day in (6, 10))
seen = {}
for text in (
    "Mo-Fr 22:00-06:00",
    "Mo-Fr 22:00-06:00; Sa,Su off",
    "Mo-Fr 22:00-06:00; Sa 10:00-14:00",
    "Mo-Fr 22:00-06:00, Sa 10:00-14:00",
    "22:00-06:00; Su off",
):
    seen[text] = [
        f"{begin:%a %H:%M}-{end:%a %H:%M}"
        for begin, end, state, *_ in OpeningHours(text, timezone=BERLIN).intervals(
            FRIDAY, TUESDAY
        )
        if str(state) == "open"
    ]
    print(f"{text}:", ", ".join(seen[text]))
MONDAY = "Mon 22:00-Tue 06:00"
assert list(seen.values()) == [
    ["Fri 22:00-Sat 06:00", MONDAY],
    ["Fri 22:00-Sat 00:00", MONDAY],
    ["Fri 22:00-Sat 00:00", "Sat 10:00-Sat 14:00", MONDAY],
    ["Fri 22:00-Sat 06:00", "Sat 10:00-Sat 14:00", MONDAY],
    ["Fri 22:00-Sat 06:00", "Sat 22:00-Sun 00:00", "Mon 00:00-Mon 06:00", MONDAY],
], seen
EOF
