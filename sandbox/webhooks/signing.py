"""Signatures as Svix makes them."""

from base64 import b64decode, b64encode
import binascii
from contextlib import suppress
import hashlib
import hmac
from random import Random
from typing import Final

PREFIX: Final = "whsec_"


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return one entry of a `svix-signature`."""
    key = b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{b64encode(digest).decode()}"


def headers_of(
    secrets: list[str], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Return the headers of a delivery."""
    signatures = [sign(secret, message_id, timestamp, body) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Svix-Webhooks/1.0",
        "svix-id": message_id,
        "svix-timestamp": str(timestamp),
        "svix-signature": " ".join(signatures),
    }


def checked_secret(secret: str) -> str:
    """Return a secret if it is one."""
    with suppress(binascii.Error):
        if secret.startswith(PREFIX) and b64decode(
            secret.removeprefix(PREFIX), validate=True
        ):
            return secret
    raise ValueError(f"A secret is {PREFIX} and base64")


def new_secret(random: Random) -> str:
    """Return a secret as the dashboard makes one."""
    return PREFIX + b64encode(random.randbytes(24)).decode()
