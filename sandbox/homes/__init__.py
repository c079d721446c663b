"""The homes of the sandbox."""

from .furnish import FURNISH, furnish
from .home import USERS, Event, Home, Malformed

__all__ = ["FURNISH", "USERS", "Event", "Home", "Malformed", "furnish"]
