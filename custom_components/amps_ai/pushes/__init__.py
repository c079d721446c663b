"""The life of a push, from a tap to the truth."""

from .manager import REST, PushManager

__all__ = ["REST", "PushManager"]
