"""Webhooks: whether a delivery is genuine, and what it tells.

Deliveries are signed as Svix does it. Their bodies are flat and do not name
the kind of event, so it is told by the fields.
"""

from base64 import b64decode
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
import re
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

import orjson
from standardwebhooks import Webhook

from .actions import Action
from .addresses import LINK_URL
from .values import Json, MalformedError, flag, instant, mapping, text
from .vocabulary import ActionState, DeviceType

# The headers of a delivery, and what they are called where they are verified.
_HEADERS: Final = MappingProxyType(
    {
        "svix-id": "webhook-id",
        "svix-timestamp": "webhook-timestamp",
        "svix-signature": "webhook-signature",
    }
)
_SECRET: Final = re.compile(r"whsec_([A-Za-z0-9+/]+)={0,2}")
# The only ends that an event tells of.
_ENDS: Final = (ActionState.COMPLETED, ActionState.FAILED)
# All that the body of an event of a device holds.
_OF_A_DEVICE: Final = frozenset(
    {"deviceId", "deviceType", "timestamp", "reconnectionUrl"}
)
_LONGEST_URL: Final = 2048
# What a URL is made of, but for brackets: where it is told, Markdown is rendered.
_URL: Final = re.compile(r"[!#-;=?-Z_a-z~%]+")


class InvalidSecretError(ValueError):
    """The secret is not one that a webhook can have."""


class RefusedDeliveryError(Exception):
    """The delivery is not genuine, or too old; it says not why."""


class WebhookVerifier:
    """Tell genuine deliveries from others."""

    def __init__(self, secret: str) -> None:
        """Take the secret, `whsec_` and base64; raises InvalidSecretError."""
        if (match := _SECRET.fullmatch(secret)) is None:
            raise InvalidSecretError("not of the form whsec_<base64>")
        encoded = match[1]
        try:
            key = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except binascii.Error as err:
            raise InvalidSecretError("not base64") from err
        self._webhook = Webhook(key)

    def verify(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Return the id of a genuine delivery; raises RefusedDeliveryError.

        `headers` must find a name however it is spelled.
        """
        signed = {
            name: headers[svix] for svix, name in _HEADERS.items() if svix in headers
        }
        try:
            self._webhook.verify(body, signed, json_parse=False)
        except Exception:  # noqa: BLE001
            # Whatever a delivery trips it over, it was not made by Amps AI.
            raise RefusedDeliveryError from None
        return signed["webhook-id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PushEnded:
    """An action has completed or failed; its `state` says which."""

    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEvent:
    """A device's connection to its manufacturer has changed."""

    device_id: str
    device_type: DeviceType | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceConnected(DeviceEvent):
    """A device was connected, for the first time or again.

    A disconnected device that cannot be linked again by an address of its own
    is told by the very same body: only asking for the device tells them apart.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDisconnected(DeviceEvent):
    """A device was disconnected; `reconnection_url` links it again."""

    reconnection_url: str | None


type WebhookEvent = PushEnded | DeviceConnected | DeviceDisconnected


def parse_event(body: bytes, *, link_base: str = LINK_URL) -> WebhookEvent | None:
    """Return what a delivery tells, or None where that is not known.

    `link_base` is where the Link UI is.
    """
    try:
        found = mapping(orjson.loads(body))
    except orjson.JSONDecodeError:
        return None
    if found is not None and "eventId" in found:
        # The oldest form has an envelope.
        found = mapping(found.get("data"))
    if found is None or (device_id := text(found.get("deviceId"))) is None:
        return None
    if "actionId" in found:
        return _push_ended(found)
    # Events of other kinds come over the same path, and do not say which.
    if not found.keys() <= _OF_A_DEVICE:
        return None
    if (at := instant(found.get("timestamp"))) is None:
        return None
    device_type = _device_type(found.get("deviceType"))
    if "reconnectionUrl" in found:
        return DeviceDisconnected(
            device_id=device_id,
            device_type=device_type,
            at=at,
            reconnection_url=_url(found["reconnectionUrl"], link_base),
        )
    return DeviceConnected(device_id=device_id, device_type=device_type, at=at)


def _push_ended(found: Json) -> PushEnded | None:
    """Read the end of an action, in either generation's words."""
    try:
        action = Action.from_raw(found)
    except MalformedError:
        return None
    if action.state is None:
        failed = (
            found.get("failedAt") is not None
            or action.error_code is not None
            or action.error_message is not None
            or flag((action.result or {}).get("success")) is False
        )
        if failed:
            action = replace(action, state=ActionState.FAILED)
        elif action.completed_at is not None or action.result is not None:
            action = replace(action, state=ActionState.COMPLETED)
    return PushEnded(action=action) if action.state in _ENDS else None


def _device_type(value: object) -> DeviceType | None:
    """Read a device type; one that is not known yet is None."""
    word = (text(value) or "").replace("-", "_")
    return next((kind for kind in DeviceType if kind == word), None)


def _url(value: object, link_base: str) -> str | None:
    """Return an address that a person may be sent to, else None."""
    url = text(value)
    if (
        url is None
        or len(url) > _LONGEST_URL
        or _URL.fullmatch(url, re.IGNORECASE) is None
    ):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if url.startswith((f"{link_base}/", f"{link_base}?")):
        return url
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        return None
    return url
