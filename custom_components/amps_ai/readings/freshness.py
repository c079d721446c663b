"""Which device to read next, and when.

Lists are cheap, but tell only what was last captured. A single read makes
Amps AI ask the manufacturer, so it is made as seldom as the freshness target
allows, spread out, and never more than two at a time.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_time_interval

from ..account import AmpsAccount
from ..api import AmpsError, AmpsOverloadedError, Device, DeviceType
from ..api.clock import Countdown, mark, passed
from ..api.errors import RATE_LIMITED
from ..api.vocabulary import STEERABLE, WITH_SETTINGS
from ..common.const import CONF_FRESHNESS, LOGGER
from .coordinator import AmpsCoordinator
from .coordinators import Coordinators

TICK: Final = timedelta(seconds=15)
# How long set-up waits for the devices that are new to it.
FIRST_READS_WAIT: Final = 3
_FIRST_READS_MOST: Final = 12
_AT_A_TIME: Final = 2
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


# After the API or a manufacturer complained, the standard is enough for a while.
_FALLBACK: Final = timedelta(hours=1)


class Level(NamedTuple):
    """How old a device's state may be, at rest and while it does something."""

    target: timedelta
    active: timedelta
    # Past the API's own cache of 15 minutes, which is enough for the others.
    expedite: bool = False

    def target_of(self, device: Device) -> timedelta:
        """Return how old the state of a device may be, by what it does now."""
        return self.active if is_active(device) else self.target


LEVELS: Final[Mapping[str, Level]] = MappingProxyType(
    {
        "relaxed": Level(target=timedelta(minutes=30), active=timedelta(minutes=30)),
        "standard": Level(target=timedelta(minutes=15), active=timedelta(minutes=15)),
        "fast": Level(
            target=timedelta(minutes=5), active=timedelta(minutes=5), expedite=True
        ),
        "live": Level(
            target=timedelta(minutes=5), active=timedelta(minutes=1), expedite=True
        ),
    }
)
STANDARD: Final = "standard"

# The field that tells whether a device does something.
_ACTIVE: Final[Mapping[DeviceType, str]] = MappingProxyType(
    {
        DeviceType.BATTERY: "charge_rate",
        DeviceType.EV_CHARGER: "is_charging",
        DeviceType.HVAC: "active",
        DeviceType.SOLAR_INVERTER: "producing",
        DeviceType.VEHICLE: "charging",
    }
)


def is_active(device: Device) -> bool:
    """Tell whether a device charges, discharges, produces or runs."""
    return bool(getattr(device.state, _ACTIVE[device.type], None))


def needs_detail(device: Device) -> bool:
    """Tell whether a list left out what decides a device's entities."""
    if device.detailed:
        return False
    return (device.type in STEERABLE and device.commands is None) or (
        device.type in WITH_SETTINGS and device.settings is None
    )


@dataclass(eq=False, repr=False)
class FreshnessPlanner:
    """Read devices one by one, so that none is older than the target."""

    hass: HomeAssistant
    account: AmpsAccount
    coordinators: Coordinators
    _fallback: Countdown | None = None
    # When a device was asked for last; marks of the clock.
    _asked: dict[str, float] = field(default_factory=dict)
    _reading: set[str] = field(default_factory=set)
    _slots: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(_AT_A_TIME)
    )

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Begin to plan; returns how to end it."""
        return async_track_time_interval(
            self.hass, self._async_tick, TICK, name="Amps AI freshness"
        )

    @property
    def level(self) -> Level:
        """Return what is aimed at now: as chosen, or less after a complaint."""
        chosen = LEVELS.get(self.account.entry.options.get(CONF_FRESHNESS, STANDARD))
        if chosen is None or (chosen.expedite and self._falls_back):
            return LEVELS[STANDARD]
        return chosen

    @property
    def _falls_back(self) -> bool:
        overloaded = self.account.limits.overloaded_at
        return bool(self._fallback) or (
            overloaded is not None and passed(overloaded) < _FALLBACK.total_seconds()
        )

    @property
    def target(self) -> timedelta:
        """Return how old the state of a device at rest may be."""
        return self.level.target

    def as_dict(self) -> dict[str, Any]:
        """Return the state, for diagnostics."""
        level = self.level
        return {
            "chosen": self.account.entry.options.get(CONF_FRESHNESS, STANDARD),
            "target": level.target.total_seconds(),
            "target_if_active": level.active.total_seconds(),
            "expedites": level.expedite,
            "falls_back": self._falls_back,
            "reading": sorted(self._reading),
        }

    async def async_read_new(self) -> None:
        """Read the devices of which a list told too little, for a short while.

        What does not answer in time is read on in the background: its
        entities then come a little later.
        """
        unknown = [
            item
            for item in self.coordinators.devices()
            if needs_detail(item[1]) and not self._is_disabled(item[1])
        ]
        waiting = [
            self._async_start_read(coordinator, device.id)
            for coordinator, device in unknown[:_FIRST_READS_MOST]
        ]
        if waiting:
            await asyncio.wait(waiting, timeout=FIRST_READS_WAIT)

    def _is_disabled(self, device: Device) -> bool:
        """Tell whether a person disabled a device, or all of its entities."""
        hass = self.account.hass
        if (registered := self.account.async_registered(device.id)) is None:
            return False
        if registered.disabled:
            return True
        entities = er.async_entries_for_device(
            er.async_get(hass), registered.id, include_disabled_entities=True
        )
        return bool(entities) and all(entity.disabled for entity in entities)

    def _due(self) -> list[tuple[AmpsCoordinator, str]]:
        """Return what is to be read, the most urgent first."""
        level = self.level
        urgent: list[tuple[AmpsCoordinator, str]] = []
        stale: list[tuple[float, AmpsCoordinator, str]] = []
        known = {device.id for _, device in self.coordinators.devices()}
        for device_id in self._asked.keys() - known:
            del self._asked[device_id]
        for coordinator, device in self.coordinators.devices():
            target = level.target_of(device)
            asked = self._asked.get(device.id)
            waits = asked is not None and passed(asked) < target.total_seconds()
            if device.id in self._reading or waits:
                continue
            age = self.account.clock.age(device.sync.last_pulled_at or _LONG_AGO)
            if needs_detail(device) or coordinator.presence.is_doubted(device.id):
                if not self._is_disabled(device):
                    urgent.append((coordinator, device.id))
            elif age > target and coordinator.news.is_watched(device.id):
                # By its own target: what may be a minute old goes before what
                # may be five.
                stale.append((age / target, coordinator, device.id))
        stale.sort(key=lambda item: item[0], reverse=True)
        return urgent + [
            (coordinator, device_id) for _, coordinator, device_id in stale
        ]

    @callback
    def _async_tick(self, _now: datetime) -> None:
        """Start as many reads as keep all devices fresh, and no more."""
        if not self.account.limits.is_open:
            if not self.account.limits.key_refused:
                self._complained()
            return
        if self.account.entry.pref_disable_polling:
            return
        level = self.level
        share = ceil(
            sum(
                TICK / level.target_of(device)
                for _, device in self.coordinators.devices()
            )
        )
        # Those of set-up can be more than a share: then none goes along.
        free = max(0, share - len(self._reading))
        for coordinator, device_id in self._due()[:free]:
            self._async_start_read(coordinator, device_id)

    @callback
    def _complained(self) -> None:
        self._fallback = Countdown(_FALLBACK.total_seconds())

    @callback
    def _async_start_read(
        self, coordinator: AmpsCoordinator, device_id: str
    ) -> asyncio.Task[None]:
        self._reading.add(device_id)
        self._asked[device_id] = mark()
        return self.account.entry.async_create_background_task(
            self.hass,
            self._async_read(coordinator, device_id, self.level),
            name=f"Amps AI read of {device_id}",
        )

    async def _async_read(
        self, coordinator: AmpsCoordinator, device_id: str, level: Level
    ) -> None:
        try:
            async with self._slots:
                # Somebody complained while this one waited for its turn.
                if not self.account.limits.is_open or self.level is not level:
                    self._asked.pop(device_id, None)
                elif device_id in coordinator.data:
                    await coordinator.async_read(device_id, expedite=level.expedite)
        except AmpsError as err:
            if isinstance(err, AmpsOverloadedError) or err.code == RATE_LIMITED:
                self._complained()
            LOGGER.debug("Reading %s failed: %s", device_id, err)
        finally:
            self._reading.discard(device_id)
