"""What is measured in simulated time shares: a sky over the sandbox, an entry."""

import asyncio
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
import os
from pathlib import Path
from random import Random
import threading
from typing import Final, override
from unittest.mock import patch

from homeassistant.components.recorder import Recorder
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from develop.bare_core import CoreError
from sandbox import Fault, Sandbox
from sandbox.faults import Faults, Met

from .simulated_time import SimulatedTime

# Told here once more: an older integration, which is measured beside today's, has
# them in another place.
DOMAIN: Final = "amps_ai"
CONF_APP_ID: Final = "app_id"

# So much may wait for the recorder before time stands still for it.
_BACKLOG: Final = 500


@dataclass(kw_only=True)
class Simulated:
    """A core over the sandbox, in simulated time."""

    folder: Path
    sandbox: Sandbox
    time: SimulatedTime
    hass: HomeAssistant | None = None

    @property
    def now(self) -> float:
        """Return the seconds since 1970."""
        return self.time.clock.time()

    @property
    def core(self) -> HomeAssistant:
        """Return the core that runs."""
        assert self.hass is not None
        return self.hass

    @property
    def entry(self) -> ConfigEntry:
        """Return the only entry."""
        return self.core.config_entries.async_entries(DOMAIN)[0]


class Weather(Faults):
    """Faults, and the usual time that an answer takes where there is none."""

    def __init__(self, seed: int) -> None:
        """Begin with fair weather."""
        super().__init__()
        self._seed = seed
        self._met: Counter[str] = Counter()

    @override
    def meet(self, method: str, path: str) -> Met:
        """Return the faults on order, else a little delay."""
        met = super().meet(method, path)
        if met.fault is not None:
            return met
        # Whatever else is asked meanwhile, a request takes the same time.
        # Of actions there are ever more, so theirs count as one.
        place = "/actions" if path.startswith("/actions") else path
        self._met[place] += 1
        random = Random(f"{self._seed} {method} {place} {self._met[place]}")
        usual = Fault(kind="delay", delay=random.uniform(0.05, 0.9))
        return Met(fault=usual, changes=met.changes)


async def _wait_until(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event in simulated time; tell whether it came."""
    if seconds > 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
    return event.is_set()


@contextmanager
def in_simulated_time() -> Generator[None]:
    """Let the sandbox wait in simulated time, where it would in real time."""
    with (
        patch("sandbox.server.wait_until", _wait_until),
        patch("sandbox.webhooks.sending.wait_until", _wait_until),
        # The clock is moved by hand, and whoever moves it settles what is due.
        patch("sandbox.webhooks.sending.LOOK", 86400.0),
    ):
        yield


@contextmanager
def where_the_api_is(url: str) -> Generator[None]:
    """Let the integration talk to the sandbox."""
    with patch.dict(os.environ, {"AMPS_AI_API_URL": url}):
        yield


def recorder_is_behind() -> bool:
    """Tell whether a recorder starts, or has too much to do."""
    return any(
        not thread.async_db_ready.done() or thread.backlog > _BACKLOG
        for thread in threading.enumerate()
        if isinstance(thread, Recorder)
    )


async def add_entry(hass: HomeAssistant, key: str, app_id: str) -> ConfigEntry:
    """Add the integration, as a person does it."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": "user"},
        data={CONF_API_KEY: key, CONF_APP_ID: app_id},
    )
    while result["type"] is FlowResultType.FORM and not result.get("errors"):
        # So many devices have to be confirmed.
        result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    if result["type"] is not FlowResultType.CREATE_ENTRY:
        raise CoreError(f"The entry was refused: {result.get('errors')}")
    entry: ConfigEntry = result["result"]
    return entry
