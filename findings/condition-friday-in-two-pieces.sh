#!/usr/bin/env bash
# "Between 22:00 and 06:00, on Friday", as a condition of a Home Assistant automation.
# Expected: one night of eight hours: Friday's, which ends on Saturday morning, as the
# schedule of a cheap tariff has it, since the condition does know times over midnight.
# Happens: the weekday is that of the moment, not that of the window's beginning. It is
# true on Friday from 00:00 to 06:00, which is the end of Thursday's night, and from 22:00
# to 24:00: two pieces of two nights, which are eight hours as well. Seen with Home
# Assistant 2026.11.0.
# Why it matters: the car is charged in the wrong night's small hours, and a test in the
# evening, or a count of hours, does not show it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(homeassistant==2026.11.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
import asyncio
from datetime import datetime, timedelta
import sys
from unittest.mock import patch
from zoneinfo import ZoneInfo

from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers import condition, config_validation as cv

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = {
    "condition": "time",
    "after": "22:00",
    "before": "06:00",
    "weekday": ["fri"],
}


async def main():
    hass = HomeAssistant(sys.argv[1])
    checked = await condition.async_validate_condition_config(
        hass, cv.CONDITION_SCHEMA(NIGHT)
    )
    test = await condition.async_from_config(hass, checked)
    seen = []
    begin = datetime(2026, 11, 5, 12, tzinfo=BERLIN)  # a Thursday
    for hour in range(60):
        now = begin + timedelta(hours=hour)
        with patch("homeassistant.util.dt.now", return_value=now):
            if test(hass):
                seen.append(f"{now:%a %H}")
    print("Home Assistant", __version__)
    print("true at", ", ".join(seen))
    assert seen == [f"Fri {hour:02}" for hour in (0, 1, 2, 3, 4, 5, 22, 23)], seen


asyncio.run(main())
EOF
