"""The API's errors in the words of Home Assistant.

The one place where an error of the client becomes one that a person reads.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from traceback import clear_frames
from typing import Any, Final

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
    DeviceType,
    RequestRefusedError,
)
from ..api.values import told
from .const import DOMAIN
from .names import plain_text
from .refusals import in_words, refusal
from .units import DECIMALS, converted
from .words import command_name, context_said, decimal, reason_of, told as sentence

# So many failures are told in one error.
_MOST_FAILURES: Final = 10

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


def _error_key(err: AmpsError) -> str | None:
    """Return the name that a kind of error has in translations."""
    return next((key for kind, key in _KEYS if isinstance(err, kind)), None)


def spoken[ErrorT: HomeAssistantError](
    err: AmpsError, name: str, kind: type[ErrorT], **more: Any
) -> ErrorT:
    """Return an API error as one of Home Assistant's, of the kind asked for.

    `name` is what the request was about: a device's name, or the account's.
    """
    # Home Assistant keeps the last error of a list, and that its cause, with all
    # that was read until then: of pages without end, tens of megabytes.
    clear_frames(err.__traceback__)
    said = {
        "device": name,
        "code": plain_text(err.code or str(err.status or "-")),
        "message": err.message,
    }
    if (key := _error_key(err)) is None:
        key, words = refusal(err.code, err.details)
        said |= words
    return kind(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=said,
        **more,
    )


def action_error(action: Action, name: str) -> HomeAssistantError:
    """Return what a person reads of an action that failed."""
    key, words = refusal(action.error_code, action.result or {}, usual="action_failed")
    hass = async_get_hass_or_none()
    code = action.error_code or "-"
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={
            "device": name,
            "command": command_name(hass, action.command, action.device_type),
            "code": reason_of(hass, code) or code,
            "message": action.error_message or "-",
            **words,
        },
    )


def _shown(
    reason: str, name: str, placeholders: Mapping[str, str], kind: DeviceType | None
) -> dict[str, str]:
    """Return what is put into words, none of it longer than anybody reads."""
    said = context_said(async_get_hass_or_none(), reason, placeholders, kind)
    return {part: told(value) or "" for part, value in {"device": name, **said}.items()}


def refused(
    reason: str, name: str, /, kind: DeviceType | None = None, **placeholders: str
) -> ServiceValidationError:
    """Return what a person reads of input that cannot work.

    `kind` is the type of the device, which what it takes is called by.
    """
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=reason,
        translation_placeholders=_shown(reason, name, placeholders, kind),
    )


def refused_by_state(reason: str, name: str, **placeholders: str) -> HomeAssistantError:
    """Return what a person reads of something that cannot be done now."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=reason,
        translation_placeholders=_shown(reason, name, placeholders, None),
    )


def several_failed(
    failed: Sequence[tuple[str, HomeAssistantError]], count: int
) -> HomeAssistantError:
    """Return one error for those that failed, by name, of so many devices."""
    hass = async_get_hass_or_none()
    reasons = [
        said if name in (said := sentence(hass, err)) else f"{name}: {said}"
        for name, err in failed[:_MOST_FAILURES]
    ]
    if (more := len(failed) - _MOST_FAILURES) > 0:
        reasons.append(f"+ {more}")
    is_input = all(isinstance(err, ServiceValidationError) for _, err in failed)
    kind = ServiceValidationError if is_input else HomeAssistantError
    return kind(
        translation_domain=DOMAIN,
        translation_key="several_failed",
        translation_placeholders={
            "failed": str(len(failed)),
            "count": str(count),
            "reasons": " ".join(reasons),
        },
    )


@contextmanager
def spoken_errors(name: str, kind: DeviceType | None = None) -> Generator[None]:
    """Let nothing of the client out but errors that a person can read."""
    try:
        yield
    except RequestRefusedError as err:
        key, words = in_words(err.reason, err.context)
        raise refused(key, name, kind=kind, **words) from err
    except AmpsError as err:
        raise spoken(err, name, HomeAssistantError) from err


@contextmanager
def refusals_in(unit: str) -> Generator[None]:
    """Let what a device does not take be said in the unit that it was given in."""
    try:
        yield
    except ServiceValidationError as err:
        said, cause = err.translation_placeholders or {}, err.__cause__
        theirs = said.get("unit")
        if (
            theirs is None
            or theirs == unit
            or theirs not in DECIMALS
            or not isinstance(cause, RequestRefusedError)
        ):
            raise
        hass = async_get_hass_or_none()
        amounts: dict[str, str] = {
            name: decimal(hass, converted(cause.context[name], theirs, unit))
            for name in ("value", "min", "max")
            if name in cause.context
        }
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=err.translation_key,
            translation_placeholders={**said, **amounts, "unit": unit},
        ) from err
