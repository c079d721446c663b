"""Flows that people go through after the set-up."""

from .options import AmpsOptionsFlow
from .plan import AmpsPlanFlow

__all__ = ["AmpsOptionsFlow", "AmpsPlanFlow"]
