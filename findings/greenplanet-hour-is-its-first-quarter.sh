#!/usr/bin/env bash
# greenplanet-energy-api's cheapest price, of the quarters that the service tells.
# Expected: the lowest price of the day is that of its cheapest quarter.
# Happens: an hour is its quarter at :00. Three cheap quarters after it are not found,
# and one before three dear ones is the best of the day. On the 25-hour day the second
# 02:00 replaces the first: 96 quarters of 100 are left. Seen with
# greenplanet-energy-api 0.1.10.
# Why it matters: Home Assistant's sensors come from there; the bill goes by quarters.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(greenplanet-energy-api==0.1.10 freezegun==1.5.5 tzdata==2026.1)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from datetime import datetime, timedelta
from importlib.metadata import version
from zoneinfo import ZoneInfo

from freezegun import freeze_time
from greenplanet_energy_api import GreenPlanetEnergyAPI

BERLIN = ZoneInfo("Europe/Berlin")
UTC = ZoneInfo("UTC")


def answer(year, month, day, prices):
    """Return a day of the service: each quarter in local time, with its price."""
    begin = datetime(year, month, day, tzinfo=BERLIN)
    end = (begin + timedelta(days=1)).astimezone(UTC)
    moment = begin.astimezone(UTC)
    times, values = [], []
    while moment < end:
        local = moment.astimezone(BERLIN)
        times.append(f"{local:%d.%m.%y, %H:%M} Uhr")
        values.append(str(prices.get(f"{local:%H:%M}", 30.0)).replace(".", ","))
        moment += timedelta(minutes=15)
    return {"result": {"errorCode": 0, "datum": times, "wert": values}}


api = GreenPlanetEnergyAPI()
with freeze_time("2026-11-16 08:00"):
    prices = {"12:15": 5.0, "12:30": 5.0, "12:45": 5.0, "14:00": 20.0}
    prices |= {"14:15": 40.0, "14:30": 40.0, "14:45": 40.0}
    data = api._process_response(answer(2026, 11, 16, prices))
    lowest, hour = api.get_lowest_price_day_with_hour(data)
with freeze_time("2026-10-25 08:00"):
    day = answer(2026, 10, 25, {})
    told = len(day["result"]["datum"])
    kept = sum(key.count("_") == 3 for key in api._process_response(day))
print("greenplanet-energy-api", version("greenplanet-energy-api"))
print(f"12:15-13:00 costs 5, 14:00-14:15 20, 14:15-15:00 40, all else 30: {lowest} at {hour}")
print(f"the 25-hour day: {told} quarters told, {kept} kept")
assert (lowest, hour) == (20.0, 14), (lowest, hour)
assert data["gpe_price_12_15"] == 5.0, data
assert (told, kept) == (100, 96), (told, kept)
EOF
