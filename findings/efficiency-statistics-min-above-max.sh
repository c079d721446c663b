#!/usr/bin/env bash
# Long-term statistics of a car's consumption, asked for in km/kWh.
# Expected: in another unit, too, min <= mean <= max, and the mean is the mean.
# Happens: km/kWh is the inverse of kWh/100km, and each figure is turned over by itself:
# min 10, mean 5, max 2. An hour half at 10 and half at 2 km/kWh, so 6 in the mean, is
# said to be 3.33, and a minimum of 0 is no figure. Seen with Home Assistant 2026.11.0.
# Why it matters: what draws a band from min to max draws it upside down.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(homeassistant==2026.11.0 SQLAlchemy==2.0.54 fnv-hash-fast==2.0.3 psutil-home-assistant==0.0.1)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
import asyncio
from datetime import UTC, datetime, timedelta
import logging
import sys

from homeassistant import bootstrap, loader
from homeassistant.config_entries import ConfigEntries
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers import recorder
from homeassistant.setup import async_setup_component

logging.disable()


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

    begin = datetime(2026, 11, 2, 12, tzinfo=UTC)
    rows = ((10, 20, 50), (10, 30, 50), (0, 20, 50))
    async_add_external_statistics(
        hass,
        {
            "source": "car",
            "statistic_id": "car:consumption",
            "name": "Consumption",
            "unit_of_measurement": "kWh/100km",
            "unit_class": "energy_distance",
            "has_sum": False,
            "mean_type": StatisticMeanType.ARITHMETIC,
        },
        [
            {"start": begin + timedelta(hours=hour), "min": low, "mean": mean, "max": high}
            for hour, (low, mean, high) in enumerate(rows)
        ],
    )
    instance = get_instance(hass)
    await instance.async_block_till_done()
    found = await instance.async_add_executor_job(
        statistics_during_period,
        hass,
        begin,
        None,
        {"car:consumption"},
        "hour",
        {"energy_distance": "km/kWh"},
        {"min", "mean", "max"},
    )
    seen = []
    for row, given in zip(found["car:consumption"], rows, strict=True):
        seen.append(
            tuple(
                None if row[key] is None else round(row[key], 2)
                for key in ("min", "mean", "max")
            )
        )
        print("kWh/100km min, mean, max", given, "-> km/kWh", seen[-1])
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == [(10.0, 5.0, 2.0), (10.0, 3.33, 2.0), (None, 5.0, 2.0)], seen


asyncio.run(main())
EOF
