"""Which device to read next, and when.

Lists are cheap, but tell only what was last captured. A single read makes
Amps AI ask the manufacturer, so it is made as seldom as the freshness target
allows, at its time, spread out, and never more than two at a time.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil, inf
from typing import Any, Final, NamedTuple

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_call_later

from ..account import AmpsAccount
from ..api import AmpsError, AmpsOverloadedError, Device
from ..api.clock import Countdown, mark, passed
from ..api.errors import RATE_LIMITED
from ..api.vocabulary import STEERABLE, WITH_SETTINGS
from ..common.const import CONF_FRESHNESS, LOGGER
from .captures import EXPEDITED_TTL
from .coordinator import AmpsCoordinator
from .coordinators import Coordinators
from .levels import COUNTED, LEVELS, STANDARD, TTL, Level, minds_hours

# In so many seconds, no more reads begin than keep all devices fresh.
TICK: Final = 15.0
# With few devices they still begin so many seconds apart.
_APART: Final = 1.0
# What is not told of, such as an entity that begins to show a device, is looked
# for after so many seconds.
_LOOK: Final = 60.0
# The devices whose hours end alike are captured one after the other, so many
# seconds apart: others have their turn between. Those that find no place within a
# minute are captured as any other.
_LEAD: Final = timedelta(seconds=2 * _APART)
_MOST_LEADS: Final = 25
# How long set-up waits for the devices that are new to it.
FIRST_READS_WAIT: Final = 3
_FIRST_READS_MOST: Final = 12
_AT_A_TIME: Final = 2
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


# After the API or a manufacturer complained, the standard is enough for a while.
_FALLBACK: Final = timedelta(hours=1)


def needs_detail(device: Device) -> bool:
    """Tell whether a list left out what decides a device's entities."""
    if device.detailed:
        return False
    return (device.type in STEERABLE and device.commands is None) or (
        device.type in WITH_SETTINGS and device.settings is None
    )


class _Asked(NamedTuple):
    """When a device was asked for last (a mark), and whether to be captured."""

    at: float
    to_capture: bool


class _Due(NamedTuple):
    """A device that is to be read, and how urgently: most first, by age."""

    urgency: float
    coordinator: AmpsCoordinator
    device: Device
    expedite: bool


class _Share:
    """How many reads may begin: as many as are needed, and these spread out."""

    def __init__(self) -> None:
        """Begin with nothing used up."""
        # When all that was begun would have been spread out by; a mark.
        self._spread_by = mark()

    def apart(self, rate: float) -> float:
        """Return how many seconds reads are apart, where so many a second are due."""
        return min(_APART, 0.8 / rate) if rate else _APART

    def wait(self, rate: float) -> float:
        """Return the seconds until one more may begin, 0 for now."""
        at_once = (max(1, ceil(rate * TICK)) - 1) * self.apart(rate)
        return max(0.0, -passed(self._spread_by) - at_once)

    @callback
    def async_use(self, rate: float) -> None:
        """Take note that one begins."""
        self._spread_by = max(self._spread_by, mark()) + self.apart(rate)


@dataclass(eq=False, repr=False)
class FreshnessPlanner:
    """Read devices one by one, so that none is older than the target."""

    hass: HomeAssistant
    account: AmpsAccount
    coordinators: Coordinators
    _fallback: Countdown | None = None
    _asked: dict[str, _Asked] = field(default_factory=dict)
    _reading: set[str] = field(default_factory=set)
    _slots: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(_AT_A_TIME)
    )
    _share: _Share = field(default_factory=_Share)
    # What ends the waiting for the next device that is due.
    _waiting: CALLBACK_TYPE | None = None
    _looks_soon: bool = False
    _started: bool = False

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Begin to plan; returns how to end it."""
        self._started = True
        stops = [
            coordinator.readings.async_add(self._look_soon)
            for coordinator in self.coordinators.values()
        ]
        self._look_in(TICK)

        @callback
        def _stop() -> None:
            self._started = False
            self._look_in(None)
            for stop in stops:
                stop()

        return _stop

    @callback
    def _look_soon(self, _device: Device | None = None) -> None:
        """Look what is due now, as a reading may have changed that."""
        if not self._looks_soon:
            self._looks_soon = True
            self._look_in(0)

    @callback
    def _look_in(self, seconds: float | None) -> None:
        """Look after so many seconds, and not at any other time; None is never."""
        if self._waiting is not None:
            self._waiting()
        self._waiting = None
        if seconds is not None and self._started:
            self._waiting = async_call_later(
                self.hass,
                seconds,
                HassJob(self._async_look, "Amps AI freshness", cancel_on_shutdown=True),
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
        expedite = self.level.expedite
        waiting = [
            self._async_start_read(coordinator, device, expedite=expedite)
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

    def _plan(self) -> tuple[list[_Due], float]:
        """Return what is to be read, the most urgent first.

        Also returns after how many seconds something more is due.
        """
        level = self.level
        now = self.account.clock.now()
        due: list[_Due] = []
        next_due = _LOOK
        leads = {} if self._falls_back else self._leads()
        known = {device.id for _, device in self.coordinators.devices()}
        for device_id in self._asked.keys() - known:
            del self._asked[device_id]
        for coordinator, device in self.coordinators.devices():
            if device.id in self._reading:
                continue
            captured = min(device.sync.last_pulled_at or _LONG_AGO, now)
            if (
                device.id in leads
                # Who captures it as well, keeps it fresh in other steps.
                and captured == coordinator.async_pulled_at(device.id, single=True)
            ):
                planned = level.next_to_end(device, captured, leads[device.id])
            else:
                planned = level.next_capture(device, captured)
            target = level.target_of(device)
            age = now - captured
            wait = (planned.at - now).total_seconds()
            urgency = age / target
            asked = self._asked.get(device.id)
            again = target.total_seconds() - passed(asked.at) if asked else 0
            if needs_detail(device) or coordinator.presence.is_doubted(device.id):
                if self._is_disabled(device):
                    continue
                urgency, wait = inf, again
            elif not coordinator.news.is_watched(device.id):
                continue
            elif asked and asked.to_capture and age.total_seconds() > passed(asked.at):
                # It was not captured, and others have their turn first.
                wait = max(wait, again)
            if wait > 0:
                next_due = min(next_due, wait)
            else:
                # By its own target: what may be a minute old goes before what
                # may be five.
                due.append(_Due(urgency, coordinator, device, planned.expedite))
        due.sort(key=lambda item: item.urgency, reverse=True)
        return due, next_due

    def _leads(self) -> dict[str, timedelta]:
        """Return how much sooner than at the end of an hour each one is captured."""
        minding = [
            device for _, device in self.coordinators.devices() if minds_hours(device)
        ]
        minding.sort(key=lambda device: COUNTED.index(device.type))
        return {
            device.id: number * _LEAD
            for number, device in enumerate(minding[:_MOST_LEADS])
        }

    @property
    def _rate(self) -> float:
        """Return how many reads a second keep all devices fresh."""
        level = self.level
        return sum(
            1 / level.target_of(device).total_seconds()
            for _, device in self.coordinators.devices()
        )

    @callback
    def _async_look(self, _now: datetime) -> None:
        """Start the reads that are due, and look again when others are."""
        self._waiting = None
        self._looks_soon = False
        self._look_in(self._start_reads())

    @callback
    def _start_reads(self) -> float:
        """Start as many reads as keep all devices fresh, and no more.

        Returns after how many seconds to look again.
        """
        if not self.account.limits.is_open:
            if not self.account.limits.key_refused:
                self._complained()
            return TICK
        if self.account.entry.pref_disable_polling:
            return _LOOK
        due, next_due = self._plan()
        rate = self._rate
        # Those of set-up can be more than a share: then none goes along.
        most = max(_AT_A_TIME, ceil(rate * TICK))
        for item in due:
            if len(self._reading) >= most:
                # Each of them is looked after once it is over.
                return next_due
            if wait := self._share.wait(rate):
                return min(next_due, wait)
            self._share.async_use(rate)
            self._async_start_read(
                item.coordinator, item.device, expedite=item.expedite
            )
        return next_due

    @callback
    def _complained(self) -> None:
        self._fallback = Countdown(_FALLBACK.total_seconds())

    @callback
    def _async_start_read(
        self, coordinator: AmpsCoordinator, device: Device, *, expedite: bool
    ) -> asyncio.Task[None]:
        device_id = device.id
        self._reading.add(device_id)
        pulled = device.sync.last_pulled_at
        ttl = EXPEDITED_TTL if expedite else TTL
        to_capture = pulled is None or self.account.clock.age(pulled) >= ttl
        self._asked[device_id] = _Asked(mark(), to_capture)
        return self.account.entry.async_create_background_task(
            self.hass,
            self._async_read(coordinator, device_id, self.level, expedite),
            name=f"Amps AI read of {device_id}",
        )

    async def _async_read(
        self,
        coordinator: AmpsCoordinator,
        device_id: str,
        level: Level,
        expedite: bool,
    ) -> None:
        try:
            async with self._slots:
                # Somebody complained while this one waited for its turn.
                if not self.account.limits.is_open or self.level is not level:
                    self._asked.pop(device_id, None)
                elif device_id in coordinator.data:
                    await coordinator.async_read(device_id, expedite=expedite)
        except AmpsError as err:
            if isinstance(err, AmpsOverloadedError) or err.code == RATE_LIMITED:
                self._complained()
            LOGGER.debug("Reading %s failed: %s", device_id, err)
        finally:
            self._reading.discard(device_id)
            self._look_soon()
