"""The devices of the sandbox, and what was pushed to them."""

from .actions import Action, Outcome, Push
from .device import REMOVE, Device, merge
from .life import cancel, submit
from .premises import Habits, Premises

__all__ = [
    "REMOVE",
    "Action",
    "Device",
    "Habits",
    "Outcome",
    "Premises",
    "Push",
    "cancel",
    "merge",
    "submit",
]
