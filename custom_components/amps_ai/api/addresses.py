"""Where Amps AI is: its hosts, its environments, the Link UI, the API's paths."""

from enum import StrEnum
from typing import Final
from urllib.parse import quote, urlencode

from .errors import AmpsDeviceNotFoundError
from .values import identifier
from .vocabulary import DeviceType

API_URL: Final = "https://api.amps.ai"
LINK_URL: Final = "https://auth.amps.ai"


class Environment(StrEnum):
    """Where a key's devices are."""

    LIVE = "live"
    SANDBOX = "sandbox"


def environment_of_key(api_key: str) -> Environment:
    """Return the environment that a key's prefix names."""
    prefix = api_key.removeprefix("amps_")
    return Environment.SANDBOX if prefix.startswith("sk_test") else Environment.LIVE


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
