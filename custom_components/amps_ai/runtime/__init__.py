"""The parts of an account, put together."""

from .data import AmpsConfigEntry, AmpsRuntimeData
from .deliveries import async_begin_deliveries

__all__ = ["AmpsConfigEntry", "AmpsRuntimeData", "async_begin_deliveries"]
