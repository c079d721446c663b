"""The life of a push, from a tap to the truth."""

from .manager import REST, PushManager
from .sending import ANOTHER_ZONE, InTheWayError

__all__ = ["ANOTHER_ZONE", "REST", "InTheWayError", "PushManager"]
