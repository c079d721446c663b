#!/usr/bin/env bash
# The energy dashboard's check of its own settings (`energy/validate`), after the entity
# of a power was renamed, or where another one was taken by mistake.
# Expected: the check, which knows the power of the grid, knows that of solar panels,
# batteries and single devices as well, as these are set in dialogs of the same kind.
# Happens: the same entity is complained of as the grid's power, and in the three other
# places nothing is said, be it gone, a temperature, or a level in V. The flow of power
# is drawn without it, or with it as if it were right. Seen with Home Assistant
# 2026.11.0.
# Why it matters: an integration that renames an entity, or changes its unit, leaves no
# trace in the only place where a person would look, and its instructions have to be
# checked in another way than by Home Assistant.
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
from datetime import UTC, datetime
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
    from homeassistant.components.energy.data import (
        DEVICE_CONSUMPTION_SCHEMA,
        ENERGY_SOURCE_SCHEMA,
        async_get_manager,
    )
    from homeassistant.components.energy.validate import async_validate
    from homeassistant.components.recorder import get_instance
    from homeassistant.components.recorder.models import StatisticMeanType
    from homeassistant.components.recorder.statistics import async_import_statistics
    from homeassistant.components.recorder.tasks import SynchronizeTask

    def sensor(entity_id, device_class, unit, state_class, has_sum):
        """Have an entity, with statistics."""
        hass.states.async_set(
            entity_id,
            "20",
            {
                "device_class": device_class,
                "state_class": state_class,
                "unit_of_measurement": unit,
            },
        )
        async_import_statistics(
            hass,
            {
                "source": "recorder",
                "statistic_id": entity_id,
                "name": None,
                "unit_of_measurement": unit,
                "unit_class": device_class,
                "has_sum": has_sum,
                "mean_type": StatisticMeanType.NONE
                if has_sum
                else StatisticMeanType.ARITHMETIC,
            },
            [{"start": datetime(2026, 11, 1, tzinfo=UTC), "state": 20, "sum": 20}]
            if has_sum
            else [{"start": datetime(2026, 11, 1, tzinfo=UTC), "mean": 20}],
        )

    for name in ("bought", "produced", "given", "taken", "used"):
        sensor(f"sensor.{name}", "energy", "kWh", "total_increasing", True)
    sensor("sensor.power", "power", "kW", "measurement", False)
    sensor("sensor.garden", "temperature", "°C", "measurement", False)
    sensor("sensor.cell", "voltage", "V", "measurement", False)
    done = asyncio.get_running_loop().create_future()
    get_instance(hass).queue_task(SynchronizeTask(done))
    await done

    manager = await async_get_manager(hass)
    seen = {}
    for rate in ("sensor.power", "sensor.gone", "sensor.garden", "sensor.cell"):
        # As the dialogs save it, through the checks of the command that saves.
        await manager.async_update(
            {
                "energy_sources": ENERGY_SOURCE_SCHEMA(
                    [
                        {
                            "type": "grid",
                            "stat_energy_from": "sensor.bought",
                            "power_config": {"stat_rate": rate},
                            "cost_adjustment_day": 0,
                        },
                        {
                            "type": "solar",
                            "stat_energy_from": "sensor.produced",
                            "stat_rate": rate,
                        },
                        {
                            "type": "battery",
                            "stat_energy_from": "sensor.given",
                            "stat_energy_to": "sensor.taken",
                            "power_config": {"stat_rate": rate},
                            "stat_soc": rate,
                        },
                    ]
                ),
                "device_consumption": [
                    DEVICE_CONSUMPTION_SCHEMA(
                        {"stat_consumption": "sensor.used", "stat_rate": rate}
                    )
                ],
            }
        )
        found = (await async_validate(hass)).as_dict()
        grid, solar, battery, device = (
            sorted(issue["type"] for issue in issues)
            for issues in (*found["energy_sources"], *found["device_consumption"])
        )
        seen[rate] = (grid, solar, battery, device)
        print(f"{rate}: grid {grid}, solar {solar}, battery {battery}, device {device}")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == {
        "sensor.power": ([], [], [], []),
        "sensor.gone": (["entity_not_defined", "statistics_not_defined"], [], [], []),
        "sensor.garden": (["entity_unexpected_device_class"], [], [], []),
        "sensor.cell": (["entity_unexpected_device_class"], [], [], []),
    }, seen


asyncio.run(main())
EOF
