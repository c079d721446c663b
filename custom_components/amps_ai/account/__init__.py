"""An account: its client, what it may ask, and its devices as registered."""

from .account import AmpsAccount, create_client
from .limits import LIMITS, Limits
from .refused import async_stop_trying, async_try_again

__all__ = [
    "LIMITS",
    "AmpsAccount",
    "Limits",
    "async_stop_trying",
    "async_try_again",
    "create_client",
]
