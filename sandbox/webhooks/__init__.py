"""Webhooks: signed as Svix does it, sent again until somebody takes them."""

from .sending import KINDS, Endpoint, Webhooks
from .signing import headers_of

__all__ = ["KINDS", "Endpoint", "Webhooks", "headers_of"]
