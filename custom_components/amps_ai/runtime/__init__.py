"""The parts of an account, put together."""

from .data import AmpsConfigEntry, AmpsRuntimeData, async_device_of
from .deliveries import async_begin_deliveries

__all__ = [
    "AmpsConfigEntry",
    "AmpsRuntimeData",
    "async_begin_deliveries",
    "async_device_of",
]
