"""An account: its client, what it may ask, and its devices as registered."""

from .account import AmpsAccount, create_client
from .limits import LIMITS, Limits

__all__ = ["LIMITS", "AmpsAccount", "Limits", "create_client"]
