"""The API's errors in the words of Home Assistant.

The one place where an error of the client becomes one that a person reads.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from homeassistant.core import async_get_hass_or_none
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..api import (
    Action,
    AmpsClosedError,
    AmpsConflictError,
    AmpsConnectionError,
    AmpsDeviceCredentialsError,
    AmpsDeviceNotFoundError,
    AmpsDeviceOfflineError,
    AmpsError,
    AmpsInvalidKeyError,
    AmpsLiveAccessError,
    AmpsMalformedReplyError,
    AmpsManufacturerError,
    AmpsOverloadedError,
    AmpsPermissionError,
    AmpsServerError,
    AmpsTimeoutError,
    AmpsUnknownOutcomeError,
    RequestRefusedError,
)
from ..api.errors import COMMAND_NOT_SUPPORTED
from ..api.values import told
from ..api.vocabulary import SCHEDULER_ACTIVE
from .const import DOMAIN
from .words import command_name

# The most special kind first; what is not here is told by its code and message.
_KEYS: tuple[tuple[type[AmpsError], str], ...] = (
    (AmpsClosedError, "entry_ended"),
    (AmpsUnknownOutcomeError, "unknown_outcome"),
    (AmpsTimeoutError, "timeout"),
    (AmpsConnectionError, "cannot_connect"),
    (AmpsMalformedReplyError, "malformed_reply"),
    (AmpsInvalidKeyError, "invalid_auth"),
    (AmpsLiveAccessError, "live_access_disabled"),
    (AmpsPermissionError, "insufficient_permissions"),
    (AmpsOverloadedError, "rate_limited"),
    (AmpsDeviceCredentialsError, "device_credentials"),
    (AmpsDeviceNotFoundError, "device_not_found"),
    (AmpsDeviceOfflineError, "device_offline"),
    (AmpsManufacturerError, "manufacturer_trouble"),
    (AmpsServerError, "server_trouble"),
    (AmpsConflictError, "conflict"),
)

# Codes that deserve words of their own, wherever they come from.
_CODES = {
    SCHEDULER_ACTIVE: "scheduler_active",
    # The device lists the command, and yet it is refused: not open yet.
    COMMAND_NOT_SUPPORTED: "not_open_yet",
    # It was checked against Home Assistant's clock: the plant's is another one.
    "START_IN_PAST": "start_in_past_there",
    "STRATEGY_NOT_SUPPORTED": "strategy_refused",
}


def _error_key(err: AmpsError) -> str:
    """Return the name that an error of the API has in translations."""
    for kind, key in _KEYS:
        if isinstance(err, kind):
            return key
    return _CODES.get(err.code or "", "refused")


def spoken[ErrorT: HomeAssistantError](
    err: AmpsError, name: str, kind: type[ErrorT], **more: Any
) -> ErrorT:
    """Return an API error as one of Home Assistant's, of the kind asked for.

    `name` is what the request was about: a device's name, or the account's.
    """
    return kind(
        translation_domain=DOMAIN,
        translation_key=_error_key(err),
        translation_placeholders={
            "device": name,
            "code": err.code or str(err.status or "-"),
            "message": err.message,
        },
        **more,
    )


def action_error(action: Action, name: str) -> HomeAssistantError:
    """Return what a person reads of an action that failed."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=_CODES.get(action.error_code or "", "action_failed"),
        translation_placeholders={
            "device": name,
            "command": command_name(
                async_get_hass_or_none(), action.command, action.device_type
            ),
            "code": action.error_code or "-",
            "message": action.error_message or "-",
        },
    )


def _shown(placeholders: Mapping[str, str]) -> dict[str, str]:
    """Return what is put into words, none of it longer than anybody reads."""
    return {name: told(value) or "" for name, value in placeholders.items()}


def refused(reason: str, name: str, /, **placeholders: str) -> ServiceValidationError:
    """Return what a person reads of input that cannot work."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=reason,
        translation_placeholders=_shown({"device": name, **placeholders}),
    )


def refused_by_state(reason: str, name: str, **placeholders: str) -> HomeAssistantError:
    """Return what a person reads of something that cannot be done now."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=reason,
        translation_placeholders=_shown({"device": name, **placeholders}),
    )


@contextmanager
def spoken_errors(name: str) -> Generator[None]:
    """Let nothing of the client out but errors that a person can read."""
    try:
        yield
    except RequestRefusedError as err:
        raise refused(err.reason, name, **err.context) from err
    except AmpsError as err:
        raise spoken(err, name, HomeAssistantError) from err
