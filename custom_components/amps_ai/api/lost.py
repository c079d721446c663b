"""Lost answers: what is known of a request that got none."""

from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

import aiohttp

from .errors import (
    AmpsConnectionError,
    AmpsMalformedReplyError,
    AmpsServerError,
    AmpsTimeoutError,
    AmpsUnknownOutcomeError,
)

# What passes requests on says so where the API's answer did not come.
_BETWEEN: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})


def no_answer(err: Exception) -> AmpsConnectionError:
    """Return what kept an answer from coming, and whether the request got away."""
    error = (
        AmpsTimeoutError("no answer in time")
        if isinstance(err, TimeoutError)
        else AmpsConnectionError(_reason(err))
    )
    error.was_sent = not isinstance(
        err, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
    )
    return error


@contextmanager
def sent_once() -> Generator[None]:
    """Tell of an answer that was lost: what was sent once is not sent again."""
    try:
        yield
    except AmpsConnectionError as err:
        if not err.was_sent:
            raise
        raise AmpsUnknownOutcomeError(err.message) from None
    except AmpsMalformedReplyError as err:
        status = err.status or HTTPStatus.OK
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            # Something in between refused it.
            raise
        raise AmpsUnknownOutcomeError(err.message, status=err.status) from None
    except AmpsServerError as err:
        if err.status not in _BETWEEN or err.code is not None:
            raise
        raise AmpsUnknownOutcomeError(err.message, status=err.status) from None


def _reason(err: Exception) -> str:
    """Say what kept an answer from coming, without the address."""
    cause = err.os_error if isinstance(err, aiohttp.ClientConnectorError) else err
    strerror = getattr(cause, "strerror", None)
    return f"{type(err).__name__}: {strerror}" if strerror else type(err).__name__
