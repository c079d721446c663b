"""The devices of the sandbox, and what was pushed to them."""

from .actions import Action, Outcome, Push
from .device import REMOVE, STRATEGIES, Device, merge
from .life import cancel, submit
from .premises import LENIENCIES, Habits, Premises

__all__ = [
    "LENIENCIES",
    "REMOVE",
    "STRATEGIES",
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
