"""The errors the API answers with."""

from typing import Any, Final

STATUS: Final = {
    "VALIDATION_ERROR": 400,
    "UNSUPPORTED_AUTH_PATH": 400,
    "UNSUPPORTED_CREDENTIAL_TYPE": 400,
    "DEVICE_OFFLINE": 400,
    "UNAUTHORIZED": 401,
    "INVALID_API_KEY": 401,
    "EXPIRED_TOKEN": 401,
    "INVALID_CREDENTIALS": 401,
    "INSUFFICIENT_PERMISSIONS": 403,
    "LIVE_ACCESS_DISABLED": 403,
    "MFA_REQUIRED": 403,
    "INVALID_MFA_CODE": 403,
    "ACCOUNT_LOCKED": 403,
    "NOT_FOUND": 404,
    "CREDENTIAL_NOT_FOUND": 404,
    "DEVICE_NOT_FOUND": 404,
    "ACTION_NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "CONFLICT": 409,
    "ACTION_NOT_CANCELLABLE": 409,
    "UNSUPPORTED_MODE": 422,
    "COMMAND_NOT_SUPPORTED": 422,
    "UNSUPPORTED_PARAMETER": 422,
    "UNSUPPORTED_UNIT": 422,
    "PARAMETER_OUT_OF_RANGE": 422,
    "EXECUTION_NOT_SUPPORTED": 422,
    "STRATEGY_NOT_SUPPORTED": 422,
    "START_IN_PAST": 422,
    "START_OUT_OF_RANGE": 422,
    "INVALID_TIME_WINDOW": 422,
    "DIRECT_ACTION_UNSUPPORTED": 422,
    "UNSUPPORTED_SETTING": 422,
    "READ_ONLY_SETTING": 422,
    "SETTING_OUT_OF_RANGE": 422,
    "RATE_LIMIT_EXCEEDED": 429,
    "INTERNAL_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
    "NETWORK_ERROR": 502,
    "UNKNOWN_ERROR": 502,
    "RATE_LIMITED": 503,
    "SERVICE_UNAVAILABLE": 503,
    "TIMEOUT": 504,
}


class ApiError(Exception):
    """An answer that is a failure."""

    def __init__(
        self,
        code: str,
        message: str,
        details: dict[str, Any] | None = None,
        *,
        status: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Note what went wrong; the status follows from the code."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.status = STATUS.get(code, 500) if status is None else status
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """Return the `error` part of the answer."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details is not None:
            body["details"] = self.details
        return body
