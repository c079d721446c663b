#!/usr/bin/env bash
# A monthly bill, as statistics: one value for each month, dated at its beginning.
# Expected: from January to any month there are as many months as were imported.
# Happens: the last value of a month is found by looking 31 days of 24 hours ahead. From 1
# October, midnight, that is 31 October, 23:00, since the clocks are put back: still the
# same month, and the last one is dropped. Ten months are nine, until a value of November
# comes. It is the same for the day and the week in which the clocks change, as long as
# their first hour is all there is. Seen with Home Assistant 2026.10.4; mended in 2026.11.0.
# Why it matters: bills and meters that are read once a month are imported this way, and
# October's is missing in graphs and sums for as long as it is the latest.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(homeassistant==2026.10.4 SQLAlchemy==2.0.54 fnv-hash-fast==2.0.3 psutil-home-assistant==0.0.1)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
import asyncio
from datetime import datetime
import logging
import sys
from zoneinfo import ZoneInfo

from homeassistant import bootstrap, loader
from homeassistant.config_entries import ConfigEntries
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers import recorder
from homeassistant.setup import async_setup_component

logging.disable()
BERLIN = ZoneInfo("Europe/Berlin")


async def start(folder, *domains, config=None):
    """Start a Home Assistant with no more than is asked for."""
    hass = HomeAssistant(folder)
    loader.async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = ConfigEntries(hass, {})
    recorder.async_initialize_recorder(hass)
    await bootstrap.async_load_base_functionality(hass)
    await async_setup_component(hass, "homeassistant", {})
    await hass.config.async_set_time_zone("Europe/Berlin")
    for domain in domains:
        assert await async_setup_component(hass, domain, config or {}), domain
    await hass.async_start()
    await hass.async_block_till_done()
    return hass


async def main():
    hass = await start(
        sys.argv[1],
        "recorder",
        config={"recorder": {"db_url": f"sqlite:///{sys.argv[1]}/test.db"}},
    )
    from homeassistant.components.recorder import get_instance
    from homeassistant.components.recorder.models import StatisticMeanType
    from homeassistant.components.recorder.statistics import (
        async_add_external_statistics,
        statistics_during_period,
    )
    from homeassistant.components.recorder.tasks import SynchronizeTask

    instance = get_instance(hass)
    metadata = {
        "source": "grid",
        "statistic_id": "grid:used",
        "name": "Used",
        "unit_of_measurement": "kWh",
        "unit_class": "energy",
        "has_sum": True,
        "mean_type": StatisticMeanType.NONE,
    }
    async_add_external_statistics(
        hass,
        metadata,
        [
            {
                "start": datetime(2025, month, 1, tzinfo=BERLIN),
                "state": 100,
                "sum": 100 * month,
            }
            for month in range(1, 13)
        ],
    )
    done = asyncio.get_running_loop().create_future()
    instance.queue_task(SynchronizeTask(done))
    await done
    seen = []
    for month in range(1, 13):
        found = await instance.async_add_executor_job(
            statistics_during_period,
            hass,
            datetime(2025, 1, 1, tzinfo=BERLIN),
            datetime(2025, month, 15, tzinfo=BERLIN),
            {"grid:used"},
            "month",
            None,
            {"change"},
        )
        rows = found["grid:used"]
        seen.append((len(rows), sum(row["change"] for row in rows)))
        print(f"until month {month}: {seen[-1][0]} rows, {seen[-1][1]} kWh")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == [
        (count, 100.0 * count) for count in (1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 11, 12)
    ], seen


asyncio.run(main())
EOF
