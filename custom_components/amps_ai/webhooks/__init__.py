"""Webhooks: their address, what is delivered, and whether it comes on time."""

from .address import async_address
from .receiver import WebhookReceiver, async_register, async_remove

__all__ = ["WebhookReceiver", "async_address", "async_register", "async_remove"]
