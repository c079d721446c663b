"""What can go wrong when talking to Amps AI.

The tree tells two things apart that the API does not: trouble with the
*account* (the API key) and trouble with one *device*. The same code can mean
either, so the client says which kind of request it made.
"""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from .values import identifiers, word, words
from .vocabulary import SCHEDULER_ACTIVE


class Scope(StrEnum):
    """What a request was about, which decides what a refusal means."""

    ACCOUNT = "account"
    DEVICE = "device"


# The key, or on a single device the credentials at the manufacturer.
INVALID_KEY: Final = "INVALID_API_KEY"


class AmpsError(Exception):
    """Anything that kept a request from giving its answer.

    Attributes:
        code: the API's error code, or None where no answer was understood.
        status: the HTTP status, or None where there was no answer.
        message: what happened, in English, without any secret.
        details: the API's own details about the refusal.
        request_id: the API's name for the request, for its support.
        retry_after: seconds that the API asked to wait, or None.

    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        details: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Keep what is known of the failure."""
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.details: Mapping[str, Any] = details or MappingProxyType({})
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        """Say code, message and request id in one line."""
        text = f"{self.code}: {self.message}" if self.code else self.message
        return f"{text} (request {self.request_id})" if self.request_id else text


class AmpsClosedError(AmpsError):
    """The client is closed: nothing was sent."""


class AmpsConnectionError(AmpsError):
    """No answer came: no route, no name, or the connection was dropped.

    `was_sent` tells whether the request may have arrived all the same.
    """

    was_sent = True


class AmpsTimeoutError(AmpsConnectionError):
    """No answer came in time."""


class AmpsUnknownOutcomeError(AmpsError):
    """A push was sent once, and no answer says whether it was done."""


class AmpsMalformedReplyError(AmpsError):
    """An answer came that is not one of the API's."""


class AmpsServerError(AmpsError):
    """The API has trouble of its own; the same request may work later."""


class AmpsOverloadedError(AmpsServerError):
    """Too many requests, or a burst that the API answers like a bad key."""


class AmpsAccountError(AmpsError):
    """The account as a whole was refused."""


class AmpsInvalidKeyError(AmpsAccountError):
    """The API key is unknown, revoked or past its expiry."""


class AmpsPermissionError(AmpsAccountError):
    """The API key lacks the permission for this."""


class AmpsLiveAccessError(AmpsPermissionError):
    """The API key is a live one and the account may not use live devices."""


class AmpsDeviceError(AmpsError):
    """The request failed for this device; others are not concerned."""


class AmpsDeviceCredentialsError(AmpsDeviceError):
    """The manufacturer refused the device's credentials: link it again."""


class AmpsDeviceNotFoundError(AmpsDeviceError):
    """The device, action or address does not exist (any more)."""

    @property
    def is_final(self) -> bool:
        """Tell whether the API says so of the device, and no proxy of a page."""
        return self.code == "DEVICE_NOT_FOUND"


class AmpsDeviceOfflineError(AmpsDeviceError):
    """The device cannot be reached by its manufacturer."""


class AmpsManufacturerError(AmpsDeviceError):
    """The manufacturer has passing trouble; the device may answer later."""


class AmpsConflictError(AmpsDeviceError):
    """Another action stands in the way."""

    @property
    def conflicting_action_ids(self) -> tuple[str, ...]:
        """Return the ids of the actions in the way."""
        return identifiers(self.details.get("conflictingActionIds"))

    @property
    def reason(self) -> str | None:
        """Return why this was not resolved, as `no_strategy_supplied`."""
        return word(self.details.get("reason"))

    @property
    def strategies(self) -> tuple[str, ...]:
        """Return the conflict strategies that would be accepted now."""
        return words(self.details.get("strategies"))


class AmpsNotCancellableError(AmpsDeviceError):
    """The action has begun or is over, and cannot be cancelled any more."""


class AmpsRefusedError(AmpsDeviceError):
    """The request is wrong for this device; `details` says how."""


class AmpsNotImplementedError(AmpsError):
    """The API does not offer this yet."""


# How the manufacturer says that it is asked too often.
RATE_LIMITED: Final = "RATE_LIMITED"
# How the API says that it does not take a command, at all or not yet.
COMMAND_NOT_SUPPORTED: Final = "COMMAND_NOT_SUPPORTED"

# Codes that mean the same whatever was asked.
_BY_CODE: Final[Mapping[str, type[AmpsError]]] = MappingProxyType(
    {
        "RATE_LIMIT_EXCEEDED": AmpsOverloadedError,
        # A burst over the limit is answered so too, even with a good key.
        "UNAUTHORIZED": AmpsOverloadedError,
        "INSUFFICIENT_PERMISSIONS": AmpsPermissionError,
        "LIVE_ACCESS_DISABLED": AmpsLiveAccessError,
        "INVALID_CREDENTIALS": AmpsDeviceCredentialsError,
        "MFA_REQUIRED": AmpsDeviceCredentialsError,
        "INVALID_MFA_CODE": AmpsDeviceCredentialsError,
        "ACCOUNT_LOCKED": AmpsDeviceCredentialsError,
        "UNSUPPORTED_CREDENTIAL_TYPE": AmpsDeviceCredentialsError,
        "UNSUPPORTED_AUTH_PATH": AmpsDeviceCredentialsError,
        # A 404, and yet the device is not gone: its consent was revoked, say.
        "CREDENTIAL_NOT_FOUND": AmpsDeviceCredentialsError,
        "DEVICE_NOT_FOUND": AmpsDeviceNotFoundError,
        "DEVICE_OFFLINE": AmpsDeviceOfflineError,
        "CONFLICT": AmpsConflictError,
        # It stands in the way, too, and no strategy clears it without asking.
        SCHEDULER_ACTIVE: AmpsRefusedError,
        "ACTION_NOT_CANCELLABLE": AmpsNotCancellableError,
        "INTERNAL_ERROR": AmpsServerError,
        "NOT_IMPLEMENTED": AmpsNotImplementedError,
    }
)

# Codes and statuses that mean one thing for the account, another for a device.
_BY_SCOPE: Final[Mapping[Scope, Mapping[str | int, type[AmpsError]]]] = (
    MappingProxyType(
        {
            Scope.ACCOUNT: {
                INVALID_KEY: AmpsInvalidKeyError,
                "EXPIRED_TOKEN": AmpsInvalidKeyError,
                RATE_LIMITED: AmpsOverloadedError,
                "NETWORK_ERROR": AmpsServerError,
                "SERVICE_UNAVAILABLE": AmpsServerError,
                "TIMEOUT": AmpsServerError,
                "UNKNOWN_ERROR": AmpsServerError,
                HTTPStatus.NOT_FOUND: AmpsMalformedReplyError,
            },
            Scope.DEVICE: {
                INVALID_KEY: AmpsDeviceCredentialsError,
                "EXPIRED_TOKEN": AmpsDeviceCredentialsError,
                RATE_LIMITED: AmpsManufacturerError,
                "NETWORK_ERROR": AmpsManufacturerError,
                "SERVICE_UNAVAILABLE": AmpsManufacturerError,
                "TIMEOUT": AmpsManufacturerError,
                "UNKNOWN_ERROR": AmpsManufacturerError,
                HTTPStatus.NOT_FOUND: AmpsDeviceNotFoundError,
            },
        }
    )
)

_BY_STATUS: Final[Mapping[int, type[AmpsError]]] = MappingProxyType(
    {
        HTTPStatus.UNAUTHORIZED: AmpsOverloadedError,
        HTTPStatus.FORBIDDEN: AmpsPermissionError,
        HTTPStatus.CONFLICT: AmpsConflictError,
        HTTPStatus.TOO_MANY_REQUESTS: AmpsOverloadedError,
        HTTPStatus.NOT_IMPLEMENTED: AmpsNotImplementedError,
    }
)


def error_type(scope: Scope, status: int, code: str | None) -> type[AmpsError]:
    """Return the kind of error that a refusal is.

    The code decides; the status only where there is no code, or one that is
    not known yet.
    """
    by_scope = _BY_SCOPE[scope]
    if code is not None:
        kind = _BY_CODE.get(code) or by_scope.get(code)
        if kind is not None:
            return kind
    if (kind := by_scope.get(status) or _BY_STATUS.get(status)) is not None:
        return kind
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return AmpsServerError
    if status >= HTTPStatus.BAD_REQUEST:
        return AmpsRefusedError
    return AmpsMalformedReplyError
