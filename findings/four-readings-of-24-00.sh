#!/usr/bin/env bash
# A window that ends at the end of the day, "24:00", in Home Assistant and its Python.
# Expected: one answer: either it is a time, or it is none.
# Happens: the schedule helper takes it, as the end of the day. cv.time (actions, triggers,
# time selectors) refuses it, and dt_util.parse_time says None. Python 3.14 reads the bare
# time as 00:00, the beginning of the same day, and with a date as the beginning of the next
# day, which dt_util.parse_datetime does too. Seen with Home Assistant 2026.11.0.
# Why it matters: tariffs and schedules of this field end at 24:00. Taken with
# time.fromisoformat they end 24 hours early, and nothing is raised.
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
from datetime import datetime, time

from homeassistant.components.schedule.schema import ENTITY_SCHEMA
from homeassistant.const import __version__
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import probatio


def schedule(text):
    """Return what the schedule helper makes of a block's end."""
    block = {"from": "18:00", "to": text}
    return ENTITY_SCHEMA({"id": "x", "name": "x", "monday": [block]})["monday"][0]["to"]


def answer(function, text):
    """Return what a function makes of a text."""
    try:
        return str(function(text))
    except probatio.Invalid:
        return "refused"


seen = {}
for name, function, text in (
    ("schedule helper", schedule, "24:00"),
    ("cv.time", cv.time, "24:00"),
    ("dt_util.parse_time", dt_util.parse_time, "24:00"),
    ("time.fromisoformat", time.fromisoformat, "24:00"),
    ("datetime.fromisoformat", datetime.fromisoformat, "2026-11-28T24:00"),
    ("dt_util.parse_datetime", dt_util.parse_datetime, "2026-11-28T24:00"),
):
    seen[name] = answer(function, text)
    print(f"{name}: {text} -> {seen[name]}")
print("Home Assistant", __version__)
assert seen == {
    "schedule helper": "23:59:59.999999",
    "cv.time": "refused",
    "dt_util.parse_time": "None",
    "time.fromisoformat": "00:00:00",
    "datetime.fromisoformat": "2026-11-29 00:00:00",
    "dt_util.parse_datetime": "2026-11-29 00:00:00",
}, seen
EOF
