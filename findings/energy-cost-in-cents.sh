#!/usr/bin/env bash
# The energy dashboard, with a price sensor in ct/kWh.
# Expected: the dashboard either reads ct as hundredths, or says that it wants EUR/kWh:
# it has a check of the price's unit, with a repair for it.
# Happens: the check and the calculation look at what stands behind the slash only. 2
# kWh at 30 ct/kWh cost 60 EUR, at SEK/kWh as many EUR, and the check has nothing to
# say; Wh and MWh behind the slash are converted. Seen with Home Assistant 2026.11.0.
# Why it matters: many libraries of this field tell prices in cents, and costs that were
# once written into the statistics are not computed anew.
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


async def main():
    hass = await start(sys.argv[1], "sensor")
    await hass.config.async_update(currency="EUR")
    from homeassistant.components.energy.sensor import SOURCE_ADAPTERS, EnergyCostSensor
    from homeassistant.components.energy.validate import (
        ENERGY_PRICE_UNIT_ERROR,
        ENERGY_PRICE_UNITS,
        ValidationIssues,
        _async_validate_price_entity,
    )

    hass.data["energy"] = {"cost_sensors": {}}
    grid = next(a for a in SOURCE_ADAPTERS if a.source_type == "grid")

    def meter(entity_id, value):
        hass.states.async_set(
            entity_id,
            value,
            {
                "device_class": "energy",
                "state_class": "total_increasing",
                "unit_of_measurement": "kWh",
            },
        )

    seen = {}
    for number, (price, unit) in enumerate(
        (
            ("0.30", "EUR/kWh"),
            ("300", "EUR/MWh"),
            ("30", "ct/kWh"),
            ("3.3", "SEK/kWh"),
            ("0.30", "EUR"),
        )
    ):
        energy = f"sensor.energy_{number}"
        entity_id = f"sensor.price_{number}"
        hass.states.async_set(entity_id, price, {"unit_of_measurement": unit})
        meter(energy, "10")
        cost = EnergyCostSensor(
            grid,
            {
                "stat_energy_from": energy,
                "stat_cost": None,
                "entity_energy_price": entity_id,
                "number_energy_price": None,
            },
        )
        await hass.data["sensor"].async_add_entities([cost])
        meter(energy, "12")
        await hass.async_block_till_done()
        issues = ValidationIssues()
        _async_validate_price_entity(
            hass, entity_id, issues, ENERGY_PRICE_UNITS, ENERGY_PRICE_UNIT_ERROR
        )
        state = hass.states.get(f"{energy}_cost")
        seen[unit] = (round(float(state.state), 2), len(issues.issues))
        print(
            f"2 kWh at {price} {unit}: {seen[unit][0]}"
            f" {state.attributes['unit_of_measurement']}, {seen[unit][1]} issues"
        )
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == {
        "EUR/kWh": (0.6, 0),
        "EUR/MWh": (0.6, 0),
        "ct/kWh": (60.0, 0),
        "SEK/kWh": (6.6, 0),
        "EUR": (0.6, 1),
    }, seen


asyncio.run(main())
EOF
