"""Where Amps AI is: its hosts, its environments, the Link UI, the API's paths."""

from enum import StrEnum
import re
from typing import Final
from urllib.parse import quote, unquote, urlencode, urlsplit

from .errors import AmpsDeviceNotFoundError
from .values import identifier
from .vocabulary import DeviceType

API_URL: Final = "https://api.amps.ai"
LINK_URL: Final = "https://auth.amps.ai"

# What people paste around an id.
_AROUND: Final = " \t\r\n\"'`<>«»“”„‘’"
_APP_ID: Final = re.compile(r"[\w.~-]{1,255}", re.ASCII)
_LONGEST_REF: Final = 100
_MAIL: Final = re.compile(
    r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]*[a-z][a-z0-9-]*",
    re.ASCII | re.IGNORECASE,
)


class Environment(StrEnum):
    """Where a key's devices are."""

    LIVE = "live"
    SANDBOX = "sandbox"


def environment_of_key(api_key: str) -> Environment:
    """Return the environment that a key's prefix names."""
    prefix = api_key.removeprefix("amps_")
    is_sandbox = prefix.startswith(("sk_test", "sk_sandbox"))
    return Environment.SANDBOX if is_sandbox else Environment.LIVE


def clean_app_id(typed: str) -> str | None:
    """Return the app id that somebody typed or pasted, None where it is none.

    It may stand in quotes, among characters that nobody sees, or in the address
    of the Link UI.
    """
    seen = "".join(c for c in typed if c.isprintable() or c.isspace())
    app_id = seen.strip(_AROUND)
    if "://" in app_id:
        try:
            parts = urlsplit(app_id)
        except ValueError:
            return None
        app_id = unquote(parts.path).strip("/")
    return app_id if _APP_ID.fullmatch(app_id) else None


def external_user_ref(user_id: str | None) -> str | None:
    """Return how the Link UI is told this user, None where it cannot be.

    It takes a valid e-mail address only: without one it makes up a new user.
    """
    if user_id is None or len(user_id) > _LONGEST_REF:
        return None
    return user_id if _MAIL.fullmatch(user_id) else None


def link_url(
    app_id: str,
    environment: Environment,
    *,
    base_url: str = LINK_URL,
    device_type: DeviceType | None = None,
    external_user_ref: str | None = None,
    skip_device_selection: bool = False,
    max_devices: int | None = None,
) -> str:
    """Return the address where a person connects devices to the account.

    `external_user_ref` is an e-mail address that names the end user;
    `max_devices` is 1 to 100.
    """
    query: dict[str, str] = {}
    if environment is Environment.SANDBOX:
        query["sandbox"] = "true"
    if device_type is not None:
        query["deviceType"] = device_type.value
    if external_user_ref is not None:
        query["externalUserRef"] = external_user_ref
    if skip_device_selection:
        query["skipDeviceSelection"] = "true"
    if max_devices is not None:
        query["maxDevices"] = str(max_devices)
    address = f"{base_url.rstrip('/')}/{quote(app_id, safe='')}"
    return f"{address}?{urlencode(query)}" if query else address


def device_path(device_type: DeviceType, device_id: str) -> str:
    """Return where a device is read and pushed to."""
    return f"/{device_type.path}/{_quoted(device_id)}"


def route(path: str) -> str:
    """Return a path with `{id}` for the id, which always comes second."""
    parts = path.split("/")
    if len(parts) > 2:
        parts[2] = "{id}"
    return "/".join(parts)


def action_path(action_id: str) -> str:
    """Return where an action is read."""
    return f"/actions/{_quoted(action_id)}"


def _quoted(ident: str) -> str:
    """Return an id as a part of a path; `..` would lead elsewhere."""
    if identifier(ident) is None:
        raise AmpsDeviceNotFoundError("there is no such id", code="DEVICE_NOT_FOUND")
    return quote(ident, safe="")
