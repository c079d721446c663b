#!/usr/bin/env bash
# The energy dashboard, with a price that changes each hour, and a meter that is read
# once an hour: at 3:00:10 it says what was used from 2 to 3.
# Expected: what was used from 2 to 3 costs what the dashboard shows as the price from 2
# to 3; the energy itself is told in that hour's bar, or close to it.
# Happens: the costs are reckoned when the meter moves, with the price of that moment
# and no other. Each hour costs what the next one does: 30 kWh in three hours at 0.10
# cost 5.00 instead of 3.00, and 13.00 instead of 15.00 in three dear ones. While no
# price is known, nothing is reckoned; all of it then costs what the first hour does in
# which the meter moves: 31 kWh at 0.50 for what was 0.10. Nothing tells of it. Seen with
# Home Assistant 2026.11.0.
# Why it matters: clouds are read every so many minutes, and a reading that comes just
# before an hour is over is worth more than one just after it. Who sells by the hour
# sends a bill that differs from the dashboard in every hour but the flat ones.
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


# What a kWh costs from each hour on: cheap from 2 to 5, dear from 18 to 21.
PRICES = [0.10 if 2 <= h < 5 else 0.50 if 18 <= h < 21 else 0.30 for h in range(24)]


async def main():
    hass = await start(sys.argv[1], "sensor")
    await hass.config.async_update(currency="EUR")
    from homeassistant.components.energy.sensor import SOURCE_ADAPTERS, EnergyCostSensor

    hass.data["energy"] = {"cost_sensors": {}}
    grid = next(a for a in SOURCE_ADAPTERS if a.source_type == "grid")

    async def day(name, used, prices):
        """Live through a day; return what the dashboard says that it cost."""
        price_id, meter_id = f"sensor.price_of_{name}", f"sensor.meter_of_{name}"

        def price(value):
            hass.states.async_set(price_id, value, {"unit_of_measurement": "EUR/kWh"})

        def meter(value):
            hass.states.async_set(
                meter_id,
                str(value),
                {
                    "device_class": "energy",
                    "state_class": "total_increasing",
                    "unit_of_measurement": "kWh",
                },
            )

        total = 1000
        price(prices[23])
        meter(total)
        cost = EnergyCostSensor(
            grid,
            {
                "stat_energy_from": meter_id,
                "stat_cost": None,
                "entity_energy_price": price_id,
                "number_energy_price": None,
            },
        )
        await hass.data["sensor"].async_add_entities([cost])
        for hour in range(24):
            # On the hour the price changes, ten seconds later the meter is read.
            price(prices[hour])
            await hass.async_block_till_done()
            total += used.get(hour - 1, 0)
            meter(total)
            await hass.async_block_till_done()
        return round(float(hass.states.get(f"{meter_id}_cost").state), 2)

    cheap = dict.fromkeys((2, 3, 4), 10)
    dear = dict.fromkeys((18, 19, 20), 10)
    known = [str(price) for price in PRICES]
    # The price comes back in the dear hours.
    outage = ["unavailable" if 2 <= hour < 18 else known[hour] for hour in range(24)]
    seen = {}
    for name, used, prices in (
        ("cheap", cheap, known),
        ("dear", dear, known),
        ("outage", cheap | {17: 1}, outage),
    ):
        bill = round(sum(kwh * PRICES[hour] for hour, kwh in used.items()), 2)
        seen[name] = (bill, await day(name, used, prices))
        print(f"{name}: on the bill {seen[name][0]} EUR, here {seen[name][1]} EUR")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == {
        "cheap": (3.0, 5.0),
        "dear": (15.0, 13.0),
        "outage": (3.3, 15.5),
    }, seen


asyncio.run(main())
EOF
