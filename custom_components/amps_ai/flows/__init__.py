"""Flows that people go through after the set-up."""

from .options import AmpsOptionsFlow

__all__ = ["AmpsOptionsFlow"]
