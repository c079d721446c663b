#!/usr/bin/env bash
# A charging window from 02:30 to 05:00 in the October night, in any calendar entity.
# Expected: the calendar is on from 02:30 until 05:00: for three and a half hours.
# Happens: it is on for half an hour, off for the next one, from when the clocks are put
# back until they show 02:30 again, and then on: the entity compares times of one zone,
# which Python does by the figures of the clock. A window of 40 minutes from 02:30 to
# 02:10 is refused altogether, as it ends before it starts by those figures. Seen with
# Home Assistant 2026.11.0.
# Why it matters: automations at the calendar's "off" stop the charge after half an
# hour, once a year, in the night with the cheapest wind.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(homeassistant==2026.11.0 ical==14.3.1)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from homeassistant.components.calendar import CalendarEntity, CalendarEvent
from homeassistant.const import __version__
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

print("Home Assistant", __version__)
dt_util.set_default_time_zone(dt_util.get_time_zone("Europe/Berlin"))
START = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


class Window(CalendarEntity):
    event = CalendarEvent(
        start=dt_util.as_local(START),
        end=dt_util.as_local(START + timedelta(hours=3, minutes=30)),
        summary="Charge",
    )


window, seen = Window(), []
for minutes in (0, 25, 35, 85, 95, 205):
    now = START + timedelta(minutes=minutes)
    with patch.object(dt_util, "now", return_value=dt_util.as_local(now)):
        seen.append(window.state)
    print(f"{minutes:3} minutes in, {dt_util.as_local(now):%H:%M%z}: {seen[-1]}")
assert seen == ["on", "on", "off", "on", "on", "on"], seen

try:
    CalendarEvent(
        start=dt_util.as_local(START),
        end=dt_util.as_local(START + timedelta(minutes=40)),
        summary="Charge",
    )
except HomeAssistantError as err:
    print("40 minutes:", err)
    assert "minimum event duration" in str(err)
else:
    raise SystemExit("A window of 40 minutes is taken now")
EOF
