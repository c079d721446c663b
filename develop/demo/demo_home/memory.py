"""The week before, as Home Assistant would remember it had it been there.

The devices' past comes from the sandbox's physics (`develop.demo.past`). It becomes
states and statistics, by the recorder's own models; what the counters of the
integration counted goes into its own store, so that they go on from there.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
import json
from pathlib import Path
from typing import Any, Final

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.db_schema import (
    StateAttributes,
    States,
    StatesMeta,
    Statistics,
    StatisticsShortTerm,
)
from homeassistant.components.recorder.models import (
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.components.recorder.util import session_scope
from homeassistant.components.sensor import ATTR_STATE_CLASS, SensorStateClass
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.storage import Store
from sqlalchemy import func, insert, select

from custom_components.amps_ai.entities.energy_meter import EnergyMeter

AMPS: Final = "amps_ai"
_SHORT: Final = 300
_HOUR: Final = 3600
# A state every so many points: about as often as a device is read.
_EVERY: Final = 3
_UNIT_CLASSES: Final = {
    "kW": "power",
    "kWh": "energy",
    "%": "unitless",
    "°C": "temperature",
    "km": "distance",
    "min": "duration",
}
_MILE: Final = 1.609344

type Point = Mapping[str, Any]
# When, the state, and the attributes that change with it.
type Moment = tuple[float, str, Mapping[str, Any]]


def _number(key: str, digits: int, factor: float = 1) -> Callable[[Point], str | None]:
    """Return what shows a number as the integration does."""

    def _shown(point: Point) -> str | None:
        value = point.get(key)
        return None if value is None else _plain(value * factor, digits)

    return _shown


def _plain(value: float, digits: int) -> str:
    value = round(value, digits)
    return str(int(value) if value == int(value) else value)


def _is(key: str) -> Callable[[Point], str | None]:
    return lambda point: "on" if point.get(key) else "off"


def _charges(point: Point) -> str | None:
    return "on" if point["chargeRate"] > 0 else "off"


def _word(key: str) -> Callable[[Point], str | None]:
    return lambda point: point.get(key)


def _mode(point: Point) -> str | None:
    return {"auto": "heat_cool", "idle": "off"}.get(point["mode"], point["mode"])


# What each kind of device shows, by the platform and the key of the entity.
SHOWN: Final[dict[str, dict[str, Callable[[Point], str | None]]]] = {
    "battery": {
        "sensor.level": _number("level", 0),
        "sensor.power": _number("chargeRate", 3, -1),
        "sensor.status": _word("status"),
        "binary_sensor.charging": _charges,
        "sensor.energy_charged": _number("_charged", 3),
        "sensor.energy_discharged": _number("_given", 3),
    },
    "ev_charger": {
        "sensor.power": _number("currentPower", 3),
        "sensor.status": _word("status"),
        "binary_sensor.connected": _is("isConnected"),
        "binary_sensor.charging": _is("isCharging"),
        "sensor.energy_delivered": _number("_charged", 3),
    },
    "hvac": {"sensor.temperature": _number("temperature", 1), "climate.climate": _mode},
    "solar_inverter": {
        "sensor.power": _number("currentPower", 3),
        "sensor.energy_total": _number("energyTotal", 3),
        "sensor.status": _word("status"),
        "binary_sensor.producing": _is("producing"),
    },
    "vehicle": {
        "sensor.battery_level": _number("batteryLevel", 0),
        "sensor.range": _number("range", 0, _MILE),
        "sensor.power": _number("chargeRate", 3),
        "binary_sensor.plugged": _is("plugged"),
        "binary_sensor.charging": _is("charging"),
    },
}
HOUSE: Final = {
    "grid": _number("grid", 3),
    "imported": _number("imported", 3),
    "exported": _number("exported", 3),
    "house": _number("house", 3),
    "used": _number("used", 3),
}
# Which of the integration's counters counts what.
COUNTERS: Final = {
    "battery": {"energy_charged": "_charged", "energy_discharged": "_given"},
    "ev_charger": {"energy_delivered": "_charged"},
}


def shown_attributes(kind: str, point: Point) -> dict[str, Any]:
    """Return the attributes that change with a reading."""
    if kind != "hvac":
        return {}
    action = "idle"
    if point["active"]:
        action = (
            "heating" if point["temperature"] < point["heatSetpoint"] else "cooling"
        )
    return {
        "current_temperature": point["temperature"],
        "target_temp_low": point["heatSetpoint"],
        "target_temp_high": point["coolSetpoint"],
        "hvac_action": action,
    }


@dataclass(frozen=True, kw_only=True)
class Series:
    """What one entity was, moment by moment, up to what it is now."""

    now: State
    moments: list[Moment] = field(default_factory=list)

    @property
    def metadata(self) -> StatisticMetaData | None:
        """Return what statistics are made of it, if any."""
        unit = self.now.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
        if not self.moments or unit not in _UNIT_CLASSES:
            return None
        has_sum = (
            self.now.attributes.get(ATTR_STATE_CLASS)
            == SensorStateClass.TOTAL_INCREASING
        )
        return StatisticMetaData(
            mean_type=StatisticMeanType.NONE
            if has_sum
            else StatisticMeanType.ARITHMETIC,
            has_sum=has_sum,
            name=None,
            source="recorder",
            statistic_id=self.now.entity_id,
            unit_class=_UNIT_CLASSES[unit],
            unit_of_measurement=unit,
        )

    def short(self) -> Iterator[dict[str, Any]]:
        """Return the statistics of each five minutes that are over."""
        metadata = self.metadata
        has_sum = metadata is not None and metadata["has_sum"]
        values = [(at, float(state)) for at, state, _ in self.moments]
        for (begin, first), (end, last) in pairwise(values):
            if begin % _SHORT or end - begin != _SHORT:
                continue
            if has_sum:
                yield {"start_ts": begin, "state": last, "sum": last - values[0][1]}
            else:
                yield {
                    "start_ts": begin,
                    "mean": (first + last) / 2,
                    "min": min(first, last),
                    "max": max(first, last),
                }

    def long(self) -> Iterator[dict[str, Any]]:
        """Return the statistics of each hour that is over."""
        hours: dict[float, list[dict[str, Any]]] = {}
        for row in self.short():
            hours.setdefault(row["start_ts"] // _HOUR * _HOUR, []).append(row)
        for begin, rows in hours.items():
            if len(rows) < _HOUR / _SHORT:
                continue
            if "sum" in rows[-1]:
                yield rows[-1] | {"start_ts": begin}
            else:
                yield {
                    "start_ts": begin,
                    "mean": sum(row["mean"] for row in rows) / len(rows),
                    "min": min(row["min"] for row in rows),
                    "max": max(row["max"] for row in rows),
                }


async def async_remember(hass: HomeAssistant, path: Path) -> None:
    """Remember the week before, once."""
    text = await hass.async_add_executor_job(_read, path)
    if text is None:
        return
    past = json.loads(text)
    await _async_count(hass, past)
    done = asyncio.Event()

    def _done() -> None:
        hass.loop.call_soon_threadsafe(done.set)

    get_instance(hass).queue_task(RememberTask(list(_series(hass, past)), _done))
    await done.wait()
    await hass.async_add_executor_job(path.unlink)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


async def _async_count(hass: HomeAssistant, past: Mapping[str, Any]) -> None:
    """Let the counters of the integration have counted the week."""
    energies = {
        device_id: {
            key: EnergyMeter(energy=device["points"][-1][counted]).as_dict()
            for key, counted in COUNTERS.get(device["type"], {}).items()
        }
        for device_id, device in past["devices"].items()
    }
    for entry in hass.config_entries.async_entries(AMPS):
        await hass.config_entries.async_unload(entry.entry_id)
        store = Store[dict[str, Any]](hass, 1, f"{AMPS}.energies.{entry.entry_id}")
        await store.async_save({"energies": energies})
        await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


def _series(hass: HomeAssistant, past: Mapping[str, Any]) -> Iterator[Series]:
    """Return what each entity was, as far as the past knows."""
    times = past["times"]
    registry = er.async_get(hass)
    for entity_id, state in _known(hass, registry).items():
        entry = registry.entities[entity_id]
        series = Series(now=state)
        device = next(
            (
                (device_id, device)
                for device_id, device in past["devices"].items()
                if entry.unique_id.startswith(f"{device_id}_")
            ),
            None,
        )
        if entry.platform != AMPS:
            key = entry.unique_id.removeprefix("house_")
            points, kind, show = past["house"], "house", HOUSE.get(key)
        elif device is not None:
            device_id, known = device
            key = entry.unique_id.removeprefix(f"{device_id}_")
            points, kind = known["points"], known["type"]
            show = SHOWN[kind].get(f"{entry.domain}.{key}")
        else:
            points, kind, show = [], "", None
        if show is not None and fits(show(points[-1]), state.state):
            series.moments.extend(
                (at, shown, shown_attributes(kind, point))
                for at, point in zip(times, points, strict=True)
                if (shown := show(point)) is not None
            )
        yield series


def _known(hass: HomeAssistant, registry: er.EntityRegistry) -> dict[str, State]:
    """Return the entities of the home, and what they are."""
    return {
        entry.entity_id: state
        for entry in registry.entities.values()
        if entry.platform in (AMPS, "demo_home")
        and (state := hass.states.get(entry.entity_id)) is not None
    }


def fits(was: str | None, now: str) -> bool:
    """Tell whether what was said last can have become what is said now."""
    try:
        before, after = float(was or ""), float(now)
    except ValueError:
        return was == now
    return abs(before - after) <= max(1.0, abs(before) * 0.2)


@dataclass(slots=True)
class RememberTask(RecorderTask):
    """Writes what was, in the recorder's own thread."""

    series: list[Series]
    done: Callable[[], None]

    def run(self, instance: Recorder) -> None:
        """Write all of it."""
        try:
            with session_scope(session=instance.get_session()) as session:
                for series in self.series:
                    _write_states(instance, session, series)
                    _write_statistics(instance, session, series)
            with session_scope(session=instance.get_session()) as session:
                instance.states_manager.load_from_db(session)
        finally:
            self.done()


def _write_states(instance: Recorder, session: Any, series: Series) -> None:
    """Write the states, the last of which is what the entity is now."""
    entity_id = series.now.entity_id
    metadata_id = instance.states_meta_manager.get(entity_id, session, True)
    if metadata_id is None:
        meta = StatesMeta(entity_id=entity_id)
        session.add(meta)
        session.flush()
        metadata_id = meta.metadata_id
    attributes: dict[bytes, int] = {}

    def _attributes_id(changed: Mapping[str, Any]) -> int:
        shared = json_bytes(dict(series.now.attributes) | dict(changed))
        if shared not in attributes:
            row = StateAttributes(
                shared_attrs=shared.decode(),
                hash=StateAttributes.hash_shared_attrs_bytes(shared),
            )
            session.add(row)
            session.flush()
            attributes[shared] = row.attributes_id
        return attributes[shared]

    moments = series.moments[::_EVERY]
    now: Moment = (series.now.last_updated_timestamp, series.now.state, {})
    rows: list[dict[str, Any]] = []
    before: tuple[str, Mapping[str, Any]] | None = None
    changed = 0.0
    for at, state, varying in (*moments, now):
        if (state, varying) == before:
            continue
        if before is None or state != before[0]:
            changed = at
        before = state, varying
        rows.append(
            {
                "metadata_id": metadata_id,
                "state": state,
                "attributes_id": _attributes_id(varying),
                "last_updated_ts": at,
                "last_changed_ts": None if changed == at else changed,
                "origin_idx": 0,
            }
        )
    # Activity shows only what comes after something else.
    (last,) = session.execute(select(func.max(States.state_id))).one()
    for number, row in enumerate(rows, start=(last or 0) + 1):
        row["state_id"] = number
        row["old_state_id"] = number - 1 if row is not rows[0] else None
    session.execute(insert(States), rows)
    manager = instance.states_manager
    manager.add_pending(entity_id, States(state_id=rows[-1]["state_id"]))
    manager.post_commit_pending()


def _write_statistics(instance: Recorder, session: Any, series: Series) -> None:
    """Write what the recorder would have made of the states."""
    if (metadata := series.metadata) is None:
        return
    manager = instance.statistics_meta_manager
    known = manager.get_many(session, statistic_ids={metadata["statistic_id"]})
    _, metadata_id = manager.update_or_add(session, metadata, known)
    for table, rows in (
        (StatisticsShortTerm, series.short()),
        (Statistics, series.long()),
    ):
        session.execute(
            insert(table),
            [
                {"metadata_id": metadata_id, "created_ts": row["start_ts"]} | row
                for row in rows
            ],
        )
