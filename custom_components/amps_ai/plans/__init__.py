"""Plans: what a person wants carried out again and again.

Each is a subentry of the account. Amps AI carries it out, and it comes back.
"""

from .plan import SUBENTRY_TYPE, Plan
from .plans import Plans
from .times import Occurrence

__all__ = ["SUBENTRY_TYPE", "Occurrence", "Plan", "Plans"]
